"""Hit tests: what was tried, kept, compared and saved."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
from fakes import LetterEncoder, build
from hypothesis import given
from hypothesis import strategies as st

from policy_qa import KnowledgeBase
from policy_qa.cli import main
from policy_qa.errors import (
    CorruptionError,
    EvaluationError,
    LockedError,
    QueryError,
    StorageError,
)
from policy_qa.evaluation import check_against, judge, load_evaluation_set, saved_cases
from policy_qa.evaluation.hit_tests import (
    BATCH,
    HIT_TEST_FILE,
    Change,
    HitTest,
    Tried,
    compare,
    keep,
    last,
    resolve,
    run_test,
)
from policy_qa.evaluation.measures import DEPTH
from policy_qa.evaluation.question_tables import Case
from policy_qa.evaluation.saved_cases import (
    BEGUN_FILE,
    EVAL_FOLDER,
    save_case,
    save_uncovered,
)
from policy_qa.storage import writing

SHOES, PARCEL, PARKING = "shop/returns#1", "shop/returns#2", "site/parking#1"
QUESTIONS = {
    SHOES: "May I return shoes?",
    PARCEL: "鞋子壞了，運費誰付？",
    PARKING: "Where may I park?",
    "notes#0": "",
    "a#1": "Same?",
    "b#1": "same",
}


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Open a knowledge base of three entries."""
    with build(tmp_path_factory.mktemp("hits") / "kb") as built:
        yield built


def tried(query: str, expected: str = "", rank: int | None = None) -> Tried:
    """Return what became of a question, of which only these matter."""
    return Tried(query, expected, rank, "d#1", "Why?", "related", 0.5)


def make_test(*of: Tried) -> HitTest:
    """Return a test of some questions."""
    return HitTest(of, 3, "2026-01-31")


# --- what is expected ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "entry_id"),
    [
        ("", ""),
        (SHOES, SHOES),
        ("notes#0", "notes#0"),
        ("may i return shoes", SHOES),
        ("Ｍay I  return shoes？！", SHOES),
        ("鞋子坏了,运费谁付", PARCEL),
    ],
)
def test_what_is_expected(expected, entry_id):
    """An entry is named by its id, or by its question in either script, case and width."""
    assert resolve([Case("Why?", expected, 7)], QUESTIONS) == [Case("Why?", entry_id, 7)]


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("shop/return#1", f"there is no entry 'shop/return#1', .* nearest is {SHOES}\\. Correct"),
        ("May I return shoe?", rf"nearest is {SHOES} \(May I return shoes\?\)\."),
        ("xyz" * 200, "neither as an id nor as a question. Correct it"),
        ("?!", "there is no entry '\\?!'"),
        ("SAME", "'SAME' is the question of a#1, b#1. Give the id"),
    ],
)
def test_what_is_not_there(expected, told):
    """What names no entry, or several, is told with its row and the nearest entry."""
    with pytest.raises(EvaluationError, match=f"^Row 7: .*{told}") as error:
        resolve([Case("Why?", SHOES, 6), Case("Why?", expected, 7)], QUESTIONS)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


@given(st.lists(st.sampled_from(sorted(QUESTIONS))))
def test_resolving_twice(entry_ids):
    """Ids stay as they are, so that resolved cases can be resolved again."""
    cases = [Case("Why?", entry_id, line) for line, entry_id in enumerate(entry_ids, 1)]
    assert resolve(cases, QUESTIONS) == cases


# --- tests --------------------------------------------------------------------------------------


def test_a_test(kb):
    """Each question has its rank, the best entry, and what an answer to it would be called."""
    queries = ["May I return shoes?", "Where may I park?", "Who pays for the parcel?"]
    cases = [
        Case(queries[0], "may i return SHOES", 1),
        Case(queries[1], PARCEL, 2),
        Case(queries[2], "", 3),
    ]
    test = run_test(kb, cases)
    judged = judge(kb, queries, DEPTH)
    ranks = [hit.entry.id for hit in judged[1][0]]
    assert [t.rank for t in test.tried] == [1, ranks.index(PARCEL) + 1, None]
    assert [t.expected for t in test.tried] == [SHOES, PARCEL, ""]
    assert [(t.found, t.question) for t in test.tried] == [
        (SHOES, queries[0]),
        (PARKING, queries[1]),
        (PARCEL, queries[2]),
    ]
    assert [(t.status, t.confidence) for t in test.tried] == [
        (status, pytest.approx(confidence, abs=1e-6)) for _, confidence, status in judged
    ]
    assert test.generation == kb.generation
    assert sum(test.statuses.values()) == 3


