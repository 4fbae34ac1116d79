"""HTML to the text that it shows, with headings as in Markdown.

Headings, and the questions of `<summary>` and `<dt>`, get `#`; list items stand on lines of their
own, with their numbers; a table's rows are lines in which each cell has its header. Left out is
what readers do not see: scripts, styles, comments, templates, form fields, navigation, and hidden
elements but for the panels that a click opens. Nothing is fetched.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from policy_qa.entries import parse
from policy_qa.errors import CorpusError
from policy_qa.readers.encodings import check_controls, decode
from policy_qa.readers.extras import needs
from policy_qa.readers.fields import recognise
from policy_qa.readers.files import read_whole
from policy_qa.readers.rows import labelled
from policy_qa.readers.text import folders
from policy_qa.types import Document, Parsed

_DROPPED: Final = frozenset(
    {"script", "style", "template", "noscript", "nav", "iframe", "object", "embed", "svg",
     "math", "canvas", "audio", "video", "map", "select", "datalist", "textarea", "input",
     "head", "img", "picture", "dialog", "progress", "meter"}
)  # fmt: skip
_BLOCKS: Final = frozenset(
    {"html", "body", "address", "article", "aside", "blockquote", "center", "dd", "details",
     "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
     "header", "hgroup", "hr", "legend", "li", "main", "menu", "ol", "p", "pre", "search",
     "section", "summary", "table", "caption", "tbody", "thead", "tfoot", "tr", "td", "th",
     "ul", "h1", "h2", "h3", "h4", "h5", "h6"}
)  # fmt: skip
_PARAGRAPHS: Final = frozenset(
    {"p", "div", "section", "article", "blockquote", "pre", "ul", "ol", "menu", "dl", "dd",
     "table", "details", "figure", "main", "header", "footer", "aside", "form", "hr",
     "address", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"}
)  # fmt: skip
"""Blocks that stand apart from their neighbours by a blank line."""
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_QUESTIONS: Final = ("dt", "summary")
_DEEPEST: Final = 6
_MAX_SPAN: Final = 100
"""Columns or rows that one cell may cover."""
_MAX_CHARS: Final = 20_000_000
_WIDE: Final = "[\u2e80-\ufeff\uff00-\uff65]"
_WIDE_BREAK: Final = re.compile(rf"(?<={_WIDE})[ \t\f]*[\r\n][ \t\r\n\f]*(?={_WIDE})")
_BLANKS: Final = re.compile(r"[ \t\r\n\f\xa0]+")
_UNSEEN: Final = re.compile("[\xad\u200b\u2060\ufeff\0-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_HIDDEN_STYLE: Final = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE
)
_TARGETS: Final = ("aria-controls", "href", "data-target", "data-bs-target", "for")
_ATTRIBUTE_META: Final = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_META_BYTES: Final = 4_096
_CODECS: Final = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb-18030": "gb18030", "big5": "big5hkscs",
    "x-x-big5": "big5hkscs", "big5-hkscs": "big5hkscs", "utf8": "utf-8",
    "windows-1252": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252",
}  # fmt: skip
"""What browsers read pages as that say otherwise."""
_DECODED: Final = frozenset({*_CODECS.values(), "utf-8"})


def read_html(file: Path, document_id: str) -> Iterator[Parsed]:
    """Yield the document of an HTML file.

    Raises:
        CorpusError: If it cannot be read.
    """
    needs("selectolax", file)
    page = _decoded(read_whole(file), file)
    document = Document(document_id, to_text(page, file), folders(document_id))
    yield document, parse(document)


def to_text(page: str, file: Path) -> str:
    """Return what a page shows, as text with Markdown's headings.

    Raises:
        CorpusError: If the parser fails, or the page has too much of it.
    """
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 (an extra)

    try:
        parser = LexborHTMLParser(page)
        writer = _Writer(_targets(parser.root))
        if parser.root is not None:
            writer.write(parser.root)
        title = parser.css_first("title")
        heading = _collapsed(title.text()) if title is not None else ""
    except Exception as error:
        raise CorpusError(
            f"{file} is no HTML that can be read ({type(error).__name__}). Save it as text."
        ) from error
    text = writer.text()
    if heading and not writer.titled and text:
        text = f"# {heading}\n\n{text}"
    if len(text) > _MAX_CHARS:
        raise CorpusError(f"{file} has more than {_MAX_CHARS:,} characters. Split it.")
    return text


def _decoded(data: bytes, file: Path) -> str:
    """Return a page's text by its mark, by what it says of itself, or else by what is likely."""
    meta = _ATTRIBUTE_META.search(data[:_META_BYTES])
    codec = meta[1].decode("ascii", "replace").lower() if meta else ""
    codec = _CODECS.get(codec, codec)
    marked = data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    if codec == "cp1252" and not marked:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    elif codec in _DECODED and codec != "utf-8" and not marked:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            return decode(data, file)
    else:
        return decode(data, file)
    check_controls(text, file)
    return text


