"""Files that are written whole or not at all, however large."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from policy_qa.errors import StorageError
from policy_qa.storage import _flush


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Give a place to write to, which takes the file's place once the block is left without error.

    Folders that are missing are made. Other than `storage.write_atomically` it takes what does not
    fit into memory.

    Raises:
        StorageError: If the disk is full or refuses; what stood there is left as it was.
    """
    if file.is_dir():
        raise StorageError(f"Cannot write {file}: it is a folder. Name a file.")
    # Not the process's number alone: threads of one page may write the same file.
    temporary = file.with_name(f"{file.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _flush(file.parent)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise StorageError(
            f"Cannot write {file}: {reason}. What was there is untouched; make room or name "
            "another place."
        ) from error
