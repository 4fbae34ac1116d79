"""The view that tests many questions at once."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app_views.ask import Shown
from app_views.shared import LOGGER, Page
from policy_qa import page as html
from policy_qa.errors import CorruptionError, EvaluationError, PolicyQAError
from policy_qa.evaluation import hit_tests, question_tables, saved_cases
from policy_qa.evaluation.hit_tests import Change, HitTest
from policy_qa.evaluation.saved_cases import EVAL_FOLDER
from policy_qa.reading import language_of

UPLOADS = ["csv", "tsv", "xlsx", "txt"]
"""Their size is bounded by `server.maxUploadSize` in `.streamlit/config.toml`."""


def draw(page: Page) -> Shown:
    """Draw the form, and the last test of this reader."""
    labels = page.labels
    st.html(html.test_lead(labels))
    with st.form("test", border=False):
        left, right = st.columns([7, 5], gap="medium")
        pasted = left.text_area(labels.test_paste, key="pasted", height=140)
        upload = right.file_uploader(labels.test_upload, type=UPLOADS, key="upload")
        asked = st.form_submit_button(labels.test_run, type="primary")
    try:
        if asked:
            run(page, pasted, upload)
    except EvaluationError as error:
        st.html(html.notice("error", labels.file_error, labels.told, str(error)))
        return Shown(f"test {error}", f"{labels.file_error}. {error}")
    if saved := st.session_state.pop("saved_cases", None):
        count, folder = saved
        form = labels.saved if count == 1 else labels.saved_all
        st.html(html.strip("saved", form.format(count=count, folder=folder)))
    if reason := st.session_state.pop("not_saved", ""):
        st.html(html.notice("error", labels.failed, labels.told, reason))
    tested: tuple[HitTest, Change | None, str] | None = st.session_state.get("tested")
    if tested is None:
        return Shown("test")
    test, change, before = tested
    st.html(html.test_result(test, change, before, page.address, labels))
    said = labels.test_judged.format(count=len(test.judged))
    return Shown(f"test {id(test)}", said)


def run(page: Page, pasted: str, upload: UploadedFile | None) -> None:
    """Test the questions, and compare them with the last test."""
    if upload is not None:
        cases = question_tables.read_questions(upload.getvalue(), upload.name)
    elif pasted.strip():
        cases = question_tables.read_pasted(pasted)
    else:
        raise EvaluationError(page.labels.test_nothing)
    kb, path = page.kb, Path(page.path)
    with st.spinner(page.labels.searching):
        test = hit_tests.run_test(kb, cases)
    try:
        before = hit_tests.last(path)
    except CorruptionError as error:  # the next one replaces it
        LOGGER.warning("%s", error)
        before = None
    change = hit_tests.compare(before, test) if before else None
    try:
        hit_tests.keep(path, test)
    except PolicyQAError as error:  # the figures are there all the same
        LOGGER.warning("%s", error)
    st.session_state["tested"] = test, change, before.day if before else ""


def save(path: str, which: str) -> None:
    """Save one question of the test, or all that have an expected entry, as evaluation cases."""
    tested: tuple[HitTest, Change | None, str] | None = st.session_state.get("tested")
    if tested is None:
        return
    tried = tested[0].tried
    if which == "all":
        chosen = [one for one in tried if one.expected]
    else:
        chosen = [one for number, one in enumerate(tried) if str(number) == which]
    folder = Path(path, EVAL_FOLDER)
    try:
        for one in chosen:
            entry = one.expected or one.found
            if entry:
                saved_cases.save_case(folder, one.query, entry, language_of(one.query))
            else:
                saved_cases.save_uncovered(folder, one.query)
    except PolicyQAError as error:
        st.session_state["not_saved"] = str(error)
    else:
        st.session_state["saved_cases"] = len(chosen), str(folder)
