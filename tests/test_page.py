"""The search page without a browser: each state of its three views."""

import html
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import openpyxl
import page_fakes
import pytest
import streamlit as st
from page_fakes import (
    CAUTION_KINDS,
    DAY,
    HOSTILE,
    HOSTILE_TEXT,
    FakeKnowledgeBase,
    behaviour,
    draw,
    every_change,
    every_end,
    every_event,
    every_finding,
    log_useless,
    send,
    shown,
)
from streamlit.testing.v1 import AppTest

import policy_qa
from app_views import shared
from policy_qa import changes, keeping, lint
from policy_qa.changes import Changes, DocumentChanges, EntryName
from policy_qa.errors import (
    CorruptionError,
    EncoderError,
    KnowledgeBaseNotFound,
    PolicyQAError,
    StorageError,
)
from policy_qa.evaluation import load_evaluation_set
from policy_qa.labels import LANGUAGES
from policy_qa.lint import KINDS as FINDING_KINDS
from policy_qa.output import answer_chat
from policy_qa.page import PAGE_LABELS
from policy_qa.types import CONTRADICTIONS, FIELDS

EN = PAGE_LABELS["en"]
TABLE = "question\tentry\nshoes\tshop#1\nwhat pays\tWho pays?\nshoes and pays\tshop#1\nweather"
"""Two hits, a miss, and a question that nothing is expected of."""


@pytest.fixture
def kb_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the knowledge base stands, with its log and its test cases."""
    path = tmp_path / "my kb"
    (path / "generations").mkdir(parents=True)
    monkeypatch.setenv("POLICY_QA_KB", str(path))
    monkeypatch.delenv("POLICY_QA_LOG", raising=False)
    return path


@pytest.fixture
def fake(kb_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeKnowledgeBase]]:
    """Put a fake in the place of the knowledge base; tests change its class attributes."""

    class Fake(FakeKnowledgeBase):
        opened: ClassVar[list[str]] = []
        asked: ClassVar[list[str]] = []

    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setattr(policy_qa, "KnowledgeBase", Fake)
    monkeypatch.setattr(keeping, "history", lambda path: Fake.made)
    monkeypatch.setattr(keeping, "expiring", lambda path, within, today: Fake.ending)
    monkeypatch.setattr(shared, "LOOK_SECONDS", 10)
    yield Fake
    if log := shared.query_log(str(kb_path)):
        log.close()


def rows(knowledge_base: Path) -> list[Any]:
    """Return what the log holds of each question: the query, its status and its rating."""
    with sqlite3.connect(knowledge_base / "queries.sqlite") as connection:
        found = connection.execute("SELECT query, status, useful FROM questions").fetchall()
    connection.close()
    return found


# --- asking -------------------------------------------------------------------------------------


def test_empty_page_offers_the_stored_questions(fake: type[FakeKnowledgeBase]) -> None:
    """Without a query the page counts the entries and links the first stored questions."""
    text = shown(draw())
    assert "Entries: 2, documents: 1" in text
    examples = text[text.index("pq-examples") :]
    assert '<a class="pq-row" href="?q=May+I+return+shoes%3F&amp;lang=en">' in examples
    assert "Who pays?" in examples


def test_link_asks_its_question(fake: type[FakeKnowledgeBase]) -> None:
    """A followed link writes its question to the address and to the box, and is answered."""
    app = send(draw(), "go", "?q=May+I+return+shoes%3F&lang=en")
    assert app.query_params == {"q": "May I return shoes?", "lang": "en"}
    assert app.text_input(key="query").value == "May I return shoes?"
    assert "pq-answered" in shown(app)


def test_typed_question_is_asked_in_the_language_of_the_page(
    fake: type[FakeKnowledgeBase],
) -> None:
    """The button writes what the box holds, without blanks around it, from whatever view."""
    app = draw(view="test", language="zh-Hans")
    app.text_input(key="query").set_value("  shoes ")
    app.button(key="FormSubmitter:ask-查询").click().run()
    assert app.query_params == {"q": "shoes", "lang": "zh-Hans"}
    assert "已有答案" in shown(app)


def test_answer_stands_beside_its_source(fake: type[FakeKnowledgeBase]) -> None:
    """An answer shows status, confidence, quote, place, highlighted source and other entries."""
    text = shown(draw("shoes"))
    for part in ("Answered", "confidence 91%", "shop.txt, line 2", "May I return shoes?"):
        assert part in text
    assert '<blockquote lang="en">Yes, within 7 days.</blockquote>' in text
    assert "<mark>Yes, within 7 days.</mark>" in text
    assert "Who pays?" in text[text.index("Other entries") :]


def test_answer_shows_cautions_and_rule_card(fake: type[FakeKnowledgeBase]) -> None:
    """The page passes on what the answer warns of and says, and all that the entry says, folded."""
    text = shown(draw("careful"))
    assert text.count('<p role="note">') == len(CAUTION_KINDS)
    assert text.count('class="pq-sides"') == len(CONTRADICTIONS)
    assert "The same is said in: shop.txt, line 4" in text
    before, _, after = text.partition('<details class="pq-whole">')
    assert before.count('<dd lang="en">Yes, within 7 days.</dd>') == 1
    assert after.count('<dd lang="en">Yes, within 7 days.</dd>') == len(FIELDS)


@pytest.mark.parametrize(("characters", "whole"), [(9_000, 1), (11_000, 0)])
def test_long_entry_gets_no_whole_card(
    fake: type[FakeKnowledgeBase], characters: int, whole: int
) -> None:
    """All points of an entry are offered only if it is short enough to read them."""
    fake.text = f"1. May I return shoes?\n{'Yes. ' * (characters // 5)}\n2. Who pays?\nThe buyer.\n"
    text = shown(draw("careful"))
    assert "pq-answered" in text
    assert text.count('<details class="pq-whole">') == whole


def test_quotes_are_read_in_the_script_of_the_page(fake: type[FakeKnowledgeBase]) -> None:
    """A page in the other script adds a reading to quotes; their own words stay."""
    fake.text = "1. 可以退貨嗎?\n可以,運費由買家承擔。\n2. 多久?\n七天內。\n"
    for language, read in (("zh-Hans", True), ("zh-Hant", False), ("en", False)):
        text = shown(draw("shoes", language))
        assert '<blockquote lang="zh-Hant">可以,運費由買家承擔。</blockquote>' in text
        assert ("可以,运费由买家承担。</p>" in text) == read
        assert ("pq-reading" in text) == read


def test_related_answer_says_that_it_is_not_certain(fake: type[FakeKnowledgeBase]) -> None:
    """A related answer shows quotes and source under words that do not claim an answer."""
    text = shown(draw("maybe"))
    assert "Related, not certain" in text
    assert "may not answer the question" in text
    assert "<mark>" in text


def test_uncovered_query_shows_the_nearest_entries(fake: type[FakeKnowledgeBase]) -> None:
    """What is not covered is said plainly, with nothing quoted as its answer, and can be told."""
    text = shown(draw("weather"))
    assert "Not covered" in text
    assert "<blockquote" not in text
    assert "May I return shoes?" in text[text.index("Did you mean") :]
    assert EN.report in text
    assert EN.copy not in text


@pytest.mark.parametrize(
    ("language", "label"), [("zh-Hant", "已有答案"), ("zh-Hans", "已有答案"), ("en", "Answered")]
)
def test_labels_change_and_quotes_do_not(
    fake: type[FakeKnowledgeBase], language: str, label: str
) -> None:
    """The labels follow the language of the address; the quote stays the source's own."""
    app = draw("shoes", language)
    assert label in shown(app)
    assert '<blockquote lang="en">Yes, within 7 days.</blockquote>' in shown(app)
    assert behaviour(app)["language"] == language


