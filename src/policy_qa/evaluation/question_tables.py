"""Questions to try, read from a table or from lines: CSV, TSV, XLSX, text.

A table has a column of questions and, if it says what should be found, one of expected entries.
"""

import csv
import io
import re
import threading
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from policy_qa.errors import EvaluationError, QueryError
from policy_qa.folding import fold
from policy_qa.knowledge_base import check_query
from policy_qa.readers.encodings import likely_encoding

MAX_BYTES: Final = 5_000_000
"""Bytes of a file, characters of pasted text: 5,000 questions have about 1 MB in Chinese."""

MAX_QUESTIONS: Final = 5_000
"""Questions of one test: they take minutes to ask, and nobody reads more misses."""

MAX_COLUMNS: Final = 50
"""Columns looked at; what stands further right is no question."""

MAX_UNPACKED: Final = 20_000_000
"""Bytes of all parts of an XLSX file. A table of 5,000 questions has about 3 MB; a bomb of 5 MB has
thousands."""

MAX_OTHER_PART: Final = 1_000_000
"""Bytes of a part without cells, such as the styles, all of which are kept in memory."""

MAX_ELEMENTS: Final = 500_000
"""Elements of all parts of an XLSX file, which are read in some 7 s at worst. 5,000 rows of two
texts have 45,000."""

MAX_PARTS: Final = 1_000
"""Parts of an XLSX file; a workbook has some tens."""

_EXCEL_ROWS = 1_048_576
"""Rows that a sheet can have; a row number above it would be padded with empty rows up to it."""

_CELL_CHARS = 32_767
"""Characters that a cell of Excel can hold; what is longer is cut and is no question anyway."""

_FIRST = 4_096
"""Characters that the delimiter is found by."""

_QUERY_NAMES: Final = (
    "question", "questions", "query", "queries", "user question", "test question", "q",
    "問題", "問句", "提問", "用戶問題", "測試問題", "問",
)  # fmt: skip
_EXPECTED_NAMES: Final = (
    "expected", "expected entry", "expected id", "expected question", "answer entry", "entry",
    "entry id", "standard question", "預期", "預期條目", "預期問題", "標準問題", "標準問", "條目",
    "條目編號", "答案條目", "正確條目", "id",
)  # fmt: skip
"""Surer names first: a column `id` beside one `entry` numbers the rows."""

