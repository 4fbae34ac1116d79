"""An answer as HTML: its status, its quotes with their places, cautions, the rule card."""

from policy_qa.labels import caution_text, cited_place
from policy_qa.output import answer_chat, percent
from policy_qa.page.address import Address
from policy_qa.page.labels import PageLabels
from policy_qa.page.markup import attribute, button, escape, link, spoken
from policy_qa.reading import reading
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Answer,
    Caution,
    Citation,
    Entry,
    Field,
    Language,
    RuleCard,
)

_LONGEST_WHOLE = 10_000
"""Characters. All points of a longer entry would fill screens, and take a second to find."""


def answer_card(
    answer: Answer, labels: PageLabels, language: Language, whole: RuleCard | None = None
) -> str:
    """Return an answer as HTML.

    Args:
        answer: The answer.
        labels: In the reader's language.
        language: Quotes in the other script are shown in this one's too.
        whole: All that the entry says, folded below the card if it is more; None for none.
    """
    words = labels.answer
    notes = {
        "answered": "",
        "related": words.related_note,
        "not_covered": words.not_covered_note,
    }
    confidence = words.confidence.format(percent=percent(answer.confidence))
    parts = [
        f'<section class="pq-card pq-{answer.status}">',
        f'<h2 class="pq-status">{escape(words.statuses[answer.status])}',
        f'<span class="pq-confidence">{escape(confidence)}</span></h2>',
    ]
    if note := notes[answer.status]:
        parts.append(f'<p class="pq-note">{escape(note)}</p>')
    if answer.read_as:
        read_as = words.read_as.format(text=answer.read_as)
        parts.append(f'<p class="pq-note">{escape(read_as)}</p>')
    parts += [_quote(citation, labels, language) for citation in answer.conclusion]
    if answer.also:
        places = escape("; ".join(cited(citation, labels) for citation in answer.also))
        parts.append(f'<p class="pq-place">{escape(words.also)}: {places}</p>')
    parts += [_caution(caution, labels, language) for caution in answer.cautions]
    parts.append(rule_card(answer.fields, labels))
    if whole and _points(whole) - _points(answer.fields):
        parts.append(
            f'<details class="pq-whole"><summary>{escape(labels.whole_card)}</summary>'
            f"{rule_card(whole, labels)}</details>"
        )
    if answer.question:
        parts.append(
            f'<p class="pq-label">{escape(labels.matched)}</p>'
            f'<p class="pq-question"{spoken(answer.question)}>{escape(answer.question)}</p>'
        )
    return "".join(parts) + "</section>"


def actions(
    answer: Answer,
    labels: PageLabels,
    language: Language,
    address: Address,
    *,
    number: int | None,
) -> str:
    """Return what can be done with an answer as HTML: copy it, rate it, ask why.

    Args:
        answer: The answer.
        labels: In the reader's language.
        language: Quotes in the other script are copied in this one's too.
        address: What is shown now.
        number: Of the question in the log; None if it is not to be rated.
    """
    parts = []
    if answer.conclusion:
        copied = answer_chat(answer, labels.answer, read_in=language)
        parts.append(
            f'<button type="button" class="pq-button" data-pq-copy="{attribute(copied)}" '
            f'data-pq-done="{escape(labels.copied)}">{escape(labels.copy)}</button>'
        )
        label = labels.hide if address.why else labels.why
        parts.append(link(address.link(why=not address.why), escape(label), "pq-button"))
    if number is not None and answer.status == "not_covered":
        parts.append(button("rate", f"{number} 0", labels.report))
    elif number is not None:
        parts.append(
            f'<span class="pq-rate">{button("rate", f"{number} 1", labels.useful)}'
            f"{button('rate', f'{number} 0', labels.not_useful)}</span>"
        )
    return f'<div class="pq-actions">{"".join(parts)}</div>' if parts else ""


def thanks(labels: PageLabels, *, covered: bool) -> str:
    """Return what is said after a rating or a report as HTML."""
    said = labels.thanks if covered else labels.reported
    return f'<p class="pq-note pq-thanks" role="status">{escape(said)}</p>'


def entry_card(question: str, whole: RuleCard | None, labels: PageLabels) -> str:
    """Return an entry that nobody asked for, but opened, as HTML: its question and its points."""
    card = rule_card(whole, labels) if whole else ""
    language = spoken(question) if question else ""
    return (
        f'<section class="pq-card pq-opened"><p class="pq-label">{escape(labels.matched)}</p>'
        f'<h2 class="pq-question"{language}>{escape(question or labels.answer.untitled)}</h2>'
        f"{card}</section>"
    )


def _quote(citation: Citation, labels: PageLabels, language: Language) -> str:
    quote = citation.quote.strip()
    return (
        f'<figure class="pq-quote"><blockquote{spoken(quote)}>{escape(quote)}</blockquote>'
        f"{_reading(citation, labels, language)}"
        f"<figcaption>{escape(cited(citation, labels))}</figcaption></figure>"
    )


def _reading(citation: Citation, labels: PageLabels, language: Language) -> str:
    """Return a quote in the reader's script as HTML; nothing if it is in that script already."""
    other = reading(citation.quote.strip(), language)
    if not other:
        return ""
    return (
        f'<p class="pq-reading" lang="{language}"><span class="pq-label">'
        f"{escape(labels.answer.reading)}</span>{escape(other)}</p>"
    )


def cited(citation: Citation, labels: PageLabels) -> str:
    """Return where a quote stands, as text."""
    return cited_place(citation, labels.answer)


def _caution(caution: Caution, labels: PageLabels, language: Language) -> str:
    quotes = caution.citations if caution.kind in CONTRADICTIONS else ()
    shown = "".join(_quote(citation, labels, language) for citation in quotes)
    return (
        f'<div class="pq-caution"><p role="note">{escape(caution_text(caution, labels.answer))}</p>'
        + (f'<div class="pq-sides">{shown}</div>' if shown else "")
        + "</div>"
    )


def rule_card(card: RuleCard, labels: PageLabels) -> str:
    """Return the fields of a rule card that say something as HTML."""
    rows = []
    for field in FIELDS:
        facts = card.get(field, ())
        if facts:
            quotes = [fact.citation.quote for fact in facts]
            values = "".join(f"<dd{spoken(quote)}>{escape(quote)}</dd>" for quote in quotes)
            rows.append(f"<div><dt>{escape(labels.answer.fields[field])}</dt>{values}</div>")
    return f'<dl class="pq-facts">{"".join(rows)}</dl>' if rows else ""


def _points(card: RuleCard) -> set[tuple[Field, str]]:
    return {(field, fact.citation.quote) for field, facts in card.items() for fact in facts}


def is_readable(entry: Entry) -> bool:
    """Whether an entry is short enough to show every point of it."""
    return entry.span.end - entry.span.start <= _LONGEST_WHOLE
