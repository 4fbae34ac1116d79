"""A knowledge base on disk: its generations, its store, and the vectors it has already paid for.

    kb/
      engine                  what it has made at engines, if anything; see `engines.owned`
      CURRENT                 the number of the current generation, the SHA-256 of its manifest
      lock                    held by the one process that writes
      lock.holder             who that is, while it writes
      vectors.sqlite          vectors by the hash of encoder and text: never encoded twice
      generations/7/
        manifest.json         format, encoder, text, counts, size and SHA-256 of every other file
        verified.json         when each file was last found whole; safe to lose
        store.sqlite          documents, entries, passages: the truth
        dense.npy             the passages' vectors, by row
        dense.faiss           derived: a coarse index of them, if there are many
        lexical/              derived, of passages
        lexical-entries/      derived, of whole entries
        centres.npz           of the languages, see `centring`
        changes.sqlite        what differs from store.sqlite, if anything
        changes.npy           its vectors
        words.sqlite          in place of the indexes, if they stand at an engine; see `engines`

A generation is written beside the others, flushed to disk, renamed into place whole, and becomes
current by the atomic replacement of `CURRENT`. A crash at any point leaves the old generation.
The last few generations stay: readers may have them open, and `rollback` goes back to them. What a
generation has in common with the one before it is one file on disk, linked into both: damage to it
is damage to both.

What is flushed (fsync), in this order, so that a power cut is no worse than a crash:
    1. every new file of the generation, then every folder in it, then its manifest and itself
    2. it gets its name: the folder `generations` is flushed
    3. the new `CURRENT`, and after it has its name, the folder of the knowledge base; where that
       folder is new, the folder around it was flushed when it was made
Neither the vectors that are kept, which can be encoded again, nor what is only a help
(`verified.json`, `lock.holder`) need last.

What is checked of damage:
    at each opening   sizes, the manifest against `CURRENT` and against its own SHA-256, the SHA-256
                      of every file that changed since it was found whole (by time of change and
                      inode); of all files if they are small, or if a day has passed
    before a change   every file of the current generation that is read to make the next one
    `info --check`, `rollback`, `repair`   every file
A byte that flips in a large file and leaves its times alone may thus be read for up to a day, or
for as long as the file stays open. What is left then is that SQLite refuses pages that make no
sense, and that a quoted passage stands twice in the store (see `KnowledgeBase.ask`).
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, TypeVar

from policy_qa.coarse import AUTO, IndexKind
from policy_qa.errors import (
    CorpusError,
    CorruptionError,
    FormatVersionError,
    KnowledgeBaseError,
    KnowledgeBaseNotFound,
    LockedError,
    StorageError,
)
from policy_qa.settings import FORMAT_VERSION, GENERATIONS_KEPT

STORE_FILE = "store.sqlite"
DENSE_FILE = "dense.npy"
COARSE_FILE = "dense.faiss"
LEXICAL_FOLDER = "lexical"
ENTRY_LEXICAL_FOLDER = "lexical-entries"
CENTRES_FILE = "centres.npz"
CHANGES_FILE = "changes.sqlite"
CHANGES_DENSE_FILE = "changes.npy"
VECTORS_FILE = "vectors.sqlite"
VOCABULARY_FILE = "words.sqlite"
ENGINE_ID_FILE = "engine"

_CURRENT = "CURRENT"
_CURRENT_TEXT = re.compile(r"([1-9][0-9]{0,8}) ([0-9a-f]{64})\n")
_GENERATIONS = "generations"
_MANIFEST = "manifest.json"
_VERIFIED = "verified.json"
_UNFINISHED = ".building-"
_REMOVED = ".removing-"
_LOCK = "lock"
_HOLDER = "lock.holder"

READ_AGAIN_UP_TO: Final = 16 * 2**20
"""Bytes of a generation that are read at each opening, whatever was found before: SHA-256 takes
some 50 ms, a fraction of what it takes to load the encoder."""

EVENTS_KEPT: Final = 1_000
"""Generations whose coming is remembered: a knowledge base that is synced every hour has a manifest
of 200 KB then, not of a megabyte a year."""

TRUSTED_SECONDS: Final = 24 * 60 * 60
"""For how long a larger generation that was found whole is not read again if its files' times did
not change: a medium that rots does not change them."""

_T = TypeVar("_T")

Action = Literal["build", "sync", "publish", "rollback", "import", "repair", "reindex", "move"]


@dataclass(frozen=True, slots=True)
class Event:
    """How a generation came to be.

    Attributes:
        generation: Its number.
        created: UTC, ISO 8601.
        action: What made it.
        documents: How many it has.
        entries: How many it has.
        added: Documents added to those of the generation before.
        changed: Documents changed.
        removed: Documents removed.
        note: What else is to be remembered, in words, such as the figures of a forced publication.
    """

    generation: int
    created: str
    action: Action
    documents: int
    entries: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself.

    Attributes:
        format_version: Of the files.
        generation: Starts at 1.
        created: UTC, ISO 8601.
        corpus: Where the documents came from; empty if a program or an export gave them.
        model: The model as it was named at the build.
        encoder: The encoder's identity.
        dim: Components of a vector.
        text: What made the indexed text of the source's: recipe, OpenCC, Unicode; see `build`.
        questions_indexed: False in an index of answers only, which only evaluations make.
        documents: How many.
        entries: How many.
        passages: How many.
        languages: How many of the indexed passages are in which language.
        sources: How many files the corpus has, read or skipped; 0 if a program gave documents.
        columns: What the columns of tables are called, where names are not recognised.
        skipped: Why which files of the corpus could not be read.
        index: The kind of the coarse index (see `coarse`).
        index_asked: The kind that was asked for: `auto` if it follows from the size.
        history: How the last `EVENTS_KEPT` generations came to be, this one last.
        engine: The address of the engine that has the indexes; empty if they are here.
        collection: What the names of its collections begin with.
        as_of: The generation whose rows it sees there.
        files: Size in bytes and SHA-256 of every file, by its path in the generation.
    """

    format_version: int
    generation: int
    created: str
    corpus: str
    model: str
    encoder: str
    dim: int
    text: str
    questions_indexed: bool
    documents: int
    entries: int
    passages: int
    languages: dict[str, int]
    sources: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    index: IndexKind = "flat"
    index_asked: str = AUTO
    history: tuple[Event, ...] = ()
    engine: str = ""
    collection: str = ""
    as_of: int = 0
    files: dict[str, tuple[int, str]] = field(default_factory=dict)


