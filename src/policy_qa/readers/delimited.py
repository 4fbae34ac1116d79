"""CSV and TSV tables, read row by row."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from policy_qa.errors import CorpusError
from policy_qa.readers.cells import clean
from policy_qa.readers.encodings import (
    BrokenLineError,
    check_controls,
    decoded_lines,
    detect,
)
from policy_qa.readers.fields import check_mapping, recognise
from policy_qa.readers.files import opened
from policy_qa.readers.rows import MAX_CELL_CHARS, documents, row_name
from policy_qa.readers.tables import Line, table_rows
from policy_qa.types import Parsed

SAMPLE_BYTES: Final = 1_000_000
"""Bytes that the encoding is found from."""
LONGEST_LINE: Final = 2_000_000
"""Bytes of a line, and of a row of several lines, of any table or file of objects."""
_SNIFFED: Final = 65_536
"""Characters that the delimiter is found from."""
_DELIMITERS: Final = ",;\t"


def read_delimited(file: Path, document_id: str, columns: Mapping[str, str]) -> Iterator[Parsed]:
    """Yield the documents of a CSV or TSV file.

    Raises:
        CorpusError: If it cannot be read; names the row.
    """
    check_mapping(columns, file)
    with opened(file) as stream:
        sample = stream.read(SAMPLE_BYTES)
        stream.seek(0)
        whole = len(sample) < SAMPLE_BYTES
        encoding = detect_sample(sample, file, whole=whole)
        text = codecs.getincrementaldecoder(encoding)("replace").decode(sample, final=whole)
        check_controls(text, file)
        head = text.removeprefix("\ufeff")[:_SNIFFED]
        named, skipped = _named_delimiter(head)
        delimiter = named or ("\t" if file.suffix.lower() == ".tsv" else _delimiter(head, columns))
        lines = _Lines(decoded_lines(stream, encoding, LONGEST_LINE))
        if skipped:
            next(lines)
        rows = _rows(lines, delimiter, file)
        yield from documents(table_rows(rows, file, columns), file, document_id)


def detect_sample(sample: bytes, file: Path, *, whole: bool) -> str:
    """Return the codec of a file from its first bytes, cut after a line where there is one."""
    cut = len(sample) if whole or b"\n" not in sample else sample.rindex(b"\n") + 1
    return detect(sample[:cut], file, whole=whole or cut < len(sample))


class _Lines(Iterator[str]):
    """Lines for the rows of a table; a row may hold several, but not without end."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.taken = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken += len(line)
        if self.taken > LONGEST_LINE:
            raise BrokenLineError(
                f"a row of more than {LONGEST_LINE:,} characters. Split it, or see whether a quote "
                "is not closed."
            )
        return line


def _rows(lines: _Lines, delimiter: str, file: Path) -> Iterator[Line]:
    # Strict: else a quote that is never closed would swallow all further rows.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        lines.taken = 0
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except BrokenLineError as error:
            raise CorpusError(f"{row_name(file, number)}: {error}") from None
        except csv.Error as error:
            raise CorpusError(
                f"{row_name(file, number)}: the table is broken there ({error}). Close each quoted "
                f'cell with ", write " inside of one twice, and keep cells below '
                f"{MAX_CELL_CHARS:,} characters."
            ) from error
        yield number, [clean(cell) for cell in row]


def _named_delimiter(head: str) -> tuple[str, bool]:
    """Return the delimiter of a first line `sep=;`, which spreadsheets do not show as a row."""
    line = head.partition("\n")[0].strip('\r" ')
    if len(line) == len("sep=;") and line.lower().startswith("sep="):
        return line[-1], True
    return "", False


def _delimiter(head: str, columns: Mapping[str, str]) -> str:
    """Return what divides the cells: what makes a header known, or else most rows equally long."""
    best, best_score = ",", (False, 0, 0)
    for delimiter in _DELIMITERS:
        rows = _sampled(head, delimiter)
        asks = any(recognise(row, columns).asks for row in rows)
        lengths = Counter(len(row) for row in rows if len(row) > 1)
        length, count = lengths.most_common(1)[0] if lengths else (0, 0)
        score = (asks, count, length)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _sampled(head: str, delimiter: str) -> list[list[str]]:
    rows = []
    reader = csv.reader(head.splitlines(keepends=True)[:40], delimiter=delimiter)
    try:
        for row in reader:
            rows.append(row)
            if len(rows) == 20:
                break
    except csv.Error:
        pass  # a cell longer than any; what was read tells enough
    return [row for row in rows if row]
