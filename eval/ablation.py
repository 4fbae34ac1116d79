"""What each part of the ranking is worth: `python eval/ablation.py [SETS]`.

Measures hit@1 of variants of the retriever on BEIR-style sets (`corpus.jsonl`, `queries.jsonl`,
`qrels.tsv`), by default those in `../shared/data/dev` beside the checkout, and on the tuning half
of the seed's questions, and on the questions in another language in `eval/across`. Vectors are kept
in `runs/ablation`, so that a second run is quick.
Writes `eval/results/ablation.md`.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from policy_qa import Document, Entry, KnowledgeBase, build, centring, settings
from policy_qa.corpus import read_corpus
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.entries import parse
from policy_qa.evaluation.records import parsed
from policy_qa.evaluation.sets import load_evaluation_set
from policy_qa.retriever import Candidates

ROOT = Path(__file__).parent.parent
SETS = ROOT.parent / "shared" / "data" / "dev"
WORK = ROOT / "runs" / "ablation"
ACROSS = {"drcd-en": "drcd", "covidfaq-zh": "covidfaq", "stard-en": "stard"}
RESULTS = ROOT / "eval" / "results" / "ablation.md"

Parsed = Sequence[tuple[Document, Sequence[Entry]]]
Score = Callable[[Candidates, str], np.ndarray]


@dataclass(frozen=True, slots=True)
class Judged:
    """A set: what is indexed, the queries, and the labels of the entries that answer each."""

    name: str
    corpus: str
    parsed: Parsed
    queries: Mapping[str, str]
    relevant: Mapping[str, set[str]]
    labels: Mapping[str, str]


def fused(
    words: Mapping[str, tuple[float, float]] = settings.LEXICAL_WEIGHTS,
    other_words: tuple[float, float] = settings.TRANSLATION_WEIGHTS,
) -> Score:
    def score(found: Candidates, language: str) -> np.ndarray:
        of_passage, of_entry = words[language]
        in_passage, in_entry = other_words
        return (
            found.dense
            + of_passage * found.lexical
            + of_entry * found.entry_lexical
            + in_passage * found.translated
            + in_entry * found.entry_translated
        )

    return score


def same(of_passage: float, of_entry: float) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(settings.LEXICAL_WEIGHTS, (of_passage, of_entry))


def reciprocal_ranks(found: Candidates, _: str) -> np.ndarray:
    ranks = [np.argsort(np.argsort(-scores)) + 1 for scores in (found.dense, found.lexical)]
    return sum(1 / (60 + rank) for rank in ranks)


AS_SHIPPED = fused()


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to rank."""

    score: Score = AS_SHIPPED
    centring: float = settings.QUERY_CENTRING
    views: tuple[float, float, float] = settings.VIEW_WEIGHTS


VARIANTS = {
    "as shipped": Variant(),
    "no translation": Variant(fused(other_words=(0, 0))),
    "translation in passages only": Variant(fused(other_words=(0.24, 0))),
    "translation in entries only": Variant(fused(other_words=(0, 0.24))),
    "translation weights 0.05": Variant(fused(other_words=(0.05, 0.05))),
    "translation weights 0.20": Variant(fused(other_words=(0.2, 0.2))),
    "view: passage with question only": Variant(views=(1, 0, 0)),
    "views: with question, alone": Variant(views=(0.5, 0.5, 0)),
    "views: with question, entry": Variant(views=(0.7, 0, 0.3)),
    "queries not centred": Variant(centring=0.0),
    "queries nearly centred": Variant(centring=0.8),
    "queries wholly centred": Variant(centring=1.0),
    "lexical weights 0": Variant(fused(same(0, 0))),
    **{
        f"lexical weights {of_passage:.2f}, {of_entry:.2f}": Variant(
            fused(same(of_passage, of_entry))
        )
        for of_passage in (0.05, 0.18, 0.30)
        for of_entry in (0, of_passage)
    },
    "dense alone": Variant(fused(same(0, 0), (0, 0))),
    "BM25 of passages alone": Variant(lambda found, _: found.lexical),
    "BM25 of passages and entries": Variant(lambda found, _: found.lexical + found.entry_lexical),
    "reciprocal ranks (k = 60)": Variant(reciprocal_ranks),
    "one view, one weight, not centred": Variant(fused(same(0.25, 0), (0, 0)), 0.0, (1, 0, 0)),
}


