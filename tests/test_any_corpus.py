"""Whatever the corpus and the query: an answer or an error of the package, and quotes that hold."""

import json
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain

import pytest
from fakes import LetterEncoder
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from policy_qa import Answer, Citation, CorpusError, Document, Filters, KnowledgeBase, QueryError
from policy_qa.confidence import Calibration
from policy_qa.entries import parse
from policy_qa.facts import is_noise
from policy_qa.labels import LABELS
from policy_qa.output import (
    answer_chat,
    answer_fields,
    answer_markdown,
    answer_schema,
    answer_text,
    json_text,
)
from policy_qa.types import CONTRADICTIONS, FIELDS, RuleCard

VALIDATOR = Draft202012Validator(
    answer_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER
)
SURE = Calibration(wrong_answer_cost=0, wrong_hint_cost=0)
"""Answers everything, so that whatever was found is composed to an answer."""

Documents = Mapping[str, Document]


def of_card(card: RuleCard) -> list[Citation]:
    """Return the citations of a rule card."""
    return [fact.citation for field in FIELDS for fact in card.get(field, ())]


def citations(answer: Answer) -> list[Citation]:
    """Return every citation of an answer."""
    warning = chain.from_iterable(caution.citations for caution in answer.cautions)
    return [*answer.conclusion, *answer.also, *of_card(answer.fields), *warning]


def check_citation(citation: Citation, documents: Documents) -> None:
    """Check that a quote stands in its document where it says, on the line it says."""
    text = documents[citation.document_id].text
    start, end = citation.span.start, citation.span.end
    assert 0 <= start < end <= len(text)
    assert citation.quote == text[start:end]
    before = text[:start].replace("\r\n", "\n").replace("\r", "\n")
    if text[start - 1 : start + 1] != "\r\n":
        assert citation.line == 1 + before.count("\n")
    assert citation.entry_id.startswith(citation.document_id.removesuffix(".txt") + "#")


def check_answer(answer: Answer, query: str, documents: Documents) -> None:
    """Check whatever an answer holds against the documents, and its forms."""
    for citation in citations(answer):
        check_citation(citation, documents)
    for hit in answer.hits:
        text = documents[hit.entry.document_id].text
        assert hit.question == text[hit.entry.question.start : hit.entry.question.end]
        assert hit.passage.text == text[hit.passage.span.start : hit.passage.span.end] != ""
    assert answer.query == query
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    check_parts(answer)
    fields = answer_fields(answer, "zh-Hant")
    VALIDATOR.validate(fields)
    assert json.loads(json_text(fields)) == fields
    for form in (answer_text, answer_markdown, answer_chat):
        written = form(answer, LABELS["en"], read_in="zh-Hans")
        steering = {c for c in written if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")}
        assert steering <= {"\n", "\t"}


LAPSED = {"expired", "not_yet"}
"""Cautions about entries that do not hold, and so do not answer."""


def check_parts(answer: Answer) -> None:
    """Check that the parts of an answer fit together."""
    hits = [hit.entry.id for hit in answer.hits]
    if answer.status == "not_covered":
        assert (answer.entry, answer.related) == (None, answer.hits)
        assert citations(replace(answer, cautions=())) == []
        assert {caution.kind for caution in answer.cautions} <= LAPSED
        return
    assert answer.entry
    assert answer.entry.id == hits[0]
    assert 1 <= len(answer.conclusion) <= 2
    starts = [citation.span.start for citation in answer.conclusion]
    assert starts == sorted(set(starts))
    assert not any(is_noise(c.quote) for c in answer.conclusion if c.quote != answer.question)
    own = {c.entry_id for c in (*answer.conclusion, *of_card(answer.fields))}
    assert own == {answer.entry.id}
    assert {citation.entry_id for citation in answer.also} <= set(hits[1:])
    related = [hit.entry.id for hit in answer.related]
    twins = set(hits[1:]) - set(related)
    assert related == [one for one in hits[1:] if one not in twins]
    assert twins <= {citation.entry_id for citation in answer.also}
    for caution in answer.cautions:
        said_by = [citation.entry_id for citation in caution.citations]
        assert len(said_by) == (2 if caution.kind in CONTRADICTIONS else 1)
        if caution.kind in CONTRADICTIONS:
            assert set(said_by) <= set(hits)
        else:
            assert (said_by[0] in hits) == (caution.kind not in LAPSED)


def documents_of(*texts: str, **days: date) -> dict[str, Document]:
    """Return documents by their ids."""
    return {f"{n}.txt": Document(f"{n}.txt", text, **days) for n, text in enumerate(texts)}


RULES = [
    "收到商品後7天內可以退貨。",
    "收到商品後15天內可以退貨。",
    "退貨的運費由買家承擔。",
    "退貨的運費由賣家承擔,每單10元。",
    "拍錯的退款不計入店鋪的退款率。",
    "拍錯的退款計入店鋪的退款率。",
    "截至2011年年底,會員共有三百萬人。",
    "如果超過72小時不發貨的,平台會扣12分,但法律另有規定的除外。",
    "評分=好評數/評價總數",
    "退款對店鋪有什麼影響嗎急急急",
    "(5)買家拍錯的為什麼也算售後擴展閱讀",
    "您好,朋友。還請您及時採納,謝謝。",
    "溫馨提示:",
    "If you are late, the buyer pays within 7 days unless we agree.",
    "The seller pays 3.50 USD; returns do not affect the shop.",
    "Thank you!",
]
ODD = [
    "<p>退款 &amp; <b>7天</b><br/><script>alert('x')</script></p>",
    "<!-- 民國 99 年 -->",
    "| 期限 | 金額 |\n|------|-----:|\n| 7天 | 10元 |",
    "# 標題\n## 小標題",
    "Q: 怎麼退?\nA: 不退。",
    "\x1b[31m紅\x1b[0m\x07\x9b2J\u202e反\u200b",
    "👩‍👩‍👧退款😀🇹🇼 in 7 days",
    "mixed 混合 テスト 한국어 العربية ไทย 7日以内",
    "٣ أيام ৭ ⑦ Ⅶ ㈦ 七 7天",
    "---\nexpires: 2001-01-01\n---\n退款",
    "。。。！？",
    "2003年13月45日 2011-02-30 民國0年",
    "1e999元 0天 -5% 100,000,000,000元 ½小時",
    "Ａｂｃ　１２３天",
]
NUMBERS = ["㈠ ", "一、", "1. ", "2. ", "(3) ", "Q: ", "A: ", "## ", "- ", ""]
anything = st.text(st.characters(exclude_categories=()), max_size=40)
lines = st.builds(str.__add__, st.sampled_from(NUMBERS), st.sampled_from([*RULES, *ODD]) | anything)
corpora = st.lists(
    st.lists(lines, min_size=1, max_size=8).flatmap(
        lambda parts: st.sampled_from(["\n", "\r\n", "\r", "\u2028", " "]).map(
            lambda end: end.join(parts)
        )
    ),
    min_size=1,
    max_size=3,
) | st.lists(anything, min_size=1, max_size=2)
queries = st.sampled_from([*RULES, *ODD]) | anything
LONG = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(50_000))


