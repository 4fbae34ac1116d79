"""Rows to documents: each row an entry, and long tables in parts.

The text of an entry is its question, its answer and what else its row says, each on lines of its
own; of a row of another table, its cells with their headers. Tables are written in parts so that
one of a million rows is never in memory whole.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from policy_qa.errors import CorpusError
from policy_qa.readers.cells import one_line
from policy_qa.readers.text import folders
from policy_qa.types import Document, Entry, Parsed, Place, Span

PART_ROWS: Final = 1_000
"""Rows of one document: what is read, parsed and written at once."""
PART_CHARS: Final = 500_000
"""Characters of one document's text."""
MAX_CELL_CHARS: Final = 100_000
"""Characters of one cell; one of Excel holds 32,767. What is longer is most often a table whose
quotes do not match."""
MAX_ROW_CHARS: Final = 500_000
"""Characters of one row."""

_WIDE: Final = re.compile("[\u2e80-\ufeff\uff00-\uff65]")
_ENDS: Final = tuple("。．.!！?？;；…")
_LONGEST_ID: Final = 200


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of a table, or one line of a file of objects, says.

    Attributes:
        number: As a spreadsheet shows it, starts at 1.
        sheet: The name of its sheet; empty where there are none.
        question: The stored question, in one line; empty if it has none.
        answer: What answers it, or all that the row says.
        extras: Further headers and cells.
        alternates: The question in other words.
        tags: Its own.
        effective_from: The first day on which it holds.
        expires: The last day on which it holds.
        id: Its own; empty if its number in the file is to do.
        path: The headings above it.
    """

    number: int
    sheet: str = ""
    question: str = ""
    answer: str = ""
    extras: tuple[tuple[str, str], ...] = ()
    alternates: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    effective_from: date | None = None
    expires: date | None = None
    id: str = ""
    path: tuple[str, ...] = ()


@dataclass(slots=True)
class _Part:
    """A document that is being written."""

    texts: list[str] = field(default_factory=list)
    length: int = 0
    entries: list[Entry] = field(default_factory=list)
    places: list[tuple[int, Place]] = field(default_factory=list)


def row_name(file: Path, number: int, sheet: str = "") -> str:
    """Return how messages name a row."""
    return f"{file}, sheet {sheet}, row {number}" if sheet else f"{file}, row {number}"


def documents(rows: Iterable[Row], file: Path, document_id: str) -> Iterator[Parsed]:
    """Yield the documents of a table's rows, at least one, each as soon as it is full.

    Raises:
        CorpusError: If an id stands twice, is too long, or a row ends before it begins.
    """
    tags = folders(document_id)
    ids = _Ids()
    number = done = 0
    part, part_id = _Part(), document_id
    for row in rows:
        text = _text(row)
        where = row_name(file, row.number, row.sheet)
        if not text:
            continue
        if len(text) > MAX_ROW_CHARS:
            raise CorpusError(
                f"{where}: more than {MAX_ROW_CHARS:,} characters. Split the row, or see whether "
                "a quote is not closed."
            )
        if row.effective_from and row.expires and row.expires < row.effective_from:
            raise CorpusError(
                f"{where} expires ({row.expires}) before it is effective ({row.effective_from}). "
                "Mend either."
            )
        if len(part.entries) == PART_ROWS or (
            part.entries and part.length + len(text) > PART_CHARS
        ):
            yield _document(part, part_id, document_id, tags)
            done += 1
            part, part_id = _Part(), f"{document_id}:{done + 1}"
        number += 1
        own = ids.of(row, number, where)
        _append(part, part_id, f"{document_id}#{own}", row, text)
    yield _document(part, part_id, document_id, tags)


def labelled(pairs: Sequence[tuple[str, str]]) -> str:
    """Return the cells of a row in one line, each with its header."""
    filled = [(one_line(header), one_line(cell)) for header, cell in pairs if cell]
    if not filled:
        return ""
    wide = any(_WIDE.search(header) or _WIDE.search(cell) for header, cell in filled)
    colon, semicolon, stop = ("：", "；", "。") if wide else (": ", "; ", ".")
    text = semicolon.join(f"{header}{colon}{cell}" if header else cell for header, cell in filled)
    return text if text.endswith(_ENDS) else text + stop


def extra_line(header: str, cell: str) -> str:
    """Return a line with what a further column says."""
    if not header:
        return cell
    return f"{header}：{cell}" if _WIDE.search(header + cell) else f"{header}: {cell}"


def _text(row: Row) -> str:
    extras = [extra_line(one_line(header), cell) for header, cell in row.extras if cell]
    return "\n".join(filter(None, (row.question, row.answer, *extras)))


def _append(part: _Part, part_id: str, entry_id: str, row: Row, text: str) -> None:
    start = part.length + 2 if part.entries else 0
    whole = Span(start, start + len(text))
    question = Span(start, start + len(row.question))
    if row.question:
        # What the other columns say is no answer where there is none.
        answer = (
            Span(question.end + 1, whole.end) if row.answer else Span(question.end, question.end)
        )
    else:
        answer = whole
    part.texts.append(text)
    part.length = whole.end
    part.places.append((start, Place("row", row.number, row.sheet)))
    part.entries.append(
        Entry(
            entry_id,
            part_id,
            whole,
            question,
            answer,
            row.path,
            row.effective_from,
            row.expires,
            row.alternates,
            row.tags,
        )
    )


def _document(part: _Part, part_id: str, document_id: str, tags: tuple[str, ...]) -> Parsed:
    part_of = "" if part_id == document_id else document_id
    text = "\n\n".join(part.texts)
    document = Document(part_id, text, tags, places=tuple(part.places), part_of=part_of)
    return document, tuple(part.entries)


class _Ids:
    """The ids of a file's rows, each of which may stand once."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._numbered = bytearray(1)  # a dict of a million numbers would take 100 MB

    def of(self, row: Row, number: int, where: str) -> str:
        """Return the row's own id without the marks that divide ids, or else its number."""
        own = re.sub(r"[#:\s]+", "-", row.id.strip().lstrip("#").strip())
        if len(own) > _LONGEST_ID:
            raise CorpusError(
                f"{where}: an id of more than {_LONGEST_ID} characters. Give it a shorter one."
            )
        self._numbered.append(not own)
        own = own or str(number)
        other = self._given.get(own)
        if other is None and own.isdecimal() and own == str(int(own)) and int(own) < number:
            other = "a row that has no id" if self._numbered[int(own)] else None
        if other is not None:
            raise CorpusError(
                f"{where}: its id {own!r} is that of {other} as well. Give each row its own."
            )
        if not self._numbered[number]:
            self._given[own] = (
                f"{row.sheet}, row {row.number}" if row.sheet else f"row {row.number}"
            )
        return own
