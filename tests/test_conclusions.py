"""Which sentences of an entry answer a query."""

import numpy as np
import pytest

from policy_qa.conclusions import bearing, conclude
from policy_qa.facts import is_noise
from policy_qa.settings import (
    AS_GOOD,
    BEARING_FROM,
    CONCLUSION_WIDTH,
    NEARLY_AS_GOOD,
    RIVALS,
    SHUNNED,
    WANTED,
)
from policy_qa.types import Passage, Sentence, Span

BEST = 0.6
"""A score; the others stand some way below it."""
HOW_LONG, HOW, NEITHER = "退款多久到帳", "退款怎麼申請", "退款到帳"


def told(*pairs: tuple[str, float], question: str = "") -> list[Sentence]:
    """Return the passages of an entry of these texts and scores; its question scores best."""
    texts = [(question, 1.0)] if question else []
    first = 0 if question else 1
    found, start = [], 0
    for number, (text, score) in enumerate([*texts, *pairs], first):
        span = Span(start, start + len(text))
        start = span.end + 1
        passage = Passage(f"a#1:{number}", "a#1", "a.txt", span, text)
        found.append(Sentence(passage, score, np.ones(1, np.float32)))
    return found


def quotes(query: str, *pairs: tuple[str, float], question: str = "") -> list[str]:
    """Return the texts that answer a query."""
    return [one.passage.text for one in conclude(query, told(*pairs, question=question))]


SHORT = ["退款會原路退回。", "銀行卡也是如此。", "零錢包不在其中。"]
LONG = [("退款會依原來付款的方式退回給買家" * 6)[:85] + f"第{n}項。" for n in "甲乙丙"]
"""Each of more than half of the columns that two may take."""


def test_the_best_sentence_answers():
    """What is far behind the best sentence, wherever that stands, does not join it."""
    for place in range(3):
        scores = [BEST - NEARLY_AS_GOOD - 0.001] * 3
        scores[place] = BEST
        assert quotes(NEITHER, *zip(SHORT, scores, strict=True)) == [SHORT[place]]


def test_the_question_is_no_answer():
    """The question of an entry with an answer is not quoted, however well it scores."""
    assert quotes(NEITHER, (SHORT[0], 0.1), question="退款到帳") == [SHORT[0]]
    assert quotes(NEITHER, question="退款到帳") == ["退款到帳"]
    assert conclude(NEITHER, []) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_second_that_is_nearly_as_good_joins_if_both_fit(order):
    """Two short sentences answer together, in the source's order; never a third."""
    behind = (0.0, NEARLY_AS_GOOD - 0.001)
    pairs = [(SHORT[n], BEST - behind[order[n]]) for n in (0, 1)]
    assert quotes(NEITHER, *pairs, (SHORT[2], BEST - NEARLY_AS_GOOD + 0.0001)) == SHORT[:2]


def test_a_second_that_does_not_fit_joins_only_if_it_is_as_good():
    """Of long sentences the next one is quoted only where nothing speaks for either."""
    assert 2 * sum(map(len, LONG[:2])) > CONCLUSION_WIDTH
    as_good = BEST - AS_GOOD + 0.001
    nearly = BEST - AS_GOOD - 0.001
    assert quotes(NEITHER, (LONG[0], BEST), (LONG[1], as_good), (LONG[2], as_good)) == LONG[:2]
    assert quotes(NEITHER, (LONG[0], nearly), (LONG[1], BEST)) == [LONG[1]]