@settings(max_examples=40, deadline=None)
@given(
    corpus=corpora,
    asked=st.lists(queries, min_size=1, max_size=3),
    first=st.none() | st.dates(),
    last=st.none() | st.dates(),
    sure=st.booleans(),
)
@example(
    corpus=["㈠ 退款\r\n會退。\r㈡ 換貨\u2028不會。"],
    asked=["退\ud800款", "\x00換"],
    first=None,
    last=None,
    sure=False,
)
@example(
    corpus=[f"1. {RULES[9]}\n{RULES[4]}\n2. {RULES[9]}\n{RULES[5]}", f"{RULES[9]}\n{RULES[4]}"],
    asked=["對買家有影響嗎", "拍錯不計入"],
    first=date(2999, 1, 1),
    last=date(2999, 1, 1),
    sure=True,
)
@example(corpus=["謝謝採納"], asked=["謝謝"], first=None, last=None, sure=True)
def test_any_corpus(corpus, asked, first, last, sure):
    """Whatever the corpus and the query, every quote stands in the source where it says."""
    documents = documents_of(*corpus, effective_from=first, expires=last)
    with tempfile.TemporaryDirectory() as folder:
        try:
            kb = KnowledgeBase.build(documents.values(), f"{folder}/kb", model=LetterEncoder())
        except CorpusError:
            assert not all(map(encodable, corpus)) or not any(
                map(says_something, documents.values())
            )
            return
        with kb:
            kb.calibration = SURE if sure else Calibration()
            for query in [*asked, corpus[0][:20], "may 不"]:
                check_query(kb, query, documents)
            check_rule_cards(kb, documents)


