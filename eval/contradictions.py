"""How well answers tell contradictions: `python eval/contradictions.py [tune]`.

Builds one knowledge base of both sides of every pair of a half of `eval/contradictions`, asks each
pair's query, and looks whether the answer warns that these two entries contradict each other.
Writes `eval/results/contradictions.md`, of the reporting half; `tune` prints the tuning half
instead, with every error in it. Needs the sets in `../shared/data`.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from policy_qa import Answer, KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.confidence import Calibration
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.evaluation.records import Record, parsed, read_records
from policy_qa.filling import Source
from policy_qa.types import CONTRADICTIONS

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "data" / "dev"
RESULTS = HERE / "results" / "contradictions.md"
HEAD = """# Contradictions

`python eval/contradictions.py`, the reporting half of `eval/contradictions`, all its entries in one
knowledge base: whether the answer to a pair's query warns that the two contradict each other.
*light*: one side is a light edit of the other; *reworded*: as another author would write it.

"""


def main() -> None:
    """Print the table of one half."""
    split = "tune" if sys.argv[1:] == ["tune"] else "report"
    lines = (HERE / "contradictions" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [pair for pair in map(json.loads, lines) if pair["split"] == split]
    known = {name: read_records(SHARED / name) for name in ("stard", "covidfaq")}
    sides = {
        f"{pair['id']}{side}": side_of(f"{pair['id']}{side}", pair[side], known)
        for pair in pairs
        for side in "ab"
    }
    told = Counter[tuple[str, str]]()
    strangers = Counter[bool]()
    contradicting = {pair["id"] for pair in pairs if pair["kind"] in CONTRADICTIONS}
    encoder = load_encoder(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as folder:
        manifest = build_generation(
            [parsed(record) for record in sides.values()],
            Path(folder),
            encoder,
            Source("eval/contradictions", DEFAULT_MODEL),
        )
        with KnowledgeBase(Path(folder), manifest, encoder) as kb:
            kb.calibration = Calibration(intercept=100.0)  # the question is not whether it is sure
            for pair in pairs:
                answer = kb.ask(pair["query"])
                seen = outcome(answer, pair["id"])
                told[group(pair), seen] += 1
                strangers += others_accused(answer, pair["id"], contradicting)
                wanted = "told" if pair["kind"] in CONTRADICTIONS else "silent"
                if split == "tune" and seen != wanted:
                    show(pair, seen, sides, answer)
    others = (
        f"Warnings about entries of other pairs: {strangers.total()}, of which "
        f"{strangers[True]} tell of a pair that contradicts itself."
    )
    text = "\n".join([*table(told), "", others, ""])
    print(text, end="")
    if split == "report":
        RESULTS.write_text(HEAD + text, encoding="utf-8")


def table(told: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield what was told of each kind of pairs."""
    yield "| pairs | n | told | silent | not both found |"
    yield "|---|---|---|---|---|"
    for name in sorted({name for name, _ in told}):
        counts = [told[name, seen] for seen in ("told", "silent", "not found")]
        yield f"| {name} | {sum(counts)} | {' | '.join(map(str, counts))} |"


def group(pair: Mapping[str, Any]) -> str:
    """Return the row that a pair counts in."""
    if pair["kind"] in CONTRADICTIONS:
        return f"contradict: {pair['kind']}, {pair['form']}"
    return f"do not: {pair['kind']}"


def side_of(
    name: str, side: Mapping[str, Any], known: Mapping[str, Mapping[str, Record]]
) -> Record:
    """Return one side of a pair as a record: written out, or an edited part of another record."""
    if "source" not in side:
        return Record(name, side["question"], side["answer"])
    record = known[side["source"]][side["id"]]
    start, end = side.get("span", (0, len(record.text)))
    text = record.text[:end]
    for edit in sorted(side.get("edits", ()), key=lambda edit: -edit["start"]):
        text = text[: edit["start"]] + edit["new"] + text[edit["end"] :]
    return Record(name, side.get("question", record.title), text[start:])


def outcome(answer: Answer, pair: str) -> str:
    """Return whether an answer tells that a pair's sides contradict each other."""
    found = [hit.entry.document_id for hit in answer.hits]
    if not {f"{pair}a", f"{pair}b"} <= set(found):
        return "not found"
    accused = [
        {citation.document_id for citation in caution.citations}
        for caution in answer.cautions
        if caution.kind in CONTRADICTIONS
    ]
    return "told" if {f"{pair}a", f"{pair}b"} in accused else "silent"


def others_accused(answer: Answer, pair: str, contradicting: Container[str]) -> Counter[bool]:
    """Count the warnings about another pair's entries by whether that pair contradicts itself."""
    accused = [
        {citation.document_id.rstrip("ab") for citation in caution.citations}
        for caution in answer.cautions
        if caution.kind in CONTRADICTIONS
    ]
    return Counter(
        len(pairs) == 1 and pairs.pop() in contradicting for pairs in accused if pairs != {pair}
    )


def show(pair: Mapping[str, Any], seen: str, sides: Mapping[str, Record], answer: Answer) -> None:
    """Print an error of the tuning half."""
    print(f"{pair['id']} {group(pair)}: {seen}  {pair['query']}")
    for side in "ab":
        print(f"   {side}: {sides[pair['id'] + side].whole[:300]!r}")
    for caution in answer.cautions:
        quotes = " <> ".join(citation.quote for citation in caution.citations)
        print(f"   {caution.kind}: {quotes}")


if __name__ == "__main__":
    main()
