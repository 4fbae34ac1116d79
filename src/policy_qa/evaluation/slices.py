"""Slices of a set: the questions of one language, kind or split, or of one relation of scripts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from policy_qa.evaluation.figures import Figures, figures
from policy_qa.evaluation.judgments import Query
from policy_qa.evaluation.measures import Outcome
from policy_qa.evaluation.scripts import RELATIONS, relation
from policy_qa.evaluation.sets import EvaluationSet

LANGUAGE, KIND, SPLIT, SCRIPT = "language", "kind", "split", "script"


@dataclass(frozen=True, slots=True)
class Slice:
    """The questions that have something in common.

    Attributes:
        by: What they have in common: `LANGUAGE`, `KIND`, `SPLIT` or `SCRIPT`.
        name: What it is, such as `zh-Hant`.
        figures: What is measured of them alone.
    """

    by: str
    name: str
    figures: Figures


def relations(
    evaluation_set: EvaluationSet, queries: Sequence[Query], texts: Mapping[str, str]
) -> dict[str, str]:
    """Return how the script of each query stands to that of the entries that answer it.

    Args:
        evaluation_set: Whose qrels say what answers.
        queries: As they were asked, by the ids of the set.
        texts: Of all entries, by id; empty if they are not known.
    """
    if not texts:
        return {}
    members: dict[str, list[str]] = {}
    for entry_id, text in texts.items():
        members.setdefault(evaluation_set.label(entry_id), []).append(text)
    relevant = evaluation_set.relevant
    return {
        query.id: _relation(
            query.text,
            tuple(
                text
                for label, grade in relevant[query.id].items()
                if grade > 0
                for text in members.get(label, ())
            ),
        )
        for query in queries
    }


@lru_cache(maxsize=4_096)
def _relation(query: str, relevant: tuple[str, ...]) -> str:
    return relation(query, relevant)


def slices(
    queries: Sequence[Query],
    unanswerable: Sequence[Query],
    outcomes: tuple[Sequence[Outcome], Sequence[Outcome]],
    related: Mapping[str, str],
) -> Iterator[Slice]:
    """Measure every slice: by language, kind, split, and relation of scripts.

    A slice that holds only questions that nothing answers is told from all covered questions.

    Args:
        queries: That something answers.
        unanswerable: That nothing answers.
        outcomes: Of both, in the same order.
        related: Query id → relation of scripts; may be empty.
    """
    ways: dict[str, Callable[[Query], str]] = {
        LANGUAGE: lambda query: query.lang,
        KIND: lambda query: query.kind,
        SPLIT: lambda query: query.split,
        SCRIPT: lambda query: related.get(query.id, ""),
    }
    for by, way in ways.items():
        names = dict.fromkeys(way(query) for query in (*queries, *unanswerable))
        order = [name for name in RELATIONS if name in names] if by == SCRIPT else sorted(names)
        for name in filter(None, order):
            covered, uncovered = (
                [
                    outcome
                    for query, outcome in zip(asked, became, strict=True)
                    if way(query) == name
                ]
                for asked, became in zip((queries, unanswerable), outcomes, strict=True)
            )
            yield Slice(by, name, figures(covered, uncovered, outcomes[0]))
