"""Documents, entries and passages of one generation, in SQLite.

A generation reads one file, or two: what an older one indexed, and what has changed since. The
second says which documents of the first are gone, and holds those that came instead.

A question and a passage stand beside their offsets in their own rows: to cut them out of the
document each time would scan it from its start for every row.
"""

import json
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from policy_qa.errors import CorruptionError
from policy_qa.lexicon import Rule
from policy_qa.passages import passages
from policy_qa.storage import repair_command
from policy_qa.types import Document, Entry, Filters, Passage, Place, Span

_SCHEMA = """
CREATE TABLE documents (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tags TEXT NOT NULL,
  effective_from TEXT, expires TEXT, places TEXT NOT NULL, part_of TEXT NOT NULL,
  next_entry INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE entries (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  document INTEGER NOT NULL REFERENCES documents,
  start INTEGER NOT NULL, end INTEGER NOT NULL,
  question_start INTEGER NOT NULL, question_end INTEGER NOT NULL,
  answer_start INTEGER NOT NULL, answer_end INTEGER NOT NULL,
  path TEXT NOT NULL, effective_from TEXT, expires TEXT,
  alternates TEXT NOT NULL, tags TEXT NOT NULL, question TEXT NOT NULL);
CREATE TABLE passages (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  entry INTEGER NOT NULL REFERENCES entries,
  start INTEGER NOT NULL, end INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE rules (number INTEGER PRIMARY KEY, source TEXT NOT NULL, words TEXT NOT NULL);
CREATE TABLE alternates (entry TEXT NOT NULL, wording TEXT NOT NULL);
CREATE TABLE files (name TEXT PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL);
CREATE TABLE gone (document INTEGER PRIMARY KEY);
CREATE TABLE used (document TEXT PRIMARY KEY, next_entry INTEGER NOT NULL);
CREATE INDEX passages_by_entry ON passages (entry);
CREATE INDEX entries_by_document ON entries (document);
CREATE INDEX entries_with_days ON entries (number)
  WHERE effective_from IS NOT NULL OR expires IS NOT NULL;
CREATE INDEX entries_with_tags ON entries (number) WHERE tags != '[]';
"""
_ENTRY = (
    "e.id, d.id, e.start, e.end, e.question_start, e.question_end, e.answer_start, e.answer_end, "
    "e.path, e.effective_from, e.expires, e.alternates, e.tags, e.question"
)
_ENTRIES = f"SELECT {_ENTRY} FROM entries e JOIN documents d ON d.number = e.document"  # noqa: S608
_DOCUMENT = "id, text, tags, effective_from, expires, places, part_of"
_JOINED = (
    "passages p JOIN entries e ON e.number = p.entry JOIN documents d ON d.number = e.document"
)
_PASSAGES = f"SELECT p.row, p.id, e.id, d.id, p.start, p.end, p.text FROM {_JOINED}"  # noqa: S608
_PROBES = (
    f"SELECT {_DOCUMENT}, next_entry FROM documents LIMIT 0",  # noqa: S608
    f"{_ENTRIES} LIMIT 0",
    f"{_PASSAGES} LIMIT 0",
    "SELECT source, words FROM rules LIMIT 0",
    "SELECT entry, wording FROM alternates LIMIT 0",
    "SELECT name, size, changed FROM files LIMIT 0",
    "SELECT document FROM gone LIMIT 0",
    "SELECT document, next_entry FROM used LIMIT 0",
)
_NUMBERED = re.compile(r"#(\d{1,9})\Z")


@dataclass(frozen=True, slots=True)
class Stored:
    """A document with its entries, and their passages by row, as an index sees them.

    Attributes:
        document: The document.
        entries: The number of each entry, the entry, and the rows and passages of it.
    """

    document: Document
    entries: Sequence[tuple[int, Entry, Sequence[tuple[int, Passage]]]]


