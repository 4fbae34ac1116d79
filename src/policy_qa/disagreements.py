"""Whether two sentences that are about the same thing say different things about it.

They are about the same thing if their entries answer the same question and they mean nearly the
same, or if they are nearly the same sentence. Then they disagree in a deadline or an amount if one
states a quantity, a day of the year or a time of day where the other states another; in polarity if
one denies, or forbids, what the other does not; in the bearer if another party pays, decides or is
responsible.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from policy_qa.agreement import (
    claims,
    clashes,
    denied_before,
    matter,
    permissions_clash,
    spares_another,
    stored_claims,
)
from policy_qa.facts import SentenceFact, party_named, read_sentence
from policy_qa.folding import Folded, fold, fold_with_map
from policy_qa.patterns import patterns
from policy_qa.quantities import NOTHING_COUNTED, number
from policy_qa.settings import (
    SAME_QUESTION_FROM,
    SAME_QUESTION_SENTENCES_FROM,
    SAME_SENTENCE_FROM,
    SAME_WORDS_FROM,
    THE_SAME_FROM,
    WORDED_ALIKE_FROM,
)
from policy_qa.tokens import singular, tokens
from policy_qa.types import Entry, Quantity, Sentence, Span

DisagreementKind = Literal["deadline", "amount", "polarity", "bearer"]

_DAYS: Final = {
    "second": 1 / 86_400, "minute": 1 / 1_440, "hour": 1 / 24, "day": 1.0, "week": 7.0,
    "month": 30.0, "year": 365.0, "workday": 1.4,
}  # fmt: skip
_TOLERANCE: Final = 0.03
"""Share by which durations in different units may differ and be the same: a year, twelve months."""
_WORKDAY_TOLERANCE: Final = 0.2
"""The same of workdays and other units: three workdays may be five days."""
_MARK: Final = re.compile(
    r"(?P<mark>(?<!\d)(?:19|20)\d\d(?=年|[-/])|[a-z]{2,}[ -]?\d+(?![\d%]|\s?[a-z]{3})"
    r"|第[\d一二三四五六七八九十百]+)"
)
"""A year, a product with its number, an ordinal: what tells one case from the next."""
_MONEY: Final = "money"
_NUMERAL: Final = (
    r"(?:\d[\d,.]*\d|\d|[零一二两三四五六七八九十百千万]+"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty)\b)"
)
_MEASURES: Final = (
    r"(?:k?m/h|kmh|[km]ph|km|kg|cm|mm|ml|[kmgt]b|lbs?|oz|ft|mg)(?![a-z/])|°[cf]?"
    r"|公里|千米|公斤|千克|公分|厘米|毫米|毫升|平方米|米(?!饭)|岁|度(?!假)"
)
_COUNT: Final = re.compile(
    rf"(?<!第)(?<![\d.,零一二两三四五六七八九十百千万])(?<![a-z])(?<![a-z]-)(?P<number>{_NUMERAL})\s?"
    rf"(?P<what>{_MEASURES}|(?!{NOTHING_COUNTED})[a-z]{{3,}}"
    r"|[个名位件次人份家项条折张页只台辆间晚封](?!人都|次性|体|别))"
)
_MEASURED: Final = re.compile(rf"(?<![\d.,]){_NUMERAL}\s?(?:{_MEASURES})")
_CLOCK: Final = re.compile(
    r"(?<![\d.,:])(?P<hour>[01]?\d|2[0-4])(?:[:.](?P<minute>[0-5]\d))?\s?"
    r"(?P<half>[ap](?:\.m\.|m)(?![a-z])|o'clock)"
    r"|(?P<part>凌晨|早上|上午|中午|下午|傍晚|晚上|晚间)?"
    r"(?<![\d.,:])(?P<zh_hour>[01]?\d|2[0-4]|(?<=[午上晨晚间到至])[一二三四五六七八九十两]{1,3})"
    r"(?:[点时](?!间|候)(?:(?P<zh_minute>[0-5]?\d)分|(?P<zh_half>半))?(?![a-z%折评])"
    r"|:(?P<colon>[0-5]\d)(?![:\d]))"
)
_EVENING: Final = frozenset({"下午", "傍晚", "晚上", "晚间"})
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH: Final = rf"(?:{'|'.join(_MONTHS)}|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?)"
_ZH_DAY: Final = r"\d{1,2}|[一二三四五六七八九十]{1,3}"
_LIMIT_DAY: Final = re.compile(
    rf"(?P<since>自|从)?(?P<till>截止到?|截至|至|到|最迟|不晚于)?(?:(?P<year>\d{{4}})年)?"
    rf"(?P<month>{_ZH_DAY})月(?P<day>{_ZH_DAY})[日号]"
    r"(?P<after>之?前|以前|截?止|为止|起|开始|到期|(?=[^\w]|$))?"
    r"|\b(?P<limit>by|before|until|till|through|(?:no|not) later than|due(?: on)?|from|since"
    r"|starting|(?:ends?|expires?|begins?|starts?|closes?|opens?) on|(?:deadline|due date) is) "
    r"(?:the )?"
    rf"(?:(?P<month_en>{_MONTH}) (?P<day_en>\d{{1,2}})(?:st|nd|rd|th)?"
    rf"|(?P<day_first>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month_last>{_MONTH}))(?!\d)"
    r"(?:,? (?P<year_en>\d{4})\b)?"
)
"""A day of the year by which, or from which on, something holds."""
_BEGINS: Final = ("起", "开始", "from", "since", "starting", "begin", "start", "open")
_CALENDAR: Final = re.compile(
    rf"\b{_MONTH}|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bweek(?:day|end)s?\b"
    r"|(?<![a-z])[ap]\.?m\b|\bnoon\b|\bmidnight\b"
    r"|凌晨|早上|上午|中午|下午|傍晚|晚上|(?:周|星期|礼拜)[日天末]|平日|假日|工作日"
)
_FIGURE: Final = re.compile(rf"{_NUMERAL}|\d")
_BEARER: Final = re.compile(
    r"(?P<by>由|归)?(?P<who>[^,;:。由]{1,14}?)(?:自行|应当?|须|需要?|必须|均|都|也|来)*"
    r"(?:承担|负担|支付|负责|分摊|出(?=$|[,。]))"
    r"|(?P<who_en>[a-z' ]{3,24}?) (?:must |shall |will |should |has to |have to )?"
    r"(?:pays?|bears?|covers?)\b"
    r"|\b(?:paid|borne|covered|reimbursed)(?: in full| for)? by (?:the |your |our |an? )?"
    r"(?P<who_by>[a-z']{2,20})"
)
_DECIDER: Final = re.compile(
    r"(?P<by>由|经(?![理办济营])过?|报)(?P<who>[^,;:。由]{2,12}?)(?:进行|负责|书面|最终)?"
    r"(?:审批|批准|审核|核准|签字|签批|核批|复核)"
    r"|\b(?:approved|authori[sz]ed|signed(?: off)?) by (?:the |your |our |an? )?"
    r"(?P<who_by>[a-z' ]{2,30}?)"
    r"(?=$|[^a-z' ]| (?:if|when|unless|within|in|before|on|at|for|prior|first|who|beforehand)\b)"
)
_NOBODY: Final = frozenset(
    {"您", "你", "我", "我们", "你们", "自己", "本人", "双方", "各自", "他", "其", "自行"}
    | {"you", "we", "they", "it", "he", "she", "i", "who", "which", "that", "this", "not", "to"}
)
"""Words that name nobody, or another one in every text."""
_VERDICT: Final = re.compile(
    r"\W*(?:(?P<no>no|not?,|不可以|不能|不行|不会|不需要|不是|不用|不必|不|否)"
    r"|yes|可以|能|行|会|需要|是|对)的?(?=\s?[,.;:!。]|\s*$)"
)
_MODIFIER: Final = re.compile(r"(?:未|没有?|无|非)[^,;:。的]{1,8}的|\b(?:un|non-?)[a-z]{4,}\b")
"""What makes a case of its own: 未拆封的商品, unopened goods."""
_FUNCTION_WORD: Final = re.compile(
    r"[的为是将在于内外起后前共约计按由归都均也就即则其该本此这那请各每]|一律|全部|所有"
    r"|\b(?:you|we|they|it|he|she|i|your|our|their|its|is|are|was|were|of|for|in|on|at|by|within|up|than"
    r"|or|and|this|that|these|those|all|each|every|per|from|until|more|most|least|less|yes|please"
    r"|costs?|pays?|paid|bears?|borne|covers?|covered|takes?|gets?|receives?|free|full|amounts?)\b"
)
_STEM: Final = 5
"""Letters of a Latin word that must agree: return and returned."""
_NO_WORD: Final = re.compile(r"[\W_]+")
_KIND_OF_TEXT: Final = re.compile(
    r"常见问[题答]|问答|指南|手册|规[则定范章]|政策|须知|说明|制度|办法|条款|守则|帮助|中心|文档|总则|新手"
    r"|客服|内部|对外"
    r"|\b(?:faqs?|q ?& ?a|frequently asked questions|guide(?:lines?|book)?|handbook|manual"
    r"|polic(?:y|ies)|rules?|help|cent(?:er|re)|desk|terms|conditions|questions|answers"
    r"|knowledge base|support|service|internal|for|of|the|and|our|your|new|agents?)\b"
)
"""Words of a title that tell for whom, and what sort of text, a document is, not of what."""
_PAIRS_BY_WORDS: Final = 8
"""Pairs of sentences whose words are compared because their questions are the same words."""
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """In what two sentences differ.

    Attributes:
        kind: Of difference.
        ours, theirs: The words that differ in the first and in the second sentence; the whole
            sentence where no single words do.
    """

    kind: DisagreementKind
    ours: Span
    theirs: Span


def same_question(ours: Sentence, theirs: Sentence) -> bool:
    """Whether the questions of two entries ask the same, by their meaning."""
    alike = float(ours.vector @ theirs.vector) >= SAME_QUESTION_FROM
    return alike and _same_marks(ours.passage.text, theirs.passage.text)


def same_wording(ours: str, theirs: str) -> bool:
    """Whether two questions are the same words, whatever their script and punctuation."""
    return bool(_wording(ours)) and _wording(ours) == _wording(theirs)


@lru_cache(4_096)
def _wording(question: str) -> str:
    return _NO_WORD.sub(" ", fold(question)).strip()


def same_case(ours: Entry, theirs: Entry) -> bool:
    """Whether, by the headings above them, two entries with the same question are one case.

    In one document all headings must be the same, for the same question below another heading is
    asked of something else. Of two documents, whose titles may differ (买家指南, 客服手册), they
    must be the same without the words for parties and for kinds of text; so neither iPhone 14 and
    iPhone 15 nor full-time and part-time staff are one case. Years in their names must be the
    same too. Documents that tell what they are about in no heading, such as `fridge.txt` and
    `oven.txt`, are taken for one case.
    """
    if ours.document_id == theirs.document_id:
        return [fold(head) for head in ours.path] == [fold(head) for head in theirs.path]
    if _YEAR.findall(ours.document_id) != _YEAR.findall(theirs.document_id):
        return False
    return _subjects(ours.path) == _subjects(theirs.path)


def said_by_one(
    ours: Sequence[Sentence], theirs: Sequence[Sentence]
) -> tuple[list[Sentence], list[Sentence]]:
    """Return the sentences of each entry that the other one does not have in the same words.

    What both say contradicts neither: of two copies of a table no row contradicts another one.
    """
    mine, yours = ({one.passage.text for one in some} for some in (ours, theirs))
    shared = mine & yours
    first, second = (
        [one for one in some if one.passage.text not in shared] for some in (ours, theirs)
    )
    return first, second


def about_the_same(
    ours: Sequence[Sentence],
    theirs: Sequence[Sentence],
    *,
    same_question: bool,
    same_wording: bool = False,
) -> Iterator[tuple[Sentence, Sentence]]:
    """Yield pairs of sentences of two entries that are about the same thing, the nearest first.

    Args:
        ours: Sentences of the first entry.
        theirs: Those of the second one.
        same_question: Whether the entries' questions mean the same.
        same_wording: Whether they ask of the same case in the same words: then sentences that are
            each other's nearest are also paired by their words, unless only one of them is said
            under a condition.
    """
    if not ours or not theirs:
        return
    cosines = np.stack([one.vector for one in ours]) @ np.stack([one.vector for one in theirs]).T
    least = SAME_QUESTION_SENTENCES_FROM if same_question else SAME_SENTENCE_FROM
    rows, columns = np.nonzero(cosines >= least)
    for place in np.argsort(-cosines[rows, columns], kind="stable"):
        mine, yours = ours[rows[place]], theirs[columns[place]]
        if not _same_marks(mine.passage.text, yours.passage.text):
            continue
        if same_question or likeness(mine.passage.text, yours.passage.text) >= THE_SAME_FROM:
            yield mine, yours
    if same_wording:
        nearest = cosines.argmax(axis=1)
        for row in np.argsort(-cosines.max(axis=1), kind="stable")[:_PAIRS_BY_WORDS]:
            column = nearest[row]
            mine, yours = ours[row], theirs[column]
            if cosines[:, column].argmax() == row and _worded_alike(
                mine.passage.text, yours.passage.text
            ):
                yield mine, yours


def likeness(ours: str, theirs: str) -> float:
    """Return the share, 0 to 1, of the shorter sentence's words that the other one has too."""
    a, b = _words(ours), _words(theirs)
    return len(a & b) / (min(len(a), len(b)) or 1)


