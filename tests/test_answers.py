"""Answers quote the source and nothing else: hits to an answer, and what real corpora get."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fakes import RETURNS, build

from policy_qa import Document, Entry, Filters, Hit, KnowledgeBase
from policy_qa.answers import Evidence, compose, rule_card
from policy_qa.confidence import Calibration, log_odds
from policy_qa.places import Source
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Answer,
    Caution,
    Citation,
    Fact,
    Passage,
    Quantity,
    RuleCard,
    Sentence,
    Span,
)

TEXT = "1. May I?\r\nYes, you may. But not here. Never on Sundays.\n"
DOCUMENT = Document("a.txt", TEXT)
QUESTION = Span(3, 9)
SENTENCES = [Span(11, 24), Span(25, 38), Span(39, 56)]
ENTRY = Entry("a#1", "a.txt", Span(0, 56), QUESTION, Span(11, 56))
TODAY = date(2025, 6, 1)


def passage(number: int, span: Span) -> Passage:
    """Return a passage of the text above."""
    return Passage(f"a#1:{number}", "a#1", "a.txt", span, TEXT[span.start : span.end])


PASSAGES = [passage(n, span) for n, span in enumerate([QUESTION, *SENTENCES])]
SURE = {"lift": 0.5, "share": 1.0, "translated": 0.0, "across": 1.0}
UNSURE = {"lift": 0.15, "share": 0.5, "translated": 0.0, "across": 1.0}
UNLIKE = {"lift": -0.2, "share": 0.2, "translated": 0.0, "across": 1.0}
GENERAL = Calibration()
SECOND = Hit(2, replace(ENTRY, id="a#2"), "", PASSAGES[1], 0.1, UNLIKE)


def composed(query: str, *evidence: Evidence, document: Document = DOCUMENT) -> Answer:
    """Return the answer from hits of one document."""
    return compose(
        query,
        evidence,
        lambda _: document,
        generation=7,
        calibration=GENERAL,
        today=TODAY,
    )


def scored(passages: list[Passage], scores: list[float]) -> list[Sentence]:
    """Return passages with scores; no two mean the same."""
    vectors = np.eye(len(passages), dtype=np.float32)
    return [Sentence(*told) for told in zip(passages, scores, vectors, strict=False)]


def answer(components: dict[str, float], scores: list[float]) -> Answer:
    """Return the answer from passages with these scores."""
    best = Hit(1, ENTRY, "May I?", PASSAGES[0], 1.0, components)
    return composed(
        "may I", Evidence(best, scored(PASSAGES, scores)), Evidence(SECOND, scored(PASSAGES, []))
    )


def test_a_long_question_is_not_its_own_answer(tmp_path):
    """What one passage cannot hold of a question is still the question."""
    question = "買家在收到包裹以後的第二個星期才發現商品的顏色和圖片不一樣，" * 6
    document = Document("long.txt", f"Q: {question}可以退嗎？\nA: 可以。請在七日內寄回。\n")
    with build(tmp_path / "kb", document) as knowledge_base:
        (entry,) = knowledge_base.entries()
        passages = [found for _, found in knowledge_base._store.passages(entry.id)]
        for found in passages:
            assert found.is_question == (found.span.end <= entry.question.end)
        (hit,) = knowledge_base.search("顏色不一樣")
        scores = [1.0 if found.is_question else 0.1 for found in passages]
        sure = replace(hit, components=SURE)
        found = composed("q", Evidence(sure, scored(passages, scores)), document=document)
    assert found.conclusion
    assert all(c.span.start >= entry.answer.start for c in found.conclusion)


def test_greetings_alone_answer_nothing():
    """An entry of thanks alone is not covered, for there is nothing to quote."""
    document = Document("a.txt", "謝謝採納")
    whole = Span(0, 4)
    thanks = Passage("a#1:1", "a#1", "a.txt", whole, document.text)
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    evidence = Evidence(Hit(1, entry, "", thanks, 1.0, SURE), scored([thanks], [1.0]))
    found = composed("謝謝", evidence, document=document)
    assert (found.status, found.entry, found.conclusion) == ("not_covered", None, ())
    assert [hit.entry.id for hit in found.related] == ["a#1"]


@pytest.mark.parametrize(
    ("scores", "quotes"),
    [
        ([1, 0.9, 0.1, 0.1], ["Yes, you may."]),
        ([1, 0.1, 0.1, 0.9], ["Never on Sundays."]),
        ([1, 0.87, 0.1, 0.9], ["Yes, you may.", "Never on Sundays."]),
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
    found = composed("may I")
    assert (found.status, found.confidence, found.entry) == ("not_covered", 0.0, None)
    assert (found.conclusion, found.related, found.hits) == ((), (), ())


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_numbers(newline):
    """Lines count alike whatever ends them."""
    text = newline.join(["one", "", "three", "four"])
    source = Source(Document("a.txt", text))
    lines = [source.cite("a#1", Span(text.index(word), len(text))).line for word in text.split()]
    assert lines == [1, 3, 4]


def test_a_question_without_answer(tmp_path):
    """An entry that is only a question is found, and quoted itself."""
    document = Document("a.txt", "1. May I park?\n2. May I sing?\nOn Sundays only.\n")
    with build(tmp_path / "kb", document, RETURNS) as knowledge_base:
        (hit,) = knowledge_base.search("May I park?", 1)
        assert hit.entry.id == "a#1"
        assert not hit.entry.answer
        found = knowledge_base.ask("May I park?")
        assert [citation.quote for citation in found.conclusion] == ["May I park?"]


CORPUS = {
    "card.txt": (
        "1. 商品有瑕疵怎麼辦?\n"
        "如果商品有瑕疵,請在收貨後7天內聯系客服並上傳照片。退貨運費由賣家承擔。"
        "客服會補償10元以內的代金券。定作的商品除外。\n"
        "2. 店鋪的評分怎麼算?\n店鋪評分=好評數/評價總數。評分低於4.5會影響店鋪的排名。\n"
    ),
    "deadline/a.txt": "Q: 退貨的期限是幾天?\nA: 收到商品後7天內可以申請退貨。\n",
    "deadline/b.txt": "Q: 退貨的期限是幾天?\nA: 收到商品後15天內可以申請退貨。\n",
    "amount/a.txt": "Q: 每筆訂單的運費是多少?\nA: 每筆訂單的運費是10元。\n",
    "amount/b.txt": "Q: 每筆訂單的運費是多少?\nA: 每筆訂單的運費是20元。\n",
    "polarity/a.txt": "Q: 拍錯退款會計入糾紛率嗎?\nA: 買家拍錯的退款不計入店鋪的退款糾紛率。\n",
    "polarity/b.txt": "Q: 拍錯退款會計入糾紛率嗎?\nA: 買家拍錯的退款計入店鋪的退款糾紛率。\n",
    "bearer/a.txt": "Q: 退貨的運費由誰承擔?\nA: 退貨的運費由買家承擔。\n",
    "bearer/b.txt": "Q: 退貨的運費由誰承擔?\nA: 退貨的運費由賣家承擔。\n",
    "agree/a.txt": "Q: 付款後多久發貨?\nA: 商家應當在付款後72小時內發貨,運費10元。\n",
    "agree/b.txt": "Q: 付款後多久發貨?\nA: 商家應當在付款後三天內發貨,運費十元。\n",
    "twin/a.txt": (
        "1. 發票怎麼申請?\n下單時在備註裡填寫抬頭和稅號,發票會隨貨寄出。\n"
        "2. 忘了填抬頭怎麼辦?\n請在收貨後聯系客服補開發票。\n"
    ),
    "twin/b.txt": (
        "1. 公司采购如何拿到发票?\n下单时在备注里填写抬头和税号，发票会随货寄出。\n"
        "2. 可以用支票付款吗?\n不可以用支票付款。\n"
    ),
    "years/a.txt": "Q: 2022年退貨的期限是幾天?\nA: 2022年收到商品後7天內可以申請退貨。\n",
    "years/b.txt": "Q: 2023年退貨的期限是幾天?\nA: 2023年收到商品後15天內可以申請退貨。\n",
    "models/a.txt": "Q: iPhone 14可以換新嗎?\nA: iPhone 14可以到任何門市換一台新的。\n",
    "models/b.txt": "Q: iPhone 15可以換新嗎?\nA: iPhone 15可以到任何門市換一台新的。\n",
    "dated/a.txt": (
        "1. 會員有多少人?\n截至2019年年底,會員共有三百萬人。\n"
        "2. 平台是誰創立的?\n平台由集團在2003年5月創立。\n"
        "3. 新的退貨規則何時施行?\n新的退貨規則自2020年1月1日起施行。\n"
        "4. 週年慶到什麼時候?\n週年慶優惠到2999年12月31日截止。\n"
    ),
    "polar.txt": (
        "1. 退差價會影響評分嗎?\n申請退差價不會影響店鋪評分。\n"
        "2. 鞋子的退貨規則\n試穿過的鞋子不能退貨。\n"
        "3. 書籍的退貨規則\n拆封的書籍也可以退貨。\n"
    ),
    "old.md": (
        "---\ntags: [times]\nexpires: 2001-12-31\n---\n"
        "# 停車優惠怎麼領取?\n在服務台出示發票即可領取停車優惠券。\n"
    ),
    "new.md": (
        "---\ntags: [times]\neffective_from: 2999-01-01\n---\n"
        "# 寵物可以進入賣場嗎?\n寵物裝在提籠裡就可以進入賣場。\n"
    ),
    "now.md": (
        "---\ntags: [times]\neffective_from: 2001-01-01\nexpires: 2999-12-31\n---\n"
        "# 嬰兒車在哪裡借?\n嬰兒車在一樓服務台借用。\n"
    ),
}


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Return a knowledge base of the corpus above, made with the default encoder."""
    folder = tmp_path_factory.mktemp("answers")
    for name, text in CORPUS.items():
        file = folder / "corpus" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    with KnowledgeBase.build(folder / "corpus", folder / "kb") as knowledge_base:
        yield knowledge_base