class StoreWriter:
    """Fills a store: an empty one, or the changes to another one."""

    def __init__(self, file: Path, base: "Store | None" = None) -> None:
        """Make a store, or go on with a copy of the changes that a store has.

        Args:
            file: The file to be written; it does not exist.
            base: What the store changes; None if it is a whole one.
        """
        self._base = base._files[0] if base else None  # noqa: SLF001 (the other half of the format)
        if base and len(base._files) > 1:  # noqa: SLF001
            shutil.copyfile(base._files[1].path, file)  # noqa: SLF001
            self._connection = sqlite3.connect(file)
            self._connection.executescript(_UNSAFE)
        else:
            self._connection = sqlite3.connect(file)
            try:
                self._connection.executescript(_UNSAFE)
                self._connection.executescript(_SCHEMA)
            except sqlite3.Error:
                self._connection.close()
                raise
        self._next = {table: self._first_free(table) for table in ("documents", "entries")}
        self._next["passages"] = self._first_free("passages", "row")

    def _first_free(self, table: str, column: str = "number") -> int:
        query = f"SELECT coalesce(max({column}), -1) + 1 FROM {table}"  # noqa: S608
        (here,) = self._connection.execute(query).fetchone()
        return max(int(here), self._base.all(query)[0][0] if self._base else 0)

    def add(self, document: Document, entries: Iterable[Entry], next_entry: int = 0) -> Stored:
        """Add a document with its entries and their passages.

        Args:
            document: The document.
            entries: Its entries.
            next_entry: The least number that no entry of the document ever had.

        Raises:
            sqlite3.IntegrityError: If the document or an entry has the id of another one.
        """
        number = self._take("documents")
        entries = list(entries)
        self._insert(
            "documents",
            number,
            document.id,
            _to_json(document.tags),
            *_from_days(document),
            _to_json([(start, p.kind, p.number, p.sheet) for start, p in document.places]),
            document.part_of,
            max([next_entry, *(_number(entry) + 1 for entry in entries)]),
            document.text,
        )
        return Stored(document, [self._add_entry(document, number, entry) for entry in entries])

    def _add_entry(
        self, document: Document, document_number: int, entry: Entry
    ) -> tuple[int, Entry, list[tuple[int, Passage]]]:
        number = self._take("entries")
        spans = (entry.span, entry.question, entry.answer)
        self._insert(
            "entries",
            number,
            entry.id,
            document_number,
            *(offset for span in spans for offset in (span.start, span.end)),
            _to_json(entry.path),
            *_from_days(entry),
            _to_json(entry.alternates),
            _to_json(entry.tags),
            document.text[entry.question.start : entry.question.end],
        )
        stored = []
        for passage in passages(document, entry):
            row = self._take("passages")
            span = passage.span
            self._insert("passages", row, passage.id, number, span.start, span.end, passage.text)
            stored.append((row, passage))
        return number, entry, stored

    def remove(self, document_id: str) -> None:
        """Remove a document, if there is one of that id, with all that it holds."""
        if self._base and (numbers := self._base.all(_NUMBER, (document_id,))):
            self._connection.execute("INSERT OR IGNORE INTO gone VALUES (?)", numbers[0])
        for (number,) in self._connection.execute(_NUMBER, (document_id,)).fetchall():
            for statement in _REMOVALS:
                self._connection.execute(statement, (number,))

    def set_rules(self, rules: Iterable[Rule]) -> None:
        """Set the rules of the corpus's lexicon."""
        self._connection.execute("DELETE FROM rules")
        for number, rule in enumerate(rules):
            self._insert("rules", number, rule.source, _to_json(rule.words))

    def set_alternates(self, alternates: Mapping[str, Sequence[str]]) -> None:
        """Set the wordings that a file of the corpus gives to entries of others."""
        self._connection.execute("DELETE FROM alternates")
        for entry_id, wordings in alternates.items():
            for wording in wordings:
                self._insert("alternates", entry_id, wording)

    def set_used(self, used: Mapping[str, int]) -> None:
        """Set the least number that no entry ever had of documents that are gone."""
        self._connection.execute("DELETE FROM used")
        self._connection.executemany("INSERT INTO used VALUES (?, ?)", used.items())

    def set_files(self, files: Mapping[str, tuple[int, int]]) -> None:
        """Set the size in bytes and the time of change, in ns, of every file that was read."""
        self._connection.execute("DELETE FROM files")
        rows = ((name, *stamp) for name, stamp in files.items())
        self._connection.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)

    def _take(self, table: str) -> int:
        number = self._next[table]
        self._next[table] += 1
        return number

    def _insert(self, table: str, *values: Any) -> None:
        marks = ",".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608

    def close(self) -> None:
        """Write what is left and close the file."""
        try:
            self._connection.commit()
        finally:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_UNSAFE = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
