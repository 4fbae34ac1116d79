"""Durations and amounts in folded text, and what they come to.

A quantity is a number, or two that bound a range, with a unit, and the words around it that make
it a limit: 10-15元, 五百元以上五千元以下, 超过72小时, within 14 days, 百分之三十, 三成.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from policy_qa.patterns import any_of, patterns
from policy_qa.types import Field, Quantity, Span

PERCENT: Final = "percent"
TIMES: Final = "times"

_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2} | {
    c: n for n, c in enumerate("壹贰叁肆伍陆柒捌玖", start=1)
}  # fmt: skip
_TENS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1_000, "仟": 1_000}
_MYRIADS: Final = {"万": 10_000, "亿": 100_000_000}
_SCORES: Final = {"廿": "二十", "卅": "三十"}
_HAN: Final = "".join((*_DIGITS, *_TENS, *_MYRIADS, *_SCORES, "半"))
_POWERS: Final = _TENS | _MYRIADS
_DIGIT: Final = "".join(_DIGITS)
_EITHER: Final = re.compile(
    "(?P<before>.*?)(?P<one>[一二三四五六七八九两])(?P<other>[二三四五六七八九两])(?P<after>.*)"
)
"""三四十天: two numerals next to each other, or 三五, say that it is either."""
_ENGLISH: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_ENGLISH_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_ENGLISH_ONES: Final = {"a": 1, "an": 1} | _ENGLISH | _ENGLISH_TENS
_ENGLISH_POWERS: Final = {"thousand": 1_000, "k": 1_000, "million": 1_000_000}
_HALF: Final = re.compile(r"half(?: an?)?(?: (thousand|million))?")
_SMALL: Final = (
    rf"(?:(?:{'|'.join(_ENGLISH_TENS)})(?:[ -](?:{'|'.join(_ENGLISH)})\b)?"
    rf"|(?:{'|'.join(_ENGLISH)}))\b"
)
_BELOW_THOUSAND: Final = rf"(?:{_SMALL}|an?\b)(?: hundred\b(?: (?:and )?{_SMALL})?)?"
_ENGLISH_NUMERAL: Final = (
    rf"\b(?:half\b(?: an?\b)?(?: (?:thousand|million)\b)?|{_BELOW_THOUSAND}"
    rf"(?: (?:thousand|million)\b(?: (?:and )?{_BELOW_THOUSAND})?)?(?: and a half\b)?)"
)
_FRACTION: Final = r"(?:\d{1,4}⁄[1-9]\d?|(?:\d{1,3} )?(?:1/[2348]|2/3|[35]/[48])(?![\d/]))"
"""1 1/2, and ½ and 1½ as they are folded, with a stroke of their own."""
_ARABIC: Final = r"(?>(?:\d{1,3}(?:,\d{3})++|\d++)(?:\.\d++)?(?:[百千万亿]++\d*+)*+)"
"""Possessive throughout: of many powers in a row there are too many ways to split them."""
_ORDINAL: Final = r"(?<!第\s)"
_NUMBER: Final = (
    rf"(?:(?:(?<![\d第百千万亿])(?<!\d[.,])(?<!(?<!\d)\d/){_ORDINAL}(?:{_FRACTION}|{_ARABIC})"
    rf"|(?:(?<![第几数\d{_HAN}])(?<![\d十百千][多余]){_ORDINAL}|(?<=万一))(?!万一)[{_HAN}]++(?:点[{_DIGIT}]+[百千万亿]*)?)"
    r"(?:个半(?=月|小时|钟头|星期|礼拜)| ?(?:thousand|million|k)\b| and a half\b)?"
    rf"|{_ENGLISH_NUMERAL})"
)
_AGAIN: Final = rf"(?:\s?\((?P<again>{_NUMBER})\))?"
"""Legal English says it twice: thirty (30) days."""
_UP_TO: Final = r"\s?(?:-|~|至|到|to)\s?"
_TO: Final = r"\s?(?:-|~|至|到|to|or|and)\s?"
_NOT: Final = (
    r"(?:(?:不(?:得|要|能|会|可以?|应当?|应该|该|许|准|宜|必|用|需要?|须)?|未能?|没有?|[无毋][需须]|勿|别|禁止)"
    r"(?:再|被)?"
    r"|(?<![a-z])(?:not|never|cannot|[a-z]{2,6}n't) "
    r"(?:(?:(?:to|be|any|ever|have|take|last|cost|run|pay|spend|charge|stay|wait|keep|go|use"
    r"|require)s? ){1,3}(?!within|up to)|(?:to )?))?"
)
"""Turns a limit round: 不高于, 不要超过, not exceeding, cannot take more than."""
_LIMIT_OF: Final = (
    r"(?:(?:不[得能可会应要]?|未)(?:超过|[高低大小多少]于)|[至最][多少]"
    r"|最[高低](?=消费|收费|限额|金额|罚款|充值|赔偿|补偿|可达?))"
    rf"(?![^,;]*部分)(?:(?![{_HAN}第几数每或和与及并且但处罚按])[\u4e00-\u9fff]){{1,4}}\s?"
)
"""What is limited may stand between: 不得超过成交额20%."""
_UPWARDS: Final = r"(?<=[\d元块钱币金])起(?![算诉码草])"
_LONGEST_BOUND: Final = 32
_LONGEST_LOWER: Final = 48
_PARTS: Final = {
    ("year", "month"): 12, ("week", "day"): 7, ("day", "hour"): 24, ("hour", "minute"): 60,
    ("minute", "second"): 60,
}  # fmt: skip
"""How many of one unit make another: 1小时30分钟 is 90 minutes."""
_BETWEEN_PARTS: Final = ("", " ", "零", "又", " and ", ", ")
_SCALED: Final = re.compile(
    r"(?P<mantissa>.*[^百千万亿 ])(?P<power>[百千万亿]+| ?(?:hundred|thousand|million|k))"
)
_SCALES: Final = re.compile("[百千万亿]|hundred|thousand|million|k")
_PLAIN: Final = "CNY"
"""What 元 means where nothing else is said: 新台币五万元以上二十万元以下 says it once."""
_ONLY_BEHIND: Final = ("元", "块", "块钱")
"""Units that never stand before their number: 付了10元30天内."""
_CALENDAR_YEARS: Final = range(1000, 3000)
_ELSE: Final = re.compile(r"周[岁末边]|年[级代]|天猫|\w(?:[\s-]old| of age)\b")
"""What a unit is the end or the beginning of where it is none: 十八周岁, 统一天猫, 18 years old."""
_YUAN: Final = (
    r"块(?=钱|\s?\d|[一二三四五六七八九][毛角]?(?!\w)|[^\w\s]|\s|$|[至到多]|以[上下内]|之?内|左右)"
)
"""Money, not pieces, as 三块电池 are; 三块五 is 3.5."""
_WEIGHED: Final = re.compile(r"\b(?:weigh|heav)\w*\b[^,;.!?]*$")
_WEIGHT: Final = re.compile(r" (?:of|in weight|heavier|lighter|overweight)\b")
_NUMERAL: Final = rf"(?:\d{{1,3}}|[{_HAN}]{{1,5}})"
_MINGUO: Final = re.compile(
    rf"\d{{2,3}}年度|1\d\d年\s?\d{{1,2}}月(?!内)|{_NUMERAL}年\s?{_NUMERAL}月\s?{_NUMERAL}[日号]"
)
"""Years that are counted like years of a duration: of the Republic, 112年1月."""
_IN_A_MONTH: Final = re.compile(rf"(?:月|[/-])\s?(?:{_NUMERAL}[日号]?\s?[-~至到、]\s?)*$")
"""Before a day of the month: 5月1、2日."""
NOTHING_COUNTED: Final = (
    r"(?:and|or|but|if|when|where|while|as|than|because|unless|the|an?|this|that|these|those|it|we"
    r"|you|they|he|she|i|our|your|their|its|is|are|was|were|will|would|shall|should|must|may|might"
    r"|can|could|has|have|had|do|does|did|by|in|on|at|for|with|within|without|under|per|each|after"
    r"|before|since|from|until|till|through|only|not|no|also|all|there|which|who)\b"
)
"""English words that may follow a number that counts nothing: $5 to 10 for shipping, in 2019 we."""


@dataclass(frozen=True, slots=True)
class Found:
    """A quantity and where it stands in the folded text, its bounding words included.

    Attributes:
        field: `deadlines` for a duration, else `amounts`.
        span: In the folded text.
        value: What it comes to.
    """

    field: Field
    span: Span
    value: Quantity


def quantities(folded: str) -> list[Found]:
    """Return the durations and amounts of a folded text, in its order."""
    words = _words()
    found: list[Found] = []
    last: re.Match[str] | None = None
    for core in sorted(_cores(folded, words), key=lambda core: (core.start(), -core.end())):
        free = found[-1].span.end if found else 0
        if core.start() < free:
            continue
        read = _read(folded, core, words, free)
        if not read:
            continue
        joined = _joined(found[-1], read) if found else None
        if found and last and not joined and last.end() == free and read.span.start == core.start():
            joined = _compound(found[-1], read, folded[free : core.start()])
        if joined:
            found[-1] = joined
        else:
            found.append(read)
        last = core
    return found


def _cores(folded: str, words: "_Words") -> Iterator[re.Match[str]]:
    """Yield numbers with their units; of a range in two units, 30分钟到1小时, each by itself.

    After a range its last number with the unit follows, for where the first one is of another
    quantity, rmb 5 or 10%, or is none, 1、30天.
    """
    for form, sign in words.forms:
        for core in form.finditer(folded) if sign in folded else ():
            parts = core.groupdict()
            first = parts.get("first")
            if first and _unit(first, words) != _unit(core["unit"], words):
                yield from words.single.finditer(folded, *core.span())
                continue
            if not (parts.get("to") == "、" and not _is_either(core)):
                yield core
            if parts.get("to"):
                yield from words.single.finditer(folded, core.start("high"), core.end())


def _is_either(core: re.Match[str]) -> bool:
    """Whether two numbers say that it is either of them, 1、2天, and are no list, 1、30天."""
    return number(core["high"]) == (number(core["low"]) or 0) + 1


def number(numeral: str) -> float | None:
    """Return what a folded numeral of any kind comes to; None if it is none."""
    if numeral.isascii() and not numeral[:1].isdigit():
        value = _english(numeral)
    elif match := re.fullmatch(r"([\d,]*\d(?:\.\d+)?) ?(thousand|million|k)", numeral):
        value = float(match[1].replace(",", "")) * _ENGLISH_POWERS[match[2]]
    elif match := re.fullmatch(r"(?:(\d*) |(\d*?))(\d)[/⁄](\d+)", numeral):
        below = float(match[4])
        value = float(match[1] or match[2] or 0) + float(match[3]) / below if below else None
    else:
        whole = re.sub("个?半$| and a half$", "", numeral)
        half = 0.5 if whole != numeral else 0.0
        rest = _chinese(whole) if whole else 0.0
        value = None if rest is None else rest + half
    return value if value is None or math.isfinite(value) else None


def _english(numeral: str) -> float | None:
    if not re.fullmatch(_ENGLISH_NUMERAL, numeral):
        return None
    if half := _HALF.fullmatch(numeral):
        return 0.5 * _ENGLISH_POWERS.get(half[1], 1)
    whole = numeral.removesuffix(" and a half")
    total = section = 0.0
    for word in re.split("[ -]", whole):
        if word in _ENGLISH_POWERS:
            total += section * _ENGLISH_POWERS[word]
            section = 0.0
        elif word == "hundred":
            section *= 100
        else:
            section += _ENGLISH_ONES.get(word, 0)
    return total + section + (0.5 if whole != numeral else 0.0)


def _chinese(numeral: str) -> float | None:
    """Return what a numeral of Chinese characters, Arabic digits or both comes to."""
    if numeral and all(letter in _DIGITS for letter in numeral):
        return float("".join(str(_DIGITS[letter]) for letter in numeral))
    if match := re.fullmatch(rf"([{_HAN}]+)点([{_DIGIT}]+)([百千万亿]*)", numeral):
        digits = "".join(str(_DIGITS[letter]) for letter in match[2])
        value = _chinese(match[1])
        powers = math.prod(_POWERS[letter] for letter in match[3])
        return None if value is None else (value + float(f"0.{digits}")) * powers
    if not re.fullmatch(rf"(?:[\d,]*\d(?:\.\d+)?)?[{_HAN}\d]*", numeral) or "半" in numeral:
        return None
    for score, tens in _SCORES.items():
        numeral = numeral.replace(score, tens)
    return _sum(re.findall(r"\d+(?:\.\d+)?|\D", numeral.replace(",", "")))


def _sum(parts: list[str]) -> float | None:
    """Return the sum of digits and powers: 3 万 5 千; None if two digits have none between them.

    A last digit right behind a power counts the next lower one: 一万五 is 15000.
    """
    total = myriads = section = 0.0
    digit: float | None = None
    power = 1.0
    for part in parts:
        if part in ("零", "〇"):
            power = 1.0
        elif part in _TENS:
            section += (1 if digit is None else digit) * _TENS[part]
            digit, power = None, _TENS[part]
        elif part in _MYRIADS:
            section += digit or 0.0
            if part == "万":
                myriads += (section or 1) * _MYRIADS[part]
            else:
                total += (myriads + section or 1) * _MYRIADS[part]
                myriads = 0.0
            section, digit, power = 0.0, None, _MYRIADS[part]
        elif digit is not None:
            return None
        else:
            digit = float(_DIGITS.get(part, part))
            if len(part) > 1:
                power = 1.0
    return total + myriads + section + (digit or 0.0) * max(1.0, power / 10)


def _either(numeral: str) -> tuple[float | None, float | None]:
    """Return the least and the most that a numeral says: 三四十 is 30 or 40."""
    match = _EITHER.fullmatch(numeral)
    is_positional = len(numeral) > 2 and all(letter in _DIGITS for letter in numeral)
    if match and not is_positional:
        one, other = number(match["one"]) or 0, number(match["other"]) or 0
        if other == one + 1 or (one, other) == (3, 5):
            low, high = (match["before"] + match[of] + match["after"] for of in ("one", "other"))
            return number(low), number(high)
    return number(numeral), number(numeral)


@dataclass(frozen=True, slots=True)
class _Words:
    forms: tuple[tuple[re.Pattern[str], str], ...]
    unit_of: Mapping[str, str]
    single: re.Pattern[str]
    before: Mapping[Field, re.Pattern[str]]
    after: re.Pattern[str]
    limit: re.Pattern[str]
    lower: re.Pattern[str]


@cache
def _words() -> _Words:
    known = patterns()
    durations, currencies = _unit_of(known.durations), _unit_of(known.currencies)
    currency = f"{any_of(currencies.keys() - {'块'})}|{_YUAN}"
    ahead = any_of(currencies.keys() - set(_ONLY_BEHIND))
    low, high = f"(?P<low>{_NUMBER})", f"(?P<high>{_NUMBER})"
    units = (
        rf"{any_of((durations | currencies).keys() - {'块'})}|{_YUAN}"
        r"|月(?=以[上下内]|之?内)|(?<=半)月(?![初底末])"
        r"|[%‰倍]|percent|per cent"
        r"|times(?! (?:a|per)\b)|成(?!不变|[为立功年交员本品长分就果效绩])"
    )
    bounds = known.bounds
    at_most = (*bounds["at_most_before"], *bounds["at_most_after"])
    at_least = (*bounds["at_least_before"], *bounds["at_least_after"])
    limits = (*bounds["at_most_before"], *bounds["at_least_before"])
    around = bounds["around_before"]
    for_how_much = tuple(word for word in around if word.split()[0] != "for")  # 2 for $5
    after = (*bounds["at_most_after"], *bounds["at_least_after"], *bounds["around_after"])
    alone = rf"\s?(?:{currency}|{any_of(after)}|不等|之间|的|[^\w\s%‰-]|$|{NOTHING_COUNTED})"
    behind = rf"(?P<more>(?:个?[多余])?)(?P<unit>{units}|(?<=多)月)"
    behind += r"(?P<half>(?:半(?![价数路途夜])| and a half\b)?)"
    behind += r"(?:(?<=块)(?P<tenths>[1-9一二三四五六七八九])[毛角]?(?!\w))?"
    return _Words(
        forms=(
            (re.compile(rf"(?P<percent>百分之){low}(?:{_TO}(?:百分之)?{high})?"), "分之"),
            (re.compile(rf"(?P<parts>{_NUMBER})分之(?P<share>{_NUMBER})"), "分之"),
            (
                re.compile(
                    rf"(?P<unit>{ahead})\s?{low}(?:(?:\s?(?:{currency}))?{_UP_TO}(?P<same>{ahead})?"
                    rf"\s?{high}(?(same)|(?={alone})))?(?:\s?(?:{currency}))?"
                ),
                "",
            ),
            (
                re.compile(
                    rf"(?<![$€£¥]){low}{_AGAIN}[\s-]?"
                    rf"(?:(?P<first>{units})?(?P<to>{_TO}|、){high}(?:\s?\({_NUMBER}\))?[\s-]?)?{behind}"
                ),
                "",
            ),
        ),
        single=re.compile(rf"{low}(?P<high>){_AGAIN}[\s-]?{behind}"),
        unit_of=durations | currencies,
        before={
            "deadlines": _before((*limits, *around)),
            "amounts": _before((*limits, *for_how_much)),
        },
        after=re.compile(rf"\s?(?:{any_of(after)}|{_UPWARDS})"),
        limit=re.compile(
            rf"(?P<not>{_NOT})(?:(?P<most>{any_of(at_most)})|(?P<least>{any_of(at_least)}|起$))"
        ),
        lower=re.compile(
            rf"{_NOT}(?:{any_of(limits)})的?\s?"
            rf"(?P<number>{_NUMBER})(?: (?:and|but|or)|[,且而并但]+) ?$"
        ),
    )


def _before(bounds: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for bounding words at the end; the 前 of 之前 and the like is none."""
    word = rf"{_NOT}(?!(?<=[提之以目当此])前)(?:{any_of(bounds)})的?[为是:]?\s?"
    return re.compile(rf"(?:{_LIMIT_OF}|{word})(?:{word})*$")