def now() -> str:
    """Return the time, UTC, as events and manifests have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def current_generation(path: Path) -> int:
    """Return the number of the current generation.

    Raises:
        KnowledgeBaseNotFound: If there is no knowledge base at the path.
        CorruptionError: If `CURRENT` is damaged, or missing beside generations.
    """
    return current_state(path)[0]


def current_state(path: Path) -> tuple[int, str]:
    """Return the number of the current generation and the SHA-256 of its manifest.

    Raises:
        KnowledgeBaseNotFound: If there is no knowledge base at the path.
        CorruptionError: If `CURRENT` is damaged, or missing beside generations.
    """
    file = path / _CURRENT
    before = None
    while True:
        try:
            text = file.read_text(encoding="ascii")
        except (FileNotFoundError, NotADirectoryError):
            if generation_numbers(path):
                raise CorruptionError(f"{file} is missing. {_repair(path)}") from None
            raise KnowledgeBaseNotFound(
                f"There is no knowledge base at {path}. Make one: {build_command(path)}"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise CorruptionError(f"Cannot read {file}: {error}. {_repair(path)}") from error
        match = _CURRENT_TEXT.fullmatch(text)
        if match and generation_folder(path, int(match[1])).is_dir():
            return int(match[1]), match[2]
        if text == before:  # else a newer one has come, and this one is gone, since it was read
            raise CorruptionError(f"{file} is damaged: it names no generation. {_repair(path)}")
        before = text


def generation_numbers(path: Path) -> list[int]:
    """Return the numbers of the generations on disk, ascending."""
    folder = path / _GENERATIONS
    names = [child.name for child in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())


def generation_folder(path: Path, generation: int) -> Path:
    """Return a generation's folder, which need not exist."""
    return path / _GENERATIONS / str(generation)


