"""What one sentence says: the facts for the rule card, and the traits by which it is chosen.

A pure function of the sentence's text. Offsets are those of the original, not of the folded text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from policy_qa.dates import dates
from policy_qa.folding import Folded, fold, fold_with_map
from policy_qa.patterns import patterns
from policy_qa.quantities import quantities
from policy_qa.types import Field, Quantity, Span

_CLAUSE: Final = re.compile(r"[^,;:。!?()（）\[\]「」『』\"“”…\n]+")
_REMEMBERED: Final = 4_096
_NOISE: Final = "noise"
_RULING: Final = ("steps", "bearers", "effects")
"""What a rule says, which is not said where it stands in the condition of another."""


@dataclass(frozen=True, slots=True)
class SentenceFact:
    """One value of the rule card.

    Attributes:
        field: Of the card.
        span: In the sentence.
        value: Of a deadline or an amount.
        party: Of a bearer; empty if none is named.
    """

    field: Field
    span: Span
    value: Quantity | None = None
    party: str = ""


@dataclass(frozen=True, slots=True)
class PastDate:
    """A date to which what the sentence says is tied."""

    span: Span
    last: date


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sentence says.

    Attributes:
        facts: In the sentence's order, of a field after field.
        traits: Fields that it has facts of, and those of `patterns.toml` but `noise`.
        dates: Those to which it is tied; beginnings, which hold ever since, left out.
    """

    facts: tuple[SentenceFact, ...]
    traits: frozenset[str]
    dates: tuple[PastDate, ...]


@lru_cache(_REMEMBERED)
def read_sentence(sentence: str) -> Reading:
    """Return what a sentence says."""
    folded = fold_with_map(sentence)
    found = dates(folded.text)
    facts = [*_clause_facts(folded), *_quantity_facts(folded, [dated.span for dated in found])]
    conditions = [fact.span for fact in facts if fact.field == "conditions"]
    facts = [one for one in facts if one.field not in _RULING or not _inside(one.span, conditions)]
    facts.sort(key=lambda fact: (fact.span.start, fact.span.end, fact.field))
    traits = {
        rule.trait
        for rule in patterns().sentences
        if rule.trait != _NOISE and rule.pattern.search(folded.text)
    }
    traits |= {fact.field for fact in facts}
    traits |= {"date"} if found else set()
    return Reading(
        tuple(facts),
        frozenset(traits),
        tuple(
            PastDate(folded.original(dated.span.start, dated.span.end), dated.last)
            for dated in found
            if not dated.history
        ),
    )


@lru_cache(_REMEMBERED)
def is_noise(sentence: str) -> bool:
    """Whether a sentence is a greeting, thanks, or a link to elsewhere: it answers nothing."""
    folded = fold(sentence)
    return any(
        rule.trait == _NOISE and rule.pattern.search(folded) for rule in patterns().sentences
    )


def party_named(word: str) -> str:
    """Return the party that a folded word stands for, its plural or genitive undone.

    Raises:
        KeyError: If the word is none of `patterns.toml`.
    """
    known = patterns().party_of
    endings = (word, word.removesuffix("'s"), word.removesuffix("s"))
    return known[next((form for form in endings if form in known), word)]


def _bearer(folded: str) -> str:
    """Return the party that bears something in a folded clause, empty if none is named.

    The last one before the verb, unless something is borne for it: 向买家支付, not the buyer.
    """
    verb = _BEARING.search(folded)
    before = folded[: verb.start()] if verb else folded
    named = [match for match in patterns().party.finditer(before) if not _served(folded, match)]
    return party_named(named[-1][0]) if named else ""


def _served(folded: str, party: re.Match[str]) -> bool:
    return folded[: party.start()].endswith(("向", "给", "为", "替", "对", "和", "与", "帮"))


_BEARING: Final = re.compile(
    r"承担|负担|支付|赔偿|垫付|赔付|补偿|缴纳|自理|自付|自负|负责|负.{0,4}责任|买单|出(?![卖租借])"
    r"|\b(?:pays?|bears?|covers?|reimburses?|compensates?|responsible|liable|refunds?)\b"
)


def _clause_facts(folded: Folded) -> Iterator[SentenceFact]:
    clauses = [match.span() for match in _CLAUSE.finditer(folded.text)]
    taken: set[tuple[str, int]] = set()
    for rule in patterns().clauses:
        whole = [(0, len(folded.text))] if rule.over_sentences else clauses
        for start, end in whole:
            for match in rule.pattern.finditer(folded.text[start:end]):
                span = _trimmed(folded.text, start + match.start(), start + match.end())
                if not span or not taken.isdisjoint(
                    (rule.field, at) for at in (span.start, span.end - 1)
                ):
                    continue
                taken.update((rule.field, at) for at in range(span.start, span.end))
                original = folded.original(span.start, span.end)
                party = _bearer(match[0]) if rule.field == "bearers" else ""
                yield SentenceFact(rule.field, original, None, party)


def _quantity_facts(folded: Folded, calendar_dates: list[Span]) -> Iterator[SentenceFact]:
    for found in quantities(folded.text):
        span = _trimmed(folded.text, found.span.start, found.span.end)
        if not any(span.start < dated.end and dated.start < span.end for dated in calendar_dates):
            yield SentenceFact(found.field, folded.original(span.start, span.end), found.value)


def _inside(span: Span, others: list[Span]) -> bool:
    return any(other.start <= span.start and span.end <= other.end for other in others)


def _trimmed(text: str, start: int, end: int) -> Span:
    """Return a span without what is blank or closing punctuation at its ends."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip(" \t\n,;:。、.!?"))
    end -= len(piece) - len(piece.rstrip(" \t\n,;:。、.!?"))
    return Span(start, max(start, end))
