"""The source of an answer as HTML: its lines as they stand, with the quotes marked."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from policy_qa.page.address import Address
from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import attribute, escape, link, spoken
from policy_qa.page.where import Number, line_number, numbering, place
from policy_qa.places import Lines
from policy_qa.types import Document, Entry, Hit, Span

NEIGHBOURS = 200
"""Characters of the text before and after an entry, so that a short one is seen in its place."""

LONGEST_SHOWN = 20_000
"""Characters of one entry. A longer one is shown around its first quote."""

_LINE_EDGES = ("", "\n", "\r")
"""What stands beside a whole line; nothing at the ends of a text."""


def source_card(
    document: Document, entry: Entry, quotes: Sequence[Span], labels: PageLabels, note: str = ""
) -> str:
    """Return an entry in its own words as HTML, with the quotes highlighted in their place.

    Args:
        document: That holds it.
        entry: To show, with some of the text around it.
        quotes: To highlight.
        labels: In the reader's language.
        note: HTML to stand above it.
    """
    lines = Lines(document.text)
    shown = _around(entry.span, next(iter(quotes), entry.span))
    path = "".join(f"<li>{escape(heading)}</li>" for heading in entry.path)
    cut = f'<p class="pq-note pq-cut">{escape(labels.cut)}</p>' if shown != entry.span else ""
    language = spoken(document.text[shown.start : shown.end][:NEIGHBOURS])
    before = Span(max(0, shown.start - NEIGHBOURS), shown.start)
    after = Span(shown.end, min(len(document.text), shown.end + NEIGHBOURS))
    rows = (
        _neighbours(document.text, before, lines),
        source_lines(
            document.text,
            shown,
            quotes,
            entry.question,
            lines,
            number=numbering(document, labels),
        ),
        _neighbours(document.text, after, lines),
    )
    return (
        f'<section class="pq-entry" aria-label="{escape(labels.source)}">'
        f'<p class="pq-head"><span class="pq-label">{escape(labels.source)}</span>'
        f'<span class="pq-place">{place(document, entry.span, lines, labels)}</span></p>'
        + note
        + (f'<ol class="pq-path">{path}</ol>' if path else "")
        + f'{cut}<div class="pq-source" tabindex="0" role="region" '
        f'aria-label="{escape(labels.source)}"><div{language}>{"".join(rows)}</div></div></section>'
    )


def _around(entry: Span, quote: Span) -> Span:
    """Return the part of a long entry that is shown, with a quote in it."""
    if entry.end - entry.start <= LONGEST_SHOWN:
        return entry
    start = max(entry.start, min(quote.start - LONGEST_SHOWN // 2, entry.end - LONGEST_SHOWN))
    return Span(start, min(entry.end, start + LONGEST_SHOWN))


def _neighbours(text: str, span: Span, lines: Lines) -> str:
    """Return the lines that stand whole in a span as HTML."""
    whole = [line for _, line in lines.split(span) if _is_whole(text, line)]
    if not whole:
        return ""
    shown = source_lines(text, Span(whole[0].start, whole[-1].end), lines=lines)
    return f'<div class="pq-near">{shown}</div>' if shown else ""


def _is_whole(text: str, line: Span) -> bool:
    before, after = text[line.start - 1 : line.start], text[line.end : line.end + 1]
    return before in _LINE_EDGES and after in _LINE_EDGES


def source_lines(
    text: str,
    span: Span,
    quotes: Iterable[Span] = (),
    question: Span | None = None,
    lines: Lines | None = None,
    *,
    number: Number = line_number,
) -> str:
    """Return the lines of a span as HTML, numbered as in the document, empty lines left out.

    Args:
        text: The whole text of the document.
        span: What to show of it.
        quotes: What to highlight; parts may overlap or reach over the span's ends.
        question: What to set in bold.
        lines: Those of the text, if they were found before.
        number: What stands beside a line.
    """
    marks = _merged(quotes)
    bold = question or Span(0, 0)
    cuts = {edge for mark in (*marks, bold) for edge in (mark.start, mark.end)}
    rows = []
    for counted, line in (lines or Lines(text)).split(span):
        start, end = line.start, line.end
        edges = [start, *sorted(cut for cut in cuts if start < cut < end), end]
        if text[start:end].strip():
            shown = "".join(
                _piece(text[a:b], marked=_inside(a, marks), bold=_inside(a, [bold]))
                for a, b in pairwise(edges)
            )
            beside = attribute(number(counted, line))
            rows.append(f'<p class="pq-line" data-line="{beside}">{shown}</p>')
    return "".join(rows)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(filter(None, spans), key=lambda span: span.start):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _inside(offset: int, spans: Sequence[Span]) -> bool:
    return any(span.start <= offset < span.end for span in spans)


def _piece(text: str, *, marked: bool, bold: bool) -> str:
    shown = escape(text)
    shown = f"<mark>{shown}</mark>" if marked and shown else shown
    return f"<strong>{shown}</strong>" if bold and shown else shown


def opened_note(address: Address, labels: PageLabels) -> str:
    """Return what stands above an entry that was opened instead of the one that answers."""
    back = link(address.link(entry="", why=False), escape(labels.back))
    return f'<p class="pq-note pq-opened-note">{escape(labels.shown_entry)} {back}</p>'


def other_entries(
    found: Sequence[tuple[Hit, Document]],
    heading: str,
    address: Address,
    labels: PageLabels,
) -> str:
    """Return entries as HTML, each a link that shows its source.

    Args:
        found: The entries, with the documents that hold them.
        heading: Above them.
        address: What is shown now.
        labels: In the reader's language.
    """
    lines = {document.id: Lines(document.text) for _, document in found}
    rows = []
    for hit, document in found:
        where = place(document, hit.entry.span, lines[document.id], labels)
        question = hit.question or hit.passage.text or labels.answer.untitled
        shown = f'<bdi>{escape(question)}</bdi><span class="pq-place">{where}</span>'
        here = hit.entry.id == address.entry
        rows.append(
            f"<li>{link(address.link(entry=hit.entry.id), shown, 'pq-row', current=here)}</li>"
        )
    return (
        f'<section class="pq-others"><h2 class="pq-label">{escape(heading)}</h2>'
        f"<ul>{''.join(rows)}</ul></section>"
    )
