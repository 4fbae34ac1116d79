"""What a sentence says: its facts with their exact places, its traits and its dates."""

import time
from datetime import date
from pathlib import Path

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.facts import PastDate, is_noise, party_named, read_sentence
from policy_qa.types import FIELDS, Quantity, Span

SEED = (Path(__file__).parents[1] / "corpus" / "taobao-after-sales.txt").read_text("utf-8-sig")
TEXTS = st.text(st.characters(exclude_categories=()), max_size=60) | st.lists(
    st.sampled_from(
        [
            *("如果", "若", "的話", "的", "者", "買家", "賣家"),
            *("商家", "承擔", "運費", "應當", "不得", "可以"),
            *("30%", "七日内", "五百元以上", "五千元以下", "2025年", "3月"),
            *("民國114年", "但", "除外", "處", "罰款"),
            *("，", "。", ",", ";", "（", "）", "「", "」"),
            *("：", " ", "=", "/", "㈠", "e\u0301", "\u200b", "\ud800"),
            *("if ", "the seller ", "pays ", "must ", "within "),
            *("14 days", "unless ", "is void", "Ⅷ", "½"),
        ]
    ),
    max_size=16,
).map("".join)
SENTENCES = {
    "如果一直不發貨的話,超過72小時不發貨的,買家有可能會在退款後,直接投訴賣家違背發貨承諾的。": [
        ("conditions", "如果一直不發貨的話"),
        ("deadlines", "超過72小時"),
        ("conditions", "超過72小時不發貨的"),
        ("effects", "直接投訴賣家違背發貨承諾的"),
    ],
    "店鋪近30天品質退款率=品質相關退款原因發起的退款筆數/支付寶支付子訂單數。": [
        ("formula", "店鋪近30天品質退款率=品質相關退款原因發起的退款筆數/支付寶支付子訂單數"),
        ("deadlines", "近30天"),
    ],
    "(3)品質退款的計算是以第一次申請的理由來計算,即使買家修改了退款原因,還是會計算在內的。": [
        ("formula", "品質退款的計算是以第一次申請的理由來計算"),
        ("conditions", "即使買家修改了退款原因"),
        ("effects", "還是會計算在內的"),
    ],
    "會判你勝,售後申請不予支持。": [("effects", "會判你勝"), ("effects", "售後申請不予支持")],
    "可以先旺旺聯系買家,如果買家一直不回復,建議就是電話通知買家。": [
        ("steps", "可以先旺旺聯系買家"),
        ("conditions", "如果買家一直不回復"),
        ("steps", "建議就是電話通知買家"),
    ],
}
STATUTES = {
    "經營者有下列情形之一的，處五百元以上五千元以下的罰款。": [
        ("conditions", "經營者有下列情形之一的"),
        ("effects", "處五百元以上五千元以下的罰款"),
        ("amounts", "五百元以上五千元以下"),
    ],
    "違反前項規定者，處新臺幣五萬元以上二十萬元以下罰鍰。": [
        ("conditions", "違反前項規定者"),
        ("effects", "處新臺幣五萬元以上二十萬元以下罰鍰"),
        ("amounts", "新臺幣五萬元以上二十萬元以下"),
    ],
    "行政機關應當自受理申請之日起二十日內作出決定。": [
        ("steps", "應當自受理申請之日起二十日內作出決定"),
        ("deadlines", "二十日內"),
    ],
    "退貨運費由賣家承擔。": [("bearers", "運費由賣家承擔")],
    "2025年12月31日前申請。": [("deadlines", "2025年12月31日前")],
    "如果成立需要賠償違約金30%。": [
        ("conditions", "如果成立"),
        ("steps", "需要賠償違約金30%"),
        ("amounts", "30%"),
    ],
    "請病假的,須提前一天申請。": [
        ("steps", "須提前一天申請"),
        ("deadlines", "提前一天"),
    ],
    "最好不要超過24小時。": [("steps", "最好不要超過24小時"), ("deadlines", "不要超過24小時")],
    "買家無須承擔運費。": [("steps", "無須承擔運費")],
}
ENGLISH = {
    "You must return the item within 14 days unless it is faulty.": [
        ("steps", "must return the item within 14 days"),
        ("deadlines", "within 14 days"),
        ("exceptions", "unless it is faulty"),
    ],
    "If the parcel is late, the seller pays $5.": [
        ("conditions", "If the parcel is late"),
        ("bearers", "the seller pays $5"),
        ("amounts", "$5"),
    ],
    "Wash your hands for at least 20 seconds.": [
        ("steps", "Wash your hands for at least 20 seconds"),
        ("deadlines", "for at least 20 seconds"),
    ],
    "Returns are at the buyer’s expense.": [("bearers", "at the buyer’s expense")],
    "The fee is calculated from the weight.": [("formula", "is calculated from the weight")],
    "Behind the hall.": [],
    "You won't have to pay more than $5.": [("amounts", "won't have to pay more than $5")],
    "You must send £2.50 per item, unless it costs more than $1,009.95.": [
        ("steps", "must send £2.50 per item"),
        ("amounts", "£2.50"),
        ("exceptions", "unless it costs more than $1,009.95"),
        ("amounts", "more than $1,009.95"),
    ],
    "If the order is over $1,049.99, the seller pays $1,000 of it.": [
        ("conditions", "If the order is over $1,049.99"),
        ("amounts", "over $1,049.99"),
        ("bearers", "the seller pays $1,000 of it"),
        ("amounts", "$1,000"),
    ],
    "Store credit = item price - restocking fee × 0.5": [
        ("formula", "Store credit = item price - restocking fee × 0.5")
    ],
}


