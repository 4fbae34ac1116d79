"""Outcomes → figures with intervals: the measures of retrieval, and those of abstention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from policy_qa.evaluation.abstention import (
    area_under_roc,
    calibration_error,
    coverage,
    once,
)
from policy_qa.evaluation.intervals import Estimate, draws, estimate, estimate_share
from policy_qa.evaluation.measures import HITS, MEASURES, Outcome, table

AREA = "area under ROC"
COVERAGE = "coverage at 95% precision"
CALIBRATION = "calibration error"
WRONG = "wrong answers"
ANSWERED = "answered"
ABSTENTION = (AREA, COVERAGE, CALIBRATION, WRONG, ANSWERED)
"""What is measured of confidence, in the order it is shown."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured of some queries.

    Attributes:
        covered: How many of them something answers.
        uncovered: How many of them nothing answers.
        measures: Each of `MEASURES`; empty if nothing answers any.
        abstention: Those of `ABSTENTION` that can be measured; empty for a run made elsewhere.
    """

    covered: int
    uncovered: int
    measures: Mapping[str, Estimate]
    abstention: Mapping[str, Estimate]


def figures(
    covered: Sequence[Outcome], uncovered: Sequence[Outcome], others: Sequence[Outcome] = ()
) -> Figures:
    """Measure some queries.

    Args:
        covered: Queries that something answers.
        uncovered: Queries that nothing answers.
        others: The covered queries that uncovered ones are told from where none are given; they
            count for the area under ROC only.
    """
    measures: dict[str, Estimate] = {}
    if covered:
        values = table(covered)
        resampled = draws(len(covered)) @ values / len(covered)
        means = values.mean(axis=0)
        measures = {
            name: estimate_share(float(values[:, column].sum()), len(covered))
            if name in HITS
            else estimate(float(means[column]), resampled[:, column])
            for column, name in enumerate(MEASURES)
        }
    return Figures(len(covered), len(uncovered), measures, _abstention(covered, uncovered, others))


def _abstention(
    covered: Sequence[Outcome], uncovered: Sequence[Outcome], others: Sequence[Outcome]
) -> dict[str, Estimate]:
    asked = [*covered, *uncovered]
    if not asked or any(outcome.confidence is None for outcome in asked):
        return {}
    confidence = np.array([outcome.confidence for outcome in asked], np.float64)
    right = np.array([outcome.rank == 1 for outcome in asked])
    answered = np.array([outcome.status == "answered" for outcome in asked])
    plain, drawn = once(len(asked)), draws(len(covered), len(uncovered))
    found: dict[str, Estimate] = {}
    if uncovered and (covered or others):
        found[AREA] = _area(covered or others, uncovered)
    if covered:
        for name, measure in ((COVERAGE, coverage), (CALIBRATION, calibration_error)):
            value = float(measure(confidence, right, plain)[0])
            found[name] = estimate(value, measure(confidence, right, drawn))
    for name, flags in ((WRONG, answered & ~right), (ANSWERED, answered)):
        found[name] = estimate_share(float(flags.sum()), len(asked))
    return found


def _area(covered: Sequence[Outcome], uncovered: Sequence[Outcome]) -> Estimate:
    confidence = np.array([o.confidence for o in (*covered, *uncovered)], np.float64)
    answerable = np.arange(len(confidence)) < len(covered)
    value = area_under_roc(confidence, answerable, once(len(confidence)))
    drawn = draws(len(covered), len(uncovered))
    return estimate(float(value[0]), area_under_roc(confidence, answerable, drawn))