_FORMULA_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"}
_BREAKING = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, further line ends, and halves of characters."""

_PASTED = "the pasted text"
_DELIMITERS = ",;\t"
_NO_DELIMITER = "\x1f"
"""What no cell holds: with it a row is one cell, whatever it holds."""
_QUOTED = re.compile(r'"[^"]*"?')
_CELLS = re.compile(r"xl/worksheets/[^/]+\.xml|xl/sharedStrings\.xml")
"""The parts that may be large."""
_ONE_WORKBOOK = threading.Lock()
"""Workbooks are read one at a time, so that several large ones are not in memory together."""
_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
"""How an `.xls` file begins, and one that a password protects."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question to try.

    Attributes:
        query: What is asked, in one line.
        expected: An entry's id, or its question in its own words; empty if nothing is expected,
            so that the case is looked at and not judged.
        line: The row of the table, its header included, or the line; starts at 1.
    """

    query: str
    expected: str = ""
    line: int = 1


def read_questions(data: bytes, name: str) -> list[Case]:
    """Read the questions of a file; there is at least one.

    Args:
        data: The file's content.
        name: The file's name, whose ending says what it is: `.csv`, `.tsv`, `.xlsx`, or `.txt` with
            a question a line.

    Raises:
        EvaluationError: If it is of another kind, too large or damaged, or a row is no question;
            names the file and the row.
    """
    shown = one_line(name)[-100:] or "the file"
    if len(data) > MAX_BYTES:
        raise EvaluationError(
            f"{shown} has {len(data):,} bytes; the limit is {MAX_BYTES:,}. Split it."
        )
    ending = name.lower().rpartition(".")[2].strip()
    if ending == "xlsx":
        return _read_workbook(data, shown)
    if ending not in {"csv", "tsv", "txt"}:
        raise EvaluationError(
            f"{shown} is no table that can be read. Save it as .xlsx, .csv, .tsv, or as .txt with "
            "a question a line."
        )
    text = _decoded(data, shown)
    if ending == "txt":
        return _listed(text, shown)
    delimiter = "\t" if ending == "tsv" else _delimiter(text)
    return _cases(_fitting(_split(text, delimiter, shown), shown), shown)


def read_pasted(text: str) -> list[Case]:
    """Read pasted questions, one a line, or a table; there is at least one.

    Text is a table if it holds a tab, as what is copied from a spreadsheet does, or if its first
    line names several columns, one of them of questions. A line that says no more than that
    questions follow is none of them.

    Raises:
        EvaluationError: If it is too long, or a line is no question; names the line.
    """
    if len(text) > MAX_BYTES:
        raise EvaluationError(
            f"{_PASTED} has {len(text):,} characters; the limit is {MAX_BYTES:,}. Split it."
        )
    delimiter = "\t" if "\t" in text.strip() else _header_delimiter(text)
    if delimiter in {None, _NO_DELIMITER}:
        return _listed(text, _PASTED, headed=delimiter is not None)
    return _cases(_fitting(_split(text, delimiter, _PASTED), _PASTED), _PASTED)


def one_line(text: str) -> str:
    """Return a text with a space for each character that ends a line or is not to be seen."""
    return _BREAKING.sub(" ", text).strip()


def bare(text: str) -> str:
    """Return the letters, digits and marks of a folded text: what a name or a question says."""
    return "".join(c for c in fold(text) if unicodedata.category(c)[0] in "LNM")


def _decoded(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode(likely_encoding(data) or "utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            row = data.count(b"\n", 0, error.start) + 1
            raise EvaluationError(
                f"{name}, row {row}: not UTF-8 text. Save it as UTF-8 (in Excel: CSV UTF-8), or "
                "as .xlsx."
            ) from None
    if "\0" in text:
        raise EvaluationError(f"{name} is not text. Save it as UTF-8, or as .xlsx.")
    return text


def _listed(text: str, name: str, *, headed: bool = False) -> list[Case]:
    lines = enumerate(re.split("\r\n|\r|\n", text), start=1)
    filled = ((number, line) for number, line in lines if one_line(line))
    if headed:
        next(filled)
    return _bounded((_case(line, "", number, name) for number, line in filled), name)


def _delimiter(text: str) -> str:
    """Return what the header is split by; else what is most frequent outside of quotes."""
    if delimiter := _header_delimiter(text):
        return delimiter
    bare_text = _QUOTED.sub("", text[:_FIRST])
    return max(_DELIMITERS, key=bare_text.count)


def _header_delimiter(text: str) -> str | None:
    """Return what splits the first line so that it names a column of questions; None if nothing."""
    first = re.split("[\r\n]", text.lstrip(), maxsplit=1)[0][:_FIRST]
    for delimiter in _DELIMITERS:
        if delimiter in first and _column(first.split(delimiter), _QUERY_NAMES) is not None:
            return delimiter
    return None if _column([first], _QUERY_NAMES) is None else _NO_DELIMITER


def _split(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    # Strict: else a quote that is never closed would swallow all further rows.
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for row in rows:
            number += 1
            yield row[:MAX_COLUMNS]
    except csv.Error as error:
        raise EvaluationError(
            f"{name}, row {number + 1}: the table is broken there ({error}). Close each quoted "
            'cell with ", and write " inside of one twice.'
        ) from error


def _fitting(rows: Iterable[list[str]], name: str) -> Iterator[list[str]]:
    """Yield the rows of a text; refuse one with more cells than the header has columns."""
    columns: int | None = None
    for number, row in enumerate(rows, start=1):
        if columns is None and any(map(one_line, row)):
            columns = len(row) if _header(row) else MAX_COLUMNS
        if columns and any(map(one_line, row[columns:])):
            raise EvaluationError(
                f"{name}, row {number}: more cells than the header has columns. Put a cell that "
                'holds a comma, a semicolon or a tab between ".'
            )
        yield row


def _read_workbook(data: bytes, name: str) -> list[Case]:
    if data.startswith(_OLD_OR_LOCKED):
        raise EvaluationError(
            f"{name} is an old .xls file or has a password. Save it as .xlsx without a password."
        )
    try:
        with _ONE_WORKBOOK, warnings.catch_warnings():
            check_package(data, name)
            warnings.simplefilter("ignore")  # of styles and validations, which nobody needs here
            return _cases(sheet_rows(data, name), name)
    except EvaluationError:
        raise
    except Exception as error:  # zipfile, zlib, expat and openpyxl have many of their own
        raise EvaluationError(
            f"{name} is no XLSX file or is damaged. Save it again as .xlsx, or as CSV."
        ) from error


def check_package(data: bytes, name: str) -> None:
    """Check that an XLSX file is small unpacked and holds no entities; openpyxl checks neither."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = package.infolist()
        size = sum(part.file_size for part in parts)
        if size > MAX_UNPACKED or len(parts) > MAX_PARTS:
            raise EvaluationError(
                f"{name} has {size:,} bytes in {len(parts):,} parts unpacked; the limits are "
                f"{MAX_UNPACKED:,} and {MAX_PARTS:,}. Save the questions alone."
            )
        elements = 0
        for part in parts:
            # Other ways are not those of an XLSX, and unpack past the size that is declared.
            if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise EvaluationError(
                    f"{name} is packed in an unknown way. Save it again as .xlsx, or as CSV."
                )
            content = package.read(part).replace(b"\0", b"")  # so that UTF-16 reads as ASCII
            elements += _elements(part.filename, content, name)
            if elements > MAX_ELEMENTS:
                raise EvaluationError(
                    f"{name} holds more than {MAX_ELEMENTS:,} elements, too many cells or styles. "
                    "Save the questions alone, or as CSV."
                )
            if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
                raise EvaluationError(
                    f"{name} holds a document type declaration, which no table needs. Save the "
                    "questions alone, or as CSV."
                )