def said(sentence: str) -> list[tuple[str, str]]:
    """Return the facts of a sentence: the field and the original words."""
    return [
        (fact.field, sentence[fact.span.start : fact.span.end])
        for fact in read_sentence(sentence).facts
    ]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_seed(sentence):
    """Sentences of the seed have exactly these facts."""
    assert sentence in SEED
    assert said(sentence) == SENTENCES[sentence]


@pytest.mark.parametrize(("sentence", "expected"), [*STATUTES.items(), *ENGLISH.items()])
def test_other_sentences(sentence, expected):
    """Sentences of statutes and in English have exactly these facts."""
    assert said(sentence) == expected


@pytest.mark.parametrize("sentence", [*SENTENCES, *STATUTES])
def test_both_scripts(sentence):
    """A sentence in Simplified Chinese says the same at the same places, in its own words."""
    simplified = opencc.OpenCC("t2s").convert(sentence)

    assert simplified != sentence
    assert len(simplified) == len(sentence)
    assert read_sentence(simplified) == read_sentence(sentence)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("超過72小時未發貨", [("deadlines", Span(0, 6), Quantity(72, None, "hour"))]),
        ("違約金３０％", [("amounts", Span(3, 6), Quantity(30, 30, "percent"))]),
        ("期限为\u200b七\u200b日\u200b内", [("deadlines", Span(4, 9), Quantity(None, 7, "day"))]),
        ("a fee of $5, for 3 days", [
            ("amounts", Span(9, 11), Quantity(5, 5, "USD")),
            ("deadlines", Span(13, 23), Quantity(3, 3, "day")),
        ]),
    ],
)  # fmt: skip
def test_values(sentence, expected):
    """Deadlines and amounts have their values, at places of the original."""
    facts = read_sentence(sentence).facts

    assert [(fact.field, fact.span, fact.value) for fact in facts if fact.value] == expected