NOTE = (
    "The constants were chosen on these very sets, after some hundreds of combinations of weights "
    f"had been tried on them; this table holds {len(VARIANTS)} of those. Read its columns as "
    "comparisons, not as what to expect elsewhere: `eval/results/abstention.md` has the half of "
    "the seed on which no constant was chosen."
)


def main() -> None:
    folders = [Path(argument) for argument in sys.argv[1:]] or sorted(SETS.glob("*/"))
    sets = [beir_set(folder) for folder in folders if (folder / "corpus.jsonl").is_file()]
    if not sets:
        print(f"No sets in {SETS}: measuring the seed only.", file=sys.stderr)
    sets += [*across_sets(), *seed_sets()]
    columns = {judged.name: hits(judged) for judged in sets}
    head = ["hit@1", *(f"{judged.name} ({len(judged.queries)})" for judged in sets)]
    rows = [[name, *(f"{columns[judged.name][name]:.3f}" for judged in sets)] for name in VARIANTS]
    lines = [
        "# What each part of the ranking is worth",
        "",
        "`python eval/ablation.py`",
        "",
        NOTE,
        "",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def hits(judged: Judged) -> dict[str, float]:
    """Return hit@1 of every variant on a set."""
    ways = {(variant.views, variant.centring) for variant in VARIANTS.values()}
    measured = {}
    built = None
    for views, centring_of_queries in sorted(ways):
        path = WORK / judged.corpus
        if built != views:
            built = build.VIEW_WEIGHTS = views
            encoder = load_encoder()
            build.build_generation(
                judged.parsed, path, encoder, build.Source(judged.corpus, DEFAULT_MODEL)
            )
        chosen = {
            name: variant.score
            for name, variant in VARIANTS.items()
            if (variant.views, variant.centring) == (views, centring_of_queries)
        }
        with KnowledgeBase.open(path) as knowledge_base:
            measured |= hits_at_1(judged, knowledge_base, centring_of_queries, chosen)
    return measured


def hits_at_1(
    judged: Judged,
    knowledge_base: KnowledgeBase,
    centring_of_queries: float,
    scores: Mapping[str, Score],
) -> dict[str, float]:
    retriever = knowledge_base._retriever
    entries = [entry.id for entry in knowledge_base.entries()]
    centring.QUERY_CENTRING = centring_of_queries
    encoded = retriever.encode([*judged.queries.values()])
    right = dict.fromkeys(scores, 0)
    for query_id, query in zip(judged.queries, encoded, strict=True):
        found = retriever._candidates(query, None)
        for name, score in scores.items():
            best = np.lexsort((found.rows, -score(found, query.language)))[0]
            label = judged.labels[entries[int(found.entries[best])]]
            right[name] += label in judged.relevant[query_id]
    return {name: count / len(judged.queries) for name, count in right.items()}


def across_sets() -> Iterator[Judged]:
    """Yield the sets of questions in another language than their corpus."""
    for name, corpus in ACROSS.items():
        if (SETS / corpus / "corpus.jsonl").is_file():
            yield beir_set(SETS / corpus, ROOT / "eval" / "across" / name)


def beir_set(folder: Path, questions: Path | None = None) -> Judged:
    """Read a set; a hit is any passage of the right group where the set has groups.

    Args:
        folder: Holds the corpus.
        questions: Holds the queries and the qrels, if that is another folder.
    """
    loaded = load_evaluation_set(questions or folder, folder)
    entries = [parsed(record) for record in loaded.corpus.values()]
    relevant = {
        query: {label for label, grade in grades.items() if grade > 0}
        for query, grades in loaded.relevant.items()
    }
    queries = {query.id: query.text for query in loaded.queries}
    labels = {entry.id: loaded.label(entry.document_id) for _, (entry,) in entries}
    return Judged(loaded.name, folder.name, entries, queries, relevant, labels)


def seed_sets() -> Iterator[Judged]:
    """Yield the tuning half of the seed's questions, a set for each language."""
    parsed = [(document, parse(document)) for document in read_corpus(ROOT / "corpus")]
    labels = {entry.id: entry.id for _, entries in parsed for entry in entries}
    folder = ROOT / "eval" / "seed"
    relevant: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").open(encoding="utf-8"):
        query_id, entry_id, _ = line.split("\t")
        relevant.setdefault(query_id, set()).add(entry_id)
    queries = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    for language in ("zh-Hant", "zh-Hans", "en"):
        chosen = {
            query["id"]: query["text"]
            for query in queries
            if query["lang"] == language and query["split"] == "tune"
        }
        yield Judged(f"seed {language}", "seed", parsed, chosen, relevant, labels)


if __name__ == "__main__":
    main()