def _targets(root: Any) -> frozenset[str]:
    """Return the ids of elements that a click on another one may show."""
    found: set[str] = set()
    for node in _nodes(root):
        attributes = node.attributes
        for name in _TARGETS:
            value = attributes.get(name) or ""
            if name != "href" or value.startswith("#"):
                found.update(word.lstrip("#") for word in value.split())
    return frozenset(found - {""})


def _nodes(root: Any) -> Iterator[Any]:
    return iter(root.traverse(include_text=False)) if root is not None else iter(())


@dataclass(slots=True)
class _List:
    """A list that is open; `number` is that of its next item, None for bullets."""

    number: int | None
    step: int
    style: str = "1"


@dataclass(slots=True)
class _Writer:
    """Writes what nodes show, block by block."""

    targets: frozenset[str]
    blocks: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    prefix: str = ""
    level: int = 1
    pre: int = 0
    titled: bool = False
    apart: bool = False

    def text(self) -> str:
        """Return what was written."""
        self._flush()
        return "".join(self.blocks).strip("\n")

    def write(self, root: Any) -> None:
        """Write a node with all that it holds."""
        # A stack and no recursion: pages nest as deep as they like.
        stack: list[tuple[Any, bool]] = [(root, True)]
        while stack:
            node, opening = stack.pop()
            tag = node.tag
            if not opening:
                self._close(tag)
            elif tag == "-text":
                self.inline.append(node.text_content or "")
            elif tag.startswith(("-", "!")) or self._is_unseen(node, tag):
                continue
            elif tag == "table" and (lines := self._table(node)):
                self._flush()
                self.apart = True
                for heads, line in lines:
                    self.prefix = "#" * min(self.level + 1, _DEEPEST) + " " if heads else ""
                    self._block(line)
                self.apart = True
            else:
                self._open(node, tag)
                stack.append((node, False))
                stack += [(child, True) for child in reversed(_children(node))]

    def _is_unseen(self, node: Any, tag: str) -> bool:
        if tag in _DROPPED and not (tag == "dialog" and "open" in node.attributes):
            return True
        attributes = node.attributes
        if attributes.get("role") == "navigation":
            return True
        if tag == "div" and attributes.get("title") in {"header", "footer"}:  # of LibreOffice
            return True
        style = attributes.get("style") or ""
        hidden = "hidden" in attributes and attributes["hidden"] != "until-found"
        if not hidden and not (style and _HIDDEN_STYLE.search(style)):
            return False
        return not self._is_panel(node, tag)

    def _is_panel(self, node: Any, tag: str) -> bool:
        """Whether a hidden element is shown by a click: an answer under its question."""
        attributes = node.attributes
        return (
            tag == "dd"
            or (attributes.get("id") or "") in self.targets
            or bool(attributes.get("aria-labelledby"))
            or attributes.get("role") in {"tabpanel", "region"}
        )

    def _open(self, node: Any, tag: str) -> None:
        if tag == "br":
            self.inline.append("\v")
            return
        if tag not in _BLOCKS:
            return
        self._flush()
        if tag in _PARAGRAPHS:
            self.apart = self.apart or not self._in_item(tag)
        if tag in _HEADINGS:
            self.level = _HEADINGS[tag]
            self.titled = self.titled or self.level == 1
            self.prefix = "#" * self.level + " "
        elif tag in _QUESTIONS:
            self.prefix = "#" * min(self.level + 1, _DEEPEST) + " "
        elif tag == "pre":
            self.pre += 1
        elif tag in {"ul", "ol", "menu"}:
            self.lists.append(_new_list(node, tag))
        elif tag == "li":
            self.prefix = self._item_prefix(node)

    def _in_item(self, tag: str) -> bool:
        """Whether a block belongs to the list item before it and not apart from it."""
        return bool(self.lists) and tag in {"p", "div", "ul", "ol"}

    def _close(self, tag: str) -> None:
        if tag not in _BLOCKS:
            if tag in {"button", "label"}:
                self.inline.append(" ")
            return
        self._flush(tag)
        if tag == "pre":
            self.pre -= 1
        elif tag in {"ul", "ol", "menu"} and self.lists:
            self.lists.pop()
        elif tag == "li":
            self.prefix = ""
        if tag in _HEADINGS or tag in _QUESTIONS:
            self.prefix = ""
        if tag in _PARAGRAPHS:
            self.apart = self.apart or not self._in_item(tag)

    def _item_prefix(self, node: Any) -> str:
        if not self.lists:
            return "- "
        indent = "  " * min(len(self.lists) - 1, _DEEPEST)
        current = self.lists[-1]
        if current.number is None:
            return f"{indent}- "
        value = node.attributes.get("value") or ""
        if re.fullmatch(r"-?\d{1,6}", value):
            current.number = int(value)
        number = current.number
        current.number += current.step
        return f"{indent}{_numeral(number, current.style)}. "

    def _flush(self, tag: str = "") -> None:
        """Write the text that is pending as a block."""
        raw = "".join(self.inline)
        self.inline.clear()
        if self.pre and tag != "summary":
            lines = [line.rstrip() for line in raw.replace("\v", "\n").split("\n")]
        else:
            lines = [_collapsed(line) for line in raw.split("\v")]
        lines = [_UNSEEN.sub("", line) for line in lines]
        if self.prefix.startswith("#"):
            lines = [" ".join(filter(None, lines))]
        while lines and not lines[-1].strip():
            lines.pop()
        while lines and not lines[0].strip():
            lines.pop(0)
        if not lines:
            return
        self._block("\n".join(lines))

    def _block(self, text: str) -> None:
        heads = self.prefix.startswith("#")
        if self.blocks:
            self.blocks.append("\n\n" if self.apart or heads else "\n")
        self.blocks.append(self.prefix + text)
        self.apart = heads
        self.prefix = ""

    def _table(self, node: Any) -> list[tuple[bool, str]]:
        """Return the lines of a table of data, and whether they head others.

        A table that lays out the page has none.
        """
        rows = [
            child for child in _nodes(node) if child.tag == "tr" and _table_of(child) == node.mem_id
        ]
        inner = {child.tag for child in _nodes(node) if child.mem_id != node.mem_id}
        if inner & {"table", "details", "dl", *_HEADINGS} or len(rows) < 2:
            return []
        grid = _grid([[c for c in _children(row) if c.tag in {"td", "th"}] for row in rows])
        texts = [[self._cell(cell) for cell in cells] for cells in grid]
        pairs = [(cells, row) for cells, row in zip(grid, texts, strict=True) if any(row)]
        if max((len(row) for _, row in pairs), default=0) < 2:
            return []
        caption = next((c for c in _children(node) if c.tag == "caption"), None)
        lines = [(False, self._cell(caption)), *_table_lines(pairs)]
        return [(heads, line) for heads, line in lines if line]

    def _cell(self, node: Any) -> str:
        if node is None:
            return ""
        inner = _Writer(self.targets)
        for child in _children(node):
            inner.write(child)
        return " ".join(inner.text().split("\n")).replace("  ", " ").strip()


