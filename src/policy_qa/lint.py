"""What an editor of the corpus should look at: rules that contradict each other, and others.

Answers warn of the entries that a query finds (see `answers`). Here every entry is compared with
those nearest to it, by the same tests of `disagreements`, whatever anybody asks.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Literal, get_args

import numpy as np

from policy_qa.dates import dates
from policy_qa.disagreements import about_the_same, disagreement, likeness, same_question
from policy_qa.facts import read_sentence
from policy_qa.folding import fold
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.lines import is_heading
from policy_qa.passages import WIDE
from policy_qa.places import Source
from policy_qa.settings import SENTENCES_READ
from policy_qa.types import Citation, Entry, Sentence, Vector, Vectors

FindingKind = Literal[
    "deadline", "amount", "polarity", "bearer",
    "expired", "expiring", "not_yet",
    "no_answer", "duplicate", "dated", "no_question", "long",
]  # fmt: skip
KINDS: Final[tuple[FindingKind, ...]] = get_args(FindingKind)
"""In the order in which they are told, the gravest first."""

EXPIRING_DAYS: Final = 30
"""An entry that ends within so many days is told of."""

LONGEST_ANSWER: Final = 3_000
"""Columns, of which a Chinese character takes two, that can be looked through: 1,500 Chinese
characters or 3,000 Latin ones, two to three minutes' reading."""

NEIGHBOURS: Final = 10
"""Entries that each one is compared with: the nearest by their questions and by all they say."""

NEAR_FROM: Final = 0.8
"""Cosine of questions, or of whole entries, from which entries are compared."""

DUPLICATE_FROM: Final = 0.92
"""Cosine of questions that ask the same, if they also share words."""

DUPLICATE_WORDS_FROM: Final = 0.5
"""Share of the shorter question's words that the other one has too."""

REPEATED_FROM: Final = 0.4
"""Share of the shorter answer that another entry repeats in nearly the same words."""

_ARTICLE: Final = re.compile(
    r"第[\d零〇一二三四五六七八九十百千]+[条款项](?:之[一二三四五六七八九十]+)?"
    r"|(?:\b(?:article|section|clause)|§)\s?[\d.]*\d"
)
"""The number of an article of a statute, folded."""
_BLOCK: Final = 256
"""Entries compared with all others at once: 10 MB for ten thousand."""
_ENTRIES_KEPT: Final = 1_024
_DOCUMENTS_KEPT: Final = 256
_PAIRS_READ: Final = 64
"""Pairs of sentences of two entries that are read, the nearest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at.

    Attributes:
        kind: `deadline`, `amount`, `polarity` and `bearer`: two entries contradict each other.
            `expired`, `not_yet`: an entry does not hold any more, or not yet; `expiring`: not much
            longer. `no_answer`: a question without an answer. `duplicate`: two entries ask the
            same, or say the same to like questions. `dated`: words are tied to a date that has
            passed, which may be history as well as a rule that lapsed. `no_question`: text between
            entries that belongs to none. `long`: an answer too long to be looked through.
        places: What it is about; of two entries the one that comes first in the source first.
        day: Of `expired`, `expiring`, `not_yet` and `dated`, the day.
        value: Of `duplicate`, the cosine of the two questions; of `long`, the characters of the
            answer.
    """

    kind: FindingKind
    places: tuple[Citation, ...]
    day: date | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What an entry asks and says.

    Attributes:
        question: None if it has none.
        answer: Its sentences, in the source's order.
    """

    question: Sentence | None
    answer: Sequence[Sentence]


Read = Callable[[str], Source]
"""Returns the document of an id."""


def lint(kb: KnowledgeBase, today: date | None = None) -> list[Finding]:
    """Return what to look at: the gravest kind first, of a kind in the source's order.

    Two entries are told of together at most once.

    Args:
        kb: The knowledge base.
        today: The day by which dates have passed; the present one if None.
    """
    today = today or date.today()  # noqa: DTZ011 (rules go by the reader's own calendar)

    @lru_cache(_DOCUMENTS_KEPT)
    def read(document_id: str) -> Source:
        return Source(kb.document(document_id))

    @lru_cache(_ENTRIES_KEPT)
    def told(entry_id: str) -> _Told:
        return _told(kb, entry_id)

    entries = kb.entries()
    headed = _headed(entries)
    findings: list[Finding] = []
    questions = np.zeros((len(entries), kb.manifest.dim), np.float32)
    wholes = np.zeros_like(questions)
    for number, entry in enumerate(entries):
        said, source = told(entry.id), read(entry.document_id)
        findings += _of_its_time(entry, said, source, today)
        findings += _of_its_form(entry, said, source, headed=entry.document_id in headed)
        if said.question:
            questions[number] = said.question.vector
        wholes[number] = _mean(said)
    for one, other in sorted({*_near(questions), *_near(wholes)}):
        if _hold_together(entries[one], entries[other], today):
            findings += _of_both(entries[one], entries[other], told, read)
    order = {entry.id: number for number, entry in enumerate(entries)}
    return sorted(findings, key=lambda found: _rank(found, order))


def finding_fields(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON fields."""
    return {
        "kind": finding.kind,
        "places": [_citation_fields(place) for place in finding.places],
        "day": finding.day.isoformat() if finding.day else None,
        "value": None if finding.value is None else round(finding.value, 4),
    }


