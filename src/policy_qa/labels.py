"""Every label of answers and of the search page, in Chinese of both scripts and in English."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from policy_qa.types import Caution, Field, Language, Status

LANGUAGES: Mapping[Language, str] = {"zh-Hant": "繁體", "zh-Hans": "简体", "en": "English"}
"""The languages of the labels, each in its own name."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label in one language. `{…}` is filled in where the label is used."""

    title: str
    lead: str
    placeholder: str
    ask: str
    language: str
    loading: str
    examples: str
    size: str
    answered: str
    related: str
    not_covered: str
    related_note: str
    not_covered_note: str
    confidence: str
    cited: str
    lines: str
    matched: str
    source: str
    others: str
    nearest: str
    read_as: str
    untitled: str
    no_knowledge_base: str
    no_knowledge_base_note: str
    broken: str
    query_error: str
    failed: str
    failed_note: str
    fields: Mapping[Field, str]
    cautions: Mapping[str, str]
    also: str
    reading: str
    whole_card: str

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
        title="政策問答",
        lead="用一句話問，答案逐字引自原文。",
        placeholder="輸入問題，按 Enter",
        ask="查詢",
        language="介面語言",
        loading="正在載入知識庫…",
        examples="可以這樣問",
        size="{entries} 則條目，{documents} 份文件",
        answered="已有答案",
        related="有相關內容",
        not_covered="知識庫沒有涵蓋",
        related_note="以下內容相近，但未必回答這個問題，請核對原文。",
        not_covered_note="沒有找到能回答這個問題的內容。下面是最接近的問題。",
        confidence="把握 {percent}%",
        cited="{document} 第 {line} 行",
        lines="{document} 第 {first}–{last} 行",
        matched="對應的條目",
        source="原文",
        others="其他條目",
        nearest="您是不是想問",
        read_as="把拼音讀作：{text}",
        untitled="（沒有標題）",
        no_knowledge_base="還沒有知識庫",
        no_knowledge_base_note="請先執行下面的命令建立知識庫，再重新整理這一頁。",
        broken="知識庫無法使用",
        query_error="這個問題無法查詢",
        failed="出了點問題",
        failed_note="這次沒有查到結果，詳情已寫入伺服器的記錄。",
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
            "deadline": "另一則條目說的期限不同",
            "amount": "另一則條目說的數字不同",
            "polarity": "另一則條目說的相反",
            "bearer": "另一則條目說由別人承擔",
            "asked_polarity": "您說「{asked}」，原文說可以",
            "found_polarity": "原文說「{found}」，與您問的相反",
            "asked_party": "您問的是「{asked}」，原文說的是「{found}」",
            "dated": "原文所說的「{quote}」已經過去（{day}），可能不再適用",
            "expired": "這則條目已於 {day} 失效",
            "not_yet": "這則條目自 {day} 起才生效",
        },
        also="相同的內容也見於",
        reading="繁體對照",
        whole_card="這則條目的全部要點",
    ),
    "zh-Hans": Labels(
        title="政策问答",
        lead="用一句话问，答案逐字引自原文。",
        placeholder="输入问题，按 Enter",
        ask="查询",
        language="界面语言",
        loading="正在载入知识库…",
        examples="可以这样问",
        size="{entries} 则条目，{documents} 份文件",
        answered="已有答案",
        related="有相关内容",
        not_covered="知识库没有涵盖",
        related_note="以下内容相近，但未必回答这个问题，请核对原文。",
        not_covered_note="没有找到能回答这个问题的内容。下面是最接近的问题。",
        confidence="把握 {percent}%",
        cited="{document} 第 {line} 行",
        lines="{document} 第 {first}–{last} 行",
        matched="对应的条目",
        source="原文",
        others="其他条目",
        nearest="您是不是想问",
        read_as="把拼音读作：{text}",
        untitled="（没有标题）",
        no_knowledge_base="还没有知识库",
        no_knowledge_base_note="请先运行下面的命令建立知识库，再刷新这一页。",
        broken="知识库无法使用",
        query_error="这个问题无法查询",
        failed="出了点问题",
        failed_note="这次没有查到结果，详情已写入服务器的日志。",
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
            "deadline": "另一则条目说的期限不同",
            "amount": "另一则条目说的数字不同",
            "polarity": "另一则条目说的相反",
            "bearer": "另一则条目说由别人承担",
            "asked_polarity": "您说“{asked}”，原文说可以",
            "found_polarity": "原文说“{found}”，与您问的相反",
            "asked_party": "您问的是“{asked}”，原文说的是“{found}”",
            "dated": "原文所说的“{quote}”已经过去（{day}），可能不再适用",
            "expired": "这则条目已于 {day} 失效",
            "not_yet": "这则条目自 {day} 起才生效",
        },
        also="相同的内容也见于",
        reading="简体对照",
        whole_card="这则条目的全部要点",
    ),
    "en": Labels(
        title="Policy Q&A",
        lead="Ask in one sentence; the answer quotes the source word for word.",
        placeholder="Type a question and press Enter",
        ask="Ask",
        language="Language of the page",
        loading="Loading the knowledge base…",
        examples="Questions to start with",
        size="Entries: {entries}, documents: {documents}",
        answered="Answered",
        related="Related, not certain",
        not_covered="Not covered",
        related_note="This comes close but may not answer the question. Check it in the source.",
        not_covered_note="Nothing here answers this question. The nearest questions are below.",
        confidence="confidence {percent}%",
        cited="{document}, line {line}",
        lines="{document}, lines {first}–{last}",
        matched="Matched entry",
        source="Source",
        others="Other entries",
        nearest="Did you mean",
        read_as="Pinyin read as: {text}",
        untitled="(no heading)",
        no_knowledge_base="No knowledge base yet",
        no_knowledge_base_note="Build one with this command, then reload the page.",
        broken="The knowledge base cannot be used",
        query_error="This question cannot be searched",
        failed="Something went wrong",
        failed_note="There is no result this time; the server's log has the details.",
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
            "deadline": "Another entry gives another deadline",
            "amount": "Another entry gives another number",
            "polarity": "Another entry says the opposite",
            "bearer": "Another entry says that somebody else bears it",
            "asked_polarity": "You say “{asked}”; the source permits it",
            "found_polarity": "The source says “{found}”, the opposite of what you asked",
            "asked_party": "You asked about “{asked}”; the source speaks of “{found}”",
            "dated": "“{quote}” in the source has passed ({day}); it may be out of date",
            "expired": "This entry expired on {day}",
            "not_yet": "This entry holds from {day}",
        },
        also="The same is said in",
        reading="In the other script",
        whole_card="All points of this entry",
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
