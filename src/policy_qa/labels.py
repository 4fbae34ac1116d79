"""Every label of answers, in Chinese of both scripts and in English."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from policy_qa.types import Caution, Citation, Field, Language, Status

LANGUAGES: Mapping[Language, str] = {"zh-Hant": "繁體", "zh-Hans": "简体", "en": "English"}
"""The languages of the labels, each in its own name."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label in one language. `{…}` is filled in where the label is used."""

    answered: str
    related: str
    not_covered: str
    related_note: str
    not_covered_note: str
    confidence: str
    cited: str
    cited_page: str
    cited_row: str
    lines: str
    others: str
    nearest: str
    read_as: str
    untitled: str
    fields: Mapping[Field, str]
    cautions: Mapping[str, str]
    findings: Mapping[str, str]
    also: str
    reading: str

    @property
    def statuses(self) -> Mapping[Status, str]:
        """The statuses in words."""
        return {
            "answered": self.answered,
            "related": self.related,
            "not_covered": self.not_covered,
        }


LABELS: Mapping[Language, Labels] = {
    "zh-Hant": Labels(
        answered="已有答案",
        related="有相關內容",
        not_covered="知識庫沒有涵蓋",
        related_note="以下內容相近，但未必回答這個問題，請核對原文。",
        not_covered_note="沒有找到能回答這個問題的內容。下面是最接近的問題。",
        confidence="把握 {percent}%",
        cited="{document} 第 {line} 行",
        cited_page="{document} 第 {number} 頁",
        cited_row="{document} {sheet}第 {number} 列",
        lines="{document} 第 {first}–{last} 行",
        others="其他條目",
        nearest="您是不是想問",
        read_as="把拼音讀作：{text}",
        untitled="（沒有標題）",
        fields={
            "conditions": "條件",
            "steps": "怎麼做",
            "deadlines": "期限",
            "amounts": "金額與比例",
            "bearers": "由誰承擔",
            "effects": "影響與後果",
            "exceptions": "例外",
            "formula": "計算方式",
        },
        cautions={
            "deadline": "兩則條目說的期限不同",
            "amount": "兩則條目說的數字不同",
            "polarity": "兩則條目說的相反",
            "bearer": "兩則條目說由不同的人承擔",
            "asked_polarity": "您說「{asked}」，原文說可以",
            "found_polarity": "原文說「{found}」，與您問的相反",
            "asked_party": "您問的是「{asked}」，原文說的是「{found}」",
            "dated": "原文所說的「{quote}」已經過去（{day}），可能不再適用",
            "expired": "「{quote}」已於 {day} 失效，不作為答案",
            "not_yet": "「{quote}」自 {day} 起才生效，不作為答案",
        },
        findings={
            "duplicate": "兩則條目問的幾乎一樣",
            "deadline": "期限互相矛盾",
            "amount": "數字互相矛盾",
            "polarity": "一則說可以，另一則說不可以",
            "bearer": "由誰承擔，說法不同",
            "dated": "所說的日期已經過去（{day}）",
            "expired": "已於 {day} 失效",
            "not_yet": "自 {day} 起才生效",
            "expiring": "將於 {day} 失效",
            "long": "條目很長（{value} 字）",
            "no_answer": "有問題，沒有答案",
            "no_question": "沒有標題，難以找到",
            "unreadable": "有無法辨讀的文字，可能用錯了編碼",
            "off_question": "答案像是在回答另一個問題",
            "unreached": "評測題目沒有一題以這則條目作答",
        },
        also="相同的內容也見於",
        reading="繁體對照",
    ),
    "zh-Hans": Labels(
        answered="已有答案",
        related="有相关内容",
        not_covered="知识库没有涵盖",
        related_note="以下内容相近，但未必回答这个问题，请核对原文。",
        not_covered_note="没有找到能回答这个问题的内容。下面是最接近的问题。",
        confidence="把握 {percent}%",
        cited="{document} 第 {line} 行",
        cited_page="{document} 第 {number} 页",
        cited_row="{document} {sheet}第 {number} 行",
        lines="{document} 第 {first}–{last} 行",
        others="其他条目",
        nearest="您是不是想问",
        read_as="把拼音读作：{text}",
        untitled="（没有标题）",
        fields={
            "conditions": "条件",
            "steps": "怎么做",
            "deadlines": "期限",
            "amounts": "金额与比例",
            "bearers": "由谁承担",
            "effects": "影响与后果",
            "exceptions": "例外",
            "formula": "计算方式",
        },
        cautions={
            "deadline": "两则条目说的期限不同",
            "amount": "两则条目说的数字不同",
            "polarity": "两则条目说的相反",
            "bearer": "两则条目说由不同的人承担",
            "asked_polarity": "您说“{asked}”，原文说可以",
            "found_polarity": "原文说“{found}”，与您问的相反",
            "asked_party": "您问的是“{asked}”，原文说的是“{found}”",
            "dated": "原文所说的“{quote}”已经过去（{day}），可能不再适用",
            "expired": "“{quote}”已于 {day} 失效，不作为答案",
            "not_yet": "“{quote}”自 {day} 起才生效，不作为答案",
        },
        findings={
            "duplicate": "两则条目问的几乎一样",
            "deadline": "期限互相矛盾",
            "amount": "数字互相矛盾",
            "polarity": "一则说可以，另一则说不可以",
            "bearer": "由谁承担，说法不同",
            "dated": "所说的日期已经过去（{day}）",
            "expired": "已于 {day} 失效",
            "not_yet": "自 {day} 起才生效",
            "expiring": "将于 {day} 失效",
            "long": "条目很长（{value} 字）",
            "no_answer": "有问题，没有答案",
            "no_question": "没有标题，难以找到",
            "unreadable": "有无法辨读的文字，可能用错了编码",
            "off_question": "答案像是在回答另一个问题",
            "unreached": "评测题目没有一题以这则条目作答",
        },
        also="相同的内容也见于",
        reading="简体对照",
    ),
    "en": Labels(
        answered="Answered",
        related="Related, not certain",
        not_covered="Not covered",
        related_note="This comes close but may not answer the question. Check it in the source.",
        not_covered_note="Nothing here answers this question. The nearest questions are below.",
        confidence="confidence {percent}%",
        cited="{document}, line {line}",
        cited_page="{document}, page {number}",
        cited_row="{document}, {sheet}row {number}",
        lines="{document}, lines {first}–{last}",
        others="Other entries",
        nearest="Did you mean",
        read_as="Pinyin read as: {text}",
        untitled="(no heading)",
        fields={
            "conditions": "Conditions",
            "steps": "What to do",
            "deadlines": "Deadlines",
            "amounts": "Amounts",
            "bearers": "Who bears it",
            "effects": "Effects",
            "exceptions": "Exceptions",
            "formula": "Formula",
        },
        cautions={
            "deadline": "Two entries give different deadlines",
            "amount": "Two entries give different numbers",
            "polarity": "Two entries say the opposite of each other",
            "bearer": "Two entries say that different parties bear it",
            "asked_polarity": "You say “{asked}”; the source permits it",
            "found_polarity": "The source says “{found}”, the opposite of what you asked",
            "asked_party": "You asked about “{asked}”; the source speaks of “{found}”",
            "dated": "“{quote}” in the source has passed ({day}); it may be out of date",
            "expired": "“{quote}” expired on {day} and does not answer",
            "not_yet": "“{quote}” holds only from {day} and does not answer",
        },
        findings={
            "duplicate": "Two entries ask nearly the same",
            "deadline": "Deadlines contradict each other",
            "amount": "Numbers contradict each other",
            "polarity": "One permits what the other forbids",
            "bearer": "They disagree about who bears it",
            "dated": "Speaks of a day that has passed ({day})",
            "expired": "Expired on {day}",
            "not_yet": "Holds from {day}",
            "expiring": "Expires on {day}",
            "long": "A very long entry ({value} characters)",
            "no_answer": "A question without an answer",
            "no_question": "No heading, hard to find",
            "unreadable": "Signs that nobody can read; the encoding may be wrong",
            "off_question": "The answer seems to belong to another question",
            "unreached": "No question of the evaluation set is answered by this entry",
        },
        also="The same is said in",
        reading="In the other script",
    ),
}


