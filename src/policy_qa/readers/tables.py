"""Tables of questions, and other tables: which row is the header, and what the others say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Final

from policy_qa.errors import CorpusError
from policy_qa.lines import is_question
from policy_qa.readers.cells import alternates, day, one_line, tags
from policy_qa.readers.fields import Columns, missing, recognise
from policy_qa.readers.rows import MAX_CELL_CHARS, Row, labelled, row_name

Line = tuple[int, Sequence[str]]
"""The number of a row, and its cells."""

_HEADER_ROWS: Final = 10
"""Rows that are not blank among which the header is looked for; titles may stand above it."""
_FORMULA_ERRORS: Final = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!"}
)


class UnmappedError(CorpusError):
    """Raised when a table has not the columns that a mapping names; another sheet may have."""


def table_rows(
    lines: Iterable[Line],
    file: Path,
    columns: Mapping[str, str],
    sheet: str = "",
    path: tuple[str, ...] = (),
) -> Iterator[Row]:
    """Yield what the rows of one table say.

    Args:
        lines: The rows, blank ones included or left out.
        file: Named in errors.
        columns: Names of columns by field.
        sheet: The table's sheet.
        path: What stands above the table.

    Raises:
        CorpusError: If a cell is too long, a day is none, or a mapped column is not there.
    """
    filled = (line for line in lines if any(line[1]))
    first = list(islice(filled, _HEADER_ROWS))
    if all(missing(cells, columns) for _, cells in first) and any(
        recognise(cells, {}).asks for _, cells in first
    ):
        columns = {}  # they are of another table, and this one needs none
    header, found = _header(first, columns)
    if columns:
        _check_mapping(first, found, file, columns, sheet)
    titles = [one_line(" ".join(filter(None, cells))) for _, cells in first[: max(header, 0)]]
    names = [one_line(name) for name in first[header][1]] if header >= 0 else []
    reader = _Table(file, sheet, names, found, (*path, *titles)).row
    for line in chain(first[header + 1 :], filled):
        if line[1] != first[header][1] or header < 0:  # a header may be repeated on each page
            yield reader(line)
    if header >= 0 and len(first) == 1 and not found.asks:
        yield Row(first[0][0], sheet, answer=labelled([("", c) for c in names]), path=path)


def _header(first: Sequence[Line], columns: Mapping[str, str]) -> tuple[int, Columns]:
    """Return the index of the header among the first rows, -1 if there is none, and its fields."""
    for i, (_, cells) in enumerate(first):
        found = recognise(cells, columns)
        if found.asks:
            return i, found
    if first and _opens_with_a_question(first[0][1]):
        return -1, Columns(0, 1)
    for i, (_, cells) in enumerate(first):
        if sum(map(bool, cells)) > 1:
            return i, Columns()
    return -1, Columns()


def _opens_with_a_question(cells: Sequence[str]) -> bool:
    """Whether a first row is itself a question with its answer."""
    two = len(cells) > 1 and bool(cells[1])
    return two and is_question(cells[0]) and not is_question(cells[1])


def _check_mapping(
    first: Sequence[Line], found: Columns, file: Path, columns: Mapping[str, str], sheet: str
) -> None:
    """Refuse a table that has not the columns that a mapping names."""
    there = max(
        (line[1] for line in first),
        key=lambda cells: (recognise(cells, columns).asks, sum(map(bool, cells))),
        default=(),
    )
    lacking = missing(there, columns)
    if not lacking and not found.asks:
        known = recognise(there, columns)
        lacking = ["question" if known.question is None else "answer"]
    if lacking:
        where = f"{file}, sheet {sheet}" if sheet else str(file)
        names = ", ".join(one_line(cell) for cell in there if cell) or "none"
        raise UnmappedError(
            f"{where} has no column {lacking[0]!r}; its columns are: {names}. Name one of these."
        )


class _Table:
    """Reads the rows of one table by its header."""

    def __init__(
        self,
        file: Path,
        sheet: str,
        names: Sequence[str],
        columns: Columns,
        path: tuple[str, ...],
    ) -> None:
        self._file, self._sheet, self._path = file, sheet, path
        self._names, self._columns = names, columns
        self._known = columns.known

    def row(self, line: Line) -> Row:
        """Return what a row says."""
        number, cells = line
        where = row_name(self._file, number, self._sheet)
        for cell in cells:
            if len(cell) > MAX_CELL_CHARS:
                raise CorpusError(
                    f"{where}: a cell of more than {MAX_CELL_CHARS:,} characters. Split it, or see "
                    "whether a quote is not closed."
                )
        if not self._columns.asks:
            pairs = [
                (self._names[i] if i < len(self._names) else "", cell)
                for i, cell in enumerate(cells)
                if cell not in _FORMULA_ERRORS
            ]
            answer = labelled(pairs) if self._names else "\n".join(c for _, c in pairs if c)
            return Row(number, self._sheet, answer=answer, path=self._path)
        return self._question_row(number, cells, where)

    def _question_row(self, number: int, cells: Sequence[str], where: str) -> Row:
        columns = self._columns

        def cell(column: int | None) -> str:
            return cells[column] if column is not None and column < len(cells) else ""

        question, answer = one_line(cell(columns.question)), cell(columns.answer)
        if broken := {question, answer} & _FORMULA_ERRORS:
            raise CorpusError(
                f"{where}: {min(broken)} is the error of a formula. Correct it or remove the row."
            )
        extras = tuple(
            (self._names[i] if i < len(self._names) else "", text)
            for i, text in enumerate(cells)
            if text and i not in self._known and text not in _FORMULA_ERRORS
        )
        return Row(
            number,
            self._sheet,
            question,
            answer,
            extras,
            alternates((cell(column) for column in columns.alternates), question),
            tags(cell(columns.tags)),
            self._day(columns.effective_from, cell(columns.effective_from), where),
            self._day(columns.expires, cell(columns.expires), where),
            one_line(cell(columns.id)),
            self._path,
        )

    def _day(self, column: int | None, given: str, where: str) -> date | None:
        return named_day(given, self._names[column], where) if column is not None else None


def named_day(given: str, name: str, where: str) -> date | None:
    """Return the day of a cell.

    Raises:
        CorpusError: If it is none; names the row and the column.
    """
    try:
        return day(given)
    except ValueError:
        raise CorpusError(
            f"{where}: {name} is {given[:40]!r}, which is no day. Write it as 2025-12-31."
        ) from None
