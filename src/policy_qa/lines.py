"""The lines of a document: what opens an entry, and whether a line asks or heads."""

import re
from dataclasses import dataclass
from typing import Final

from policy_qa.types import Span

QUESTION_ENDS: Final = ("?", "？", "嗎", "吗", "呢")
LONGEST_QUESTION_LINE: Final = 120
LONGEST_HEADING: Final = 40
SENTENCE_ENDS: Final = tuple("。.!！?？,，;；:：、…")
FRONT_MATTER: Final = re.compile(r"---[ \t]*\r?\n((?:.*?\r?\n)?)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
"""What stands between lines of three dashes at the top of a Markdown file: data about it."""
_INTERROGATIVE: Final = re.compile(
    r"如何|怎[麼么樣样辦办]|什[麼么]|甚麼|哪[些個个裡裏里種种兒儿位]|何[時时]|[為为]何|是否|[能可]否"
    r"|多[久少]|[嗎吗誰谁]|([能可要會会是該该])不\1|有[沒没]有"
    r"|(?<![好這这那十百千數数前近])[幾几][天個个日週周月年次件種种筆笔張张位人元塊块點点時时小分]"
    r"|(?i:^(?:how|what|when|where|why|who|which|can|could|do|does|is|are|will|should|may)\b)"
)


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
        lettered: Whether the mark is `Q.`, so that the answer may begin with `A.`.
    """

    start: int
    head: int
    head_end: int | None = None
    level: int = 0
    question: bool = False
    lettered: bool = False


def is_question(text: str) -> bool:
    """Whether a line is written as a question."""
    return text.rstrip('。.!！ 」』"”').endswith(QUESTION_ENDS)


def asks(text: str) -> bool:
    """Whether a line asks something, with or without a question mark; a statement never does."""
    return is_question(text) or (
        len(text) <= LONGEST_QUESTION_LINE
        and not text.endswith(SENTENCE_ENDS)
        and _INTERROGATIVE.search(text) is not None
    )


def is_heading(text: str) -> bool:
    """Whether a line is short and ends without closing punctuation."""
    longest = 2 * LONGEST_HEADING if text.isascii() else LONGEST_HEADING
    return len(text) <= longest and not text.endswith(SENTENCE_ENDS)
