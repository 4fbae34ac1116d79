"""Take the README's picture of the page: `python docs/make_picture.py` writes `docs/page.png`."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from policy_qa import KnowledgeBase

ROOT = Path(__file__).parent.parent
QUERY = "超過72小時不發貨會怎樣?"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


def main() -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("No Chromium: install it, for example with: sudo apt install chromium")
    with tempfile.TemporaryDirectory() as folder:
        KnowledgeBase.build(ROOT / "corpus", Path(folder, "kb")).close()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        environment = os.environ | {"POLICY_QA_KB": f"{folder}/kb"}
        server = subprocess.Popen([*command, f"--server.port={port}"], cwd=ROOT, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            photograph(browser, f"http://127.0.0.1:{port}/?q={quote(QUERY)}&lang=zh-Hant")
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit("The page did not start.")


def photograph(browser: str, address: str) -> None:
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        tab = window.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(address)
        tab.locator("mark").first.wait_for()
        tab.wait_for_timeout(1000)
        tab.screenshot(path=ROOT / "docs" / "page.png")
        window.close()


if __name__ == "__main__":
    main()
