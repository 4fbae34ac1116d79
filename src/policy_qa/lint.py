"""What an editor of the corpus should look at: rules that contradict each other, and others.

Answers warn of the entries that a query finds (see `answers`). Here every entry is compared with
those nearest to it, by the same tests of `disagreements`, whatever anybody asks.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from policy_qa.dates import dates
from policy_qa.disagreements import (
    about_the_same,
    disagreement,
    likeness,
    said_by_one,
    same_case,
    same_question,
    same_wording,
)
from policy_qa.evaluation.judgments import QRELS_FILE
from policy_qa.evaluation.saved_cases import EVAL_FOLDER
from policy_qa.evaluation.sets import check_against, load_evaluation_set
from policy_qa.facts import read_sentence
from policy_qa.folding import fold
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.lines import is_heading
from policy_qa.passages import WIDE
from policy_qa.places import Source
from policy_qa.settings import SENTENCES_READ
from policy_qa.storage import VECTORS_FILE
from policy_qa.types import Citation, Entry, Sentence, Vector, Vectors
from policy_qa.vector_cache import VectorCache

FindingKind = Literal[
    "deadline", "amount", "polarity", "bearer",
    "expired", "expiring", "not_yet",
    "unreadable", "no_answer", "off_question",
    "duplicate", "dated", "no_question", "long", "unreached",
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

FEWEST_COMPARED: Final = 20
"""Entries with a question and an answer from which on it is told how near an answer is to its
question among others. With 10 hardly a wrong one stands out."""

OWN_BELOW: Final = 0.0
"""Nearness (see `nearer_elsewhere`) of an answer to its own question, below which it may not belong
there: that to a question taken at random. The next two figures are of `eval/results/lint.md`."""

OTHER_FROM: Final = 2.5
"""Nearness to the question that it may belong to. From 2 on every fifth one told of on the tuning
halves of covidfaq and stard answers its question after all, from 2.5 on none does."""

RARE_HAN_FROM: Final = 0.4
"""Share of the Han characters of a sentence that are not among the 3,755 commonest (GB 2312, level
1) if another encoding was read into it. Of 110,000 sentences of encyclopedia and law the rarest
have .3, but for lists of the names of elements or fish, whose single characters are not counted."""

RARE_HAN_WITH_KANA_FROM: Final = 0.15
"""The same if kana and foreign letters stand among them, as in Big5 read as GBK."""

_HAN: Final = r"\u3400-\u9fff\uf900-\ufaff"
_BROKEN: Final = re.compile(
    # what replaces a character, steers a machine, or means something to one vendor alone; the
    # bullets of symbol fonts, U+F000 to U+F0FF, are left out
    r"[\ufffd\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ue000-\uefff\uf100-\uf8ff]"
    r"|[ÂÃ][\x80-\xbf]|â€|ï»¿|ï¿½"  # UTF-8 read as Windows-1252
    r"|[锟錕]斤拷|[烫燙]{3}|屯{4}"  # what was no text read as GBK
)
_LATIN_RUN: Final = re.compile(r"[\x80-\xffŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]{6,}")
"""Chinese read as a Western encoding, if there are letters in it."""
_LATIN_LETTER: Final = re.compile(r"[À-ÿ]")
_HAN_RUN: Final = re.compile(rf"[{_HAN}]{{2,}}")
_KANA_AMONG_HAN: Final = re.compile(
    rf"(?<=[{_HAN}])[\u3040-\u30ff\u0391-\u03c9\u0410-\u044f]{{1,2}}(?=[{_HAN}])"
)
_FEWEST_HAN: Final = 8
_FEWEST_LOST: Final = 6
"""Question marks that stand for what an encoding could not write, if they are half of a text."""

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
            longer. `unreadable`: signs that nobody can read, as where a file was read in a wrong
            encoding. `no_answer`: a question without an answer. `off_question`: an answer that does
            not seem to belong to its question. `duplicate`: two entries ask the same, or say the
            same to like questions. `dated`: words are tied to a date that has passed, which may be
            history as well as a rule that lapsed. `no_question`: text between entries that belongs
            to none. `long`: an answer too long to be looked through. `unreached`: an entry that no
            query of the evaluation set is said to be answered by.
        places: What it is about; of two entries the one that comes first in the source first, but
            of `off_question` the entry itself and then the one whose question its answer fits.
        day: Of `expired`, `expiring`, `not_yet` and `dated`, the day.
        value: Of `duplicate`, the cosine of the two questions; of `long`, the characters of the
            answer; of `off_question`, how much nearer the answer is to the other question (see
            `nearer_elsewhere`).
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


@dataclass(frozen=True, slots=True)
class _Answered:
    """An entry with a question and an answer, as much of it as is compared with others.

    Attributes:
        question: Folded.
        answer: Its first sentences, folded.
        head: Where the question stands.
    """

    question: str
    answer: tuple[str, ...]
    head: Citation

    @classmethod
    def of(cls, told: _Told, head: Citation) -> "_Answered":
        return cls(_heading(told), tuple(fold(one.passage.text) for one in _beginning(told)), head)


Read = Callable[[str], Source]
"""Returns the document of an id."""


def lint(
    kb: KnowledgeBase, today: date | None = None, *, evaluation: str | Path | None = None
) -> list[Finding]:
    """Return what to look at: the gravest kind first, of a kind in the source's order.

    Two entries are told of together at most once, but for `off_question`.

    Args:
        kb: The knowledge base.
        today: The day by which dates have passed; the present one if None.
        evaluation: The folder of an evaluation set about the knowledge base, by which entries are
            reached or not; if None, the cases that were saved in it, if there are any.

    Raises:
        EvaluationError: If the evaluation set cannot be used; the message names file and line.
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
    reached = _reached(kb, entries, evaluation)
    findings: list[Finding] = []
    answered: list[_Answered] = []
    questions = np.zeros((len(entries), kb.manifest.dim), np.float32)
    wholes = np.zeros_like(questions)
    for number, entry in enumerate(entries):
        said, source = told(entry.id), read(entry.document_id)
        findings += _of_its_time(entry, said, source, today)
        findings += _of_its_form(entry, said, source, headed=entry.document_id in headed)
        findings += _unreadable(said, source)
        if reached is not None and entry.id not in reached and _can_be_asked_for(entry, source):
            findings.append(Finding("unreached", (_head(entry, said, source),)))
        if said.question:
            questions[number] = said.question.vector
            if said.answer and not _is_number(_heading(said)):
                answered.append(_Answered.of(said, _head(entry, said, source)))
        wholes[number] = _mean(said)
    for one, other in sorted({*_near(questions), *_near(wholes)}):
        if _hold_together(entries[one], entries[other], today):
            findings += _of_both(entries[one], entries[other], told, read)
    findings += _off_question(kb, answered)
    order = {entry.id: number for number, entry in enumerate(entries)}
    return sorted(findings, key=lambda found: _rank(found, order))


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
    units = _unit(dense.vectors(np.array([row for row, _ in indexed], np.int64)))
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


