"""The hand-written set in `eval/seed`: its files agree with each other and with the source."""

import json
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from policy_qa.corpus import read_corpus
from policy_qa.evaluation import check_against, load_evaluation_set
from policy_qa.folding import fold
from policy_qa.types import Entry

ROOT = Path(__file__).parents[1]
SEED = ROOT / "eval" / "seed"
CORPUS = ROOT / "corpus" / "taobao-after-sales.txt"

LANGUAGES = {"zh-Hant", "zh-Hans", "en"}
KINDS = {"formal", "colloquial", "keywords", "detail", "typo", "pinyin"}
UNANSWERABLE_KINDS = {"same_trade", "elsewhere"}
SPLITS = {"tune", "report"}


@cache
def records(name: str) -> tuple[dict, ...]:
    """Return the objects of one of the set's files."""
    text = (SEED / name).read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


@cache
def grades() -> dict[str, dict[str, int]]:
    """Return the judgments, query id → entry id → grade."""
    judged: dict[str, dict[str, int]] = {}
    for qrel in load_evaluation_set(SEED).qrels:
        judged.setdefault(qrel.query_id, {})[qrel.entry_id] = qrel.relevance
    return judged


@cache
def source() -> str:
    """Return the source's text as it stands in the file."""
    with CORPUS.open(encoding="utf-8", newline="") as file:
        return file.read()


@cache
def entries() -> dict[str, Entry]:
    """Return the source's entries by id."""
    return {entry.id: entry for _, found in read_corpus(CORPUS) for entry in found}


def bare(text: str) -> str:
    """Return the letters and digits of the folded text."""
    return "".join(c for c in fold(text) if unicodedata.category(c)[0] in "LN")


def test_the_set_loads_and_points_to_entries_that_exist():
    """The set is one that `policy-qa eval` reads, and all its judgments name entries."""
    check_against(load_evaluation_set(SEED), entries())


def test_ids_are_unique():
    """No id is used twice, not even once in each list."""
    ids = [
        record["id"] for name in ("queries.jsonl", "unanswerable.jsonl") for record in records(name)
    ]
    assert len(ids) == len(set(ids))


def test_every_query_has_an_entry_that_answers_it():
    """Each query has a judgment of grade 2, and no grade is other than 1 or 2."""
    assert all(2 in grades()[query["id"]].values() for query in records("queries.jsonl"))
    assert {grade for judged in grades().values() for grade in judged.values()} <= {1, 2}


def test_every_query_has_gold_in_each_entry_that_answers_it():
    """The entries that hold a query's gold spans are those of grade 2."""
    gold: dict[str, set[str]] = {}
    for span in records("gold.jsonl"):
        gold.setdefault(span["id"], set()).add(span["entry"])
    assert gold == {
        query_id: {entry_id for entry_id, grade in judged.items() if grade == 2}
        for query_id, judged in grades().items()
    }


def test_gold_quotes_the_source():
    """Each gold span's quote is the source's text at its offsets, inside its entry's answer."""
    for span in records("gold.jsonl"):
        answer = entries()[span["entry"]].answer
        assert answer.start <= span["start"] < span["end"] <= answer.end, span
        assert source()[span["start"] : span["end"]] == span["quote"], span


def test_gold_spans_are_not_given_twice():
    """No query has the same gold span twice."""
    spans = [(span["id"], span["start"], span["end"]) for span in records("gold.jsonl")]
    assert len(spans) == len(set(spans))


def test_the_lists_are_long_enough():
    """There are at least 200 answerable and 150 unanswerable questions."""
    assert len(records("queries.jsonl")) >= 200
    assert len(records("unanswerable.jsonl")) >= 150


def test_every_entry_is_asked_for_in_both_halves():
    """Each entry is the answer to queries of either split."""
    split = {query["id"]: query["split"] for query in records("queries.jsonl")}
    asked = {
        (entry_id, split[query_id])
        for query_id, judged in grades().items()
        for entry_id, grade in judged.items()
        if grade == 2
    }
    assert asked == {(entry_id, half) for entry_id in entries() for half in SPLITS}


def test_half_of_the_unanswerable_questions_are_of_the_same_trade():
    """Same trade and elsewhere have as many questions, in each split too."""
    counts = Counter((record["kind"], record["split"]) for record in records("unanswerable.jsonl"))
    assert len(set(counts.values())) == 1
    assert set(counts) == {(kind, half) for kind in UNANSWERABLE_KINDS for half in SPLITS}


@pytest.mark.parametrize(
    ("name", "kinds"), [("queries.jsonl", KINDS), ("unanswerable.jsonl", UNANSWERABLE_KINDS)]
)
def test_both_halves_are_equal_and_hold_every_language_and_kind(name: str, kinds: set[str]):
    """Either split has half the questions, all languages and all kinds."""
    for half in SPLITS:
        records_of_half = [record for record in records(name) if record["split"] == half]
        assert 2 * len(records_of_half) == len(records(name))
        assert {record["lang"] for record in records_of_half} == LANGUAGES
        assert {record["kind"] for record in records_of_half} == kinds


def test_no_question_is_asked_twice():
    """No two questions of both lists are equal in folded letters and digits."""
    counts = Counter(
        bare(record["text"])
        for name in ("queries.jsonl", "unanswerable.jsonl")
        for record in records(name)
    )
    assert "" not in counts
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", ["original", "translated"])
def test_no_question_is_one_of_the_source(name: str):
    """No question is one of the source's own or of their translations."""
    lines = (SEED.parent / name / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    stored = {bare(json.loads(line)["text"]) for line in lines}
    for list_name in ("queries.jsonl", "unanswerable.jsonl"):
        assert stored.isdisjoint(bare(record["text"]) for record in records(list_name))
