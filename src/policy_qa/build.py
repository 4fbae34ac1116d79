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
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import opencc

from policy_qa.centring import Centres, language
from policy_qa.coarse import AUTO, IndexKind, chosen_kind, fitting_kind, needs
from policy_qa.corpus import SPECIAL_FILES, Corpus, CorpusFile
from policy_qa.csv_tables import ALTERNATES_FILE
from policy_qa.engines.address import EMBEDDED, Target, checked, target
from policy_qa.engines.owned import is_own
from policy_qa.engines.tidying import publish
from policy_qa.errors import CorpusError, EncoderError, KnowledgeBaseError, LockedError
from policy_qa.folding import fold
from policy_qa.identity import settled
from policy_qa.index_protocols import Dense
from policy_qa.lexical import LexicalWriter
from policy_qa.lexicon import Rule
from policy_qa.opening import open_indexes
from policy_qa.passages import context
from policy_qa.reindexing import open_dense, save_coarse
from policy_qa.room import check_room
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
    COARSE_FILE,
    DENSE_FILE,
    ENTRY_LEXICAL_FOLDER,
    LEXICAL_FOLDER,
    STORE_FILE,
    VECTORS_FILE,
    VOCABULARY_FILE,
    Action,
    Event,
    Manifest,
    check,
    generation_folder,
    generation_numbers,
    link,
    link_files,
    new_generation,
    read_manifest,
    writing,
)
from policy_qa.store import Store, Stored, StoreWriter
from policy_qa.tokens import tokens
from policy_qa.types import Document, Encoder, Entry, Parsed, Vectors
from policy_qa.vector_cache import VectorCache
from policy_qa.vector_file import LaterWriter, VectorFile, VectorWriter

_T = TypeVar("_T")

Progress = Callable[[int, int], None]
"""Told how many passages are indexed, and how many there are to be."""

Approve = Callable[[Manifest, Path], str]
"""Looks at a generation before it becomes current, and returns what is to be remembered of it;
raises to refuse it."""

_INDEXED_AT_ONCE = 512
"""Passages whose texts and vectors are in memory at once."""

_READ_BEFORE_A_CHANGE = 256 * 2**20
"""Bytes of a generation up to which all that a change reads of it is read whole before: half a
second. Of a larger one the files were found whole within a day (see `storage.verify`)."""

_BATCH = 256
"""Passages encoded between two writes to the vector cache: about a second's work."""

