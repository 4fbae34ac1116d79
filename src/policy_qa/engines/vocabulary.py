"""The tokens that an engine's rows hold, their numbers and how many rows hold each, in SQLite.

The engine would count them too, but each of its segments for itself, with other constants, and
after splitting what we do not split (30% into 30). So a row goes there as numbers: for each token
its part of BM25, and that it is held. Then the engine's inner product with a query's weights is the
score of the embedded index.
"""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np

from policy_qa.bm25 import saturation
from policy_qa.tokens import telling

Kind = Literal["passages", "entries"]
"""What the rows are."""

KINDS: Final[tuple[Kind, ...]] = ("passages", "entries")

Weights = dict[int, float]
"""Of a row or a query, by the numbers of its tokens."""

NO_TOKEN: Final = 0
"""A number that no token has: every row holds it, for the engine takes no row that holds nothing.
No query asks for it."""

_SCHEMA = """
CREATE TABLE tokens (
  number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE,
  passages INTEGER NOT NULL DEFAULT 0, entries INTEGER NOT NULL DEFAULT 0);
CREATE TABLE kinds (
  kind TEXT PRIMARY KEY, rows INTEGER NOT NULL DEFAULT 0, average REAL NOT NULL DEFAULT 1);
INSERT INTO kinds (kind) VALUES ('passages'), ('entries');
"""


class Vocabulary:
    """What is known of the tokens of one generation. Safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        """Open what a `VocabularyWriter` wrote.

        Raises:
            sqlite3.Error: If the file is missing or is none.
        """
        address = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        try:
            self._rows = dict(self._connection.execute("SELECT kind, rows FROM kinds"))
        except BaseException:
            self._connection.close()
            raise

    def rows(self, kind: Kind) -> int:
        """Return how many rows there are."""
        return int(self._rows[kind])

    def known(self, kind: Kind, tokens: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return the number of each token that rows hold, and how many do."""
        query = (
            f"SELECT token, number, {kind} FROM tokens "  # noqa: S608
            f"WHERE {kind} > 0 AND token IN (SELECT value FROM json_each(?))"
        )
        wanted = json.dumps(sorted(set(tokens)))
        with self._lock:
            found = self._connection.execute(query, (wanted,)).fetchall()
        return {token: (number, held) for token, number, held in found}

    def rows_holding(self, kind: Kind, text: str) -> tuple[int, frozenset[int]]:
        """Return at most how many rows hold a word, and the numbers of its telling tokens."""
        wanted = telling(text)
        known = self.known(kind, wanted)
        if not wanted or len(known) < len(wanted):
            return 0, frozenset()
        return min(held for _, held in known.values()), frozenset(n for n, _ in known.values())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class VocabularyWriter:
    """Counts tokens, in a new file or in a copy of an older generation's."""

    def __init__(self, file: Path) -> None:
        is_new = not file.exists()
        self._connection = sqlite3.connect(file)
        self._connection.execute("PRAGMA synchronous = OFF")  # nobody reads it before it is flushed
        self._connection.execute("PRAGMA journal_mode = OFF")
        if is_new:
            self._connection.executescript(_SCHEMA)

    def add(self, kind: Kind, rows: Iterable[Mapping[str, int]]) -> list[dict[int, int]]:
        """Count the tokens of rows that came.

        Args:
            kind: What the rows are.
            rows: How often each token occurs, of each row.

        Returns:
            The same by the tokens' numbers.
        """
        rows = list(rows)
        held: Counter[str] = Counter(token for row in rows for token in row)
        self._connection.executemany(
            f"INSERT INTO tokens (token, {kind}) VALUES (?, ?) "  # noqa: S608
            f"ON CONFLICT (token) DO UPDATE SET {kind} = {kind} + excluded.{kind}",
            held.items(),
        )
        self._count(kind, len(rows))
        found = self._connection.execute(
            "SELECT token, number FROM tokens WHERE token IN (SELECT value FROM json_each(?))",
            (json.dumps([*held]),),
        )
        numbers = dict(found.fetchall())
        return [{numbers[token]: count for token, count in row.items()} for row in rows]

    def remove(self, kind: Kind, rows: Iterable[Collection[int]]) -> None:
        """Count the tokens of rows that went, by their numbers."""
        rows = list(rows)
        held: Counter[int] = Counter(number for row in rows for number in row)
        self._connection.executemany(
            f"UPDATE tokens SET {kind} = {kind} - ? WHERE number = ?",  # noqa: S608
            ((count, number) for number, count in held.items()),
        )
        self._count(kind, -len(rows))

    def _count(self, kind: Kind, rows: int) -> None:
        query = "UPDATE kinds SET rows = rows + ? WHERE kind = ?"
        self._connection.execute(query, (rows, kind))

    def rows(self, kind: Kind) -> int:
        """Return how many rows there are."""
        query = "SELECT rows FROM kinds WHERE kind = ?"
        (rows,) = self._connection.execute(query, (kind,)).fetchone()
        return int(rows)

    def set_average(self, kind: Kind, tokens: int) -> None:
        """Set the average length of the rows that are there, which have so many tokens."""
        query = "UPDATE kinds SET average = max(?, 1) * 1.0 / max(rows, 1) WHERE kind = ?"
        self._connection.execute(query, (tokens, kind))

    def average(self, kind: Kind) -> float:
        """Return the average length, in tokens, that rows are weighted by.

        That of the last time when all were: rows that came later are too few to move it much.
        """
        query = "SELECT average FROM kinds WHERE kind = ?"
        (average,) = self._connection.execute(query, (kind,)).fetchone()
        return float(average)

    def close(self) -> None:
        """Write what is left and close the file."""
        try:
            self._connection.commit()
        finally:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def row_weights(counts: Mapping[int, int], average: float) -> Weights:
    """Return the parts of BM25 beside the inverse document frequency.

    Args:
        counts: How often each token occurs in the row, by its number.
        average: Length of a row, in tokens.
    """
    if not counts:
        return {NO_TOKEN: 1.0}
    held = np.array([*counts.values()], np.int64)
    return dict(zip(counts, saturation(held, held.sum(), average).tolist(), strict=True))
