"""Entries to a new generation: split, fold, encode, index, publish."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import opencc

from policy_qa.centring import Centres, language
from policy_qa.dense import DenseIndex
from policy_qa.errors import CorpusError, EncoderError
from policy_qa.folding import fold
from policy_qa.lexical import LexicalIndex
from policy_qa.lexicon import Rule
from policy_qa.passages import context, passages
from policy_qa.settings import FORMAT_VERSION, TEXT_VERSION, VIEW_WEIGHTS
from policy_qa.storage import (
    CENTRES_FILE,
    DENSE_FILE,
    ENTRY_LEXICAL_FOLDER,
    LEXICAL_FOLDER,
    STORE_FILE,
    VECTORS_FILE,
    Manifest,
    new_generation,
    publish,
    writing,
)
from policy_qa.store import StoreWriter
from policy_qa.tokens import tokens
from policy_qa.types import Document, Encoder, Entry, Vectors
from policy_qa.vector_cache import VectorCache

Progress = Callable[[int, int], None]
"""Told how many passages have vectors, and how many there are."""

_BATCH = 256
"""Passages encoded between two writes to the vector cache: about a second's work."""


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A passage as the indexes see it, folded.

    Attributes:
        row: In the store.
        text: With its entry's question in front.
        alone: Without.
        whole: Its whole entry.
        entry: Its entry's number.
        document: Its document's id.
        tags: Its document's tags.
    """

    row: int
    text: str
    alone: str
    whole: str
    entry: int
    document: str
    tags: tuple[str, ...]


def build_generation(
    parsed: Sequence[tuple[Document, Sequence[Entry]]],
    path: Path,
    encoder: Encoder,
    *,
    corpus: str,
    model: str,
    rules: Sequence[Rule] = (),
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
        rules: Of the corpus's lexicon.
        index_questions: False leaves the questions and headings out of both indexes, to measure
            what is found by the answers alone.
        progress: Told of the encoding.

    Raises:
        CorpusError: If no document has an entry, two have the same id, or one is not text.
        EncoderError: If the encoder's vectors are not what it says.
        KnowledgeBaseError: If the place cannot be used.
        StorageError: If the disk is full or refuses to be written.
    """
    _check_documents([document for document, _ in parsed])
    with writing(path), new_generation(path) as (number, folder):
        with closing(StoreWriter(folder / STORE_FILE)) as store:
            indexed = _fill(store, parsed, index_questions=index_questions)
            for rule in rules:
                store.add_rule(rule)
            counts = store.counts
        if not indexed:
            raise CorpusError(f"The corpus {corpus} holds no entry. Put documents with text there.")
        languages = Counter(language(passage.text) for passage in indexed)
        with closing(VectorCache(path / VECTORS_FILE, encoder.identity, encoder.dim)) as cache:
            remembering = _Remembering(encoder, cache)
            centres = Centres.of(remembering)
            vectors = _vectors(indexed, centres, _Remembering(encoder, cache, progress))
            rows = np.array([passage.row for passage in indexed], np.int64)
            dense = DenseIndex.build(rows, vectors)
            centres.against(remembering, dense.nearest).save(folder / CENTRES_FILE)
        dense.save(folder / DENSE_FILE)
        LexicalIndex.build(
            folder / LEXICAL_FOLDER,
            ((p.row, tokens(p.text), p.document, p.tags) for p in indexed),
        )
        entries = {p.entry: p for p in indexed}
        LexicalIndex.build(
            folder / ENTRY_LEXICAL_FOLDER,
            ((n, tokens(p.whole), p.document, p.tags) for n, p in entries.items()),
        )
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            generation=number,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            corpus=corpus,
            model=model,
            encoder=encoder.identity,
            dim=encoder.dim,
            text=text_recipe(),
            questions_indexed=index_questions,
            documents=counts["documents"],
            entries=counts["entries"],
            passages=counts["passages"],
            languages=dict(languages),
            files={},
        )
        return publish(path, folder, manifest)


def text_recipe() -> str:
    """Return what decides how a text is folded, cut and split into tokens.

    Equal recipes give equal indexed texts; a query folded by another would miss its words.
    """
    return (
        f"text {TEXT_VERSION}, OpenCC {opencc.__version__}, Unicode {unicodedata.unidata_version}"
    )


