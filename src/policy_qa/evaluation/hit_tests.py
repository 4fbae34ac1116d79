"""Hit tests: questions tried on a knowledge base, kept and compared.

The last test stands in `hit-test.json` beside the generations.
"""

import difflib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, get_args

from policy_qa.errors import (
    CorruptionError,
    EvaluationError,
)
from policy_qa.evaluation.measures import DEPTH
from policy_qa.evaluation.question_tables import Case, bare, one_line
from policy_qa.evaluation.runs import judge
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.storage import repair_command, write_atomically, writing
from policy_qa.types import Status

HIT_TEST_FILE: Final = "hit-test.json"
"""The last test, beside the generations."""

BATCH: Final = 64
"""Questions asked together, so that the hits of thousands are not in memory at once."""

_COMPARED = 100
"""Characters by which the nearest entry is told; comparing takes quadratic time."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one question.

    Attributes:
        query: What was asked.
        expected: The id of the entry that should be found; empty if nothing was expected.
        rank: Of the expected entry, 1 to `DEPTH`; None if it was not found or nothing was expected.
        found: The best entry's id; empty if nothing was found.
        question: The best entry's question in its own words; empty where it has none.
        status: What an answer would be called.
        confidence: That the best entry answers, 0 to 1.
    """

    query: str
    expected: str
    rank: int | None
    found: str
    question: str
    status: Status
    confidence: float


@dataclass(frozen=True, slots=True)
class HitTest:
    """Questions that were tried.

    Attributes:
        tried: Each question, in the order of the cases.
        generation: Of the knowledge base that was asked.
        day: When, ISO 8601.
    """

    tried: tuple[Tried, ...]
    generation: int
    day: str

    @property
    def judged(self) -> tuple[Tried, ...]:
        """Those of which it is known what should be found."""
        return tuple(tried for tried in self.tried if tried.expected)

    @property
    def hit_at_1(self) -> float | None:
        """The share of the judged ones whose entry is the best; None if none is judged."""
        return _hit(self.judged, 1)

    @property
    def hit_at_3(self) -> float | None:
        """The share of the judged ones whose entry is among three; None if none is judged."""
        return _hit(self.judged, 3)

    @property
    def hit_at_5(self) -> float | None:
        """The share of the judged ones whose entry is among five; None if none is judged."""
        return _hit(self.judged, 5)

    @property
    def mrr(self) -> float | None:
        """The mean of 1 / rank over the judged ones, 0 without a rank; None if none is judged."""
        judged = self.judged
        return math.fsum(1 / t.rank for t in judged if t.rank) / len(judged) if judged else None

    @property
    def statuses(self) -> dict[Status, int]:
        """How many questions have which status; every status is there."""
        counted = Counter(tried.status for tried in self.tried)
        statuses: tuple[Status, ...] = get_args(Status)
        return {status: counted[status] for status in statuses}


@dataclass(frozen=True, slots=True)
class Change:
    """Two tests compared where they ask the same and expect the same.

    Attributes:
        gained: Queries whose entry is the best now and was not before.
        lost: Queries whose entry was the best before and is not now.
        before: hit@1 of the earlier test over the common questions; None if there are none.
        after: hit@1 of the later test over them; None if there are none.
        common: How many there are.
    """

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    before: float | None
    after: float | None
    common: int


def resolve(cases: Iterable[Case], questions: Mapping[str, str]) -> list[Case]:
    """Replace what each case expects by the id of an entry.

    Args:
        cases: They name an entry by its id or by its question, whatever the script, the case, the
            width and the punctuation.
        questions: Every entry's id with its question, which may be empty.

    Raises:
        EvaluationError: If no entry is meant, or several may be; names the row and the nearest.
    """
    by_question: dict[str, list[str]] = {}
    for entry_id, question in questions.items():
        if key := bare(question):
            by_question.setdefault(key, []).append(entry_id)
    return [
        replace(case, expected=_entry(case, questions, by_question)) if case.expected else case
        for case in cases
    ]


def _entry(
    case: Case, questions: Mapping[str, str], by_question: Mapping[str, Sequence[str]]
) -> str:
    if case.expected in questions:
        return case.expected
    meant = by_question.get(bare(case.expected), [])
    if len(meant) == 1:
        return meant[0]
    shown = case.expected[:_COMPARED]
    if meant:
        raise EvaluationError(
            f"Row {case.line}: {shown!r} is the question of {', '.join(meant[:5])}. Give the id of "
            "the one that is expected."
        )
    nearest = _nearest(case.expected, questions)
    raise EvaluationError(
        f"Row {case.line}: there is no entry {shown!r}, neither as an id nor as a question. "
        f"{nearest}Correct it or leave it empty."
    )


