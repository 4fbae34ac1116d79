"""Whether conclusions hold the answer: `python eval/conclusions.py`.

Two measures. Of the seed's questions (`eval/seed`), asked of the whole corpus: whether the
conclusion contains a gold span, of all questions and of those whose entry was found. Of
`eval/conclusions`, each question asked of the right document alone: the same. Lengths are in
characters. Writes `eval/results/conclusions.md`: the reporting halves, and on the tuning halves
what each part of the method is worth. The second measure needs the sets in `../shared/data`.
"""

import json
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_qa import Answer, Filters, KnowledgeBase, conclusions, retriever
from policy_qa.build import build_generation
from policy_qa.confidence import Calibration
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.evaluation.records import parsed
from policy_qa.evaluation.sets import load_evaluation_set
from policy_qa.filling import Source
from policy_qa.types import Encoder

ROOT = Path(__file__).parent.parent
DEV = ROOT.parent / "shared" / "data" / "dev"
RESULTS = ROOT / "eval" / "results" / "conclusions.md"
SETS = ("drcd", "stard", "covidfaq", "drcd-en", "stard-en", "covidfaq-zh")
HEAD = "| questions | n | right entry | contains a gold span | … of right entries | median length |"
VARIANTS_HEAD = "| | seed: contains | median length | given documents: contains | median length |"
ALWAYS = Calibration(intercept=100.0)
"""Answers every question: what is measured here is not whether it should."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with where it is asked.

    Attributes:
        group: The row it counts in.
        kb: What is asked.
        text: The question.
        filters: What it may look at.
        gold: The spans that answer it, each with its `entry`, `start` and `end`.
    """

    group: str
    kb: KnowledgeBase
    text: str
    filters: Filters
    gold: Sequence[dict[str, Any]]


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


@contextmanager
def changed(**constants: float) -> Iterator[None]:
    """Change constants of the method for a while."""
    places = {name: retriever if hasattr(retriever, name) else conclusions for name in constants}
    before = {name: getattr(place, name) for name, place in places.items()}
    try:
        for name, value in constants.items():
            setattr(places[name], name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(places[name], name, value)


VARIANTS: dict[str, dict[str, float]] = {
    "as shipped": {},
    "the best sentence alone": {"CONCLUSION_SENTENCES": 1},
    "two sentences always": {"AS_GOOD": 1.0},
    "three sentences always": {"AS_GOOD": 1.0, "CONCLUSION_SENTENCES": 3},
    "a second if it fits in": {"AS_GOOD": 0.0},
    "a second if as good": {"NEARLY_AS_GOOD": 0.0},
    "as good within .003": {"AS_GOOD": 0.003},
    "as good within .012": {"AS_GOOD": 0.012},
    "as good within .02": {"AS_GOOD": 0.02},
    "not by what is asked": {"WANTED": 0.0, "SHUNNED": 0.0},
    "words 0": {"SENTENCE_LEXICAL_WEIGHT": 0.0},
    "words .1": {"SENTENCE_LEXICAL_WEIGHT": 0.1},
    "words .3": {"SENTENCE_LEXICAL_WEIGHT": 0.3},
    "words .8": {"SENTENCE_LEXICAL_WEIGHT": 0.8},
    "translation 0": {"SENTENCE_TRANSLATION_WEIGHT": 0.0},
    "translation .25": {"SENTENCE_TRANSLATION_WEIGHT": 0.25},
}


def main() -> None:
    """Measure both halves."""
    encoder = load_encoder(DEFAULT_MODEL)
    lines = [
        "# Conclusions",
        "",
        "`python eval/conclusions.py`. Rows of the seed ask the whole corpus, so that a wrong "
        "entry cannot contain the gold span; other rows ask the right document alone.",
        "",
        "Reporting halves:",
        "",
        HEAD,
        "|---|---|---|---|---|---|",
    ]
    with ExitStack() as stack:
        asked = answered(questions("report", encoder, stack))
        groups = list(dict.fromkeys(one.group for one in asked))
        lines += [row(name, [one for one in asked if one.group == name]) for name in groups]
        lines += summary(asked)
        tuning = questions("tune", encoder, stack)
        lines += ["", "What the parts are worth, on the tuning halves:", "", VARIANTS_HEAD]
        lines += ["|---|---|---|---|---|"]
        for name, constants in VARIANTS.items():
            with changed(**constants):
                lines.append(variant(name, answered(tuning)))
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text, end="")


def answered(asked: Iterable[Question]) -> list[Asked]:
    """Ask the questions."""
    return [judged(one) for one in asked]


def questions(split: str, encoder: Encoder, stack: ExitStack) -> list[Question]:
    """Return the questions of one half."""
    found = [*seed(split, stack)]
    for name in SETS if DEV.is_dir() else ():
        found += given_document(name, split, encoder, stack)
    return found


