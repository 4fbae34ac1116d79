"""Where the lines of a text stand, and quotes with their places."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from policy_qa.types import Citation, Document, Passage, Place, Span


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


def place_at(document: Document, position: int) -> Place | None:
    """Return where a position of a text stands in its file; None if its line says it."""
    number = bisect_right(document.places, position, key=lambda place: place[0])
    return document.places[number - 1][1] if number else None


class Source:
    """A document to quote from; its lines are found once, however many quotes there are."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines = Lines(document.text)

    def cite(self, entry_id: str, span: Span) -> Citation:
        """Return the citation of a span of the document."""
        document = self._document
        quote = document.text[span.start : span.end]
        line = self._lines.number(span.start)
        return Citation(document.id, entry_id, span, line, quote, self.place(span.start))

    def place(self, position: int) -> Place | None:
        """Return where a position of the text stands in the file; None if its line says it."""
        return place_at(self._document, position)

    def cite_passage(self, passage: Passage, within: Span | None = None) -> Citation:
        """Return the citation of a passage, or of a span within it."""
        inner = within or Span(0, len(passage.text))
        start = passage.span.start
        return self.cite(passage.entry_id, Span(start + inner.start, start + inner.end))
