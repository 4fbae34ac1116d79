"""PDF with text: its lines put together to paragraphs, with the page that each stands on.

Lines in larger type become headings as in Markdown, and what is wrapped is joined. Left out are
the headers, footers and page numbers that most pages repeat. The text is in the order in which the
file has it; the cells of a table's row stand in one line. Pictures of text are not read.
"""

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from policy_qa.entries import parse
from policy_qa.errors import CorpusError
from policy_qa.lines import SENTENCE_ENDS
from policy_qa.readers import pdf_lines
from policy_qa.readers.extras import needs
from policy_qa.readers.files import read_whole
from policy_qa.readers.text import folders
from policy_qa.types import Document, Parsed, Place

MAX_BYTES: Final = 200_000_000
"""Bytes of a file; most of them are pictures."""
_SECONDS: Final = 300
"""After which a file is given up; 1,000 pages take some ten."""
_LEAST_CHARS: Final = 10
"""Characters a page, on average, below which a PDF is a picture of text."""

_EDGE_LINES: Final = 3
"""Lines at the top and the bottom of a page that may be its header and footer."""
_HEADING_SIZE: Final = 1.12
"""How much larger than most of the text a heading is at least."""
_LONGEST_HEADING: Final = 100
_MARGIN: Final = 1.6
"""Heights of a character that a line may fall short of the margin and still be full."""
_GAP: Final = 1.35
"""How much wider than between most lines the distance between two paragraphs is at least."""
_NUMBER: Final = re.compile(r"\d+")
_PAGE_LABEL: Final = re.compile(
    r"(?:第 ?)?[-–—~ ]{0,3}(?P<n>\d{1,4})[-–—~ ]{0,3}(?:/ ?\d{1,4})?(?: ?[頁页])?"
    r"(?:[,，/ ]*共 ?\d{1,4} ?[頁页])?"
    r"|[Pp](?:age|\.) ?(?P<m>\d{1,4})(?: ?(?:of|/) ?\d{1,4})?"
)
_OPENS: Final = re.compile(
    r"[-*+•·▪●○◆■◦‧►➢]\s|[QＱAＡ]\d{0,3}\s*[:：.．]|[問问答]\s*[:：]|[㈠-㈩①-⑳Ⅰ-Ⅻ]"
    r"|[(（]?(?:\d{1,3}(?:\.\d{1,3})*|[一二三四五六七八九十百]{1,4}|[A-Za-z])[)）.．、]\s*(?!\d)"
    r"|第\s*[\d一二三四五六七八九十百千零〇]{1,6}\s*[編编篇章節节款條条題题項项]|#{1,6}\s"
)
"""How a line begins that opens an item, an entry or an article."""
_WIDE: Final = re.compile("[\u2e80-\ufeff\uff00-\uff65\U00020000-\U0003ffff]")
_COMPATIBLE: Final = (
    range(0x2E80, 0x2FE0), range(0xF900, 0xFB00), range(0x2F800, 0x2FA20),
)  # fmt: skip
_RADICALS: Final = dict(
    zip(
        "⺟⺠⺩⻁⻄⻅⻆⻉⻋⻌⻑⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰",
        "母民王虎西见角贝车辶長长门青韦页风飞食马骨鬼鱼鸟麦黄齐齿龙",
        strict=True,
    )
)
"""Radicals that stand in PDF for characters, and that no normal form makes characters."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page; lengths in points."""

    text: str
    left: float
    right: float
    base: float
    size: float
    page: int


def read_pdf(file: Path, document_id: str) -> Iterator[Parsed]:
    """Yield the document of a PDF.

    Raises:
        CorpusError: If it cannot be read, has a password, is too long, or holds no text.
    """
    needs("pypdfium2", file)
    pages = _pages(read_whole(file, MAX_BYTES), file)
    chars = sum(len(line.text) for page in pages for line in page)
    if chars < _LEAST_CHARS * len(pages) and (chars == 0 or len(pages) > 1):
        raise CorpusError(
            f"{file} holds pictures of text and hardly any text. Run OCR on it, for example "
            "with ocrmypdf, or take it out of the corpus."
        )
    text, places = _text(_without_edges(pages))
    document = Document(document_id, text, folders(document_id), places=tuple(places))
    yield document, parse(document)


