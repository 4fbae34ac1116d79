"""Entry to passages: sentences, or short windows where a sentence is very long or very short.

A sentence ends at 。！？!? and …, at an English full stop that is followed by a blank, and at a
line break, unless the line is Latin text wrapped in the middle of a sentence. Brackets and quotes
that close after the end belong to it. Nothing is cut inside a number, a word, a pair of short
brackets, or between a list mark such as (1) and its text. Longer sentences are cut at weaker
marks (；，、 and blanks), only text without any mark is cut at the length limit.
"""

import re
from collections.abc import Iterator

from policy_qa.entries import trimmed
from policy_qa.facts import is_noise
from policy_qa.settings import CONTEXT_MAX_CHARS, PASSAGE_MAX_CHARS, PASSAGE_MIN_CHARS
from policy_qa.types import Document, Entry, Passage, Span

_CLOSERS = r"」』”’\"')）\]】》〉"
_ABBREVIATIONS = r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bNo)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)"
_FULL_STOP = (
    rf"(?<!\.){_ABBREVIATIONS}(?<!\s\d)(?<!\s\d\d)\.++(?=[\s{_CLOSERS}]|$)(?!\s{{1,3}}[a-z])"
)
_END = re.compile(rf"(?:[。！？!?…｡︒]+[。！？!?….]*|{_FULL_STOP})[{_CLOSERS}]*")
_LINE_BREAK = re.compile(r"\r\n|[\r\n\u2028\u2029\f\v]")
_WRAP_END = re.compile(r"[a-z,;]$")
_WRAP_START = re.compile(r"[ \t]*[a-z]")
_FULL_LINE_END = re.compile(r"[A-Za-z0-9,;]$")
_FULL_LINE_START = re.compile(r"[ \t]*(?:[A-Z$€£\"']|\d++(?![.)、）]))")
_FULL_LINE_CHARS = 60
"""Characters. A line that is this long and has no closing mark was wrapped by an editor."""
_LONGEST_ASIDE = 80
_LONGEST_UNIT = 40
_BRACKETED = re.compile(
    rf"[（(「『《【\[][^（()）「」『』《》【】\[\]\r\n]{{0,{_LONGEST_ASIDE}}}[)）」』》】\]]"
)
_WEAK_CUTS = (
    re.compile(r"[；;]"),
    re.compile(r"(?<!\d)[，,：:]|[，,：:](?!\d)|(?<![\d一二三四五六七八九十])、(?!\d)"),
    re.compile(r"(?<!\d)(?<!\d[.)）])\s+"),
    re.compile(r"\s+"),
)
WIDE = re.compile(r"[\u2e80-\uffef\U00020000-\U0003ffff]")
"""A character as wide as two Latin ones."""
_UNIT_WORDS = (
    "工作[天日]|個工作[天日]|个工作[天日]|小[時时]|分[鐘钟]|[個个]月|[公英]里|公[斤克尺分]"
)
_UNIT = re.compile(
    r"[^\W\d_\u0e00-\uffff]+"
    rf"|\d+(?:[.,:/~-]\d+)*\s?(?:{_UNIT_WORDS}|[A-Za-z]+|[%‰°℃\w])?"
    r"|.(?:[\u0300-\u036f\u3099\u309a\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.)*",
    re.DOTALL,
)


def passages(document: Document, entry: Entry) -> list[Passage]:
    """Return the entry's passages: its question (number 0), then its answer in order.

    A question too long for one passage continues as number 0.1, 0.2 and so on, and so do its
    alternates. Greetings, thanks and links to elsewhere are no passages: nobody asks for them.
    """
    text = document.text
    question = windows(text, entry.question)
    answer = windows(text, entry.answer)
    telling = [span for span in answer if not is_noise(text[span.start : span.end])]
    answer = telling if telling or question else answer
    asked = [(span, text[span.start : span.end]) for span in question]
    asked += [(entry.question, alternate) for alternate in entry.alternates]
    numbered = [(f"0.{n}" if n else "0", *passage) for n, passage in enumerate(asked)]
    numbered += [(str(n), s, text[s.start : s.end]) for n, s in enumerate(answer, start=1)]
    return [
        Passage(f"{entry.id}:{number}", entry.id, document.id, span, words)
        for number, span, words in numbered
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
    for match in _LINE_BREAK.finditer(text, span.start, span.end):
        if not _is_wrapped(text, trimmed(text, Span(position, match.start())), match.end()):
            yield Span(start, match.start())
            start = match.end()
        position = match.end()
    yield Span(start, span.end)


def _is_wrapped(text: str, line: Span, after: int) -> bool:
    """Whether a line of Latin text breaks off in a sentence that goes on at `after`."""
    last = max(line.start, line.end - 1)
    if _WRAP_END.match(text, last, line.end) and _WRAP_START.match(text, after):
        return True
    return (
        line.end - line.start >= _FULL_LINE_CHARS
        and not WIDE.search(text, line.start, line.end)
        and _FULL_LINE_END.match(text, last, line.end) is not None
        and _FULL_LINE_START.match(text, after) is not None
    )


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
            if short and piece.end <= _reach(text, last.start):
                merged[-1] = Span(last.start, piece.end)
                continue
        merged.append(piece)
    return merged


def _reach(text: str, start: int) -> int:
    """Return where the longest window from here ends: a Chinese character is as wide as two."""
    narrow = 2 * PASSAGE_MAX_CHARS
    for position in range(start, min(start + narrow, len(text))):
        narrow -= 2 if WIDE.match(text, position) else 1
        if narrow < 0:
            return position
    return start + 2 * PASSAGE_MAX_CHARS


def _shortened(text: str, sentence: Span) -> Iterator[Span]:
    """Cut a long sentence at the strongest mark within reach, again and again."""
    rest = sentence
    while rest.end - rest.start > PASSAGE_MAX_CHARS and rest.end > (
        reach := _reach(text, rest.start)
    ):
        cut = _cut(text, Span(rest.start, rest.end), reach)
        if piece := trimmed(text, Span(rest.start, cut)):
            yield piece
        rest = trimmed(text, Span(cut, rest.end))
    if rest:
        yield rest


def _cut(text: str, sentence: Span, reach: int) -> int:
    """Return where to cut: after the last weak mark within reach, else between two whole units."""
    start = sentence.start
    shields = _shields(text, Span(start, min(reach + _LONGEST_ASIDE + 2, sentence.end)))
    least = start + PASSAGE_MIN_CHARS
    for mark in _WEAK_CUTS:
        found = mark.finditer(text, start, min(reach + 2, sentence.end))  # 2 for what may follow
        ends = [m.end() for m in found if m.start() < reach and m.start() not in shields]
        if ends and ends[-1] >= least:
            return ends[-1]
    # A unit that ends beyond the reach is seen whole, so that it is not cut.
    units = _UNIT.finditer(text, start, min(reach + _LONGEST_UNIT, sentence.end))
    ends = [unit.end() for unit in units if unit.end() <= reach]
    outside = [end for end in ends if end - 1 not in shields and end >= least]
    return max(outside or ends, default=reach)
