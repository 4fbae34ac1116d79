"""Calendar dates, the last day that each may mean, and whether it tells of a beginning."""

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.dates import Dated, dates
from policy_qa.folding import fold
from policy_qa.patterns import patterns
from policy_qa.types import Span

TEXTS = st.text(st.characters(exclude_categories=()), max_size=40) | st.lists(
    st.sampled_from(
        [
            *("2025", "1999", "3099", "114", "0", "2", "13", "29", "31", "99", "٣"),
            *("年", "年度", "月", "日", "号", "民国", "民國", "底", "末", "自", "起", "至", "前"),
            *("-", "/", ".", ",", " ", "st", "of"),
            *("in ", "since ", "to", "march ", "Feb. ", "sept "),
        ]
    ),
    max_size=16,
).map("".join)


def found(text: str) -> list[tuple[str, str, bool]]:
    """Return the dates of a text: its folded words, the last day and whether it is history."""
    folded = fold(text)
    return [
        (folded[dated.span.start : dated.span.end], dated.last.isoformat(), dated.history)
        for dated in dates(folded)
    ]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        # Chinese, in both scripts and every width.
        *(("2025年3月5日", "2025-03-05"), ("2025年3月5號", "2025-03-05")),
        *(("２０２５年３月５日", "2025-03-05"), ("2025年12月31号", "2025-12-31")),
        *(("2025年2月", "2025-02-28"), ("2024年2月", "2024-02-29"), ("2025年4月", "2025-04-30")),
        *(("2025年", "2025-12-31"), ("2025年度", "2025-12-31"), ("2025年底", "2025-12-31")),
        *(("2025年年底", "2025-12-31"), ("2025年末", "2025-12-31"), ("2025年3月底", "2025-03-31")),
        # Of the Republic, whose first year was 1912.
        *(("民國114年1月1日", "2025-01-01"), ("民国114年1月1日", "2025-01-01")),
        *(("民國114年", "2025-12-31"), ("民國113年2月", "2024-02-29"), ("民國99年", "2010-12-31")),
        *(("民國1年", "1912-12-31"), ("民國 114 年 ".strip(), "2025-12-31")),
        *(("112年1月1日", "2023-01-01"), ("112年1月", "2023-01-31"), ("99年5月5日", "2010-05-05")),
        ("112年1月1日至12月31日", "2023-12-31"),
        # Numbers alone.
        *(("2025-03-05", "2025-03-05"), ("2025/3/5", "2025-03-05"), ("2025.3.5", "2025-03-05")),
        *(("2025-02", "2025-02-28"), ("2024-02-29", "2024-02-29"), ("2025/12", "2025-12-31")),
        # English.
        *(("March 5, 2025", "2025-03-05"), ("March 5th, 2025", "2025-03-05")),
        *(("Mar. 5,2025", "2025-03-05"), ("sept 1 2025", "2025-09-01"), ("May 2025", "2025-05-31")),
        *(("5 March 2025", "2025-03-05"), ("1st of March 2025", "2025-03-01")),
        *(("22nd Feb, 2024", "2024-02-22"), ("February 2024", "2024-02-29")),
        *(("in 2025", "2025-12-31"), ("by 2025", "2025-12-31"), ("until 2025", "2025-12-31")),
        # From one day to another of the same year: the last counts.
        *(("2025年1月1日至12月31日", "2025-12-31"), ("2025年3月5日至10日", "2025-03-10")),
        *(("2025年3月至5月", "2025-05-31"), ("2025年3月5日-4月6日", "2025-04-06")),
        *(("2025年12月20日至1月5日", "2026-01-05"), ("民國114年1月1日至2月", "2025-02-28")),
    ],
)
def test_forms(text, last):
    """The whole text is one date; what it leaves open may be as late as it can be."""
    assert found(text) == [(fold(text), last, False)]


