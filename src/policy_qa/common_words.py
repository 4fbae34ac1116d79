"""The words that a query and an entry have in common, where they stand, and what the entry lacks.

Words are compared as the lexical index compares them: folded, without plurals, Chinese by
characters. What of the query stands in the entry at a stretch is one term. Words of grammar, and
single characters of longer Chinese words, are found everywhere and named nowhere.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Final

from policy_qa.folding import Folded, fold_with_map
from policy_qa.tokens import TOKEN, tokens
from policy_qa.types import Document, Entry, Match, Span

_PLACES: Final = 3
"""Places of a term that are named: enough to show, however long the entry."""

_NEGLIGIBLE: Final = 0.2
"""Share of what an average token of the query tells, below which a term tells nothing."""

_GRAMMAR: Final = re.compile(
    "怎么办|怎么样|怎么|怎样|什么时候|什么|为什么|为何|如何|多久|多少|多长|哪里|哪些|哪个|哪种|哪"
    "|能不能|会不会|要不要|是不是|可不可以|有没有|请问|知道|可以|可否|是否|能否|需要|应该|如果|的话|因为|所以|但是|还是|或者|以及|这个|那个|这样|那样"
    "|我们|你们|他们|[的了吗呢吧啊呀么嘛是我你您他她它这那谁和与及或就都也还很被把想]|对(?![象方应比照账])"
)
_GRAMMAR_WORDS: Final = frozenset(
    tokens(
        "a an the this that these those there here it its i me my we us our you your he she they "
        "them their his her is are was were be been being am do does did have has had can could "
        "will would shall should may might must what which who whom whose when where why how and "
        "or but if then than so as of to in on at by for from with within into about after before "
        "any some happen happens happened get much many long i'm it's what's please"
    )
)


@dataclass(frozen=True, slots=True)
class MatchedTerm:
    """Words that stand in the query and in the entry alike.

    Attributes:
        word: As the query was typed.
        spans: Where the entry has them, in `Document.text`: the first few places, in order. Empty
            where only a heading above the entry has them.
        weight: The share, 0 to 1, that their tokens have in what all tokens of the query tell (see
            `lexical`). A token that stands in two terms counts for both.
    """

    word: str
    spans: tuple[Span, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class _Unit:
    """A Chinese character, a number or a word of a text; or what parts two of them.

    Attributes:
        start, end: Where it stands in the folded text.
        key: What the lexical index knows it by; empty for what parts others.
        unspaced: Whether its script is written without spaces.
        touching: Whether it follows the unit before without a gap.
        grammar: Whether it belongs to a word of grammar.
    """

    start: int
    end: int
    key: str
    unspaced: bool = False
    touching: bool = False
    grammar: bool = False


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of an entry, or the query.

    Attributes:
        folded: With the way back.
        units: In their order.
        letters: One character for each unit, equal for equal keys of the query.
        offset: Where it stands in the document; None if it is not to be pointed at.
    """

    folded: Folded
    units: Sequence[_Unit]
    letters: str
    offset: int | None = None

    def original(self, first: int, after: int) -> Span:
        """Return where the units from the first to the one before `after` stand."""
        return self.folded.original(self.units[first].start, self.units[after - 1].end)

    def places(self, run: str) -> Iterator[Span]:
        """Yield where the document has a run of letters."""
        if self.offset is None:
            return
        found = self.letters.find(run)
        while found >= 0:
            span = self.original(found, found + len(run))
            yield Span(self.offset + span.start, self.offset + span.end)
            found = self.letters.find(run, found + len(run))