def _unit_of(units: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: unit for unit, words in units.items() for word in words}


def _read(folded: str, core: re.Match[str], words: _Words, free: int) -> Found | None:
    """Return the quantity of a match with the bounding words around it; None if it is none.

    What stands before `free` belongs to the quantity before.
    """
    low, high, unit = _value(core, words)
    field: Field = "deadlines" if unit in patterns().durations else "amounts"
    begin = max(free, core.start() - _LONGEST_BOUND)
    before = words.before[field].search(folded, begin, core.start())
    after = words.after.match(folded, core.end())
    bound = (before[0] if before else "") + "|" + (after[0] if after else "")
    if low is None or high is None or _is_no_quantity(folded, core, bounded=len(bound) > 1):
        return None
    start = before.start() if before else core.start()
    value = _bounded(min(low, high), max(low, high), unit, bound, words)
    if core.groupdict().get("more") and value.low == value.high:
        value = Quantity(value.low, None, unit)
    if before and value.low is None and (lower := _lower(folded, start, free, words)):
        start, value = lower.start(), Quantity(number(lower["number"]), value.high, unit)
    return Found(field, Span(start, after.end() if after else core.end()), value)


def _lower(folded: str, start: int, free: int, words: _Words) -> re.Match[str] | None:
    """Return the lower limit without a unit before an upper one: at least 5 and at most 10 days."""
    if not folded[max(0, start - 4) : start].rstrip().endswith(("and", "but", "or", *",且而并但")):
        return None
    found = words.lower.search(folded, max(free, start - _LONGEST_LOWER), start)
    limit = words.limit.search(found[0]) if found else None
    is_least = limit is not None and bool(limit["least"]) != bool(limit["not"])
    return found if is_least and found and number(found["number"]) is not None else None


