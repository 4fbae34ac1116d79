"""Documents to a new generation: store, fold, encode, index, publish.

A generation is made in two steps. First its store is written, with everything in it or with what
has changed since an older one; then the indexes, anew or with those changes.
"""

import contextlib
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import opencc

from policy_qa.centring import Centres, language
from policy_qa.corpus import SPECIAL_FILES, Corpus, CorpusFile
from policy_qa.csv_tables import ALTERNATES_FILE
from policy_qa.dense import DenseIndex
from policy_qa.errors import CorpusError, EncoderError, KnowledgeBaseError, LockedError
from policy_qa.folding import fold
from policy_qa.identity import settled
from policy_qa.lexical import LexicalWriter
from policy_qa.lexicon import Rule
from policy_qa.passages import context
from policy_qa.settings import (
    CHANGES_SHARE,
    FORMAT_VERSION,
    GENERATIONS_KEPT,
    REBUILT_UP_TO,
    TEXT_VERSION,
    VIEW_WEIGHTS,
)
from policy_qa.storage import (
    CENTRES_FILE,
    CHANGES_DENSE_FILE,
    CHANGES_FILE,
    DENSE_FILE,
    ENTRY_LEXICAL_FOLDER,
    LEXICAL_FOLDER,
    STORE_FILE,
    VECTORS_FILE,
    Action,
    Event,
    Manifest,
    check,
    generation_folder,
    generation_numbers,
    link_files,
    new_generation,
    publish,
    read_manifest,
    writing,
)
from policy_qa.store import Store, Stored, StoreWriter
from policy_qa.tokens import tokens
from policy_qa.types import Document, Encoder, Entry, Parsed, Vectors
from policy_qa.vector_cache import VectorCache

_T = TypeVar("_T")

Progress = Callable[[int, int], None]
"""Told how many passages are indexed, and how many there are to be."""

Approve = Callable[[Manifest, Path], str]
"""Looks at a generation before it becomes current, and returns what is to be remembered of it;
raises to refuse it."""

_INDEXED_AT_ONCE = 512
"""Passages whose texts and vectors are in memory at once."""

_BATCH = 256
"""Passages encoded between two writes to the vector cache: about a second's work."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a generation is made of, beside its documents.

    Attributes:
        corpus: Where the documents came from.
        model: The name of the encoder's model.
        rules: Of the corpus's lexicon.
        alternates: Wordings that a file of the corpus gives to entries of others, by their ids.
        files: Size in bytes and time of change, in ns, of the files that were read, by name.
        skipped: Why which files could not be read, by name.
        columns: What the columns of tables are called.
        index_questions: False leaves the questions and headings out of both indexes, to measure
            what is found by the answers alone.
    """

    corpus: str
    model: str
    rules: Sequence[Rule] = ()
    alternates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    index_questions: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """What is said of a generation beside what it holds.

    Attributes:
        action: What makes it.
        added: Documents added to those of the generation before.
        changed: Documents changed.
        removed: Documents removed.
        keep: How many generations stay, this one included.
        approve: Looks at it before it becomes current.
    """

    action: Action = "build"
    added: int = 0
    changed: int = 0
    removed: int = 0
    keep: int = GENERATIONS_KEPT
    approve: Approve | None = None


@dataclass(frozen=True, slots=True)
class _Indexed:
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


