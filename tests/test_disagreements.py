"""Whether two sentences that are about the same thing say different things about it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.disagreements import (
    Disagreement,
    about_the_same,
    disagreement,
    likeness,
    said_by_one,
    same_case,
    same_figures,
    same_question,
    same_wording,
)
from policy_qa.settings import (
    SAME_QUESTION_FROM,
    SAME_QUESTION_SENTENCES_FROM,
    SAME_SENTENCE_FROM,
)
from policy_qa.types import Entry, Passage, Sentence, Span

TEXTS = st.text(st.characters(exclude_categories=()), max_size=40) | st.lists(
    st.sampled_from(
        [
            *("72小時", "三天", "30%", "三成", "500元", "$5", "内"),
            *("超过", "3個", "1.2.3", "第", "條", "2025年"),
            *("不", "不得", "可以", "買家", "賣家", "由", "承擔"),
            *("運費", "退貨", "，", "。", " ", "嗎"),
            *("the buyer ", "pays ", "within ", "14 days ", "may "),
            *("not ", "'", "e\u0301", "\ud800", "٣"),
            *("3月31日前", "五月", "下午五點", "9:30", "八折", "財務總監", "審批"),
            *("by March 31", "until 5 pm", "two guests", "20 km/h", "paid by "),
        ]
    ),
    max_size=12,
).map("".join)


def words(ours: str, theirs: str) -> tuple[str, str, str] | None:
    """Return the kind of a disagreement and the words on both sides."""
    found = disagreement(ours, theirs)
    if not found:
        return None
    mine, yours = found.ours, found.theirs
    return found.kind, ours[mine.start : mine.end], theirs[yours.start : yours.end]


def both_ways(ours: str, theirs: str) -> tuple[str, str, str] | None:
    """Return a disagreement, once it is the same with its sides swapped."""
    there, back = words(ours, theirs), words(theirs, ours)
    assert there == (back and (back[0], back[2], back[1]))
    return there


@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "mine", "yours"),
    [
        ("賣家應在72小時內發貨", "賣家應在五天內發貨", "deadline", "72小時內", "五天內"),
        ("卖家应在72小时内发货", "賣家應在48小時內發貨", "deadline", "72小时内", "48小時內"),
        ("七日內退款。", "十五日內退款。", "deadline", "七日內", "十五日內"),
        ("1-3天到帳", "3-5天到账", "deadline", "1-3天", "3-5天"),
        ("三個工作日內到帳", "五个工作日内到账", "deadline", "三個工作日內", "五个工作日内"),
        ("within 7 days", "within 14 days", "deadline", "within 7 days", "within 14 days"),
        ("Return it within a week.", "Return it within 30 days.", "deadline", "within a week",
         "within 30 days"),
        ("賠償違約金30%", "赔偿违约金50%", "amount", "30%", "50%"),
        ("賠償違約金三成", "赔偿违约金百分之五", "amount", "三成", "百分之五"),
        ("罰款五百元", "罚款300元", "amount", "五百元", "300元"),
        ("處三元以上五元以下罰款", "处三元以上六元以下罚款", "amount", "三元以上五元以下",
         "三元以上六元以下"),
        ("支付二倍的工資", "支付三倍的工资", "amount", "二倍", "三倍"),
        ("The fee is $5.", "The fee is $15.", "amount", "$5", "$15"),
        ("3天以內發貨", "3天以上发货", "deadline", "3天以內", "3天以上"),
        ("within 3 days", "more than 3 days", "deadline", "within 3 days", "more than 3 days"),
        ("不超過100元", "至少100元", "amount", "不超過100元", "至少100元"),
        ("60天內退款", "61天内退款", "deadline", "60天內", "61天内"),
        ("100天內退款", "101天內退款", "deadline", "100天內", "101天內"),
        ("25小時內發貨", "1天内发货", "deadline", "25小時內", "1天内"),
        ("15天内退款", "15個工作日內退款", "deadline", "15天内", "15個工作日內"),
        ("3天内退款", "3个工作日内退款", "deadline", "3天内", "3个工作日内"),
        ("须于3月31日前休完", "須於4月30日前休完", "deadline", "3月31日前", "4月30日前"),
        ("自五月一日起施行", "自六月一日起施行", "deadline", "自五月一日起", "自六月一日起"),
        ("Apply by March 31.", "Apply by April 30.", "deadline", "by March 31", "by April 30"),
        ("It ends on the 1st of May", "It ends on 2 May", "deadline", "ends on the 1st of May",
         "ends on 2 May"),
        ("The desk is open until 5 pm.", "The desk is open until 6 pm.", "deadline", "5 pm",
         "6 pm"),
        ("營業到下午五點", "营业到下午六点半", "deadline", "下午五點", "下午六点半"),
        ("9:30開門", "10:30开门", "deadline", "9:30", "10:30"),
        ("赔偿500元", "賠償500美元", "amount", "500元", "500美元"),
        ("The fee is $500.", "费用为500元。", "amount", "$500", "500元"),
    ],
)  # fmt: skip
def test_quantities(ours, theirs, kind, mine, yours):
    """Other deadlines and amounts of a kind disagree; the words are those of the quantities."""
    assert both_ways(ours, theirs) == (kind, mine, yours)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("72小時內發貨", "三天內發貨"),
        ("賠償違約金30%", "赔偿违约金三成"),
        ("赔偿30%", "賠償百分之三十"),
        ("十二个月内申请", "一年內申請"),
        ("一周內退款", "7天内退款"),
        ("60分鐘", "1小时"),
        ("一个半月", "45天"),
        ("罰款五百元以上五千元以下", "罚款500元以上5,000元以下"),
        ("新臺幣五萬元", "50,000台币"),
        ("近３０天", "30天"),
        ("within two weeks", "within 14 days"),
        ("half a year", "6 months"),
        ("not less than 5 days", "at least five days"),
        ("需要三個證明", "需要3个证明"),
        ("退款72小時內、換貨七天內", "换货7天内、退款三天内"),
        ("365天内申请", "一年內申請"),
        ("30天內退款", "一个月内退款"),
        ("360天內退款", "12個月內退款"),
        ("費用為500元", "费用为500人民币"),
        ("費用為5美元", "The fee is $5"),
        ("十个工作日内退款", "兩周內退款"),
        ("3個工作日內到帳", "5天内到账"),
        ("八五折", "8.5折"),
        ("Apply by March 31.", "Apply before 31 March."),
        ("Apply by 3 Mar.", "Apply by March 3"),
        ("營業到下午五點", "营业到17:00"),
        ("until 12 am", "until 0:00"),
        ("until 12 pm", "營業到中午12點"),
    ],
)
def test_other_notations(ours, theirs):
    """The same quantity in another notation, unit or script is the same."""
    assert both_ways(ours, theirs) is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("七天內退款", "退款"),
        ("七天內退款", "七天內退款,賠償30%"),
        ("賠償30%", "七天内赔偿"),
        ("退款需要三個證明", "退款需要五位證人"),
        ("2024年的規則", "2025年的規則"),
        ("On March 31 the shop is closed.", "By April 30 the shop is closed."),
        ("Apply by March 31, 2024.", "Apply by April 30, 2025."),
        ("自3月1日起施行", "至6月1日止"),
        ("Open on Monday until 5 pm", "Open on Saturday until 2 pm"),
        ("周一營業到下午五點", "周六营业到下午两点"),
        ("Open until 5 pm", "Open from 9 am until 5 pm"),
        ("The ratio is 3:1", "The ratio is 4:1"),
    ],
)
def test_quantities_of_one_side(ours, theirs):
    """What one of them alone states is no disagreement in a quantity."""
    assert both_ways(ours, theirs) is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("可以退貨", "不可以退貨"),
        ("可以退货", "不可以退貨"),
        ("退款計入糾紛率", "退款不計入糾紛率"),
        ("商家應當退款", "商家不得退款"),
        ("商家應當退款", "商家無需退款"),
        ("商家可以拒絕退款", "商家不得擅自拒絕退款"),
        ("You may park here", "You must not ever park here"),
        ("Returns are free", "Returns are not free"),
        ("You must wear a mask", "You do not have to wear a mask"),
        ("A refund affects the rating", "A refund does not affect the rating"),
        ("運費由買家承擔", "买家不承担运费"),
        ("不能退貨但可以換貨", "可以退货但不能换货"),
        ("Yes, gift cards are", "No, gift cards are final"),
        ("可以。", "不可以。"),
    ],
)
def test_polarity(ours, theirs):
    """What one denies or forbids and the other does not; the words are the whole sentences."""
    assert both_ways(ours, theirs) == ("polarity", ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("退貨運費由賣家承擔", "退貨運費由買家承擔"),
        ("退货运费由卖家承担", "退貨運費由買家負擔"),
        ("買家承擔運費", "賣家承擔運費"),
        ("违约金由承租人支付", "违约金由出租人支付"),
        ("费用由甲方负担", "费用由乙方负担"),
        ("The buyer pays the postage", "The seller pays the postage"),
        ("the landlord shall bear the cost", "the tenant shall bear the cost"),
        ("The buyer pays the postage", "The postage is paid by the seller."),
        ("費用由財務總監審批", "费用由人事总监审批"),
        ("經部門經理批准", "经总经办批准"),
        ("approved by the finance director", "Approved by the HR director"),
    ],
)
def test_bearer(ours, theirs):
    """Another party that pays or is responsible; the words are the whole sentences."""
    assert both_ways(ours, theirs) == ("bearer", ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("需要三個證明", "需要五个证明"),
        ("每次拍3件商品", "每次拍5件商品"),
        ("Bring two copies... of 3 pages", "Bring two copies... of 5 pages"),
        ("會員享受八折", "会员享受九折"),
        ("At most two guests may stay", "At most four guests may stay"),
        ("one guest", "two guests"),
        ("限速20 km/h", "限速30km/h"),
        ("包裹不超過5公斤", "包裹不超过8公斤"),
    ],
)
def test_counts(ours, theirs):
    """Counts of the same things with no number in common disagree in the amount."""
    assert both_ways(ours, theirs) == ("amount", ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("退貨運費由賣家承擔", "退貨運費由賣家承擔。"),
        ("退貨運費由賣家承擔", "退货运费由卖家负担"),
        ("可以退貨", "可以退货"),
        ("不可以退貨", "不能退货"),
        ("不得退貨", "不可以退貨"),
        ("服務不錯,可以退貨", "可以退貨"),
        ("无论什么原因都可以退货", "可以退貨"),
        ("The seller pays", "the SELLER pays"),
        ("", ""),
        ("", "七天內退款"),
        ("退款", "換貨"),
        ("見1.2.3項", "見5項"),
        ("運費由賣家承擔", "运费由商家承担"),
        ("運費由買家承擔", "卖家不承担运费"),
        ("運費由買家承擔", "卖家无需承担运费"),
        ("運費由買家承擔", "运费并非由卖家承担"),
        ("The buyer pays the postage.", "The seller does not pay the postage."),
        ("The buyer pays the postage.", "The postage is paid by the customer."),
        ("由總監審批", "由财务总监审批"),
        ("由總監或財務審批", "由财务审批"),
        ("试用期员工不享有年假", "試用期員工沒有年假"),
        ("Yes, if it was never used", "No, gift cards are final"),
    ],
)
def test_agreement(ours, theirs):
    """Sentences that say the same, or nothing of a kind, do not disagree."""
    assert both_ways(ours, theirs) is None


def test_quantities_come_first():
    """Where sentences differ in several ways, it is in the quantity, by its own words."""
    assert disagreement("賣家在七天內退款", "卖家不得在十天内退款") == Disagreement(
        "deadline", Span(3, 6), Span(5, 8)
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("七天內可以退貨", "十五天內可以退貨", 1.0),
        ("七天内可以退货", "15天內可以退貨", 1.0),
        ("退貨", "退貨運費由賣家承擔", 1.0),
        ("退貨", "換款", 0.0),
        ("", "退貨", 0.0),
        ("", "", 0.0),
        ("return shoes", "return boots", 0.5),
        ("A shoe of 5 days", "of a shoe", 1.0),
    ],
)
def test_likeness(ours, theirs, expected):
    """Likeness is the share of the shorter one's words in common, quantities left out."""
    assert likeness(ours, theirs) == likeness(theirs, ours) == expected


