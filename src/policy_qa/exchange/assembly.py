"""Documents, entries and rules as plain fields, and back, checked against each other.

Both forms of an export are read by way of these fields, so that both refuse the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, get_args

from policy_qa.errors import InputError
from policy_qa.lexicon import Rule
from policy_qa.types import Document, Entry, Parsed, Place, PlaceKind, Span

VERSION: Final = 1
"""Of both forms of an export. One of another version is refused, lest something of it be lost."""

_AGAIN: Final = "Export again"
_KINDS: Final[tuple[PlaceKind, ...]] = get_args(PlaceKind)

Fields = Mapping[str, Any]
"""What JSON holds: text, whole numbers, lists, None."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds; `build_generation` takes it.

    Attributes:
        parsed: The documents with their entries, in the order of the exported knowledge base.
        rules: Of the corpus's lexicon.
        corpus: Where the documents came from when they were indexed.
        generation: Of the knowledge base when it was exported.
    """

    parsed: Sequence[Parsed]
    rules: Sequence[Rule]
    corpus: str
    generation: int


def document_fields(document: Document) -> dict[str, Any]:
    """Return a document as plain fields."""
    places = [[start, p.kind, p.number, p.sheet] for start, p in document.places]
    return {
        "id": document.id,
        "text": document.text,
        "tags": list(document.tags),
        "effective_from": _from_day(document.effective_from),
        "expires": _from_day(document.expires),
        "places": places,
        "part_of": document.part_of,
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


def _from_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


class Assembly:
    """Puts an export together from plain fields. Every `add_*` raises `InputError`."""

    def __init__(self) -> None:
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
        }

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

    def export(self, corpus: str, generation: int) -> Export:
        """Return what was put together."""
        parsed = [(document, self._entries[name]) for name, document in self._documents.items()]
        return Export(parsed, self._rules, corpus, generation)


_DOCUMENT: Final = frozenset(document_fields(Document("", "")))
_ENTRY: Final = frozenset(entry_fields(Entry("", "", Span(0, 0), Span(0, 0), Span(0, 0))))
_RULE: Final = frozenset(rule_fields(Rule("", ())))


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
        if not isinstance(value, str):
            raise self.error(name, "text")
        return value

    def name(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self.error(name, "filled in")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._fields[name]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(name, "a list of texts")
        return tuple(value)

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
