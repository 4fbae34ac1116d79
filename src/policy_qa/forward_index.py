"""The tokens of every row, by row: a forward index, beside the inverted one.

An inverted index names the rows that hold a token; to score a given row by it, every list of every
token of the query is looked through. Here a row is read, and its tokens are counted: microseconds,
however many rows there are.

Four files, in the folder of the inverted index. A token is the CRC-32 of its UTF-8 form: two
are taken for one with a probability of 2^-32, those of at most four bytes never.

    forward.npy, forward-later.npy   `(1 + rows, 2) uint64`: tokens and rows in all, then of each
                                     row where its tokens start, and how many they are
    forward.u32, forward-later.u32   the tokens, `uint32`, repeats included

The later ones are of rows that follow those of the first ones. They are written anew with each
change, so that no file is altered that another generation has as well.
"""

import os
import weakref
from array import array
from binascii import crc32
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Self

import numpy as np
import numpy.typing as npt

from policy_qa.bm25 import saturation
from policy_qa.vector_file import Rows

FORWARD_FILES: Final = ("forward.npy", "forward.u32")
LATER_FILES: Final = ("forward-later.npy", "forward-later.u32")

Tokens = npt.NDArray[np.uint32]
Scores = npt.NDArray[np.float64]

_SMALL: Final = 64 * 2**20
"""Bytes of a file of tokens that may come to be in resident memory as a whole."""

_TOKEN_BYTES: Final = 4

_SIEVE: Final = 2**16
"""Buckets of tokens looked for, most of them empty: of the tokens of a text, few need a search."""


