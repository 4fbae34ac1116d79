"""Queries as people mistype them, made anew each time and always alike: a query's id decides.

Nothing here draws from a generator whose numbers another version of Python might change.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeVar

from policy_qa.evaluation.judgments import Query
from policy_qa.evaluation.scripts import converted, is_han, script

OTHER_SCRIPT = "queries in the other script"
DROPPED = "queries with characters dropped"
MISTYPED = "queries with a homophone or swapped letters"

T = TypeVar("T")

_SHORT = 8
"""Letters. A shorter query loses one of them, a longer one two."""


def other_script(query: Query) -> str:
    """Return a query in the other Chinese script; one that is not Chinese as it is."""
    return converted(query.text)


def dropped(query: Query) -> str:
    """Return a query without one or two of its letters or characters; at least one is left."""
    places = _letters(query.text)
    count = min(1 if len(places) < _SHORT else 2, len(places) - 1)
    gone: set[int] = set()
    for number in range(count):
        left = [place for place in places if place not in gone]
        gone.add(_choice(left, DROPPED, query.id, str(number)))
    return "".join(c for place, c in enumerate(query.text) if place not in gone)


def mistyped(query: Query) -> str:
    """Return a query with one slip.

    In a Chinese one a character becomes another of the same sound, whatever the tone; in any other,
    two neighbouring letters of a word change places. Where there is nothing to slip on, the query
    is as it was.
    """
    text = query.text
    if any(map(is_han, text)):
        common = "big5" if script(text) == "zh-Hant" else "gb2312"
        wrong = {
            place: others for place in _letters(text) if (others := alike(text[place], common))
        }
        if not wrong:
            return text
        place = _choice(sorted(wrong), MISTYPED, query.id)
        return text[:place] + _choice(wrong[place], MISTYPED, query.id, "for") + text[place + 1 :]
    pairs = [
        place
        for place in range(len(text) - 1)
        if text[place].isalpha() and text[place + 1].isalpha() and text[place] != text[place + 1]
    ]
    if not pairs:
        return text
    place = _choice(pairs, MISTYPED, query.id)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


PERTURBATIONS: Mapping[str, Callable[[Query], str]] = {
    OTHER_SCRIPT: other_script,
    DROPPED: dropped,
    MISTYPED: mistyped,
}


def perturbed(queries: Iterable[Query], way: Callable[[Query], str]) -> tuple[Query, ...]:
    """Return the queries with other texts."""
    return tuple(replace(query, text=way(query)) for query in queries)


def alike(character: str, codec: str) -> Sequence[str]:
    """Return the other common characters that sound like one, whatever the tone.

    Args:
        character: Of any kind; only a Chinese one sounds like others.
        codec: `gb2312` for Simplified or `big5` for Traditional characters.
    """
    if not is_han(character):
        return ()
    from pypinyin import lazy_pinyin  # noqa: PLC0415 (a large table, needed for this alone)

    sound = lazy_pinyin(character)[0]
    return [other for other in _by_sound(codec).get(sound, ()) if other != character]


@cache
def _by_sound(codec: str) -> dict[str, list[str]]:
    """Return the common characters of a script by their sound, without tones.

    Common are the first level of GB 2312; of Big5, those of the first level whose simplified form
    is in that of GB 2312.
    """
    from pypinyin import lazy_pinyin  # noqa: PLC0415

    simple = _level("gb2312", range(0xB0, 0xD8))
    common, known = simple, frozenset(simple)
    if codec == "big5":
        common = [c for c in _level("big5", range(0xA4, 0xC7)) if _simplified(c) in known]
    found: dict[str, list[str]] = {}
    for character in common:
        found.setdefault(lazy_pinyin(character)[0], []).append(character)
    return found


def _level(codec: str, rows: range) -> list[str]:
    """Return the Chinese characters in some rows of a double-byte character set."""
    cells = (bytes((row, cell)) for row in rows for cell in range(0x40, 0xFF))
    return [c for code in cells if len(c := code.decode(codec, "ignore")) == 1 and is_han(c)]


def _simplified(character: str) -> str:
    return converted(character) if script(character) == "zh-Hant" else character


def _letters(text: str) -> list[int]:
    return [place for place, c in enumerate(text) if unicodedata.category(c)[0] in "LN"]


def _choice(choices: Sequence[T], *reasons: str) -> T:
    """Choose by a hash of the reasons alone."""
    number = int.from_bytes(hashlib.sha256("\0".join(reasons).encode()).digest()[:8], "big")
    return choices[number % len(choices)]
