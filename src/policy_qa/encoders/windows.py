"""Long texts, in windows that the encoder can read whole, so that nothing is cut off."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def token_windows(ids: Sequence[int], room: int) -> list[Sequence[int]]:
    """Return the ids in as few windows of at most `room` as there can be; one if there are none."""
    return [ids[start : start + room] for start in range(0, max(len(ids), 1), room)]


def pooled(vectors: npt.NDArray[np.float32], lengths: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return the unit mean of unit rows, weighted by the number of tokens of each window.

    Args:
        vectors: `(windows, dim) float32`, unit rows.
        lengths: `(windows,)`, tokens.

    Returns:
        `(dim,) float32`, unit.
    """
    if len(vectors) == 1:
        return np.asarray(vectors[0])
    mean = np.average(vectors, axis=0, weights=[max(n, 1) for n in lengths])
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)
