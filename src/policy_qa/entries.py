"""Document to entries.

The first layout that applies opens the page's entries; inside a section that is no question itself
the layouts are tried again, so that numbered questions under headings are found. Every character
that is not blank lies in exactly one entry, or in a heading that entries carry in their `path`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy_qa.layouts import (
    LAYOUTS,
    Layout,
    articles,
    bold_lines,
    numbered,
    question_and_answer_marks,
    question_lines,
    skip_answer_mark,
)
from policy_qa.lines import FRONT_MATTER, Line, Marker, asks, is_question
from policy_qa.types import Document, Entry, Span

_BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + "\u200b\ufeff"
_MARKDOWN = (".md", ".markdown")
_LINE_BREAK = re.compile(r"[\r\n]")
_STATEMENT_ENDS = tuple("。.!！;；")
_LONGEST_PARAGRAPH = 1_000
"""Characters. A longer block without any heading becomes several entries, cut between lines."""
_LONGEST_QUESTION = 200
"""Characters. A longer opening line is an answer, not a question."""
_DEEPEST_PATH = 12
_NESTED: tuple[Layout, ...] = (
    question_and_answer_marks,
    articles,
    numbered,
    bold_lines,
    question_lines,
)
_UNDERLINE = re.compile(r"\s*(?:={3,}|-{3,})[ \t]*(?:\r\n|\r|\n|$)")
_WRAPPED_QUESTION = re.compile(r"[^\r\n?？.。!！]*(?:\r?\n[ \t]*[a-z][^\r\n?？.。!！]*){0,3}[?？]")
"""A question of Latin text may go on in the next lines."""
_AFTER_LABEL = re.compile(r"(?:\*\*)?(?:[ \t]+#+(?=\s|$))?[\s:：、]*")


@dataclass(frozen=True, slots=True)
class _Piece:
    """An entry before it has an id."""

    span: Span
    question: Span
    answer: Span
    path: tuple[str, ...]
    preamble: bool = False


_STATED = re.compile(r"^(?:tags|effective_from|expires)[ \t]*:", re.MULTILINE)


def _after_front_matter(document: Document) -> int:
    """Return where the text begins: plain text may begin with a rule of hyphens of its own."""
    found = FRONT_MATTER.match(document.text)
    if found and (document.id.endswith(_MARKDOWN) or _STATED.search(found[1])):
        return found.end()
    return 0


def parse(document: Document) -> list[Entry]:
    """Return the document's entries in the source's order; none if the text is blank."""
    stem = document.id.removesuffix(".txt")
    body = Span(_after_front_matter(document), len(document.text))
    pieces = list(_parse(document.text, body, (), LAYOUTS))
    first = 0 if pieces and pieces[0].preamble else 1
    return [
        Entry(
            f"{stem}#{n}",
            document.id,
            piece.span,
            piece.question,
            piece.answer,
            piece.path,
            document.effective_from,
            document.expires,
        )
        for n, piece in enumerate(pieces, start=first)
    ]


def lines_of(text: str, span: Span) -> list[Line]:
    """Return the lines of a span, blank ones included, without their outer blanks."""
    lines = []
    position = span.start
    while position <= span.end:
        end = _line_end(text, position, span.end)
        inner = trimmed(text, Span(position, end))
        lines.append(Line(inner, text[inner.start : inner.end]))
        position = end + (2 if text.startswith("\r\n", end) else 1)
    return lines


def _line_end(text: str, start: int, end: int) -> int:
    match = _LINE_BREAK.search(text, start, end)
    return match.start() if match else end


def trimmed(text: str, span: Span) -> Span:
    """Return the span without the blanks and invisible characters at both ends."""
    quote = text[span.start : span.end]
    start = span.start + len(quote) - len(quote.lstrip(_BLANKS))
    return Span(start, max(start, span.start + len(quote.rstrip(_BLANKS))))


def _parse(
    text: str, span: Span, path: tuple[str, ...], layouts: Sequence[Layout]
) -> Iterator[_Piece]:
    lines = lines_of(text, span)
    for layout in layouts:
        if markers := layout(lines):
            yield from _sections(text, span, path, markers)
            return
    yield from _paragraphs(lines, path)


def _sections(
    text: str, span: Span, path: tuple[str, ...], markers: Sequence[Marker]
) -> Iterator[_Piece]:
    preamble = trimmed(text, Span(span.start, markers[0].start))
    if preamble:
        nothing = Span(preamble.start, preamble.start)
        yield _Piece(preamble, nothing, preamble, path, preamble=True)
    open_headings: list[tuple[int, str]] = []
    ends = [m.start for m in markers[1:]] + [span.end]
    for i, (marker, end) in enumerate(zip(markers, ends, strict=True)):
        while open_headings and open_headings[-1][0] >= marker.level:
            open_headings.pop()
        above = path + tuple(heading for _, heading in open_headings)
        whole = trimmed(text, Span(marker.start, end))
        has_children = i + 1 < len(markers) and markers[i + 1].level > marker.level
        question, answer = _question_and_answer(text, marker, whole, above_others=has_children)
        if has_children:
            open_headings.append((marker.level, text[question.start : question.end]))
        if not answer and has_children:
            continue
        yield from _entry_or_section(text, marker, _Piece(whole, question, answer, above))


def _entry_or_section(text: str, marker: Marker, piece: _Piece) -> Iterator[_Piece]:
    heading = text[piece.question.start : piece.question.end]
    may_nest = heading and not marker.question and not is_question(heading)
    if may_nest and len(piece.path) < _DEEPEST_PATH:
        lines = lines_of(text, piece.answer)
        for layout in _NESTED:
            markers = layout(lines)
            if markers and _are_entries(text, layout, markers):
                before = trimmed(text, Span(piece.answer.start, markers[0].start))
                if before:
                    span = Span(piece.span.start, before.end)
                    yield _Piece(span, piece.question, before, piece.path)
                rest = Span(markers[0].start, piece.answer.end)
                yield from _sections(text, rest, (*piece.path, heading), markers)
                return
    yield piece


def _are_entries(text: str, layout: Layout, markers: Sequence[Marker]) -> bool:
    """Whether what looks like entries inside a section is more than a list of its answer."""
    if layout is not numbered:
        return True
    heads = [text[m.head : _line_end(text, m.head, len(text))].strip() for m in markers]
    return 2 * sum(asks(head) for head in heads) > len(markers)


def _question_and_answer(
    text: str, marker: Marker, whole: Span, *, above_others: bool
) -> tuple[Span, Span]:
    if marker.head_end is not None:
        question = trimmed(text, Span(marker.head, min(marker.head_end, whole.end)))
        rest = Span(min(marker.head_end, whole.end), whole.end)
        if underline := _UNDERLINE.match(text, rest.start, rest.end):
            rest = Span(underline.end(), rest.end)
        label_end = _AFTER_LABEL.match(text, rest.start, rest.end)
        rest = Span(label_end.end() if label_end else rest.start, rest.end)
    else:
        wrapped = _WRAPPED_QUESTION.match(text, marker.head, whole.end)
        end = wrapped.end() if wrapped else _line_end(text, marker.head, whole.end)
        head = trimmed(text, Span(marker.head, end))
        certain = marker.question or above_others
        question, rest = _split_opening_line(text, head, whole, certain=certain)
    answer = skip_answer_mark(text, trimmed(text, rest), lettered=marker.lettered)
    return _without_bold(text, question), answer


def _without_bold(text: str, question: Span) -> Span:
    """Leave out the asterisks of Markdown's bold, and the colon after them."""
    quote = text[question.start : question.end]
    if not re.search(r"(?:\*\*|__)[:：]?$", quote):
        return question
    start = question.start + len(quote) - len(quote.lstrip("*_ "))
    return Span(start, max(start, question.start + len(quote.rstrip("*_:： "))))


