"""Fold script, width, case and Unicode form, keeping an exact map back to the original.

Both indexes see folded text only; whatever is shown or quoted is the original. The fold is

1. NFKC (Unicode Standard Annex 15), over each base character with the marks that follow it,
2. full case folding (Unicode Standard, section 3.13),
3. Traditional to Simplified Chinese, character by character (OpenCC, `t2s`, until nothing changes),
   so that a character's fold does not depend on its neighbours and every folded character has one
   origin,
4. one hyphen for all dashes, one apostrophe for all, and no invisible characters (zero-width
   spaces, variation selectors).
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import opencc

from policy_qa.types import Span

_MARKS = {
    ord(form): mark
    for mark, forms in {"-": "‐‑‒–—―−﹣", "~": "〜∼", "'": "‘’ʼ"}.items()
    for form in forms
}
_HANGUL_VOWELS_AND_TAILS = range(0x1160, 0x1200)


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text with its way back.

    Attributes:
        text: The folded text.
        starts: For each folded character, where its origin starts in the original.
        ends: For each folded character, where its origin ends in the original.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def original(self, start: int, end: int) -> Span:
        """Return the original range that `text[start:end]` came from.

        Raises:
            ValueError: If the range is empty or outside the folded text.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"no folded range {start}:{end} in {len(self.text)} characters")
        return Span(self.starts[start], self.ends[end - 1])


def fold(text: str) -> str:
    """Return the folded text."""
    if text.isascii():
        return text.lower()
    if any(map(_JOINING.__getitem__, text)):
        return "".join(_fold_cluster(cluster) for cluster in _clusters(text))
    return text.translate(_FOLDS)


def fold_with_map(text: str) -> Folded:
    """Return the folded text with the map back to the original characters."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for cluster in _clusters(text):
        end = position + len(cluster)
        part = _fold_cluster(cluster)
        folded.append(part)
        starts += [position] * len(part)
        ends += [end] * len(part)
        position = end
    return Folded("".join(folded), tuple(starts), tuple(ends))


def _clusters(text: str) -> Iterator[str]:
    """Split into the smallest pieces that normalise independently of each other."""
    start = 0
    for position in range(1, len(text)):
        if not _JOINING[text[position]]:
            yield text[start:position]
            start = position
    if text:
        yield text[start:]


class _Joining(dict[str, bool]):
    """Whether a character joins the one before it, found out once for each."""

    def __missing__(self, character: str) -> bool:
        joins = self[character] = _joins_the_previous(character)
        return joins


class _Folds(dict[int, str]):
    """What a character that stands alone folds to, by its code, as `str.translate` asks for it."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_cluster(chr(code))
        return folded


_JOINING, _FOLDS = _Joining(), _Folds()


def _joins_the_previous(character: str) -> bool:
    first = unicodedata.normalize("NFKD", character)[0]
    return (
        unicodedata.category(first)[0] == "M"
        or ord(first) in _HANGUL_VOWELS_AND_TAILS
        or _is_invisible(character)  # else it would keep a mark from its base
    )


@lru_cache(maxsize=65_536)
def _fold_cluster(cluster: str) -> str:
    normal = "".join(c for c in cluster if not _is_invisible(c))
    for _ in range(2):  # one round of folding may open the way for another
        normal = unicodedata.normalize("NFKC", normal).casefold().translate(_MARKS)
    normal = unicodedata.normalize("NFKC", normal)
    return "".join(_simplified(c) for c in normal)


def _is_invisible(character: str) -> bool:
    return (
        unicodedata.category(character) == "Cf"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


@lru_cache(maxsize=65_536)
def _simplified(character: str) -> str:
    if character <= "\u2e7f" or "\ud800" <= character <= "\udfff":
        return character  # no Chinese; a lone surrogate cannot be handed to OpenCC at all
    simplified: str = _converter().convert(character)
    return simplified if simplified == character else _simplified(simplified)


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