def kinds(found: Answer) -> list[str]:
    """Return the kinds of the cautions of an answer."""
    return [caution.kind for caution in found.cautions]


def values(card: RuleCard) -> dict[str, list[str]]:
    """Return the quotes of a rule card by field, empty fields left out."""
    return {field: [fact.citation.quote for fact in card[field]] for field in FIELDS if card[field]}


def holds(citation: Citation) -> bool:
    """Whether a quote stands in the corpus above where its citation says."""
    text = CORPUS[citation.document_id]
    line = text.split("\n")[citation.line - 1]
    here = text[citation.span.start : citation.span.end]
    return here == citation.quote != "" and citation.quote in line


def test_the_rule_card_of_an_answer(kb):
    """The card of an answer holds what the sentences that bear on the query say, and no more."""
    found = kb.ask("商品有瑕疵怎麼辦")
    assert values(found.fields) == {
        "conditions": ["如果商品有瑕疵"],
        "steps": ["請在收貨後7天內聯系客服並上傳照片"],
        "deadlines": ["7天內"],
    }
    assert list(found.fields) == list(FIELDS)
    (deadline,) = found.fields["deadlines"]
    assert deadline.value == Quantity(None, 7, "day")
    assert deadline.citation.entry_id == "card#1"
    asked_who = kb.ask("商品有瑕疵,退貨運費由誰承擔", Filters(documents=("card.txt",)))
    (bearer,) = asked_who.fields["bearers"]
    assert (bearer.citation.quote, bearer.party) == ("運費由賣家承擔", "seller")
    assert "exceptions" not in values(asked_who.fields)
    formula = kb.ask("店鋪的評分怎麼算")
    assert values(formula.fields)["formula"] == ["店鋪評分=好評數/評價總數"]
    facts = [
        fact for card in (found, asked_who, formula) for f in FIELDS for fact in card.fields[f]
    ]
    assert all(holds(fact.citation) for fact in facts)


