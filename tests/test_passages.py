import re
from collections import Counter
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.entries import parse
from policy_qa.passages import context, passages, windows
from policy_qa.settings import CONTEXT_MAX_CHARS, PASSAGE_MAX_CHARS
from policy_qa.types import Document, Entry, Span

PIECES = [
    "\n", "\r\n", "\u2028", " ", "\u3000", "。", "！", "？", "?", ".", "...", "……", "，", ",",
    "；", "、", "：", "(", ")", "（", "）", "「", "」", "(1)", "①", "1. ", "一、", "Q: ", "A: ",
    "第一條 ", "# ", "---", "**", "72小時", "10-15元", "1,000.50", "30%", "退款",
    "買家如何申請退款", "refund within ", "not", "e.g. ", "👩\u200d👩", "e\u0301", "\ufeff",
    "字" * 50, "word " * 20,
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=300)


def split(text: str) -> list[str]:
    """Return the windows of a whole text."""
    return [text[w.start : w.end] for w in windows(text, Span(0, len(text)))]


def width(text: str) -> int:
    """Count a Chinese character (and what else is as wide) as two."""
    return sum(2 if "\u2e80" <= c <= "\uffef" or c >= "\U00020000" else 1 for c in text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_passages_hold_each_letter_once(text):
    """Passages slice back, are not blank, keep the limit, and hold each letter exactly once."""
    document = Document("page.txt", text)
    for entry in parse(document):
        found = passages(document, entry)
        held = Counter(i for p in found for i in range(p.span.start, p.span.end))
        for passage in found:
            assert text[passage.span.start : passage.span.end] == passage.text
            assert passage.text.strip()
            assert width(passage.text) <= 2 * PASSAGE_MAX_CHARS
        for part in (entry.question, entry.answer):
            assert all(held[i] == 1 for i in range(part.start, part.end) if text[i].isalnum())


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_windows_hold_each_character_once(text):
    """Windows hold every character that is not blank, once, in order."""
    found = windows(text, Span(0, len(text)))
    assert all(a.end <= b.start for a, b in pairwise(found))
    gaps = [0, *(x for w in found for x in (w.start, w.end)), len(text)]
    outside = "".join(text[a:b] for a, b in zip(gaps[::2], gaps[1::2], strict=True))
    assert not outside.replace("\ufeff", "").replace("\u200b", "").strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "超過72小時不發貨會被投訴。賣家應賠付違約金30%！",
            ["超過72小時不發貨會被投訴。", "賣家應賠付違約金30%！"],
        ),
        ("他問「可以退款嗎？不行？」然後就離開了。", ["他問「可以退款嗎？不行？」然後就離開了。"]),
        (
            "他說：「這件商品可以退款。」買家就申請了退款。",
            ["他說：「這件商品可以退款。」買家就申請了退款。"],
        ),
        ("您好。請您及時採納我的回答。", ["您好。請您及時採納我的回答。"]),
        (
            "(1)退款包括售中的退款。\n(2)會計入品質退款率。",
            ["(1)退款包括售中的退款。", "(2)會計入品質退款率。"],
        ),
        ("就好了。。。。如果硬是要退款的話也行", ["就好了。。。。如果硬是要退款的話也行"]),
        (
            "Orders by 2 p.m. are shipped today. Others wait.",
            ["Orders by 2 p.m. are shipped today.", "Others wait."],
        ),
        (
            "We refund 4.99 dollars. Mr. Smith pays, e.g. by card.",
            ["We refund 4.99 dollars.", "Mr. Smith pays, e.g. by card."],
        ),
        ("Refunds are paid within\nfourteen days.", ["Refunds are paid within\nfourteen days."]),
        ("Refunds are paid,\n  less the fee.", ["Refunds are paid,\n  less the fee."]),
        (
            (
                "Orders that are placed and are paid for on a working day before\n"
                "2 p.m. are shipped today."
            ),
            [
                (
                    "Orders that are placed and are paid for on a working day before\n"
                    "2 p.m. are shipped today."
                )
            ],
        ),
        ("Cash on delivery\nPayment by card", ["Cash on delivery", "Payment by card"]),
        (
            "以下三種情形可以申請退款\n商品的品質有問題",
            ["以下三種情形可以申請退款", "商品的品質有問題"],
        ),
        (
            "10. Open your order.\n11. Click on Return.",
            ["10. Open your order.", "11. Click on Return."],
        ),
    ],
)
def test_sentences(text, expected):
    """Sentences end where their marks say, not in numbers, quotes, marks and wrapped lines."""
    assert split(text) == expected


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("字" * 155 + "超過72小時不發貨" + "字" * 60, "72小時"),
        ("字" * 158 + "3個工作日內" + "字" * 60, "3個工作日"),
        ("字" * 156 + "1,000.50元" + "字" * 60, "1,000.50元"),
        ("字" * 100 + "，" + "字" * 55 + "10-15元" + "字" * 60, "10-15元"),
        ("字" * 152 + "（運費自付的除外）" + "字" * 60, "（運費自付的除外）"),
        (
            "字" * 80 + "、" + "字" * 70 + "（甲，乙，丙，丁，戊）" + "字" * 60,
            "（甲，乙，丙，丁，戊）",
        ),
        ("字" * 155 + "International" + "字" * 60, "International"),
        ("字" * 140 + "，7天無理由退換貨" + "字" * 60, "7天無理由退換貨"),
        ("word " * 62 + "within 30 days " + "word " * 30, "30 days"),
        ("word " * 63 + "(1) refund " + "word " * 30, "(1) refund"),
        (
            "word " * 30 + "part; " + "word " * 31 + "one, two three " + "word " * 20,
            "one, two three",
        ),
    ],
)
def test_whole_units(text, whole):
    """Numbers with units, list marks, words and short asides stay whole."""
    found = split(text)

    assert len(found) > 1
    assert any(whole in window for window in found)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["退款", "字" * 7, "，", "72小時", "1,000.50元", "（僅限七日）", "refund", "(1)", "、"]
        ),
        min_size=20,
        max_size=80,
    )
)
def test_cuts_spare_units(pieces):
    """Long text is never cut inside a number, a word or a short aside."""
    text = "字" * 150 + "".join(pieces)
    cuts = {w.start for w in windows(text, Span(0, len(text)))} - {0}
    spared = r"\d[\d,.]*[小元]?|[a-z]+|（[^（）]*）|\(1\)"

    assert cuts
    for unit in re.finditer(spared, text):
        assert not cuts & set(range(unit.start() + 1, unit.end()))


