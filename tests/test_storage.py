"""What stands on disk: published whole or not at all, and never believed without a check."""

import errno
import fcntl
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import PARKING, RETURNS, LetterEncoder, build

from policy_qa import Document, KnowledgeBase, KnowledgeBaseError, KnowledgeBaseNotFound
from policy_qa.centring import _generic_questions
from policy_qa.dense import DenseIndex
from policy_qa.errors import (
    CorpusError,
    CorruptionError,
    EncoderError,
    EncoderMismatchError,
    FormatVersionError,
    LockedError,
    StorageError,
)
from policy_qa.settings import FORMAT_VERSION, GENERATIONS_KEPT
from policy_qa.storage import Manifest, generation_folder, read_manifest, verify, writing
from policy_qa.vector_cache import VectorCache

FILES = (
    "CURRENT",
    "manifest.json",
    "store.sqlite",
    "dense.npy",
    "centres.npz",
    *(
        f"{folder}/{name}"
        for folder in ("lexical", "lexical-entries")
        for name in (
            ".managed.json",
            "forward.npy",
            "forward.u32",
            "meta.json",
            "*.fast",
            "*.fieldnorm",
            "*.idx",
            "*.pos",
            "*.store",
            "*.term",
        )
    ),
)
QUERY = "May I return shoes?"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a knowledge base with two generations, to copy."""
    path = tmp_path_factory.mktemp("template") / "kb"
    build(path, PARKING).close()
    build(path).close()
    return path


@pytest.fixture
def kb(template: Path, tmp_path: Path) -> Path:
    """Return a copy of a knowledge base with two generations, opened once."""
    path = tmp_path / "kb"
    shutil.copytree(template, path)
    answers(path)
    return path


def answers(path: Path) -> bool:
    """Open the current generation and tell whether it answers as it should."""
    with KnowledgeBase.open(path, model=LetterEncoder()) as knowledge_base:
        return [hit.entry.id for hit in knowledge_base.search(QUERY, 1)] == ["shop/returns#1"]


def generations(path: Path) -> list[str]:
    """Return the names of the folders of generations."""
    return sorted(child.name for child in (path / "generations").iterdir())


def located(path: Path, name: str) -> Path:
    """Return the current generation's file of that name."""
    if name == "CURRENT":
        return path / name
    (file,) = generation_folder(path, 2).glob(name)
    return file


def open_files() -> int:
    """Return how many files are open; 0 where the system does not tell."""
    handles = Path("/proc/self/fd")
    return len(list(handles.iterdir())) if handles.is_dir() else 0


