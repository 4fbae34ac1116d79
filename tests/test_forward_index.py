"""The forward index scores as tantivy does, whatever was added when; coarse naming loses little."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import lexical
from policy_qa.forward_index import ForwardIndex, ForwardWriter
from policy_qa.lexical import LexicalIndex, LexicalWriter
from policy_qa.tokens import tokens
from policy_qa.types import Filters

LETTERS = "abcdefghij"


def written(folder: Path, rows: dict[int, list[str]], *, going_on: bool = False) -> ForwardIndex:
    """Write rows and open them."""
    folder.mkdir(exist_ok=True)
    with ForwardWriter(folder, going_on=going_on) as writer:
        for row, held in rows.items():
            writer.add(row, held)
    return ForwardIndex.open(folder)


def by_tantivy(index: LexicalIndex, wanted: Sequence[str]) -> dict[int, float]:
    """Return what tantivy itself says of every row, divided by nothing."""
    should = [
        (tantivy.Occur.Should, tantivy.Query.term_query(index._schema, "tokens", token, "freq"))
        for token in sorted(set(wanted))
    ]
    hits = index._searcher.search(tantivy.Query.boolean_query(should), limit=10_000).hits
    rows = index._searcher.fast_field_values("row", [address for _, address in hits])
    return {row: score for row, (score, _) in zip(rows, hits, strict=True)}


texts = st.lists(st.sampled_from(LETTERS), max_size=60)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.integers(0, 30), texts, min_size=1, max_size=12),
    st.lists(st.sampled_from(f"{LETTERS}kl"), min_size=1, max_size=6),
)
def test_scores_are_those_of_tantivy(tmp_path_factory, rows, query):
    """BM25 of every row is what the inverted index says, to the precision of its floats."""
    folder = tmp_path_factory.mktemp("lexical", numbered=True) / "index"
    index = LexicalIndex.build(folder, [(row, t, "a.txt", ()) for row, t in rows.items()])
    expected = by_tantivy(index, query)
    weights = {token: index.inverse_document_frequency(token) for token in query}
    found = index._forward.scores(weights, np.arange(32))
    assert {row: score for row, score in enumerate(found) if score} == pytest.approx(
        expected, rel=1e-5
    )


def test_long_rows_score_as_those_of_tantivy(tmp_path):
    """Lengths that tantivy keeps roughly are kept so here as well."""
    lengths = [1, 24, 39, 40, 41, 57, 100, 1_000, 70_000]
    rows = [(n, ["x"] + ["y"] * (length - 1), "a.txt", ()) for n, length in enumerate(lengths)]
    index = LexicalIndex.build(tmp_path / "index", rows)
    found = index._forward.scores({"x": index.inverse_document_frequency("x")}, np.arange(9))
    assert dict(enumerate(found)) == pytest.approx(by_tantivy(index, ["x"]), rel=1e-5)


@pytest.mark.parametrize("small", [10**9, 0], ids=["mapped", "read"])
def test_later_rows(tmp_path, monkeypatch, small):
    """Rows that come later are found with the first ones; what is added twice counts as it is now.

    The files of before are not altered, for an older generation has them as well.
    """
    monkeypatch.setattr("policy_qa.forward_index._SMALL", small)
    folder = tmp_path / "index"
    written(folder, {0: ["a"], 2: ["a", "b"]})
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    written(folder, {3: ["a"], 4: ["c"], 5: ["b"]}, going_on=True)
    for file in folder.iterdir():
        file.with_name(f"old-{file.name}").hardlink_to(file)
    again = written(folder, {4: ["a", "a"], 7: ["a"]}, going_on=True)

    scores = again.scores({"a": 1.0}, np.array([7, 2, 4, 1, 3, 5, 6, 99, 0]))
    assert (scores > 0).tolist() == [True, True, True, False, True, False, False, False, True]
    assert scores[2] > scores[0] == scores[4] == scores[8] > scores[1]
    assert again.scores({"b": 1.0, "c": 1.0}, np.array([4, 5])).tolist()[0] == 0
    old = {name: (folder / f"old-{name}").read_bytes() for name in before}
    assert old == {name: (folder / name).read_bytes() for name in before} == before
    for name in ("forward-later.npy", "forward-later.u32"):
        assert (folder / name).read_bytes() != (folder / f"old-{name}").read_bytes()
    written(folder, {}, going_on=True)
    assert (folder / "forward-later.u32").stat().st_size == 4 * 5  # what 4 had before is gone


def test_nothing_is_there(tmp_path):
    """An index without rows, and rows without tokens, score nothing."""
    assert written(tmp_path / "empty", {}).scores({"a": 1.0}, np.array([0, 9])).tolist() == [0, 0]
    bare = written(tmp_path / "bare", {0: [], 1: ["\ud800"]})
    assert bare.scores({"a": 1.0}, np.array([0, 1])).tolist() == [0, 0]
    assert bare.scores({"\ud800": 1.0}, np.array([0, 1])).tolist()[1] > 0
    assert bare.scores({"a": 1.0}, np.array([], np.int64)).tolist() == []
    assert bare.scores({}, np.array([1])).tolist() == [0]


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.integers(0, 9), texts, min_size=1, max_size=9),
    st.dictionaries(st.integers(10, 30), texts, min_size=1, max_size=12),
    st.lists(st.sampled_from(LETTERS), min_size=1, max_size=6),
)
def test_later_rows_score_as_those_of_tantivy(tmp_path_factory, first, later, query):
    """Rows that came with a change count for the average length, here as there."""
    folder = tmp_path_factory.mktemp("lexical", numbered=True) / "index"
    for rows, opened in ((first, LexicalWriter.new), (later, LexicalWriter.going_on)):
        with opened(folder) as writer:
            for row, held in rows.items():
                writer.add(row, held, ["a.txt"], ())
    index = LexicalIndex.open(folder)
    weights = {token: index.inverse_document_frequency(token) for token in query}
    found = index._forward.scores(weights, np.arange(32))
    assert {row: score for row, score in enumerate(found) if score} == pytest.approx(
        by_tantivy(index, query), rel=1e-5
    )


def test_what_is_no_forward_index(tmp_path):
    """Another array in its place, or tokens that were cut off, are refused."""
    written(tmp_path / "index", {0: ["a"]})
    (tmp_path / "index" / "forward.u32").write_bytes(b"a")
    with pytest.raises(ValueError, match=r"forward\.u32 is truncated"):
        ForwardIndex.open(tmp_path / "index")
    np.save(tmp_path / "index" / "forward.npy", np.zeros(3))
    with pytest.raises(ValueError, match="holds no rows of tokens"):
        ForwardIndex.open(tmp_path / "index")


def written_in_han(chance: random.Random, characters: int) -> str:
    """Return a text of frequent and rare characters, as in a language."""
    return "".join(chr(0x4E00 + int(chance.paretovariate(0.6)) % 3_000) for _ in range(characters))


@pytest.fixture(scope="module")
def texts_in_han() -> list[str]:
    """Return texts."""
    chance = random.Random(3)
    return [written_in_han(chance, 40) for _ in range(3_000)]


@pytest.fixture(scope="module")
def words(tmp_path_factory, texts_in_han) -> LexicalIndex:
    """Return an index of texts, of which every other one has a tag."""
    folder = tmp_path_factory.mktemp("words") / "index"
    with LexicalWriter.new(folder) as writer:
        for row, text in enumerate(texts_in_han):
            writer.add(row, tokens(text), ["a.txt"], ("odd",) if row % 2 else ())
    return LexicalIndex.open(folder)


def test_naming_by_the_telling_tokens(words, texts_in_han, monkeypatch):
    """Of many rows nearly the same are found with the same scores; frequent words name none."""
    chance = random.Random(4)
    queries = [
        tokens(text[start : start + 5] + written_in_han(chance, 4) + text[start + 8 : start + 12])
        for text, start in zip(texts_in_han[:60], 4 * [*range(15)], strict=True)
    ]
    exact = [words.search(query, 10) for query in queries]
    monkeypatch.setattr(lexical, "FLAT_UP_TO", 0)
    assert words._most_telling({"often": 0.1, "rare": 5.0, "some": 1.0, "none": 99.0}) == [
        "rare", "some",
    ]  # fmt: skip
    found = [words.search(query, 10) for query in queries]
    shares = [np.isin(e.rows, f.rows).mean() for e, f in zip(exact, found, strict=True)]
    assert np.mean(shares) > 0.97
    assert all(e.rows[0] == f.rows[0] for e, f in zip(exact, found, strict=True))
    for e, f in zip(exact, found, strict=True):
        known = dict(zip(e.rows.tolist(), e.scores.tolist(), strict=True))
        for row, score in zip(f.rows.tolist(), f.scores.tolist(), strict=True):
            assert row not in known or known[row] == score


def test_naming_passes_filters(words, monkeypatch):
    """Filters and rows that are left out count for coarse naming, too."""
    monkeypatch.setattr(lexical, "FLAT_UP_TO", 0)
    query = tokens("".join(chr(0x4E00 + number) for number in (1, 2, 3, 17, 40)))
    odd = words.search(query, 20, Filters(tags=("odd",)))
    assert len(odd.rows) == 20
    assert (odd.rows % 2 == 1).all()
    without = odd.rows[:5]
    left = words.search(query, 15, Filters(tags=("odd",)), without)
    assert len(left.rows) == 15
    assert not np.isin(left.rows, without).any()


def test_naming_by_what_is_held(words, texts_in_han, monkeypatch):
    """Words that no row holds, which weigh most, do not keep those that are held from naming."""
    monkeypatch.setattr(lexical, "FLAT_UP_TO", 0)
    common = texts_in_han[0][0]
    found = words.search([common, "iphone", "mended", "cracked", "screen", "repair"], 10)
    assert len(found.rows) == 10
    assert found.rows.tolist() == words.search([common], 10).rows.tolist()
    assert not len(words.search(["iphone"], 10).rows)
