"""Evaluation: a run is measured, written and read back."""

import math
from dataclasses import replace
from pathlib import Path

import ir_measures
import pytest
from fake_evaluations import FakeKnowledgeBase, make_set, means, read_trec
from hypothesis import given
from hypothesis import strategies as st

from policy_qa.errors import EvaluationError, StorageError
from policy_qa.evaluation import (
    MEASURES,
    EvaluationSet,
    measure_queries,
    read_trec_run,
    write_trec_run,
)
from policy_qa.evaluation.measures import outcomes, ranking
from policy_qa.evaluation.records import Record
from policy_qa.evaluation.runs import Asked, Verdict, ask_queries

ENTRY_IDS = tuple(f"d#{number}" for number in range(1, 12))
QUERY_IDS = ("q1", "q2", "q3")


# --- measures -----------------------------------------------------------------------------------


def test_measures_are_those_computed_by_hand() -> None:
    """Every measure is the mean over the queries of what its definition gives by hand."""
    evaluation_set = make_set(
        {"first": {"a": 2, "b": 1}, "third": {"c": 1}, "fourth": {"d": 2, "a": 1}}
    )
    run = {
        "first": {"a": 0.9, "x": 0.8, "b": 0.7},
        "third": {"x": 0.9, "y": 0.8, "c": 0.7},
        "fourth": {"x": 0.9, "y": 0.8, "z": 0.7, "a": 0.6, "d": 0.5},
    }
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    ndcg_first = (2 / math.log2(2) + 1 / math.log2(4)) / ideal
    ndcg_third = (1 / math.log2(4)) / (1 / math.log2(2))
    ndcg_fourth = (1 / math.log2(5) + 2 / math.log2(6)) / ideal
    measures = means(evaluation_set, run)
    assert tuple(measures) == MEASURES
    assert measures == pytest.approx(
        {
            "hit@1": (1 + 0 + 0) / 3,
            "hit@3": (1 + 1 + 0) / 3,
            "hit@5": 1,
            "hit@10": 1,
            "MRR@10": (1 + 1 / 3 + 1 / 4) / 3,
            "nDCG@10": (ndcg_first + ndcg_third + ndcg_fourth) / 3,
            "recall@10": 1,
        }
    )


def test_the_tenth_rank_counts_and_the_eleventh_does_not() -> None:
    """MRR@10 and nDCG@10 look at ten entries."""
    run = {"q": {f"x{number:02}": -float(number) for number in range(1, 12)}}
    tenth = means(make_set({"q": {"x10": 1}}), run)
    eleventh = means(make_set({"q": {"x11": 1}}), run)
    assert tenth["MRR@10"] == pytest.approx(1 / 10)
    assert tenth["nDCG@10"] == pytest.approx(1 / math.log2(11))
    assert eleventh == dict.fromkeys(MEASURES, 0.0)


@pytest.mark.parametrize(("relevant", "reciprocal_rank"), [("a", 1.0), ("b", 1 / 2), ("c", 1 / 3)])
def test_ties_are_broken_by_id(relevant: str, reciprocal_rank: float) -> None:
    """Entries of equal score are ranked by ascending id, for every measure alike."""
    run = {"q": {"c": 0.5, "a": 0.5, "b": 0.5}}
    values = means(make_set({"q": {relevant: 1}}), run)
    assert values == pytest.approx(
        {
            "hit@1": float(relevant == "a"),
            "hit@3": 1,
            "hit@5": 1,
            "hit@10": 1,
            "MRR@10": reciprocal_rank,
            "nDCG@10": 1 / math.log2(1 / reciprocal_rank + 1),
            "recall@10": 1,
        }
    )


def test_scores_that_differ_only_in_64_bits_keep_their_order() -> None:
    """A difference that 32 bits cannot hold still ranks."""
    run = {"q": {"a": 0.5, "b": 0.5 + 1e-12}}
    assert means(make_set({"q": {"b": 1}}), run)["hit@1"] == 1
    assert means(make_set({"q": {"a": 1}}), run)["hit@1"] == 0