def _nearest(expected: str, questions: Mapping[str, str]) -> str:
    named = {bare(entry_id)[:_COMPARED]: entry_id for entry_id in questions}
    for entry_id, question in questions.items():
        shown = one_line(question)[:_COMPARED]
        named.setdefault(bare(question)[:_COMPARED], f"{entry_id} ({shown})")
    near = difflib.get_close_matches(bare(expected)[:_COMPARED], named, n=1)
    return f"The nearest is {named[near[0]]}. " if near else ""


def run_test(kb: KnowledgeBase, cases: Iterable[Case]) -> HitTest:
    """Ask a knowledge base every question of the cases.

    Raises:
        EvaluationError: If a case expects an entry that is not there; see `resolve`.
        QueryError: If a query cannot be asked.
    """
    questions = dict.fromkeys((entry.id for entry in kb.entries()), "") | kb.questions()
    resolved = resolve(cases, questions)
    tried: list[Tried] = []
    for start in range(0, len(resolved), BATCH):
        batch = resolved[start : start + BATCH]
        answers = judge(kb, [case.query for case in batch], DEPTH)
        for case, (hits, confidence, status) in zip(batch, answers, strict=True):
            ranks = {hit.entry.id: hit.rank for hit in hits}
            tried.append(
                Tried(
                    query=case.query,
                    expected=case.expected,
                    rank=ranks.get(case.expected),
                    found=hits[0].entry.id if hits else "",
                    question=hits[0].question if hits else "",
                    status=status,
                    confidence=round(confidence, 6),
                )
            )
    day = date.today().isoformat()  # noqa: DTZ011 (the reader's own calendar)
    return HitTest(tuple(tried), kb.generation, day)


def compare(before: HitTest, after: HitTest) -> Change:
    """Compare two tests over the questions that both judge by the same entry."""
    earlier = {(tried.query, tried.expected): tried for tried in before.judged}
    later = {(tried.query, tried.expected): tried for tried in after.judged}
    pairs = [(earlier[key], tried) for key, tried in later.items() if key in earlier]
    return Change(
        gained=tuple(new.query for old, new in pairs if old.rank != 1 and new.rank == 1),
        lost=tuple(new.query for old, new in pairs if old.rank == 1 and new.rank != 1),
        before=_hit([old for old, _ in pairs], 1),
        after=_hit([new for _, new in pairs], 1),
        common=len(pairs),
    )


def _hit(judged: Sequence[Tried], k: int) -> float | None:
    if not judged:
        return None
    return sum(tried.rank is not None and tried.rank <= k for tried in judged) / len(judged)


def keep(path: Path, test: HitTest) -> None:
    """Keep a test in a knowledge base as its last one.

    Raises:
        LockedError: If another process is writing to the knowledge base.
        StorageError: If the disk is full or refuses to be written.
    """
    with writing(path):
        write_atomically(path / HIT_TEST_FILE, json.dumps(asdict(test), indent=1) + "\n")


def last(path: Path) -> HitTest | None:
    """Return the test that a knowledge base keeps; None if it keeps none.

    Raises:
        CorruptionError: If the file is damaged; says to delete it.
    """
    file = path / HIT_TEST_FILE
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        test = HitTest(**{**kept, "tried": tuple(Tried(**tried) for tried in kept["tried"])})
        _check(test)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptionError(
            f"{file} is damaged ({one_line(str(error))[:_COMPARED] or type(error).__name__}). "
            f"Delete it, or run {repair_command(path)}; the next test is kept again."
        ) from error
    return test


def _check(test: HitTest) -> None:
    """Check what was read.

    Raises:
        TypeError, ValueError: If it is not as it was written.
    """
    date.fromisoformat(test.day)
    if type(test.generation) is not int or not all(map(_is_whole, test.tried)):
        raise ValueError("its fields are not those of a test")


def _is_whole(tried: Tried) -> bool:
    texts = (tried.query, tried.expected, tried.found, tried.question)
    return (
        all(isinstance(text, str) for text in texts)
        and (tried.rank is None or (type(tried.rank) is int and 1 <= tried.rank <= DEPTH))
        and (tried.rank is None or tried.expected != "")
        and tried.status in get_args(Status)
        and type(tried.confidence) in {int, float}
        and 0 <= tried.confidence <= 1
    )
