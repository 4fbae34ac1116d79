"""What the search page shows, as escaped HTML; no user interface library is needed.

Corpus and query text reaches the page only through `escape` and `escape_markdown`, so that none of
it can become markup. Offsets are those of `Document.text`.
"""

import html
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from itertools import pairwise

from policy_qa.labels import Labels, caution_text
from policy_qa.output import percent
from policy_qa.places import Lines
from policy_qa.reading import reading
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Answer,
    Caution,
    Citation,
    Document,
    Entry,
    Field,
    Hit,
    Language,
    RuleCard,
    Span,
)

_LONGEST_WHOLE = 10_000
"""Characters. All points of a longer entry would fill screens, and take a second to find."""


def style() -> str:
    """Return the page's style sheet as an HTML element."""
    sheet = resources.files("policy_qa").joinpath("page.css").read_text(encoding="utf-8")
    return f"<style>{sheet}</style>"


def escape(text: str) -> str:
    """Return text as HTML that shows exactly that text, its line breaks included."""
    return re.sub(r"\r\n|\r|\n", "<br>", html.escape(text))


def source_lines(
    text: str,
    span: Span,
    quotes: Iterable[Span] = (),
    question: Span | None = None,
    lines: Lines | None = None,
) -> str:
    """Return the lines of a span as HTML, numbered as in the document, empty lines left out.

    Args:
        text: The whole text of the document.
        span: What to show of it.
        quotes: What to highlight; parts may overlap or reach over the span's ends.
        question: What to set in bold.
        lines: Those of the text, if they were found before.
    """
    marks = _merged(quotes)
    bold = question or Span(0, 0)
    cuts = {edge for mark in (*marks, bold) for edge in (mark.start, mark.end)}
    rows = []
    for number, line in (lines or Lines(text)).split(span):
        start, end = line.start, line.end
        edges = [start, *sorted(cut for cut in cuts if start < cut < end), end]
        if text[start:end].strip():
            shown = "".join(
                _piece(text[a:b], marked=_inside(a, marks), bold=_inside(a, [bold]))
                for a, b in pairwise(edges)
            )
            rows.append(f'<p class="pq-line" data-line="{number}">{shown}</p>')
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


def _place(document: Document, span: Span, lines: Lines, labels: Labels) -> str:
    """Return where a span stands, as HTML: the document and its lines."""
    body = document.text[span.start : span.end].rstrip()
    first, last = lines.number(span.start), lines.number(span.start + len(body))
    form = labels.lines if last > first else labels.cited
    return escape(form.format(document=document.id, first=first, last=last, line=first))


def notice(kind: str, heading: str, note: str, command: str = "") -> str:
    """Return a card of plain words as HTML.

    Args:
        kind: The state it tells of, as a CSS class.
        heading: The state in words.
        note: One more sentence.
        command: What to run, empty for nothing.
    """
    run = f'<pre class="pq-command">{escape(command)}</pre>' if command else ""
    return (
        f'<section class="pq-card pq-{kind}"><h2 class="pq-status">{escape(heading)}</h2>'
        f'<p class="pq-note">{escape(note)}</p>{run}</section>'
    )


def answer_card(
    answer: Answer, labels: Labels, language: Language, whole: RuleCard | None = None
) -> str:
    """Return the answer as HTML: its status, its quotes with their places, cautions, rule card.

    Args:
        answer: The answer.
        labels: In the reader's language.
        language: Quotes in the other script are shown in this one's too.
        whole: All that the entry says, folded below the card if it is more; None for none.
    """
    notes = {
        "answered": "",
        "related": labels.related_note,
        "not_covered": labels.not_covered_note,
    }
    confidence = labels.confidence.format(percent=percent(answer.confidence))
    parts = [
        f'<section class="pq-card pq-{answer.status}">',
        f'<h2 class="pq-status">{escape(labels.statuses[answer.status])}',
        f'<span class="pq-confidence">{escape(confidence)}</span></h2>',
    ]
    if note := notes[answer.status]:
        parts.append(f'<p class="pq-note">{escape(note)}</p>')
    if answer.read_as:
        read_as = labels.read_as.format(text=answer.read_as)
        parts.append(f'<p class="pq-note">{escape(read_as)}</p>')
    parts += [_quote(citation, labels, language) for citation in answer.conclusion]
    if answer.also:
        places = escape("; ".join(_cited(citation, labels) for citation in answer.also))
        parts.append(f'<p class="pq-place">{escape(labels.also)}: {places}</p>')
    parts += [_caution(caution, labels, language) for caution in answer.cautions]
    parts.append(_rule_card(answer.fields, labels))
    if whole and _points(whole) - _points(answer.fields):
        parts.append(
            f'<details class="pq-whole"><summary>{escape(labels.whole_card)}</summary>'
            f"{_rule_card(whole, labels)}</details>"
        )
    if answer.question:
        parts.append(
            f'<p class="pq-label">{escape(labels.matched)}</p>'
            f'<p class="pq-question">{escape(answer.question)}</p>'
        )
    return "".join(parts) + "</section>"


