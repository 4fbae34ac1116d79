"""Answers, hits and entries as text for a terminal."""

from collections.abc import Iterable, Mapping

from policy_qa.labels import Labels, caution_text, cited_place
from policy_qa.output.places import one_line, percent, printable, with_lines
from policy_qa.reading import reading
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Answer,
    Citation,
    Document,
    Entry,
    Hit,
    Language,
    Match,
    RuleCard,
)

_TONES = {"answered": "32", "related": "33", "not_covered": "31"}
"""SGR codes (ECMA-48) of the colours of statuses: green, yellow, red."""
_BOLD, _FAINT, _WARNING = "1", "2", "33"


def answer_text(
    answer: Answer, labels: Labels, *, read_in: Language | None = None, colour: bool = False
) -> str:
    """Return an answer for a terminal.

    Args:
        answer: The answer.
        labels: In the reader's language.
        read_in: The language whose script quotes are also given in; None for none.
        colour: Whether the terminal shows colours.
    """
    status = _paint(labels.statuses[answer.status], f"{_BOLD};{_TONES[answer.status]}", colour)
    confidence = labels.confidence.format(percent=percent(answer.confidence))
    lines = [f"{status} ({confidence})"]
    if answer.read_as:
        lines.append(labels.read_as.format(text=one_line(answer.read_as)))
    if answer.entry:
        heading = f"{one_line(answer.entry.id)}  {one_line(answer.question)}".rstrip()
        lines += ["", _paint(heading, _FAINT, colour)]
    for citation in answer.conclusion:
        lines += ["", f"  {_paint(printable(citation.quote), _BOLD, colour)}"]
        if read_in and (other := reading(citation.quote, read_in)):
            lines.append(f"  ({printable(other)})")
        lines.append(f"  {_paint(f'[{_place(citation, labels)}]', _FAINT, colour)}")
    if answer.also:
        places = "; ".join(_place(citation, labels) for citation in answer.also)
        lines.append(f"  {labels.also}: {places}")
    for caution in answer.cautions:
        warning = f"! {one_line(caution_text(caution, labels))}"
        lines += ["", _paint(warning, _WARNING, colour)]
        if caution.kind in CONTRADICTIONS:
            lines += [
                f"    {one_line(quote.quote)}  [{_place(quote, labels)}]"
                for quote in caution.citations
            ]
    if card := rule_card_text(answer.fields, labels, colour=colour):
        lines += ["", card]
    if answer.related:
        lines += ["", f"{labels.nearest if answer.entry is None else labels.others}:"]
        lines += [f"  {_entry_line(hit)}" for hit in answer.related]
    return "\n".join(lines)


def rule_card_text(card: RuleCard, labels: Labels, *, colour: bool = False) -> str:
    """Return a rule card for a terminal, a line for each value; empty if there is none."""
    lines = []
    for field in FIELDS:
        facts = card.get(field, ())
        if facts:
            lines.append(_paint(labels.fields[field], _BOLD, colour))
        lines += [f"  {one_line(fact.citation.quote)}" for fact in facts]
    return "\n".join(lines)


def _paint(text: str, code: str, colour: bool) -> str:  # noqa: FBT001 (private, and read at a glance)
    return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text


def _place(citation: Citation, labels: Labels) -> str:
    """Return where a quote stands, to the character."""
    return f"{one_line(cited_place(citation, labels))}, {citation.span.start}-{citation.span.end}"


def hits_text(hits: Iterable[Hit], matches: Mapping[str, Iterable[Match]] | None = None) -> str:
    """Return hits for a terminal, each with its best passage.

    Args:
        hits: What was found.
        matches: Entry id → what it holds in other words; if given, scores are explained too.
    """
    lines = []
    for hit in hits:
        lines += [f"{hit.rank}. {hit.score:.3f}  {_entry_line(hit)}"]
        lines += [f"     {one_line(hit.passage.text)}"]
        if matches is not None:
            scores = "  ".join(f"{name} {value:.3f}" for name, value in hit.components.items())
            lines.append(f"     {scores}")
            for match in matches[hit.entry.id]:
                word, term = one_line(match.word), one_line(match.term)
                lines.append(f"     {word} = {term}  ({one_line(match.source)})")
    return "\n".join(lines)


def entries_text(entries: Iterable[tuple[Entry, Document]]) -> str:
    """Return entries for a terminal, with their lines; those of a document stand together."""
    lines = []
    for entry, document, first, last in with_lines(entries):
        question = document.text[entry.question.start : entry.question.end]
        answer = document.text[entry.answer.start : entry.answer.end]
        above = " > ".join(map(one_line, entry.path))
        lines += [
            f"{one_line(entry.id)}  (lines {first}-{last})" + (f"  {above}" if above else ""),
            f"  question: {one_line(question) or '-'}",
            f"  answer:   {one_line(answer)[:100] or '-'}  ({len(answer)} characters)",
        ]
    return "\n".join(lines)


def _entry_line(hit: Hit) -> str:
    return f"{one_line(hit.entry.id)}  {one_line(hit.question or hit.passage.text)[:80]}"