def vector(cosine: float) -> np.ndarray:
    """Return a unit vector with this cosine to the first axis."""
    return np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)


def sentence(text: str, cosine: float = 1.0) -> Sentence:
    """Return a sentence whose vector has this cosine to the first axis."""
    passage = Passage("a#1:1", "a#1", "a", Span(0, len(text)), text)
    return Sentence(passage, 0.0, vector(cosine))


@pytest.mark.parametrize(("above", "expected"), [(0.001, True), (-0.001, False)])
def test_same_question(above, expected):
    """Questions are the same from a cosine on, whichever comes first."""
    ours, theirs = sentence("怎麼退款"), sentence("如何退款", SAME_QUESTION_FROM + above)

    assert same_question(ours, theirs) is expected
    assert same_question(theirs, ours) is expected


OTHER_MARKS = [
    ("2022年的運費是多少", "2023年的运费是多少"),
    ("2022-2023 fees", "2021-2022 fees"),
    ("iPhone 14 可以退貨嗎", "iPhone 15 可以退货吗"),
    ("May I return an iPhone 14?", "May I return an iPhone 15?"),
    ("May I return an iPhone 14?", "May I return an iPhone?"),
    ("第三條的期限是幾天", "第五条的期限是几天"),
    ("第3章的期限是幾天", "第4章的期限是幾天"),
    ("第三條、第五條的期限", "第三條的期限"),
]
QUANTITIES = [
    ("May I pay USD 50?", "May I pay USD 60?", True),
    ("Is it within 1.5 hours?", "Is it within 2.5 hours?", True),
    ("Is the fine of 1,000 yuan due?", "Is the fine of 2,000 yuan due?", True),
    ("Do you ship within 24h?", "Do you ship within 48h?", True),
]
SAME_MARKS = [
    ("2022年的運費是多少", "2022年运费多少"),
    ("IPHONE 14 可以退貨嗎", "iPhone 14 可以退货吗"),
    ("第三條的期限是幾天", "第三条的期限有几天"),
    ("退貨的期限是30天嗎", "退貨的期限是40天嗎"),
    ("May I return it within 7 days?", "May I return it within 14 days?"),
    ("Is the fee 30%?", "Is the fee 40%?"),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        *((*pair, False) for pair in OTHER_MARKS),
        *((*pair, True) for pair in SAME_MARKS),
        *QUANTITIES,
    ],
)
def test_versions(ours, theirs, expected):
    """Texts that name other years, models or articles are about other things, however alike."""
    mine, yours = sentence(ours), sentence(theirs)

    assert same_question(mine, yours) is same_question(yours, mine) is expected
    pairs = [(mine, yours)] if expected else []
    assert list(about_the_same([mine], [yours], same_question=True)) == pairs


