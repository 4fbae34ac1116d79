"""What changed in the corpus since a knowledge base was built of it.

`is_stale` only looks at the times and the number of the files, so that it may be asked often;
`changes` reads them and tells what a new build would change.
"""

import os
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from stat import S_ISDIR

from policy_qa.corpus import SUFFIXES, corpus_files, read_document, read_lexicon
from policy_qa.entries import parse
from policy_qa.errors import CorpusError
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.lexicon import LEXICON_FILE
from policy_qa.storage import STORE_FILE, Manifest, generation_folder
from policy_qa.types import Document, Entry


@dataclass(frozen=True, slots=True)
class EntryName:
    """An entry that changed.

    Attributes:
        id: In the file as it is now; of one that was removed, in the knowledge base.
        question: Its question in its own words, from the same place; empty where it has none.
    """

    id: str
    question: str


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """A document that changed, with its entries that did.

    No entry did where only the front matter, the blanks or the numbers are others.

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
        unreadable: What a build would refuse, with the reason: the names of files, or of the corpus
            if it is missing or empty, or cannot be listed.
        lexicon: Whether the rules of the lexicon are others, or stand on other lines.
    """

    added: tuple[str, ...] = ()
    changed: tuple[DocumentChanges, ...] = ()
    removed: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    lexicon: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.unreadable or self.lexicon)


def corpus_of(manifest: Manifest) -> Path | None:
    """Return the folder or file that a knowledge base was built of; None if it is not there.

    A relative path is taken from the current directory, as it was at the build. Of documents that
    a program gave there is no path; a folder that happens to be called `documents` is taken for it.
    """
    path = Path(manifest.corpus)
    try:
        return path if path.exists() else None
    except (OSError, ValueError):  # a folder that may not be entered, a name that is none
        return None


def is_stale(path: Path, manifest: Manifest) -> bool:
    """Whether the corpus may have changed since the build; False if it is not there.

    It may have if a file or folder of it was changed after it was read, or if there are more or
    fewer documents than were stored. A file that was only saved again counts, too: `changes` tells.
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
    return documents != manifest.documents


def _read_at(path: Path, manifest: Manifest) -> int:
    """Return when the corpus had been read, in nanoseconds.

    The store is written right after that, and the manifest, whose time is in whole seconds, last.
    """
    created = int(datetime.fromisoformat(manifest.created).timestamp() + 1) * 10**9
    try:
        stored = generation_folder(path, manifest.generation) / STORE_FILE
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
                if not found.is_symlink() and os.path.realpath(found.path) != skipped:
                    folders.append(found.path)
            elif found.name.lower().endswith(SUFFIXES):
                status = _status(found)
                is_lexicon = found.name == LEXICON_FILE and folder == str(corpus)
                yield not is_lexicon, status.st_mtime_ns if status else 0


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


def changes(kb: KnowledgeBase) -> Changes:
    """Return what changed in the corpus since the knowledge base was built of it.

    Reads every file. A lexicon that a program gave instead of the corpus's counts as a change.
    """
    corpus = Path(kb.manifest.corpus)
    try:
        files = corpus_files(corpus)
    except CorpusError as error:
        return Changes(unreadable=((str(corpus), str(error)),))
    stored = {document_id for document_id, _ in kb.documents()}
    added: list[str] = []
    changed: list[DocumentChanges] = []
    unreadable: list[tuple[str, str]] = []
    for file, document_id in files:
        try:
            now = read_document(file, document_id)
        except CorpusError as error:
            unreadable.append((document_id, str(error)))
            continue
        if document_id not in stored:
            added.append(document_id)
        elif (before := kb.document(document_id)) != now:
            changed.append(_compared(before, kb.entries(document_id), now))
    lexicon = False
    try:
        lexicon = read_lexicon(corpus) != kb.rules()
    except CorpusError as error:
        unreadable.append((LEXICON_FILE, str(error)))
    removed = sorted(stored - {document_id for _, document_id in files})
    return Changes(tuple(added), tuple(changed), tuple(removed), tuple(unreadable), lexicon)


def _compared(before: Document, stored: Iterable[Entry], now: Document) -> DocumentChanges:
    """Return what changed in a document.

    An entry that reads the same is the same, whatever its number. Of the others those are the same
    that ask the same, and then those of the same number.
    """
    old = {entry: _words(before, entry) for entry in stored}
    new = {entry: _words(now, entry) for entry in parse(now)}
    _paired(old, new, lambda _, words: words)
    changed = _paired(old, new, lambda _, words: words[0])
    changed += _paired(old, new, lambda entry, _: entry.id)
    changed.sort(key=lambda found: found[0].span.start)
    return DocumentChanges(
        now.id,
        tuple(EntryName(entry.id, words[0]) for entry, words in new.items()),
        tuple(EntryName(entry.id, words[0]) for entry, words in changed),
        tuple(EntryName(entry.id, words[0]) for entry, words in old.items()),
    )


_Words = tuple[str, str, tuple[str, ...]]
"""Of an entry: its question, its answer, and the headings above it."""


def _words(document: Document, entry: Entry) -> _Words:
    question, answer = (
        document.text[span.start : span.end] for span in (entry.question, entry.answer)
    )
    return question, answer, entry.path


def _paired(
    old: dict[Entry, _Words],
    new: dict[Entry, _Words],
    key: Callable[[Entry, _Words], Hashable],
) -> list[tuple[Entry, _Words]]:
    """Take out of both what has the same key, in the source's order; return it as it is now."""
    waiting: dict[Hashable, deque[Entry]] = {}
    for entry, words in old.items():
        waiting.setdefault(key(entry, words), deque()).append(entry)
    pairs = []
    for entry, words in list(new.items()):
        if same := waiting.get(key(entry, words)):
            del old[same.popleft()]
            del new[entry]
            pairs.append((entry, words))
    return pairs
