import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_qa.folding import fold
from policy_qa.tokens import tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("退款", ["退", "款", "退款"]),
        ("72小時", ["72", "72小", "小", "时", "小时"]),
        ("近30天", ["近", "近30", "30", "30天", "天"]),
        ("C店", ["c", "c店", "店"]),
        ("30%", ["30%"]),
        ("10-15元", ["10", "15", "15元", "元"]),
        ("1,000.50元", ["1000.50", "1000.50元", "元"]),
        ("3,5,7天", ["3", "5", "7", "7天", "天"]),
        ("4.8萬", ["4.8", "4.8万", "万"]),
        ("2.1.3", ["2.1.3"]),
        ("不 發貨", ["不", "发", "货", "发货"]),
        ("does not refund", ["doe", "not", "refund"]),
        ("don’t", ["don't"]),
        ("the seller’s", ["the", "seller"]),
        ("'refund'", ["refund"]),
        ("C'店", ["c", "店"]),
        ("iPhone15 Pro_Max", ["iphone15", "pro", "max"]),
        ("ありがと", ["あ", "り", "が", "と", "あり", "りが", "がと"]),
        ("退 款", ["退", "款"]),
    ],
)
def test_tokens(text, expected):
    """Characters, their pairs, words, numbers and the seams between them are tokens, in order."""
    assert tokens(fold(text)) == expected


@pytest.mark.parametrize(
    "text", ["72小时", "７２小時", "７２ 小時".replace(" ", "\u200b"), "72小時"]
)
def test_same_in_every_form(text):
    """A number with its unit gives the same tokens in every script and width."""
    assert tokens(fold(text)) == ["72", "72小", "小", "时", "小时"]


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("refunds", "refund"),
        ("policies", "policy"),
        ("purchases", "purchase"),
        ("days", "day"),
        ("seller's", "seller"),
    ],
)
def test_plurals(plural, singular):
    """An English plural or genitive gives the token of its singular."""
    assert tokens(plural) == tokens(singular) == [singular]


@pytest.mark.parametrize("word", ["address", "status", "bus", "not", "yes"])
def test_no_plurals(word):
    """Words that only end like a plural are left whole."""
    assert tokens(word) == [word]


@pytest.mark.parametrize("word", ["不", "沒", "没", "必須", "not", "no", "never"])
def test_no_stop_words(word):
    """The words that decide a policy are tokens."""
    assert fold(word) in tokens(fold(word))


@pytest.mark.parametrize(
    "text",
    ["", " ", "？！。，、", "…—–-_'\"%", "（）「」", "・", "฿", "👩\u200d👧", "\x00", "\ud800"],
)
def test_punctuation_only(text):
    """Text without a letter or a digit gives no token."""
    assert tokens(fold(text)) == []


@given(st.text(st.characters(exclude_categories=("Cs", "Cn", "Co", "M")), max_size=100))
def test_every_letter_counts(text):
    """Text has a token if, and only if, it holds a letter or a digit, and no token is blank."""
    folded = fold(text)
    found = tokens(folded)

    assert bool(found) == any(c.isalnum() for c in folded)
    assert all(token.strip() for token in found)
