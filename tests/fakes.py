"""An encoder whose vectors can be worked out by hand, and small knowledge bases made with it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa import Document, KnowledgeBase


class LetterEncoder:
    """Counts letters: the number of characters whose code is n modulo `dim`, to unit length.

    A text without any visible character gets the first unit vector. Queries and passages are
    encoded alike.
    """

    def __init__(self, identity: str = "letters-1", dim: int = 64) -> None:
        self.identity = identity
        self.dim = dim
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return `(len(texts), dim) float32`, unit rows."""
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return `(len(texts), dim) float32`, unit rows."""
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.encoded += texts
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for character in text:
                if not character.isspace():
                    vectors[row, ord(character) % self.dim] += 1
            if not vectors[row].any():
                vectors[row, 0] = 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


RETURNS = Document(
    "shop/returns.txt",
    "1. May I return shoes?\nYes, within 7 days. Keep the box.\n"
    "2. Who pays for the parcel?\nThe buyer pays. The seller pays if the shoes are broken.\n",
    ("shop",),
)
PARKING = Document("site/parking.txt", "Where may I park?\nBehind the hall.\n", ("site", "outside"))


def build(path: Path, *documents: Document, encoder: LetterEncoder | None = None) -> KnowledgeBase:
    """Build a knowledge base of these documents, or of both above."""
    return KnowledgeBase.build(
        documents or (RETURNS, PARKING), path, model=encoder or LetterEncoder()
    )
