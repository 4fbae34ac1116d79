"""Evaluation: loading a set, making a run, measuring it, writing it."""

import math
from collections.abc import Sequence
from pathlib import Path

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_qa.errors import EvaluationError, StorageError
from policy_qa.evaluation import (
    MEASURES,
    QUESTIONS_INDEXED,
    QUESTIONS_LEFT_OUT,
    evaluate,
    measure_queries,
    report,
    run_queries,
    write_trec_run,
)
from policy_qa.evaluation_set import EvaluationSet, Qrel, Query, check_against, load_evaluation_set
from policy_qa.types import Entry, Hit, Passage, Span

ROOT = Path(__file__).parents[1]
ORIGINAL = ROOT / "eval" / "original"
CORPUS = ROOT / "corpus" / "taobao-after-sales.txt"

ENTRY_IDS = tuple(f"d#{number}" for number in range(1, 12))
QUERY_IDS = ("q1", "q2", "q3")


def make_set(qrels: dict[str, dict[str, int]], folder: Path = Path("sets/tiny")) -> EvaluationSet:
    """Make an evaluation set in memory, with a query for each key."""
    return EvaluationSet(
        name=folder.name,
        folder=folder,
        queries=tuple(Query(name, f"text of {name}", line) for line, name in enumerate(qrels, 1)),
        qrels=tuple(
            Qrel(query_id, entry_id, relevance, line=1)
            for query_id, judged in qrels.items()
            for entry_id, relevance in judged.items()
        ),
    )


def make_hit(rank: int, entry_id: str, score: float) -> Hit:
    """Make a hit of which only rank, id and score matter."""
    nothing = Span(0, 0)
    return Hit(
        rank=rank,
        entry=Entry(entry_id, "d.txt", nothing, nothing, nothing),
        question="",
        passage=Passage(f"{entry_id}:1", entry_id, "d.txt", nothing, ""),
        score=score,
        components={},
    )


class FakeKnowledgeBase:
    """Finds what it is told, text → (entry id, score), best first."""

    def __init__(self, found: dict[str, list[tuple[str, float]]]) -> None:
        self.found = found
        self.calls: list[tuple[list[str], int]] = []

    def search_many(self, queries: Sequence[str], top_k: int = 10) -> list[list[Hit]]:
        """Return the first `top_k` of what it was told for each query."""
        self.calls.append((list(queries), top_k))
        return [
            [
                make_hit(rank, entry_id, score)
                for rank, (entry_id, score) in enumerate(self.found.get(text, [])[:top_k], start=1)
            ]
            for text in queries
        ]


def write_set(folder: Path, queries: str | bytes | None, qrels: str | bytes | None) -> Path:
    """Write the two files as given; None leaves one out."""
    for name, content in (("queries.jsonl", queries), ("qrels.tsv", qrels)):
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return folder


def read_trec(path: Path) -> dict[str, dict[str, float]]:
    """Read a run back with ir_measures."""
    run: dict[str, dict[str, float]] = {}
    with path.open(encoding="utf-8") as file:
        for query_id, entry_id, score in ir_measures.read_trec_run(file):
            run.setdefault(query_id, {})[entry_id] = score
    return run


QUERIES = '{"id": "q1", "text": "退款?", "lang": "zh-Hant"}\n{"id": "q2", "text": "Refund?"}\n'
QRELS = "q1\td#1\t2\nq1\td#2\t0\nq2\td#2\t1\n"


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
    measures = evaluate(evaluation_set, run)
    assert measures.n_queries == 3
    assert tuple(measures.values) == MEASURES == ("hit@1", "hit@3", "MRR@10", "nDCG@10")
    assert measures.values == pytest.approx(
        {
            "hit@1": (1 + 0 + 0) / 3,
            "hit@3": (1 + 1 + 0) / 3,
            "MRR@10": (1 + 1 / 3 + 1 / 4) / 3,
            "nDCG@10": (ndcg_first + ndcg_third + ndcg_fourth) / 3,
        }
    )


