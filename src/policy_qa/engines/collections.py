"""The collections of a knowledge base at an engine: what their rows are, and who sees which.

A row comes with a generation and goes with another one; whoever looks as of a generation sees the
rows that have come and have not gone. A writer adds rows that come with the next generation, and
marks those that go: nobody sees either before that generation is current.
"""

import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from policy_qa.engines.connection import Connection
from policy_qa.engines.vocabulary import Kind, Weights
from policy_qa.errors import EngineError, LostRowsError
from policy_qa.types import Filters

FIELDS: Final = ("id", "row", "since", "until", "documents", "tags", "words", "held")
VECTOR: Final = "vector"
"""The field that only passages have."""

FOREVER: Final = 2**62
"""The generation with which a row goes that nobody has removed."""

AT_ONCE: Final = 256
"""Rows in one request: about a megabyte."""

MOST: Final = 16_384
"""Rows that one request may return."""

_ROW_BITS = 40
_EXACT_UP_TO = 100_000
"""Passages that are searched one by one; beyond, by a graph, as FAISS would have to."""

_GRAPH = {"M": 32, "efConstruction": 200}
_NAME_CHARS = 4_096
"""Of a tag or a document's id."""

_MOST_NAMES = 1_024
_NOT_LOADED = re.compile(r"released|not loaded", re.IGNORECASE)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class View:
    """The rows of one kind that one generation sees.

    Attributes:
        connection: To the engine.
        kind: What the rows are.
        base: What the names of the collections begin with.
        as_of: The generation.
        settled: From when on, in seconds since 1970, a request need not ask for what was written
            last, which a cluster answers up to 0.2 s later.
    """

    connection: Connection
    kind: Kind
    base: str
    as_of: int
    settled: float = math.inf

    @property
    def name(self) -> str:
        """Of the collection."""
        return f"{self.base}_{self.kind}"

    @property
    def consistency(self) -> str:
        """The engine's word for how much of what was written last is seen."""
        return "Bounded" if time.time() > self.settled else "Strong"

    def call(self, request: str, *arguments: Any, **options: Any) -> Any:
        """Make a request about the collection; an engine that was restarted loads it first.

        Raises:
            EngineError: If it fails.
        """
        try:
            return self.connection.call(request, self.name, *arguments, **options)
        except EngineError as error:
            if not _NOT_LOADED.search(str(error)):
                raise
        self.connection.call("load_collection", self.name)
        return self.connection.call(request, self.name, *arguments, **options)

    def where(self, *conditions: str) -> str:
        """Return the expression of these conditions, and of being seen."""
        return " and ".join((f"since <= {self.as_of}", f"until > {self.as_of}", *conditions))

    def count(self) -> int:
        """Return how many rows are seen, all that was written counted."""
        found = self.call(
            "query",
            filter=self.where(),
            output_fields=["count(*)"],
            consistency_level="Strong",
        )
        return int(found[0]["count(*)"])

    def check(self, rows: int) -> None:
        """Check that the engine has all rows that it should have.

        Raises:
            EngineError: If the engine fails.
            LostRowsError: If it has not.
        """
        url = self.connection.url
        if not self.call("has_collection"):
            raise LostRowsError(f"The engine at {url} has no collection {self.name}. {_AGAIN}")
        there = self.count()
        if there != rows:
            raise LostRowsError(
                f"The engine at {url} has {there} rows in {self.name} instead of {rows}. {_AGAIN}"
            )

    def rows(self, numbers: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return the fields of those of these rows that are seen."""
        found: list[dict[str, Any]] = []
        for some in batches(numbers, AT_ONCE):
            where = self.where(f"row in {[int(number) for number in some]}")
            found += self.call(
                "query",
                filter=where,
                output_fields=[*fields],
                limit=AT_ONCE,
                consistency_level=self.consistency,
            )
        return found

    def upsert(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows, in the place of those of the same ids."""
        for some in batches(rows, AT_ONCE):
            self.call("upsert", list(some))

    def flush(self) -> None:
        """Have the engine keep what was written."""
        self.call("flush")

    def create(self, dim: int | None, rows: int) -> None:
        """Make the collection.

        Args:
            dim: Components of the rows' vectors; None if they have none.
            rows: About how many there will be.
        """
        from pymilvus import DataType, MilvusClient  # noqa: PLC0415 (an extra, and heavy)

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        for name in ("row", "since", "until"):
            schema.add_field(name, DataType.INT64)
        for name in ("documents", "tags"):
            schema.add_field(
                name,
                DataType.ARRAY,
                element_type=DataType.VARCHAR,
                max_capacity=_MOST_NAMES,
                max_length=_NAME_CHARS,
            )
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index("row", index_type="INVERTED")
        for name in ("words", "held"):
            schema.add_field(name, DataType.SPARSE_FLOAT_VECTOR)
            indexes.add_index(name, index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        if dim is not None:
            schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
            if rows <= _EXACT_UP_TO:
                indexes.add_index(VECTOR, index_type="FLAT", metric_type="IP")
            else:
                indexes.add_index(VECTOR, index_type="HNSW", metric_type="IP", params=_GRAPH)
        self.call("create_collection", schema=schema, consistency_level="Bounded")
        self.call("create_index", index_params=indexes, sync=False)  # there is nothing to wait for
        self.call("load_collection")


_AGAIN = (
    "Index it again: policy-qa repair, or policy-qa repair --engine embedded; what was encoded "
    "before is not encoded again."
)


def new_row(
    row: int,
    since: int,
    documents: Sequence[str],
    tags: Sequence[str],
    words: Weights,
) -> dict[str, Any]:
    """Return a row as the engine has it, but for its vector."""
    return {
        "id": since << _ROW_BITS | row,
        "row": row,
        "since": since,
        "until": FOREVER,
        "documents": [*documents],
        "tags": [*tags],
        "words": words,
        "held": dict.fromkeys(words, 1.0),
    }


def conditions(filters: Filters | None) -> list[str]:
    """Return the conditions on rows that filters are."""
    found = []
    if filters and filters.documents:
        found.append(f"array_contains_any(documents, {_quoted(filters.documents)})")
    if filters and filters.tags:
        found.append(f"array_contains_all(tags, {_quoted(filters.tags)})")
    return found


def _quoted(names: Sequence[str]) -> str:
    return json.dumps([*names], ensure_ascii=False)


def batches(items: Iterable[_T], size: int) -> Iterator[Sequence[_T]]:
    """Yield the items, so many at a time."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def held(words: Mapping[int, float]) -> frozenset[int]:
    """Return the numbers of the tokens that a row holds, by its words' weights."""
    return frozenset(words) - {0}