_CACHE_ROW = 60
"""Bytes of a row of the vector cache beside its vector."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a generation is made of, beside its documents.

    Attributes:
        corpus: Where the documents came from; empty if a program or an export gave them.
        model: The name of the encoder's model.
        rules: Of the corpus's lexicon.
        alternates: Wordings that a file of the corpus gives to entries of others, by their ids.
        files: Size in bytes and time of change, in ns, of the files that were read, by name.
        skipped: Why which files could not be read, by name.
        columns: What the columns of tables are called.
        index_questions: False leaves the questions and headings out of both indexes, to measure
            what is found by the answers alone.
        index: The kind of the coarse index that is asked for, one of `coarse.INDEX_KINDS`.
        index_kept: Whether it was asked for some generations ago, and gives way to another one if
            it does not fit any more.
    """

    corpus: str
    model: str
    rules: Sequence[Rule] = ()
    alternates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    index_questions: bool = True
    index: str = AUTO
    index_kept: bool = False


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
    engine: str | None = None,
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
        engine: The address of the one that is to hold the indexes, or `embedded`; if None, where
            those of the current generation are.

    Raises:
        CorpusError: If no document has an entry, two have the same id, or one is not text.
        EncoderError: If the encoder's vectors are not what it says.
        EngineError: If the engine cannot be used.
        InputError: If the engine's address is none.
        KnowledgeBaseError: If the place cannot be used.
        StorageError: If the disk is full or refuses to be written.
    """
    engine = checked(engine_of(path) if engine is None else engine)
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
            maker.use(engine, number)
            languages = maker.index_all(store, again=source.index_kept)
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
        EngineError: If the engine that has the indexes cannot be used.
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
            came_back = base.engine and (
                base.as_of != base.generation or not is_own(path, base.collection)  # of a copy
            )
            few = total <= REBUILT_UP_TO
            if few or came_back or store.changed_rows() > CHANGES_SHARE * total:
                maker.use(base.engine, number)
                check(path, base, STORE_FILE)
                maker.start_anew()
                with StoreWriter(folder / STORE_FILE) as writer:
                    _copy(store, writer)
                    _set_source(writer, source)
                store.close()
                (folder / CHANGES_FILE).unlink()
                store = Store(folder / STORE_FILE)
                languages = maker.index_all(store, again=True)
            else:
                maker.use(base.engine, number, base)
                languages = maker.index_changes(store, old, gone, filling.added, base.index)
                languages += Counter(base.languages)
            return maker.publish(number, store, languages, made or Made(), base.history)
        finally:
            store.close()


@contextmanager
def _base_store(path: Path, base: Manifest) -> Iterator[Store]:
    """Give the store of the generation that is to be changed, if it is still the current one."""
    _check_newest(path, base.generation)
    # What is only linked keeps its SHA-256; damage to what is read would be carried on.
    read = {*base.files} - {DENSE_FILE, COARSE_FILE}
    if sum(base.files[name][0] for name in read) > _READ_BEFORE_A_CHANGE:
        read = {CHANGES_FILE, CHANGES_DENSE_FILE, VOCABULARY_FILE}
    check(path, base, *sorted(read))
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


def engine_of(path: Path) -> str:
    """Return the address of the engine that has the current indexes; empty if none has."""
    with contextlib.suppress(KnowledgeBaseError):
        return read_manifest(path).engine
    return ""


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


def move_generation(
    base: Manifest,
    path: Path,
    engine: str,
    *,
    keep: int = GENERATIONS_KEPT,
    progress: Progress | None = None,
) -> Manifest:
    """Make a generation of what the current one holds, its indexes in another place.

    Nothing is encoded: the vectors of the indexes that are there are taken.

    Args:
        base: The manifest of the current generation.
        path: The knowledge base.
        engine: The address of the one that is to hold the indexes; empty for none.
        keep: How many generations stay, this one included.
        progress: Told of the passages.

    Raises:
        EngineError: If an engine cannot be used.
        LockedError: If another process is writing to the knowledge base, or has since.
        StorageError: If the disk is full or refuses to be written.
    """
    old = generation_folder(path, base.generation)
    with (
        writing(path),
        new_generation(path) as (number, folder),
        closing(Store(old / STORE_FILE, old / CHANGES_FILE)) as before,
    ):
        _check_newest(path, base.generation)
        check(path, base, *base.files)
        source = _written_again(base, before, folder)
        link(old / CENTRES_FILE, folder / CENTRES_FILE)
        maker = _Maker(path, folder, _NoEncoder(base.encoder, base.dim), source, progress)
        maker.use(engine, number)
        indexes = open_indexes(base, old, before)
        try:
            with closing(Store(folder / STORE_FILE)) as store:
                maker.index_as_before(store, before, indexes.dense)
                languages = Counter(base.languages)
                note = f"to {engine or EMBEDDED}"
                made = Made("move", keep=keep, approve=lambda *_: note)
                return maker.publish(number, store, languages, made, base.history)
        finally:
            indexes.close()


@dataclass(frozen=True, slots=True)
class _NoEncoder:
    """Stands for the encoder of vectors that are there already."""

    identity: str
    dim: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError


def remake_generation(
    base: Manifest,
    path: Path,
    encoder: Encoder,
    *,
    newest: int,
    made: Made,
    history: Sequence[Event],
    progress: Progress | None = None,
    engine: str | None = None,
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
        engine: The address of the one that is to hold the indexes, empty for none; if None, where
            those of the base are.

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
            source = _written_again(base, before, folder)
        with closing(Store(folder / STORE_FILE)) as store:
            maker = _Maker(path, folder, encoder, source, progress)
            maker.use(base.engine if engine is None else engine, number)
            languages = maker.index_all(store, again=True)
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


def _written_again(base: Manifest, before: Store, folder: Path) -> Source:
    """Write what a generation's store holds to a new one; return what it is made of."""
    source = Source(
        base.corpus,
        base.model,
        before.rules(),
        before.alternates(),
        before.files(),
        base.skipped,
        base.columns,
        index_questions=base.questions_indexed,
        index=base.index_asked,
    )
    with StoreWriter(folder / STORE_FILE) as writer:
        _copy(before, writer)
        _set_source(writer, source)
    return source


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
        self._kind: IndexKind = "flat"
        self._of_what = f"The corpus {source.corpus}" if source.corpus else "What was given"
        self._target: Target | None = None

    def use(self, engine: str, number: int, base: Manifest | None = None) -> None:
        """Have the indexes written to an engine.

        Args:
            engine: Its address; empty for none.
            number: Of the generation.
            base: The manifest of the one that is changed there; None if all is written.
        """
        self._target = target(
            self._path, self._folder, engine, number, dim=self._encoder.dim, changed=base
        )

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
            open_words(self._folder / LEXICAL_FOLDER) as lexical,
            open_words(self._folder / ENTRY_LEXICAL_FOLDER) as entry_lexical,
            self._vector_writer(end, old) as dense,
        ):
            yield dense, lexical, entry_lexical

    def _vector_writer(self, end: int, old: Path | None) -> VectorWriter:
        first = self._folder / DENSE_FILE
        if old is None:
            return VectorWriter(first, end, self._encoder.dim)
        before = old / CHANGES_DENSE_FILE
        return LaterWriter(
            self._folder / CHANGES_DENSE_FILE,
            VectorFile.open(first),
            VectorFile.open(before) if before.exists() else None,
            end,
        )

    def start_anew(self) -> None:
        """Unlink the store and the indexes, which are to be written again."""
        for file in sorted(self._folder.rglob("*"), reverse=True):
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
            self._kind = (fitting_kind if again else chosen_kind)(self._source.index, total)
            self._check_room(total)
        names = [name for name, _ in store.documents()]
        languages: Counter[str] = Counter()
        with (
            closing(self._cache()) as cache,
            self._writers(store.end_row) as (dense, lexical, entry_lexical),
        ):
            remembering = _Remembering(self._encoder, cache)
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
            save_coarse(self._folder, self._kind)
            with closing(self._cache()) as cache:
                nearest = open_dense(self._folder, self._kind).nearest
                centres = centres.against(_Remembering(self._encoder, cache), nearest)
        centres.save(self._folder / CENTRES_FILE)
        return languages

    def _check_room(self, passages: int, *, encodes: bool = True) -> None:
        """Check that memory and disk suffice, before hours of encoding.

        Each passage brings at most three vectors, of half the size, into the cache. The lexical
        indexes take about as much as the store.
        """
        needed = needs(self._kind, passages, self._encoder.dim)
        cached = len(VIEW_WEIGHTS) * (2 * self._encoder.dim + _CACHE_ROW) * passages
        known = self._path / VECTORS_FILE
        cached = max(cached - (known.stat().st_size if known.exists() else 0), 0) if encodes else 0
        words = (self._folder / STORE_FILE).stat().st_size
        check_room(self._path, memory=needed.memory, disk=needed.disk + cached + words)

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
            self._kind = fitting_kind(self._source.index, total)
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
            save_coarse(self._folder, self._kind)

    def index_changes(
        self,
        store: Store,
        old: Path,
        removed: Sequence[Stored],
        added: Sequence[str],
        kind: IndexKind,
    ) -> Counter[str]:
        """Index what changed beside what is linked; return how the languages' counts change."""
        self._kind = kind
        done = 0
        gone = [p for stored in removed for p in self._indexed_of(stored)]
        new = list(self._indexed(store, added))
        end = max((passage.row + 1 for passage in new), default=0)
        with (
            closing(self._cache()) as cache,
            self._writers(end, old) as (dense, lexical, entry_lexical),
        ):
            remembering = _Remembering(self._encoder, cache)
            centres = Centres.open(self._folder / CENTRES_FILE)
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
            index=self._kind,
            index_asked=source.index,
            history=(*previous, event),
            **(self._target.fields if self._target else {}),
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
