"""Fit the estimate of confidence: `python eval/fit_confidence.py` writes `confidence.json`.

Needs the sets in `../shared/data/dev`. An example is a question with the best entry that was found
for it, right or not. There are four kinds of examples, so that what is learned holds for large
and small knowledge bases, and for questions that are near to what is covered:

- the questions of a set, asked of its whole corpus,
- the same with the right entries out of reach,
- those that nothing answers: the set's own, and questions of other sets,
- all of them asked of small corpora, drawn from the set's.

Of the seed only the tuning half counts. In every set right and wrong examples together weigh the
same, and the right ones 55% of it. Vectors are kept in memory only: it takes about twenty minutes.
Also writes `eval/results/confidence.md`: what weights fitted on the other sets do on each.
"""

import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from policy_qa import Filters, KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.confidence import signals_of
from policy_qa.corpus import read_corpus
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.entries import parse
from policy_qa.evaluation.abstention import calibration_error, once
from policy_qa.evaluation.judgments import Query
from policy_qa.evaluation.records import parsed
from policy_qa.evaluation.sets import EvaluationSet, load_evaluation_set
from policy_qa.filling import Source
from policy_qa.types import Encoder, Hit, Vectors

ROOT = Path(__file__).parent.parent
SETS = ROOT.parent / "shared" / "data" / "dev"
ACROSS = {"drcd-en": "drcd", "covidfaq-zh": "covidfaq", "stard-en": "stard"}
RESULTS = ROOT / "eval" / "results" / "confidence.md"
HEAD = """# Confidence on sets that it was not fitted on

`python eval/fit_confidence.py`. For each row, weights were fitted on the other rows, without any
question of this row's sets (rows of one corpus are left out together), and tried on this one. The
signals themselves were chosen on all of them, and the questions of `out_of_scope_dev` are in every
row. Right: whether the best entry is. The calibration error weighs the right examples 55%, as in
the fit; the last column counts every example once. Of the seed, the tuning half.

| set | examples | right | area under ROC | calibration error | each counted once |
|---|---|---|---|---|---|"""
WEIGHTS = ROOT / "src" / "policy_qa" / "confidence.json"

QUESTIONS, OUT_OF_REACH, OF_OTHERS = 300, 150, 25
SMALL = {7: 10, 30: 5, 150: 2}
"""Entries of a small corpus → how many such corpora."""
IN_SMALL, NOT_IN_SMALL = 30, 25
RIGHT_SHARE = 0.55


@dataclass(frozen=True, slots=True)
class Example:
    """The signals of the best entry for a question, whether it is right, and whose it is."""

    signals: Sequence[float]
    right: bool
    family: str


class Remembering:
    """An encoder that encodes no passage twice."""

    def __init__(self, encoder: Encoder) -> None:
        self.identity, self.dim = encoder.identity, encoder.dim
        self.encode_queries = encoder.encode_queries
        self._encoder = encoder
        self._known: dict[str, np.ndarray] = {}

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            fresh = self._encoder.encode_passages(missing)
            self._known |= dict(zip(missing, fresh, strict=True))
        return np.stack([self._known[text] for text in texts])


def main() -> None:
    if not SETS.is_dir():
        sys.exit(f"No sets in {SETS}.")
    sets = [load_evaluation_set(folder) for folder in sorted(SETS.glob("*/"))]
    sets += [
        load_evaluation_set(ROOT / "eval" / "across" / name, SETS / corpus)
        for name, corpus in ACROSS.items()
    ]
    elsewhere = [record["text"] for record in records(SETS / "out_of_scope_dev.jsonl")]
    encoder, shuffle = Remembering(load_encoder()), random.Random(0)  # noqa: S311
    examples = {
        judged.name: [*of_set(judged, sets, elsewhere, encoder, shuffle)] for judged in sets
    }
    examples["seed"] = [*of_seed(encoder)]
    lines = [HEAD]
    for name, found_here in examples.items():
        family = family_of(name)
        others = {
            other: [example for example in found if example.family != family]
            for other, found in examples.items()
            if family_of(other) != family
        }
        model = fit(others)
        signals, right = arrays(found_here)
        chance = model.predict_proba(signals)[:, 1]
        error, as_counted = (
            calibration_error(chance, right, mass).item()
            for mass in (weights(right), once(len(right)))
        )
        area = roc_auc_score(right, chance)
        lines.append(
            f"| {name} | {len(right)} | {right.mean():.2f} | {area:.3f} | {error:.3f} "
            f"| {as_counted:.3f} |"
        )
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    write(fit(examples))


def of_set(
    judged: EvaluationSet,
    sets: Sequence[EvaluationSet],
    elsewhere: Sequence[str],
    encoder: Encoder,
    shuffle: random.Random,
) -> Iterator[Example]:
    relevant = relevant_labels(judged)
    asked = shuffle.sample(judged.queries, min(QUESTIONS, len(judged.queries)))
    family = family_of(judged.name)
    foreign = [
        (query.text, family_of(other.name))
        for other in sets
        if family_of(other.name) != family
        for query in shuffle.sample(other.queries, min(OF_OTHERS, len(other.queries)))
    ]
    labels = {record: judged.label(record) for record in judged.corpus}
    with knowledge_base(judged, [*judged.corpus], encoder) as whole:
        for query in asked:
            yield from example(whole, query.text, relevant[query.id], labels, family=family)
        for query in asked[:OUT_OF_REACH]:
            rest = tuple(r for r, label in labels.items() if label not in relevant[query.id])
            yield from example(
                whole, query.text, set(), labels, Filters(documents=rest), family=family
            )
        for text, asked_by in foreign:
            yield from example(whole, text, set(), labels, family=asked_by)
        for query in judged.unanswerable:
            yield from example(whole, query.text, set(), labels, family=family)
    for size, count in SMALL.items():
        for _ in range(count if size < len(judged.corpus) else 0):
            yield from of_small(judged, size, asked, elsewhere, encoder=encoder, shuffle=shuffle)


