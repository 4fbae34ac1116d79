"""Both indexes against arithmetic done by hand."""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.dense import DenseIndex, best, ordered
from policy_qa.lexical import LexicalIndex
from policy_qa.types import Filters, Ranking

VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8], [1, 0]], np.float32)
ROWS = np.array([0, 1, 2, 7], np.int64)


def pairs(ranking: Ranking) -> list[tuple[int, float]]:
    """Return (row, score) pairs."""
    return list(zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True))


def rounded(ranking: Ranking) -> list[tuple[int, float]]:
    """Return (row, score) pairs with few digits."""
    return [(row, round(score, 5)) for row, score in pairs(ranking)]


def test_dense_scores_are_inner_products():
    """Hits are (row, inner product), best first, equal ones by ascending row."""
    index = DenseIndex.build(ROWS, VECTORS)
    (ranking,) = index.search(np.array([[1, 0]], np.float32), 4)
    assert rounded(ranking) == [(0, 1), (7, 1), (2, 0.6), (1, 0)]


def test_dense_search_of_several_queries():
    """Each query has its own ranking, and none is asked for more rows than there are."""
    index = DenseIndex.build(ROWS, VECTORS)
    first, second = index.search(np.array([[1, 0], [0, 1]], np.float32), 99)
    assert first.rows.tolist() == [0, 7, 2, 1]
    assert second.rows.tolist() == [1, 2, 0, 7]


@pytest.mark.parametrize(
    ("allowed", "expected"), [([1, 7], [7, 1]), ([2, 3, 4], [2]), ([3], []), ([], [])]
)
def test_dense_filter(allowed, expected):
    """Only allowed rows are found; allowed rows that are not indexed are no hits."""
    index = DenseIndex.build(ROWS, VECTORS)
    (ranking,) = index.search(np.array([[1, 0]], np.float32), 3, np.array(allowed, np.int64))
    assert ranking.rows.tolist() == expected


@pytest.mark.parametrize("k", [0, 1, 5, 99, 100, 150])
def test_dense_ties_at_the_cut(k):
    """Where more rows tie than are wanted, the lowest ones are returned."""
    vectors = np.zeros((400, 2), np.float32)
    vectors[:, 0] = 0.5
    vectors[300:310, 0] = 1
    index = DenseIndex.build(np.arange(400), vectors)
    (ranking,) = index.search(np.array([[1, 0]], np.float32), k)
    assert ranking.rows.tolist() == ([*range(300, 310), *range(300)])[:k]


def test_dense_vectors():
    """The vectors of rows come back as they were, in the order asked for."""
    index = DenseIndex.build(ROWS, VECTORS)
    assert index.vectors([7, 2]).tolist() == VECTORS[[3, 2]].tolist()
    assert index.vectors([]).shape == (0, 2)


TOKENS = [["red", "shoes"], ["red", "red", "hat", "hat"], ["blue", "hat", "here"]]
PASSAGES = [
    (0, TOKENS[0], "a.txt", ("shop",)),
    (1, TOKENS[1], "b.txt", ("shop", "old")),
    (4, TOKENS[2], "c.txt", ()),
]


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    """Return an index of three tiny passages."""
    return LexicalIndex.build(tmp_path_factory.mktemp("lexical") / "index", PASSAGES)


def idf(n: int) -> float:
    """Return the weight of a token that stands in `n` of the three passages."""
    return math.log(1 + (3 - n + 0.5) / (n + 0.5))


def bm25(frequency: int, length: int) -> float:
    """The part of BM25 beside the inverse document frequency; 3 tokens on average."""
    return frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length / 3))


def test_bm25_by_hand(lexical):
    """Scores are BM25 divided by the sum of the query's inverse document frequencies."""
    total = idf(2) + idf(1)
    expected = {
        0: (idf(2) * bm25(1, 2) + idf(1) * bm25(1, 2)) / total,
        1: idf(2) * bm25(2, 4) / total,
    }
    found = dict(pairs(lexical.search(["red", "shoes"], 9)))
    assert found == pytest.approx(expected, rel=1e-6)


def test_unknown_tokens_lower_the_score(lexical):
    """A token that occurs nowhere counts in the sum with its (large) weight."""
    expected = idf(1) * bm25(1, 3) / (idf(1) + idf(0))
    assert pairs(lexical.search(["blue", "pink"], 9)) == [(4, pytest.approx(expected, rel=1e-6))]