@pytest.mark.parametrize(
    "text",
    [
        *("2025年2月29日", "2025年13月", "2025年0月", "2025年4月31日", "2025年1月0日"),
        *("民國114年2月29日", "民國114年13月1日", "2025-02-30", "2025/13/01", "2025-00-10"),
        *("February 30, 2025", "30 February 2025", "31st of April 2025", "March 0, 2025"),
        "2025年2月1日至30日",
    ],
)
def test_impossible(text):
    """A day that there is not is left out, and so is every part of it."""
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "2025", "12025年", "1825年", "3025年"),
        *("3月5日", "114年", "第2025條", "2025元", "2025-100"),
        # Numbers of something.
        *("会员年费为2000.10元", "1999.9元", "滿2000.12元", "2000/10元", "1986.1小时"),
        *("open for 2000 people", "of 2000 yuan", "before 2000 yuan", "before 2000 units"),
        *(
            "before 2000 people",
            "from 2000 to 3000 units",
            "in 2000%",
            "by 2000.50",
            "in 2000 shops",
        ),
        *("订单号2019-11", "订单号:2019-11", "model 2020-1", "model 2020-11", "2003-04年赛季"),
        *("112年度預算", "10年6月", "第112年1"),
        *("2025-1-100", "12:30", "march 5", "20250101", "call 2025-12345", "version 1.2.3"),
    ],
)
def test_no_dates(text):
    """Without a year of this time, or with digits that go on, there is no date."""
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025年中國的規則", [("2025年", "2025-12-31", False)]),
        ("2025年初步方案", [("2025年", "2025-12-31", False)]),
        ("請在2025年3月5日前申請", [("2025年3月5日", "2025-03-05", False)]),
        ("2025年3月5日-15天", [("2025年3月5日", "2025-03-05", False)]),
        (
            "2024年和2025年3月",
            [("2024年", "2024-12-31", False), ("2025年3月", "2025-03-31", False)],
        ),
        ("in 2019 we grew", [("in 2019", "2019-12-31", False)]),
        ("in 2019, 300 people", [("in 2019", "2019-12-31", False)]),
        ("the end of 2025.", [("end of 2025", "2025-12-31", False)]),
        ("until 2025 or later", [("until 2025", "2025-12-31", False)]),
        ("from 2019 to 2020", [("from 2019", "2019-12-31", True)]),
        ("截至2025-12", [("2025-12", "2025-12-31", False)]),
        ("by 2025-12", [("2025-12", "2025-12-31", False)]),
        ("ends on 5 March 2025.", [("5 march 2025", "2025-03-05", False)]),
    ],
)
def test_among_other_words(text, expected):
    """A date is found among other words, with none of them."""
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("自2020年1月1日起施行", "從2020年", "自民國100年", "2020年1月1日起", "2003年5月創立"),
        *("2020年10月1日公布", "2020年修正", "本店成立于2010年", "2020年以来"),
        *("since 2020", "since 1 May 2020", "from May 2020", "founded in 1999", "born in 2001"),
        *("自112年1月1日起施行", "2018年获得认证", "令2015年第73號", "2019年版手冊", "2019年上线"),
        *("last updated on March 1, 2022", "Since its launch in 2019", "launched in 2019"),
        *("revised on 1 May 2020", "version of March 2020", "version 2020-03-01"),
        *("published: 2020-03-01", "更新時間:2022-03-01", "2019年修改", "2023年起"),
        *("Established in 1999", "effective 2024-05-01", "starting March 2020"),
    ],
)
def test_history(text):
    """A date from which something holds tells of history."""
    assert [history for _, _, history in found(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        *("截止2011年年底", "2025年12月31日前", "活動到2025年底結束"),
        *("2023年个人所得税起征点", "2023年起徵點", "2023年起诉", "2023年起步價", "2019年版权"),
        *("至2025年3月5日止", "2025年的規則"),
        *("in 1999", "until 2025", "before May 2025", "by 2025-03-05", "ends 5 March 2025"),
    ],
)
def test_no_history(text):
    """A date until which, or at which, something holds does not."""
    assert [history for _, _, history in found(text)] == [False]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2025年3月5日至2025年6月1日", ("2025-03-05", "2025-06-01")),
        ("2025.3.5-2025.6.1", ("2025-03-05", "2025-06-01")),
        ("2025-03-05 to 2025-06-01", ("2025-03-05", "2025-06-01")),
        ("2025/3/5 ~ 2025/6/1", ("2025-03-05", "2025-06-01")),
        ("March 2025 through June 1, 2025", ("2025-03-31", "2025-06-01")),
    ],
)
def test_from_one_date_to_another(text, days):
    """Of two dates that bound a range the first is its beginning: the range has not passed yet."""
    assert [(last, history) for _, last, history in found(text)] == [
        (days[0], True),
        (days[1], False),
    ]


def test_dated():
    """A date has its place, its last day and whether it is history."""
    assert dates("到2025年,since 2020") == [
        Dated(Span(1, 6), date(2025, 12, 31), history=False),
        Dated(Span(7, 17), date(2020, 12, 31), history=True),
    ]


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_any_day(day):
    """Every day of this and the last century reads back, in each form."""
    forms = [
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.isoformat()}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day} {day:%b} {day.year}",
    ]
    if day.year > 1911:
        forms.append(f"民國{day.year - 1911}年{day.month}月{day.day}日")

    assert [found(form) for form in forms] == [
        [(fold(form), day.isoformat(), False)] for form in forms
    ]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text(text):
    """Dates of any text lie inside it in order, none overlapping."""
    folded = fold(text)
    end = 0
    for dated in dates(folded):
        assert end <= dated.span.start < dated.span.end <= len(folded)
        end = dated.span.end


def test_repeated_pieces():
    """Whatever is repeated, between whatever, is read in time that grows with its length."""
    words = [word for listed in patterns().dates.values() for word in listed]
    words += [
        "2020年",
        "2020-",
        "2020-1-",
        "2020.1.1",
        "march 2020",
        "1 march",
        "in 2020",
        "in 2020-",
    ]
    words += [
        "112年1月1日至",
        "民国1年",
        "2020年1月1日至",
        "第1号",
        "第",
        "1",
        "月",
        "日",
        "to",
        "至",
    ]

    start = time.perf_counter()
    for word in words:
        for text in (word * 300, f"2020年{word * 300}x", f"{word} " * 300):
            dates(text)

    assert time.perf_counter() - start < 10
