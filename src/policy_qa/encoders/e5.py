"""The default encoder: multilingual-e5-small in ONNX Runtime, 8 bits.

Each text is encoded alone, on one thread, and several texts at once on several threads: there is
no padding, and a text's vector never depends on its neighbours. `benchmarks/encoder_paths.py` has
the other ways that were measured.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from policy_qa.encoders.carrier import CARRIER_SHA256
from policy_qa.encoders.model_folder import check_folder, model_folder
from policy_qa.encoders.runtime import RECIPE, Runtime
from policy_qa.settings import ENCODER_THREADS
from policy_qa.types import Vectors

DEFAULT_MODEL = "multilingual-e5-small"
DIM = 384


class E5Encoder:
    """The default encoder; loaded at its first use.

    The identity names the carrier's hash and the recipe of the 8-bit graph.
    """

    identity = f"{DEFAULT_MODEL}:{CARRIER_SHA256[:12]}:int8-{RECIPE}"
    dim = DIM

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), 384) float32`, unit rows."""
        return self._encode([f"query: {text}" for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), 384) float32`, unit rows."""
        return self._encode([f"passage: {text}" for text in texts])

    @cached_property
    def _runtime(self) -> Runtime:
        folder = model_folder()
        check_folder(folder)
        return Runtime(folder)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(min(ENCODER_THREADS, os.cpu_count() or 1), "encoder")

    def _encode(self, texts: Sequence[str]) -> Vectors:
        encode = self._runtime.encode
        if len(texts) < 2:
            return np.array([encode(text) for text in texts], np.float32).reshape(-1, DIM)
        return np.stack(list(self._threads.map(encode, texts)))
