"""Corpora of evaluation sets: `corpus.jsonl`, a record a line, each a document of one entry."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from policy_qa.errors import EvaluationError
from policy_qa.evaluation.files import records, string
from policy_qa.types import Document, Entry, Span

CORPUS_FILE = "corpus.jsonl"

_FORM = '{"id": "d1", "title": "…", "text": "…"}'


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a corpus.

    Attributes:
        id: Unique in its corpus.
        title: The stored question; empty where there is none.
        text: What answers it.
        group: The records of a group answer the same; empty where the corpus has no groups.
    """

    id: str
    title: str
    text: str
    group: str = ""

    @property
    def answers(self) -> bool:
        """Whether the text says more than the title."""
        return bool(self.text.strip()) and self.text.strip() != self.title.strip()

    @property
    def whole(self) -> str:
        """The document's text."""
        return "\n".join(filter(None, (self.title, self.text if self.answers else "")))


def read_records(folder: Path) -> Mapping[str, Record]:
    """Return the records of a folder's `corpus.jsonl` by id, in the order of the file.

    Args:
        folder: Holds the file: one object a line with `id` or `_id`, `text`, and optionally
            `title` and `group`.

    Raises:
        EvaluationError: The file or a line cannot be used; the message names it.
    """
    path = folder / CORPUS_FILE
    found: dict[str, Record] = {}
    stands: dict[str, int] = {}
    for number, record in records(path, _FORM):
        where = f"{path}:{number}"
        read = Record(
            id=string(record, ("id", "_id"), where, _FORM),
            title=string(record, ("title",), where, _FORM, blank=True) if "title" in record else "",
            text=string(record, ("text",), where, _FORM, blank=True),
            group=string(record, ("group",), where, _FORM) if "group" in record else "",
        )
        if not read.whole.strip():
            raise EvaluationError(f"{where}: neither 'title' nor 'text' says anything; fill one")
        if read.id in stands:
            raise EvaluationError(
                f"{where}: record id {read.id!r} stands on line {stands[read.id]} already; "
                "give each record its own"
            )
        found[read.id], stands[read.id] = read, number
    if not found:
        raise EvaluationError(f"{path}:1: no record; write one a line, such as {_FORM}")
    return found


def parsed(record: Record) -> tuple[Document, list[Entry]]:
    """Return a record as a document of one entry: its title the question, its text the answer."""
    whole, end = record.whole, len(record.title)
    start = min(end + bool(end), len(whole)) if record.answers else len(whole)
    entry = Entry(
        f"{record.id}#1",
        record.id,
        Span(0, len(whole)),
        question=Span(0, end),
        answer=Span(start, len(whole)),
    )
    return Document(record.id, whole), [entry]


def digest(parts: Iterable[object]) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of some JSON values, in their order."""
    state = hashlib.sha256()
    for part in parts:
        state.update(json.dumps(part, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return state.hexdigest()[:16]
