"""What one sentence says: the facts for the rule card, and the traits by which it is chosen.

A pure function of the sentence's text. Offsets are those of the original, not of the folded text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final

from policy_qa.dates import dates
from policy_qa.folding import Folded, fold, fold_with_map
from policy_qa.patterns import any_of, patterns
from policy_qa.quantities import quantities
from policy_qa.types import Field, Quantity, Span

_CLAUSE: Final = re.compile(r"(?:[^,;:。!?()（）\[\]「」『』\"“”…\n]|(?<=\d),(?=\d{3}(?!\d)))+")
"""The comma of 1,000 parts nothing."""
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
        value: Of an amount, and of a deadline but a day or an hour of the calendar.
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
    return _has(_NOISE, sentence)


@lru_cache(_REMEMBERED)
def announces(sentence: str) -> bool:
    """Whether a sentence only says what the next ones will tell."""
    return _has("announcing", sentence)


def _has(trait: str, sentence: str) -> bool:
    folded = fold(sentence)
    return any(rule.trait == trait and rule.pattern.search(folded) for rule in patterns().sentences)


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

    The last one before the verb, unless something is borne for it: 向买家支付, not the buyer. That
    behind it in paid by the seller; none where several bear it together.
    """
    verb = _BEARING.search(folded)
    before = folded[: verb.start()] if verb else folded
    if verb and (by := _BY.search(folded, verb.start())):
        before = folded[by.end() :]
        first = patterns().party.match(before)
        return party_named(first[0]) if first else ""
    named = [match for match in patterns().party.finditer(before) if not _served(folded, match)]
    if not named or _TOGETHER.search(before, named[-1].end()):
        return ""
    return party_named(named[-1][0])


def _asserted(pattern: re.Pattern[str], clause: str) -> Iterator[re.Match[str]]:
    """Yield what a pattern of bearers finds in a folded clause, unless that is what it denies."""
    denials: list[re.Match[str]] | None = None
    start = 0
    while match := pattern.search(clause, start):
        if denials is None:
            denials = list(_denial().finditer(clause))
        verb = _BEARING.search(clause, match.start(), match.end()) or match
        over = [one.end() for one in denials if one.start() <= verb.start() < one.end()]
        if not over:
            yield match
        start = over[-1] if over else match.end()


@cache
def _denial() -> re.Pattern[str]:
    """Return what finds that someone does not bear something, up to the verb: 无需承担."""
    return re.compile(
        r"(?<!不得)(?<!不能)(?:不(?!得不|能不)|未|没有?|无[法力权]|[无毋](?=[需须义责])|拒绝|拒不|非|勿|免[于予]?)"
        r"(?:再|需要?|须|用|会|能|得|应当?|该|必|可以?|愿意?|肯|想|予以?|是|要|有|义务|责任|自行|直接|先"
        r"|全部|任何|另行|额外)*"
        rf"(?:[由向对给为替就][^,;:。]{{1,12}}?)?(?:{_VERBS}|负|付|缴)"
        r"|(?:\b(?:not|never|cannot|no longer|refus(?:es?|ed|ing)|declin(?:es?|ed|ing))\b|n't\b)"
        r"(?! only\b| just\b)(?: (?:to|be|been|being|have|has|had|required|obliged|obligated"
        r"|expected|need|needs|ever|also|normally|usually|generally|currently|itself|themselves|held))*"
        rf" (?:{_ENGLISH_VERBS}|at (?:the )?(?=[^,;:]{{1,24}} (?:expense|cost|risk)\b))"
        rf"|\b(?:neither|nor|no one|nobody|none|no (?={any_of(patterns().party_of)}))\b"
        rf"[^,;:.]{{0,40}}? (?:{_ENGLISH_VERBS})\b"
    )


def _served(folded: str, party: re.Match[str]) -> bool:
    return folded[: party.start()].endswith(("向", "给", "为", "替", "对", "和", "与", "帮"))


_VERBS: Final = (
    r"承担|负担|分担|支付|赔偿|垫付|赔付|补偿|缴纳|自理|自付|自负|负责|负.{0,4}责任|买单"
    r"|(?<![超付支提退发作做输推])出(?![卖租借])"
)
_ENGLISH_VERBS: Final = (
    r"(?:pay(?:s|ing)?|paid|bears?|bearing|borne|cover(?:s|ed|ing)?|reimburse[sd]?|compensate[sd]?"
    r"|responsible|liable|refund(?:s|ed)?)\b"
)
_BEARING: Final = re.compile(rf"{_VERBS}|\b{_ENGLISH_VERBS}")
_BORNE: Final = re.compile(rf"{_VERBS}|\b(?:{_ENGLISH_VERBS}|(?:expense|cost|risk)\b)")
"""Without one of these no clause says who bears something."""
_BY: Final = re.compile(
    r"(?<=paid|orne|ered|rsed|nded|ated)(?: \w+){0,3}? by (?:the |your |our |an? )?"
)
_TOGETHER: Final = re.compile(r"共同|分担|平均|一起|各自?|双方")


def _clause_facts(folded: Folded) -> Iterator[SentenceFact]:
    clauses = [match.span() for match in _CLAUSE.finditer(folded.text)]
    taken: set[tuple[str, int]] = set()
    bears = _BORNE.search(folded.text) is not None
    for rule in patterns().clauses:
        if rule.field == "bearers" and not bears:
            continue
        whole = [(0, len(folded.text))] if rule.over_sentences else clauses
        for start, end in whole:
            clause = folded.text[start:end]
            find = _asserted if rule.field == "bearers" else re.Pattern.finditer
            for match in find(rule.pattern, clause):
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
