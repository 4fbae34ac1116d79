"""What numerals come to, and the durations and amounts of a text."""

import math
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_qa.folding import fold
from policy_qa.patterns import patterns
from policy_qa.quantities import Found, number, quantities
from policy_qa.types import Quantity, Span

TEXTS = st.text(st.characters(exclude_categories=()), max_size=40) | st.lists(
    st.sampled_from(
        [
            *(
                "3",
                "12",
                ",",
                ".",
                "0",
                "1,000",
                "三",
                "十",
                "百",
                "万",
                "亿",
                "两",
                "半",
                "零",
                "点",
            ),
            *(
                "天",
                "日",
                "个月",
                "个",
                "元",
                "块",
                "%",
                "百分之",
                "分之",
                "成",
                "倍",
                "年",
                "月",
                "小时",
            ),
            *(
                "超过",
                "不",
                "以内",
                "以上",
                "以下",
                "前",
                "后",
                "至",
                "-",
                "or",
                "and",
                "to",
                " ",
                "$",
            ),
            *(
                "day",
                "days",
                "within",
                "half",
                "a",
                "an",
                "hundred",
                "twenty",
                "one",
                "not",
                "人民币",
            ),
        ]
    ),
    max_size=14,
).map("".join)


def written(text: str) -> list[tuple[str, float | None, float | None, str]]:
    """Return the quantities of a text, each with the folded words that say it."""
    folded = fold(text)
    return [
        (
            folded[found.span.start : found.span.end],
            found.value.low,
            found.value.high,
            found.value.unit,
        )
        for found in quantities(folded)
    ]


def chinese(n: int) -> str:
    """Return the Chinese numeral of 1 to 99 999 999."""
    myriads, rest = divmod(n, 10_000)
    if not myriads:
        return below_myriad(rest)
    zero = "零" if 0 < rest < 1_000 else ""
    return below_myriad(myriads) + "万" + zero + (below_myriad(rest) if rest else "")


def below_myriad(n: int) -> str:
    """Return the Chinese numeral of 1 to 9 999."""
    numeral, pending = "", False
    for power, name in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, n = divmod(n, power)
        if digit:
            numeral += ("零" if pending else "") + "零一二三四五六七八九"[digit] + name
            pending = False
        else:
            pending = bool(numeral)
    return numeral


@pytest.mark.parametrize(
    ("numeral", "expected"),
    [
        *(("7", 7), ("007", 7), ("0", 0), ("1,000", 1_000), ("1,234,567", 1_234_567)),
        *(("3.5", 3.5), ("1,000.50", 1_000.5), ("3百", 300), ("4.8万", 48_000), ("6000万", 6e7)),
        *(("43.8亿", 4.38e9), ("3万5千", 35_000), ("1亿2千万", 1.2e8), ("1万2000", 12_000)),
        *(("1.5k", 1_500), ("20 thousand", 20_000), ("2.5 million", 2_500_000)),
        *(("一", 1), ("两", 2), ("十", 10), ("十五", 15), ("二十", 20), ("九十九", 99)),
        *(
            ("一百", 100),
            ("廿五", 25),
            ("卅", 30),
            ("1/2", 0.5),
            ("2 3/4", 2.75),
            ("一百零五", 105),
            ("一百五十", 150),
            ("一百五", 150),
            ("两百五", 250),
        ),
        *(("一千零一", 1_001), ("一千零一十", 1_010), ("三千五", 3_500), ("两千", 2_000)),
        *(("一万", 10_000), ("一万五", 15_000), ("一万五千", 15_000), ("一万零五", 10_005)),
        *(("十万", 100_000), ("十万零五百", 100_500), ("一百二十万", 1_200_000)),
        *(("一亿", 1e8), ("一亿二千万", 1.2e8), ("一亿零五", 100_000_005), ("两万亿", 2e12)),
        *(("百", 100), ("千", 1_000), ("万", 10_000), ("千万", 1e7), ("百万", 1e6)),
        *(("壹仟贰佰叁拾肆", 1_234), ("伍佰", 500), ("玖拾", 90)),
        *(("零", 0), ("〇", 0), ("零五", 5), ("二〇", 20), ("二〇二五", 2025), ("一九四九", 1949)),
        *(("半", 0.5), ("两半", 2.5), ("一个半", 1.5), ("2个半", 2.5)),
        *(("零点五", 0.5), ("一点二五", 1.25), ("三点五万", 35_000)),
        *(("a", 1), ("an", 1), ("one", 1), ("twelve", 12), ("thirteen", 13), ("fifteen", 15)),
        *(("seventeen", 17), ("nineteen", 19), ("twenty", 20), ("twenty-one", 21)),
        *(("ninety nine", 99), ("a hundred", 100), ("two hundred", 200)),
        *(("one hundred and twenty", 120), ("two hundred fifty-five", 255)),
        *(("three thousand five hundred", 3_500), ("two million", 2_000_000)),
        *(("half a million", 500_000), ("half million", 500_000)),
        *(("half", 0.5), ("half an", 0.5), ("one and a half", 1.5), ("2 and a half", 2.5)),
    ],
)
def test_numerals(numeral, expected):
    """A numeral of any kind comes to its number."""
    assert number(numeral) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", ".", "-5", "1.2.3", "5 apples", "5x", "x5", "few", "hundred", "and", "-"),
        *(
            "twenty-",
            "one one",
            "Five",
            "几",
            "几十",
            "三天",
            "点五",
            "三五十",
            "十二五",
            "半天",
            "半三",
        ),
        *("退款", "٣天", "½", "9" * 400, "九" * 400, "\ud800", "one\ud800"),
    ],
)
def test_no_numerals(text):
    """What is no numeral, or one too great for a number, comes to none."""
    assert number(text) is None


