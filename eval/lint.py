"""How well `policy-qa lint` finds what is wrong: `python eval/lint.py`.

Nothing is wrong with most entries of a corpus, so faults are made: contradicting copies of entries,
answers that change places, text read in a wrong encoding. What is told of them, and what is told of
everything else, are counted. Writes `eval/results/lint.md`. Needs the sets in `../shared/data`.
"""

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from contradictions import HERE, SHARED, side_of

from policy_qa import KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.evaluation.records import Record, parsed, read_records
from policy_qa.facts import read_sentence
from policy_qa.filling import Source
from policy_qa.lint import Finding, garbled, lint
from policy_qa.passages import windows
from policy_qa.types import CONTRADICTIONS, Span, Vector, Vectors

RESULTS = HERE / "results" / "lint.md"
COPIES = 30
"""Contradicting copies in each corpus."""
SWAPPED = 20
"""Entries of a corpus whose answers changed places."""
DENIALS = (("不得", "可以"), ("应当", "无须"), ("可以", "不得"), ("cannot", "can"), ("not ", ""))
ENCODINGS = (
    ("Big5 as GB18030", "big5hkscs", "gb18030"),
    ("GB18030 as Big5", "gb18030", "big5hkscs"),
    ("UTF-8 as GB18030", "utf-8", "gb18030"),
    ("UTF-8 as Windows-1252", "utf-8", "cp1252"),
    ("GB18030 as Windows-1252", "gb18030", "cp1252"),
)


class Remembering:
    """The default encoder; what it has encoded once it encodes no more."""

    def __init__(self) -> None:
        self._encoder = load_encoder(DEFAULT_MODEL)
        self.identity, self.dim = self._encoder.identity, self._encoder.dim
        self._known: dict[tuple[str, str], Vector] = {}

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries."""
        return self._encode("query", texts, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages."""
        return self._encode("passage", texts, self._encoder.encode_passages)

    def _encode(
        self, kind: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]
    ) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if (kind, text) not in self._known]
        if new:
            self._known |= {(kind, t): v for t, v in zip(new, encode(new), strict=True)}
        return np.stack([self._known[kind, text] for text in texts])


ENCODER = Remembering()


def main() -> None:
    """Write the tables."""
    text = "\n".join(
        [
            "# Lint",
            "",
            "`python eval/lint.py`. Right: of what is told, the share that is a made fault.",
            "",
            "## Contradictions written by hand",
            "",
            "`eval/contradictions`, all entries of a half in one knowledge base. *light*: one side "
            "is a light edit of the other; *reworded*: as another author would write it.",
            "",
            *written(),
            "",
            "## Contradictions put into real corpora",
            "",
            f"{COPIES} copies of entries of each corpus, with one figure changed or one denial "
            "added or taken away, stand among all its entries.",
            "",
            *copied(),
            "",
            "## Answers that do not belong to their questions",
            "",
            f"The answers of {SWAPPED} entries have changed places; five draws of each half.",
            "",
            *swapped(),
            "",
            "## Text read in a wrong encoding",
            "",
            *misread(),
            "",
            "## The seed corpus",
            "",
            "All that is told, each checked by hand: right.",
            "",
            *seed(),
            "",
        ]
    )
    print(text, end="")
    RESULTS.write_text(text, encoding="utf-8")


def found(records: Iterable[Record]) -> list[Finding]:
    """Return what is found in records, each of which is a document."""
    with tempfile.TemporaryDirectory() as folder:
        source = Source("eval/lint", DEFAULT_MODEL)
        manifest = build_generation(map(parsed, records), Path(folder), ENCODER, source)
        with KnowledgeBase(Path(folder), manifest, ENCODER) as kb:
            return lint(kb)


def contradictions(findings: Iterable[Finding]) -> list[frozenset[str]]:
    """Return the records that are told to contradict each other."""
    return [
        frozenset(place.document_id for place in finding.places)
        for finding in findings
        if finding.kind in CONTRADICTIONS
    ]


