"""How well answers quote, and confidence tells covered questions: `python eval/abstention.py`.

Asks a knowledge base of the seed corpus the questions of `eval/seed`, and those of
`../shared/data/dev/out_of_scope_dev.jsonl` if it is there. Statuses and areas are of the reporting
half; hit@1 is of both halves, side by side. Writes `eval/results/abstention.md`.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from policy_qa import Answer, KnowledgeBase
from policy_qa.evaluation.abstention import area_under_roc, once

ROOT = Path(__file__).parent.parent
SEED = ROOT / "eval" / "seed"
OUT_OF_SCOPE = ROOT.parent / "shared" / "data" / "dev" / "out_of_scope_dev.jsonl"
RESULTS = ROOT / "eval" / "results" / "abstention.md"
LANGUAGES = ("zh-Hant", "zh-Hans", "en")
STATUSES = ("answered", "related", "not_covered")


def main() -> None:
    queries = records(SEED / "queries.jsonl")
    relevant = pairs(SEED / "qrels.tsv")
    gold: dict[str, list[dict]] = {}
    for span in records(SEED / "gold.jsonl"):
        gold.setdefault(span["id"], []).append(span)
    unanswerable = [r for r in records(SEED / "unanswerable.jsonl") if r["split"] == "report"]
    others = {
        kind: [r["text"] for r in unanswerable if r["kind"] == kind]
        for kind in ("same_trade", "elsewhere")
    }
    if OUT_OF_SCOPE.is_file():
        others["out_of_scope_dev"] = [r["text"] for r in records(OUT_OF_SCOPE)]
    with tempfile.TemporaryDirectory() as folder:
        with_kb = KnowledgeBase.build(ROOT / "corpus", folder)
        answers = {r["id"]: with_kb.ask(r["text"]) for r in queries}
        not_covered = {
            kind: {text: with_kb.ask(text) for text in texts} for kind, texts in others.items()
        }
        with_kb.close()
    asked = {
        f"covered, {language}": {
            r["id"]: answers[r["id"]]
            for r in queries
            if (r["lang"], r["split"]) == (language, "report")
        }
        for language in LANGUAGES
    }
    everything = [answer for found in asked.values() for answer in found.values()]
    lines = [
        "# The seed's questions: found, quoted, told from others",
        "",
        "`python eval/abstention.py`. The reporting half of `eval/seed`. Area under ROC: its "
        "covered questions against the questions of the row. Confidence is fitted on "
        "out_of_scope_dev, among others, which is therefore no held-out figure.",
        "",
        "| questions | n | answered | of these right | related | not covered | area under ROC |",
        "|---|---|---|---|---|---|---|",
        *(row(name, found, relevant) for name, found in asked.items()),
        *(
            row(f"not covered, {name}", found, {}, f"{area(everything, found):.3f}")
            for name, found in not_covered.items()
        ),
    ]
    lines += [
        "",
        "Constants were chosen on the tuning half, but see `eval/seed/README.md` for two questions "
        "in pinyin. A conclusion counts if it overlaps a gold span; "
        "nothing is quoted when not covered.",
        "",
        "| half | language | n | hit@1 | quotes a gold span |",
        "|---|---|---|---|---|",
    ]
    for split in ("tune", "report"):
        for language in ("all", *LANGUAGES):
            chosen = [
                r["id"] for r in queries if r["split"] == split and language in ("all", r["lang"])
            ]
            found = sum(answers[i].hits[0].entry.id in relevant[i] for i in chosen)
            quoted = sum(overlaps(answers[i], gold[i]) for i in chosen)
            n = len(chosen)
            lines.append(f"| {split} | {language} | {n} | {found / n:.3f} | {quoted / n:.2f} |")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def overlaps(answer: Answer, gold: Sequence[dict]) -> bool:
    return any(
        citation.span.start < span["end"] and span["start"] < citation.span.end
        for citation in answer.conclusion
        for span in gold
    )


def pairs(file: Path) -> dict[str, set[str]]:
    relevant: dict[str, set[str]] = {}
    for line in file.open(encoding="utf-8"):
        query_id, entry_id, _ = line.split("\t")
        relevant.setdefault(query_id, set()).add(entry_id)
    return relevant


def records(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.open(encoding="utf-8")]


def row(
    name: str,
    found: Mapping[str, Answer],
    relevant: Mapping[str, set[str]],
    roc: str = "",
) -> str:
    """Return a row of the table of statuses.

    Args:
        name: Of the row.
        found: Query id → answer.
        relevant: Query id → the entries that answer it.
        roc: The last cell.
    """
    shares = {
        status: sum(answer.status == status for answer in found.values()) / len(found)
        for status in STATUSES
    }
    answered = [
        answer.hits[0].entry.id in relevant.get(query, ())
        for query, answer in found.items()
        if answer.status == "answered"
    ]
    right = f"{sum(answered) / len(answered):.2f}" if answered else "-"
    cells = [
        name,
        str(len(found)),
        f"{shares['answered']:.2f}",
        right,
        f"{shares['related']:.2f}",
        f"{shares['not_covered']:.2f}",
        roc,
    ]
    return "| " + " | ".join(cells) + " |"


def area(higher: Iterable[Answer], lower: Mapping[str, Answer]) -> float:
    """Return the area under ROC by confidence, of covered questions against others."""
    confidence = np.array([a.confidence for a in (*higher, *lower.values())])
    covered = np.arange(len(confidence)) < len(confidence) - len(lower)
    return area_under_roc(confidence, covered, once(len(confidence))).item()


if __name__ == "__main__":
    main()