def test_the_whole_rule_card(kb):
    """The card of an entry holds all that it says; that of an answer is a part of it."""
    whole = kb.rule_card("card#1")
    assert values(whole) == {
        "conditions": ["如果商品有瑕疵"],
        "steps": ["請在收貨後7天內聯系客服並上傳照片"],
        "deadlines": ["7天內"],
        "amounts": ["10元以內"],
        "bearers": ["運費由賣家承擔"],
        "exceptions": ["定作的商品除外"],
    }
    part = kb.ask("商品有瑕疵怎麼辦").fields
    assert all(set(part[field]) <= set(whole[field]) for field in FIELDS)
    assert all(holds(fact.citation) for field in FIELDS for fact in whole[field])


def test_a_card_says_nothing_twice():
    """What a document repeats stands once on the card, where it stands first."""
    text = "請在7天內寄回。逾期不退。請在7天內寄回。"
    document = Document("a.txt", text)
    spans = [Span(0, 8), Span(13, 21)]
    again = [Passage("a#1:1", "a#1", "a.txt", s, text[s.start : s.end]) for s in spans]
    card = rule_card(document, again)
    expected = Source(document).cite("a#1", Span(2, 5))
    assert card["deadlines"] == (Fact(expected, Quantity(None, 7, "day")),)
    assert rule_card(document, []) == dict.fromkeys(FIELDS, ())


