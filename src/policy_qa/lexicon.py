"""The lexicon: words that mean the same, in a text file that an editor of the corpus keeps.

    # regional words, and English ones
    退款 = 退費 = 退錢 = refund
    快遞 = 物流 = parcel

A query with one word of a line also finds the others. The file is called `lexicon.txt` and stands
at the top of the corpus folder; a general one of the trade comes with the package.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from policy_qa.errors import CorpusError
from policy_qa.folding import fold
from policy_qa.tokens import singular

LEXICON_FILE = "lexicon.txt"
_GENERAL = "general_lexicon.txt"
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")
_SPACED = re.compile(rf"{_ASCII_WORD.pattern}(?: {_ASCII_WORD.pattern})*")
_LATIN = "[a-z0-9à-ɏ]"
_SAYS_SOMETHING = re.compile(r"[^\W_]")
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

    def others(self, word: str, languages: Collection[str]) -> list[str]:
        """Return what else a word of the rule may be called in the passages' languages."""
        others = [other for other in self.words if other != word]
        if not self.translates:
            return others
        wanted = "en" if _is_han(word) else "zh"
        return [o for o in others if wanted in languages and _is_han(o) == (wanted == "zh")]


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
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        folded = fold(line).strip()
        if folded and not folded.startswith("#"):
            place = f"{where or name}:{number}"
            words = [" ".join(word.split()) for word in folded.split("=")]
            if len(words) < 2 or not all(map(_SAYS_SOMETHING.search, words)):
                raise CorpusError(f"{place}: no rule of a lexicon; {_FORM}.")
            if len({*words}) < 2:
                raise CorpusError(
                    f"{place}: only one word, for both scripts are read as one; {_FORM}, or remove "
                    "the line."
                )
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
                self._rules.setdefault(word, []).append(rule)
        spaced = [word for word in self._rules if _SPACED.fullmatch(word)]
        self._longest = max((len(word.split()) for word in spaced), default=0)
        others = sorted(self._rules.keys() - {*spaced}, key=lambda word: (-len(word), word))
        self._others = re.compile("|".join(map(_whole, others))) if others else None

    def fired(self, folded: str) -> Iterator[tuple[str, Rule]]:
        """Yield each word of a query that a rule holds, with the rule; longer words win."""
        for match in self._others.finditer(folded) if self._others else ():
            for rule in self._rules[match.group()]:
                yield match.group(), rule
        words = _ASCII_WORD.findall(folded)
        start = 0
        while start < len(words):
            for length in range(min(self._longest, len(words) - start), 0, -1):
                typed = words[start : start + length]
                last = [*typed[:-1], singular(typed[-1])]
                forms = (" ".join(typed), " ".join(last), " ".join(map(singular, typed)))
                word = next((form for form in forms if form in self._rules), None)
                if word:
                    for rule in self._rules[word]:
                        yield word, rule
                    start += length - 1
                    break
            start += 1


def _whole(word: str) -> str:
    """Return a pattern for a word; where it begins or ends in a Latin letter, not inside others."""
    before = rf"(?<!{_LATIN})" if re.match(_LATIN, word[0]) else ""
    after = rf"(?!{_LATIN})" if re.match(_LATIN, word[-1]) else ""
    return before + re.escape(word) + after


def _is_han(word: str) -> bool:
    return any("\u3400" <= character <= "\u9fff" for character in word)
