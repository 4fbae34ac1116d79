"""The dense index: exact inner products, of the rows that a coarse index names where it has one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.coarse import CoarseIndex, IndexKind
from policy_qa.settings import EXACT_AMONG, EXACT_SHARE, RESCORED
from policy_qa.types import Filters, Ranking
from policy_qa.vector_file import Floats, VectorFile, VectorWriter

Rows = npt.NDArray[np.int64]
_Bits = npt.NDArray[np.uint8]

_NOTHING: Rows = np.zeros(0, np.int64)


class DenseIndex:
    """Passage rows by their vectors. The score is the inner product. Safe to use from threads.

    Rows that came later stand in a file of their own, and rows of the first one may be gone.
    """

    def __init__(
        self,
        vectors: VectorFile,
        later: VectorFile | None = None,
        gone: Sequence[int] | Rows = (),
        coarse: CoarseIndex | None = None,
    ) -> None:
        """Join the parts.

        Args:
            vectors: Of the first rows.
            later: Of the rows that follow them; None if there are none.
            gone: Rows that are no more.
            coarse: Of the first rows; None compares them all.
        """
        self._vectors = vectors
        self._later = later
        self._gone = np.asarray(gone, np.int64)
        self._coarse = coarse
        self._known_bits: tuple[Rows, tuple[_Bits | None, float]] | None = None
        self._size: int | None = None

    @classmethod
    def build(cls, rows: Rows, vectors: Floats) -> "DenseIndex":
        """Hold `(n, dim) float32` vectors in memory under `(n,) int64` row numbers."""
        return cls(VectorFile.of(np.asarray(rows, np.int64), vectors))

    @classmethod
    def open(
        cls,
        path: Path,
        later: Path | None = None,
        gone: Sequence[int] | Rows = (),
        coarse: tuple[Path, IndexKind] | None = None,
    ) -> "DenseIndex":
        """Open what `save` or a `VectorWriter` wrote.

        Args:
            path: The file of vectors.
            later: The file of those of the rows that follow; None if there are none.
            gone: Rows that are no more.
            coarse: The file of the coarse index, and its kind; None if there is none.
        """
        return cls(
            VectorFile.open(path),
            VectorFile.open(later) if later else None,
            gone,
            CoarseIndex.open(*coarse) if coarse else None,
        )

    def save(self, path: Path) -> None:
        """Write the vectors of the first rows to a file.

        Raises:
            OSError: If it cannot be written.
        """
        with VectorWriter(path, len(self._vectors), self._vectors.dim) as writer:
            writer.add(np.arange(len(self._vectors)), self._vectors.all)

    def __len__(self) -> int:
        if self._size is None:
            files = [self._vectors, self._later] if self._later else [self._vectors]
            there = sum(int(np.count_nonzero(~np.isnan(one.all[:, 0]))) for one in files)
            self._size = there - len(self._gone)
        return self._size

    def allowed(
        self, filters: Filters, rows: Callable[[Filters], Sequence[int] | Rows]
    ) -> npt.NDArray[np.int64]:
        """Return what `search` takes as `allowed` for filters: the rows that pass them."""
        return np.array(rows(filters), np.int64)

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Rows | None = None,
        without: Rows | None = None,
        *,
        exactly: bool = False,
    ) -> list[Ranking]:
        """Return the `k` nearest rows of each `(q, dim) float32` query.

        Args:
            queries: Unit rows.
            k: At most so many rows for each.
            allowed: Only among these rows, exactly if they are few; None for all.
            without: Rows of the index that are not to be found; None for none.
            exactly: Whether to compare every row, whatever the coarse index says.
        """
        without = _NOTHING if without is None else without
        if allowed is not None:
            allowed = np.setdiff1d(allowed, np.concatenate([self._gone, without]))
            allowed = allowed[(allowed >= 0) & (allowed < self._end)]
        return [self._nearest(query, k, allowed, without, exactly=exactly) for query in queries]

    def _nearest(
        self, query: Floats, k: int, allowed: Rows | None, without: Rows, *, exactly: bool
    ) -> Ranking:
        few = max(EXACT_AMONG, int(EXACT_SHARE * self._end))
        if allowed is not None and (exactly or not self._coarse or len(allowed) <= few):
            return _top(k, allowed, self._scores(query, allowed))
        if self._coarse and not exactly:
            bits, share = self._bits(without) if allowed is None else self._only(allowed)
            rows = self._coarse.search(query, max(RESCORED, k + k // 4), bits, share)
            scores = self._scores(query, rows)
        else:
            rows = np.arange(len(self._vectors))
            scores = np.vecdot(self._vectors.all, query)
            scores[self._gone] = -np.inf
            scores[without[without < len(scores)]] = -np.inf
        if self._later:
            new = np.vecdot(self._later.all, query)
            new[without[without >= len(self._vectors)] - len(self._vectors)] = -np.inf
            if allowed is not None:
                new[~np.isin(np.arange(len(self._vectors), self._end), allowed)] = -np.inf
            rows = np.concatenate([rows, np.arange(len(self._vectors), self._end)])
            scores = np.concatenate([scores, new])
        return _top(k, rows, scores)

    @property
    def _end(self) -> int:
        return len(self._vectors) + (len(self._later) if self._later else 0)

    def _scores(self, query: Floats, rows: Rows) -> Floats:
        """Return `(len(rows),) float32`: each row's own sum, whatever rows stand beside it."""
        return np.asarray(np.vecdot(self.vectors(rows), query), np.float32)

    def _bits(self, without: Rows) -> tuple[_Bits | None, float]:
        """Return a bit for each first row that may be found, and their share; kept as it is."""
        known = self._known_bits
        if known is None or known[0] is not without:
            found: tuple[_Bits | None, float] = (None, 1.0)
            if len(without) or len(self._gone):
                mask = np.ones(len(self._vectors), np.bool_)
                mask[self._gone] = False
                mask[without[without < len(mask)]] = False
                found = _packed(mask)
            known = self._known_bits = (without, found)
        return known[1]

    def _only(self, allowed: Rows) -> tuple[_Bits, float]:
        mask = np.zeros(len(self._vectors), np.bool_)
        mask[allowed[allowed < len(mask)]] = True
        return _packed(mask)

    def sample(self, count: int) -> Floats:
        """Return at most `(count, dim) float32` vectors of the first rows, spread evenly."""
        step = max(len(self._vectors) // count, 1)
        vectors = self._vectors.take(np.arange(0, len(self._vectors), step)[:count])
        return vectors[~np.isnan(vectors[:, 0])]

    def nearest(self, query: Floats) -> Floats:
        """Return the `(dim,) float32` vector of the row nearest to a `(dim,)` query."""
        (ranking,) = self.search(query[None], 1)
        return np.asarray(self.vectors(ranking.rows)[0])

    def vectors(self, rows: Sequence[int] | Rows) -> Floats:
        """Return the `(len(rows), dim) float32` vectors of these rows."""
        rows = np.asarray(rows, np.int64)
        first = rows < len(self._vectors)
        if self._later is None or first.all():
            return self._vectors.take(rows)
        found = np.empty((len(rows), self._vectors.dim), np.float32)
        found[first] = self._vectors.take(rows[first])
        found[~first] = self._later.take(rows[~first] - len(self._vectors))
        return found


def _packed(mask: npt.NDArray[np.bool_]) -> tuple[_Bits, float]:
    """Return a mask as bits, the lowest first, and the share of what it allows, above 0."""
    return np.packbits(mask, bitorder="little"), max(float(mask.mean()), 1 / len(mask))


def _top(k: int, rows: Rows, scores: Floats) -> Ranking:
    """Return the best `k` rows; ties at the cut by ascending row as well.

    Args:
        k: At most so many.
        rows: `(n,) int64`.
        scores: `(n,) float32`; NaN and minus infinity are no hits.
    """
    if k < 1:
        return ordered([], [])
    there = scores > -np.inf
    if not there.all():
        rows, scores = rows[there], scores[there]
    if len(rows) > k:
        whole = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
        rows, scores = rows[whole], scores[whole]
    ranking = ordered(rows, scores)
    return Ranking(ranking.rows[:k], ranking.scores[:k])


def best(
    k: int, total: int, search: Callable[[int], Ranking], without: Rows | None = None
) -> Ranking:
    """Return the best `k` of `total` rows, ties at the cut by ascending row as well.

    Indexes keep any of the rows that tie there, so they are asked for more until the tie is whole.

    Args:
        k: At most so many rows.
        total: Rows that may be found.
        search: Returns the best rows, at most as many as it is asked for.
        without: Rows that are left out of what is found: to name them in each request would cost
            more than to look further for as many as stand among the best, which are few.
    """
    if without is not None and len(without):
        wanted = k
        while True:
            found = best(wanted, total, search)
            left = np.isin(found.rows, without, invert=True)
            if int(left.sum()) >= k or len(found.rows) < wanted:
                return Ranking(found.rows[left][:k], found.scores[left][:k])
            wanted *= 2
    if k < 1 or not total:
        return ordered([], [])
    limit = min(k + 1, total)
    while True:
        found = search(limit)
        complete = limit == total or len(found.rows) < limit
        if complete or found.scores[k - 1] > found.scores[-1]:
            return Ranking(found.rows[:k], found.scores[:k])
        limit = min(2 * limit, total)


def ordered(rows: Sequence[int] | Rows, scores: npt.ArrayLike) -> Ranking:
    """Return a ranking in its one order: descending score, ties by ascending row."""
    rows = np.asarray(rows, np.int64)
    scores = np.asarray(scores, np.float32)
    order = np.lexsort((rows, -scores))
    return Ranking(rows[order], scores[order])
