"""What `lint` found, as JSON and as text for a terminal."""

from collections.abc import Iterable
from typing import Any

from policy_qa.labels import LABELS, cited_place, finding_text
from policy_qa.lint import Finding
from policy_qa.output.json_fields import citation_fields
from policy_qa.output.places import one_line
from policy_qa.types import Language

_LONGEST_QUOTE = 120


def finding_fields(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON fields; its places are named as an answer's quotes."""
    return {
        "kind": finding.kind,
        "places": [citation_fields(place) for place in finding.places],
        "day": finding.day.isoformat() if finding.day else None,
        "value": None if finding.value is None else round(finding.value, 4),
    }


def findings_text(findings: Iterable[Finding], language: Language) -> str:
    """Return findings for a terminal: what is wrong, and each place with its words."""
    labels = LABELS[language]
    lines = []
    for finding in findings:
        said = finding_text(finding.kind, finding.day, finding.value, labels)
        lines.append(f"{finding.kind}: {said}")
        for place in finding.places:
            quote = one_line(place.quote)
            if len(quote) > _LONGEST_QUOTE:
                quote = f"{quote[:_LONGEST_QUOTE]}…"
            where = one_line(f"{place.entry_id}, {cited_place(place, labels)}")
            lines.append(f"    {quote}  [{where}]")
    return "\n".join(lines)
