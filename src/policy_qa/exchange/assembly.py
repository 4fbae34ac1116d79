"""Documents, entries and rules as plain fields, and back, checked against each other.

Both forms of an export are read by way of these fields, so that both refuse the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, get_args

from policy_qa.coarse import INDEX_KINDS
from policy_qa.errors import InputError
from policy_qa.filling import Source
from policy_qa.lexicon import Rule
from policy_qa.storage import Manifest
from policy_qa.store import Store
from policy_qa.types import Document, Entry, Parsed, Place, PlaceKind, Span

VERSION: Final = 2
"""Of both forms of an export. One of another version is refused, lest something of it be lost."""

_AGAIN: Final = "Export again"
_TOO_LARGE: Final = 2**63
"""SQLite's whole numbers end below it."""

_NO_ENTRY: Final = 10**9
"""The number of an entry in its id has nine digits at most."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_KINDS: Final[tuple[PlaceKind, ...]] = get_args(PlaceKind)

Fields = Mapping[str, Any]
"""What JSON holds: text, whole numbers, lists, None."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds; `build_generation` takes it.

    Attributes:
        parsed: The documents with their entries, in the order of the exported knowledge base.
        next_entries: Of each document, by its id, the least number that no entry of it ever had.
        source: What else the knowledge base was made of.
        generation: Of the knowledge base when it was exported.
    """

    parsed: Sequence[Parsed]
    next_entries: Mapping[str, int]
    source: Source
    generation: int


def about_fields(manifest: Manifest) -> dict[str, Any]:
    """Return what a knowledge base was made of, beside its records, as plain fields."""
    return {
        "generation": manifest.generation,
        "corpus": manifest.corpus,
        "model": manifest.model,
        "questions_indexed": manifest.questions_indexed,
        "index": manifest.index_asked,
        "columns": dict(manifest.columns),
    }


def counts_of(manifest: Manifest, store: Store) -> dict[str, int]:
    """Return how many records of each kind an export has."""
    return {
        "documents": manifest.documents,
        "entries": manifest.entries,
        "rules": len(store.rules()),
        "alternates": len(store.alternates()),
        "files": len(store.files()),
        "skipped": len(manifest.skipped),
        "used": len(store.all_used()),
    }


def document_fields(document: Document, next_entry: int) -> dict[str, Any]:
    """Return a document, and the least number that no entry of it ever had, as plain fields."""
    places = [[start, p.kind, p.number, p.sheet] for start, p in document.places]
    return {
        "id": document.id,
        "text": document.text,
        "tags": list(document.tags),
        "effective_from": _from_day(document.effective_from),
        "expires": _from_day(document.expires),
        "places": places,
        "part_of": document.part_of,
        "next_entry": next_entry,
    }


def entry_fields(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain fields."""
    return {
        "id": entry.id,
        "document": entry.document_id,
        "span": [entry.span.start, entry.span.end],
        "question": [entry.question.start, entry.question.end],
        "answer": [entry.answer.start, entry.answer.end],
        "path": list(entry.path),
        "effective_from": _from_day(entry.effective_from),
        "expires": _from_day(entry.expires),
        "alternates": list(entry.alternates),
        "tags": list(entry.tags),
    }


def rule_fields(rule: Rule) -> dict[str, Any]:
    """Return a rule of the lexicon as plain fields."""
    return {"source": rule.source, "words": list(rule.words), "translates": rule.translates}


def alternates_fields(entry_id: str, wordings: Sequence[str]) -> dict[str, Any]:
    """Return the wordings that a file of the corpus gives to an entry as plain fields."""
    return {"entry": entry_id, "wordings": list(wordings)}


def file_fields(name: str, stamp: tuple[int, int]) -> dict[str, Any]:
    """Return a file of the corpus, its bytes and its time of change in ns, as plain fields."""
    size, changed = stamp
    return {"name": name, "bytes": size, "changed_ns": changed}


def skipped_fields(name: str, why: str) -> dict[str, Any]:
    """Return a file that could not be read, and why, as plain fields."""
    return {"name": name, "why": why}


def used_fields(document_id: str, next_entry: int) -> dict[str, Any]:
    """Return a document that is gone, and the least number that no entry of it ever had."""
    return {"document": document_id, "next_entry": next_entry}


def _from_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


