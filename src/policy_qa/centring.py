"""Take off a vector what it owes to its language and to being a question.

The vectors of a multilingual encoder crowd around a direction of their language, so that a few
passages attract every English query whatever it asks, and no threshold can tell likeness from
none. The mean vector of everyday questions, encoded as queries and as passages, stands for that
direction; it is subtracted from queries and passages of its language. It needs no data of the
corpus and works for any encoder. What it gains in ranking is small (`settings.QUERY_CENTRING`,
`eval/results/ablation.md`); likeness, by which confidence judges, is built on it.

After Mu and Viswanath, "All-but-the-Top" (ICLR 2018), with a mean for each language and side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.folding import fold
from policy_qa.settings import QUERY_CENTRING
from policy_qa.types import Encoder, Vectors

LANGUAGES = ("zh", "en")

_QUESTIONS = "generic_questions.txt"
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Centres:
    """The mean vectors of everyday questions.

    Attributes:
        queries: `(len(LANGUAGES), dim) float32`, of the questions encoded as queries.
        passages: `(len(LANGUAGES), dim) float32`, of the questions encoded as passages.
        background: `(len(LANGUAGES),) float32`, the mean likeness of the questions, as queries, to
            the nearest passage of the knowledge base: what a question reaches that it does not
            cover. Zeros until there are passages.
    """

    queries: Vector
    passages: Vector
    background: Vector

    @classmethod
    def of(cls, encoder: Encoder) -> "Centres":
        """Return the centres of an encoder."""
        questions = [_generic_questions()[name] for name in LANGUAGES]
        return cls(
            np.stack([encoder.encode_queries(texts).mean(axis=0) for texts in questions]),
            np.stack([encoder.encode_passages(texts).mean(axis=0) for texts in questions]),
            np.zeros(len(LANGUAGES), np.float32),
        )

    def against(self, encoder: Encoder, nearest: Callable[[Vector], Vector]) -> "Centres":
        """Return the centres with their background.

        Args:
            encoder: Of the questions.
            nearest: Returns the passage vector, `(dim,) float32`, nearest to a query vector.
        """
        background = []
        for name in LANGUAGES:
            texts = _generic_questions()[name]
            pairs = map(self.query_vectors, texts, encoder.encode_queries(texts))
            background.append(np.mean([likeness(nearest(ranked), c) for ranked, c in pairs]))
        return replace(self, background=np.array(background, np.float32))

    def save(self, path: Path) -> None:
        """Write to a file."""
        with path.open("wb") as file:
            arrays = {field.name: getattr(self, field.name) for field in fields(self)}
            np.savez(file, **arrays)

    @classmethod
    def open(cls, path: Path) -> "Centres":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    def query_vectors(self, folded: str, vector: Vector) -> tuple[Vector, Vector]:
        """Return a query's `(dim,)` unit vectors: to rank with; wholly centred, to judge with."""
        centre = self.queries[LANGUAGES.index(language(folded))]
        return _unit(vector - np.float32(QUERY_CENTRING) * centre), _unit(vector - centre)

    def passage_vectors(self, folded: Sequence[str], vectors: Vectors) -> Vector:
        """Return `(n, dim) float32` centred vectors; their lengths still tell passages apart."""
        numbers = [LANGUAGES.index(language(text)) for text in folded]
        return vectors - self.passages[numbers]


def language(folded: str) -> str:
    """Return `zh` for a text with a Han character, `en` for any other."""
    return "zh" if any("\u3400" <= c <= "\u9fff" or c >= "\U00020000" for c in folded) else "en"


def likeness(passage: Vector, centred: Vector) -> float:
    """Return the cosine of a passage's vector and a query's wholly centred one, -1 to 1."""
    return float(passage @ centred / (np.linalg.norm(passage) or 1))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, np.float32)


def _generic_questions() -> dict[str, list[str]]:
    text = resources.files("policy_qa").joinpath(_QUESTIONS).read_text(encoding="utf-8")
    questions: dict[str, list[str]] = {}
    section = ""
    for line in text.splitlines():
        if line in LANGUAGES:
            section = line
            questions[section] = []
        elif line and not line.startswith("#"):
            questions[section].append(fold(line))
    return questions