"""Nobody reads the file before it is whole and flushed, and nobody writes to it after."""

_AMONG = " IN (SELECT value FROM json_each(?))"
_NUMBER = "SELECT number FROM documents WHERE id = ?"
_REMOVALS = (
    "DELETE FROM passages WHERE entry IN (SELECT number FROM entries WHERE document = ?)",
    "DELETE FROM entries WHERE document = ?",
    "DELETE FROM documents WHERE number = ?",
)


def damaged_store(file: Path, why: str) -> CorruptionError:
    """Return the error for a store that was whole when it was opened."""
    way_out = f"Repair it: {repair_command(file.parents[2])}"
    return CorruptionError(f"{file} is damaged: {why}. {way_out}")


class _File:
    """One file of a store, open for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        try:
            for query in _PROBES:  # SQLite reads nothing before it is asked
                self._asked(query)
        except BaseException:
            self.close()
            raise

    def all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._asked(query, values)
        except sqlite3.ProgrammingError:  # no fault of the file
            raise
        except sqlite3.DatabaseError as error:
            raise damaged_store(self.path, str(error)) from error

    def _asked(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        self._connection.close()


class Store:
    """Reads a store. Safe to use from several threads."""

    def __init__(self, file: Path, changes: Path | None = None) -> None:
        """Open a store.

        Args:
            file: What was indexed as a whole.
            changes: What has changed since; None if nothing has, or the file does not exist.

        Raises:
            sqlite3.Error: If a file is missing or is no store.
        """
        self._files = [_File(file)]
        self._gone: frozenset[int] = frozenset()
        if changes and changes.exists():
            try:
                self._files.append(_File(changes))
            except BaseException:
                self.close()
                raise
            gone = self._files[1].all("SELECT document FROM gone")
            self._gone = frozenset(number for (number,) in gone)

    def _live(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return what a query finds in all files, without what is gone.

        Args:
            query: Its first column is the number of a document.
            values: Of its parameters.
        """
        base = self._files[0].all(query, values)
        if len(self._files) == 1:
            return [row[1:] for row in base]
        kept = [row[1:] for row in base if row[0] not in self._gone]
        return kept + [row[1:] for row in self._files[1].all(query, values)]

    def _named(self, query: str, name: str) -> Any | None:
        """Return the row that a query, as of `_live`, finds by a name; the latest one."""
        try:
            name.encode()
        except UnicodeEncodeError:  # half of a character, which no name holds and SQLite refuses
            return None
        found = self._live(query, (name,))
        return found[-1] if found else None

    def _numbered(self, query: str, numbers: Iterable[int]) -> dict[int, Sequence[Any]]:
        """Return what a query finds by numbers, which no two files have in common, by its first."""
        wanted = {int(number) for number in numbers}
        query, values = query + _AMONG, (json.dumps([*wanted]),)
        found = {number: rest for file in self._files for number, *rest in file.all(query, values)}
        for number in wanted - found.keys():
            raise damaged_store(self._files[0].path, f"it has no row {number}")
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How many documents, entries and passages there are."""
        entries, rows = self.gone()
        lost = {"documents": len(self._gone), "entries": len(entries), "passages": len(rows)}
        return {
            table: sum(file.all(f"SELECT count(*) FROM {table}")[0][0] for file in self._files)  # noqa: S608
            - number
            for table, number in lost.items()
        }

    @property
    def end_row(self) -> int:
        """The row that follows the last passage; what could not be read leaves gaps before it."""
        query = "SELECT coalesce(max(row), -1) + 1 FROM passages"
        return max(int(file.all(query)[0][0]) for file in self._files)

    def gone(self) -> tuple[list[int], list[int]]:
        """Return the entries and the passage rows of the first file that are gone."""
        entries: list[int] = []
        rows: list[int] = []
        base = self._files[0]
        for number in sorted(self._gone):
            entries += [n for (n,) in base.all(_ENTRIES_OF, (number,))]
            rows += [row for (row,) in base.all(_ROWS_OF, (number,))]
        return entries, rows

    def changed_rows(self) -> int:
        """Return how many passages are gone or new since the first file was written.

        Those that were new and are gone again count, but for the last ones.
        """
        if len(self._files) == 1:
            return 0
        (first,), (last,) = (file.all("SELECT max(row) FROM passages")[0] for file in self._files)
        new = 0 if last is None else int(last) - int(-1 if first is None else first)
        return new + len(self.gone()[1])

    def documents(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return every document's id and tags, ordered by id."""
        rows = self._live("SELECT number, id, tags FROM documents ORDER BY number")
        return sorted((name, tuple(json.loads(tags))) for name, tags in rows)

    def parts(self) -> dict[str, str]:
        """Return the file of every document that is a part of one."""
        found = self._live("SELECT number, id, part_of FROM documents WHERE part_of != ''")
        return dict(found)

    def document(self, document_id: str) -> Document | None:
        """Return a document, None if there is none of that id."""
        row = self._named(f"SELECT number, {_DOCUMENT} FROM documents WHERE id = ?", document_id)  # noqa: S608
        return _document(row) if row else None

    def next_entry(self, document_id: str) -> int:
        """Return the least number that no entry of a document ever had; 0 if there is none."""
        row = self._named("SELECT number, next_entry FROM documents WHERE id = ?", document_id)
        return int(row[0]) if row else 0

    def entries(self, document_id: str | None = None) -> Iterator[tuple[Entry, str]]:
        """Yield every entry with its question, or those of one document, in the source's order."""
        query = _ENTRIES.replace("SELECT", "SELECT d.number,", 1)
        if document_id is not None:
            found = self._live(f"{query} WHERE d.id = ? ORDER BY e.number", (document_id,))
            yield from map(_entry, found)
        elif len(self._files) == 1:
            yield from map(_entry, self._live(f"{query} ORDER BY e.number"))
        else:
            for name, _ in self.documents():
                yield from self.entries(name)

    def some_questions(self, count: int) -> list[str]:
        """Return the first questions, at most so many."""
        query = "SELECT document, trim(question) FROM entries WHERE trim(question) != '' LIMIT ?"
        return [question for (question,) in self._live(query, (count,))][:count]

    def named_entry(self, entry_id: str) -> Entry | None:
        """Return an entry, None if there is none of that id."""
        query = _ENTRIES.replace("SELECT", "SELECT d.number,", 1)
        row = self._named(f"{query} WHERE e.id = ?", entry_id)
        return _entry(row)[0] if row else None

    def entry_numbers(self, rows: Iterable[int]) -> dict[int, int]:
        """Return the number of the entry of each passage row."""
        found = self._numbered("SELECT row, entry FROM passages WHERE row", rows)
        return {row: int(entry) for row, (entry,) in found.items()}

    def entries_numbered(self, numbers: Iterable[int]) -> dict[int, tuple[Entry, str]]:
        """Return entries and their questions by their numbers."""
        query = _ENTRIES.replace("SELECT", "SELECT e.number,", 1)
        found = self._numbered(f"{query} WHERE e.number", numbers)
        return {number: _entry(row) for number, row in found.items()}

    def passages_at(self, rows: Iterable[int]) -> dict[int, Passage]:
        """Return passages by their rows."""
        found = self._numbered(f"{_PASSAGES} WHERE p.row", rows)
        return {row: _passage(rest) for row, rest in found.items()}

    def check_copies(self, document: Document, passages: Iterable[Passage]) -> None:
        """Check that passages read in their own rows as in their document, alternates excepted.

        Raises:
            CorruptionError: If one does not.
        """
        for passage in passages:
            if passage.id.rpartition(":")[2].startswith("0."):  # may be words of an alternate
                continue
            if document.text[passage.span.start : passage.span.end] != passage.text:
                raise damaged_store(
                    self._files[0].path, f"{passage.id} does not read as in {document.id}"
                )

    def passages(self, entry_id: str) -> list[tuple[int, Passage]]:
        """Return the rows and passages of an entry, in the source's order."""
        query = _PASSAGES.replace("SELECT", "SELECT d.number,", 1)
        found = self._live(f"{query} WHERE e.id = ? ORDER BY p.row", (entry_id,))
        return [(row, _passage(rest)) for row, *rest in found]

    def stored(self, document_id: str) -> Stored | None:
        """Return a document with all that it holds, None if there is none of that id."""
        document = self.document(document_id)
        if document is None:
            return None
        numbers = self._live("SELECT d.number, e.number, e.id " + _ENTRIES_IN, (document_id,))
        of_entry: dict[str, list[tuple[int, Passage]]] = {}
        query = _PASSAGES.replace("SELECT", "SELECT d.number,", 1)
        for row, *rest in self._live(f"{query} WHERE d.id = ? ORDER BY p.row", (document_id,)):
            passage = _passage(rest)
            of_entry.setdefault(passage.entry_id, []).append((row, passage))
        entries = {entry.id: entry for entry, _ in self.entries(document_id)}
        return Stored(
            document,
            [(number, entries[name], of_entry.get(name, [])) for number, name in numbers],
        )

    def rows(self, filters: Filters) -> npt.NDArray[np.int64]:
        """Return the `(n,) int64` passage rows of the entries that pass the filters."""
        parts = [
            part
            for file, gone in zip(self._files, (self._gone, frozenset()), strict=False)
            for part in _allowed_rows(file, gone, filters)
        ]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def entry_tags(self) -> set[str]:
        """Return the tags that entries have of their own."""
        found = self._live("SELECT DISTINCT document, tags FROM entries WHERE tags != '[]'")
        return {tag for (tags,) in found for tag in json.loads(tags)}

    def not_in_force(self, day: date) -> list[int]:
        """Return the passage rows of the entries that do not hold on a day."""
        query = (
            "SELECT e.document, p.row FROM entries e JOIN passages p ON p.entry = e.number "
            "WHERE (e.effective_from IS NOT NULL OR e.expires IS NOT NULL) "
            "AND (e.effective_from > ?1 OR e.expires < ?1)"
        )
        return [row for (row,) in self._live(query, (day.isoformat(),))]

    def rules(self) -> list[Rule]:
        """Return the rules of the corpus's lexicon, in its order."""
        found = self._files[-1].all("SELECT source, words FROM rules ORDER BY number")
        return [Rule(source, tuple(json.loads(words))) for source, words in found]

    def alternates(self) -> dict[str, tuple[str, ...]]:
        """Return the wordings that a file of the corpus gives to entries of others."""
        found: dict[str, tuple[str, ...]] = {}
        for entry_id, wording in self._files[-1].all("SELECT entry, wording FROM alternates"):
            found[entry_id] = (*found.get(entry_id, ()), wording)
        return found

    def used(self, document_id: str) -> int:
        """Return the least number that no entry of a document that is gone ever had; else 0."""
        return self.all_used().get(document_id, 0)

    def all_used(self) -> dict[str, int]:
        """Return the same of every document that is gone, by its id."""
        return dict(self._files[-1].all("SELECT document, next_entry FROM used ORDER BY document"))

    def files(self) -> dict[str, tuple[int, int]]:
        """Return the size in bytes and the time of change, in ns, of every file that was read."""
        rows = self._files[-1].all("SELECT name, size, changed FROM files")
        return {name: (size, changed) for name, size, changed in rows}

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