class Assembly:
    """Puts an export together from plain fields. Every `add_*` raises `InputError`."""

    def __init__(self, about: object, where: str) -> None:
        """Begin with what the export says of itself; `where` names its place in errors."""
        read = _Reader(about, where, _ABOUT)
        self._generation = read.number("generation")
        self._source = Source(
            read.text("corpus"),
            read.name("model"),
            columns=read.mapping("columns"),
            index_questions=read.flag("questions_indexed"),
            index=read.one_of("index", INDEX_KINDS),
        )
        self._next_entries: dict[str, int] = {}
        self._alternates: dict[str, tuple[str, ...]] = {}
        self._files: dict[str, tuple[int, int]] = {}
        self._skipped: dict[str, str] = {}
        self._used: dict[str, int] = {}
        self._entries: dict[str, list[Entry]] = {}
        self._documents: dict[str, Document] = {}
        self._stems: dict[str, str] = {}
        self._entry_ids: set[str] = set()
        self._rules: list[Rule] = []

    def counts(self) -> dict[str, int]:
        """Return how many of each kind there are, as `counts_of` names them."""
        return {
            "documents": len(self._documents),
            "entries": len(self._entry_ids),
            "rules": len(self._rules),
            "alternates": len(self._alternates),
            "files": len(self._files),
            "skipped": len(self._skipped),
            "used": len(self._used),
        }

    def add(self, kind: str, fields: object, where: str) -> None:
        """Add a record of a kind; `where` names its file and line in errors."""
        adders: dict[str, Callable[[object, str], object]] = {
            "document": self.add_document,
            "entry": self.add_entry,
            "rule": self.add_rule,
            "alternates": self.add_alternates,
            "file": self.add_file,
            "skipped": self.add_skipped,
            "used": self.add_used,
        }
        if kind not in adders:
            raise InputError(f"{where}: {kind!r} is no record of an export. Export again.")
        adders[kind](fields, where)

    def add_document(self, fields: object, where: str) -> Document:
        """Add a document; `where` names its file and line in errors."""
        read = _Reader(fields, where, _DOCUMENT)
        text = read.text("text")
        document = Document(
            id=read.name("id"),
            text=text,
            tags=read.texts("tags"),
            effective_from=read.day("effective_from"),
            expires=read.day("expires"),
            places=read.places("places", len(text)),
            part_of=read.text("part_of"),
        )
        stem = document.id.removesuffix(".txt")  # entry ids go by it, so `a` and `a.txt` collide
        if other := self._stems.get(stem):
            raise InputError(
                f"{where}: the document {document.id!r} has the id of another one, {other!r}. "
                f"{_AGAIN}."
            )
        self._stems[stem] = document.id
        self._next_entries[document.id] = read.number("next_entry", below=_NO_ENTRY)
        self._documents[document.id] = document
        self._entries[document.id] = []
        return document

    def add_entry(self, fields: object, where: str) -> tuple[Document, Entry]:
        """Add an entry of a document that is there already; return it with that document."""
        read = _Reader(fields, where, _ENTRY)
        entry_id, document_id = read.name("id"), read.name("document")
        document = self._documents.get(document_id)
        if document is None:
            raise InputError(
                f"{where}: the entry {entry_id!r} is of the document {document_id!r}, which does "
                f"not stand before it. {_AGAIN}."
            )
        if entry_id in self._entry_ids:
            raise InputError(f"{where}: a second entry has the id {entry_id!r}. {_AGAIN}.")
        length = len(document.text)
        entry = Entry(
            id=entry_id,
            document_id=document_id,
            span=read.span("span", length),
            question=read.span("question", length),
            answer=read.span("answer", length),
            path=read.texts("path"),
            effective_from=read.day("effective_from"),
            expires=read.day("expires"),
            alternates=read.texts("alternates"),
            tags=read.texts("tags"),
        )
        self._entry_ids.add(entry_id)
        self._entries[document_id].append(entry)
        return document, entry

    def add_rule(self, fields: object, where: str) -> None:
        """Add a rule of the lexicon."""
        read = _Reader(fields, where, _RULE)
        words = read.texts("words")
        if len({*words}) < 2 or not all(words):
            raise read.error("words", "two words or more that differ")
        self._rules.append(Rule(read.text("source"), words, read.flag("translates")))

    def add_alternates(self, fields: object, where: str) -> None:
        """Add the wordings that a file of the corpus gives to an entry."""
        read = _Reader(fields, where, _ALTERNATES)
        self._alternates[read.name("entry")] = read.texts("wordings")

    def add_file(self, fields: object, where: str) -> None:
        """Add a file of the corpus."""
        read = _Reader(fields, where, _FILE)
        self._files[read.name("name")] = read.number("bytes"), read.number("changed_ns")

    def add_skipped(self, fields: object, where: str) -> None:
        """Add a file that could not be read."""
        read = _Reader(fields, where, _SKIPPED)
        self._skipped[read.name("name")] = read.text("why")

    def add_used(self, fields: object, where: str) -> None:
        """Add a document that is gone."""
        read = _Reader(fields, where, _USED)
        self._used[read.name("document")] = read.number("next_entry", below=_NO_ENTRY)

    def export(self) -> Export:
        """Return what was put together."""
        parsed = [(document, self._entries[name]) for name, document in self._documents.items()]
        source = replace(
            self._source,
            rules=self._rules,
            alternates=self._alternates,
            files=self._files,
            skipped=self._skipped,
            used=self._used,
        )
        return Export(parsed, self._next_entries, source, self._generation)


