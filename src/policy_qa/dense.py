"""The dense index: exact inner product, in FAISS."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy_qa.types import Filters, Ranking

Rows = npt.NDArray[np.int64]


class DenseIndex:
    """Passage rows by their vectors. The score is the inner product.

    Rows that came later may stand in an index of their own, and rows of the first one may be gone.
    """

    def __init__(self, index: Any, later: Any = None, gone: Sequence[int] | Rows = ()) -> None:
        self._index = index
        self._later = later
        self._gone = np.asarray(gone, np.int64)
        self._parameters = None
        if len(self._gone):
            faiss = _faiss()
            selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(self._gone))
            self._parameters = faiss.SearchParameters(sel=selector)

    @classmethod
    def build(cls, rows: Rows, vectors: npt.NDArray[np.float32]) -> "DenseIndex":
        """Index `(n, dim) float32` vectors under `(n,) int64` row numbers."""
        index = cls.empty(vectors.shape[1])
        index.add(rows, vectors)
        return index

    @classmethod
    def empty(cls, dim: int) -> "DenseIndex":
        """Return an index of no rows, to be filled."""
        faiss = _faiss()
        return cls(faiss.IndexIDMap2(faiss.IndexFlatIP(dim)))

    @classmethod
    def open(
        cls, path: Path, later: Path | None = None, gone: Sequence[int] | Rows = ()
    ) -> "DenseIndex":
        """Load what `save` wrote.

        Args:
            path: The file.
            later: The file of the rows that came later; None if none did.
            gone: Rows of the first file that are no more.
        """
        read = _faiss().read_index
        return cls(read(str(path)), read(str(later)) if later else None, gone)

    def add(self, rows: Rows, vectors: npt.NDArray[np.float32]) -> None:
        """Add `(n, dim) float32` vectors under `(n,) int64` row numbers."""
        self._index.add_with_ids(vectors, rows)

    def remove(self, rows: Rows) -> None:
        """Remove those of these rows that the index has."""
        if len(rows):
            self._index.remove_ids(rows)

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            OSError: If it cannot be written.
        """
        try:
            _faiss().write_index(self._index, str(path))
        except RuntimeError as error:  # how FAISS reports a full disk
            raise OSError(f"the dense index could not be written ({error})") from error

    def __len__(self) -> int:
        later = int(self._later.ntotal) if self._later else 0
        return int(self._index.ntotal) - len(self._gone) + later

    def allowed(
        self, filters: Filters, rows: Callable[[Filters], Sequence[int]]
    ) -> npt.NDArray[np.int64]:
        """Return what `search` takes as `allowed` for filters: the rows that pass them."""
        return np.array(rows(filters), np.int64)

    def search(
        self,
        queries: npt.NDArray[np.float32],
        k: int,
        allowed: Rows | None = None,
        without: Rows | None = None,
    ) -> list[Ranking]:
        """Return the `k` nearest rows of each `(q, dim) float32` query.

        Args:
            queries: Unit rows.
            k: At most so many rows for each.
            allowed: Only among these rows; None for all.
            without: Rows of the index that are not to be found; None for none.
        """
        if without is not None and not len(without):
            without = None
        if allowed is not None and without is not None:
            allowed = np.setdiff1d(allowed, without)
        total = len(self)
        parameters, later = self._parameters, None
        if allowed is not None:
            total = min(total, len(allowed))
            if total:
                faiss = _faiss()
                parameters = later = faiss.SearchParameters(sel=faiss.IDSelectorBatch(allowed))
        elif without is not None:
            faiss = _faiss()
            total -= len(without)
            all_excluded = np.concatenate([self._gone, without])
            selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(all_excluded))
            parameters = later = faiss.SearchParameters(sel=selector)

        def nearest(query: npt.NDArray[np.float32], limit: int) -> Ranking:
            found = _found(self._index, query, limit, parameters)
            if self._later is None:
                return found
            new = _found(self._later, query, limit, later)
            both = ordered([*found.rows, *new.rows], [*found.scores, *new.scores])
            return Ranking(both.rows[:limit], both.scores[:limit])

        return [best(k, total, partial(nearest, query)) for query in queries]

    def nearest(self, query: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the `(dim,) float32` vector of the row nearest to a `(dim,)` query."""
        (ranking,) = self.search(query[None], 1)
        return np.asarray(self.vectors(ranking.rows)[0])

    def vectors(self, rows: Sequence[int] | Rows) -> npt.NDArray[np.float32]:
        """Return the `(len(rows), dim) float32` vectors of these rows."""
        vectors = [self._vector(int(row)) for row in rows]
        return np.array(vectors, np.float32).reshape(-1, self._index.d)

    def _vector(self, row: int) -> npt.NDArray[np.float32]:
        try:
            return np.asarray(self._index.reconstruct(row), np.float32)
        except RuntimeError:  # FAISS knows no such row
            if self._later is None:
                raise
            return np.asarray(self._later.reconstruct(row), np.float32)


def _found(index: Any, query: npt.NDArray[np.float32], limit: int, parameters: Any) -> Ranking:
    (scores,), (rows,) = index.search(query[None], limit, params=parameters)
    found = rows >= 0  # FAISS fills up with -1 where it finds fewer
    return ordered(rows[found], scores[found])


def best(k: int, total: int, search: Callable[[int], Ranking]) -> Ranking:
    """Return the best `k` of `total` rows, ties at the cut by ascending row as well.

    Indexes keep any of the rows that tie there, so they are asked for more until the tie is whole.

    Args:
        k: At most so many rows.
        total: Rows that may be found.
        search: Returns the best rows, at most as many as it is asked for.
    """
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


def _faiss() -> Any:
    """FAISS takes 0.3 s to import, and its threads spin while the machine is busy with others."""
    import faiss  # noqa: PLC0415 (heavy)

    faiss.omp_set_num_threads(1)
    return faiss