class ForwardWriter:
    """Writes the tokens of rows, in any order, to the files of a folder.

    They are whole when the context ends.
    """

    def __init__(self, folder: Path, *, going_on: bool = False) -> None:
        """Make the first files of a folder, or go on with the later ones.

        Raises:
            OSError: If they cannot be read or written.
            ValueError: If those that are there are damaged.
        """
        index, tokens = (folder / name for name in (LATER_FILES if going_on else FORWARD_FILES))
        self._rows, self._starts, self._lengths = array("q"), array("q"), array("q")
        self._first = 0
        held: Tokens = np.zeros(0, np.uint32)
        if going_on:
            first, *later = ForwardIndex.open(folder).parts
            self._first = len(first)
            if later:
                held = self._go_on_after(later[0])
        for file in (index, tokens):
            file.unlink(missing_ok=True)  # another generation may have it as well
        self._index = index
        self._end = len(held)
        self._tokens: BinaryIO = tokens.open("wb")
        try:
            self._tokens.write(held.astype("<u4").tobytes())
        except BaseException:
            self._tokens.close()
            raise

    def _go_on_after(self, known: "_Part") -> Tokens:
        """Take over the rows that were there; return their tokens, as they are in no other row."""
        rows = np.flatnonzero(known.starts[1:, 1])
        tokens, lengths = known.take(rows)
        self._rows.extend(rows.tolist())
        self._starts.extend((np.cumsum(lengths) - lengths).tolist())
        self._lengths.extend(lengths.tolist())
        return tokens

    def add(self, row: int, tokens: Iterable[str]) -> None:
        """Add a row by its tokens, repeats included; what it had before counts no more.

        Raises:
            OSError: If the disk is full.
        """
        numbers = [*map(_number, tokens)]
        self._tokens.write(np.array(numbers, "<u4").tobytes())
        self._rows.append(row - self._first)
        self._starts.append(self._end)
        self._lengths.append(len(numbers))
        self._end += len(numbers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._tokens.close()
        if kind is None:
            self._write_index()

    def _write_index(self) -> None:
        rows = np.array(self._rows, np.int64)
        found = np.zeros((int(rows.max(initial=-1)) + 2, 2), "<u8")
        found[1 + rows, 0] = self._starts
        found[1 + rows, 1] = self._lengths
        found[0] = found[1:, 1].sum(), len(np.unique(rows))
        with self._index.open("wb") as file:
            np.lib.format.write_array(file, found, allow_pickle=False)


class ForwardIndex:
    """The tokens of rows. Safe to use from several threads."""

    def __init__(self, parts: Sequence["_Part"]) -> None:
        self.parts = parts
        tokens, rows = (sum(int(part.starts[0, of]) for part in parts) for of in (0, 1))
        self._average = tokens / rows if tokens and rows else 1.0

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map the files of a folder into memory; little of them is read before it is asked for.

        Raises:
            OSError: If one is missing.
            ValueError: If one is no such file, or truncated.
        """
        parts = [_Part(*(folder / name for name in FORWARD_FILES))]
        later = [folder / name for name in LATER_FILES]
        if later[0].exists():
            parts.append(_Part(*later))
        return cls(parts)

    def scores(self, weights: Mapping[str, float], rows: Rows) -> Scores:
        """Return the `(len(rows),)` BM25 of rows; 0 where none of the tokens is held.

        Args:
            weights: The inverse document frequency of each token looked for.
            rows: `(n,) int64`; one that was never added holds nothing.
        """
        numbers = np.array([*map(_number, weights)], np.uint32)
        wanted, place = np.unique(numbers, return_inverse=True)
        total = np.bincount(place, [*weights.values()], len(wanted)).astype(np.float64)
        first, *later = self.parts
        if not later:
            return self._scores(first, wanted, total, rows)
        found = np.zeros(len(rows))
        is_later = rows >= len(first)
        found[~is_later] = self._scores(first, wanted, total, rows[~is_later])
        found[is_later] = self._scores(later[0], wanted, total, rows[is_later] - len(first))
        return found

    def _scores(self, part: "_Part", wanted: Tokens, total: Scores, rows: Rows) -> Scores:
        """Return the scores of rows of one part; `wanted` is ascending."""
        held, lengths = part.take(rows)
        sieve = np.zeros(_SIEVE, np.bool_)
        sieve[wanted & (_SIEVE - 1)] = True
        kept = np.flatnonzero(sieve.take(held & (_SIEVE - 1)))
        position = np.searchsorted(wanted, held[kept])
        position[position == len(wanted)] = 0
        is_wanted = wanted[position] == held[kept]
        owner = np.searchsorted(np.cumsum(lengths), kept[is_wanted], side="right")
        cells = owner * len(wanted) + position[is_wanted]
        counts = np.bincount(cells, minlength=len(rows) * len(wanted))
        counts = counts.reshape(len(rows), len(wanted))
        return np.asarray(saturation(counts, lengths[:, None], self._average) @ total)


class _Part:
    """Two files. Rows are counted from 0."""

    def __init__(self, starts: Path, tokens: Path) -> None:
        self.starts = np.asarray(np.lib.format.open_memmap(starts, mode="r"))
        if self.starts.dtype != np.uint64 or self.starts.shape[1:] != (2,):
            raise ValueError(f"{starts} holds no rows of tokens")
        size = tokens.stat().st_size
        if size < _TOKEN_BYTES * int(self.starts[0, 0]):
            raise ValueError(f"{tokens} is truncated")
        self._handle: int | None = None
        self._all: Tokens = np.zeros(0, np.uint32)
        if size > _SMALL and hasattr(os, "pread"):
            self._handle = os.open(tokens, os.O_RDONLY)
            weakref.finalize(self, os.close, self._handle)
        elif size:
            self._all = np.asarray(np.memmap(tokens, "<u4", mode="r"))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: Rows) -> tuple[Tokens, npt.NDArray[np.int64]]:
        """Return the tokens of rows, one after the other, and how many each has."""
        there = rows < len(self)
        found = self.starts[1 + np.where(there, rows, -1)].astype(np.int64)
        starts, lengths = found[:, 0], np.where(there, found[:, 1], 0)
        if self._handle is not None:
            read = [
                os.pread(self._handle, _TOKEN_BYTES * length, _TOKEN_BYTES * start)
                for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
            ]
            return np.frombuffer(b"".join(read), "<u4"), lengths
        before = np.cumsum(lengths) - lengths
        places = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
        return self._all[places], lengths


def _number(token: str) -> int:
    return crc32(token.encode("utf-8", "surrogatepass"))