def _unreadable(told: _Told, source: Source) -> Iterator[Finding]:
    """Yield where an entry is first unreadable."""
    said = [told.question, *told.answer] if told.question else told.answer
    for sentence in said:
        if garbled(sentence.passage.text):
            yield Finding("unreadable", (source.cite_passage(sentence.passage),))
            return


def garbled(text: str) -> bool:
    """Whether a sentence holds signs that nobody can read, as where encodings were mixed up."""
    lost = text.count("?")
    if lost >= _FEWEST_LOST and 2 * lost >= len("".join(text.split())):
        return True
    if _BROKEN.search(text):
        return True
    if text.isascii():
        return False
    if any(len(_LATIN_LETTER.findall(run)) >= 3 for run in _LATIN_RUN.findall(text)):
        return True
    return _is_rare_chinese(text)


def _is_rare_chinese(text: str) -> bool:
    """Whether far more characters are rare than in Chinese that somebody wrote."""
    folded = fold(text)
    han = "".join(_HAN_RUN.findall(folded))
    if len(han) < _FEWEST_HAN:
        return False
    rare = sum(character not in _common_han() for character in han) / len(han)
    if rare >= RARE_HAN_FROM:
        return True
    return rare >= RARE_HAN_WITH_KANA_FROM and len(_KANA_AMONG_HAN.findall(folded)) >= 2


@cache
def _common_han() -> frozenset[str]:
    """Return the characters of level 1 of GB 2312, folded."""
    rows = bytes(range(0xA1, 0xFF))
    text = "".join(
        bytes((row, column)).decode("gb2312", "ignore")
        for row in range(0xB0, 0xD8)
        for column in rows
    )
    return frozenset(fold(text))


def _reached(
    kb: KnowledgeBase, entries: Sequence[Entry], evaluation: str | Path | None
) -> frozenset[str] | None:
    """Return the entries that queries of an evaluation set are answered by; None without a set."""
    folder = kb.path / EVAL_FOLDER if evaluation is None else Path(evaluation)
    if evaluation is None and not (folder / QRELS_FILE).is_file():
        return None
    loaded = load_evaluation_set(folder)
    if evaluation is not None:  # saved cases may name entries that are gone since
        check_against(loaded, (entry.id for entry in entries))
    return frozenset(qrel.entry_id for qrel in loaded.qrels if qrel.relevance > 0)


def _can_be_asked_for(entry: Entry, source: Source) -> bool:
    """Whether an entry says anything that a query could be answered by: it is no mere title."""
    if not entry.answer:
        return False
    return bool(entry.question) or not is_heading(source.cite(entry.id, entry.answer).quote)


def _off_question(kb: KnowledgeBase, answered: Sequence[_Answered]) -> Iterator[Finding]:
    """Yield the entries whose answers do not seem to belong to their questions."""
    if len(answered) < FEWEST_COMPARED:
        return
    questions, answers = question_vectors(kb, answered), answer_vectors(kb, answered)
    for one, other, much in nearer_elsewhere(questions, answers):
        yield Finding("off_question", (answered[one].head, answered[other].head), value=much)


