"""How pages number and head their entries: one `Layout` for each style of page.

A layout finds the lines of a page that open an entry or a section. To teach policy_qa a new style,
add a `Layout` to `LAYOUTS` (or, for one more form of numbering, a row to `NUMBERINGS`) and a case
to `tests/test_entries.py`.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from policy_qa.types import Span


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document, without its line break and outer blanks; `span` may be empty."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Marker:
    """The opening of an entry or section.

    Attributes:
        start: Offset of the marker.
        head: Offset of the first character after it, where the question or heading begins.
        head_end: Where the question or heading ends; None where the opening line decides.
        level: Nesting depth; a marker ends every open one of its level or deeper.
        question: Whether it certainly opens a question (Q:), not merely a section.
    """

    start: int
    head: int
    head_end: int | None = None
    level: int = 0
    question: bool = False


Layout = Callable[[str, Sequence[Line]], list[Marker]]
"""Finds the markers among the lines of one text, in their order; none where it does not apply."""

QUESTION_ENDS: Final = ("?", "？", "嗎", "吗", "呢")
_LONGEST_QUESTION_LINE: Final = 120
_LONGEST_HEADING: Final = 40

_CHINESE_DIGITS: Final = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "兩": 2, "两": 2}
_CHINESE_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_CHINESE_NUMBER: Final = "[〇零一二三四五六七八九十百千兩两]"
_ANSWER_WORD: Final = r"(?:[Aa]nswer|ANSWER|答案|解答|回答|回覆|回复|答)"
_ANSWER_MARK: Final = (
    rf"(?:{_ANSWER_WORD}\s*\d{{0,4}}\s*[:：.．、]|A\s*\d{{0,4}}\s*[:：]|A\d{{1,4}}\s*[.．、])\s*"
)


def is_question(text: str) -> bool:
    """Whether a line is written as a question."""
    return text.rstrip("。.!！ 」』\"”").endswith(QUESTION_ENDS)


def chinese_number(text: str) -> int:
    """Return the value of a Chinese numeral such as 十一 or 一百零三; digits in a row are read so."""
    total = digits = 0
    for character in text:
        if character in _CHINESE_UNITS:
            total += (digits or 1) * _CHINESE_UNITS[character]
            digits = 0
        else:
            digits = digits * 10 + _CHINESE_DIGITS[character]
    return total + digits


def _ordinal(label: str) -> int:
    """Return the number that a label such as ㈩㈠, （十一）, ⑪, Ⅺ or 11 stands for."""
    plain = re.sub(r"[().\s（）]", "", unicodedata.normalize("NFKC", label))
    if plain.isdecimal():
        return int(plain)
    if set(plain) <= _ROMAN.keys():
        values = [_ROMAN[c] for c in plain]
        return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
    return chinese_number(plain)


_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}

NUMBERINGS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:(?P<n>[㈠-㈩]+)|[(（]\s*(?P<m>{_CHINESE_NUMBER}+)\s*[)）])[、.．:：]?\s*",
        rf"(?P<n>{_CHINESE_NUMBER}+)\s*[、.．:：]\s*",
        r"(?:(?P<n>[⒈-⒛])|(?P<m>\d{1,4})\s*(?:[、．:：]|[.)）](?!\d)))\s*",
        r"(?:(?P<n>[⑴-⒇])|[(（]\s*(?P<m>\d{1,4})\s*[)）])[、.．:：]?\s*",
        r"(?P<n>[①-⑳㉑-㉟㊱-㊿])[、.．:：]?\s*",
        r"(?P<n>[㊀-㊉])[、.．:：]?\s*",
        r"(?P<n>[Ⅰ-Ⅻ]|[IVX]{1,5})\s*[、.．:：]\s*",
        rf"第\s*(?P<n>{_CHINESE_NUMBER}+|\d{{1,4}})\s*(?:[問问題题項项點点則则]|[、.．:：])[、.．:：]?\s*",
    )
)
"""One row for each form of numbering; the groups `n` and `m` hold the number."""

_HEADING = re.compile(r"(#{1,6})(?:\s+|$)(?P<head>.*?)\s*#*$")
_UNDERLINE = re.compile(r"(=+|-{3,})$")
_FENCE = re.compile(r"(```|~~~)")
_QUESTION_MARK = re.compile(
    r"(?:\**\s*(?:\d{1,4}\s*[.)、．]|[(（]\d{1,4}[)）])\s*)?\**"
    r"(?:[Qq]uestion|QUESTION|Q|問題|问题|提問|提问|問|问)\s*\d{0,4}\s*[:：.．、]\s*"
)
_ANSWER = re.compile(_ANSWER_MARK)
_ANSWER_INSIDE = re.compile(rf"[?？。\s]\s*(?=(?:{_ANSWER_WORD}|A)\s*\d{{0,4}}\s*[:：])")
_ARTICLE = re.compile(
    rf"第\s*(?:{_CHINESE_NUMBER}+|\d+(?:-\d+)?)\s*[條条](?:之{_CHINESE_NUMBER}+|之\d+|-\d+)?"
    r"(?:\s*[【\[(（][^】\])）]{1,40}[】\])）])?(?=[\s:：]|$)"
)
_CHAPTER = re.compile(rf"第\s*(?:{_CHINESE_NUMBER}+|\d+)\s*(?P<unit>[編编篇章節节款])(?=\s|$|[:：])")
_CHAPTER_LEVELS: Final = {"編": 0, "编": 0, "篇": 0, "章": 1, "節": 2, "节": 2, "款": 3}
_ARTICLE_LEVEL: Final = 4
_SENTENCE_ENDS: Final = tuple("。.!！?？,，;；:：、…")


def markdown_headings(text: str, lines: Sequence[Line]) -> list[Marker]:
    """`# Heading` and underlined headings, outside fenced code."""
    markers = []
    fence = ""
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        mark = _FENCE.match(line.text)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        if fence:
            continue
        start = line.span.start
        if match := _HEADING.match(line.text):
            head = Span(start + match.start("head"), start + match.end("head"))
            markers.append(Marker(start, head.start, head.end, len(match[1])))
        elif following and line.text and (rule := _UNDERLINE.match(following.text)):
            level = 1 if rule[1][0] == "=" else 2
            markers.append(Marker(start, start, line.span.end, level))
    return markers


def question_and_answer_marks(text: str, lines: Sequence[Line]) -> list[Marker]:
    """`Q: … A: …`, `問：… 答：…`, numbered or not; at least one of each."""
    opened: list[tuple[int, int]] = []
    answers = []
    for line in lines:
        start = line.span.start
        if _ANSWER.match(line.text):
            answers.append(start)
        elif match := _QUESTION_MARK.match(line.text):
            opened.append((start, start + match.end()))
            if inside := _ANSWER_INSIDE.search(line.text, match.end()):
                answers.append(start + inside.end())
    if not answers:
        return []
    markers = []
    ends = [start for start, _ in opened[1:]] + [len(text)]
    for (start, head), end in zip(opened, ends, strict=True):
        following = bisect_left(answers, head)
        answered = following < len(answers) and answers[following] < end
        markers.append(Marker(start, head, answers[following] if answered else None, question=True))
    return markers


def articles(text: str, lines: Sequence[Line]) -> list[Marker]:
    """`第X條` of statutes, under `第X章` and `第X節`."""
    markers = []
    count = 0
    for line in lines:
        start = line.span.start
        if match := _ARTICLE.match(line.text):
            markers.append(Marker(start, start, start + match.end(), _ARTICLE_LEVEL))
            count += 1
        elif (match := _CHAPTER.match(line.text)) and len(line.text) <= _LONGEST_HEADING:
            markers.append(Marker(start, start, line.span.end, _CHAPTER_LEVELS[match["unit"]]))
    return markers if count > 1 or (count and _ARTICLE.match(lines[0].text)) else []


def numbered(text: str, lines: Sequence[Line]) -> list[Marker]:
    """The outermost numbering of the page: the one that begins first and counts on."""
    sequences = [s for s in (_sequence(numbering, lines) for numbering in NUMBERINGS) if s]
    return min(sequences, key=lambda markers: markers[0].start, default=[])


def _sequence(numbering: re.Pattern[str], lines: Sequence[Line]) -> list[Marker]:
    """Lines numbered in this form that count upwards; lists inside an entry begin anew, or nest."""
    candidates = [(line, m) for line in lines if (m := numbering.match(line.text))]
    questions = [line for line, _ in candidates if is_question(line.text)]
    mostly_questions = len(questions) >= 2 and 2 * len(questions) > len(candidates)
    markers: list[Marker] = []
    last = None
    for line, match in candidates:
        number = _ordinal(match["n"] or match["m"])
        counts_on = last is None or 0 < number - last <= 2
        if counts_on or (mostly_questions and is_question(line.text)):
            start = line.span.start
            markers.append(Marker(start, start + match.end()))
            last = number
    return markers if len(markers) > 1 else []


def question_lines(text: str, lines: Sequence[Line]) -> list[Marker]:
    """Lines that end in a question mark and are followed by their answer."""
    filled = [line for line in lines if line.text]
    markers = [
        Marker(line.span.start, line.span.start, line.span.end, question=True)
        for line, following in zip(filled, filled[1:], strict=False)
        if line.text.endswith(("?", "？"))
        and len(line.text) <= _LONGEST_QUESTION_LINE
        and not following.text.endswith(("?", "？"))
    ]
    opens_the_page = bool(markers) and markers[0].start == filled[0].span.start
    return markers if len(markers) > 1 or opens_the_page else []


def plain_headings(text: str, lines: Sequence[Line]) -> list[Marker]:
    """Short lines after a blank one, without closing punctuation, above a longer paragraph."""
    markers = []
    previous_blank = True
    for i, line in enumerate(lines):
        if line.text and previous_blank and _is_heading(line.text):
            following = next((other.text for other in lines[i + 1 :] if other.text), "")
            if len(following) > len(line.text) and following.endswith(_SENTENCE_ENDS):
                markers.append(Marker(line.span.start, line.span.start, line.span.end))
        previous_blank = not line.text
    return markers


def _is_heading(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and not text.endswith(_SENTENCE_ENDS)


def skip_answer_mark(text: str, span: Span) -> Span:
    """Return the span without the `A:` or `答：` that it may begin with."""
    match = _ANSWER.match(text, span.start, span.end)
    return Span(match.end(), span.end) if match else span


LAYOUTS: Final[tuple[Layout, ...]] = (
    markdown_headings,
    question_and_answer_marks,
    articles,
    numbered,
    question_lines,
    plain_headings,
)
"""In the order in which they are tried; the first that finds markers decides."""
