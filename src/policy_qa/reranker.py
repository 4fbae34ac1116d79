"""A cross-encoder that puts the best entries in a new order, for those who have one.

It reads the query beside the text, which an encoder of vectors cannot. Only the first `RERANKED`
entries are worth its time; they change places among themselves, so none falls below the others.

A re-ranked hit has the score (1 + logistic(the cross-encoder's score)) / 2, from .5 to 1, and all
others half of their fused score, so that scores descend along the list although the two kinds do
not compare, and a hit's score depends on nothing but the query and the hit. Two more components:
    fused     the fused score that the hit had
    reranker  the cross-encoder's score, of any range
The shares stay with the ranks, for confidence asks how far the best hit stands out; all other
components are the hit's own.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from policy_qa.encoders.fingerprint import fingerprint
from policy_qa.encoders.loading import Kind, local_first, start
from policy_qa.errors import EncoderError
from policy_qa.settings import RERANKED
from policy_qa.types import Hit, Reranker

__all__ = ["CrossEncoderReranker", "Reranker", "load_reranker", "rerank"]

_KIND = Kind("reranker", "cross-encoder", "--reranker", "config.json")


def load_reranker(name_or_folder: str) -> Reranker:
    """Return the cross-encoder of that name or folder.

    Raises:
        EncoderError: If it cannot be found or loaded, or is no cross-encoder.
    """
    return CrossEncoderReranker(name_or_folder)


def rerank(reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits with the first `RERANKED` in a new order; ties stay as they were.

    Args:
        reranker: Judges them.
        query: As it was typed.
        hits: Best first, by fused score.

    Raises:
        EncoderError: If the reranker does not give one finite score for each text.
    """
    first, rest = hits[:RERANKED], hits[RERANKED:]
    if not first:
        return []
    scores = np.asarray(reranker.scores(query, [_text(hit) for hit in first]), np.float32)
    if scores.shape != (len(first),) or not np.isfinite(scores).all():
        raise EncoderError(
            f"The reranker {reranker.identity} gave scores of the shape {scores.shape} for "
            f"{len(first)} texts, or some that are no finite numbers. Use another, or none."
        )
    order = np.argsort(-scores, kind="stable")
    shares = [hit.components["share"] for hit in first]
    judged = [
        _judged(first[n], rank, float(scores[n]), share)
        for rank, (n, share) in enumerate(zip(order, shares, strict=True), start=1)
    ]
    return judged + [_not_judged(hit) for hit in rest]


def _text(hit: Hit) -> str:
    """Return the entry's question and its best passage, unless that is the question."""
    if not hit.question:
        return hit.passage.text
    return hit.question if hit.passage.is_question else f"{hit.question}\n{hit.passage.text}"


def _judged(hit: Hit, rank: int, score: float, share: float) -> Hit:
    components = {**hit.components, "fused": hit.score, "reranker": score, "share": share}
    logistic = (1 + math.tanh(score / 2)) / 2  # exp would overflow
    return replace(hit, rank=rank, score=(1 + logistic) / 2, components=components)


def _not_judged(hit: Hit) -> Hit:
    components = {**hit.components, "fused": hit.score}
    return replace(hit, score=min(hit.score, 1.0) / 2, components=components)  # 1.0000001 happens


class CrossEncoderReranker:
    """A `CrossEncoder` of sentence-transformers. Safe to use from several threads.

    What of a query and a text is longer than the model reads is cut off at the end of the longer.
    """

    def __init__(self, name_or_folder: str) -> None:
        """Load the model.

        Raises:
            EncoderError: If it cannot be found or loaded, or is no cross-encoder.
        """
        self._lock = threading.Lock()  # fast tokenizers refuse two threads at once
        with start(_KIND, name_or_folder):
            self._model = local_first(_KIND, name_or_folder, _load)
            _check(name_or_folder, self._model)
            revision = fingerprint(self._model, pooler=True)[:12]
            self.identity = f"cross-encoder:{Path(name_or_folder).name}:{revision}"
            self.scores("How long?", ["買家可以等多久？"])

    def scores(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return `(len(texts),) float32`, log odds where the model was trained for them."""
        pairs = [(query, text) for text in texts]
        with self._lock:
            return np.asarray(self._model.predict(pairs, show_progress_bar=False), np.float32)


def _load(model: str, **options: Any) -> Any:
    from sentence_transformers import CrossEncoder  # noqa: PLC0415 (heavy)
    from torch.nn import Identity  # noqa: PLC0415 (heavy)

    # A logistic in 32 bits would make all good texts equal.
    return CrossEncoder(model, activation_fn=Identity(), **options)


def _check(name: str, model: Any) -> None:
    """Refuse what sentence-transformers makes a cross-encoder of by a layer of random numbers."""
    held = getattr(model.config, "architectures", None) or ()
    if type(model.model).__name__ not in held:
        raise _KIND.refusal(name, "it is a model of another kind, not a cross-encoder")
    if model.num_labels != 1:
        raise _KIND.refusal(name, f"it sorts into {model.num_labels} classes; one score is needed")
