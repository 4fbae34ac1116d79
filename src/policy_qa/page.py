"""What the search page shows, as escaped HTML and labels; no user interface library is needed.

Corpus and query text reaches the page only through `escape` and `escape_markdown`, so that none of
it can become markup. Offsets are those of `Document.text`.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, cast

from policy_qa.types import Answer, Citation, Document, Entry, Hit, Span

Language = Literal["zh-Hant", "zh-Hans", "en"]

LANGUAGES: Mapping[Language, str] = {"zh-Hant": "繁體", "zh-Hans": "简体", "en": "English"}
"""The languages of the labels, each in its own name."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label of the page in one language. `{…}` is filled in where the label is used."""

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
    untitled: str
    no_knowledge_base: str
    no_knowledge_base_note: str
    broken: str
    query_error: str
    failed: str
    failed_note: str


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
        not_covered_note="沒有找到能回答這個問題的內容。下面是最接近的條目，供參考。",
        confidence="把握 {percent}%",
        cited="{document} 第 {line} 行",
        lines="{document} 第 {first}–{last} 行",
        matched="對應的條目",
        source="原文",
        others="其他條目",
        nearest="最接近的條目",
        untitled="（沒有標題）",
        no_knowledge_base="還沒有知識庫",
        no_knowledge_base_note="請先執行下面的命令建立知識庫，再重新整理這一頁。",
        broken="知識庫無法使用",
        query_error="這個問題無法查詢",
        failed="出了點問題",
        failed_note="這次沒有查到結果，詳情已寫入伺服器的記錄。",
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
        not_covered_note="没有找到能回答这个问题的内容。下面是最接近的条目，供参考。",
        confidence="把握 {percent}%",
        cited="{document} 第 {line} 行",
        lines="{document} 第 {first}–{last} 行",
        matched="对应的条目",
        source="原文",
        others="其他条目",
        nearest="最接近的条目",
        untitled="（没有标题）",
        no_knowledge_base="还没有知识库",
        no_knowledge_base_note="请先运行下面的命令建立知识库，再刷新这一页。",
        broken="知识库无法使用",
        query_error="这个问题无法查询",
        failed="出了点问题",
        failed_note="这次没有查到结果，详情已写入服务器的日志。",
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
        not_covered_note="Nothing here answers this question. The nearest entries are below.",
        confidence="confidence {percent}%",
        cited="{document}, line {line}",
        lines="{document}, lines {first}–{last}",
        matched="Matched entry",
        source="Source",
        others="Other entries",
        nearest="Nearest entries",
        untitled="(no heading)",
        no_knowledge_base="No knowledge base yet",
        no_knowledge_base_note="Build one with this command, then reload the page.",
        broken="The knowledge base cannot be used",
        query_error="This question cannot be searched",
        failed="Something went wrong",
        failed_note="There is no result this time; the server's log has the details.",
    ),
}


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


def escape(text: str) -> str:
    """Return text as HTML that shows exactly that text, its line breaks included."""
    return html.escape(text).replace("\r\n", "<br>").replace("\n", "<br>")


def escape_markdown(text: str) -> str:
    """Return text, on one line, as Markdown that shows exactly that text."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def percent(confidence: float) -> int:
    """Return a probability in whole percent, rounded down: 100 is only said of certainty."""
    return int(round(confidence * 100, 6))


def source_lines(
    text: str, span: Span, quotes: Iterable[Span] = (), question: Span | None = None
) -> str:
    """Return the lines of a span as HTML, numbered as in the document, empty lines left out.

    Args:
        text: The whole text of the document.
        span: What to show of it.
        quotes: What to highlight; parts may overlap or reach over the span's ends.
        question: What to set in bold.
    """
    marks = _merged(quotes)
    bold = question or Span(0, 0)
    cuts = {edge for mark in (*marks, bold) for edge in (mark.start, mark.end)}
    rows, start = [], span.start
    number = text.count("\n", 0, span.start) + 1
    for line in text[span.start : span.end].split("\n"):
        end = start + len(line)
        edges = [start, *sorted(cut for cut in cuts if start < cut < end), end]
        if line.strip():
            shown = "".join(
                _piece(text[a:b], marked=_inside(a, marks), bold=_inside(a, [bold]))
                for a, b in pairwise(edges)
            )
            rows.append(f'<p class="pq-line" data-line="{number}">{shown}</p>')
        start, number = end + 1, number + 1
    return "".join(rows)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(filter(None, spans), key=lambda span: span.start):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _inside(offset: int, spans: Sequence[Span]) -> bool:
    return any(span.start <= offset < span.end for span in spans)


def _piece(text: str, *, marked: bool, bold: bool) -> str:
    shown = escape(text.rstrip("\r"))
    shown = f"<mark>{shown}</mark>" if marked and shown else shown
    return f"<strong>{shown}</strong>" if bold and shown else shown


def place(document: Document, span: Span, labels: Labels) -> str:
    """Return where a span stands, as HTML: the document and its lines."""
    body = document.text[span.start : span.end].rstrip()
    first = document.text.count("\n", 0, span.start) + 1
    last = first + body.count("\n")
    form = labels.lines if last > first else labels.cited
    return escape(form.format(document=document.id, first=first, last=last, line=first))


def notice(kind: str, heading: str, note: str, command: str = "") -> str:
    """Return a card of plain words as HTML.

    Args:
        kind: The state it tells of, as a CSS class.
        heading: The state in words.
        note: One more sentence.
        command: What to run, empty for nothing.
    """
    run = f'<pre class="pq-command">{escape(command)}</pre>' if command else ""
    return (
        f'<section class="pq-card pq-{kind}"><h2 class="pq-status">{escape(heading)}</h2>'
        f'<p class="pq-note">{escape(note)}</p>{run}</section>'
    )


def answer_card(answer: Answer, labels: Labels) -> str:
    """Return the answer as HTML: its status, its quotes with their places, the entry's question."""
    status = {
        "answered": (labels.answered, ""),
        "related": (labels.related, labels.related_note),
        "not_covered": (labels.not_covered, labels.not_covered_note),
    }
    words, note = status[answer.status]
    confidence = labels.confidence.format(percent=percent(answer.confidence))
    parts = [
        f'<section class="pq-card pq-{answer.status}"><h2 class="pq-status">{escape(words)}',
        f'<span class="pq-confidence">{escape(confidence)}</span></h2>',
    ]
    if note:
        parts.append(f'<p class="pq-note">{escape(note)}</p>')
    parts += [_quote(citation, labels) for citation in answer.conclusion]
    if answer.question and answer.status != "not_covered":
        parts.append(
            f'<p class="pq-label">{escape(labels.matched)}</p>'
            f'<p class="pq-question">{escape(answer.question)}</p>'
        )
    return "".join(parts) + "</section>"


