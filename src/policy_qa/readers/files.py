"""Open a file of a corpus, once it is sure that it can be read to its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from policy_qa.errors import CorpusError

MAX_TEXT_BYTES: Final = 50_000_000
"""Bytes of a file that is read as one document, whose text is held in memory several times."""

_MEGABYTE: Final = 1_000_000


def read_whole(file: Path, limit: int = MAX_TEXT_BYTES) -> bytes:
    """Return the bytes of a file, all of one moment.

    Args:
        file: What to read.
        limit: Bytes; a larger file is refused before it is read.

    Raises:
        CorpusError: If it is no regular file, too large, cannot be read, or is being written.
    """
    for _ in range(2):
        before = _state(file, limit)
        try:
            with file.open("rb") as stream:
                data = stream.read(limit + 1)
        except OSError as error:
            raise unreadable(file, error) from error
        if _state(file, limit) == before:
            return data
    raise _changed(file)


@contextmanager
def opened(file: Path, limit: int | None = None) -> Iterator[BinaryIO]:
    """Open a file that is read piece by piece.

    Args:
        file: What to read.
        limit: Bytes; a larger file is refused. None for no limit.

    Raises:
        CorpusError: If it is no regular file, too large or cannot be read, or if it was written
            meanwhile.
    """
    before = _state(file, limit)
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise unreadable(file, error) from error
    if _state(file, limit) != before:
        raise _changed(file)


def check_place(file: Path, folder: Path) -> None:
    """Refuse a link that leads out of the folder: whoever may write there may not read all.

    Raises:
        CorpusError: If it is one.
    """
    if not file.is_symlink() or not file.exists():
        return
    if not file.resolve().is_relative_to(folder.resolve()):
        raise CorpusError(f"{file} is a link to a file outside of the corpus. Copy that file here.")


def unreadable(path: Path, error: OSError) -> CorpusError:
    """Return the error for a path that the system does not let us read."""
    return CorpusError(
        f"Cannot read {path}: {error.strerror}. Make it readable or take it out of the corpus."
    )


def _changed(file: Path) -> CorpusError:
    return CorpusError(f"{file} changed while it was read. Try again when nothing writes to it.")


def _state(file: Path, limit: int | None) -> tuple[int, int]:
    """Return what changes when a file is written: its size, and when that was."""
    try:
        if file.exists() and not file.is_file():  # a pipe would block for ever
            raise CorpusError(f"{file} is no regular file. Take it out of the corpus.")
        status = file.stat()
    except OSError as error:
        raise unreadable(file, error) from error
    if limit is not None and status.st_size > limit:
        size = -(-status.st_size // _MEGABYTE)  # upwards, so that it is above the limit
        raise CorpusError(
            f"{file} has {size:,} MB; the limit is {limit // _MEGABYTE:,} MB. Split it."
        )
    return status.st_size, status.st_mtime_ns
