"""Folded text to lexical tokens.

Scripts written without spaces (Chinese, Japanese, Thai) become character unigrams and bigrams:
no word list is needed, and an unknown name still matches. Latin words lose their plural (the
S-stemmer of Harman, "How effective is suffixing?", JASIS 42(1), 1991). Numbers stay whole. Where
a word or number touches an unspaced script, the seam is a token too, so that 72小時, C店 and
近30天 match as units.

No stop words: 不, 沒, 必須 and "not" are the policy.
"""

import re
from functools import lru_cache
from itertools import pairwise

_UNSPACED = (
    "\u0e01-\u0e3e\u0e40-\u0e4e\u0e50-\u0e59\u0e80-\u0eff"  # Thai, Lao
    "\u1000-\u1049\u1050-\u109d\u1780-\u17d3\u17d7\u17dc-\u17f9"  # Burmese, Khmer
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # iteration mark, kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
TOKEN = re.compile(
    rf"(?P<number>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)*[%‰]?)|(?P<unspaced>[{_UNSPACED}]+)"
    rf"|(?P<word>[^\W\d_{_UNSPACED}](?:[^\W_{_UNSPACED}]|'(?=[^\W_{_UNSPACED}]))*)"
)


def tokens(folded: str) -> list[str]:
    """Return the tokens of folded text, in its order, repeats included."""
    found: list[str] = []
    end_of_previous, previous = -1, ""
    for match in TOKEN.finditer(folded):
        text, kind = match.group(), match.lastgroup
        touching = match.start() == end_of_previous
        if kind == "unspaced":
            if touching:
                found.append(previous + text[0])
            found += text
            found += [a + b for a, b in pairwise(text)]
            previous = text[-1]
        else:
            token = text.replace(",", "") if kind == "number" else singular(text)
            if touching:
                found.append(previous + token)
            found.append(token)
            previous = token
        end_of_previous = match.end()
    return found


@lru_cache(maxsize=65_536)
def telling(word: str) -> frozenset[str]:
    """Return the tokens of a word without the characters that stand in its longer tokens too."""
    found = tokens(word)
    longer = "".join(token for token in found if len(token) > 1 and not token.isascii())
    return frozenset(token for token in found if len(token) > 1 or token not in longer)


def singular(word: str) -> str:
    """Return a Latin word without its plural ending."""
    word = word.removesuffix("'s")
    if len(word) <= 3 or word.endswith(("ss", "us")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word.removesuffix("s")
