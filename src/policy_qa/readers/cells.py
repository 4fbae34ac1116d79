"""What stands in a cell: text, a list, a day, or a number as a spreadsheet shows it."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final

_CONTROL: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters but tab and line feed, further line ends, and halves of characters."""
_BREAK: Final = re.compile(r"[ \t]*\n[ \t\n]*")
_ALTERNATES: Final = re.compile(r"[|｜\n]")
_TAGS: Final = re.compile(r"[,，;；、|｜\n]")
_DAY: Final = re.compile(
    r"(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2}) ?日?(?:[T ]00:00(?::00(?:\.0+)?)?)?|(\d{8})"
)
_NO_DAY: Final = frozenset(
    {"-", "--", "/", "none", "never", "n/a", "无", "無", "永久", "永久有效", "长期", "長期",
     "长期有效", "長期有效"}
)  # fmt: skip
_LITERAL: Final = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|_.|\*.|\[[^\]]*\]')
_NUMBER: Final = re.compile(r"[#0?,]*[0#?](?:\.(?P<decimals>[0#?]+))?(?P<percent> ?%)?")


def clean(text: str) -> str:
    """Return a cell's text on lines without control characters and outer blanks."""
    return _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str) -> str:
    """Return a clean text with a blank for each of its line breaks."""
    return _BREAK.sub(" ", text)


def alternates(cells: Iterable[str], question: str) -> tuple[str, ...]:
    """Return the other wordings in some cells, each once."""
    found = (part.strip() for cell in cells for part in _ALTERNATES.split(cell))
    return tuple(part for part in dict.fromkeys(found) if part and part != question)


def tags(cell: str) -> tuple[str, ...]:
    """Return the tags of a cell, each once."""
    found = (part.strip() for part in _TAGS.split(cell))
    return tuple(part for part in dict.fromkeys(found) if part)


def day(cell: str) -> date | None:
    """Return the day that a cell names; None if it is blank or says that there is none.

    Raises:
        ValueError: If it names no day.
    """
    given = unicodedata.normalize("NFKC", cell).strip()
    if not given or given.lower() in _NO_DAY:
        return None
    match = _DAY.fullmatch(given)
    if match is None:
        raise ValueError(given)
    if match[4]:
        return date(int(match[4][:4]), int(match[4][4:6]), int(match[4][6:]))
    return date(int(match[1]), int(match[2]), int(match[3]))


def shown(value: Any, number_format: str = "General") -> str:
    """Return the value of a workbook's cell as a spreadsheet shows it, days as 2025-12-31.

    Of number formats are understood the decimals, the thousands' commas, % and what stands before
    and behind the number, such as NT$ or 元.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, int | float):
        return _number(value, number_format or "General")
    return f"{value}" if isinstance(value, timedelta) else clean(str(value))


def _number(value: float, number_format: str) -> str:
    plain = str(value) if isinstance(value, int) else f"{value:.15g}"
    if "e" in plain and abs(value) < 1e15:
        plain = f"{value:.15f}".rstrip("0").rstrip(".")
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(match[1] or match[2] or match[3] or "")
        return "\0"

    form = _LITERAL.sub(keep, number_format.partition(";")[0])
    number = _NUMBER.search(form)
    if number is None or re.search(r"[A-Za-z/]", form):
        return plain
    decimals = len(number["decimals"] or "")
    scaled = value * 100 if number["percent"] else value
    grouping = "," if "," in number[0].rstrip(",") else ""
    digits = f"{scaled:{grouping}.{decimals}f}" + (number["percent"] or "")
    rest = iter(literals)
    before, behind = (
        "".join(next(rest) if c == "\0" else c for c in part)
        for part in (form[: number.start()], form[number.end() :])
    )
    return f"{before}{digits}{behind}".strip()
