"""Entries with their lines, and text made safe for a terminal."""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

from policy_qa.places import Lines
from policy_qa.types import Document, Entry


def with_lines(
    entries: Iterable[tuple[Entry, Document]],
) -> Iterator[tuple[Entry, Document, int, int]]:
    """Yield entries with their first and last lines."""
    for document, together in groupby(entries, key=lambda pair: pair[1]):
        lines = Lines(document.text)
        for entry, _ in together:
            yield entry, document, lines.number(entry.span.start), lines.number(entry.span.end)


def one_line(text: str) -> str:
    """Return text for a terminal with every run of blanks as one space."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """Return text without what steers a terminal or reorders its line; line breaks stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _STEERING else "\ufffd" for c in lines
    )


_STEERING = ("Cc", "Cf", "Cs", "Co")


def percent(confidence: float) -> int:
    """Return a probability in whole percent, rounded down: 100 is only said of certainty."""
    return int(round(confidence * 100, 6))
