"""Evaluation sets: a folder with `queries.jsonl` and `qrels.tsv`, read and checked line by line."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from policy_qa.errors import EvaluationError, QueryError
from policy_qa.knowledge_base import check_query

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


def check_names(evaluation_sets: Iterable[EvaluationSet]) -> None:
    """Check that no two sets have the same name, under which their runs are written.

    Raises:
        EvaluationError: Two have; the message names both folders.
    """
    folders: dict[str, Path] = {}
    for evaluation_set in evaluation_sets:
        name, folder = evaluation_set.name, evaluation_set.folder
        if name in folders:
            raise EvaluationError(
                f"The evaluation sets {folders[name]} and {folder} have the same name {name!r}, so "
                "one run would replace the other. Rename a folder, or measure them one by one."
            )
        folders[name] = folder


def check_against(evaluation_set: EvaluationSet, entry_ids: Iterable[str]) -> None:
    """Check that every query can be asked and every qrel points to an entry that exists.

    Args:
        evaluation_set: The set to check.
        entry_ids: The ids of all entries of the knowledge base.

    Raises:
        EvaluationError: A query cannot be asked, or a qrel points to nothing; the message names
            file, line and id.
    """
    for query in evaluation_set.queries:
        try:
            check_query(query.text)
        except QueryError as error:
            raise EvaluationError(
                f"{evaluation_set.folder / QUERIES_FILE}:{query.line}: query {query.id!r} cannot "
                f"be asked: {error}"
            ) from error
    known = frozenset(entry_ids)
    for qrel in evaluation_set.qrels:
        if qrel.entry_id not in known:
            raise EvaluationError(
                f"{evaluation_set.folder / QRELS_FILE}:{qrel.line}: the knowledge base has no "
                f"entry {qrel.entry_id!r}; `policy-qa entries CORPUS` lists the ids"
            )


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