def _value(core: re.Match[str], words: _Words) -> tuple[float | None, float | None, str]:
    """Return the least and the most of a match, without the words around it, and its unit."""
    parts = core.groupdict()
    if parts.get("share"):
        whole, part = number(parts["parts"]), number(parts["share"])
        percent = round(100 * part / whole, 2) if whole and part is not None else None
        return percent, percent, PERCENT
    low, high = _either(parts["low"])
    if parts["high"]:
        high = _either(parts["high"])[1]
        if low is not None and not (parts.get("first") or parts.get("same")):
            low *= _shared_power(low, parts["low"], parts["high"])
    unit, factor = _unit(parts["unit"], words) if parts.get("unit") else (PERCENT, 1.0)
    more = 0.5 if parts.get("half") else (number(parts.get("tenths") or "0") or 0.0) / 10
    if low is None or high is None:
        return None, None, unit
    return (low + more) * factor, (high + more) * factor, unit


def _shared_power(low: float, numeral: str, high: str) -> float:
    """Return what the first number of a range is multiplied by for the second: 5至10万."""
    scaled = _SCALED.fullmatch(high)
    if not scaled or _SCALES.search(numeral):
        return 1.0
    mantissa, whole = number(scaled["mantissa"]), number(high)
    return whole / mantissa if mantissa and whole and low < mantissa else 1.0