@pytest.mark.parametrize("run", [{"q1": {"d#1": 1.0}}, {"q1": {"d#1": 1.0}, "q2": {}}])
def test_a_query_missing_from_the_run_counts_as_0(run: dict[str, dict[str, float]]) -> None:
    """A query without a hit stays in the mean, as 0."""
    evaluation_set = make_set({"q1": {"d#1": 1}, "q2": {"d#2": 1}})
    assert measure_queries(evaluation_set, run)["q2"] == dict.fromkeys(MEASURES, 0.0)
    assert means(evaluation_set, run) == dict.fromkeys(MEASURES, 0.5)


def test_an_empty_run_scores_0() -> None:
    """A run of nothing is measured, not refused."""
    assert means(make_set({"q": {"a": 1}}), {}) == dict.fromkeys(MEASURES, 0.0)


def test_queries_that_the_set_lacks_are_ignored() -> None:
    """What a run holds beyond the set changes nothing."""
    evaluation_set = make_set({"q": {"a": 1}})
    run = {"q": {"a": 1.0}}
    assert means(evaluation_set, run | {"z": {"a": 1.0}}) == means(evaluation_set, run)


def test_a_grade_of_0_or_below_is_not_relevant() -> None:
    """An entry judged 0 or -1 is no hit and earns nothing."""
    evaluation_set = make_set({"q": {"a": 1, "b": 0, "c": -1}})
    assert means(evaluation_set, {"q": {"b": 2.0, "c": 1.0}}) == dict.fromkeys(MEASURES, 0.0)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_a_score_that_cannot_be_ranked_is_an_error(score: float, tmp_path: Path) -> None:
    """A score beyond finite 32-bit numbers is refused by name, when measured and when written."""
    run = {"q": {"a": 1.0, "b": score}}
    with pytest.raises(EvaluationError, match="query 'q', entry 'b'"):
        means(make_set({"q": {"a": 1}}), run)
    with pytest.raises(EvaluationError, match="query 'q', entry 'b'"):
        write_trec_run(run, tmp_path / "run.trec")
    assert list(tmp_path.iterdir()) == []


# --- runs ---------------------------------------------------------------------------------------


def test_all_queries_are_asked_at_once() -> None:
    """The run asks the texts in the set's order, in one call, and keys the hits by query id."""
    kb = FakeKnowledgeBase({"text of q1": [("d#1", 0.75), ("d#2", 0.5)]})
    evaluation_set = make_set({"q1": {"d#1": 1}, "q2": {"d#2": 1}})
    run = ask_queries(kb, evaluation_set.queries, 5).run
    assert kb.calls == [(["text of q1", "text of q2"], 5)]
    assert run == {"q1": {"d#1": 0.75, "d#2": 0.5}, "q2": {}}


def test_a_run_keeps_the_order_of_the_hits() -> None:
    """Hits of equal score are measured in the order in which they were shown."""
    kb = FakeKnowledgeBase({"text of q1": [("d#9", 0.5), ("d#10", 0.5), ("d#1", 0.5)]})
    evaluation_set = make_set({"q1": {"d#9": 1}})
    run = ask_queries(kb, evaluation_set.queries).run
    assert sorted(run["q1"], key=run["q1"].__getitem__, reverse=True) == ["d#9", "d#10", "d#1"]
    assert run["q1"] == pytest.approx({"d#9": 0.5, "d#10": 0.5, "d#1": 0.5})
    assert means(evaluation_set, run)["hit@1"] == 1


def test_a_trec_run_is_written_line_by_line(tmp_path: Path) -> None:
    """A line is `query Q0 entry rank score tag`: queries by id, entries best first, ties apart."""
    path = tmp_path / "new" / "run.trec"
    write_trec_run({"q2": {"b": 0.5, "a": 0.5}, "q1": {"a": 0.25, "b": 2.0}}, path, tag="plain")
    below = 0.5 - 2**-25  # the next 32-bit float below 1/2
    assert path.read_text(encoding="utf-8") == (
        "q1 Q0 b 1 2 plain\n"
        "q1 Q0 a 2 0.25 plain\n"
        "q2 Q0 a 1 0.5 plain\n"
        f"q2 Q0 b 2 {below:.9g} plain\n"
    )
    assert [child.name for child in path.parent.iterdir()] == ["run.trec"]


