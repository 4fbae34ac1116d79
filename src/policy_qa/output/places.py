"""Where the lines of a text stand, and text made safe for a terminal."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator

from policy_qa.types import Span


class Lines:
    """The lines of one text, found once; as in an editor, CR, LF and CRLF all end a line."""

    def __init__(self, text: str) -> None:
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(end.end() for end in ends)]
        self._ends = [*(end.start() for end in ends), len(text)]

    def number(self, position: int) -> int:
        """Return the line of a position; lines start at 1."""
        return bisect_right(self._starts, position)

    def split(self, span: Span) -> Iterator[tuple[int, Span]]:
        """Yield the number of each line of a span, and what the span holds of it."""
        for number in range(self.number(span.start), self.number(span.end) + 1):
            start = max(span.start, self._starts[number - 1])
            yield number, Span(start, max(start, min(span.end, self._ends[number - 1])))


_LINE_END = re.compile(r"\r\n|\r|\n")


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
