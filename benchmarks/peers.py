"""Hybrid search beside that of others: `python benchmarks/peers.py [PASSAGES]`.

The same vectors and the same tokens, split at blanks, in txtai, Haystack, LanceDB, a bare FAISS
with a bare tantivy, and here; each in a process of its own, which waits while another one is asked.
The others stand in an environment that is made in `runs/peers`. What is measured is a query's
vector and tokens to the best ten passages; here, to ten hits with their passages, entries and whole
entries' scores. Real statutes and questions, as `scale_corpus` says. Writes
`benchmarks/results/peers.md`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
from scale import build, machine
from scale_corpus import DistilledEncoder, questions

from policy_qa import KnowledgeBase
from policy_qa.folding import fold
from policy_qa.indexing import indexed
from policy_qa.storage import STORE_FILE, generation_folder, read_manifest
from policy_qa.store import Store
from policy_qa.tokens import tokens

ROOT = Path(__file__).parent.parent
HOME = ROOT / "runs" / "peers"
RESULTS = Path(__file__).parent / "results" / "peers.md"
PACKAGES = ["txtai", "haystack-ai", "lancedb", "tantivy"]
OURS = "policy_qa"
ASKED = {"FAISS HNSW32 + tantivy": 60, OURS: 60, "LanceDB": 60, "txtai": 60, "Haystack": 3}
"""Queries of a round; of the slowest fewer."""
ROUNDS = 3


class System:
    """A system in a process of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        script = Path(__file__) if name == OURS else Path(__file__).with_name("peer_systems.py")
        python = sys.executable if name == OURS else str(HOME / "bin" / "python")
        command = [python, str(script), *([] if name == OURS else [name]), str(folder)]
        if name == OURS:
            command.append("--serve")
        self._process: Any = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"RUST_LOG": "error"},
        )  # fmt: skip
        self.about: dict[str, Any] = self._read()

    def ask(self, queries: int) -> list[float]:
        """Return the milliseconds of each query."""
        self._process.stdin.write(f"{queries}\n")
        self._process.stdin.flush()
        return list(self._read())

    def _read(self) -> Any:
        for line in self._process.stdout:
            if line[0] in "[{":
                return json.loads(line)
        raise SystemExit("A system ended; its message stands above.")

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("passages", nargs="?", default="100000")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(Path(options.passages))
        return
    if not (HOME / "bin" / "python").exists():
        venv.create(HOME, with_pip=True)
        pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), *PACKAGES], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = build(folder, int(options.passages), "auto")
        write_out(folder)
        systems = {}
        for system in ASKED:
            print(system, file=sys.stderr, flush=True)
            systems[system] = System(system, folder)
        taken: dict[str, list[float]] = {system: [] for system in systems}
        for _ in range(ROUNDS):
            for system, running in systems.items():
                taken[system] += running.ask(ASKED[system])
        for running in systems.values():
            running.close()
    write(built, {name: running.about for name, running in systems.items()}, taken)


def write_out(folder: Path) -> None:
    """Write what the others index: the vectors and tokens of a knowledge base, and queries."""
    path = folder / "kb"
    generation = generation_folder(path, read_manifest(path).generation)
    np.save(folder / "vectors.npy", np.load(generation / "dense.npy", mmap_mode="r"))
    store = Store(generation / STORE_FILE)
    with (folder / "tokens.txt").open("w", encoding="utf-8") as file:
        for row, passage in enumerate(indexed(store, [name for name, _ in store.documents()])):
            if passage.row != row:
                raise SystemExit("The passages are not in the order of their rows.")
            file.write(" ".join(tokens(passage.text)) + "\n")
    store.close()
    asked = questions()[: max(ASKED.values())]
    texts = [" ".join(tokens(fold(query))) for query in asked]
    (folder / "queries.json").write_text(json.dumps(texts), encoding="utf-8")
    np.save(folder / "queries.npy", DistilledEncoder().encode_queries(asked))


def serve(folder: Path) -> None:
    """Answer as `peer_systems` does."""
    with KnowledgeBase.open(folder / "kb", model=DistilledEncoder()) as kb:
        encoded = kb._encoded(questions()[: max(ASKED.values())])
        retriever = kb._retriever
        day = np.datetime64("2026-11-28").item()
        retriever.search(encoded[0], 10, None, day)
        print("{}", flush=True)  # when it was indexed is told by the build
        for line in sys.stdin:
            times = []
            for query in encoded[: int(line)]:
                start = time.perf_counter()
                retriever.search(query, 10, None, day)
                times.append(1000 * (time.perf_counter() - start))
            print(json.dumps(times), flush=True)


def write(built: dict[str, Any], about: dict[str, Any], taken: dict[str, list[float]]) -> None:
    about[OURS] = {"index_s": built["build_wall_s"]}
    where = machine()
    ours = statistics.median(taken[OURS])
    lines = [
        "# Hybrid search beside that of others",
        "",
        f"`python benchmarks/peers.py {built['passages']}`, commit {where['commit']}; "
        f"{where['cores']} cores, load {where['load']}; {ROUNDS} rounds in turn of "
        f"{ASKED[OURS]} questions, of Haystack {ASKED['Haystack']}. {built['passages']:,} "
        "passages, the same vectors and tokens, the encoder left out. Indexing leaves encoding "
        "out, but here includes the store, splitting, folding and the vector cache.",
        "",
        "| system | indexing s | p50 ms | p95 ms | times as long as here |",
        "|---|---|---|---|---|",
    ]
    for name, times in taken.items():
        p50, p95 = np.percentile(times, [50, 95])
        lines.append(
            f"| {name} | {about[name]['index_s']} | {p50:.1f} | {p95:.1f} | {p50 / ours:.1f} |"
        )
    RESULTS.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
