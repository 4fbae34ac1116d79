"""Runs: what a knowledge base, or another system, found for each query.

A run maps a query's id to the scores of the entries found for it; its ranking is the total order
`(-score, entry id)`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote

import numpy as np

from policy_qa.confidence import Calibration
from policy_qa.errors import EvaluationError
from policy_qa.evaluation.files import lines, write_whole
from policy_qa.evaluation.judgments import Query
from policy_qa.types import Hit, Status

Run = Mapping[str, Mapping[str, float]]
"""Query id → entry id → score, higher is better."""

_RUN_FORM = "query Q0 entry rank score tag"


class Searcher(Protocol):
    """What a run is made with; `KnowledgeBase` is one."""

    @property
    def calibration(self) -> Calibration:
        """How confidence is corrected and used."""

    def search_many(self, queries: Sequence[str], top_k: int = 10) -> list[list[Hit]]:
        """Return the best entries for each query, best first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How sure the knowledge base is of the best entry for one query.

    Attributes:
        confidence: 0 to 1; 0 where nothing was found.
        status: What an answer with that confidence is called.
    """

    confidence: float
    status: Status


@dataclass(frozen=True, slots=True)
class Asked:
    """A run with the verdicts on its queries.

    Attributes:
        run: What was found.
        verdicts: Query id → verdict; empty for a run made elsewhere.
    """

    run: Run
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)


def judge(
    kb: Searcher, queries: Sequence[str], top_k: int = 10
) -> list[tuple[list[Hit], float, Status]]:
    """Return the hits, the confidence and the status for each query, as `KnowledgeBase.ask` would.

    The queries are encoded together, and no sentences are chosen.
    """
    judged: list[tuple[list[Hit], float, Status]] = []
    for hits in kb.search_many(queries, top_k):
        probability = kb.calibration.confidence(hits[0].components) if hits else 0.0
        judged.append((hits, probability, kb.calibration.status(probability)))
    return judged


def entry_name(hit: Hit) -> str:
    """Return what qrels about a knowledge base call a hit."""
    return hit.entry.id


def record_name(hit: Hit) -> str:
    """Return what qrels about a set's own corpus call a hit: its record."""
    return hit.entry.document_id


def ask_queries(
    kb: Searcher,
    queries: Sequence[Query],
    top_k: int = 10,
    name: Callable[[Hit], str] = entry_name,
) -> Asked:
    """Ask a knowledge base some queries.

    Args:
        kb: Where to search.
        queries: What to ask.
        top_k: How many entries to keep for each query.
        name: What the qrels call a hit.

    Returns:
        The run. Equal scores are set apart by the least step, so that it keeps the order of the
        hits.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
    """
    answers = judge(kb, [query.text for query in queries], top_k)
    run, verdicts = {}, {}
    for query, (hits, probability, called) in zip(queries, answers, strict=True):
        run[query.id] = set_apart(query.id, [(name(hit), hit.score) for hit in hits])
        verdicts[query.id] = Verdict(round(probability, 6), called)
    return Asked(run, verdicts)


def write_trec_run(run: Run, path: str | Path, tag: str = "policy-qa") -> None:
    """Write a run in the format of TREC: `query Q0 entry rank score tag`.

    Equal runs give equal bytes. The file appears whole or not at all. Whitespace and `%` in an id
    or a tag are written as in a URL (`%20`), because the format separates its columns by
    whitespace.

    Args:
        run: What was found.
        path: The file to write; folders that are missing are made.
        tag: Names the run.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
        StorageError: The file cannot be written; what stood at `path` is left as it was.
    """
    written = [
        f"{_column(query_id)} Q0 {_column(entry_id)} {rank} {score:.9g} {_column(tag)}\n"
        for query_id in sorted(run)
        for rank, (entry_id, score) in enumerate(ranked(query_id, run[query_id]).items(), start=1)
    ]
    write_whole(Path(path), "".join(written), "run")


def read_trec_run(
    path: str | Path, query_ids: Collection[str], entry_ids: Collection[str], corpus: str
) -> Run:
    """Read a run in the format of TREC that was made elsewhere.

    Args:
        path: The file.
        query_ids: The queries that there are; others are left out.
        entry_ids: The entries that there are, or that are judged.
        corpus: What holds them, for messages.

    Returns:
        The run. An id that only exists without its `%20` and the like is read without them.

    Raises:
        EvaluationError: A line cannot be used, or the run is one of other queries or of another
            corpus: it shares no query, or no entry, with the set.
    """
    path = Path(path)
    queries, entries = frozenset(query_ids), frozenset(entry_ids)
    run: dict[str, dict[str, float]] = {}
    shared = False
    first: tuple[str, str] | None = None
    for number, line in lines(path, otherwise="name a run in the format of TREC"):
        query_id, entry_id, score = _scored(f"{path}:{number}", line)
        query_id, entry_id = _known(query_id, queries), _known(entry_id, entries)
        first = first or (query_id, entry_id)
        if query_id not in queries:
            continue
        if entry_id in run.setdefault(query_id, {}):
            raise EvaluationError(
                f"{path}:{number}: query {query_id!r} ranks {entry_id!r} twice; keep one"
            )
        run[query_id][entry_id] = score
        shared |= entry_id in entries
    if first is None:
        raise EvaluationError(f"{path}:1: an empty run; write one line a hit: {_RUN_FORM}")
    if not run:
        raise EvaluationError(
            f"{path}:1: a run of other queries: none of them, such as {first[0]!r}, is in the "
            "set; name the run of this set"
        )
    if not shared:
        raise EvaluationError(
            f"{path}:1: a run of another corpus: none of its documents, such as {first[1]!r}, is "
            f"in {corpus}; name a run of this corpus"
        )
    return run


def _scored(where: str, line: str) -> tuple[str, str, float]:
    try:
        query_id, _, entry_id, _, score, _ = line.split()
        set_apart(query_id, [(entry_id, float(score))])
    except (ValueError, EvaluationError) as error:
        raise EvaluationError(
            f"{where}: not a line of a TREC run with a finite score; write: {_RUN_FORM}"
        ) from error
    return query_id, entry_id, float(score)


def _known(name: str, names: frozenset[str]) -> str:
    return unquote(name) if name not in names and unquote(name) in names else name


def ranked(query_id: str, scores: Mapping[str, float]) -> dict[str, float]:
    """Return a query's entries in the order `(-score, entry id)`, their scores set apart."""
    return set_apart(query_id, sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def set_apart(query_id: str, ranking: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Make the scores of a ranking strictly descending 32-bit floats, by the least steps.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
    """
    apart: dict[str, float] = {}
    previous = np.float32(np.inf)
    for entry_id, score in ranking:
        with np.errstate(over="ignore"):
            rounded = np.float32(score)
            step = min(rounded, np.nextafter(previous, np.float32(-np.inf)))
        if not (np.isfinite(rounded) and np.isfinite(step)):
            raise EvaluationError(
                f"query {query_id!r}, entry {entry_id!r}: score {score!r} is not a finite 32-bit "
                f"number; scale the scores"
            )
        apart[entry_id] = float(step)
        previous = step
    return apart


def _column(text: str) -> str:
    return re.sub(r"[\s%]", lambda match: quote(match[0], safe=""), text)