def _allowed_rows(
    file: _File, gone: AbstractSet[int], filters: Filters
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the passage rows of one file that pass the filters, in parts."""
    whole, lacking = set(), {}
    for number, name, part_of, tags in file.all("SELECT number, id, part_of, tags FROM documents"):
        named = not filters.documents or name in filters.documents or part_of in filters.documents
        if number in gone or not named:
            continue
        missing = {*filters.tags}.difference(json.loads(tags))
        if missing:
            lacking[number] = missing
        else:
            whole.add(number)
    if len(whole) > _LOOKED_UP_ALONE:
        spans = [span for number, *span in file.all(_ALL_SPANS) if number in whole]
    else:
        spans = [span for number in whole for span in file.all(_SPAN, (number,))]
    for first, last in spans:
        if first is not None:
            yield np.arange(first, last + 1)
    if lacking:
        for document, entry, tags in file.all(_TAGGED):
            if lacking.get(document, {""}) <= {*json.loads(tags)}:
                yield np.array(file.all(_ROWS_OF_ENTRY, (entry,)), np.int64).reshape(-1)


_LOOKED_UP_ALONE = 1_000
"""Documents up to which it is quicker to look each one up than to go through all."""

_SPANS = "SELECT {} FROM entries e JOIN passages p ON p.entry = e.number"
"""The rows of a document follow one another: they were given when it was added."""
_SPAN = _SPANS.format("min(p.row), max(p.row)") + " WHERE e.document = ?"
_ALL_SPANS = _SPANS.format("e.document, min(p.row), max(p.row)") + " GROUP BY e.document"
_TAGGED = "SELECT document, number, tags FROM entries WHERE tags != '[]'"
_ROWS_OF_ENTRY = "SELECT row FROM passages WHERE entry = ?"

_ENTRIES_OF = "SELECT number FROM entries WHERE document = ?"
_ROWS_OF = "SELECT p.row FROM passages p JOIN entries e ON e.number = p.entry WHERE e.document = ?"
_ENTRIES_IN = (
    "FROM entries e JOIN documents d ON d.number = e.document WHERE d.id = ? ORDER BY e.number"
)


def _number(entry: Entry) -> int:
    """Return the number in an entry's id; -1 if it has another name."""
    match = _NUMBERED.search(entry.id)
    return int(match[1]) if match else -1


def _document(row: Sequence[Any]) -> Document:
    name, text, tags, effective_from, expires, places, part_of = row
    return Document(
        name,
        text,
        tuple(json.loads(tags)),
        _to_day(effective_from),
        _to_day(expires),
        tuple((start, Place(*place)) for start, *place in json.loads(places)),
        part_of,
    )


def _entry(row: Sequence[Any]) -> tuple[Entry, str]:
    entry_id, document_id, *offsets, path, first, last, alternates, tags, question = row
    whole, asked, answer = (Span(*offsets[i : i + 2]) for i in (0, 2, 4))
    return Entry(
        entry_id,
        document_id,
        whole,
        asked,
        answer,
        tuple(json.loads(path)),
        _to_day(first),
        _to_day(last),
        tuple(json.loads(alternates)),
        tuple(json.loads(tags)),
    ), question


def _passage(row: Sequence[Any]) -> Passage:
    passage_id, entry_id, document_id, start, end, text = row
    return Passage(passage_id, entry_id, document_id, Span(start, end), text)


def _from_days(dated: Document | Entry) -> tuple[str | None, str | None]:
    first, last = dated.effective_from, dated.expires
    return first.isoformat() if first else None, last.isoformat() if last else None


def _to_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _to_json(fields: Any) -> str:
    """Return compact JSON with the letters as they are."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
