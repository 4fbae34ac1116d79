"""Answers to what was not covered: a table of gaps that somebody filled in, put into the corpus.

`gaps.gaps_csv` writes the table, with columns of the question, its alternates, how many times it
was asked, and the answer. Whoever fills it in writes an answer, which becomes a new entry; or, in a
column `entry` of their own, the id of the entry that has the answer already, which is then found by
these words too. A row with neither stays a gap.

New entries go to `answered-questions.csv` in the corpus folder, wordings of others to
`alternates.csv`; the next build reads both. They are tables for editors like any other file there.
To add the same again changes nothing.
"""

import contextlib
import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policy_qa.csv_tables import (
    ALTERNATES_FILE,
    FORMULA_ERRORS,
    Table,
    columns_of,
    delimiter_of,
    is_filled_in,
    read_alternates,
    rows_of,
    uninert,
)
from policy_qa.errors import CorpusError, InputError, LockedError, QueryError, StorageError
from policy_qa.evaluation.question_tables import (
    MAX_BYTES,
    check_package,
    one_line,
    sheet_rows,
)
from policy_qa.folding import fold
from policy_qa.knowledge_base import check_query
from policy_qa.readers.encodings import decode

__all__ = [
    "ANSWERS_FILE",
    "Added",
    "Answered",
    "Assigned",
    "FilledGaps",
    "add_to_corpus",
    "filled",
    "read_alternates",
    "read_filled",
    "uninert",
]

ANSWERS_FILE: Final = "answered-questions.csv"
"""At the top of a corpus folder: entries that were written as answers to gaps."""

LOCK_FILE: Final = ".answers.lock"
LOCK_SECONDS: Final = 10
"""Wait for another one who adds answers, which takes milliseconds."""

_BETWEEN: Final = " | "
_BARS: Final = re.compile(r"[|｜\n]")
"""What stands between wordings in one cell, as tables of a corpus are read."""

_SAYS_SOMETHING: Final = re.compile(r"[^\W_]")
_CONTROL: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_OLD_OR_LOCKED: Final = b"\xd0\xcf\x11\xe0"
"""How an `.xls` file begins, and one that a password protects."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A gap with an answer: a new entry.

    Attributes:
        question: In one line.
        answer: What answers it.
        alternates: The question in other words.
        row: Of the table, its header included; starts at 1.
    """

    question: str
    answer: str
    alternates: tuple[str, ...] = ()
    row: int = 1


@dataclass(frozen=True, slots=True)
class Assigned:
    """A gap that an entry answers, whose question was not found by these words.

    Attributes:
        entry_id: The entry.
        wordings: Each in one line; at least one.
        row: Of the table, its header included; starts at 1.
    """

    entry_id: str
    wordings: tuple[str, ...]
    row: int = 1