def read_manifest(path: Path, generation: int | None = None) -> Manifest:
    """Return the manifest of a generation, its format version checked.

    Args:
        path: The knowledge base.
        generation: Its number; the current one if None.

    Raises:
        KnowledgeBaseNotFound: If there is no knowledge base at the path, or no such generation.
        FormatVersionError: If another format version wrote it.
        CorruptionError: If it is missing, altered, or is no manifest.
    """
    while True:
        number, sha256 = current_state(path)
        if generation is not None and generation != number:
            there = generation_numbers(path)
            if generation not in there:
                raise KnowledgeBaseNotFound(
                    f"There is no generation {generation} of {path} any more, or not yet. There "
                    f"are: {', '.join(map(str, there))}."
                )
            return generation_manifest(path, generation)
        try:
            return generation_manifest(path, number, sha256)
        except CorruptionError:
            if current_state(path) == (number, sha256):
                raise


def generation_manifest(path: Path, number: int, sha256: str = "") -> Manifest:
    """Return the manifest of a generation, whichever is current.

    Args:
        path: The knowledge base.
        number: Of the generation.
        sha256: Of the manifest; empty if only the one that it holds of itself is to be checked.

    Raises:
        FormatVersionError: If another format version wrote it.
        CorruptionError: If it is missing, altered, or is no manifest.
    """
    file = generation_folder(path, number) / _MANIFEST
    try:
        data = file.read_bytes()
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptionError(
                f"{file} is not the one that {path / _CURRENT} names: one of them is damaged. "
                f"{_repair(path)}"
            )
        fields = json.loads(data)
        seal = fields.pop(_SEAL, None)  # older programs wrote none
        if seal is not None and data != _sealed(fields, str(seal)):
            raise CorruptionError(f"{file} is damaged: its contents changed. {_repair(path)}")
        version = fields["format_version"]
        if version != FORMAT_VERSION:
            raise FormatVersionError(
                f"The knowledge base at {path} has format version {version}, this program reads "
                f"version {FORMAT_VERSION}. Build it again: {build_command(path)}"
            )
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in fields["files"].items()}
        if not all(map(_INSIDE.fullmatch, files)):
            raise CorruptionError(f"{file} is damaged: it names no files. {_repair(path)}")
        history = tuple(Event(**event) for event in fields["history"])
        return _typed(Manifest(**{**fields, "files": files, "history": history}))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CorruptionError(f"{file} is missing or damaged. {_repair(path)}") from error


_INSIDE = re.compile(r"(?:(?!\.\.?/)[^/\\:\0]+/)*(?!\.\.?$)[^/\\:\0]+")
"""A path in a generation, on every system."""

_SEAL = "sha256"
"""The field of a manifest that holds the SHA-256 of all others: of an older generation there is
nothing else that tells whether its manifest is whole."""


def _sealed(fields: dict[str, object], seal: str = "") -> bytes:
    """Return a manifest's bytes with its seal; none if it has another seal than the right one."""
    plain = json.dumps(fields, ensure_ascii=False, indent=2)
    right = hashlib.sha256(plain.encode()).hexdigest()
    if seal and seal != right:
        return b""
    return (json.dumps({**fields, _SEAL: right}, ensure_ascii=False, indent=2) + "\n").encode()


def with_current(path: Path, use: Callable[[Manifest], _T]) -> _T:
    """Use the current generation, or a newer one if it was removed while it was being opened.

    Args:
        path: The knowledge base.
        use: Opens a generation.

    Raises:
        KnowledgeBaseError: If the current generation cannot be used.
    """
    while True:  # each round means that another generation was published
        manifest = read_manifest(path)
        try:
            return use(manifest)
        except CorruptionError:
            if current_generation(path) == manifest.generation:
                raise


def _typed(manifest: Manifest) -> Manifest:
    """Return a manifest whose fields have their types; JSON could hold any.

    Raises:
        TypeError: If one has another.
    """
    texts = [manifest.created, manifest.corpus, manifest.model, manifest.encoder, manifest.text]
    texts += [manifest.index, manifest.index_asked, manifest.engine, manifest.collection]
    numbers = [manifest.generation, manifest.dim, manifest.documents, manifest.entries]
    numbers += [manifest.passages, manifest.sources, manifest.as_of, *manifest.languages.values()]
    for pairs in (manifest.columns, manifest.skipped):
        texts += pairs.values()
    for event in manifest.history:
        texts += [event.created, event.action, event.note]
        numbers += [event.generation, event.documents, event.entries]
        numbers += [event.added, event.changed, event.removed]
    if not all(type(text) is str for text in texts):
        raise TypeError("not a text")
    if not all(type(number) is int and 0 <= number < _MOST for number in numbers):
        raise TypeError("not a number of something")
    return manifest