@pytest.mark.parametrize(
    ("sentence", "party"),
    [
        ("退貨運費由賣家承擔", "seller"),
        ("运费由买家自理", "buyer"),
        ("违约金由承租人支付", "tenant"),
        ("The shops pay the postage", "seller"),
        ("the insurer covers the loss", "insurer"),
        ("当事人自行承担费用", ""),
        ("用人单位应当向劳动者支付赔偿金", "employer"),
        ("劳动者向用人单位支付违约金", "employee"),
        ("賣家應當為買家承擔運費", "seller"),
        ("平台给买家补偿运费", "platform"),
        ("买家与卖家有争议由平台承担运费", "platform"),
        ("保險公司賠償被保險人的損失", "insurer"),
        ("The seller refunds the buyer's postage", "seller"),
        ("the tenant pays the landlord the deposit", "tenant"),
        ("Returns are at the buyer's expense", "buyer"),
    ],
)
def test_parties(sentence, party):
    """A fact on who bears something names the party, a known one, and not whom it is borne for."""
    bearers = [fact for fact in read_sentence(sentence).facts if fact.field == "bearers"]

    assert [fact.party for fact in bearers] == [party]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("运费不由买家承担,由卖家承担。", [("由卖家承担", "seller")]),
        ("买家不承担运费而由卖家承担", [("运费而由卖家承担", "seller")]),
        ("卖家不负责运费,买家负责运费", [("买家负责运费", "buyer")]),
        ("卖家不得不承担运费", [("卖家不得不承担运费", "seller")]),
        ("不可抗力造成的损失由买家承担", [("损失由买家承担", "buyer")]),
        ("卖家不是责任方的,运费由物流公司承担", [("运费由物流公司承担", "carrier")]),
        *((text, []) for text in ("卖家无需承担运费", "买家无须承担运费", "买家不用支付运费")),
        *((text, []) for text in ("卖家拒绝承担运费", "退货运费并非由卖家承担", "卖家未支付运费")),
        *((text, []) for text in ("賣家沒有義務承擔運費", "賣家不會向買家支付賠償金")),
        ("商家無法承擔運費", []),
        ("The buyer does not pay the postage, the seller pays the postage.", [
            ("the seller pays the postage", "seller"),
        ]),
        ("The seller is not liable for it, but the carrier is liable.", [
            ("but the carrier is liable", "carrier"),
        ]),
        ("Sent at the buyer's expense, not at the seller's expense.", [
            ("at the buyer's expense", "buyer"),
        ]),
        ("Not only the seller pays the postage.", [("the seller pays the postage", "seller")]),
        ("Return shipping is paid by the seller.", [
            ("Return shipping is paid by the seller", "seller"),
        ]),
        *((text, []) for text in (
            "The buyer doesn't pay the postage.",
            "The buyer never pays the postage.",
            "Customers don't have to pay unless it is damaged.",
            "Neither the seller nor the carrier is responsible for delays.",
            "No one is responsible for lost parcels.",
            "No customer pays the postage.",
            "The seller will not be held responsible for damage.",
            "Shipping is not paid by the seller.",
        )),
        ("超出部分由员工自行承担", [("超出部分由员工自行承担", "employee")]),
        ("社会保险费由公司和员工共同缴纳,公司承担约三分之二,员工承担10.5%。", [
            ("社会保险费由公司和员工共同缴纳", ""),
            ("公司承担约三分之二", "employer"),
            ("员工承担10.5%", "employee"),
        ]),
        ("运费先由买家垫付,后由卖家承担", [
            ("运费先由买家垫付", "buyer"),
            ("由卖家承担", "seller"),
        ]),
    ],
)  # fmt: skip
def test_bearers(sentence, expected):
    """Whoever does not bear something is no bearer; whoever does in the next clause is one."""
    bearers = [fact for fact in read_sentence(sentence).facts if fact.field == "bearers"]

    assert [(sentence[f.span.start : f.span.end], f.party) for f in bearers] == expected