@given(st.integers(1, 99_999_999))
def test_any_number(n):
    """Every number reads back from its Chinese numeral and with commas between its thousands."""
    assert number(chinese(n)) == n
    assert number(f"{n:,}") == n
    assert number(str(n)) == n


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        # One number, in both scripts and every width.
        *(("72小時", 72, 72, "hour"), ("72小时", 72, 72, "hour"), ("７２　小时", 72, 72, "hour")),
        *(("30秒", 30, 30, "second"), ("15分鐘", 15, 15, "minute"), ("24h", 24, 24, "hour")),
        *(("三個工作日", 3, 3, "workday"), ("5個工作天", 5, 5, "workday"), ("七天", 7, 7, "day")),
        *(("兩個星期", 2, 2, "week"), ("一週", 1, 1, "week"), ("3周", 3, 3, "week")),
        *(("三个月", 3, 3, "month"), ("6個月", 6, 6, "month"), ("两年", 2, 2, "year")),
        *(("三周年", 3, 3, "year"), ("15-day", 15, 15, "day"), ("two weeks", 2, 2, "week")),
        *(("3 business days", 3, 3, "workday"), ("30 days", 30, 30, "day")),
        *(("twenty-one days", 21, 21, "day"), ("seventeen years", 17, 17, "year")),
        *(("one hundred and twenty days", 120, 120, "day"), ("a hundred days", 100, 100, "day")),
        # Halves.
        *(("半年", 0.5, 0.5, "year"), ("半個月", 0.5, 0.5, "month"), ("半小時", 0.5, 0.5, "hour")),
        *(("兩年半", 2.5, 2.5, "year"), ("一個半小時", 1.5, 1.5, "hour")),
        *(("一个半月", 1.5, 1.5, "month"), ("2个半小时", 2.5, 2.5, "hour")),
        *(("half an hour", 0.5, 0.5, "hour"), ("two and a half years", 2.5, 2.5, "year")),
        *(("within a week and a half", None, 1.5, "week"), ("1 1/2 hours", 1.5, 1.5, "hour")),
        *(("½ day", 0.5, 0.5, "day"), ("1½ hours", 1.5, 1.5, "hour")),
        # In two units.
        *(("2年零6个月", 30, 30, "month"), ("1小時30分鐘", 90, 90, "minute")),
        *(("1小時30分鐘內", None, 90, "minute"), ("超过1小时30分钟", 90, None, "minute")),
        *(("2 years and 6 months", 30, 30, "month"), ("1小时1分钟1秒", 3_661, 3_661, "second")),
        # Limits.
        *(("超過72小時", 72, None, "hour"), ("逾三日", 3, None, "day")),
        ("至少7天", 7, None, "day"),
        *(("不超過三十日", None, 30, "day"), ("不得超过30天", None, 30, "day")),
        *(("不滿三天", None, 3, "day"), ("未滿1年", None, 1, "year"), ("少于3天", None, 3, "day")),
        *(("不得少於五年", 5, None, "year"), ("不少于30天", 30, None, "day")),
        *(("不得低于100元", 100, None, "CNY"), ("不低於30%", 30, None, "percent")),
        *(("不高于5元", None, 5, "CNY"), ("不得高於5%", None, 5, "percent")),
        *(("不大于3天", None, 3, "day"), ("不多于3天", None, 3, "day")),
        *(("七日內", None, 7, "day"), ("30日之内", None, 30, "day")),
        ("6个月以内", None, 6, "month"),
        *(("三年以下", None, 3, "year"), ("三年以上", 3, None, "year")),
        ("3月內", None, 3, "month"),
        *(("within 14 days", None, 14, "day"), ("up to 2 weeks", None, 2, "week")),
        *(("less than 3 days", None, 3, "day"), ("no more than 3 days", None, 3, "day")),
        *(("no longer than 3 days", None, 3, "day"), ("not exceeding 5 days", None, 5, "day")),
        *(("more than 3 days", 3, None, "day"), ("not less than 5 days", 5, None, "day")),
        *(("no less than 5 days", 5, None, "day"), ("at least 20 seconds", 20, None, "second")),
        *(("3 days or more", 3, None, "day"), ("3 days or less", None, 3, "day")),
        *(("within a day", None, 1, "day"), ("within half an hour", None, 0.5, "hour")),
        *(("exceeds 30 days", 30, None, "day"), ("not exceed 30 days", None, 30, "day")),
        *(("no later than 30 days", None, 30, "day"), ("greater than 5%", 5, None, "percent")),
        *(("minimum 3 days", 3, None, "day"), ("maximum of $50", None, 50, "USD")),
        *(("3 days maximum", None, 3, "day"), ("上限为100元", None, 100, "CNY")),
        *(("最低消费50元", 50, None, "CNY"), ("1000元起", 1_000, None, "CNY")),
        *(("starting at $5", 5, None, "USD"), ("no sooner than 3 days", 3, None, "day")),
        *(("不早于3天", 3, None, "day"), ("not before 24 hours", 24, None, "hour")),
        *(("不到3天", None, 3, "day"), ("no fewer than three days", 3, None, "day")),
        ("not less than 5 and not more than 10 days", 5, 10, "day"),
        ("at least 5 but no more than 10 days", 5, 10, "day"),
        *(("二十多天", 20, None, "day"), ("3个多月", 3, None, "month")),
        # Limits that are denied.
        *(("不要超過24小時", None, 24, "hour"), ("最长不会超过3天", None, 3, "day")),
        *(("不能超过24小时", None, 24, "hour"), ("不应超过三天", None, 3, "day")),
        *(("不可超过5%", None, 5, "percent"), ("不會超過100元", None, 100, "CNY")),
        *(("无需超过3天", None, 3, "day"), ("不能少于3天", 3, None, "day")),
        *(("cannot exceed $20", None, 20, "USD"), ("never exceeds 5%", None, 5, "percent")),
        *(("not take more than 3 days", None, 3, "day"), ("not be over 3 days", None, 3, "day")),
        ("shouldn't take any longer than 3 days", None, 3, "day"),
        ("cannot be less than $20", 20, None, "USD"),
        # Limits with what is limited between.
        ("不得超过成交额20%", None, 20, "percent"),
        ("不得超過成交額的20%", None, 20, "percent"),
        ("不低於成本百分之五", 5, None, "percent"),
        *(("至少需要3天", 3, None, "day"), ("最多可延长3天", None, 3, "day")),
        # Ahead of time.
        *(("提前7天", 7, 7, "day"), ("提前至少3天", 3, None, "day")),
        *(("至少提前3天", 3, None, "day"), ("提前不超過3天", None, 3, "day")),
        # Said twice.
        ("within thirty (30) days", None, 30, "day"),
        ("within 30 (thirty) days", None, 30, "day"),
        ("三十(30)日內", None, 30, "day"),
        ("thirty (30) to sixty (60) days", 30, 60, "day"),
        # About so much: the words around are quoted, the number is as it is.
        *(("近30天", 30, 30, "day"), ("约3天", 3, 3, "day"), ("三天左右", 3, 3, "day")),
        *(("五日後", 5, 5, "day"), ("for a period of 3 months", 3, 3, "month")),
        *(("for a day", 1, 1, "day"), ("about 3 days", 3, 3, "day")),
        # Ranges.
        *(("1-2個工作天", 1, 2, "workday"), ("3至5天", 3, 5, "day"), ("3天到5天", 3, 5, "day")),
        *(("72小时~96小时", 72, 96, "hour"), ("5–7 days", 5, 7, "day"), ("2-3倍", 2, 3, "times")),
        *(("3 to 5 business days", 3, 5, "workday"), ("3 or 4 days", 3, 4, "day")),
        *(("一兩天", 1, 2, "day"), ("两三天", 2, 3, "day"), ("三五天", 3, 5, "day")),
        *(("1、2天", 1, 2, "day"), ("一、二天", 1, 2, "day"), ("$5 to $10", 5, 10, "USD")),
        *(("$5-10", 5, 10, "USD"), ("10塊到20塊", 10, 20, "CNY"), ("¥5至10元", 5, 10, "CNY")),
        *(("5至10万元", 5e4, 1e5, "CNY"), ("五至十万元", 5e4, 1e5, "CNY")),
        *(("500至1万元", 500, 1e4, "CNY"), ("5元至10万元", 5, 1e5, "CNY")),
        *(("$1-2 million", 1e6, 2e6, "USD"), ("三至五百元", 300, 500, "CNY")),
        *(("十七八天", 17, 18, "day"), ("三四十天", 30, 40, "day"), ("兩三百元", 200, 300, "CNY")),
        *(("10-15元", 10, 15, "CNY"), ("10%-15%", 10, 15, "percent")),
        *(("人民幣5萬元至10萬元", 5e4, 1e5, "CNY"), ("US$5 to US$10", 5, 10, "USD")),
        *(("五百元以上五千元以下", 500, 5_000, "CNY"), ("3個月以上6個月以下", 3, 6, "month")),
        *(("新臺幣五萬元以上二十萬元以下", 5e4, 2e5, "TWD"), ("3%以上5%以下", 3, 5, "percent")),
        # Amounts.
        *(("50元", 50, 50, "CNY"), ("10塊錢", 10, 10, "CNY"), ("¥99", 99, 99, "CNY")),
        *(("1,000.50元", 1_000.5, 1_000.5, "CNY"), ("43.8億元", 4.38e9, 4.38e9, "CNY")),
        *(("3万5千元", 35_000, 35_000, "CNY"), ("贰佰元", 200, 200, "CNY")),
        *(("NT$1,000", 1_000, 1_000, "TWD"), ("HK$100", 100, 100, "HKD"), ("$5", 5, 5, "USD")),
        *(("A$50", 50, 50, "AUD"), ("C$20", 20, 20, "CAD"), ("S$5", 5, 5, "SGD")),
        *(("100美元", 100, 100, "USD"), ("100日元", 100, 100, "JPY"), ("100日圓", 100, 100, "JPY")),
        *(("100欧元", 100, 100, "EUR"), ("€20", 20, 20, "EUR"), ("£20", 20, 20, "GBP")),
        *(("fifty dollars", 50, 50, "USD"), ("$1.5 million", 1.5e6, 1.5e6, "USD")),
        *(("10塊", 10, 10, "CNY"), ("50块左右", 50, 50, "CNY"), ("三块五", 3.5, 3.5, "CNY")),
        *(("3块5毛", 3.5, 3.5, "CNY"), ("half a million dollars", 5e5, 5e5, "USD")),
        # Shares.
        *(("5‰", 0.5, 0.5, "percent"), ("不超過5‰", None, 0.5, "percent")),
        *(("30%", 30, 30, "percent"), ("３０％", 30, 30, "percent"), ("0.5%", 0.5, 0.5, "percent")),
        *(("50 per cent", 50, 50, "percent"), ("one hundred percent", 100, 100, "percent")),
        *(("百分之三十", 30, 30, "percent"), ("百分之百", 100, 100, "percent")),
        *(("百分之零點五", 0.5, 0.5, "percent"), ("百分之三十至五十", 30, 50, "percent")),
        *(("百分之三十至百分之五十", 30, 50, "percent"), ("不超过百分之三", None, 3, "percent")),
        *(("三分之一", 33.33, 33.33, "percent"), ("三分之二以上", 66.67, None, "percent")),
        *(("千分之三", 0.3, 0.3, "percent"), ("萬分之五", 0.05, 0.05, "percent")),
        *(("三成", 30, 30, "percent"), ("3成", 30, 30, "percent")),
        ("五成以上", 50, None, "percent"),
        *(("二倍", 2, 2, "times"), ("1.5倍", 1.5, 1.5, "times"), ("3 times", 3, 3, "times")),
    ],
)  # fmt: skip
def test_quantities(text, low, high, unit):
    """The whole text is one quantity, its bounding words included."""
    assert written(text) == [(fold(text), low, high, unit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("需在30分钟到1小时内", [("30分钟", 30, 30, "minute"), ("1小时内", None, 1, "hour")]),
        ("3天到5个工作日", [("3天", 3, 3, "day"), ("5个工作日", 5, 5, "workday")]),
        ("付了10元30天内可退", [("10元", 10, 10, "CNY"), ("30天内", None, 30, "day")]),
        ("$5 and 10 days", [("$5", 5, 5, "USD"), ("10 days", 10, 10, "day")]),
        ("100元前5天", [("100元前", 100, 100, "CNY"), ("5天", 5, 5, "day")]),
        ("滿100元減20元", [("满100元", 100, None, "CNY"), ("20元", 20, 20, "CNY")]),
        ("7天以上3天以下", [("7天以上", 7, None, "day"), ("3天以下", None, 3, "day")]),
        ("3天以上5元以下", [("3天以上", 3, None, "day"), ("5元以下", None, 5, "CNY")]),
        ("3天半價", [("3天", 3, 3, "day")]),
        ("萬一三天沒到", [("三天", 3, 3, "day")]),
        ("万一30天没到", [("30天", 30, 30, "day")]),
        ("每日3元", [("3元", 3, 3, "CNY")]),
        ("between 3 and 5 days", [("3 and 5 days", 3, 5, "day")]),
        ("up to $50 or 10%", [("up to $50", None, 50, "USD"), ("10%", 10, 10, "percent")]),
        ("RMB 50 or 10%", [("rmb 50", 50, 50, "CNY"), ("10%", 10, 10, "percent")]),
        ("pay $5 and 3 stamps", [("$5", 5, 5, "USD")]),
        ("$5 to 10 customers", [("$5", 5, 5, "USD")]),
        ("$5 to 10% of it", [("$5", 5, 5, "USD"), ("10%", 10, 10, "percent")]),
        ("$5 to 10 for each", [("$5 to 10", 5, 10, "USD")]),
        ("¥5至10个人", [("¥5", 5, 5, "CNY")]),
        ("2 for $5", [("$5", 5, 5, "USD")]),
        ("1、30天內退款", [("30天内", None, 30, "day")]),
        ("之前3天", [("3天", 3, 3, "day")]),
        ("目前3天", [("3天", 3, 3, "day")]),
        ("到貨前3天", [("前3天", 3, 3, "day")]),
        ("超過部分按10%", [("10%", 10, 10, "percent")]),
        ("不滿意3天內退", [("3天内", None, 3, "day")]),
        ("a fine of 10 pounds", [("10 pounds", 10, 10, "GBP")]),
        ("a 30-second limit", [("30-second", 30, 30, "second")]),
        ("10年6月以上", [("10年6月以上", 126, None, "month")]),
        ("7天24小时", [("7天", 7, 7, "day"), ("24小时", 24, 24, "hour")]),
        ("最少1天2小时内", [("最少1天", 1, None, "day"), ("2小时内", None, 2, "hour")]),
        ("not pay within 14 days", [("within 14 days", None, 14, "day")]),
        ("100元/3天", [("100元", 100, 100, "CNY"), ("3天", 3, 3, "day")]),
        ("最多3天和至少5元", [("最多3天", None, 3, "day"), ("至少5元", 5, None, "CNY")]),
        ("most of 5 and at most 10 days", [("at most 10 days", None, 10, "day")]),
        ("在７日内、超過十五天", [("7日内", None, 7, "day"), ("超过十五天", 15, None, "day")]),
    ],
)
def test_among_other_words(text, expected):
    """Each quantity is found once, with the words around it that are its own."""
    assert written(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        # Dates.
        *("2025年", "1999年内", "二〇二四年", "9月30日"),
        *("九月三十日", "12月31日前", "每月5日", "2025-01-03日"),
        *("5月1、2日", "5月1日、3日", "5月1日至3日"),
        # Of the Republic.
        *("自112年1月1日起施行", "112年度預算", "112至114年度", "112年1月起", "99年5月5日"),
        *("民國三十六年", "自一百零八年六月一日施行", "in 2025 years"),
        # Which one, not how many.
        *("第 15 天", "第 十五 天", "ISO 9001 second", "article 5 second sentence"),
        *("第3天", "第三天", "第十五日", "第30天", "第三年"),
        # Of no particular length or number.
        *("a day", "an hour", "half day", "几天", "數十天", "几百元", "数万元", "十几天"),
        # Words that only look like one.
        *("成立", "一成员", "統一天貓", "三年级", "九十年代", "十八周岁", "兩周末", "18 years old"),
        *("5 years of age", "3 times a day", "千万不要", "元旦"),
        *("一塊退貨", "一块儿去", "放在一块。", "三块电池", "两块肥皂", "一成不变"),
        *("weighs 10 pounds", "10 pounds of rice", "3 (5) days", "8折", "打八折"),
        *("minimum", "5 mine", "10 k", "3 downloads", "20余万元", "7/24小时"),
        # Numbers alone.
        *("", "3", "三", "3个证明", "12,345", "电话010-1234", "三千"),
    ],
)  # fmt: skip
def test_no_quantities(text):
    """Dates, ages, ordinals and numbers without a unit are no quantities."""
    assert written(text) == []