def encodable(text: str) -> bool:
    """Whether a text is one: neither NUL nor half of a surrogate pair is in it."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def says_something(document: Document) -> bool:
    """Whether any entry of a document is more than its number."""
    return any(entry.question or entry.answer for entry in parse(document))


def check_rule_cards(kb: KnowledgeBase, documents: Documents) -> None:
    """Check that the whole cards of all entries hold."""
    for entry in kb.entries():
        for citation in of_card(kb.rule_card(entry.id)):
            assert citation.entry_id == entry.id
            check_citation(citation, documents)


def check_query(kb: KnowledgeBase, query: str, documents: Documents) -> Answer | None:
    """Ask, and check the answer; a query is refused only if it has no letter and no digit."""
    try:
        answer = kb.ask(query)
    except QueryError:
        assert not any(c.isalnum() and c.isascii() for c in query)
        return None
    check_answer(answer, query, documents)
    return answer


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        f"1. 退款?\n{LONG}",
        f"Q: {LONG}\nA: 退款。",
        "a" * 50_000,
        "refund " * 7_000,
        "退款7天內" * 10_000,
        "退款。" * 2_000,
        "(" * 10_000 + "退款" + ")" * 10_000,
        "| 退款 | 7天 |\n" * 2_000,
        "退",
        "退款",
        "\ufeff退款",
        "1.",
        "😀👍",
        "\u202e\u200b退",
        "a\u0301" * 200 + "退款",
        "\x1b[31m\x07\x08\x0b\x0c退款\x7f\x85",
        *ODD,
    ],
    ids=lambda text: f"{len(text)}-{text[:8]!a}",
)
def test_odd_corpora(tmp_path, text):
    """A corpus of one odd text is built, and answers with what stands in it."""
    documents = documents_of(text)
    with KnowledgeBase.build(documents.values(), tmp_path / "kb", model=LetterEncoder()) as kb:
        kb.calibration = SURE
        for query in ("退款要7天嗎", "refund a"):
            assert check_query(kb, query, documents)
        check_rule_cards(kb, documents)


@pytest.mark.parametrize(
    "text", ["\0", "退\0款", "退\ud800款", "\udfff", "", " \n\u3000"], ids=ascii
)
def test_what_is_no_corpus(tmp_path, text):
    """What holds no text, or is none, is refused with an error of the package."""
    with pytest.raises(CorpusError):
        KnowledgeBase.build([Document("a.txt", text)], tmp_path / "kb", model=LetterEncoder())


NASTY = {
    "long.txt": "international responsibilities of organizations " * 1_041
    + "international responsibilities o",
    "table.txt": (
        "| 商品 | 退貨期限 | 運費 |\n|------|:--------:|-----:|\n"
        "| 鞋子 | 7天內 | 由買家承擔 |\n| 外套 | 15天內 | 由賣家承擔 |\n"
    ),
    "page.txt": (
        "<!DOCTYPE html>\n<html><head><title>停車</title><style>p{color:red}</style></head>\n"
        "<body onload=\"alert('x')\"><h1>哪裡可以停車?</h1>\n"
        "<p>請停在大樓後方的&nbsp;停車場,<b>每小時30元</b>。</p></body></html>\n"
    ),
    "control.txt": (
        "1. 怎麼\x1b[31m開發票\x07?\r\n下單時\x08填寫\u202e抬頭\u202c,發票\x9b2J會在3天內寄出。\r\n"
        "2. \x1b]0;x\x07會員\u200b怎麼加入?\r\n在櫃台\x7f填表即可。\r\n"
    ),
}


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Return a knowledge base of the corpora above, made with the default encoder."""
    documents = [Document(name, text) for name, text in NASTY.items()]
    with KnowledgeBase.build(documents, tmp_path_factory.mktemp("nasty") / "kb") as kb:
        yield kb


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("long.txt", "international responsibilities", "responsibilities of organizations"),
        ("table.txt", "鞋子的退貨期限是幾天", "| 鞋子 | 7天內 |"),
        ("page.txt", "哪裡可以停車", "停車場"),
        ("control.txt", "怎麼開發票", "3天內寄出。"),
    ],
)
def test_nasty_corpora(nasty, name, query, words):
    """The default encoder too finds what stands in a corpus that was made for nobody."""
    documents = {key: Document(key, text) for key, text in NASTY.items()}
    assert len(NASTY["long.txt"]) == 50_000
    answer = nasty.ask(query, Filters(documents=(name,)))
    check_answer(answer, query, documents)
    assert answer.status != "not_covered"
    assert any(words in citation.quote for citation in answer.conclusion)
    check_rule_cards(nasty, documents)
    check_answer(nasty.ask(query), query, documents)


@pytest.mark.parametrize(
    "text",
    [
        "|  |" + "   |" * 12 + " 退款在7天內 |\n",
        "! " * 20 + "退款在7天內。\n",
        "謝謝" + "," * 40 + "退款在7天內。\n",
        "採納" * 40 + "退款在7天內。\n",
    ],
    ids=["table", "signs", "commas", "repeated"],
)
def test_what_begins_with_signs(tmp_path, text):
    """A line that begins with many signs is read in no time."""
    documents = documents_of(text)
    with KnowledgeBase.build(documents.values(), tmp_path / "kb", model=LetterEncoder()) as kb:
        kb.calibration = SURE
        answer = check_query(kb, "退款7天", documents)
    assert answer
    assert [fact.citation.quote for fact in answer.fields["deadlines"]] == ["7天內"]
