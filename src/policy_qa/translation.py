"""What else the words of a query may be called: in the other language, or by a lexicon's rule.

A query in English shares no word with a Chinese rule. Each of its words is looked up in the
dictionary, and a passage that holds the word or one of its translations counts as holding it. As in
Pirkola, "The effects of query structure and dictionary setups in dictionary-based cross-language
information retrieval" (SIGIR 1998), the translations of one word are one word, they do not add up;
unlike there, each has a weight, and how often a passage holds it does not count.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase

from policy_qa.dictionary import NAME, Dictionary, english_words, stems
from policy_qa.lexicon import Lexicon

QUERY = "query"
"""The source of a word that is its own term: what holds the word itself needs no translation."""

_HAN = re.compile("[\u3400-\u9fff]+")
_LONGEST_WORD = 6
_BY_STEM = 0.8
_BY_SPELLING = 0.5
_MISSPELT = range(5, 21)
"""Letters; a shorter unknown word is more often a name than a slip, a longer one no word."""
_SINGLE_CHARACTER = 0.5
"""Weight of a Chinese word of one character, which stands inside many others."""
_IN_ENGLISH = 0.4
"""Weight of an English gloss of a Chinese word, which is vaguer than the way back."""
_USUAL_LENGTH = 2
"""Characters of a Chinese word."""


@dataclass(frozen=True, slots=True)
class Term:
    """What a word of the query may be called.

    Attributes:
        text: Folded.
        weight: How sure it is, up to 1.
        source: The dictionary, the lexicon's file and line, or `QUERY`.
    """

    text: str
    weight: float
    source: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A query in other words.

    Attributes:
        terms: For each word of the query, folded, itself and what else it may be called.
        other_words: About how many words of the query were not looked up.
    """

    terms: Mapping[str, tuple[Term, ...]]
    other_words: float

    def __bool__(self) -> bool:
        return bool(self.terms)


def translate(
    folded: str, languages: Collection[str], dictionary: Dictionary, lexicon: Lexicon
) -> Translation:
    """Return what else the words of a query may be called.

    Args:
        folded: The folded query.
        languages: Of the passages; only words of the other language are translated.
        dictionary: Between the two languages.
        lexicon: Whose rules hold for all languages.
    """
    terms: dict[str, list[Term]] = {}
    for word, rule in lexicon.fired(folded):
        others = [Term(other, 1.0, rule.source) for other in rule.others(word, languages)]
        if others:
            terms.setdefault(word, []).extend(others)
    ruled_latin = [word for word in terms if word.isascii()]
    ruled_han = [word for word in terms if not word.isascii()]
    covered = {part for word in ruled_latin for part in english_words(word)}
    latin = [word for word in dict.fromkeys(english_words(folded)) if word not in covered]
    rest = folded
    for word in sorted(ruled_han, key=len, reverse=True):
        rest = rest.replace(word, " ")
    han = [*dict.fromkeys(_HAN.findall(rest))]
    other_words = 0.0
    if "zh" in languages:
        for word in (*ruled_latin, *latin):
            terms.setdefault(word, []).extend(_in_chinese(word, dictionary))
    else:
        other_words += len(latin)
    if "en" in languages:
        for word in dict.fromkeys([*ruled_han, *_chinese_words(han, dictionary)]):
            terms.setdefault(word, []).extend(_in_english(word, dictionary))
    else:
        other_words += sum(map(len, han)) / _USUAL_LENGTH
    return Translation(
        {word: (Term(word, 1.0, QUERY), *found) for word, found in terms.items()}, other_words
    )


def _in_chinese(word: str, dictionary: Dictionary) -> tuple[Term, ...]:
    weights = _weights(word, dictionary)
    if not weights and len(word) in _MISSPELT:
        for meant in sorted(_one_slip_away(word)):
            for other, weight in _weights(meant, dictionary).items():
                weights[other] = max(_BY_SPELLING * weight, weights.get(other, 0.0))
    return tuple(Term(other, weight, NAME) for other, weight in weights.items())


def _weights(word: str, dictionary: Dictionary) -> dict[str, float]:
    """Return what an English word, or else a stem of it, is called in Chinese, with weights."""
    weights: dict[str, float] = {}
    for stem in dict.fromkeys(stems(word)):
        if stem != word and weights:
            break
        for other, weight in dictionary.others(stem).items():
            sure = weight * (1 if stem == word else _BY_STEM)
            sure *= _SINGLE_CHARACTER if len(other) == 1 else 1
            weights[other] = max(sure, weights.get(other, 0.0))
    return weights


def _one_slip_away(word: str) -> set[str]:
    """Return what may have been meant: a letter more, less or other, or two neighbours swapped."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    fewer = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    more = {a + letter + b for a, b in cuts for letter in ascii_lowercase}
    other = {a + letter + b[1:] for a, b in cuts if b for letter in ascii_lowercase}
    return fewer | swapped | more | other


def _chinese_words(runs: Iterable[str], dictionary: Dictionary) -> list[str]:
    """Split runs of Chinese into the longest words that the dictionary knows, in order."""
    words = []
    for run in runs:
        start = 0
        while start < len(run):
            ends = range(min(start + _LONGEST_WORD, len(run)), start + 1, -1)
            end = next((end for end in ends if dictionary.holds(run[start:end])), start + 1)
            words.append(run[start:end])
            start = end
    return words


def _in_english(word: str, dictionary: Dictionary) -> tuple[Term, ...]:
    return tuple(
        Term(other, weight * _IN_ENGLISH * (_SINGLE_CHARACTER if len(word) == 1 else 1), NAME)
        for other, weight in dictionary.others(word).items()
    )
