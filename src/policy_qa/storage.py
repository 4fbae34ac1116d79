"""A knowledge base on disk: its generations, its store, and the vectors it has already paid for.

    kb/
      CURRENT                 the number of the current generation, the SHA-256 of its manifest
      lock                    held by the one process that writes
      vectors.sqlite          vectors by the hash of encoder and text: never encoded twice
      generations/7/
        manifest.json         format, encoder, text, counts, size and SHA-256 of every other file
        verified.json         when each file was last found whole; safe to lose
        store.sqlite          documents, entries, passages: the truth
        dense.faiss           derived
        lexical/              derived, of passages
        lexical-entries/      derived, of whole entries
        centres.npz           of the languages, see `centring`
        changes.sqlite        what differs from store.sqlite, if anything
        changes.faiss         its vectors

A generation is written beside the others, flushed to disk, renamed into place whole, and becomes
current by the atomic replacement of `CURRENT`. A crash at any point leaves the old generation.
The last few generations stay: readers may have them open, and `rollback` goes back to them. What a
generation has in common with the one before it is one file on disk, linked into both.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from policy_qa.errors import (
    CorruptionError,
    FormatVersionError,
    KnowledgeBaseError,
    KnowledgeBaseNotFound,
    LockedError,
    StorageError,
)
from policy_qa.settings import FORMAT_VERSION, GENERATIONS_KEPT

STORE_FILE = "store.sqlite"
DENSE_FILE = "dense.faiss"
LEXICAL_FOLDER = "lexical"
ENTRY_LEXICAL_FOLDER = "lexical-entries"
CENTRES_FILE = "centres.npz"
CHANGES_FILE = "changes.sqlite"
CHANGES_DENSE_FILE = "changes.faiss"
VECTORS_FILE = "vectors.sqlite"

_CURRENT = "CURRENT"
_CURRENT_TEXT = re.compile(r"([1-9][0-9]{0,8}) ([0-9a-f]{64})\n")
_GENERATIONS = "generations"
_MANIFEST = "manifest.json"
_VERIFIED = "verified.json"
_UNFINISHED = ".building-"


Action = Literal["build", "sync", "publish", "rollback", "import"]


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
        corpus: Where the documents came from.
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
        history: How the generations came to be, the oldest first, this one last.
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
    history: tuple[Event, ...] = ()
    files: dict[str, tuple[int, str]] = field(default_factory=dict)


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
    try:
        text = file.read_text(encoding="ascii")
    except (FileNotFoundError, NotADirectoryError):
        if generation_numbers(path):
            raise CorruptionError(f"{file} is missing. {_rebuild(path)}") from None
        raise KnowledgeBaseNotFound(
            f"There is no knowledge base at {path}. Make one: {build_command(path)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptionError(f"Cannot read {file}: {error}. {_rebuild(path)}") from error
    match = _CURRENT_TEXT.fullmatch(text)
    if not match or not generation_folder(path, int(match[1])).is_dir():
        raise CorruptionError(f"{file} is damaged: it names no generation. {_rebuild(path)}")
    return int(match[1]), match[2]


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
    number, sha256 = current_state(path)
    if generation is not None and generation != number:
        there = generation_numbers(path)
        if generation not in there:
            raise KnowledgeBaseNotFound(
                f"There is no generation {generation} of {path} any more, or not yet. There are: "
                f"{', '.join(map(str, there))}."
            )
        number, sha256 = generation, ""
    file = generation_folder(path, number) / _MANIFEST
    try:
        data = file.read_bytes()
        fields = json.loads(data)
        version = fields["format_version"]
        if version != FORMAT_VERSION:
            raise FormatVersionError(
                f"The knowledge base at {path} has format version {version}, this program reads "
                f"version {FORMAT_VERSION}. {_rebuild(path)}"
            )
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptionError(
                f"{file} is not the one that {path / _CURRENT} names: one of them is damaged. "
                f"{_rebuild(path)}"
            )
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in fields["files"].items()}
        history = tuple(Event(**event) for event in fields["history"])
        return _typed(Manifest(**{**fields, "files": files, "history": history}))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptionError(f"{file} is missing or damaged. {_rebuild(path)}") from error


def _typed(manifest: Manifest) -> Manifest:
    """Return a manifest whose fields have their types; JSON could hold any.

    Raises:
        TypeError: If one has another.
    """
    texts = [manifest.created, manifest.corpus, manifest.model, manifest.encoder, manifest.text]
    numbers = [manifest.generation, manifest.dim, manifest.documents, manifest.entries]
    numbers += [manifest.passages, manifest.sources, *manifest.languages.values()]
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
    read again, unless `again`.

    Raises:
        CorruptionError: If a file is missing, truncated or altered; names it.
    """
    folder = generation_folder(path, manifest.generation)
    known = {} if again else _verified(folder)
    stamps = {}
    for name, (size, sha256) in manifest.files.items():
        file = folder / name
        try:
            status = file.stat()
        except OSError:
            raise CorruptionError(f"{file} is missing. {_rebuild(path)}") from None
        if status.st_size != size:
            raise CorruptionError(
                f"{file} is damaged: it has {status.st_size} bytes instead of {size}. "
                f"{_rebuild(path)}"
            )
        stamps[name] = _stamp(status)
        if known.get(name) != stamps[name] and not _is_whole(file, sha256):
            raise CorruptionError(f"{file} is damaged: its contents changed. {_rebuild(path)}")
    if stamps != known:
        with contextlib.suppress(OSError):  # a read-only place is verified at each start
            write_atomically(folder / _VERIFIED, json.dumps(stamps))


