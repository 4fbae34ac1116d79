"""CSV tables of a corpus that editors keep too: read with all that they hold, written whole."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policy_qa.errors import CorpusError
from policy_qa.exchange.files import replacing
from policy_qa.readers.cells import clean, one_line
from policy_qa.readers.encodings import decode
from policy_qa.readers.fields import bare
from policy_qa.readers.files import check_place, read_whole

ALTERNATES_FILE: Final = "alternates.csv"
"""At the top of a corpus folder: wordings that it gives to entries of any document."""

FORMULA_ERRORS: Final = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"}
)

_SAYS_SOMETHING: Final = re.compile(r"[^\W_]")
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "question": ("question", "questions", "query", "問題", "標準問題", "標準問", "問句", "提問"),
    "alternates": (
        "alternates", "alternate questions", "alternative questions", "other wordings",
        "其他問法", "其他說法", "相似問題", "相似問法", "相似問", "擴展問", "同義問",
    ),
    "answer": ("answer", "answers", "答案", "標準答案", "回答", "回覆", "答覆"),
    "entry": (
        "entry", "entry id", "existing entry", "answer entry", "條目", "條目編號", "現有條目",
        "已有條目", "答案條目",
    ),
}  # fmt: skip
"""What columns are called; compared folded, so that one script stands for both."""

_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠\t\r]")
_DELIMITERS: Final = ",;\t"
_HEADER_CHARS: Final = 4_096


def inert(cell: str) -> str:
    """Return a cell that no spreadsheet runs: with an apostrophe before what begins a formula.

    After OWASP, "CSV Injection": a formula begins with one of = + - @ (full-width too), tab or
    carriage return, perhaps after spaces.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def uninert(cell: str) -> str:
    """Return a cell without the apostrophe that `inert` gave it."""
    return cell[1:] if cell.startswith("'") and inert(cell[1:]) == cell else cell


@dataclass(slots=True)
class Table:
    """A CSV file of a corpus, with every column and row that it has.

    Attributes:
        file: Where it stands.
        columns: The columns that are known, by name.
        header: The cells of its header.
        rows: The number and the cells of each row below that is not empty.
        delimiter: Between its cells.
        changed: Whether it has to be written.
    """

    file: Path
    columns: dict[str, int]
    header: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    delimiter: str = ","
    changed: bool = False

    @classmethod
    def read(cls, file: Path, names: Sequence[str]) -> "Table":
        """Read a table.

        Args:
            file: If it is missing, the table has no row.
            names: The columns that it must have, `alternates` excepted, or is to have.

        Raises:
            CorpusError: If it cannot be read, or has not these columns.
        """
        if not file.exists():
            return cls(file, {name: column for column, name in enumerate(names)}, [*names])
        check_place(file, file.parent)
        try:
            text = decode(read_whole(file), file)
        except OSError as error:
            raise CorpusError(
                f"Cannot read {file}: {error.strerror or error}. Make it readable."
            ) from error
        delimiter = delimiter_of(text)
        rows = [(number, [*row]) for number, row in rows_of(text, delimiter, str(file))]
        header = rows[0][1] if rows else [*names]
        columns = columns_of(header)
        if missing := [name for name in names if name not in columns and name != "alternates"]:
            raise CorpusError(
                f"{file}: its first row names no column {missing[0]!r}. Name the columns "
                f"{', '.join(names)}."
            )
        return cls(file, columns, header, rows[1:], delimiter)

    def cell(self, row: Sequence[str], name: str) -> str:
        """Return a cell of a row, as it was before it was made inert; empty if there is none."""
        column = self.columns.get(name, len(row))
        return uninert(row[column]) if column < len(row) else ""

    def put(self, row: list[str], **cells: str) -> None:
        """Set cells of a row; a column that the table has not is added."""
        for name, cell in cells.items():
            if name not in self.columns:
                self.columns[name] = len(self.header)
                self.header.append(name)
            row += [""] * (self.columns[name] + 1 - len(row))
            row[self.columns[name]] = inert(cell)
        self.changed = True

    def add(self, **cells: str) -> tuple[int, list[str]]:
        """Add a row; return it with its number."""
        last = self.rows[-1][0] if self.rows else 1
        self.rows.append((last + 1, []))
        self.put(self.rows[-1][1], **cells)
        return self.rows[-1]

    def save(self) -> None:
        """Write the table, whole or not at all, if it changed.

        Raises:
            StorageError: If the disk is full or refuses.
        """
        if not self.changed:
            return
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow(self.header)
        writer.writerows(row for _, row in self.rows)
        with replacing(self.file) as temporary:  # with a mark, without which Excel misreads Chinese
            temporary.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def delimiter_of(text: str) -> str:
    """Return what stands between the cells of the first row, which names columns."""
    first = re.split("[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0][:_HEADER_CHARS]
    split = {
        delimiter: len(columns_of(next(csv.reader([first], delimiter=delimiter), [])))
        for delimiter in _DELIMITERS
    }
    return max(split, key=lambda delimiter: split[delimiter])


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Return the columns that are known, by name; the surest name counts."""
    cells = [bare(uninert(cell)) for cell in header]
    found = {}
    for name, called in _NAMES.items():
        places = [cells.index(bare(one)) for one in called if bare(one) in cells]
        if places:
            found[name] = places[0]
    return found


def rows_of(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row that is not empty."""
    # Strict: else a quote that is never closed would swallow all further rows.
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            if is_filled_in(row):
                yield number, row
    except csv.Error as error:
        raise CorpusError(
            f"{name}, row {number + 1}: the table is broken there ({error}). Close each quoted "
            'cell with ", and write " inside of one twice.'
        ) from error


def is_filled_in(row: Sequence[str]) -> bool:
    """Return whether a row has a cell that is not blank."""
    return any(cell.strip() for cell in row)


def read_alternates(corpus: Path) -> list[tuple[str, str, int]]:
    """Return the rows of a corpus's `alternates.csv`; none if it has none.

    Returns:
        The id of an entry, another wording of its question in one line, and the number of the row,
        the header included; each pair of an id and a wording once.

    Raises:
        CorpusError: If the file cannot be read, has not the columns `entry` and `question`, or a
            row lacks either; names the row.
    """
    file = corpus / ALTERNATES_FILE
    if not corpus.is_dir() or not file.exists():
        return []
    table = Table.read(file, ("entry", "question"))
    found: dict[tuple[str, str], tuple[str, str, int]] = {}
    for number, row in table.rows:
        where = f"{file}, row {number}"
        entry, wording = (one_line(clean(table.cell(row, name))) for name in ("entry", "question"))
        if not entry or not wording:
            missing = "question" if entry else "entry"
            raise CorpusError(f"{where}: no {missing!r}. Fill it in, or remove the row.")
        if broken := {entry, wording} & FORMULA_ERRORS:
            raise CorpusError(
                f"{where}: {min(broken)} is the error of a formula. Correct it or remove the row."
            )
        if not _SAYS_SOMETHING.search(wording):
            raise CorpusError(
                f"{where}: {wording!r} has no letter and no digit. Write the question in words."
            )
        found.setdefault((entry, wording), (entry, wording, number))
    return [*found.values()]