def _unit(word: str, words: _Words) -> tuple[str, float]:
    """Return the unit of a word, and what one of it comes to in that unit."""
    if word == "成":
        return PERCENT, 10.0
    if word in ("%", "percent", "per cent"):
        return PERCENT, 1.0
    if word == "‰":
        return PERCENT, 0.1
    if word in ("倍", "times"):
        return TIMES, 1.0
    return ("month", 1.0) if word == "月" else (words.unit_of[word], 1.0)


def _is_no_quantity(folded: str, core: re.Match[str], *, bounded: bool) -> bool:
    """Whether a number with a unit is a date, an age, another unit, or just "a day"."""
    parts = core.groupdict()
    low, word, again = parts.get("low") or "", parts.get("unit") or "", parts.get("again")
    if low in ("a", "an", "half"):
        return not bounded and not parts.get("half")
    if again and number(again) != number(low):
        return True
    if word and _ELSE.match(folded, core.end() - 1):
        return True
    return _is_date(folded, core, word) or _is_other_unit(folded, core, word)


def _is_date(folded: str, core: re.Match[str], word: str) -> bool:
    """Whether a number of years or days tells which one, not how many."""
    if word in ("年", "year", "years"):
        start = core.start("high" if core["high"] else "low")
        if folded.startswith("民国", max(0, core.start() - 2)) or _MINGUO.match(folded, start):
            return True
        is_year = re.fullmatch(r"\d{4}|[零〇一二三四五六七八九]{4}", core["low"])
        return bool(is_year) and (number(core["low"]) or 0) in _CALENDAR_YEARS
    begin = max(0, core.start() - _LONGEST_BOUND)
    return word == "日" and bool(_IN_A_MONTH.search(folded, begin, core.start()))


