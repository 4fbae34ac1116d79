"""Fit the estimate of confidence: `python eval/fit_confidence.py` prints the constants.

Needs the sets in `../shared/data/dev`; vectors are kept in `runs/ablation`, as by
`eval/ablation.py`. A set's own questions are covered if the best entry is relevant; its
unanswerable ones and the questions of other sets are not. Of the seed only the tuning half counts.
Every set weighs the same.
"""

import json
import sys
from collections.abc import Iterable, Iterator

import numpy as np
from ablation import ROOT, SETS, WORK, Judged, beir_set, seed_sets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from policy_qa import KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.encoders import DEFAULT_MODEL, load_encoder

SIGNALS = ("likeness", "entry", "across")
OTHERS = 150
"""Questions taken of each other set."""


def main() -> None:
    sets = [beir_set(folder) for folder in sorted(SETS.glob("*/"))]
    if not sets:
        sys.exit(f"No sets in {SETS}.")
    seed = [*seed_sets()]
    parts = {
        judged.name: [*examples(judged, [*others(judged, [*sets, *seed]), *unanswerable(judged)])]
        for judged in sets
    }
    for judged in seed:
        parts[judged.name] = [*examples(judged, seed_unanswerable(judged.name.split()[1]))]
    signals = np.array([row for part in parts.values() for row, _ in part])
    right = np.array([label for part in parts.values() for _, label in part])
    weights = np.concatenate([np.full(len(part), 1000 / len(part)) for part in parts.values()])
    model = LogisticRegression(C=100).fit(signals, right, weights)
    print(f"intercept {model.intercept_[0]:.2f}")
    for name, weight in zip(SIGNALS, model.coef_[0], strict=True):
        print(f"{name} {weight:.2f}")
    for name, part in parts.items():
        rows, labels = np.array([row for row, _ in part]), [label for _, label in part]
        chance = model.predict_proba(rows)[:, 1]
        print(
            f"{name}: {len(part)} questions, area under ROC {roc_auc_score(labels, chance):.3f}, "
            f"mean confidence {chance.mean():.2f}, right {np.mean(labels):.2f}"
        )


def examples(judged: Judged, uncovered: Iterable[str]) -> Iterator[tuple[list[float], bool]]:
    """Yield the signals of the best hit of each question, and whether it is right."""
    path = WORK / judged.name
    build_generation(judged.parsed, path, load_encoder(), corpus=judged.name, model=DEFAULT_MODEL)
    with KnowledgeBase.open(path) as knowledge_base:
        for query_id, query in judged.queries.items():
            (best,) = knowledge_base.search(query, 1)
            yield signals_of(best), judged.labels[best.entry.id] in judged.relevant[query_id]
        for query in uncovered:
            (best,) = knowledge_base.search(query, 1)
            yield signals_of(best), False


def signals_of(hit) -> list[float]:
    return [hit.components[name] for name in SIGNALS]


def others(judged: Judged, sets: Iterable[Judged]) -> Iterator[str]:
    for other in sets:
        if other.name != judged.name:
            yield from [*other.queries.values()][:OTHERS]


def unanswerable(judged: Judged) -> Iterator[str]:
    file = SETS / judged.name / "unanswerable.jsonl"
    if file.is_file():
        yield from (json.loads(line)["text"] for line in file.open(encoding="utf-8"))


def seed_unanswerable(language: str) -> Iterator[str]:
    for line in (ROOT / "eval" / "seed" / "unanswerable.jsonl").open(encoding="utf-8"):
        record = json.loads(line)
        if record["split"] == "tune" and record["lang"] == language:
            yield record["text"]


if __name__ == "__main__":
    main()