def build_generation(
    documents: Iterable[Parsed] | Corpus,
    path: Path,
    encoder: Encoder,
    source: Source,
    *,
    made: Made | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Build a generation of these documents and make it current.

    Entries that the current generation has keep their ids.

    Args:
        documents: With their entries, read once; their ids differ. Of a corpus, what cannot be read
            is left out, and the manifest says so.
        path: The knowledge base; made if it does not exist.
        encoder: Of the passages.
        source: What else it is made of; of a corpus, its own files, rules and alternates are.
        made: What is said of it.
        progress: Told of the encoding.

    Raises:
        CorpusError: If no document has an entry, two have the same id, or one is not text.
        EncoderError: If the encoder's vectors are not what it says.
        KnowledgeBaseError: If the place cannot be used.
        StorageError: If the disk is full or refuses to be written.
    """
    with (
        writing(path),
        new_generation(path) as (number, folder),
        _current_store(path) as (before, history),
    ):
        with StoreWriter(folder / STORE_FILE) as writer:
            filling = _Filling(writer, before, source)
            if isinstance(documents, Corpus):
                filling.add_files(documents.files)
            else:
                filling.add_all(documents)
            source = filling.finish()
        with closing(Store(folder / STORE_FILE)) as store:
            maker = _Maker(path, folder, encoder, source, progress)
            languages = maker.index_all(store)
            return maker.publish(number, store, languages, made or Made(), history)


def change_generation(
    base: Manifest,
    path: Path,
    encoder: Encoder,
    source: Source,
    *,
    removed: Iterable[str],
    documents: Iterable[Parsed],
    made: Made | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make a generation that differs from the current one, and make it current.

    What did not change is linked. Beyond a share of changes, and where it takes no time anyway, the
    indexes are made anew, of the vectors that are there.

    Args:
        base: The manifest of the current generation.
        path: The knowledge base.
        encoder: Of the passages, the same as that of the base.
        source: What else it is made of.
        removed: Ids of documents that go, also of those that others replace.
        documents: Those that come, with their entries.
        made: What is said of it.
        progress: Told of the encoding.

    Raises:
        CorpusError: If no document has an entry, two have the same id, or one is not text.
        EncoderError: If the encoder's vectors are not what it says.
        LockedError: If another process is writing to the knowledge base, or has since.
        StorageError: If the disk is full or refuses to be written.
    """
    old = generation_folder(path, base.generation)
    with (
        writing(path),
        new_generation(path) as (number, folder),
        _base_store(path, base) as before,
    ):
        link_files(path, base, folder, without=(CHANGES_FILE, CHANGES_DENSE_FILE))
        gone = [stored for name in removed if (stored := before.stored(name))]
        with StoreWriter(folder / CHANGES_FILE, before) as writer:
            for stored in gone:
                writer.remove(stored.document.id)
            replaced = {stored.document.id for stored in gone}
            kept = [name for name, _ in before.documents() if name not in replaced]
            filling = _Filling(writer, before, source, kept)
            filling.add_all(documents)
            source = filling.finish()
        maker = _Maker(path, folder, encoder, source, progress)
        store = Store(folder / STORE_FILE, folder / CHANGES_FILE)
        try:
            total = store.counts["passages"]
            if total <= REBUILT_UP_TO or store.changed_rows() > CHANGES_SHARE * total:
                maker.start_anew()
                with StoreWriter(folder / STORE_FILE) as writer:
                    _copy(store, writer)
                    _set_source(writer, source)
                store.close()
                (folder / CHANGES_FILE).unlink()
                store = Store(folder / STORE_FILE)
                languages = maker.index_all(store)
            else:
                languages = maker.index_changes(store, old, gone, filling.added)
                languages += Counter(base.languages)
            return maker.publish(number, store, languages, made or Made(), base.history)
        finally:
            store.close()


@contextmanager
def _base_store(path: Path, base: Manifest) -> Iterator[Store]:
    """Give the store of the generation that is to be changed, if it is still the current one."""
    _check_newest(path, base.generation)
    # What is only linked keeps its SHA-256; damage to what is read would be carried on.
    check(path, base, *({*base.files} - {DENSE_FILE}))
    old = generation_folder(path, base.generation)
    with closing(Store(old / STORE_FILE, old / CHANGES_FILE)) as store:
        yield store


@contextmanager
def _current_store(path: Path) -> Iterator[tuple[Store | None, tuple[Event, ...]]]:
    """Give the store of the current generation and how it came to be, if they can be read."""
    store: Store | None = None
    history: tuple[Event, ...] = ()
    with contextlib.suppress(KnowledgeBaseError, sqlite3.Error):
        manifest = read_manifest(path)
        folder, history = generation_folder(path, manifest.generation), manifest.history
        check(path, manifest, STORE_FILE, CHANGES_FILE)
        store = Store(folder / STORE_FILE, folder / CHANGES_FILE)
    try:
        yield store, history
    finally:
        if store:
            store.close()


class _Filling:
    """Fills a store with documents, whose entries keep the ids that they had."""

    def __init__(
        self,
        writer: StoreWriter,
        before: Store | None,
        source: Source,
        kept: Iterable[str] = (),
    ) -> None:
        """Begin.

        Args:
            writer: Of the store.
            before: What entries had their ids in; None if nothing.
            source: What else the generation is made of.
            kept: Ids of documents that are there already.
        """
        self._writer = writer
        self._before = before
        self._source = source
        self._stems = {_stem(name): name for name in kept}
        self._taken = {*self._stems.values()}
        self.added: list[str] = []

    def add_all(self, documents: Iterable[Parsed]) -> None:
        """Add documents."""
        for document, entries in documents:
            self._add(document, entries)

    def add_files(self, files: Iterable[CorpusFile]) -> None:
        """Add the documents of files, but not those of a file that cannot be read."""
        read: dict[str, tuple[int, int]] = {}
        skipped: dict[str, str] = {}
        for file in files:
            stamp, before = file.stamp(), len(self.added)
            documents = file.read()
            while True:
                try:
                    document, entries = next(documents)
                except StopIteration:
                    read[file.id] = stamp
                    break
                except CorpusError as error:
                    skipped[file.id] = str(error)
                    for name in self.added[before:]:
                        self._writer.remove(name)
                        del self._stems[_stem(name)]
                        self._taken.discard(name)
                    del self.added[before:]
                    break
                self._add(document, entries)
        if skipped and not read:
            raise CorpusError("\n".join(skipped.values()))
        self._source = replace(self._source, files=read, skipped=skipped)

    def _add(self, document: Document, read: Sequence[Entry]) -> None:
        """Add a document; refuse what SQLite cannot hold as text, and ids that are taken."""
        for text in (document.id, document.text, *document.tags):
            if _NOT_TEXT.search(text):
                raise CorpusError(
                    f"The document {document.id!r} is not text: it or its name holds a NUL "
                    "character or half of a surrogate pair. Take it out of the corpus."
                )
        other = self._stems.setdefault(_stem(document.id), document.id)
        if document.id in self._taken or other != document.id:
            both = " and ".join(sorted({repr(document.id), repr(other)}))
            raise CorpusError(f"Two documents have the id {both}. Rename one of them.")
        alternates = self._source.alternates
        entries, next_entry, _ = settled((document, read), self._before, alternates)
        try:
            self._writer.add(document, entries, next_entry)
        except sqlite3.IntegrityError as error:
            raise CorpusError(
                f"Two entries of {document.id!r} have the same id. Mend the ids that it gives."
            ) from error
        self._taken.add(document.id)
        self.added.append(document.id)

    def finish(self) -> Source:
        """Write what is stored beside the documents; return what the generation is made of."""
        _set_source(self._writer, self._source)
        return self._source


def restore_generation(
    path: Path, newest: int, wanted: Manifest, *, made: Made, history: Sequence[Event]
) -> Manifest:
    """Make what an older generation holds current again, as a new generation.

    Args:
        path: The knowledge base.
        newest: The number of the newest generation when this was decided.
        wanted: The manifest of the older one.
        made: What is said of it.
        history: How the generations so far came to be.

    Raises:
        LockedError: If another process is writing to the knowledge base, or has since.
        StorageError: If the disk is full or refuses to be written.
    """
    with writing(path), new_generation(path) as (number, folder):
        _check_newest(path, newest)
        link_files(path, wanted, folder)
        event = Event(
            number,
            _now(),
            made.action,
            wanted.documents,
            wanted.entries,
            note=f"what generation {wanted.generation} held",
        )
        return publish(
            path,
            folder,
            replace(
                wanted,
                generation=number,
                created=event.created,
                history=(*history, event),
                files={},
            ),
            made.keep,
        )


def reindex_generation(
    base: Manifest,
    path: Path,
    encoder: Encoder,
    *,
    newest: int,
    made: Made,
    history: Sequence[Event],
    progress: Progress | None = None,
) -> Manifest:
    """Make a generation of what another one's store holds, its indexes anew, and make it current.

    Args:
        base: The manifest of the other one, whose store is whole.
        path: The knowledge base.
        encoder: Of the passages, the same as that of the base.
        newest: The number of the newest generation when this was decided.
        made: What is said of it.
        history: How the generations so far came to be.
        progress: Told of the encoding.

    Raises:
        CorruptionError: If the store is damaged.
        EncoderError: If the encoder's vectors are not what it says.
        LockedError: If another process is writing to the knowledge base, or has since.
        StorageError: If the disk is full or refuses to be written.
    """
    old = generation_folder(path, base.generation)
    with writing(path), new_generation(path) as (number, folder):
        _check_newest(path, newest)
        check(path, base, STORE_FILE, CHANGES_FILE)
        with closing(Store(old / STORE_FILE, old / CHANGES_FILE)) as before:
            source = Source(
                base.corpus,
                base.model,
                before.rules(),
                before.alternates(),
                before.files(),
                base.skipped,
                base.columns,
                base.questions_indexed,
            )
            with StoreWriter(folder / STORE_FILE) as writer:
                _copy(before, writer)
                _set_source(writer, source)
        with closing(Store(folder / STORE_FILE)) as store:
            maker = _Maker(path, folder, encoder, source, progress)
            languages = maker.index_all(store)
            return maker.publish(number, store, languages, made, history)


def _check_newest(path: Path, newest: int) -> None:
    """Check that no generation has come since something was decided."""
    if max(generation_numbers(path), default=0) != newest:
        raise LockedError(f"Another process has changed {path} meanwhile. Try again.")


def text_recipe() -> str:
    """Return what decides how a text is folded, cut and split into tokens.

    Equal recipes give equal indexed texts; a query folded by another would miss its words.
    """
    return (
        f"text {TEXT_VERSION}, OpenCC {opencc.__version__}, Unicode {unicodedata.unidata_version}"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _stem(document_id: str) -> str:
    """Return what the ids of a document's entries begin with."""
    return document_id.removesuffix(".txt")


_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def _set_source(writer: StoreWriter, source: Source) -> None:
    writer.set_rules(source.rules)
    writer.set_alternates(source.alternates)
    writer.set_files(source.files)


def _copy(store: Store, writer: StoreWriter) -> None:
    for name, _ in store.documents():
        document = store.document(name)
        if document:
            entries = (entry for entry, _ in store.entries(name))
            writer.add(document, entries, store.next_entry(name))


class _Maker:
    """Makes the indexes of one generation and publishes it."""

    def __init__(
        self,
        path: Path,
        folder: Path,
        encoder: Encoder,
        source: Source,
        progress: Progress | None,
    ) -> None:
        self._path = path
        self._folder = folder
        self._encoder = encoder
        self._source = source
        self._progress = progress

    def start_anew(self) -> None:
        """Unlink the store and the indexes, which are to be written again."""
        for file in sorted(self._folder.rglob("*"), reverse=True):
            if file.is_dir():
                file.rmdir()
            elif file.name != CHANGES_FILE:
                file.unlink()

    def index_all(self, store: Store) -> Counter[str]:
        """Index all that a store holds; return how many passages are in which language."""
        if not store.counts["entries"]:
            raise CorpusError(
                f"The corpus {self._source.corpus} holds no entry. Put documents with text there."
            )
        names = [name for name, _ in store.documents()]
        languages: Counter[str] = Counter()
        with (
            closing(self._cache()) as cache,
            LexicalWriter.new(self._folder / LEXICAL_FOLDER) as lexical,
            LexicalWriter.new(self._folder / ENTRY_LEXICAL_FOLDER) as entry_lexical,
        ):
            remembering = _Remembering(self._encoder, cache)
            centres = Centres.of(remembering)
            dense = DenseIndex.empty(self._encoder.dim)
            total, done = store.counts["passages"], 0
            for some in _batches(self._indexed(store, names), _INDEXED_AT_ONCE):
                dense.add(_rows(some), _vectors(some, centres, remembering))
                _add_words(some, lexical, entry_lexical)
                languages.update(language(passage.text) for passage in some)
                done += len(some)
                if self._progress:
                    self._progress(done, max(total, done))
            if not done:
                raise CorpusError(
                    f"The corpus {self._source.corpus} holds nothing to index. Put documents with "
                    "text there."
                )
            centres = centres.against(remembering, dense.nearest)
        centres.save(self._folder / CENTRES_FILE)
        dense.save(self._folder / DENSE_FILE)
        return languages

    def index_changes(
        self, store: Store, old: Path, removed: Sequence[Stored], added: Sequence[str]
    ) -> Counter[str]:
        """Index what changed beside what is linked; return how the languages' counts change."""
        gone = [p for stored in removed for p in self._indexed_of(stored)]
        new = list(self._indexed(store, added))
        with closing(self._cache()) as cache:
            remembering = _Remembering(self._encoder, cache)
            centres = Centres.open(self._folder / CENTRES_FILE)
            dense = DenseIndex.empty(self._encoder.dim)
            if (old / CHANGES_DENSE_FILE).exists():
                dense = DenseIndex.open(old / CHANGES_DENSE_FILE)
            dense.remove(_rows(gone))
            for some in _batches(new, _INDEXED_AT_ONCE):
                dense.add(_rows(some), _vectors(some, centres, remembering))
                if self._progress:
                    self._progress(len(some), len(new))
        dense.save(self._folder / CHANGES_DENSE_FILE)
        with (
            LexicalWriter.going_on(self._folder / LEXICAL_FOLDER) as lexical,
            LexicalWriter.going_on(self._folder / ENTRY_LEXICAL_FOLDER) as entry_lexical,
        ):
            lexical.remove([passage.row for passage in gone])
            entry_lexical.remove(sorted({passage.entry for passage in gone}))
            _add_words(new, lexical, entry_lexical)
        languages = Counter(language(passage.text) for passage in new)
        languages.subtract(language(passage.text) for passage in gone)
        return languages

    def publish(
        self,
        number: int,
        store: Store,
        languages: Counter[str],
        made: Made,
        previous: Sequence[Event],
    ) -> Manifest:
        """Make the generation current."""
        counts = store.counts
        event = Event(
            number,
            _now(),
            made.action,
            counts["documents"],
            counts["entries"],
            made.added,
            made.changed,
            made.removed,
        )
        source = self._source
        skipped = dict(source.skipped)
        if unknown := [name for name in source.alternates if store.named_entry(name) is None]:
            skipped[ALTERNATES_FILE] = (
                f"{ALTERNATES_FILE} names entries that are not there: {', '.join(unknown[:5])}. "
                "Mend or remove their lines."
            )
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            generation=number,
            created=event.created,
            corpus=source.corpus,
            model=source.model,
            encoder=self._encoder.identity,
            dim=self._encoder.dim,
            text=text_recipe(),
            questions_indexed=source.index_questions,
            documents=counts["documents"],
            entries=counts["entries"],
            passages=counts["passages"],
            languages=dict(languages),
            sources=len({*source.files, *source.skipped} - {*SPECIAL_FILES}),
            columns=dict(source.columns),
            skipped=skipped,
            history=(*previous, event),
        )
        if made.approve:
            event = replace(event, note=made.approve(manifest, self._folder))
            manifest = replace(manifest, history=(*previous, event))
        return publish(self._path, self._folder, manifest, made.keep)

    def _cache(self) -> VectorCache:
        file = self._path / VECTORS_FILE
        return VectorCache(file, self._encoder.identity, self._encoder.dim)

    def _indexed(self, store: Store, names: Iterable[str]) -> Iterator[_Indexed]:
        """Yield what is to be indexed of some documents of a store."""
        for name in names:
            if stored := store.stored(name):
                yield from self._indexed_of(stored)

    def _indexed_of(self, stored: Stored) -> Iterator[_Indexed]:
        document = stored.document
        documents = tuple(filter(None, (document.id, document.part_of)))
        with_questions = self._source.index_questions
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
                yield _Indexed(row, text, alone, whole, number, documents, tags)


def _rows(indexed: Iterable[_Indexed]) -> npt.NDArray[np.int64]:
    return np.array([passage.row for passage in indexed], np.int64)


def _add_words(
    indexed: Iterable[_Indexed], lexical: LexicalWriter, entry_lexical: LexicalWriter
) -> None:
    """Add passages to the one lexical index, and their entries, once each, to the other."""
    for p in indexed:
        lexical.add(p.row, tokens(p.text), p.documents, p.tags)
        if p.entry != entry_lexical.last:
            entry_lexical.add(p.entry, tokens(p.whole), p.documents, p.tags)


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
