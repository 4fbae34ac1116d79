"""What a document costs grows with its length, not with its square."""

import gc
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from policy_qa import Document, KnowledgeBase
from policy_qa.entries import parse
from policy_qa.output import entries_fields, entries_text
from policy_qa.page import PAGE_LABELS, Address, other_entries, source_card

SMALL, LARGE = 200_000, 800_000
"""Bytes of the documents compared."""

MOST = 9
"""Times longer that the large document may take: it is 4 times the small one; 16 is its square."""

LINE = "The buyer may return {} within seven days of the receipt.\n"


class ConstantEncoder:
    """Gives every text the same vector, at no cost."""

    identity, dim = "constant", 4

    def encode_queries(self, texts):
        """Return `(len(texts), 4) float32`, unit rows."""
        return np.full((len(texts), 4), 0.5, np.float32)

    encode_passages = encode_queries


def many_entries(size: int) -> Document:
    """Return a document of so many bytes, an entry every three lines."""
    entry = "{}. May I return {}?\n" + LINE + "\n"
    count = size // len(entry.format(1000, 1000, 1000))
    return Document("many.txt", "".join(entry.format(n, n, n) for n in range(1, count + 1)))


def one_entry(size: int) -> Document:
    """Return a document of so many bytes that is one entry."""
    lines = (LINE.format(f"number {n}") for n in range(size // len(LINE) - 1))
    return Document("one.txt", "1. May I return shoes?\n" + "".join(lines))


def seconds(work: Callable[[], object]) -> float:
    """Return the least processor time of several laps.

    Without the garbage collector, whose cost is that of whatever other tests left in memory.
    """
    laps = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            start = process_time()
            work()
            laps.append(process_time() - start)
    finally:
        gc.enable()
    return min(laps)


def grows_linearly(small: Callable[[], object], large: Callable[[], object]) -> bool:
    """Tell whether work on the large document takes nowhere near its square."""
    return seconds(large) < MOST * seconds(small) + 0.1


@pytest.mark.parametrize("shown", [entries_text, entries_fields])
def test_entries(shown):
    """The entries of a document are printed with their lines in linear time."""
    found = [[(e, d) for e in parse(d)] for d in map(many_entries, (SMALL, LARGE))]
    assert len(found[1]) > 3 * len(found[0]) > 3000
    assert grows_linearly(lambda: shown(found[0]), lambda: shown(found[1]))


@pytest.fixture(scope="module", params=[many_entries, one_entry])
def bases(request, tmp_path_factory):
    """Return the knowledge bases of a small and a large document."""
    folder: Path = tmp_path_factory.mktemp("scaling")
    both = [
        KnowledgeBase.build([request.param(size)], folder / str(size), model=ConstantEncoder())
        for size in (SMALL, LARGE)
    ]
    yield both
    for knowledge_base in both:
        knowledge_base.close()


def test_questions(bases):
    """The questions of a document are read in linear time."""
    small, large = bases
    assert grows_linearly(small.questions, large.questions)


def test_ask(bases):
    """A question to a document is answered and shown in linear time."""

    def ask(knowledge_base: KnowledgeBase) -> str:
        answer = knowledge_base.ask("May I return shoes number 7?")
        document = knowledge_base.document(answer.hits[0].entry.document_id)
        quotes = [citation.span for citation in answer.conclusion]
        hits = [(hit, document) for hit in answer.hits]
        labels = PAGE_LABELS["en"]
        card = source_card(document, answer.hits[0].entry, quotes, labels)
        return card + other_entries(hits, "", Address(), labels)

    small, large = bases
    assert grows_linearly(lambda: ask(small), lambda: ask(large))