def _stamp(status: os.stat_result) -> list[int]:
    """Return what changes when a file does; a link to it changes its ctime, so that is none."""
    return [status.st_mtime_ns, status.st_ino]


def unreadable(path: Path, manifest: Manifest, error: Exception) -> CorruptionError:
    """Return the error for a generation whose files are whole and cannot be loaded all the same."""
    folder = generation_folder(path, manifest.generation)
    reason = " ".join(str(error).split()) or type(error).__name__
    return CorruptionError(f"{folder} cannot be loaded: {reason}. {_rebuild(path)}")


def _is_whole(file: Path, sha256: str) -> bool:
    try:
        return _sha256(file) == sha256
    except OSError:  # a file that cannot be read is as good as lost
        return False


def _verified(folder: Path) -> dict[str, list[int]]:
    try:
        known = json.loads((folder / _VERIFIED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def build_command(path: Path, corpus: str = "CORPUS") -> str:
    """Return the command that builds a knowledge base, for a shell."""
    return f"policy-qa build {shlex.quote(corpus)} --kb {shlex.quote(str(path))}"


def _rebuild(path: Path) -> str:
    return f"Build it again: {build_command(path)}"


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
        (path / _GENERATIONS).mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path / "lock", timeout=0):
            _remove_leftovers(path)
            yield
    except filelock.Timeout:
        raise LockedError(
            f"Another process is writing to the knowledge base at {path}. "
            "Try again when it is done."
        ) from None
    except sqlite3.OperationalError as error:
        raise StorageError(f"Cannot write to {path}: {error}. {_UNTOUCHED}") from error
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise StorageError(f"Cannot write to {path}: {reason}. {_UNTOUCHED}") from error


_UNTOUCHED = "What was there is untouched; make room or give another place with --kb."


def _check_place(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise KnowledgeBaseError(f"{path} is a file. Give a folder with --kb.")
    if path.is_dir() and not (path / _GENERATIONS).is_dir() and any(path.iterdir()):
        raise KnowledgeBaseError(
            f"{path} holds other files and is no knowledge base. Give another place with --kb."
        )


def _remove_leftovers(path: Path) -> None:
    """Remove what a build that was killed left behind; only the holder of the lock may."""
    for folder in (path / _GENERATIONS).glob(f"{_UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in path.glob("*.new"):
        file.unlink(missing_ok=True)
    with contextlib.suppress(KnowledgeBaseError):  # then nobody knows which ones were published
        current = current_generation(path)
        for number in generation_numbers(path):
            if number > current:
                shutil.rmtree(generation_folder(path, number), ignore_errors=True)


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


def link_files(old: Path, new: Path, *, without: Collection[str] = ()) -> None:
    """Link the files of a generation into the unfinished folder of another one."""
    for file in sorted(old.rglob("*")):
        name = file.relative_to(old).as_posix()
        if name in {_MANIFEST, _VERIFIED, *without} or name.endswith(".lock"):
            continue
        if file.is_dir():
            (new / name).mkdir()
        elif file.suffix == ".json":  # of tantivy, which replaces them
            shutil.copy2(file, new / name)
        else:
            link(file, new / name)


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
    known, found_whole = _known_files(path)
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
    write_atomically(folder / _VERIFIED, json.dumps(stamps))
    whole = replace(manifest, files=files)
    fields = json.dumps(asdict(whole), ensure_ascii=False, indent=2) + "\n"
    write_atomically(folder / _MANIFEST, fields)
    sha256 = hashlib.sha256(fields.encode()).hexdigest()
    final = generation_folder(path, manifest.generation)
    folder.rename(final)
    _flush(final.parent)
    write_atomically(path / _CURRENT, f"{manifest.generation} {sha256}\n")
    for old in generation_numbers(path)[: -max(keep, 1)]:
        shutil.rmtree(generation_folder(path, old), ignore_errors=True)
    return whole


def _known_files(path: Path) -> tuple[dict[tuple[int, int], str], list[list[int]]]:
    """Return the SHA-256 of the files on disk by inode and size, and the stamps of whole ones."""
    known: dict[tuple[int, int], str] = {}
    whole: list[list[int]] = []
    for number in generation_numbers(path):
        folder = generation_folder(path, number)
        with contextlib.suppress(KnowledgeBaseError, OSError):
            for name, (size, sha256) in read_manifest(path, number).files.items():
                known[(folder / name).stat().st_ino, size] = sha256
        whole += _verified(folder).values()
    return known, whole


def write_atomically(file: Path, text: str) -> None:
    """Write a file durably, whole or not at all."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
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