@pytest.mark.parametrize(
    "text", ["a=", "a=,", "卖家不", "neither ", "not be ", "1,000,", "paid by "]
)
def test_repeated_pieces(text):
    """A text that only repeats a part of a pattern is read in time that stays small."""
    start = time.perf_counter()
    read_sentence(text * (3_000 // len(text)))

    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("word", "party"),
    [
        *(("seller", "seller"), ("sellers", "seller"), ("seller's", "seller"), ("卖家", "seller")),
        *(("business", "employer"), ("authorities", "government"), ("被保险人", "insured")),
    ],
)
def test_party_named(word, party):
    """A word for a party is known with its plural or genitive."""
    assert party_named(word) == party


def test_unknown_party():
    """A word that is none of the file's is refused."""
    with pytest.raises(KeyError):
        party_named("stranger")


def test_what_a_condition_says():
    """What stands inside a condition is no step, bearer or effect of the rule."""
    sentence = "如果卖家应当承担运费的话,买家可以申请退款"

    assert said(sentence) == [
        ("conditions", "如果卖家应当承担运费的话"),
        ("steps", "可以申请退款"),
    ]


@pytest.mark.parametrize(
    ("sentence", "past"),
    [
        ("活動截止2025年12月31日。", [PastDate(Span(4, 15), date(2025, 12, 31))]),
        ("民國114年12月31日前提出申請。", [PastDate(Span(0, 12), date(2025, 12, 31))]),
        ("Ends on ５ March 2025.", [PastDate(Span(8, 20), date(2025, 3, 5))]),
        ("由阿里巴巴集團在2003年5月創立。", []),
        ("本法自2020年1月1日起施行。", []),
        ("七日內退款。", []),
    ],
)
def test_dates(sentence, past):
    """Dates to which a sentence is tied are found; beginnings are not."""
    assert list(read_sentence(sentence).dates) == past


def test_a_date_is_no_quantity():
    """The days, months and years of a date are no deadlines, even where they read like one."""
    reading = read_sentence("2025年3月內、民國114年內、in 2025 years")

    assert [fact for fact in reading.facts if fact.value] == []
    assert "date" in reading.traits


@pytest.mark.parametrize(
    ("sentence", "traits"),
    [
        ("您好,朋友。", set()),
        ("Hope this helps!", set()),
        ("產品方面主要包括質量問題。", {"listing"}),
        ("運費由賣家承擔", {"bearers"}),
        ("2003年5月創立", {"date"}),
        ("天氣很好。", set()),
        ("", set()),
    ],
)
def test_traits(sentence, traits):
    """Traits are the fields that a sentence has facts of, and what kind of sentence it is."""
    assert read_sentence(sentence).traits == traits


@pytest.mark.parametrize(
    "sentence",
    [
        *("您好,朋友。", "您好！", "謝謝", "谢谢!", "親"),
        *("急急急", "不客氣", "多謝。", "！！！", "…"),
        *("還請您及時採納,謝謝。", "请采纳", "望采納", "祝您生活愉快", "希望對您有幫助"),
        *("點此查看", "点击这里查看更多", "请点击查看详情", "买家拍错怎么办扩展阅读"),
        *("Hello", "Hi!", "Thank you.", "Best regards", "Have a nice day!", "Hope this helps!"),
        *("Click here to see more", "Please click here", "Read more", "Learn more", "See also:"),
    ],
)
def test_noise(sentence):
    """Greetings, thanks and links to elsewhere answer nothing, in either script."""
    assert is_noise(sentence)
    assert is_noise(opencc.OpenCC("t2s").convert(sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        *("", "可以", "不可以", "没有影响", "是的", "72小时", "七天", "30%", "不支持", "會", "1"),
        *("您好,運費由賣家承擔。", "退款後請聯繫賣家"),
        *("買家可以點擊訂單詳情申請退款", "卖家不采纳建议"),
        *("请点击订单详情中的退款按钮", "急需退款的可以联系客服"),
        *("Yes", "No", "Never", "14 days", "Best price guaranteed", "Thank the seller first"),
        *("Read the label before washing", "Dear buyers may return goods"),
        "Hi-fi sets are excluded",
    ],
)  # fmt: skip
def test_no_noise(sentence):
    """What may be an answer is none, however short or polite it is."""
    assert not is_noise(sentence)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text(text):
    """Facts of any text are its own words, in order; amounts have values, and deadlines may."""
    reading = read_sentence(text)

    places = [(fact.span.start, fact.span.end, fact.field) for fact in reading.facts]
    assert places == sorted(places)
    for fact in reading.facts:
        assert 0 <= fact.span.start < fact.span.end <= len(text)
        assert fact.field in FIELDS
        assert (fact.value is not None) <= (fact.field in ("deadlines", "amounts"))
        assert fact.value is not None or fact.field != "amounts"
        assert not fact.party or fact.field == "bearers"
        assert fact.field in reading.traits
    for dated in reading.dates:
        assert 0 <= dated.span.start < dated.span.end <= len(text)
    assert "noise" not in reading.traits
    assert isinstance(is_noise(text), bool)
