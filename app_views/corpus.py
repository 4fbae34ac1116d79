"""The keeper's view: entries with search, what changed, what the checks found, what is missing."""

from pathlib import Path

import streamlit as st

from app_views.ask import Shown
from app_views.shared import LOGGER, STALE_SECONDS, Page, open_knowledge_base, query_log
from policy_qa import gaps, lint
from policy_qa import page as html
from policy_qa.changes import Changes, corpus_of
from policy_qa.errors import StorageError
from policy_qa.folding import fold
from policy_qa.page.keeping import MOST_SHOWN


def draw(page: Page) -> Shown:
    """Draw the view."""
    kb, labels, address = page.kb, page.labels, page.address
    manifest = kb.manifest
    st.html(
        html.overview(manifest.entries, manifest.documents, manifest.created, kb.generation, labels)
    )
    left, right = st.columns([7, 5], gap="medium")
    with left:
        draw_entries(page)
    with right:
        st.html(html.changes(changed(page.path, page.state), page.build_command, labels))
        checked = None
        if address.check:
            with st.spinner(labels.lint_wait, show_time=True):
                checked = findings(page.path, page.state)
        st.html(html.findings(checked, address, labels))
        draw_gaps(page)
    return Shown(f"corpus {address.find} {address.check}")


def draw_entries(page: Page) -> None:
    """Draw the search in the entries, and those that it finds."""
    # Streamlit forgets what the box holds while another view is shown.
    if st.session_state.get("searched") != page.address.find or "find" not in st.session_state:
        st.session_state["find"] = page.address.find
    st.session_state["searched"] = page.address.find
    labels = page.labels
    st.text_input(
        labels.corpus_find,
        key="find",
        placeholder=labels.corpus_find,
        label_visibility="collapsed",
        on_change=lambda: write_find(st.session_state["find"]),
    )
    wanted = fold(page.address.find).split()
    found = [
        (entry_id, question)
        for entry_id, question in names(page.path, page.state)
        if holds(wanted, f"{entry_id} {question}")
    ]
    st.html(html.entries(found[:MOST_SHOWN], len(found), page.address, labels))


@st.cache_resource(max_entries=2, show_spinner=False)
def names(path: str, state: tuple[int, str, int]) -> list[tuple[str, str]]:
    """Return every entry's id and question."""
    kb = open_knowledge_base(path, state)
    questions = kb.questions()
    return [(entry.id, questions.get(entry.id, "").strip()) for entry in kb.entries()]


@st.cache_data(max_entries=2, ttl=STALE_SECONDS, show_spinner=False)
def changed(path: str, state: tuple[int, str, int]) -> Changes | None:
    """Return what a new build would change; None where the corpus is not found."""
    kb = open_knowledge_base(path, state)
    return kb.changes() if corpus_of(kb.manifest) else None


def holds(wanted: list[str], text: str) -> bool:
    """Whether a text holds every one of some folded words."""
    folded = fold(text) if wanted else ""
    return all(word in folded for word in wanted)


def write_find(text: str) -> None:
    """Write what is looked for to the address."""
    if text.strip():
        st.query_params["find"] = text.strip()
    else:
        st.query_params.pop("find", None)


@st.cache_data(max_entries=2, show_spinner=False)
def findings(path: str, state: tuple[int, str, int]) -> list[lint.Finding]:
    """Check the knowledge base once for each state."""
    return lint.lint(open_knowledge_base(path, state))


def draw_gaps(page: Page) -> None:
    """Draw the questions that were not covered, with their file."""
    labels, log = page.labels, query_log(page.path)
    if log is None:
        st.html(html.gaps(None, labels))
        return
    try:
        logged = log.uncovered()
    except StorageError as error:
        LOGGER.warning("%s", error)
        logged = []
    found = grouped(page.path, page.state, [one.query for one in logged])
    st.html(html.gaps(found, labels))
    if found:
        st.download_button(
            labels.gaps_download,
            gaps.gaps_csv(found).encode("utf-8"),
            file_name=f"{Path(page.path).resolve().name}-gaps.csv",
            mime="text/csv",
        )


@st.cache_data(max_entries=2, show_spinner=False)
def grouped(path: str, state: tuple[int, str, int], queries: list[str]) -> list[gaps.Gap]:
    """Group queries by meaning."""
    return gaps.group(queries, open_knowledge_base(path, state).encoder)