def same_figures(ours: str, theirs: str) -> bool:
    """Whether two sentences hold the same numbers, days, months and times of day, in one order."""
    return _figures(fold(ours)) == _figures(fold(theirs))


def disagreement(ours: str, theirs: str) -> Disagreement | None:
    """Return in what two sentences that are about the same thing differ; None if in nothing."""
    different = next(_quantities_that_differ(ours, theirs), None) or _times_that_differ(
        ours, theirs
    )
    if different or fold(ours) == fold(theirs):
        return different
    kind = _other_difference(ours, theirs)
    return Disagreement(kind, Span(0, len(ours)), Span(0, len(theirs))) if kind else None


def _other_difference(ours: str, theirs: str) -> DisagreementKind | None:
    mine, yours = stored_claims(ours), stored_claims(theirs)
    kinds = {clash.kind for clash in clashes(mine, yours)}
    if "bearer" in kinds or _bearers_differ(mine.text, yours.text):
        return "bearer"
    if spares_another(mine, yours) or spares_another(yours, mine):
        return "amount" if _counts_differ(mine.text, yours.text) else None
    one_more_no = (mine.denials - yours.denials) % 2 and likeness(ours, theirs) >= SAME_WORDS_FROM
    if (
        "polarity" in kinds
        or permissions_clash(mine, yours)
        or one_more_no
        or _verdicts_differ(ours, theirs)
    ):
        return "polarity"
    return "amount" if _counts_differ(mine.text, yours.text) else None


