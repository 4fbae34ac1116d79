"""Fuzz in full: `python benchmarks/fuzz.py --cases 350 --seed 7`, or `make fuzz`.

Runs the targets of `test_fuzz.py` in a child that may take so much memory and time, and prints the
seed, what became of the cases of each target, and how much of both the child took. With the same
seed and the same versions it makes the same cases.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGETS = ROOT / "tests" / "test_fuzz.py"
MEMORY = 6 << 30
"""Bytes of address space of the child and of each of its own; the encoder alone maps 1.5 GB."""
SECONDS = 3_000


def main() -> None:
    """Run it, print a table, and end with the status of the tests."""
    parser = argparse.ArgumentParser(description="Fuzz all readers, files, queries and commands.")
    parser.add_argument("--cases", type=int, default=350, help="of each target")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", metavar="WORDS", help="as pytest's -k")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.cases} cases of each target", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder, "counts.json")
        environment = os.environ | {
            "POLICY_QA_FUZZ_CASES": str(options.cases),
            "POLICY_QA_FUZZ_SEED": str(options.seed),
            "POLICY_QA_FUZZ_COUNTS": str(counts),
        }
        command = [sys.executable, "-m", "pytest", "-q", str(TARGETS)]
        start = time.monotonic()
        done = subprocess.run(
            [*command, *(("-k", options.only) if options.only else ())],
            cwd=ROOT,
            env=environment,
            timeout=SECONDS,
            check=False,
            preexec_fn=bound_memory,
        )
        taken = time.monotonic() - start
        found = json.loads(counts.read_text(encoding="utf-8")) if counts.exists() else {}
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(table(found, options.seed, taken, most))
    sys.exit(done.returncode)


def bound_memory() -> None:
    """Let the child have no more memory than that."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def table(found: dict[str, int], seed: int, taken: float, most: int) -> str:
    """Return what became of the cases of each target."""
    targets: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, count in sorted(found.items()):
        target, _, kind = name.partition(": ")
        targets[target][kind] = count
    rows = []
    for target, kinds in targets.items():
        cases = kinds.pop("cases", 0)
        became = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        rows.append(f"| {target} | {cases} | {became} |")
    total = sum(count for name, count in found.items() if name.endswith(": cases"))
    return "\n".join(
        [
            "| target | cases | of these |",
            "|---|---|---|",
            *rows,
            "",
            f"{total} cases, seed {seed}, {taken:.0f} s, at most {most} MB resident.",
        ]
    )


if __name__ == "__main__":
    main()
