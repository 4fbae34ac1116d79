"""Evaluation: queries and qrels → run → measures, with ir_measures.

An evaluation set is a folder with `queries.jsonl` and `qrels.tsv`. A run maps a query's id to the
scores of the entries found for it; its ranking is the total order `(-score, entry id)`.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import numpy as np

from policy_qa.errors import EvaluationError, StorageError
from policy_qa.types import Hit

Run = Mapping[str, Mapping[str, float]]
"""Query id → entry id → score, higher is better."""

MEASURES = ("hit@1", "hit@3", "MRR@10", "nDCG@10")
"""What is measured, in the order it is shown."""

QUESTIONS_INDEXED = "questions indexed"
QUESTIONS_LEFT_OUT = "questions left out (answers only)"

QUERIES_FILE = "queries.jsonl"
QRELS_FILE = "qrels.tsv"

_QUERY_FORM = '{"id": "q1", "text": "…"}'
_QREL_FORM = "query TAB entry TAB relevance (no header), or: query 0 entry relevance"


@dataclass(frozen=True, slots=True)
class Query:
    """One question of an evaluation set.

    Attributes:
        id: Unique in its set.
        text: What is asked.
        line: Its line in `queries.jsonl`, starts at 1.
        lang: A language tag such as `zh-Hant`; empty where the set gives none.
    """

    id: str
    text: str
    line: int
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Qrel:
    """One relevance judgment.

    Attributes:
        query_id: The query judged for.
        entry_id: The entry judged.
        relevance: Its grade: 1 and above is relevant, and higher is better.
        line: Its line in `qrels.tsv`, starts at 1.
    """

    query_id: str
    entry_id: str
    relevance: int
    line: int


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Queries with their relevance judgments; every query has a relevant entry.

    Attributes:
        name: The folder's name.
        folder: Where it was loaded from.
        queries: In the order of the file.
        qrels: In the order of the file.
    """

    name: str
    folder: Path
    queries: tuple[Query, ...]
    qrels: tuple[Qrel, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """The means over a set's queries.

    Attributes:
        n_queries: How many queries the means are taken over, those the run lacks included.
        values: A value from 0 to 1 for each of `MEASURES`, in that order.
    """

    n_queries: int
    values: Mapping[str, float]


class Searcher(Protocol):
    """What a run is made with; `KnowledgeBase` is one."""

    def search_many(self, queries: Sequence[str], top_k: int = 10) -> list[list[Hit]]:
        """Return the best entries for each query, best first."""


def load_evaluation_set(folder: str | Path) -> EvaluationSet:
    """Read an evaluation set.

    Args:
        folder: Holds `queries.jsonl` (one object a line: id, text, optional lang) and `qrels.tsv`
            (query, entry and relevance with tabs between them and no header, or the four columns
            of TREC).

    Returns:
        The set, checked in itself; `check_against` checks it against a knowledge base.

    Raises:
        EvaluationError: A file or a line cannot be used; the message names it.
    """
    folder = Path(folder)
    queries = _read_queries(folder / QUERIES_FILE)
    qrels = _read_qrels(folder / QRELS_FILE, {query.id for query in queries})
    answered = {qrel.query_id for qrel in qrels if qrel.relevance > 0}
    for query in queries:
        if query.id not in answered:
            raise EvaluationError(
                f"{folder / QUERIES_FILE}:{query.line}: query {query.id!r} has no relevant entry; "
                f"give it one of relevance 1 or more in {QRELS_FILE}, or remove the query"
            )
    return EvaluationSet(folder.resolve().name, folder, queries, qrels)


def check_against(evaluation_set: EvaluationSet, entry_ids: Iterable[str]) -> None:
    """Check that every qrel points to an entry that exists.

    Args:
        evaluation_set: The set to check.
        entry_ids: The ids of all entries of the knowledge base.

    Raises:
        EvaluationError: A qrel points to nothing; the message names file, line and id.
    """
    known = frozenset(entry_ids)
    for qrel in evaluation_set.qrels:
        if qrel.entry_id not in known:
            raise EvaluationError(
                f"{evaluation_set.folder / QRELS_FILE}:{qrel.line}: the knowledge base has no "
                f"entry {qrel.entry_id!r}; `policy-qa entries CORPUS` lists the ids"
            )


def run_queries(kb: Searcher, evaluation_set: EvaluationSet, top_k: int = 10) -> Run:
    """Ask every query of a set.

    Args:
        kb: Where to search.
        evaluation_set: The queries.
        top_k: How many entries to keep for each query; the measures look at up to 10.

    Returns:
        The run. Equal scores are set apart by the least step, so that it keeps the order of the
        hits.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
    """
    queries = evaluation_set.queries
    found = kb.search_many([query.text for query in queries], top_k)
    return {
        query.id: _set_apart(query.id, [(hit.entry.id, hit.score) for hit in hits])
        for query, hits in zip(queries, found, strict=True)
    }


def measure_queries(evaluation_set: EvaluationSet, run: Run) -> dict[str, dict[str, float]]:
    """Measure every query by itself.

    Args:
        evaluation_set: The queries and their qrels.
        run: What was found. A query that it lacks counts as 0; one that the set lacks is ignored.

    Returns:
        Query id → measure → value, in the order of the set and of `MEASURES`.

    Raises:
        EvaluationError: A score is not a finite 32-bit number.
    """
    import ir_measures  # here: only an evaluation pays for it

    success, rr, ndcg = ir_measures.Success, ir_measures.RR, ir_measures.nDCG
    shown = dict(zip((success @ 1, success @ 3, rr @ 10, ndcg @ 10), MEASURES, strict=True))
    qrels: dict[str, dict[str, int]] = {query.id: {} for query in evaluation_set.queries}
    for qrel in evaluation_set.qrels:
        qrels[qrel.query_id][qrel.entry_id] = qrel.relevance
    # The providers behind ir_measures order equal scores each in its own way, and one of them
    # keeps 32 bits of a score: they all get scores that leave them no choice.
    ranked = {query_id: _ranked(query_id, run[query_id]) for query_id in qrels if query_id in run}
    values = {query_id: dict.fromkeys(MEASURES, 0.0) for query_id in qrels}
    for metric in ir_measures.iter_calc(list(shown), qrels, ranked):
        values[metric.query_id][shown[metric.measure]] = float(metric.value)
    return values


def evaluate(evaluation_set: EvaluationSet, run: Run) -> Measures:
    """Measure a run: the means of `measure_queries` over all queries of the set."""
    queries = measure_queries(evaluation_set, run).values()
    # fsum is exact, so the means do not depend on the order of the queries.
    means = {name: math.fsum(q[name] for q in queries) / len(queries) for name in MEASURES}
    return Measures(len(queries), means)


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
    path = Path(path)
    lines = [
        f"{_column(query_id)} Q0 {_column(entry_id)} {rank} {score:.9g} {_column(tag)}\n"
        for query_id in sorted(run)
        for rank, (entry_id, score) in enumerate(_ranked(query_id, run[query_id]).items(), start=1)
    ]
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text("".join(lines), encoding="utf-8", newline="\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path}: the run cannot be written ({error.strerror}); name another place"
        ) from error


def report(evaluation_set: EvaluationSet, runs: Mapping[str, Run]) -> str:
    """Lay out the measures of several runs as a plain text table.

    Args:
        evaluation_set: The queries and their qrels.
        runs: Label → run, such as `QUESTIONS_INDEXED` and `QUESTIONS_LEFT_OUT`.

    Returns:
        Lines: the set's name and size, a heading, and a row for each run in the order given.
    """
    width = max(map(len, ("run", *runs)))
    n_queries = len(evaluation_set.queries)
    lines = [
        f"{evaluation_set.name}: {n_queries} {'query' if n_queries == 1 else 'queries'}",
        f"{'run':<{width}}" + "".join(f"  {name:>7}" for name in MEASURES),
    ]
    for label, run in runs.items():
        values = evaluate(evaluation_set, run).values
        lines.append(f"{label:<{width}}" + "".join(f"  {values[name]:>7.3f}" for name in MEASURES))
    return "\n".join(lines)


def _read_queries(path: Path) -> tuple[Query, ...]:
    queries: dict[str, Query] = {}
    for number, line in _lines(path):
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
            raise EvaluationError(
                f"{where}: not JSON ({reason}); one object a line, such as {_QUERY_FORM}"
            ) from error
        if not isinstance(record, dict):
            raise EvaluationError(f"{where}: not a JSON object; write one such as {_QUERY_FORM}")
        query = Query(
            id=_string(record, "id", where),
            text=_string(record, "text", where),
            line=number,
            lang=_string(record, "lang", where) if "lang" in record else "",
        )
        if query.id in queries:
            raise EvaluationError(
                f"{where}: query id {query.id!r} stands on line {queries[query.id].line} already; "
                f"give each query its own"
            )
        queries[query.id] = query
    if not queries:
        raise EvaluationError(f"{path}:1: no query; write one a line, such as {_QUERY_FORM}")
    return tuple(queries.values())


def _string(record: Mapping[str, object], key: str, where: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        raise EvaluationError(f"{where}: {key!r} is missing or no text; write {_QUERY_FORM}")
    if re.search("[\ud800-\udfff]", value):
        raise EvaluationError(f"{where}: {key!r} holds half a character (a lone surrogate); fix it")
    return value


def _read_qrels(path: Path, query_ids: set[str]) -> tuple[Qrel, ...]:
    qrels: dict[tuple[str, str], Qrel] = {}
    for number, line in _lines(path):
        where = f"{path}:{number}"
        columns = line.strip().split("\t") if "\t" in line else line.split()
        # Without a tab only the four columns of TREC are clear: an entry's id may hold spaces.
        if len(columns) not in ((3, 4) if "\t" in line else (4,)) or not all(columns):
            raise EvaluationError(f"{where}: wrong number of columns; write {_QREL_FORM}")
        query_id, entry_id, relevance = columns[0], columns[-2], columns[-1].strip()
        if not re.fullmatch(r"-?[0-9]{1,3}", relevance):
            raise EvaluationError(
                f"{where}: relevance {relevance!r} is no whole number from -999 to 999; "
                f"write {_QREL_FORM}"
            )
        if query_id not in query_ids:
            raise EvaluationError(
                f"{where}: no query {query_id!r} in {QUERIES_FILE}; add it or remove this line"
            )
        if (query_id, entry_id) in qrels:
            raise EvaluationError(
                f"{where}: query {query_id!r} and entry {entry_id!r} are judged on line "
                f"{qrels[query_id, entry_id].line} already; keep one"
            )
        qrels[query_id, entry_id] = Qrel(query_id, entry_id, int(relevance), number)
    return tuple(qrels.values())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number (from 1) and the text of each line that is not blank."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise EvaluationError(
            f"{path}: no such file; an evaluation set is a folder with {QUERIES_FILE} and "
            f"{QRELS_FILE}"
        ) from error
    except OSError as error:
        raise EvaluationError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise EvaluationError(f"{path}:{number}: not UTF-8; save the file as UTF-8") from error
    # Not splitlines: it would also split at U+2028 and the like inside a query.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _ranked(query_id: str, scores: Mapping[str, float]) -> dict[str, float]:
    ranking = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return _set_apart(query_id, ranking)


def _set_apart(query_id: str, ranking: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Make the scores of a ranking strictly descending 32-bit floats, by the least steps."""
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
