"""Whether memory and disk suffice, asked before the work starts."""

import shutil
from pathlib import Path
from typing import Final

from policy_qa.errors import StorageError

_NEGLIGIBLE: Final = 64 * 2**20
"""Bytes up to which nothing is asked: an estimate is no better than that."""

_MEMORY: Final = Path("/proc/meminfo")


def check_room(path: Path, *, memory: int, disk: int) -> None:
    """Check that there is room for work that is about to start.

    Args:
        path: Where it writes.
        memory: Bytes that it holds at once.
        disk: Bytes that it writes.

    Raises:
        StorageError: If either is not there, with the estimate.
    """
    free = shutil.disk_usage(path).free
    if disk > _NEGLIGIBLE and disk > free:
        raise StorageError(
            f"This takes about {_size(disk)} of disk at {path}, of which {_size(free)} are free. "
            "Nothing was begun; make room or give another place with --kb."
        )
    available = available_memory()
    if available is not None and memory > _NEGLIGIBLE and memory > available:
        raise StorageError(
            f"This takes about {_size(memory)} of memory, of which {_size(available)} are free. "
            "Nothing was begun; end other programs, or name an index that takes less with "
            "--index flat."
        )


def available_memory() -> int | None:
    """Return the bytes that a program can have without swapping; None where it cannot be told."""
    try:
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return 1024 * int(kilobytes)
    except (OSError, ValueError, StopIteration):
        return None


def _size(count: int) -> str:
    """Return a number of bytes in words."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
