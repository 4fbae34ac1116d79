"""Answers, hits and entries as JSON; `answer.schema.json` describes an answer."""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from importlib.resources import files
from typing import Any

from policy_qa.output.places import with_lines
from policy_qa.reading import reading
from policy_qa.types import (
    FIELDS,
    Answer,
    Caution,
    Citation,
    Document,
    Entry,
    Fact,
    Hit,
    Language,
    Match,
    Quantity,
    RuleCard,
    Span,
)


def answer_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what `answer_fields` returns."""
    text = files("policy_qa").joinpath("answer.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def answer_fields(answer: Answer, read_in: Language | None = None) -> dict[str, Any]:
    """Return an answer as JSON fields.

    Args:
        answer: The answer.
        read_in: The language whose script quotes are also given in, as `reading`; None for none.
    """
    return {
        "query": answer.query,
        "read_as": answer.read_as,
        "status": answer.status,
        "confidence": round(answer.confidence, 4),
        "entry": _entry_fields(answer.entry, answer.question) if answer.entry else None,
        "conclusion": [citation_fields(citation, read_in) for citation in answer.conclusion],
        "also": [citation_fields(citation, read_in) for citation in answer.also],
        "fields": rule_card_fields(answer.fields, read_in),
        "cautions": [_caution_fields(caution, read_in) for caution in answer.cautions],
        "related": [hit_fields(hit) for hit in answer.related],
        "generation": answer.generation,
    }


def rule_card_fields(card: RuleCard, read_in: Language | None = None) -> dict[str, Any]:
    """Return a rule card as JSON fields."""
    return {
        field: [_fact_fields(fact, read_in) for fact in card.get(field, ())] for field in FIELDS
    }


def _fact_fields(fact: Fact, read_in: Language | None) -> dict[str, Any]:
    fields = citation_fields(fact.citation, read_in)
    if fact.value:
        fields["value"] = quantity_fields(fact.value)
    if fact.party:
        fields["party"] = fact.party
    return fields


def _caution_fields(caution: Caution, read_in: Language | None) -> dict[str, Any]:
    return {
        "kind": caution.kind,
        "citations": [citation_fields(citation, read_in) for citation in caution.citations],
        "asked": caution.asked,
        "found": caution.found,
        "day": _day(caution.day),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


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
        for entry, document, first, last in with_lines(entries)
    ]


def _entry_fields(entry: Entry, question: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "document": entry.document_id,
        "question": question,
        "path": list(entry.path),
        "effective_from": _day(entry.effective_from),
        "expires": _day(entry.expires),
        **_span(entry.span),
    }


def citation_fields(citation: Citation, read_in: Language | None = None) -> dict[str, Any]:
    """Return a quote and where it stands as JSON fields."""
    other = reading(citation.quote, read_in) if read_in else ""
    return ({"reading": other} if other else {}) | {
        "document": citation.document_id,
        "entry": citation.entry_id,
        "line": citation.line,
        **_span(citation.span),
        "quote": citation.quote,
        **({"place": asdict(citation.place)} if citation.place else {}),
    }


def quantity_fields(quantity: Quantity) -> dict[str, Any]:
    """Return a quantity as JSON fields: its value and unit, or the limits that there are."""
    if quantity.low == quantity.high:
        return {"value": _plain(quantity.low), "unit": quantity.unit}
    limits = {"min": quantity.low, "max": quantity.high}
    there = {name: _plain(limit) for name, limit in limits.items() if limit is not None}
    return there | {"unit": quantity.unit}


def _plain(number: float | None) -> float | int | None:
    return int(number) if number is not None and float(number).is_integer() else number


def _span(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


def json_text(fields: Any, *, ascii_only: bool = False) -> str:
    """Return indented JSON with letters as they are and what steers a terminal as escapes."""
    text = json.dumps(fields, ensure_ascii=ascii_only, indent=2)
    return "".join(
        json.dumps(c)[1:-1] if c != "\n" and unicodedata.category(c) in _ESCAPED else c
        for c in text
    )


_ESCAPED = ("Cc", "Cf", "Zl", "Zp")
