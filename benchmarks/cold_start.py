"""What the first question costs at 10,000 entries: `python benchmarks/cold_start.py [ENTRIES]`.

`policy-qa ask` in a fresh process with the default encoder, to a bare `import
sentence_transformers`, in turn. The vectors of the passages are those of `scale_corpus`, under the
default encoder's name. Writes `benchmarks/results/cold_start.md`.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scale_corpus import DistilledEncoder, documents, questions

from policy_qa import KnowledgeBase
from policy_qa.encoders import DEFAULT_MODEL, load_encoder

ROUNDS = 5
RESULTS = Path(__file__).parent / "results" / "cold_start.md"


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        encoder = DistilledEncoder()
        encoder.identity = load_encoder().identity
        path = Path(folder, "kb")
        built = KnowledgeBase.build(documents(entries), path, model=encoder)
        manifest = built.manifest
        built.close()
        ask = [sys.executable, "-m", "policy_qa", "ask", questions()[0], "--kb", str(path)]
        commands = {
            "`policy-qa ask`": [*ask, "--model", DEFAULT_MODEL],
            "`import sentence_transformers`": [
                sys.executable,
                "-c",
                "import sentence_transformers",
            ],
        }
        laps: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                laps[name].append(run(command))
    rows = {
        name: [statistics.median(figures) for figures in zip(*found, strict=True)]
        for name, found in laps.items()
    }
    (ours, processor), (bare, bare_processor) = rows.values()
    lines = [
        "# The first question",
        "",
        f"`python benchmarks/cold_start.py`; {manifest.entries:,} entries, {manifest.passages:,} "
        f"passages, index {manifest.index}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}.",
        "",
        "| fresh process | wall s | CPU s |",
        "|---|---|---|",
        *(f"| {name} | {wall:.2f} | {busy:.2f} |" for name, (wall, busy) in rows.items()),
        f"| ratio | {bare / ours:.1f} | {bare_processor / processor:.1f} |",
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def run(command: list[str]) -> tuple[float, float]:
    """Return the seconds that a command takes, by the wall and of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, busy


if __name__ == "__main__":
    main()