def test_batches(kb):
    """However many questions there are, each is asked once and stays in its place."""
    cases = [Case(f"Shoes {number}?", "", number) for number in range(2 * BATCH + 1)]
    assert [t.query for t in run_test(kb, cases).tried] == [case.query for case in cases]


def test_an_unknown_entry_is_told_before_anything_is_asked(kb):
    """A test of an entry that is not there is refused."""
    with pytest.raises(EvaluationError, match="Row 9: there is no entry 'nothing#1'"):
        run_test(kb, [Case("Why?", "nothing#1", 9)])


def test_figures():
    """Of ranks 1, 2, 4 and none: 1, 2 and 3 of four, and (1 + 1/2 + 1/4) / 4."""
    test = make_test(
        tried("a", "d#1", 1), tried("b", "d#1", 2), tried("c", "d#1", 4), tried("d", "d#1"),
        tried("not judged"),
    )  # fmt: skip
    assert (test.hit_at_1, test.hit_at_3, test.hit_at_5) == (0.25, 0.5, 0.75)
    assert test.mrr == 1.75 / 4
    assert test.statuses == {"answered": 0, "related": 5, "not_covered": 0}


def test_nothing_judged():
    """Without anything expected there are no figures, which is not the same as none right."""
    test = make_test(tried("a"))
    assert (test.hit_at_1, test.hit_at_3, test.hit_at_5, test.mrr) == (None,) * 4
    assert make_test().mrr is None


def test_comparing():
    """Only questions that both tests judge by the same entry are compared."""
    before = make_test(
        tried("up", "d#1", 2), tried("down", "d#1", 1), tried("same", "d#1", 1),
        tried("other entry", "d#1", 1), tried("gone", "d#1", 1), tried("looked at"),
    )  # fmt: skip
    after = make_test(
        tried("looked at"), tried("same", "d#1", 1), tried("down", "d#1"), tried("up", "d#1", 1),
        tried("other entry", "d#2", 1), tried("new", "d#1", 1),
    )  # fmt: skip
    assert compare(before, after) == Change(("up",), ("down",), 2 / 3, 2 / 3, 3)
    assert compare(before, make_test()) == Change((), (), None, None, 0)


RANKS = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.integers(1, DEPTH)))


@given(RANKS, RANKS)
def test_a_comparison_adds_up(earlier, later):
    """What was gained less what was lost is the difference; the other way round it is the same."""
    before = make_test(*(tried(query, "d#1", rank) for query, rank in dict(earlier).items()))
    after = make_test(*(tried(query, "d#1", rank) for query, rank in dict(later).items()))
    change, back = compare(before, after), compare(after, before)
    assert (set(change.gained), set(change.lost)) == (set(back.lost), set(back.gained))
    if change.common:
        gain = (len(change.gained) - len(change.lost)) / change.common
        assert change.after - change.before == pytest.approx(gain)


# --- keeping ------------------------------------------------------------------------------------


def test_the_last_test(kb):
    """The test kept last comes back as it was, and replaces the one before."""
    for test in (make_test(tried("退款?", "d#1", 2), tried("\ud800")), make_test()):
        keep(kb.path, test)
        assert last(kb.path) == test
    assert KnowledgeBase.open(kb.path, model=kb.encoder).close() is None


def test_no_last_test(tmp_path):
    """Where nothing was kept there is no last test."""
    assert last(tmp_path) is None
    assert last(tmp_path / "nowhere") is None


def test_keeping_while_another_writes(kb):
    """A test is not kept into a build."""
    with writing(kb.path), pytest.raises(LockedError):
        keep(kb.path, make_test())


