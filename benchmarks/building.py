"""How much of a build is encoding: `python benchmarks/building.py [ENTRIES]`.

The yardstick is the bare encoder at its best: all the texts that a build encodes, each once, sorted
by length, in one call. Then a build of the same corpus with nothing known before, and the same
build again, which finds every vector. Each round in turn; medians. The corpus is real: statutes of
`../shared/data`, an entry each. Writes `benchmarks/results/building.md`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scale import machine
from scale_corpus import documents

from policy_qa import KnowledgeBase
from policy_qa.encoders import load_encoder
from policy_qa.types import Vectors

RESULTS = Path(__file__).parent / "results" / "building.md"
ROUNDS = 3


class Watching:
    """The default encoder, with every passage that it was given."""

    def __init__(self) -> None:
        self._encoder = load_encoder()
        self.identity, self.dim = self._encoder.identity, self._encoder.dim
        self.texts: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode queries."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages."""
        self.texts += texts
        return self._encoder.encode_passages(texts)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("entries", nargs="?", type=int, default=600)
    entries = parser.parse_args().entries
    encoder = Watching()
    encoder.encode_passages(["warm"])
    bare, built, again = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            encoder.texts = []
            built.append(seconds_of_a_build(folder, entries, encoder))
            texts = sorted({*encoder.texts}, key=len)
            again.append(seconds_of_a_build(folder, entries, encoder))
            if len(encoder.texts) != len(texts):
                raise SystemExit("Something was encoded twice.")
        start = time.perf_counter()
        encoder.encode_passages(texts)
        bare.append(time.perf_counter() - start)
    ratios = [one / other for one, other in zip(bare, built, strict=True)]
    where = machine()
    report = "\n".join(
        [
            "# How much of a build is encoding",
            "",
            f"`python benchmarks/building.py {entries}`, commit {where['commit']}; "
            f"{where['cores']} cores, load {where['load']}; {ROUNDS} rounds, medians. "
            f"{entries} statutes, {len(texts):,} different texts.",
            "",
            "| | seconds | texts a second | share of the bare encoder's throughput |",
            "|---|---|---|---|",
            f"| bare encoder, sorted by length | {statistics.median(bare):.1f} "
            f"| {len(texts) / statistics.median(bare):.0f} | 1 |",
            f"| build | {statistics.median(built):.1f} "
            f"| {len(texts) / statistics.median(built):.0f} | {statistics.median(ratios):.2f} |",
            f"| the same build again, all vectors known | {statistics.median(again):.1f} | | |",
            "",
        ]
    )
    RESULTS.write_text(report, encoding="utf-8")
    print(report)


def seconds_of_a_build(folder: str, entries: int, encoder: Watching) -> float:
    start = time.perf_counter()
    KnowledgeBase.build(documents(entries), Path(folder, "kb"), model=encoder).close()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
