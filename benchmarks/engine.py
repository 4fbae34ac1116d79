"""Whether an engine ranks as the embedded indexes do: `python benchmarks/engine.py [URL]`.

Builds the sets of `../shared/data/dev` beside the checkout (of drcd the first paragraphs), moves
each to a Milvus server without encoding again, and asks both. Without an address, it starts
`milvus-lite`, which is right but slow: its times say nothing of a cluster. Knowledge bases are kept
in `runs/engine`. Writes `benchmarks/results/engine.md`.
"""

import contextlib
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ir_measures
from ir_measures import nDCG

from policy_qa import KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.evaluation.records import parsed, read_records
from policy_qa.evaluation.sets import load_evaluation_set
from policy_qa.filling import Source
from policy_qa.keeping import move
from policy_qa.types import Hit

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "tests"))

from engine_server import Server  # noqa: E402 (the tests are no package)

SETS = ROOT.parent / "shared" / "data" / "dev"
WORK = ROOT / "runs" / "engine"
RESULTS = Path(__file__).parent / "results" / "engine.md"
ACROSS = ROOT / "eval" / "across"
PARTS = {
    "covidfaq": ("covidfaq", None),
    "hint3_sofmattress": ("hint3_sofmattress", None),
    "drcd": ("drcd", 300),
    "drcd-en": ("drcd", 300),
}
"""Of each set of questions the corpus, and how many of its first records; None for all."""

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """A knowledge base and its queries: what was found, how well, and the seconds of each."""

    ndcg: float
    hits: Sequence[Sequence[Hit]]
    seconds: Sequence[float]


def main() -> None:
    lines = [
        "| set | passages | queries | nDCG@10 embedded | engine | same first 10 | move s | back s "
        "| p50 ms embedded | engine |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    with served() as url:
        version = "a server given by its address" if sys.argv[1:] else "milvus-lite"
        lines += [row(name, corpus, part, url) for name, (corpus, part) in PARTS.items()]
    text = "\n".join(
        [
            "# The engine against the embedded indexes",
            "",
            f"`python benchmarks/engine.py`, against {version}. Times are of retrieval, the "
            "encoder excluded, one query after the other. Same first 10: queries with the same "
            "entries in the same order.",
            "",
            *lines,
        ]
    )
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Give the address of the server."""
    if sys.argv[1:]:
        yield sys.argv[1]
        return
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder, "data"))
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def row(name: str, corpus: str, part: int | None, url: str) -> str:
    """Return what was measured on a set, as a row of the table."""
    questions = SETS / name if name == corpus else ACROSS / name
    loaded = load_evaluation_set(questions, SETS / corpus)
    records = [*read_records(SETS / corpus).values()][:part]
    kept = {record.id for record in records}
    labels = {f"{record.id}#1": loaded.label(record.id) for record in records}
    there = {*labels.values()}
    relevant = {
        query: {label: grade for label, grade in grades.items() if label in there}
        for query, grades in loaded.relevant.items()
        if {label for label, grade in grades.items() if grade > 0} <= there
    }
    queries = {query.id: query.text for query in loaded.queries if query.id in relevant}
    path = WORK / corpus
    shutil.rmtree(path / "generations", ignore_errors=True)  # of servers that are gone
    (path / "generations").mkdir(parents=True)
    (path / "CURRENT").unlink(missing_ok=True)
    manifest = build_generation(
        map(parsed, records), path, load_encoder(), Source(corpus, DEFAULT_MODEL), engine="embedded"
    )
    embedded = measured(path, queries, relevant, labels)
    there_seconds = timed(lambda: move(path, url))
    engine = measured(path, queries, relevant, labels)
    back_seconds = timed(lambda: move(path, "embedded"))
    print(f"{name}: {len(kept)} records, {len(queries)} queries", file=sys.stderr)
    same = sum(
        [hit.entry.id for hit in one] == [hit.entry.id for hit in other]
        for one, other in zip(embedded.hits, engine.hits, strict=True)
    )
    cells = (
        name,
        f"{manifest.passages:,}",
        f"{len(queries):,}",
        f"{embedded.ndcg:.4f}",
        f"{engine.ndcg:.4f}",
        f"{same / len(queries):.1%}",
        f"{there_seconds:.1f}",
        f"{back_seconds:.1f}",
        f"{1000 * statistics.median(embedded.seconds):.1f}",
        f"{1000 * statistics.median(engine.seconds):.0f}",
    )
    return "| " + " | ".join(cells) + " |"


def timed(work) -> float:
    """Return the seconds that work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(
    path: Path,
    queries: Mapping[str, str],
    relevant: Mapping[str, Mapping[str, int]],
    labels: Mapping[str, str],
) -> Measured:
    """Ask a knowledge base."""
    found, seconds = [], []
    with KnowledgeBase.open(path) as knowledge_base:
        retriever = knowledge_base._retriever
        for query in retriever.encode([*queries.values()]):
            start = time.perf_counter()
            found.append(retriever.search(query, DEPTH))
            seconds.append(time.perf_counter() - start)
    run = {}
    for query_id, hits in zip(queries, found, strict=True):
        scores: dict[str, float] = {}
        for hit in hits:
            scores.setdefault(labels[hit.entry.id], float(-hit.rank))
        run[query_id] = scores
    qrels = {query: dict(grades) for query, grades in relevant.items()}
    figures = ir_measures.calc_aggregate([nDCG @ DEPTH], qrels, run)
    return Measured(figures[nDCG @ DEPTH], found, seconds)


if __name__ == "__main__":
    main()