_ABOUT: Final = frozenset(
    {"generation", "corpus", "model", "questions_indexed", "index", "columns"}
)
_DOCUMENT: Final = frozenset(document_fields(Document("", ""), 0))
_ENTRY: Final = frozenset(entry_fields(Entry("", "", Span(0, 0), Span(0, 0), Span(0, 0))))
_RULE: Final = frozenset(rule_fields(Rule("", ())))
_ALTERNATES: Final = frozenset(alternates_fields("", ()))
_FILE: Final = frozenset(file_fields("", (0, 0)))
_SKIPPED: Final = frozenset(skipped_fields("", ""))
_USED: Final = frozenset(used_fields("", 0))


class _Reader:
    """Reads the fields of one record; what is not as it must be is an `InputError` that names it.

    Args:
        fields: The record.
        where: Its file and line.
        names: All the fields that it must have; another one would be lost.
    """

    def __init__(self, fields: object, where: str, names: frozenset[str]) -> None:
        self._where = where
        if not isinstance(fields, dict):
            raise InputError(f"{where}: no record of an export. {_AGAIN}.")
        if wrong := sorted(map(repr, names ^ fields.keys())):
            raise InputError(
                f"{where}: {', '.join(wrong[:3])} is missing or is no field of a record. {_AGAIN}."
            )
        self._fields = fields

    def error(self, name: str, wanted: str) -> InputError:
        return InputError(f"{self._where}: {name!r} is not {wanted}. {_AGAIN}.")

    def text(self, name: str) -> str:
        value = self._fields[name]
        if not _is_text(value):
            raise self.error(name, "text")
        return str(value)

    def name(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self.error(name, "filled in")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._fields[name]
        if not isinstance(value, list) or not all(map(_is_text, value)):
            raise self.error(name, "a list of texts")
        return tuple(value)

    def number(self, name: str, below: int = _TOO_LARGE) -> int:
        value = self._fields[name]
        if not _is_whole(value) or not 0 <= value < below:
            raise self.error(name, f"a whole number from 0 to {below - 1:,}")
        return int(value)

    def one_of(self, name: str, wanted: Sequence[str]) -> str:
        value = self.text(name)
        if value not in wanted:
            raise self.error(name, f"one of {', '.join(wanted)}")
        return value

    def mapping(self, name: str) -> dict[str, str]:
        value = self._fields[name]
        if not isinstance(value, dict) or not all(map(_is_text, (*value, *value.values()))):
            raise self.error(name, "texts by name")
        return dict(value)

    def flag(self, name: str) -> bool:
        value = self._fields[name]
        if not isinstance(value, bool):
            raise self.error(name, "true or false")
        return value

    def day(self, name: str) -> date | None:
        value = self._fields[name]
        if value is None:
            return None
        try:
            day = date.fromisoformat(value)
        except (ValueError, TypeError):
            day = None
        if day is None or day.isoformat() != value:  # fromisoformat also reads weeks
            raise self.error(name, "a day such as 2025-01-31")
        return day

    def span(self, name: str, length: int) -> Span:
        value = self._fields[name]
        if not (isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))):
            raise self.error(name, "a start and an end")
        start, end = value
        if not 0 <= start <= end <= length:
            raise InputError(
                f"{self._where}: {name!r} is {start} to {end}, outside of its document, which has "
                f"{length:,} characters. {_AGAIN}."
            )
        return Span(start, end)

    def places(self, name: str, length: int) -> tuple[tuple[int, Place], ...]:
        wanted = "a list of places, ascending, such as [0, 'page', 1, '']"
        value = self._fields[name]
        if not isinstance(value, list):
            raise self.error(name, wanted)
        places, last = [], 0
        for item in value:
            match item:
                case [int(start), str(kind), int(number), str(sheet)] if (
                    kind in _KINDS
                    and _is_text(sheet)
                    and _is_whole(start)
                    and _is_whole(number)
                    and last <= start <= length
                    and number >= 1
                ):
                    places.append((start, Place(kind, number, sheet)))
                    last = start
                case _:
                    raise self.error(name, wanted)
        return tuple(places)


def _is_text(value: object) -> bool:
    """Whether a value is a string that a store can hold: without halves of characters."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def _is_whole(value: object) -> bool:
    return type(value) is int  # not a bool


def check_version(version: object, where: str) -> None:
    """Check that an export is of the version that is read here.

    Raises:
        InputError: If it is of another one.
    """
    if not _is_whole(version) or version != VERSION:
        raise InputError(
            f"{where}: an export of version {version!r}; this program reads version {VERSION}. "
            "Export again with a program of the same version as this one."
        )


def check_counts(told: object, found: Mapping[str, int], where: str, otherwise: str) -> None:
    """Check that nothing was lost.

    Args:
        told: How many of each kind the export says that there are.
        found: How many there are.
        where: What says so.
        otherwise: The way out.

    Raises:
        InputError: If there are more or fewer of a kind.
    """
    for kind, count in found.items():
        said = told.get(kind) if isinstance(told, Mapping) else None
        if not _is_whole(said) or said != count:
            raise InputError(f"{where} says {said!r} {kind}, and there are {count:,}. {otherwise}")
