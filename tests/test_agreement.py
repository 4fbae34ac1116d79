"""Whether two texts speak of the same party, and say yes or no to the same thing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.agreement import (
    Clash,
    agreement,
    asks_what_not,
    claims,
    clashes,
    contradicts,
    denied_before,
    permissions_clash,
    spares_another,
    stored_claims,
    twins,
)

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
        ("Does it affect the shop?", "Does it affect the Buyer?", ("shop", "Buyer")),
        ("an effect on the shop", "退款對買家有影響嗎", ("shop", "買家")),
    ],
)
def test_affected_parties(ours, theirs, words):
    """Texts on what affects different parties clash and disagree, whichever comes first."""
    clash = Clash("affected", *words)

    assert found(ours, theirs) == [clash]
    assert found(theirs, ours) == [swapped(clash)]
    assert agreement(claims(ours), claims(theirs)) == agreement(claims(theirs), claims(ours)) == -1


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("運費由賣家承擔", "運費由買家承擔", ("賣家", "買家")),
        ("房東負責維修", "房客負責維修", ("房東", "房客")),
        ("the seller must pay", "the buyers must pay", ("seller", "buyers")),
        ("the landlord should cover it", "the tenant should cover it", ("landlord", "tenant")),
        ("運費由賣家承擔", "the buyer pays", ("賣家", "buyer")),
    ],
)
def test_bearers(ours, theirs, words):
    """Other parties that bear something clash, but nothing is ranked by who bears it."""
    clash = Clash("bearer", *words)

    assert found(ours, theirs) == [clash]
    assert found(theirs, ours) == [swapped(clash)]
    assert agreement(claims(ours), claims(theirs)) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("退款對店鋪有影響嗎", "退款对商家有影响吗", 1),
        ("退款對店鋪有影響嗎", "退款對店鋪沒有影響", 1),
        ("退款對店鋪有影響嗎", "退款对买家有影响吗,对商家有影响吗", 1),
        ("does it affect the shop", "Does it harm the seller?", 1),
        ("運費由賣家承擔", "運費由商家負擔", 0),
        ("the seller must pay", "the merchants have to pay", 0),
        ("運費由賣家承擔", "運費由买家和賣家承擔吗", 0),
    ],
)
def test_same_parties(ours, theirs, expected):
    """The same party in the same role does not clash; the same party affected agrees."""
    mine, yours = claims(ours), claims(theirs)

    assert [clash.kind for clash in clashes(mine, yours) if clash.kind != "polarity"] == []
    assert agreement(mine, yours) == agreement(yours, mine) == expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("退款對店鋪有影響嗎", "運費由買家承擔"),
        ("買家申請退款", "賣家申請退款"),
        ("賣家可以拒絕嗎", "買家可以拒絕嗎"),
        ("The seller may refuse", "The buyer may refuse"),
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
    assert agreement(claims(denying), claims(other)) == 0


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
        ("試用期員工不享有年假", "试用期员工没有年假"),
        ("You cannot return opened items", "Opened items are not to be returned"),
        ("運費由買家承擔", "运费并非由卖家承担"),
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
    assert claim.permitted == claim.allowed == {"退货"}
    assert not claim.asks
    assert claim.roles == {}


def test_claims_of_duties_and_roles():
    """What must be done is allowed, not permitted; each party stands in its own role."""
    claim = claims("運費應當由賣家承擔,對買家沒有影響。")

    assert "承担" in claim.allowed
    assert claim.permitted == frozenset()
    assert claim.roles == {"bearer": {"seller": "賣家"}, "affected": {"buyer": "買家"}}


def test_stored_claims_are_remembered():
    """Claims of stored texts are found once, those of queries each time."""
    assert stored_claims("賣家不得拒絕") == claims("賣家不得拒絕")
    assert stored_claims("賣家不得拒絕") is stored_claims("賣家不得拒絕")
    assert claims("賣家不得拒絕") is not claims("賣家不得拒絕")


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
        ("What can be returned?", "What cannot be returned?", True),
        ("", "", False),
        ("", "不", False),
        ("不能", "可以", False),
        ("not", "yes", False),
    ],
)
def test_twins(ours, theirs, expected):
    """Twins share words of the same matter, and one denies what the other does not."""
    assert twins(claims(ours), claims(theirs)) is expected
    assert twins(claims(theirs), claims(ours)) is expected


@pytest.mark.parametrize(
    "query",
    [
        "Which goods can't be sent back?",
        "what may I not return",
        "what isn't allowed",
        "I like it, what can't be returned",
        "哪些不能退",
        "哪些商品不可以退貨",
        "什麼東西不能退",
        "不知道哪些不可以退货",
        "不能退货的商品",
        "不支持七天無理由退貨的商品",
        "不能退貨的商品有哪些",
        "不可以退的是什么",
    ],
)
def test_asks_what_not(query):
    """A query asks for what is denied if it denies something from its question on."""
    assert asks_what_not(claims(query))


@pytest.mark.parametrize(
    "query",
    [
        "What can be returned?",
        "I don't like it, what can be returned?",
        "I don't like it. What can be returned?",
        "I don't know what can be returned",
        "No box any more: what can be returned?",
        "There is no box; which goods can be returned",
        "What can be returned? I have no box",
        "what can be returned if I have no box",
        "哪些可以退",
        "我不喜欢,哪些可以退",
        "不知道哪些可以退货",
        "沒有小票哪些能退",
        "我没有发票,什么能退",
        "哪些能不能退",
        "可以退货的商品",
        "",
    ],
)
def test_asks_what_may_be(query):
    """What is denied before the question, or in another clause, is the asker's own story."""
    assert not asks_what_not(claims(query))


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
        ("商家可以拒絕退款嗎", "商家不得拒絕退款", False),
        ("商家可以拒絕退款", "商家是否不得拒絕退款", False),
        ("Can you park here?", "You can't park here", False),
        ("You may park here", "You must not smoke", False),
        ("", "", False),
    ],
)
def test_permissions(ours, theirs, expected):
    """One text allows or demands in so many words what the other forbids or spares; none asks."""
    assert permissions_clash(claims(ours), claims(theirs)) is expected
    assert permissions_clash(claims(theirs), claims(ours)) is expected


