"""What it is worth to look at sides: `python eval/sides.py`.

hit@1 on `eval/sides`, twin entries that differ in the party or in yes and no, and on the tuning
half of the seed, where it must do no harm: with and without what `agreement` adds to the ranking.
Constants were chosen on the tuning halves. Writes `eval/results/sides.md`.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from policy_qa import KnowledgeBase, retriever
from policy_qa.build import build_generation
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.evaluation.judgments import Query
from policy_qa.evaluation.records import parsed
from policy_qa.evaluation.sets import EvaluationSet, load_evaluation_set
from policy_qa.filling import Source

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "eval" / "results" / "sides.md"
VARIANTS = {
    "as shipped": (retriever.AGREEMENT_WEIGHT, retriever.TWINS_WITHIN),
    "neither": (0.0, 0.0),
    "no twins": (retriever.AGREEMENT_WEIGHT, 0.0),
    "no agreement": (0.0, retriever.TWINS_WITHIN),
    "twins within 0.03": (retriever.AGREEMENT_WEIGHT, 0.03),
    "twins within 0.10": (retriever.AGREEMENT_WEIGHT, 0.10),
    "agreement 0.05": (0.05, retriever.TWINS_WITHIN),
}


def main() -> None:
    """Measure both halves, and the seed."""
    encoder = load_encoder(DEFAULT_MODEL)
    columns: dict[str, dict[str, float]] = {}
    for half in ("tune", "report"):
        judged = load_evaluation_set(ROOT / "eval" / "sides" / half)
        with tempfile.TemporaryDirectory() as folder:
            entries = [parsed(record) for record in judged.corpus.values()]
            manifest = build_generation(
                entries, Path(folder), encoder, Source("sides", DEFAULT_MODEL)
            )
            with KnowledgeBase(Path(folder), manifest, encoder) as kb:
                for kind in ("party", "polarity"):
                    chosen = of_kind(judged, kind)
                    columns[f"{half}, {kind} ({len(chosen)})"] = measured(kb, judged, chosen)
    with (
        tempfile.TemporaryDirectory() as folder,
        KnowledgeBase.build(ROOT / "corpus", folder) as kb,
    ):
        judged = load_evaluation_set(ROOT / "eval" / "seed")
        tuning = split_of(ROOT / "eval" / "seed" / "queries.jsonl", "tune")
        chosen = [query for query in judged.queries if query.id in tuning]
        columns[f"seed, tune ({len(chosen)})"] = measured(kb, judged, chosen)
    lines = [
        "# Sides",
        "",
        "`python eval/sides.py`, hit@1.",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    lines += [
        f"| {name} | {' | '.join(f'{column[name]:.3f}' for column in columns.values())} |"
        for name in VARIANTS
    ]
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text, end="")


def of_kind(judged: EvaluationSet, kind: str) -> list[Query]:
    """Return the queries of a kind."""
    ids = split_of(judged.folder / "queries.jsonl", kind, field="kind")
    return [query for query in judged.queries if query.id in ids]


def split_of(file: Path, value: str, field: str = "split") -> set[str]:
    """Return the ids of the records with a value."""
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return {record["id"] for record in lines if record[field] == value}


def measured(
    kb: KnowledgeBase, judged: EvaluationSet, queries: Sequence[Query]
) -> dict[str, float]:
    """Return hit@1 of every variant."""
    relevant = judged.relevant
    found = {}
    for name, (weight, within) in VARIANTS.items():
        retriever.AGREEMENT_WEIGHT, retriever.TWINS_WITHIN = weight, within
        hits = kb.search_many([query.text for query in queries], top_k=1)
        right = [
            bool({best.entry.id, best.entry.document_id} & relevant[query.id].keys())
            for query, (best,) in zip(queries, hits, strict=True)
        ]
        found[name] = sum(right) / len(right)
    return found


if __name__ == "__main__":
    main()