def test_near_duplicates(kb):
    """An entry that says the same, here in the other script, is cited and not put forward."""
    found = kb.ask("發票怎麼申請", Filters(tags=("twin",)))
    assert found.entry
    assert found.entry.id == "twin/a#1"
    (twin,) = found.also
    assert (twin.entry_id, twin.quote) == (
        "twin/b#1",
        "下单时在备注里填写抬头和税号，发票会随货寄出。",
    )
    assert holds(twin)
    assert "twin/b#1" in [hit.entry.id for hit in found.hits]
    assert [hit.entry.id for hit in found.related] == [
        hit.entry.id for hit in found.hits if hit.entry.id not in ("twin/a#1", "twin/b#1")
    ]
    assert found.related
    assert found.cautions == ()


def test_near_duplicates_of_the_seed(seed):
    """Entries 5 and 7 of the seed begin alike: one is quoted, the other cited."""
    found = seed.ask("拍錯對買家有影響嗎")
    assert found.entry
    assert {found.entry.id, *(citation.entry_id for citation in found.also)} == {
        "taobao-after-sales#5",
        "taobao-after-sales#7",
    }
    assert {citation.quote for citation in found.also} == {found.conclusion[0].quote}
    assert not {citation.entry_id for citation in found.also} & {
        hit.entry.id for hit in found.related
    }


@pytest.mark.parametrize(
    ("kind", "query", "words"),
    [
        ("deadline", "退貨的期限是幾天", {"7天內", "15天內"}),
        ("amount", "每筆訂單的運費是多少", {"10元", "20元"}),
        (
            "polarity",
            "拍錯退款會計入糾紛率嗎",
            {"買家拍錯的退款不計入店鋪的退款糾紛率。", "買家拍錯的退款計入店鋪的退款糾紛率。"},
        ),
        (
            "bearer",
            "退貨的運費由誰承擔",
            {"退貨的運費由買家承擔。", "退貨的運費由賣家承擔。"},
        ),
    ],
)
def test_contradictions(kb, kind, query, words):
    """Another entry that says something else is quoted beside the answer, the answer first."""
    found = kb.ask(query)
    assert found.entry
    (caution,) = found.cautions
    assert caution.kind == kind
    ours, theirs = caution.citations
    assert {ours.quote, theirs.quote} == words
    assert ours.entry_id == found.entry.id
    assert theirs.entry_id == {f"{kind}/a#1": f"{kind}/b#1"}.get(found.entry.id, f"{kind}/a#1")
    assert holds(ours)
    assert holds(theirs)
    assert ours.quote in found.conclusion[0].quote
    assert theirs.entry_id in [hit.entry.id for hit in found.related]
    assert found.also == ()


def test_the_same_in_another_notation_is_no_contradiction(kb):
    """72小時 is 三天, and 10元 is 十元."""
    found = kb.ask("付款後多久發貨", Filters(tags=("agree",)))
    assert len(found.hits) == 2
    assert found.status == "answered"
    assert found.cautions == ()


@pytest.mark.parametrize(
    ("query", "tag"), [("2022年退貨的期限是幾天", "years"), ("iPhone 14可以換新嗎", "models")]
)
def test_another_version_is_no_contradiction(kb, query, tag):
    """What holds of another year or model neither contradicts the answer nor repeats it."""
    found = kb.ask(query, Filters(tags=(tag,)))
    assert found.entry
    assert found.entry.id == f"{tag}/a#1"
    assert [hit.entry.id for hit in found.related] == [f"{tag}/b#1"]
    assert found.also == ()
    assert not set(kinds(found)) & set(CONTRADICTIONS)


def test_another_question_is_no_contradiction(kb):
    """Entries that answer other questions may give other deadlines."""
    filters = Filters(documents=("deadline/a.txt", "agree/a.txt"))
    found = kb.ask("退貨的期限是幾天", filters)
    assert len(found.hits) == 2
    assert found.cautions == ()