def _worded_alike(ours: str, theirs: str) -> bool:
    """Whether two answers to one question say nearly the same, but for what they may differ in.

    One may say a little more; where each has words that the other one lacks, as in standard and
    express delivery, they are about different cases.
    """
    if not _same_marks(ours, theirs) or not _same_conditions(ours, theirs):
        return False
    few, many = sorted((_matter(ours), _matter(theirs)), key=len)
    if few <= many and few and len(few) >= WORDED_ALIKE_FROM * len(many):
        return True
    return _verdicts_differ(ours, theirs)


def _same_conditions(ours: str, theirs: str) -> bool:
    """Whether two sentences hold under the same conditions: one is no exception to the other."""
    mine, yours = _conditions(ours), _conditions(theirs)
    shared = len(mine & yours)
    return shared >= SAME_WORDS_FROM * max(len(mine), len(yours))


@lru_cache(4_096)
def _conditions(sentence: str) -> frozenset[str]:
    """Return the words of the conditions and exceptions of a sentence, quantities left out."""
    reading = read_sentence(sentence)
    said = " ".join(
        _without_quantities(sentence)[fact.span.start : fact.span.end]
        for fact in reading.facts
        if fact.field in ("conditions", "exceptions")
    )
    cases = _MODIFIER.findall(fold(sentence))
    return frozenset([*tokens(fold(said)), *cases])


