"""Take the lines out of a PDF; run by `pdf` as a program of its own.

PDFium is written in C++: a file that crashes it, or never ends, must not take the caller along.
The PDF comes on standard input, one JSON list for each page goes to standard output.
"""

import ctypes
import json
import statistics
import sys
from collections.abc import Iterator
from typing import Any

MAX_PAGES = 3_000
MAX_CHARS = 10_000_000
_MEMORY = 4 << 30
"""Bytes; a page of a few bytes can ask for any number."""

Line = tuple[str, float, float, float, float]
"""Text, left, right and baseline in points from the lower left, and height of the characters."""


def main() -> None:
    """Write the lines of each page, or what is wrong with the file."""
    _limit_memory()
    import pypdfium2  # noqa: PLC0415 (an extra)

    data = sys.stdin.buffer.read()
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        _write({"error": "password" if "assword" in str(error) else "damaged"})
        return
    if len(document) > MAX_PAGES:
        _write({"error": "pages"})
        return
    chars = 0
    for page in document:
        lines = list(_lines(page.get_textpage(), pypdfium2.raw))
        chars += sum(len(line[0]) for line in lines)
        if chars > MAX_CHARS:
            _write({"error": "characters"})
            return
        _write(lines)
        page.close()


def _write(value: Any) -> None:
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _lines(page: Any, raw: Any) -> Iterator[Line]:
    text: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for i in range(raw.FPDFText_CountChars(page)):
        character = _character(raw.FPDFText_GetUnicode(page, i))
        if character in "\r\n":
            if boxes:
                yield _line(text, boxes)
            text, boxes = [], []
            continue
        text.append(character)
        if not character.isspace():
            boxes.append(_box(page, i, raw))
    if boxes:
        yield _line(text, boxes)


def _character(code: int) -> str:
    if code in {0x02, 0xFFFE}:
        return "\xad"  # a word was divided here at the end of a line
    if (code < 0x20 and code not in {0x0A, 0x0D}) or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return " "
    return chr(code)


def _box(page: Any, i: int, raw: Any) -> tuple[float, float, float, float]:
    """Return left, right and baseline of a character, and its height with all its room."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(page, i, left, right, bottom, top)
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(page, i, x, y)
    room = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(page, i, room)
    return left.value, right.value, y.value, abs(room.top - room.bottom)


def _line(text: list[str], boxes: list[tuple[float, float, float, float]]) -> Line:
    return (
        "".join(text).strip(),
        round(min(box[0] for box in boxes), 1),
        round(max(box[1] for box in boxes), 1),
        round(statistics.median(box[2] for box in boxes), 1),
        round(statistics.median(box[3] for box in boxes), 1),
    )


if __name__ == "__main__":
    main()
