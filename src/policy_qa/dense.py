"""The dense index: exact inner product, in FAISS."""

from collections.abc import Sequence
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
        k = min(k, len(self) if allowed is None else len(allowed))
        if not k:
            nothing = Ranking(np.empty(0, np.int64), np.empty(0, np.float32))
            return [nothing for _ in queries]
        parameters = None
        if allowed is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(allowed))
        scores, rows = self._index.search(queries, k, params=parameters)
        return [ordered(r, s) for r, s in zip(rows, scores, strict=True)]

    def vectors(self, rows: Sequence[int] | Rows) -> npt.NDArray[np.float32]:
        """Return the `(len(rows), dim) float32` vectors of these rows."""
        vectors = [self._index.reconstruct(int(row)) for row in rows]
        return np.array(vectors, np.float32).reshape(-1, self._index.d)


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