def _verdicts_differ(ours: str, theirs: str) -> bool:
    """Whether one sentence begins with a yes and the other with a no, neither under a condition."""
    mine, yours = _VERDICT.match(fold(ours)), _VERDICT.match(fold(theirs))
    if not mine or not yours or bool(mine["no"]) == bool(yours["no"]):
        return False
    return not _conditions(ours) and not _conditions(theirs)


def _subjects(path: Sequence[str]) -> list[list[str]]:
    """Return the words of headings without parties and kinds of text; headings of none left out."""
    found = (tokens(_KIND_OF_TEXT.sub(" ", patterns().party.sub(" ", fold(head)))) for head in path)
    return [words for words in found if words]


def _same_marks(ours: str, theirs: str) -> bool:
    """Whether two texts name the same versions: 2022年 and 2023年, iPhone 14 and 15 are others."""
    return _marks(ours) == _marks(theirs)


@lru_cache(4_096)
def _marks(text: str) -> frozenset[str]:
    return frozenset(match["mark"] for match in _MARK.finditer(fold(_without_quantities(text))))


@lru_cache(4_096)
def _words(sentence: str) -> frozenset[str]:
    """Return the tokens of a sentence, its quantities and single characters left out."""
    found = tokens(fold(_without_quantities(sentence)))
    return frozenset(token for token in found if len(token) > 1)