def test_versions_of_nearly_the_same_sentence():
    """What is said in the same words of another year contradicts nothing."""
    ours = [sentence("2022年的運費是每單10元")]
    theirs = [sentence("2023年的運費是每單20元"), sentence("2022年的運費是每單20元")]

    assert list(about_the_same(ours, theirs, same_question=False)) == [(ours[0], theirs[1])]


def test_about_the_same_answers():
    """Of entries on the same question, sentences near in meaning are paired, the nearest first."""
    ours = [sentence("七天內退款", 1.0)]
    theirs = [
        sentence("退貨", SAME_QUESTION_SENTENCES_FROM + 0.001),
        sentence("換貨", SAME_QUESTION_SENTENCES_FROM - 0.001),
        sentence("十天內到帳", SAME_QUESTION_SENTENCES_FROM + 0.1),
    ]

    assert list(about_the_same(ours, theirs, same_question=True)) == [
        (ours[0], theirs[2]),
        (ours[0], theirs[0]),
    ]


def test_about_the_same_sentence():
    """Of other entries, only sentences that also share nearly all words are paired."""
    ours = [sentence("七天內可以退貨", 1.0)]
    theirs = [
        sentence("十五天內可以退貨", SAME_SENTENCE_FROM + 0.001),
        sentence("十五天內可以退貨", SAME_SENTENCE_FROM - 0.001),
        sentence("十五天內到帳", 1.0),
    ]

    assert list(about_the_same(ours, theirs, same_question=False)) == [(ours[0], theirs[0])]


