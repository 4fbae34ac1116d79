"""The indexes of a generation: fold, encode and index what its store holds.

All of it, anew, or what has changed since an older one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from policy_qa.centring import Centres, language
from policy_qa.coarse import IndexKind, chosen_kind, fitting_kind, needs
from policy_qa.engines.address import Target, target
from policy_qa.errors import CorpusError, EncoderError
from policy_qa.filling import Source
from policy_qa.folding import fold
from policy_qa.index_protocols import Dense
from policy_qa.lexical import LexicalWriter
from policy_qa.passages import context
from policy_qa.reindexing import open_dense, save_coarse
from policy_qa.room import check_room
from policy_qa.settings import VIEW_WEIGHTS
from policy_qa.storage import (
    CENTRES_FILE,
    CHANGES_DENSE_FILE,
    CHANGES_FILE,
    DENSE_FILE,
    ENTRY_LEXICAL_FOLDER,
    LEXICAL_FOLDER,
    STORE_FILE,
    VECTORS_FILE,
    Manifest,
)
from policy_qa.store import Store, Stored
from policy_qa.tokens import tokens
from policy_qa.types import Encoder, Vectors
from policy_qa.vector_cache import VectorCache
from policy_qa.vector_file import LaterWriter, VectorFile, VectorWriter

_T = TypeVar("_T")

Progress = Callable[[int, int], None]
"""Told how many passages are encoded, and how many there are to be; where an index of their vectors
is made after that, from the first one again."""

_INDEXED_AT_ONCE = 512
"""Passages whose texts and vectors are in memory at once."""

_BATCH = 256
"""Passages encoded between two writes to the vector cache: about a second's work."""

_CACHE_ROW = 60
"""Bytes of a row of the vector cache beside its vector."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A passage as the indexes see it, folded.

    Attributes:
        row: In the store.
        text: With its entry's question in front.
        alone: Without.
        whole: Its whole entry.
        entry: Its entry's number.
        documents: The ids of its document and of the file that this is a part of.
        tags: Its document's and its entry's tags.
    """

    row: int
    text: str
    alone: str
    whole: str
    entry: int
    documents: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoEncoder:
    """Stands for the encoder of vectors that are there already."""

    identity: str
    dim: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode nothing."""
        raise NotImplementedError

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode nothing."""
        raise NotImplementedError


