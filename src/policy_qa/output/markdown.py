"""An answer as Markdown, and as plain text to paste into a chat; quotes stay as they are."""

import re

from policy_qa.labels import Labels, caution_text, cited_place
from policy_qa.output.places import one_line, percent, printable
from policy_qa.reading import reading
from policy_qa.types import CONTRADICTIONS, FIELDS, Answer, Citation, Language

_MARKUP = re.compile(r"[!#$&()*+\-.:<=>@\[\\\]^_`{|}~]")
"""What Markdown, or Streamlit's own (:name: and $formula$), may read as markup."""


def answer_markdown(answer: Answer, labels: Labels, *, read_in: Language | None = None) -> str:
    """Return an answer as Markdown that shows its quotes exactly.

    Args:
        answer: The answer.
        labels: In the reader's language.
        read_in: The language whose script quotes are also given in; None for none.
    """
    confidence = labels.confidence.format(percent=percent(answer.confidence))
    parts = [f"**{labels.statuses[answer.status]}** ({confidence})"]
    if answer.read_as:
        parts.append(escape_markdown(labels.read_as.format(text=answer.read_as)))
    if answer.question:
        parts.append(f"*{escape_markdown(answer.question)}*")
    for citation in answer.conclusion:
        lines = [_quoted(citation.quote)]
        if read_in and (other := reading(citation.quote, read_in)):
            lines += [">", f"> *{escape_markdown(other)}*"]
        lines += [">", f"> — {_place(citation, labels)}"]
        parts.append("\n".join(lines))
    if answer.also:
        places = "; ".join(_place(citation, labels) for citation in answer.also)
        parts.append(f"{labels.also}: {places}")
    for caution in answer.cautions:
        lines = [f"⚠ {escape_markdown(caution_text(caution, labels))}"]
        if caution.kind in CONTRADICTIONS:
            lines += ["", *(_item(quote, labels) for quote in caution.citations)]
        parts.append("\n".join(lines))
    if card := _card(answer, labels):
        parts.append(card)
    if answer.related:
        heading = labels.nearest if answer.entry is None else labels.others
        entries = [
            f"- {escape_markdown(hit.question or hit.passage.text)}" for hit in answer.related
        ]
        parts.append("\n".join([f"{heading}:", "", *entries]))
    return "\n\n".join(parts)


def _card(answer: Answer, labels: Labels) -> str:
    rows = []
    for field in FIELDS:
        quotes = [escape_markdown(fact.citation.quote) for fact in answer.fields.get(field, ())]
        if quotes:
            rows.append(f"- **{labels.fields[field]}**: {' / '.join(quotes)}")
    return "\n".join(rows)


def answer_chat(answer: Answer, labels: Labels, *, read_in: Language | None = None) -> str:
    """Return an answer as plain text to paste into a chat: the quotes, where they stand, cautions.

    Args:
        answer: The answer.
        labels: In the reader's language.
        read_in: The language whose script quotes are also given in; None for none.
    """
    lines = [labels.related_note] if answer.status == "related" else []
    if not answer.conclusion:
        lines.append(labels.statuses[answer.status])
    if answer.read_as:
        lines.append(printable(labels.read_as.format(text=answer.read_as)))
    for citation in answer.conclusion:
        lines.append(printable(citation.quote).strip())
        if read_in and (other := reading(citation.quote, read_in)):
            lines.append(f"({printable(other).strip()})")
    places = dict.fromkeys(
        one_line(cited_place(citation, labels)) for citation in answer.conclusion
    )
    if places:
        lines.append(f"({'; '.join(places)})")
    if answer.also:
        others = "; ".join(one_line(cited_place(citation, labels)) for citation in answer.also)
        lines.append(f"{labels.also}: {others}")
    for caution in answer.cautions:
        lines.append(f"⚠ {one_line(caution_text(caution, labels))}")
        if caution.kind in CONTRADICTIONS:
            lines += [
                f"  {printable(quote.quote).strip()} ({one_line(cited_place(quote, labels))})"
                for quote in caution.citations
            ]
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """Return text, on one line, as Markdown that shows exactly that text."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(printable(text).split()))


def _quoted(quote: str) -> str:
    lines = [line for line in printable(quote).splitlines() if line.strip()]
    return "  \n".join(f"> {escape_markdown(line)}" for line in lines)


def _item(citation: Citation, labels: Labels) -> str:
    """Return an item of a list; its bullet keeps it apart from the rule card below."""
    return f"* {escape_markdown(citation.quote)} — {_place(citation, labels)}"


def _place(citation: Citation, labels: Labels) -> str:
    return escape_markdown(cited_place(citation, labels))