def question_vectors(kb: KnowledgeBase, answered: Sequence[_Answered]) -> Vectors:
    """Return `(len(answered), dim) float32`, unit rows: what each asks, centred."""
    centres = kb._retriever._centres  # noqa: SLF001 (vectors have no other reader)
    texts = [one.question for one in answered]
    pairs = zip(texts, kb.encoder.encode_queries(texts), strict=True)
    return np.stack([centres.query_vectors(text, vector)[1] for text, vector in pairs])


def answer_vectors(kb: KnowledgeBase, answered: Sequence[_Answered]) -> Vectors:
    """Return `(len(answered), dim) float32`, unit rows: what each says, whatever it is asked.

    The vectors of the index hold the questions; those of the sentences alone were kept when it was
    built. What is not there any more is encoded.
    """
    centres = kb._retriever._centres  # noqa: SLF001 (as above)
    directions = []
    with ExitStack() as stack:
        kept = _kept_vectors(kb)
        if kept:
            stack.enter_context(closing(kept))
        for start in range(0, len(answered), _BLOCK):
            some = [one.answer for one in answered[start : start + _BLOCK]]
            texts = sorted({text for answer in some for text in answer})
            vectors = _unit(centres.passage_vectors(texts, _encoded(kb, kept, texts)))
            place = {text: row for row, text in enumerate(texts)}
            directions += [
                vectors[[place[text] for text in answer]].mean(axis=0) for answer in some
            ]
    return _unit(np.stack(directions))


def _kept_vectors(kb: KnowledgeBase) -> VectorCache | None:
    file = kb.path / VECTORS_FILE
    try:
        return VectorCache(file, kb.encoder.identity, kb.encoder.dim) if file.is_file() else None
    except sqlite3.Error:
        return None


def _encoded(kb: KnowledgeBase, kept: VectorCache | None, texts: Sequence[str]) -> Vectors:
    """Return `(len(texts), dim) float32` vectors of passages, those that were kept as they are."""
    keys = {kept.key("passage", text): text for text in texts} if kept else {}
    try:
        halves = kept.get([*keys]) if kept else {}
    except sqlite3.Error:  # another process holds the file
        halves = {}
    known = {keys[key]: np.frombuffer(half, np.float16) for key, half in halves.items()}
    missing = [text for text in texts if text not in known]
    if missing:
        known |= dict(zip(missing, kb.encoder.encode_passages(missing), strict=True))
    return np.stack([known[text] for text in texts]).astype(np.float32)


def nearer_elsewhere(questions: Vectors, answers: Vectors) -> Iterator[tuple[int, int, float]]:
    """Yield answers that are nearer to another question than to their own.

    How near an answer is to a question is their cosine in standard deviations above the mean: that
    of the answer with all questions, and that of the question with all answers; of both the mean.
    So neither answers that are near to everything nor questions that say nothing stand out.

    Args:
        questions: `(n, dim) float32`, unit rows.
        answers: `(n, dim) float32`, unit rows: those of the questions.

    Yields:
        The row of the answer, that of the question that it is nearest to, and how much nearer.
    """
    of_answers, of_questions = _moments(answers, questions), _moments(questions, answers)
    for start in range(0, len(answers), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosines = answers[rows] @ questions.T
        near = (cosines - of_answers[0][rows, None]) / of_answers[1][rows, None]
        near = (near + (cosines - of_questions[0]) / of_questions[1]) / 2
        for row, nearness in enumerate(near, start=start):
            own = float(nearness[row])
            nearness[row] = -np.inf
            other = int(nearness.argmax())
            if own < OWN_BELOW and nearness[other] >= OTHER_FROM:
                yield row, other, float(nearness[other]) - own


def _moments(rows: Vectors, others: Vectors) -> tuple[Vector, Vector]:
    """Return mean and standard deviation, `(n,) float32` each, of each row's cosines with others.

    They follow from the mean and the covariance of the others, without any matrix of all pairs.
    """
    mean = others.mean(axis=0)
    covariance = others.T @ others / len(others) - np.outer(mean, mean)
    variances = np.einsum("nd,nd->n", rows @ covariance, rows)
    return rows @ mean, np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny))


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


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
    """Yield what two entries contradict each other in; else whether one repeats the other.

    What one document says to the same question below other headings does neither (see `answers`).
    """
    ours, theirs = told(one.id), told(other.id)
    if _of_other_articles(one, other, ours, theirs):
        return
    here, there = read(one.document_id), read(other.document_id)
    worded = _worded_the_same(ours, theirs)
    if worded and not same_case(one, other):
        if one.document_id == other.document_id:
            return
        worded = False
    same = _ask_the_same(ours, theirs)
    pairs = about_the_same(
        *said_by_one(_beginning(ours), _beginning(theirs)), same_question=same, same_wording=worded
    )
    for mine, yours in islice(pairs, None if worded else _PAIRS_READ):
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


def _worded_the_same(ours: _Told, theirs: _Told) -> bool:
    """Whether two entries have the same question in the same words."""
    if ours.question is None or theirs.question is None or _is_number(_heading(ours)):
        return False
    return same_wording(ours.question.passage.text, theirs.question.passage.text)


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
