"""Save questions as evaluation cases: a growing evaluation set of a knowledge base's own.

`policy-qa eval KB/eval --kb KB` measures it.
"""

import contextlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from policy_qa.errors import (
    EvaluationError,
    LockedError,
    QueryError,
    StorageError,
)
from policy_qa.evaluation.files import read_text, write_whole
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
from policy_qa.evaluation.question_tables import one_line
from policy_qa.evaluation.records import CORPUS_FILE
from policy_qa.evaluation.sets import OTHER_SCRIPT_FILE, UNANSWERABLE_FILE
from policy_qa.knowledge_base import check_query

EVAL_FOLDER: Final = "eval"
"""The folder of a knowledge base in which its evaluation cases stand."""

BEGUN_FILE: Final = "begun.json"
"""What is being saved, beside an evaluation set; if it stays, the next save does it again."""

LOCK_SECONDS: Final = 10
"""Wait for another save, which takes milliseconds."""


def save_case(folder: Path, query: str, entry_id: str, lang: str) -> str:
    """Add a query with the entry that answers it to an evaluation set; made if it does not exist.

    A query that is there already gets this entry instead of those it had. A query that nothing was
    said to answer is moved.

    Args:
        folder: The set, with no files but those that this module writes.
        query: What is asked.
        entry_id: Of the knowledge base; `check_against` finds those that it lacks.
        lang: Its language tag, such as `zh-Hant`; may be empty.

    Returns:
        The query's id in the set.

    Raises:
        QueryError: If the query cannot be asked.
        EvaluationError: If the entry's id cannot be written, or a file of the set is broken.
        LockedError: If another process is saving there.
        StorageError: If the disk is full or refuses to be written.
    """
    if not entry_id or one_line(entry_id) != entry_id:
        raise EvaluationError(
            f"The entry id {entry_id!r} is empty or has a tab or another sign that a line of "
            f"{QRELS_FILE} cannot hold. Rename its document."
        )
    return _save(folder, _Saved(one_line(query), entry_id, one_line(lang)))


def save_uncovered(folder: Path, query: str) -> str:
    """Add a query that nothing answers to an evaluation set; made if it does not exist.

    A query that is there with its entries is moved. A set can be loaded once it also has a query
    with its entry.

    Returns:
        The query's id in the set.

    Raises:
        QueryError, EvaluationError, LockedError, StorageError: As `save_case`.
    """
    return _save(folder, _Saved(one_line(query)))


@dataclass(frozen=True, slots=True)
class _Saved:
    """A query to save; without an entry, nothing answers it."""

    text: str
    entry_id: str = ""
    lang: str = ""


def _save(folder: Path, saved: _Saved) -> str:
    """Save a query so that a crash at any point is made good by the next save.

    No order of writing two files leaves a set that loads in between; so what is being saved is
    written first, and saving it twice is the same as once.
    """
    check_query(saved.text)
    begun = folder / BEGUN_FILE
    with _saving(folder):
        if begun.exists():
            for file, text in _files(folder, _begun(begun))[1]:
                _replace(file, text)
        query_id, files = _files(folder, saved)
        write_whole(begun, json.dumps(asdict(saved)), "case")
        for file, text in files:
            _replace(file, text)
        begun.unlink()
    return query_id


@contextlib.contextmanager
def _saving(folder: Path) -> Iterator[None]:
    import filelock  # noqa: PLC0415 (only writers need it)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / "lock", timeout=LOCK_SECONDS):
            for left in folder.glob("*.new"):  # of a save that was killed
                left.unlink(missing_ok=True)
            yield
    except filelock.Timeout:
        raise LockedError(
            f"Another process is saving to {folder}. Try again when it is done."
        ) from None
    except OSError as error:
        raise StorageError(
            f"Cannot write to {folder}: {error.strerror or error}. Make room, or make it writable."
        ) from error


def _begun(file: Path) -> _Saved:
    try:
        saved = _Saved(**json.loads(read_text(file)))
        check_query(saved.text)
    except (ValueError, TypeError, RecursionError, QueryError) as error:
        raise EvaluationError(f"{file} is damaged. Delete it and save again.") from error
    return saved


def _replace(file: Path, text: str) -> None:
    if text:
        write_whole(file, text, "case")
    else:  # a file without a query is refused
        file.unlink(missing_ok=True)


def _files(folder: Path, saved: _Saved) -> tuple[str, list[tuple[Path, str]]]:
    """Return the query's id, and the files to replace, in this order, with their new texts."""
    _refuse_other_forms(folder)
    queries_file, qrels_file = folder / QUERIES_FILE, folder / QRELS_FILE
    uncovered_file = folder / UNANSWERABLE_FILE
    queries, uncovered = _queries(queries_file), _queries(uncovered_file)
    qrels: tuple[Qrel, ...] = ()
    if qrels_file.is_file():
        qrels = read_qrels(qrels_file, {query.id: query for query in queries}, queries_file)
    taken = [query.id for query in (*queries, *uncovered)]
    asked = [query for query in queries if one_line(query.text) == saved.text]
    unanswered = [query for query in uncovered if one_line(query.text) == saved.text]

    if saved.entry_id:
        query_id = asked[0].id if asked else _free("q", taken)
        judged = [qrel for qrel in qrels if qrel.query_id == query_id]
        files = []
        if not asked:
            files.append((queries_file, _edited(queries_file, (), _line(query_id, saved))))
        if saved.entry_id not in {qrel.entry_id for qrel in judged if qrel.relevance > 0}:
            qrel = f"{query_id}\t{saved.entry_id}\t1\n"
            files.append((qrels_file, _edited(qrels_file, judged, qrel)))
        if unanswered:
            files.append((uncovered_file, _edited(uncovered_file, unanswered)))
        return query_id, files

    query_id = unanswered[0].id if unanswered else _free("u", taken)
    files = []
    if asked:
        ids = {query.id for query in asked}
        judged = [qrel for qrel in qrels if qrel.query_id in ids]
        files.append((qrels_file, _edited(qrels_file, judged)))
        files.append((queries_file, _edited(queries_file, asked)))
    if not unanswered:
        files.append((uncovered_file, _edited(uncovered_file, (), _line(query_id, saved))))
    return query_id, files


def _refuse_other_forms(folder: Path) -> None:
    forms = (QUERIES_TREC, QRELS_TREC, QRELS_BEIR, QRELS_GROUPS, CORPUS_FILE, OTHER_SCRIPT_FILE)
    for name in forms:
        if (folder / name).exists():
            raise EvaluationError(
                f"{folder} holds {name}, beside which no case can be saved. Move that set to "
                "another folder."
            )


def _queries(file: Path) -> tuple[Query, ...]:
    return read_queries(file) if file.is_file() and read_text(file).strip() else ()


def _free(letter: str, taken: Collection[str]) -> str:
    numbers = [int(name[1:]) for name in taken if re.fullmatch(f"{letter}[0-9]{{1,9}}", name)]
    return f"{letter}{max(numbers, default=0) + 1:04}"


def _line(query_id: str, saved: _Saved) -> str:
    fields = {"id": query_id, "text": saved.text} | ({"lang": saved.lang} if saved.lang else {})
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _edited(file: Path, drop: Iterable[Query | Qrel], add: str = "") -> str:
    """Return a file's text without some lines and with one more; all others as they are."""
    dropped = {item.line for item in drop}
    lines = read_text(file).split("\n") if file.is_file() else []
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in dropped)
    if not kept.strip():
        return add
    return kept + ("" if kept.endswith("\n") else "\n") + add