def recomposed(kb: KnowledgeBase, query: str, today: date, tag: str) -> Answer:
    """Return the answer that a query gets on a day."""
    (encoded,) = kb._encoded([query])
    hits = kb.search(query, filters=Filters(tags=(tag,)))
    return compose(
        query,
        [Evidence(hit, kb._retriever.sentences(encoded, hit.entry.id)) for hit in hits],
        kb.document,
        generation=kb.generation,
        calibration=kb.calibration,
        today=today,
    )


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2019, 12, 31), []),
        (date(2020, 1, 1), [date(2019, 12, 31)]),
        (TODAY, [date(2019, 12, 31)]),
    ],
)
def test_a_date_that_has_passed(kb, today, expected):
    """What is tied to a date is doubtful from the day after it."""
    found = recomposed(kb, "會員有多少人", today, "dated")
    assert [caution.day for caution in found.cautions] == expected
    for caution in found.cautions:
        (citation,) = caution.citations
        assert caution.kind == "dated"
        assert "2019年年底" in citation.quote
        assert citation.quote in found.conclusion[0].quote
        assert holds(citation)


@pytest.mark.parametrize("query", ["平台是誰創立的", "新的退貨規則何時施行", "週年慶到什麼時候"])
def test_dates_that_warn_of_nothing(kb, query):
    """A beginning holds ever since, and a day to come has not passed."""
    found = recomposed(kb, query, TODAY, "dated")
    assert found.entry
    assert query[:2] in found.question
    assert found.cautions == ()


def test_the_seed_warns_of_its_dates(seed):
    """The seed's figures of 2011 are out of date, the founding in 2003 is not."""
    found = seed.ask("淘寶網單日交易額峰值")
    assert [(c.kind, c.day) for c in found.cautions] == [("dated", date(2011, 12, 31))]
    assert found.cautions[0].citations[0].quote.startswith("2011年")
    assert "dated" not in kinds(seed.ask("淘寶網由哪個集團創立"))


@pytest.mark.parametrize(
    ("query", "today", "expected"),
    [
        ("停車優惠怎麼領取", date(2001, 12, 31), []),
        ("停車優惠怎麼領取", date(2002, 1, 1), [("expired", date(2001, 12, 31))]),
        ("寵物可以進入賣場嗎", date(2998, 12, 31), [("not_yet", date(2999, 1, 1))]),
        ("寵物可以進入賣場嗎", date(2999, 1, 1), []),
        ("嬰兒車在哪裡借", TODAY, []),
    ],
)
def test_an_entry_holds_in_its_time(kb, query, today, expected):
    """An entry answers from its first day to its last; on other days a caution tells of it."""
    found = kb.ask(query, Filters(tags=("times",)), as_of=today)
    assert found.question.startswith(query) is not bool(expected)
    assert [(caution.kind, caution.day) for caution in found.cautions] == expected
    for caution in found.cautions:
        (citation,) = caution.citations
        assert citation.quote.startswith(query)
        assert holds(citation)


def test_today_is_the_day_of_the_question(kb):
    """A question that is asked now is answered by the rules of today."""
    expired, coming = kb.ask("停車優惠怎麼領取"), kb.ask("寵物可以進入賣場嗎")
    assert (kinds(expired), kinds(coming)) == (["expired"], ["not_yet"])
    for answer in (expired, coming):
        assert answer.entry is None or answer.entry.effective_from is answer.entry.expires is None


def test_another_party_than_asked(seed):
    """The seed asks of buyers in entry 7, and answers of the shop."""
    found = seed.ask("拍錯對買家有影響嗎")
    (caution,) = found.cautions
    assert caution == Caution("asked_party", caution.citations, "買家", "店鋪")
    (citation,) = caution.citations
    assert citation == found.conclusion[0]
    assert "對店鋪沒有影響" in citation.quote
    assert "asked_party" not in kinds(seed.ask("拍錯對店鋪有影響嗎"))


