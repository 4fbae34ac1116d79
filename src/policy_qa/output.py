"""Answers, hits and entries as JSON and as text for a terminal."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from policy_qa.answers import line_number
from policy_qa.types import Answer, Citation, Document, Entry, Hit, Span

_STATUS = {
    "answered": "Answered",
    "related": "Related, but not sure to answer",
    "not_covered": "The knowledge base does not cover this",
}


def answer_fields(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON fields."""
    return {
        "query": answer.query,
        "status": answer.status,
        "confidence": round(answer.confidence, 4),
        "entry": _entry_fields(answer.entry, answer.question) if answer.entry else None,
        "conclusion": [_citation_fields(citation) for citation in answer.conclusion],
        "related": [hit_fields(hit) for hit in answer.related],
        "generation": answer.generation,
    }


def hit_fields(hit: Hit) -> dict[str, Any]:
    """Return a hit as JSON fields."""
    return {
        "rank": hit.rank,
        "entry": _entry_fields(hit.entry, hit.question),
        "score": round(hit.score, 4),
        "components": {name: round(value, 4) for name, value in hit.components.items()},
        "passage": {"id": hit.passage.id, **_span(hit.passage.span), "text": hit.passage.text},
    }


def entry_fields(entry: Entry, document: Document) -> dict[str, Any]:
    """Return an entry as JSON fields, with its lines."""
    question = document.text[entry.question.start : entry.question.end]
    first, last = entry_lines(entry, document)
    fields = _entry_fields(entry, question)
    return fields | {"first_line": first, "last_line": last, "answer": _span(entry.answer)}


def entry_lines(entry: Entry, document: Document) -> tuple[int, int]:
    """Return an entry's first and last line; lines start at 1."""
    text, span = document.text, entry.span
    return line_number(text, span.start), line_number(text, span.end)


def _entry_fields(entry: Entry, question: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "document": entry.document_id,
        "question": question,
        "path": list(entry.path),
        **_span(entry.span),
    }


def _citation_fields(citation: Citation) -> dict[str, Any]:
    return {
        "document": citation.document_id,
        "entry": citation.entry_id,
        "line": citation.line,
        **_span(citation.span),
        "quote": citation.quote,
    }


def _span(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


def answer_text(answer: Answer) -> str:
    """Return an answer for a terminal."""
    lines = [f"{_STATUS[answer.status]} (confidence {answer.confidence:.0%})"]
    if answer.entry:
        lines += ["", f"{one_line(answer.entry.id)}  {one_line(answer.question)}".rstrip()]
    for citation in answer.conclusion:
        place = f"{one_line(citation.document_id)}, line {citation.line}"
        characters = f"characters {citation.span.start}-{citation.span.end}"
        lines += ["", f"  {printable(citation.quote)}", f"  [{place}, {characters}]"]
    if answer.related:
        lines += ["", "Nearest entries:" if answer.status == "not_covered" else "See also:"]
        lines += [f"  {_entry_line(hit)}" for hit in answer.related]
    return "\n".join(lines)


def hits_text(hits: Iterable[Hit]) -> str:
    """Return hits for a terminal, each with its best passage."""
    return "\n".join(
        f"{hit.rank}. {hit.score:.3f}  {_entry_line(hit)}\n     {one_line(hit.passage.text)}"
        for hit in hits
    )


def entries_text(entries: Iterable[tuple[Entry, Document]]) -> str:
    """Return entries for a terminal, with the lines they were found on."""
    lines = []
    for entry, document in entries:
        first, last = entry_lines(entry, document)
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
