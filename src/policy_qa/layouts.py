"""How pages number and head their entries: one `Layout` for each style of page.

A layout finds the lines of a page that open an entry or a section. To teach policy_qa a new style,
add a `Layout` to `LAYOUTS`, or for a form of numbering a row to `numbering.NUMBERINGS`, and
a case to `tests/test_entries.py`.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from typing import Final

from policy_qa.lines import (
    LONGEST_HEADING,
    LONGEST_QUESTION_LINE,
    SENTENCE_ENDS,
    Line,
    Marker,
    asks,
    is_heading,
)
from policy_qa.numbering import CHINESE_NUMBER, ordinal, outermost
from policy_qa.types import Span

Layout = Callable[[Sequence[Line]], list[Marker]]
"""Finds the markers among the lines, in their order; none where it does not apply."""

_WRAPPED_LINES: Final = 3
"""At most so many lines go before the one that ends a wrapped question."""
_ANSWER_WORD: Final = r"(?:[Aa]nswer|ANSWER|答案|解答|回答|回覆|回复|答)"
_QUESTION_WORD: Final = r"(?:[Qq]uestion|QUESTION|[QＱ]|問題|问题|提問|提问|問|问)"
_COUNT: Final = rf"\s{{0,3}}(?:\d{{1,4}}|{CHINESE_NUMBER})?\s{{0,3}}"
_ANSWER_MARK: Final = (
    rf"\*{{0,2}}(?:{_ANSWER_WORD}{_COUNT}[:：.．、]|[【\[]{_ANSWER_WORD}{_COUNT}[】\]][:：]?"
    rf"|[AＡ]{_COUNT}[:：]|[AＡ]\d{{1,4}}(?:\s{{0,3}}[.．、]|\s))\*{{0,2}}\s*"
)
_LETTER_DOT: Final = rf"{_COUNT}[.．、](?![A-Za-z]\.)"
"""After a letter; the capital of `A.M.` is no mark."""
_HEADING = re.compile(r"(#{1,6})(?:\s+|$)")
_UNDERLINE = re.compile(r"(={3,}|-{3,})$")
_FENCE = re.compile(r"(```|~~~)")
_BOLD = re.compile(r"(\*\*|__)(?=\S)(?P<head>[^*_]+)\1[:：]?$")
_BULLET = re.compile(r"(?:[-*+•·▪●○◆■]|[A-Z][.)])\s+")
_QUESTION_MARK = re.compile(
    r"(?:\**\s*(?:\d{1,4}\s*[.)、．]|[(（]\d{1,4}[)）])\s*)?\**"
    rf"(?:(?P<lettered>[QＱ]{_LETTER_DOT})|{_QUESTION_WORD}{_COUNT}[:：.．、]"
    rf"|[【\[]{_QUESTION_WORD}{_COUNT}[】\]][:：]?|(?P<bare>[QＱ]\d{{1,4}}\s))"
    r"\**\s*"
)
_ANSWER = re.compile(_ANSWER_MARK)
_LETTERED_ANSWER = re.compile(rf"\*{{0,2}}[AＡ]{_LETTER_DOT}\*{{0,2}}\s*")
_ANSWER_INSIDE = re.compile(rf"(?<=[?？。\s])(?=(?:{_ANSWER_WORD}|[AＡ]){_COUNT}[:：])")
_LETTERED_INSIDE = re.compile(rf"[?？]\s{{0,3}}(?=[AＡ]{_LETTER_DOT})")
_LIST_MARK: Final = rf"[(（](?:{CHINESE_NUMBER}|\d{{1,3}})[)）]"
_ARTICLE = re.compile(
    rf"第\s*(?:{CHINESE_NUMBER}|\d+(?:-\d+)?)\s*[條条](?:之{CHINESE_NUMBER}|之\d+|-\d+)?"
    rf"(?:\s*(?!{_LIST_MARK})[【\[(（][^】\])）]{{1,40}}[】\])）])?"
)
_CLOSING_BRACKETS: Final = ("】", "]", ")", "）")
_ARTICLE_NUMBER = re.compile(rf"第\s*(?P<n>{CHINESE_NUMBER}|\d{{1,5}})")
_CHAPTER = re.compile(rf"第\s*(?:{CHINESE_NUMBER}|\d+)\s*(?P<unit>[編编篇章節节款])(?=\s|$|[:：])")
_CHAPTER_LEVELS: Final = {"編": 0, "编": 0, "篇": 0, "章": 1, "節": 2, "节": 2, "款": 3}
_ARTICLE_LEVEL: Final = 4
_CLAUSE = re.compile(r"(?P<n>\d{1,3}(?:\.\d{1,3}){0,4})(?:[.．、)）]|(?=\s))\s*")


def markdown_headings(lines: Sequence[Line]) -> list[Marker]:
    """`# Heading` and underlined headings, outside front matter and fenced code."""
    markers = []
    fence = ""
    first = _after_front_matter(lines)
    for line, following in zip_longest(lines[first:], lines[first + 1 :]):
        mark = _FENCE.match(line.text)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        if fence:
            continue
        start = line.span.start
        if match := _HEADING.match(line.text):
            end = start + len(_without_closing_hashes(line.text))
            head = min(start + match.end(), end)
            markers.append(_heading(line, Marker(start, head, end, len(match[1]))))
        elif following and line.text and (rule := _UNDERLINE.match(following.text)):
            level = 1 if rule[1][0] == "=" else 2
            if not _UNDERLINE.match(line.text):
                markers.append(Marker(start, start, line.span.end, level))
    return markers


def _heading(line: Line, marker: Marker) -> Marker:
    """Leave out the `Q:` of a heading; `Q1 ` alone may as well be the quarter of a year."""
    at = marker.head - line.span.start
    mark = _QUESTION_MARK.match(line.text, at)
    if not mark or marker.head_end is None or line.span.start + mark.end() >= marker.head_end:
        return marker
    if mark["bare"] and not asks(line.text[mark.end() :]):
        return marker
    head = line.span.start + mark.end()
    return replace(marker, head=head, question=True, lettered=bool(mark["lettered"]))


def _after_front_matter(lines: Sequence[Line]) -> int:
    """Return the number of the first line after the `---` block that may open a page."""
    if lines[0].text != "---":
        return 0
    return next((i + 1 for i, line in enumerate(lines[1:], 1) if line.text == "---"), 0)


def _without_closing_hashes(text: str) -> str:
    """`## Heading ##` closes; the hash of `# C#` belongs to the word."""
    bare = text.rstrip("#")
    return bare.rstrip() if bare != bare.rstrip() else text


def question_and_answer_marks(lines: Sequence[Line]) -> list[Marker]:
    """`Q: … A: …`, `問：… 答：…`, numbered or not; without any answer mark, two questions."""
    opened: list[Marker] = []
    answers = []
    for line in lines:
        start = line.span.start
        lettered = bool(opened) and opened[-1].lettered
        if _ANSWER.match(line.text) or (lettered and _LETTERED_ANSWER.match(line.text)):
            answers.append(start)
        elif match := _QUESTION_MARK.match(line.text):
            lettered = bool(match["lettered"])
            head = start + match.end()
            opened.append(Marker(start, head, question=True, lettered=lettered))
            inside = _ANSWER_INSIDE.search(line.text, match.end())
            if not inside and lettered:
                inside = _LETTERED_INSIDE.search(line.text, match.end())
            if inside:
                answers.append(start + inside.end())
    if not opened or (not answers and len(opened) < 2):
        return []
    markers = []
    ends = [marker.start for marker in opened[1:]] + [lines[-1].span.end]
    for marker, end in zip(opened, ends, strict=True):
        following = bisect_left(answers, marker.head)
        answered = following < len(answers) and answers[following] < end
        markers.append(replace(marker, head_end=answers[following] if answered else None))
    return markers


def articles(lines: Sequence[Line]) -> list[Marker]:
    """`第X條` of statutes, under `第X章` and `第X節`."""
    markers = []
    count = last = 0
    for line in lines:
        start = line.span.start
        if match := _article(line.text, last):
            markers.append(Marker(start, start, start + match.end(), _ARTICLE_LEVEL))
            last = _article_number(match[0])
            count += 1
        elif (match := _CHAPTER.match(line.text)) and len(line.text) <= LONGEST_HEADING:
            markers.append(Marker(start, start, line.span.end, _CHAPTER_LEVELS[match["unit"]]))
    return markers if count > 1 or (count and _article(lines[0].text, 0)) else []


def _article(line: str, last: int) -> re.Match[str] | None:
    """Match an article's label; where neither blank, colon nor title follows, it must count on."""
    match = _ARTICLE.match(line)
    if match is None:
        return None
    following = line[match.end() : match.end() + 1].strip()
    apart = following in ("", ":", "：") or match[0].endswith(_CLOSING_BRACKETS)
    return match if apart or _article_number(match[0]) == last + 1 else None


