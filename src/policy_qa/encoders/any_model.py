"""Any sentence-transformers model, with its own query and passage prompts, on torch."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from policy_qa.encoders.fingerprint import fingerprint
from policy_qa.encoders.loading import Kind, local_first, start
from policy_qa.encoders.windows import pooled
from policy_qa.types import Vectors

_KIND = Kind("model", "sentence-transformers model", "--model", "modules.json")
_PROBE = "How long may a buyer wait? 買家可以等多久？"


class AnyModelEncoder:
    """A model of sentence-transformers, by its name or folder. Safe to use from several threads.

    The identity holds the hash of all that the vectors depend on: another revision under the same
    name is another encoder.
    """

    def __init__(self, model: str) -> None:
        """Load the model.

        Raises:
            EncoderError: If it cannot be found or loaded.
        """
        self._lock = threading.Lock()  # fast tokenizers refuse two threads at once
        with start(_KIND, model):
            self._model = local_first(_KIND, model, _load)
            self.dim = self.encode_passages([_PROBE]).shape[1]
            revision = fingerprint(self._model)[:12]
        name = Path(model).name
        self.identity = f"sentence-transformers:{name}:{revision}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""
        return self._encode(texts, "query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""
        prompts = self._model.prompts
        return self._encode(texts, "passage" if prompts.get("passage") else "document")

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        name = prompt if self._model.prompts.get(prompt) else None
        with self._lock:
            windows = [self._windows(text) for text in texts]
            flat = [window for group in windows for window in group]
            vectors = self._model.encode(
                flat, prompt_name=name, normalize_embeddings=True, show_progress_bar=False
            )
        rows = iter(np.asarray(vectors, np.float32))
        found = [
            pooled(np.stack([next(rows) for _ in group]), [len(window) for window in group])
            for group in windows
        ]
        return np.array(found, np.float32).reshape(len(texts), -1)

    def _windows(self, text: str) -> list[str]:
        """Halve a text until each part fits the model, so that nothing is cut off."""
        limit = self._model.get_max_seq_length() or 512
        room = limit - _PROMPT_ROOM if limit > 2 * _PROMPT_ROOM else limit // 2
        if len(text) < 2 or self._count(text) <= room:
            return [text]
        middle = len(text) // 2
        return self._windows(text[:middle]) + self._windows(text[middle:])

    def _count(self, text: str) -> int:
        """Tokens of a text; static models carry the tokenizer of another library."""
        tokenizer: Any = self._model.tokenizer
        if hasattr(tokenizer, "tokenize"):
            return len(tokenizer.tokenize(text))
        return len(tokenizer.encode(text).ids)


_PROMPT_ROOM = 32
"""Tokens kept for a model's prompt and marks."""


def _load(model: str, **options: Any) -> Any:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 (heavy)

    return SentenceTransformer(model, **options)