WHOLE = {"tried": [], "generation": 1, "day": "2026-01-31"}
ONE = {
    "query": "a", "expected": "d#1", "rank": 1, "found": "d#1", "question": "", "confidence": 1.0,
    "status": "answered",
}  # fmt: skip


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        "\udcff",
        json.dumps(WHOLE | {"day": "today"}),
        json.dumps(WHOLE | {"day": 5}),
        json.dumps(WHOLE | {"generation": "1"}),
        json.dumps(WHOLE | {"more": 1}),
        json.dumps(WHOLE | {"tried": 1}),
        json.dumps(WHOLE | {"tried": [1]}),
        json.dumps({"tried": []}),
        *(
            json.dumps(WHOLE | {"tried": [ONE | wrong]})
            for wrong in (
                {"rank": 0}, {"rank": True}, {"rank": DEPTH + 1}, {"query": 1}, {"expected": ""},
                {"status": "sure"}, {"confidence": 2}, {"confidence": float("nan")}, {"more": 1},
            )
        ),
    ],
)  # fmt: skip
def test_a_damaged_test(tmp_path, kept):
    """A damaged file is told of in one line, with the way out."""
    (tmp_path / HIT_TEST_FILE).write_bytes(kept.encode(errors="surrogateescape"))
    with pytest.raises(CorruptionError, match=r"hit-test\.json is damaged .*Delete it") as error:
        last(tmp_path)
    assert "\n" not in str(error.value)


def test_a_whole_test_by_hand(tmp_path):
    """The fields above are damaged by what each of them changes, and by nothing else."""
    (tmp_path / HIT_TEST_FILE).write_text(json.dumps(WHOLE | {"tried": [ONE]}), "utf-8")
    assert last(tmp_path).hit_at_1 == 1


# --- saving -------------------------------------------------------------------------------------


def judgments(folder: Path) -> dict[str, dict[str, int]]:
    """Return query → entry → relevance of a set, which is loaded."""
    loaded = load_evaluation_set(folder)
    texts = {query.id: query.text for query in loaded.queries}
    return {texts[query_id]: grades for query_id, grades in loaded.relevant.items()}


def uncovered(folder: Path) -> list[str]:
    """Return the queries of a set that nothing answers."""
    return [query.text for query in load_evaluation_set(folder).unanswerable]


def test_saved_cases(kb):
    """What was saved is an evaluation set of its knowledge base."""
    folder = kb.path / EVAL_FOLDER
    assert save_case(folder, "Shoes\nback?", SHOES, "en") == "q0001"
    assert save_case(folder, "運費誰付?", PARCEL, "zh-Hant") == "q0002"
    assert save_case(folder, "停車?", PARKING, "") == "q0003"
    assert save_uncovered(folder, "Who won?") == "u0001"
    loaded = load_evaluation_set(folder)
    check_against(loaded, [entry.id for entry in kb.entries()])
    assert [(q.id, q.text, q.lang) for q in loaded.queries] == [
        ("q0001", "Shoes back?", "en"),
        ("q0002", "運費誰付?", "zh-Hant"),
        ("q0003", "停車?", ""),
    ]
    assert [(q.id, q.text) for q in loaded.unanswerable] == [("u0001", "Who won?")]


