"""Statutes for measuring at scale, and vectors for them that cost little.

The text is real: articles of law from `../shared/data/statutes/statutes.jsonl.gz` beside the
checkout, each an entry; beyond their number they come again, each with the second half of another
one. To encode a million passages takes hours, so `DistilledEncoder` stands in for the default
encoder: a linear map from hashed character pairs, fitted to the default encoder's vectors of some
thousand articles, plus noise of the variance that the map does not explain. Its vectors are spread
like the real ones, are near where texts are, and no two of different texts are the same. Queries
are real lay questions, encoded by the default encoder.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path
from scipy.sparse import csr_matrix

from policy_qa import Document
from policy_qa.encoders import load_encoder
from policy_qa.folding import fold

DATA = Path(
    os.environ.get("POLICY_QA_DATA") or Path(__file__).parents[2] / "shared" / "data"
).resolve()
CACHE = user_cache_path("policy-qa") / "benchmarks"
FITTED_ON = 12_000
"""Articles that the default encoder encodes for the map: ten minutes of a busy machine, once."""

_FEATURES = 8_192
_RIDGE = 1.0
_PER_DOCUMENT = 200
_CHARACTERS = 200

Vectors = npt.NDArray[np.float32]


def articles() -> Iterator[tuple[str, str]]:
    """Yield title and text of every article, further rounds recombined."""
    if not DATA.is_dir():
        raise SystemExit(f"The statutes are not at {DATA}. Name their place in POLICY_QA_DATA.")
    with gzip.open(DATA / "statutes" / "statutes.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [(one["title"], one["text"]) for one in map(json.loads, lines)]
    yield from found
    shift = 1
    while True:
        others = found[shift:] + found[:shift]
        for (title, text), (_, other) in zip(found, others, strict=True):
            cut = "\n".join(text[: len(text) // 2].splitlines())
            yield f"{title}之{shift}", f"{cut}，{other[len(other) // 2 :]}"
        shift += 1


def documents(entries: int) -> Iterator[Document]:
    """Yield documents of articles, numbered question by question; so many entries or a few more."""
    left = islice(articles(), entries)
    number = 0
    while some := list(islice(left, _PER_DOCUMENT)):
        text = "\n".join(
            f"{place}. {title}？\n" + " ".join(body.split())
            for place, (title, body) in enumerate(some, start=1)
        )
        yield Document(f"statutes/{number:05}.txt", text + "\n", (f"book-{number % 50}",))
        number += 1


def questions() -> list[str]:
    """Return lay questions about statutes."""
    lines = (DATA / "dev" / "stard" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def real_vectors() -> tuple[list[str], Vectors]:
    """Return folded articles and their `(FITTED_ON, dim) float32` unit vectors; encoded once."""
    texts = [
        fold(f"{title}\n{text}")[:_CHARACTERS] for title, text in islice(articles(), FITTED_ON)
    ]
    return texts, _remembered("articles", texts, load_encoder().encode_passages)


def _remembered(name: str, texts: Sequence[str], encode: Any) -> Vectors:
    key = hashlib.sha256("\0".join([load_encoder().identity, *texts]).encode()).hexdigest()[:16]
    file = CACHE / f"{name}-{key}.npy"
    if file.exists():
        return np.asarray(np.load(file))
    CACHE.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(texts), 500):
        part = file.with_name(f"{file.stem}.{start}.part.npy")
        if not part.exists():
            np.save(part, encode(texts[start : start + 500]))
        parts.append(part)
    vectors = np.concatenate([np.load(part) for part in parts])
    np.save(file, vectors)
    for part in parts:
        part.unlink()
    return vectors


class DistilledEncoder:
    """Encodes passages by a fitted linear map, queries by the default encoder."""

    identity, dim = f"distilled-{FITTED_ON}", 384

    def __init__(self) -> None:
        self._queries = load_encoder()
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), 384) float32`, unit rows."""
        return self._queries.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), 384) float32`, unit rows."""
        weights, noise = self._map
        vectors = _features(texts) @ weights
        for row, text in enumerate(texts):
            digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
            start = int.from_bytes(digest) % (len(noise) - self.dim)
            vectors[row] += noise[start : start + self.dim]
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    @cached_property
    def _map(self) -> tuple[Vectors, Vectors]:
        file = CACHE / f"map-{FITTED_ON}-{_FEATURES}.npz"
        if not file.exists():
            texts, vectors = real_vectors()
            features = _features(texts)
            square = (features.T @ features).toarray()
            square[np.diag_indices_from(square)] += _RIDGE
            weights = np.linalg.solve(square, features.T @ vectors).astype(np.float32)
            left = float(np.std(vectors - features @ weights))
            np.savez(file, weights=weights, left=left)
        with np.load(file) as kept:
            weights, left = kept["weights"], float(kept["left"])
        noise = np.random.default_rng(0).normal(0, left, 2**20).astype(np.float32)
        return weights, noise


def _features(texts: Sequence[str]) -> Any:
    """Return the `(len(texts), _FEATURES)` frequencies of hashed characters and pairs."""
    columns, starts = [], [0]
    for text in texts:
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        pairs = codes[:-1] * np.uint32(2_654_435_761) ^ codes[1:] * np.uint32(40_503)
        columns.append(np.concatenate([codes * np.uint32(2_246_822_519), pairs * np.uint32(97)]))
        starts.append(starts[-1] + len(columns[-1]))
    places = (np.concatenate(columns) >> np.uint32(7)) % _FEATURES
    values = np.concatenate(
        [np.full(len(part), 1 / max(len(part), 1) ** 0.5, np.float32) for part in columns]
    )
    return csr_matrix((values, places.astype(np.int32), starts), (len(texts), _FEATURES))


if __name__ == "__main__":
    DistilledEncoder().encode_passages(["warm"])
