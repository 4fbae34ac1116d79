"""Evaluation: sets are loaded and checked, and the project's own are what they say."""

import json
import math
from pathlib import Path

import pytest
from fake_evaluations import QRELS, QUERIES, write_set

from policy_qa.errors import EvaluationError
from policy_qa.evaluation import (
    Qrel,
    Query,
    check_against,
    check_names,
    load_evaluation_set,
    measure_queries,
)
from policy_qa.evaluation.records import Record, parsed

ROOT = Path(__file__).parents[1]
ORIGINAL = ROOT / "eval" / "original"
CORPUS = ROOT / "corpus" / "taobao-after-sales.txt"


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
            QRELS + "query-id\tcorpus-id\tscore\n",
            "qrels.tsv:4:",
            "'score' is no whole number",
            id="header at the end",
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


# --- further kinds of sets ----------------------------------------------------------------------

CORPUS_LINES = [
    {"id": "d1", "title": "Refund?", "text": "Within 7 days.", "group": "REFUND"},
    {"id": "d2", "title": "退款?", "text": "七天內。", "group": "REFUND"},
    {"id": "d3", "title": "", "text": "The shop pays.", "group": "POSTAGE"},
]


def write(folder: Path, **files: str | list[dict[str, str]]) -> Path:
    """Write files named by keyword: `__` stands for a dot, `_in_` for a slash."""
    for name, content in files.items():
        path = folder / name.replace("_in_", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = isinstance(content, str)
        text = content if plain else "".join(json.dumps(line) + "\n" for line in content)
        path.write_text(text, encoding="utf-8")
    return folder


def beir(folder: Path, **files: str | list[dict[str, str]]) -> Path:
    """Write a set with a corpus; the files given stand in for the usual ones."""
    usual: dict[str, str | list[dict[str, str]]] = {
        "corpus__jsonl": CORPUS_LINES,
        "queries__jsonl": [{"_id": "q1", "text": "money back"}, {"_id": "q2", "text": "郵資"}],
        "qrels__tsv": "q1\td1\t1\nq1\td2\t1\nq2\td3\t1\n",
    }
    return write(folder, **(usual | files))


def test_a_set_with_a_corpus(tmp_path: Path) -> None:
    """BEIR's names and the plain ones mean the same, and each record is a document of one entry."""
    evaluation_set = load_evaluation_set(beir(tmp_path))
    assert [query.id for query in evaluation_set.queries] == ["q1", "q2"]
    assert list(evaluation_set.corpus) == ["d1", "d2", "d3"]
    document, (entry,) = parsed(evaluation_set.corpus["d1"])
    assert (document.id, document.text, entry.id) == ("d1", "Refund?\nWithin 7 days.", "d1#1")
    assert document.text[entry.question.start : entry.question.end] == "Refund?"
    assert document.text[entry.answer.start : entry.answer.end] == "Within 7 days."


@pytest.mark.parametrize(
    ("title", "text", "question", "answer"),
    [
        ("a", "b", "a", "b"),
        ("", "b", "", "b"),
        ("a", "a", "a", ""),
        ("a", " a\n", "a", ""),
        ("a", "", "a", ""),
    ],
)
def test_a_record_that_says_nothing_more(title: str, text: str, question: str, answer: str) -> None:
    """A text that repeats the title is no answer; a record without a title has no question."""
    document, (entry,) = parsed(Record("d", title, text))
    assert document.text[entry.question.start : entry.question.end] == question
    assert document.text[entry.answer.start : entry.answer.end] == answer


def test_beir_has_a_header_and_a_file_for_each_split(tmp_path: Path) -> None:
    """`qrels/test.tsv` begins with a header; queries of other splits are left out."""
    folder = beir(tmp_path, qrels_in_test__tsv="query-id\tcorpus-id\tscore\nq2\td3\t1\n")
    (folder / "qrels.tsv").unlink()
    evaluation_set = load_evaluation_set(folder)
    assert [query.id for query in evaluation_set.queries] == ["q2"]
    assert evaluation_set.qrels == (Qrel("q2", "d3", 1, line=2),)


def test_groups_decide_where_they_are_judged(tmp_path: Path) -> None:
    """With `qrels_group.tsv` a hit is any record of the group; relevance need not be written."""
    folder = beir(tmp_path, qrels_group__tsv="q1\tREFUND\nq2\tPOSTAGE\t2\n")
    evaluation_set = load_evaluation_set(folder)
    assert evaluation_set.grouped
    assert evaluation_set.relevant == {"q1": {"REFUND": 1}, "q2": {"POSTAGE": 2}}
    assert [evaluation_set.label(record) for record in ("d1", "d2", "d3")] == [
        "REFUND",
        "REFUND",
        "POSTAGE",
    ]


def test_a_corpus_that_stands_elsewhere(tmp_path: Path) -> None:
    """Queries in another language are judged against the corpus that is named."""
    beir(tmp_path / "home")
    folder = beir(tmp_path / "across")
    (folder / "corpus.jsonl").unlink()
    assert load_evaluation_set(folder).corpus == {}
    assert list(load_evaluation_set(folder, tmp_path / "home").corpus) == ["d1", "d2", "d3"]


def test_files_of_trec(tmp_path: Path) -> None:
    """`queries.tsv` and `qrels.txt` are read as their JSON and tabbed kin."""
    folder = write(
        tmp_path, queries__tsv="q1\trefund?\nq2\t退款 嗎\n", qrels__txt="q1 0 d#1 2\nq2 0 d#2 1\n"
    )
    evaluation_set = load_evaluation_set(folder)
    assert evaluation_set.queries == (Query("q1", "refund?", 1), Query("q2", "退款 嗎", 2))
    assert evaluation_set.qrels == (Qrel("q1", "d#1", 2, 1), Qrel("q2", "d#2", 1, 2))


def test_further_queries(tmp_path: Path) -> None:
    """Queries that nothing answers, and those in the other script, come with the set."""
    folder = beir(
        tmp_path,
        unanswerable__jsonl=[{"id": "u1", "text": "weather?", "kind": "elsewhere"}],
        queries__xscript__jsonl=[{"id": "q2", "text": "邮资"}],
    )
    evaluation_set = load_evaluation_set(folder)
    assert evaluation_set.unanswerable == (Query("u1", "weather?", 1, kind="elsewhere"),)
    assert evaluation_set.other_script == (Query("q2", "邮资", 1),)


def test_the_digest_says_whether_sets_ask_and_judge_the_same(tmp_path: Path) -> None:
    """Order, place and form do not matter; a text, a grade or an unanswerable query does."""
    one = load_evaluation_set(beir(tmp_path / "one"))
    moved = write(
        tmp_path / "two",
        queries__tsv="q2\t郵資\nq1\tmoney back\n",
        qrels__txt="q2 0 d3 1\nq1 0 d2 1\nq1 0 d1 1\n",
    )
    assert load_evaluation_set(moved).digest == one.digest
    for number, other in enumerate(
        (
            {"qrels__tsv": "q1\td1\t2\nq1\td2\t1\nq2\td3\t1\n"},
            {"queries__jsonl": [{"id": "q1", "text": "money"}, {"id": "q2", "text": "郵資"}]},
            {"unanswerable__jsonl": [{"id": "u1", "text": "weather?"}]},
        )
    ):
        assert load_evaluation_set(beir(tmp_path / str(number), **other)).digest != one.digest


@pytest.mark.parametrize(
    ("files", "place", "says"),
    [
        ({"corpus__jsonl": ""}, "corpus.jsonl:1:", "no record"),
        ({"corpus__jsonl": "{"}, "corpus.jsonl:1:", "not JSON"),
        ({"corpus__jsonl": [{"id": "d1"}]}, "corpus.jsonl:1:", "'text' is missing"),
        ({"corpus__jsonl": [{"text": "a"}]}, "corpus.jsonl:1:", "'id' is missing"),
        (
            {"corpus__jsonl": [{"id": "d1", "title": "", "text": " "}]},
            "corpus.jsonl:1:",
            "neither 'title' nor 'text'",
        ),
        (
            {"corpus__jsonl": [CORPUS_LINES[0], CORPUS_LINES[0]]},
            "corpus.jsonl:2:",
            "'d1' stands on line 1 already",
        ),
        (
            {"qrels__tsv": "q1\td1\t1\nq2\td9\t1\n"},
            "qrels.tsv:2:",
            "has no entry 'd9'; one that it has is 'd1'",
        ),
        (
            {"qrels_group__tsv": "q1\tREFUND\nq2\tNONE\n"},
            "qrels_group.tsv:2:",
            "has no group 'NONE'; one that it has is 'POSTAGE'",
        ),
        ({"qrels_group__tsv": "q1\nq2\tPOSTAGE\n"}, "qrels_group.tsv:1:", "query TAB group"),
        (
            {"unanswerable__jsonl": [{"id": "q1", "text": "a"}]},
            "unanswerable.jsonl:1:",
            "stands in queries.jsonl too",
        ),
        (
            {"unanswerable__jsonl": [{"id": "u1", "text": "?!"}]},
            "unanswerable.jsonl:1:",
            "cannot be asked",
        ),
        (
            {"queries__xscript__jsonl": [{"id": "q7", "text": "a"}]},
            "queries.xscript.jsonl:1:",
            "no query 'q7'",
        ),
        ({"queries__tsv": "q1 money\n"}, "queries.tsv:1:", "id TAB text"),
    ],
)
def test_bad_files_of_further_kinds_are_named(
    tmp_path: Path, files: dict[str, str | list[dict[str, str]]], place: str, says: str
) -> None:
    """Every bad input gives one line that names the file, the line and what to do."""
    folder = beir(tmp_path, **files)
    if "queries__tsv" in files:
        (folder / "queries.jsonl").unlink()
    with pytest.raises(EvaluationError) as raised:
        load_evaluation_set(folder)
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}/{place}")
    assert says in message
    assert "\n" not in message


