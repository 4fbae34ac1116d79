"""Entry to passages: sentences, or short windows where a sentence is very long or very short.

A sentence ends at 。！？!? and …, at an English full stop that is followed by a blank, and at a
line break, unless the line is Latin text wrapped in the middle of a sentence. Brackets and quotes
that close after the end belong to it. Nothing is cut inside a number, a word, a pair of short
brackets, or between a list mark such as (1) and its text. Longer sentences are cut at weaker
marks (；，、 and blanks), only text without any mark is cut at the length limit.
"""

import re
import unicodedata
from collections.abc import Iterator

from policy_qa.entries import trimmed
from policy_qa.settings import CONTEXT_MAX_CHARS, PASSAGE_MAX_CHARS, PASSAGE_MIN_CHARS
from policy_qa.types import Document, Entry, Passage, Span

_CLOSERS = r"」』”’\"')）\]】》〉"
_ABBREVIATIONS = r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bNo)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)"
_FULL_STOP = rf"{_ABBREVIATIONS}(?<!\s\d)\.+(?=[\s{_CLOSERS}]|$)"
_END = re.compile(rf"(?:[。！？!?…｡︒]+[。！？!?….]*|{_FULL_STOP})[{_CLOSERS}]*")
_WRAP = re.compile(r"[a-z,;]\s*$")
_BRACKETED = re.compile(r"[（(「『《【\[][^（()）「」『』《》【】\[\]\r\n]{0,80}[)）」』》】\]]")
_WEAK_CUTS = (
    re.compile(r"[；;]"),
    re.compile(r"[，,：:](?!\d)|(?<![\d一二三四五六七八九十])、(?!\d)"),
    re.compile(r"\s+"),
)
_WIDE = re.compile(r"[\u2e80-\uffef\U00020000-\U0003ffff]")
_UNIT = re.compile(r"[^\W\d_\u0e00-\uffff]+|\d+(?:[.,:/~-]\d+)*\s*[%‰\w]?|.[\u0300-\u036f\ufe00-\ufe0f\u200d]*")


def passages(document: Document, entry: Entry) -> list[Passage]:
    """Return the entry's passages: its question (number 0), then its answer in order.

    A question too long for one passage continues in the passages that follow.
    """
    question = windows(document.text, entry.question)
    answer = windows(document.text, entry.answer)
    first_number = 0 if question else 1
    return [
        Passage(
            f"{entry.id}:{number}",
            entry.id,
            document.id,
            span,
            document.text[span.start : span.end],
        )
        for number, span in enumerate(question + answer, start=first_number)
    ]


def context(document: Document, entry: Entry) -> str:
    """Return what a passage is encoded and indexed with: the headings above, and the question."""
    question = document.text[entry.question.start : entry.question.end]
    return "\n".join((*entry.path, question)).strip()[-CONTEXT_MAX_CHARS:]


def windows(text: str, span: Span) -> list[Span]:
    """Return the sentences of a span, as windows of at most `PASSAGE_MAX_CHARS`.

    Every character of the span that is not blank lies in exactly one window.
    """
    found: list[Span] = []
    for line in _lines(text, span):
        pieces = [w for s in _sentences(text, line) for w in _shortened(text, s)]
        found += _merged(text, pieces)
    return found


def _lines(text: str, span: Span) -> Iterator[Span]:
    """Lines of the span; a line of Latin text that is wrapped goes on in the next."""
    start = position = span.start
    for match in re.finditer(r"\r\n|[\r\n\u2028\u2029\f\v]", text[span.start : span.end]):
        end, after = span.start + match.start(), span.start + match.end()
        wrapped = _WRAP.search(text, position, end) and text[after : after + 1].islower()
        if not wrapped:
            yield Span(start, end)
            start = after
        position = after
    yield Span(start, span.end)


def _sentences(text: str, line: Span) -> Iterator[Span]:
    shields = _shields(text, line)
    start = line.start
    for match in _END.finditer(text, line.start, line.end):
        if match.start() in shields:
            continue
        if sentence := trimmed(text, Span(start, match.end())):
            yield sentence
        start = match.end()
    if rest := trimmed(text, Span(start, line.end)):
        yield rest


def _shields(text: str, span: Span) -> set[int]:
    """Positions inside short brackets, where nothing is cut."""
    return {
        position
        for match in _BRACKETED.finditer(text, span.start, span.end)
        for position in range(match.start(), match.end() - 1)
    }


def _merged(text: str, pieces: list[Span]) -> list[Span]:
    """Join what is too short to stand alone to its neighbour on the same line."""
    merged: list[Span] = []
    for piece in pieces:
        if merged:
            last = merged[-1]
            short = min(last.end - last.start, piece.end - piece.start) < PASSAGE_MIN_CHARS
            if short and piece.end - last.start <= _limit(text, last.start):
                merged[-1] = Span(last.start, piece.end)
                continue
        merged.append(piece)
    return merged


def _limit(text: str, start: int) -> int:
    """Return the longest window from here: Latin letters are half as wide as Chinese ones."""
    wide = _WIDE.search(text, start, start + PASSAGE_MAX_CHARS)
    return PASSAGE_MAX_CHARS if wide else 2 * PASSAGE_MAX_CHARS


def _shortened(text: str, sentence: Span) -> Iterator[Span]:
    """Cut a long sentence at the strongest mark within reach, again and again."""
    rest = sentence
    while rest.end - rest.start > (limit := _limit(text, rest.start)):
        cut = _cut(text, rest.start, rest.start + limit)
        if piece := trimmed(text, Span(rest.start, cut)):
            yield piece
        rest = trimmed(text, Span(cut, rest.end))
    if rest:
        yield rest


def _cut(text: str, start: int, reach: int) -> int:
    """Return where to cut: after the last weak mark within reach, else between two whole units."""
    shields = _shields(text, Span(start, reach))
    for mark in _WEAK_CUTS:
        ends = [m.end() for m in mark.finditer(text, start, reach) if m.start() not in shields]
        if ends and ends[-1] - start >= PASSAGE_MIN_CHARS:
            return ends[-1]
    last = start
    for unit in _UNIT.finditer(text, start, reach + 1):
        if unit.end() > reach:
            break
        last = unit.end()
    return last if last > start else reach