def damage(file: Path, kind: str) -> None:
    """Damage a file in one of three ways."""
    data = file.read_bytes()
    if kind == "deleted":
        file.unlink()
    elif kind == "truncated":
        file.write_bytes(data[: len(data) // 2])
    else:
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


def test_every_file_is_listed_here(kb):
    """The list of files above leaves out no file of a generation."""
    listed = {located(kb, name).name for name in FILES[1:]}
    there = {file.name for file in generation_folder(kb, 2).rglob("*") if file.is_file()}
    assert there == listed | {"verified.json", ".tantivy-meta.lock", ".tantivy-writer.lock"}


@pytest.mark.parametrize("kind", ["truncated", "flipped", "deleted"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_and_built_again(kb, name, kind):
    """Damage to any file is one line with its name and the way out; a build mends it."""
    file = located(kb, name)
    damage(file, kind)
    with pytest.raises(KnowledgeBaseError) as caught:
        KnowledgeBase.open(kb, model=LetterEncoder())
    message = str(caught.value)
    assert str(file) in message
    assert message.endswith(f"Repair it: policy-qa repair --kb {kb}")
    assert "\n" not in message
    build(kb).close()
    assert answers(kb)


@pytest.mark.parametrize("name", ["CURRENT", "manifest.json"])
def test_no_changed_byte_is_believed(kb, name):
    """A change of any byte of CURRENT or the manifest is noticed (of the manifest, every third)."""
    file = located(kb, name)
    data = file.read_bytes()
    for position in range(0, len(data), 1 if name == "CURRENT" else 3):
        file.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(KnowledgeBaseError):
            read_manifest(kb)


def test_damage_to_what_was_verified_costs_nothing(kb):
    """The note of what was verified may be lost or damaged."""
    note = generation_folder(kb, 2) / "verified.json"
    assert note.is_file()
    for content in (b"", b"[1]", b"\xff", b'{"store.sqlite": 1}'):
        note.write_bytes(content)
        assert answers(kb)


def test_an_unreadable_file_counts_as_damaged(kb, monkeypatch):
    """A file that the disk cannot read is named as damaged."""

    def fails(file: Path) -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("policy_qa.storage._sha256", fails)
    with pytest.raises(CorruptionError, match="is damaged"):
        verify(kb, read_manifest(kb), again=True)


def rewrite(kb: Path, fields: dict[str, object]) -> None:
    """Write a manifest as another program would, and the `CURRENT` that names it."""
    fields.pop("sha256")
    data = json.dumps(fields).encode()
    (generation_folder(kb, 2) / "manifest.json").write_bytes(data)
    (kb / "CURRENT").write_text(f"2 {hashlib.sha256(data).hexdigest()}\n", encoding="ascii")


def test_another_format_version(kb):
    """Another format version is told apart from damage, with both versions."""
    file = generation_folder(kb, 2) / "manifest.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    rewrite(kb, fields | {"format_version": 99})
    with pytest.raises(
        FormatVersionError, match=rf"version 99, .* version {FORMAT_VERSION}\. Build"
    ):
        KnowledgeBase.open(kb, model=LetterEncoder())


def test_an_older_format_version(kb):
    """A manifest without the fields of this format is told apart from damage too."""
    file = generation_folder(kb, 2) / "manifest.json"
    fields = json.loads(file.read_text(encoding="utf-8"))
    fields |= {"format_version": FORMAT_VERSION - 1}
    del fields["text"]
    rewrite(kb, fields)
    with pytest.raises(FormatVersionError, match=rf"has format version {FORMAT_VERSION - 1}, "):
        KnowledgeBase.open(kb, model=LetterEncoder())


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("policy_qa.build.TEXT_VERSION", 99),
        ("policy_qa.build.opencc.__version__", "99"),
        ("policy_qa.build.unicodedata.unidata_version", "99"),
    ],
    ids=["recipe", "opencc", "unicode"],
)
def test_another_text_folding(kb, monkeypatch, target, value):
    """Texts folded by another recipe, OpenCC or Unicode are refused, with both and the way out."""
    with monkeypatch.context() as patched:
        patched.setattr(target, value)
        with pytest.raises(EncoderMismatchError) as caught:
            KnowledgeBase.open(kb, model=LetterEncoder())
    message = str(caught.value)
    assert f"another text folding ({read_manifest(kb).text}), not with this program's" in message
    assert message.endswith(f"Build it again: policy-qa build CORPUS --kb {kb}")
    assert answers(kb)


@pytest.mark.parametrize(
    "name",
    ["store.sqlite", "dense.npy", "centres.npz", "lexical/meta.json", "lexical-entries/*.term"],
)
@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 99], ids=["gone", "empty", "other"])
def test_a_file_that_cannot_be_loaded(kb, monkeypatch, name, content):
    """A file lost after the check is one line with the generation's folder, and nothing leaks."""
    file = located(kb, name)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr("policy_qa.knowledge_base.verify", lambda *_: None)
    before = open_files()
    with pytest.raises(CorruptionError) as caught:
        KnowledgeBase.open(kb, model=LetterEncoder())
    message = str(caught.value)
    assert message.startswith(f"{generation_folder(kb, 2)} cannot be loaded: ")
    assert message.endswith(f"Repair it: policy-qa repair --kb {kb}")
    assert "\n" not in message
    assert open_files() <= before


def test_builds_while_the_encoder_loads(kb, monkeypatch):
    """Builds that remove the generation while the encoder loads are followed to the newest one."""

    def slowly(_: str) -> LetterEncoder:
        for _ in range(GENERATIONS_KEPT):
            build(kb).close()
        return LetterEncoder()

    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", slowly)
    with KnowledgeBase.open(kb, model="letters") as knowledge_base:
        assert knowledge_base.generation == 2 + GENERATIONS_KEPT
        assert knowledge_base.search(QUERY, 1)[0].entry.id == "shop/returns#1"


