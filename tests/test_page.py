"""The search page: each state without a browser, then what only a browser can tell."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args
from urllib.parse import quote

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import policy_qa
from policy_qa.errors import (
    CorruptionError,
    EncoderError,
    KnowledgeBaseNotFound,
    PolicyQAError,
    QueryError,
)
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Answer,
    Caution,
    CautionKind,
    Citation,
    Document,
    Entry,
    Fact,
    Filters,
    Hit,
    Passage,
    RuleCard,
    Span,
    Status,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

APP = Path(__file__).parents[1] / "app.py"
HOSTILE = (
    "<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](x.png) $x$ :smile: :red[r] "
    "**bold** `code` https://example.com </mark><script>alert(1)</script> 買"
)
READ = HOSTILE.replace("買", "买")
KINDS: tuple[CautionKind, ...] = get_args(CautionKind)
HOSTILE_TEXT = f"1. {HOSTILE}\n{HOSTILE}\n2. Who pays?\nThe buyer.\n"


class FakeKnowledgeBase:
    """Two entries; the query chooses the status of the answer, `careful` all that one can hold."""

    text: ClassVar[str] = "1. May I return shoes?\nYes, within 7 days.\n2. Who pays?\nThe buyer.\n"
    opening: ClassVar[Exception | None] = None
    opened: ClassVar[list[str]] = []
    generation: ClassVar[int] = 1

    @classmethod
    def current_state(cls, path: str) -> tuple[int, int]:
        """Return the number of the generation, which tests change, and no calibration."""
        if isinstance(cls.opening, KnowledgeBaseNotFound):
            raise cls.opening
        return cls.generation, 0

    @classmethod
    def open(cls, path: str) -> "FakeKnowledgeBase":
        """Open it, or fail as the test asks."""
        if cls.opening:
            raise cls.opening
        cls.opened.append(path)
        return cls()

    def document(self, document_id: str) -> Document:
        """Return the one document."""
        return Document(document_id, self.text)

    def entries(self) -> list[Entry]:
        """Return the two entries."""
        cut = self.text.index("2. ")
        return [self._entry(1, 0, cut), self._entry(2, cut, len(self.text))]

    def documents(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the id of the one document."""
        return [("shop.txt", ())]

    def questions(self) -> dict[str, str]:
        """Return the two questions."""
        return {entry.id: self._quoted(entry.question) for entry in self.entries()}

    def _entry(self, number: int, start: int, end: int) -> Entry:
        first = self.text.index("\n", start)
        question, rest = Span(start + 3, first), Span(first + 1, end - 1)
        return Entry(f"shop#{number}", "shop.txt", Span(start, end), question, rest)

    def _quoted(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def ask(self, query: str, filters: Filters | None = None) -> Answer:
        """Quote the first entry, unless the query names another status or error."""
        if query == "boom":
            raise RuntimeError("a private detail")
        if query == "?":
            raise QueryError("The query '?' has no letter and no digit: write a question.")
        first, second = self.entries()
        statuses: dict[str, Status] = {"weather": "not_covered", "maybe": "related"}
        status = statuses.get(query, "answered")
        conclusion = Citation("shop.txt", first.id, first.answer, 2, self._quoted(first.answer))
        hits = []
        for rank, entry in enumerate((first, second), start=1):
            found = Passage(
                f"{entry.id}:1", entry.id, "shop.txt", entry.answer, self._quoted(entry.answer)
            )
            hits.append(Hit(rank, entry, self._quoted(entry.question), found, 1 / rank, {}))
        covered = status != "not_covered"
        answer = Answer(
            query,
            status,
            {"answered": 0.912, "related": 0.5, "not_covered": 0.04}[status],
            first if covered else None,
            self._quoted(first.question) if covered else "",
            (conclusion,) if covered else (),
            tuple(hits[1:] if covered else hits),
            tuple(hits),
        )
        if query != "careful":
            return answer
        words = self._quoted(first.question)
        other = Citation("shop.txt", second.id, second.answer, 4, self._quoted(second.answer))
        day = date(2011, 12, 31)
        return replace(
            answer,
            also=(other,),
            fields={"deadlines": (Fact(conclusion),)},
            cautions=tuple(Caution(kind, (conclusion, other), words, words, day) for kind in KINDS),
        )

    def rule_card(self, entry_id: str) -> RuleCard:
        """Return a card whose every field holds the entry's answer."""
        entry = next(entry for entry in self.entries() if entry.id == entry_id)
        quote = Citation("shop.txt", entry.id, entry.answer, 2, self._quoted(entry.answer))
        return {field: (Fact(quote),) for field in FIELDS}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeKnowledgeBase]:
    """Put a fake in the place of the knowledge base; tests change its class attributes."""

    class Fake(FakeKnowledgeBase):
        opened: ClassVar[list[str]] = []

    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setattr(policy_qa, "KnowledgeBase", Fake)
    monkeypatch.setenv("POLICY_QA_KB", "fake-kb")
    return Fake


