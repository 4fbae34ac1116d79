import sys
import unicodedata

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.folding import fold, fold_with_map

# The domain's words; the two scripts of each pair, character by character.
PAIRS = [
    ("買家申請退款", "买家申请退款"),
    ("賣家違約", "卖家违约"),
    ("品質退款率", "品质退款率"),
    ("物流問題", "物流问题"),
    ("訂單編號", "订单编号"),
    ("運費險", "运费险"),
    ("發貨超過72小時", "发货超过72小时"),
    ("聯系客服", "联系客服"),
    ("店鋪信譽", "店铺信誉"),
    ("糾紛率計算", "纠纷率计算"),
    ("換貨與維修", "换货与维修"),
    ("支付寶帳戶", "支付宝帐户"),
    ("這個怎麼辦", "这个怎么办"),
    ("條例規定", "条例规定"),
    ("罰款與賠償", "罚款与赔偿"),
]
PIECES = [
    "e", "E", "é", "\u0301", "\u0323", "\u200d", "\ufe0f", "\u00ad", "가", "\u1100", "\u1161",
    "\u11a8", "ｶ", "ﾞ", "が", "退", "賣", "薴", "Ａ", "１", "％", "㈠", "①", "ﬁ", "ß", "İ", "ſ",
    "ͅ", "👩", "🏽", "–", "～", "’", "\ud800", "\udc00", "\x00", "\x1b", "\u3000", "∼",
    "\u0338", "ǰ", "ΐ", "Σ", "\u0345",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(
    st.characters(exclude_categories=()), max_size=40
)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_map(text):
    """The map gives each folded character an origin inside the text, in order, none overlapping."""
    folded = fold_with_map(text)

    assert folded.text == fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    for i, (start, end) in enumerate(zip(folded.starts, folded.ends, strict=True)):
        assert 0 <= start < end <= len(text)
        if i:
            same = (folded.starts[i - 1], folded.ends[i - 1]) == (start, end)
            assert same or folded.ends[i - 1] <= start


@settings(max_examples=500, deadline=None)
@given(TEXTS.filter(fold), st.data())
def test_original(text, data):
    """The original of a folded range is a range whose own fold contains the folded range."""
    folded = fold_with_map(text)
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    span = folded.original(start, end)

    assert folded.text[start:end] in fold(text[span.start : span.end])


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 1), (1, 3), (2, 1)])
def test_original_outside(start, end):
    """A range that is empty or outside the folded text has no original."""
    with pytest.raises(ValueError, match="no folded range"):
        fold_with_map("退款").original(start, end)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_idempotent(text):
    """What is folded stays as it is when folded again."""
    assert fold(fold(text)) == fold(text)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_unicode_forms(text):
    """The composed and the decomposed form of a text fold alike."""
    forms = {fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")}

    assert forms == {fold(text)}


def test_every_character():
    """Every character that Unicode names folds to what stays as it is when folded again."""
    assigned = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.name(c, "")]
    changing = [c for c in assigned if fold(fold(c)) != fold(c)]

    assert changing == []


def test_every_chinese_character():
    """A Chinese character folds to its simplified form by OpenCC, taken until nothing changes."""
    converter = opencc.OpenCC("t2s")
    for character in map(chr, [*range(0x3400, 0xA000), *range(0x20000, 0x20100)]):
        simplified = converter.convert(character)
        assert fold(character) == converter.convert(simplified)
        assert character == "薴" or fold(character) == simplified


@pytest.mark.parametrize(("traditional", "simplified"), PAIRS)
def test_scripts(traditional, simplified):
    """Both scripts of a word fold to the simplified one."""
    assert fold(traditional) == fold(simplified) == simplified


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("７２小時，３０％", "72小时,30%"),
        ("ＡＢＣ（甲）：", "abc(甲):"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("Straße ＲＥＦＵＮＤ", "strasse refund"),
        ("10–15元—10－15", "10-15元-10-15"),
        ("don’t", "don't"),
        ("㈠①", "(一)1"),
        ("ﬁne", "fine"),
        ("e\u0301", "é"),
        ("\u1112\u1161\u11ab", "한"),
        ("退\u200b款\ufeff\u2060\u00ad", "退款"),
        ("葛\U000e0100☎\ufe0f", "葛☎"),
        ("👩\u200d👧", "👩👧"),
        ("e\u200d\u0301", "é"),
        ("\ud800退\udfff", "\ud800退\udfff"),
        ("\x00\x1b\x7f", "\x00\x1b\x7f"),
        ("", ""),
        ("\u200b", ""),
    ],
)
def test_folds(text, expected):
    """Width, case, dashes, compatibility forms and invisible characters are folded away."""
    assert fold(text) == expected


def test_map_of_expansions():
    """A character that folds to many, and many that fold to one, keep their whole origin."""
    folded = fold_with_map("a㈠e\u0301b")

    assert folded.text == "a(一)éb"
    assert folded.original(1, 2) == folded.original(1, 4)
    assert (folded.starts, folded.ends) == ((0, 1, 1, 1, 2, 4), (1, 2, 2, 2, 4, 5))