class IndexMaker:
    """Makes the indexes of one generation."""

    def __init__(
        self,
        path: Path,
        folder: Path,
        number: int,
        encoder: Encoder,
        source: Source,
        *,
        progress: Progress | None,
    ) -> None:
        """Begin.

        Args:
            path: The knowledge base.
            folder: Of the generation.
            number: Of the generation.
            encoder: Of the passages.
            source: What else the generation is made of.
            progress: Told of the encoding.
        """
        self.path = path
        self.folder = folder
        self.number = number
        self.encoder = encoder
        self.source = source
        self.kind: IndexKind = "flat"
        self._progress = progress
        self._of_what = f"The corpus {source.corpus}" if source.corpus else "What was given"
        self._target: Target | None = None

    def use(self, engine: str, base: Manifest | None = None) -> None:
        """Have the indexes written to an engine.

        Args:
            engine: Its address; empty for none.
            base: The manifest of the one that is changed there; None if all is written.
        """
        self._target = target(
            self.path, self.folder, engine, self.number, dim=self.encoder.dim, changed=base
        )

    @property
    def target_fields(self) -> dict[str, Any]:
        """What the manifest says of the engine that has the indexes; empty if none has."""
        return dict(self._target.fields) if self._target else {}

    @contextmanager
    def _writers(self, end: int, old: Path | None = None) -> Iterator[Any]:
        """Give what vectors, and words of passages and of entries, are added to and removed from.

        Args:
            end: The row that follows the last one to be there.
            old: The generation whose indexes are changed; None if all are new.
        """
        if self._target:
            from policy_qa.engines.writing import writing_rows  # noqa: PLC0415 (few have one)

            with writing_rows(self._target) as writers:
                yield writers.dense, writers.lexical, writers.entry_lexical
            return
        open_words = LexicalWriter.going_on if old else LexicalWriter.new
        with (
            open_words(self.folder / LEXICAL_FOLDER) as lexical,
            open_words(self.folder / ENTRY_LEXICAL_FOLDER) as entry_lexical,
            self._vector_writer(end, old) as dense,
        ):
            yield dense, lexical, entry_lexical

    def _vector_writer(self, end: int, old: Path | None) -> VectorWriter:
        first = self.folder / DENSE_FILE
        if old is None:
            return VectorWriter(first, end, self.encoder.dim)
        before = old / CHANGES_DENSE_FILE
        return LaterWriter(
            self.folder / CHANGES_DENSE_FILE,
            VectorFile.open(first),
            VectorFile.open(before) if before.exists() else None,
            end,
        )

    def start_anew(self) -> None:
        """Unlink the store and the indexes, which are to be written again."""
        for file in sorted(self.folder.rglob("*"), reverse=True):
            if file.is_dir():
                file.rmdir()
            elif file.name != CHANGES_FILE:
                file.unlink()

    def index_all(self, store: Store, *, again: bool = False) -> Counter[str]:
        """Index all that a store holds; return how many passages are in which language.

        Args:
            store: Of one file.
            again: Whether it was indexed before: then the index that was asked for gives way to
                another one if it does not fit any more.
        """
        if not store.counts["entries"]:
            raise CorpusError(f"{self._of_what} holds no entry. Put documents with text there.")
        total, done = store.counts["passages"], 0
        if not self._target:
            self.kind = (fitting_kind if again else chosen_kind)(self.source.index, total)
            self._check_room(total)
        names = [name for name, _ in store.documents()]
        languages: Counter[str] = Counter()
        with (
            closing(self._cache()) as cache,
            self._writers(store.end_row) as (dense, lexical, entry_lexical),
        ):
            remembering = _Remembering(self.encoder, cache)
            centres = Centres.of(remembering)
            for some in _batches(self._indexed(store, names), _INDEXED_AT_ONCE):
                dense.add(_rows(some), _vectors(some, centres, remembering))
                _add_words(some, lexical, entry_lexical)
                languages.update(language(passage.text) for passage in some)
                done += len(some)
                if self._progress:
                    self._progress(done, max(total, done))
            if not done:
                raise CorpusError(
                    f"{self._of_what} holds nothing to index. Put documents with text there."
                )
            if self._target:
                centres = centres.against(remembering, dense.nearest)
        if not self._target:
            save_coarse(self.folder, self.kind, self._progress)
            with closing(self._cache()) as cache:
                nearest = open_dense(self.folder, self.kind).nearest
                centres = centres.against(_Remembering(self.encoder, cache), nearest)
        centres.save(self.folder / CENTRES_FILE)
        return languages

    def _check_room(self, passages: int, *, encodes: bool = True) -> None:
        """Check that memory and disk suffice, before hours of encoding.

        Each passage brings at most three vectors, of half the size, into the cache. The lexical
        indexes take less than three times as much as the store.
        """
        needed = needs(self.kind, passages, self.encoder.dim)
        cached = len(VIEW_WEIGHTS) * (2 * self.encoder.dim + _CACHE_ROW) * passages
        known = self.path / VECTORS_FILE
        cached = max(cached - (known.stat().st_size if known.exists() else 0), 0) if encodes else 0
        words = 3 * (self.folder / STORE_FILE).stat().st_size
        check_room(self.path, memory=needed.memory, disk=needed.disk + cached + words)

    def index_as_before(self, store: Store, before: Store, dense: Dense) -> None:
        """Index all that a store holds by the vectors that it has in another one's index.

        Args:
            store: Holds the same as the other one, maybe in other rows.
            before: The other one.
            dense: Its index.
        """
        names = [name for name, _ in store.documents()]
        pairs = zip(self._indexed(before, names), self._indexed(store, names), strict=True)
        total, done = store.counts["passages"], 0
        if not self._target:
            self.kind = fitting_kind(self.source.index, total)
            self._check_room(total, encodes=False)
        with self._writers(store.end_row) as (new_dense, lexical, entry_lexical):
            for some in _batches(pairs, _INDEXED_AT_ONCE):
                new = [passage for _, passage in some]
                new_dense.add(_rows(new), dense.vectors(_rows(old for old, _ in some)))
                _add_words(new, lexical, entry_lexical)
                done += len(some)
                if self._progress:
                    self._progress(done, max(total, done))
        if not self._target:
            save_coarse(self.folder, self.kind, self._progress)

    def index_changes(
        self,
        store: Store,
        old: Path,
        removed: Sequence[Stored],
        added: Sequence[str],
        kind: IndexKind,
    ) -> Counter[str]:
        """Index what changed beside what is linked; return how the languages' counts change."""
        self.kind = kind
        done = 0
        with_questions = self.source.index_questions
        gone = [p for one in removed for p in indexed_of(one, with_questions=with_questions)]
        new = list(self._indexed(store, added))
        end = max((passage.row + 1 for passage in new), default=0)
        with (
            closing(self._cache()) as cache,
            self._writers(end, old) as (dense, lexical, entry_lexical),
        ):
            remembering = _Remembering(self.encoder, cache)
            centres = Centres.open(self.folder / CENTRES_FILE)
            dense.remove(_rows(gone))
            for some in _batches(new, _INDEXED_AT_ONCE):
                dense.add(_rows(some), _vectors(some, centres, remembering))
                done += len(some)
                if self._progress:
                    self._progress(done, len(new))
            lexical.remove([passage.row for passage in gone])
            entry_lexical.remove(sorted({passage.entry for passage in gone}))
            _add_words(new, lexical, entry_lexical)
        languages = Counter(language(passage.text) for passage in new)
        languages.subtract(language(passage.text) for passage in gone)
        return languages

    def _indexed(self, store: Store, names: Iterable[str]) -> Iterator[Indexed]:
        return indexed(store, names, with_questions=self.source.index_questions)

    def _cache(self) -> VectorCache:
        file = self.path / VECTORS_FILE
        return VectorCache(file, self.encoder.identity, self.encoder.dim)


