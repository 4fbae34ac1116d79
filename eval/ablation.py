"""What each part of the ranking is worth: `python eval/ablation.py [SETS]`.

Measures hit@1 of variants of the retriever on BEIR-style sets (`corpus.jsonl`, `queries.jsonl`,
`qrels.tsv`), by default those in `../shared/data/dev` beside the checkout, and on the translated
questions of the seed. Vectors are kept in `runs/ablation`, so that a second run is quick. Writes
`eval/results/ablation.md`.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from policy_qa import Document, Entry, KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.corpus import read_corpus
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.entries import parse
from policy_qa.retriever import Candidates, fused
from policy_qa.types import Span

ROOT = Path(__file__).parent.parent
SETS = ROOT.parent / "shared" / "data" / "dev"
WORK = ROOT / "runs" / "ablation"
RESULTS = ROOT / "eval" / "results" / "ablation.md"

Parsed = Sequence[tuple[Document, Sequence[Entry]]]
Score = Callable[[Candidates], np.ndarray]


@dataclass(frozen=True, slots=True)
class Judged:
    """A set: what is indexed, the queries, and the labels of the entries that answer each."""

    name: str
    parsed: Parsed
    queries: Mapping[str, str]
    relevant: Mapping[str, set[str]]
    labels: Mapping[str, str]


def convex(weight: float) -> Score:
    return lambda found: weight * found.dense + (1 - weight) * found.lexical


def reciprocal_ranks(found: Candidates) -> np.ndarray:
    ranks = [np.argsort(np.argsort(-scores)) + 1 for scores in (found.dense, found.lexical)]
    return sum(1 / (60 + rank) for rank in ranks)


VARIANTS: dict[str, tuple[float | None, Score]] = {
    "BM25 alone": (None, lambda found: found.lexical),
    "dense alone, not centred": (0.0, lambda found: found.dense),
    "dense alone, half centred": (0.5, lambda found: found.dense),
    "dense alone, wholly centred": (1.0, lambda found: found.dense),
    "reciprocal ranks (k = 60)": (None, reciprocal_ranks),
    **{f"convex, dense {weight:.1f}": (None, convex(weight)) for weight in (0.6, 0.7, 0.8, 0.9)},
    "convex, dense 0.8, not centred": (0.0, convex(0.8)),
    "convex, dense 0.8, wholly centred": (1.0, convex(0.8)),
    "as shipped": (None, lambda found: fused(found.dense, found.lexical)),
}
"""The centring of queries (None as shipped) and the score of each variant."""


def main() -> None:
    folders = [Path(argument) for argument in sys.argv[1:]] or sorted(SETS.glob("*/"))
    sets = [beir_set(folder) for folder in folders if (folder / "corpus.jsonl").is_file()]
    if not sets:
        print(f"No sets in {SETS}: measuring the translated questions only.", file=sys.stderr)
    sets += list(translated_sets())
    columns = {judged.name: hits(judged) for judged in sets}
    head = ["hit@1", *(f"{judged.name} ({len(judged.queries)})" for judged in sets)]
    rows = [[name, *(f"{columns[judged.name][name]:.3f}" for judged in sets)] for name in VARIANTS]
    lines = ["# What each part of the ranking is worth", "", "`python eval/ablation.py`", ""]
    lines += ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def hits(judged: Judged) -> dict[str, float]:
    """Return hit@1 of every variant on a set."""
    path = WORK / judged.name
    build_generation(judged.parsed, path, load_encoder(), corpus=judged.name, model=DEFAULT_MODEL)
    knowledge_base = KnowledgeBase.open(path)
    retriever, store = knowledge_base._retriever, knowledge_base._store
    shipped = retriever._centres
    entries = [entry.id for entry in knowledge_base.entries()]
    found: dict[tuple[float | None, str], Candidates] = {}
    for weight in {weight for weight, _ in VARIANTS.values()}:
        weights = shipped.weights if weight is None else np.full(2, weight, np.float32)
        retriever._centres = replace(shipped, weights=weights)
        for query_id, query in zip(
            judged.queries, retriever.encode([*judged.queries.values()]), strict=True
        ):
            found[weight, query_id] = retriever._candidates(query, None)
    measured = {}
    for name, (weight, score) in VARIANTS.items():
        right = 0
        for query_id in judged.queries:
            candidates = found[weight, query_id]
            best = candidates.rows[np.lexsort((candidates.rows, -score(candidates)))[0]]
            entry = entries[store.entry_numbers([int(best)])[int(best)]]
            right += judged.labels[entry] in judged.relevant[query_id]
        measured[name] = right / len(judged.queries)
    knowledge_base.close()
    return measured


def beir_set(folder: Path) -> Judged:
    """Read a set; a hit is any passage of the right group where the set has groups."""
    records = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
    grouped = folder / "qrels_group.tsv"
    relevant: dict[str, set[str]] = {}
    for line in (grouped if grouped.is_file() else folder / "qrels.tsv").open(encoding="utf-8"):
        query_id, label, *_ = line.rstrip("\n").split("\t")
        relevant.setdefault(query_id, set()).add(label)
    queries = {
        query["id"]: query["text"]
        for query in map(json.loads, (folder / "queries.jsonl").open(encoding="utf-8"))
        if query["id"] in relevant
    }
    key = "group" if grouped.is_file() else "id"
    labels = {f"{record['id']}#1": record[key] for record in records}
    return Judged(folder.name, [record_entry(r) for r in records], queries, relevant, labels)


def record_entry(record: Mapping[str, str]) -> tuple[Document, list[Entry]]:
    """Return a record as a document of one entry: its title the question, its text the answer."""
    title, text = record.get("title") or "", record["text"]
    repeated = title.strip() == text.strip()
    whole = title if repeated else f"{title}\n{text}"
    question = Span(0, len(title))
    answer = Span(len(whole), len(whole)) if repeated else Span(len(title) + 1, len(whole))
    entry = Entry(f"{record['id']}#1", record["id"], Span(0, len(whole)), question, answer)
    return Document(record["id"], whole), [entry]


def translated_sets() -> Iterator[Judged]:
    """Yield the seed with the translated questions, a set for each language."""
    parsed = [(document, parse(document)) for document in read_corpus(ROOT / "corpus")]
    labels = {entry.id: entry.id for _, entries in parsed for entry in entries}
    folder = ROOT / "eval" / "translated"
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").open(encoding="utf-8"):
        query_id, entry_id, _ = line.split("\t")
        relevant.setdefault(query_id, set()).add(entry_id)
    queries = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    for language in ("zh-Hans", "en"):
        chosen = {query["id"]: query["text"] for query in queries if query["lang"] == language}
        yield Judged(f"seed {language}", parsed, chosen, relevant, labels)


if __name__ == "__main__":
    main()
