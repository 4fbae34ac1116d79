"""Queries and relevance judgments (qrels), each read from a file of one of several forms."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from policy_qa.errors import EvaluationError
from policy_qa.evaluation.files import lines, records, string

QUERIES_FILE, QUERIES_TREC = "queries.jsonl", "queries.tsv"
QRELS_FILE, QRELS_TREC, QRELS_BEIR = "qrels.tsv", "qrels.txt", "qrels/test.tsv"
QRELS_GROUPS = "qrels_group.tsv"

_QUERY_FORM = '{"id": "q1", "text": "…"}'
_QREL_FORM = "query TAB entry TAB relevance, or: query 0 entry relevance"
_GROUP_FORM = "query TAB group"
_BEIR_HEADER = ["query-id", "corpus-id", "score"]
_FOLDER = f"an evaluation set is a folder with {QUERIES_FILE} and {QRELS_FILE}"


@dataclass(frozen=True, slots=True)
class Query:
    """One question of an evaluation set.

    Attributes:
        id: Unique in its set.
        text: What is asked.
        line: Its line in its file, starts at 1.
        lang: A language tag such as `zh-Hant`; empty where the set gives none.
        kind: What sort of question it is, in the set's own words; may be empty.
        split: The part of the set it belongs to, such as `tune`; may be empty.
    """

    id: str
    text: str
    line: int
    lang: str = ""
    kind: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Qrel:
    """One relevance judgment.

    Attributes:
        query_id: The query judged for.
        entry_id: The entry judged; in a set with a corpus, its record, or a group of records.
        relevance: Its grade: 1 and above is relevant, and higher is better.
        line: Its line in its file, starts at 1.
    """

    query_id: str
    entry_id: str
    relevance: int
    line: int


def read_queries(path: Path) -> tuple[Query, ...]:
    """Read queries: JSON lines, or `id TAB text` in a `.tsv` file.

    Raises:
        EvaluationError: The file or a line cannot be used, or an id is used twice.
    """
    queries: dict[str, Query] = {}
    for query in _tabbed(path) if path.suffix == ".tsv" else _json(path):
        if query.id in queries:
            raise EvaluationError(
                f"{path}:{query.line}: query id {query.id!r} stands on line "
                f"{queries[query.id].line} already; give each query its own"
            )
        queries[query.id] = query
    if not queries:
        raise EvaluationError(f"{path}:1: no query; write one a line, such as {_QUERY_FORM}")
    return tuple(queries.values())


def _json(path: Path) -> Iterator[Query]:
    for number, record in records(path, _QUERY_FORM, otherwise=_FOLDER):
        where = f"{path}:{number}"
        further = {
            key: string(record, (key,), where, _QUERY_FORM)
            for key in ("lang", "kind", "split")
            if key in record
        }
        yield Query(
            id=string(record, ("id", "_id"), where, _QUERY_FORM),
            text=string(record, ("text",), where, _QUERY_FORM),
            line=number,
            **further,
        )


def _tabbed(path: Path) -> Iterator[Query]:
    for number, line in lines(path, otherwise=_FOLDER):
        query_id, _, text = (part.strip() for part in line.partition("\t"))
        if not query_id or not text:
            raise EvaluationError(f"{path}:{number}: no id and text; write: id TAB text")
        yield Query(query_id, text, number)


def read_qrels(path: Path, query_ids: Mapping[str, object], queries: Path) -> tuple[Qrel, ...]:
    """Read qrels: `query TAB entry TAB relevance`, with BEIR's header or none, or TREC's columns.

    Args:
        path: The file; in `qrels_group.tsv` a line is `query TAB group`, with or without relevance.
        query_ids: The queries that there are.
        queries: The file that they stand in, for messages.

    Raises:
        EvaluationError: The file or a line cannot be used, or a pair is judged twice.
    """
    qrels: dict[tuple[str, str], Qrel] = {}
    for number, line in lines(path, otherwise=_FOLDER):
        if not qrels and _columns(line) == _BEIR_HEADER:
            continue
        qrel = _qrel(f"{path}:{number}", number, line, grouped=path.name == QRELS_GROUPS)
        if qrel.query_id not in query_ids:
            raise EvaluationError(
                f"{path}:{number}: no query {qrel.query_id!r} in {queries.name}; add it or remove "
                "this line"
            )
        pair = qrel.query_id, qrel.entry_id
        if pair in qrels:
            raise EvaluationError(
                f"{path}:{number}: query {pair[0]!r} and entry {pair[1]!r} are judged on line "
                f"{qrels[pair].line} already; keep one"
            )
        qrels[pair] = qrel
    return tuple(qrels.values())


def _columns(line: str) -> list[str]:
    return line.strip().split("\t") if "\t" in line else line.split()


def _qrel(where: str, number: int, line: str, *, grouped: bool) -> Qrel:
    columns = _columns(line)
    if grouped and len(columns) == 2:
        columns.append("1")
    # Without a tab only the four columns of TREC are clear: an entry's id may hold spaces.
    if len(columns) not in ((3, 4) if "\t" in line else (4,)) or not all(columns):
        form = _GROUP_FORM if grouped else _QREL_FORM
        raise EvaluationError(f"{where}: wrong number of columns; write {form}")
    query_id, entry_id, relevance = columns[0], columns[-2], columns[-1].strip()
    if not re.fullmatch(r"-?[0-9]{1,3}", relevance):
        raise EvaluationError(
            f"{where}: relevance {relevance!r} is no whole number from -999 to 999; "
            f"write {_QREL_FORM}"
        )
    return Qrel(query_id, entry_id, int(relevance), number)