def test_two_writes_are_byte_identical(tmp_path: Path) -> None:
    """Equal runs give equal bytes, in whatever order they were put together."""
    one = {"q1": {"a": 0.1, "b": 0.1, "c": 0.3}, "q2": {"a": 1.0}}
    two = {"q2": {"a": 1.0}, "q1": {"c": 0.3, "b": 0.1, "a": 0.1}}
    for name, run in (("one", one), ("two", two), ("three", two)):
        write_trec_run(run, tmp_path / name)
    data = (tmp_path / "one").read_bytes()
    assert data == (tmp_path / "two").read_bytes() == (tmp_path / "three").read_bytes()


def test_ids_with_spaces_stay_in_their_column(tmp_path: Path) -> None:
    """Whitespace of any kind in an id is written as in a URL, and no two ids become one."""
    path = tmp_path / "run.trec"
    write_trec_run({"q 1": {"退貨 政策#1": 3.0, "a\u3000b#1": 2.0, "a%20b": 1.0}}, path, tag="a b")
    assert list(read_trec(path)["q%201"]) == ["退貨%20政策#1", "a%E3%80%80b#1", "a%2520b"]


def test_a_failed_write_leaves_the_old_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full, what stood there stays and nothing is left beside it."""
    path = tmp_path / "run.trec"
    write_trec_run({"q": {"a": 1.0}}, path)
    before = path.read_bytes()

    def refuse(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError, match=r"run\.trec.*No space left on device"):
        write_trec_run({"q": {"b": 1.0}}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_cannot_be_written_onto_a_folder(tmp_path: Path) -> None:
    """A folder in the run's place is a StorageError that names it."""
    with pytest.raises(StorageError, match=tmp_path.name):
        write_trec_run({"q": {"a": 1.0}}, tmp_path)


scores = st.one_of(
    st.sampled_from([0.0, -0.0, 0.5, 1 / 3, 1.0]), st.floats(min_value=-1e30, max_value=1e30)
)
runs = st.dictionaries(
    st.sampled_from(QUERY_IDS), st.dictionaries(st.sampled_from(ENTRY_IDS), scores)
)
grades = st.fixed_dictionaries(
    {
        query_id: st.dictionaries(st.sampled_from(ENTRY_IDS), st.integers(-1, 3)).map(
            lambda judged: judged | {"d#1": 2}
        )
        for query_id in QUERY_IDS
    }
)