def caution_text(caution: Caution, labels: Labels) -> str:
    """Return what a caution warns of, in one sentence."""
    kind = "found_polarity" if caution.kind == "asked_polarity" and caution.found else caution.kind
    return labels.cautions[kind].format(
        asked=caution.asked,
        found=caution.found,
        day=caution.day,
        quote=caution.citations[0].quote,
    )


def cited_place(citation: Citation, labels: Labels) -> str:
    """Return the document and the line, page or row that a quote begins on."""
    place = citation.place
    if place is None:
        return labels.cited.format(document=citation.document_id, line=citation.line)
    label = labels.cited_page if place.kind == "page" else labels.cited_row
    sheet = f"{place.sheet} " if place.sheet else ""
    return label.format(document=citation.document_id, number=place.number, sheet=sheet)


def finding_text(kind: str, day: date | None, value: float | None, labels: Labels) -> str:
    """Return what a finding of `lint` says, in one sentence."""
    return labels.findings[kind].format(day=day, value="" if value is None else f"{value:.0f}")


def choose_language(asked: str | None, locale: str | None) -> Language:
    """Return the language asked for, else the one that fits the browser's locale.

    Args:
        asked: What the address says, of any value.
        locale: A BCP 47 tag such as `zh-CN`; None where the browser names none.
    """
    if asked in LANGUAGES:
        return cast("Language", asked)
    tag = (locale or "zh").lower()
    if not tag.startswith("zh"):
        return "en"
    return "zh-Hans" if re.search(r"hans|-(cn|sg|my)\b", tag) else "zh-Hant"