@pytest.mark.parametrize("when", ["before", "after"])
def test_builds_while_the_files_are_opened(kb, monkeypatch, when):
    """Builds that remove the generation before or after its check are followed once."""
    tried = []

    def busy(path: Path, manifest: Manifest) -> None:
        tried.append(manifest.generation)
        if when == "after":
            verify(path, manifest)
        if len(tried) == 1:
            for _ in range(GENERATIONS_KEPT):
                build(kb).close()
        if when == "before":
            verify(path, manifest)

    monkeypatch.setattr("policy_qa.knowledge_base.verify", busy)
    assert answers(kb)
    assert tried == [2, 2 + GENERATIONS_KEPT]


def test_a_generation_that_vanished(kb, monkeypatch):
    """A current generation whose files are gone is damaged; opening it is not tried twice."""
    tried = []

    def vanishing(_: Path, manifest: Manifest) -> None:
        tried.append(manifest.generation)
        located(kb, "store.sqlite").unlink()

    monkeypatch.setattr("policy_qa.knowledge_base.verify", vanishing)
    with pytest.raises(CorruptionError, match="cannot be loaded: unable to open database file"):
        KnowledgeBase.open(kb, model=LetterEncoder())
    assert tried == [2]


def test_a_build_on_windows(kb, monkeypatch):
    """Where folders cannot be opened and only writable handles be flushed, a build succeeds."""
    flushed = []

    def opened(path: Path, flags: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied")
        return os.open(path, flags)

    def fsync(handle: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        flushed.append(handle)

    windows = {**vars(os), "name": "nt", "open": opened, "fsync": fsync}
    monkeypatch.setattr("policy_qa.storage.os", SimpleNamespace(**windows))
    build(kb).close()
    assert generations(kb) == ["1", "2", "3"]
    assert len(flushed) >= len(read_manifest(kb).files) + 2
    assert answers(kb)


def test_another_model(kb):
    """A knowledge base of another encoder is refused, with both names."""
    with pytest.raises(EncoderMismatchError, match=r"encoder letters-1, not with letters-2"):
        KnowledgeBase.open(kb, model=LetterEncoder("letters-2"))
    assert answers(kb)


def test_a_program_s_encoder_has_to_be_given_again(kb):
    """A knowledge base made with an encoder object says that it wants that object."""
    with pytest.raises(EncoderMismatchError, match=r"letters-1 of a program.*Give that encoder"):
        KnowledgeBase.open(kb)


@pytest.mark.parametrize("there", ["nothing", "folder", "file"])
def test_no_knowledge_base(tmp_path, there):
    """Where there is no knowledge base, the message says how to make one."""
    path = tmp_path / "kb"
    if there == "folder":
        path.mkdir()
        (path / "letter.txt").write_text("Dear John", encoding="utf-8")
    elif there == "file":
        path.write_text("Dear John", encoding="utf-8")
    with pytest.raises(KnowledgeBaseNotFound, match=rf"no knowledge base at {path}\. Make one"):
        KnowledgeBase.open(path)


@pytest.mark.parametrize("there", ["folder", "file"])
def test_other_files_are_left_alone(tmp_path, there):
    """A build refuses a place that holds something else, and changes nothing there."""
    path = tmp_path / "mine"
    letter = path / "letter.txt" if there == "folder" else path
    letter.parent.mkdir(exist_ok=True)
    letter.write_text("Dear John", encoding="utf-8")
    with pytest.raises(KnowledgeBaseError, match=rf"{path} .*--kb\.$"):
        build(path)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [letter]
    assert letter.read_text(encoding="utf-8") == "Dear John"


NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
SQLITE_FULL = sqlite3.OperationalError("database or disk is full")
WRITE_POINTS = {
    "store": ("policy_qa.store.StoreWriter.add", SQLITE_FULL),
    "store-commit": ("policy_qa.store.StoreWriter.close", SQLITE_FULL),
    "vectors": ("policy_qa.vector_cache.VectorCache._write", SQLITE_FULL),
    "vectors-open": ("policy_qa.vector_cache.VectorCache._connect", SQLITE_FULL),
    "centres": ("policy_qa.centring.np.savez", NO_SPACE),
    "dense": ("policy_qa.indexing.VectorWriter.add", NO_SPACE),
    "lexical": ("tantivy.Index", ValueError("An IO error occurred: No space left on device")),
    "folder": ("pathlib.Path.mkdir", NO_SPACE),
    "manifest": ("pathlib.Path.write_text", NO_SPACE),
    "flush": ("policy_qa.storage._flush", NO_SPACE),
    "rename": ("pathlib.Path.rename", NO_SPACE),
    "replace": ("pathlib.Path.replace", NO_SPACE),
}


@pytest.mark.parametrize(("target", "error"), WRITE_POINTS.values(), ids=WRITE_POINTS)
def test_no_room_at_any_write(kb, monkeypatch, target, error):
    """Wherever the disk fills up, what was there answers on and nothing half-made stays."""
    before = sorted(file for file in kb.rglob("*") if file.is_file())

    def fails(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(target, fails)
        with pytest.raises(StorageError, match=rf"Cannot write to {kb}: .*untouched; make room"):
            build(kb, Document("new.txt", "1. Is this new?\nYes, it is quite new.\n"))
    assert sorted(file for file in kb.rglob("*") if file.is_file()) == before
    assert answers(kb)


def test_no_room_for_the_last_step(kb, monkeypatch):
    """A generation that cannot become current is removed, so that it does not fill the disk."""
    replace = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if target.name == "CURRENT":
            raise NO_SPACE
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(StorageError, match="the disk is full"):
        build(kb)
    assert generations(kb) == ["1", "2"]
    assert not list(kb.glob("CURRENT.*"))
    assert answers(kb)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte; skip where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if not mount or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only an administrator can mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(small_disk):
    """On a real disk, however little room is left, a build succeeds or fails with StorageError."""
    path = small_disk / "kb"
    build(path).close()
    outcomes = set()
    for pages in range(0, 64, 4):
        free = os.statvfs(small_disk).f_bavail - pages
        filler = small_disk / "filler"
        filler.write_bytes(bytes(4096 * max(0, free)))
        answer = f"Because of reason {pages} in the rules."
        document = Document("why.txt", "".join(f"{n}. Why {n}?\n{answer}\n" for n in range(1, 40)))
        before = generations(path)
        message = ""
        try:
            build(path, RETURNS, document).close()
        except StorageError as error:
            message = str(error)
        filler.unlink()
        outcomes.add("full" if message else "built")
        if message:
            assert "untouched; make room" in message
            assert generations(path) == before
        assert answers(path)
    assert outcomes == {"built", "full"}


def test_two_writers(kb):
    """A second writer is refused at once, with the name of the knowledge base."""
    told = rf"knowledge base at {kb}\. It is process {os.getpid()} on .*\. Try again"
    with writing(kb), pytest.raises(LockedError, match=told):
        build(kb)
    build(kb).close()
    assert generations(kb) == ["1", "2", "3"]


KILLED = """
import os, sys, pathlib
sys.path.insert(0, sys.argv[1])
from fakes import LetterEncoder, build

class Stuck(LetterEncoder):
    def encode_passages(self, texts):
        print("encoding", flush=True)
        sys.stdin.read()

build(pathlib.Path(sys.argv[2]), encoder=Stuck("stuck"))
"""


def test_a_killed_build(kb):
    """A killed build leaves the old generation and no lock; the next build cleans up after it."""
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(kb)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"encoding\n"
        process.send_signal(signal.SIGKILL)
    assert generations(kb) == [".building-3", "1", "2"]
    assert answers(kb)
    build(kb).close()
    assert generations(kb) == ["1", "2", "3"]
    assert answers(kb)


def test_a_build_killed_while_publishing(kb):
    """What was renamed but never became current is removed by the next build."""
    shutil.copytree(generation_folder(kb, 1), generation_folder(kb, 3))
    (kb / "CURRENT.4711.new").write_text("3 ", encoding="ascii")
    assert answers(kb)
    with build(kb) as knowledge_base:
        assert knowledge_base.generation == 3
    assert sorted(child.name for child in kb.iterdir()) == [
        "CURRENT",
        "generations",
        "lock",
        "vectors.sqlite",
    ]
    assert answers(kb)


def test_an_interrupted_build(kb):
    """Control-C leaves the old generation and nothing else."""

    class Interrupted(LetterEncoder):
        def encode_passages(self, texts):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(kb, encoder=Interrupted("interrupted"))
    assert generations(kb) == ["1", "2"]
    assert answers(kb)


def test_generations_kept(tmp_path):
    """The current generation and some before it are kept."""
    path = tmp_path / "kb"
    numbers = [build(path, PARKING).generation for _ in range(GENERATIONS_KEPT + 2)]
    assert numbers == [*range(1, GENERATIONS_KEPT + 3)]
    assert generations(path) == [str(number) for number in numbers[2:]]


def test_events_kept(tmp_path, monkeypatch):
    """The history remembers the last generations only."""
    monkeypatch.setattr("policy_qa.storage.EVENTS_KEPT", 3)
    for _ in range(5):
        build(tmp_path / "kb", RETURNS).close()
    manifest = read_manifest(tmp_path / "kb")
    assert [event.generation for event in manifest.history] == [3, 4, 5]


def test_readers_of_an_old_generation(kb):
    """An open generation answers alike while newer ones are published and it is removed."""
    with KnowledgeBase.open(kb, model=LetterEncoder()) as reader:
        before = reader.ask(QUERY)
        for _ in range(GENERATIONS_KEPT):
            build(kb, PARKING).close()
            assert reader.ask(QUERY) == before
        assert generations(kb) == [str(number + 3) for number in range(GENERATIONS_KEPT)]
        assert KnowledgeBase.current_state(kb)[0] == GENERATIONS_KEPT + 2


PASSAGES = 8  # three questions and five sentences
VIEWS = PASSAGES + 5 + 2
"""Besides each passage with its question: 5 answering ones alone, 2 entries of several passages."""
ENCODED = VIEWS + 2 * sum(map(len, _generic_questions().values()))


def test_nothing_is_encoded_twice(tmp_path):
    """A second build of the same corpus encodes nothing, a changed one only what is new."""
    encoder = LetterEncoder()
    build(tmp_path / "kb", encoder=encoder).close()
    assert len(encoder.encoded) == ENCODED
    encoder.encoded.clear()
    progress: list[tuple[int, int]] = []
    KnowledgeBase.build(
        [RETURNS, PARKING],
        tmp_path / "kb",
        model=encoder,
        progress=lambda *now: progress.append(now),
    ).close()
    assert encoder.encoded == []
    assert progress == [(8, 8)]
    changed = Document(PARKING.id, PARKING.text.replace("hall", "barn"))
    build(tmp_path / "kb", RETURNS, changed, encoder=encoder).close()
    assert encoder.encoded == ["behind the barn.", "where may i park?\nbehind the barn."]


def test_another_encoder_shares_no_vectors(tmp_path):
    """The vectors of one encoder are never given to another."""
    build(tmp_path / "kb").close()
    other = LetterEncoder("letters-2")
    build(tmp_path / "kb", encoder=other).close()
    assert len(other.encoded) == ENCODED


def indexed_vectors(path: Path) -> bytes:
    """Return the bytes of the vectors in the dense index."""
    manifest = read_manifest(path)
    index = DenseIndex.open(generation_folder(path, manifest.generation) / "dense.npy")
    return index.vectors(range(len(index))).tobytes()


def test_damaged_vectors_are_never_used(kb):
    """Whatever byte of the vector file changes, a build succeeds with the right vectors."""
    right = indexed_vectors(kb)
    file = kb / "vectors.sqlite"
    data = file.read_bytes()
    chosen = random.Random(1).sample(range(len(data)), 16)
    for position in itertools.chain(range(0, 120, 12), chosen):
        file.write_bytes(data[:position] + bytes([data[position] ^ 8]) + data[position + 1 :])
        build(kb).close()
        assert indexed_vectors(kb) == right


@pytest.mark.parametrize("size", [1, 99, 100, 4096, 5000, 20_000])
def test_truncated_vectors_are_replaced(kb, size):
    """A truncated vector file is replaced by a whole one."""
    right = indexed_vectors(kb)
    file = kb / "vectors.sqlite"
    file.write_bytes(file.read_bytes()[:size])
    build(kb).close()
    assert indexed_vectors(kb) == right
    encoder = LetterEncoder()
    build(kb, encoder=encoder).close()
    assert encoder.encoded == []


def test_vectors_of_another_program_are_replaced(kb):
    """A vector file with other tables or columns is replaced."""
    file = kb / "vectors.sqlite"
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE vectors (name TEXT)")
    connection.close()
    build(kb).close()
    assert answers(kb)


@pytest.mark.parametrize(
    ("code", "is_damage"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_READONLY_DBMOVED, False),
    ],
)
def test_what_counts_as_damage_of_the_vectors(kb, code, is_damage):
    """An error is damage by its primary code, however SQLite tells more; others are raised."""
    cache = VectorCache(kb / "vectors.sqlite", "letters-1", 64)
    error = sqlite3.DatabaseError("disk image")
    error.sqlite_errorcode = code
    (before,) = cache._connection.execute("SELECT count(*) FROM vectors").fetchone()
    if is_damage:
        cache._replace(error)
    else:
        with pytest.raises(sqlite3.DatabaseError, match="disk image"):
            cache._replace(error)
    (after,) = cache._connection.execute("SELECT count(*) FROM vectors").fetchone()
    assert before > 0
    assert after == (0 if is_damage else before)
    cache.close()


def test_a_full_disk_costs_no_vectors(kb, monkeypatch):
    """The disk's own troubles are raised, and do not throw the vectors away."""
    file = kb / "vectors.sqlite"
    size = file.stat().st_size
    cache = VectorCache(file, "letters-1", 64)
    cache._connection.execute("PRAGMA max_page_count = 1")
    many = [(bytes([n]) * 16, bytes(128)) for n in range(256)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        cache.put(many * 20)
    cache.close()
    assert file.stat().st_size == size
    assert answers(kb)


class WrongEncoder(LetterEncoder):
    """Gives what its test says."""

    def __init__(self, vectors: np.ndarray) -> None:
        super().__init__("wrong")
        self.vectors = vectors

    def encode_passages(self, texts):
        """Return the same row for each text."""
        return np.repeat(self.vectors[None], len(texts), axis=0)


@pytest.mark.parametrize(
    "vector",
    [np.ones(3, np.float32), np.zeros(64, np.float32), np.full(64, np.nan, np.float32)],
    ids=["short", "zero", "nan"],
)
def test_wrong_vectors(kb, vector):
    """An encoder that gives no unit rows of its dimension is named, and nothing is published."""
    with pytest.raises(EncoderError, match=r"encoder wrong gave vectors of shape .* 64\)"):
        build(kb, encoder=WrongEncoder(vector))
    assert answers(kb)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "holds no entry"),
        ([Document("a.txt", " \n")], "holds no entry"),
        ([PARKING, PARKING], "Two documents have the id 'site/parking.txt'"),
        ([Document("a", "x"), Document("a.txt", "y")], "id 'a' and 'a.txt'"),
        ([Document("a.txt", "Nothing\0 here")], "'a.txt' is not text"),
        ([Document("a.txt", "Half \ud83d a pair")], "'a.txt' is not text"),
        ([Document("a\udcff.txt", "text")], r"'a\\udcff.txt' is not text"),
    ],
    ids=["none", "blank", "same-id", "same-stem", "nul", "surrogate", "surrogate-name"],
)
def test_documents_that_cannot_be_built(kb, documents, message):
    """Documents that cannot be told apart or are not text are named, and nothing is published."""
    with pytest.raises(CorpusError, match=message):
        KnowledgeBase.build(documents, kb, model=LetterEncoder())
    assert answers(kb)