@pytest.mark.parametrize(
    ("query", "source", "words"),
    [
        ("不能退货", "七天内可以退货", ("不能退货", "")),
        ("鞋子不能退貨", "鞋子可以退货", ("不能退貨", "")),
        ("不可以退货", "买家有权退货", ("不可以退货", "")),
        ("不得退貨", "允許退貨", ("不得退貨", "")),
        ("商家不得拒絕", "商家可以拒絕", ("不得拒絕", "")),
        ("You cannot park here", "You can park here", ("cannot park", "")),
        ("可以退货", "不可以退货", ("", "不可以退货")),
        ("鞋子可以退貨", "鞋子不得退货", ("", "不得退货")),
        ("可以七天内退货", "定制商品不能退货", ("", "不能退货")),
        ("商家可以拒絕", "商家不得拒絕", ("", "不得拒絕")),
        ("You may park here", "You must not park here", ("", "not park")),
        ("You cannot return shoes", "You can return shoes", ("cannot return", "")),
    ],
)
def test_contradicts(query, source, words):
    """A rule that the query takes for granted and the source's own permit and forbid the same."""
    assert contradicts(claims(query), claims(source)) == words


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("卖家不发货怎么办", "卖家应当在48小时内发货"),
        ("賣家不發貨怎麼辦", "賣家可以在48小時內發貨"),
        ("卖家不发货", "卖家可以延期发货"),
        ("没发货怎么办", "卖家可以延期发货"),
        ("沒發貨", "商家可以延遲發貨"),
        ("缺货不能发货怎么办", "卖家可以延期发货"),
        ("缺貨不能發貨怎麼辦", "缺貨時可以發貨延遲"),
        ("买家拍错了不发货会怎样", "卖家应当发货"),
        ("买家拍错了不发货会怎样", "买家拍错的,卖家可以不发货"),
        ("买家拍错了,不能发货会怎样", "卖家可以发货"),
        ("没有小票可以退货吗", "没有小票可以退货"),
        ("没有小票可以退货吗", "没有小票不能退货"),
        ("沒有小票可以退貨嗎", "憑小票可以退貨"),
        ("没有小票能退货吗", "凭小票可以退货。没有小票不得退货"),
        ("登录不了怎么办", "可以用手机登录"),
        ("登录不了", "可以登录网页版"),
        ("不能登录怎么办", "可以登录网页版"),
        ("怎样避免被扣分", "违规会被扣分"),
        ("怎樣避免被扣分", "違規的,可以扣分"),
        ("快递运费谁承担", "运费由卖家承担"),
        ("快递运费谁承担", "运费不得由买家承担"),
        ("房东不退押金怎么办", "房东应当退还押金"),
        ("房东不退押金怎么办", "房东可以不退押金"),
        ("房東不退押金怎麼辦", "租客可以要求退還押金"),
        ("能退货吗", "不能退货"),
        ("能退吗", "不能退"),
        ("能不能退貨", "不能退貨"),
        ("可否退货", "不得退货"),
        ("是否可以退貨", "不可以退貨"),
        ("可以退货吗", "不可以退货"),
        ("如何可以退货", "已拆封的不能退货"),
        ("怎樣可以退貨", "已拆封的不得退貨"),
        ("不能退货会有什么后果", "可以退货"),
        ("什么不能退", "可以退货的商品"),
        ("退款退不了", "可以退款"),
        ("快递没到", "可以到店自取"),
        ("押金没退", "押金可以退还"),
        ("landlord didn't return my deposit", "the landlord must return the deposit"),
        ("landlord didn't return my deposit", "The landlord may return the deposit later"),
        ("my landlord won't return my deposit", "The landlord may return it within 14 days"),
        ("should I wear a mask if I'm not sick", "You should wear a mask"),
        ("should I wear a mask if I'm not sick", "You may wear a mask if you are sick"),
        ("should I wear a mask if I'm not sick", "You need not wear a mask"),
        ("my parcel didn't arrive", "Parcels may arrive within 30 days"),
        ("Can I park here", "You cannot park here"),
        ("May I park here?", "You must not park here"),
        ("what if I cannot park here", "You can park here"),
        ("what should I do if I can't log in", "You can log in by phone"),
        ("how can I park here", "You cannot park here"),
        ("哪些商品可以退货", "定制商品不能退货"),
        ("什么时候可以退货", "收货前不能退货"),
        ("账号不能登录了", "可以用手机登录"),
        ("I can't log in", "You can log in by phone"),
        ("员工必须加班", "员工不必加班"),
        ("应当发货", "不得发货"),
        ("不得发货", "应当发货"),
        ("不可以退货,换货可以退货", "换货"),
        ("可以退货", "七天内可以退货"),
        ("不能退货", "不得退货"),
        ("可以换货", "不得退货"),
        ("", "不得退货"),
        ("不能退货", ""),
    ],
)
def test_contradicts_nothing(query, source):
    """A situation, a question, a duty, or the same rule contradicts nothing."""
    assert contradicts(claims(query), claims(source)) is None