def test_the_tenth_rank_counts_and_the_eleventh_does_not() -> None:
    """MRR@10 and nDCG@10 look at ten entries."""
    run = {"q": {f"x{number:02}": -float(number) for number in range(1, 12)}}
    tenth = evaluate(make_set({"q": {"x10": 1}}), run).values
    eleventh = evaluate(make_set({"q": {"x11": 1}}), run).values
    assert tenth["MRR@10"] == pytest.approx(1 / 10)
    assert tenth["nDCG@10"] == pytest.approx(1 / math.log2(11))
    assert eleventh == dict.fromkeys(MEASURES, 0.0)


@pytest.mark.parametrize(("relevant", "reciprocal_rank"), [("a", 1.0), ("b", 1 / 2), ("c", 1 / 3)])
def test_ties_are_broken_by_id(relevant: str, reciprocal_rank: float) -> None:
    """Entries of equal score are ranked by ascending id, for every measure alike."""
    run = {"q": {"c": 0.5, "a": 0.5, "b": 0.5}}
    values = evaluate(make_set({"q": {relevant: 1}}), run).values
    assert values == pytest.approx(
        {
            "hit@1": float(relevant == "a"),
            "hit@3": 1.0,
            "MRR@10": reciprocal_rank,
            "nDCG@10": 1 / math.log2(1 / reciprocal_rank + 1),
        }
    )


def test_scores_that_differ_only_in_64_bits_keep_their_order() -> None:
    """A difference that 32 bits cannot hold still ranks."""
    run = {"q": {"a": 0.5, "b": 0.5 + 1e-12}}
    assert evaluate(make_set({"q": {"b": 1}}), run).values["hit@1"] == 1
    assert evaluate(make_set({"q": {"a": 1}}), run).values["hit@1"] == 0


@pytest.mark.parametrize("run", [{"q1": {"d#1": 1.0}}, {"q1": {"d#1": 1.0}, "q2": {}}])
def test_a_query_missing_from_the_run_counts_as_0(run: dict[str, dict[str, float]]) -> None:
    """A query without a hit stays in the mean, as 0."""
    evaluation_set = make_set({"q1": {"d#1": 1}, "q2": {"d#2": 1}})
    assert measure_queries(evaluation_set, run)["q2"] == dict.fromkeys(MEASURES, 0.0)
    measures = evaluate(evaluation_set, run)
    assert measures.n_queries == 2
    assert measures.values == dict.fromkeys(MEASURES, 0.5)


def test_an_empty_run_scores_0() -> None:
    """A run of nothing is measured, not refused."""
    assert evaluate(make_set({"q": {"a": 1}}), {}).values == dict.fromkeys(MEASURES, 0.0)


def test_queries_that_the_set_lacks_are_ignored() -> None:
    """What a run holds beyond the set changes nothing."""
    evaluation_set = make_set({"q": {"a": 1}})
    run = {"q": {"a": 1.0}}
    assert evaluate(evaluation_set, run | {"z": {"a": 1.0}}) == evaluate(evaluation_set, run)


def test_a_grade_of_0_or_below_is_not_relevant() -> None:
    """An entry judged 0 or -1 is no hit and earns nothing."""
    evaluation_set = make_set({"q": {"a": 1, "b": 0, "c": -1}})
    assert evaluate(evaluation_set, {"q": {"b": 2.0, "c": 1.0}}).values == dict.fromkeys(
        MEASURES, 0.0
    )


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_a_score_that_cannot_be_ranked_is_an_error(score: float, tmp_path: Path) -> None:
    """A score beyond finite 32-bit numbers is refused by name, when measured and when written."""
    run = {"q": {"a": 1.0, "b": score}}
    with pytest.raises(EvaluationError, match="query 'q', entry 'b'"):
        evaluate(make_set({"q": {"a": 1}}), run)
    with pytest.raises(EvaluationError, match="query 'q', entry 'b'"):
        write_trec_run(run, tmp_path / "run.trec")
    assert list(tmp_path.iterdir()) == []


# --- runs ---------------------------------------------------------------------------------------


def test_all_queries_are_asked_at_once() -> None:
    """The run asks the texts in the set's order, in one call, and keys the hits by query id."""
    kb = FakeKnowledgeBase({"text of q1": [("d#1", 0.75), ("d#2", 0.5)]})
    evaluation_set = make_set({"q1": {"d#1": 1}, "q2": {"d#2": 1}})
    run = run_queries(kb, evaluation_set, top_k=5)
    assert kb.calls == [(["text of q1", "text of q2"], 5)]
    assert run == {"q1": {"d#1": 0.75, "d#2": 0.5}, "q2": {}}


