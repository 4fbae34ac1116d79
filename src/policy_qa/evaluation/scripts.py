"""Which script a text is written in, and how a query's stands to that of what answers it."""

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal

import opencc

Script = Literal["zh-Hant", "zh-Hans", "zh", "other"]
"""`zh` is Chinese that both scripts write alike; `other` holds no Chinese character."""

SAME, OTHER_SCRIPT, OTHER_LANGUAGE = "same script", "other script", "other language"
RELATIONS = (SAME, OTHER_SCRIPT, OTHER_LANGUAGE)
"""From near to far."""


def is_han(character: str) -> bool:
    """Whether a character is Chinese."""
    return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def script(text: str) -> Script:
    """Return the script of most of the characters that only one script uses."""
    sides = [_side(character) for character in text if is_han(character)]
    if not sides:
        return "other"
    traditional, simplified = sides.count("zh-Hant"), sides.count("zh-Hans")
    if traditional == simplified:
        return "zh"
    return "zh-Hant" if traditional > simplified else "zh-Hans"


def converted(text: str) -> str:
    """Return Chinese text in the other script, phrase by phrase; other text as it is."""
    found = script(text)
    if found == "other":
        return text
    return str(_converter("t2s" if found == "zh-Hant" else "s2t").convert(text))


def relation(query: str, relevant: Iterable[str]) -> str:
    """Return how the script of a query stands to the nearest of the texts that answer it."""
    asked = script(query)
    relations = {_of_two(asked, script(text)) for text in relevant}
    return min(relations, key=RELATIONS.index, default="")


def _of_two(one: Script, other: Script) -> str:
    if one == other:
        return SAME
    if "other" in (one, other):
        return OTHER_LANGUAGE
    return SAME if "zh" in (one, other) else OTHER_SCRIPT


@lru_cache(maxsize=65_536)
def _side(character: str) -> Script:
    if _converter("t2s").convert(character) != character:
        return "zh-Hant"
    return "zh-Hans" if _converter("s2t").convert(character) != character else "zh"


@cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)