def draw(query: str = "", language: str = "en") -> AppTest:
    """Draw the page at an address; whatever it shows, it shows no traceback."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["lang"] = language
    if query:
        app.query_params["q"] = query
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    """Return the HTML of the page, its style left out."""
    return "\n".join(element.value for element in app.get("html") if "<style>" not in element.value)


def test_empty_page_offers_the_stored_questions(fake: type[FakeKnowledgeBase]) -> None:
    """Without a query the page counts the entries and offers the first stored questions."""
    app = draw()
    assert "Entries: 2, documents: 1" in shown(app)
    assert [button.label for button in app.button][1:] == ["May I return shoes?", "Who pays?"]


def test_example_asks_its_question(fake: type[FakeKnowledgeBase]) -> None:
    """An example writes its question to the address and to the box, and is answered."""
    app = draw()
    app.button(key="example-0").click().run()
    assert app.query_params["q"] == "May I return shoes?"
    assert app.text_input(key="query").value == "May I return shoes?"
    assert "pq-answered" in shown(app)


def test_answer_stands_beside_its_source(fake: type[FakeKnowledgeBase]) -> None:
    """An answer shows status, confidence, quote, place, highlighted source and other entries."""
    text = shown(draw("shoes"))
    for part in ("Answered", "confidence 91%", "shop.txt, line 2", "May I return shoes?"):
        assert part in text
    assert "<blockquote>Yes, within 7 days.</blockquote>" in text
    assert "<mark>Yes, within 7 days.</mark>" in text
    assert "Who pays?" in text[text.index("Other entries") :]


def test_answer_shows_cautions_and_rule_card(fake: type[FakeKnowledgeBase]) -> None:
    """The page passes on what the answer warns of and says, and all that the entry says, folded."""
    text = shown(draw("careful"))
    assert text.count('role="note"') == len(KINDS)
    assert text.count('class="pq-sides"') == len(CONTRADICTIONS)
    assert "The same is said in: shop.txt, line 4" in text
    before, _, after = text.partition('<details class="pq-whole">')
    assert before.count("<dd>Yes, within 7 days.</dd>") == 1
    assert after.count("<dd>Yes, within 7 days.</dd>") == len(FIELDS)


def test_quotes_are_read_in_the_script_of_the_page(fake: type[FakeKnowledgeBase]) -> None:
    """A page in the other script adds a reading to quotes; their own words stay."""
    fake.text = "1. 可以退貨嗎?\n可以,運費由買家承擔。\n2. 多久?\n七天內。\n"
    for language, read in (("zh-Hans", True), ("zh-Hant", False), ("en", False)):
        text = shown(draw("shoes", language))
        assert "<blockquote>可以,運費由買家承擔。</blockquote>" in text
        assert ("可以,运费由买家承担。</p>" in text) == read
        assert ("pq-reading" in text) == read


def test_related_answer_says_that_it_is_not_certain(fake: type[FakeKnowledgeBase]) -> None:
    """A related answer shows quotes and source under words that do not claim an answer."""
    text = shown(draw("maybe"))
    assert "Related, not certain" in text
    assert "may not answer the question" in text
    assert "<mark>" in text


def test_uncovered_query_shows_the_nearest_entries(fake: type[FakeKnowledgeBase]) -> None:
    """What is not covered is said plainly, with nothing quoted as its answer."""
    text = shown(draw("weather"))
    assert "Not covered" in text
    assert "<blockquote>" not in text
    assert "May I return shoes?" in text[text.index("Did you mean") :]


@pytest.mark.parametrize(
    ("language", "label"), [("zh-Hant", "已有答案"), ("zh-Hans", "已有答案"), ("en", "Answered")]
)
def test_labels_change_and_quotes_do_not(
    fake: type[FakeKnowledgeBase], language: str, label: str
) -> None:
    """The labels follow the language of the address; the quote stays the source's own."""
    text = shown(draw("shoes", language))
    assert label in text
    assert "<blockquote>Yes, within 7 days.</blockquote>" in text