def _elements(part: str, content: bytes, name: str) -> int:
    """Return how many elements a part of an XLSX file has; refuse one that is large without cells.

    Both, as a part's name need not tell what it is.
    """
    large = len(content) > MAX_OTHER_PART and part.endswith((".xml", ".rels"))
    if large and not _CELLS.fullmatch(part):
        raise EvaluationError(
            f"{name} has {len(content):,} bytes in {one_line(part)[-100:]}; the limit is "
            f"{MAX_OTHER_PART:,}. Save the questions alone, or as CSV."
        )
    return content.count(b"<") - content.count(b"</")


def sheet_rows(data: bytes, name: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a workbook's first sheet; of a formula, its value."""
    import openpyxl  # noqa: PLC0415 (few upload a workbook)

    book = openpyxl.load_workbook(
        io.BytesIO(data), read_only=True, data_only=True, keep_links=False
    )
    if not book.worksheets:
        raise EvaluationError(f"{name} holds no sheet. Put the questions on one.")
    for row in book.worksheets[0].iter_rows(
        max_row=_EXCEL_ROWS, max_col=MAX_COLUMNS, values_only=True
    ):
        blank = row.count(None) == len(row)  # as most of a million can be
        yield [] if blank else [_text(value) for value in row]


def _text(value: Any) -> str:
    """Return a cell as a spreadsheet shows it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return "" if value is None else str(value)[:_CELL_CHARS]


def _cases(rows: Iterable[Sequence[str]], name: str) -> list[Case]:
    return _bounded(_read(rows, name), name)


def _read(rows: Iterable[Sequence[str]], name: str) -> Iterator[Case]:
    columns: tuple[int, int | None] | None = None
    for number, row in enumerate(rows, start=1):
        if not any(one_line(cell) for cell in row):
            continue
        if columns is None:
            columns = _header(row)
            if columns:
                continue
            columns = 0, 1
        query, expected = (
            one_line(row[column]) if column is not None and column < len(row) else ""
            for column in columns
        )
        if query or expected:
            yield _case(query, expected, number, name)


def _header(row: Sequence[str]) -> tuple[int, int | None] | None:
    """Return the columns of the query and of what is expected; None if the row is no header."""
    query, expected = _column(row, _QUERY_NAMES), _column(row, _EXPECTED_NAMES)
    if query is None and expected is not None and len(row) > 1:
        query = 0 if expected else 1
    return None if query is None else (query, expected)


def _column(row: Sequence[str], names: Sequence[str]) -> int | None:
    cells = [bare(cell[:_LONGEST_NAME]) if len(cell) <= _LONGEST_NAME else "" for cell in row]
    return next((cells.index(bare(name)) for name in names if bare(name) in cells), None)


_LONGEST_NAME = 40
"""Characters up to which a cell may be a column's name."""


def _case(query: str, expected: str, number: int, name: str) -> Case:
    query, where = one_line(query), f"{name}, row {number}"
    if not query:
        raise EvaluationError(
            f"{where}: an expected entry without a question. Fill in the question, split merged "
            "cells, or remove the row."
        )
    if broken := {query, expected} & _FORMULA_ERRORS:
        raise EvaluationError(
            f"{where}: {min(broken)} is the error of a formula. Correct it or remove the row."
        )
    try:
        check_query(query)
    except QueryError as error:
        raise EvaluationError(f"{where}: {error}") from error
    return Case(query, expected, number)


def _bounded(cases: Iterable[Case], name: str) -> list[Case]:
    read: list[Case] = []
    for case in cases:
        if len(read) == MAX_QUESTIONS:
            raise EvaluationError(
                f"{name}, row {case.line}: more than {MAX_QUESTIONS:,} questions. Split it."
            )
        read.append(case)
    if not read:
        raise EvaluationError(f"{name} holds no question. Write one a line, or one a row.")
    return read
