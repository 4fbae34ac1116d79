"""A quote in the other Chinese script, to be read beside it; the quote itself stays as it is."""

from functools import cache

import opencc

from policy_qa.labels import Language

_CONVERSIONS = {"zh-Hant": "s2t", "zh-Hans": "t2s"}


def reading(quote: str, language: Language) -> str:
    """Return a quote in the script of a language; empty if it is in that script already.

    Converted by OpenCC phrase by phrase, without changing the region's words.
    """
    if language not in _CONVERSIONS:
        return ""
    clean = quote.encode("utf-8", "replace").decode("utf-8")  # OpenCC takes no lone surrogates
    converted: str = _converter(_CONVERSIONS[language]).convert(clean)
    return "" if converted == clean else converted


def language_of(text: str) -> Language:
    """Return the language of a text: of Chinese in characters of both scripts, the Traditional."""
    if not any("\u3400" <= character <= "\u9fff" for character in text):
        return "en"
    simplified = not reading(text, "zh-Hans") and bool(reading(text, "zh-Hant"))
    return "zh-Hans" if simplified else "zh-Hant"


@cache
def _converter(conversion: str) -> opencc.OpenCC:
    return opencc.OpenCC(conversion)