def test_language_choice_is_kept_in_the_address(fake: type[FakeKnowledgeBase]) -> None:
    """Choosing a language writes it to the address and keeps the query."""
    app = draw("shoes")
    app.get("button_group")[0].set_value("zh-Hans").run()
    assert app.query_params["lang"] == "zh-Hans"
    assert app.query_params["q"] == "shoes"
    assert "对应的条目" in shown(app)


def test_missing_knowledge_base_names_the_command(fake: type[FakeKnowledgeBase]) -> None:
    """Where no knowledge base stands, the page says what builds one."""
    fake.opening = KnowledgeBaseNotFound("There is no knowledge base at fake-kb.")
    text = shown(draw("shoes"))
    assert "No knowledge base yet" in text
    assert "policy-qa build corpus/ --kb fake-kb" in text


@pytest.mark.parametrize(
    "error",
    [
        CorruptionError("fake-kb/vectors.npy is truncated: run policy-qa build."),
        EncoderError("The encoder <small> cannot be loaded."),
    ],
)
def test_unusable_knowledge_base_shows_the_errors_own_line(
    fake: type[FakeKnowledgeBase], error: PolicyQAError
) -> None:
    """An error of opening is shown in its one line, escaped."""
    fake.opening = error
    text = shown(draw())
    assert "The knowledge base cannot be used" in text
    assert str(error).replace("<", "&lt;").replace(">", "&gt;") in text


def test_unsearchable_query_shows_the_errors_own_line(fake: type[FakeKnowledgeBase]) -> None:
    """A query that cannot be searched is explained in one line, and the box stays usable."""
    app = draw("?")
    assert "This question cannot be searched" in shown(app)
    assert "has no letter and no digit" in shown(app)
    assert app.text_input(key="query").value == "?"


def test_unforeseen_error_tells_nothing_private(
    fake: type[FakeKnowledgeBase], caplog: pytest.LogCaptureFixture
) -> None:
    """An error nobody foresaw is logged whole and shown in general words."""
    text = shown(draw("boom"))
    assert "Something went wrong" in text
    assert "a private detail" not in text
    assert "a private detail" in caplog.text


def test_knowledge_base_is_opened_once_for_each_generation(fake: type[FakeKnowledgeBase]) -> None:
    """Every visitor shares one opened knowledge base until its generation changes."""
    draw("shoes")
    draw("maybe")
    assert fake.opened == ["fake-kb"]
    fake.generation = 2
    draw("shoes")
    assert fake.opened == ["fake-kb", "fake-kb"]


def test_hostile_text_is_escaped_on_every_page(fake: type[FakeKnowledgeBase]) -> None:
    """Markup in the corpus or the query reaches no page as markup."""
    fake.text = HOSTILE_TEXT
    for query in ("", "shoes", "weather", "careful", HOSTILE):
        for language in ("en", "zh-Hans"):
            text = shown(draw(query, language))
            assert "<img" not in text
            assert "<script" not in text


# --- in a browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [path for name in names if (path := shutil.which(name))]
    chromium = os.environ.get("POLICY_QA_CHROMIUM") or next(iter(found), None)
    if not chromium:
        pytest.skip("No Chromium was found: install one or name it in POLICY_QA_CHROMIUM.")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed.")
    quiet = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    offline = "--disable-background-networking --disable-component-update"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=f"{quiet} {offline}".split()
        )
        yield browser
        browser.close()


