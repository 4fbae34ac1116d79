"""Calendar dates in folded text, and whether a sentence is tied to one that has passed."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from policy_qa.patterns import any_of, patterns
from policy_qa.types import Span

_MONTHS: Final = {name.lower(): n for n, name in enumerate(calendar.month_name) if name} | {
    name.lower(): n for n, name in enumerate(calendar.month_abbr) if name
}
_MONTH: Final = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_YEAR: Final = r"(?P<year>(?<!\d)(?:19|20)\d\d(?!\d))"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}年(?:度)?(?:(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})[日号])?)?(?P<part>[年月]?[底末初中])?",
        r"民国(?P<minguo>\d{2,3})年(?:(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})[日号])?)?",
        rf"{_YEAR}[-/.](?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}}))?(?!\d)",
        rf"\b{_MONTH} (?:{_DAY},? )?{_YEAR}",
        rf"\b{_DAY} {_MONTH},? {_YEAR}",
        rf"\b(?:in|by|until|till|of|since|from|before|after|for|end of) {_YEAR}",
    )
)
_FIRST_YEAR_OF_THE_REPUBLIC: Final = 1911
_LONGEST_CUE: Final = 14


@dataclass(frozen=True, slots=True)
class Dated:
    """A date in a folded text.

    Attributes:
        span: Where it stands.
        last: The last day that it may mean.
        history: Whether it tells when something began, so that the sentence holds ever since.
    """

    span: Span
    last: date
    history: bool


def dates(folded: str) -> list[Dated]:
    """Return the dates of a folded text, in its order; impossible ones are left out."""
    if not any(character.isdigit() for character in folded):
        return []
    found: list[Dated] = []
    matches = [match for form in _FORMS for match in form.finditer(folded)]
    for match in sorted(matches, key=lambda match: (match.start(), -match.end())):
        last = _last_day(match.groupdict())
        if last and (not found or match.start() >= found[-1].span.end):
            found.append(Dated(Span(*match.span()), last, _is_history(folded, match)))
    return found


def _last_day(parts: dict[str, str | None]) -> date | None:
    minguo = parts.get("minguo")
    year = int(minguo) + _FIRST_YEAR_OF_THE_REPUBLIC if minguo else int(parts["year"] or 0)
    named = parts.get("month") or "12"
    month = _MONTHS.get(named) or int(named)
    try:
        day = int(parts.get("day") or calendar.monthrange(year, month)[1])
        return date(year, month, day)
    except (ValueError, calendar.IllegalMonthError):
        return None


def _is_history(folded: str, match: re.Match[str]) -> bool:
    before, after = _history()
    return bool(
        before.search(folded[max(0, match.start() - _LONGEST_CUE) : match.start()])
        or re.match(r"(?:since|from)\b", match[0])
        or after.match(folded[match.end() : match.end() + _LONGEST_CUE])
    )


@cache
def _history() -> tuple[re.Pattern[str], re.Pattern[str]]:
    cues = patterns().dates
    before = re.compile(rf"(?:{any_of(cues['history_before'])})\s?$")
    return before, re.compile(rf"[^,;。]{{0,6}}(?:{any_of(cues['history_after'])})")
