"""The dense index: exact inner product, in FAISS."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy_qa.types import Ranking

Rows = npt.NDArray[np.int64]


class DenseIndex:
    """Passage rows by their vectors. The score is the inner product."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def build(cls, rows: Rows, vectors: npt.NDArray[np.float32]) -> "DenseIndex":
        """Index `(n, dim) float32` vectors under `(n,) int64` row numbers."""
        faiss = _faiss()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(vectors, rows)
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> "DenseIndex":
        """Load what `save` wrote."""
        return cls(_faiss().read_index(str(path)))

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
        return int(self._index.ntotal)

    def search(
        self, queries: npt.NDArray[np.float32], k: int, allowed: Rows | None = None
    ) -> list[Ranking]:
        """Return the `k` nearest rows of each `(q, dim) float32` query, only among `allowed`."""
        faiss = _faiss()
        total = len(self) if allowed is None else min(len(self), len(allowed))
        parameters = None
        if allowed is not None and total:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(allowed))

        def nearest(query: npt.NDArray[np.float32], limit: int) -> Ranking:
            (scores,), (rows,) = self._index.search(query[None], limit, params=parameters)
            found = rows >= 0  # FAISS fills up with -1 where it finds fewer
            return ordered(rows[found], scores[found])

        return [best(k, total, partial(nearest, query)) for query in queries]

    def nearest(self, query: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the `(dim,) float32` vector of the row nearest to a `(dim,)` query."""
        (ranking,) = self.search(query[None], 1)
        return np.asarray(self.vectors(ranking.rows)[0])

    def vectors(self, rows: Sequence[int] | Rows) -> npt.NDArray[np.float32]:
        """Return the `(len(rows), dim) float32` vectors of these rows."""
        vectors = [self._index.reconstruct(int(row)) for row in rows]
        return np.array(vectors, np.float32).reshape(-1, self._index.d)


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
