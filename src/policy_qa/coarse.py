"""Coarse indexes, in FAISS: which rows may be nearest, for the exact scores to decide.

Which kind fits which number of vectors was measured (`benchmarks/results/scale.md`):

    flat   none: every row is compared. Exact, nothing to build, as slow as there are rows.
    hnsw   rows linked to their neighbours, in 8 bits: the quickest that finds what is nearest to a
           question, and the slowest to build. Opens at once, mapped into memory.
    ivf    rows in clusters, in 8 bits; the nearest clusters are searched. Built several times as
           quickly, and half the size; but questions lie outside the clusters of passages, and the
           rows nearest to them in many, so that as much is found only in more time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from policy_qa.errors import InputError
from policy_qa.settings import (
    FLAT_UP_TO,
    HNSW_SEARCHED,
    IVF_PROBED,
    IVF_TRAINED_ON,
)
from policy_qa.vector_file import Floats, Rows

IndexKind = Literal["flat", "hnsw", "ivf"]
"""Of coarse indexes."""

AUTO: Final = "auto"
"""The kind that follows from the number of vectors."""

INDEX_KINDS: Final[tuple[str, ...]] = (AUTO, *get_args(IndexKind))
"""What can be asked for."""

_LEAST_TRAINED: Final = 2_500
"""Vectors below which clusters, of 40 vectors each, are too few to leave any out."""

_LINKS: Final = 32
"""Neighbours of a row in `hnsw`; twice as many on its lowest level."""

_ADDED_AT_ONCE: Final = 16_384
"""Vectors read into memory to be added: 24 MB of 384 components."""

_BUILDING_THREADS: Final = 2
"""FAISS's own default, all cores, spins where other processes work."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an index of so many vectors takes.

    Attributes:
        memory: Bytes while it is made.
        disk: Bytes of its file and of the file of vectors.
    """

    memory: int
    disk: int


def check_kind(asked: str) -> None:
    """Check that there is an index of a kind.

    Raises:
        InputError: If there is none.
    """
    if asked not in INDEX_KINDS:
        raise InputError(
            f"There is no index of kind {asked!r}. Name one of: {', '.join(INDEX_KINDS)}."
        )


def chosen_kind(asked: str, count: int) -> IndexKind:
    """Return the kind of index for so many vectors.

    Args:
        asked: One of `INDEX_KINDS`.
        count: Vectors to be indexed.

    Raises:
        InputError: If there is no such kind, or the vectors are too few for it.
    """
    check_kind(asked)
    if asked == AUTO:
        return "flat" if count <= FLAT_UP_TO else "hnsw"
    if asked == "ivf" and count < _LEAST_TRAINED:
        raise InputError(
            f"An index of kind ivf needs {_LEAST_TRAINED:,} passages to be trained on; there are "
            f"{count:,}. Leave --index out, or name flat."
        )
    return cast("IndexKind", asked)


def fitting_kind(asked: str, count: int) -> IndexKind:
    """Return the kind asked for, or if it does not fit so many vectors the one that follows."""
    try:
        return chosen_kind(asked, count)
    except InputError:
        return chosen_kind(AUTO, count)


def needs(kind: IndexKind, count: int, dim: int) -> Needs:
    """Estimate what an index of `count` vectors of `dim` components takes."""
    vectors = 4 * dim * count
    own = {"flat": 0, "ivf": dim + 8, "hnsw": dim + 8 * _LINKS + 24}[kind] * count
    sample = 4 * dim * min(count, IVF_TRAINED_ON)
    return Needs(own + 2 * sample, vectors + own)


class CoarseIndex:
    """Names rows that may be nearest. Safe to use from several threads."""

    def __init__(self, index: Any, kind: IndexKind) -> None:
        self._index = index
        self._kind = kind

    @classmethod
    def build(
        cls, kind: IndexKind, vectors: Floats, progress: Callable[[int, int], None] | None = None
    ) -> "CoarseIndex":
        """Index `(n, dim) float32` vectors, which may be mapped from a file, under their rows.

        Rows of NaN are left out. Memory holds the index, a sample and a chunk of the vectors.

        Args:
            kind: Not `flat`.
            vectors: The vectors.
            progress: Told how many vectors are linked, and how many there are.
        """
        faiss = _faiss()
        faiss.omp_set_num_threads(_BUILDING_THREADS)
        try:
            sample = _sample(vectors)
            count, dim = vectors.shape
            inner = faiss.METRIC_INNER_PRODUCT
            if kind == "ivf":
                index = faiss.index_factory(dim, f"IVF{_clusters(count)},SQ8", inner)
                index.cp.niter = 10  # more change the clusters little
                index.cp.max_points_per_centroid = len(sample)
                index.cp.min_points_per_centroid = 1
            else:
                index = faiss.index_factory(dim, f"IDMap,HNSW{_LINKS}_SQ8", inner)
            index.train(sample)
            for rows, some in _chunks(vectors):
                index.add_with_ids(some, rows)
                if progress and len(rows):
                    progress(int(rows[-1]) + 1, count)
        finally:
            faiss.omp_set_num_threads(1)
        return cls(index, kind)

    @classmethod
    def open(cls, path: Path, kind: IndexKind) -> "CoarseIndex":
        """Map what `save` wrote into memory."""
        faiss = _faiss()
        flags = faiss.IO_FLAG_MMAP if kind == "ivf" else faiss.IO_FLAG_MMAP_IFC
        return cls(faiss.read_index(str(path), flags | faiss.IO_FLAG_READ_ONLY), kind)

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            OSError: If it cannot be written.
        """
        try:
            _faiss().write_index(self._index, str(path))
        except RuntimeError as error:  # how FAISS reports a full disk
            raise OSError(f"the dense index could not be written ({error})") from error

    def search(
        self, query: Floats, count: int, allowed: npt.NDArray[np.uint8] | None, share: float = 1.0
    ) -> Rows:
        """Return at most `count` rows that may be nearest to a `(dim,) float32` query.

        Args:
            query: The query.
            count: At most so many rows.
            allowed: A bit for each row, the lowest first, of those that may be found; None for all.
            share: Of the rows that are allowed, above 0; the fewer, the further is looked.
        """
        faiss = _faiss()
        selector = None if allowed is None else faiss.IDSelectorBitmap(allowed)
        if self._kind == "ivf":
            probed = int(self._index.nlist * min(IVF_PROBED / share, 1)) + 1
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probed)
        else:
            searched = int(min(max(HNSW_SEARCHED, count) / share, self._index.ntotal + 1))
            parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=searched)
        _, (rows,) = self._index.search(query[None], count, params=parameters)
        return np.asarray(rows[rows >= 0], np.int64)  # FAISS fills up with -1 where it finds fewer


def _clusters(count: int) -> int:
    """Return the number of clusters of so many vectors, each large enough to be trained."""
    return int(min(4 * count**0.5, count / 40, 8_192)) or 1


def _sample(vectors: Floats) -> Floats:
    """Return vectors spread evenly over all, enough to train on."""
    step = max(len(vectors) // IVF_TRAINED_ON, 1)
    sample = np.array(vectors[::step][:IVF_TRAINED_ON])
    return np.ascontiguousarray(sample[~np.isnan(sample[:, 0])])


def _chunks(vectors: Floats) -> Iterator[tuple[Rows, Floats]]:
    for start in range(0, len(vectors), _ADDED_AT_ONCE):
        some = np.array(vectors[start : start + _ADDED_AT_ONCE])
        there = np.flatnonzero(~np.isnan(some[:, 0]))
        yield there + start, some[there]


def _faiss() -> Any:
    """FAISS takes 0.3 s to import, and its threads spin while the machine is busy with others."""
    import faiss  # noqa: PLC0415 (heavy)

    faiss.omp_set_num_threads(1)
    return faiss
