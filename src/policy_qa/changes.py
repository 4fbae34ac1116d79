"""What changed in the corpus since a knowledge base was built of it.

`is_stale` only looks at the times and the number of the files, so that it may be asked often.
`plan` reads what may have changed, and tells what it changes: a file whose size and time of change
are those of when it was read is not read again, unless it was changed so shortly before that its
time would not tell. Entries keep their ids. What cannot be read any more stays as it was.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from stat import S_ISDIR
from typing import TypeVar

from policy_qa.corpus import SPECIAL_FILES, Corpus, CorpusFile, is_knowledge_base
from policy_qa.csv_tables import ALTERNATES_FILE
from policy_qa.errors import CorpusError
from policy_qa.filling import Source
from policy_qa.identity import by_id, settled
from policy_qa.lexicon import LEXICON_FILE
from policy_qa.readers import SUFFIXES
from policy_qa.storage import CHANGES_FILE, STORE_FILE, Manifest, generation_folder
from policy_qa.store import Store
from policy_qa.types import Document, Entry, Parsed

_T = TypeVar("_T")

_KEPT_CHARS = 50_000_000
"""Characters of documents that are kept between planning and doing; the others are read twice."""


@dataclass(frozen=True, slots=True)
class EntryName:
    """An entry that changed.

    Attributes:
        id: Which it keeps; of a new one, which it gets.
        question: Its question in its own words; empty where it has none.
    """

    id: str
    question: str


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """A document that changed, with its entries that did.

    No entry did where only the front matter, the blanks or the order are others.

    Attributes:
        id: Of the document.
        added: Entries whose question is new, in the source's order.
        changed: Entries with another answer, question or heading, in the source's order.
        removed: Entries that are gone, in the order in which they were stored.
    """

    id: str
    added: tuple[EntryName, ...] = ()
    changed: tuple[EntryName, ...] = ()
    removed: tuple[EntryName, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new build would change; false if nothing.

    Attributes:
        added: The ids of documents that the knowledge base lacks, in order.
        changed: Documents that read otherwise now, in the order of their ids.
        removed: The ids of documents whose files are gone, in order. A file of another name is
            another document.
        unreadable: What cannot be read, with the reason: the names of files, or of the corpus if it
            is missing or empty, or cannot be listed. What is known of it stays.
        lexicon: Whether the rules of the lexicon are others, or stand on other lines.
        alternates: Whether the file of alternates says otherwise.
    """

    added: tuple[str, ...] = ()
    changed: tuple[DocumentChanges, ...] = ()
    removed: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    lexicon: bool = False
    alternates: bool = False

    def __bool__(self) -> bool:
        return bool(self.unreadable) or self.apply

    @property
    def apply(self) -> bool:
        """Whether there is anything that would change the knowledge base."""
        documents = self.added or self.changed or self.removed
        return bool(documents) or self.lexicon or self.alternates


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes a knowledge base one of its corpus as it is now.

    Attributes:
        changes: What it changes.
        removed: Ids of documents that go, also of those that others replace.
        documents: Those that come, with their entries as they were read; to be read once.
        source: What else the next generation is made of.
    """

    changes: Changes
    removed: tuple[str, ...]
    documents: Iterable[Parsed]
    source: Source


def corpus_of(manifest: Manifest) -> Path | None:
    """Return the folder or file that a knowledge base was built of; None if it is not there.

    Of documents that a program or an export gave there is no path.
    """
    if not manifest.corpus:
        return None
    path = Path(manifest.corpus)
    try:
        return path if path.exists() else None
    except (OSError, ValueError):  # a folder that may not be entered, a name that is none
        return None


def is_stale(path: Path, manifest: Manifest) -> bool:
    """Whether the corpus may have changed since the build; False if it is not there.

    It may have if a file or folder of it was changed after it was read, or if there are more or
    fewer files than there were. A file that was only saved again counts, too: `changes` tells.
    Reads no file.

    Args:
        path: The knowledge base, which may stand inside the corpus.
        manifest: Of its current generation.
    """
    corpus = corpus_of(manifest)
    if corpus is None:
        return False
    since = _read_at(path, manifest)
    documents = 0
    for is_document, changed in _stamps(corpus, path):
        if changed > since:
            return True
        documents += is_document
    return documents != manifest.sources


def _read_at(path: Path, manifest: Manifest) -> int:
    """Return when the corpus had been read, in nanoseconds.

    The store is written right after that, and the manifest, whose time is in whole seconds, last.
    """
    created = int(datetime.fromisoformat(manifest.created).timestamp() + 1) * 10**9
    try:
        folder = generation_folder(path, manifest.generation)
        changes = folder / CHANGES_FILE  # beside a store that older generations have, too
        stored = changes if changes.exists() else folder / STORE_FILE
        return min(created, stored.stat().st_mtime_ns)  # a copied store has a later time
    except OSError:
        return created


def _stamps(corpus: Path, knowledge_base: Path) -> Iterator[tuple[bool, int]]:
    """Yield of each folder and file of a corpus whether it is a document, and when it changed.

    As `corpus_files` chooses them, and the lexicon; the time is 0 where it cannot be told.
    """
    status = _status(corpus)
    if status is None or not S_ISDIR(status.st_mode):
        yield True, status.st_mtime_ns if status else 0
        return
    skipped = os.path.realpath(knowledge_base)
    folders = [str(corpus)]
    while folders:
        folder = folders.pop()
        status = _status(Path(folder))
        yield False, status.st_mtime_ns if status else 0
        for found in _listed(folder):
            if found.name.startswith("."):
                continue
            if _is_folder(found):
                if found.is_symlink() or is_knowledge_base(Path(found.path)):
                    continue
                if os.path.realpath(found.path) != skipped:
                    folders.append(found.path)
            elif found.name.lower().endswith(SUFFIXES):
                status = _status(found)
                special = found.name in SPECIAL_FILES and folder == str(corpus)
                yield not special, status.st_mtime_ns if status else 0


def _status(place: Path | os.DirEntry[str]) -> os.stat_result | None:
    try:
        return place.stat()
    except OSError:
        return None


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _is_folder(found: os.DirEntry[str]) -> bool:
    try:
        return found.is_dir()
    except OSError:
        return False


def plan(store: Store, manifest: Manifest, path: Path) -> Plan:
    """Compare a corpus with the store of a knowledge base.

    Args:
        store: Of the current generation.
        manifest: Of the same.
        path: The corpus.

    Raises:
        CorpusError: If the corpus is missing or empty, or cannot be listed.
    """
    corpus = Corpus(path, manifest.columns)
    comparing = _Comparing(store, manifest, corpus)
    for file in corpus.files:
        comparing.look_at(file)
    return comparing.plan()


class _Comparing:
    """Compares the files of a corpus with a store, one after the other."""

    def __init__(self, store: Store, manifest: Manifest, corpus: Corpus) -> None:
        self._store = store
        self._manifest = manifest
        self._corpus = corpus
        self._read_before = store.files()
        self._stamps: dict[str, tuple[int, int]] = {}
        self._known: dict[str, list[str]] = {}
        parts = store.parts()
        for name, _ in store.documents():
            self._known.setdefault(parts.get(name, name), []).append(name)
        self._unreadable: list[tuple[str, str]] = []
        self._rules = self._tried(LEXICON_FILE, corpus.rules, store.rules())
        self._old_alternates = store.alternates()
        self._new_alternates = self._tried(ALTERNATES_FILE, corpus.alternates, self._old_alternates)
        self._reworded = {
            entry.document_id
            for name in self._old_alternates.keys() | self._new_alternates.keys()
            if self._old_alternates.get(name) != self._new_alternates.get(name)
            and (entry := store.named_entry(name))
        }
        self._added: list[str] = []
        self._changed: list[DocumentChanges] = []
        self._replaced: list[str] = []
        self._kept: list[Parsed] = []
        self._kept_chars = 0
        self._again: list[tuple[CorpusFile, set[str]]] = []

    def _tried(self, name: str, read: Callable[[], _T], before: _T) -> _T:
        """Return what a file holds, or what it held before if it cannot be read."""
        try:
            return read()
        except CorpusError as error:
            self._unreadable.append((name, str(error)))
            return before

    def look_at(self, file: CorpusFile) -> None:
        """Compare a file, if it may have changed."""
        stamp, known = file.stamp(), self._known.get(file.id, [])
        same = self._read_before.get(file.id) == stamp and stamp[1] > 0
        if same and self._reworded.isdisjoint(known):
            self._stamps[file.id] = stamp
            return
        read: list[Parsed] = []
        kept = True
        there: set[str] = set()
        added: list[str] = []
        changed: list[DocumentChanges] = []
        try:
            for document, entries in file.read():
                there.add(document.id)
                if document.id not in known:
                    added.append(document.id)
                elif before := self._difference(document, entries):
                    changed.append(before)
                else:
                    continue
                if kept:
                    read.append((document, entries))
                    self._kept_chars += len(document.text)
                    kept = self._kept_chars <= _KEPT_CHARS
        except CorpusError as error:
            self._unreadable.append((file.id, str(error)))
            if file.id in self._read_before:
                self._stamps[file.id] = self._read_before[file.id]
            return
        self._stamps[file.id] = stamp
        gone = [name for name in known if name not in there]
        self._added += added
        self._changed += changed
        others = [one.id for one in changed]
        self._replaced += others + gone
        if kept:
            self._kept += read
        else:
            self._again.append((file, {*added, *others}))

    def _difference(self, document: Document, read: Sequence[Entry]) -> DocumentChanges | None:
        """Return what changed in a document; None if nothing at all did."""
        entries, _, became = settled((document, read), self._store, self._new_alternates)
        before = self._store.document(document.id)
        stored = [entry for entry, _ in self._store.entries(document.id)]
        if before == document and stored == entries:
            return None
        old = before.text if before else ""
        return DocumentChanges(
            document.id,
            tuple(_named(document.text, entry) for entry in became.added),
            tuple(_named(document.text, entry) for _, entry in became.changed),
            tuple(_named(old, entry) for entry in became.removed),
        )

    def plan(self) -> Plan:
        """Return the plan, when all files have been looked at."""
        listed = {file.id for file in self._corpus.files}
        lost = [name for file, names in self._known.items() if file not in listed for name in names]
        kept, again = self._kept, self._again
        changes = Changes(
            tuple(self._added),
            tuple(self._changed),
            tuple(sorted(lost)),
            tuple(self._unreadable),
            self._rules != self._store.rules(),
            self._old_alternates != self._new_alternates,
        )
        source = Source(
            str(self._corpus.path.absolute()),
            self._manifest.model,
            self._rules,
            self._new_alternates,
            self._stamps,
            dict(self._unreadable),
            self._manifest.columns,
            self._manifest.questions_indexed,
            self._manifest.index_asked,
        )
        reread = (one for file, new in again for one in file.read() if one[0].id in new)
        return Plan(changes, tuple(self._replaced + lost), chain(kept, reread), source)


def differences(old: Store, new: Store) -> Changes:
    """Return how the documents, the lexicon and the alternates of two stores differ."""
    before, after = (dict.fromkeys(name for name, _ in one.documents()) for one in (old, new))
    changed = []
    for name in after:
        if name in before and (was := old.document(name)) and (now := new.document(name)):
            stored, entries = ([entry for entry, _ in one.entries(name)] for one in (old, new))
            if was == now and stored == entries:
                continue
            became = by_id((was, stored), (now, entries))
            changed.append(
                DocumentChanges(
                    name,
                    tuple(_named(now.text, entry) for entry in became.added),
                    tuple(_named(now.text, entry) for _, entry in became.changed),
                    tuple(_named(was.text, entry) for entry in became.removed),
                )
            )
    return Changes(
        tuple(name for name in after if name not in before),
        tuple(changed),
        tuple(name for name in before if name not in after),
        (),
        old.rules() != new.rules(),
        old.alternates() != new.alternates(),
    )


def _named(text: str, entry: Entry) -> EntryName:
    return EntryName(entry.id, text[entry.question.start : entry.question.end])
