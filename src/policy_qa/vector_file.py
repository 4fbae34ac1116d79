"""The vectors of a generation in one flat file, addressed by row: NumPy's own format.

float32, so that a score is to the last digit the same whether a vector comes from this file, from
another generation's or from memory; in float16 the file is half as large and the ranking of equals
another one. A row that is not indexed is NaN.
"""

import os
import weakref
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_SMALL = 256 * 2**20
"""Bytes of a file that may come to be in resident memory as a whole: read through the map, rows
leave the pages around them there."""

_FEW = 2_000
"""Rows of a larger file up to which each is read by a call of its own."""

_WRITTEN_AT_ONCE = 4_096
"""Rows not indexed that are written at once."""


class VectorFile:
    """Vectors by row. Safe to use from several threads.

    Attributes:
        all: `(n, dim) float32`, mapped into memory or held there; NaN where a row is not indexed.
    """

    def __init__(self, vectors: Floats, path: Path | None = None) -> None:
        """Take vectors that are in memory or, if there is a path, mapped from that file."""
        self.all = np.asarray(vectors)
        self._handle: int | None = None
        if path and self.all.nbytes > _SMALL and hasattr(os, "pread"):
            self._handle = os.open(path, os.O_RDONLY)
            self._start = int(getattr(vectors, "offset", 0))
            weakref.finalize(self, os.close, self._handle)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map a file into memory; nothing of it is read before it is asked for.

        Raises:
            OSError: If it is missing.
            ValueError: If it is no such file, or truncated.
        """
        vectors = np.lib.format.open_memmap(path, mode="r")
        if vectors.dtype != np.float32 or vectors.ndim != 2:
            raise ValueError(f"{path} holds no vectors")
        return cls(vectors, path)

    @classmethod
    def of(cls, rows: Rows, vectors: Floats) -> Self:
        """Hold `(n, dim) float32` vectors in memory under `(n,) int64` row numbers."""
        found = np.full((int(rows.max(initial=-1)) + 1, vectors.shape[1]), np.nan, np.float32)
        found[rows] = vectors
        return cls(found)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def dim(self) -> int:
        """The number of components of a vector."""
        return int(self.all.shape[1])

    def take(self, rows: Rows) -> Floats:
        """Return the `(len(rows), dim) float32` vectors of these rows, each from 0 to `len`."""
        if self._handle is None or len(rows) > _FEW:
            return np.asarray(self.all[rows])
        size = 4 * self.dim
        read = [os.pread(self._handle, size, self._start + size * int(row)) for row in rows]
        return np.frombuffer(b"".join(read), np.float32).reshape(len(rows), self.dim)


class VectorWriter:
    """Writes a file of vectors, in any order; what is left out is not indexed."""

    def __init__(self, path: Path, rows: int, dim: int) -> None:
        """Make the file.

        Args:
            path: The file.
            rows: How many it is to have.
            dim: Components of a vector.

        Raises:
            OSError: If it cannot be written.
        """
        self._file: BinaryIO = path.open("wb")
        self._dim = dim
        self._written = np.zeros(rows, np.bool_)
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._start = self._file.tell()

    def add(self, rows: Rows, vectors: Floats) -> None:
        """Add `(n, dim) float32` vectors under `(n,) int64` row numbers.

        Raises:
            OSError: If the disk is full.
        """
        order = np.argsort(rows)
        rows, vectors = rows[order], np.asarray(vectors[order], "<f4")
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):
            if len(run):
                self._file.seek(self._start + 4 * self._dim * int(rows[run[0]]))
                self._file.write(vectors[run].tobytes())
        self._written[rows] = True

    def _leave_out(self) -> None:
        """Fill the rows that nothing was written to."""
        left = np.flatnonzero(~self._written)
        for start in range(0, len(left), _WRITTEN_AT_ONCE):
            rows = left[start : start + _WRITTEN_AT_ONCE]
            VectorWriter.add(self, rows, np.full((len(rows), self._dim), np.nan, np.float32))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._file:
            if kind is None:
                self._leave_out()


class LaterWriter(VectorWriter):
    """Writes the vectors of rows that follow those of another file, the earlier ones of them first.

    Rows are numbered as the index sees them.
    """

    def __init__(self, path: Path, first: VectorFile, before: VectorFile | None, end: int) -> None:
        """Make the file, with what came after the first one before.

        Args:
            path: The file.
            first: What the rows follow.
            before: What followed it before; None if nothing did.
            end: The row that follows the last one.

        Raises:
            OSError: If it cannot be written.
        """
        self._offset = len(first)
        known = before.all if before else np.zeros((0, first.dim), np.float32)
        super().__init__(path, max(end - self._offset, len(known)), first.dim)
        for start in range(0, len(known), _WRITTEN_AT_ONCE):
            block = np.array(known[start : start + _WRITTEN_AT_ONCE])
            super().add(np.arange(start, start + len(block)), block)

    def add(self, rows: Rows, vectors: Floats) -> None:
        """Add `(n, dim) float32` vectors under `(n,) int64` row numbers."""
        super().add(rows - self._offset, vectors)

    def remove(self, rows: Rows) -> None:
        """Leave out those of these rows that follow the first file."""
        later = rows[rows >= self._offset]
        self.add(later, np.full((len(later), self._dim), np.nan, np.float32))
