"""The view that answers: the answer on the left, its source on the right, other entries below."""

from dataclasses import dataclass

import streamlit as st

import policy_qa
from app_views.shared import (
    SYNC,
    Page,
    is_stale,
    kb_option,
    log_answer,
    open_knowledge_base,
)
from policy_qa import page as html
from policy_qa.errors import InputError
from policy_qa.output import percent
from policy_qa.types import Answer, Entry

EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view shows, for `page.js`.

    Attributes:
        key: Another one for each answer and source.
        said: What a screen reader announces.
        asked: The query that was answered; empty for none.
    """

    key: str = ""
    said: str = ""
    asked: str = ""


def draw(page: Page) -> Shown:
    """Draw an answer, an opened entry, or the page before the first question."""
    kb = page.kb
    if is_stale(page.path, page.state):
        labels = page.labels
        st.html(html.strip("stale", labels.stale, labels.stale_note, f"{SYNC}{kb_option()}"))
    if page.address.query:
        return draw_answer(page, kb)
    if page.address.entry:
        return draw_entry(page, kb)
    manifest, questions = kb.manifest, examples(page.path, page.state)
    st.html(html.empty(manifest.entries, manifest.documents, questions, page.address, page.labels))
    return Shown()


@st.cache_data(max_entries=2, show_spinner=False)
def examples(path: str, state: tuple[int, str, int]) -> list[str]:
    """Return the first stored questions."""
    return open_knowledge_base(path, state).some_questions(EXAMPLES)


def draw_answer(page: Page, kb: policy_qa.KnowledgeBase) -> Shown:
    """Draw the answer to the query, beside the source of its entry or of the one opened."""
    labels, address = page.labels, page.address
    with st.spinner(labels.searching):
        answer = kb.ask(address.query)
    number = log_answer(page, answer)
    rated = number in st.session_state.get("rated", ())
    opened = address.entry or (answer.entry.id if answer.entry else "")
    if opened:
        left, right = st.columns([5, 7], gap="medium")
        right.html(draw_source(page, kb, answer, opened))
    else:
        left = st.container()
    whole = None
    if answer.entry and html.is_readable(answer.entry):
        whole = kb.rule_card(answer.entry.id)
    parts = [
        html.answer_card(answer, labels, page.language, whole),
        html.actions(answer, labels, page.language, address, number=None if rated else number),
    ]
    if rated:
        parts.append(html.thanks(labels, covered=answer.status != "not_covered"))
    if address.why and opened and any(hit.entry.id == opened for hit in answer.hits):
        parts.append(html.inspection(kb.inspect(address.query, opened), labels))
    left.html("".join(parts))
    if answer.related:
        heading = labels.answer.nearest if answer.entry is None else labels.answer.others
        found = [(hit, kb.document(hit.entry.document_id)) for hit in answer.related]
        st.html(html.other_entries(found, heading, address, labels))
    return Shown(
        f"{answer.generation} {opened} {address.query}",
        announcement(answer, page),
        address.query,
    )


def draw_source(page: Page, kb: policy_qa.KnowledgeBase, answer: Answer, opened: str) -> str:
    """Return the source of the entry that answers, or of another one that was opened."""
    labels = page.labels
    if answer.entry and opened == answer.entry.id:
        quotes = [citation.span for citation in answer.conclusion]
        return html.source_card(kb.document(answer.entry.document_id), answer.entry, quotes, labels)
    hits = {hit.entry.id: hit for hit in answer.hits}
    entry = hits[opened].entry if opened in hits else find_entry(kb, opened)
    if entry is None:
        return html.notice("missing", labels.no_entry.format(entry=opened), "")
    quotes = []
    if opened in hits and not hits[opened].passage.is_question:
        quotes = [hits[opened].passage.span]
    note = html.opened_note(page.address, labels) if answer.entry else ""
    return html.source_card(kb.document(entry.document_id), entry, quotes, labels, note)


def draw_entry(page: Page, kb: policy_qa.KnowledgeBase) -> Shown:
    """Draw an entry that was opened without a question."""
    labels = page.labels
    entry = find_entry(kb, page.address.entry)
    if entry is None:
        st.html(html.notice("missing", labels.no_entry.format(entry=page.address.entry), ""))
        return Shown(page.address.entry)
    document = kb.document(entry.document_id)
    question = document.text[entry.question.start : entry.question.end]
    whole = kb.rule_card(entry.id) if html.is_readable(entry) else None
    left, right = st.columns([5, 7], gap="medium")
    left.html(html.entry_card(question, whole, labels))
    right.html(html.source_card(document, entry, (), labels))
    return Shown(page.address.entry, question)


def find_entry(kb: policy_qa.KnowledgeBase, entry_id: str) -> Entry | None:
    """Return an entry; None if there is none of that id."""
    try:
        return kb.entry(entry_id)
    except InputError:
        return None


def announcement(answer: Answer, page: Page) -> str:
    """Return what a screen reader says of an answer: its status and its conclusion."""
    words = page.labels.answer
    said = [
        words.statuses[answer.status],
        words.confidence.format(percent=percent(answer.confidence)),
    ]
    said += [citation.quote.strip() for citation in answer.conclusion]
    return ". ".join(said)
