"""Evaluation sets, hits and runs that can be worked out by hand."""

import math
from collections.abc import Sequence
from pathlib import Path

import ir_measures

from policy_qa.confidence import Calibration
from policy_qa.evaluation.judgments import Qrel, Query
from policy_qa.evaluation.measures import MEASURES, measure_queries
from policy_qa.evaluation.runs import Run
from policy_qa.evaluation.sets import EvaluationSet
from policy_qa.types import Entry, Hit, Passage, Span


def make_set(qrels: dict[str, dict[str, int]], folder: Path = Path("sets/tiny")) -> EvaluationSet:
    """Make an evaluation set in memory, with a query for each key."""
    return EvaluationSet(
        name=folder.name,
        folder=folder,
        queries=tuple(Query(name, f"text of {name}", line) for line, name in enumerate(qrels, 1)),
        qrels=tuple(
            Qrel(query_id, entry_id, relevance, line=1)
            for query_id, judged in qrels.items()
            for entry_id, relevance in judged.items()
        ),
    )


def means(evaluation_set: EvaluationSet, run: Run) -> dict[str, float]:
    """Return the means of `measure_queries` over all queries, unrounded."""
    queries = measure_queries(evaluation_set, run).values()
    # fsum is exact, so the means do not depend on the order of the queries.
    return {name: math.fsum(q[name] for q in queries) / len(queries) for name in MEASURES}


def make_hit(rank: int, entry_id: str, score: float) -> Hit:
    """Make a hit of which only rank, id and score matter."""
    nothing = Span(0, 0)
    return Hit(
        rank=rank,
        entry=Entry(entry_id, "d.txt", nothing, nothing, nothing),
        question="",
        passage=Passage(f"{entry_id}:1", entry_id, "d.txt", nothing, ""),
        score=score,
        components={"lift": 0.2, "share": 0.5, "translated": 0.0, "across": 0.0},
    )


class FakeKnowledgeBase:
    """Finds what it is told, text → (entry id, score), best first."""

    calibration = Calibration()

    def __init__(self, found: dict[str, list[tuple[str, float]]]) -> None:
        self.found = found
        self.calls: list[tuple[list[str], int]] = []

    def search_many(self, queries: Sequence[str], top_k: int = 10) -> list[list[Hit]]:
        """Return the first `top_k` of what it was told for each query."""
        self.calls.append((list(queries), top_k))
        return [
            [
                make_hit(rank, entry_id, score)
                for rank, (entry_id, score) in enumerate(self.found.get(text, [])[:top_k], start=1)
            ]
            for text in queries
        ]


def write_set(folder: Path, queries: str | bytes | None, qrels: str | bytes | None) -> Path:
    """Write the two files as given; None leaves one out."""
    for name, content in (("queries.jsonl", queries), ("qrels.tsv", qrels)):
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return folder


def read_trec(path: Path) -> dict[str, dict[str, float]]:
    """Read a run back with ir_measures."""
    run: dict[str, dict[str, float]] = {}
    with path.open(encoding="utf-8") as file:
        for query_id, entry_id, score in ir_measures.read_trec_run(file):
            run.setdefault(query_id, {})[entry_id] = score
    return run


QUERIES = '{"id": "q1", "text": "退款?", "lang": "zh-Hant"}\n{"id": "q2", "text": "Refund?"}\n'
QRELS = "q1\td#1\t2\nq1\td#2\t0\nq2\td#2\t1\n"
