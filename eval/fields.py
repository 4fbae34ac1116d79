"""Precision and recall of the rule card: `python eval/fields.py [tune]`.

Over the labelled sentences of `eval/fields` (see its README): a fact is found if one of the same
field shares at least half of the characters that either of the two has. Values of deadlines and
amounts, and the parties of bearers, are compared for the facts that were found. Writes
`eval/results/fields.md`, of the reporting half; `tune` prints the tuning half instead, with every
error in it. Needs the sets in `../shared/data`.
"""

import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policy_qa.facts import SentenceFact, read_sentence
from policy_qa.output import quantity_fields
from policy_qa.types import FIELDS, Span

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "data"
RESULTS = HERE / "results" / "fields.md"
HEAD = """# The rule card

`python eval/fields.py`, the reporting half of `eval/fields`: a fact is found if one of the same
field shares half of its characters.

"""
OVERLAP = 0.5


def main() -> None:
    """Print the table of one half."""
    split = "tune" if sys.argv[1:] == ["tune"] else "report"
    counts = Counter[tuple[str, str]]()
    for label, sentence, start in sentences(split):
        found = list(read_sentence(sentence).facts)
        for want in label["labels"]:
            span = Span(want["start"] - start, want["end"] - start)
            fact = next((f for f in found if f.field == want["field"] and near(f.span, span)), None)
            outcome = "missed"
            if fact:
                found.remove(fact)
                outcome = "found" if same_value(fact, want) else "other value"
                valued = "value" in want or "party" in want
                counts[want["field"], "valued"] += valued
                counts[want["field"], "right value"] += valued and outcome == "found"
            counts[want["field"], "missed" if outcome == "missed" else "found"] += 1
            show(split, outcome, want["field"], sentence, span)
        for fact in found:
            counts[fact.field, "wrong"] += 1
            show(split, "wrong", fact.field, sentence, fact.span)
    text = "\n".join(table(counts)) + "\n"
    print(text, end="")
    if split == "report":
        RESULTS.write_text(HEAD + text, encoding="utf-8")


def sentences(split: str) -> Iterator[tuple[dict[str, Any], str, int]]:
    """Yield the labels of each sentence, its text, and where it starts in its document."""
    texts = documents()
    for line in (HERE / "fields" / "sentences.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        if label["split"] == split:
            text = texts[label["source"]][label["document"]]
            yield label, text[label["start"] : label["end"]], label["start"]


def documents() -> Mapping[str, Mapping[str, str]]:
    """Return the text of every document by its source and id."""
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    seed = HERE.parent / "corpus" / "taobao-after-sales.txt"
    texts["seed"][seed.name] = seed.read_bytes().decode("utf-8-sig")
    for name in ("stard", "covidfaq"):
        for line in (SHARED / "dev" / name / "corpus.jsonl").open(encoding="utf-8"):
            record = json.loads(line)
            texts[name][record["id"]] = record["text"]
    with gzip.open(SHARED / "statutes" / "statutes.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts["statutes"] = {(r := json.loads(line))["id"]: r["text"] for line in lines}
    return texts


def near(a: Span, b: Span) -> bool:
    """Whether two spans share at least half of the characters that either has."""
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared >= OVERLAP * (max(a.end, b.end) - min(a.start, b.start))


def same_value(fact: SentenceFact, want: Mapping[str, Any]) -> bool:
    """Whether a fact has the value, or the party, that the label has."""
    if "party" in want:
        return (fact.party or "other") == want["party"]
    if "value" in want:
        return fact.value is not None and quantity_fields(fact.value) == want["value"]
    return True


def show(split: str, outcome: str, field: str, sentence: str, span: Span) -> None:
    """Print an error of the tuning half."""
    if split == "tune" and outcome != "found":
        print(f"{outcome:11} {field:10} {sentence[span.start : span.end]}   <<{sentence}>>")


def table(counts: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield precision, recall and the share of right values for every field and for all."""
    yield "| field | labelled | precision | recall | right value or party |"
    yield "|---|---|---|---|---|"
    for field in (*FIELDS, "all"):
        of = [one for one in FIELDS if field in (one, "all")]
        found, missed, wrong, valued, right = (
            sum(counts[one, kind] for one in of)
            for kind in ("found", "missed", "wrong", "valued", "right value")
        )
        precision, recall = share(found, found + wrong), share(found, found + missed)
        yield f"| {field} | {found + missed} | {precision} | {recall} | {share(right, valued)} |"


def share(part: int, whole: int) -> str:
    """Return a share with two decimals; a dash of nothing."""
    return f"{part / whole:.2f}" if whole else "-"


if __name__ == "__main__":
    main()