def _quote(citation: Citation, labels: Labels) -> str:
    where = labels.cited.format(document=citation.document_id, line=citation.line)
    return (
        f'<figure class="pq-quote"><blockquote>{escape(citation.quote.strip())}</blockquote>'
        f"<figcaption>{escape(where)}</figcaption></figure>"
    )


def source_card(document: Document, entry: Entry, quotes: Iterable[Span], labels: Labels) -> str:
    """Return an entry in its own words as HTML, with the quotes highlighted in their place."""
    path = "".join(f"<li>{escape(heading)}</li>" for heading in entry.path)
    where = place(document, entry.span, labels)
    return (
        f'<section class="pq-entry"><p class="pq-head"><span class="pq-label">'
        f'{escape(labels.source)}</span><span class="pq-place">{where}</span></p>'
        + (f'<ol class="pq-path">{path}</ol>' if path else "")
        + f'<div class="pq-source" tabindex="0" role="region" aria-label="{escape(labels.source)}">'
        f"{source_lines(document.text, entry.span, quotes, entry.question)}</div></section>"
    )


def other_entries(found: Sequence[tuple[Hit, Document]], heading: str, labels: Labels) -> str:
    """Return entries as HTML, each folded to its question and opening to its whole text."""
    items = "".join(
        f'<details class="pq-other"><summary><bdi>{escape(hit.question or labels.untitled)}</bdi>'
        f'<span class="pq-place">{place(document, hit.entry.span, labels)}</span></summary>'
        f'<div class="pq-source">{_found(hit, document)}</div></details>'
        for hit, document in found
    )
    return f'<section><h2 class="pq-label">{escape(heading)}</h2>{items}</section>'


def _found(hit: Hit, document: Document) -> str:
    quotes = () if hit.passage.is_question else (hit.passage.span,)
    return source_lines(document.text, hit.entry.span, quotes, hit.entry.question)


def empty(entries: int, documents: int, labels: Labels, *, examples: bool) -> str:
    """Return the page before the first question as HTML: what can be asked, and of how much."""
    size = labels.size.format(entries=entries, documents=documents)
    heading = f'<h2 class="pq-label">{escape(labels.examples)}</h2>' if examples else ""
    return (
        f'<section class="pq-empty"><p class="pq-lead">{escape(labels.lead)}</p>'
        f'<p class="pq-place">{escape(size)}</p>{heading}</section>'
    )


