"""The search page: `streamlit run app.py`. The words and the HTML come from `policy_qa.page`.

The address is the one truth about what is shown: `?q=` the query, `?lang=` the language of the
labels. A widget is set from it before it is drawn and writes it when it changes, so that Back and
Forward walk through the queries.
"""

import logging
import os
import shlex

import streamlit as st

from policy_qa import (
    KnowledgeBase,
    KnowledgeBaseNotFound,
    PolicyQAError,
    QueryError,
    page,
    settings,
)
from policy_qa.labels import LABELS, LANGUAGES, Labels, choose_language
from policy_qa.output import escape_markdown
from policy_qa.types import Language

PATH = os.environ.get("POLICY_QA_KB") or str(settings.KNOWLEDGE_BASE)
EXAMPLES = 4


def main() -> None:
    """Draw the page at its address, whatever state it is in."""
    language = choose_language(st.query_params.get("lang"), st.context.locale)
    labels = LABELS[language]
    st.set_page_config(page_title=labels.title, layout="wide", initial_sidebar_state="collapsed")
    st.html(page.style())
    query = st.query_params.get("q", "").strip()
    draw_top(query, language, labels)
    view = ""
    try:
        view = draw_result(query, language, labels)
    except KnowledgeBaseNotFound:
        heading, note = labels.no_knowledge_base, labels.no_knowledge_base_note
        place = f" --kb {shlex.quote(PATH)}" if os.environ.get("POLICY_QA_KB") else ""
        st.html(page.notice("missing", heading, note, f"policy-qa build corpus/{place}"))
    except QueryError as error:
        st.html(page.notice("error", labels.query_error, str(error)))
    except PolicyQAError as error:
        st.html(page.notice("error", labels.broken, str(error)))
    except Exception:
        logging.getLogger("policy_qa.app").exception("The page could not be drawn")
        st.html(page.notice("error", labels.failed, labels.failed_note))
    behaviour = st.components.v2.component("policy_qa_behaviour", js=SCRIPT, isolate_styles=False)
    behaviour(key="behaviour", data={"language": language, "view": view})


def draw_top(query: str, language: Language, labels: Labels) -> None:
    """Draw the title, the languages and the question box, set from the address."""
    st.session_state["language"] = language
    # Setting it anyway would drop unsent typing; a quick click can come before the box is filled.
    if st.session_state.get("drawn") != query or not st.session_state.get("query"):
        st.session_state["query"] = query
    with st.container(horizontal=True, vertical_alignment="center", key="top"):
        st.html(f"<h1 class='pq-title'>{page.escape(labels.title)}</h1>")
        st.segmented_control(
            labels.language,
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            key="language",
            required=True,
            on_change=lambda: write_address("lang", st.session_state["language"]),
            label_visibility="collapsed",
        )
    with (
        st.form("ask", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(
            labels.placeholder,
            key="query",
            type="search",
            autocomplete="off",
            placeholder=labels.placeholder,
            label_visibility="collapsed",
        )
        st.form_submit_button(
            labels.ask,
            type="primary",
            on_click=lambda: write_address("q", st.session_state["query"].strip()),
        )
    st.session_state["drawn"] = query


def write_address(name: str, value: str) -> None:
    """Put a value into the address, as a new step of the history; an empty one leaves it."""
    if not value:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


@st.cache_resource(max_entries=2, show_spinner=False)
def open_knowledge_base(path: str, state: tuple[int, int]) -> KnowledgeBase:  # noqa: ARG001 (key)
    """Open a knowledge base once for all visitors, again for each state."""
    return KnowledgeBase.open(path)


@st.cache_data(max_entries=2, show_spinner=False)
def summary(path: str, state: tuple[int, int]) -> tuple[int, int, list[str]]:
    """Return the number of entries, the number of documents and the first stored questions."""
    kb = open_knowledge_base(path, state)
    questions = list(kb.questions().values())[:EXAMPLES]
    return len(kb.entries()), len(kb.documents()), questions


def draw_result(query: str, language: Language, labels: Labels) -> str:
    """Draw the answer, or the empty page; return a name for what is shown."""
    state = KnowledgeBase.current_state(PATH)
    with st.spinner(labels.loading):
        kb = open_knowledge_base(PATH, state)
    if not query:
        draw_empty(*summary(PATH, state), labels)
        return ""
    answer = kb.ask(query)
    others = [(hit, kb.document(hit.entry.document_id)) for hit in answer.related]
    heading = labels.others
    if answer.entry is None:
        heading = labels.nearest
        st.html(page.answer_card(answer, labels, language))
    else:
        left, right = st.columns([5, 7], gap="medium")
        whole = kb.rule_card(answer.entry.id) if page.is_readable(answer.entry) else None
        left.html(page.answer_card(answer, labels, language, whole))
        quotes = [citation.span for citation in answer.conclusion]
        document = kb.document(answer.entry.document_id)
        right.html(page.source_card(document, answer.entry, quotes, labels))
    if others:
        st.html(page.other_entries(others, heading, labels))
    return f"{answer.generation} {answer.entry.id if answer.entry else ''} {query}"


def draw_empty(entries: int, documents: int, questions: list[str], labels: Labels) -> None:
    """Draw what stands below the box before a question is asked."""
    st.html(page.empty(entries, documents, labels, examples=bool(questions)))
    with st.container(gap="xsmall"):
        for number, question in enumerate(questions):
            st.button(
                escape_markdown(question),
                key=f"example-{number}",
                on_click=write_address,
                args=("q", question.strip()),
            )


SCRIPT = """
let shown = "";
export default function ({ data }) {
  document.documentElement.lang = data.language;
  if (data.view === shown) return;
  shown = data.view;
  requestAnimationFrame(() => {
    const box = document.querySelector(".pq-entry .pq-source");
    const mark = box?.querySelector("mark");
    if (!box) return;
    const above = mark ? mark.getBoundingClientRect().top - box.getBoundingClientRect().top : 0;
    box.scrollTop = mark ? box.scrollTop + above - box.clientHeight / 4 : 0;
  });
}
"""

main()