def test_a_run_keeps_the_order_of_the_hits() -> None:
    """Hits of equal score are measured in the order in which they were shown."""
    kb = FakeKnowledgeBase({"text of q1": [("d#9", 0.5), ("d#10", 0.5), ("d#1", 0.5)]})
    evaluation_set = make_set({"q1": {"d#9": 1}})
    run = run_queries(kb, evaluation_set)
    assert sorted(run["q1"], key=run["q1"].__getitem__, reverse=True) == ["d#9", "d#10", "d#1"]
    assert run["q1"] == pytest.approx({"d#9": 0.5, "d#10": 0.5, "d#1": 0.5})
    assert evaluate(evaluation_set, run).values["hit@1"] == 1


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
    measures = evaluate(evaluation_set, run)
    assert evaluate(evaluation_set, back) == measures
    # and a tool that sorts the file's scores by itself, 32 bits or not, sees the same
    m = (
        ir_measures.Success @ 1,
        ir_measures.Success @ 3,
        ir_measures.RR @ 10,
        ir_measures.nDCG @ 10,
    )
    theirs = ir_measures.calc_aggregate(m, qrels, back)
    assert [theirs[measure] for measure in m] == pytest.approx(list(measures.values.values()))
    write_trec_run(back, folder / "twice")
    assert (folder / "once").read_bytes() == (folder / "twice").read_bytes()


# --- report -------------------------------------------------------------------------------------


def test_the_report_says_which_run_is_which() -> None:
    """Each row of the table carries its run's label, in the order given, under aligned columns."""
    evaluation_set = make_set({"q1": {"d#1": 1}, "q2": {"d#2": 1}})
    text = report(
        evaluation_set,
        {
            QUESTIONS_INDEXED: {"q1": {"d#1": 1.0}, "q2": {"d#2": 1.0}},
            QUESTIONS_LEFT_OUT: {"q1": {"d#1": 1.0}, "q2": {"d#1": 1.0, "d#2": 0.5}},
        },
    )
    ndcg = (1 + 1 / math.log2(3)) / 2
    assert f"{ndcg:.3f}" == "0.815"
    assert text.split("\n") == [
        "tiny: 2 queries",
        "run                                  hit@1    hit@3   MRR@10  nDCG@10",
        "questions indexed                    1.000    1.000    1.000    1.000",
        "questions left out (answers only)    0.500    1.000    0.750    0.815",
    ]


# --- loading ------------------------------------------------------------------------------------


def test_a_set_is_loaded_as_it_stands(tmp_path: Path) -> None:
    """Queries and qrels keep their order, their line numbers and their grades."""
    evaluation_set = load_evaluation_set(write_set(tmp_path, QUERIES, QRELS))
    assert evaluation_set.name == tmp_path.name
    assert evaluation_set.queries == (
        Query("q1", "退款?", line=1, lang="zh-Hant"),
        Query("q2", "Refund?", line=2),
    )
    assert evaluation_set.qrels == (
        Qrel("q1", "d#1", 2, line=1),
        Qrel("q1", "d#2", 0, line=2),
        Qrel("q2", "d#2", 1, line=3),
    )


@pytest.mark.parametrize("separator", [" ", "\t"], ids=["spaces", "tabs"])
def test_the_four_columns_of_trec_are_read(tmp_path: Path, separator: str) -> None:
    """`query 0 entry relevance` means the same as the three columns."""
    trec = "".join(
        separator.join((line.split("\t")[0], "0", *line.split("\t")[1:])) + "\n"
        for line in QRELS.splitlines()
    )
    plain = load_evaluation_set(write_set(tmp_path, QUERIES, QRELS))
    assert load_evaluation_set(write_set(tmp_path, QUERIES, trec)) == plain