@dataclass(frozen=True, slots=True)
class FilledGaps:
    """What a table of gaps says once it is filled in.

    Attributes:
        answered: Rows with an answer.
        assigned: Rows with an entry.
        untouched: How many rows have neither.
        name: The file's name, for messages.
    """

    answered: tuple[Answered, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    untouched: int = 0
    name: str = "the table"


@dataclass(frozen=True, slots=True)
class Added:
    """What came into the corpus.

    Attributes:
        entries: New entries.
        wordings: Wordings of entries that were there.
        known: Rows of which everything was there already.
    """

    entries: int = 0
    wordings: int = 0
    known: int = 0


def read_filled(file: Path) -> FilledGaps:
    """Read a table of gaps that was filled in: CSV, TSV or XLSX; of a workbook the first sheet.

    Raises:
        InputError: If it cannot be read, has no column of questions and none to fill in, or a row
            is half filled in; names the row.
    """
    try:
        size = file.stat().st_size if file.is_file() else 0
        data = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise InputError(
            f"Cannot read {file}: {error.strerror or error}. Name a table of gaps."
        ) from error
    if size > MAX_BYTES:
        raise InputError(f"{file} has {size:,} bytes; the limit is {MAX_BYTES:,}. Split it.")
    return filled(data, str(file))


def filled(data: bytes, name: str) -> FilledGaps:
    """Read a table of gaps that was filled in, as `read_filled`.

    Args:
        data: The file's content.
        name: The file's name, whose ending says what it is: `.csv`, `.tsv` or `.xlsx`.

    Raises:
        InputError: As `read_filled`.
    """
    shown = one_line(name) or "the table"
    rows = list(_filled_rows(data, shown))
    columns = columns_of(rows[0][1]) if rows else {}
    if "question" not in columns or not columns.keys() & {"answer", "entry"}:
        raise InputError(
            f"{shown} is no table of gaps: its first row names no column 'question', or neither "
            "'answer' nor 'entry'. Fill in the table that was downloaded."
        )
    answered: list[Answered] = []
    assigned: list[Assigned] = []
    untouched = 0
    for number, row in rows[1:]:
        where = f"{shown}, row {number}"
        cells = {
            name: uninert(row[column]) for name, column in columns.items() if column < len(row)
        }
        if errors := {cell.strip() for cell in cells.values()} & FORMULA_ERRORS:
            raise InputError(
                f"{where}: {min(errors)} is the error of a formula. Correct it or remove the row."
            )
        answer, entry = _lines(cells.get("answer", "")), one_line(cells.get("entry", ""))
        if not answer and not entry:
            untouched += 1
            continue
        if answer and entry:
            raise InputError(f"{where}: an answer and an entry. Keep the one that is meant.")
        question, *alternates = _wordings(cells, where)
        if entry:
            assigned.append(Assigned(entry, (question, *alternates), number))
        elif _SAYS_SOMETHING.search(answer):
            answered.append(Answered(question, answer, tuple(alternates), number))
        else:
            raise InputError(
                f"{where}: the answer {answer!r} has no letter and no digit. Write one in words, "
                "or leave the cell empty."
            )
    return FilledGaps(tuple(answered), tuple(assigned), untouched, shown)


def _filled_rows(data: bytes, name: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the number and the cells of each row that is not empty; the header is the first."""
    ending = name.lower().rpartition(".")[2].strip()
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has {len(data):,} bytes; the limit is {MAX_BYTES:,}. Split it.")
    if data.startswith(_OLD_OR_LOCKED):
        raise InputError(
            f"{name} is an old .xls file or has a password. Save it as .xlsx without a password."
        )
    if ending not in {"csv", "tsv", "xlsx"}:
        raise InputError(f"{name} is no table that can be read. Save it as .xlsx or .csv.")
    if ending != "xlsx":
        try:
            text = decode(data, Path(name))
        except CorpusError as error:
            raise InputError(
                f"{name} is not text of an encoding that is known. Save it as UTF-8 (in Excel: CSV "
                "UTF-8), or as .xlsx."
            ) from error
        yield from rows_of(text, delimiter_of(text), name)
        return
    try:
        check_package(data, name)
        rows = list(sheet_rows(data, name))
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib, expat and openpyxl have many of their own
        raise InputError(
            f"{name} is no XLSX file or is damaged. Save it again as .xlsx, or as CSV."
        ) from error
    yield from ((number, row) for number, row in enumerate(rows, start=1) if is_filled_in(row))


def _wordings(cells: Mapping[str, str], where: str) -> list[str]:
    """Return the question and its alternates, each once."""
    question = one_line(cells.get("question", ""))
    if not question:
        raise InputError(
            f"{where}: an answer or an entry without a question. Fill in the question, or remove "
            "the row."
        )
    found = {_key(question): question}
    for part in _BARS.split(_lines(cells.get("alternates", ""))):
        if wording := one_line(part):
            found.setdefault(_key(wording), wording)
    for wording in found.values():
        try:
            check_query(wording)
        except QueryError as error:
            raise InputError(f"{where}: {error}") from error
    return [*found.values()]


def _key(text: str) -> str:
    """Return what is the same of two wordings that are one."""
    return " ".join(fold(text).split())


def _lines(cell: str) -> str:
    """Return a cell on lines without control characters and outer blanks."""
    return _CONTROL.sub(" ", cell.replace("\r\n", "\n").replace("\r", "\n")).strip()


def add_to_corpus(filled: FilledGaps, corpus: Path, known_entries: Collection[str]) -> Added:
    """Add answers and wordings to the files of a corpus; what is there already is not added again.

    A file that cannot be written leaves both as they were, or the other one with what it got; to
    do it again adds the rest.

    Args:
        filled: What to add.
        corpus: The corpus folder.
        known_entries: The ids of the entries that wordings may be given to.

    Raises:
        InputError: If the corpus is no folder, an entry is not known, or a question has another
            answer already; names the row. Nothing is written then.
        CorpusError: If a file that is there cannot be read.
        LockedError: If another process is adding answers.
        StorageError: If the disk is full or refuses.
    """
    if not corpus.is_dir():
        raise InputError(f"{corpus} is no folder. Answers are added to a corpus that is one.")
    _check_known(filled, known_entries)
    with _adding(corpus):
        answers = Table.read(corpus / ANSWERS_FILE, ("question", "answer", "alternates"))
        alternates = Table.read(corpus / ALTERNATES_FILE, ("entry", "question"))
        entries, wordings, known = _add_answers(filled, answers)
        for row in filled.assigned:
            new = _add_wordings(row, alternates)
            wordings += new
            known += not new
        for table in (answers, alternates):
            table.save()
    return Added(entries, wordings, known)


def _check_known(filled: FilledGaps, known_entries: Collection[str]) -> None:
    known = frozenset(known_entries)
    for row in filled.assigned:
        if row.entry_id not in known:
            near = difflib.get_close_matches(row.entry_id, sorted(known), 1, 0)
            raise InputError(
                f"{filled.name}, row {row.row}: there is no entry {row.entry_id!r}."
                + (f" The nearest is {near[0]!r}." if near else "")
                + " Correct the id, or write an answer instead."
            )


@contextlib.contextmanager
def _adding(corpus: Path) -> Iterator[None]:
    import filelock  # noqa: PLC0415 (only writers need it)

    try:
        with filelock.FileLock(corpus / LOCK_FILE, timeout=LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise LockedError(
            f"Another process is adding answers to {corpus}. Try again when it is done."
        ) from None
    except OSError as error:
        raise StorageError(
            f"Cannot write to {corpus}: {error.strerror or error}. Make room, or make it writable."
        ) from error


def _add_answers(filled: FilledGaps, table: Table) -> tuple[int, int, int]:
    """Return how many entries and wordings were added, and of how many rows nothing was."""
    entries = wordings = known = 0
    there = {
        key: (number, row)
        for number, row in reversed(table.rows)
        if (key := _key(table.cell(row, "question")))
    }
    for new in filled.answered:
        found = there.get(_key(new.question))
        if found is None:
            there[_key(new.question)] = table.add(
                question=new.question, answer=new.answer, alternates=_BETWEEN.join(new.alternates)
            )
            entries += 1
            continue
        number, row = found
        answer = _lines(table.cell(row, "answer"))
        if answer and answer != new.answer:
            raise InputError(
                f"{filled.name}, row {new.row}: the question has another answer in {table.file}, "
                f"row {number}. Change that one, or remove either."
            )
        if not answer:
            table.put(row, answer=new.answer)
        held = [part.strip() for part in _BARS.split(table.cell(row, "alternates"))]
        keys = {_key(part) for part in (table.cell(row, "question"), *held)}
        more = [wording for wording in new.alternates if _key(wording) not in keys]
        if more:
            table.put(row, alternates=_BETWEEN.join((*filter(None, held), *more)))
        entries += not answer
        wordings += len(more)
        known += bool(answer and not more)
    return entries, wordings, known


def _add_wordings(new: Assigned, table: Table) -> int:
    """Return how many wordings were added."""
    there = {
        _key(table.cell(row, "question"))
        for _, row in table.rows
        if table.cell(row, "entry").strip() == new.entry_id
    }
    more = [wording for wording in new.wordings if _key(wording) not in there]
    for wording in more:
        table.add(entry=new.entry_id, question=wording)
    return len(more)
