"""A run and the qrels → measures of each query, with ir_measures, and their means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policy_qa.evaluation.judgments import Query
from policy_qa.evaluation.runs import Asked, Run, ranked
from policy_qa.evaluation.sets import EvaluationSet
from policy_qa.types import Status

HITS = ("hit@1", "hit@3", "hit@5", "hit@10")
"""Those of the measures that are 0 or 1 for each query."""

MEASURES = (*HITS, "MRR@10", "nDCG@10", "recall@10")
"""What is measured, in the order it is shown."""

DEPTH = 10
"""Entries, or groups of entries, that the measures look at."""

DEPTH_OF_GROUPS = 100
"""Entries searched for where groups are judged: the best ten groups stand among them."""

_CUTS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one query: all that results keep of it.

    Attributes:
        id: The query.
        top: The best entry found; None if there was none.
        rank: Of the first relevant entry (or group), from 1 to `DEPTH`; None if none was found.
        ndcg: nDCG@10.
        recall: recall@10.
        confidence: That `top` answers, 0 to 1; None for a run made elsewhere.
        status: What the knowledge base made of it; None for a run made elsewhere.
    """

    id: str
    top: str | None
    rank: int | None
    ndcg: float
    recall: float
    confidence: float | None
    status: Status | None

    @property
    def values(self) -> tuple[float, ...]:
        """The query's `MEASURES`."""
        hits = (float(self.rank is not None and self.rank <= cut) for cut in _CUTS)
        return *hits, 1 / self.rank if self.rank else 0.0, self.ndcg, self.recall


def ranking(evaluation_set: EvaluationSet, run: Run, query_id: str) -> dict[str, float]:
    """Return the best `DEPTH` that were found for a query, as the qrels call them, best first."""
    best: dict[str, float] = {}
    for entry_id, score in ranked(query_id, run.get(query_id, {})).items():
        label = evaluation_set.label(entry_id)
        if label not in best:
            best[label] = score
        if len(best) == DEPTH:
            break
    return best


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

    success, rr = ir_measures.Success, ir_measures.RR
    measures = (
        *(success @ cut for cut in _CUTS),
        rr @ DEPTH,
        ir_measures.nDCG @ DEPTH,
        ir_measures.R @ DEPTH,
    )
    shown = dict(zip(measures, MEASURES, strict=True))
    qrels = evaluation_set.relevant
    # The providers behind ir_measures order equal scores each in its own way, and one of them
    # keeps 32 bits of a score: they all get scores that leave them no choice.
    rankings = {query_id: ranking(evaluation_set, run, query_id) for query_id in qrels}
    found = {query_id: scores for query_id, scores in rankings.items() if scores}
    values = {query_id: dict.fromkeys(MEASURES, 0.0) for query_id in qrels}
    for metric in ir_measures.iter_calc(list(shown), qrels, found):
        values[metric.query_id][shown[metric.measure]] = float(metric.value)
    return values


def outcomes(evaluation_set: EvaluationSet, asked: Asked) -> tuple[Outcome, ...]:
    """Return what became of each query of a set, in its order."""
    measured = measure_queries(evaluation_set, asked.run)
    return tuple(
        _outcome(query, asked, round(1 / rr) if (rr := values["MRR@10"]) else None, values)
        for query, values in zip(evaluation_set.queries, measured.values(), strict=True)
    )


def uncovered_outcomes(queries: Iterable[Query], asked: Asked) -> tuple[Outcome, ...]:
    """Return what became of queries that nothing answers."""
    return tuple(_outcome(query, asked, None, {}) for query in queries)


def _outcome(query: Query, asked: Asked, rank: int | None, values: Mapping[str, float]) -> Outcome:
    verdict = asked.verdicts.get(query.id)
    return Outcome(
        id=query.id,
        top=next(iter(ranked(query.id, asked.run.get(query.id, {}))), None),
        rank=rank,
        ndcg=round(values.get("nDCG@10", 0.0), 6),
        recall=round(values.get("recall@10", 0.0), 6),
        confidence=verdict.confidence if verdict else None,
        status=verdict.status if verdict else None,
    )


def table(outcomes: Sequence[Outcome]) -> npt.NDArray[np.float64]:
    """Return `(n, len(MEASURES)) float64`, a row for each query."""
    return np.array([o.values for o in outcomes], np.float64).reshape(-1, len(MEASURES))
