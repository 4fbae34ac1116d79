"""BM25, as Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).

With tantivy's constants and its lengths, so that its scores, those of the forward index and those
of an engine are the same.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

K1: Final = 1.2
B: Final = 0.75

_EXACT_LENGTHS: Final = 24
"""Tokens; tantivy keeps the length of a text in one byte: longer ones with four significant bits of
what is beyond."""


def inverse_document_frequency(held: float, rows: int) -> float:
    """Return ln(1 + (N - n + 0.5) / (n + 0.5)) of a token that `held` of so many rows hold."""
    held = min(held, rows)
    return math.log(1 + (rows - held + 0.5) / (held + 0.5))


def saturation(
    counts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], average: float
) -> npt.NDArray[np.float64]:
    """Return the parts of BM25 beside the inverse document frequency.

    Args:
        counts: How often a token occurs in a text, in any shape.
        lengths: Of the texts, in tokens, in a shape that fits.
        average: Length of a text, in tokens.
    """
    norm = K1 * (1 - B + B * _kept(lengths) / average)
    return np.asarray(counts * (K1 + 1) / (counts + norm), np.float64)


def _kept(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return lengths as tantivy keeps them."""
    beyond = lengths - _EXACT_LENGTHS
    bits = np.frexp(np.maximum(beyond, 1).astype(np.float64))[1]  # as int.bit_length
    shift = np.maximum(bits - 4, 0)
    return np.where(beyond < 16, lengths, _EXACT_LENGTHS + (beyond >> shift << shift))
