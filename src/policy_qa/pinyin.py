"""Read a query typed in pinyin as the Chinese that was meant.

The most probable sequence of words whose sounds make up the typed syllables (Viterbi), after Zhang
and Yao's and others' input methods with a unigram model: words from the dictionary with their
general frequency; words and neighbouring characters that the knowledge base holds are cheaper.
"""

import re
from collections.abc import Callable

from policy_qa.dictionary import Dictionary
from policy_qa.tokens import singular

_LATIN = re.compile(r"[a-zü]+(?:['\s]+[a-zü]+)*")
_LONGEST_SOUND = 24
"""Letters; zhuangzhuangzhuangzhuang is the sound of four of the longest syllables."""
_KNOWN_HERE = 5.0
"""How much cheaper a word of the knowledge base is; e^5 times more probable."""
_BEAM = 8
"""Readings kept at each place, the cheapest of those that end in different characters."""
_FINAL = frozenset("吗呢吧了")
"""Particles that end a question; as frequent there as a word of the knowledge base."""
_ENGLISH_SHARE = 0.5
"""Share of letters in English words from which a text is no pinyin (can he sue me)."""


def read_as_chinese(
    folded: str, dictionary: Dictionary, is_here: Callable[[str], bool]
) -> str | None:
    """Return the query with its pinyin in characters; None if it has none.

    Args:
        folded: The folded query.
        dictionary: Knows sounds, and which words are English.
        is_here: Whether the knowledge base holds a Chinese word.
    """
    runs = [*_LATIN.finditer(folded)]
    words = [word for run in runs for word in re.split(r"['\s]+", run.group())]
    letters = sum(map(len, words))
    if not letters or letters < 4:
        return None
    english = sum(len(w) for w in words if len(w) > 1 and dictionary.holds(singular(w)))
    if english >= _ENGLISH_SHARE * letters:
        return None
    read = []
    for run in runs:
        chinese = _decoded(re.split(r"['\s]+", run.group()), dictionary, is_here)
        if chinese is None:
            return None
        read.append(chinese)
    parts = iter(read)
    return _LATIN.sub(lambda _: next(parts), folded)


def _decoded(
    words: list[str], dictionary: Dictionary, is_here: Callable[[str], bool]
) -> str | None:
    """Return the cheapest reading of all the words; None if some letters are no sound."""
    letters = "".join(words).replace("ü", "v")
    readings: list[dict[str, tuple[float, str]]] = [{"": (0.0, "")}, *({} for _ in letters)]
    for start in range(len(letters)):
        before = sorted(readings[start].values())[:_BEAM]
        if not before:
            continue
        for end in range(start + 1, min(start + _LONGEST_SOUND, len(letters)) + 1):
            at_the_end = end == len(letters)
            for word, cost in dictionary.words_of(letters[start:end]):
                likely = (len(word) > 1 and is_here(word)) or (at_the_end and word in _FINAL)
                total, text = min(
                    (
                        so_far - (_KNOWN_HERE if said and is_here(said[-1] + word[0]) else 0),
                        said,
                    )
                    for so_far, said in before
                )
                reading = (total + cost - (_KNOWN_HERE if likely else 0), text + word)
                readings[end][word[-1]] = min(reading, readings[end].get(word[-1], reading))
    return min(readings[-1].values())[1] if readings[-1] else None