def _citation_fields(citation: Citation) -> dict[str, Any]:
    """Return a place as JSON fields, named as an answer's."""
    return {
        "document": citation.document_id,
        "entry": citation.entry_id,
        "line": citation.line,
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
    }


def _rank(finding: Finding, order: dict[str, int]) -> tuple[object, ...]:
    places = ((order[p.entry_id], p.span.start, p.span.end) for p in finding.places)
    return (KINDS.index(finding.kind), *places)


def _told(kb: KnowledgeBase, entry_id: str) -> _Told:
    """Return what an entry asks and says."""
    store, dense = kb._store, kb._retriever._dense  # noqa: SLF001 (vectors have no other reader)
    indexed = [
        (row, passage)
        for row, passage in store.passages(entry_id)
        if kb.manifest.questions_indexed or not passage.is_question
    ]
    vectors = dense.vectors(np.array([row for row, _ in indexed], np.int64))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    sentences = [Sentence(p, 0.0, unit) for (_, p), unit in zip(indexed, units, strict=True)]
    question = next((one for one in sentences if one.passage.is_question), None)
    return _Told(question, [one for one in sentences if not one.passage.is_question])


def _headed(entries: Sequence[Entry]) -> set[str]:
    """Return the documents of which most entries have a question, or stand under a heading."""
    total = Counter(entry.document_id for entry in entries)
    headed = Counter(entry.document_id for entry in entries if entry.question or entry.path)
    return {name for name, count in headed.items() if 2 * count > total[name]}


def _mean(told: _Told) -> Vector:
    """Return the `(dim,) float32` direction of all that an entry asks and says."""
    sentences = [*told.answer, told.question] if told.question else told.answer
    if not sentences:
        return np.zeros(1, np.float32)
    mean = np.mean([sentence.vector for sentence in sentences], axis=0)
    return np.asarray(mean / (np.linalg.norm(mean) or 1), np.float32)