def test_width_counts_columns():
    """Latin sentences take half the room of Chinese ones of as many characters."""
    behind = BEST - NEARLY_AS_GOOD + 0.001
    latin = ["Refunds go back " + "to the card " * 4 + f"{n}." for n in (1, 2)]
    wide = ["退款" * (len(latin[0]) // 2) + f"{n}。" for n in (1, 2)]
    assert 2 * len(latin[0]) <= CONCLUSION_WIDTH < 4 * len(latin[0])
    assert quotes("refund", (latin[0], BEST), (latin[1], behind)) == latin
    assert quotes("refund", (wide[0], BEST), (wide[1], behind)) == wide[:1]


@pytest.mark.parametrize(
    "idle",
    [
        "您好,朋友。",
        "還請您及時採納,謝謝。",
        "谢谢采纳",
        "急急急",
        "Thank you!",
        "點此查看",
        "Click here to see more",
        "買家拍錯的為什麼也算售後擴展閱讀",
    ],
)
def test_noise_is_no_conclusion(idle):
    """Greetings, thanks and links never answer, not even where nothing else stands."""
    assert quotes(NEITHER, (idle, BEST), (SHORT[0], 0.1)) == [SHORT[0]]
    assert quotes(NEITHER, (idle, BEST), question="退款到帳") == ["退款到帳"]
    assert quotes(NEITHER, (idle, BEST)) == []


@pytest.mark.parametrize(
    "idle",
    [
        "為什麼要這樣做",
        "May I ask more?",
        "溫馨提示:",
        "Note：",
        "如果一直不發貨的話。",
        "如果买家不回复的话,",
        "或者商品信息有誤。",
        "Or the size is wrong.",
        "下面我們就以上的問題,逐一介紹處理方法",
        "This page explains how to return an item.",
    ],
)
def test_what_says_nothing_is_no_conclusion(idle):
    """A question, a lead-in, a mere condition or case is quoted only where nothing else stands."""
    assert quotes(NEITHER, (idle, BEST), (SHORT[0], 0.1)) == [SHORT[0]]
    assert quotes(NEITHER, (idle, BEST)) == [idle]


DEADLINE = "退款在3個工作日內到帳。"


def test_a_deadline_is_preferred_for_how_long():
    """Where the query asks how long, of two good sentences the one with a deadline answers."""
    pairs = ((SHORT[0], BEST), (DEADLINE, BEST - WANTED + NEARLY_AS_GOOD / 2))
    assert quotes(HOW_LONG, *pairs) == [SHORT[0], DEADLINE]
    pairs = ((LONG[0], BEST), (DEADLINE, BEST - WANTED / 2))
    assert quotes(HOW_LONG, *pairs) == [DEADLINE]
    assert quotes("how long does a refund take", *pairs) == [DEADLINE]
    assert quotes(NEITHER, *pairs) == [LONG[0]]


def test_what_the_query_asks_for_decides_among_the_best_only():
    """A deadline in a sentence that is far from the query is no answer."""
    rivals = [(f"{LONG[0]}{n}。", BEST - 0.001 * n) for n in range(RIVALS)]
    assert quotes(HOW_LONG, *rivals[:-1], (DEADLINE, BEST - 0.02)) == [DEADLINE]
    assert DEADLINE not in quotes(HOW_LONG, *rivals, (DEADLINE, BEST - 0.02))
    far = BEST - WANTED - NEARLY_AS_GOOD - 0.001
    assert quotes(HOW_LONG, (SHORT[0], BEST), (DEADLINE, far)) == [SHORT[0]]


def test_a_list_is_shunned_for_how():
    """Where the query asks how, a list of cases does not answer; asked which cases, it does."""
    listing = "退款的情形主要包括" + "缺貨、破損、發錯貨、尺碼不合、" * 5 + "等。"
    pairs = ((listing, BEST), (SHORT[0], BEST - SHUNNED / 2 - 0.001))
    assert quotes(HOW, *pairs) == [SHORT[0]]
    assert quotes("退款有哪些情形", *pairs) == [listing]
    assert quotes(HOW, (listing, BEST), (SHORT[0], BEST - SHUNNED - AS_GOOD - 0.001)) == [listing]


def test_a_list_of_steps_is_not_shunned():
    """What says what to do answers how, though it lists."""
    steps = "申請退款的步驟如下,請先上傳憑證,再填寫帳號,並且" + "耐心等候" * 20 + "。"
    assert quotes(HOW, (steps, BEST), (SHORT[0], BEST - SHUNNED / 2 - 0.001)) == [steps]


def test_a_step_brings_the_whole_list():
    """Where a numbered step answers, every step of its list bears on the query, nothing else."""
    texts = [
        "1. 打開訂單。",
        "2. 請選擇退貨。",
        "3. 列印標籤。",
        SHORT[0],
        "1. 尺寸表。",
        "2. 色卡。",
    ]
    sentences = told(*((text, 0.9 if text == texts[1] else 0.1) for text in texts))
    concluded = [one for one in sentences if one.passage.text == texts[1]]
    assert [one.passage.text for one in bearing(sentences, concluded)] == texts[:3]
    without = [one for one in sentences if one.passage.text == SHORT[0]]
    assert [one.passage.text for one in bearing(sentences, without)] == [texts[1], SHORT[0]]


def test_bearing():
    """What scores nearly as well as the best, question included, bears on the query."""
    sentences = told((SHORT[0], 0.2), (SHORT[1], BEARING_FROM), (SHORT[2], BEARING_FROM - 0.01))
    numbers = [one.passage.id for one in bearing(sentences, sentences[:1])]
    assert numbers == ["a#1:1", "a#1:2", "a#1:3"]  # the best of three scores .9
    with_question = told(
        (SHORT[0], 0.2), (SHORT[1], BEARING_FROM), (SHORT[2], BEARING_FROM - 0.01), question="退款"
    )
    numbers = [one.passage.id for one in bearing(with_question, with_question[1:2])]
    assert numbers == ["a#1:1", "a#1:2"]
    assert bearing(with_question, with_question[:1])[0].passage.is_question
    assert bearing([], []) == []


def test_the_sentence_on_lost_parcels(seed):
    """快遞丟件怎麼處理 is answered by what to do, not by the lists in which 丟件 stands."""
    (citation,) = seed.ask("快遞丟件怎麼處理").conclusion
    assert citation.quote.startswith("如果物流那邊反饋給我們原因了,說掉件了")
    assert "補發" in citation.quote
    assert "順豐" in citation.quote
    assert citation.line == 21


def test_the_last_sentence_on_late_parcels(seed):
    """72小時不發貨 is answered by the last sentence of the second entry."""
    for query in ("72小時不發貨", "72小时不发货"):
        (citation,) = seed.ask(query).conclusion
        answer = seed.entries()[1].answer
        assert citation.entry_id == "taobao-after-sales#2"
        assert citation.span.end == answer.end
        assert citation.quote.startswith("如果一直不發貨的話,超過72小時不發貨的")


@pytest.mark.parametrize(
    "query", ["謝謝採納", "您好,朋友", "還請您及時採納,謝謝", "急急急", "點此查看"]
)
def test_greetings_are_never_found(seed, query):
    """No passage of the seed is a greeting; what greets finds something else or nothing."""
    (encoded,) = seed._encoded([query])
    for entry in seed.entries():
        for one in seed._retriever.sentences(encoded, entry.id):
            assert not is_noise(one.passage.text)
    answer = seed.ask(query)
    found = [citation.quote for citation in answer.conclusion]
    found += [hit.passage.text for hit in answer.hits]
    assert found
    assert not any("採納" in text or "您好" in text for text in found)


def test_the_greetings_of_the_seed_stay_in_their_entry(seed):
    """The entry itself still holds the line that greets."""
    entry = seed.entries()[2]
    text = seed.document(entry.document_id).text
    assert "還請您及時採納,謝謝。" in text[entry.answer.start : entry.answer.end]
