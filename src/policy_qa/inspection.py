"""Why a query found an entry: the words in common, the parts of the score and of confidence.

Nothing here ranks or judges; the numbers come from what does (see `retriever` and `confidence`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from policy_qa.common_words import MatchedTerm, in_common
from policy_qa.confidence import Calibration, log_odds, signals_of
from policy_qa.places import Source
from policy_qa.retriever import EncodedQuery, Retriever, with_agreement
from policy_qa.settings import AGREEMENT_WEIGHT, SHARED_AMONG
from policy_qa.types import Citation, Document, Filters, Hit, Match, Status

PartName = Literal[
    "meaning", "words", "entry_words", "translation", "entry_translation",
    "agreement", "twins", "order", "reranker",
]  # fmt: skip
SignalName = Literal["lift", "share", "translated"]

_PARTS: Final[Mapping[str, PartName]] = {
    "dense": "meaning",
    "lexical": "words",
    "entry": "entry_words",
    "translated": "translation",
    "entry_translated": "entry_translation",
}
"""What the fused score is made of, by the names of a hit's components."""

_SIGNALS: Final[Mapping[str, tuple[SignalName, tuple[str, ...]]]] = {
    "lift": ("lift", ("lift",)),
    "log_share": ("share", ("share",)),
    "translated": ("translated", ("translated", "across")),
}
"""What each signal of confidence is called here, and the components that it is made of."""

_SAYS_NOTHING: Final = {"lift": 0.0, "share": 1.0, "translated": 0.0, "across": 0.0}
"""Components of which every signal is 0."""

_ROUNDING: Final = 1e-6
"""Difference of scores of 32 bits that means nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a hit's score.

    Attributes:
        name: `meaning`, `words` and `translation` are of the passage, `entry_words` and
            `entry_translation` of its whole entry, `agreement` of the entry's question (see
            `retriever`). The rest are there only where they change something: `twins`, what the
            entry gained or lost by changing places with its twin; `order`, what it lost so as not
            to rise above entries that agreement moved; `reranker`, what the reranker changed.
        value: 0 to 1, of agreement -1 to 1; of those that only change something the change.
        weight: Its share of the fused score: those of the first five sum to 1. That of agreement
            comes on top.
        contribution: To the score, which is the sum of all of them.
    """

    name: PartName
    value: float
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal of confidence (see `confidence`).

    Attributes:
        name: `share` stands for its logarithm, which is what the weight is of.
        value: Of the signal; of `share` its logarithm.
        contribution: To the general log odds.
    """

    name: SignalName
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """Why a query found an entry.

    Attributes:
        entry_id: The entry.
        read_as: The query in characters, folded, if it was typed in pinyin; else empty.
        passage: What brought the entry to its place, in the source's words.
        in_question: Whether that is the entry's question.
        terms: What stands in query and entry alike, in the query's order.
        missing: The query's telling words that the entry does not hold in any way, as typed.
        rules: The query's words that it holds in other words, and why.
        rank: Its place, starts at 1.
        score: What the ranking is by.
        ahead: How far its score is above that of the next entry; 0 if there is none.
        behind: How far it is below that of the first entry; 0 for the first.
        parts: What the score is made of; their contributions sum to it.
        signals: What confidence is made of. `confidence` is the logistic of
            `shift + slope * (intercept + the sum of the contributions)`.
        intercept: The general log odds where no signal says anything.
        slope, shift: Of the knowledge base's calibration; 1 and 0 if it has none.
        confidence: The probability, 0 to 1, that the entry answers, by its own components. It is
            fitted to the first entry: of another one, read it as how it would do in first place
            with its share of the scores.
        status: What that confidence is called.
        answered_from, related_from: The confidence from which it is called so.
    """

    entry_id: str
    read_as: str
    passage: Citation
    in_question: bool
    terms: tuple[MatchedTerm, ...]
    missing: tuple[str, ...]
    rules: tuple[Match, ...]
    rank: int
    score: float
    ahead: float
    behind: float
    parts: tuple[Part, ...]
    signals: tuple[Signal, ...]
    intercept: float
    slope: float
    shift: float
    confidence: float
    status: Status
    answered_from: float
    related_from: float


def inspect(
    typed: str,
    query: EncodedQuery,
    hits: Sequence[Hit],
    hit: Hit,
    *,
    retriever: Retriever,
    document: Document,
    calibration: Calibration,
    filters: Filters | None = None,
) -> Inspection:
    """Return why a query found an entry.

    Args:
        typed: The query as it was typed; of one in pinyin, the characters that were read.
        query: The same, encoded.
        hits: The ranking, best first.
        hit: One of them.
        retriever: That found them.
        document: That the entry stands in.
        calibration: Of the knowledge base.
        filters: Which documents were looked at.
    """
    rules = retriever.matches(query, hit.entry.id)
    terms, missing = in_common(typed, hit.entry, document, rules, retriever.token_weights(query))
    after = hits[hit.rank].score if hit.rank < len(hits) else hit.score
    confidence = calibration.confidence(hit.components)
    return Inspection(
        entry_id=hit.entry.id,
        read_as=query.text if query.from_pinyin else "",
        passage=Source(document).cite_passage(hit.passage),
        in_question=hit.passage.is_question,
        terms=terms,
        missing=missing,
        rules=tuple(rules),
        rank=hit.rank,
        score=hit.score,
        ahead=hit.score - after,
        behind=hits[0].score - hit.score,
        parts=tuple(_parts(hit, retriever.weights(query, filters))),
        signals=tuple(_signals(hit.components)),
        intercept=log_odds(_SAYS_NOTHING),
        slope=calibration.slope,
        shift=calibration.intercept,
        confidence=confidence,
        status=calibration.status(confidence),
        answered_from=calibration.answered_from,
        related_from=calibration.related_from,
    )


def _parts(hit: Hit, weights: Mapping[str, float]) -> Iterator[Part]:
    """Yield the parts of a hit's score, in the order in which ranking adds them."""
    total = 0.0
    for component, name in _PARTS.items():
        value, weight = hit.components[component], weights.get(component, 0.0)
        yield Part(name, value, weight, weight * value)
        total += weight * value
    agrees = hit.components["agreement"]
    agreed = with_agreement(total, agrees)
    yield Part("agreement", agrees, AGREEMENT_WEIGHT, agreed - total)
    fused = hit.components.get("fused", hit.score)
    moved = fused - agreed
    if abs(moved) > _ROUNDING:
        yield Part("twins" if hit.rank <= SHARED_AMONG else "order", moved, 1.0, moved)
    if "fused" in hit.components:
        yield Part("reranker", hit.score - fused, 1.0, hit.score - fused)


def _signals(components: Mapping[str, float]) -> Iterator[Signal]:
    """Yield the signals of a hit, each with what the log odds gain once it is known too."""
    known: dict[str, float] = {**_SAYS_NOTHING}
    before = log_odds(known)
    for signal, value in signals_of(components).items():
        name, made_of = _SIGNALS[signal]
        known |= {component: components[component] for component in made_of}
        after = log_odds(known)
        yield Signal(name, value, after - before)
        before = after