def test_saved_cases_are_measured(tmp_path, monkeypatch, capsys):
    """`policy-qa eval KB/eval --kb KB` measures what was saved."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("policy_qa.evaluation.revision.revision", lambda *_: "0.1.0")
    monkeypatch.setattr("policy_qa.evaluation.indexes._cache", lambda: tmp_path / "cache")
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())
    monkeypatch.setattr("policy_qa.encoders.load_encoder", lambda *_: LetterEncoder())
    build(Path("kb")).close()
    save_case(Path("kb", EVAL_FOLDER), "Where may I park?", PARKING, "en")
    save_uncovered(Path("kb", EVAL_FOLDER), "Who won?")
    assert main(["eval", "kb/eval", "--kb", "kb", "--model", "letters"]) == 0
    shown = capsys.readouterr().out
    assert "eval: 1 query, 1 that nothing answers" in shown
    assert re.search(r"questions indexed +1\.000", shown)


def test_a_query_saved_again(tmp_path):
    """The same query with another entry has that entry alone; with the same one nothing changes."""
    assert save_case(tmp_path, "Why?", SHOES, "en") == "q0001"
    save_case(tmp_path, "Who?", PARKING, "en")
    assert save_case(tmp_path, " Why? ", PARCEL, "en") == "q0001"
    assert judgments(tmp_path) == {"Why?": {PARCEL: 1}, "Who?": {PARKING: 1}}
    before = [(tmp_path / name).read_bytes() for name in ("queries.jsonl", "qrels.tsv")]
    assert save_case(tmp_path, "Why?", PARCEL, "en") == "q0001"
    assert [(tmp_path / name).read_bytes() for name in ("queries.jsonl", "qrels.tsv")] == before


def test_moving(tmp_path):
    """A query is either answered or not: saved as the other, it moves."""
    save_case(tmp_path, "Why?", SHOES, "en")
    save_case(tmp_path, "Who?", PARKING, "en")
    assert save_uncovered(tmp_path, "Why?") == "u0001"
    assert save_uncovered(tmp_path, "Why?") == "u0001"
    assert judgments(tmp_path) == {"Who?": {PARKING: 1}}
    assert uncovered(tmp_path) == ["Why?"]
    assert save_case(tmp_path, "Why?", PARCEL, "en") == "q0003"
    assert judgments(tmp_path) == {"Who?": {PARKING: 1}, "Why?": {PARCEL: 1}}
    assert uncovered(tmp_path) == []


def test_a_set_emptied_and_filled(tmp_path):
    """When its last query moved away, a set is as good as new."""
    save_case(tmp_path, "Why?", SHOES, "en")
    save_uncovered(tmp_path, "Why?")
    assert save_case(tmp_path, "Who?", SHOES, "en") == "q0001"
    assert judgments(tmp_path) == {"Who?": {SHOES: 1}}
    assert uncovered(tmp_path) == ["Why?"]


def test_what_others_wrote_stays(tmp_path):
    """Lines that were written by hand stay as they are, and their ids are not given again."""
    queries = '\ufeff{"_id": "q7", "text": "Why?", "kind": "short"}\r\n\r\n{"id":"x","text":"Who?"}'
    (tmp_path / "queries.jsonl").write_bytes(queries.encode())
    (tmp_path / "qrels.tsv").write_bytes(b"query-id\tcorpus-id\tscore\nq7\tb#1\t0\nx\ta#1\t2")
    with pytest.raises(EvaluationError, match="no relevant entry"):
        load_evaluation_set(tmp_path)
    assert save_case(tmp_path, "When?", SHOES, "en") == "q0008"
    assert save_case(tmp_path, "Why?", PARCEL, "en") == "q7"
    assert (tmp_path / "queries.jsonl").read_bytes().decode() == (
        queries[1:] + '\n{"id": "q0008", "text": "When?", "lang": "en"}\n'
    )
    assert judgments(tmp_path) == {"Why?": {PARCEL: 1}, "Who?": {"a#1": 2}, "When?": {SHOES: 1}}


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["", SHOES, PARCEL])), max_size=8
)


def save(folder: Path, query: str, entry_id: str) -> str:
    """Save a query with its entry, or without."""
    return save_case(folder, query, entry_id, "en") if entry_id else save_uncovered(folder, query)


@given(OPERATIONS)
def test_any_saving(tmp_path_factory, operations):
    """After any savings each query is what was said of it last, and no id is there twice."""
    folder = tmp_path_factory.mktemp("set")
    save_case(folder, "first", PARKING, "en")
    ids = {query: save(folder, query, entry_id) for query, entry_id in operations}
    said = dict(operations)
    assert judgments(folder) == {"first": {PARKING: 1}} | {
        query: {entry_id: 1} for query, entry_id in said.items() if entry_id
    }
    assert sorted(uncovered(folder)) == sorted(q for q, entry_id in said.items() if not entry_id)
    loaded = load_evaluation_set(folder)
    there = {query.text: query.id for query in (*loaded.queries, *loaded.unanswerable)}
    assert there == ids | {"first": "q0001"}
    assert not (folder / BEGUN_FILE).exists()


@pytest.mark.parametrize("entry_id", ["", PARCEL])
@pytest.mark.parametrize("query", ["new", "covered", "uncovered"])
@pytest.mark.parametrize("writes", range(4))
def test_a_crash(tmp_path, monkeypatch, query, entry_id, writes):
    """Wherever a save was cut off, after the next one both are there, and nothing twice."""
    save_case(tmp_path, "first", PARKING, "en")
    save_case(tmp_path, "covered", SHOES, "en")
    save_uncovered(tmp_path, "uncovered")
    done = []

    def replace_or_die(file, text):
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(file)
        replace(file, text)

    replace = saved_cases._replace
    with monkeypatch.context() as patched:
        patched.setattr(saved_cases, "_replace", replace_or_die)
        try:
            save(tmp_path, query, entry_id)
        except KeyboardInterrupt:
            assert (tmp_path / BEGUN_FILE).exists()
    save_case(tmp_path, "last", PARKING, "en")
    said = {"first": PARKING, "covered": SHOES, "uncovered": "", "last": PARKING, query: entry_id}
    assert judgments(tmp_path) == {text: {entry: 1} for text, entry in said.items() if entry}
    assert sorted(uncovered(tmp_path)) == sorted(text for text in said if not said[text])
    assert not (tmp_path / BEGUN_FILE).exists()


def test_a_damaged_beginning(tmp_path):
    """What says of a save nothing that can be done is told of."""
    for text in ("{", "[]", '{"text": ""}', '{"more": 1}'):
        (tmp_path / BEGUN_FILE).write_text(text, "utf-8")
        with pytest.raises(EvaluationError, match=r"begun\.json is damaged\. Delete it"):
            save_case(tmp_path, "Why?", SHOES, "en")


def test_a_broken_set(tmp_path):
    """A set with a broken line is told of before anything is written."""
    (tmp_path / "queries.jsonl").write_text("{\n", "utf-8")
    with pytest.raises(EvaluationError, match=r"queries\.jsonl:1: not JSON"):
        save_case(tmp_path, "Why?", SHOES, "en")
    assert {path.name for path in tmp_path.iterdir()} <= {"queries.jsonl", "lock"}


@pytest.mark.parametrize("name", ["queries.tsv", "qrels.txt", "corpus.jsonl", "qrels_group.tsv"])
def test_a_set_of_another_form(tmp_path, name):
    """A set in files that would be hidden, or would hide what is saved, is left alone."""
    (tmp_path / name).write_text("q1\tWhy?\n", "utf-8")
    with pytest.raises(EvaluationError, match=f"holds {name}, beside which no case"):
        save_case(tmp_path, "Why?", SHOES, "en")


@pytest.mark.parametrize("entry_id", ["", " a#1", "a\tb#1", "a\nb#1"])
def test_ids_that_cannot_be_written(tmp_path, entry_id):
    """An id that would break a line is refused."""
    with pytest.raises(EvaluationError, match="The entry id"):
        save_case(tmp_path, "Why?", entry_id, "en")


@pytest.mark.parametrize("query", ["", "\n", "?!", "x" * 2_001])
def test_queries_that_cannot_be_asked(tmp_path, query):
    """What cannot be asked is not saved."""
    with pytest.raises(QueryError):
        save_case(tmp_path, query, SHOES, "en")
    with pytest.raises(QueryError):
        save_uncovered(tmp_path, query)


def test_saving_while_another_saves(tmp_path, monkeypatch):
    """Only one process saves at a time."""
    monkeypatch.setattr(saved_cases, "LOCK_SECONDS", 0)
    with filelock.FileLock(tmp_path / "lock"), pytest.raises(LockedError, match="saving to"):
        save_case(tmp_path, "Why?", SHOES, "en")


def test_a_place_that_cannot_be_written(tmp_path):
    """A file in the place of the folder is told of."""
    (tmp_path / "eval").write_text("", "utf-8")
    with pytest.raises(StorageError, match="Cannot write to"):
        save_case(tmp_path / "eval", "Why?", SHOES, "en")
