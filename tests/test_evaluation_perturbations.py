"""Evaluation: queries as people mistype them, the scripts of texts, and slices."""

from dataclasses import replace

import pytest
from fake_evaluations import make_set
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from policy_qa.evaluation import Query
from policy_qa.evaluation.measures import Outcome
from policy_qa.evaluation.perturbations import (
    PERTURBATIONS,
    alike,
    dropped,
    mistyped,
    other_script,
    perturbed,
)
from policy_qa.evaluation.scripts import OTHER_LANGUAGE, OTHER_SCRIPT, SAME, relation, script
from policy_qa.evaluation.slices import relations, slices
from policy_qa.knowledge_base import check_query

HANT, HANS, ENGLISH = (
    "買家退貨的郵資由誰負擔？",
    "买家退货的邮资由谁负担？",
    "Who pays the postage?",
)

letters = st.characters(categories=["L", "N"]) | st.sampled_from("退貨退货邮資誰who 7?，")
queries = st.builds(
    Query, id=st.text("abc0123", min_size=1), text=st.text(letters, min_size=1), line=st.just(1)
)


def is_subsequence(part: str, whole: str) -> bool:
    """Whether a text is another with characters left out."""
    rest = iter(whole)
    return all(character in rest for character in part)


def can_be_asked(text: str) -> bool:
    """Whether a text holds a letter or a digit."""
    return any(character.isalnum() for character in text)


@given(query=queries, name=st.sampled_from(sorted(PERTURBATIONS)))
def test_a_perturbation_is_always_the_same(query, name):
    """Equal id and text give an equal perturbation."""
    way = PERTURBATIONS[name]
    assert way(query) == way(replace(query, line=7, lang="en"))


@given(queries)
def test_dropping(query):
    """One or two letters go, in their order; a query of one letter stays."""
    found = dropped(query)
    n = sum(character.isalnum() for character in query.text)
    gone = len(query.text) - len(found)
    assert is_subsequence(found, query.text)
    if can_be_asked(query.text):
        assert gone in (0, 1, 2)
        assert (gone == 0) <= (n <= 1)
        check_query(found)


@given(queries)
def test_mistyping(query):
    """A slip keeps the length: one character of the same sound, or two letters swapped."""
    found = mistyped(query)
    places = [n for n, pair in enumerate(zip(query.text, found, strict=True)) if pair[0] != pair[1]]
    if len(places) == 1:
        old, new = query.text[places[0]], found[places[0]]
        assert lazy_pinyin(old) == lazy_pinyin(new)
        assert script(old) != "other"
    elif places:
        first, second = places
        assert second == first + 1
        assert found[first] + found[second] == query.text[second] + query.text[first]
        assert script(query.text) == "other"


@pytest.mark.parametrize(("text", "converted"), [(HANT, HANS), (HANS, HANT), (ENGLISH, ENGLISH)])
def test_the_other_script(text, converted):
    """Chinese changes its script, phrase by phrase, and nothing else changes."""
    assert other_script(Query("q1", text, 1)) == converted


def test_slips_are_common_and_differ():
    """Nearly every Chinese query gets another common character of its script."""
    found = {mistyped(Query(f"q{number}", HANT, 1)) for number in range(20)}
    assert HANT not in found
    assert len(found) > 10
    assert "貨" not in alike("貨", "big5")
    assert {"或", "火"} <= set(alike("貨", "big5"))
    assert "或" in alike("货", "gb2312")
    assert alike("a", "gb2312") == ()


def test_only_the_text_is_perturbed():
    """Id, line, language, kind and split stay."""
    query = Query("q1", HANT, 3, "zh-Hant", "typo", "tune")
    (found,) = perturbed([query], other_script)
    assert found == replace(query, text=HANS)


# --- scripts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [(HANT, "zh-Hant"), (HANS, "zh-Hans"), ("中文", "zh"), (ENGLISH, "other"), ("", "other")],
)
def test_the_script_of_a_text(text, found):
    """Characters that only one script uses decide."""
    assert script(text) == found


@pytest.mark.parametrize(
    ("query", "relevant", "found"),
    [
        (HANT, [HANT], SAME),
        (HANT, [HANS], OTHER_SCRIPT),
        ("中文", [HANS], SAME),
        (ENGLISH, [HANS], OTHER_LANGUAGE),
        (HANT, [ENGLISH], OTHER_LANGUAGE),
        (ENGLISH, [ENGLISH], SAME),
        (HANT, [ENGLISH, HANS, HANT], SAME),
        (HANT, [ENGLISH, HANS], OTHER_SCRIPT),
        (HANT, [], ""),
    ],
)
def test_the_relation_of_scripts(query, relevant, found):
    """The nearest of the relevant entries decides."""
    assert relation(query, relevant) == found


# --- slices -------------------------------------------------------------------------------------


def test_slices_by_hand():
    """Each slice measures its own questions; one without covered ones is told from all of those."""
    evaluation_set = make_set({"q1": {"a": 1}, "q2": {"b": 1, "a": 0}})
    asked = (
        Query("q1", HANT, 1, "zh-Hant", "formal", "tune"),
        Query("q2", ENGLISH, 2, "en", "formal", "report"),
    )
    unanswerable = (Query("u1", ENGLISH, 1, "en", "elsewhere"),)
    covered = (
        Outcome("q1", "a", 1, 1, 1, 0.9, "answered"),
        Outcome("q2", "a", 2, 0.63, 1, 0.2, "related"),
    )
    uncovered = (Outcome("u1", "a", None, 0, 0, 0.5, "answered"),)
    related = relations(evaluation_set, asked, {"a": HANS, "b": HANT})
    assert related == {"q1": OTHER_SCRIPT, "q2": OTHER_LANGUAGE}
    found = [
        (
            part.by,
            part.name,
            part.figures.covered,
            part.figures.uncovered,
            part.figures.measures["hit@1"].value if part.figures.measures else None,
        )
        for part in slices(asked, unanswerable, (covered, uncovered), related)
    ]
    assert found == [
        ("language", "en", 1, 1, 0),
        ("language", "zh-Hant", 1, 0, 1),
        ("kind", "elsewhere", 0, 1, None),
        ("kind", "formal", 2, 0, 0.5),
        ("split", "report", 1, 0, 0),
        ("split", "tune", 1, 0, 1),
        ("script", OTHER_SCRIPT, 1, 0, 1),
        ("script", OTHER_LANGUAGE, 1, 0, 0),
    ]
    parts = {
        part.name: part.figures for part in slices(asked, unanswerable, (covered, uncovered), {})
    }
    assert parts["elsewhere"].abstention["area under ROC"].value == 0.5
    assert "area under ROC" not in parts["formal"].abstention


def test_no_relations_without_texts():
    """Where the entries are not known, nothing is said of scripts."""
    assert relations(make_set({"q1": {"a": 1}}), [], {}) == {}