def _quote(citation: Citation, labels: Labels, language: Language) -> str:
    return (
        f'<figure class="pq-quote"><blockquote>{escape(citation.quote.strip())}</blockquote>'
        f"{_reading(citation, labels, language)}"
        f"<figcaption>{escape(_cited(citation, labels))}</figcaption></figure>"
    )


def _reading(citation: Citation, labels: Labels, language: Language) -> str:
    """Return a quote in the reader's script as HTML; nothing if it is in that script already."""
    other = reading(citation.quote.strip(), language)
    if not other:
        return ""
    return (
        f'<p class="pq-reading" lang="{language}"><span class="pq-label">{escape(labels.reading)}'
        f"</span>{escape(other)}</p>"
    )


def _cited(citation: Citation, labels: Labels) -> str:
    return labels.cited.format(document=citation.document_id, line=citation.line)


def _caution(caution: Caution, labels: Labels, language: Language) -> str:
    quotes = caution.citations if caution.kind in CONTRADICTIONS else ()
    shown = "".join(_quote(citation, labels, language) for citation in quotes)
    return (
        f'<div class="pq-caution"><p role="note">{escape(caution_text(caution, labels))}</p>'
        + (f'<div class="pq-sides">{shown}</div>' if shown else "")
        + "</div>"
    )


def _rule_card(card: RuleCard, labels: Labels) -> str:
    """Return the fields of a rule card that say something as HTML."""
    rows = []
    for field in FIELDS:
        facts = card.get(field, ())
        if facts:
            values = "".join(f"<dd>{escape(fact.citation.quote)}</dd>" for fact in facts)
            rows.append(f"<div><dt>{escape(labels.fields[field])}</dt>{values}</div>")
    return f'<dl class="pq-facts">{"".join(rows)}</dl>' if rows else ""


def _points(card: RuleCard) -> set[tuple[Field, str]]:
    return {(field, fact.citation.quote) for field, facts in card.items() for fact in facts}


def is_readable(entry: Entry) -> bool:
    """Whether an entry is short enough to show every point of it."""
    return entry.span.end - entry.span.start <= _LONGEST_WHOLE


def source_card(document: Document, entry: Entry, quotes: Iterable[Span], labels: Labels) -> str:
    """Return an entry in its own words as HTML, with the quotes highlighted in their place."""
    path = "".join(f"<li>{escape(heading)}</li>" for heading in entry.path)
    lines = Lines(document.text)
    where = _place(document, entry.span, lines, labels)
    return (
        f'<section class="pq-entry"><p class="pq-head"><span class="pq-label">'
        f'{escape(labels.source)}</span><span class="pq-place">{where}</span></p>'
        + (f'<ol class="pq-path">{path}</ol>' if path else "")
        + f'<div class="pq-source" tabindex="0" role="region" aria-label="{escape(labels.source)}">'
        f"{source_lines(document.text, entry.span, quotes, entry.question, lines)}"
        "</div></section>"
    )


def other_entries(found: Sequence[tuple[Hit, Document]], heading: str, labels: Labels) -> str:
    """Return entries as HTML, each folded to its question and opening to its whole text."""
    lines = {document.id: Lines(document.text) for _, document in found}
    items = "".join(
        _other_entry(hit, document, lines[document.id], labels) for hit, document in found
    )
    return f'<section><h2 class="pq-label">{escape(heading)}</h2>{items}</section>'


def _other_entry(hit: Hit, document: Document, lines: Lines, labels: Labels) -> str:
    quotes = () if hit.passage.is_question else (hit.passage.span,)
    source = source_lines(document.text, hit.entry.span, quotes, hit.entry.question, lines)
    return (
        f'<details class="pq-other"><summary><bdi>{escape(hit.question or labels.untitled)}</bdi>'
        f'<span class="pq-place">{_place(document, hit.entry.span, lines, labels)}</span></summary>'
        f'<div class="pq-source">{source}</div></details>'
    )


def empty(entries: int, documents: int, labels: Labels, *, examples: bool) -> str:
    """Return the page before the first question as HTML: what can be asked, and of how much."""
    size = labels.size.format(entries=entries, documents=documents)
    heading = f'<h2 class="pq-label">{escape(labels.examples)}</h2>' if examples else ""
    return (
        f'<section class="pq-empty"><p class="pq-lead">{escape(labels.lead)}</p>'
        f'<p class="pq-place">{escape(size)}</p>{heading}</section>'
    )