@pytest.mark.parametrize("view", ["", "test", "corpus"])
def test_every_link_keeps_the_language(fake: type[FakeKnowledgeBase], view: str) -> None:
    """Every link but those to another language stays in the one that was chosen."""
    app = draw("" if view else "careful", "zh-Hans", view=view, why="1", check="1")
    links = [part.partition('"')[0] for part in shown(app).split('href="')[1:]]
    others = [link for link in links if "lang=zh-Hans" not in link]
    assert len(links) > 6
    assert len(others) == 2
    assert all(link.endswith(("lang=zh-Hant", "lang=en")) for link in others)


def test_language_link_keeps_the_query(fake: type[FakeKnowledgeBase]) -> None:
    """Choosing a language writes it to the address and drops nothing."""
    app = draw("shoes", why="1")
    assert 'href="?q=shoes&amp;why=1&amp;lang=zh-Hans"' in shown(app)
    send(app, "go", "?q=shoes&why=1&lang=zh-Hans")
    assert app.query_params == {"q": "shoes", "why": "1", "lang": "zh-Hans"}
    assert app.text_input(key="query").value == "shoes"
    assert "对应的条目" in shown(app)


def test_other_entry_is_opened_beside_the_answer(fake: type[FakeKnowledgeBase]) -> None:
    """The source is that of the entry opened, with a way back; the answer stays."""
    text = shown(draw("shoes", entry="shop#2"))
    assert '<blockquote lang="en">Yes, within 7 days.</blockquote>' in text
    source = text[text.index('class="pq-entry"') :]
    assert "<mark>The buyer.</mark>" in source
    assert "<mark>Yes" not in source
    assert '<a class="" href="?q=shoes&amp;lang=en">Back to the matched entry</a>' in source
    assert 'aria-current="page"' in source[source.index("pq-others") :]


def test_entry_is_opened_without_a_question(fake: type[FakeKnowledgeBase]) -> None:
    """An address that names an entry shows its question, its points and its source."""
    app = draw(entry="shop#2")
    text = shown(app)
    assert '<h2 class="pq-question" lang="en">Who pays?</h2>' in text
    assert '<dd lang="en">The buyer.</dd>' in text
    assert "<strong>Who pays?</strong>" in text
    assert behaviour(app)["said"] == "Who pays?"
    assert not fake.asked