def _pages(data: bytes, file: Path) -> list[list[_Line]]:
    """Return the lines of each page, from a process that may crash without harm."""
    try:
        # -P: else the modules beside the script would hide those of Python.
        done = subprocess.run(  # noqa: S603 (this Python, and a script of this package)
            [sys.executable, "-P", str(Path(pdf_lines.__file__))],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CorpusError(
            f"{file} takes more than {_SECONDS} s to read. Split it, or print it to a new PDF."
        ) from None
    except OSError as error:
        raise CorpusError(f"Cannot start a process to read {file}: {error.strerror}.") from error
    pages: list[Any] = [json.loads(line) for line in done.stdout.splitlines() if line[-1:] in b"]}"]
    if pages and isinstance(pages[-1], dict):
        raise CorpusError(f"{file} {_WRONG[pages[-1]['error']]}")
    if done.returncode or not pages:
        raise CorpusError(
            f"{file}, page {len(pages) + 1}: the PDF is damaged. Print it to a new PDF, or take it "
            "out of the corpus."
        )
    return [
        [
            _Line(_normal(text), left, right, base, size, number)
            for text, left, right, base, size in page
            if text
        ]
        for number, page in enumerate(pages, start=1)
    ]


_WRONG: Final = {
    "password": "has a password. Save it without one, or take it out of the corpus.",
    "damaged": "is no PDF or is damaged. Print it to a new PDF, or take it out of the corpus.",
    "pages": f"has more than {pdf_lines.MAX_PAGES:,} pages. Split it.",
    "characters": f"has more than {pdf_lines.MAX_CHARS:,} characters. Split it.",
}


def _normal(text: str) -> str:
    """Return a line with characters for the radicals and doubles that some programs write."""
    return "".join(
        _RADICALS.get(c) or unicodedata.normalize("NFKC", c)
        if any(ord(c) in codes for codes in _COMPATIBLE)
        else c
        for c in text
    )


def _without_edges(pages: Sequence[Sequence[_Line]]) -> list[list[_Line]]:
    """Return the pages without the headers, footers and numbers that most of them repeat."""
    usual = _usual_size([line for page in pages for line in page])
    counts: Counter[tuple[str, int]] = Counter()
    for page in pages:
        counts.update({key for line in _edges(page) for key in _edge_keys(line)})
    most = max(2, len(pages) // 2 + 1)

    def repeated(line: _Line) -> bool:
        if any(counts[key] >= most for key in _edge_keys(line)):
            return len(pages) > 1 and line.size <= _HEADING_SIZE * usual
        label = _PAGE_LABEL.fullmatch(line.text)
        return label is not None and int(label["n"] or label["m"]) == line.page

    return [
        [line for line in page if line not in _edges(page) or not repeated(line)] for page in pages
    ]


def _edges(page: Sequence[_Line]) -> list[_Line]:
    """Return the lines that stand highest and lowest, wherever in the file they come."""
    ordered = sorted(page, key=lambda line: -line.base)
    return list(dict.fromkeys([*ordered[:_EDGE_LINES], *ordered[-_EDGE_LINES:]]))


def _edge_keys(line: _Line) -> list[tuple[str, int]]:
    """Return what is alike in the headers of several pages: the words, or all but the number."""
    height = round(line.base / 6)
    keys = [(line.text, height)]
    numbers = _NUMBER.findall(line.text)
    for number in numbers:
        if len(number) <= 4:
            offset = int(number) - line.page  # counts on from page to page
            keys.append((f"{_NUMBER.sub('0', line.text)} {offset}", height))
    return keys


def _usual_size(lines: Sequence[_Line]) -> float:
    """Return the height of most characters."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0


def _text(pages: Sequence[Sequence[_Line]]) -> tuple[str, list[tuple[int, Place]]]:
    """Return the text of all pages, and where in it each begins."""
    lines = [line for page in pages for line in page]
    levels = _levels(lines)
    margins = [_margin(line, page) for page in pages for line in page]
    spacing = _spacing(pages)
    parts: list[str] = []
    length = 0
    places: list[tuple[int, Place]] = []
    for i, line in enumerate(lines):
        level = levels.get(line.size, 0) if len(line.text) <= _LONGEST_HEADING else 0
        text = line.text
        above = lines[i - 1] if i else None
        between = ""
        if above is not None:
            level_above = levels.get(above.size, 0) if len(above.text) <= _LONGEST_HEADING else 0
            between = _between(above, line, margins[i - 1], (level_above, level), spacing)
            if between in {"", " "} and parts and parts[-1].endswith("\xad"):
                parts[-1], between = parts[-1][:-1], ""
                length -= 1
        if (level and between not in {"", " "}) or (level and not parts):
            text = f"{'#' * level} {text}"
        parts += [between, text]
        length += len(between)
        if not places or places[-1][1].number != line.page:
            places.append((length, Place("page", line.page)))
        length += len(text)
    return "".join(parts).replace("\xad", "-"), places


def _levels(lines: Sequence[_Line]) -> dict[float, int]:
    """Return which heights are those of headings, the largest at level 1."""
    usual = _usual_size(lines)
    sizes = sorted({line.size for line in lines if line.size > _HEADING_SIZE * usual}, reverse=True)
    levels: dict[float, int] = {}
    level = 0
    last = float("inf")
    for size in sizes:
        if size < 0.95 * last:
            level, last = level + 1, size
        levels[size] = min(level, 4)
    return levels


def _margin(line: _Line, page: Sequence[_Line]) -> float:
    """Return where the lines of the same column end."""
    reach = 8 * line.size
    return max(
        other.right
        for other in page
        if abs(other.left - line.left) <= reach and other.size <= _HEADING_SIZE * line.size
    )


def _spacing(pages: Sequence[Sequence[_Line]]) -> float:
    """Return the distance between most lines that follow each other, in heights of a line."""
    gaps = Counter(
        round((above.base - below.base) / above.size, 1)
        for page in pages
        for above, below in pairwise(page)
        if above.size and 0.5 < (above.base - below.base) / above.size < 4
    )
    return gaps.most_common(1)[0][0] if gaps else 1.5


def _between(
    above: _Line, line: _Line, margin: float, levels: tuple[int, int], spacing: float
) -> str:
    """Return what stands between two lines: nothing or a blank in a paragraph, else line breaks."""
    same_page = above.page == line.page
    gap = (above.base - line.base) / (above.size or 1) if same_page else 0
    if levels != (0, 0):
        wrapped = levels[0] == levels[1] and same_page and _is_full(above, margin)
        return _joint(above.text, line.text) if wrapped else "\n\n"
    near = not same_page or -0.5 < gap <= _GAP * spacing
    if near and _goes_on(above, line, margin):
        return _joint(above.text, line.text)
    return "\n" if same_page and 0 <= gap <= _GAP * spacing else "\n\n"


def _goes_on(above: _Line, line: _Line, margin: float) -> bool:
    """Whether a line is the rest of the sentence that the line above breaks off."""
    if _OPENS.match(line.text) or not _is_full(above, margin):
        return False
    if above.text.rstrip("」』”\"')）").endswith(("。", "！", "？", "!", "?", "：", ":", ".")):
        return False
    indented = line.left > above.left + 1.5 * line.size and not _OPENS.match(above.text)
    return not indented or above.page != line.page or not above.text.endswith(SENTENCE_ENDS)


def _is_full(line: _Line, margin: float) -> bool:
    """Whether a line reaches its margin, but for a word or two of Latin text."""
    words = 1 if _WIDE.search(line.text[-1:]) else 5
    return line.right >= margin - _MARGIN * line.size * words


def _joint(above: str, below: str) -> str:
    if above.endswith("\xad"):
        return ""
    return "" if _WIDE.match(above[-1:]) or _WIDE.match(below[:1]) else " "
