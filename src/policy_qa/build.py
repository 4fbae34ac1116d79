"""Entries to a new generation: split, fold, encode, index, publish."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.centring import Centres, language
from policy_qa.dense import DenseIndex
from policy_qa.errors import CorpusError
from policy_qa.folding import fold
from policy_qa.lexical import LexicalIndex
from policy_qa.passages import context, passages
from policy_qa.settings import FORMAT_VERSION
from policy_qa.storage import (
    CENTRES_FILE,
    DENSE_FILE,
    LEXICAL_FOLDER,
    STORE_FILE,
    Manifest,
    VectorCache,
    new_generation,
    publish,
    writing,
)
from policy_qa.store import StoreWriter
from policy_qa.tokens import tokens
from policy_qa.types import Document, Encoder, Entry, Vectors

Progress = Callable[[int, int], None]
"""Told how many passages have vectors, and how many there are."""

_BATCH = 256
"""Passages encoded between two writes to the vector cache: about a second's work."""


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A passage as the indexes see it: the folded text, with its entry's question in front."""

    text: str
    document: str
    tags: tuple[str, ...]


def build_generation(
    parsed: Sequence[tuple[Document, Sequence[Entry]]],
    path: Path,
    encoder: Encoder,
    *,
    corpus: str,
    model: str,
    index_questions: bool = True,
    progress: Progress | None = None,
) -> Manifest:
    """Build a generation of these documents and make it current.

    Args:
        parsed: Documents, whose ids differ, with their entries.
        path: The knowledge base; made if it does not exist.
        encoder: Of the passages.
        corpus: Where the documents came from, for the manifest.
        model: The name of the encoder's model, for the manifest.
        index_questions: False leaves the questions and headings out of both indexes, to measure
            what is found by the answers alone.
        progress: Told of the encoding.

    Raises:
        CorpusError: If no document has an entry, or two have the same id.
        KnowledgeBaseError: If the place cannot be used.
        StorageError: If the disk is full or refuses to be written.
    """
    _check_ids(parsed)
    with writing(path), new_generation(path) as (number, folder):
        store = StoreWriter(folder / STORE_FILE)
        try:
            indexed = _fill(store, parsed, index_questions=index_questions)
            counts = store.counts
        finally:
            store.close()
        if not indexed:
            raise CorpusError(f"The corpus {corpus} holds no entry. Put documents with text there.")
        cache = VectorCache(path / "vectors.sqlite", encoder.identity, encoder.dim)
        try:
            texts = [passage.text for passage in indexed.values()]
            vectors = _vectors(texts, encoder, cache, progress)
        finally:
            cache.close()
        rows = np.fromiter(indexed, np.int64, len(indexed))
        languages = Counter(language(text) for text in texts)
        centres = Centres.of(encoder, languages)
        centres.save(folder / CENTRES_FILE)
        DenseIndex.build(rows, centres.passage_vectors(texts, vectors)).save(folder / DENSE_FILE)
        LexicalIndex.build(
            folder / LEXICAL_FOLDER,
            ((row, tokens(p.text), p.document, p.tags) for row, p in indexed.items()),
        )
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            generation=number,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            corpus=corpus,
            model=model,
            encoder=encoder.identity,
            dim=encoder.dim,
            questions_indexed=index_questions,
            documents=counts["documents"],
            entries=counts["entries"],
            passages=counts["passages"],
            languages=dict(languages),
            files={},
        )
        return publish(path, folder, manifest)


def _check_ids(parsed: Sequence[tuple[Document, Sequence[Entry]]]) -> None:
    seen = set()
    for document, _ in parsed:
        if document.id in seen:
            raise CorpusError(f"Two documents have the id {document.id!r}. Rename one of them.")
        seen.add(document.id)


def _fill(
    store: StoreWriter,
    parsed: Sequence[tuple[Document, Sequence[Entry]]],
    *,
    index_questions: bool,
) -> dict[int, _Indexed]:
    """Write everything to the store; return what is to be indexed, by row."""
    indexed = {}
    for document, entries in parsed:
        document_number = store.add_document(document)
        for entry in entries:
            entry_number = store.add_entry(entry, document_number)
            question = fold(context(document, entry)) if index_questions else ""
            for passage in passages(document, entry):
                row = store.add_passage(passage, entry_number)
                if passage.span.end <= entry.question.end:
                    if not index_questions:
                        continue
                    text = fold("\n".join((*entry.path, passage.text)))
                else:
                    text = f"{question}\n{fold(passage.text)}".strip()
                indexed[row] = _Indexed(text, document.id, document.tags)
    return indexed


def _vectors(
    texts: Sequence[str], encoder: Encoder, cache: VectorCache, progress: Progress | None
) -> Vectors:
    """Return `(len(texts), dim) float32`, unit rows, encoding only what the cache lacks."""
    keys = [cache.key(text) for text in texts]
    known = cache.get(keys)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    done = len(texts) - len(missing)
    for batch in _batches(sorted(missing.items(), key=lambda item: len(item[1]))):
        vectors = encoder.encode_passages([text for _, text in batch]).astype(np.float16)
        fresh = {key: vector.tobytes() for (key, _), vector in zip(batch, vectors, strict=True)}
        cache.put(fresh.items())
        known |= fresh
        done += len(batch)
        if progress:
            progress(min(done, len(texts)), len(texts))
    rows = np.frombuffer(b"".join(known[key] for key in keys), np.float16)
    return _unit(rows.reshape(len(texts), encoder.dim).astype(np.float32))


def _unit(vectors: npt.NDArray[np.float32]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _batches(items: Sequence[tuple[bytes, str]]) -> Iterator[Sequence[tuple[bytes, str]]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
