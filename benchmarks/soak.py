"""What long use and overload do: `python benchmarks/soak.py`.

10,000 different questions from several threads to one open knowledge base, with the memory that the
process holds after each few hundred; then more threads than any machine has cores, all at once.
The same of the page, by its own protocol on this machine's loopback: ten readers in the same
instant, forty, and then 10,000 questions from four. Writes `benchmarks/results/soak.md`.
"""

import argparse
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from page import ask, wait_for
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from policy_qa import KnowledgeBase

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "soak.md"
THREADS, CROWD = 8, 64
SAMPLED = 250
"""Questions between two looks at the memory."""
WARM = 0.2
"""Share of the questions until caches are full, after which nothing may grow."""
CROWDS = ((10, 15), (40, 4))
"""How many readers of the page ask in the same instant, and how often."""
READERS = 4
"""Of the page, who ask the many questions."""
LONGEST = 120
"""Seconds to wait for one page; more is a failure."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--page-queries", type=int, default=10_000)
    parser.add_argument(
        "--seconds", type=float, default=7_200, help="after which no more are asked by `ask`"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kb")
        with KnowledgeBase.build(ROOT / "corpus", path) as kb:
            count = max(options.queries, options.page_queries) + sum(n * t for n, t in CROWDS)
            asked = questions(kb, count + 1)
            api, memory = steady(kb, asked[: options.queries], options.seconds)
            crowd = at_once(kb, asked[: 5 * CROWD])
        page, page_memory = of_page(path, folder, asked, options.page_queries)
    report = "\n".join(
        [
            "# What long use and overload do",
            "",
            f"`python benchmarks/soak.py --queries {options.queries} "
            f"--page-queries {options.page_queries}`, on the seed corpus; "
            f"{os.cpu_count()} cores, which the readers share. Every question is another one.",
            "",
            "| | asked | failed | a second | p50 | p95 | p99 | longest |",
            "|---|---|---|---|---|---|---|---|",
            api,
            crowd,
            *page,
            "",
            "| resident memory | first | warm | last | growth once warm |",
            "|---|---|---|---|---|",
            memory,
            page_memory,
            "",
            f"Warm is after {WARM:.0%} of the questions; the growth is the slope of a line through "
            "all that follow. Overload makes questions wait; none is refused.",
            "",
        ]
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(report, encoding="utf-8")
    print(report)


def questions(kb: KnowledgeBase, count: int) -> list[str]:
    """Return different questions: stored ones, those of the seed, each with a number of its own."""
    lines = (ROOT / "eval" / "seed" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [*kb.questions().values(), *(json.loads(line)["text"] for line in lines)]
    return [f"{texts[n % len(texts)].strip()} 訂單{n}" for n in range(count)]


def steady(kb: KnowledgeBase, asked: Sequence[str], most: float) -> tuple[str, str]:
    """Ask from several threads; return the rows of latency and of memory."""
    samples: list[tuple[int, float]] = [(0, resident(os.getpid()))]
    taken: list[float] = []
    failed: list[str] = []
    lock = threading.Lock()

    def one(query: str) -> None:
        start = time.perf_counter()
        if start > begun + most:
            return
        try:
            kb.ask(query)
        except Exception as error:  # noqa: BLE001 (counted)
            failed.append(repr(error))
        with lock:
            taken.append(1000 * (time.perf_counter() - start))
            if len(taken) % SAMPLED == 0:
                samples.append((len(taken), resident(os.getpid())))
                print(*samples[-1], file=sys.stderr, flush=True)

    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(one, asked))
    seconds = time.perf_counter() - begun
    gc.collect()
    name = f"`ask`, {THREADS} threads"
    return row(name, taken, len(failed), seconds), memory_row("`ask`", samples)


def at_once(kb: KnowledgeBase, asked: Sequence[str]) -> str:
    """Ask from a crowd of threads at once; the latency is from when all were let go."""
    taken, failed = [], []

    def one(query: str) -> float:
        start = time.perf_counter()
        try:
            kb.ask(query)
        except Exception as error:  # noqa: BLE001 (counted)
            failed.append(repr(error))
        return 1000 * (time.perf_counter() - start)

    start = time.perf_counter()
    with ThreadPoolExecutor(CROWD) as threads:
        taken = list(threads.map(one, asked))
    return row(f"`ask`, {CROWD} threads", taken, len(failed), time.perf_counter() - start)


def of_page(path: Path, folder: str, asked: Sequence[str], many: int) -> tuple[list[str], str]:
    """Ask the page; return the rows of latency, and that of the server's memory."""
    rows: list[str] = []
    samples: list[tuple[int, float]] = []
    with served(path, folder) as (address, process), ExitStack() as streams:
        stream = address.replace("http:", "ws:") + "/_stcore/stream"

        def reader() -> Any:
            return streams.enter_context(
                connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None)
            )

        readers = [reader() for _ in range(max(crowd for crowd, _ in CROWDS))]
        ask(readers[0], asked[0])  # opens the knowledge base
        samples.append((0, resident(process)))
        count = 0
        number = iter(asked[1:])
        for crowd, turns in (*CROWDS, (READERS, many // READERS)):
            taken: list[float] = []
            failed: list[str] = []

            def one(mine: Any, taken: list[float], failed: list[str], query: str) -> None:
                try:
                    taken.append(bounded(lambda: ask(mine, query)))
                except Exception as error:  # noqa: BLE001 (counted)
                    failed.append(repr(error))

            start = time.perf_counter()
            with ThreadPoolExecutor(crowd) as threads:
                for _ in range(turns):
                    turn = [
                        threads.submit(one, mine, taken, failed, next(number))
                        for mine in readers[:crowd]
                    ]
                    for asking in turn:
                        asking.result()
                    count += crowd
                    if count - samples[-1][0] >= (SAMPLED if crowd == READERS else crowd):
                        samples.append((count, resident(process)))
                        print(*samples[-1], file=sys.stderr, flush=True)
            seconds = time.perf_counter() - start
            rows.append(row(f"the page, {crowd} readers at once", taken, len(failed), seconds))
    return rows, memory_row("the page's server", samples)


def bounded(work: Callable[[], float]) -> float:
    """Return what work returns; a page that takes too long is a failure."""
    taken = work()
    if taken > 1000 * LONGEST:
        raise TimeoutError(f"{taken:.0f} ms")
    return taken


@contextmanager
def served(path: Path, folder: str) -> Iterator[tuple[str, int]]:
    """Serve the page on the loopback; give its address and the server's process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    with Path(folder, "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env=os.environ | {"POLICY_QA_KB": str(path)},
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/_stcore/health")
            yield address, server.pid
        finally:
            server.terminate()
            server.wait()


def resident(process: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def row(name: str, taken: Sequence[float], failed: int, seconds: float) -> str:
    figures = np.percentile(taken, [50, 95, 99, 100])
    shown = " | ".join(f"{figure:.0f} ms" for figure in figures)
    return f"| {name} | {len(taken)} | {failed} | {len(taken) / seconds:.1f} | {shown} |"


def memory_row(name: str, samples: Sequence[tuple[int, float]]) -> str:
    warm = [sample for sample in samples if sample[0] >= WARM * samples[-1][0]]
    slope = np.polyfit(*np.array(warm).T, 1)[0]
    first, begun, last = samples[0][1], warm[0][1], samples[-1][1]
    return (
        f"| {name} | {first:.0f} MB | {begun:.0f} MB | {last:.0f} MB "
        f"| {1000 * slope:+.2f} MB for 1,000 questions |"
    )


if __name__ == "__main__":
    main()