def in_common(
    typed: str,
    entry: Entry,
    document: Document,
    rules: Sequence[Match],
    told: Mapping[str, float],
) -> tuple[tuple[MatchedTerm, ...], tuple[str, ...]]:
    """Return the terms that query and entry share, and the query's words that the entry lacks.

    Args:
        typed: The query.
        entry: The entry.
        document: That it stands in.
        rules: What the entry holds in other words.
        told: How much each token of the query tells.
    """
    query, letter_of = _read_query(typed)
    texts = list(_read_entry(entry, document, letter_of))
    held = {token for text in texts for token in tokens(text.folded.text)}
    words = {*_words(query.units, [not unit.grammar for unit in query.units])}
    open_units = [not unit.grammar for unit in query.units]
    found: dict[str, MatchedTerm] = {}
    for first, after in _common_runs(query.letters, [text.letters for text in texts]):
        inside = [first <= n < after and not unit.grammar for n, unit in enumerate(query.units)]
        if not any(_tells(query.units, word, words) for word in _words(query.units, inside)):
            continue
        open_units[first:after] = [False] * (after - first)
        run = query.letters[first:after]
        of_run = tokens(query.folded.text[query.units[first].start : query.units[after - 1].end])
        weight = sum(told.get(token, 0.0) for token in held.intersection(of_run))
        if weight * len(told) < _NEGLIGIBLE * sum(told.values()):
            continue
        span = query.original(first, after)
        places = islice((place for text in texts for place in text.places(run)), _PLACES)
        word = typed[span.start : span.end]
        found.setdefault(run, MatchedTerm(word, tuple(places), weight / sum(told.values())))
    for rule in rules:
        run = "".join(letter_of.get(unit.key, _OTHER) for unit in _units(rule.word))
        for match in re.finditer(re.escape(run), query.letters):
            open_units[match.start() : match.end()] = [False] * len(run)
    lacking = [
        query.original(*word)
        for word in _words(query.units, open_units)
        if _tells(query.units, word, words)
    ]
    missing = dict.fromkeys(typed[span.start : span.end] for span in lacking)
    return tuple(found.values()), tuple(missing)


_BREAK: Final = "\0"
_OTHER: Final = "\1"


def _read_query(typed: str) -> tuple[_Text, dict[str, str]]:
    """Return the query, and the letter of each of its units' keys."""
    folded = fold_with_map(typed)
    units = list(_units(folded.text))
    keys = dict.fromkeys(unit.key for unit in units if unit.key)
    letter_of = {key: chr(number) for number, key in enumerate(keys, start=2)}
    return _Text(folded, units, "".join(letter_of.get(u.key, _BREAK) for u in units)), letter_of


def _read_entry(entry: Entry, document: Document, letter_of: Mapping[str, str]) -> Iterator[_Text]:
    """Yield an entry's question and answer, and the headings above it."""
    own = [(document.text[s.start : s.end], s.start) for s in (entry.question, entry.answer) if s]
    for text, offset in (*own, *((heading, None) for heading in entry.path)):
        folded = fold_with_map(text)
        units = list(_units(folded.text))
        yield _Text(folded, units, "".join(letter_of.get(u.key, _OTHER) for u in units), offset)


def _units(folded: str) -> Iterator[_Unit]:
    """Yield the units of a folded text, as `tokens` reads it."""
    grammar = {place for match in _GRAMMAR.finditer(folded) for place in range(*match.span())}
    end = 0
    for match in TOKEN.finditer(folded):
        start = match.start()
        if folded[end:start].strip(" \t"):
            yield _Unit(end, start, "")
        touching = start == end
        if match.lastgroup == "unspaced":
            for place in range(start, match.end()):
                joined = touching or place > start
                yield _Unit(place, place + 1, folded[place], True, joined, place in grammar)
        else:
            (key,) = tokens(match.group())
            yield _Unit(start, match.end(), key, False, touching, key in _GRAMMAR_WORDS)
        end = match.end()


def _words(units: Sequence[_Unit], wanted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield where the wanted units that touch each other begin, and where they end."""
    first = None
    for number, unit in enumerate(units):
        is_wanted = wanted[number] and bool(unit.key)
        if first is not None and not (is_wanted and unit.touching):
            yield first, number
            first = None
        if is_wanted and first is None:
            first = number
    if first is not None:
        yield first, len(units)


def _tells(units: Sequence[_Unit], word: tuple[int, int], words: set[tuple[int, int]]) -> bool:
    """Whether a word is more than one character out of a longer Chinese word of the query."""
    first, after = word
    return after - first > 1 or not units[first].unspaced or word in words


def _common_runs(query: str, texts: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the query has what some text has too, in its order.

    The longest come first to take their place; others keep what is left to them.
    """
    longest: list[int] = []
    length = 0
    for start in range(len(query)):
        length = max(length - 1, 0)
        while start + length < len(query) and any(
            query[start : start + length + 1] in text for text in texts
        ):
            length += 1
        longest.append(length)
    rivals = [(-length, start) for start, length in enumerate(longest) if length]
    heapify(rivals)
    taken = [False] * len(query)
    runs = []
    while rivals:
        length, start = heappop(rivals)
        after = next((n for n in range(start, start - length) if taken[n]), start - length)
        if after == start - length:
            taken[start:after] = [True] * (after - start)
            runs.append((start, after))
        elif after > start:
            heappush(rivals, (start - after, start))
    return sorted(runs)
