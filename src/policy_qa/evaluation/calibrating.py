"""Correct confidence for one knowledge base, by questions of which the right entries are known.

Platt scaling of the general log odds (Platt, "Probabilistic outputs for support vector machines",
1999): a slope and an intercept, by maximum likelihood with Platt's targets, which keep a small set
from claiming certainty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from policy_qa.confidence import Calibration
from policy_qa.errors import EvaluationError
from policy_qa.evaluation.abstention import calibration_error, once

LEAST_OF_EACH = 40
"""Questions with a right best entry, and with none, that a calibration needs: with fewer, its two
numbers are less sure than the general ones."""

_STEPS = 100
_LEAST_STEP = 1e-10
_RIDGE = 1e-3
"""Pulls the slope to 1 and the intercept to 0 where nothing else decides."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration with what it was made of.

    Attributes:
        calibration: The correction.
        right: Questions whose best entry answers.
        wrong: Questions whose best entry does not, or which nothing answers.
        error_before: Expected calibration error of the general confidence on them, 0 to 1.
        error_after: The same of the corrected one, each fifth of the questions corrected by what
            was learned of the other four.
    """

    calibration: Calibration
    right: int
    wrong: int
    error_before: float
    error_after: float


def fit(log_odds: Sequence[float], right: Sequence[bool], costs: Calibration) -> Fitted:
    """Learn the correction of confidence.

    Args:
        log_odds: `(n,)`, the general log odds of the best entry for each question.
        right: `(n,)`, whether that entry answers.
        costs: Whose costs the calibration keeps.

    Raises:
        EvaluationError: If there are too few questions of either kind (says how many it needs), or
            the surer ones are the less often right.
    """
    odds, is_right = np.asarray(log_odds, np.float64), np.asarray(right, np.bool_)
    counts = int(is_right.sum()), int((~is_right).sum())
    if min(counts) < LEAST_OF_EACH:
        raise EvaluationError(
            f"A calibration needs {LEAST_OF_EACH} questions whose best entry answers and "
            f"{LEAST_OF_EACH} without such an entry; the set has {counts[0]} and {counts[1]}. Add "
            "questions to queries.jsonl, and to unanswerable.jsonl some that nothing answers."
        )
    before = _logistic(odds)
    after = np.empty_like(before)
    fifths = np.arange(len(odds)) % 5
    for fifth in range(5):
        slope, intercept = _platt(odds[fifths != fifth], is_right[fifths != fifth])
        chosen = fifths == fifth
        after[chosen] = _logistic(slope * odds[chosen] + intercept)
    slope, intercept = _platt(odds, is_right)
    if slope < 0:
        raise EvaluationError(
            "On these questions the surer answers are the less often right, so nothing can be "
            "learned. Check the qrels: do they judge the entries of this knowledge base?"
        )
    errors = [calibration_error(p, is_right, once(len(p))).item() for p in (before, after)]
    return Fitted(replace(costs, slope=slope, intercept=intercept), *counts, *errors)


def _platt(odds: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and intercept, by Newton's method with steps halved until they gain."""
    n_right, n_wrong = right.sum(), (~right).sum()
    targets = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    rows = np.stack([odds, np.ones_like(odds)], axis=1)
    start = np.array([1.0, 0.0])

    def loss(at: npt.NDArray[np.float64]) -> float:
        corrected = rows @ at
        misfit = np.logaddexp(0, corrected) - targets * corrected
        return float(misfit.sum() + _RIDGE / 2 * ((at - start) ** 2).sum())

    at, lost = start, loss(start)
    for _ in range(_STEPS):
        probability = _logistic(rows @ at)
        slope = rows.T @ (probability - targets) + _RIDGE * (at - start)
        curvature = (rows.T * (probability * (1 - probability))) @ rows + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, slope)
        while np.abs(step).max() > _LEAST_STEP and loss(at - step) > lost:
            step = step / 2
        if np.abs(step).max() <= _LEAST_STEP:
            break
        at = at - step
        lost = loss(at)
    return float(at[0]), float(at[1])


def _logistic(log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((1 + np.tanh(log_odds / 2)) / 2)
