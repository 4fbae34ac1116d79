"""The keeper's view: entries with search, what changed, what the checks found, what is missing."""

import shlex
from datetime import date
from pathlib import Path

import streamlit as st

import policy_qa
from app_views.ask import Shown
from app_views.shared import (
    LOGGER,
    STALE_SECONDS,
    SYNC,
    Page,
    kb_option,
    open_knowledge_base,
    query_log,
)
from policy_qa import gaps, keeping, lint
from policy_qa import page as html
from policy_qa.changes import Changes, corpus_of
from policy_qa.errors import StorageError
from policy_qa.folding import fold
from policy_qa.page.lists import MOST_SHOWN
from policy_qa.query_log import Logged


def draw(page: Page) -> Shown:
    """Draw the view."""
    kb, labels, address = page.kb, page.labels, page.address
    manifest = kb.manifest
    st.html(
        html.overview(manifest.entries, manifest.documents, manifest.created, kb.generation, labels)
    )
    made = keeping.history(Path(page.path))
    if told := html.history(made, f"policy-qa rollback N{kb_option()}", labels):
        st.html(told)
    left, right = st.columns([7, 5], gap="medium")
    with left:
        draw_entries(page)
    with right:
        draw_changes(page, kb)
        if ending := ending_soon(page.path, page.state, today()):
            st.html(html.expiring(ending, address, labels))
        checked = None
        if address.check:
            with st.spinner(labels.lint_wait):
                checked = findings(page.path, page.state)
        st.html(html.findings(checked, address, labels))
        draw_gaps(page)
    return Shown(f"corpus {address.find} {address.check}")


def draw_changes(page: Page, kb: policy_qa.KnowledgeBase) -> None:
    """Draw what the corpus has that the knowledge base lacks, and which files were left out."""
    labels, manifest = page.labels, kb.manifest
    with st.spinner(labels.lint_wait):
        found = changed(page.path, page.state)
    command = f"{SYNC}{kb_option()}"
    st.html(html.changes(found, manifest.skipped, manifest.corpus, command, labels))
    if manifest.skipped:
        st.html(html.left_out(manifest.skipped, labels))


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
        for entry_id, question, folded in names(page.path, page.state)
        if all(word in folded for word in wanted)
    ]
    st.html(html.entries(found[:MOST_SHOWN], len(found), page.address, labels))


@st.cache_resource(max_entries=2, show_spinner=False)
def names(path: str, state: tuple[int, str, int]) -> list[tuple[str, str, str]]:
    """Return every entry's id, its question, and both folded."""
    kb = open_knowledge_base(path, state)
    questions = kb.questions()
    found = [(entry.id, questions.get(entry.id, "").strip()) for entry in kb.entries()]
    return [(name, question, fold(f"{name} {question}")) for name, question in found]


@st.cache_data(max_entries=2, ttl=STALE_SECONDS, show_spinner=False)
def changed(path: str, state: tuple[int, str, int]) -> Changes | None:
    """Return what `sync` would change; None where the corpus is not found."""
    kb = open_knowledge_base(path, state)
    return kb.changes() if corpus_of(kb.manifest) else None


@st.cache_data(max_entries=2, show_spinner=False)
def ending_soon(
    path: str,
    state: tuple[int, str, int],  # noqa: ARG001 (key)
    day: date,
) -> list[keeping.Expiring]:
    """Return the entries that end soon, or have ended, once for each state and day."""
    return keeping.expiring(Path(path), lint.EXPIRING_DAYS, day)


def today() -> date:
    """Return the day by which entries end."""
    return date.today()  # noqa: DTZ011 (rules go by the reader's own calendar)


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
    name = f"{Path(page.path).resolve().name}-gaps.csv"
    command = f"policy-qa gaps --import {shlex.quote(name)}{kb_option()}"
    if log is None:
        st.html(html.gaps(None, command, labels))
        return
    try:
        logged = log.uncovered()
    except StorageError as error:
        LOGGER.warning("%s", error)
        logged = []
    with st.spinner(labels.gaps):
        found = grouped(page.path, page.state, today(), logged)
    st.html(html.gaps(found, command, labels))
    if found:
        st.download_button(
            labels.gaps_download,
            gaps.gaps_csv(found).encode("utf-8"),
            file_name=name,
            mime="text/csv",
        )


@st.cache_data(max_entries=2, show_spinner=False)
def grouped(
    path: str, state: tuple[int, str, int], day: date, logged: list[Logged]
) -> list[gaps.Gap]:
    """Group the queries that are not covered yet by meaning."""
    left = gaps.still_open(logged, lambda query: is_covered(path, state, day, query))
    return gaps.group(left, open_knowledge_base(path, state).encoder)


@st.cache_data(max_entries=gaps.MOST_QUERIES, show_spinner=False)
def is_covered(path: str, state: tuple[int, str, int], day: date, query: str) -> bool:  # noqa: ARG001 (once a day)
    """Whether a question is covered on a day."""
    return gaps.is_covered(query, open_knowledge_base(path, state).ask)
