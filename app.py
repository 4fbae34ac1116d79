"""The search page: `streamlit run app.py`. It displays; `policy_qa` answers and makes the HTML.

The address is the one truth about what is shown (see `policy_qa.page.address`): whatever is chosen
is written to it, and the page is drawn from it, so that Back and Forward walk through the queries.
"""

from dataclasses import asdict

import streamlit as st

import policy_qa
from app_views import ask, corpus, hit_test
from app_views.ask import Shown
from app_views.shared import LOGGER, Page, kb_option, kb_path, rate
from policy_qa import page as html
from policy_qa import settings
from policy_qa.errors import KnowledgeBaseNotFound, PolicyQAError, QueryError
from policy_qa.labels import choose_language
from policy_qa.page import PAGE_LABELS, Address, PageLabels

VIEWS = {"ask": ask.draw, "test": hit_test.draw, "corpus": corpus.draw}


def main() -> None:
    """Draw the page at its address, whatever state it is in."""
    address = Address.read(st.query_params.to_dict())
    language = address.language or choose_language(None, st.context.locale)
    labels = PAGE_LABELS[language]
    st.set_page_config(page_title=labels.title, layout="wide", initial_sidebar_state="collapsed")
    limit = st.get_option("server.maxUploadSize")
    st.html(html.style(html.style_words(hit_test.UPLOADS, limit, labels)))
    st.html(html.head(address, language, labels))
    draw_box(address, labels)
    shown = Shown()
    try:
        path = kb_path()
        state = policy_qa.KnowledgeBase.current_state(path)
        shown = VIEWS[address.view](Page(address, language, labels, path, state))
    except KnowledgeBaseNotFound:
        heading, note = labels.no_knowledge_base, labels.no_knowledge_base_note
        shown = tell("missing", heading, note, f"policy-qa build corpus/{kb_option()}")
    except QueryError:
        note = labels.query_error_note.format(limit=settings.MAX_QUERY_CHARS)
        shown = tell("error", labels.query_error, note)
    except PolicyQAError as error:
        shown = tell("error", labels.broken, labels.told, str(error))
    except Exception:  # noqa: BLE001 (logged whole; no traceback on the page)
        LOGGER.exception("The page could not be drawn")
        shown = tell("error", labels.failed, labels.failed_note)
    behaviour = st.components.v2.component(
        "policy_qa_behaviour", js=html.script(), isolate_styles=False
    )
    behaviour(
        key="behaviour",
        data={
            **asdict(shown),
            "view": address.view,
            "language": language,
            "chosen": address.language or "",
            "placeholder": labels.placeholder,
        },
        on_go_change=go,
        on_act_change=act,
    )


def tell(kind: str, heading: str, note: str, command: str = "") -> Shown:
    """Tell of a state in plain words, and of what to run or what the program says of it."""
    st.html(html.notice(kind, heading, note, command))
    return Shown(f"{heading} {note} {command}", f"{heading}. {note} {command}")


def draw_box(address: Address, labels: PageLabels) -> None:
    """Draw the question box, set from the address."""
    # Setting it anyway would drop unsent typing; a quick click can come before the box is filled.
    if st.session_state.get("drawn") != address.query or not st.session_state.get("query"):
        st.session_state["query"] = address.query
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
        st.form_submit_button(labels.ask, type="primary", on_click=submit)
    st.session_state["drawn"] = address.query


def submit() -> None:
    """Show what answers the question in the box."""
    language = Address.read(st.query_params.to_dict()).language
    show(Address(query=st.session_state["query"].strip(), language=language))


def go() -> None:
    """Follow a link of the page."""
    link = st.session_state["behaviour"].go
    if isinstance(link, str):
        show(Address.read_link(link))


def show(address: Address) -> None:
    """Write an address, as one step of the history."""
    if address.parameters() != st.query_params.to_dict():
        st.query_params.from_dict(address.parameters())


def act() -> None:
    """Do what a button of the page names."""
    match st.session_state["behaviour"].act:
        case ["rate", str(value)]:
            rate(kb_path(), value)
        case ["save", str(value)]:
            hit_test.save(kb_path(), value)


main()
