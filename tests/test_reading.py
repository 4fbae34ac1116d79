"""A quote in the other Chinese script, and the language of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_qa.reading import language_of, reading

PAIRS = [
    ("買家申請退款", "买家申请退款"),
    ("賣家應當承擔運費。", "卖家应当承担运费。"),
    ("超過72小時不發貨的,買家可以投訴", "超过72小时不发货的,买家可以投诉"),
    ("以後頭髮皇后", "以后头发皇后"),
    ("關於refund的規則", "关于refund的规则"),
]


@pytest.mark.parametrize(("traditional", "simplified"), PAIRS)
def test_both_directions(traditional, simplified):
    """A quote is read in the script of the language, phrase by phrase."""
    assert reading(traditional, "zh-Hans") == simplified
    assert reading(simplified, "zh-Hant") == traditional


@pytest.mark.parametrize(("traditional", "simplified"), PAIRS)
def test_same_script(traditional, simplified):
    """There is nothing to read in a quote that is in the script already."""
    assert reading(traditional, "zh-Hant") == ""
    assert reading(simplified, "zh-Hans") == ""


@pytest.mark.parametrize("text", [*(one for pair in PAIRS for one in pair), "Refund", "", "中文"])
def test_english(text):
    """An English reader gets no other script."""
    assert reading(text, "en") == ""


@pytest.mark.parametrize(
    "text", ["", " ", "Refund within 14 days", "中文", "72", "🙂\n\x00", "台北"]
)
@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans", "en"])
def test_text_that_both_scripts_share(text, language):
    """What both scripts write alike needs no reading."""
    assert reading(text, language) == ""


@pytest.mark.parametrize("text", ["台北退款", "里面", "皇后", "群里", "只有", "台灣的發票", "干"])
def test_characters_of_traditional_chinese(text):
    """A text that may be Traditional stays as it is, even if another character were possible."""
    assert reading(text, "zh-Hant") == ""


def test_simplified_beside_them():
    """One character that is only Simplified has the whole text read."""
    assert reading("台北退货", "zh-Hant") == "臺北退貨"
    assert reading("買家和卖家", "zh-Hant") == "買家和賣家"


def test_lone_surrogates():
    """A character that cannot be encoded is read as a question mark, and is no reason to read."""
    assert reading("買\ud800家", "zh-Hans") == "买?家"
    assert reading("买\udfff家", "zh-Hant") == "買?家"
    assert reading("买\ud800家", "zh-Hans") == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("買家申請退款", "zh-Hant"),
        ("买家申请退款", "zh-Hans"),
        ("退款", "zh-Hant"),
        ("中文", "zh-Hant"),
        ("台北退款", "zh-Hant"),
        ("台北的里面", "zh-Hant"),
        ("皇后和群里的云", "zh-Hant"),
        ("台北退货", "zh-Hans"),
        ("refund 买家", "zh-Hans"),
        ("refund 買家", "zh-Hant"),
        ("著作权的期限", "zh-Hans"),
        ("乾隆年间的产品", "zh-Hans"),
        ("Refund", "en"),
        ("72 %", "en"),
        ("", "en"),
        ("ありがとう", "en"),
        ("\ud800", "en"),
        ("買\ud800家", "zh-Hant"),
        ("买\ud800家", "zh-Hans"),
    ],
)
def test_language_of(text, language):
    """Chinese is Simplified where only that explains its characters, else Traditional."""
    assert language_of(text) == language


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_nothing_raises(text):
    """Any text has a language; what is Simplified has a reading in Traditional alone."""
    assert reading(text, "en") == ""
    if language_of(text) == "zh-Hans":
        assert reading(text, "zh-Hans") == ""
        assert reading(text, "zh-Hant")
