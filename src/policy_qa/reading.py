"""A quote in the other Chinese script, to be read beside it; the quote itself stays as it is."""

from functools import cache

import opencc

from policy_qa.types import Language

_CONVERSIONS = {"zh-Hant": "s2t", "zh-Hans": "t2s"}


def reading(quote: str, language: Language) -> str:
    """Return a quote in the script of a language; empty if it is in that script already.

    Converted by OpenCC phrase by phrase, without changing the region's words.
    """
    if language not in _CONVERSIONS or (language == "zh-Hant" and not _is_simplified(quote)):
        return ""
    clean = quote.encode("utf-8", "replace").decode("utf-8")  # OpenCC takes no lone surrogates
    converted: str = _converter(_CONVERSIONS[language]).convert(clean)
    return "" if converted == clean else converted


def language_of(text: str) -> Language:
    """Return the language of a text; of Chinese that both scripts write so, the Traditional."""
    if not any(_is_han(character) for character in text):
        return "en"
    return "zh-Hans" if _is_simplified(text) else "zh-Hant"


def _is_simplified(text: str) -> bool:
    """Whether a text has a character that Traditional Chinese writes otherwise.

    Big5 (1984), its character set, tells: it has 台 and 里, which OpenCC would rewrite as well.
    """
    return any(
        _is_han(character)
        and not _in_big5(character)
        and _converter("s2t").convert(character) != character
        for character in text
    )


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def _in_big5(character: str) -> bool:
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return False
    return True


@cache
def _converter(conversion: str) -> opencc.OpenCC:
    return opencc.OpenCC(conversion)
