"""The store of a generation, filled with documents, of which it also says where they came from."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from policy_qa.coarse import AUTO
from policy_qa.corpus import CorpusFile
from policy_qa.errors import CorpusError
from policy_qa.identity import settled
from policy_qa.lexicon import Rule
from policy_qa.storage import STORE_FILE, Manifest
from policy_qa.store import Store, StoreWriter
from policy_qa.types import Document, Entry, Parsed


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
        used: Of documents that are gone, by their ids, the least number that no entry ever had.
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
    used: Mapping[str, int] = field(default_factory=dict)
    index_kept: bool = False


class Filling:
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

    def add_as_they_are(self, documents: Iterable[Parsed], next_entries: Mapping[str, int]) -> None:
        """Add documents of another store, with the ids and alternates that their entries have.

        Args:
            documents: The documents.
            next_entries: Of each the least number that none of its entries ever had.
        """
        for document, entries in documents:
            numbers = [next_entries.get(document.id, 0)]
            if before := self._before:
                numbers += before.next_entry(document.id), before.used(document.id)
            self._put(document, entries, max(numbers))

    def _add(self, document: Document, read: Sequence[Entry]) -> None:
        """Add a document whose entries keep the ids that they had."""
        entries, next_entry, _ = settled((document, read), self._before, self._source.alternates)
        self._put(document, entries, next_entry)

    def _put(self, document: Document, entries: Sequence[Entry], next_entry: int) -> None:
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
        try:
            self._writer.add(document, entries, next_entry)
        except sqlite3.IntegrityError as error:
            raise CorpusError(
                f"Two entries of {document.id!r} have the same id. Mend the ids that it gives."
            ) from error
        self._taken.add(document.id)
        self.added.append(document.id)

    def finish(self) -> Source:
        """Write what is stored beside the documents; return what the generation is made of.

        Documents that are gone leave the numbers of their entries, lest others get them; those of a
        file that cannot be read are not gone, and come back as they were.
        """
        used = Counter(self._source.used)
        if before := self._before:
            used |= Counter(before.all_used())
            parts = before.parts()
            names = [name for name, _ in before.documents() if name not in self._taken]
            lost = [n for n in names if parts.get(n, n) not in self._source.skipped]
            used |= Counter({name: before.next_entry(name) for name in lost})
        gone = {name: number for name, number in used.items() if number and name not in self._taken}
        self._source = replace(self._source, used=gone)
        set_source(self._writer, self._source)
        return self._source


def set_source(writer: StoreWriter, source: Source) -> None:
    """Write what is stored beside the documents."""
    writer.set_rules(source.rules)
    writer.set_alternates(source.alternates)
    writer.set_files(source.files)
    writer.set_used(source.used)


def written_again(base: Manifest, before: Store, folder: Path) -> Source:
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
        used=before.all_used(),
    )
    with StoreWriter(folder / STORE_FILE) as writer:
        copy_store(before, writer)
        set_source(writer, source)
    return source


def copy_store(store: Store, writer: StoreWriter) -> None:
    """Write a store's documents and entries again, into one file."""
    for name, _ in store.documents():
        document = store.document(name)
        if document:
            entries = (entry for entry, _ in store.entries(name))
            writer.add(document, entries, store.next_entry(name))


def _stem(document_id: str) -> str:
    """Return what the ids of a document's entries begin with."""
    return document_id.removesuffix(".txt")


_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
