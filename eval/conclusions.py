"""Whether conclusions hold the answer: `python eval/conclusions.py [tune]`.

Two measures. Of the seed's questions (`eval/seed`), asked of the whole corpus: whether the
conclusion contains a gold span, of all questions and of those whose entry was found. Of
`eval/conclusions`, each question asked of the right document alone: the same. Lengths are in
characters. Writes `eval/results/conclusions.md`; `tune` prints the tuning half instead. Needs the
sets in `../shared/data` for the second.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_qa import Answer, Filters, KnowledgeBase
from policy_qa.build import build_generation
from policy_qa.confidence import Calibration
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.evaluation.records import parsed
from policy_qa.evaluation.sets import EvaluationSet, load_evaluation_set
from policy_qa.types import Encoder

ROOT = Path(__file__).parent.parent
DEV = ROOT.parent / "shared" / "data" / "dev"
RESULTS = ROOT / "eval" / "results" / "conclusions.md"
SETS = ("drcd", "stard", "covidfaq", "drcd-en", "stard-en", "covidfaq-zh")
HEAD = "| questions | n | right entry | contains a gold span | … of right entries | median length |"
ALWAYS = Calibration(intercept=100.0)
"""Answers every question: what is measured here is not whether it should."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answer.

    Attributes:
        group: The row it counts in.
        right: Whether the answer's entry has a gold span.
        contains: Whether the conclusion contains one.
        length: Of the conclusion, characters.
    """

    group: str
    right: bool
    contains: bool
    length: int


def main() -> None:
    """Measure one half."""
    split = "tune" if sys.argv[1:] == ["tune"] else "report"
    encoder = load_encoder(DEFAULT_MODEL)
    asked = [*seed(split)]
    asked += [one for name in SETS if DEV.is_dir() for one in given_document(name, split, encoder)]
    lines = [
        "# Conclusions",
        "",
        f"`python eval/conclusions.py`, {split} halves. Rows of `eval/seed` ask the whole corpus, "
        "so that a wrong entry cannot contain the gold span; other rows ask the right document "
        "alone.",
        "",
        HEAD,
        "|---|---|---|---|---|---|",
    ]
    groups = list(dict.fromkeys(one.group for one in asked))
    lines += [row(group, [one for one in asked if one.group == group]) for group in groups]
    from_seed = [one for one in asked if one.group.startswith("seed")]
    lines.append(row("**seed, all**", from_seed))
    if len(from_seed) < len(asked):
        others = [one for one in asked if not one.group.startswith("seed")]
        lines.append(row("**given documents, all**", others))
    text = "\n".join(lines) + "\n"
    if split == "report":
        RESULTS.write_text(text, encoding="utf-8")
    print(text, end="")


def seed(split: str) -> Iterator[Asked]:
    """Ask the seed's questions of the whole corpus."""
    folder = ROOT / "eval" / "seed"
    gold = [*records(folder / "gold.jsonl")]
    with (
        tempfile.TemporaryDirectory() as kb_folder,
        KnowledgeBase.build(ROOT / "corpus", kb_folder, model=DEFAULT_MODEL) as kb,
    ):
        kb.calibration = ALWAYS
        for query in records(folder / "queries.jsonl"):
            if query["split"] == split:
                spans = [span for span in gold if span["id"] == query["id"]]
                answer = kb.ask(query["text"])
                yield judged(f"seed {query['lang']}", answer, spans)


def given_document(name: str, split: str, encoder: Encoder) -> Iterator[Asked]:
    """Ask the questions of a set of the right documents alone."""
    corpus = name.split("-", maxsplit=1)[0]
    home = DEV / name if name == corpus else ROOT / "eval" / "across" / name
    questions = load_evaluation_set(home, DEV / corpus)
    gold = [
        mark
        for mark in records(ROOT / "eval" / "conclusions" / "gold.jsonl")
        if (mark["set"], mark["split"]) == (name, split)
    ]
    with tempfile.TemporaryDirectory() as folder, built(questions, gold, folder, encoder) as kb:
        kb.calibration = ALWAYS
        texts = {query.id: query.text for query in questions.queries}
        for query in dict.fromkeys(mark["query"] for mark in gold):
            marks = [mark for mark in gold if mark["query"] == query]
            document = marks[0]["document"]
            answer = kb.ask(texts[query], Filters(documents=(document,)))
            before = len(questions.corpus[document].title)
            shift = before + bool(before)
            spans = [{k: mark[k] + shift for k in ("start", "end")} for mark in marks]
            entry = answer.entry.id if answer.entry else ""
            yield judged(name, answer, [{**span, "entry": entry} for span in spans])


def built(
    questions: EvaluationSet, gold: Iterable[dict[str, Any]], folder: str, encoder: Encoder
) -> KnowledgeBase:
    """Return a knowledge base of the marked documents."""
    documents = dict.fromkeys(mark["document"] for mark in gold)
    manifest = build_generation(
        [parsed(questions.corpus[document]) for document in documents],
        Path(folder),
        encoder,
        corpus="eval/conclusions",
        model=DEFAULT_MODEL,
    )
    return KnowledgeBase(Path(folder), manifest, encoder)


def judged(group: str, answer: Answer, gold: Sequence[dict[str, Any]]) -> Asked:
    """Return whether an answer's conclusion contains one of the gold spans."""
    entry = answer.entry.id if answer.entry else None
    spans = [span for span in gold if span["entry"] == entry]
    contains = any(
        citation.span.start <= span["start"] and span["end"] <= citation.span.end
        for citation in merged(answer)
        for span in spans
    )
    length = sum(len(citation.quote) for citation in answer.conclusion)
    return Asked(group, bool(spans), contains, length)


def merged(answer: Answer) -> list[Any]:
    """Return the conclusion's quotes; two that follow each other also as one."""
    quotes = list(answer.conclusion)
    if len(quotes) == 2 and quotes[1].span.start - quotes[0].span.end <= 1:
        span = type(quotes[0].span)(quotes[0].span.start, quotes[1].span.end)
        quotes.append(type(quotes[0])("", "", span, 0, ""))
    return quotes


def row(name: str, asked: Sequence[Asked]) -> str:
    """Return a line of the table."""
    right = [one for one in asked if one.right]
    shares = [
        f"{sum(part) / len(part):.3f}" if part else "-"
        for part in (
            [one.right for one in asked],
            [one.contains for one in asked],
            [one.contains for one in right],
        )
    ]
    length = statistics.median(one.length for one in asked)
    return f"| {name} | {len(asked)} | {' | '.join(shares)} | {length:g} |"


def records(file: Path) -> list[dict[str, Any]]:
    """Return the records of a file, one a line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