@given(run=runs, qrels=grades)
def test_a_trec_run_reads_back_with_equal_measures(
    run: dict[str, dict[str, float]],
    qrels: dict[str, dict[str, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever the scores, ir_measures reads back the same order and the same measures."""
    folder = tmp_path_factory.mktemp("runs")
    write_trec_run(run, folder / "once")
    back = read_trec(folder / "once")
    for query_id, found in run.items():
        ranking = sorted(found, key=lambda entry_id: (-found[entry_id], entry_id))
        read = back.get(query_id, {})
        assert sorted(read, key=read.__getitem__, reverse=True) == ranking
    evaluation_set = make_set(qrels)
    measures = means(evaluation_set, run)
    assert means(evaluation_set, back) == measures
    # and a tool that sorts the file's scores by itself, 32 bits or not, sees the same
    m = (
        *(ir_measures.Success @ cut for cut in (1, 3, 5, 10)),
        ir_measures.RR @ 10,
        ir_measures.nDCG @ 10,
        ir_measures.R @ 10,
    )
    theirs = ir_measures.calc_aggregate(m, qrels, back)
    assert [theirs[measure] for measure in m] == pytest.approx(list(measures.values()))
    write_trec_run(back, folder / "twice")
    assert (folder / "once").read_bytes() == (folder / "twice").read_bytes()


def test_recall_counts_what_was_not_found() -> None:
    """recall@10 is the share of the relevant entries among the first ten."""
    evaluation_set = make_set({"q": {"a": 1, "b": 2, "c": 1, "d": 0}})
    assert means(evaluation_set, {"q": {"b": 1.0, "d": 0.5}})["recall@10"] == (pytest.approx(1 / 3))


# --- groups -------------------------------------------------------------------------------------


def grouped() -> EvaluationSet:
    """Return a set whose qrels judge groups: records a1 and a2 are of group A, and so on."""
    corpus = {
        f"{letter}{number}": Record(f"{letter}{number}", "", f"text {letter}", letter.upper())
        for letter in "abcdefghijkl"
        for number in (1, 2)
    }
    return replace(make_set({"q": {"B": 1}}), corpus=corpus, grouped=True)


def test_a_hit_of_a_group_is_any_of_its_entries() -> None:
    """Ranked entries become groups, of which the first entry counts."""
    run = {"q": {"a1": 0.9, "a2": 0.8, "b2": 0.7, "b1": 0.6}}
    assert ranking(grouped(), run, "q") == pytest.approx({"A": 0.9, "B": 0.7})
    assert means(grouped(), run) == pytest.approx(
        {
            "hit@1": 0,
            "hit@3": 1,
            "hit@5": 1,
            "hit@10": 1,
            "MRR@10": 1 / 2,
            "nDCG@10": 1 / math.log2(3),
            "recall@10": 1,
        }
    )


def test_ten_groups_are_looked_at() -> None:
    """The tenth group counts, however many entries stand before it; the eleventh does not."""
    letters = "acdefghijbkl"
    entries = [f"{letter}{number}" for letter in letters for number in (1, 2)]
    run = {"q": {entry: -float(place) for place, entry in enumerate(entries)}}
    assert means(grouped(), run)["MRR@10"] == pytest.approx(1 / 10)
    last = {"q": run["q"] | {"b1": -50.0, "b2": -51.0}}
    assert means(grouped(), last)["hit@10"] == 0


# --- outcomes -----------------------------------------------------------------------------------


def test_an_outcome_holds_what_the_measures_need() -> None:
    """From rank, nDCG and recall the measures of a query come back."""
    evaluation_set = make_set({"q1": {"a": 1}, "q2": {"a": 2, "b": 1}, "q3": {"a": 1}})
    run = {"q1": {"x": 0.9, "y": 0.8, "z": 0.7, "a": 0.6}, "q2": {"b": 0.9, "x": 0.1}}
    asked = Asked(run, {"q1": Verdict(0.75, "answered")})
    found = outcomes(evaluation_set, asked)
    assert [(o.id, o.top, o.rank, o.confidence, o.status) for o in found] == [
        ("q1", "x", 4, 0.75, "answered"),
        ("q2", "b", 1, None, None),
        ("q3", None, None, None, None),
    ]
    queries = measure_queries(evaluation_set, run)
    for outcome in found:
        assert dict(zip(MEASURES, outcome.values, strict=True)) == pytest.approx(
            queries[outcome.id], abs=1e-6
        )


# --- runs made elsewhere ------------------------------------------------------------------------


def test_a_run_made_elsewhere_is_read(tmp_path: Path) -> None:
    """Other queries are left out; ids are read as they are, or without their %20."""
    path = tmp_path / "bm25.run"
    path.write_text(
        "q1 Q0 退貨%20政策#1 1 3.5 bm25\nq1 Q0 50%#1 2 2 bm25\nq9 Q0 a 1 1 bm25\n", "utf-8"
    )
    run = read_trec_run(path, ["q1", "q2"], ["退貨 政策#1", "50%#1"], "the corpus")
    assert run == {"q1": {"退貨 政策#1": 3.5, "50%#1": 2.0}}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "an empty run"),
        ("q1 Q0 a 1 0.5 x\nq1 Q0 b\n", 2, "not a line of a TREC run"),
        ("q1 Q0 a 1 high x\n", 1, "not a line of a TREC run"),
        ("q1 Q0 a 1 0.5 x\nq1 Q0 a 2 0.4 x\n", 2, "query 'q1' ranks 'a' twice"),
        ("q1 Q0 a 1 nan x\n", 1, "not a line of a TREC run with a finite score"),
        ("q7 Q0 a 1 0.5 x\n", 1, "a run of other queries: none of them, such as 'q7'"),
        ("q1 Q0 z 1 0.5 x\n", 1, "a run of another corpus: none of its documents, such as 'z'"),
    ],
)
def test_a_run_that_cannot_be_used_is_named(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    """A broken line, a run of other queries or of another corpus is one line that says so."""
    path = tmp_path / "run.trec"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError) as raised:
        read_trec_run(path, ["q1"], ["a", "b"], "the corpus")
    assert str(raised.value).startswith(f"{path}:{line}: {says}")
    assert "\n" not in str(raised.value)
