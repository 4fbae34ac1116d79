"""The default encoder: multilingual-e5-small in ONNX Runtime, 8 bits.

Each text is encoded alone, on one thread, and several texts at once on several threads: there is
no padding, and a text's vector never depends on its neighbours. `benchmarks/encoder_paths.py` has
the other ways that were measured.
"""

import json
import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.encoders.carrier import CARRIER_SHA256
from policy_qa.encoders.windows import pooled, token_windows
from policy_qa.settings import ENCODER_THREADS
from policy_qa.types import Vectors

DEFAULT_MODEL = "multilingual-e5-small"
DIM = 384
_RECIPE = 1
_BOS, _EOS, _UNKNOWN = 0, 2, 3
_MAX_TOKENS = 512
_WORDS = "embeddings.word_embeddings.weight"


class E5Encoder:
    """The default encoder; loaded at its first use.

    The identity names the carrier's hash and the recipe of the 8-bit graph.
    """

    identity = f"{DEFAULT_MODEL}:{CARRIER_SHA256[:12]}:int8-{_RECIPE}"
    dim = DIM

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), 384) float32`, unit rows."""
        return self._encode([f"query: {text}" for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), 384) float32`, unit rows."""
        return self._encode([f"passage: {text}" for text in texts])

    @cached_property
    def _runtime(self) -> "Runtime":
        from policy_qa.encoders.model_folder import check_folder, model_folder  # noqa: PLC0415

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


class Runtime:
    """The loaded files of one model folder. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415 (heavy)
        import sentencepiece  # noqa: PLC0415 (heavy)

        from policy_qa.encoders.model_folder import (  # noqa: PLC0415 (imports the other way)
            GRAPH_FILE,
            VOCABULARY_FILE,
            WEIGHTS_FILE,
        )

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        graph = str(folder / GRAPH_FILE)
        self._session = onnxruntime.InferenceSession(graph, options, providers=providers)
        vocabulary = str(folder / VOCABULARY_FILE)
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=vocabulary)
        self._words = _mapped_tensor(folder / WEIGHTS_FILE, _WORDS)

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        """Return the text's `(384,) float32` unit vector; long texts are read in windows."""
        windows = token_windows(self._ids(text), _MAX_TOKENS - 2)
        vectors = [self._vector([_BOS, *window, _EOS]) for window in windows]
        return pooled(np.stack(vectors), [len(window) for window in windows])

    def _ids(self, text: str) -> list[int]:
        """XLM-R's ids: one more than SentencePiece's, but for the unknown piece."""
        return [piece + 1 if piece else _UNKNOWN for piece in self._pieces.encode(text)]

    def _vector(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        (vector,) = self._session.run(None, {"embeddings": self._words[ids]})
        return np.asarray(vector)


def _mapped_tensor(path: Path, name: str) -> npt.NDArray[np.float32]:
    """Return a float32 matrix of a safetensors file, read from disk row by row as it is used."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))[name]
    offset = 8 + length + header["data_offsets"][0]
    return np.memmap(path, np.float32, "r", offset, tuple(header["shape"]))