def test_strongest_mark_decides():
    """A long sentence is cut at a semicolon, though a comma stands nearer to the limit."""
    text = "字" * 60 + "；" + "字" * 60 + "，" + "字" * 60

    assert split(text) == ["字" * 60 + "；", "字" * 60 + "，" + "字" * 60]


def test_text_without_marks():
    """Text without any mark is cut at the limit."""
    assert split("字" * 400) == ["字" * 160, "字" * 160, "字" * 80]
    assert split("x" * 700) == ["x" * 320, "x" * 320, "x" * 60]


def test_mixed_width():
    """Chinese characters take twice the room of Latin ones."""
    assert [len(w) for w in split("x" * 200 + "字" * 200)] == [260, 140]


def test_ids():
    """The question is number 0; where there is none, the answer begins with number 1."""
    document = Document("page.txt", "1. 如何付款\n刷卡付款或者轉帳。\n2. 只需要三天就到。")
    first, second = parse(document)

    assert [(p.id, p.text, p.is_question) for p in passages(document, first)] == [
        ("page#1:0", "如何付款", True),
        ("page#1:1", "刷卡付款或者轉帳。", False),
    ]
    assert [(p.id, p.text) for p in passages(document, second)] == [
        ("page#2:1", "只需要三天就到。")
    ]


def test_context():
    """A passage's context is its headings and question, from the end if they are too long."""
    document = Document("page.txt", "問" * 200)
    entry = Entry("page#1", "page.txt", Span(0, 200), Span(0, 2), Span(2, 200), ("退款", "條件"))
    long = Entry("page#1", "page.txt", Span(0, 200), Span(0, 200), Span(200, 200))

    assert context(document, entry) == "退款\n條件\n問問"
    assert context(document, long) == "問" * CONTEXT_MAX_CHARS


HOSTILE = {
    "no punctuation": "字",
    "letters": "x",
    "full stops": ".",
    "a dot and a letter": ".x",
    "opening brackets": "（",
    "blanks in a question": "Q" + " " * 50,
    "hashes": "# ",
    "short lines between blank ones": "退款\n\n",
    "numbered lines": "1. 退款\n",
    "numerals": "一",
    "wrapped lines": "refund within\n",
    "marks": "A: \nQ: ",
    "commas": "退款，",
    "tabs": "a\t",
}


def seconds(unit: str, length: int) -> float:
    """Return the processor time that a document of so many characters takes."""
    document = Document("page.txt", "# " + (unit * length)[:length] + "x")
    start = process_time()
    for entry in parse(document):
        passages(document, entry)
    return process_time() - start


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_linear_time(unit):
    """Eight times the text takes nowhere near the 64 times that quadratic work would take."""
    seconds(unit, 1_000)
    small = min(seconds(unit, 6_000) for _ in range(3))

    assert min(seconds(unit, 48_000) for _ in range(2)) < 28 * small + 0.05


def test_whole_book():
    """A document of 5 MB is split whole, at the same cost for each character as a small one."""
    page = "1. 如何申請退款？\n" + "買家可以在72小時內申請退款，賣家應在七天內處理。" * 6 + "\n\n"
    count = 5_000_000 // len(page.encode())
    small = min(seconds(page, len(page) * count // 50) for _ in range(2))

    assert seconds(page, len(page) * count) < 200 * small