STYLE: Final = """
.stApp {
  --pq-soft: light-dark(#636a6b, #a3a9a8);
  --pq-line: light-dark(#e2ded5, #343a3b);
  --pq-card: light-dark(#ffffff, #1f2425);
  --pq-mark: light-dark(#fdf0bf, #4d431c);
  --pq-rule: light-dark(#d9a93a, #c79a35);
  --pq-tone: light-dark(#1f6b66, #6cbdb3);
}
.pq-related { --pq-tone: light-dark(#8f5d09, #dba94f); }
.pq-not_covered, .pq-missing { --pq-tone: light-dark(#5a6470, #a9b3bf); }
.pq-error { --pq-tone: light-dark(#a13a2e, #ea9184); }
.stMainBlockContainer { max-width: 80rem; }
.st-key-top > :first-child { flex: 1; }
.stHtml p, .stHtml h1, .stHtml h2, .stHtml figure, .stHtml blockquote, .stHtml ol, .stHtml pre {
  margin: 0; padding: 0; border: 0; font-size: 1rem; line-height: 1.75; letter-spacing: normal;
}
.stHtml .pq-title { font-size: 1.25rem; font-weight: 650; }
.pq-card { background: var(--pq-card); border: 1px solid var(--pq-line); border-radius: .5rem;
  border-top: 3px solid var(--pq-tone); padding: 1rem 1.25rem 1.25rem; overflow-wrap: anywhere; }
.stHtml .pq-status { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline;
  color: var(--pq-tone); font-size: 1.0625rem; font-weight: 650; }
.pq-confidence { color: var(--pq-soft); font-size: .875rem; font-weight: 400;
  font-variant-numeric: tabular-nums; }
.stHtml .pq-note { color: var(--pq-soft); font-size: .9375rem; line-height: 1.65; }
.stHtml .pq-command { margin-top: .75rem; padding: .5rem .75rem; border-radius: .375rem;
  background: light-dark(#f3f1ea, #171a1b); white-space: pre-wrap; }
.stHtml .pq-quote { margin-top: .875rem; padding-left: .875rem;
  border-left: 3px solid var(--pq-rule); }
.stHtml .pq-quote blockquote { font-size: 1.125rem; line-height: 1.75; opacity: 1; color: inherit; }
.pq-quote figcaption, .stHtml .pq-place { color: var(--pq-soft); font-size: .8125rem;
  font-weight: 400; }
.stHtml .pq-label { color: var(--pq-soft); font-size: .8125rem; font-weight: 600; }
.pq-card .pq-label { margin-top: 1.125rem; }
.stHtml .pq-head { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; }
.stHtml .pq-path { display: flex; flex-wrap: wrap; list-style: none; color: var(--pq-soft);
  font-size: .8125rem; }
.pq-path li + li::before { content: "\\203A"; margin: 0 .5rem; }
.pq-entry { background: var(--pq-card); border: 1px solid var(--pq-line);
  border-radius: .5rem; overflow-wrap: anywhere; }
.stHtml .pq-head { padding: .625rem 1.25rem; border-bottom: 1px solid var(--pq-line); }
.stHtml .pq-path { padding: .5rem 1.25rem 0; }
.pq-source { overflow-y: auto; overflow-wrap: anywhere; padding: .625rem 1.25rem .75rem 0;
  max-height: max(16rem, 100dvh - 17rem); }
.stHtml .pq-line { position: relative; padding: .125rem 0 .375rem 3.25rem; }
.pq-line::before { content: attr(data-line); position: absolute; left: 0; width: 2.25rem;
  text-align: right; color: var(--pq-soft); font-size: .75rem; line-height: 1.75rem;
  font-variant-numeric: tabular-nums; }
.pq-source mark { background: var(--pq-mark); color: inherit;
  border-bottom: 2px solid var(--pq-rule); }
.pq-other { border-bottom: 1px solid var(--pq-line); }
.pq-other summary { display: flex; gap: .25rem .75rem; padding: .5rem 0;
  cursor: pointer; line-height: 1.6; overflow-wrap: anywhere; }
.pq-other summary::before { content: "\\203A"; color: var(--pq-soft); }
.pq-other[open] > summary::before { transform: rotate(90deg); }
.pq-other summary bdi { flex: 1; }
.pq-other summary:hover { color: var(--pq-tone); }
.pq-other .pq-place { flex: none; line-height: 1.6rem; }
.pq-other .pq-source { max-height: 24rem; margin-bottom: .75rem; background: var(--pq-card);
  border: 1px solid var(--pq-line); border-radius: .5rem; }
.pq-source:focus-visible, .pq-other summary:focus-visible { outline: 2px solid var(--pq-tone);
  outline-offset: 2px; }
[data-testid="stBaseButton-primaryFormSubmit"] { color: light-dark(#ffffff, #0d1f1d); }
[data-testid="InputInstructions"] { display: none; }
.stHtml .pq-lead { font-size: 1.125rem; }
.pq-empty .pq-label { margin-top: 1.5rem; }
[class*="st-key-example-"] button { text-align: left; justify-content: flex-start; }
@media (max-width: 40rem) {
  .pq-other summary { flex-wrap: wrap; }
  .pq-other .pq-place { flex-basis: 100%; padding-left: 1.125rem; }
  .pq-source { max-height: 60dvh; }
  .pq-card, .stHtml .pq-head { padding-left: 1rem; padding-right: 1rem; }
  .stHtml .pq-line { padding-left: 2.75rem; }
  .pq-line::before { width: 2rem; }
}
"""
"""Colours follow the theme of the page through `light-dark`. Every class begins with `pq-`."""