@pytest.mark.parametrize(
    "text",
    ["退款對店鋪沒有影響", "賣家不得拒絕", "Does it affect the shop?", "不不不", "not not", ""],
)
def test_a_text_and_itself(text):
    """No text clashes with itself."""
    assert found(text, text) == []
    assert not twins(claims(text), claims(text))
    assert not permissions_clash(claims(text), claims(text))
    assert contradicts(claims(text), claims(text)) is None


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
    assert (agreement(mine, yours) == -1) == any(clash.kind == "affected" for clash in there)
    assert twins(mine, yours) == twins(yours, mine)
    assert permissions_clash(mine, yours) == permissions_clash(yours, mine)
    assert list(clashes(mine, mine)) == []
    asked, told = contradicts(mine, yours) or ("", "")
    assert asked in ours
    assert told in theirs
    assert (contradicts(mine, yours) is None) == (not asked and not told)


@pytest.mark.parametrize(
    ("bearing", "sparing", "expected"),
    [
        ("運費由買家承擔", "卖家不承担运费", True),
        ("運費由買家承擔", "运费并非由卖家承担", True),
        ("運費由買家承擔", "卖家无需承担运费", True),
        ("the buyer must pay", "The seller does not pay", True),
        ("運費由買家承擔", "买家不承担运费", False),
        ("運費由買家承擔", "賣家承擔運費", False),
        ("運費由買家承擔", "賣家不退貨,運費另計", False),
        ("", "卖家不承担运费", False),
    ],
)
def test_spares_another(bearing, sparing, expected):
    """That one party does not bear something agrees with another one's bearing it."""
    ours, theirs = claims(bearing), claims(sparing)

    assert spares_another(ours, theirs) is expected
    if expected:
        assert "bearer" not in theirs.roles
        assert [clash.kind for clash in clashes(ours, theirs) if clash.kind == "bearer"] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("并非", True), ("不应由", True), ("neither the ", True), ("应由", False), ("", False)],
)
def test_denied_before(text, expected):
    """A denial right before a party spares it."""
    assert denied_before(f"{text}卖家", len(text)) is expected
