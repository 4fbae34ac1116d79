"""A knowledge base on disk: its generations, its store, and the vectors it has already paid for.

    kb/
      CURRENT                 the number of the current generation
      vectors.sqlite          vectors by the hash of encoder and text: never encoded twice
      generations/7/
        manifest.json         format, encoder, counts, size and SHA-256 of every other file
        store.sqlite          documents, entries, passages: the truth
        dense.faiss           derived
        lexical/              derived
        centres.npz           of the languages, see `centring`

A generation is written beside the others, flushed to disk, renamed into place whole, and becomes
current by the atomic replacement of `CURRENT`. A crash at any point leaves the old generation.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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
CENTRES_FILE = "centres.npz"

_CURRENT = "CURRENT"
_GENERATIONS = "generations"
_MANIFEST = "manifest.json"
_VERIFIED = "verified.json"
_UNFINISHED = ".building-"


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
        questions_indexed: False in an index of answers only, which only evaluations make.
        documents: How many.
        entries: How many.
        passages: How many.
        languages: How many of the indexed passages are in which language.
        files: Size in bytes and SHA-256 of every file, by its path in the generation.
    """

    format_version: int
    generation: int
    created: str
    corpus: str
    model: str
    encoder: str
    dim: int
    questions_indexed: bool
    documents: int
    entries: int
    passages: int
    languages: dict[str, int]
    files: dict[str, tuple[int, str]]


def current_generation(path: Path) -> int:
    """Return the number of the current generation.

    Raises:
        KnowledgeBaseNotFound: If there is no knowledge base at the path.
        CorruptionError: If `CURRENT` is not a number.
    """
    file = path / _CURRENT
    try:
        text = file.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise KnowledgeBaseNotFound(
            f"There is no knowledge base at {path}. Make one: policy-qa build CORPUS --kb {path}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptionError(f"Cannot read {file}: {error}. {_rebuild(path)}") from error
    if not text.isdecimal():
        raise CorruptionError(f"{file} is damaged: it holds no number. {_rebuild(path)}")
    return int(text)


def generation_folder(path: Path, generation: int) -> Path:
    """Return a generation's folder, which need not exist."""
    return path / _GENERATIONS / str(generation)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of the current generation, its format version checked.

    Raises:
        KnowledgeBaseNotFound: If there is no knowledge base at the path.
        FormatVersionError: If another format version wrote it.
        CorruptionError: If it is missing or is no manifest.
    """
    file = generation_folder(path, current_generation(path)) / _MANIFEST
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        version = fields["format_version"]
        if version != FORMAT_VERSION:
            raise FormatVersionError(
                f"The knowledge base at {path} has format version {version}, this program reads "
                f"version {FORMAT_VERSION}. {_rebuild(path)}"
            )
        files = {str(name): (int(size), str(sha)) for name, (size, sha) in fields["files"].items()}
        return Manifest(**{**fields, "files": files})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptionError(f"{file} is missing or damaged. {_rebuild(path)}") from error


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
        stamps[name] = [status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        if known.get(name) != stamps[name] and _sha256(file) != sha256:
            raise CorruptionError(f"{file} is damaged: its contents changed. {_rebuild(path)}")
    if stamps != known:
        with contextlib.suppress(OSError):  # a read-only place is verified at each start
            _write_atomically(folder / _VERIFIED, json.dumps(stamps))


def _verified(folder: Path) -> dict[str, list[int]]:
    try:
        known = json.loads((folder / _VERIFIED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _rebuild(path: Path) -> str:
    return f"Build it again: policy-qa build CORPUS --kb {path}"


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
        if path.exists() and not (path / _GENERATIONS).is_dir() and any(path.iterdir()):
            raise KnowledgeBaseError(
                f"{path} holds other files and is no knowledge base. Give another place with --kb."
            )
        (path / _GENERATIONS).mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path / "lock", timeout=0):
            for leftover in (path / _GENERATIONS).glob(f"{_UNFINISHED}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
    except filelock.Timeout:
        raise LockedError(
            f"Another process is writing to the knowledge base at {path}. Try again when it is done."
        ) from None
    except sqlite3.OperationalError as error:
        if "full" not in str(error) and "disk I/O" not in str(error):
            raise
        raise StorageError(f"Cannot write to {path}: {error}. {_UNTOUCHED}") from error
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise StorageError(f"Cannot write to {path}: {reason}. {_UNTOUCHED}") from error


_UNTOUCHED = "What was there is untouched; make room or give another place with --kb."


@contextlib.contextmanager
def new_generation(path: Path) -> Iterator[tuple[int, Path]]:
    """Give the number and the unfinished folder of the next generation; removed on failure."""
    existing = [int(p.name) for p in (path / _GENERATIONS).iterdir() if p.name.isdecimal()]
    number = max(existing, default=0) + 1
    folder = path / _GENERATIONS / f"{_UNFINISHED}{number}"
    folder.mkdir()
    try:
        yield number, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(path: Path, folder: Path, manifest: Manifest) -> Manifest:
    """Make a finished generation current, durably, and remove the oldest ones.

    Args:
        path: The knowledge base.
        folder: The unfinished folder of `new_generation`.
        manifest: Its manifest, `files` empty.

    Returns:
        The manifest with its files.
    """
    files = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.endswith(".lock"):
            _flush(file)
            name = file.relative_to(folder).as_posix()
            files[name] = (file.stat().st_size, _sha256(file))
    whole = replace(manifest, files=files)
    fields = json.dumps(asdict(whole), ensure_ascii=False, indent=2)
    _write_atomically(folder / _MANIFEST, fields + "\n")
    final = generation_folder(path, manifest.generation)
    os.rename(folder, final)
    _flush(final.parent)
    _write_atomically(path / _CURRENT, f"{manifest.generation}\n")
    kept = sorted((p for p in final.parent.iterdir() if p.name.isdecimal()), key=_number)
    for old in kept[:-GENERATIONS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return whole


def _number(folder: Path) -> int:
    return int(folder.name)


def _write_atomically(file: Path, text: str) -> None:
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    temporary.write_text(text, encoding="utf-8")
    _flush(temporary)
    os.replace(temporary, file)
    _flush(file.parent)


def _flush(path: Path) -> None:
    """Force a file or a folder's list of names to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


class VectorCache:
    """Vectors by the hash of the encoder's identity and the text. Safe to lose, never wrong."""

    def __init__(self, file: Path, encoder: str, dim: int) -> None:
        self._encoder = encoder
        self._bytes = 2 * dim
        try:
            self._connection = self._connect(file)
        except sqlite3.DatabaseError:
            file.unlink()
            self._connection = self._connect(file)

    @staticmethod
    def _connect(file: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(file)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors "
            "(key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
        )
        return connection

    def key(self, text: str) -> bytes:
        """Return the text's key, 16 bytes."""
        return hashlib.sha256(f"{self._encoder}\0{text}".encode()).digest()[:16]

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the float16 vectors known for these keys."""
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608
            found.update(self._connection.execute(query, some))
        return {key: vector for key, vector in found.items() if len(vector) == self._bytes}

    def put(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep float16 vectors by their keys, durably."""
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", vectors)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def to_json(fields: Any) -> str:
    """Return compact JSON with the letters as they are."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