@lru_cache(4_096)
def _matter(sentence: str) -> frozenset[str]:
    """Return the stems and characters of a sentence that tell what it is about.

    Without what two rules on one thing may differ in: quantities, counts, parties, negators, modals
    and function words.
    """
    folded = patterns().party.sub(" ", fold(_without_quantities(sentence)))
    counted = _COUNT.sub(lambda found: f" {found['what']}", folded)
    for pattern in (_BEARER, _DECIDER):
        counted = pattern.sub(_nameless, counted)
    found = tokens(_FUNCTION_WORD.sub(" ", matter(counted)))
    return frozenset(token[:_STEM] for token in found if token.isascii() or len(token) == 1)


def _nameless(match: re.Match[str]) -> str:
    """Return words on who bears or decides something without the name: 由甲方承担, paid by it."""
    who = match["who_by"] or (match["who"] if match["by"] else "")
    return match[0].replace(who, " ", 1) if who else match[0]


def _without_quantities(sentence: str) -> str:
    """Return a sentence with blanks for durations and amounts, days and times of day."""
    rest = list(sentence)
    taken = [fact.span for fact in read_sentence(sentence).facts if fact.value]
    folded = fold_with_map(sentence)
    for pattern in (_LIMIT_DAY, _CLOCK, _MEASURED):
        taken += [folded.original(*found.span()) for found in pattern.finditer(folded.text)]
    for span in taken:
        rest[span.start : span.end] = " " * (span.end - span.start)
    return "".join(rest)


def _figures(folded: str) -> tuple[list[float | str], list[str]]:
    numbers = [found[0] for found in _FIGURE.finditer(folded)]
    values = [number(numeral.strip(",.")) for numeral in numbers]
    told = [said if value is None else value for said, value in zip(numbers, values, strict=True)]
    return told, _CALENDAR.findall(folded)


def _times_that_differ(ours: str, theirs: str) -> Disagreement | None:
    """Return the days of the year, or the times of day, that differ.

    Of the days of the week that one sentence names, the other must speak too.
    """
    mine, yours = fold_with_map(ours), fold_with_map(theirs)
    for times in (_days, _clocks):
        here, there = times(mine), times(yours)
        (only_here, only_there) = here.keys() - there.keys(), there.keys() - here.keys()
        for one in sorted(only_here, key=lambda time: here[time].start):
            for other in sorted(only_there, key=lambda time: there[time].start):
                if one[0] == other[0] and _weekdays(mine.text) == _weekdays(yours.text):
                    return Disagreement("deadline", here[one], there[other])
    return None


def _days(folded: Folded) -> dict[tuple[str, float, float], Span]:
    """Return the limits that are days of the year, as (kind with year, month, day)."""
    found: dict[tuple[str, float, float], Span] = {}
    for match in _LIMIT_DAY.finditer(folded.text):
        limit = match["limit"] or match["since"] or match["after"] or match["till"]
        month = match["month"] or match["month_en"] or match["month_last"]
        day = number(match["day"] or match["day_en"] or match["day_first"])
        if not limit or day is None:
            continue
        names = [n for n, name in enumerate(_MONTHS, start=1) if name.startswith(month[:3])]
        place = float(names[0]) if names else number(month)
        begins = limit in ("自", "从") or limit.startswith(_BEGINS)
        kind = f"{'from' if begins else 'until'} {match['year'] or match['year_en'] or ''}"
        if place is not None:
            found.setdefault((kind, place, day), folded.original(*match.span()))
    return found


def _clocks(folded: Folded) -> dict[tuple[str, float, float], Span]:
    """Return the times of day, as (nothing, hour, minute) of 24 hours."""
    found: dict[tuple[str, float, float], Span] = {}
    for match in _CLOCK.finditer(folded.text):
        hour = number(match["hour"] or match["zh_hour"])
        if hour is None:
            continue
        minute = float(match["minute"] or match["zh_minute"] or match["colon"] or 0)
        minute = 30.0 if match["zh_half"] else minute
        half = match["half"] or ""
        if hour < 12 and (half.startswith("p") or match["part"] in _EVENING):
            hour += 12
        elif hour == 12 and half.startswith("a"):
            hour = 0.0
        found.setdefault(("", hour, minute), folded.original(*match.span()))
    return found


