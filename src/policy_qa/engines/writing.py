"""Rows on their way to an engine: all of a new generation's, or what changes.

A row's weights depend on the average length of all: so new rows wait in a file until the last one
is known.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from policy_qa.engines.address import Target
from policy_qa.engines.collections import (
    AT_ONCE,
    FIELDS,
    FOREVER,
    VECTOR,
    View,
    batches,
    held,
    new_row,
)
from policy_qa.engines.connection import Connection
from policy_qa.engines.indexes import EngineDense, KeptRows
from policy_qa.engines.vocabulary import KINDS, Kind, VocabularyWriter, row_weights
from policy_qa.index_protocols import Rows, Vectors
from policy_qa.storage import VOCABULARY_FILE

_WAITING = """
CREATE TABLE waiting (
  kind TEXT NOT NULL, row INTEGER NOT NULL, documents TEXT NOT NULL, tags TEXT NOT NULL,
  counts TEXT NOT NULL, vector BLOB NOT NULL);
"""


class Writers:
    """What a generation's rows are added to, in the place of the embedded indexes' writers."""

    def __init__(self, target: Target, connection: Connection) -> None:
        self._target = target
        self._connection = connection
        self._vocabulary = VocabularyWriter(target.folder / VOCABULARY_FILE)
        self._file = target.folder / "waiting.sqlite"
        self._waiting = sqlite3.connect(self._file)
        self._waiting.executescript(f"PRAGMA journal_mode = OFF;{_WAITING}")
        self._tokens: Counter[Kind] = Counter()
        self._added: Counter[Kind] = Counter()
        self._finished = False
        self._dense: EngineDense | None = None
        self.dense = DenseWriter(self)
        self.lexical = WordsWriter(self, "passages")
        self.entry_lexical = WordsWriter(self, "entries")

    def view(self, kind: Kind) -> View:
        """Return the rows of the new generation."""
        target = self._target
        return View(self._connection, kind, target.base, target.generation)

    def wait(self, kind: Kind, rows: Sequence["_Row"]) -> None:
        """Take rows, which are written when all are known."""
        if kind == "passages":
            vectors = self.dense.taken([row.number for row in rows])
        else:
            vectors = [b""] * len(rows)
        counted = self._vocabulary.add(kind, [row.counts for row in rows])
        self._added[kind] += len(rows)
        self._tokens[kind] += sum(sum(row.counts.values()) for row in rows)
        self._waiting.executemany(
            "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)",
            (
                (kind, row.number, json.dumps(row.documents), json.dumps(row.tags),
                 json.dumps([*counts.items()]), vector)
                for row, counts, vector in zip(rows, counted, vectors, strict=True)
            ),
        )  # fmt: skip

    def finish(self) -> None:
        """Write what waits, and see that it is there.

        Raises:
            EngineError: If the engine fails, or has not all of it.
        """
        if self._finished:
            return
        self._finished = True
        writers: dict[Kind, WordsWriter] = {
            "passages": self.lexical,
            "entries": self.entry_lexical,
        }
        for kind in KINDS:
            writers[kind].flush()
            if self._target.before is None:
                self._vocabulary.set_average(kind, self._tokens[kind])
                dim = self._target.dim if kind == "passages" else None
                self.view(kind).create(dim, self._added[kind])
            else:
                self._remove(kind, writers[kind].removed)
        for kind in KINDS:
            view = self.view(kind)
            view.upsert(self._waiting_rows(kind))
            view.flush()
            view.check(self._vocabulary.rows(kind))

    def _remove(self, kind: Kind, rows: Sequence[int]) -> None:
        """Let rows go with the new generation, of those that the last one sees."""
        view = self.view(kind)
        fields = [*FIELDS, VECTOR] if kind == "passages" else [*FIELDS]
        for some in batches(rows, AT_ONCE):
            found = view.rows(some, fields)
            self._vocabulary.remove(kind, [held(row["words"]) for row in found])
            view.upsert({**row, "until": self._target.generation} for row in found)

    def _waiting_rows(self, kind: Kind) -> Iterator[dict[str, Any]]:
        average = self._vocabulary.average(kind)
        query = (
            "SELECT row, documents, tags, counts, vector FROM waiting WHERE kind = ? ORDER BY rowid"
        )
        for row, documents, tags, counts, vector in self._waiting.execute(query, (kind,)):
            words = row_weights(dict(json.loads(counts)), average)
            fields = new_row(
                row, self._target.generation, json.loads(documents), json.loads(tags), words
            )
            if vector:
                fields[VECTOR] = np.frombuffer(vector, np.float32)
            yield fields

    def nearest(self, query: Vectors) -> Vectors:
        """Return the `(dim,) float32` vector of the row nearest to a `(dim,)` query."""
        if self._dense is None:
            self.finish()
            view, rows = self.view("passages"), self._vocabulary.rows("passages")
            self._dense = EngineDense(view, KeptRows(view, (VECTOR,)), rows, self._target.dim)
        return self._dense.nearest(query)

    def close(self) -> None:
        """Close the files, and remove the one of the rows that waited."""
        self._vocabulary.close()
        self._waiting.close()
        self._file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that comes: its number, how often each token occurs, and what it is found by."""

    number: int
    counts: Counter[str]
    documents: Sequence[str]
    tags: Sequence[str]


