"""One set, every run of it: ask, measure, slice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from policy_qa.evaluation.figures import figures
from policy_qa.evaluation.indexes import Searched
from policy_qa.evaluation.judgments import Query
from policy_qa.evaluation.measures import (
    DEPTH,
    DEPTH_OF_GROUPS,
    outcomes,
    uncovered_outcomes,
)
from policy_qa.evaluation.perturbations import (
    DROPPED,
    MISTYPED,
    OTHER_SCRIPT,
    PERTURBATIONS,
    perturbed,
)
from policy_qa.evaluation.results import RunResult
from policy_qa.evaluation.runs import Asked, Run, Searcher, ask_queries
from policy_qa.evaluation.sets import EvaluationSet
from policy_qa.evaluation.slices import relations, slices

QUESTIONS_INDEXED = "questions indexed"
QUESTIONS_LEFT_OUT = "questions left out (answers only)"

FILE_NAMES = {
    QUESTIONS_INDEXED: "questions-indexed",
    QUESTIONS_LEFT_OUT: "answers-only",
    OTHER_SCRIPT: "other-script",
    DROPPED: "dropped",
    MISTYPED: "mistyped",
}
"""What the file of each run is called."""

Note = Callable[[str], None]
"""Told, in one line, what was not run and why."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One run to make."""

    name: str
    searcher: Searcher
    queries: tuple[Query, ...]
    unanswerable: tuple[Query, ...]


def experiment(
    evaluation_set: EvaluationSet, searched: Searched, note: Note, *, perturb: bool = False
) -> Iterator[tuple[RunResult, Run]]:
    """Make and measure every run of a set.

    Args:
        evaluation_set: What to ask, and what is right.
        searched: Where to search.
        note: Told what is left out.
        perturb: Also ask each query in the ways of `PERTURBATIONS`.

    Yields:
        Each run measured, and what was found for the queries that something answers.
    """
    top_k = DEPTH_OF_GROUPS if evaluation_set.grouped else DEPTH
    for plan in _plans(evaluation_set, searched, note, perturb=perturb):
        asked = ask_queries(
            plan.searcher, (*plan.queries, *plan.unanswerable), top_k, searched.name
        )
        related = relations(evaluation_set, plan.queries, searched.texts)
        run = {query.id: asked.run[query.id] for query in plan.queries}
        yield measured(evaluation_set, plan.name, asked, related, plan.unanswerable), run


def measured(
    evaluation_set: EvaluationSet,
    name: str,
    asked: Asked,
    related: Mapping[str, str],
    unanswerable: Sequence[Query] = (),
) -> RunResult:
    """Measure a run as a whole and by slices.

    Args:
        evaluation_set: What is right.
        name: Of the run.
        asked: What was found.
        related: Query id → relation of scripts; empty if the entries are not known.
        unanswerable: Those that were asked of the queries that nothing answers.
    """
    covered = outcomes(evaluation_set, asked)
    uncovered = uncovered_outcomes(unanswerable, asked)
    parts = slices(evaluation_set.queries, unanswerable, (covered, uncovered), related)
    return RunResult(name, figures(covered, uncovered), tuple(parts), covered, uncovered)


def _plans(
    evaluation_set: EvaluationSet, searched: Searched, note: Note, *, perturb: bool
) -> Iterator[_Plan]:
    queries, unanswerable = evaluation_set.queries, evaluation_set.unanswerable
    yield _Plan(QUESTIONS_INDEXED, searched.whole, queries, unanswerable)
    if searched.answers_only:
        yield _Plan(QUESTIONS_LEFT_OUT, searched.answers_only, queries, unanswerable)
    else:
        note(f"{evaluation_set.name}: {searched.why}")
    given = {query.id: query.text for query in evaluation_set.other_script}
    if given:
        # A query that the file lacks is written alike in both scripts.
        converted = perturbed(queries, lambda query: given.get(query.id, query.text))
        yield _Plan(OTHER_SCRIPT, searched.whole, converted, ())
    for name, way in PERTURBATIONS.items():
        if not perturb or (name == OTHER_SCRIPT and given):
            continue
        changed = perturbed(queries, way)
        if changed == queries:
            note(f"{evaluation_set.name}: no query changes: no run of {name}")
            continue
        yield _Plan(name, searched.whole, changed, perturbed(unanswerable, way))
