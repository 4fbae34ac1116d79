"""Whether two sentences that are about the same thing say different things about it.

They are about the same thing if their entries answer the same question and they mean nearly the
same, or if they are nearly the same sentence. Then they disagree in a deadline or an amount if one
states a quantity of a kind where the other states another; in polarity if one denies, or forbids,
what the other does not; in the bearer if another party pays or is responsible.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from policy_qa.agreement import claims, clashes, permissions_clash, stored_claims
from policy_qa.facts import SentenceFact, read_sentence
from policy_qa.folding import fold
from policy_qa.patterns import patterns
from policy_qa.quantities import number
from policy_qa.settings import (
    SAME_QUESTION_FROM,
    SAME_QUESTION_SENTENCES_FROM,
    SAME_SENTENCE_FROM,
    SAME_WORDS_FROM,
    THE_SAME_FROM,
)
from policy_qa.tokens import tokens
from policy_qa.types import Quantity, Sentence, Span

DisagreementKind = Literal["deadline", "amount", "polarity", "bearer"]

_DAYS: Final = {
    "second": 1 / 86_400, "minute": 1 / 1_440, "hour": 1 / 24, "day": 1.0, "week": 7.0,
    "month": 30.0, "year": 365.0,
}  # fmt: skip
_TOLERANCE: Final = 0.03
"""Share by which durations in different units may differ and be the same: a year, twelve months."""
_MARK: Final = re.compile(
    r"(?P<mark>(?<!\d)(?:19|20)\d\d(?=年|[-/])|[a-z]{2,}[ -]?\d+(?![\d%]|\s?[a-z]{3})"
    r"|第[\d一二三四五六七八九十百]+)"
)
"""A year, a product with its number, an ordinal: what tells one case from the next."""
_MONEY: Final = "money"
_COUNT: Final = re.compile(
    r"(?<!第)(?<![\d.,零一二两三四五六七八九十百千万])(?P<number>\d[\d,.]*\d|\d|[零一二两三四五六七八九十百千万]+)\s?"
    r"(?P<what>[a-z]{3,}|[个名位件次人份家项条])"
)
_BEARER: Final = re.compile(
    r"(?:由|归)?(?P<who>[^,;:。由]{1,14}?)(?:自行|应当?|须|需要?|必须|均|都|也|来)*(?:承担|负担|支付|负责|分摊|出(?=$|[,。]))"
    r"|(?P<who_en>[a-z' ]{3,24}?) (?:must |shall |will |should |has to |have to )?"
    r"(?:pays?|bears?|covers?)\b"
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """In what two sentences differ.

    Attributes:
        kind: Of difference.
        ours, theirs: The words that differ in the first and in the second sentence; the whole
            sentence where no single words do.
    """

    kind: DisagreementKind
    ours: Span
    theirs: Span


def same_question(ours: Sentence, theirs: Sentence) -> bool:
    """Whether the questions of two entries ask the same."""
    alike = float(ours.vector @ theirs.vector) >= SAME_QUESTION_FROM
    return alike and _same_marks(ours.passage.text, theirs.passage.text)


def about_the_same(
    ours: Sequence[Sentence], theirs: Sequence[Sentence], *, same_question: bool
) -> Iterator[tuple[Sentence, Sentence]]:
    """Yield pairs of sentences of two entries that are about the same thing, the nearest first."""
    if not ours or not theirs:
        return
    cosines = np.stack([one.vector for one in ours]) @ np.stack([one.vector for one in theirs]).T
    least = SAME_QUESTION_SENTENCES_FROM if same_question else SAME_SENTENCE_FROM
    rows, columns = np.nonzero(cosines >= least)
    for place in np.argsort(-cosines[rows, columns], kind="stable"):
        mine, yours = ours[rows[place]], theirs[columns[place]]
        if not _same_marks(mine.passage.text, yours.passage.text):
            continue
        if same_question or likeness(mine.passage.text, yours.passage.text) >= THE_SAME_FROM:
            yield mine, yours


def likeness(ours: str, theirs: str) -> float:
    """Return the share, 0 to 1, of the shorter sentence's words that the other one has too."""
    a, b = _words(ours), _words(theirs)
    return len(a & b) / (min(len(a), len(b)) or 1)


def disagreement(ours: str, theirs: str) -> Disagreement | None:
    """Return in what two sentences that are about the same thing differ; None if in nothing."""
    different = next(_quantities_that_differ(ours, theirs), None)
    if different or fold(ours) == fold(theirs):
        return different
    kind = _other_difference(ours, theirs)
    return Disagreement(kind, Span(0, len(ours)), Span(0, len(theirs))) if kind else None