def _article_number(label: str) -> int:
    match = _ARTICLE_NUMBER.match(label)
    return ordinal(match["n"]) if match else 0


def clauses(lines: Sequence[Line]) -> list[Marker]:
    """`1.`, `1.1`, `1.2`, `2.` of terms and contracts: each number follows from the one before."""
    markers: list[Marker] = []
    last: tuple[int, ...] = ()
    for line in lines:
        match = _CLAUSE.match(line.text)
        number = tuple(map(int, match["n"].split("."))) if match else ()
        if match and _follows(number, last):
            start = line.span.start
            markers.append(Marker(start, start + match.end(), level=len(number)))
            last = number
    return markers if sum(marker.level > 1 for marker in markers) > 1 else []


def _follows(number: tuple[int, ...], last: tuple[int, ...]) -> bool:
    if not last:
        return set(number) == {1}
    return number == (*last, 1) or any(
        number == (*last[:depth], last[depth] + 1) for depth in range(len(last))
    )


def numbered(lines: Sequence[Line]) -> list[Marker]:
    """The outermost numbering of questions or headings: the one that begins first and counts on."""
    return outermost(lines, least_share_of_heads=0.5)


def listed(lines: Sequence[Line]) -> list[Marker]:
    """The outermost numbering of anything, where no headings divide the page.

    What a line with a colon introduces is that line's own list.
    """
    markers = [] if len(plain_headings(lines)) > 1 else outermost(lines, least_share_of_heads=0)
    above = [
        line.text for line in lines if line.text and markers and line.span.start < markers[0].start
    ]
    return [] if above and above[-1].endswith((":", "：")) else markers


