"""Answers, hits and entries as JSON and as text for a terminal."""

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from policy_qa.types import Answer, Citation, Document, Entry, Hit, Match, Span

_STATUS = {
    "answered": "Answered",
    "related": "Related, but not sure to answer",
    "not_covered": "The knowledge base does not cover this",
}


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


def answer_fields(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON fields."""
    return {
        "query": answer.query,
        "read_as": answer.read_as,
        "status": answer.status,
        "confidence": round(answer.confidence, 4),
        "entry": _entry_fields(answer.entry, answer.question) if answer.entry else None,
        "conclusion": [_citation_fields(citation) for citation in answer.conclusion],
        "related": [hit_fields(hit) for hit in answer.related],
        "generation": answer.generation,
    }


def hit_fields(hit: Hit, matches: Iterable[Match] | None = None) -> dict[str, Any]:
    """Return a hit as JSON fields; with what it holds in other words, if that is given."""
    fields = {} if matches is None else {"matches": [asdict(match) for match in matches]}
    return fields | {
        "rank": hit.rank,
        "entry": _entry_fields(hit.entry, hit.question),
        "score": round(hit.score, 4),
        "components": {name: round(value, 4) for name, value in hit.components.items()},
        "passage": {"id": hit.passage.id, **_span(hit.passage.span), "text": hit.passage.text},
    }


def entries_fields(entries: Iterable[tuple[Entry, Document]]) -> list[dict[str, Any]]:
    """Return entries as JSON fields, with their lines; those of a document stand together."""
    return [
        _entry_fields(entry, document.text[entry.question.start : entry.question.end])
        | {"first_line": first, "last_line": last, "answer": _span(entry.answer)}
        for entry, document, first, last in _with_lines(entries)
    ]


def _with_lines(
    entries: Iterable[tuple[Entry, Document]],
) -> Iterator[tuple[Entry, Document, int, int]]:
    """Yield entries with their first and last lines."""
    for document, together in groupby(entries, key=lambda pair: pair[1]):
        lines = Lines(document.text)
        for entry, _ in together:
            yield entry, document, lines.number(entry.span.start), lines.number(entry.span.end)


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
    if answer.read_as:
        lines.append(f"Read as: {one_line(answer.read_as)}")
    if answer.entry:
        lines += ["", f"{one_line(answer.entry.id)}  {one_line(answer.question)}".rstrip()]
    for citation in answer.conclusion:
        place = f"{one_line(citation.document_id)}, line {citation.line}"
        characters = f"characters {citation.span.start}-{citation.span.end}"
        lines += ["", f"  {printable(citation.quote)}", f"  [{place}, {characters}]"]
    if answer.related:
        lines += ["", "Did you mean:" if answer.status == "not_covered" else "See also:"]
        lines += [f"  {_entry_line(hit)}" for hit in answer.related]
    return "\n".join(lines)


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
    for entry, document, first, last in _with_lines(entries):
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


def json_text(fields: Any, *, ascii_only: bool = False) -> str:
    """Return indented JSON with letters as they are and what steers a terminal as escapes."""
    text = json.dumps(fields, ensure_ascii=ascii_only, indent=2)
    return "".join(
        json.dumps(c)[1:-1] if c != "\n" and unicodedata.category(c) in _ESCAPED else c
        for c in text
    )


_ESCAPED = ("Cc", "Cf", "Zl", "Zp")