def _table_lines(rows: Sequence[tuple[list[Any], list[str]]]) -> Iterator[tuple[bool, str]]:
    """Yield the rows with their headers; of a table of questions, these as headings."""
    if all(_is_header(cells[0]) and not _is_header(cells[-1]) for cells, _ in rows):
        for _, row in rows:  # each row begins with its own header
            yield False, labelled([(row[0], "；".join(filter(None, row[1:])))])
        return
    header = rows[0][1]
    asked = recognise(header, {})
    for _, row in rows[1:]:
        cells = dict(enumerate(row))
        named = [(header[i] if i < len(header) else "", cell) for i, cell in cells.items()]
        if asked.question is None or asked.answer is None:
            yield False, labelled(named)
            continue
        yield True, cells.get(asked.question, "")
        yield False, cells.get(asked.answer, "")
        yield False, labelled([pair for i, pair in enumerate(named) if i not in asked.known])


def _children(node: Any) -> list[Any]:
    return list(node.iter(include_text=True))


def _table_of(row: Any) -> int:
    parent = row.parent
    while parent is not None and parent.tag != "table":
        parent = parent.parent
    return parent.mem_id if parent is not None else -1


def _grid(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the cells of each row, a cell in each column and row that it covers."""
    grid: list[list[Any]] = []
    below: dict[int, tuple[Any, int]] = {}
    for cells in rows:
        line: list[Any] = []
        pending = list(cells)
        while pending or any(column >= len(line) for column in below):
            column = len(line)
            if column in below:
                cell, left = below.pop(column)
                line.append(cell)
                if left > 1:
                    below[column] = cell, left - 1
                    if not pending and all(c <= column for c in below):
                        break
            elif pending:
                cell = pending.pop(0)
                wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
                for i in range(wide):
                    line.append(cell if i == 0 or high > 1 or wide < 2 else None)
                    if high > 1:
                        below[column + i] = cell, high - 1
            else:
                line.append(None)
        grid.append(line)
    return grid


def _span(cell: Any, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(max(int(value), 1), _MAX_SPAN) if re.fullmatch(r"\d{1,6}", value) else 1


def _is_header(cell: Any) -> bool:
    return cell is not None and cell.tag == "th"


def _new_list(node: Any, tag: str) -> _List:
    if tag != "ol":
        return _List(None, 1)
    attributes: Mapping[str, str | None] = node.attributes
    start = attributes.get("start") or ""
    step = -1 if "reversed" in attributes else 1
    first = len([c for c in _children(node) if c.tag == "li"]) if step < 0 else 1
    if re.fullmatch(r"-?\d{1,6}", start):
        first = int(start)
    return _List(first, step, attributes.get("type") or "1")


def _numeral(number: int, style: str) -> str:
    if style in {"a", "A"} and 0 < number <= 26:
        return chr(ord(style) + number - 1)
    if style in {"i", "I"} and 0 < number < 40:
        roman = ""
        for value, letters in ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")):
            count, number = divmod(number, value)
            roman += letters * count
        return roman if style == "i" else roman.upper()
    return str(number)


def _collapsed(text: str) -> str:
    """Return a text with one blank for many, and none where a line of Chinese was wrapped."""
    return _BLANKS.sub(" ", _WIDE_BREAK.sub("", text)).strip()