def written() -> Iterator[str]:
    """Yield the table of the pairs that were written by hand."""
    lines = (HERE / "contradictions" / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    known = {name: read_records(SHARED / name) for name in ("stard", "covidfaq")}
    told, total, strangers = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
    for split in ("tune", "report"):
        pairs = [pair for pair in map(json.loads, lines) if pair["split"] == split]
        sides = [
            side_of(f"{pair['id']}{side}", pair[side], known) for pair in pairs for side in "ab"
        ]
        accused = contradictions(found(sides))
        for pair in pairs:
            opposed = pair["kind"] in CONTRADICTIONS
            name = f"contradict, {pair['form']}" if opposed else f"do not: {pair['kind']}"
            total[split, name] += 1
            told[split, name] += frozenset((f"{pair['id']}a", f"{pair['id']}b")) in accused
        strangers[split] = sum(len({name[:-1] for name in both}) > 1 for both in accused)
    yield "| half | pairs | n | told |"
    yield "|---|---|---|---|"
    for split, name in sorted(total, reverse=True):
        yield f"| {split} | {name} | {total[split, name]} | {told[split, name]} |"
    for split in ("tune", "report"):
        yield f"| {split} | entries of different pairs |  | {strangers[split]} |"
    for split in ("tune", "report"):
        right = sum(n for (half, name), n in told.items() if half == split and "contr" in name)
        wrong = sum(n for (half, _), n in told.items() if half == split) - right + strangers[split]
        yield f"| {split} | **right** |  | {right / (right + wrong):.2f} |"


def copied() -> Iterator[str]:
    """Yield the table of contradicting copies among the entries of real corpora."""
    yield "| corpus | entries | fault | copies | told | told of others | right |"
    yield "|---|---|---|---|---|---|---|"
    for corpus in ("covidfaq", "stard"):
        records = list(read_records(SHARED / corpus).values())[:1000]
        for fault, edit in (("figure", other_figure), ("denial", other_denial)):
            chosen = [r for r in records if r.title and len(r.text) < 1_000 and edit(r.text)]
            random.Random(0).shuffle(chosen)  # noqa: S311 (a sample)
            chosen = chosen[:COPIES]
            copies = [replace(r, id=f"{r.id}-copy", text=edit(r.text) or "") for r in chosen]
            accused = contradictions(found([*records, *copies]))
            wanted = {frozenset((r.id, f"{r.id}-copy")) for r in chosen}
            right = sum(both in wanted for both in accused)
            others = len(accused) - right
            share = right / (right + others) if accused else 0.0
            yield (
                f"| {corpus} | {len(records)} | {fault} | {len(copies)} | {right} | {others} | "
                f"{share:.2f} |"
            )


def other_figure(text: str) -> str | None:
    """Return a text with its first deadline or amount changed; None if it has none."""
    for fact in read_sentence(text).facts:
        if fact.value and (digits := re.search(r"\d+", text[fact.span.start : fact.span.end])):
            start, end = fact.span.start + digits.start(), fact.span.start + digits.end()
            return f"{text[:start]}{int(digits[0]) * 2 + 1}{text[end:]}"
        if fact.value and (
            han := re.search("[一二三五六七]", text[fact.span.start : fact.span.end])
        ):
            start = fact.span.start + han.start()
            return f"{text[:start]}九{text[start + 1 :]}"
    return None


def other_denial(text: str) -> str | None:
    """Return a text of which a rule says the opposite; None if it has no such words."""
    for old, new in DENIALS:
        if old in text:
            return text.replace(old, new, 1)
    return None


def swapped() -> Iterator[str]:
    """Yield the table of answers that changed places."""
    yield "| corpus | entries | changed places | told of | told of others | right |"
    yield "|---|---|---|---|---|---|"
    for corpus in ("covidfaq", "stard"):
        everything = [r for r in read_records(SHARED / corpus).values() if r.title and r.answers]
        for half, records in (("even", everything[:600:2]), ("odd", everything[1:600:2])):
            told = others = 0
            for draw in range(5):
                chosen = random.Random(draw).sample(range(len(records)), SWAPPED)  # noqa: S311
                changed = list(records)
                for one, other in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
                    changed[one] = replace(records[one], text=records[other].text)
                wrong = {records[one].id for one in chosen}
                accused = [f for f in found(changed) if f.kind == "off_question"]
                right = sum(f.places[0].document_id in wrong for f in accused)
                told, others = told + right, others + len(accused) - right
            share = told / (told + others) if told + others else 0.0
            yield (
                f"| {corpus}, {half} | {len(records)} | {5 * SWAPPED} | {told} | {others} | "
                f"{share:.2f} |"
            )


def misread() -> Iterator[str]:
    """Yield the table of sentences in a wrong encoding, and of sentences as they are."""
    yield "| sentences | n | told |"
    yield "|---|---|---|"
    samples = {
        corpus: list(split(r.text for r in read_records(SHARED / corpus).values()))
        for corpus in ("drcd", "stard", "covidfaq", "hint3_sofmattress")
    }
    for corpus, some in samples.items():
        yield f"| {corpus}, as they are | {len(some)} | {sum(map(garbled, some))} |"
    chinese = [s for s in [*samples["drcd"][:1500], *samples["stard"][:1500]] if len(s) >= 10]
    for name, written_in, read_in in ENCODINGS:
        broken = [s.encode(written_in, "ignore").decode(read_in, "replace") for s in chinese]
        yield f"| Chinese, {name} | {len(broken)} | {sum(map(garbled, broken))} |"


def split(texts: Iterable[str]) -> Iterator[str]:
    """Yield sentences."""
    for text in texts:
        yield from (text[span.start : span.end] for span in windows(text, Span(0, len(text))))


def seed() -> Sequence[str]:
    """Return what is told of the seed corpus."""
    with (
        tempfile.TemporaryDirectory() as folder,
        KnowledgeBase.build(HERE.parent / "corpus", folder, model=ENCODER) as kb,
    ):
        findings = lint(kb)
    return [
        f"- {f.kind}: {' and '.join(f'`{p.entry_id}` ({p.quote[:40]})' for p in f.places)}"
        for f in findings
    ]


if __name__ == "__main__":
    main()