def test_groups_need_a_corpus(tmp_path: Path) -> None:
    """Without the corpus nobody knows which records make a group."""
    folder = write_set(tmp_path, QUERIES, None)
    (folder / "qrels_group.tsv").write_text("q1\tA\nq2\tA\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"qrels_group\.tsv:1: groups need corpus\.jsonl"):
        load_evaluation_set(folder)


def test_two_sets_of_one_name(tmp_path: Path) -> None:
    """Two folders of the same name are refused, and both are named."""
    sets = [load_evaluation_set(beir(tmp_path / part / "same")) for part in ("one", "two")]
    check_names(sets[:1])
    with pytest.raises(EvaluationError, match="have the same name 'same'"):
        check_names(sets)


PUBLIC = ROOT.parent / "shared" / "data" / "dev"


@pytest.mark.skipif(not PUBLIC.is_dir(), reason=f"the public sets are not in {PUBLIC}")
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("drcd", (1500, 1500, 2000, 0, 1500)),
        ("stard", (506, 904, 9967, 0, 506)),
        ("covidfaq", (240, 241, 208, 0, 0)),
        ("hint3_sofmattress", (250, 250, 318, 140, 0)),
    ],
)
def test_public_sets_load_as_they_are(name: str, size: tuple[int, ...]) -> None:
    """Every public set of the layout is read whole."""
    loaded = load_evaluation_set(PUBLIC / name)
    parts = (loaded.queries, loaded.qrels, loaded.corpus, loaded.unanswerable, loaded.other_script)
    assert tuple(map(len, parts)) == size


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
    assert values["nDCG@10"] == pytest.approx(ndcg)
    assert [values[name] for name in ("hit@1", "MRR@10", "recall@10")] == [1, 1, 1]
    assert f"{ndcg:.3f}" == "0.860"