def _check_documents(documents: Sequence[Document]) -> None:
    """Refuse what entry ids could not tell apart, and what SQLite cannot hold as text."""
    seen: dict[str, str] = {}
    for document in documents:
        stem = document.id.removesuffix(".txt")
        if stem in seen:
            both = " and ".join(sorted({repr(document.id), repr(seen[stem])}))
            raise CorpusError(f"Two documents have the id {both}. Rename one of them.")
        seen[stem] = document.id
        for text in (document.id, document.text, *document.tags):
            if _NOT_TEXT.search(text):
                raise CorpusError(
                    f"The document {document.id!r} is not text: it or its name holds a NUL "
                    "character or half of a surrogate pair. Take it out of the corpus."
                )


_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def _fill(
    store: StoreWriter,
    parsed: Sequence[tuple[Document, Sequence[Entry]]],
    *,
    index_questions: bool,
) -> list[_Indexed]:
    """Write everything to the store; return what is to be indexed, by row."""
    indexed = []
    for document, entries in parsed:
        document_number = store.add_document(document)
        for entry in entries:
            number = store.add_entry(entry, document_number)
            question = fold(context(document, entry)) if index_questions else ""
            answer = fold(document.text[entry.answer.start : entry.answer.end])
            whole = f"{question}\n{answer}".strip()
            for passage in passages(document, entry):
                row = store.add_passage(passage, number)
                alone = fold(passage.text)
                if passage.span.end <= entry.question.end:
                    if not index_questions:
                        continue
                    text = fold("\n".join((*entry.path, passage.text)))
                else:
                    text = f"{question}\n{alone}".strip()
                indexed.append(
                    _Indexed(row, text, alone, whole, number, document.id, document.tags)
                )
    return indexed


def _vectors(
    indexed: Sequence[_Indexed], centres: Centres, encoder: "_Remembering"
) -> npt.NDArray[np.float32]:
    """Return `(len(indexed), dim) float32`: the weighted sum of the centred vectors of each view.

    The inner product with a sum is the sum of the inner products: one index ranks by all views.
    """
    views = ([p.text for p in indexed], [p.alone for p in indexed], [p.whole for p in indexed])
    different = sorted({text for view in views for text in view})
    vectors = centres.passage_vectors(different, encoder.encode_passages(different))
    place = {text: position for position, text in enumerate(different)}
    total = np.zeros((len(indexed), encoder.dim), np.float32)
    for view, weight in zip(views, VIEW_WEIGHTS, strict=True):
        total += np.float32(weight) * vectors[[place[text] for text in view]]
    return total


class _Remembering:
    """An encoder that asks the vector cache first; every vector passes through float16."""

    def __init__(
        self, encoder: Encoder, cache: VectorCache, progress: Progress | None = None
    ) -> None:
        self.identity, self.dim = encoder.identity, encoder.dim
        self._encoder = encoder
        self._cache = cache
        self._progress = progress

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode("query", texts, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode("passage", texts, self._encoder.encode_passages)

    def _encode(
        self, kind: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        keys = [self._cache.key(kind, text) for text in texts]
        known = self._cache.get(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        done = len(texts) - len(missing)
        for batch in _batches(sorted(missing.items(), key=lambda item: len(item[1]))):
            vectors = encode([text for _, text in batch])
            self._check(vectors, len(batch))
            halves = vectors.astype(np.float16)
            fresh = {key: row.tobytes() for (key, _), row in zip(batch, halves, strict=True)}
            self._cache.put(fresh.items())
            known |= fresh
            done += len(batch)
            if self._progress:
                self._progress(done, len(texts))
        rows = np.frombuffer(b"".join(known[key] for key in keys), np.float16)
        return _unit(rows.reshape(len(texts), self.dim).astype(np.float32))

    def _check(self, vectors: Vectors, count: int) -> None:
        lengths = np.linalg.norm(vectors, axis=-1)
        if vectors.shape != (count, self.dim) or not np.allclose(lengths, 1, atol=0.01):
            raise EncoderError(
                f"The encoder {self.identity} gave vectors of shape {vectors.shape}, not unit rows "
                f"of shape {(count, self.dim)}. Name another model with --model."
            )


def _unit(vectors: npt.NDArray[np.float32]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _batches(items: Sequence[tuple[bytes, str]]) -> Iterator[Sequence[tuple[bytes, str]]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
