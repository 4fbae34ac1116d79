"""What the tests of the search page share: a knowledge base without indexes, a server, a browser.

A script that the server runs may import this, so that nothing here needs pytest's own folders.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, get_args

import pytest
from fakes import LetterEncoder
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.testing.v1 import AppTest

from policy_qa.changes import Changes, DocumentChanges, EntryName
from policy_qa.common_words import MatchedTerm
from policy_qa.errors import InputError, KnowledgeBaseNotFound, QueryError
from policy_qa.inspection import Inspection, Part, PartName, Signal, SignalName
from policy_qa.keeping import Expiring
from policy_qa.lexicon import Rule
from policy_qa.lint import KINDS as FINDING_KINDS
from policy_qa.lint import Finding
from policy_qa.query_log import QueryLog
from policy_qa.storage import Action, Event, Manifest
from policy_qa.types import (
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
    Match,
    Passage,
    RuleCard,
    Span,
    Status,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

APP = Path(__file__).parents[1] / "app.py"
HOSTILE = (
    "<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](x.png) $x$ :smile: :red[r] "
    "**bold** `code` https://example.com \"' \u202eabc\u202c </mark><script>alert(1)</script> 買"
)
READ = HOSTILE.replace("買", "买")
HOSTILE_TEXT = f"1. {HOSTILE}\n{HOSTILE}\n2. Who pays?\nThe buyer.\n"
CAUTION_KINDS: tuple[CautionKind, ...] = get_args(CautionKind)
DAY = date(2011, 12, 31)


class FakeKnowledgeBase:
    """Two entries; the query chooses the status of the answer, `careful` all that one can hold."""

    text: ClassVar[str] = "1. May I return shoes?\nYes, within 7 days.\n2. Who pays?\nThe buyer.\n"
    opening: ClassVar[Exception | None] = None
    opened: ClassVar[list[str]] = []
    generation: ClassVar[int] = 1
    corpus: ClassVar[str] = "a corpus that is nowhere"
    created: ClassVar[str] = "2026-01-02T03:04:05+00:00"
    confidences: ClassVar[dict[str, float]] = {"answered": 0.912, "related": 0.5}
    asked: ClassVar[list[str]] = []
    different: ClassVar[Changes] = Changes()
    skipped: ClassVar[dict[str, str]] = {}
    made: ClassVar[list[tuple[Event, bool]]] = []
    ending: ClassVar[list[Expiring]] = []

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

    @property
    def manifest(self) -> Manifest:
        """What the generation says of itself."""
        return Manifest(
            format_version=1,
            generation=self.generation,
            created=self.created,
            corpus=self.corpus,
            model="letters",
            encoder=self.encoder.identity,
            dim=self.encoder.dim,
            text="",
            questions_indexed=True,
            documents=1,
            entries=2,
            passages=4,
            languages={},
            sources=1,
            skipped=self.skipped,
        )

    def changes(self) -> Changes:
        """Return what is said to differ in the corpus."""
        return self.different

    @property
    def encoder(self) -> LetterEncoder:
        """One that counts letters."""
        return LetterEncoder()

    @property
    def calibration(self) -> "FakeKnowledgeBase":
        """What tells confidence and status: itself."""
        return self

    def confidence(self, components: dict[str, float]) -> float:
        """Return that of an answer."""
        return self.confidences["answered"]

    def status(self, confidence: float) -> Status:
        """Call it answered."""
        return "answered"

    def document(self, document_id: str) -> Document:
        """Return the one document."""
        return Document(document_id, self.text)

    def entries(self, document_id: str | None = None) -> list[Entry]:
        """Return the two entries."""
        cut = self.text.index("2. ")
        return [self._entry(1, 0, cut), self._entry(2, cut, len(self.text))]

    def entry(self, entry_id: str) -> Entry:
        """Return an entry."""
        for entry in self.entries():
            if entry.id == entry_id:
                return entry
        raise InputError(f"There is no entry {entry_id!r}.")

    def documents(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the id of the one document."""
        return [("shop.txt", ())]

    def questions(self) -> dict[str, str]:
        """Return the two questions."""
        return {entry.id: self._quoted(entry.question) for entry in self.entries()}

    def some_questions(self, count: int) -> list[str]:
        """Return the two questions."""
        return [*self.questions().values()][:count]

    def rules(self) -> list[Rule]:
        """Return no rules."""
        return []

    def _entry(self, number: int, start: int, end: int) -> Entry:
        first = self.text.index("\n", start)
        question, rest = Span(start + 3, first), Span(first + 1, end - 1)
        return Entry(f"shop#{number}", "shop.txt", Span(start, end), question, rest)

    def _quoted(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def _cited(self, entry: Entry) -> Citation:
        line = self.text.count("\n", 0, entry.answer.start) + 1
        return Citation("shop.txt", entry.id, entry.answer, line, self._quoted(entry.answer))

    def search_many(self, queries: Sequence[str], top_k: int = 10) -> list[list[Hit]]:
        """Find both entries for every query."""
        return [self._hits(query) for query in queries]

    def _hits(self, query: str) -> list[Hit]:
        entries = self.entries()
        ordered = entries[::-1] if "pays" in query else entries
        hits = []
        for rank, entry in enumerate(ordered, start=1):
            words = self._quoted(entry.answer)
            found = Passage(f"{entry.id}:1", entry.id, "shop.txt", entry.answer, words)
            hits.append(Hit(rank, entry, self._quoted(entry.question), found, 1 / rank, {}))
        return hits

    def ask(self, query: str, filters: Filters | None = None) -> Answer:
        """Quote the best entry, unless the query names another status or error."""
        self.asked.append(query)
        if query == "slow":
            time.sleep(6)
        if query == "boom":
            raise RuntimeError("a private detail")
        if query == "?":
            raise QueryError("The query '?' has no letter and no digit: write a question.")
        statuses: dict[str, Status] = {"weather": "not_covered", "maybe": "related"}
        status = statuses.get(query, "answered")
        hits = self._hits(query)
        best, other = (hit.entry for hit in hits)
        conclusion = self._cited(best)
        covered = status != "not_covered"
        answer = Answer(
            query,
            status,
            self.confidences.get(status, 0.04),
            best if covered else None,
            self._quoted(best.question) if covered else "",
            (conclusion,) if covered else (),
            tuple(hits[1:] if covered else hits),
            tuple(hits),
            self.generation,
        )
        if query != "careful":
            return answer
        words = self._quoted(best.question)
        quotes = (conclusion, self._cited(other))
        return replace(
            answer,
            also=quotes[1:],
            fields={"deadlines": (Fact(conclusion),)},
            cautions=tuple(Caution(kind, quotes, words, words, DAY) for kind in CAUTION_KINDS),
            read_as=words,
        )

    def inspect(self, query: str, entry_id: str) -> Inspection:
        """Return an inspection with every part and signal that there is."""
        entry = self.entry(entry_id)
        words = self._quoted(entry.question)
        rank = 1 + [hit.entry.id for hit in self._hits(query)].index(entry_id)
        parts: tuple[PartName, ...] = get_args(PartName)
        signals: tuple[SignalName, ...] = get_args(SignalName)
        return Inspection(
            entry_id=entry_id,
            read_as="",
            passage=self._cited(entry),
            in_question=False,
            terms=(MatchedTerm(words, (entry.question,), 0.5),),
            missing=(words,),
            rules=(Match(words, words, words),),
            rank=rank,
            score=0.9 / rank,
            ahead=0.1,
            behind=0.1 * (rank - 1),
            parts=tuple(Part(name, 0.5, 0.25, 0.125) for name in parts),
            signals=tuple(Signal(name, 0.5, 0.75) for name in signals),
            intercept=-1.5,
            slope=1.25,
            shift=0.5,
            confidence=0.912,
            status="answered",
            answered_from=0.72,
            related_from=0.41,
        )

    def rule_card(self, entry_id: str) -> RuleCard:
        """Return a card whose every field holds the entry's answer."""
        return {field: (Fact(self._cited(self.entry(entry_id))),) for field in FIELDS}


def every_finding(kb: FakeKnowledgeBase) -> list[Finding]:
    """Return a finding of each kind; every quote is the answer of the first entry."""
    quote = kb._cited(kb.entries()[0])
    return [Finding(kind, (quote, quote), DAY, 0.9) for kind in FINDING_KINDS]


def every_change(kb: FakeKnowledgeBase) -> Changes:
    """Return a change of each kind; every name is the question of the first entry."""
    name = kb.questions()["shop#1"]
    entry = (EntryName(name, name),)
    document = DocumentChanges(name, entry, entry, entry)
    return Changes((name,), (document,), (name,), ((name, name),), lexicon=True, alternates=True)


def every_event(kb: FakeKnowledgeBase) -> list[tuple[Event, bool]]:
    """Return a generation made in each way, the last one on disk, the first question for a note."""
    actions: tuple[Action, ...] = get_args(Action)
    note = kb.questions()["shop#1"]
    events = [
        Event(number, "2011-12-31T23:59:58+00:00", action, 1, 2, 3, 4, 5, note)
        for number, action in enumerate(actions, start=1)
    ]
    return [(event, event is events[-1]) for event in events]


def every_end(kb: FakeKnowledgeBase) -> list[Expiring]:
    """Return an entry that has ended and one that ends today, both named by the first question."""
    entries = [replace(entry, expires=DAY) for entry in kb.entries()]
    question = kb.questions()["shop#1"]
    return [Expiring(entry, question, days) for entry, days in zip(entries, (-1, 0), strict=True)]


def put_in_place(text: str = HOSTILE_TEXT) -> None:
    """Let the page of this process show a fake with a text, and all that it can show of it."""
    import policy_qa
    from policy_qa import changes, keeping, lint

    FakeKnowledgeBase.text = text
    FakeKnowledgeBase.skipped = {text.splitlines()[0]: text.splitlines()[0]}
    policy_qa.KnowledgeBase = FakeKnowledgeBase
    changes.is_stale = lambda path, manifest: True
    changes.corpus_of = lambda manifest: Path()
    FakeKnowledgeBase.changes = every_change
    lint.lint = every_finding
    keeping.history = lambda path: every_event(FakeKnowledgeBase())
    keeping.expiring = lambda path, within, today: every_end(FakeKnowledgeBase())


def log_useless(knowledge_base: Path, *queries: str) -> None:
    """Write questions whose answers were found useless to the log of a knowledge base."""
    with QueryLog(knowledge_base / "queries.sqlite") as log:
        for query in queries:
            answer = FakeKnowledgeBase().ask("shoes")
            log.rate(log.record(replace(answer, query=query), "en"), useful=False)


# --- without a browser --------------------------------------------------------------------------


def draw(query: str = "", language: str = "en", **parameters: str) -> AppTest:
    """Draw the page at an address; whatever it shows, it shows no traceback."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in {"q": query, "lang": language, **parameters}.items():
        if value:
            app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def send(app: AppTest, event: str, value: object) -> AppTest:
    """Send what `page.js` sends: `go` a link, `act` what a button does."""
    states = app._tree.get_widget_states()
    widget = states.widgets.add()
    widget.id = _make_trigger_id(app.get("bidi_component")[0].proto.id, "events")
    widget.json_trigger_value = json.dumps([{"event": event, "value": value}])
    app._run(states)
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    """Return the HTML of the page, its style left out."""
    return "\n".join(element.value for element in app.get("html") if "<style>" not in element.value)


def behaviour(app: AppTest) -> dict[str, str]:
    """Return what the page tells `page.js`."""
    data: dict[str, str] = json.loads(app.get("bidi_component")[0].proto.json)
    return data


# --- in a browser -------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Run a headless Chromium; the test is skipped where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [path for name in names if (path := shutil.which(name))]
    executable = os.environ.get("POLICY_QA_CHROMIUM") or next(iter(found), None)
    if not executable:
        pytest.skip("No Chromium was found: install one or name it in POLICY_QA_CHROMIUM.")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed.")
    quiet = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    offline = "--disable-background-networking --disable-component-update"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable, args=f"{quiet} {offline}".split()
        )
        yield browser
        browser.close()


@contextmanager
def serve(app: Path, knowledge_base: Path, log: Path) -> Iterator[str]:
    """Serve a page on a free loopback port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    settings = {**os.environ, "POLICY_QA_KB": str(knowledge_base), "POLICY_QA_LOG": ""}
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


HOSTILE_APP = f"""import runpy, sys
sys.path[:0] = [{str(APP.parent)!r}, {str(Path(__file__).parent)!r}]
import page_fakes
page_fakes.put_in_place()
runpy.run_path({str(APP)!r}, run_name="__main__")
"""
"""The page over a fake whose every text is hostile, as a script for the server."""
