"""Whether confidence tells right answers from wrong ones, and covered questions from others.

Questions that nothing answers have no qrels, so no measure of retrieval sees them. An answer is
right if the best entry is relevant; for a question that nothing answers there is none.

Every function takes a weight for each question and many weightings at once: `(b, n)`, such as how
often each of b resamples draws it (`intervals.draws`). It returns `(b,)`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PRECISION: Final = 0.95
"""Share of the answers given that must be right, for the coverage."""

BINS: Final = 10
"""Of equal mass, for the calibration error."""


def once(n: int) -> Floats:
    """Return `(1, n)`: every question counts once."""
    return np.ones((1, n))


def area_under_roc(confidence: Floats, answerable: Flags, weights: Floats) -> Floats:
    """Return the probability that an answerable question is the surer one; ties count half.

    Args:
        confidence: `(n,)`.
        answerable: `(n,)`, of which some are, and some are not.
        weights: `(b, n)`.
    """
    positive = _by_level(confidence, weights * answerable)
    negative = _by_level(confidence, weights * ~answerable)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return np.asarray((positive * below).sum(axis=1) / pairs)


def coverage(
    confidence: Floats, right: Flags, weights: Floats, precision: float = PRECISION
) -> Floats:
    """Return the largest share of all questions that can be answered with that precision.

    The most confident are answered first, and those of equal confidence together.

    Args:
        confidence: `(n,)`.
        right: `(n,)`, whether the answer is right.
        weights: `(b, n)`.
        precision: The least share of right answers among those given.
    """
    answered = np.cumsum(_by_level(confidence, weights)[:, ::-1], axis=1)
    answered_right = np.cumsum(_by_level(confidence, weights * right)[:, ::-1], axis=1)
    enough = answered_right >= precision * answered - 1e-9
    return np.asarray((answered * enough).max(axis=1, initial=0) / weights.sum(axis=1))


def calibration_error(
    confidence: Floats, right: Flags, weights: Floats, bins: int = BINS
) -> Floats:
    """Return the expected calibration error: the mean gap of confidence and share of right answers.

    Questions ordered by confidence fall into bins of equal mass (Nguyen and O'Connor, EMNLP 2015),
    those of equal confidence into the bin of their middle; each bin's gap counts by its mass.

    Args:
        confidence: `(n,)`.
        right: `(n,)`.
        weights: `(b, n)`.
        bins: How many.
    """
    mass = _by_level(confidence, weights)
    gap = _by_level(confidence, weights * (right - confidence))
    bin_of = bin_numbers(mass, bins)
    sums = [np.abs(np.where(bin_of == number, gap, 0).sum(axis=1)) for number in range(bins)]
    return np.asarray(np.sum(sums, axis=0) / weights.sum(axis=1))


def bin_numbers(mass: Floats, bins: int = BINS) -> npt.NDArray[np.int64]:
    """Return `(b, levels)`: the bin of equal mass in which the middle of each level falls.

    Args:
        mass: `(b, levels)`, by ascending confidence.
        bins: How many.
    """
    middle = np.cumsum(mass, axis=1) - mass / 2
    total = mass.sum(axis=1, keepdims=True)
    return np.asarray(np.minimum((bins * middle / total + 1e-9).astype(np.int64), bins - 1))


def _by_level(confidence: Floats, weights: Floats) -> Floats:
    """Return `(b, levels)`: the weights of equal confidence added up, by ascending confidence."""
    order = np.argsort(confidence, kind="stable")
    levels = confidence[order]
    starts = np.flatnonzero(np.diff(levels, prepend=-np.inf))
    return np.asarray(np.add.reduceat(weights[:, order], starts, axis=1))
