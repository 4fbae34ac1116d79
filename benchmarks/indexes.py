"""Which coarse index finds what, on real vectors: `python benchmarks/indexes.py`.

Articles of law and lay questions, both encoded by the default encoder and centred; 8 bits as in
`policy_qa.coarse`. Recall@10 is against comparing every vector, of questions, which lie outside the
passages, and of passages. Processor time, for other processes do not count in it. Writes
`benchmarks/results/indexes.md`.
"""

import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from scale_corpus import DistilledEncoder, questions, real_vectors

from policy_qa.encoders import load_encoder
from policy_qa.folding import fold

RESULTS = Path(__file__).parent / "results" / "indexes.md"
CLUSTERS = 300
NAMED = 128
SETTINGS = (
    ("ivf", (0.05, 0.1, 0.2, 0.4)),
    ("hnsw", (64, 128, 256)),
)
WHAT = {"ivf": "{:.0%} of the clusters", "hnsw": "{} rows in view"}


def main() -> None:
    texts, real = real_vectors()
    distilled = DistilledEncoder().encode_passages(texts)
    asked = load_encoder().encode_queries([fold(question) for question in questions()[:200]])
    asked -= 0.5 * asked.mean(axis=0)
    lines = [
        "# What a coarse index finds",
        "",
        f"`python benchmarks/indexes.py`; {len(real):,} articles, the first {NAMED} rows that the "
        "index names, ranked by their exact scores. The last column is of the vectors by which "
        "`scale.py` stands in for the encoder: about as hard.",
        "",
        "| kind | searched | build CPU s | CPU ms a query | recall@10 of questions | of passages "
        "| of questions, stand-in |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, values in SETTINGS:
        indexes = [made(kind, vectors - vectors.mean(axis=0)) for vectors in (real, distilled)]
        for value in values:
            cells: list[Any] = [kind, WHAT[kind].format(value), f"{indexes[0][1]:.1f}"]
            shares = []
            for (index, _, vectors), queries in (
                (indexes[0], asked),
                (indexes[0], indexes[0][2][::60]),
                (indexes[1], asked),
            ):
                share, milliseconds = recall(kind, index, value, vectors, queries)
                shares.append(share)
                if len(shares) == 1:
                    cells.append(f"{milliseconds:.2f}")
            lines.append("| " + " | ".join([*cells, *(f"{s:.3f}" for s in shares)]) + " |")
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def made(kind: str, vectors: Any) -> tuple[Any, float, Any]:
    """Return an index, how long it took, and its vectors."""
    start = time.process_time()
    name = f"IVF{CLUSTERS},SQ8" if kind == "ivf" else "HNSW32_SQ8"
    index = faiss.index_factory(vectors.shape[1], name, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    return index, time.process_time() - start, vectors


def recall(kind: str, index: Any, value: float, vectors: Any, queries: Any) -> tuple[float, float]:
    """Return the share of the nearest ten that are named, and milliseconds of a query."""
    if kind == "ivf":
        index.nprobe = int(value * CLUSTERS)
    else:
        index.hnsw.efSearch = int(value)
    nearest = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    start = time.process_time()
    found = [index.search(query[None], NAMED)[1][0] for query in queries]
    took = time.process_time() - start
    shares = [np.isin(wanted, rows).mean() for wanted, rows in zip(nearest, found, strict=True)]
    return float(np.mean(shares)), 1000 * took / len(queries)


if __name__ == "__main__":
    faiss.omp_set_num_threads(1)
    main()
