"""The patterns of `patterns.toml`, compiled: what a rule says and what a question asks for.

They see folded text (see `folding`), so one pattern serves both scripts.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from policy_qa.types import Field

Role = Literal["affected", "bearer"]

_FILE = "patterns.toml"
_LISTS = ("durations", "currencies", "bounds", "dates", "polarity")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ClausePattern:
    """What gives a clause, or a part of one, a place on the rule card.

    Attributes:
        field: Of the rule card.
        pattern: What it matches is what is quoted.
        over_sentences: Whether it looks over a whole sentence at once.
        examples: Texts with ⟦ ⟧ around what the pattern finds.
    """

    field: Field
    pattern: re.Pattern[str]
    over_sentences: bool
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentencePattern:
    """What gives a whole sentence a trait."""

    trait: str
    pattern: re.Pattern[str]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionPattern:
    """What a query asks for.

    Attributes:
        type: Of question.
        pattern: What shows it.
        wants: Fields and traits of a sentence that is more likely to answer.
        shuns: Those of one that is less likely to.
        examples: Texts with ⟦ ⟧ around what the pattern finds.
    """

    type: str
    pattern: re.Pattern[str]
    wants: frozenset[str]
    shuns: frozenset[str]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RolePattern:
    """In which role a text names a party."""

    role: Role
    pattern: re.Pattern[str]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Patterns:
    """All of them.

    Attributes:
        party_of: Each word for a party, folded, with the party.
        party: Finds any of these words.
        clauses, sentences, questions, roles: In the order of the file.
        durations, currencies: Each unit's words.
        bounds: Words around a quantity, by what they do.
        dates: Words around a date, by what they tell.
        polarity: Words that deny, and those around them.
    """

    party_of: Mapping[str, str]
    party: re.Pattern[str]
    clauses: tuple[ClausePattern, ...]
    sentences: tuple[SentencePattern, ...]
    questions: tuple[QuestionPattern, ...]
    roles: tuple[RolePattern, ...]
    durations: Mapping[str, tuple[str, ...]]
    currencies: Mapping[str, tuple[str, ...]]
    bounds: Mapping[str, tuple[str, ...]]
    dates: Mapping[str, tuple[str, ...]]
    polarity: Mapping[str, tuple[str, ...]]


@cache
def patterns() -> Patterns:
    """Return the patterns; the file is read once."""
    read = tomllib.loads((files("policy_qa") / _FILE).read_text(encoding="utf-8"))
    party_of = {word: party for party, words in read["parties"].items() for word in words}
    words = {name: any_of(listed) for name, listed in read["words"].items()}
    words["party"] = any_of(party_of)
    words |= read["pieces"]  # none of which has a placeholder

    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(_PLACEHOLDER.sub(lambda name: words.get(name[1], name[0]), pattern))

    return Patterns(
        party_of=party_of,
        party=re.compile(any_of(party_of)),
        clauses=tuple(
            ClausePattern(
                rule["field"],
                compiled(rule["pattern"]),
                rule.get("scope") == "sentence",
                tuple(rule["examples"]),
            )
            for rule in read["clauses"]
        ),
        sentences=tuple(
            SentencePattern(rule["trait"], compiled(rule["pattern"]), tuple(rule["examples"]))
            for rule in read["sentences"]
        ),
        questions=tuple(
            QuestionPattern(
                rule["type"],
                compiled(rule["pattern"]),
                frozenset(rule["wants"]),
                frozenset(rule["shuns"]),
                tuple(rule["examples"]),
            )
            for rule in read["questions"]
        ),
        roles=tuple(
            RolePattern(rule["role"], compiled(rule["pattern"]), tuple(rule["examples"]))
            for rule in read["roles"]
        ),
        **{name: _lists(read[name]) for name in _LISTS},
    )


def any_of(words: Iterable[str]) -> str:
    """Return a pattern for any of some words, the longest first; Latin ones stand alone."""
    in_order = sorted(words, key=lambda word: (-len(word), word))
    return "|".join(_whole(word) for word in in_order)


def _whole(word: str) -> str:
    before = r"(?<![a-z])" if word[0].isascii() and word[0].isalpha() else ""
    after = r"(?:s|'s)?(?![a-z])" if word[-1].isascii() and word[-1].isalpha() else ""
    return before + re.escape(word) + after


def _lists(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(words) for name, words in table.items()}