@pytest.mark.parametrize("same", [True, False])
def test_about_nothing(same):
    """An entry without sentences is about nothing."""
    some = [sentence("退款", 1.0)]

    assert list(about_the_same([], some, same_question=same)) == []
    assert list(about_the_same(some, [], same_question=same)) == []


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_any_sentences(ours, theirs):
    """Any two sentences can be compared; whether they disagree does not depend on the order."""
    there, back = disagreement(ours, theirs), disagreement(theirs, ours)

    assert bool(there) == bool(back)
    if there:
        assert 0 <= there.ours.start < there.ours.end <= len(ours)
        assert 0 <= there.theirs.start < there.theirs.end <= len(theirs)
    assert disagreement(ours, ours) is None
    assert 0 <= likeness(ours, theirs) == likeness(theirs, ours) <= 1


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("退款怎麼辦?", "退款怎么办", True),
        ("Who pays - the buyer?", "who pays: the Buyer", True),
        ("退款怎麼辦", "換貨怎麼辦", False),
        ("refund", "refunds", False),
        ("", "", False),
        ("?", "!", False),
    ],
)
def test_same_wording(ours, theirs, expected):
    """Neither script nor case nor punctuation makes other words of a question."""
    assert same_wording(ours, theirs) is same_wording(theirs, ours) is expected