def test_files_of_other_editors_are_read(tmp_path: Path) -> None:
    """Byte order marks, CRLF, blank lines, a missing last newline and U+2028 do no harm."""
    queries = '\ufeff{"id": "q1", "text": "a\u2028b"}\r\n\r\n{"id": "q2", "text": "c"}'
    qrels = "\ufeffq1\tmy file#1\t1\r\n\r\nq2\td#2\t1"
    evaluation_set = load_evaluation_set(write_set(tmp_path, queries, qrels))
    assert evaluation_set.queries == (Query("q1", "a\u2028b", 1), Query("q2", "c", 3))
    assert evaluation_set.qrels == (Qrel("q1", "my file#1", 1, 1), Qrel("q2", "d#2", 1, 3))


ONE = '{"id": "q1", "text": "a"}\n'


@pytest.mark.parametrize(
    ("queries", "qrels", "place", "says"),
    [
        pytest.param(None, QRELS, "queries.jsonl:", "no such file", id="no queries file"),
        pytest.param(QUERIES, None, "qrels.tsv:", "no such file", id="no qrels file"),
        pytest.param("", "", "queries.jsonl:1:", "no query", id="empty set"),
        pytest.param("\n \n", "", "queries.jsonl:1:", "no query", id="blank set"),
        pytest.param(ONE + "{id: q2}\n", QRELS, "queries.jsonl:2:", "not JSON", id="not JSON"),
        pytest.param("[" * 99999, QRELS, "queries.jsonl:1:", "not JSON", id="deep JSON"),
        pytest.param('["q1"]', QRELS, "queries.jsonl:1:", "not a JSON object", id="no object"),
        pytest.param(ONE + '{"text": "a"}', QRELS, "queries.jsonl:2:", "'id'", id="no id"),
        pytest.param('{"id": 1, "text": "a"}', QRELS, "queries.jsonl:1:", "'id'", id="id a number"),
        pytest.param('{"id": "q1"}', QRELS, "queries.jsonl:1:", "'text'", id="no text"),
        pytest.param(
            '{"id": "q1", "text": " "}', QRELS, "queries.jsonl:1:", "'text'", id="blank text"
        ),
        pytest.param(
            '{"id": "q1", "text": "\\ud800"}',
            QRELS,
            "queries.jsonl:1:",
            "half a character",
            id="lone surrogate",
        ),
        pytest.param(
            '{"id": "q1", "text": "a", "lang": 5}',
            QRELS,
            "queries.jsonl:1:",
            "'lang'",
            id="lang a number",
        ),
        pytest.param(
            ONE + "\n" + ONE,
            QRELS,
            "queries.jsonl:3:",
            "'q1' stands on line 1 already",
            id="duplicate query id",
        ),
        pytest.param(
            ONE.encode() + '{"id": "q2", "text": "退款"}'.encode("big5"),
            QRELS,
            "queries.jsonl:2:",
            "not UTF-8",
            id="queries in Big5",
        ),
        pytest.param(
            QUERIES,
            "\ufeff".encode() + b"q1\td#1\t1\n" + "q1\t退款#1\t1".encode("gb18030"),
            "qrels.tsv:2:",
            "not UTF-8",
            id="qrels in GB18030",
        ),
        pytest.param(
            QUERIES, "q1\td#1\t1\nq2\td#2\n", "qrels.tsv:2:", "number of columns", id="two columns"
        ),
        pytest.param(
            QUERIES, "q1\t0\t0\td#1\t1\n", "qrels.tsv:1:", "number of columns", id="five columns"
        ),
        pytest.param(
            QUERIES, "q1 d#1 1\n", "qrels.tsv:1:", "number of columns", id="three without tabs"
        ),
        pytest.param(QUERIES, "q1\t\t1\n", "qrels.tsv:1:", "number of columns", id="empty column"),
        pytest.param(
            QUERIES, QRELS + "q2\td#1\t0.5", "qrels.tsv:4:", "'0.5' is no whole", id="relevance 0.5"
        ),
        pytest.param(
            QUERIES,
            "query-id\tcorpus-id\tscore\n" + QRELS,
            "qrels.tsv:1:",
            "'score' is no whole number",
            id="header",
        ),
        pytest.param(
            QUERIES, QRELS + "q3\td#1\t1", "qrels.tsv:4:", "no query 'q3'", id="unknown query"
        ),
        pytest.param(
            QUERIES, QRELS + "q1\td#1\t1", "qrels.tsv:4:", "on line 1 already", id="judged twice"
        ),
        pytest.param(
            QUERIES, "q1\td#1\t1\n", "queries.jsonl:2:", "'q2' has no relevant", id="not judged"
        ),
        pytest.param(
            QUERIES,
            "q1\td#1\t1\nq2\td#1\t0\n",
            "queries.jsonl:2:",
            "'q2' has no relevant",
            id="only judged 0",
        ),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path,
    queries: str | bytes | None,
    qrels: str | bytes | None,
    place: str,
    says: str,
) -> None:
    """Every bad input gives one line that names the file, the line and what is wrong."""
    with pytest.raises(EvaluationError) as raised:
        load_evaluation_set(write_set(tmp_path, queries, qrels))
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}/{place}")
    assert says in message
    assert "\n" not in message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder in a file's place is an EvaluationError, not a crash."""
    (tmp_path / "queries.jsonl").mkdir()
    with pytest.raises(EvaluationError, match=r"queries\.jsonl: cannot be read"):
        load_evaluation_set(tmp_path)