def _near(vectors: Vectors) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows, the lesser first, of which one is among the other's nearest.

    Args:
        vectors: `(n, dim) float32`, unit rows, or zeros for what has no neighbours.
    """
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        for row, near in enumerate(cosines, start=start):
            near[row] = -1
            (others,) = np.nonzero(near >= NEAR_FROM)
            for other in others[np.argsort(-near[others], kind="stable")[:NEIGHBOURS]]:
                yield min(row, int(other)), max(row, int(other))


def _of_its_time(entry: Entry, told: _Told, source: Source, today: date) -> Iterator[Finding]:
    """Yield whether an entry holds today, and for long, and what of it is tied to a past date."""
    whole = (_head(entry, told, source),)
    if entry.expires and entry.expires < today:
        yield Finding("expired", whole, entry.expires)
    elif entry.expires and entry.expires <= today + timedelta(EXPIRING_DAYS):
        yield Finding("expiring", whole, entry.expires)
    if entry.effective_from and entry.effective_from > today:
        yield Finding("not_yet", whole, entry.effective_from)
    for sentence in told.answer:
        passage = sentence.passage
        if not dates(fold(passage.text)):  # reading all that a sentence says takes far longer
            continue
        past = [dated for dated in read_sentence(passage.text).dates if dated.last < today]
        if past:
            latest = max(past, key=lambda dated: dated.last)
            yield Finding("dated", (source.cite_passage(passage, latest.span),), latest.last)


def _of_its_form(entry: Entry, told: _Told, source: Source, *, headed: bool) -> Iterator[Finding]:
    """Yield whether an entry lacks its answer or its question, or is too long.

    Args:
        entry: The entry.
        told: What it asks and says.
        source: Its document.
        headed: Whether most entries of the document have a question or heading, so that text
            without any is a stray.
    """
    head = _head(entry, told, source)
    answer = source.cite(entry.id, entry.answer).quote
    if entry.question and not entry.answer:
        yield Finding("no_answer", (head,))
    if headed and not entry.question and not entry.path and not is_heading(answer):
        yield Finding("no_question", (head,))
    if len(answer) + len(WIDE.findall(answer)) > LONGEST_ANSWER:
        yield Finding("long", (head,), value=len(answer))


def _head(entry: Entry, told: _Told, source: Source) -> Citation:
    """Return the question of an entry, or the first sentence of one that has none."""
    if entry.question or not told.answer:
        return source.cite(entry.id, entry.question or entry.span)
    return source.cite_passage(told.answer[0].passage)


def _hold_together(one: Entry, other: Entry, today: date) -> bool:
    """Whether both entries hold on some day from now on: one may follow the other."""
    first = max(today, *(entry.effective_from or date.min for entry in (one, other)))
    return first <= min(entry.expires or date.max for entry in (one, other))


def _of_both(
    one: Entry, other: Entry, told: Callable[[str], _Told], read: Read
) -> Iterator[Finding]:
    """Yield what two entries contradict each other in; else whether one repeats the other."""
    ours, theirs = told(one.id), told(other.id)
    if _of_other_articles(one, other, ours, theirs):
        return
    here, there = read(one.document_id), read(other.document_id)
    same = _ask_the_same(ours, theirs)
    pairs = about_the_same(_beginning(ours), _beginning(theirs), same_question=same)
    for mine, yours in islice(pairs, _PAIRS_READ):
        if found := disagreement(mine.passage.text, yours.passage.text):
            quotes = (
                here.cite_passage(mine.passage, found.ours),
                there.cite_passage(yours.passage, found.theirs),
            )
            yield Finding(found.kind, quotes)
            return
    if ours.question and theirs.question and (same or _duplicate(ours, theirs)):
        heads = (here.cite(one.id, one.question), there.cite(other.id, other.question))
        yield Finding("duplicate", heads, value=_cosine(ours.question, theirs.question))


def _of_other_articles(one: Entry, other: Entry, ours: _Told, theirs: _Told) -> bool:
    """Whether two entries are headed by different articles of statutes.

    Articles on like cases are alike to the word, and set other limits and penalties on purpose.
    Where the heading is the number alone, other documents may well speak of the same case.
    """
    mine, yours = _heading(ours), _heading(theirs)
    if mine == yours or not (_ARTICLE.search(mine) and _ARTICLE.search(yours)):
        return False
    numbers_alone = _is_number(mine) and _is_number(yours)
    return not numbers_alone or one.document_id == other.document_id


def _heading(told: _Told) -> str:
    return fold(told.question.passage.text) if told.question else ""


def _is_number(heading: str) -> bool:
    """Whether a folded heading is only the number of an article, so that it asks nothing."""
    return _ARTICLE.fullmatch(heading.strip(" :.()[]【】")) is not None


def _ask_the_same(ours: _Told, theirs: _Told) -> bool:
    """Whether two entries answer the same question, as `answers` sees it.

    Questions that differ in a quantity or a denial ask about other cases.
    """
    if ours.question is None or theirs.question is None or _is_number(_heading(ours)):
        return False
    mine, yours = ours.question.passage.text, theirs.question.passage.text
    return same_question(ours.question, theirs.question) and disagreement(mine, yours) is None


def _duplicate(ours: _Told, theirs: _Told) -> bool:
    """Whether two entries ask nearly the same, or say much the same to like questions."""
    if ours.question is None or theirs.question is None:
        return False
    cosine = _cosine(ours.question, theirs.question)
    if cosine >= NEAR_FROM and _repeated(_beginning(ours), _beginning(theirs)) >= REPEATED_FROM:
        return True
    mine, yours = ours.question.passage.text, theirs.question.passage.text
    return (
        cosine >= DUPLICATE_FROM
        and not _is_number(_heading(ours))
        and any(about_the_same([ours.question], [theirs.question], same_question=True))
        and likeness(mine, yours) >= DUPLICATE_WORDS_FROM
        and disagreement(mine, yours) is None
    )


def _beginning(told: _Told) -> Sequence[Sentence]:
    return told.answer[:SENTENCES_READ]


def _cosine(ours: Sentence, theirs: Sentence) -> float:
    return float(ours.vector @ theirs.vector)


def _repeated(ours: Sequence[Sentence], theirs: Sequence[Sentence]) -> float:
    """Return the share, 0 to 1, of the shorter answer that the other one repeats."""
    shorter, longer = sorted((ours, theirs), key=_length)
    said = [
        sentence
        for sentence in shorter
        if any(about_the_same([sentence], longer, same_question=False))
    ]
    return _length(said) / (_length(shorter) or 1)


def _length(sentences: Sequence[Sentence]) -> int:
    return sum(len(sentence.passage.text) for sentence in sentences)