@pytest.mark.parametrize(
    ("query", "entry", "denied"),
    [
        ("試穿過的鞋子可以退貨", 2, ("", "不能退貨")),
        ("试穿过的鞋子可以退货", 2, ("", "不能退貨")),
        ("試穿過的鞋子可以退貨嗎", 2, None),
        ("試穿過的鞋子不能退貨", 2, None),
        ("拆封的書籍不能退貨", 3, ("不能退貨", "")),
        ("拆封的書籍可以退貨", 3, None),
        ("拆封的書籍不能退貨怎麼辦", 3, None),
        ("拆封的書籍沒退貨", 3, None),
        ("退差價會影響評分", 1, None),
        ("退差價不會影響評分", 1, None),
        ("退差價會影響評分嗎", 1, None),
    ],
)
def test_another_rule_than_asked(kb, query, entry, denied):
    """Who takes for permitted what the source forbids, or the other way round, is told."""
    found = kb.ask(query, Filters(documents=("polar.txt",)))
    assert found.entry
    assert found.entry.id == f"polar#{entry}"
    cautions = [(caution.kind, caution.asked, caution.found) for caution in found.cautions]
    assert cautions == ([("asked_polarity", *denied)] if denied else [])
    for caution in found.cautions:
        (citation,) = caution.citations
        assert citation in found.conclusion
        assert caution.found in citation.quote
        assert holds(citation)


def test_what_only_the_query_denies():
    """Where the query denies what the source permits, the caution holds the query's words."""
    text = "拆封的書籍可以退貨。"
    document = Document("a.txt", text)
    whole = Span(0, len(text))
    told = Passage("a#1:1", "a#1", "a.txt", whole, text)
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    evidence = Evidence(Hit(1, entry, "", told, 1.0, SURE), scored([told], [1.0]))
    found = composed("拆封的書籍不能退貨", evidence, document=document)
    (caution,) = found.cautions
    assert (caution.kind, caution.asked, caution.found) == ("asked_polarity", "不能退貨", "")
    assert caution.citations == found.conclusion


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("賣家不發貨怎麼辦", "賣家應當在48小時內發貨。"),
        ("房东不退押金怎么办", "房東可以在退租後七天內退押金。"),
        ("快递运费谁承担", "運費由賣家承擔。"),
        ("買家可以拒絕嗎", "賣家可以拒絕。"),
        ("運費由買家承擔", "運費由賣家承擔。"),
        ("landlord didn't return my deposit", "The landlord must return the deposit."),
        ("Does the buyer pay?", "The seller pays."),
    ],
)
def test_what_is_not_compared(query, text):
    """Neither what happened, nor who does or bears something, is set against the source."""
    document = Document("a.txt", text)
    whole = Span(0, len(text))
    told = Passage("a#1:1", "a#1", "a.txt", whole, text)
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    evidence = Evidence(Hit(1, entry, "", told, 1.0, SURE), scored([told], [1.0]))
    found = composed(query, evidence, document=document)
    assert found.conclusion
    assert found.cautions == ()


def test_what_is_not_covered_has_no_card(kb):
    """Without an answer there is no card, no caution and no twin."""
    found = kb.ask("木星有幾顆衛星")
    assert found.status == "not_covered"
    assert (found.also, found.cautions, values(found.fields or dict.fromkeys(FIELDS, ()))) == (
        (),
        (),
        {},
    )


def answer_from(folder: Path, query: str, *texts: str) -> Answer:
    """Return the answer of a knowledge base of some Markdown files."""
    documents = [Document(f"{name}.md", text) for name, text in zip("abc", texts, strict=False)]
    for document in documents:
        file = folder / "corpus" / document.id
        file.parent.mkdir(exist_ok=True)
        file.write_text(document.text, encoding="utf-8")
    with KnowledgeBase.build(folder / "corpus", folder / "kb") as knowledge_base:
        knowledge_base.calibration = Calibration(intercept=100.0)
        return knowledge_base.ask(query)


@pytest.mark.parametrize(
    ("kind", "question", "ours", "theirs"),
    [
        ("bearer", "退貨運費由誰承擔?", "退貨運費由買家承擔。", "退貨運費由賣家承擔。"),
        ("deadline", "退款几天到账?", "退款3个工作日到账。", "退款7个工作日到账。"),
        ("polarity", "訂單可以取消嗎?", "付款後的訂單可以取消。", "付款後的訂單不可以取消。"),
        ("amount", "How much is the late fee?", "The late fee is $5.", "The late fee is $8."),
        ("polarity", "Are gift cards refundable?", "No, gift cards are final sale.",
         "Yes, gift cards can be refunded."),
    ],
)  # fmt: skip
def test_contradictions_to_the_same_words(tmp_path, kind, question, ours, theirs):
    """Documents of other titles that answer the same question otherwise contradict each other."""
    titles = ("買家指南", "客服手冊")
    texts = [
        f"# {t}\n\n## {question}\n\n{a}\n" for t, a in zip(titles, (ours, theirs), strict=True)
    ]
    found = answer_from(tmp_path, question, *texts)
    assert kinds(found) == [kind]
    assert {citation.document_id for citation in found.cautions[0].citations} == {"a.md", "b.md"}
    assert found.also == ()


