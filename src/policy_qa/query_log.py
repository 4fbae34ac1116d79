"""A log of the questions asked, and whether their answers were useful. It knows nobody.

A row holds the day (UTC, no time of day), the question without what may be personal (`masked`),
and what was answered. Nothing tells who asked, or which questions one person asked.
"""

import contextlib
import os
import re
import sqlite3
import string
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from policy_qa.errors import InputError, StorageError
from policy_qa.types import Answer, Language, Status

KEPT: Final = 100_000
"""Questions. The oldest are dropped, so that the file stays below about 30 MB."""

_DROPPED_AT_ONCE: Final = 1_000
_BUSY_SECONDS: Final = 0.2
"""An answer waits for its row; what another process does to a log takes milliseconds."""
_IDENTITY: Final = (0x70716C67, 1)
"""SQLite's application id and user version of a log: pqlg, of the schema below."""

_TABLE: Final = (
    "CREATE TABLE questions (number INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, "
    "query TEXT NOT NULL, status TEXT NOT NULL, confidence REAL NOT NULL, entry TEXT NOT NULL, "
    "generation INTEGER NOT NULL, language TEXT NOT NULL, useful INTEGER)"
)
"""AUTOINCREMENT: a number never comes back, so nobody rates a question that took its place."""
_SCHEMA: Final = (
    _TABLE,
    f"PRAGMA application_id = {_IDENTITY[0]}",
    f"PRAGMA user_version = {_IDENTITY[1]}",
)
_DISK: Final = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)
"""SQLite's primary codes for what is not the file's own fault."""
_PRIMARY: Final = 0xFF
"""The bits of a code of SQLite that hold its primary code; the others tell more of the cause."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One question of the log.

    Attributes:
        number: Starts at 1, never used twice.
        day: On which it was asked, UTC.
        query: As it was asked, masked.
        status: Of its answer.
        confidence: Of its answer, to .001.
        entry_id: The best entry found; empty if there was none.
        useful: Whether the answer was found useful; None if nobody said.
    """

    number: int
    day: date
    query: str
    status: Status
    confidence: float
    entry_id: str
    useful: bool | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many questions the log holds: all, by status, and by rating (most have none)."""

    queries: int = 0
    answered: int = 0
    related: int = 0
    not_covered: int = 0
    useful: int = 0
    not_useful: int = 0


class QueryLog:
    """The log in one SQLite file. Safe to use from several threads, and by several processes.

    The file, which its owner alone may read, and its folders are made by the first `record`; until
    then the log is empty. A log that was closed opens itself again. Every method but `close` raises
    `StorageError` if the file is damaged or is no log, if the disk refuses, or if another process
    holds it for a fifth of a second.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def record(self, answer: Answer, language: Language) -> int:
        """Log a question with its answer; return its number, by which it can be rated."""
        row = (
            datetime.now(UTC).date().isoformat(),
            _storable(masked(answer.query)),
            answer.status,
            round(float(answer.confidence), 3),
            _storable(answer.hits[0].entry.id) if answer.hits else "",
            answer.generation,
            language,
        )
        with self._guarded():
            connection = self._opened()
            number = connection.execute(
                "INSERT INTO questions (day, query, status, confidence, entry, generation, "
                "language) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
            if number is None:  # never after an INSERT
                raise sqlite3.DatabaseError("no row was written")
            if number % _DROPPED_AT_ONCE == 0:
                first_kept = number - KEPT + _DROPPED_AT_ONCE
                connection.execute("DELETE FROM questions WHERE number <= ?", (first_kept,))
            return number

    def rate(self, number: int, useful: bool) -> None:  # noqa: FBT001 (the one thing to say)
        """Say whether the answer to a question was useful; replaces what was said before.

        Raises:
            InputError: If the log holds no question of that number (any more).
        """
        rated = 0
        with self._guarded():
            if self._is_there() and 0 < number < 2**63:
                query = "UPDATE questions SET useful = ? WHERE number = ?"
                rated = self._opened().execute(query, (int(useful), number)).rowcount
        if not rated:
            raise InputError(f"The log {self._file} holds no question {number}. Ask it again.")

    def uncovered(self, limit: int = 5_000) -> list[Logged]:
        """Return the questions that were not covered or got no useful answer, newest first."""
        rows = self._all(
            "SELECT number, day, query, status, confidence, entry, useful FROM questions "
            "WHERE status = 'not_covered' OR useful = 0 ORDER BY number DESC LIMIT ?",
            (limit,),
        )
        return [_logged(row) for row in rows]

    def counts(self) -> Counts:
        """Return how many questions there are of each kind."""
        rows = self._all(
            "SELECT count(*), count(*) FILTER (WHERE status = 'answered'), "
            "count(*) FILTER (WHERE status = 'related'), "
            "count(*) FILTER (WHERE status = 'not_covered'), "
            "count(*) FILTER (WHERE useful = 1), count(*) FILTER (WHERE useful = 0) FROM questions"
        )
        return Counts(*rows[0]) if rows else Counts()

    def forget(self) -> None:
        """Delete every question, from the disk too."""
        with self._guarded():
            if self._is_there():
                connection = self._opened()
                connection.execute("DELETE FROM questions")
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._disconnect()

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._guarded():
            return self._opened().execute(query, values).fetchall() if self._is_there() else []

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let one thread in, and tell errors in one line."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                self._disconnect()  # so that a new file is begun once this one is moved away
                if getattr(error, "sqlite_errorcode", -1) & _PRIMARY in _DISK:
                    raise self._refused(error) from error
                raise self._damaged() from error
            except OSError as error:
                raise self._refused(error.strerror or error) from error

    def _is_there(self) -> bool:
        return self._connection is not None or self._file.exists()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.exists():  # SQLite gives its further files the same mode
                os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600))
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if _is_empty(connection):
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                if _is_empty(connection):  # else another process was first
                    for statement in _SCHEMA:
                        connection.execute(statement)
        if _identity(connection) != _IDENTITY:
            raise self._damaged()
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _damaged(self) -> StorageError:
        return StorageError(
            f"{self._file} is damaged or is no log of questions. Move it away; a new one is begun."
        )

    def _refused(self, reason: object) -> StorageError:
        said = " ".join(str(reason).split())
        return StorageError(
            f"Cannot use the log of questions {self._file}: {said}. "
            "Make room and try again, or give it another place."
        )


