"""Numbered lines, and which of them count on: the outermost numbering of a page.

For one more form of numbering, add a row to `NUMBERINGS`.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from policy_qa.lines import Line, Marker, asks, is_heading

_WIDEST_GAP: Final = 10
"""Numbers that a page may leave out between two entries; more is a year or an amount."""

_CHINESE_DIGIT_SETS: Final = (
    "〇一二三四五六七八九",
    "零壹貳參肆伍陸柒捌玖",
    "零壹贰叁肆伍陆柒捌玖",
    "〇一兩",
    "〇一两",
)
_CHINESE_DIGITS: Final = {
    character: value
    for characters in _CHINESE_DIGIT_SETS
    for value, character in enumerate(characters)
}
_CHINESE_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000}
CHINESE_NUMBER: Final = "[〇零一二三四五六七八九十百千兩两]{1,10}"
_FORMAL_NUMBER: Final = "[零壹貳贰參叁肆伍陸陆柒捌玖拾佰]{1,10}"
_SECTION_WORD: Final = "(?:Section|SECTION|Article|ARTICLE|Clause|CLAUSE|§)"
NUMBERINGS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:(?P<n>[㈠-㈩]{{1,4}})|[(（]\s*(?P<m>{CHINESE_NUMBER})\s*[)）])[、.．:：]?\s*",
        rf"(?P<n>{CHINESE_NUMBER})\s*[、.．:：]\s*",
        rf"(?P<n>{_FORMAL_NUMBER})\s*[、.．:：]\s*",
        r"(?:(?P<n>[⒈-⒛])|(?P<m>\d{1,4})\s*(?:[、．:：]|[.)）](?!\d)))\s*",
        r"(?:(?P<n>[⑴-⒇])|[(（]\s*(?P<m>\d{1,4})\s*[)）])[、.．:：]?\s*",
        r"(?P<n>[①-⑳㉑-㉟㊱-㊿])[、.．:：]?\s*",
        r"(?P<n>[㊀-㊉])[、.．:：]?\s*",
        r"(?P<n>[Ⅰ-Ⅻ]|[IVX]{1,5})\s*[、.．:：]\s*",
        rf"{_SECTION_WORD}\s{{0,3}}(?P<n>\d{{1,4}}|[IVX]{{1,5}})\s*(?:[.:：—–-]|$)\s*",
        rf"第\s*(?P<n>{CHINESE_NUMBER}|\d{{1,4}})\s*(?:[問问題题項项點点則则]|[、.．:：])[、.．:：]?\s*",
    )
)
"""One row for each form of numbering; the groups `n` and `m` hold the number."""


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A line that begins with a number; `opens` tells an entry's head from an item of a list."""

    start: int
    head: int
    number: int
    opens: bool


def outermost(lines: Sequence[Line], *, least_share_of_heads: float) -> list[Marker]:
    """Return the numbering that begins first among those that count on.

    Args:
        lines: Of the page.
        least_share_of_heads: The share of its lines that must head an entry.
    """
    filled = [line for line in lines if line.text]
    sequences = [_sequence(numbering, filled) for numbering in NUMBERINGS]
    fitting = [
        sequence
        for sequence in sequences
        if len(sequence) > 1
        and sum(line.opens for line in sequence) >= least_share_of_heads * len(sequence)
    ]
    first = min(fitting, key=lambda sequence: sequence[0].start, default=[])
    return [Marker(line.start, line.head) for line in first]


def _sequence(numbering: re.Pattern[str], lines: Sequence[Line]) -> list[_Numbered]:
    """Lines numbered in this form that count upwards; lists inside an entry begin anew, or nest.

    Where questions are numbered, an item of a list is what the next question's number does not
    follow, and questions may begin anew (under the next heading), repeat a number or leave a gap.
    """
    found = _numbered_lines(numbering, lines)
    asking = sum(asks(line.text[match.end() :]) for line, match, _ in found) > 1
    candidates = [
        _Numbered(
            line.span.start,
            line.span.start + match.end(),
            ordinal(_label(match)),
            asks(line.text[match.end() :]) if asking else headed,
        )
        for line, match, headed in found
    ]
    return _counting(candidates, may_begin_anew=asking)


def _label(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)


def _numbered_lines(
    numbering: re.Pattern[str], lines: Sequence[Line]
) -> list[tuple[Line, re.Match[str], bool]]:
    """Lines numbered in this form, and whether each is a heading with text of its own."""
    matches = [numbering.match(line.text) for line in lines]
    text_follows = [match is None for match in matches[1:]] + [False]
    return [
        (line, match, follows and is_heading(line.text))
        for line, match, follows in zip(lines, matches, text_follows, strict=False)
        if match
    ]


def _counting(candidates: Sequence[_Numbered], *, may_begin_anew: bool) -> list[_Numbered]:
    numbers = {candidate.number for candidate in candidates}
    next_opening = _numbers_of_next_opening(candidates)
    chosen: list[_Numbered] = []
    last, opened = 0, False
    for candidate, opening in zip(candidates, next_opening, strict=True):
        number = candidate.number
        if not chosen:
            fits = number <= 1 or (1 not in numbers and bool({number + 1, number + 2} & numbers))
        elif not candidate.opens:
            fits = 0 < number - last <= 2 and not 1 < opening <= number
        elif not opened and number <= last:  # what stood above was a table of contents
            chosen.clear()
            fits = True
        else:
            fits = 0 <= number - last <= _WIDEST_GAP or (may_begin_anew and number == 1)
        if fits:
            chosen.append(candidate)
            last, opened = number, opened or candidate.opens
    return chosen


def _numbers_of_next_opening(candidates: Sequence[_Numbered]) -> list[int]:
    """For each candidate, the number of the next one that surely opens an entry; 0 for none."""
    numbers = []
    following = 0
    for candidate in reversed(candidates):
        numbers.append(following)
        following = candidate.number if candidate.opens else following
    return numbers[::-1]


def chinese_number(text: str) -> int:
    """Return the value of a Chinese numeral such as 十一 or 一百零三; digits in a row count."""
    total = digits = 0
    for character in text:
        if character in _CHINESE_UNITS:
            total += (digits or 1) * _CHINESE_UNITS[character]
            digits = 0
        else:
            digits = digits * 10 + _CHINESE_DIGITS[character]
    return total + digits


def ordinal(label: str) -> int:
    """Return the number that a label such as ㈩㈠, （十一）, ⑪, Ⅺ or 11 stands for."""
    plain = re.sub(r"[().\s（）]", "", unicodedata.normalize("NFKC", label))
    if plain.isdecimal():
        return int(plain)
    if set(plain) <= _ROMAN.keys():
        values = [_ROMAN[c] for c in plain]
        return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
    return chinese_number(plain)


_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
