"""Vectors that were already paid for, in SQLite: no text is encoded twice.

Vectors are appended; only their short keys are kept in order. A table in the order of the keys
would write a page for each vector, all over the file.

Nothing is ever removed, so the file grows with every edit of the corpus; delete the file to start
anew.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path


class VectorCache:
    """Vectors by the hash of the encoder's identity and the text. Safe to lose, never wrong.

    Each vector is stored with a checksum, and a damaged file is replaced by an empty one.
    """

    def __init__(self, file: Path, encoder: str, dim: int) -> None:
        self._file = file
        self._encoder = encoder
        self._bytes = 2 * dim
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            self._replace(error)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file)
        connection.text_factory = bytes  # damage may turn a vector into text
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
            )
            connection.execute("PRAGMA synchronous = OFF")  # a killed process loses nothing by it
        except BaseException:
            connection.close()
            raise
        return connection

    def _replace(self, error: sqlite3.DatabaseError) -> None:
        """Start with an empty file if this one is damaged; raise the disk's own troubles again."""
        if getattr(error, "sqlite_errorcode", -1) & _PRIMARY not in _DAMAGE:
            raise error
        if hasattr(self, "_connection"):
            self._connection.close()
        self._file.with_name(f"{self._file.name}-journal").unlink(missing_ok=True)
        self._file.unlink()
        self._connection = self._connect()

    def key(self, kind: str, text: str) -> bytes:
        """Return the key of a text, encoded as that kind (query or passage); 16 bytes."""
        return hashlib.sha256(f"{self._encoder}\0{kind}\0{text}".encode()).digest()[:16]

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the float16 vectors known for these keys."""
        try:
            rows = self._rows(keys)
        except sqlite3.DatabaseError as error:
            self._replace(error)
            return {}
        vectors = {key: blob[:-4] for key, blob in rows if blob == _checked(key, blob[:-4])}
        return {key: vector for key, vector in vectors.items() if len(vector) == self._bytes}

    def _rows(self, keys: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        rows = []
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, CAST(vector AS BLOB) FROM vectors WHERE key IN ({marks})"  # noqa: S608
            rows += self._connection.execute(query, some).fetchall()
        return rows

    def put(self, vectors: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep float16 vectors by their keys; of those a power failure may lose the last."""
        rows = [(key, _checked(key, vector)) for key, vector in vectors]
        try:
            self._write(rows)
        except sqlite3.DatabaseError as error:
            self._replace(error)
            self._write(rows)

    def _write(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLite's primary codes for a file whose bytes or schema are not what was written."""

_PRIMARY = 0xFF
"""The bits of a code of SQLite that hold its primary code; the others tell more of the cause."""


def vectors_are_whole(file: Path) -> bool:
    """Whether SQLite can read all of a file; the vectors' own checksums are looked at when used.

    Raises:
        sqlite3.Error: If the disk refuses, or somebody writes to the file.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            connection.execute("SELECT key, vector FROM vectors LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", -1) & _PRIMARY not in _DAMAGE:
            raise
        return False
    return bool(found == "ok")


def _checked(key: bytes, vector: bytes) -> bytes:
    return vector + zlib.crc32(key + vector).to_bytes(4, "little")