@pytest.mark.parametrize("query", ["", "shoes", "weather"])
def test_unknown_entry_is_named(fake: type[FakeKnowledgeBase], query: str) -> None:
    """An address with an entry that is gone says so; the answer to its query stays."""
    text = shown(draw(query, entry="shop#<9>"))
    assert "The knowledge base has no such entry: shop#&lt;9&gt;" in text
    assert ("<blockquote" in text) == (query == "shoes")


@pytest.mark.parametrize(("entry", "standing"), [("", "First, 0.100"), ("shop#2", "Rank 2, 0.100")])
def test_why_panel_tells_of_the_entry_shown(
    fake: type[FakeKnowledgeBase], entry: str, standing: str
) -> None:
    """The panel is shown on request, of the entry whose source is open."""
    assert "pq-why" not in shown(draw("shoes", entry=entry))
    text = shown(draw("shoes", entry=entry, why="1"))
    panel = text[text.index("pq-why") :]
    assert standing in panel
    for name in (*EN.parts.values(), *EN.signals.values()):
        assert name in panel


def test_why_of_an_entry_that_was_not_found_is_not_shown(fake: type[FakeKnowledgeBase]) -> None:
    """There is no reason to tell why something was found that was not."""
    text = shown(draw("shoes", entry="shop#9", why="1"))
    assert "pq-answered" in text
    assert "pq-why" not in text


def test_copied_text_is_the_answer_with_its_place(fake: type[FakeKnowledgeBase]) -> None:
    """The copy button holds the text of a chat answer."""
    text = shown(draw("shoes"))
    copied = text.partition('data-pq-copy="')[2].partition('"')[0]
    answer = FakeKnowledgeBase().ask("shoes")
    assert html.unescape(copied) == answer_chat(answer, EN.answer, read_in="en")


def test_screen_reader_is_told_status_and_conclusion(fake: type[FakeKnowledgeBase]) -> None:
    """What is announced says how sure the answer is, and the answer."""
    told = behaviour(draw("shoes"))
    assert told["said"] == "Answered. confidence 91%. Yes, within 7 days."
    assert told["asked"] == "shoes"
    assert behaviour(draw("weather"))["said"] == "Not covered. confidence 4%"
    assert behaviour(draw("shoes", entry="shop#2"))["key"] != told["key"]
    assert behaviour(draw("shoes", why="1"))["key"] == told["key"]


# --- states in which nothing can be asked -------------------------------------------------------


@pytest.mark.parametrize("view", ["", "test", "corpus"])
def test_missing_knowledge_base_names_the_command(
    fake: type[FakeKnowledgeBase], kb_path: Path, view: str
) -> None:
    """Where no knowledge base stands, every view says what builds one."""
    fake.opening = KnowledgeBaseNotFound("There is no knowledge base.")
    app = draw("shoes", view=view)
    assert "No knowledge base yet" in shown(app)
    command = f"policy-qa build corpus/ --kb '{kb_path}'".replace("'", "&#x27;")
    assert command in shown(app)
    assert behaviour(app)["said"].startswith("No knowledge base yet")