def _other_difference(ours: str, theirs: str) -> DisagreementKind | None:
    mine, yours = stored_claims(ours), stored_claims(theirs)
    kinds = {clash.kind for clash in clashes(mine, yours)}
    if "bearer" in kinds or _bearers_differ(mine.text, yours.text):
        return "bearer"
    one_more_no = (mine.denials - yours.denials) % 2 and likeness(ours, theirs) >= SAME_WORDS_FROM
    if "polarity" in kinds or permissions_clash(mine, yours) or one_more_no:
        return "polarity"
    return "amount" if _counts_differ(mine.text, yours.text) else None


def _same_marks(ours: str, theirs: str) -> bool:
    """Whether two texts name the same versions: 2022年 and 2023年, iPhone 14 and 15 are others."""
    return _marks(ours) == _marks(theirs)


@lru_cache(4_096)
def _marks(text: str) -> frozenset[str]:
    return frozenset(match["mark"] for match in _MARK.finditer(fold(_without_quantities(text))))


@lru_cache(4_096)
def _words(sentence: str) -> frozenset[str]:
    """Return the tokens of a sentence, its quantities and single characters left out."""
    found = tokens(fold(_without_quantities(sentence)))
    return frozenset(token for token in found if len(token) > 1)


def _without_quantities(sentence: str) -> str:
    rest = list(sentence)
    for fact in read_sentence(sentence).facts:
        if fact.value:
            rest[fact.span.start : fact.span.end] = " " * (fact.span.end - fact.span.start)
    return "".join(rest)


def _quantities_that_differ(ours: str, theirs: str) -> Iterator[Disagreement]:
    mine = [fact for fact in read_sentence(ours).facts if fact.value]
    yours = [fact for fact in read_sentence(theirs).facts if fact.value]
    for fact in mine:
        if any(_same(fact, other) for other in yours):
            continue
        for other in yours:
            if _comparable(fact, other) and not any(_same(other, one) for one in mine):
                kind: DisagreementKind = "deadline" if fact.field == "deadlines" else "amount"
                yield Disagreement(kind, fact.span, other.span)


def _comparable(fact: SentenceFact, other: SentenceFact) -> bool:
    return _dimension(fact.value) == _dimension(other.value)


def _same(fact: SentenceFact, other: SentenceFact) -> bool:
    mine, yours = fact.value, other.value
    if not mine or not yours or not _comparable(fact, other) or _opposite(mine, yours):
        return False
    if _dimension(mine) == _MONEY and mine.unit != yours.unit:
        return False
    a, b = _limits(mine), _limits(yours)
    tolerance = _TOLERANCE if mine.unit != yours.unit else 0.0
    return len(a) == len(b) and all(
        abs(x - y) <= tolerance * max(x, y) for x, y in zip(a, b, strict=True)
    )


def _opposite(ours: Quantity, theirs: Quantity) -> bool:
    """Whether one is only a lower limit, and the other only an upper one."""
    return (ours.low is None and theirs.high is None) or (ours.high is None and theirs.low is None)


def _dimension(quantity: Quantity | None) -> str:
    unit = quantity.unit if quantity else ""
    if unit in patterns().currencies:
        return _MONEY
    return "time" if unit in _DAYS else unit


def _limits(quantity: Quantity) -> list[float]:
    scale = _DAYS.get(quantity.unit, 1.0)
    return sorted({scale * limit for limit in (quantity.low, quantity.high) if limit is not None})


def _counts_differ(ours: str, theirs: str) -> bool:
    """Whether two folded sentences count the same things with no number in common."""
    mine, yours = _counts(ours), _counts(theirs)
    return any(mine[what].isdisjoint(yours[what]) for what in mine.keys() & yours.keys())


def _counts(folded: str) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for match in _COUNT.finditer(folded):
        value = number(match["number"])
        if value is not None:
            found.setdefault(match["what"], set()).add(value)
    return found


def _bearers_differ(ours: str, theirs: str) -> bool:
    """Whether in two folded sentences all who bear something are different ones."""
    mine, yours = _bearers(ours), _bearers(theirs)
    return bool(mine and yours) and mine.isdisjoint(yours)


def _bearers(folded: str) -> frozenset[str]:
    """Return the last two characters, or the last word, of whoever bears something."""
    found = (match["who"] or match["who_en"] for match in _BEARER.finditer(folded))
    named = (who for who in found if who.strip() and not claims(who).denies)
    last = (who.split()[-1] for who in named)
    return frozenset(word if word.isascii() else word[-2:] for word in last)
