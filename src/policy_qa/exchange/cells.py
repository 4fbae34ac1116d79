r"""Texts and lists as cells of a workbook, and back, whatever characters they have.

XML has no control characters and makes a line end of every carriage return; spreadsheet programs
read `_x000D_` as a character's number, and cut a cell after 32,767 UTF-16 units. So in a cell

    \\      is a backslash
    \r      is a carriage return
    \n      is a line end inside an item of a list; items stand one a line
    \e      is an item of a list that is empty
    \u0007  is the character of that number in base 16, which no cell can hold as it is

and what is too long goes on in the same column of the next row.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

CELL_UNITS: Final = 16_000
"""UTF-16 units that are written to a cell, which could hold 32,767. LibreOffice 7 breaks texts of
more than about 64 KB of XML when it saves them again."""

_UNSAFE: Final = re.compile(
    "[\0-\x08\x0b-\x1f\\\\\ud800-\udfff\ufffe\uffff]"
    "|x(?=[0-9A-Fa-f]{4}_)"  # of _x000D_, and of x005F_, which openpyxl drops from what Excel saves
)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.?)", re.DOTALL)
_SHORT: Final = {"\\": "\\", "r": "\r", "n": "\n", "e": ""}


def to_cell(text: str) -> str:
    """Return a text with an escape for each character that a cell would not keep."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    match found[0]:
        case "\\":
            return "\\\\"
        case "\r":
            return "\\r"
        case character:
            return _by_number(character)


def _by_number(character: str) -> str:
    return f"\\u{ord(character):04X}"


def from_cell(cell: str) -> str:
    """Return the text of a cell.

    Raises:
        ValueError: If a backslash is followed by what is no escape.
    """
    return _ESCAPE.sub(_unescaped, cell)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    if code not in _SHORT:
        raise ValueError(f"{found[0]!r} is no escape; a backslash is written twice")
    return _SHORT[code]


def list_to_cell(items: Iterable[str]) -> str:
    """Return a list as one text for a cell."""
    return "\n".join(to_cell(item).replace("\n", "\\n") or "\\e" for item in items)


def list_from_cell(cell: str) -> list[str]:
    """Return the list of a cell; lines left empty are none of its items.

    Raises:
        ValueError: As `from_cell`.
    """
    return [from_cell(line) for line in cell.split("\n") if line]


def pieces(cell: str) -> Iterator[str]:
    """Yield what of a text for cells goes into each of them; at least one, and perhaps empty."""
    start = 0
    while True:
        piece = cell[start : start + CELL_UNITS]
        encoded = piece.encode("utf-16-le")[: 2 * CELL_UNITS]
        piece = encoded.decode("utf-16-le", "ignore")  # which drops half of a pair at its end
        start += len(piece)
        # Programs take a cell of blanks alone for an empty one.
        blank = piece and not piece.strip()
        yield piece[:-1] + _by_number(piece[-1]) if blank else piece
        if start >= len(cell):
            return