def of_small(
    judged: EvaluationSet,
    size: int,
    asked: Sequence[Query],
    elsewhere: Sequence[str],
    *,
    encoder: Encoder,
    shuffle: random.Random,
) -> Iterator[Example]:
    """Yield examples of a small corpus, made of the entries that answer some of the questions."""
    relevant = relevant_labels(judged)
    labels = {record: judged.label(record) for record in judged.corpus}
    by_label: dict[str, list[str]] = {}
    for record, label in labels.items():
        by_label.setdefault(label, []).append(record)
    drawn = shuffle.sample(asked, len(asked))
    chosen: dict[str, None] = {}
    for query in drawn:
        if len(chosen) < size:
            chosen |= dict.fromkeys(by_label[min(relevant[query.id])][:2])
    held = {labels[record] for record in chosen}
    inside = [query for query in drawn if relevant[query.id] & held][:IN_SMALL]
    outside = [query for query in drawn if not relevant[query.id] & held][:NOT_IN_SMALL]
    with knowledge_base(judged, [*chosen], encoder) as small:
        for query in (*inside, *outside):
            yield from example(
                small, query.text, relevant[query.id], labels, family=family_of(judged.name)
            )
        for text in shuffle.sample(elsewhere, 6):
            yield from example(small, text, set(), labels, family="elsewhere")


def family_of(name: str) -> str:
    """Sets with the same corpus are of one family: drcd and drcd-en."""
    return name.split("-", maxsplit=1)[0]


def relevant_labels(judged: EvaluationSet) -> dict[str, set[str]]:
    return {
        query: {label for label, grade in grades.items() if grade > 0}
        for query, grades in judged.relevant.items()
    }


def of_seed(encoder: Encoder) -> Iterator[Example]:
    judged = load_evaluation_set(ROOT / "eval" / "seed")
    entries = [(document, parse(document)) for document in read_corpus(ROOT / "corpus")]
    relevant = relevant_labels(judged)
    with built(entries, encoder) as whole:
        for query in (*judged.queries, *judged.unanswerable):
            if query.split == "tune":
                yield from example(
                    whole, query.text, relevant.get(query.id, set()), None, family="seed"
                )


@contextmanager
def built(entries: Sequence, encoder: Encoder) -> Iterator[KnowledgeBase]:
    """Give a knowledge base in a folder of its own, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="policy-qa-") as folder:
        path = Path(folder) / "kb"
        build_generation(entries, path, encoder, Source("sample", DEFAULT_MODEL))
        with KnowledgeBase.open(path, model=encoder) as knowledge_base:
            yield knowledge_base


def knowledge_base(
    judged: EvaluationSet, ids: Iterable[str], encoder: Encoder
) -> AbstractContextManager[KnowledgeBase]:
    return built([parsed(judged.corpus[record]) for record in ids], encoder)


def example(
    whole: KnowledgeBase,
    text: str,
    relevant: set[str],
    labels: Mapping[str, str] | None,
    filters: Filters | None = None,
    *,
    family: str,
) -> Iterator[Example]:
    """Yield the example of a question; nothing if nothing is found."""
    hits: list[Hit] = whole.search(text, 1, filters)
    if hits:
        found = labels[hits[0].entry.document_id] if labels else hits[0].entry.id
        yield Example([*signals_of(hits[0].components).values()], found in relevant, family)


def fit(examples: Mapping[str, Sequence[Example]]) -> LogisticRegression:
    pairs = [arrays(found) for found in examples.values()]
    signals = np.concatenate([signals for signals, _ in pairs])
    right = np.concatenate([right for _, right in pairs])
    mass = np.concatenate([weights(right)[0] for _, right in pairs])
    return LogisticRegression(C=1000, max_iter=1000).fit(signals, right, mass)


def arrays(examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
    signals = np.array([example.signals for example in examples])
    return signals, np.array([example.right for example in examples])


def weights(right: np.ndarray) -> np.ndarray:
    """Return `(1, n)`: 1,000 in all, of which `RIGHT_SHARE` are on the right ones."""
    shares = np.where(right, RIGHT_SHARE / right.sum(), (1 - RIGHT_SHARE) / (~right).sum())
    return 1000 * shares[None]


def write(model: LogisticRegression) -> None:
    names = [*signals_of({"lift": 0, "share": 1, "translated": 0, "across": 0})]
    fitted = {
        "fitted_by": "eval/fit_confidence.py",
        "intercept": round(float(model.intercept_[0]), 3),
        "weights": {
            name: round(float(weight), 3)
            for name, weight in zip(names, model.coef_[0], strict=True)
        },
    }
    WEIGHTS.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    print(WEIGHTS.read_text(encoding="utf-8"), end="")


def records(file: Path) -> Iterator[dict[str, str]]:
    yield from map(json.loads, file.open(encoding="utf-8"))


if __name__ == "__main__":
    main()
