"""Whether two texts speak of the same party, and say yes or no to the same thing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.agreement import Clash, agreement, claims, clashes, permissions_clash, twins

TEXTS = st.text(st.characters(exclude_categories=()), max_size=40) | st.lists(
    st.sampled_from(
        [
            *("不", "沒有", "不得", "可以", "能不能", "是否", "嗎"),
            *("影響", "計入", "退貨", "對", "由", "承擔"),
            *("買家", "店鋪", "賣家", "，", "。", " "),
            *("不同", "無論", "e\u0301", "\ud800", "\u200b", "İ"),
            *("not ", "cannot ", "don’t ", "affect ", "the shop"),
            *("the buyer ", "pays ", "may ", "Does "),
        ]
    ),
    max_size=12,
).map("".join)


def found(ours: str, theirs: str) -> list[Clash]:
    """Return in what two texts differ."""
    return list(clashes(claims(ours), claims(theirs)))


def swapped(clash: Clash) -> Clash:
    """Return a clash seen from the other side."""
    return Clash(clash.kind, clash.theirs, clash.ours)


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("退款對店鋪有影響嗎", "退款對買家有影響嗎", ("店鋪", "買家")),
        ("退款对店铺有影响吗", "退款對買家有影響嗎", ("店铺", "買家")),
        ("退款對賣家的信譽", "退款对客户的信誉", ("賣家", "客户")),
        ("運費由賣家承擔", "運費由買家承擔", ("賣家", "買家")),
        ("房東負責維修", "房客負責維修", ("房東", "房客")),
        ("賣家可以拒絕嗎", "買家可以拒絕嗎", ("賣家", "買家")),
        ("Does it affect the shop?", "Does it affect the Buyer?", ("shop", "Buyer")),
        ("the seller must pay", "the buyers must pay", ("seller", "buyers")),
        ("the landlord should cover it", "the tenant should cover it", ("landlord", "tenant")),
        ("運費由賣家承擔", "the buyer pays", ("賣家", "buyer")),
    ],
)
def test_parties(ours, theirs, words):
    """Other parties in the same role clash, in the texts' own words, whichever comes first."""
    clash = Clash("party", *words)

    assert found(ours, theirs) == [clash]
    assert found(theirs, ours) == [swapped(clash)]
    assert agreement(claims(ours), claims(theirs)) == -1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("退款對店鋪有影響嗎", "退款对商家有影响吗"),
        ("運費由賣家承擔", "運費由商家負擔"),
        ("the seller must pay", "the merchants have to pay"),
        ("運費由賣家承擔", "運費由买家和賣家承擔吗"),
    ],
)
def test_same_parties(ours, theirs):
    """The same party in the same role agrees, whatever it is called."""
    assert found(ours, theirs) == found(theirs, ours) == []
    assert agreement(claims(ours), claims(theirs)) == agreement(claims(theirs), claims(ours)) == 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("退款對店鋪有影響嗎", "運費由買家承擔"),
        ("買家申請退款", "賣家申請退款"),
        ("怎樣退款", "怎樣換貨"),
        ("", ""),
        ("", "退款對店鋪有影響嗎"),
    ],
)
def test_no_roles_in_common(ours, theirs):
    """Texts that name parties in other roles, or in none, neither clash nor agree."""
    assert found(ours, theirs) == found(theirs, ours) == []
    assert agreement(claims(ours), claims(theirs)) == agreement(claims(theirs), claims(ours)) == 0


@pytest.mark.parametrize(
    ("denying", "other", "words"),
    [
        ("退款不計入糾紛率", "退款計入糾紛率", "不計入"),
        ("退款不计入纠纷率", "退款計入糾紛率", "不计入"),
        ("退款不会被计入纠纷率", "退款会计入纠纷率", "不会被计入"),
        ("這樣沒有影響", "這樣有影響", "沒有影響"),
        ("不可以退貨的商品", "可以退貨的商品", "不可以退貨"),
        ("哪些商品不能退貨", "哪些商品能退貨", "不能退貨"),
        ("不支持七天無理由退貨的商品", "支持七天無理由退貨的商品", "不支持"),
        ("未发货的订单", "发货的订单", "未发货"),
        ("禁止吸烟", "吸烟", "禁止吸烟"),
        ("A refund does not affect the rating", "A refund affects the rating", "not affect"),
        ("it doesn’t count", "it counts", "doesn’t count"),
        ("You cannot return shoes", "You can return shoes", "cannot return"),
        ("You do not have to wear a mask", "You have to wear a mask", "not have to wear"),
        ("a parcel without tracking", "a parcel with tracking", "without tracking"),
    ],
)
def test_polarity(denying, other, words):
    """What one text denies and the other says clash; the words are those of the denial."""
    assert found(denying, other) == [Clash("polarity", words, "")]
    assert found(other, denying) == [Clash("polarity", "", words)]
    assert agreement(claims(denying), claims(other)) == -1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("退款計入糾紛率嗎", "退款不計入糾紛率"),
        ("退款计入纠纷率吗？", "退款不计入纠纷率"),
        ("對店鋪有影響嗎", "對店鋪沒有影響"),
        ("是否計入糾紛率", "不計入糾紛率"),
        ("能否退貨", "不能退貨"),
        ("是不是計入糾紛率", "不計入糾紛率"),
        ("會不會計入糾紛率", "不會計入糾紛率"),
        ("能不能退貨", "不能退貨"),
        ("可不可以退貨", "不可以退貨"),
        ("要不要上傳憑證", "不要上傳憑證"),
        ("有沒有影響", "沒有影響"),
        ("有影響么", "沒有影響"),
        ("退貨了沒", "沒退貨"),
        ("Does a refund affect the rating?", "A refund does not affect the rating"),
        ("Can I return shoes", "You cannot return shoes"),
        ("Is a mask required?", "A mask is not required"),
    ],
)
def test_questions_whose_answer_is_no(question, answer):
    """A question that only asks whether claims nothing, so that a no does not clash with it."""
    assert claims(question).asks
    assert not claims(question).denied
    assert not claims(answer).asks
    assert found(question, answer) == found(answer, question) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("不同商品退貨", "同商品退貨"),
        ("无论什么原因退货", "论什么原因退货"),
        ("無論誰的責任都計入", "都計入"),
        ("不管什麼原因", "管什麼原因"),
        ("七天無理由退貨", "七天有理由退貨"),
        ("不超過三天", "超過三天"),
        ("不可抗力", "可抗力"),
        ("不僅可以退貨", "可以退貨"),
        ("服務不錯", "服務錯"),
        ("差不多七天到帳", "七天到帳"),
        ("not only refunds", "only refunds"),
        ("no matter what", "matter"),
        ("no more than refunds", "more refunds"),
    ],
)
def test_neutral_words(ours, theirs):
    """Words that only look like a denial deny nothing."""
    assert not claims(ours).denies
    assert found(ours, theirs) == found(theirs, ours) == []


