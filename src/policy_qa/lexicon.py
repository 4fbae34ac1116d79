"""The lexicon: words that mean the same, in a text file that an editor of the corpus keeps.

    # regional words, and English ones
    退款 = 退費 = 退錢 = refund
    快遞 = 物流 = parcel

A query with one word of a line also finds the others. The file is called `lexicon.txt` and stands
at the top of the corpus folder; a general one of the trade comes with the package.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from policy_qa.dictionary import english_words
from policy_qa.errors import CorpusError
from policy_qa.folding import fold

LEXICON_FILE = "lexicon.txt"
_GENERAL = "general_lexicon.txt"
_FORM = "write words that mean the same with = between them, such as: 退款 = 退費 = refund"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a lexicon.

    Attributes:
        source: The file's name and the line's number, such as `lexicon.txt:3`.
        words: Folded; at least two.
        translates: Whether they stand for each other only across languages.
    """

    source: str
    words: tuple[str, ...]
    translates: bool = False

    def others(self, word: str) -> list[str]:
        """Return what else a word of the rule may be called."""
        here = _is_han(word)
        others = (other for other in self.words if other != word)
        return [o for o in others if not self.translates or _is_han(o) != here]


def parse_lexicon(text: str, name: str, where: str | Path = "") -> list[Rule]:
    """Return the rules of a lexicon.

    Args:
        text: Its lines.
        name: What the rules call the file.
        where: What an error calls it; `name` if empty.

    Raises:
        CorpusError: If a line is no rule; the message names it.
    """
    rules = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            words = [fold(word).strip() for word in line.split("=")]
            if len(words) < 2 or not all(words):
                raise CorpusError(f"{where or name}:{number}: no rule of a lexicon; {_FORM}.")
            rules.append(Rule(f"{name}:{number}", tuple(dict.fromkeys(words))))
    return rules


@cache
def general_rules() -> tuple[Rule, ...]:
    """Return the rules that come with the package."""
    text = (files("policy_qa") / _GENERAL).read_text(encoding="utf-8")
    rules = parse_lexicon(text, _GENERAL)
    return tuple(replace(rule, translates=True) for rule in rules)


class Lexicon:
    """Finds the rules that a query fires."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            for word in rule.words:
                self._rules.setdefault(_key(word), []).append(rule)
        self._longest = max((len(key.split()) for key in self._rules), default=0)
        han = sorted((key for key in self._rules if _is_han(key)), key=len, reverse=True)
        self._han = re.compile("|".join(map(re.escape, han))) if han else None

    def fired(self, folded: str) -> Iterator[tuple[str, Rule]]:
        """Yield each word of a query that a rule holds, with the rule; longer words win."""
        for match in self._han.finditer(folded) if self._han else ():
            for rule in self._rules[match.group()]:
                yield match.group(), rule
        words = english_words(folded)
        start = 0
        while start < len(words):
            for length in range(min(self._longest, len(words) - start), 0, -1):
                word = " ".join(words[start : start + length])
                if word in self._rules:
                    for rule in self._rules[word]:
                        yield word, rule
                    start += length - 1
                    break
            start += 1


def _is_han(word: str) -> bool:
    return any("\u3400" <= character <= "\u9fff" for character in word)


def _key(word: str) -> str:
    return word if _is_han(word) else " ".join(english_words(word))