def test_found():
    """A quantity has its field, its place and its value."""
    assert quantities("超过72小时,赔偿30%") == [
        Found("deadlines", Span(0, 6), Quantity(72, None, "hour")),
        Found("amounts", Span(9, 12), Quantity(30, 30, "percent")),
    ]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text(text):
    """Quantities of any text lie inside it in order, none overlapping, with limits in order."""
    folded = fold(text)
    end = 0
    for found in quantities(folded):
        assert end <= found.span.start < found.span.end <= len(folded)
        end = found.span.end
        low, high = found.value.low, found.value.high
        assert low is not None or high is not None
        assert low is None or high is None or low <= high
        assert all(
            math.isfinite(limit) and limit >= 0 for limit in (low, high) if limit is not None
        )


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("0/0")
@example("9" * 5_000 + " 1/2")
def test_any_numeral(text):
    """Any text is a numeral of a finite number that is not negative, or none."""
    value = number(text)

    assert value is None or (math.isfinite(value) and value >= 0)


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        *(("一", 0), ("1,", 0), ("1万", 0), ("一二", 0), ("不", 0), ("超过", 0)),
        *(("twenty one ", 0), ("3天", 2_000), ("3天以内,", 2_000), ("30%-", 1_000)),
    ],
)
def test_long_text(piece, count):
    """A text that only repeats a quantity, or a part of one, is read like any other."""
    assert len(quantities(fold(piece * 2_000))) == count


def test_repeated_pieces():
    """Whatever is repeated, between whatever, is read in time that grows with its length."""
    known = patterns()
    tables = (known.durations, known.currencies, known.bounds)
    words = [word for table in tables for listed in table.values() for word in listed]
    words += ["亿", "万", "十", "半", "1", "1,", "1.", "1万", "1,000", "twenty one", "hundred"]
    words += ["half a", "and a half", "million", "(1)", "1 (1)", "百分之", "1分之", "$1 to", "¥1-"]
    words += [
        "1、",
        "1-",
        "5月1日、",
        "不",
        "not to",
        "不得超过成交额",
        "至少有",
        "第",
        "年",
        "112年",
    ]

    start = time.perf_counter()
    for word in words:
        for text in (word * 300, f"9{word * 300}x", f"{word} " * 300):
            quantities(text)
            number(text)

    assert time.perf_counter() - start < 10