_MOST = 2**53
"""More than there is of anything, and what JSON holds exactly."""


def verify(path: Path, manifest: Manifest, *, again: bool = False) -> None:
    """Check every file of a generation against its manifest.

    A file that was found whole once, and whose size and time of change are still the same, is not
    read again, unless `again`, or the generation is small, or a day has passed.

    Raises:
        CorruptionError: If a file is missing, truncated or altered; names it.
    """
    folder = generation_folder(path, manifest.generation)
    noted = _verified(folder)
    small = sum(size for size, _ in manifest.files.values()) <= READ_AGAIN_UP_TO
    known = {} if again or small else noted
    stamps = {}
    for name in manifest.files:
        wrong, stamps[name] = _examined(folder, name, manifest, known.get(name))
        if wrong:
            raise _damaged(path, folder / name, wrong)
    if stamps != noted or again:
        with contextlib.suppress(OSError):  # a read-only place is verified at each start
            write_atomically(folder / _VERIFIED, json.dumps(stamps))


def check(path: Path, manifest: Manifest, *names: str) -> None:
    """Read files of a generation whole, those of them that it has.

    Raises:
        CorruptionError: If one is missing, truncated or altered; names it.
    """
    folder = generation_folder(path, manifest.generation)
    for name in names:
        if name in manifest.files and (wrong := _examined(folder, name, manifest)[0]):
            raise _damaged(path, folder / name, wrong)


def damaged_files(path: Path, manifest: Manifest) -> dict[str, str]:
    """Read every file of a generation; return what is wrong with which, by its path in it."""
    folder = generation_folder(path, manifest.generation)
    found = {name: _examined(folder, name, manifest)[0] for name in manifest.files}
    return {name: wrong for name, wrong in found.items() if wrong}


def _examined(
    folder: Path, name: str, manifest: Manifest, known: list[int] | None = None
) -> tuple[str, list[int]]:
    """Return what is wrong with a file, nothing if its stamp is known, and its stamp."""
    size, sha256 = manifest.files[name]
    try:
        status = (folder / name).stat()
    except OSError:
        return "is missing", []
    stamp = _stamp(status)
    if status.st_size != size:
        return f"is damaged: it has {status.st_size} bytes instead of {size}", stamp
    if known != stamp and not _is_whole(folder / name, sha256):
        return "is damaged: its contents changed", stamp
    return "", stamp


def _damaged(path: Path, file: Path, wrong: str) -> CorruptionError:
    return CorruptionError(f"{file} {wrong}. {_repair(path)}")


def _stamp(status: os.stat_result) -> list[int]:
    """Return what changes when a file does; a link to it changes its ctime, so that is none."""
    return [status.st_mtime_ns, status.st_ino]


def unreadable(path: Path, manifest: Manifest, error: Exception) -> CorruptionError:
    """Return the error for a generation whose files are whole and cannot be loaded all the same."""
    folder = generation_folder(path, manifest.generation)
    reason = " ".join(str(error).split()) or type(error).__name__
    return CorruptionError(f"{folder} cannot be loaded: {reason}. {_repair(path)}")


def _is_whole(file: Path, sha256: str) -> bool:
    try:
        return _sha256(file) == sha256
    except OSError:  # a file that cannot be read is as good as lost
        return False


def _verified(folder: Path) -> dict[str, list[int]]:
    """Return the stamps of the files that were found whole, unless that is too long ago."""
    file = folder / _VERIFIED
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        age = time.time() - file.stat().st_mtime
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) and 0 <= age <= TRUSTED_SECONDS else {}


def corpus_place(manifest: Manifest) -> Path:
    """Return the folder or file that a generation was made of.

    Raises:
        CorpusError: If it was made of documents that a program or an export gave.
    """
    if not manifest.corpus:
        raise CorpusError(
            "The knowledge base was made of documents that a program or an export gave. Name the "
            "folder of the corpus that it is to follow."
        )
    return Path(manifest.corpus)


def build_command(path: Path, corpus: str = "CORPUS") -> str:
    """Return the command that builds a knowledge base, for a shell."""
    return f"policy-qa build {shlex.quote(corpus)} --kb {shlex.quote(str(path))}"


