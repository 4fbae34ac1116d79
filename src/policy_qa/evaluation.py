"""Evaluation: queries and qrels → run → measures, with ir_measures.

A run maps a query's id to the scores of the entries found for it; its ranking is the total order
`(-score, entry id)`.
"""

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import numpy as np

from policy_qa.errors import EvaluationError, StorageError
from policy_qa.evaluation_set import EvaluationSet
from policy_qa.types import Hit

Run = Mapping[str, Mapping[str, float]]
"""Query id → entry id → score, higher is better."""

MEASURES = ("hit@1", "hit@3", "MRR@10", "nDCG@10")
"""What is measured, in the order it is shown."""

QUESTIONS_INDEXED = "questions indexed"
QUESTIONS_LEFT_OUT = "questions left out (answers only)"


@dataclass(frozen=True, slots=True)
class Measures:
    """The means over a set's queries.

    Attributes:
        n_queries: How many queries the means are taken over, those the run lacks included.
        values: A value from 0 to 1 for each of `MEASURES`, in that order.
    """

    n_queries: int
    values: Mapping[str, float]


class Searcher(Protocol):
    """What a run is made with; `KnowledgeBase` is one."""

    def search_many(self, queries: Sequence[str], top_k: int = 10) -> list[list[Hit]]:
        """Return the best entries for each query, best first."""


def run_queries(kb: Searcher, evaluation_set: EvaluationSet, top_k: int = 10) -> Run:
    """Ask every query of a set.

    Args:
        kb: Where to search.
        evaluation_set: The queries.
        top_k: How many entries to keep for each query; the measures look at up to 10.

    Returns:
        The run. Equal scores are set apart by the least step, so that it keeps the order of the
        hits.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
    """
    queries = evaluation_set.queries
    found = kb.search_many([query.text for query in queries], top_k)
    return {
        query.id: _set_apart(query.id, [(hit.entry.id, hit.score) for hit in hits])
        for query, hits in zip(queries, found, strict=True)
    }


def measure_queries(evaluation_set: EvaluationSet, run: Run) -> dict[str, dict[str, float]]:
    """Measure every query by itself.

    Args:
        evaluation_set: The queries and their qrels.
        run: What was found. A query that it lacks counts as 0; one that the set lacks is ignored.

    Returns:
        Query id → measure → value, in the order of the set and of `MEASURES`.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
    """
    import ir_measures  # noqa: PLC0415 (only an evaluation pays for it)

    success, rr, ndcg = ir_measures.Success, ir_measures.RR, ir_measures.nDCG
    shown = dict(zip((success @ 1, success @ 3, rr @ 10, ndcg @ 10), MEASURES, strict=True))
    qrels: dict[str, dict[str, int]] = {query.id: {} for query in evaluation_set.queries}
    for qrel in evaluation_set.qrels:
        qrels[qrel.query_id][qrel.entry_id] = qrel.relevance
    # The providers behind ir_measures order equal scores each in its own way, and one of them
    # keeps 32 bits of a score: they all get scores that leave them no choice.
    ranked = {query_id: _ranked(query_id, run[query_id]) for query_id in qrels if query_id in run}
    values = {query_id: dict.fromkeys(MEASURES, 0.0) for query_id in qrels}
    for metric in ir_measures.iter_calc(list(shown), qrels, ranked):
        values[metric.query_id][shown[metric.measure]] = float(metric.value)
    return values


def evaluate(evaluation_set: EvaluationSet, run: Run) -> Measures:
    """Measure a run: the means of `measure_queries` over all queries of the set."""
    queries = measure_queries(evaluation_set, run).values()
    # fsum is exact, so the means do not depend on the order of the queries.
    means = {name: math.fsum(q[name] for q in queries) / len(queries) for name in MEASURES}
    return Measures(len(queries), means)


def write_trec_run(run: Run, path: str | Path, tag: str = "policy-qa") -> None:
    """Write a run in the format of TREC: `query Q0 entry rank score tag`.

    Equal runs give equal bytes. The file appears whole or not at all. Whitespace and `%` in an id
    or a tag are written as in a URL (`%20`), because the format separates its columns by
    whitespace.

    Args:
        run: What was found.
        path: The file to write; folders that are missing are made.
        tag: Names the run.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
        StorageError: The file cannot be written; what stood at `path` is left as it was.
    """
    path = Path(path)
    lines = [
        f"{_column(query_id)} Q0 {_column(entry_id)} {rank} {score:.9g} {_column(tag)}\n"
        for query_id in sorted(run)
        for rank, (entry_id, score) in enumerate(_ranked(query_id, run[query_id]).items(), start=1)
    ]
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text("".join(lines), encoding="utf-8", newline="\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path}: the run cannot be written ({error.strerror}); name another place"
        ) from error


def report(evaluation_set: EvaluationSet, runs: Mapping[str, Run]) -> str:
    """Lay out the measures of several runs as a plain text table.

    Args:
        evaluation_set: The queries and their qrels.
        runs: Label → run, such as `QUESTIONS_INDEXED` and `QUESTIONS_LEFT_OUT`.

    Returns:
        Lines: the set's name and size, a heading, and a row for each run in the order given.
    """
    width = max(map(len, ("run", *runs)))
    n_queries = len(evaluation_set.queries)
    lines = [
        f"{evaluation_set.name}: {n_queries} {'query' if n_queries == 1 else 'queries'}",
        f"{'run':<{width}}" + "".join(f"  {name:>7}" for name in MEASURES),
    ]
    for label, run in runs.items():
        values = evaluate(evaluation_set, run).values
        lines.append(f"{label:<{width}}" + "".join(f"  {values[name]:>7.3f}" for name in MEASURES))
    return "\n".join(lines)


def _ranked(query_id: str, scores: Mapping[str, float]) -> dict[str, float]:
    ranking = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return _set_apart(query_id, ranking)


def _set_apart(query_id: str, ranking: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Make the scores of a ranking strictly descending 32-bit floats, by the least steps."""
    apart: dict[str, float] = {}
    previous = np.float32(np.inf)
    for entry_id, score in ranking:
        with np.errstate(over="ignore"):
            rounded = np.float32(score)
            step = min(rounded, np.nextafter(previous, np.float32(-np.inf)))
        if not (np.isfinite(rounded) and np.isfinite(step)):
            raise EvaluationError(
                f"query {query_id!r}, entry {entry_id!r}: score {score!r} is not a finite 32-bit "
                f"number; scale the scores"
            )
        apart[entry_id] = float(step)
        previous = step
    return apart


def _column(text: str) -> str:
    return re.sub(r"[\s%]", lambda match: quote(match[0], safe=""), text)
