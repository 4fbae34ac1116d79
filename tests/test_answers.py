"""Answers quote the source and nothing else."""

import math
import tempfile
from dataclasses import replace

import pytest
from fakes import RETURNS, LetterEncoder, build
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_qa import CorpusError, Document, Entry, Hit, KnowledgeBase, QueryError
from policy_qa.answers import cite, compose, line_number
from policy_qa.confidence import Calibration, log_odds
from policy_qa.types import Passage, Span

TEXT = "1. May I?\r\nYes, you may. But not here. Never on Sundays.\n"
DOCUMENT = Document("a.txt", TEXT)
QUESTION = Span(3, 9)
SENTENCES = [Span(11, 24), Span(25, 38), Span(39, 56)]
ENTRY = Entry("a#1", "a.txt", Span(0, 56), QUESTION, Span(11, 56))


def passage(number: int, span: Span) -> Passage:
    """Return a passage of the text above."""
    return Passage(f"a#1:{number}", "a#1", "a.txt", span, TEXT[span.start : span.end])


PASSAGES = [passage(n, span) for n, span in enumerate([QUESTION, *SENTENCES])]
SURE = {"lift": 0.5, "share": 1.0, "translated": 0.0, "across": 1.0}
UNSURE = {"lift": 0.15, "share": 0.5, "translated": 0.0, "across": 1.0}
UNLIKE = {"lift": -0.2, "share": 0.2, "translated": 0.0, "across": 1.0}
GENERAL = Calibration()
SECOND = Hit(2, replace(ENTRY, id="a#2"), "", PASSAGES[1], 0.1, UNLIKE)


def answer(components: dict[str, float], scores: list[float]):
    """Return the answer from passages with these scores."""
    hits = [Hit(1, ENTRY, "May I?", PASSAGES[0], 1.0, components), SECOND]
    return compose(
        "may I",
        hits,
        list(zip(PASSAGES, scores, strict=False)),
        DOCUMENT,
        generation=7,
        calibration=GENERAL,
    )


@pytest.mark.parametrize("idle", ["為什麼要這樣做", "May I ask more?", "溫馨提示:", "Note："])
def test_what_says_nothing_is_no_conclusion(idle):
    """A further question or a lead-in is quoted only where the entry holds nothing else."""
    document = Document("a.txt", f"{idle}\n七天內可以退貨。")
    end = len(idle)
    passages = [
        Passage("a#1:1", "a#1", "a.txt", Span(0, end), idle),
        Passage("a#1:2", "a#1", "a.txt", Span(end + 1, end + 9), "七天內可以退貨。"),
    ]
    hit = Hit(1, ENTRY, "", passages[0], 1.0, SURE)
    both = compose(
        "q",
        [hit],
        list(zip(passages, (1.0, 0.1), strict=True)),
        document,
        generation=1,
        calibration=GENERAL,
    )
    alone = compose("q", [hit], [(passages[0], 1.0)], document, generation=1, calibration=GENERAL)
    assert [citation.quote for citation in both.conclusion] == ["七天內可以退貨。"]
    assert [citation.quote for citation in alone.conclusion] == [idle]


def test_a_long_question_is_not_its_own_answer(tmp_path):
    """What one passage cannot hold of a question is still the question."""
    question = "買家在收到包裹以後的第二個星期才發現商品的顏色和圖片不一樣，" * 6
    document = Document("long.txt", f"Q: {question}可以退嗎？\nA: 可以。請在七日內寄回。\n")
    with build(tmp_path / "kb", document) as knowledge_base:
        (entry,) = knowledge_base.entries()
        for passage in knowledge_base._store.passages(entry.id):
            assert passage[1].is_question == (passage[1].span.end <= entry.question.end)
        found = compose(
            "q",
            knowledge_base.search("顏色不一樣"),
            [
                (p, 1.0 if p.is_question else 0.1)
                for _, p in knowledge_base._store.passages(entry.id)
            ],
            document,
            generation=1,
            calibration=GENERAL,
        )
    assert all(c.span.start >= entry.answer.start for c in found.conclusion)


@pytest.mark.parametrize(
    ("scores", "quotes"),
    [
        ([1, 0.9, 0.1, 0.1], ["Yes, you may."]),
        ([1, 0.1, 0.1, 0.9], ["Never on Sundays."]),
        ([1, 0.82, 0.1, 0.9], ["Yes, you may.", "Never on Sundays."]),
        ([1, 0.9, 0.9, 0.9], ["Yes, you may.", "But not here."]),
        ([1, 0.80, 0.1, 0.9], ["Never on Sundays."]),
        ([1], ["May I?"]),
    ],
    ids=["first", "last", "two-in-order", "tie", "far-behind", "question-only"],
)
def test_conclusion(scores, quotes):
    """The best sentence answers, with the next if it is nearly as good, in the source's order."""
    found = answer(SURE, scores)
    assert [citation.quote for citation in found.conclusion] == quotes
    assert all(TEXT[c.span.start : c.span.end] == c.quote for c in found.conclusion)


