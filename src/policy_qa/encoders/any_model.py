"""Any sentence-transformers model, with its own query and passage prompts, on torch."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from policy_qa.encoders.windows import pooled
from policy_qa.errors import EncoderError
from policy_qa.settings import ENCODER_THREADS
from policy_qa.types import Vectors

_PROBE = "How long may a buyer wait? 買家可以等多久？"


class AnyModelEncoder:
    """A model of sentence-transformers, by its name or folder.

    The identity holds the hash of a probe's vector: another revision under the same name is
    another encoder.
    """

    def __init__(self, model: str) -> None:
        """Load the model.

        Raises:
            EncoderError: If it cannot be found or loaded.
        """
        import torch  # noqa: PLC0415 (heavy)
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 (heavy)

        torch.set_num_threads(ENCODER_THREADS)
        try:
            self._model = SentenceTransformer(model, trust_remote_code=False)
            dimension = self._model.get_embedding_dimension()
            probe = self.encode_passages([_PROBE])
        except Exception as error:  # the libraries raise dozens of kinds for one user error
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EncoderError(
                f"Cannot load the model {model!r}: {reason} "
                "Give a sentence-transformers model's folder, or leave --model out."
            ) from error
        self.dim = int(dimension or probe.shape[1])
        revision = hashlib.sha256(np.round(probe, 3).tobytes()).hexdigest()[:12]
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
        if len(text) < 2 or len(self._model.tokenizer.tokenize(text)) <= room:
            return [text]
        middle = len(text) // 2
        return self._windows(text[:middle]) + self._windows(text[middle:])


_PROMPT_ROOM = 32
"""Tokens kept for a model's prompt and marks."""