def indexed(
    store: Store, names: Iterable[str], *, with_questions: bool = True
) -> Iterator[Indexed]:
    """Yield what is to be indexed of documents of a store, in the order of their names.

    Args:
        store: The store.
        names: The documents' ids.
        with_questions: False leaves the questions and headings out.
    """
    for name in names:
        if stored := store.stored(name):
            yield from indexed_of(stored, with_questions=with_questions)


def indexed_of(stored: Stored, *, with_questions: bool = True) -> Iterator[Indexed]:
    """Yield what is to be indexed of one document."""
    document = stored.document
    documents = tuple(filter(None, (document.id, document.part_of)))
    for number, entry, passages in stored.entries:
        question = fold(context(document, entry)) if with_questions else ""
        answer = fold(document.text[entry.answer.start : entry.answer.end])
        whole = f"{question}\n{answer}".strip()
        tags = tuple(dict.fromkeys((*document.tags, *entry.tags)))
        for row, passage in passages:
            alone = fold(passage.text)
            if passage.is_question:
                if not with_questions:
                    continue
                text = fold("\n".join((*entry.path, passage.text)))
            else:
                text = f"{question}\n{alone}".strip()
            yield Indexed(row, text, alone, whole, number, documents, tags)


def _rows(passages: Iterable[Indexed]) -> npt.NDArray[np.int64]:
    return np.array([passage.row for passage in passages], np.int64)


def _add_words(
    passages: Iterable[Indexed], lexical: LexicalWriter, entry_lexical: LexicalWriter
) -> None:
    """Add passages to the one lexical index, and their entries, once each, to the other."""
    for p in passages:
        lexical.add(p.row, tokens(p.text), p.documents, p.tags)
        if p.entry != entry_lexical.last:
            entry_lexical.add(p.entry, tokens(p.whole), p.documents, p.tags)


def _vectors(
    passages: Sequence[Indexed], centres: Centres, encoder: "_Remembering"
) -> npt.NDArray[np.float32]:
    """Return `(len(passages), dim) float32`: the weighted sum of the centred vectors of each view.

    The inner product with a sum is the sum of the inner products: one index ranks by all views.
    """
    views = ([p.text for p in passages], [p.alone for p in passages], [p.whole for p in passages])
    different = sorted({text for view in views for text in view})
    vectors = centres.passage_vectors(different, encoder.encode_passages(different))
    place = {text: position for position, text in enumerate(different)}
    total = np.zeros((len(passages), encoder.dim), np.float32)
    for view, weight in zip(views, VIEW_WEIGHTS, strict=True):
        total += np.float32(weight) * vectors[[place[text] for text in view]]
    return total


class _Remembering:
    """An encoder that asks the vector cache first; every vector passes through float16."""

    def __init__(self, encoder: Encoder, cache: VectorCache) -> None:
        self.identity, self.dim = encoder.identity, encoder.dim
        self._encoder = encoder
        self._cache = cache

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
        by_length = sorted(missing.items(), key=lambda item: len(item[1]))
        for batch in _batches(by_length, _BATCH):
            vectors = encode([text for _, text in batch])
            self._check(vectors, len(batch))
            halves = vectors.astype(np.float16)
            fresh = {key: row.tobytes() for (key, _), row in zip(batch, halves, strict=True)}
            self._cache.put(fresh.items())
            known |= fresh
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


def _batches(items: Iterable[_T], size: int) -> Iterator[Sequence[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