def bold_lines(lines: Sequence[Line]) -> list[Marker]:
    """Lines wholly in Markdown's bold, used as headings; at least two."""
    markers = [
        Marker(line.span.start, line.span.start + match.start("head"), line.span.end)
        for line in lines
        if (match := _BOLD.match(line.text))
    ]
    return markers if len(markers) > 1 else []


def question_lines(lines: Sequence[Line]) -> list[Marker]:
    """Lines that end in a question mark and are followed by their answer."""
    filled = [i for i, line in enumerate(lines) if line.text]
    markers = []
    for i, following in pairwise(filled):
        line = lines[i]
        if (
            line.text.endswith(("?", "？"))
            and len(line.text) <= LONGEST_QUESTION_LINE
            and not lines[following].text.endswith(("?", "？"))
        ):
            first = lines[_first_line(lines, i)]
            bullet = _BULLET.match(first.text)
            head = first.span.start + (bullet.end() if bullet else 0)
            markers.append(Marker(first.span.start, head, line.span.end, question=True))
    opens_the_page = bool(markers) and markers[0].start == lines[filled[0]].span.start
    return markers if len(markers) > 1 or opens_the_page else []


def _first_line(lines: Sequence[Line], last: int) -> int:
    """Return the line where a question of Latin text begins that is wrapped over some lines."""
    for i in range(last, max(last - _WRAPPED_LINES, 0), -1):
        above = lines[i - 1].text
        if not lines[i].text[:1].islower() or not above or above.endswith(SENTENCE_ENDS):
            return i
    return max(last - _WRAPPED_LINES, 0)


def plain_headings(lines: Sequence[Line]) -> list[Marker]:
    """Short lines after a blank one, without closing punctuation, above a longer paragraph."""
    markers = []
    blocks = _blocks(lines)
    for block, following in zip(blocks, [*blocks[1:], []], strict=False):
        body = block[1:] or following
        longer = sum(len(line.text) for line in body) > len(block[0].text)
        if is_heading(block[0].text) and longer and body[-1].text.endswith(SENTENCE_ENDS):
            markers.append(Marker(block[0].span.start, block[0].span.start, block[0].span.end))
    return markers


def _blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the runs of lines between blank ones."""
    blocks: list[list[Line]] = []
    above_is_blank = True
    for line in lines:
        if line.text and above_is_blank:
            blocks.append([])
        if line.text:
            blocks[-1].append(line)
        above_is_blank = not line.text
    return blocks


def skip_answer_mark(text: str, span: Span, *, lettered: bool = False) -> Span:
    """Return the span without the `A:` or `答：` that it may begin with.

    Args:
        text: Of the page.
        span: Of the answer.
        lettered: Whether it answers a `Q.`, so that `A.` is a mark and not an initial.
    """
    match = _ANSWER.match(text, span.start, span.end)
    if not match and lettered:
        match = _LETTERED_ANSWER.match(text, span.start, span.end)
    return Span(match.end(), span.end) if match else span


LAYOUTS: Final[tuple[Layout, ...]] = (
    markdown_headings,
    question_and_answer_marks,
    articles,
    clauses,
    numbered,
    bold_lines,
    question_lines,
    listed,
    plain_headings,
)
"""In the order in which they are tried; the first that finds markers decides."""
