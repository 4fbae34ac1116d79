"""The default model at work: the files of its folder, and the text's way through them."""

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.encoders.windows import pooled, token_windows

RECIPE = 1
"""Raised when the files made from the same carrier change."""

GRAPH_FILE = "onnx/encoder.onnx"
VOCABULARY_FILE = "sentencepiece.bpe.model"
WEIGHTS_FILE = "model.safetensors"

_BOS, _EOS, _UNKNOWN = 0, 2, 3
_MAX_TOKENS = 512
_WORDS = "embeddings.word_embeddings.weight"


class Runtime:
    """The loaded files of one model folder. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        # ONNX Runtime keeps usage records in the user's cache unless told not to before its import.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime  # noqa: PLC0415 (heavy)
        import sentencepiece  # noqa: PLC0415 (heavy)

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
