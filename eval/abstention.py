"""How well answers quote, and confidence tells covered questions: `python eval/abstention.py`.

Asks a knowledge base of the seed corpus the questions of `eval/seed`, and those of
`../shared/data/dev/out_of_scope_dev.jsonl` if it is there. Writes `eval/results/abstention.md`.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from policy_qa import Answer, KnowledgeBase

ROOT = Path(__file__).parent.parent
SEED = ROOT / "eval" / "seed"
OUT_OF_SCOPE = ROOT.parent / "shared" / "data" / "dev" / "out_of_scope_dev.jsonl"
RESULTS = ROOT / "eval" / "results" / "abstention.md"
STATUSES = ("answered", "related", "not_covered")


def main() -> None:
    covered = records(SEED / "queries.jsonl")
    gold: dict[str, list[dict]] = {}
    for span in records(SEED / "gold.jsonl"):
        gold.setdefault(span["id"], []).append(span)
    others = {
        kind: [r["text"] for r in records(SEED / "unanswerable.jsonl") if r["kind"] == kind]
        for kind in ("same_trade", "elsewhere")
    }
    if OUT_OF_SCOPE.is_file():
        others["out_of_scope_dev"] = [r["text"] for r in records(OUT_OF_SCOPE)]
    with tempfile.TemporaryDirectory() as folder:
        with_kb = KnowledgeBase.build(ROOT / "corpus", folder)
        asked = {
            f"covered, {language}": [
                with_kb.ask(r["text"]) for r in covered if r["lang"] == language
            ]
            for language in ("zh-Hant", "zh-Hans", "en")
        }
        quoted = {
            split: [
                overlaps(with_kb.ask(r["text"]), gold[r["id"]])
                for r in covered
                if r["split"] == split
            ]
            for split in ("tune", "report")
        }
        not_covered = {
            kind: [with_kb.ask(text) for text in texts] for kind, texts in others.items()
        }
        with_kb.close()
    everything = [answer for answers in asked.values() for answer in answers]
    lines = [
        "# Confidence on the seed corpus",
        "",
        "`python eval/abstention.py`. Area under ROC: covered questions of all languages against "
        "the questions of the row.",
        "",
        "| questions | n | answered | related | not covered | area under ROC |",
        "|---|---|---|---|---|---|",
        *(row(name, answers, "") for name, answers in asked.items()),
        *(
            row(f"not covered, {name}", answers, f"{area(everything, answers):.3f}")
            for name, answers in not_covered.items()
        ),
    ]
    lines += [
        "",
        "Share of the covered questions whose conclusion quotes a part of a gold span (nothing is "
        "quoted when not covered):",
        "",
        "| half | n | quotes the gold span |",
        "|---|---|---|",
        *(f"| {split} | {len(hit)} | {sum(hit) / len(hit):.2f} |" for split, hit in quoted.items()),
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def overlaps(answer: Answer, gold: Sequence[dict]) -> bool:
    return any(
        citation.span.start < span["end"] and span["start"] < citation.span.end
        for citation in answer.conclusion
        for span in gold
    )


def records(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.open(encoding="utf-8")]


def row(name: str, answers: Sequence[Answer], roc: str) -> str:
    shares = [sum(a.status == status for a in answers) / len(answers) for status in STATUSES]
    cells = [name, str(len(answers)), *(f"{share:.2f}" for share in shares), roc]
    return "| " + " | ".join(cells) + " |"


def area(higher: Sequence[Answer], lower: Sequence[Answer]) -> float:
    """Return the probability that a covered question has the higher confidence; ties count half."""
    pairs = [(a.confidence, b.confidence) for a in higher for b in lower]
    return sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)


if __name__ == "__main__":
    main()
