"""Where a part of a document stands: its lines, or the pages or rows of a file that has them."""

from collections.abc import Callable

from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import escape
from policy_qa.places import Lines, place_at
from policy_qa.types import Document, Span

Number = Callable[[int, Span], str]
"""Returns what stands beside a line, of its number and its span."""


def place(document: Document, span: Span, lines: Lines, labels: PageLabels) -> str:
    """Return where a span stands, as HTML: the document and its lines, pages or rows."""
    body = document.text[span.start : span.end].rstrip()
    end = span.start + len(body)
    first, last = place_at(document, span.start), place_at(document, max(span.start, end - 1))
    if first is None or last is None:
        start, stop = lines.number(span.start), lines.number(end)
        form = labels.answer.lines if stop > start else labels.answer.cited
        return escape(form.format(document=document.id, first=start, last=stop, line=start))
    if first == last:
        form = labels.answer.cited_page if first.kind == "page" else labels.answer.cited_row
    else:
        form = labels.pages if first.kind == "page" else labels.rows
    return escape(
        form.format(
            document=document.id,
            number=first.number,
            first=first.number,
            last=last.number,
            sheet=f"{first.sheet} " if first.sheet else "",
        )
    )


def line_number(number: int, line: Span) -> str:  # noqa: ARG001 (see `Number`)
    """Return the number of a line of a text."""
    return str(number)


def numbering(document: Document, labels: PageLabels) -> Number:
    """Return what numbers the lines of a document as its file does, where they are drawn in order.

    Of a file with pages or rows that is each page or row where it begins to be shown.
    """
    if not document.places:
        return line_number
    before = None

    def number(_: int, line: Span) -> str:
        nonlocal before
        here = place_at(document, line.start)
        if here is None or here == before:
            return ""
        before = here
        if here.kind == "page":
            return labels.page_number.format(number=here.number)
        return str(here.number)

    return number
