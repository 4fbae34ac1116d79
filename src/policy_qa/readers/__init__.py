"""The files of a corpus, one module for each kind.

```
files, encodings → text → cells, fields, rows → tables → delimited, workbooks, jsonl
archives, extras → html → docx, pdf
```
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from policy_qa.readers.delimited import read_delimited
from policy_qa.readers.docx import read_docx
from policy_qa.readers.html import read_html
from policy_qa.readers.jsonl import read_jsonl
from policy_qa.readers.pdf import read_pdf
from policy_qa.readers.text import read_text
from policy_qa.readers.workbooks import read_workbook
from policy_qa.types import Parsed

__all__ = ["SUFFIXES", "read_file"]

_TEXT: Final = (".txt", ".text", ".md", ".markdown")
_TABLES: Final = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".xlsx": read_workbook,
    ".jsonl": read_jsonl,
}
_PAGES: Final = {
    ".html": read_html,
    ".htm": read_html,
    ".docx": read_docx,
    ".pdf": read_pdf,
}

SUFFIXES: Final[tuple[str, ...]] = (*_TEXT, *_TABLES, *_PAGES)
"""The endings of files that are read, in lower case."""

_NO_COLUMNS: Final[Mapping[str, str]] = MappingProxyType({})


def read_file(
    file: Path, document_id: str, columns: Mapping[str, str] = _NO_COLUMNS
) -> Iterator[Parsed]:
    """Yield the documents of one file with their entries; a long table has several.

    Args:
        file: What to read; one of another ending is read as text.
        document_id: Its path relative to the corpus, whose folders become tags.
        columns: Of tables and JSONL, the names of columns by field (`question`, `answer`,
            `alternates`, `tags`, `effective_from`, `expires`, `id`), where they are not
            recognised.

    Raises:
        CorpusError: If the file cannot be read; names it and the line, row or page.
    """
    suffix = file.suffix.lower()
    if suffix in _TABLES:
        yield from _TABLES[suffix](file, document_id, columns)
    elif suffix in _PAGES:
        yield from _PAGES[suffix](file, document_id)
    else:
        yield from read_text(file, document_id)