@pytest.mark.parametrize(
    ("components", "expected"), [(SURE, "answered"), (UNSURE, "related"), (UNLIKE, "not_covered")]
)
def test_status(components, expected):
    """An answer has an entry and quotes unless it is not covered; then the nearest are shown."""
    found = answer(components, [1, 0.5, 0.5, 0.5])
    assert found.status == expected
    assert found.generation == 7
    if expected == "not_covered":
        assert (found.entry, found.question, found.conclusion) == (None, "", ())
        assert [hit.rank for hit in found.related] == [1, 2]
    else:
        assert (found.entry, found.question) == (ENTRY, "May I?")
        assert found.conclusion
        assert [hit.rank for hit in found.related] == [2]


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (1.0, "answered"),
        (0.75, "answered"),
        (0.75 - 1e-9, "related"),
        (0.2, "related"),
        (0.2 - 1e-9, "not_covered"),
        (0.0, "not_covered"),
    ],
)
def test_status_at_the_thresholds(probability, expected):
    """With costs c and h, answers are given from c / (1 + c), hints from h / (1 + h)."""
    costs = Calibration(wrong_answer_cost=3, wrong_hint_cost=0.25)
    assert costs.status(probability) == expected


def test_a_hint_is_never_worth_less_than_an_answer():
    """Where a wrong answer costs less than a wrong hint, what is not answered is not covered."""
    costs = Calibration(wrong_answer_cost=0.1, wrong_hint_cost=1)
    assert costs.status(0.1 / 1.1) == "answered"
    assert costs.status(0.1 / 1.1 - 1e-9) == "not_covered"


@pytest.mark.parametrize("name", ["lift", "share", "translated"])
def test_confidence_rises_with_each_signal(name):
    """More of a signal makes an answer more probable, between 0 and 1."""
    values = [GENERAL.confidence(UNSURE | {name: x}) for x in (0, 0.01, 0.1, 0.5, 1)]
    assert values == sorted(values)
    assert 0 < values[0] < values[-1] < 1


def test_a_calibration_corrects_the_log_odds():
    """The corrected log odds are intercept + slope times the general ones."""
    general = log_odds(UNSURE)
    corrected = Calibration(slope=2, intercept=-1).confidence(UNSURE)
    assert math.log(corrected / (1 - corrected)) == pytest.approx(2 * general - 1)


def test_no_hits():
    """Where nothing is found, the answer says not covered and holds nothing."""
    found = compose("may I", [], [], None, generation=7, calibration=GENERAL)
    assert (found.status, found.confidence, found.entry) == ("not_covered", 0.0, None)
    assert (found.conclusion, found.related, found.hits) == ((), (), ())


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_numbers(newline):
    """Lines count alike whatever ends them."""
    text = newline.join(["one", "", "three", "four"])
    assert [line_number(text, text.index(word)) for word in ("one", "three", "four")] == [1, 3, 4]
    assert cite(Document("a.txt", text), "a#1", Span(text.index("four"), len(text))).line == 4


def test_a_question_without_answer(tmp_path):
    """An entry that is only a question is found, and quoted itself."""
    document = Document("a.txt", "1. May I park?\n2. May I sing?\nOn Sundays only.\n")
    with build(tmp_path / "kb", document, RETURNS) as knowledge_base:
        (hit,) = knowledge_base.search("May I park?", 1)
        assert hit.entry.id == "a#1"
        assert not hit.entry.answer
        found = knowledge_base.ask("May I park?")
        assert [citation.quote for citation in found.conclusion] == ["May I park?"]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
numbered = st.lists(texts, min_size=1, max_size=4).map(
    lambda parts: "".join(f"{n}. {part}?\n{part} 不。\n" for n, part in enumerate(parts, 1))
)


@settings(max_examples=40, deadline=None)
@given(
    corpus=st.lists(texts | numbered, min_size=1, max_size=3),
    queries=st.lists(st.text(max_size=30), min_size=1, max_size=3),
)
@example(corpus=["㈠ 退款\r\n會退。\r㈡ 換貨\u2028不會。"], queries=["退\ud800款", "\x00換"])
def test_every_quote_is_the_source_s_own(corpus, queries):
    """Whatever the corpus and the query, every quote stands in the source where it says."""
    documents = {f"{n}.txt": Document(f"{n}.txt", text) for n, text in enumerate(corpus)}
    with tempfile.TemporaryDirectory() as folder:
        try:
            knowledge_base = KnowledgeBase.build(
                documents.values(), f"{folder}/kb", model=LetterEncoder()
            )
        except CorpusError:
            assert not any(text.strip() for text in corpus)
            return
        with knowledge_base:
            for query in [*queries, corpus[0][:20], "may 不"]:
                check_answer(knowledge_base, documents, query)


def check_answer(knowledge_base: KnowledgeBase, documents: dict[str, Document], query: str) -> None:
    """Ask, and compare whatever is quoted with the documents."""
    try:
        found = knowledge_base.ask(query)
    except QueryError:
        assert not any(c.isalnum() and c.isascii() for c in query)
        return
    assert found.query == query
    assert [hit.rank for hit in found.hits] == list(range(1, len(found.hits) + 1))
    for citation in found.conclusion:
        text = documents[citation.document_id].text
        assert citation.quote == text[citation.span.start : citation.span.end] != ""
    for hit in found.hits:
        text = documents[hit.entry.document_id].text
        assert hit.question == text[hit.entry.question.start : hit.entry.question.end]
        assert hit.passage.text == text[hit.passage.span.start : hit.passage.span.end]
