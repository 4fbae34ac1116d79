"""Whether a new generation answers the questions of an evaluation set as well as the current."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy_qa.evaluation.measures import Outcome, outcomes
from policy_qa.evaluation.runs import ask_queries
from policy_qa.evaluation.sets import EvaluationSet
from policy_qa.knowledge_base import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Lost:
    """A question that was answered by the right entry, or answered at all, and is not any more.

    Attributes:
        query: The question.
        before: The entry that answered.
        now: The entry found instead; None if nothing is found.
        gone: Whether no entry that the evaluation set names for it is there any more.
    """

    query: str
    before: str | None
    now: str | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """What an evaluation set says of two generations.

    Attributes:
        queries: How many there are.
        hits: hit@1 before and now, 0 to 1: the share of queries whose best entry is right.
        coverage: The same of the share of queries that are not told to be not covered.
        tolerance: By how much either may fall.
        lost: The queries that made it fall, in the order of the set.
        gained: How many got the right entry that had not.
    """

    queries: int
    hits: tuple[float, float]
    coverage: tuple[float, float]
    tolerance: float
    lost: tuple[Lost, ...]
    gained: int

    @property
    def passed(self) -> bool:
        """Whether neither falls beyond the tolerance."""
        falls = (before - now for before, now in (self.hits, self.coverage))
        return all(fall <= self.tolerance + 1e-9 for fall in falls)

    @property
    def summary(self) -> str:
        """The figures in one line."""
        (hit_before, hit_now), (before, now) = self.hits, self.coverage
        return (
            f"{self.queries} queries: hit@1 {hit_before:.3f} → {hit_now:.3f}, "
            f"coverage {before:.3f} → {now:.3f}"
        )


def gate(
    evaluation_set: EvaluationSet,
    current: KnowledgeBase,
    candidate: KnowledgeBase,
    tolerance: float,
) -> Gate:
    """Compare what two generations make of an evaluation set.

    Entries that the set names and a generation lacks are never found there.
    """
    before, now = (
        outcomes(evaluation_set, ask_queries(kb, evaluation_set.queries))
        for kb in (current, candidate)
    )
    relevant = evaluation_set.relevant
    there = {entry.id for entry in candidate.entries()}
    lost = []
    for query, old, new in zip(evaluation_set.queries, before, now, strict=True):
        if (_hit(old) and not _hit(new)) or (_covered(old) and not _covered(new)):
            gone = there.isdisjoint(relevant[query.id])
            lost.append(Lost(query.text, old.top, new.top, gone))
    return Gate(
        len(before),
        (_share(map(_hit, before)), _share(map(_hit, now))),
        (_share(map(_covered, before)), _share(map(_covered, now))),
        tolerance,
        tuple(lost),
        sum(_hit(new) and not _hit(old) for old, new in zip(before, now, strict=True)),
    )


def _hit(outcome: Outcome) -> bool:
    return outcome.rank == 1


def _covered(outcome: Outcome) -> bool:
    return outcome.status != "not_covered"


def _share(flags: Iterable[bool]) -> float:
    found = [*flags]
    return sum(found) / len(found) if found else 0.0