@pytest.mark.parametrize(
    "text", ["note", "nothing", "northern", "know", "cannon", "notice the rule"]
)
def test_words_that_contain_a_denial(text):
    """A Latin negator is a word of its own."""
    assert not claims(text).denies


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("退款不計入糾紛率", "退款不會計入糾紛率"),
        ("退款不计入纠纷率", "退款不計入糾紛率"),
        ("You cannot return shoes", "Shoes are not returned"),
        ("退款不計入糾紛率", "怎樣退款"),
        ("不支持退貨", "可以換貨"),
    ],
)
def test_no_clash(ours, theirs):
    """Texts that deny the same, or nothing that the other speaks of, do not clash."""
    assert found(ours, theirs) == found(theirs, ours) == []


def test_claims():
    """Claims are the text's own words for what it says."""
    claim = claims("賣家不得拒絕，買家可以退貨。")

    assert claim.text == "卖家不得拒绝,买家可以退货。"
    assert claim.denies
    assert claim.denied == {"拒绝": "不得拒絕"}
    assert claim.forbidden == {"拒绝"}
    assert claim.allowed == {"退货"}
    assert not claim.asks
    assert claim.roles == {"actor": {"seller": "賣家", "buyer": "買家"}}


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("哪些商品不能退貨", "哪些商品能退貨", True),
        ("不支持七天無理由退貨的商品", "支持七天無理由退貨的商品", True),
        ("哪些商品不能退貨", "哪些商品可以退货", True),
        ("哪些商品不能退貨", "哪些商品不可以退货", False),
        ("哪些商品不能退貨", "包裹幾天可以到", False),
        ("哪些商品不同", "哪些商品同", False),
        ("What may be returned", "What may not be returned", True),
        ("What may be returned", "Who may not park here", False),
        ("", "", False),
    ],
)
def test_twins(ours, theirs, expected):
    """Twins are about the same matter, and one denies what the other does not."""
    assert twins(claims(ours), claims(theirs)) is expected
    assert twins(claims(theirs), claims(ours)) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("商家可以拒絕退款", "商家不得拒絕退款", True),
        ("商家可以拒绝退款", "商家不能拒絕退款", True),
        ("员工必须加班", "员工不必加班", True),
        ("商家應當退款", "商家無需退款", True),
        ("You must wear a mask", "You do not have to wear a mask", True),
        ("You may park here", "You must not park here", True),
        ("You can park here", "You can't park here", True),
        ("可以退货", "不得换货", False),
        ("不得退货", "不得退货", False),
        ("可以退货", "可以退货", False),
        ("可以退货,不得换货", "不得换货,可以退货", False),
        ("商家退款", "商家不退款", False),
        ("You may park here", "You must not smoke", False),
        ("", "", False),
    ],
)
def test_permissions(ours, theirs, expected):
    """One text allows or demands in so many words what the other forbids or spares."""
    assert permissions_clash(claims(ours), claims(theirs)) is expected
    assert permissions_clash(claims(theirs), claims(ours)) is expected


@pytest.mark.parametrize(
    "text",
    ["退款對店鋪沒有影響", "賣家不得拒絕", "Does it affect the shop?", "不不不", "not not", ""],
)
def test_a_text_and_itself(text):
    """No text clashes with itself."""
    assert found(text, text) == []
    assert not twins(claims(text), claims(text))
    assert not permissions_clash(claims(text), claims(text))


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_any_texts(ours, theirs):
    """Any two texts can be compared, with the same outcome whichever comes first."""
    mine, yours = claims(ours), claims(theirs)
    there, back = list(clashes(mine, yours)), list(clashes(yours, mine))

    assert {(clash.kind, clash.ours, clash.theirs) for clash in there} == {
        (clash.kind, clash.theirs, clash.ours) for clash in back
    }
    for clash in there:
        assert clash.ours in ours
        assert clash.theirs in theirs
        assert clash.ours or clash.theirs
    assert agreement(mine, yours) == agreement(yours, mine)
    assert (agreement(mine, yours) == -1) == bool(there)
    assert twins(mine, yours) == twins(yours, mine)
    assert permissions_clash(mine, yours) == permissions_clash(yours, mine)
    assert list(clashes(mine, mine)) == []
