"""Evaluation sets: a folder with queries and relevance judgments, read and checked.

Which files are there says what kind of set it is: `eval/README.md` lists them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy_qa.errors import EvaluationError, QueryError
from policy_qa.evaluation.judgments import (
    QRELS_BEIR,
    QRELS_FILE,
    QRELS_GROUPS,
    QRELS_TREC,
    QUERIES_FILE,
    QUERIES_TREC,
    Qrel,
    Query,
    read_qrels,
    read_queries,
)
from policy_qa.evaluation.records import CORPUS_FILE, Record, digest, read_records
from policy_qa.knowledge_base import check_query

UNANSWERABLE_FILE, OTHER_SCRIPT_FILE = "unanswerable.jsonl", "queries.xscript.jsonl"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Queries with their relevance judgments; every query has a relevant entry.

    Attributes:
        name: The folder's name.
        folder: Where it was loaded from.
        queries: In the order of the file.
        qrels: In the order of the file.
        unanswerable: Queries that nothing answers.
        other_script: The queries in the other Chinese script, with the same ids.
        corpus: Its records by id; empty where the set is about a knowledge base.
        grouped: Whether the qrels judge groups of records.
        files: The names of the files with the queries and the qrels.
    """

    name: str
    folder: Path
    queries: tuple[Query, ...]
    qrels: tuple[Qrel, ...]
    unanswerable: tuple[Query, ...] = ()
    other_script: tuple[Query, ...] = ()
    corpus: Mapping[str, Record] = field(default_factory=dict, repr=False)
    grouped: bool = False
    files: tuple[str, str] = (QUERIES_FILE, QRELS_FILE)

    def label(self, entry_id: str) -> str:
        """Return what qrels call an entry: itself, or its group if it has one."""
        if not self.grouped or entry_id not in self.corpus:
            return entry_id
        return self.corpus[entry_id].group or entry_id

    @property
    def relevant(self) -> dict[str, dict[str, int]]:
        """Query id → entry (or group) → grade, for every query of the set."""
        grades: dict[str, dict[str, int]] = {query.id: {} for query in self.queries}
        for qrel in self.qrels:
            grades[qrel.query_id][qrel.entry_id] = qrel.relevance
        return grades

    @property
    def digest(self) -> str:
        """Equal for sets that ask and judge the same, wherever they stand."""
        return digest(
            [
                *(
                    sorted((query.id, query.text) for query in queries)
                    for queries in (self.queries, self.unanswerable, self.other_script)
                ),
                sorted((qrel.query_id, qrel.entry_id, qrel.relevance) for qrel in self.qrels),
            ]
        )


def load_evaluation_set(folder: str | Path, corpus: str | Path | None = None) -> EvaluationSet:
    """Read an evaluation set.

    Args:
        folder: Holds the set's files.
        corpus: The folder with `corpus.jsonl`, for a set that has none of its own.

    Returns:
        The set, checked in itself; `check_against` checks it against a knowledge base.

    Raises:
        EvaluationError: A file or a line cannot be used; the message names it.
    """
    folder = Path(folder)
    queries_file = _first(folder, QUERIES_FILE, QUERIES_TREC) or QUERIES_FILE
    qrels_file = _first(folder, QRELS_GROUPS, QRELS_FILE, QRELS_TREC, QRELS_BEIR) or QRELS_FILE
    queries = read_queries(folder / queries_file)
    ids = {query.id: query for query in queries}
    qrels = read_qrels(folder / qrels_file, ids, folder / queries_file)
    if qrels_file == QRELS_BEIR:  # BEIR keeps the queries of every split in one file
        judged = {qrel.query_id for qrel in qrels}
        queries = tuple(query for query in queries if query.id in judged)
    home = folder if (folder / CORPUS_FILE).is_file() or corpus is None else Path(corpus)
    has_corpus = corpus is not None or home.joinpath(CORPUS_FILE).is_file()
    loaded = EvaluationSet(
        name=folder.resolve().name,
        folder=folder,
        queries=queries,
        qrels=qrels,
        unanswerable=_further(folder / UNANSWERABLE_FILE),
        other_script=_further(folder / OTHER_SCRIPT_FILE),
        corpus=read_records(home) if has_corpus else {},
        grouped=qrels_file == QRELS_GROUPS,
        files=(queries_file, qrels_file),
    )
    _check(loaded, ids)
    if has_corpus:
        labels = {loaded.label(record_id) for record_id in loaded.corpus}
        check_against(loaded, labels, what=str(home / CORPUS_FILE))
    return loaded


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


