"""Sheets of records: written row by row and read row by row, however many there are.

A record begins with its number. What is too long for a cell goes on in the next row, which has the
same number.
"""

import contextlib
import string
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from policy_qa.errors import InputError, PolicyQAError
from policy_qa.exchange.cells import pieces

NUMBER: Final = "number"
"""The column by which records are in order."""

MAX_UNPACKED: Final = 300_000_000
"""Bytes of all parts of a workbook: some 100 MB of text. A bomb of 1 MB has 1,000 MB."""

MAX_PARTS: Final = 1_000
"""Parts of a workbook, which has some tens."""

MAX_ROWS: Final = 1_048_576
"""Rows that a sheet can have; a row number above it would be padded with empty rows up to it."""

_MAX_COLUMNS: Final = 50
"""Columns looked at: an editor may have added some for notes."""

_LONGEST_TEXT: Final = 4_000_000
"""Bytes without a tag between: the 32,767 characters of a cell have 0.4 MB at most."""

_CHUNK: Final = 1_000_000
_BEFORE_CHUNK: Final = 16
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")


class SheetWriter:
    """A workbook in the making. Its rows wait in temporary files, which are removed at its end.

    Args:
        columns: The columns of each sheet, with their widths in characters.
    """

    def __init__(self, columns: Mapping[str, Mapping[str, int]]) -> None:
        import openpyxl  # noqa: PLC0415 (few write a workbook)
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
        from openpyxl.styles import Alignment, Font  # noqa: PLC0415

        self._book = openpyxl.Workbook(write_only=True)
        self._columns = columns
        self._cell: Callable[..., Any] = WriteOnlyCell
        self._rows = dict.fromkeys(columns, 0)
        self._sheets: dict[str, Any] = {}
        for name, widths in columns.items():
            sheet = self._sheets[name] = self._book.create_sheet(name)
            sheet.freeze_panes = "A2"
            for letter, width in zip(string.ascii_uppercase, widths.values(), strict=False):
                sheet.column_dimensions[letter].width = width
        self._folder = tempfile.TemporaryDirectory(prefix="policy-qa-")
        styled = WriteOnlyCell(sheet)
        # As text also after somebody edited the cell; else "=1" would become a formula then.
        styled.number_format = "@"
        styled.alignment = Alignment(vertical="top", wrap_text=True)
        # Given to the cells as it is: to set it anew for each takes ten times as long.
        self._text_style = copy(styled._style)  # noqa: SLF001
        styled.font = Font(bold=True)
        self._head_style = styled._style  # noqa: SLF001

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sheet in self._sheets.values():
            # Only where something failed, which was told of, and may fail here again.
            with contextlib.suppress(Exception):
                if sheet._writer and not sheet.closed:  # noqa: SLF001
                    sheet.close()
        self._folder.cleanup()

    def write(self, sheet: str, cells: Sequence[str | int]) -> None:
        """Write a record, its cells in the order of the columns, the first one its number.

        Args:
            sheet: Its name.
            cells: Numbers, and texts as `cells` escapes them, of any length.

        Raises:
            InputError: If the sheet is full.
            OSError: If the disk is.
        """
        self._begin(sheet)
        number, *others = cells
        columns: list[Iterable[str | int]] = [
            pieces(cell) if isinstance(cell, str) else (cell,) for cell in others
        ]
        for row in zip_longest(*columns):
            self._append(sheet, (number, *row), self._text_style)

    def _begin(self, sheet: str) -> None:
        """Write a sheet's header, if it has none yet."""
        if not self._rows[sheet]:
            from openpyxl.worksheet._writer import WorksheetWriter  # noqa: PLC0415 (as above)

            # In a folder of our own: openpyxl's files stay until the process ends if one fails.
            out = str(Path(self._folder.name, sheet))
            writer = WorksheetWriter(self._sheets[sheet], out)
            writer.cleanup = lambda: None
            self._sheets[sheet]._writer = writer  # noqa: SLF001
            writer.write_top()
            self._append(sheet, (*self._columns[sheet],), self._head_style)

    def _append(self, sheet: str, row: Sequence[str | int | None], style: Any) -> None:
        self._rows[sheet] += 1
        if self._rows[sheet] > MAX_ROWS:
            raise InputError(
                f"The sheet {sheet} would have more than {MAX_ROWS:,} rows, which no workbook can "
                "have. Export as JSON lines (.jsonl)."
            )
        self._sheets[sheet].append([self._styled(sheet, value, style) for value in row])

    def _styled(self, sheet: str, value: str | int | None, style: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value:
            return None
        cell = self._cell(self._sheets[sheet], value)
        cell.data_type = "s"  # openpyxl takes "=1" for a formula, and "#N/A" for its error
        cell._style = style  # noqa: SLF001
        return cell

    def save(self, file: Path) -> None:
        """Write the workbook to a file.

        Raises:
            InputError: If it is larger than what is read again.
            OSError: If the disk is full or refuses.
        """
        from openpyxl.writer.excel import ExcelWriter  # noqa: PLC0415 (few write a workbook)

        for sheet in self._columns:
            self._begin(sheet)
        # Not the workbook's own way, which leaves the package open where the disk is full.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
            ExcelWriter(self._book, package).save()
        with zipfile.ZipFile(file) as package:
            _check_size(package, "The workbook", "Export as JSON lines (.jsonl).")


class SheetReader:
    """Reads the sheets of a workbook, which `reading` opens."""

    def __init__(self, book: Any, name: str) -> None:
        self._book = book
        self._name = name

    def records(self, sheet: str, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield each record of a sheet: where it stands, and its cells by column.

        Raises:
            InputError: If the sheet or a column is missing, or the rows are not in their order.
        """
        expected, where = 0, ""
        cells: dict[str, list[str]] = {}
        for place, row in self.rows(sheet, columns):
            number = row.pop(NUMBER)
            if cells and number == str(expected):
                for column, cell in row.items():
                    cells[column].append(cell)
                continue
            if cells:
                yield where, {column: "".join(parts) for column, parts in cells.items()}
            expected, where = expected + 1, place
            if number != str(expected):
                raise InputError(
                    f"{where}: the number {number!r} stands where {expected} belongs: rows were "
                    f"sorted, added or removed. Sort the sheet by its column {NUMBER!r}, or export "
                    "again."
                )
            cells = {column: [cell] for column, cell in row.items()}
        if cells:
            yield where, {column: "".join(parts) for column, parts in cells.items()}

    def rows(self, sheet: str, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield each row of a sheet that is not empty: where it stands, and its cells by column.

        Raises:
            InputError: If the sheet or a column is missing.
        """
        if sheet not in self._book.sheetnames:
            raise InputError(
                f"{self._name} is no export of a knowledge base: it has no sheet {sheet!r}. Name a "
                "file that an export wrote."
            )
        places: list[int] | None = None
        found = self._book[sheet].iter_rows(
            max_row=MAX_ROWS, max_col=_MAX_COLUMNS, values_only=True
        )
        for number, row in enumerate(found, start=1):
            where = f"{self._name}, sheet {sheet}, row {number}"
            if places is None:
                places = _places([_text(value) for value in row], columns, where)
            elif row.count(None) < len(row):
                yield (
                    where,
                    {
                        column: _text(row[place]) if place < len(row) else ""
                        for column, place in zip(columns, places, strict=True)
                    },
                )
        if places is None:
            raise InputError(f"{self._name}: the sheet {sheet!r} is empty. Export again.")


def _places(header: Sequence[str], columns: Sequence[str], where: str) -> list[int]:
    names = [name.strip() for name in header]
    for column in columns:
        if names.count(column) != 1:
            raise InputError(f"{where}: there must be one column {column!r}. Export again.")
    return [names.index(column) for column in columns]


def _text(value: Any) -> str:
    """Return a cell as a text: what a spreadsheet program took for a number or a day, too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return "" if value is None else str(value)


@contextlib.contextmanager
def reading(opened: BinaryIO, name: str) -> Iterator[SheetReader]:
    """Open a workbook that may be a bomb, damaged, or none at all.

    Raises:
        InputError: If it is one of these.
        OSError: If the disk refuses.
    """
    import openpyxl  # noqa: PLC0415 (few read a workbook)

    try:
        with zipfile.ZipFile(opened) as package:
            _check_size(package, name, "Import an export of JSON lines (.jsonl).")
            for part in package.infolist():
                _check_part(package, part, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations, which nobody needs here
            book = openpyxl.load_workbook(opened, read_only=True, data_only=True, keep_links=False)
            with contextlib.closing(book):
                yield SheetReader(book, name)
    except (PolicyQAError, OSError):
        raise
    except Exception as error:  # zipfile, zlib, expat and openpyxl have many of their own
        raise InputError(
            f"{name} is no XLSX file or is damaged. Export or copy it again."
        ) from error


def _check_size(package: zipfile.ZipFile, name: str, otherwise: str) -> None:
    parts = package.infolist()
    size = sum(part.file_size for part in parts)
    if size > MAX_UNPACKED or len(parts) > MAX_PARTS:
        raise InputError(
            f"{name} has {size:,} bytes in {len(parts):,} parts unpacked; the limits are "
            f"{MAX_UNPACKED:,} and {MAX_PARTS:,}. {otherwise}"
        )


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    """Check that a part declares nothing and has no endless text; openpyxl checks neither."""
    # Other ways are not those of an XLSX, and unpack past the size that is declared.
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InputError(f"{name} is packed in an unknown way. Save it again as .xlsx.")
    before, text = b"", 0
    with package.open(part) as content:
        while chunk := content.read(_CHUNK):
            chunk = chunk.replace(b"\0", b"")  # so that UTF-16 reads as ASCII
            if any(declaration in before + chunk for declaration in _DECLARATIONS):
                raise InputError(
                    f"{name} holds a document type declaration, which no workbook needs. Export "
                    "again."
                )
            first, *others = chunk.split(b"<")
            text += len(first)
            if max(text, *map(len, others), 0) > _LONGEST_TEXT:
                raise InputError(
                    f"{name} holds a text that is longer than any cell can be. Export again."
                )
            text = len(others[-1]) if others else text
            before = chunk[-_BEFORE_CHUNK:]
