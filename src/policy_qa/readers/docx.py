"""DOCX documents: headings by their styles, paragraphs, lists with their numbers, tables.

Kept are tracked insertions, footnotes and endnotes (at the end), text boxes and the text of links.
Left out are tracked deletions, comments, pictures, and the headers and footers of pages.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from policy_qa.entries import parse
from policy_qa.errors import CorpusError
from policy_qa.readers.archives import check_package, damaged
from policy_qa.readers.docx_numbers import CLOSES, OPENS, with_numbers
from policy_qa.readers.extras import needs
from policy_qa.readers.files import MAX_TEXT_BYTES, read_whole
from policy_qa.readers.html import to_text
from policy_qa.readers.text import folders
from policy_qa.types import Document, Parsed

_STYLES: Final = "\n".join(
    ["p[style-name='Title'] => h1:fresh"]
    + [
        f"p[style-name='{name} {level}'] => h{level}:fresh"
        for name in ("Heading", "heading", "標題", "标题")
        for level in range(1, 7)
    ]
)


def read_docx(file: Path, document_id: str) -> Iterator[Parsed]:
    """Yield the document of a DOCX file.

    Raises:
        CorpusError: If it cannot be read.
    """
    needs("mammoth", file)
    needs("selectolax", file)
    data = read_whole(file, MAX_TEXT_BYTES)
    check_package(io.BytesIO(data), file, "DOCX")
    text = _with_labels(to_text(_html(data, file), file))
    document = Document(document_id, text, folders(document_id))
    yield document, parse(document)


def _html(data: bytes, file: Path) -> str:
    import mammoth  # noqa: PLC0415 (an extra)

    def no_picture(_: Any) -> list[Any]:
        return []

    try:
        result = mammoth.convert_to_html(
            io.BytesIO(with_numbers(data)),
            style_map=_STYLES,
            include_embedded_style_map=False,
            convert_image=no_picture,
        )
    except CorpusError:
        raise
    except Exception as error:  # mammoth has none of its own; zipfile, expat and others have
        raise damaged(file, "DOCX") from error
    html: str = result.value
    return html.replace('">↑</a>', '"></a>')  # the way back from a footnote


def _with_labels(text: str) -> str:
    """Put the labels that Word counts in the place of those of the lists in HTML."""

    def shown(match: re.Match[str]) -> str:
        label = match["label"]
        return (match["indent"] or "") + label + ("" if label.endswith(_TIGHT) else " ")

    return _LABEL.sub(shown, text)


_LABEL: Final = re.compile(
    rf"(?:^(?P<indent> *)(?:- |\d+\. ))?{OPENS}(?P<label>[^{CLOSES}]*){CLOSES}\s*", re.MULTILINE
)
_TIGHT: Final = tuple("、．）。：】")
"""Marks after which no blank follows."""
