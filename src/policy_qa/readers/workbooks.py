"""XLSX workbooks: every visible sheet, row by row.

Of a formula the value counts that was last shown; one that never was is blank. Rows are numbered
as the sheet shows them. What a merge covers is blank, as in the file.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from policy_qa.errors import CorpusError
from policy_qa.readers.archives import check_package, damaged
from policy_qa.readers.cells import shown
from policy_qa.readers.fields import check_mapping
from policy_qa.readers.files import opened
from policy_qa.readers.rows import Row, documents
from policy_qa.readers.tables import Line, UnmappedError, table_rows
from policy_qa.types import Parsed

_EXCEL_ROWS: Final = 1_048_576
"""Rows that a sheet can have; a row number above it would be padded with empty rows up to it."""
_EXCEL_COLUMNS: Final = 16_384
_BLANK_ROWS: Final = 20_000
"""Blank rows in sequence after which a sheet is taken for ended: a format may reach to its end."""
_BATCH: Final = 500
"""Rows read at once."""
_UNNAMED: Final = re.compile(r"(?:sheet|工作表|工作簿|表|table|tabelle)?\s*\d*", re.IGNORECASE)
"""Names of sheets that say nothing."""


def read_workbook(file: Path, document_id: str, columns: Mapping[str, str]) -> Iterator[Parsed]:
    """Yield the documents of an XLSX file; small sheets share one.

    Raises:
        CorpusError: If it cannot be read; names the sheet and the row.
    """
    check_mapping(columns, file)
    with opened(file) as stream:
        check_package(stream, file, "XLSX")
        import openpyxl  # noqa: PLC0415 (most corpora hold no workbook)

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and links, which nobody needs here
                book = openpyxl.load_workbook(
                    stream, read_only=True, data_only=True, keep_links=False
                )
            sheets = [s for s in book.worksheets if s.sheet_state == "visible"]
        except Exception as error:  # openpyxl has many of its own, and expat's
            raise damaged(file, "XLSX") from error
        if {"about", "entries", "documents", "texts"} <= {sheet.title for sheet in sheets}:
            raise CorpusError(
                f"{file} is the export of a knowledge base and no document. Take it out of the "
                "corpus; policy-qa import reads it."
            )
        if not sheets:
            raise CorpusError(
                f"{file} has no visible sheet. Unhide one or take it out of the corpus."
            )
        yield from documents(_rows(sheets, file, columns), file, document_id)


def _rows(sheets: list[Any], file: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    refused: CorpusError | None = None
    mapped = False
    for sheet in sheets:
        lines = _lines(sheet, file)
        name = sheet.title
        path = () if _UNNAMED.fullmatch(name) or len(sheets) == 1 else (name,)
        try:
            for row in table_rows(lines, file, columns, name, path):
                mapped = True
                yield row
        except UnmappedError as error:
            refused = refused or error
    if refused and not mapped:
        raise refused


def _lines(sheet: Any, file: Path) -> Iterator[Line]:
    """Yield the rows of a sheet that are not blank."""
    blank = 0
    for number, row in enumerate(_batched(sheet, file), start=1):
        blank = 0 if any(row) else blank + 1
        if blank > _BLANK_ROWS:
            return
        if not blank:
            yield number, row


def _batched(sheet: Any, file: Path) -> Iterator[list[str]]:
    """Yield the cells of each row as they are shown; none for most blank ones."""
    rows: Iterator[Any] | None = None
    while True:
        try:
            # A filter of warnings must not reach whoever takes the rows.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if rows is None:
                    sheet.reset_dimensions()  # some programs write wrong ones
                    rows = sheet.iter_rows(max_row=_EXCEL_ROWS, max_col=None)
                batch = [
                    []
                    if all(cell.value is None for cell in row)
                    # Here, for openpyxl looks for a cell's style only now, which may be missing.
                    else [shown(cell.value, cell.number_format) for cell in row[:_EXCEL_COLUMNS]]
                    for row in islice(rows, _BATCH)
                ]
        except Exception as error:
            raise damaged(file, "XLSX") from error
        if not batch:
            return
        yield from batch