def _weekdays(folded: str) -> list[str]:
    """Return the days of the week that a text names, in its order."""
    return re.findall(
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\bweek(?:day|end)"
        r"|(?:周|星期|礼拜)[一二三四五六日天末]|平日|假日",
        folded,
    )


def _quantities_that_differ(ours: str, theirs: str) -> Iterator[Disagreement]:
    mine = [fact for fact in read_sentence(ours).facts if fact.value]
    yours = [fact for fact in read_sentence(theirs).facts if fact.value]
    for fact in mine:
        if any(_same(fact, other) for other in yours):
            continue
        for other in yours:
            if _comparable(fact, other) and not any(_same(other, one) for one in mine):
                kind: DisagreementKind = "deadline" if fact.field == "deadlines" else "amount"
                yield Disagreement(kind, fact.span, other.span)


def _comparable(fact: SentenceFact, other: SentenceFact) -> bool:
    return _dimension(fact.value) == _dimension(other.value)


def _same(fact: SentenceFact, other: SentenceFact) -> bool:
    mine, yours = fact.value, other.value
    if not mine or not yours or not _comparable(fact, other) or _opposite(mine, yours):
        return False
    if _dimension(mine) == _MONEY and mine.unit != yours.unit:
        return False
    a, b = _limits(mine), _limits(yours)
    tolerance = _tolerance(mine.unit, yours.unit)
    return len(a) == len(b) and all(
        abs(x - y) <= tolerance * max(x, y) for x, y in zip(a, b, strict=True)
    )


def _tolerance(ours: str, theirs: str) -> float:
    if ours == theirs:
        return 0.0
    return _WORKDAY_TOLERANCE if "workday" in (ours, theirs) else _TOLERANCE


def _opposite(ours: Quantity, theirs: Quantity) -> bool:
    """Whether one is only a lower limit, and the other only an upper one."""
    return (ours.low is None and theirs.high is None) or (ours.high is None and theirs.low is None)


def _dimension(quantity: Quantity | None) -> str:
    unit = quantity.unit if quantity else ""
    if unit in patterns().currencies:
        return _MONEY
    return "time" if unit in _DAYS else unit


def _limits(quantity: Quantity) -> list[float]:
    scale = _DAYS.get(quantity.unit, 1.0)
    return sorted({scale * limit for limit in (quantity.low, quantity.high) if limit is not None})


def _counts_differ(ours: str, theirs: str) -> bool:
    """Whether two folded sentences count the same things with no number in common."""
    mine, yours = _counts(ours), _counts(theirs)
    return any(mine[what].isdisjoint(yours[what]) for what in mine.keys() & yours.keys())


def _counts(folded: str) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for match in _COUNT.finditer(folded):
        value, what = number(match["number"]), match["what"]
        if value is not None:
            if what == "折" and value >= 10:
                value /= 10
            found.setdefault(singular(what), set()).add(value)
    return found


def _bearers_differ(ours: str, theirs: str) -> bool:
    """Whether in two folded sentences all who bear, or decide on, something are different ones."""
    return any(
        bool(mine and yours)
        and not any(a.endswith(b) or b.endswith(a) for a in mine for b in yours)
        for mine, yours in (
            (_bearers(ours), _bearers(theirs)),
            (_deciders(ours), _deciders(theirs)),
        )
    )


def _bearers(folded: str) -> frozenset[str]:
    """Return the party, the last two characters or the last word of whoever bears something."""
    found = set()
    for match in _BEARER.finditer(folded):
        who = (match["who"] or match["who_en"] or match["who_by"]).strip()
        if who and not claims(who).denies and not denied_before(folded, match.start()):
            found.add(_name(who))
    return frozenset(found - _NOBODY)


def _name(who: str) -> str:
    """Return the party that stands last in a text; its last characters, or word, if none does."""
    parties = [match for match in patterns().party.finditer(who) if match.end() == len(who)]
    if parties:
        return party_named(parties[-1][0])
    last = who.rsplit(maxsplit=1)[-1]
    return last if last.isascii() else last[-2:]


def _deciders(folded: str) -> frozenset[str]:
    """Return the names of those who approve of something."""
    found = set()
    for match in _DECIDER.finditer(folded):
        if not denied_before(folded, match.start()):
            found.update(re.split(r"[和与及或、]| and | or ", match["who"] or match["who_by"]))
    names = {name.strip().removeprefix("the ") for name in found}
    return frozenset(names - _NOBODY - {""})