def test_command_names_no_place_that_is_the_usual_one(
    fake: type[FakeKnowledgeBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without POLICY_QA_KB the command needs no option."""
    monkeypatch.delenv("POLICY_QA_KB")
    fake.opening = KnowledgeBaseNotFound("There is no knowledge base.")
    assert ">policy-qa build corpus/</pre>" in shown(draw())


@pytest.mark.parametrize(
    "error",
    [
        CorruptionError("fake-kb/vectors.npy is truncated: run policy-qa build."),
        EncoderError("The encoder <small> cannot be loaded."),
        StorageError("Cannot read fake-kb: Permission denied."),
    ],
)
@pytest.mark.parametrize("view", ["", "corpus"])
def test_unusable_knowledge_base_shows_the_errors_own_line(
    fake: type[FakeKnowledgeBase], error: PolicyQAError, view: str
) -> None:
    """An error of opening is shown in its one line, escaped."""
    fake.opening = error
    text = shown(draw(view=view))
    assert "The knowledge base cannot be used" in text
    assert str(error).replace("<", "&lt;").replace(">", "&gt;") in text
    assert EN.told in text


def test_unsearchable_query_is_explained(fake: type[FakeKnowledgeBase]) -> None:
    """A query that cannot be searched is explained in one line, and the box stays usable."""
    app = draw("?", "zh-Hant")
    assert "請用文字提問，最多 2000 字。" in shown(app)
    app = draw("?")
    assert "This question cannot be searched" in shown(app)
    assert "Ask in words, in at most 2000 characters." in shown(app)
    assert app.text_input(key="query").value == "?"
    told = behaviour(app)
    assert told["said"].startswith("This question cannot be searched")
    assert told["key"] != behaviour(draw())["key"]
    assert told["asked"] == ""


def test_unforeseen_error_tells_nothing_private(
    fake: type[FakeKnowledgeBase], caplog: pytest.LogCaptureFixture
) -> None:
    """An error nobody foresaw is logged whole and shown in general words."""
    text = shown(draw("boom"))
    assert "Something went wrong" in text
    assert "a private detail" not in text
    assert "a private detail" in caplog.text


def test_knowledge_base_is_opened_once_for_each_generation(
    fake: type[FakeKnowledgeBase], kb_path: Path
) -> None:
    """Every visitor shares one opened knowledge base until its generation changes."""
    app = draw("shoes")
    draw("maybe")
    assert fake.opened == [str(kb_path)]
    fake.generation = 2
    fake.text = fake.text.replace("7 days", "9 days")
    app.run()
    assert fake.opened == [str(kb_path)] * 2
    assert '<blockquote lang="en">Yes, within 9 days.</blockquote>' in shown(app)


def test_changed_corpus_is_told_with_the_command(
    fake: type[FakeKnowledgeBase], kb_path: Path, tmp_path: Path
) -> None:
    """Above every answer stands that its source says otherwise, and what brings it up to date.

    A file that was only saved again is no change.
    """
    corpus = tmp_path / "my corpus"
    corpus.mkdir()
    fake.corpus = str(corpus)
    (corpus / "shop.txt").write_text(fake.text, encoding="utf-8")
    fake.created = "2999-01-01T00:00:00+00:00"
    fake.different = Changes(added=("new.txt",))
    assert "pq-stale" not in shown(draw())
    st.cache_resource.clear()
    fake.different = Changes()
    fake.created = "2001-01-01T00:00:00+00:00"
    assert "pq-stale" not in shown(draw())
    st.cache_resource.clear()
    fake.different = Changes(added=("new.txt",))
    for query in ("", "shoes", "weather"):
        text = shown(draw(query))
        assert "The source has changed" in text
        command = f"policy-qa sync --kb '{kb_path}'".replace("'", "&#x27;")
        assert f"<code>{command}</code>" in text


# --- the log ------------------------------------------------------------------------------------


def test_question_is_logged_once_however_often_it_is_drawn(
    fake: type[FakeKnowledgeBase], kb_path: Path
) -> None:
    """Panels, languages and other sources of the same answer add nothing to the log."""
    app = draw("shoes")
    for link in ("?q=shoes&why=1", "?q=shoes&entry=shop%232", "?q=shoes&lang=zh-Hans"):
        send(app, "go", link)
    app.run()
    assert rows(kb_path) == [("shoes", "answered", None)]
    send(app, "go", "?q=weather")
    assert rows(kb_path)[1:] == [("weather", "not_covered", None)]
    fake.generation = 2
    app.run()
    assert len(rows(kb_path)) == 3


@pytest.mark.parametrize(
    ("query", "value", "said"),
    [
        ("shoes", "1", "Noted, thank you."),
        ("shoes", "0", "Noted, thank you."),
        ("weather", "0", "Reported, thank you."),
    ],
)
def test_rating_is_stored_and_thanked_for(
    fake: type[FakeKnowledgeBase], kb_path: Path, query: str, value: str, said: str
) -> None:
    """A rating goes to the row of its question and can be given once."""
    app = draw(query)
    assert 'data-pq-do="rate"' in shown(app)
    send(app, "act", ["rate", f"1 {value}"])
    assert said in shown(app)
    assert 'data-pq-do="rate"' not in shown(app)
    assert [row[2] for row in rows(kb_path)] == [int(value)]
    send(app, "go", "?q=maybe")
    assert 'data-pq-do="rate"' in shown(app)
    assert "pq-thanks" not in shown(app)
    send(app, "go", f"?q={query}&lang=en")
    assert said in shown(app)
    assert [row[2] for row in rows(kb_path)] == [int(value), None]


def test_only_questions_of_this_session_are_rated(
    fake: type[FakeKnowledgeBase], kb_path: Path
) -> None:
    """A rating of a question that somebody else asked is not kept."""
    draw("shoes")
    app = draw("weather")
    for value in ("1 1", "3 1", "x 1", "", "9" * 5_000):
        send(app, "act", ["rate", value])
    assert [row[2] for row in rows(kb_path)] == [None, None]


def test_log_can_be_turned_off(
    fake: type[FakeKnowledgeBase], kb_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a log nothing is written, and nothing is asked that would be."""
    monkeypatch.setenv("POLICY_QA_LOG", "OFF")
    for query in ("shoes", "weather"):
        app = draw(query)
        assert 'data-pq-do="rate"' not in shown(app)
        send(app, "act", ["rate", "1 1"])
        assert "pq-thanks" not in shown(app)
    assert "Questions are not logged (POLICY_QA_LOG=off)." in shown(draw(view="corpus"))
    assert [file.name for file in kb_path.iterdir()] == ["generations"]


def test_log_can_stand_elsewhere(
    fake: type[FakeKnowledgeBase],
    kb_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """POLICY_QA_LOG names another file."""
    monkeypatch.setenv("POLICY_QA_LOG", str(tmp_path / "logs" / "asked.sqlite"))
    draw("shoes")
    assert (tmp_path / "logs" / "asked.sqlite").is_file()
    assert [file.name for file in kb_path.iterdir()] == ["generations"]


def test_damaged_log_disturbs_no_answer(
    fake: type[FakeKnowledgeBase], kb_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer is shown without what needs the log, and the reason is logged."""
    (kb_path / "queries.sqlite").write_text("no log at all " * 100)
    text = shown(draw("shoes"))
    assert '<blockquote lang="en">Yes, within 7 days.</blockquote>' in text
    assert 'data-pq-do="rate"' not in text
    assert "is damaged or is no log of questions" in caplog.text
    assert "There are none yet." in shown(draw(view="corpus"))


def test_log_that_breaks_before_a_rating_disturbs_nothing(
    fake: type[FakeKnowledgeBase], kb_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A rating that cannot be kept is not thanked for; the answer stays."""
    app = draw("shoes")
    with sqlite3.connect(kb_path / "queries.sqlite") as connection:
        connection.execute("DELETE FROM questions")
    connection.close()
    send(app, "act", ["rate", "1 1"])
    assert "pq-thanks" not in shown(app)
    assert "pq-answered" in shown(app)
    assert "holds no question 1" in caplog.text


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ("act", "rate"),
        ("act", ["rate"]),
        ("act", ["rate", 1]),
        ("act", ["save", "0"]),
        ("act", ["drop", "all"]),
        ("act", {"rate": "1"}),
        ("go", 7),
        ("go", ["?q=other"]),
        ("go", None),
    ],
)
def test_what_no_button_sends_changes_nothing(
    fake: type[FakeKnowledgeBase], kb_path: Path, event: str, value: object
) -> None:
    """What a browser may be made to send does no harm."""
    before = draw("shoes")
    text = shown(before)
    app = send(before, event, value)
    assert shown(app) == text
    assert app.query_params == {"q": "shoes", "lang": "en"}
    assert rows(kb_path) == [("shoes", "answered", None)]


def test_link_can_only_name_what_the_page_shows(fake: type[FakeKnowledgeBase]) -> None:
    """A link that was tampered with leads to a view of this page and nowhere else."""
    app = send(draw(), "go", "?view=admin&q=%20&lang=xx&why=2&embed=true&next=//example.com")
    assert app.query_params == {}
    assert "pq-examples" in shown(app)
    send(app, "go", "javascript:alert(1)")
    assert app.query_params == {}


# --- testing questions --------------------------------------------------------------------------


def try_out(app: AppTest, pasted: str = "", upload: tuple[str, bytes, str] | None = None) -> str:
    """Paste or upload questions, test them, and return what the page shows."""
    app.text_area(key="pasted").set_value(pasted)
    if upload:
        app.file_uploader(key="upload").set_value(upload)
    app.button(key="FormSubmitter:test-Test").click().run()
    assert not app.exception
    return shown(app)


def test_pasted_questions_are_tested(fake: type[FakeKnowledgeBase]) -> None:
    """The figures, the misses with what was found instead, and every question are shown."""
    app = draw(view="test")
    assert "pq-tested" not in shown(app)
    text = try_out(app, TABLE)
    assert "Questions with an expected entry: 3, only looked at: 1" in text
    for name, value in (("hit@1", "0.667"), ("hit@3", "1.000"), ("MRR", "0.833")):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in text
    assert "This is the first test" in text
    misses = text[text.index("pq-misses") : text.index("pq-all")]
    assert "Not ranked first (1)" in misses
    assert 'href="?q=shoes+and+pays&amp;lang=en"' in misses
    assert "(rank 2); First: " in misses
    assert "All questions (4)" in text
    assert behaviour(app)["said"] == "Questions with an expected entry: 3"


def test_questions_without_entries_are_only_looked_at(fake: type[FakeKnowledgeBase]) -> None:
    """Where nothing is expected, nothing is judged."""
    text = try_out(draw(view="test"), "shoes\npays")
    assert "No question has an expected entry" in text
    assert "hit@1" not in text
    assert "answered 2, related 0, not covered 0" in text


def test_workbook_is_tested(fake: type[FakeKnowledgeBase], tmp_path: Path) -> None:
    """An XLSX file is read; what is pasted beside it is not."""
    book = openpyxl.Workbook()
    for row in (("question", "entry"), ("shoes", "shop#1")):
        book.active.append(row)
    book.save(tmp_path / "q.xlsx")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    upload = ("q.xlsx", (tmp_path / "q.xlsx").read_bytes(), kind)
    text = try_out(draw(view="test"), "pays", upload)
    assert "Questions with an expected entry: 1<" in text
    assert "Every expected entry is ranked first." in text
    assert "All questions (1)" in text


@pytest.mark.parametrize(
    ("pasted", "upload", "said"),
    [
        ("", None, "Paste questions or upload a file first."),
        ("   \n ", None, "Paste questions or upload a file first."),
        ("question\tentry\nshoes\t<shop>#7", None, "there is no entry &#x27;&lt;shop&gt;#7&#x27;"),
        ("", ("q.xlsx", b"no workbook", ""), "q.xlsx is no XLSX file or is damaged"),
        ("", ("q.csv", b"question\n\xff\xff\xff\n", ""), "q.csv"),
    ],
)
def test_unreadable_questions_are_explained(
    fake: type[FakeKnowledgeBase], pasted: str, upload: Any, said: str
) -> None:
    """A table that cannot be read is explained in one line, shown and announced."""
    app = draw(view="test")
    before = behaviour(app)["key"]
    text = try_out(app, pasted, upload)
    assert "These questions cannot be read" in text
    assert said in text
    assert behaviour(app)["key"] != before
    assert behaviour(app)["said"].startswith("These questions cannot be read. ")


def test_question_that_cannot_be_asked_is_explained(fake: type[FakeKnowledgeBase]) -> None:
    """A line without a letter is no question."""
    assert "pq-error" in try_out(draw(view="test"), "shoes\n???")


def test_test_is_compared_with_the_one_before(fake: type[FakeKnowledgeBase]) -> None:
    """What got better or worse since the last test is named, whoever ran it."""
    assert "This is the first test" in try_out(draw(view="test"), TABLE)
    assert "No question got better or worse." in try_out(draw(view="test"), TABLE)

    def hits(self: FakeKnowledgeBase, query: str) -> Any:
        return FakeKnowledgeBase._hits(self, "pays" if query == "shoes" else "shoes")

    fake._hits = hits
    text = try_out(draw(view="test"), TABLE)
    assert "Same questions as last time (" in text
    assert "3; hit@1 from 0.667 to 0.333" in text
    gained, lost = (text[text.index(f'"pq-{kind}"') :][:400] for kind in ("gained", "lost"))
    assert "<bdi>shoes and pays</bdi>" in gained
    assert "<bdi>shoes</bdi>" in lost
    assert "<bdi>what pays</bdi>" in lost


@pytest.mark.parametrize("damage", ["{", "[]", '{"tried": []}'])
def test_damaged_last_test_is_replaced(
    fake: type[FakeKnowledgeBase], kb_path: Path, damage: str
) -> None:
    """What is left of the last test does not disturb the next."""
    (kb_path / "hit-test.json").write_text(damage)
    assert "This is the first test" in try_out(draw(view="test"), TABLE)
    assert "No question got better or worse." in try_out(draw(view="test"), TABLE)


def test_test_that_cannot_be_kept_is_shown(
    fake: type[FakeKnowledgeBase], kb_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The figures are there even where nothing can be written."""
    (kb_path / "lock").mkdir()
    assert "<dt>hit@1</dt><dd>0.667</dd>" in try_out(draw(view="test"), TABLE)
    assert "Cannot write to" in caplog.text


def test_saved_cases_are_an_evaluation_set(fake: type[FakeKnowledgeBase], kb_path: Path) -> None:
    """All judged questions, one by one or together, go to the evaluation set."""
    app = draw(view="test")
    try_out(app, TABLE)
    send(app, "act", ["save", "3"])
    assert f"Saved in {kb_path / 'eval'}" in shown(app)
    send(app, "act", ["save", "all"])
    assert f"Saved in {kb_path / 'eval'}: 3" in shown(app)
    assert "pq-tested" in shown(app)
    found = load_evaluation_set(kb_path / "eval")
    assert {query.text for query in found.queries} == {
        "shoes",
        "what pays",
        "shoes and pays",
        "weather",
    }
    app.run()
    assert "pq-saved" not in shown(app)


@pytest.mark.parametrize("which", ["9", "-1", "x", "", "٠", "9" * 5_000])
def test_case_that_is_not_there_is_not_saved(
    fake: type[FakeKnowledgeBase], kb_path: Path, which: str
) -> None:
    """Only questions of the test can be saved."""
    app = draw(view="test")
    try_out(app, TABLE)
    send(app, "act", ["save", which])
    assert not (kb_path / "eval" / "queries.jsonl").exists()
    assert "pq-tested" in shown(app)


def test_case_that_cannot_be_saved_is_explained(
    fake: type[FakeKnowledgeBase], kb_path: Path
) -> None:
    """Where the folder cannot be written, one line says so, and the test stays."""
    (kb_path / "eval").write_text("no folder")
    app = draw(view="test")
    try_out(app, TABLE)
    send(app, "act", ["save", "all"])
    assert "pq-error" in shown(app)
    assert "Cannot write to" in shown(app)
    assert "pq-saved" not in shown(app)
    assert "pq-tested" in shown(app)
    app.run()
    assert "pq-error" not in shown(app)


# --- the keeper's view --------------------------------------------------------------------------


def test_corpus_view_tells_size_generation_and_changes(fake: type[FakeKnowledgeBase]) -> None:
    """What the knowledge base holds, when it was built, and that its source is not found."""
    text = shown(draw(view="corpus"))
    assert "Entries: 2, documents: 1" in text
    assert "Built 2026-01-02 03:04 UTC, generation 1" in text
    assert text.count('<a class="pq-row" href="?entry=shop%23') == 2
    assert EN.changes_unknown.format(corpus=fake.corpus) in text
    for nothing in (EN.left_out, EN.expiring, EN.history):
        assert nothing not in text
    assert EN.lint_run in text
    assert EN.gaps_none in text


def test_changes_are_listed_with_the_command(fake: type[FakeKnowledgeBase], tmp_path: Path) -> None:
    """What `sync` would change is named, with the command."""
    fake.corpus = str(tmp_path)
    assert EN.changes_none in shown(draw(view="corpus"))
    st.cache_data.clear()
    entry = EntryName("shop#1", "May I return shoes?")
    fake.different = Changes(("new.txt",), (DocumentChanges("shop.txt", changed=(entry,)),))
    text = shown(draw(view="corpus"))
    assert '<span class="pq-kind">Added</span><bdi>new.txt</bdi>' in text
    assert '<span class="pq-kind">Changed</span><bdi>shop.txt</bdi>' in text
    assert '<span class="pq-kind">Changed</span><bdi>shop#1 May I return shoes?</bdi>' in text
    assert "policy-qa sync --kb " in text


def test_slow_look_at_the_corpus_delays_no_answer(
    fake: type[FakeKnowledgeBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the corpus is still being compared, questions are answered, without a word of it."""
    known = threading.Event()
    monkeypatch.setattr(shared, "LOOK_SECONDS", 0)
    monkeypatch.setattr(changes, "is_stale", lambda path, manifest: known.wait(10))
    fake.different = Changes(added=("new.txt",))
    text = shown(draw("shoes"))
    assert "pq-answered" in text
    assert "pq-stale" not in text
    known.set()
    monkeypatch.setattr(shared, "LOOK_SECONDS", 10)
    assert "pq-stale" in shown(draw("shoes"))


def test_corpus_that_cannot_be_compared_delays_no_answer(
    fake: type[FakeKnowledgeBase], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong in comparing is logged, and the question is answered."""

    def fail(path: Path, manifest: Any) -> bool:
        raise PermissionError("no entry")

    monkeypatch.setattr(changes, "is_stale", fail)
    text = shown(draw("shoes"))
    assert "pq-answered" in text
    assert "pq-stale" not in text
    assert "no entry" in caplog.text


def test_files_that_were_left_out_are_named_with_the_reason(
    fake: type[FakeKnowledgeBase],
) -> None:
    """What a build could not read stands in the view, once."""
    fake.corpus = "."
    fake.skipped = {"locked.pdf": "locked.pdf has a password."}
    fake.different = Changes(unreadable=(*fake.skipped.items(),))
    text = shown(draw(view="corpus"))
    assert "Files that were left out (1)" in text
    assert text.count("locked.pdf has a password.") == 1
    assert EN.changes_none in text


def test_entries_that_end_are_listed_in_every_language(fake: type[FakeKnowledgeBase]) -> None:
    """An entry that ends, or has ended, is a link with its day."""
    fake.ending = every_end(fake())
    for language in LANGUAGES:
        labels = PAGE_LABELS[language]
        text = shown(draw(view="corpus", language=language))
        assert f"{labels.expiring} (2)" in text
        assert labels.ended.format(day=DAY) in text
        assert labels.ends.format(day=DAY, days=0) in text
        assert f'<a class="pq-row" href="?entry=shop%231&amp;lang={language}">' in text


def test_history_is_folded_below_the_overview(fake: type[FakeKnowledgeBase], kb_path: Path) -> None:
    """How the generations came to be can be unfolded, with what leads back, and changes nothing."""
    fake.made = every_event(fake())
    text = shown(draw(view="corpus"))
    assert f'<details class="pq-whole pq-history"><summary>{EN.history} (8)' in text
    assert f"policy-qa rollback N --kb &#x27;{kb_path}&#x27;" in text
    assert text.count(EN.history_gone) == 7


def test_entries_are_searched_in_any_script_and_case(fake: type[FakeKnowledgeBase]) -> None:
    """Every word must stand in the id or the question; the address holds what is looked for."""
    fake.text = "1. 可以退貨嗎 RETURN?\n可以。\n2. Who pays?\nThe buyer.\n"
    app = draw(view="corpus")
    for wanted, ids in (("退货 return", ["1"]), ("SHOP#2", ["2"]), ("shop", ["1", "2"]), ("x", [])):
        app.text_input(key="find").set_value(f" {wanted} ").run()
        assert app.query_params["find"] == wanted
        text = shown(app)
        assert [n for n in "12" if f'href="?entry=shop%23{n}&' in text] == ids
        assert (EN.corpus_none in text) == (not ids)
    app.text_input(key="find").set_value(" ").run()
    assert "find" not in app.query_params


def test_search_of_the_entries_comes_back_with_its_address(fake: type[FakeKnowledgeBase]) -> None:
    """Back from an entry to the list finds the words in their box again."""
    app = draw(view="corpus", find="pays")
    assert app.text_input(key="find").value == "pays"
    send(app, "go", "?entry=shop%232")
    send(app, "go", "?view=corpus&find=pays")
    assert app.text_input(key="find").value == "pays"
    send(app, "go", "?view=corpus")
    assert app.text_input(key="find").value == ""


def test_findings_are_shown_when_they_are_asked_for(
    fake: type[FakeKnowledgeBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks run on request, once for a generation; each kind is told in words."""
    runs = []
    monkeypatch.setattr(lint, "lint", lambda kb: runs.append(kb) or every_finding(kb))
    draw(view="corpus")
    assert not runs
    for language in ("en", "zh-Hant"):
        text = shown(draw(view="corpus", language=language, check="1"))
        assert text.count('class="pq-finding"') == len(FINDING_KINDS)
    assert len(runs) == 1
    monkeypatch.setattr(lint, "lint", lambda kb: [])
    fake.generation = 2
    assert EN.lint_none in shown(draw(view="corpus", check="1"))


def test_gaps_are_grouped_and_can_be_downloaded(
    fake: type[FakeKnowledgeBase], kb_path: Path
) -> None:
    """What was not covered or not useful is counted by meaning; the file is offered with it."""
    app = draw(view="corpus")
    assert not app.get("download_button")
    log_useless(kb_path, "Where may I park?", "WHERE may I park?", "zzz 999 qqq")
    draw("weather")
    useless = draw("shoes")
    send(useless, "act", ["rate", f"{len(rows(kb_path))} 0"])
    text = shown(app.run())
    assert "Questions that were not covered (" in text
    assert "Where may I park?" in text or "WHERE may I park?" in text
    assert EN.gaps_times.format(times=2) in text
    assert "<bdi>shoes</bdi>" in text
    assert "<bdi>weather</bdi>" in text
    assert app.get("download_button")[0].label == "Download as CSV"
    command = f"policy-qa gaps --import 'my kb-gaps.csv' --kb '{kb_path}'"
    assert command.replace("'", "&#x27;") in text


# --- hostile text -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_hostile_text_is_escaped_on_every_page(
    fake: type[FakeKnowledgeBase], kb_path: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Markup in the corpus, the query, the log or the address reaches no page as markup."""
    fake.text = HOSTILE_TEXT
    fake.corpus = HOSTILE
    monkeypatch.setattr(changes, "is_stale", lambda path, manifest: True)
    monkeypatch.setattr(changes, "corpus_of", lambda manifest: Path())
    monkeypatch.setattr(fake, "changes", every_change)
    monkeypatch.setattr(lint, "lint", every_finding)
    fake.made, fake.ending = every_event(fake()), every_end(fake())
    fake.skipped = {HOSTILE: HOSTILE}
    log_useless(kb_path, HOSTILE, page_fakes.READ)
    pages = [
        *(draw(query, language, why="1") for query in ("", "shoes", "weather", "careful", HOSTILE)),
        draw("careful", language, entry=HOSTILE),
        draw("careful", language, entry="shop#2", why="1"),
        draw("", language, entry=HOSTILE),
        draw("", language, entry="shop#1"),
        draw("", language, view="corpus", check="1"),
        draw("", language, view="corpus", find=HOSTILE),
    ]
    for app in pages:
        assert "<img" not in shown(app)
        assert "<script" not in shown(app)
        assert "&lt;img" in shown(app)
    fake.opening = CorruptionError(HOSTILE)
    fake.generation = 2
    assert "<img" not in shown(draw("", language))


def test_hostile_questions_are_escaped_in_a_test(
    fake: type[FakeKnowledgeBase], kb_path: Path
) -> None:
    """Markup in a table reaches no page as markup, nor what is wrong with it."""
    fake.text = HOSTILE_TEXT
    app = draw(view="test")
    for _ in range(2):
        text = try_out(app, f"question\tentry\n{HOSTILE}\tshop#2\n{HOSTILE} pays\tshop#1")
        assert text.count("&lt;img") > 4
        assert "<img" not in text
        assert "<script" not in text
    send(app, "act", ["save", "all"])
    assert {query.text for query in load_evaluation_set(kb_path / "eval").queries} == {
        HOSTILE,
        f"{HOSTILE} pays",
    }
    text = try_out(app, f"question\tentry\nshoes\t{HOSTILE} 7")
    assert "These questions cannot be read" in text
    assert "<img" not in text
