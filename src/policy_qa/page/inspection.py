"""Why an entry was found, as HTML: in words first, then in numbers."""

import math
from collections.abc import Iterable, Sequence

from policy_qa.inspection import Inspection
from policy_qa.output import percent
from policy_qa.page.answer import cited
from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import escape


def inspection(found: Inspection, labels: PageLabels) -> str:
    """Return an inspection as HTML."""
    nearest = labels.why_question if found.in_question else labels.why_sentence
    parts = [
        _paragraph(_standing(found, labels)),
        _heading(nearest),
        _paragraph(found.passage.quote.strip()),
        f'<p class="pq-place">{escape(cited(found.passage, labels))}</p>',
    ]
    if found.terms:
        parts += [
            _heading(labels.why_terms),
            _words("pq-words", (term.word for term in found.terms)),
        ]
    elif not found.rules:
        parts.append(_paragraph(labels.why_no_terms))
    parts += [
        _paragraph(labels.why_rule.format(word=match.word, term=match.term, source=match.source))
        for match in found.rules
    ]
    if found.missing:
        parts += [_heading(labels.why_missing), _words("pq-words pq-missing", found.missing)]
    parts += [_heading(labels.why_score), _score(found, labels)]
    parts += [_heading(labels.why_confidence), _confidence(found, labels)]
    return (
        f'<section class="pq-panel pq-why" aria-label="{escape(labels.why)}">'
        f"{''.join(parts)}</section>"
    )


def _standing(found: Inspection, labels: PageLabels) -> str:
    if found.rank == 1:
        return labels.why_first.format(score=f"{found.ahead:.3f}")
    return labels.why_rank.format(rank=found.rank, score=f"{found.behind:.3f}")


def _score(found: Inspection, labels: PageLabels) -> str:
    names = labels.columns
    rows = [
        (
            labels.parts[part.name],
            f"{part.value:.2f}",
            f"{part.weight:.2f}",
            _signed(part.contribution),
        )
        for part in found.parts
        if part.contribution
    ]
    rows.append(("", "", "", f"{found.score:.3f}"))
    return _table([names["part"], names["value"], names["weight"], names["contribution"]], rows)


def _confidence(found: Inspection, labels: PageLabels) -> str:
    names = labels.columns
    rows = [(labels.starting, "", _signed(found.intercept))]
    for signal in found.signals:
        value = math.exp(signal.value) if signal.name == "share" else signal.value
        rows.append((labels.signals[signal.name], f"{value:.2f}", _signed(signal.contribution)))
    if (found.slope, found.shift) != (1.0, 0.0):
        form = f"× {found.slope:.2f} {_signed(found.shift)}"
        rows.append((labels.corrected, "", form))
    rows.append((labels.answer.confidence.format(percent=percent(found.confidence)), "", ""))
    bounds = labels.why_status.format(
        answered=percent(found.answered_from), related=percent(found.related_from)
    )
    table = _table([names["part"], names["value"], names["contribution"]], rows)
    return table + f'<p class="pq-note">{escape(bounds)}</p>'


def _signed(number: float) -> str:
    shown = round(number, 3) + 0.0  # no negative zero
    return f"{shown:+.3f}".replace("-", "\N{MINUS SIGN}")


def _heading(text: str) -> str:
    return f'<h3 class="pq-label">{escape(text)}</h3>'


def _paragraph(text: str) -> str:
    return f"<p><bdi>{escape(text)}</bdi></p>"


def _words(style: str, words: Iterable[str]) -> str:
    items = "".join(f"<li><bdi>{escape(word)}</bdi></li>" for word in words)
    return f'<ul class="{style}">{items}</ul>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as HTML; every column but the first holds numbers."""
    first, *numbers = head
    titles = f'<th scope="col">{escape(first)}</th>' + "".join(
        f'<th scope="col" class="pq-number">{escape(title)}</th>' for title in numbers
    )
    lines = "".join(
        f"<tr><td>{escape(row[0])}</td>"
        + "".join(f'<td class="pq-number">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<table class="pq-table"><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>'