def _is_other_unit(folded: str, core: re.Match[str], word: str) -> bool:
    """Whether what may be a unit is another word: 一块, ISO 9001 second, 10 pounds of rice."""
    if word == "块":
        return core["low"] == "一"
    if word == "second":
        is_apart = folded[core.start("unit") - 1].isspace()
        return is_apart and number(core["low"]) != 1
    if word in ("pound", "pounds"):
        begin = max(0, core.start() - 2 * _LONGEST_BOUND)
        return bool(
            _WEIGHT.match(folded, core.end()) or _WEIGHED.search(folded[begin : core.start()])
        )
    return False


def _bounded(low: float, high: float, unit: str, bound: str, words: _Words) -> Quantity:
    if low != high:
        return Quantity(low, high, unit)
    limit = words.limit.search(bound)
    if not limit:
        return Quantity(low, high, unit)
    is_most = bool(limit["most"]) != bool(limit["not"])
    return Quantity(None, high, unit) if is_most else Quantity(low, None, unit)


def _joined(first: Found, second: Found) -> Found | None:
    """Return the range of a lower limit with the upper one right behind it, else None."""
    a, b = first.value, second.value
    if second.span.start != first.span.end or a.high is not None or b.low is not None:
        return None
    if a.low is None or b.high is None or a.low > b.high:
        return None
    if a.unit == b.unit or (b.unit == _PLAIN and a.unit in patterns().currencies):
        span = Span(first.span.start, second.span.end)
        return Found(first.field, span, Quantity(a.low, b.high, a.unit))
    return None


def _compound(first: Found, second: Found, between: str) -> Found | None:
    """Return the duration of two that say it together, 2年零6个月, in the smaller unit."""
    a, b = first.value, second.value
    parts = _PARTS.get((a.unit, b.unit))
    whole, rest = _one_limit(a), _one_limit(b)
    if not parts or whole is None or rest is None or rest >= parts or between not in _BETWEEN_PARTS:
        return None
    total = whole * parts + rest
    limits = [(a.low, a.high), (b.low, b.high)]
    if all(None in limit for limit in limits):
        return None
    low = None if any(one is None for one, _ in limits) else total
    high = None if any(one is None for _, one in limits) else total
    return Found(first.field, Span(first.span.start, second.span.end), Quantity(low, high, b.unit))


def _one_limit(value: Quantity) -> float | None:
    """Return the only number of a quantity; None if it has two."""
    if value.low is None or value.high is None:
        return value.high if value.low is None else value.low
    return value.low if value.low == value.high else None
