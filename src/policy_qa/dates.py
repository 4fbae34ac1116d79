"""Calendar dates in folded text, and whether a sentence is tied to one that has passed."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from policy_qa.patterns import any_of, patterns
from policy_qa.quantities import NOTHING_COUNTED, quantities
from policy_qa.types import Span

_MONTHS: Final = (
    {name.lower(): n for n, name in enumerate(calendar.month_name) if name}
    | {name.lower(): n for n, name in enumerate(calendar.month_abbr) if name}
    | {"sept": 9}
)
_MONTH: Final = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_YEAR: Final = r"(?P<year>(?<!\d)(?:19|20)\d\d(?!\d))"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TO_DAY: Final = (
    r"(?:\s?[-~至到]\s?(?:(?P<last_month>\d{1,2})月)?"
    r"(?:(?P<last_day>\d{1,2})[日号])?(?<=[月日号]))?"
)
"""Of 3月5日至4月6日 the last one counts."""
_REST: Final = rf"(?:(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})[日号])?{_TO_DAY})?"
"""What may follow a year."""
_BARE: Final = (
    rf"{_YEAR}(?=(?:\s?(?:-|~|to|until|till|through|and|or)\s?(?:19|20)\d\d(?!\d))?"
    rf"\s*(?:$|[^\w\s%‰$€£¥.,:/-]|[.,:](?!\d)|-\s|(?:to|through) [a-z]|{NOTHING_COUNTED}))"
)
"""A year that counts nothing, so that 2000 people is none."""
_NO_MORE: Final = r"(?!\d|[-/.]\d{1,3}(?!\d))"
_MARKED: Final = (
    r"(?:(?<![号码第#a-z0-9_-])(?<![号码第#a-z0-9] )(?<![号码]:)(?<![号码]: )"
    r"|(?<=\b(?:in|by|to) )|(?<=\b(?:since|until|after) )|(?<=\bfrom )|(?<=\bbefore ))"
)
"""Before a month of digits that is no number of a thing: 订单号2019-11, model 2020-11."""
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}年(?:度)?{_REST}(?:[年月]?(?:[底末]|[初中](?![国步])))?",
        rf"民国 ?(?P<minguo>\d{{1,3}}) ?年(?:度)?{_REST}",
        rf"{_YEAR}(?P<dash>[-/.])(?P<month>\d{{1,2}})(?P=dash)(?P<day>\d{{1,2}}){_NO_MORE}",
        rf"(?<!\d)(?P<minguo>1\d\d)年\s?(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})[日号])?{_TO_DAY}",
        rf"(?<!\d)(?P<minguo>\d\d)年\s?(?P<month>\d{{1,2}})月(?P<day>\d{{1,2}})[日号]{_TO_DAY}",
        rf"\b{_MONTH} (?:{_DAY}(?:, ?| ))?{_YEAR}",
        rf"\b{_DAY} (?:of )?{_MONTH},? {_YEAR}",
    )
)
_DOUBTFUL_FORMS: Final = (
    re.compile(rf"{_MARKED}{_YEAR}[-/](?P<month>0[1-9]|1[0-2]){_NO_MORE}"),
    re.compile(rf"\b(?:in|by|until|till|since|from|before|after|end of) {_BARE}"),
)
"""Dates unless the text counts something with them: in 2019, 2025-12."""
_BEFORE_THE_REPUBLIC: Final = 1911
"""The last year before the first of the Republic, 民国1年."""
_UNTIL: Final = re.compile(r"\s?(?:[-~至到]|to|until|till|through)\s?")
_LONGEST_CUE: Final = 24


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
    matches = [match for form in _FORMS for match in form.finditer(folded)]
    doubtful = [match for form in _DOUBTFUL_FORMS for match in form.finditer(folded)]
    if doubtful:
        spans = [found.span for found in quantities(folded)]
        counted = {at for span in spans for at in range(span.start, span.end)}
        matches += [match for match in doubtful if counted.isdisjoint(range(*match.span()))]
    chosen: list[re.Match[str]] = []
    for match in sorted(matches, key=lambda match: (match.start(), -match.end())):
        if not chosen or match.start() >= chosen[-1].end():
            chosen.append(match)
    found: list[Dated] = []
    nexts = [match.start() for match in chosen[1:]] + [match.end() for match in chosen[-1:]]
    for match, following in zip(chosen, nexts, strict=True):
        if last := _last_day(match.groupdict()):
            begins = _UNTIL.fullmatch(folded, match.end(), following) is not None
            found.append(Dated(Span(*match.span()), last, begins or _is_history(folded, match)))
    return found


def _last_day(parts: dict[str, str | None]) -> date | None:
    minguo = parts.get("minguo")
    year = int(minguo) + _BEFORE_THE_REPUBLIC if minguo else int(parts["year"] or 0)
    first = _day_of(year, parts.get("month") or "12", parts.get("day"))
    if not first or not (parts.get("last_month") or parts.get("last_day")):
        return first
    named = parts.get("last_month") or parts.get("month") or ""
    last = _day_of(year, named, parts.get("last_day"))
    return last if not last or last >= first else _day_of(year + 1, named, parts.get("last_day"))


def _day_of(year: int, month: str, day: str | None) -> date | None:
    """Return a day, the last one of the month if none is given; None if there is no such day."""
    number = _MONTHS.get(month) or int(month)
    try:
        return date(year, number, int(day or calendar.monthrange(year, number)[1]))
    except ValueError:
        return None


def _is_history(folded: str, match: re.Match[str]) -> bool:
    before, after = _history()
    parts = match.groupdict()
    of_a_year = parts.get("year") and not parts.get("month")
    start = match.start("year") if of_a_year else match.start()  # founded [in 1999]
    return bool(
        before.search(folded, max(0, start - _LONGEST_CUE), start)
        or after.match(folded[match.end() : match.end() + _LONGEST_CUE])
    )


@cache
def _history() -> tuple[re.Pattern[str], re.Pattern[str]]:
    cues = patterns().dates
    before = re.compile(rf"(?:{any_of(cues['history_before'])}):?\s?(?:(?:on|in|at|of|as of) )?$")
    after = (
        rf"起(?![诉草码征步点价租薪飞跑])|(?:{any_of(cues['history_next'])})(?!权)"
        rf"|[^,;。]{{0,3}}第.{{1,6}}号|[^,;。]{{0,6}}(?:{any_of(cues['history_after'])})"
    )
    return before, re.compile(after)
