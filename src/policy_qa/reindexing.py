"""Another coarse index for what is there, and how much the one that is there finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from policy_qa.coarse import AUTO, CoarseIndex, IndexKind, chosen_kind, needs
from policy_qa.dense import DenseIndex
from policy_qa.engines.tidying import publish
from policy_qa.errors import InputError, LockedError
from policy_qa.room import check_room
from policy_qa.settings import CHECKED_VECTORS, GENERATIONS_KEPT
from policy_qa.storage import (
    CHANGES_DENSE_FILE,
    COARSE_FILE,
    DENSE_FILE,
    Event,
    Manifest,
    check,
    current_generation,
    generation_folder,
    link_files,
    new_generation,
    now,
    read_manifest,
    verify,
    writing,
)
from policy_qa.vector_file import VectorFile

_RECALLED = 10
"""Neighbours of each vector of which the share found is told: recall@10."""


def reindex(
    path: Path,
    index: str = AUTO,
    keep: int = GENERATIONS_KEPT,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Make a generation with another coarse index over the same vectors.

    Nothing is read or encoded again; what changed since the vectors were written stays beside them.

    Args:
        path: The knowledge base.
        index: One of `coarse.INDEX_KINDS`.
        keep: Generations that stay on disk, the new one included.
        progress: Told how many vectors are indexed, and how many there are.

    Raises:
        InputError: If there is no such kind, the vectors are too few for it, or an engine has them.
        KnowledgeBaseError: If the knowledge base cannot be used, or another process is writing.
        StorageError: If memory or disk do not suffice, said before the work, or the disk is full.
    """
    manifest = read_manifest(path)
    if manifest.engine:
        raise InputError(
            f"The indexes of {path} stand at {manifest.engine}, which chooses its own. To have "
            f"them here: policy-qa move --engine embedded --kb {path}"
        )
    verify(path, manifest)
    old = generation_folder(path, manifest.generation)
    count = len(VectorFile.open(old / DENSE_FILE))
    kind = chosen_kind(index, count)
    with writing(path), new_generation(path) as (number, folder):
        if current_generation(path) != manifest.generation:
            raise LockedError(f"Another process has changed {path} meanwhile. Try again.")
        check(path, manifest, DENSE_FILE)
        needed = needs(kind, count, manifest.dim)
        check_room(path, memory=needed.memory, disk=needed.disk - 4 * manifest.dim * count)
        link_files(path, manifest, folder, without=(COARSE_FILE,))
        save_coarse(folder, kind, progress)
        event = Event(
            number,
            now(),
            "reindex",
            manifest.documents,
            manifest.entries,
            note=f"index {kind}",
        )
        made = replace(
            manifest,
            generation=number,
            created=event.created,
            index=kind,
            index_asked=index,
            history=(*manifest.history, event),
            files={},
        )
        return publish(path, folder, made, keep)


def save_coarse(
    folder: Path, kind: IndexKind, progress: Callable[[int, int], None] | None = None
) -> None:
    """Make the coarse index of the vectors in a generation's folder; `flat` is none.

    Raises:
        OSError: If it cannot be written.
    """
    if kind != "flat":
        vectors = VectorFile.open(folder / DENSE_FILE).all
        CoarseIndex.build(kind, vectors, progress).save(folder / COARSE_FILE)


def open_dense(folder: Path, kind: IndexKind, gone: Sequence[int] = ()) -> DenseIndex:
    """Open the dense index of a generation's folder.

    Args:
        folder: The folder.
        kind: Of its coarse index.
        gone: Rows that are no more.
    """
    later = folder / CHANGES_DENSE_FILE
    return DenseIndex.open(
        folder / DENSE_FILE,
        later if later.exists() else None,
        gone,
        None if kind == "flat" else (folder / COARSE_FILE, kind),
    )


@dataclass(frozen=True, slots=True)
class Recall:
    """What a coarse index finds of what is nearest.

    Attributes:
        vectors: Stored vectors that were looked for, spread evenly over all.
        share: Of their ten nearest rows, 0 to 1.
        worst: The least share of one of them.
        milliseconds: Of one search, the median.
        exact_milliseconds: Of one that compares every row.
    """

    vectors: int
    share: float
    worst: float
    milliseconds: float
    exact_milliseconds: float


def recall(dense: DenseIndex, count: int = CHECKED_VECTORS) -> Recall:
    """Measure what the coarse index finds, with stored vectors as queries.

    Args:
        dense: The index.
        count: How many vectors are looked for.
    """
    queries = dense.sample(count)
    shares: list[float] = []
    laps: tuple[list[float], list[float]] = ([], [])
    for query in queries:
        found = []
        for seconds, exactly in zip(laps, (False, True), strict=True):
            start = perf_counter()
            (ranking,) = dense.search(query[None], _RECALLED, exactly=exactly)
            seconds.append(perf_counter() - start)
            found.append(ranking)
        quick, exact = found
        # equal scores are as good: which of the same texts is found first does not matter
        least = exact.scores[-1] if len(exact.scores) else 0.0
        shares.append(_share(int(np.count_nonzero(quick.scores >= least)), len(exact.scores)))
    quickly, slowly = (1000 * float(np.median(seconds or [0])) for seconds in laps)
    return Recall(
        len(queries), float(np.mean(shares or [1])), min(shares, default=1.0), quickly, slowly
    )


def _share(found: int, there: int) -> float:
    return found / there if there else 1.0
