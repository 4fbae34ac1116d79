"""What every view needs: where the knowledge base stands, the one that is open, the log."""

import logging
import os
import shlex
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import policy_qa
from policy_qa import changes, settings
from policy_qa.errors import PolicyQAError, StorageError
from policy_qa.page import Address, PageLabels
from policy_qa.query_log import QueryLog, log_file
from policy_qa.types import Language

LOGGER = logging.getLogger("policy_qa.app")
SYNC = "policy-qa sync"
"""What brings the knowledge base up to date."""
STALE_SECONDS = 30
"""How long it is trusted that the corpus has not changed."""
LOOK_SECONDS = 0.25
"""How long an answer waits to know whether it has."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is being drawn.

    Attributes:
        address: What is shown.
        language: Of the labels.
        labels: In that language.
        path: Where the knowledge base stands.
        state: What changes when answers may.
    """

    address: Address
    language: Language
    labels: PageLabels
    path: str
    state: tuple[int, str, int]

    @property
    def kb(self) -> policy_qa.KnowledgeBase:
        """The knowledge base, opened once for all readers until its state changes."""
        with st.spinner(self.labels.loading):
            return open_knowledge_base(self.path, self.state)


def kb_path() -> str:
    """Return where the knowledge base stands."""
    return os.environ.get("POLICY_QA_KB") or str(settings.KNOWLEDGE_BASE)


def kb_option() -> str:
    """Return what a command needs to find the knowledge base, with a blank before it."""
    named = os.environ.get("POLICY_QA_KB")
    return f" --kb {shlex.quote(named)}" if named else ""


@st.cache_resource(max_entries=2, show_spinner=False)
def open_knowledge_base(
    path: str,
    state: tuple[int, str, int],  # noqa: ARG001 (key)
) -> policy_qa.KnowledgeBase:
    """Open a knowledge base once for all readers, again for each state.

    An older one closes itself when the last reader of it is done.
    """
    return policy_qa.KnowledgeBase.open(path)


def is_stale(path: str, state: tuple[int, str, int]) -> bool:
    """Whether the corpus has changed since the build; False as long as that is not known.

    Looking takes long where a corpus is large, and nobody's answer waits for it.
    """
    found = _look(path, state)
    wait([found], LOOK_SECONDS)
    return found.done() and found.result()


@st.cache_resource(max_entries=4, ttl=STALE_SECONDS, show_spinner=False)
def _look(path: str, state: tuple[int, str, int]) -> Future[bool]:
    return _LOOKER.submit(_has_changed, Path(path), open_knowledge_base(path, state))


_LOOKER = ThreadPoolExecutor(1, "policy-qa-look")


def _has_changed(path: Path, kb: policy_qa.KnowledgeBase) -> bool:
    """Whether a corpus says otherwise; that a file was only saved again is no change."""
    try:
        return changes.is_stale(path, kb.manifest) and kb.changes().apply
    except (PolicyQAError, OSError, sqlite3.Error) as error:
        LOGGER.warning("%s", error)
        return False


def query_log(path: str) -> QueryLog | None:
    """Return the log of questions; None where `POLICY_QA_LOG` is `off`."""
    file = log_file(Path(path))
    return _open_log(str(file)) if file else None


@st.cache_resource(max_entries=1, show_spinner=False)
def _open_log(file: str) -> QueryLog:
    return QueryLog(Path(file))


def log_answer(page: Page, answer: policy_qa.Answer) -> int | None:
    """Log a question once in each session, however often it is drawn; return its number."""
    log = query_log(page.path)
    if log is None:
        return None
    logged: dict[tuple[str, int], int] = st.session_state.setdefault("logged", {})
    key = (answer.query, answer.generation)
    if key not in logged:
        try:
            logged[key] = log.record(answer, page.language)
        except StorageError as error:  # an answer is worth more than its line in the log
            LOGGER.warning("%s", error)
            return None
    return logged[key]


def rate(path: str, value: str) -> None:
    """Log whether an answer was useful; the value is its number and 1 or 0."""
    number, _, useful = value.partition(" ")
    log = query_log(path)
    asked_here = {str(n): n for n in st.session_state.get("logged", {}).values()}
    if log is None or number not in asked_here:
        return
    try:
        log.rate(asked_here[number], useful == "1")
    except policy_qa.PolicyQAError as error:
        LOGGER.warning("%s", error)
    else:
        st.session_state.setdefault("rated", set()).add(asked_here[number])