def check_against(
    evaluation_set: EvaluationSet, entry_ids: Iterable[str], *, what: str = "the knowledge base"
) -> None:
    """Check that every query can be asked and every qrel points to an entry that exists.

    Args:
        evaluation_set: The set to check.
        entry_ids: The ids of all entries, or the names of all groups.
        what: What holds them, for the message.

    Raises:
        EvaluationError: A query cannot be asked, or a qrel points to nothing; the message names
            file, line and id.
    """
    for file, query in _questions(evaluation_set):
        try:
            check_query(query.text)
        except QueryError as error:
            raise EvaluationError(
                f"{file}:{query.line}: query {query.id!r} cannot be asked: {error}"
            ) from error
    known = frozenset(entry_ids)
    for qrel in evaluation_set.qrels:
        if qrel.entry_id not in known:
            kind = "group" if evaluation_set.grouped else "entry"
            way_out = "`policy-qa entries CORPUS` lists the ids"
            if evaluation_set.corpus:
                way_out = f"one that it has is {min(known, default='none')!r}"
            raise EvaluationError(
                f"{evaluation_set.folder / evaluation_set.files[1]}:{qrel.line}: {what} has no "
                f"{kind} {qrel.entry_id!r}; {way_out}"
            )


def _first(folder: Path, *names: str) -> str | None:
    return next((name for name in names if (folder / name).is_file()), None)


def _further(path: Path) -> tuple[Query, ...]:
    """Read queries that a set may do without."""
    return read_queries(path) if path.is_file() else ()


def _questions(evaluation_set: EvaluationSet) -> Iterator[tuple[Path, Query]]:
    """Yield everything that is asked, with its file."""
    for file, queries in (
        (evaluation_set.files[0], evaluation_set.queries),
        (UNANSWERABLE_FILE, evaluation_set.unanswerable),
        (OTHER_SCRIPT_FILE, evaluation_set.other_script),
    ):
        for query in queries:
            yield evaluation_set.folder / file, query


def _check(loaded: EvaluationSet, ids: Mapping[str, Query]) -> None:
    """Check that a set's files agree with each other."""
    folder, (queries_file, qrels_file) = loaded.folder, loaded.files
    if loaded.grouped and not loaded.corpus:
        raise EvaluationError(
            f"{folder / qrels_file}:1: groups need {CORPUS_FILE} with a 'group' in each line; put "
            "it there or name its folder with --corpus"
        )
    answered = {qrel.query_id for qrel in loaded.qrels if qrel.relevance > 0}
    for query in loaded.queries:
        if query.id not in answered:
            raise EvaluationError(
                f"{folder / queries_file}:{query.line}: query {query.id!r} has no relevant entry; "
                f"give it one of relevance 1 or more in {qrels_file}, or remove the query"
            )
    for query in loaded.unanswerable:
        if query.id in ids:
            raise EvaluationError(
                f"{folder / UNANSWERABLE_FILE}:{query.line}: query id {query.id!r} stands in "
                f"{queries_file} too; a query is either answered or not"
            )
    for query in loaded.other_script:
        if query.id not in ids:
            raise EvaluationError(
                f"{folder / OTHER_SCRIPT_FILE}:{query.line}: no query {query.id!r} in "
                f"{queries_file}; add it or remove this line"
            )