def test_repeated_query_tokens_count_once(lexical):
    """Saying a word twice in a query changes nothing."""
    assert pairs(lexical.search(["hat", "hat"], 9)) == pairs(lexical.search(["hat"], 9))


def test_inverse_document_frequency(lexical):
    """The weight of a token falls with the passages that hold it."""
    assert lexical.inverse_document_frequency("hat") == pytest.approx(idf(2))
    assert lexical.inverse_document_frequency("pink") == pytest.approx(idf(0))


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        (Filters(), [1, 4]),
        (Filters(documents=("c.txt",)), [4]),
        (Filters(documents=("a.txt", "b.txt")), [1]),
        (Filters(tags=("shop",)), [1]),
        (Filters(tags=("shop", "old")), [1]),
        (Filters(documents=("a.txt",), tags=("old",)), []),
    ],
)
def test_lexical_filters(lexical, filters, rows):
    """Filters take rows away and leave the scores of the others as they are."""
    everything = dict(pairs(lexical.search(["hat"], 9)))
    found = dict(pairs(lexical.search(["hat"], 9, filters)))
    assert found == {row: everything[row] for row in rows}


def test_nothing_to_search_for(lexical):
    """No token, no row wanted, and tokens that occur nowhere give nothing."""
    assert pairs(lexical.search([], 9)) == []
    assert pairs(lexical.search(["hat"], 0)) == []
    assert pairs(lexical.search(["pink"], 9)) == []
    assert pairs(lexical.scores(["hat"], np.array([], np.int64))) == []
    assert pairs(lexical.scores(["hat"], np.array([0], np.int64))) == []


@pytest.mark.parametrize("k", [1, 3, 9, 50])
def test_lexical_ties_at_the_cut(tmp_path, k):
    """Where more rows tie than are wanted, the lowest ones are returned, whatever went in first."""
    passages = [(row, ["same", "words"], "a.txt", ()) for row in range(40, 0, -1)]
    index = LexicalIndex.build(tmp_path / "index", passages)
    assert index.search(["same"], k).rows.tolist() == list(range(1, min(k, 40) + 1))


def test_best_without_some():
    """Rows that are left out make room for the next ones, as far as there are any."""
    scores = np.array([9, 8, 7, 6, 5, 4], np.float32)

    def search(limit: int) -> Ranking:
        return ordered(np.arange(6)[:limit], scores[:limit])

    without = np.array([0, 1, 3])
    assert best(2, 6, search, without).rows.tolist() == [2, 4]
    assert best(4, 6, search, without).rows.tolist() == [2, 4, 5]
    assert best(2, 6, search, np.arange(6)).rows.tolist() == []


def test_best_looks_further_only_for_ties():
    """An index is asked again only while its last score ties with the cut."""
    scores = np.array([3, 2, 2, 2, 2, 1, 1], np.float32)
    rows = np.array([9, 8, 7, 6, 5, 4, 3])
    asked = []

    def search(limit: int) -> Ranking:
        asked.append(limit)
        return ordered(rows[:limit], scores[:limit])

    assert best(1, 7, search).rows.tolist() == [9]
    assert asked == [2]
    asked.clear()
    assert best(2, 7, search).rows.tolist() == [9, 5]
    assert asked == [3, 6]


words = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6)
components = st.lists(st.integers(-3, 3), min_size=3, max_size=3)


@settings(max_examples=25, deadline=None)
@given(
    passages=st.lists(st.tuples(words, components), min_size=1, max_size=8),
    query=st.tuples(words, components),
    k=st.integers(1, 9),
)
def test_what_is_saved_ranks_alike(passages, query, k):
    """Saved and opened indexes give identical rankings, and `scores` agrees with `search`."""
    query_words, vector = query
    rows = np.arange(len(passages))
    dense = DenseIndex.build(rows, np.array([v for _, v in passages], np.float32))
    with tempfile.TemporaryDirectory() as folder:
        dense.save(Path(folder, "dense"))
        opened = DenseIndex.open(Path(folder, "dense"))
        built = LexicalIndex.build(
            Path(folder, "lexical"),
            [(row, tokens, "a.txt", ()) for row, (tokens, _) in enumerate(passages)],
        )
        reopened = LexicalIndex.open(Path(folder, "lexical"))
        queries = np.array([vector], np.float32)
        assert pairs(opened.search(queries, k)[0]) == pairs(dense.search(queries, k)[0])
        ranking = built.search(query_words, len(passages))
        assert pairs(reopened.search(query_words, k)) == pairs(ranking)[:k]
        assert pairs(reopened.scores(query_words, rows)) == pairs(ranking)
