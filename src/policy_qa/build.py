"""Documents to a new generation: store, fold, encode, index, publish.

A generation is made in two steps. First its store is written, with everything in it or with what
has changed since an older one; then the indexes, anew or with those changes.
"""

import contextlib
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import opencc

from policy_qa.corpus import SPECIAL_FILES, Corpus
from policy_qa.csv_tables import ALTERNATES_FILE
from policy_qa.engines.address import EMBEDDED, checked
from policy_qa.engines.owned import is_own
from policy_qa.engines.tidying import publish
from policy_qa.errors import KnowledgeBaseError, LockedError
from policy_qa.filling import Filling, Source, copy_store, set_source, written_again
from policy_qa.forward_index import LATER_FILES
from policy_qa.indexing import IndexMaker, NoEncoder, Progress
from policy_qa.opening import open_indexes
from policy_qa.settings import (
    CHANGES_SHARE,
    FORMAT_VERSION,
    GENERATIONS_KEPT,
    REBUILT_UP_TO,
    TEXT_VERSION,
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
    now,
    read_manifest,
    writing,
)
from policy_qa.store import Store, StoreWriter
from policy_qa.types import Encoder, Parsed

Approve = Callable[[Manifest, Path], str]
"""Looks at a generation before it becomes current, and returns what is to be remembered of it;
raises to refuse it."""

_LEXICAL = (LEXICAL_FOLDER, ENTRY_LEXICAL_FOLDER)

_READ_BEFORE_A_CHANGE = 256 * 2**20
"""Bytes of a generation up to which all that a change reads of it is read whole before: half a
second. Of a larger one the files were found whole within a day (see `storage.verify`)."""


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


def build_generation(
    documents: Iterable[Parsed] | Corpus,
    path: Path,
    encoder: Encoder,
    source: Source,
    *,
    made: Made | None = None,
    progress: Progress | None = None,
    engine: str | None = None,
    next_entries: Mapping[str, int] | None = None,
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
        next_entries: If the documents were taken out of a knowledge base: of each the least number
            that none of its entries ever had. Their entries are taken as they are.

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
            filling = Filling(writer, before, source)
            if isinstance(documents, Corpus):
                filling.add_files(documents.files)
            elif next_entries is not None:
                filling.add_as_they_are(documents, next_entries)
            else:
                filling.add_all(documents)
            source = filling.finish()
        with closing(Store(folder / STORE_FILE)) as store:
            maker = IndexMaker(path, folder, number, encoder, source, progress=progress)
            maker.use(engine)
            languages = maker.index_all(store, again=source.index_kept)
            return _published(maker, store, languages, made or Made(), history)


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
            filling = Filling(writer, before, source, kept)
            filling.add_all(documents)
            source = filling.finish()
        maker = IndexMaker(path, folder, number, encoder, source, progress=progress)
        store = Store(folder / STORE_FILE, folder / CHANGES_FILE)
        try:
            total = store.counts["passages"]
            came_back = base.engine and (
                base.as_of != base.generation or not is_own(path, base.collection)  # of a copy
            )
            few = total <= REBUILT_UP_TO
            if few or came_back or store.changed_rows() > CHANGES_SHARE * total:
                maker.use(base.engine)
                check(path, base, STORE_FILE)
                maker.start_anew()
                with StoreWriter(folder / STORE_FILE) as writer:
                    copy_store(store, writer)
                    set_source(writer, source)
                store.close()
                (folder / CHANGES_FILE).unlink()
                store = Store(folder / STORE_FILE)
                languages = maker.index_all(store, again=True)
            else:
                maker.use(base.engine, base)
                languages = maker.index_changes(store, old, gone, filling.added, base.index)
                languages += Counter(base.languages)
            return _published(maker, store, languages, made or Made(), base.history)
        finally:
            store.close()


@contextmanager
def _base_store(path: Path, base: Manifest) -> Iterator[Store]:
    """Give the store of the generation that is to be changed, if it is still the current one."""
    _check_newest(path, base.generation)
    # What is only linked keeps its SHA-256; damage to what is read would be carried on.
    read = {*base.files} - {DENSE_FILE, COARSE_FILE}
    if sum(base.files[name][0] for name in read) > _READ_BEFORE_A_CHANGE:
        later = {f"{folder}/{name}" for folder in _LEXICAL for name in LATER_FILES}
        read = {CHANGES_FILE, CHANGES_DENSE_FILE, VOCABULARY_FILE, *later}
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
            now(),
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
        source = written_again(base, before, folder)
        link(old / CENTRES_FILE, folder / CENTRES_FILE)
        maker = IndexMaker(
            path, folder, number, NoEncoder(base.encoder, base.dim), source, progress=progress
        )
        maker.use(engine)
        indexes = open_indexes(base, old, before)
        try:
            with closing(Store(folder / STORE_FILE)) as store:
                maker.index_as_before(store, before, indexes.dense)
                languages = Counter(base.languages)
                note = f"to {engine or EMBEDDED}"
                made = Made("move", keep=keep, approve=lambda *_: note)
                return _published(maker, store, languages, made, base.history)
        finally:
            indexes.close()


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
            source = written_again(base, before, folder)
        with closing(Store(folder / STORE_FILE)) as store:
            maker = IndexMaker(path, folder, number, encoder, source, progress=progress)
            maker.use(base.engine if engine is None else engine)
            languages = maker.index_all(store, again=True)
            return _published(maker, store, languages, made, history)


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


def _published(
    maker: IndexMaker,
    store: Store,
    languages: Counter[str],
    made: Made,
    previous: Sequence[Event],
) -> Manifest:
    """Make a generation whose store and indexes are there current."""
    counts = store.counts
    event = Event(
        maker.number,
        now(),
        made.action,
        counts["documents"],
        counts["entries"],
        made.added,
        made.changed,
        made.removed,
    )
    source = maker.source
    skipped = dict(source.skipped)
    if unknown := [name for name in source.alternates if store.named_entry(name) is None]:
        skipped[ALTERNATES_FILE] = (
            f"{ALTERNATES_FILE} names entries that are not there: {', '.join(unknown[:5])}. "
            "Mend or remove their lines."
        )
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        generation=maker.number,
        created=event.created,
        corpus=source.corpus,
        model=source.model,
        encoder=maker.encoder.identity,
        dim=maker.encoder.dim,
        text=text_recipe(),
        questions_indexed=source.index_questions,
        documents=counts["documents"],
        entries=counts["entries"],
        passages=counts["passages"],
        languages=dict(languages),
        sources=len({*source.files, *source.skipped} - {*SPECIAL_FILES}),
        columns=dict(source.columns),
        skipped=skipped,
        index=maker.kind,
        index_asked=source.index,
        history=(*previous, event),
        **maker.target_fields,
    )
    if made.approve:
        event = replace(event, note=made.approve(manifest, maker.folder))
        manifest = replace(manifest, history=(*previous, event))
    return publish(maker.path, maker.folder, manifest, made.keep)
