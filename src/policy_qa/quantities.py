"""Durations and amounts in folded text, and what they come to.

A quantity is a number, or two that bound a range, with a unit, and the words around it that make
it a limit: 10-15元, 五百元以上五千元以下, 超过72小时, within 14 days, 百分之三十, 三成.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from policy_qa.patterns import any_of, patterns
from policy_qa.types import Field, Quantity, Span

PERCENT: Final = "percent"
TIMES: Final = "times"

_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2} | {
    c: n for n, c in enumerate("壹贰叁肆伍陆柒捌玖", start=1)
}  # fmt: skip
_TENS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1_000, "仟": 1_000}
_MYRIADS: Final = {"万": 10_000, "亿": 100_000_000}
_HAN: Final = "".join((*_DIGITS, *_TENS, *_MYRIADS, "半"))
_ENGLISH: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40,
    "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "half": 0.5,
}  # fmt: skip
_ENGLISH_POWERS: Final = {"hundred": 100, "thousand": 1_000, "k": 1_000, "million": 1_000_000}
_NUMBER: Final = (
    r"(?:(?<![\d第])(?<!\d[.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?[千百万亿]*"
    r"(?: ?(?:thousand|million|k)\b)?"
    rf"|(?<![第{_HAN}])[{_HAN}]+"
    rf"|\b(?:{'|'.join(_ENGLISH)})\b(?: (?:hundred|thousand|million)\b)?)"
)
_TO: Final = r"\s?(?:-|~|至|到|to|or|and)\s?"
_LONGEST_BOUND: Final = 24
_PLAIN: Final = "CNY"
"""What 元 means where nothing else is said: 新台币五万元以上二十万元以下 says it once."""
_CALENDAR_YEARS: Final = range(1000, 3000)


@dataclass(frozen=True, slots=True)
class Found:
    """A quantity and where it stands in the folded text, its bounding words included.

    Attributes:
        field: `deadlines` for a duration, else `amounts`.
        span: In the folded text.
        value: What it comes to.
    """

    field: Field
    span: Span
    value: Quantity


def quantities(folded: str) -> list[Found]:
    """Return the durations and amounts of a folded text, in its order."""
    words = _words()
    cores = [core for form in words.forms for core in form.finditer(folded)]
    found: list[Found] = []
    for core in sorted(cores, key=lambda core: (core.start(), -core.end())):
        if found and core.start() < found[-1].span.end:
            continue
        read = _read(folded, core, words)
        if read and found and (joined := _joined(found[-1], read)):
            found[-1] = joined
        elif read:
            found.append(read)
    return found


def number(numeral: str) -> float | None:
    """Return what a folded numeral of any kind comes to; None if it is none."""
    if match := re.fullmatch(r"([\d,]*\d(?:\.\d+)?)([千百万亿]*) ?([a-z]*)", numeral):
        value = float(match[1].replace(",", ""))
        for letter in match[2]:
            value *= _TENS.get(letter) or _MYRIADS[letter]
        return value * _ENGLISH_POWERS.get(match[3], 1)
    if numeral.isascii():
        word, _, power = numeral.partition(" ")
        return _ENGLISH[word] * _ENGLISH_POWERS.get(power, 1) if word in _ENGLISH else None
    return _chinese(numeral)


def _chinese(numeral: str) -> float | None:
    half = 0.5 if numeral.endswith("半") else 0.0
    letters = numeral.removesuffix("半")
    if any(letter not in _HAN or letter == "半" for letter in letters):
        return None
    if letters and all(letter in _DIGITS for letter in letters):
        return float("".join(str(_DIGITS[letter]) for letter in letters)) + half
    total = section = 0.0
    digit: int | None = None
    for letter in letters:
        if letter in _DIGITS:
            digit = _DIGITS[letter]
        elif letter in _TENS:
            section += (1 if digit is None else digit) * _TENS[letter]
            digit = None
        else:
            total = (total + section + (digit or 0)) * _MYRIADS[letter]
            section, digit = 0.0, None
    return total + section + (digit or 0) + half


@dataclass(frozen=True, slots=True)
class _Words:
    forms: tuple[re.Pattern[str], ...]
    unit_of: Mapping[str, str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    at_most: re.Pattern[str]
    at_least: re.Pattern[str]


@cache
def _words() -> _Words:
    known = patterns()
    durations, currencies = _unit_of(known.durations), _unit_of(known.currencies)
    duration, currency = any_of(durations), any_of(currencies)
    low, high = f"(?P<low>{_NUMBER})", f"(?P<high>{_NUMBER})"
    units = (
        rf"{duration}|月(?=以[上下内]|之?内)|{currency}|[%倍]|percent|per cent"
        r"|times(?! (?:a|per)\b)|成(?![为立功年交员本品长分就果效绩])"
    )
    bounds = known.bounds
    at_most = (*bounds["at_most_before"], *bounds["at_most_after"])
    at_least = (*bounds["at_least_before"], *bounds["at_least_after"])
    before = (*bounds["at_most_before"], *bounds["at_least_before"], *bounds["around_before"])
    after = (*bounds["at_most_after"], *bounds["at_least_after"], *bounds["around_after"])
    return _Words(
        forms=(
            re.compile(rf"(?P<percent>百分之){low}(?:{_TO}(?:百分之)?{high})?"),
            re.compile(rf"(?P<parts>{_NUMBER})分之(?P<share>{_NUMBER})"),
            re.compile(
                rf"(?P<unit>{currency})\s?{low}(?:{_TO}(?:{currency})?\s?{high})?(?:\s?(?:{currency}))?"
            ),
            re.compile(
                rf"{low}[\s-]?(?:(?:{units})?{_TO}{high}[\s-]?)?[多余]?(?P<unit>{units})(?P<half>半?)"
            ),
        ),
        unit_of=durations | currencies,
        before=re.compile(rf"(?:(?:{any_of(before)})的?\s?)+$"),
        after=re.compile(rf"\s?(?:{any_of(after)})"),
        at_most=re.compile(any_of(at_most)),
        at_least=re.compile(any_of(at_least)),
    )


def _unit_of(units: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: unit for unit, words in units.items() for word in words}


def _read(folded: str, core: re.Match[str], words: _Words) -> Found | None:
    """Return the quantity of a match with the bounding words around it; None if it is none."""
    parts = core.groupdict()
    if parts.get("share"):
        return _share(core, parts["parts"], parts["share"])
    low = number(parts["low"])
    high = number(parts["high"]) if parts["high"] else low
    word = parts.get("unit") or ""
    before = words.before.search(folded[max(0, core.start() - _LONGEST_BOUND) : core.start()])
    after = words.after.match(folded, core.end())
    bound = (before[0] if before else "") + "|" + (after[0] if after else "")
    if low is None or high is None or _is_no_quantity(folded, core, word, bounded=len(bound) > 1):
        return None
    unit, factor = _unit(word, words) if word else (PERCENT, 1.0)
    more = 0.5 if parts.get("half") else 0.0
    low, high = (low + more) * factor, (high + more) * factor
    start = core.start() - (len(before[0]) if before else 0)
    field: Field = "deadlines" if unit in patterns().durations else "amounts"
    value = _bounded(min(low, high), max(low, high), unit, bound, words)
    return Found(field, Span(start, after.end() if after else core.end()), value)


def _share(core: re.Match[str], parts: str, share: str) -> Found | None:
    whole, part = number(parts), number(share)
    if not whole or part is None:
        return None
    percent = round(100 * part / whole, 2)
    return Found("amounts", Span(*core.span()), Quantity(percent, percent, PERCENT))


def _unit(word: str, words: _Words) -> tuple[str, float]:
    """Return the unit of a word, and what one of it comes to in that unit."""
    if word == "成":
        return PERCENT, 10.0
    if word in ("%", "percent", "per cent"):
        return PERCENT, 1.0
    if word in ("倍", "times"):
        return TIMES, 1.0
    return ("month", 1.0) if word == "月" else (words.unit_of[word], 1.0)


def _is_no_quantity(folded: str, core: re.Match[str], word: str, *, bounded: bool) -> bool:
    """Whether a number with a unit is a date, or "a day" of no particular length."""
    low = core["low"]
    previous = folded[core.start() - 1 : core.start()]
    if word == "年" and re.fullmatch(r"\d{4}|[零〇一二三四五六七八九]{4}", low):
        return (number(low) or 0) in _CALENDAR_YEARS
    if low in ("a", "an", "half"):
        return not bounded
    return word in ("日", "号") and previous in ("月", "/", "-")


def _bounded(low: float, high: float, unit: str, bound: str, words: _Words) -> Quantity:
    if low != high:
        return Quantity(low, high, unit)
    if words.at_most.search(bound):
        return Quantity(None, high, unit)
    if words.at_least.search(bound):
        return Quantity(low, None, unit)
    return Quantity(low, high, unit)


def _joined(first: Found, second: Found) -> Found | None:
    """Return the range of a lower limit with the upper one right behind it, else None."""
    a, b = first.value, second.value
    if second.span.start != first.span.end or a.high is not None or b.low is not None:
        return None
    if a.unit == b.unit or (b.unit == _PLAIN and a.unit in patterns().currencies):
        span = Span(first.span.start, second.span.end)
        return Found(first.field, span, Quantity(a.low, b.high, a.unit))
    return None