SECTIONS = (
    "# {}\n\n## 可以退貨幾天?\n\n7天內可以退貨。\n\n# {}\n\n## 可以退貨幾天?\n\n15天內可以退貨。\n"
)


@pytest.mark.parametrize(
    "texts",
    [
        (SECTIONS.format("iPhone 14", "iPhone 15"),),
        (SECTIONS.format("正式員工", "兼職員工"),),
        ("# iPhone 14\n\n## 可以退貨幾天?\n\n7天內可以退貨。\n",
         "# iPhone 15\n\n## 可以退貨幾天?\n\n15天內可以退貨。\n"),
        ("# 指南\n\n## 可以退貨幾天?\n\n7天內可以退貨。\n",
         "# 手冊\n\n## 可以退貨幾天?\n\n如果商品有瑕疵,15天內可以退貨。\n"),
    ],
    ids=["models", "people", "documents", "exception"],
)  # fmt: skip
def test_other_cases_of_the_same_question(tmp_path, texts):
    """Headings that tell cases apart, and an exception to the rule, are no contradiction."""
    found = answer_from(tmp_path, "可以退貨幾天?", *texts)
    assert len(found.hits) == 2
    assert kinds(found) == []


def test_another_time_is_not_the_same(tmp_path):
    """Sentences that differ in a time of day alone contradict each other, and repeat nothing."""
    opened = (
        "# When is the help desk open?\n\nThe help desk is open from Monday to Friday until {}.\n"
    )
    found = answer_from(
        tmp_path, "When is the help desk open?", opened.format("5 pm"), opened.format("6 pm")
    )
    assert kinds(found) == ["deadline"]
    assert {c.quote for c in found.cautions[0].citations} == {"5 pm", "6 pm"}
    assert found.also == ()


def test_other_numbers_are_not_the_same(tmp_path):
    """Sentences with other numbers say no more the same than they contradict each other."""
    words = "# How do I find the help desk?\n\nThe help desk is on the left behind door {}.\n"
    found = answer_from(
        tmp_path, "How do I find the help desk?", words.format("12"), words.format("14")
    )
    assert len(found.hits) == 2
    assert (found.also, found.cautions) == ((), ())


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("Does a late return hurt the buyer's rating?",
         "A late return does not affect the seller's rating, but it lowers the buyer's score.", []),
        ("Does a late return hurt the buyer?",
         "A late return does not affect the seller, but the buyer will be charged.", []),
        ("退款對買家有影響嗎", "退款對店鋪沒有影響,但買家會收到通知。", []),
        ("退款對買家有影響嗎", "退款對店鋪沒有影響,會影響買家的信譽。", []),
        ("退款對買家有影響嗎", "買家申請的退款對店鋪沒有影響。", ["asked_party"]),
        ("Does a late return hurt the buyer?", "A late return does not affect the seller.",
         ["asked_party"]),
    ],
)  # fmt: skip
def test_the_party_asked_about_is_spoken_of(query, text, expected):
    """Nothing is told where the source says elsewhere what the party asked about has to bear."""
    document = Document("a.txt", text)
    whole = Span(0, len(text))
    said = Passage("a#1:1", "a#1", "a.txt", whole, text)
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    evidence = Evidence(Hit(1, entry, "", said, 1.0, SURE), scored([said], [1.0]))
    assert kinds(composed(query, evidence, document=document)) == expected


def test_a_conclusion_says_nothing_twice():
    """Of passages with the same text one is quoted, and the next one with another text."""
    text = "不能退。不能退。可以換。"
    document = Document("a.txt", text)
    whole = Span(0, len(text))
    spans = [Span(0, 4), Span(4, 8), Span(8, 12)]
    said = [
        Passage(f"a#1:{n}", "a#1", "a.txt", span, text[span.start : span.end])
        for n, span in enumerate(spans, start=1)
    ]
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    evidence = Evidence(Hit(1, entry, "", said[0], 1.0, SURE), scored(said, [0.9, 0.9, 0.89]))
    found = composed("能退嗎", evidence, document=document)
    assert [citation.quote for citation in found.conclusion] == ["不能退。", "可以換。"]
