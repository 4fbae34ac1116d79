"""Which entries of a document are those that it had before, so that they keep their ids.

Links, saved questions and evaluation sets name entries by their ids. An id says where an entry
stood when it first came; inserting another one above it must not rename it.
"""

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from policy_qa.folding import fold
from policy_qa.store import Store
from policy_qa.tokens import tokens
from policy_qa.types import Document, Entry, Parsed

_QUESTIONS_ALIKE_FROM: Final = 0.5
_ALIKE_FROM: Final = 0.4
"""Shares of words in common from which two entries of one number are one that was reworded. Not
measured: an answer with another deadline or a question asked more briefly has far more, texts of
two matters have a third at most, of words such as "can" and "the"."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The entries of a document, before and now.

    Attributes:
        same: Pairs that read the same, whatever their numbers, in no order.
        changed: Pairs of the same question, or else of the same number, that read otherwise; in the
            order of the source as it is now.
        added: Those that are new, in the source's order.
        removed: Those that are gone, in the order in which they were stored.
    """

    same: tuple[tuple[Entry, Entry], ...] = ()
    changed: tuple[tuple[Entry, Entry], ...] = ()
    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()


_Words = tuple[str, str, tuple[str, ...]]
"""Of an entry: its question, its answer, and the headings above it."""


def compare(before: Parsed, now: Parsed) -> Comparison:
    """Return what became of the entries of a document.

    An entry that reads the same is the same, whatever its number. Of the others those are the same
    that ask the same, and then those of the same number, if they are worded somewhat alike: else
    another text would inherit the links and the wordings of the one that it replaces.
    """
    old, new = ({e: _words(document, e) for e in entries} for document, entries in (before, now))
    same = _paired(old, new, lambda _, words: words)
    changed = _paired(old, new, lambda _, words: words[0] or None)
    changed += _of_one_number(old, new)
    changed.sort(key=lambda pair: pair[1].span.start)
    return Comparison(tuple(same), tuple(changed), tuple(new), tuple(old))


def by_id(before: Parsed, now: Parsed) -> Comparison:
    """Return what became of the entries of a document whose ids say which are the same."""
    old, new = ({e: _words(document, e) for e in entries} for document, entries in (before, now))
    was = {entry.id: entry for entry in old}
    pairs = [(was[entry.id], entry) for entry in new if entry.id in was]
    kept = {entry.id for _, entry in pairs}
    return Comparison(
        tuple(pair for pair in pairs if old[pair[0]] == new[pair[1]]),
        tuple(pair for pair in pairs if old[pair[0]] != new[pair[1]]),
        tuple(entry for entry in new if entry.id not in kept),
        tuple(entry for entry in old if entry.id not in kept),
    )


def settled(
    now: Parsed, before: Store | None, alternates: Mapping[str, Sequence[str]]
) -> tuple[list[Entry], int, Comparison]:
    """Return the entries of a document with the ids that they had, and with all their alternates.

    Ids that the document gives itself, and those of one part of a long file, stay as they are.

    Args:
        now: The document, the ids of its entries as they were read.
        before: What held it before; None if nothing did.
        alternates: Wordings that a file gives to entries, by the ids that they have in the end.

    Returns:
        The entries; the least number that none of the document's ever had; what became of them.
    """
    document, read = now
    was = before.document(document.id) if before else None
    if before is None or was is None:
        first = before.used(document.id) if before else 0
        if first and not document.part_of and _numbered_in_order(document, read):
            numbers = enumerate(read, start=first)
            read = [replace(e, id=f"{_stem(document)}#{number}") for number, e in numbers]
        entries = [_worded(entry, alternates) for entry in read]
        return entries, first, Comparison(added=tuple(entries))
    old = [entry for entry, _ in before.entries(document.id)]
    found = compare((was, old), now)
    next_entry = max([before.next_entry(was.id), *(_number(entry) + 1 for entry in old)])
    ids = {entry.id: entry.id for entry in read}
    if not document.part_of and _numbered_in_order(document, read):
        ids |= {new.id: one.id for one, new in (*found.same, *found.changed)}
        for number, entry in enumerate(found.added, start=next_entry):
            ids[entry.id] = f"{_stem(document)}#{number}"
    final = {e.id: _worded(replace(e, id=ids[e.id]), alternates) for e in read}

    def pairs(some: Sequence[tuple[Entry, Entry]]) -> tuple[tuple[Entry, Entry], ...]:
        return tuple((one, final[new.id]) for one, new in some)

    added = tuple(final[entry.id] for entry in found.added)
    became = Comparison(pairs(found.same), pairs(found.changed), added, found.removed)
    return [*final.values()], next_entry, became


def _worded(entry: Entry, alternates: Mapping[str, Sequence[str]]) -> Entry:
    more = alternates.get(entry.id, ())
    if not more:
        return entry
    return replace(entry, alternates=tuple(dict.fromkeys((*entry.alternates, *more))))


def _words(document: Document, entry: Entry) -> _Words:
    question, answer = (
        document.text[span.start : span.end] for span in (entry.question, entry.answer)
    )
    return question, answer, entry.path


def _paired(
    old: dict[Entry, _Words],
    new: dict[Entry, _Words],
    key: Callable[[Entry, _Words], Hashable],
) -> list[tuple[Entry, Entry]]:
    """Take out of both what has the same key, in the source's order; nothing has the key None."""
    waiting: dict[Hashable, deque[Entry]] = {}
    for entry, words in old.items():
        waiting.setdefault(key(entry, words), deque()).append(entry)
    waiting.pop(None, None)
    pairs = []
    for entry, words in list(new.items()):
        if same := waiting.get(key(entry, words)):
            before = same.popleft()
            del old[before], new[entry]
            pairs.append((before, entry))
    return pairs


def _of_one_number(old: dict[Entry, _Words], new: dict[Entry, _Words]) -> list[tuple[Entry, Entry]]:
    """Take out of both what has the same id and is worded alike, in the source's order."""
    waiting = {entry.id: entry for entry in old}
    pairs = []
    for entry, words in list(new.items()):
        before = waiting.get(entry.id)
        if before and _alike(old[before], words):
            del old[before], new[entry]
            pairs.append((before, entry))
    return pairs


def _alike(before: _Words, now: _Words) -> bool:
    """Whether two entries of one number ask or say partly the same."""
    return (
        _shared(before[0], now[0]) >= _QUESTIONS_ALIKE_FROM
        or _shared(before[0] + before[1], now[0] + now[1]) >= _ALIKE_FROM
    )


def _shared(one: str, other: str) -> float:
    """Return the share of the words of the shorter text, of two characters or more, in the other.

    0 where there are none, unless the texts are the same.
    """
    a, b = ({token for token in tokens(fold(text)) if len(token) > 1} for text in (one, other))
    if not (a and b):
        return float(one.strip() == other.strip() != "")
    return len(a & b) / min(len(a), len(b))


def _numbered_in_order(document: Document, entries: Sequence[Entry]) -> bool:
    """Whether the ids are those that reading in order gives."""
    first = _number(entries[0]) if entries else 0
    wanted = (f"{_stem(document)}#{n}" for n in range(first, first + len(entries)))
    return first in (0, 1) and [entry.id for entry in entries] == list(wanted)


def _stem(document: Document) -> str:
    return document.id.removesuffix(".txt")


def _number(entry: Entry) -> int:
    """Return the number in an entry's id; -1 if it has another name."""
    last = entry.id.rpartition("#")[2]
    return int(last) if last.isdecimal() and len(last) < 10 else -1
