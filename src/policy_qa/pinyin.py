"""Read a query typed in pinyin as the Chinese that was meant.

The most probable sequence of words whose sounds make up the typed syllables (Viterbi, with a beam):
words from the dictionary with their general frequency; words and neighbouring characters that the
knowledge base holds are cheaper. After Chen and Lee, "A New Statistical Approach to Chinese Pinyin
Input" (ACL 2000), with a smaller model of the language.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

from policy_qa.dictionary import Dictionary
from policy_qa.tokens import singular

_WORD = re.compile("[a-zà-öø-ʯ]+")
_BETWEEN = re.compile(r"['\s-]*")
_LONGEST_SYLLABLE = 6
_LONGEST_SOUND = 24
"""Letters; zhuangzhuangzhuangzhuang is the sound of four of the longest syllables."""
_KNOWN_HERE = 5.0
"""How much cheaper a word of the knowledge base is; e^5 times more probable."""
_BEAM = 8
"""Readings kept at each place, the cheapest of those that end in different characters."""
_ASTRIDE = 4.0
"""Cost of a word that begins or ends inside what was typed as one word, and goes beyond it."""
_FINAL = frozenset({("ma", "吗"), ("ne", "呢"), ("ba", "吧"), ("le", "了")})
"""Particles that end a question; as frequent there as a word of the knowledge base."""
_SOUND_SHARE = 0.7
"""Share of a query's letters in words that can be pinyin; below, it is of another language."""
_DEAREST = 9.0
"""Cost for each character from which a reading says nothing: most questions in pinyin read at 3 to
8, while English and names (can he sue me, lazada) would cost more."""
_ENGLISH_SHARE = 0.5
_DEAREST_ENGLISH = 5.5
"""The same where that share of the letters is in words that are English too (can he sue me): a
large knowledge base holds so many words that nonsense reads cheaper there."""
_SHORTEST = 4
"""Letters; shorter ones are more often a name than a question."""


def read_as_chinese(
    folded: str, dictionary: Dictionary, is_here: Callable[[str], bool]
) -> str | None:
    """Return the query with its pinyin in characters; None if it has none.

    Words that are no pinyin stay as they are (vip tuikuan).

    Args:
        folded: The folded query.
        dictionary: Knows the words of a sound.
        is_here: Whether the knowledge base holds a Chinese word.
    """
    words = [*_WORD.finditer(folded)]
    letters = {word.start(): _plain(word.group()) for word in words}
    sounds = [word for word in words if _is_sound(letters[word.start()], dictionary)]
    sounding = sum(len(letters[word.start()]) for word in sounds)
    if sounding < max(_SHORTEST, _SOUND_SHARE * sum(map(len, letters.values()))):
        return None
    remembered = cache(is_here)
    parts, cost, end = [], 0.0, 0
    for run in _runs(sounds, folded):
        reading = _decoded([letters[word.start()] for word in run], dictionary, remembered)
        if reading is None:
            return None
        cost += reading[0]
        parts += [folded[end : run[0].start()], reading[1]]
        end = run[-1].end()
    characters = sum(map(len, parts[1::2]))
    english = sum(len(w.group()) for w in words if dictionary.holds(singular(w.group())))
    if english >= _ENGLISH_SHARE * sum(len(word.group()) for word in words):
        if len(words) == 1:
            return None  # women: one word says too little to be told from English
        return _whole(parts, folded[end:]) if cost < _DEAREST_ENGLISH * characters else None
    return _whole(parts, folded[end:]) if cost < _DEAREST * characters else None


def _whole(parts: Sequence[str], rest: str) -> str:
    return "".join([*parts, rest])


def _plain(word: str) -> str:
    """Return the letters without tone marks, ü as v; nothing if one is no letter of pinyin."""
    decomposed = unicodedata.normalize("NFD", word).replace("u\u0308", "v")
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return letters if letters.isascii() else ""


def _is_sound(letters: str, dictionary: Dictionary) -> bool:
    """Whether letters can be cut into sounds of the dictionary."""
    reached = {0}
    for end in range(1, len(letters) + 1):
        starts = range(max(0, end - _LONGEST_SYLLABLE), end)
        if any(s in reached and dictionary.words_of(letters[s:end]) for s in starts):
            reached.add(end)
    return bool(letters) and len(letters) in reached


def _runs(words: Sequence[re.Match[str]], text: str) -> list[list[re.Match[str]]]:
    """Join words between which nothing but spaces stands."""
    runs: list[list[re.Match[str]]] = []
    for word in words:
        if runs and _BETWEEN.fullmatch(text, runs[-1][-1].end(), word.start()):
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _decoded(
    words: Sequence[str], dictionary: Dictionary, is_here: Callable[[str], bool]
) -> tuple[float, str] | None:
    """Return the cheapest reading of all the words with its cost; None if there is none."""
    letters = "".join(words)
    typed_ends = {len("".join(words[:count])) for count in range(len(words) + 1)}
    readings: list[dict[str, tuple[float, str]]] = [{"": (0.0, "")}, *({} for _ in letters)]
    for start in range(len(letters)):
        before = sorted(readings[start].values())[:_BEAM]
        if not before:
            continue
        for end in range(start + 1, min(start + _LONGEST_SOUND, len(letters)) + 1):
            inside = {place - start for place in typed_ends if start < place < end}
            astride = inside and not {start, end} <= typed_ends
            at_the_end = end == len(letters)
            for syllables, word, cost in dictionary.words_of(letters[start:end]):
                if not inside <= _ends(syllables):
                    continue  # xi'an is not xian
                likely = (len(word) > 1 and is_here(word)) or (
                    at_the_end and (syllables, word) in _FINAL
                )
                total, text = min(
                    (
                        so_far - (_KNOWN_HERE if said and is_here(said[-1] + word[0]) else 0),
                        said,
                    )
                    for so_far, said in before
                )
                total += cost + (_ASTRIDE if astride else 0) - (_KNOWN_HERE if likely else 0)
                reading = (total, text + word)
                readings[end][word[-1]] = min(reading, readings[end].get(word[-1], reading))
    return min(readings[-1].values(), default=None)


@cache
def _ends(syllables: str) -> frozenset[int]:
    """Return where the syllables of a sound end, in letters."""
    parts = syllables.split("'")
    return frozenset(len("".join(parts[:count])) for count in range(1, len(parts) + 1))