def repair_command(path: Path) -> str:
    """Return the command that repairs a knowledge base, for a shell."""
    return f"policy-qa repair --kb {shlex.quote(str(path))}"


def _repair(path: Path) -> str:
    return f"Repair it: {repair_command(path)}"


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Hold the knowledge base's only write lock; a dead process holds none.

    Raises:
        LockedError: If another process holds it.
        StorageError: If the place cannot be written, or the disk is full.
        KnowledgeBaseError: If something else stands at the path.
    """
    import filelock  # noqa: PLC0415 (only writers need it)

    try:
        _check_place(path)
        _make_folder(path / _GENERATIONS)
        with filelock.FileLock(path / _LOCK, timeout=0), _named_holder(path / _HOLDER):
            _remove_leftovers(path)
            yield
    except filelock.Timeout:
        raise LockedError(
            f"Another process is writing to the knowledge base at {path}. "
            f"{_holder(path / _HOLDER)}Try again when it is done."
        ) from None
    except sqlite3.OperationalError as error:
        raise StorageError(f"Cannot write to {path}: {error}. {_UNTOUCHED}") from error
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise StorageError(f"Cannot write to {path}: {reason}. {_UNTOUCHED}") from error


@contextlib.contextmanager
def _named_holder(file: Path) -> Iterator[None]:
    """Write who holds the lock, for those who wait; the lock itself does not depend on it."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": now(),
    }
    with contextlib.suppress(OSError):
        file.write_text(json.dumps(holder), encoding="utf-8")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _holder(file: Path) -> str:
    """Return a sentence on who holds the lock, with a blank; empty if that is not known.

    Of a process that died the file stays until the next one has the lock.
    """
    try:
        holder = json.loads(file.read_text(encoding="utf-8"))
        pid, host, since = int(holder["pid"]), str(holder["host"]), str(holder["since"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ""
    if host == socket.gethostname() and not _is_running(pid):
        return ""
    return f"It is process {pid} on {host}, since {since}. "


def _is_running(pid: int) -> bool:
    if os.name == "nt":  # where signal 0 ends the process
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


def _make_folder(folder: Path) -> None:
    """Make a folder and those around it, durably."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush(folder.parent)


_UNTOUCHED = "What was there is untouched; make room or give another place with --kb."


def _check_place(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise KnowledgeBaseError(f"{path} is a file. Give a folder with --kb.")
    was_one = (path / _GENERATIONS).is_dir() or (path / _CURRENT).is_file()
    if path.is_dir() and not was_one and any(path.iterdir()):
        raise KnowledgeBaseError(
            f"{path} holds other files and is no knowledge base. Give another place with --kb."
        )


def _remove_leftovers(path: Path) -> None:
    """Remove what a writer that was killed left behind; only the holder of the lock may."""
    for begun in (_UNFINISHED, _REMOVED):
        for folder in (path / _GENERATIONS).glob(f"{begun}*"):
            shutil.rmtree(folder, ignore_errors=True)
    for file in (*path.glob("*.new"), *(path / _GENERATIONS).glob("*/*.new")):
        file.unlink(missing_ok=True)
    if (path / f"{VECTORS_FILE}-journal").exists():
        with (
            contextlib.suppress(sqlite3.Error),  # a damaged cache is replaced when it is used
            contextlib.closing(sqlite3.connect(path / VECTORS_FILE)) as connection,
        ):
            connection.execute("SELECT count(*) FROM sqlite_master")  # takes back what was begun
    with contextlib.suppress(KnowledgeBaseError):  # then nobody knows which ones were published
        current = read_manifest(path).generation  # a damaged `CURRENT` may name an older one
        for number in generation_numbers(path):
            if number > current:
                _remove_generation(generation_folder(path, number))


@contextlib.contextmanager
def new_generation(path: Path) -> Iterator[tuple[int, Path]]:
    """Give the number and the unfinished folder of the next generation; removed on failure."""
    number = max(generation_numbers(path), default=0) + 1
    folder = path / _GENERATIONS / f"{_UNFINISHED}{number}"
    folder.mkdir()
    try:
        yield number, folder
    except BaseException:
        if not _is_current(path, number):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(generation_folder(path, number), ignore_errors=True)
        raise


def _is_current(path: Path, number: int) -> bool:
    try:
        return current_generation(path) == number
    except KnowledgeBaseError:
        return False


def link(old: Path, new: Path) -> None:
    """Make a file the same as another one: by a link where the file system has links."""
    try:
        new.hardlink_to(old)
    except OSError:
        shutil.copy2(old, new)


def link_files(path: Path, manifest: Manifest, new: Path, *, without: Collection[str] = ()) -> None:
    """Link the files of a generation into the unfinished folder of another one.

    Raises:
        CorruptionError: If a file had to be copied, and is damaged.
    """
    old = generation_folder(path, manifest.generation)
    for name in manifest.files:
        if name in without:
            continue
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".json"):  # of tantivy, which replaces them
            shutil.copy2(old / name, new / name)
        else:
            link(old / name, new / name)
        # A copy gets a SHA-256 of its own; a link keeps the old one, which damage does not match.
        if not (new / name).samefile(old / name):
            check(path, manifest, name)


def publish(path: Path, folder: Path, manifest: Manifest, keep: int = GENERATIONS_KEPT) -> Manifest:
    """Make a finished generation current, durably, and remove the oldest ones.

    Args:
        path: The knowledge base.
        folder: The unfinished folder of `new_generation`.
        manifest: Its manifest, `files` empty.
        keep: How many generations stay, this one included.

    Returns:
        The manifest with its files.
    """
    known, found_whole, since = _known_files(path)
    carried = False
    files: dict[str, tuple[int, str]] = {}
    stamps: dict[str, list[int]] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if not file.is_file() or name == _VERIFIED or file.name.endswith(".lock"):
            continue
        status = file.stat()
        same = known.get((status.st_ino, status.st_size)) if status.st_nlink > 1 else None
        if same is None:
            _flush(file)
            files[name] = (status.st_size, _sha256(file))
            stamps[name] = _stamp(status)
        else:
            files[name] = (status.st_size, same)
            if _stamp(status) in found_whole:
                stamps[name] = _stamp(status)
                carried = True
    for inside in folder.rglob("*"):
        if inside.is_dir():
            _flush(inside)
    write_atomically(folder / _VERIFIED, json.dumps(stamps))
    if carried:  # what is only linked is trusted no longer for that
        os.utime(folder / _VERIFIED, ns=(since, since))
    history = manifest.history[-EVENTS_KEPT:]
    whole = replace(manifest, files=files, history=history)
    sealed = _sealed(asdict(whole))
    write_atomically(folder / _MANIFEST, sealed.decode())
    sha256 = hashlib.sha256(sealed).hexdigest()
    final = generation_folder(path, manifest.generation)
    folder.rename(final)
    _flush(final.parent)
    write_atomically(path / _CURRENT, f"{manifest.generation} {sha256}\n")
    for old in generation_numbers(path)[: -max(keep, 1)]:
        _remove_generation(generation_folder(path, old))
    return whole


def _remove_generation(folder: Path) -> None:
    """Remove a generation; whoever is killed meanwhile leaves no half of it under its name."""
    removed = folder.with_name(f"{_REMOVED}{folder.name}")
    try:
        folder.rename(removed)
    except OSError:  # Windows renames nothing that is open
        removed = folder
    shutil.rmtree(removed, ignore_errors=True)


def _known_files(path: Path) -> tuple[dict[tuple[int, int], str], list[list[int]], int]:
    """Return the SHA-256 of the files on disk by inode and size, the stamps of whole ones, when.

    The last is the earliest time, in ns, at which one of them was found whole.
    """
    known: dict[tuple[int, int], str] = {}
    whole: list[list[int]] = []
    since = time.time_ns()
    for number in generation_numbers(path):
        folder = generation_folder(path, number)
        with contextlib.suppress(KnowledgeBaseError, OSError):
            for name, (size, sha256) in read_manifest(path, number).files.items():
                known[(folder / name).stat().st_ino, size] = sha256
        if noted := _verified(folder):
            whole += noted.values()
            with contextlib.suppress(OSError):
                since = min(since, (folder / _VERIFIED).stat().st_mtime_ns)
    return known, whole, since


def write_atomically(file: Path, text: str) -> None:
    """Write a file durably, whole or not at all."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        _flush(temporary)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush(file.parent)


def _flush(path: Path) -> None:
    """Force a file or a folder's list of names to the disk.

    Windows opens no folder, and flushes only what is open for writing.
    """
    is_folder = path.is_dir()
    if is_folder and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