def serve(app: Path, knowledge_base: Path, log: Path) -> Iterator[str]:
    """Serve a page on a free loopback port until the generator is closed; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    settings = {**os.environ, "POLICY_QA_KB": str(knowledge_base)}
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=APP.parent, env=settings, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(300):
                if healthy(address) or server.poll() is not None:
                    break
                time.sleep(0.1)
            assert healthy(address), f"The page's server did not start:\n{log.read_text()}"
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


def healthy(address: str) -> bool:
    """Whether the page's server answers."""
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


@pytest.fixture(scope="module")
def seed_page(
    browser: "Browser", seed_kb: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the page over the knowledge base of the repository's own corpus."""
    yield from serve(APP, seed_kb, tmp_path_factory.mktemp("page") / "server.log")


@pytest.mark.parametrize(("characters", "whole"), [(9_000, 1), (11_000, 0)])
def test_long_entry_gets_no_whole_card(
    fake: type[FakeKnowledgeBase], characters: int, whole: int
) -> None:
    """All points of an entry are offered only if it is short enough to read them."""
    fake.text = f"1. May I return shoes?\n{'Yes. ' * (characters // 5)}\n2. Who pays?\nThe buyer.\n"
    text = shown(draw("careful"))
    assert "pq-answered" in text
    assert text.count('<details class="pq-whole">') == whole


@pytest.fixture(scope="module")
def hostile_page(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page over a fake knowledge base whose every text is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    script = folder / "hostile_app.py"
    script.write_text(
        "import runpy, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import policy_qa\n"
        "from test_page import HOSTILE_TEXT, FakeKnowledgeBase\n"
        "FakeKnowledgeBase.text = HOSTILE_TEXT\n"
        "policy_qa.KnowledgeBase = FakeKnowledgeBase\n"
        f"runpy.run_path({str(APP)!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    yield from serve(script, folder, folder / "server.log")


@pytest.fixture
def tab(browser: "Browser") -> Iterator["Page"]:
    """A browser tab; the test fails when a dialog opens or another host is asked."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    dialogs: list[Any] = []
    outside: list[str] = []

    def note_dialog(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    def note_request(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            outside.append(request.url)

    tab.on("dialog", note_dialog)
    tab.on("request", note_request)
    yield tab
    context.close()
    assert not dialogs
    assert not outside


SHIPPING = "淘寶買家拍錯了,聯系不上,讓退款也不退款,不發貨會怎樣"
TYPES = "常見售後問題類型有哪些"
BUYER = "拍錯對買家有影響嗎"
WEATHER = "How many moons does Jupiter have?"


def ask(tab: "Page", query: str) -> None:
    """Type a query and press Enter."""
    box = tab.locator("input").first
    box.fill(query)
    box.press("Enter")


def wait_for_query(tab: "Page", query: str) -> None:
    """Wait until the question box holds a query."""
    from playwright.sync_api import expect

    expect(tab.locator("input").first).to_have_value(query, timeout=30_000)


IN_VIEW = """() => {
  const box = document.querySelector(".pq-entry .pq-source")?.getBoundingClientRect();
  const mark = document.querySelector(".pq-entry mark")?.getBoundingClientRect();
  return box && mark && box.top <= mark.top && mark.top < box.bottom && box.bottom <= 800;
}"""
"""Whether the box of the source is on the screen and its mark in the box."""


def test_typed_question_is_answered_with_its_place_in_the_source(
    seed_page: str, tab: "Page"
) -> None:
    """Enter shows a conclusion on the left and the same words marked and in view on the right."""
    tab.goto(seed_page)
    ask(tab, TYPES)
    tab.locator(".pq-answered blockquote").first.wait_for()
    tab.wait_for_function(IN_VIEW)
    mark = tab.locator(".pq-entry mark").first
    quoted = tab.locator("blockquote").first.inner_text()
    assert quoted.startswith(mark.inner_text())
    assert tab.url.endswith(f"?q={quote(TYPES)}")


def test_address_opens_its_query(seed_page: str, tab: "Page") -> None:
    """A link with a query and a language opens answered, in that language."""
    tab.goto(f"{seed_page}/?lang=zh-Hans&q={quote(SHIPPING)}")
    tab.locator(".pq-answered blockquote").first.wait_for()
    wait_for_query(tab, SHIPPING)
    assert tab.get_by_text("对应的条目").is_visible()
    tab.locator("html[lang=zh-Hans]").wait_for(state="attached")


def test_back_and_forward_walk_through_the_queries(seed_page: str, tab: "Page") -> None:
    """Back shows the query before and Forward the query after, in the box and in the answer."""
    tab.goto(seed_page)
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
    tab.goto(f"{seed_page}/?lang=zh-Hant&q={quote(TYPES)}")
    tab.locator(".pq-answered").wait_for()
    tab.get_by_text("English").click()
    tab.get_by_text("Matched entry").wait_for()
    box = tab.locator("input").first
    wait_for_query(tab, TYPES)
    box.fill(SHIPPING)
    tab.get_by_text("简体").click()
    tab.get_by_text("对应的条目").wait_for()
    wait_for_query(tab, SHIPPING)
    box.press("Enter")
    tab.locator(".pq-question").filter(has_text="拍錯了").wait_for()


def test_conclusion_reading_caution_and_rule_card_are_shown(seed_page: str, tab: "Page") -> None:
    """A Traditional source answers a Simplified page in its own words, with all that goes along."""
    tab.goto(f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
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


VISIBLE = """(selectors) => selectors.filter(selector => {
  const box = document.querySelector(selector)?.getBoundingClientRect();
  return !(box && box.height && box.top >= 0 && box.left >= 0
    && box.bottom <= innerHeight && box.right <= innerWidth);
})"""
"""The selectors whose first element is not wholly on the screen."""


def test_answer_and_source_are_seen_without_scrolling(seed_page: str, tab: "Page") -> None:
    """The answer with its cautions and facts, and its words in the source, fit one screen."""
    tab.goto(f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    tab.wait_for_function(IN_VIEW)
    parts = [".pq-card", ".pq-card blockquote", ".pq-reading", ".pq-caution", ".pq-facts"]
    assert tab.evaluate(VISIBLE, [*parts, ".pq-whole summary", ".pq-entry mark"]) == []
    assert tab.evaluate("document.querySelector('.stMain').scrollTop") == 0
    left, right = (tab.locator(part).bounding_box() for part in (".pq-card", ".pq-entry"))
    assert left
    assert right
    assert left["x"] + left["width"] < right["x"]
    tab.set_viewport_size({"width": 1280, "height": 200})
    assert tab.evaluate(VISIBLE, parts)


def test_whole_card_opens_by_keyboard(seed_page: str, tab: "Page") -> None:
    """Tab reaches the folded points of the entry and Enter opens them: more than the answer's."""
    tab.goto(f"{seed_page}/?lang=zh-Hans&q={quote(BUYER)}")
    tab.locator(".pq-answered").wait_for()
    wait_for_query(tab, BUYER)
    whole = tab.locator(".pq-whole .pq-facts")
    assert not whole.is_visible()
    tab.locator("input").first.focus()
    for _ in range(10):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.matches('.pq-whole summary')"):
            break
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("Enter")
    whole.wait_for()
    points = [set(card.locator("dd").all_inner_texts()) for card in tab.locator(".pq-facts").all()]
    assert points[0] < points[1]


def test_uncovered_question_says_so(seed_page: str, tab: "Page") -> None:
    """A question that the corpus does not cover is told so, with no quote."""
    tab.goto(seed_page)
    ask(tab, WEATHER)
    tab.locator(".pq-not_covered").wait_for()
    assert tab.get_by_text("Not covered").is_visible()
    assert not tab.locator("blockquote").count()


def test_hostile_text_is_inert_in_the_browser(hostile_page: str, tab: "Page") -> None:
    """Markup, Markdown, LaTeX and emoji codes of corpus and query show as the text they are."""
    tab.goto(hostile_page)
    example = tab.locator("[class*=st-key-example-0] button")
    example.wait_for()
    assert example.inner_text() == HOSTILE
    assert not example.locator("a, img, strong, code, .katex, span[class*=color]").count()
    example.click()
    tab.locator(".pq-answered").wait_for()
    wait_for_query(tab, HOSTILE)
    assert tab.locator("blockquote").inner_text() == HOSTILE
    assert tab.locator(".pq-entry mark").inner_text() == HOSTILE
    assert tab.locator(".pq-card .pq-question").inner_text() == HOSTILE
    assert not tab.locator(".stHtml :is(img, a, script, .katex, code)").count()
    tab.goto(f"{hostile_page}/?q=weather")
    assert tab.locator(".pq-other summary bdi").first.inner_text() == HOSTILE


def test_hostile_rule_card_and_cautions_are_inert(hostile_page: str, tab: "Page") -> None:
    """Facts, cautions, readings and further places of hostile text show as the text they are."""
    tab.goto(f"{hostile_page}/?lang=zh-Hans&q=careful")
    tab.locator(".pq-answered").wait_for()
    tab.locator(".pq-whole summary").click()
    assert tab.locator("blockquote").first.inner_text() == HOSTILE
    assert set(tab.locator(".pq-facts dd").all_inner_texts()) == {HOSTILE}
    assert tab.locator(".pq-reading").first.inner_text().endswith(READ)
    notes = tab.locator(".pq-caution [role=note]").all_inner_texts()
    assert len(notes) == len(KINDS)
    assert sum(HOSTILE in note for note in notes) == 3
    assert not tab.locator(".stHtml :is(img, a, script, .katex, code)").count()


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_contradicting_quotes_stand_side_by_side(
    hostile_page: str, tab: "Page", width: int, *, beside: bool
) -> None:
    """Both quotes of a contradiction start at one height; on a phone one stands above the other."""
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto(f"{hostile_page}/?lang=zh-Hans&q=careful")
    tab.locator(".pq-answered").wait_for()
    sides = tab.locator(".pq-sides")
    assert sides.count() == len(CONTRADICTIONS)
    ours, theirs = (side.bounding_box() for side in sides.first.locator("figure").all())
    assert ours
    assert theirs
    assert (ours["y"] == theirs["y"]) == beside
    assert (ours["x"] + ours["width"] <= theirs["x"]) == beside
    assert (ours["y"] + ours["height"] <= theirs["y"]) != beside
    main = "document.querySelector('.stMain')"
    assert tab.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")


CONTRAST = """() => {
  const rgba = color => {
    const parts = color.match(/^rgba?\\(([^)]*)\\)$/)[1].split(/[ ,/]+/).map(Number);
    return parts.length === 4 ? parts : [...parts, 1];
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
  const found = [];
  const texts = document.createTreeWalker(document.querySelector(".stMain"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.closest(".stHtml") ||
        !element.checkVisibility() || element.closest("style")) continue;
    const below = ground(element);
    const [r, g, b, a] = rgba(getComputedStyle(element).color);
    const [low, high] = [light(below), light(over([r, g, b, a * opacity(element)], below))]
      .sort((one, other) => one - other);
    const kind = [".pq-caution figcaption", ".pq-caution .pq-reading", ".pq-caution blockquote",
      ".pq-caution", ".pq-reading", ".pq-facts dt", ".pq-facts dd", ".pq-whole", "figcaption",
      "mark", "[class*=pq-]"].find(selector => element.closest(selector));
    found.push([kind, (high + 0.05) / (low + 0.05), light(below)]);
  }
  return found;
}"""
"""Every text of the page: what it is, its contrast (WCAG 2) and how light its ground is."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(hostile_page: str, tab: "Page", scheme: Any) -> None:
    """All texts of an answer have the contrast that WCAG asks for at level AA, light and dark."""
    tab.emulate_media(color_scheme=scheme)
    tab.goto(f"{hostile_page}/?lang=zh-Hans&q=careful")
    tab.locator(".pq-answered").wait_for()
    tab.locator(".pq-whole summary").click()
    tab.locator(".pq-whole .pq-facts").wait_for()
    texts = tab.evaluate(CONTRAST)
    assert {kind for kind, _, _ in texts} >= {
        *(f".pq-caution{part}" for part in ("", " figcaption", " .pq-reading", " blockquote")),
        *(".pq-reading", ".pq-facts dt", ".pq-facts dd", ".pq-whole", "figcaption", "mark"),
    }
    assert all((ground > 0.5) == (scheme == "light") for _, _, ground in texts)
    assert [(kind, contrast) for kind, contrast, _ in texts if contrast < 4.5] == []