def test_a_qrel_that_points_to_nothing_is_named(tmp_path: Path) -> None:
    """A judged entry that the knowledge base lacks is an error with file, line and id."""
    evaluation_set = load_evaluation_set(write_set(tmp_path, QUERIES, QRELS))
    check_against(evaluation_set, ["d#1", "d#2", "d#3"])
    with pytest.raises(EvaluationError) as raised:
        check_against(evaluation_set, ["d#1", "d#3"])
    assert str(raised.value).startswith(f"{tmp_path / 'qrels.tsv'}:2: ")
    assert "'d#2'" in str(raised.value)


# --- the project's own set ----------------------------------------------------------------------


def test_the_original_questions_are_the_sources_own() -> None:
    """The seven queries are, in order and to the character, the numbered lines of the corpus."""
    lines = CORPUS.read_text(encoding="utf-8").split("\n")
    evaluation_set = load_evaluation_set(ORIGINAL)
    assert [query.id for query in evaluation_set.queries] == [f"q{n}" for n in range(1, 8)]
    for marker, query in zip("㈠㈡㈢㈣㈤㈥㈦", evaluation_set.queries, strict=True):
        assert f"{marker} {query.text}" in lines
        assert query.lang == "zh-Hant"


def test_each_original_question_has_its_own_entry_and_at_most_a_twin() -> None:
    """Query n has entry n at grade 2; only ㈤ and ㈦ hold each other, at grade 1."""
    evaluation_set = load_evaluation_set(ORIGINAL)
    check_against(evaluation_set, [f"taobao-after-sales#{n}" for n in range(1, 8)])
    judged = {(qrel.query_id, qrel.entry_id): qrel.relevance for qrel in evaluation_set.qrels}
    own = {(f"q{n}", f"taobao-after-sales#{n}"): 2 for n in range(1, 8)}
    twins = {("q5", "taobao-after-sales#7"): 1, ("q7", "taobao-after-sales#5"): 1}
    assert judged == own | twins


def test_twins_give_the_same_answer_word_for_word() -> None:
    """㈤ and ㈦ begin their answers with the same sentences, and no other entry holds them."""
    text = CORPUS.read_text(encoding="utf-8")
    starts = [text.index(f"\n{marker} ") for marker in "㈡㈢㈣㈤㈥㈦"]
    entries = [
        text[start:end].replace("\n", "")
        for start, end in zip([0, *starts], [*starts, len(text)], strict=True)
    ]
    first_line = text[starts[3] + 1 :].split("\n")[1]
    holders = [number for number, entry in enumerate(entries, start=1) if first_line in entry]
    assert first_line.count("。") == 2
    assert holders == [5, 7]


def test_the_twin_is_a_hit_and_costs_ndcg() -> None:
    """The twin first is a hit at rank 1; nDCG@10 is 0.860, as the README of the sets says."""
    evaluation_set = load_evaluation_set(ORIGINAL)
    run = {"q7": {"taobao-after-sales#5": 0.9, "taobao-after-sales#7": 0.8}}
    values = measure_queries(evaluation_set, run)["q7"]
    ndcg = (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    assert values == pytest.approx({"hit@1": 1, "hit@3": 1, "MRR@10": 1, "nDCG@10": ndcg})
    assert f"{ndcg:.3f}" == "0.860"
