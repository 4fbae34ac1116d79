"""How sure a figure is: its interval, and the randomisation test for two runs.

Every generator is seeded: the same numbers in give the same numbers out.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES: Final = 1_000
"""Samples of a bootstrap; the ends of a 95% interval then vary by about a fiftieth of its width."""

PERMUTATIONS: Final = 10_000
"""Of a randomisation test; a p of .05 is then good to .004."""

LEVEL: Final = 0.95
"""Of an interval: the share of samples in which it holds the figure of all queries there are."""

_Z: Final = 1.959964
"""Standard deviations on each side of a normal distribution's mean that hold `LEVEL` of it."""

_SEED: Final = 20_070_809
_BLOCK: Final = 1_000
"""Permutations made at once, to bound the memory."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval, each to four decimals."""

    value: float
    low: float
    high: float


def draws(*sizes: int) -> Floats:
    """Return `(RESAMPLES, sum(sizes)) float64`: how often each resample draws each question.

    Each of the groups is resampled by itself, so that it keeps its size.
    """
    generator = np.random.default_rng(_SEED)
    parts = [np.zeros((RESAMPLES, 0))]
    for size in sizes:
        if size:
            chosen = generator.integers(size, size=(RESAMPLES, size))
            places = (chosen + size * np.arange(RESAMPLES)[:, None]).ravel()
            counts = np.bincount(places, minlength=RESAMPLES * size)
            parts.append(counts.reshape(-1, size).astype(np.float64))
    return np.concatenate(parts, axis=1)


def estimate(value: float, resampled: Floats) -> Estimate:
    """Return a figure with its percentile interval, for a figure that is not a plain share.

    The percentile method (Efron, "Nonparametric standard errors and confidence intervals", The
    Canadian Journal of Statistics 9, 1981; Efron and Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 13). Where all queries are alike it has no width.

    Args:
        value: Of the sample itself.
        resampled: `(RESAMPLES,)`, of each resample.
    """
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return _rounded(value, float(low), float(high))


def estimate_share(count: float, n: int) -> Estimate:
    """Return the share of queries for which something is so, with its Wilson score interval.

    It claims no certainty where the share is 0 or 1 (Wilson, "Probable inference, the law of
    succession, and statistical inference", Journal of the American Statistical Association 22,
    1927).

    Args:
        count: For how many it is so.
        n: How many there are, at least one.
    """
    value, square = count / n, _Z**2 / n
    middle = (value + square / 2) / (1 + square)
    half = math.sqrt(square * (value * (1 - value) + square / 4)) / (1 + square)
    return _rounded(value, max(0.0, middle - half), min(1.0, middle + half))


def _rounded(value: float, low: float, high: float) -> Estimate:
    return Estimate(*(round(number, 4) + 0.0 for number in (value, low, high)))


def paired_p(before: Floats, after: Floats) -> float:
    """Return how probable a mean difference at least as large is if the runs are alike.

    The two-sided paired randomisation test (Smucker, Allan and Carterette, "A Comparison of
    Statistical Significance Tests for Information Retrieval Evaluation", CIKM 2007): under the
    null hypothesis, each query's two values may be swapped. All swaps are counted where they are
    no more than `PERMUTATIONS`; otherwise so many are drawn, and the observed one is one of them.

    Args:
        before: `(n,)`, a value for each query.
        after: `(n,)`, the same queries.
    """
    differences = (after - before)[after != before]  # a query without one changes no sum
    n = len(differences)
    least = abs(differences.sum()) - 1e-9
    if 2**n <= PERMUTATIONS:
        swapped = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float(np.mean(np.abs((1 - 2 * swapped) @ differences) >= least))
    generator = np.random.default_rng(_SEED)
    as_large = 0
    for start in range(0, PERMUTATIONS, _BLOCK):
        rows = min(_BLOCK, PERMUTATIONS - start)
        signs = 1.0 - 2.0 * generator.integers(2, size=(rows, n))
        as_large += int(np.sum(np.abs(signs @ differences) >= least))
    return (as_large + 1) / (PERMUTATIONS + 1)
