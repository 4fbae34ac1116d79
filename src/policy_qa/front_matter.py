"""The front matter of a document: its tags, and from when until when it holds.

---
tags: [returns, shipping]
effective_from: 2025-01-01
expires: 2025-12-31
---
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policy_qa.errors import CorpusError
from policy_qa.lines import FRONT_MATTER

_TAGS = re.compile(r"^tags[ \t]*:[ \t]*([^\r\n]*(?:\r?\n[ \t]*-[ \t].*)*)", re.MULTILINE)
_DAY = r"^{name}[ \t]*:[ \t]*(?P<day>[^\r\n#]*)"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a document says of itself.

    Attributes:
        tags: In their order.
        effective_from: The first day on which it holds; None if it does not say.
        expires: The last day; None if it does not say.
    """

    tags: tuple[str, ...] = ()
    effective_from: date | None = None
    expires: date | None = None


def read_front_matter(text: str, file: Path) -> FrontMatter:
    """Return the front matter of a text; an empty one if it has none.

    Raises:
        CorpusError: If a day is none; names the file and the line.
    """
    match = FRONT_MATTER.match(text)
    if not match:
        return FrontMatter()
    first = _day(match, "effective_from", file)
    last = _day(match, "expires", file)
    if first and last and last < first:
        raise CorpusError(f"{file} expires ({last}) before it is effective ({first}). Mend either.")
    return FrontMatter(tuple(_tags(match[1])), first, last)


def _tags(front_matter: str) -> list[str]:
    """Return the tags of `tags: [a, b]`, `tags: a, b` or a list below `tags:`."""
    tags = _TAGS.search(front_matter)
    listed = re.split(r"[,，\r\n]", tags[1].strip("[] \t")) if tags else []
    names = [re.sub(r"^\s*-\s+", "", tag).strip("\"'[] \t") for tag in listed]
    return [name for name in names if name]


def _day(front_matter: re.Match[str], name: str, file: Path) -> date | None:
    found = re.search(_DAY.format(name=name), front_matter[1], re.MULTILINE)
    given = found["day"].strip("\"' \t") if found else ""
    if not found or not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        line = front_matter.string.count("\n", 0, front_matter.start(1) + found.start("day")) + 1
        raise CorpusError(
            f"{file}, line {line}: {name} is {given!r}, which is no day. Write it as 2025-12-31."
        ) from error