def entry(document: str, *path: str) -> Entry:
    """Return an entry below some headings."""
    return Entry(f"{document}#1", document, Span(0, 0), Span(0, 0), Span(0, 0), path)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (("a.md",), ("a.md",), True),
        (("a.md", "退貨"), ("a.md", "退货"), True),
        (("a.md", "iPhone 14"), ("a.md", "iPhone 15"), False),
        (("a.md", "Buyers"), ("a.md", "Sellers"), False),
        (("a.md", "買家指南"), ("b.md", "客服手冊"), True),
        (("a.md", "Customer guide"), ("b.md", "Agent handbook"), True),
        (("a.md", "買家指南"), ("b.md",), True),
        (("a.md", "Returns FAQ"), ("b.md", "Return policy"), True),
        (("a.md", "指南", "退貨"), ("b.md", "退货"), True),
        (("a.md", "iPhone 14 FAQ"), ("b.md", "iPhone 15 FAQ"), False),
        (("a.md", "Full-time staff"), ("b.md", "Part-time staff"), False),
        (("a.md", "Fridges"), ("b.md", "Ovens"), False),
        (("a.md", "Handbook"), ("b.md", "Ovens"), False),
        (("fees-2022.md",), ("fees-2023.md",), False),
        (("fridge.txt",), ("oven.txt",), True),
    ],
)
def test_same_case(ours, theirs, expected):
    """Headings tell cases apart, but for parties and kinds of text in other documents' titles."""
    assert same_case(entry(*ours), entry(*theirs)) is expected
    assert same_case(entry(*theirs), entry(*ours)) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("手机的保修期为一年。", "手機保修期是兩年。", True),
        ("付款後的訂單可以取消。", "付款后的订单不可以取消。", True),
        ("The late fee is $5.", "The late fee costs $8.", True),
        ("The customer pays return shipping.", "The seller pays for return shipping.", True),
        ("Return it by March 31.", "Return it by April 30.", True),
        ("費用由財務總監審批", "费用由人事总监审批", True),
        ("No, gift cards are final sale.", "Yes, you may return gift cards.", True),
        ("標準快遞5天送達。", "加急快递2天送达。", False),
        ("Full-time staff get 20 days of leave.", "Part-time staff get 10 days of leave.", False),
        ("Orders paid by card ship in 3 days.", "International orders paid by card ship in 9 days.",
         False),
        ("商品可以退貨。", "定制商品不可以退货。", False),
        ("拆封的商品不可以退貨。", "未拆封的商品可以退货。", False),
        ("拆封的商品不可以退貨。", "如果有质量问题,拆封的商品可以退货。", False),
        ("The fee is $5.", "The fee is $8 unless you are a member.", False),
        ("iPhone 14可以退貨", "iPhone 15不可以退货", False),
        ("退款", "。", False),
        ("。", "!", False),
    ],
)  # fmt: skip
def test_about_the_same_by_words(ours, theirs, expected):
    """Answers to a question in the same words are paired by what they are about, not by vectors."""
    mine, yours = sentence(ours), sentence(theirs, SAME_QUESTION_SENTENCES_FROM - 0.1)
    pairs = about_the_same([mine], [yours], same_question=False, same_wording=True)
    assert list(pairs) == ([(mine, yours)] if expected else [])
    assert list(about_the_same([mine], [yours], same_question=False)) == []


def test_only_the_nearest_are_paired_by_words():
    """A sentence that another one is nearer to is no pair, however alike their words."""
    ours = [sentence("運費10元", 0.7), sentence("運費20元", 0.5)]
    theirs = [sentence("运费30元", 1.0)]
    pairs = about_the_same(ours, theirs, same_question=False, same_wording=True)
    assert list(pairs) == [(ours[0], theirs[0])]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("三天內退款", "3天内退款", True),
        ("Open Monday until 5 pm", "open monday until 5 PM", True),
        ("Open until 5 pm", "Open until 6 pm", False),
        ("Open until 5 pm", "Open until 5 am", False),
        ("Open on Monday", "Open on Sunday", False),
        ("五月休息", "六月休息", False),
        ("周日休息", "周末休息", False),
        ("見第3條", "见第三条", True),
        ("three guests", "four guests", False),
        ("72小時", "三天", False),
        ("", "", True),
    ],
)
def test_same_figures(ours, theirs, expected):
    """The same numbers, days and times, in whatever notation of a number."""
    assert same_figures(ours, theirs) is same_figures(theirs, ours) is expected


def test_what_both_say():
    """A sentence that both entries have contradicts neither of them."""
    breakfast, lunch = sentence("早餐最高12歐元"), sentence("午餐最高18歐元")
    here, there = sentence("晚餐最高20歐元"), sentence("晚餐最高25歐元")

    assert said_by_one([breakfast, lunch, here], [lunch, breakfast, there]) == ([here], [there])
