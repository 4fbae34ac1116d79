"""What the page costs in a browser: `python benchmarks/page.py`.

In headless Chromium, on the seed corpus: the first view of a fresh server until its box can be
typed in; Enter until the answer is on the screen, one user; the same while nine other users ask in
the same instant. The yardstick is an empty Streamlit page that answers a form with one line of
HTML, in the same run. Writes
`benchmarks/results/page.md`.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from policy_qa import KnowledgeBase

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "page.md"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ASKED, USERS, ROUNDS, FIRST_VIEWS = 40, 10, 40, 5
READING = 1.0
"""Seconds from a user's question to the next; shorter than anyone reads an answer."""

EMPTY_PAGE = """
import streamlit as st

with st.form("ask", border=False):
    query = st.text_input("query", key="query")
    st.form_submit_button("ask")
if query:
    st.html(f'<p class="pq-question">{query}</p>')
"""

ASK = """(query) => new Promise((resolve, reject) => {
  const box = document.querySelector("input[type=search], input[type=text]");
  const shown = () => [...document.querySelectorAll(".pq-question")].map(e => e.innerText).join();
  const before = shown();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, query);
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  setTimeout(() => {
    const start = performance.now();
    const watch = new MutationObserver(() => {
      if (shown() === before) return;
      watch.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - start));
    });
    watch.observe(document.body, { childList: true, subtree: true, characterData: true });
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13,
      bubbles: true, cancelable: true }));
    setTimeout(() => reject(new Error("no answer to " + query)), 20000);
  }, 50);
})"""
"""Types a query, presses Enter, and tells the milliseconds until the question that it found is
another one and the next frame is drawn."""


def main() -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("No Chromium: install it, for example with: sudo apt install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        with KnowledgeBase.build(ROOT / "corpus", Path(folder, "kb")) as kb:
            questions = list(kb.questions().values())
        empty = Path(folder, "empty.py")
        empty.write_text(EMPTY_PAGE, encoding="utf-8")
        window = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        rows = [
            first_view(window, empty, folder),
            *in_turn(window, empty, folder, questions),
            *at_once(window, folder, questions),
        ]
        window.close()
    report = "\n".join(
        [
            "# What the page costs",
            "",
            f"`python benchmarks/page.py`, on the seed corpus in Chromium; {os.cpu_count()} cores, "
            "which the browser shares.",
            "",
            "| | p50 | p95 | an empty Streamlit page, p50 | ratio |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(report, encoding="utf-8")
    print(report)


def first_view(window: Any, empty: Path, folder: str) -> str:
    """Measure from the request to a fresh server until its box can be typed in."""

    def usable(app: Path) -> float:
        with served(app, folder) as address:
            tab = window.new_page()
            start = time.perf_counter()
            tab.goto(address)
            tab.locator("input").first.wait_for()
            tab.locator("button").first.wait_for()
            taken = time.perf_counter() - start
            tab.close()
        return taken

    pairs = [(usable(empty), usable(ROOT / "app.py")) for _ in range(FIRST_VIEWS)]
    bare, page = ([pair[side] for pair in pairs] for side in (0, 1))
    return row("first view of a fresh server, until usable", page, bare, "s")


def in_turn(window: Any, empty: Path, folder: str, questions: list[str]) -> Iterator[str]:
    """Measure one user's questions."""
    with served(empty, folder) as bare_address, served(ROOT / "app.py", folder) as address:
        bare_tab, tab = window.new_page(), window.new_page()
        bare, page = [], []
        for number in range(-4, ASKED):
            query = questions[number % len(questions)]
            taken = []
            for one, where in ((bare_tab, bare_address), (tab, address)):
                if one.url == "about:blank":
                    one.goto(where)
                    one.locator("input").first.wait_for()
                    one.wait_for_timeout(1_500)
                one.bring_to_front()
                taken.append(one.evaluate(ASK, query))
                one.wait_for_timeout(300)
            if number >= 0:
                bare.append(taken[0])
                page.append(taken[1])
        bare_tab.close()
        tab.close()
    yield row("Enter to answer, one user", page, bare, "ms")


def at_once(window: Any, folder: str, questions: list[str]) -> Iterator[str]:
    """Measure ten users who ask in the same instant: one in the browser, the others without.

    Ten browsers on the machine of the server would measure each other: the others speak the page's
    own protocol, and wait until their script has finished.
    """
    with ExitStack() as users, served(ROOT / "app.py", folder) as address:
        tab = window.new_page()
        tab.goto(address)
        tab.locator("input").first.wait_for()
        tab.wait_for_timeout(1_500)
        stream = address.replace("http:", "ws:") + "/_stcore/stream"
        others = [
            users.enter_context(
                connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None)
            )
            for _ in range(USERS - 1)
        ]
        seen, unseen = [], []
        with ThreadPoolExecutor(USERS - 1) as threads:
            for turn in range(-2, ROUNDS):
                asked = [questions[(turn + user) % len(questions)] for user in range(USERS)]
                waiting = [threads.submit(ask, *one) for one in zip(others, asked[1:], strict=True)]
                taken = tab.evaluate(ASK, asked[0])
                if turn >= 0:
                    seen.append(taken)
                    unseen += [one.result() for one in waiting]
                wait(waiting)
                tab.wait_for_timeout(1000 * READING)
        tab.close()
    yield row(f"Enter to answer, {USERS} users at once: one of them", seen, [], "ms")
    yield row("until the server has answered each of the others", unseen, [], "ms")


def ask(stream: ClientConnection, query: str) -> float:
    """Return the milliseconds until the page at a query's address has been sent whole."""
    message = BackMsg()
    message.rerun_script.query_string = urlencode({"q": query})
    start = time.perf_counter()
    stream.send(message.SerializeToString())
    while True:
        received = ForwardMsg.FromString(stream.recv(decode=False))
        if received.WhichOneof("type") == "script_finished":
            return 1000 * (time.perf_counter() - start)


def row(name: str, taken: list[float], bare: list[float], unit: str) -> str:
    form = "{:.2f} s" if unit == "s" else "{:.0f} ms"
    middle = statistics.median(taken)
    late = sorted(taken)[min(len(taken) - 1, round(0.95 * len(taken)))]
    shown = [form.format(value) for value in (middle, late)]
    if bare:
        yardstick = statistics.median(bare)
        shown += [form.format(yardstick), f"{middle / yardstick:.2f}"]
    else:
        shown += ["", ""]
    return f"| {name} | " + " | ".join(shown) + " |"


@contextmanager
def served(app: Path, folder: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.headless=true"]
    server = subprocess.Popen(
        [*command, f"--server.port={port}"],
        cwd=ROOT,
        env=os.environ | {"POLICY_QA_KB": f"{folder}/kb"},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("The page did not start.")


if __name__ == "__main__":
    main()
