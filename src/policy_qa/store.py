"""Documents, entries and passages of one generation, in SQLite.

A question and a passage stand beside their offsets in their own rows: to cut them out of the
document each time would scan it from its start for every row.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from policy_qa.lexicon import Rule
from policy_qa.types import Document, Entry, Filters, Passage, Span

_SCHEMA = """
CREATE TABLE documents (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tags TEXT NOT NULL,
  effective_from TEXT, expires TEXT, text TEXT NOT NULL);
CREATE TABLE entries (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  document INTEGER NOT NULL REFERENCES documents,
  start INTEGER NOT NULL, end INTEGER NOT NULL,
  question_start INTEGER NOT NULL, question_end INTEGER NOT NULL,
  answer_start INTEGER NOT NULL, answer_end INTEGER NOT NULL,
  path TEXT NOT NULL, effective_from TEXT, expires TEXT, question TEXT NOT NULL);
CREATE TABLE passages (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
  entry INTEGER NOT NULL REFERENCES entries,
  start INTEGER NOT NULL, end INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE rules (number INTEGER PRIMARY KEY, source TEXT NOT NULL, words TEXT NOT NULL);
CREATE INDEX passages_by_entry ON passages (entry);
CREATE INDEX entries_by_document ON entries (document);
"""
_ENTRY = (
    "e.id, d.id, e.start, e.end, e.question_start, e.question_end, e.answer_start, e.answer_end, "
    "e.path, e.effective_from, e.expires, e.question"
)
_PASSAGE = "p.id, e.id, d.id, p.start, p.end, p.text"
_PROBES = (
    "SELECT id, tags, effective_from, expires, text FROM documents LIMIT 0",
    "SELECT id, document, path, effective_from, expires, question FROM entries LIMIT 0",
    "SELECT id, entry, text FROM passages LIMIT 0",
    "SELECT source, words FROM rules LIMIT 0",
)
_JOINED = (
    "passages p JOIN entries e ON e.number = p.entry JOIN documents d ON d.number = e.document"
)


class StoreWriter:
    """Fills an empty store. `add_*` return the numbers of the rows, which start at 0.

    Attributes:
        counts: How many rows each table has.
    """

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file)
        try:
            self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error:
            self._connection.close()
            raise
        self.counts = {"documents": 0, "entries": 0, "passages": 0, "rules": 0}
        self._texts: list[str] = []

    def add_document(self, document: Document) -> int:
        """Add a document."""
        self._texts.append(document.text)
        days = _from_days(document)
        return self._insert("documents", document.id, _to_json(document.tags), *days, document.text)

    def add_entry(self, entry: Entry, document: int) -> int:
        """Add an entry of the document of that number."""
        spans = (entry.span, entry.question, entry.answer)
        offsets = [offset for span in spans for offset in (span.start, span.end)]
        question = self._texts[document][entry.question.start : entry.question.end]
        path = _to_json(entry.path)
        days = _from_days(entry)
        return self._insert("entries", entry.id, document, *offsets, path, *days, question)

    def add_passage(self, passage: Passage, entry: int) -> int:
        """Add a passage of the entry of that number; its number is its row in the indexes."""
        span = passage.span
        return self._insert("passages", passage.id, entry, span.start, span.end, passage.text)

    def add_rule(self, rule: Rule) -> int:
        """Add a rule of the corpus's lexicon."""
        return self._insert("rules", rule.source, _to_json(rule.words))

    def _insert(self, table: str, *values: Any) -> int:
        number = self.counts[table]
        marks = ",".join("?" * (len(values) + 1))
        self._connection.execute(f"INSERT INTO {table} VALUES ({marks})", (number, *values))  # noqa: S608
        self.counts[table] += 1
        return number

    def close(self) -> None:
        """Write what is left and close the file."""
        try:
            self._connection.commit()
        finally:
            self._connection.close()


class Store:
    """Reads a store. Safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        """Open a store.

        Raises:
            sqlite3.Error: If the file is missing or is no store.
        """
        address = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        try:
            for query in _PROBES:  # SQLite reads nothing before it is asked
                self._all(query)
        except BaseException:
            self.close()
            raise

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def documents(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return every document's id and tags."""
        rows = self._all("SELECT id, tags FROM documents ORDER BY number")
        return [(name, tuple(json.loads(tags))) for name, tags in rows]

    def document(self, document_id: str) -> Document | None:
        """Return a document, None if there is none of that id."""
        query = "SELECT id, text, tags, effective_from, expires FROM documents WHERE id = ?"
        for name, text, tags, *days in self._all(query, (document_id,)):
            return Document(name, text, tuple(json.loads(tags)), *map(_to_day, days))
        return None

    def entries(self, document_id: str | None = None) -> Iterator[tuple[Entry, str]]:
        """Yield every entry with its question, or those of one document, in the source's order."""
        where = "" if document_id is None else "WHERE d.id = ?"
        values = () if document_id is None else (document_id,)
        query = f"SELECT {_ENTRY} FROM entries e JOIN documents d ON d.number = e.document {where}"  # noqa: S608
        return map(_entry, self._all(f"{query} ORDER BY e.number", values))

    def named_entry(self, entry_id: str) -> Entry | None:
        """Return an entry, None if there is none of that id."""
        query = f"SELECT {_ENTRY} FROM entries e JOIN documents d ON d.number = e.document"  # noqa: S608
        found = self._all(f"{query} WHERE e.id = ?", (entry_id,))
        return _entry(found[0])[0] if found else None

    def entry_numbers(self, rows: Iterable[int]) -> dict[int, int]:
        """Return the number of the entry of each passage row."""
        marks = ",".join(str(int(row)) for row in rows)
        return dict(self._all(f"SELECT row, entry FROM passages WHERE row IN ({marks})"))  # noqa: S608

    def entry(self, number: int) -> tuple[Entry, str]:
        """Return an entry and its question."""
        query = f"SELECT {_ENTRY} FROM entries e JOIN documents d ON d.number = e.document"  # noqa: S608
        (row,) = self._all(f"{query} WHERE e.number = ?", (number,))
        return _entry(row)

    def passage(self, row: int) -> Passage:
        """Return the passage of that row."""
        (found,) = self._all(f"SELECT {_PASSAGE} FROM {_JOINED} WHERE p.row = ?", (row,))  # noqa: S608
        return _passage(found)

    def passages(self, entry_id: str) -> list[tuple[int, Passage]]:
        """Return the rows and passages of an entry, in the source's order."""
        query = f"SELECT p.row, {_PASSAGE} FROM {_JOINED} WHERE e.id = ? ORDER BY p.row"  # noqa: S608
        return [(found[0], _passage(found[1:])) for found in self._all(query, (entry_id,))]

    def rows(self, filters: Filters) -> list[int]:
        """Return the passage rows of the documents that pass the filters."""
        allowed = [
            name
            for name, tags in self.documents()
            if (not filters.documents or name in filters.documents) and {*filters.tags} <= {*tags}
        ]
        query = f"SELECT p.row FROM {_JOINED} WHERE d.id IN (SELECT value FROM json_each(?))"  # noqa: S608
        return [row for (row,) in self._all(query, (_to_json(allowed),))]

    def rules(self) -> list[Rule]:
        """Return the rules of the corpus's lexicon, in its order."""
        found = self._all("SELECT source, words FROM rules ORDER BY number")
        return [Rule(source, tuple(json.loads(words))) for source, words in found]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _entry(row: Sequence[Any]) -> tuple[Entry, str]:
    entry_id, document_id, *offsets, path, effective_from, expires, question = row
    whole, asked, answer = (Span(*offsets[i : i + 2]) for i in (0, 2, 4))
    headings = tuple(json.loads(path))
    days = _to_day(effective_from), _to_day(expires)
    return Entry(entry_id, document_id, whole, asked, answer, headings, *days), question


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
