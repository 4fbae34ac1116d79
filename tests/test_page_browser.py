"""The search page in a browser: what only one can tell. Skipped where there is no Chromium."""

import io
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import openpyxl
import pytest
from conftest import SEED
from page_fakes import (
    APP,
    CAUTION_KINDS,
    HOSTILE,
    HOSTILE_APP,
    READ,
    chromium,
    log_useless,
    serve,
)

from policy_qa import KnowledgeBase
from policy_qa.evaluation import load_evaluation_set
from policy_qa.labels import LANGUAGES
from policy_qa.lint import KINDS as FINDING_KINDS
from policy_qa.output import answer_chat
from policy_qa.page import PAGE_LABELS
from policy_qa.query_log import masked
from policy_qa.types import CONTRADICTIONS, Language

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SHIPPING = "淘寶買家拍錯了,聯系不上,讓退款也不退款,不發貨會怎樣"
TYPES = "常見售後問題類型有哪些"
BUYER = "拍錯對買家有影響嗎"
WEATHER = "How many moons does Jupiter have?"
EN = PAGE_LABELS["en"]
BOX = "input[type=search]"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def kb_path(seed_kb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base of the repository's own corpus that the page may write to."""
    path = tmp_path_factory.mktemp("page") / "kb"
    shutil.copytree(seed_kb, path)
    return path


@pytest.fixture(scope="module")
def seed_page(browser: "Browser", kb_path: Path) -> Iterator[str]:
    """The address of the page over that knowledge base."""
    with serve(APP, kb_path, kb_path.parent / "server.log") as address:
        yield address


@pytest.fixture(scope="module")
def hostile_page(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page over a fake knowledge base whose every text is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "kb" / "generations").mkdir(parents=True)
    log_useless(folder / "kb", HOSTILE, f"{HOSTILE}{READ}", "=1+1")
    (folder / "hostile_app.py").write_text(HOSTILE_APP, encoding="utf-8")
    with serve(folder / "hostile_app.py", folder / "kb", folder / "server.log") as address:
        yield address


@pytest.fixture(scope="module")
def context(browser: "Browser") -> Iterator["BrowserContext"]:
    """One window with one cache, so that each tab need not load Streamlit's files again."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def tab(context: "BrowserContext") -> Iterator["Page"]:
    """A tab of its own memory; the test fails if a dialog opens or another host is asked."""
    found: list[str] = []

    def note_dialog(dialog: Any) -> None:
        found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def note_request(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            found.append(f"outside: {request.url}")

    def note_error(error: Any) -> None:
        found.append(f"error: {error.error}")

    listeners = {"dialog": note_dialog, "request": note_request, "weberror": note_error}
    for event, listener in listeners.items():
        context.on(event, listener)
    tab = context.new_page()
    yield tab
    if tab.url.startswith("http"):
        tab.evaluate("localStorage.clear()")
    for opened in context.pages:
        opened.close()
    for event, listener in listeners.items():
        context.remove_listener(event, listener)
    assert not found


def show(tab: "Page", address: str) -> None:
    """Open an address and wait until its links and buttons work."""
    tab.goto(address)
    tab.locator("#pq-said").wait_for(state="attached")


def ask(tab: "Page", query: str) -> None:
    """Type a query and press Enter."""
    box = tab.locator(BOX)
    box.fill(query)
    box.press("Enter")


def upload(tab: "Page", name: str, data: bytes) -> None:
    """Choose a file for the field of the view, and wait until the server has it."""
    field = tab.locator("input[type=file]")
    with tab.expect_response(lambda answer: "/upload_file/" in answer.url and answer.ok):
        field.set_input_files({"name": name, "mimeType": "", "buffer": data})
    tab.get_by_text(name[:20]).first.wait_for()  # long names are cut
    tab.wait_for_timeout(200)  # the form takes it up after the answer


def wait_for_query(tab: "Page", query: str) -> None:
    """Wait until the question box holds a query."""
    from playwright.sync_api import expect

    expect(tab.locator(BOX)).to_have_value(query)


def wait_for_address(tab: "Page", **parameters: str) -> None:
    """Wait until the address has these parameters and no others."""
    wanted = {name: [value] for name, value in parameters.items()}
    tab.wait_for_url(lambda address: parse_qs(urlsplit(address).query) == wanted)


def focused(tab: "Page", selector: str) -> bool:
    """Whether the focus is on what a selector names."""
    return bool(tab.evaluate("selector => document.activeElement.matches(selector)", selector))


def wait_for_focus(tab: "Page", selector: str) -> None:
    """Wait until the focus is on what a selector names."""
    tab.wait_for_function("selector => document.activeElement.matches(selector)", arg=selector)


IN_VIEW = """() => {
  const box = document.querySelector(".pq-entry .pq-source")?.getBoundingClientRect();
  const mark = document.querySelector(".pq-entry mark")?.getBoundingClientRect();
  return box && mark && box.top <= mark.top && mark.top < box.bottom && box.bottom <= 800;
}"""
"""Whether the box of the source is on the screen and its mark in the box."""

VISIBLE = """(selectors) => selectors.filter(selector => {
  const box = document.querySelector(selector)?.getBoundingClientRect();
  return !(box && box.height && box.top >= 0 && box.left >= 0
    && box.bottom <= innerHeight && box.right <= innerWidth);
})"""
"""The selectors whose first element is not wholly on the screen."""


# --- asking -------------------------------------------------------------------------------------


def test_typed_question_is_answered_with_its_place_in_the_source(
    seed_page: str, tab: "Page"
) -> None:
    """Enter shows a conclusion on the left and the same words marked and in view on the right."""
    show(tab, seed_page)
    ask(tab, TYPES)
    tab.locator(".pq-answered blockquote").first.wait_for()
    tab.wait_for_function(IN_VIEW)
    mark = tab.locator(".pq-entry mark").first
    quoted = tab.locator("blockquote").first.inner_text()
    assert quoted.startswith(mark.inner_text())
    assert tab.url.endswith(f"?q={quote(TYPES)}")


def test_address_opens_its_query(seed_page: str, tab: "Page") -> None:
    """A link with a query and a language opens answered, in that language."""
    show(tab, f"{seed_page}/?lang=zh-Hans&q={quote(SHIPPING)}")
    tab.locator(".pq-answered blockquote").first.wait_for()
    wait_for_query(tab, SHIPPING)
    assert tab.get_by_text("对应的条目").is_visible()
    tab.locator("html[lang=zh-Hans]").wait_for(state="attached")
    assert tab.title() == "政策问答"


def test_back_and_forward_walk_through_the_queries(seed_page: str, tab: "Page") -> None:
    """Back shows the query before and Forward the query after, in the box and in the answer."""
    show(tab, seed_page)
    question = tab.locator(".pq-card .pq-question")
    ask(tab, SHIPPING)
    question.filter(has_text="拍錯了").wait_for()
    ask(tab, TYPES)
    question.filter(has_text="問題類型").wait_for()
    tab.go_back()
    question.filter(has_text="拍錯了").wait_for()
    wait_for_query(tab, SHIPPING)
    tab.go_forward()
    question.filter(has_text="問題類型").wait_for()
    wait_for_query(tab, TYPES)
    tab.go_back()
    question.filter(has_text="拍錯了").wait_for()
    tab.go_back()
    tab.locator(".pq-empty").wait_for()
    wait_for_query(tab, "")


def test_language_change_keeps_what_is_typed(seed_page: str, tab: "Page") -> None:
    """Choosing a language drops neither the query asked nor the one still being typed."""
    show(tab, f"{seed_page}/?lang=zh-Hant&q={quote(TYPES)}")
    tab.locator(".pq-answered").wait_for()
    tab.locator(".pq-languages").get_by_text("English").click()
    tab.get_by_text("Matched entry").wait_for()
    wait_for_query(tab, TYPES)
    tab.locator("html[lang=en]").wait_for(state="attached")
    tab.locator(BOX).fill(SHIPPING)
    tab.locator(".pq-languages").get_by_text("简体").click()
    tab.get_by_text("对应的条目").wait_for()
    wait_for_query(tab, SHIPPING)
    wait_for_address(tab, q=TYPES, lang="zh-Hans")
    tab.locator(BOX).press("Enter")
    tab.locator(".pq-question").filter(has_text="拍錯了").wait_for()
    wait_for_address(tab, q=SHIPPING, lang="zh-Hans")


def test_conclusion_reading_caution_and_rule_card_are_shown(seed_page: str, tab: "Page") -> None:
    """A Traditional source answers a Simplified page in its own words, with all that goes along."""
    show(tab, f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    quoted = tab.locator(".pq-card blockquote").first.inner_text()
    assert "對店鋪沒有影響" in quoted
    reading = tab.locator(".pq-reading[lang=zh-Hans]").first.inner_text()
    assert "对店铺没有影响" in reading
    assert reading.startswith("简体对照")
    assert quoted not in reading
    note = tab.locator(".pq-caution [role=note]")
    assert note.all_inner_texts() == ["您问的是“買家”，原文说的是“店鋪”"]
    effects = tab.locator(".pq-card > .pq-facts > div").filter(has_text="影响与后果")
    assert "沒有影響" in effects.locator("dd").all_inner_texts()
    assert tab.get_by_text("相同的内容也见于: taobao-after-sales.txt").is_visible()


def test_answer_and_source_are_seen_without_scrolling(seed_page: str, tab: "Page") -> None:
    """The answer with its cautions and facts, and its words in the source, fit one screen."""
    show(tab, f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    tab.wait_for_function(IN_VIEW)
    parts = [".pq-card", ".pq-card blockquote", ".pq-reading", ".pq-caution", ".pq-facts"]
    parts += [".pq-actions", BOX]
    assert tab.evaluate(VISIBLE, [*parts, ".pq-whole summary", ".pq-entry mark"]) == []
    assert tab.evaluate("document.querySelector('.stMain').scrollTop") == 0
    left, right = (tab.locator(part).bounding_box() for part in (".pq-card", ".pq-entry"))
    assert left
    assert right
    assert left["x"] + left["width"] < right["x"]
    tab.set_viewport_size({"width": 1280, "height": 200})
    assert tab.evaluate(VISIBLE, parts)


def test_source_stays_in_sight_beside_its_reasons(seed_page: str, tab: "Page") -> None:
    """Whoever reads on in the reasons still sees the quote in its place."""
    show(tab, f"{seed_page}/?lang=en&q={quote(BUYER)}&why=1")
    tab.locator(".pq-why").wait_for()
    tab.wait_for_function(IN_VIEW)
    tab.locator(".pq-why table").last.scroll_into_view_if_needed()
    assert tab.evaluate("document.querySelector('.stMain').scrollTop") > 100
    assert tab.evaluate(IN_VIEW)


def test_quotes_name_their_language(seed_page: str, tab: "Page") -> None:
    """On a page of another language the source's words are spoken and drawn in their own."""
    show(tab, f"{seed_page}/?lang=en&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    for part in (".pq-card blockquote", ".pq-card .pq-question", ".pq-card dd", ".pq-source mark"):
        assert tab.locator(part).first.evaluate("part => part.closest('[lang]').lang") == "zh-Hant"


def test_slow_answer_says_that_it_goes_on(hostile_page: str, tab: "Page") -> None:
    """Who waits longer than usual is told so, in the language of the page, until the answer."""
    tab.goto(f"{hostile_page}/?lang=zh-Hans&q=slow")
    spinner = tab.locator("[data-testid=stSpinner]")
    spinner.get_by_text(PAGE_LABELS["zh-Hans"].searching).wait_for()
    assert spinner.inner_text() == PAGE_LABELS["zh-Hans"].searching
    said = "getComputedStyle(document.querySelector('[data-testid=stSpinner]'), '::after')"
    assert tab.evaluate(f"{said}.content") == f'"{PAGE_LABELS["zh-Hans"].slow}"'
    tab.wait_for_function(f"{said}.opacity === '1'")
    tab.locator(".pq-answered").wait_for()
    spinner.wait_for(state="detached")


def test_uncovered_question_says_so(seed_page: str, tab: "Page") -> None:
    """A question that the corpus does not cover is told so, with no quote."""
    show(tab, seed_page)
    ask(tab, WEATHER)
    tab.locator(".pq-not_covered").wait_for()
    assert tab.locator(".pq-status").inner_text().startswith("Not covered")
    assert not tab.locator("blockquote").count()


def test_other_entry_shows_its_source_until_back(seed_page: str, tab: "Page") -> None:
    """A click on another entry shows its source beside the same answer; Back returns."""
    show(tab, f"{seed_page}/?lang=en&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    quoted = tab.locator(".pq-card blockquote").first.inner_text()
    other = tab.locator(".pq-others a").first
    question = other.locator("bdi").inner_text()
    entry = parse_qs(urlsplit(other.get_attribute("href") or "").query)["entry"][0]
    other.click()
    tab.locator(".pq-opened-note").wait_for()
    wait_for_address(tab, q=BUYER, entry=entry, lang="en")
    assert tab.locator(".pq-source strong").first.inner_text().startswith(question[:6])
    assert tab.locator(".pq-card blockquote").first.inner_text() == quoted
    assert tab.locator(".pq-others a[aria-current=page]").count() == 1
    tab.go_back()
    tab.locator(".pq-opened-note").wait_for(state="detached")
    wait_for_address(tab, q=BUYER, lang="en")
    tab.wait_for_function(IN_VIEW)
    show(tab, f"{seed_page}/?lang=en&q={quote(BUYER)}&entry={quote(entry)}")
    tab.locator(".pq-opened-note a").click()
    wait_for_address(tab, q=BUYER, lang="en")
    tab.locator(".pq-opened-note").wait_for(state="detached")


def test_links_load_no_page_and_open_in_another_tab(seed_page: str, tab: "Page") -> None:
    """A link is followed in the same session; with Ctrl it opens the same view in another tab."""
    show(tab, f"{seed_page}/?lang=zh-Hant")
    tab.locator(".pq-examples a").first.wait_for()
    tab.evaluate("window.stays = true")
    tab.locator(".pq-examples a").nth(1).click()
    tab.locator(".pq-answered").wait_for()
    assert tab.evaluate("window.stays")
    with tab.context.expect_page() as opened:
        tab.locator(".pq-others a").first.click(modifiers=["Control"])
    opened.value.locator(".pq-opened-note").wait_for()
    assert "lang=zh-Hant" in opened.value.url
    assert not tab.locator(".pq-opened-note").count()


def test_why_panel_opens_and_closes(seed_page: str, tab: "Page") -> None:
    """The panel tells of the entry shown, in the address too; its words are the query's."""
    show(tab, f"{seed_page}/?lang=zh-Hant&q={quote(BUYER)}")
    tab.get_by_text("為什麼是這一則").click()
    panel = tab.locator(".pq-why")
    panel.wait_for()
    wait_for_address(tab, q=BUYER, why="1", lang="zh-Hant")
    assert panel.inner_text().startswith("排第一")
    words = panel.locator(".pq-words:not(.pq-missing) li").all_inner_texts()
    assert words
    assert all(word in BUYER for word in words)
    tab.get_by_text("收起").click()
    panel.wait_for(state="detached")


def test_copy_gives_the_answer_with_its_place(seed_page: str, kb_path: Path, tab: "Page") -> None:
    """The clipboard holds the text of a chat answer; the button and screen readers say so."""
    show(tab, f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
    button = tab.locator("[data-pq-copy]")
    button.click()
    tab.get_by_text("已复制").first.wait_for()
    with KnowledgeBase.open(kb_path) as kb:
        wanted = answer_chat(kb.ask(BUYER), PAGE_LABELS["zh-Hans"].answer, read_in="zh-Hans")
    assert tab.evaluate("navigator.clipboard.readText()") == wanted
    assert tab.locator("#pq-said").inner_text() == "已复制"
    tab.get_by_text("复制并附出处").wait_for()


def test_copy_works_without_a_clipboard(seed_page: str, tab: "Page") -> None:
    """Where the page has no clipboard, as over plain HTTP, the text is copied as a selection."""
    tab.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true});"
        "addEventListener('copy', () => { window.copied = getSelection().toString()"
        " || document.activeElement.value; });"
    )
    show(tab, f"{seed_page}/?lang=en&q={quote(BUYER)}")
    button = tab.locator("[data-pq-copy]")
    button.click()
    tab.locator(".pq-actions").get_by_text("Copied").wait_for()
    assert tab.evaluate("window.copied") == button.get_attribute("data-pq-copy")


def test_rating_is_thanked_for_and_stored(seed_page: str, kb_path: Path, tab: "Page") -> None:
    """A rating is stored with its question; one that is not covered is reported."""
    show(tab, f"{seed_page}/?lang=en&q={quote(TYPES)}")
    tab.get_by_text("Not useful", exact=True).click()
    tab.get_by_text("Noted, thank you.").wait_for()
    assert not tab.locator(".pq-rate").count()
    ask(tab, WEATHER)
    tab.get_by_text("Report: this should be covered").click()
    tab.get_by_text("Reported, thank you.").wait_for()
    with sqlite3.connect(kb_path / "queries.sqlite") as connection:
        rated = connection.execute(
            "SELECT query, useful FROM questions ORDER BY number DESC LIMIT 2"
        ).fetchall()
    connection.close()
    assert rated == [(WEATHER, 0), (TYPES, 0)]


def test_recent_questions_stay_in_the_browser(seed_page: str, tab: "Page") -> None:
    """What was asked is offered on the first page, newest first, until it is cleared."""
    show(tab, f"{seed_page}/?lang=en")
    tab.locator(".pq-examples").wait_for()
    recent = tab.locator(".pq-recent")
    assert not recent.is_visible()
    for query in (TYPES, BUYER, TYPES):
        ask(tab, query)
        tab.wait_for_function("q => document.querySelector('#pq-said').innerText", arg=query)
        tab.locator(".pq-answered").wait_for()
        wait_for_address(tab, q=query, lang="en")
        tab.wait_for_function(
            "q => (localStorage.getItem('policy-qa-recent') ?? '').startsWith(`[\"${q}`)",
            arg=query,
        )
    tab.locator(".pq-title a").click()
    recent.wait_for()
    assert recent.locator("bdi").all_inner_texts() == [TYPES, BUYER]
    tab.reload()
    recent.wait_for()
    recent.get_by_text(BUYER).click()
    wait_for_address(tab, q=BUYER, lang="en")
    tab.locator(".pq-answered").wait_for()
    tab.go_back()
    recent.wait_for()
    recent.get_by_text("Clear").click()
    recent.wait_for(state="hidden")
    tab.reload()
    tab.locator(".pq-examples").wait_for()
    assert not recent.is_visible()


def test_screen_readers_are_told(seed_page: str, tab: "Page") -> None:
    """Status and conclusion are announced once an answer is there, and what went wrong."""
    show(tab, f"{seed_page}/?lang=en")
    said = tab.locator("#pq-said[role=status][aria-live=polite]")
    ask(tab, BUYER)
    said.filter(has_text="Answered. confidence").wait_for(state="attached")
    assert tab.locator(".pq-card blockquote").first.inner_text() in (said.text_content() or "")
    ask(tab, WEATHER)
    said.filter(has_text="Not covered. confidence").wait_for(state="attached")
    ask(tab, "???")
    said.filter(has_text="This question cannot be searched").wait_for(state="attached")
    box = said.bounding_box()
    assert box
    assert box["width"] <= 1


def test_new_generation_is_picked_up(seed_page: str, kb_path: Path, tab: "Page") -> None:
    """What a build adds is found without a restart."""
    query = "Where may I park my bicycle?"
    show(tab, f"{seed_page}/?lang=en&q={quote(query)}")
    tab.locator(".pq-not_covered").wait_for()
    corpus = kb_path.parent / "corpus"
    corpus.mkdir()
    shutil.copy(SEED, corpus)
    added = "1. Where may I park my bicycle?\nBehind the hall, left of the door.\n"
    (corpus / "parking.txt").write_text(added, encoding="utf-8")
    KnowledgeBase.build(corpus, kb_path).close()
    try:
        ask(tab, query + " ")
        tab.get_by_text("Behind the hall, left of the door.").first.wait_for()
        tab.locator(".pq-views").get_by_text("Knowledge base").click()
        tab.locator(".pq-empty").get_by_text("generation 2").wait_for()
        tab.get_by_text(EN.changes_none).wait_for()
        (corpus / "parking.txt").write_text(added.replace("left", "right"), encoding="utf-8")
        show(tab, f"{seed_page}/?lang=en&view=corpus&check=1")
        tab.get_by_text(EN.lint).first.wait_for()
    finally:
        KnowledgeBase.build(SEED, kb_path).close()


# --- the keyboard -------------------------------------------------------------------------------


def test_box_has_the_focus_and_gets_it_back(seed_page: str, tab: "Page") -> None:
    """The box is focused on load, by `/` and by Ctrl+K; what it holds is selected."""
    show(tab, f"{seed_page}/?lang=en&q={quote(TYPES)}")
    tab.locator(".pq-answered").wait_for()
    wait_for_focus(tab, BOX)
    for key in ("/", "Control+k"):
        tab.mouse.click(5, 400)
        assert not focused(tab, BOX)
        tab.keyboard.press(key)
        assert focused(tab, BOX)
        assert tab.evaluate("getSelection().toString()") == TYPES
    assert tab.locator(BOX).input_value() == TYPES
    show(tab, f"{seed_page}/?lang=en&view=corpus")
    find = tab.get_by_label("Find in the entries")
    find.click()
    tab.keyboard.press("Control+k")
    assert focused(tab, BOX)


def test_slash_is_typed_in_a_field(seed_page: str, tab: "Page") -> None:
    """In a field `/` is a letter like others, and Ctrl+/ is the browser's."""
    show(tab, f"{seed_page}/?lang=en&view=test")
    wait_for_focus(tab, BOX)
    tab.keyboard.type("a/b")
    wait_for_query(tab, "a/b")
    area = tab.locator("textarea")
    area.click()
    tab.keyboard.type("c/d")
    assert area.input_value() == "c/d"
    assert focused(tab, "textarea")
    assert tab.locator(BOX).get_attribute("aria-keyshortcuts") == "/ Control+K"


def test_enter_of_an_input_method_asks_nothing(seed_page: str, tab: "Page") -> None:
    """Enter that chooses a character is not the Enter that asks."""
    show(tab, f"{seed_page}/?lang=en")
    tab.locator(".pq-examples").wait_for()
    wait_for_focus(tab, BOX)
    session = tab.context.new_cdp_session(tab)
    session.send(
        "Input.imeSetComposition", {"text": "ㄆㄞ", "selectionStart": 2, "selectionEnd": 2}
    )
    tab.evaluate(
        """selector => {
          const enter = { key: "Enter", code: "Enter", keyCode: 229, which: 229, bubbles: true,
            cancelable: true, isComposing: true };
          document.querySelector(selector).dispatchEvent(new KeyboardEvent("keydown", enter));
        }""",
        BOX,
    )
    session.send("Input.insertText", {"text": TYPES})
    wait_for_query(tab, TYPES)
    tab.wait_for_timeout(500)
    assert "q=" not in tab.url
    assert tab.locator(".pq-examples").is_visible()
    tab.keyboard.press("Enter")
    tab.locator(".pq-answered").wait_for()


def test_all_is_reached_and_worked_by_keyboard(seed_page: str, tab: "Page") -> None:
    """Tab goes box, button, answer, source, other entries; each shows its focus; Enter works."""
    show(tab, f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    wait_for_query(tab, BUYER)
    whole = tab.locator(".pq-whole .pq-facts")
    assert not whole.is_visible()
    tab.locator(BOX).focus()
    stops = [
        "[data-testid=stBaseButton-primaryFormSubmit]",
        ".pq-whole summary",
        "[data-pq-copy]",
        ".pq-actions a",
        "[data-pq-do=rate][data-pq-value$=' 1']",
        "[data-pq-do=rate][data-pq-value$=' 0']",
        ".pq-source",
        ".pq-others a",
    ]
    reached = []
    for _ in range(12):
        tab.keyboard.press("Tab")
        found = next((stop for stop in stops if focused(tab, stop)), None)
        if found and found not in reached:
            reached.append(found)
            outline = "getComputedStyle(document.activeElement)"
            shown = tab.evaluate(f"{outline}.outlineStyle + {outline}.boxShadow")
            assert "solid" in shown or "px" in shown, found
        if found == ".pq-whole summary" and not whole.is_visible():
            tab.keyboard.press("Enter")
            whole.wait_for()
        if found == ".pq-others a":
            break
    assert reached == stops
    points = [set(card.locator("dd").all_inner_texts()) for card in tab.locator(".pq-facts").all()]
    assert points[0] < points[1]
    tab.keyboard.press("Enter")
    tab.locator(".pq-opened-note").wait_for()
    tab.locator(".pq-actions a").focus()
    tab.keyboard.press("Enter")
    tab.locator(".pq-why").wait_for()
    tab.locator("[data-pq-do=rate]").first.focus()
    tab.keyboard.press("Enter")
    tab.locator(".pq-thanks").wait_for()


# --- testing questions and keeping the corpus ---------------------------------------------------


def test_uploaded_workbook_is_tested_and_saved(seed_page: str, kb_path: Path, tab: "Page") -> None:
    """An XLSX file is tested, compared with the test before, and saved as evaluation cases."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (
        ("問題", "條目"),
        (TYPES, "taobao-after-sales#3"),
        (SHIPPING, "taobao-after-sales#6"),
        (WEATHER, None),
    ):
        book.active.append(row)
    book.save(file)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    show(tab, f"{seed_page}/?lang=zh-Hant")
    tab.locator(".pq-views").get_by_text("測試").click()
    wait_for_address(tab, view="test", lang="zh-Hant")
    run = tab.locator("[data-testid=stForm]").nth(1).get_by_role("button", name="測試", exact=True)
    tab.locator("input[type=file]").set_input_files(
        {"name": "questions.xlsx", "mimeType": kind, "buffer": file.getvalue()}
    )
    tab.get_by_text("questions.xlsx").wait_for()
    run.click()
    result = tab.locator(".pq-tested")
    result.get_by_text("這是第一次測試").wait_for()
    assert result.get_by_text("2 個問題有標準條目, 另有 1 個只看結果").is_visible()
    assert result.locator("dd").first.inner_text() == "0.500"
    assert tab.locator(".pq-misses").get_by_text("taobao-after-sales#6").is_visible()
    run.click()
    result.get_by_text("沒有問題因此變好或變差").wait_for()
    tab.locator(".pq-all summary").click()
    tab.locator(".pq-all").get_by_text("存為評測題").last.click()
    tab.locator(".pq-saved").wait_for()
    tab.get_by_text("把有標準條目的都存為評測題").click()
    tab.locator(".pq-saved").get_by_text("2 題已存入").wait_for()
    saved = load_evaluation_set(kb_path / "eval")
    assert {query.text for query in saved.queries} == {TYPES, SHIPPING, WEATHER}
    tab.locator(".pq-misses a").first.click()
    wait_for_address(tab, q=SHIPPING, lang="zh-Hant")
    tab.locator(".pq-card .pq-question").wait_for()


def test_bad_table_is_explained(seed_page: str, tab: "Page") -> None:
    """A file that is no table is told of in one line, also to screen readers."""
    show(tab, f"{seed_page}/?lang=en&view=test")
    upload(tab, "bad.xlsx", b"no workbook")
    tab.locator("[data-testid=stForm]").nth(1).get_by_role("button", name="Test").click()
    tab.locator(".pq-error").get_by_text("bad.xlsx is no XLSX file or is damaged").wait_for()
    said = tab.locator("#pq-said").filter(has_text="These questions cannot be read")
    said.wait_for(state="attached")


@pytest.mark.parametrize("language", LANGUAGES)
def test_field_for_files_speaks_the_language_of_the_page(
    seed_page: str, tab: "Page", language: Language
) -> None:
    """What may be uploaded, and that a file is refused, is said in no other language."""
    labels = PAGE_LABELS[language]
    show(tab, f"{seed_page}/?lang={language}&view=test")
    field = tab.locator("[data-testid=stFileUploaderDropzone]")
    field.wait_for()
    assert field.inner_text().strip() in {"", "upload"}  # the name of its sign
    words = tab.evaluate(
        """() => ["[data-testid=stMarkdownContainer]", "[data-testid$=Instructions] > div"].map(
          part => getComputedStyle(document.querySelector(`[data-testid$=Dropzone] ${part}`),
            "::after").content)"""
    )
    limit = labels.test_limit.format(size=5, kinds="CSV, TSV, XLSX, TXT")
    assert words == [f'"{labels.test_choose}"', f'"{limit}"']
    large = {"name": "large.csv", "mimeType": "text/csv", "buffer": b"x" * (5 * 1024**2 + 1)}
    tab.locator("input[type=file]").set_input_files(large)
    chip = tab.locator("[data-testid=stFileChip][aria-invalid=true]")
    chip.wait_for()
    said = chip.evaluate("chip => getComputedStyle(chip, '::after').content")
    assert said == f'"{labels.test_refused}"'


def test_entries_are_searched(seed_page: str, tab: "Page") -> None:
    """The search of the keeper's view is in the address; an entry opens, and Back returns."""
    show(tab, f"{seed_page}/?lang=en&view=corpus")
    rows = tab.locator(".pq-entries a")
    rows.first.wait_for()
    every = rows.count()
    find = tab.get_by_label("Find in the entries")
    find.fill("拍错")
    find.press("Enter")
    wait_for_address(tab, view="corpus", find="拍错", lang="en")
    tab.wait_for_function(f"document.querySelectorAll('.pq-entries a').length < {every}")
    assert all("拍錯" in row for row in rows.all_inner_texts())
    rows.first.click()
    tab.locator(".pq-opened .pq-question").wait_for()
    tab.go_back()
    rows.first.wait_for()
    assert rows.count() < every
    from playwright.sync_api import expect

    expect(find).to_have_value("拍错")
    tab.get_by_text(EN.changes_none).wait_for()
    tab.get_by_text(EN.lint_run).click()
    wait_for_address(tab, view="corpus", find="拍错", check="1", lang="en")
    tab.locator(".pq-finding").or_(tab.get_by_text(EN.lint_none)).first.wait_for()


def test_gaps_are_downloaded(hostile_page: str, tab: "Page") -> None:
    """The file of the gaps can be opened in a spreadsheet and runs nothing there."""
    show(tab, f"{hostile_page}/?lang=en&view=corpus")
    with tab.expect_download() as download:
        tab.get_by_text(EN.gaps_download).click()
    assert download.value.suggested_filename == "kb-gaps.csv"
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    assert text.startswith("question,alternates,times,answer\r\n")
    assert "'=1+1" in text


# --- hostile text -------------------------------------------------------------------------------

FOREIGN = ".stHtml :is(img, script, .katex, iframe, a[href*=':'], a:not([href^='?']))"
"""What no text may become."""


def test_hostile_text_is_inert_where_one_asks(hostile_page: str, tab: "Page") -> None:
    """Markup, Markdown, LaTeX and emoji codes of corpus and query show as the text they are."""
    show(tab, f"{hostile_page}/?lang=en")
    example = tab.locator(".pq-examples a").first
    assert example.inner_text() == HOSTILE
    example.click()
    tab.locator(".pq-answered").wait_for()
    wait_for_query(tab, HOSTILE)
    assert tab.locator("blockquote").inner_text() == HOSTILE
    assert tab.locator(".pq-entry mark").inner_text() == HOSTILE
    assert tab.locator(".pq-card .pq-question").inner_text() == HOSTILE
    assert not tab.locator(FOREIGN).count()
    tab.wait_for_function("document.querySelector('#pq-said').textContent !== ''")
    assert HOSTILE in (tab.locator("#pq-said").text_content() or "")
    tab.locator(".pq-title a").click()
    recent = tab.locator(".pq-recent a").first
    recent.wait_for()
    assert recent.inner_text() == HOSTILE
    assert not tab.locator(FOREIGN).count()
    recent.click()
    tab.locator(".pq-answered").wait_for()
    wait_for_query(tab, HOSTILE)
    show(tab, f"{hostile_page}/?q=weather&lang=en")
    assert tab.locator(".pq-others bdi").first.inner_text() == HOSTILE


def test_hostile_memory_of_the_browser_is_inert(hostile_page: str, tab: "Page") -> None:
    """What other scripts of the same address left in the browser's memory breaks nothing."""
    show(tab, f"{hostile_page}/?lang=en")
    tab.locator(".pq-examples").wait_for()
    for kept in ("{", '{"0": 1}', "[1, null, {}]"):
        tab.evaluate("kept => localStorage.setItem('policy-qa-recent', kept)", kept)
        tab.reload()
        tab.locator(".pq-examples").wait_for()
        tab.locator("#pq-said").wait_for(state="attached")
        assert not tab.locator(".pq-recent").is_visible()


def test_hostile_rule_card_cautions_and_reasons_are_inert(hostile_page: str, tab: "Page") -> None:
    """Facts, cautions, readings, reasons and further places show as the text they are."""
    show(tab, f"{hostile_page}/?lang=zh-Hans&q=careful&why=1")
    tab.locator(".pq-answered").wait_for()
    tab.locator(".pq-whole summary").click()
    assert tab.locator("blockquote").first.inner_text() == HOSTILE
    assert set(tab.locator(".pq-facts dd").all_inner_texts()) == {HOSTILE}
    assert tab.locator(".pq-reading").first.inner_text().endswith(READ)
    notes = tab.locator(".pq-caution [role=note]").all_inner_texts()
    assert len(notes) == len(CAUTION_KINDS)
    assert sum(HOSTILE in note for note in notes) == 5
    assert HOSTILE in tab.locator(".pq-words li").all_inner_texts()
    assert not tab.locator(FOREIGN).count()
    show(tab, f"{hostile_page}/?lang=en&entry={quote(HOSTILE)}&q={quote(HOSTILE)}")
    tab.locator(".pq-missing").wait_for()
    assert HOSTILE in tab.locator(".pq-missing").inner_text()
    assert not tab.locator(FOREIGN).count()


def test_hostile_text_is_inert_in_a_test(hostile_page: str, tab: "Page") -> None:
    """Questions, entries and file names of a test show as the text they are."""
    show(tab, f"{hostile_page}/?lang=en&view=test")
    tab.locator("textarea").fill(f"question\tentry\n{HOSTILE} pays\tshop#1\n{HOSTILE}\tshop#1")
    tab.locator("[data-testid=stForm]").nth(1).get_by_role("button", name="Test").click()
    tab.locator(".pq-misses").wait_for()
    assert tab.locator(".pq-misses a bdi").first.inner_text() == f"{HOSTILE} pays"
    tab.locator(".pq-all summary").click()
    assert HOSTILE in tab.locator(".pq-all p bdi").all_inner_texts()
    assert not tab.locator(FOREIGN).count()
    tab.locator(".pq-misses button").first.click()
    tab.locator(".pq-saved").wait_for()
    name = "<img src=x onerror=alert(1)>.xlsx"
    upload(tab, name, b"no workbook")
    tab.locator("[data-testid=stForm]").nth(1).get_by_role("button", name="Test").click()
    tab.locator(".pq-error").get_by_text(name).wait_for()
    assert not tab.locator("img[src=x]").count()


def test_hostile_text_is_inert_where_the_corpus_is_kept(hostile_page: str, tab: "Page") -> None:
    """Entries, changes, findings and gaps show as the text they are."""
    show(tab, f"{hostile_page}/?lang=en&view=corpus&check=1")
    tab.locator(".pq-finding").first.wait_for()
    assert tab.locator(".pq-entries bdi").first.inner_text() == HOSTILE
    assert tab.locator(".pq-finding").count() == len(FINDING_KINDS)
    assert HOSTILE in tab.locator(".pq-panel").first.locator("bdi").all_inner_texts()
    assert masked(HOSTILE) in tab.locator(".pq-panel").last.locator("bdi").all_inner_texts()
    assert not tab.locator(FOREIGN).count()
    find = tab.get_by_label("Find in the entries")
    find.fill(HOSTILE)
    find.press("Enter")
    wait_for_address(tab, view="corpus", find=HOSTILE, check="1", lang="en")
    assert not tab.locator(FOREIGN).count()


def test_marks_of_direction_stay_in_their_text(hostile_page: str, tab: "Page") -> None:
    """A right-to-left mark that is never closed turns nothing around it."""
    query = "shoes \u202e\u2067 turned"
    show(tab, f"{hostile_page}/?lang=en&q={quote(query)}")
    tab.locator(".pq-answered").wait_for()
    tab.locator(".pq-title a").click()
    row = tab.locator(".pq-recent a").first
    row.wait_for()
    assert row.locator("bdi").inner_text() == query
    box, text = row.bounding_box(), row.locator("bdi").bounding_box()
    assert box
    assert text
    assert text["x"] - box["x"] < 20


# --- layout and colours -------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_contradicting_quotes_stand_side_by_side(
    hostile_page: str, tab: "Page", width: int, *, beside: bool
) -> None:
    """Both quotes of a contradiction start at one height; on a phone one stands above the other."""
    tab.set_viewport_size({"width": width, "height": 800})
    show(tab, f"{hostile_page}/?lang=zh-Hans&q=careful")
    tab.locator(".pq-answered").wait_for()
    sides = tab.locator(".pq-sides")
    assert sides.count() == len(CONTRADICTIONS)
    ours, theirs = (side.bounding_box() for side in sides.first.locator("figure").all())
    assert ours
    assert theirs
    assert (ours["y"] == theirs["y"]) == beside
    assert (ours["x"] + ours["width"] <= theirs["x"]) == beside
    assert (ours["y"] + ours["height"] <= theirs["y"]) != beside


VIEWS = {
    "first": ("lang=zh-Hans", ".pq-examples"),
    "answer": ("lang=zh-Hans&q=careful&why=1", ".pq-why"),
    "opened": ("lang=en&q=careful&entry=shop%232", ".pq-opened-note"),
    "uncovered": ("lang=en&q=weather", ".pq-not_covered"),
    "error": ("lang=en&q=%3F", ".pq-error"),
    "missing": ("lang=en&entry=none", ".pq-missing"),
    "test": ("lang=en&view=test", "textarea"),
    "corpus": ("lang=en&view=corpus&check=1", ".pq-finding"),
}
"""The address of each view, and what is there once it is drawn."""


def open_view(tab: "Page", address: str, view: str) -> None:
    """Open a view and unfold all that it shows."""
    query, wanted = VIEWS[view]
    show(tab, f"{address}/?{query}")
    tab.locator(wanted).first.wait_for()
    if view == "test":
        tab.locator("textarea").fill(f"question\tentry\n{HOSTILE} pays\tshop#1\nshoes\tshop#1")
        tab.locator("[data-testid=stForm]").nth(1).get_by_role("button", name="Test").click()
        tab.locator(".pq-tested").wait_for()
    for summary in tab.locator("details:not([open]) > summary").all():
        summary.click()


WIDE = """() => {
  const main = document.querySelector(".stMain");
  if (main.scrollWidth > main.clientWidth) return ["the page"];
  return [...main.querySelectorAll(".stHtml *")].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || box.left < -1);
  }).map(element => element.outerHTML.slice(0, 80));
}"""
"""What reaches over the sides of the window."""


def test_no_view_scrolls_sideways(hostile_page: str, tab: "Page") -> None:
    """At the width of a screen, a tablet and a phone everything fits in the window."""
    for view in VIEWS:
        open_view(tab, hostile_page, view)
        for width in (1280, 768, 390):
            tab.set_viewport_size({"width": width, "height": 800})
            tab.wait_for_function("width => innerWidth === width", arg=width)
            assert tab.evaluate(WIDE) == [], (view, width)


def test_answer_stands_above_its_source_on_a_phone(seed_page: str, tab: "Page") -> None:
    """On a phone the answer comes first, then the source, then the other entries."""
    tab.set_viewport_size({"width": 390, "height": 844})
    show(tab, f"{seed_page}/?lang=zh-Hant&q={quote(BUYER)}")
    tab.locator(".pq-others").wait_for()
    answer, source, others = (
        tab.locator(part).bounding_box() for part in (".pq-card", ".pq-entry", ".pq-others")
    )
    assert answer
    assert source
    assert others
    assert answer["y"] + answer["height"] <= source["y"]
    assert source["y"] + source["height"] <= others["y"]
    assert tab.evaluate(VISIBLE, [".pq-card blockquote", BOX]) == []


CONTRAST = """() => {
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = color => {
    const parts = color.match(/^rgba?\\(([^)]*)\\)$/)?.[1].split(/[ ,/]+/).map(Number);
    if (parts) return parts.length === 4 ? parts : [...parts, 1];
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = color;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((part, i) => part * a + below[i] * (1 - a));
  const light = color => {
    const [r, g, b] = color.map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    if (!element) return [255, 255, 255];
    return over(rgba(getComputedStyle(element).backgroundColor), ground(element.parentElement));
  };
  const opacity = element => element
    ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
  const kinds = [".pq-caution figcaption", ".pq-caution .pq-reading", ".pq-caution blockquote",
    ".pq-caution", ".pq-reading", ".pq-facts dt", ".pq-facts dd", ".pq-whole summary",
    "figcaption", "mark", ".pq-strip code", ".pq-strip", ".pq-why th", ".pq-why td",
    ".pq-missing li", ".pq-words li", ".pq-near", ".pq-opened-note a", ".pq-button", ".pq-quiet",
    ".pq-views a[aria-current]", ".pq-views", ".pq-languages", ".pq-gained .pq-kind",
    ".pq-lost .pq-kind", ".pq-kind", ".pq-place", ".pq-figures dt", ".pq-figures dd",
    ".pq-status", ".pq-note", ".pq-label", "[class*=pq-]", "[data-testid]"];
  const found = [];
  const add = (element, style) => {
    const below = ground(element);
    const [r, g, b, a] = rgba(style.color);
    const [low, high] = [light(below), light(over([r, g, b, a * opacity(element)], below))]
      .sort((one, other) => one - other);
    const kind = kinds.find(selector => element.closest(selector));
    const words = element.innerText || element.placeholder;
    found.push([kind, (high + 0.05) / (low + 0.05), light(below), words?.slice(0, 20)]);
  };
  const texts = document.createTreeWalker(document.querySelector(".stMain"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || !box.width ||
        element.closest("style, [data-testid=stIconMaterial], :disabled")) continue;
    add(element, getComputedStyle(element));
  }
  for (const box of document.querySelectorAll(".stMain :is(input, textarea)[placeholder]")) {
    if (box.checkVisibility()) add(box, getComputedStyle(box, box.value ? null : "::placeholder"));
  }
  for (const line of document.querySelectorAll(".pq-entry > .pq-source > div > .pq-line")) {
    add(line, getComputedStyle(line, "::before"));
  }
  return found;
}"""
"""Every text of the page: what it is, its contrast (WCAG 2), how light its ground is, its words."""

TOLD = {
    ".pq-caution", ".pq-caution figcaption", ".pq-caution .pq-reading", ".pq-caution blockquote",
    ".pq-reading", ".pq-facts dt", ".pq-facts dd", ".pq-whole summary", "figcaption", "mark",
    ".pq-strip", ".pq-strip code", ".pq-why th", ".pq-why td", ".pq-missing li", ".pq-words li",
    ".pq-near", ".pq-opened-note a", ".pq-button", ".pq-quiet", ".pq-views a[aria-current]",
    ".pq-views", ".pq-languages", ".pq-kind", ".pq-place", ".pq-figures dt", ".pq-figures dd",
    ".pq-status", ".pq-note", ".pq-label", "[data-testid]",
}  # fmt: skip
"""Kinds of text that the views show together."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(hostile_page: str, tab: "Page", scheme: Any) -> None:
    """All texts have the contrast that WCAG asks for at level AA, in every view, light and dark."""
    tab.emulate_media(color_scheme=scheme)
    kinds = set()
    faint = []
    for view in VIEWS:
        open_view(tab, hostile_page, view)
        tab.mouse.move(2, 2)
        for kind, contrast, ground, words in tab.evaluate(CONTRAST):
            kinds.add(kind)
            if contrast < 4.5:
                faint.append((view, kind, round(contrast, 2), words))
            # the one button of each form is filled with the accent
            assert (ground > 0.5) == (scheme == "light") or kind == "[data-testid]", (view, words)
    assert faint == []
    assert kinds >= TOLD
