"""How sure a mean is: bootstrap intervals, and the randomisation test for two runs.

Every generator is seeded: the same numbers in give the same numbers out.
"""

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
"""Share of the bootstrap's values within an interval."""

_SEED: Final = 20_070_809
_BLOCK: Final = 1_000
"""Permutations made at once, to bound the memory."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval, each to four decimals."""

    value: float
    low: float
    high: float

    @property
    def margin(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2


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
    """Return a figure with its percentile interval (Efron, "Bootstrap Methods", 1979).

    Args:
        value: Of the sample itself.
        resampled: `(RESAMPLES,)`, of each resample.
    """
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(*(round(float(number), 4) + 0.0 for number in (value, low, high)))


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