def _logged(row: Sequence[Any]) -> Logged:
    number, day, query, status, confidence, entry, rated = row
    useful = None if rated is None else bool(rated)
    return Logged(number, date.fromisoformat(day), query, status, confidence, entry, useful)


def _is_empty(connection: sqlite3.Connection) -> bool:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and _identity(connection) == (0, 0)


def _identity(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers not wait for writers. The file stays so, whoever opens it."""
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    except sqlite3.OperationalError as error:
        # Another process is at work in a new file. Both ways are safe; the next opening tries again
        if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
            raise


def _storable(text: str) -> str:
    """Return a text without lone surrogates, which UTF-8 does not have."""
    return text.encode("utf-8", "replace").decode()


_NARROW: Final = {
    ord(letter) + 0xFEE0: letter for letter in f"{string.ascii_letters}{string.digits}@:/+-.()%_*"
}
"""From full width: one character for one, so that places stay the same."""
_CJK: Final = r"\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""What ends an address that is followed by Chinese without a space."""
_LOCAL: Final = rf"(?:[^\W{_CJK}]|[.%+'-])"
_LABEL: Final = rf"(?:[^\W{_CJK}]|-)+"
_ENDINGS: Final = (
    "com|net|org|edu|gov|info|biz|cn|tw|hk|mo|jp|kr|sg|uk|eu|ru|io|cc|tv|app|dev|ai|shop|xyz|vip|"
    "club|site|store|online|top|link|ly"
)
"""How a host's name ends that needs no path to be one: nearly no sentence does, unlike `.it`."""
_REST: Final = rf"[^\s{_CJK}]*"
_HOST: Final = (
    rf"(?<!{_LOCAL})(?:[wW]{{3}}\.[^\s{_CJK}]+"
    rf"|(?:(?:[^\W{_CJK}]|-)++\.)+"
    rf"(?:(?:{_ENDINGS}|{_ENDINGS.upper()})(?![\w-]|\.\w)(?:[/?#:]{_REST})?|[a-zA-Z]{{2,}}/{_REST}))"
)
"""Of an address without `https://`."""
_BETWEEN: Final = r"[\s().\-‐‑‒–—―−﹣_*/+，、·・•\u200b-\u200f\u202a-\u202e\u2060\ufeff]"
"""What may stand between the digits of one number."""
_RANGE: Final = r"\s?[-‐‑‒–—―−﹣]\s?"
_COUNTED: Final = r"[元塊块天日月年時时小分秒個个件次歲岁倍%]"
_ONE_OF_SEVERAL: Final = r"(?>[1-9]\d{0,2}00|\d{1,3})"
"""Read in one way only, or a long list would be tried in all ways."""
_KEPT: Final = (
    r"(?<!\d)(?<!\d[-./])(?:"
    r"(?:19|20)\d\d[-./](?:1[0-2]|0?[1-9])[-./](?:[12]\d|3[01]|0?[1-9])(?!\d|[-./]\d)"
    rf"|(?:19|20)\d\d{_RANGE}(?:19|20)\d\d(?!{_BETWEEN}{{0,3}}\d)"
    rf"|\d{{1,5}}{_RANGE}\d{{1,5}}\s?{_COUNTED}"
    rf"|(?<!\d[/+，、]){_ONE_OF_SEVERAL}(?:[/+，、]\s?{_ONE_OF_SEVERAL})++\s?{_COUNTED})"
)
"""Dates, years and sums, which have many digits too: 2025-06-01, 2024-2025, 1000-2000元,
100、200、300元."""
_HAN_DIGIT: Final = "[零〇○一二三四五六七八九幺壹貳叁肆伍陸柒捌玖两兩]"
_MASKED: Final = re.compile(
    rf"(?<![a-zA-Z\d+.-])[a-zA-Z\d+.-]*://[^\s{_CJK}]+"
    rf"|(?<!{_LOCAL}){_LOCAL}++"
    rf"(?:@{_LABEL}(?:\.{_LABEL})*|\s{{0,3}}@\s{{0,3}}{_LABEL}(?:\.{_LABEL})+)"
    rf"|{_HOST}"
    rf"|(?P<kept>{_KEPT})"
    r"|(?:[+(]|(?<![a-zA-Z])[a-zA-Z]{1,2})?"
    rf"(?!{_KEPT})\d(?:(?:{_BETWEEN}(?!{_KEPT})){{0,3}}\d){{6,}}(?:[Xx](?![a-zA-Z]))?"
    rf"|{_HAN_DIGIT}(?:[\s\-—]?{_HAN_DIGIT}){{6,}}"
)


def masked(text: str) -> str:
    """Return a text with `…` for e-mail addresses, URLs, and numbers that may be somebody's.

    An URL may lack its scheme. A number has 7 digits or more, also with spaces, hyphens, dots,
    slashes or the like between: of phones, identity cards, orders, bank cards. Up to two letters
    before it and an X after it belong to it. 7 Chinese digits are a number too. Dates, spans of
    years, and ranges and lists of sums stay. Names and street addresses are not known.
    """
    pieces = []
    end = 0
    for found in _MASKED.finditer(text.translate(_NARROW)):
        if not found["kept"]:
            pieces += [text[end : found.start()], "…"]
            end = found.end()
    return "".join([*pieces, text[end:]])


def log_file(path: Path) -> Path | None:
    """Return where the questions to a knowledge base are logged; None if they are not.

    The variable `POLICY_QA_LOG` says so: `off`, or a file.
    """
    setting = os.environ.get("POLICY_QA_LOG", "")
    if setting.lower() == "off":
        return None
    return Path(setting) if setting else path / LOG_FILE


LOG_FILE: Final = "queries.sqlite"