def _split_opening_line(text: str, head: Span, whole: Span, *, certain: bool) -> tuple[Span, Span]:
    line = text[head.start : head.end]
    mark = min((p for p in (line.find("?"), line.find("？")) if p >= 0), default=-1)
    rest = Span(min(head.end, whole.end), whole.end)
    if 0 <= mark < len(line) - 1 and line[mark + 1 :].strip('?？!！ 」』”"'):
        return Span(head.start, head.start + mark + 1), Span(head.start + mark + 1, whole.end)
    if certain or is_question(line):
        return head, rest
    statement = line.endswith(_STATEMENT_ENDS) or len(line) > _LONGEST_QUESTION
    if statement or not text[rest.start : rest.end].strip():
        return Span(head.start, head.start), Span(head.start, whole.end)
    return head, rest


def _paragraphs(lines: Sequence[Line], path: tuple[str, ...]) -> Iterator[_Piece]:
    block: list[Line] = []
    for line in [*lines, Line(Span(0, 0), "")]:
        too_long = block and line.span.end - block[0].span.start > _LONGEST_PARAGRAPH
        if block and (not line.text or too_long):
            span = Span(block[0].span.start, block[-1].span.end)
            yield _Piece(span, Span(span.start, span.start), span, path)
            block = []
        if line.text:
            block.append(line)