def seed(split: str, stack: ExitStack) -> Iterator[Question]:
    """Yield the seed's questions, asked of the whole corpus."""
    folder = ROOT / "eval" / "seed"
    gold = [*records(folder / "gold.jsonl")]
    place = stack.enter_context(tempfile.TemporaryDirectory())
    kb = stack.enter_context(KnowledgeBase.build(ROOT / "corpus", place, model=DEFAULT_MODEL))
    kb.calibration = ALWAYS
    for query in records(folder / "queries.jsonl"):
        if query["split"] == split:
            spans = [span for span in gold if span["id"] == query["id"]]
            yield Question(f"seed {query['lang']}", kb, query["text"], Filters(), spans)


def given_document(name: str, split: str, encoder: Encoder, stack: ExitStack) -> Iterator[Question]:
    """Yield the questions of a set, asked of the right documents alone."""
    corpus = name.split("-", maxsplit=1)[0]
    home = DEV / name if name == corpus else ROOT / "eval" / "across" / name
    judged_set = load_evaluation_set(home, DEV / corpus)
    gold = [
        mark
        for mark in records(ROOT / "eval" / "conclusions" / "gold.jsonl")
        if (mark["set"], mark["split"]) == (name, split)
    ]
    place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    documents = dict.fromkeys(mark["document"] for mark in gold)
    entries = [parsed(judged_set.corpus[document]) for document in documents]
    manifest = build_generation(entries, place, encoder, Source(name, DEFAULT_MODEL))
    kb = stack.enter_context(KnowledgeBase(place, manifest, encoder))
    kb.calibration = ALWAYS
    texts = {query.id: query.text for query in judged_set.queries}
    for query in dict.fromkeys(mark["query"] for mark in gold):
        marks = [mark for mark in gold if mark["query"] == query]
        document = marks[0]["document"]
        before = len(judged_set.corpus[document].title)
        shift = before + bool(before)
        spans = [
            {"entry": f"{document}#1", "start": mark["start"] + shift, "end": mark["end"] + shift}
            for mark in marks
        ]
        yield Question(name, kb, texts[query], Filters(documents=(document,)), spans)


def judged(question: Question) -> Asked:
    """Return whether the conclusion to a question contains one of its gold spans."""
    answer = question.kb.ask(question.text, question.filters)
    entry = answer.entry.id if answer.entry else None
    text = question.kb.document(answer.entry.document_id).text if answer.entry else ""
    spans = [span for span in question.gold if span["entry"] == entry]
    contains = any(
        citation.span.start <= span["start"] and span["end"] <= citation.span.end
        for citation in merged(answer, text)
        for span in spans
    )
    length = sum(len(citation.quote) for citation in answer.conclusion)
    return Asked(question.group, bool(spans), contains, length)


def merged(answer: Answer, text: str) -> list[Any]:
    """Return the conclusion's quotes; two with nothing but blanks between them also as one."""
    quotes = list(answer.conclusion)
    if len(quotes) == 2 and not text[quotes[0].span.end : quotes[1].span.start].strip():
        span = type(quotes[0].span)(quotes[0].span.start, quotes[1].span.end)
        quotes.append(type(quotes[0])("", "", span, 0, ""))
    return quotes


def summary(asked: Sequence[Asked]) -> list[str]:
    """Return the lines of both measures."""
    parts = {"**seed, all**": [], "**given documents, all**": []}
    for one in asked:
        parts["**seed, all**" if one.group.startswith("seed") else "**given documents, all**"] += [
            one
        ]
    return [row(name, part) for name, part in parts.items() if part]


def row(name: str, asked: Sequence[Asked]) -> str:
    """Return a line of the table."""
    right = [one for one in asked if one.right]
    shares = (share(one.right for one in asked), held(asked), held(right))
    return f"| {name} | {len(asked)} | {' | '.join(shares)} | {length(asked)} |"


def variant(name: str, asked: Sequence[Asked]) -> str:
    """Return a line of the table of variants."""
    of_seed = [one for one in asked if one.group.startswith("seed")]
    others = [one for one in asked if not one.group.startswith("seed")]
    return f"| {name} | {held(of_seed)} | {length(of_seed)} | {held(others)} | {length(others)} |"


def held(asked: Iterable[Asked]) -> str:
    """Return the share of conclusions that contain a gold span."""
    return share(one.contains for one in asked)


def share(found: Iterable[bool]) -> str:
    """Return the share of what is true; a dash of nothing."""
    values = list(found)
    return f"{sum(values) / len(values):.3f}" if values else "-"


def length(asked: Sequence[Asked]) -> str:
    """Return the median length of conclusions."""
    return f"{statistics.median(one.length for one in asked):g}" if asked else "-"


def records(file: Path) -> list[dict[str, Any]]:
    """Return the records of a file, one a line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