class DenseWriter:
    """Takes vectors, which wait for their rows' words."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers
        self._vectors: dict[int, bytes] = {}

    def add(self, rows: Rows, vectors: Vectors) -> None:
        """Add `(n, dim) float32` vectors under `(n,) int64` row numbers."""
        for row, vector in zip(rows, vectors, strict=True):
            self._vectors[int(row)] = np.asarray(vector, np.float32).tobytes()

    def taken(self, rows: Iterable[int]) -> list[bytes]:
        """Return the vectors of these rows, which go."""
        return [self._vectors.pop(row) for row in rows]

    def remove(self, rows: Rows) -> None:
        """Remove rows: they go with their words."""

    def nearest(self, query: Vectors) -> Vectors:
        """Return the `(dim,) float32` vector of the row nearest to a `(dim,)` query."""
        return self._writers.nearest(query)


class WordsWriter:
    """Takes the tokens of passages or of entries.

    Attributes:
        last: The row that was added last; None before the first one.
        removed: The rows that are to go.
    """

    def __init__(self, writers: Writers, kind: Kind) -> None:
        self._writers = writers
        self._kind: Kind = kind
        self._rows: list[_Row] = []
        self.last: int | None = None
        self.removed: list[int] = []

    def add(
        self, row: int, tokens: Iterable[str], documents: Sequence[str], tags: Sequence[str]
    ) -> None:
        """Add a row by its tokens, the ids by which its document is found, and its tags."""
        self._rows.append(_Row(row, Counter(tokens), documents, tags))
        self.last = row
        if len(self._rows) == AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Hand over what was added."""
        if self._rows:
            self._writers.wait(self._kind, self._rows)
            self._rows = []

    def remove(self, rows: Sequence[int]) -> None:
        """Remove rows that were there before."""
        self.removed += rows


@contextmanager
def writing_rows(target: Target) -> Iterator[Writers]:
    """Give what the rows that come and go are told to; they have when the context ends.

    Raises:
        EngineError: If the engine fails. No generation sees what was written until then, and the
            next writer removes it.
    """
    connection = Connection(target.url)
    try:
        if target.before is not None:
            _own_copy(target.folder / VOCABULARY_FILE)
            for kind in KINDS:
                _undo(View(connection, kind, target.base, target.before))
        with closing(Writers(target, connection)) as writers:
            yield writers
            writers.finish()
    finally:
        connection.close()


def _own_copy(file: Path) -> None:
    """Part a file from that of the generation before, which it may be a link to."""
    copied = file.read_bytes()
    file.unlink()
    file.write_bytes(copied)


def _undo(view: View) -> None:
    """Undo what a writer wrote for a generation that never became current."""
    view.call("delete", filter=f"since > {view.as_of}")
    fields = [*FIELDS, VECTOR] if view.kind == "passages" else [*FIELDS]
    while True:
        marked = view.call(
            "query",
            filter=f"until > {view.as_of} and until < {FOREVER}",
            output_fields=fields,
            limit=AT_ONCE,
            consistency_level=view.consistency,
        )
        if not marked:
            return
        view.upsert({**row, "until": FOREVER} for row in marked)
