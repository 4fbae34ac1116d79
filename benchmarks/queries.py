"""What a question costs: `python benchmarks/queries.py`.

Cold: `policy-qa ask` in a fresh process, to a bare `import sentence_transformers`. Warm: `ask`
on an open knowledge base, to the encoder alone, and to `search`, beyond which it composes the
answer; and with nothing remembered of the sentences that it reads. Medians; the ratios are what
holds on another machine. Writes `benchmarks/results/queries.md`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policy_qa import KnowledgeBase, disagreements, retriever
from policy_qa.agreement import stored_claims
from policy_qa.facts import is_noise, read_sentence
from policy_qa.folding import fold

ROUNDS = 7
CORPUS = Path(__file__).parent.parent / "corpus"
RESULTS = Path(__file__).parent / "results" / "queries.md"
QUERIES = (
    "拍錯了不想要了可以退款嗎",
    "品质退款率怎么算",
    "72小時不發貨會怎樣",
    "What happens if platform arbitration rules for the seller?",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        knowledge_base = KnowledgeBase.build(CORPUS, Path(folder, "kb"))
        encoder = knowledge_base.encoder
        folded = [fold(query) for query in QUERIES]
        encode, ask = interleaved(
            lambda: [encoder.encode_queries([query]) for query in folded],
            lambda: [knowledge_base.ask(query) for query in QUERIES],
        )
        search, composed = interleaved(
            lambda: [knowledge_base.search(query) for query in QUERIES],
            lambda: [knowledge_base.ask(query) for query in QUERIES],
        )
        found, first = interleaved(
            lambda: [knowledge_base.search(query) for query in QUERIES if not forget()],
            lambda: [knowledge_base.ask(query) for query in QUERIES if not forget()],
        )
        command = [sys.executable, "-m", "policy_qa", "ask", QUERIES[0], "--kb", f"{folder}/kb"]
        bare = [sys.executable, "-c", "import sentence_transformers"]
        yardstick, cold = interleaved(lambda: run(bare), lambda: run(command))
        knowledge_base.close()
    encode, ask, search, composed, found, first = (
        1000 * lap / len(QUERIES) for lap in (encode, ask, search, composed, found, first)
    )
    lines = [
        "# What a question costs",
        "",
        f"`python benchmarks/queries.py`, on the seed corpus; {os.cpu_count()} cores.",
        "",
        "| | measured | yardstick | ratio |",
        "|---|---|---|---|",
        f"| `policy-qa ask`, fresh process | {cold:.2f} s | `import sentence_transformers` "
        f"{yardstick:.2f} s | {cold / yardstick:.2f} |",
        f"| `ask`, warm | {ask:.1f} ms | the encoder alone {encode:.1f} ms | {ask / encode:.2f} |",
        f"| `ask`, warm | {composed:.1f} ms | `search` {search:.1f} ms | {composed / search:.2f} |",
        f"| `ask`, nothing read before | {first:.1f} ms | `search` {found:.1f} ms "
        f"| {first / found:.2f} |",
    ]
    report = "\n".join(lines) + "\n"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(report, encoding="utf-8")
    print(report)


def interleaved(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[float, float]:
    """Return the median seconds of each, run in turn, after one uncounted round."""
    laps: tuple[list[float], list[float]] = ([], [])
    for counted in range(-1, ROUNDS):
        for work, seconds in zip((first, second), laps, strict=True):
            start = time.perf_counter()
            work()
            if counted >= 0:
                seconds.append(time.perf_counter() - start)
    return statistics.median(laps[0]), statistics.median(laps[1])


def forget() -> None:
    """Forget what was read of any sentence."""
    for remembering in (
        *(read_sentence, is_noise, stored_claims, retriever._token_set),
        *(disagreements._wording, disagreements._conditions, disagreements._marks),
        *(disagreements._words, disagreements._matter),
    ):
        remembering.cache_clear()


def run(command: list[str]) -> None:
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
