"""The indexes of a generation that stand at an engine, for queries."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from policy_qa.bm25 import inverse_document_frequency
from policy_qa.dense import best, ordered
from policy_qa.engines.collections import MOST, VECTOR, View, conditions
from policy_qa.engines.connection import Connection
from policy_qa.engines.vocabulary import Vocabulary, Weights
from policy_qa.errors import EngineError
from policy_qa.index_protocols import Indexes, Rows, Vectors
from policy_qa.lexical import UNKNOWN_WORD, WORDS_KEPT
from policy_qa.storage import VOCABULARY_FILE, Manifest
from policy_qa.translation import Term, Translation
from policy_qa.types import Filters, Ranking

_ROWS_KEPT = 4_096
"""Rows whose vectors and words stay in memory, 10 KB each: a query asks for the same ones again and
again, for each score."""

_SETTLING_SECONDS = 60.0
"""After which a generation is seen whole by every request: the engine's five, and a minute for
clocks that differ."""

_LOOKED_AT = 4
"""Rows looked at for each one wanted, at first, where the engine knows a bound of a score only."""

_WIDTH = 512
"""Rows that a search in a graph, where there is one, looks at, at least."""


def open_indexes(manifest: Manifest, folder: Path) -> Indexes:
    """Open the indexes of a generation that stand at an engine.

    Raises:
        EngineError: If the engine cannot be used, or has not all of them.
        sqlite3.Error: If the vocabulary is none.
    """
    vocabulary = Vocabulary(folder / VOCABULARY_FILE)
    try:
        connection = Connection(manifest.engine)
        try:
            settled = datetime.fromisoformat(manifest.created).timestamp() + _SETTLING_SECONDS
            base, as_of = manifest.collection, manifest.as_of
            passages = View(connection, "passages", base, as_of, settled)
            entries = View(connection, "entries", base, as_of, settled)
            for view in (passages, entries):
                view.check(vocabulary.rows(view.kind))
        except BaseException:
            connection.close()
            raise
    except BaseException:
        vocabulary.close()
        raise

    def close() -> None:
        connection.close()
        vocabulary.close()

    kept = KeptRows(passages, (VECTOR, "words"))
    return Indexes(
        EngineDense(passages, kept, vocabulary.rows("passages"), manifest.dim),
        EngineLexical(passages, kept, vocabulary),
        EngineLexical(entries, KeptRows(entries, ("words",)), vocabulary),
        close,
    )


class KeptRows:
    """Rows that were asked for lately; they never change. Safe to use from several threads."""

    def __init__(self, view: View, fields: Sequence[str]) -> None:
        self._view = view
        self._fields = ("row", *fields)
        self._kept: dict[int, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def get(self, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Return the fields of rows, by row; of those that there are."""
        rows = [int(row) for row in rows]
        with self._lock:
            found = {row: self._kept[row] for row in rows if row in self._kept}
        missing = [row for row in dict.fromkeys(rows) if row not in found]
        fresh = {int(one["row"]): _kept(one) for one in self._view.rows(missing, self._fields)}
        with self._lock:
            if len(self._kept) + len(fresh) > _ROWS_KEPT:
                self._kept.clear()
            self._kept.update(fresh)
        return found | fresh


def _kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row, its vector as an array, which takes a quarter of the list."""
    kept = dict(fields)
    if VECTOR in kept:
        kept[VECTOR] = np.array(kept[VECTOR], np.float32)
    return kept


class EngineDense:
    """Passage rows by their vectors. The score is the inner product."""

    def __init__(self, view: View, kept: KeptRows, rows: int, dim: int) -> None:
        self._view = view
        self._kept = kept
        self._rows = rows
        self._dim = dim

    def __len__(self) -> int:
        return self._rows

    def allowed(self, filters: Filters, rows: Callable[[Filters], Sequence[int] | Rows]) -> Filters:
        """Return the filters: the engine knows the documents and tags of its rows."""
        del rows
        return filters

    def search(
        self,
        queries: Vectors,
        k: int,
        allowed: Filters | None = None,
        without: Rows | None = None,
    ) -> list[Ranking]:
        """Return the `k` nearest rows of each `(q, dim) float32` query.

        Args:
            queries: Unit rows.
            k: At most so many rows for each.
            allowed: Only in documents that pass these filters; None for all.
            without: Rows that are not to be found; None for none. Where of the first 16,384, as
                many as a request returns, fewer than `k` are left, no more are looked for.
        """
        where = conditions(allowed)
        total = min(len(self), MOST)
        return [
            best(k, total, partial(_found, self._view, VECTOR, query.tolist(), where), without)
            for query in queries
        ]

    def nearest(self, query: Vectors) -> Vectors:
        """Return the `(dim,) float32` vector of the row nearest to a `(dim,)` query."""
        (ranking,) = self.search(query[None], 1)
        return np.asarray(self.vectors(ranking.rows)[0])

    def vectors(self, rows: Sequence[int] | Rows) -> Vectors:
        """Return the `(len(rows), dim) float32` vectors of these rows.

        Raises:
            EngineError: If the engine has lost one.
        """
        found = self._kept.get(rows)
        try:
            vectors = [found[int(row)][VECTOR] for row in rows]
        except KeyError as error:
            raise EngineError(
                f"The engine at {self._view.connection.url} has no row {error} in "
                f"{self._view.name} any more: another program has changed it."
            ) from None
        return np.array(vectors, np.float32).reshape(-1, self._dim)


class EngineLexical:
    """Passage rows, or entries, by their tokens; scores as of `lexical`."""

    def __init__(self, view: View, kept: KeptRows, vocabulary: Vocabulary) -> None:
        self._view = view
        self._kept = kept
        self._vocabulary = vocabulary
        self._rows = vocabulary.rows(view.kind)
        self._words: dict[tuple[Term, ...], tuple[float, list[_Sure]]] = {}

    def __len__(self) -> int:
        return self._rows

    def search(
        self,
        tokens: Sequence[str],
        k: int,
        filters: Filters | None = None,
        without: Rows | None = None,
    ) -> Ranking:
        """Return at most `k` rows that hold a token, only in documents that pass the filters."""
        weights, ceiling = self._weights(tokens)
        if not weights or not k:
            return ordered([], [])
        search = partial(_found, self._view, "words", weights, conditions(filters))
        found = best(k, min(len(self), MOST), search, without)
        return Ranking(found.rows, np.asarray(found.scores / np.float32(ceiling), np.float32))

    def scores(self, tokens: Sequence[str], rows: Rows) -> Ranking:
        """Return the scores of those of these rows that hold a token."""
        weights, ceiling = self._weights(tokens)
        if not weights or not len(rows):
            return ordered([], [])
        return self._scored(rows, lambda words: _product(weights, words) / ceiling)

    def _weights(self, tokens: Collection[str]) -> tuple[Weights, float]:
        """Return the weights of a query's tokens, and the sum of those that no row holds, too."""
        unique = sorted(set(tokens))
        known = self._vocabulary.known(self._view.kind, unique)
        weights = {n: inverse_document_frequency(held, len(self)) for n, held in known.values()}
        unknown = (len(unique) - len(known)) * inverse_document_frequency(0, len(self))
        return weights, sum(weights.values()) + unknown

    def search_translation(
        self,
        translation: Translation,
        k: int,
        filters: Filters | None = None,
        without: Rows | None = None,
    ) -> Ranking:
        """Return at most `k` rows that hold a term of a translation.

        Of a word's terms only the surest counts, and that only if all of its tokens are held: the
        engine cannot tell. It ranks by the sum of all terms, each by the share of its tokens that
        is held. No score is above that, so when the best that were looked at score more than the
        last one's bound, no other row does.
        """
        words, ceiling = self._translated(translation)
        bounds: Weights = {}
        for word in words:
            for weight, numbers in word:
                for number in numbers:
                    bounds[number] = bounds.get(number, 0.0) + weight / len(numbers)
        if not bounds or not k:
            return ordered([], [])
        search = partial(_found, self._view, "held", bounds, conditions(filters))
        total = min(len(self), MOST)
        limit = min(_LOOKED_AT * k, total)
        while True:
            bounded = search(limit)
            rows = bounded.rows if without is None else _left(bounded.rows, without)
            found = self._scored(rows, partial(_surest, words, ceiling))
            found = Ranking(found.rows[:k], found.scores[:k])
            if limit == total or len(bounded.rows) < limit:
                return found
            if len(found.rows) == k and found.scores[-1] * ceiling > bounded.scores[-1] + _ROUNDING:
                return found
            limit = min(_LOOKED_AT * limit, total)

    def translation_scores(self, translation: Translation, rows: Rows) -> Ranking:
        """Return the scores, as of `search_translation`, of those of these rows that have one."""
        words, ceiling = self._translated(translation)
        if not any(words) or not len(rows):
            return ordered([], [])
        return self._scored(rows, partial(_surest, words, ceiling))

    def _translated(self, translation: Translation) -> tuple[list[list["_Sure"]], float]:
        """Return the terms of each word of a query, and the score of a row that holds them all."""
        words = [self._word(terms) for terms in translation.terms.values()]
        ceiling = UNKNOWN_WORD * translation.other_words + sum(weight for weight, _ in words)
        return [terms for _, terms in words], ceiling

    def _scored(self, rows: Rows, score: Callable[[Mapping[int, float]], float]) -> Ranking:
        """Return those of some rows that have a score above 0."""
        kept = self._kept.get(rows.tolist())
        scored = {row: score(fields["words"]) for row, fields in kept.items()}
        above = {row: value for row, value in scored.items() if value > 0}
        return ordered([*above], [*above.values()])

    def word_weight(self, terms: tuple[Term, ...]) -> float:
        """Return the weight of a word of a query: the fewer rows hold a term of it, the more."""
        return self._word(terms)[0]

    def _word(self, terms: tuple[Term, ...]) -> tuple[float, list["_Sure"]]:
        known = self._words.get(terms)
        if known is None:
            if len(self._words) >= WORDS_KEPT:
                self._words.clear()
            known = self._words[terms] = self._weighed(terms)
        return known

    def _weighed(self, terms: tuple[Term, ...]) -> tuple[float, list["_Sure"]]:
        """Return the weight of a word of the query, and its terms."""
        known: dict[str, tuple[float, int, frozenset[int]]] = {}
        for term in terms:
            held, numbers = self._vocabulary.rows_holding(self._view.kind, term.text)
            if held and term.weight > known.get(term.text, (0.0,))[0]:
                known[term.text] = (term.weight, held, numbers)
        if not known:
            return UNKNOWN_WORD, []
        rows = min(sum(weight * held for weight, held, _ in known.values()), len(self))
        idf = inverse_document_frequency(rows, len(self))
        return idf, [(weight * idf, numbers) for weight, _, numbers in known.values()]

    def holds(self, word: str) -> bool:
        """Whether some row holds a word; of a long one, all its parts."""
        return self._vocabulary.rows_holding(self._view.kind, word)[0] > 0

    def inverse_document_frequency(self, token: str) -> float:
        """Return ln(1 + (N - n + 0.5) / (n + 0.5)); largest for a token that occurs nowhere."""
        _, held = self._vocabulary.known(self._view.kind, [token]).get(token, (0, 0))
        return inverse_document_frequency(held, len(self))


_Sure = tuple[float, frozenset[int]]
"""A term of a word: its weight, and the numbers of the tokens that a row with it holds."""

_ROUNDING = 1e-4
"""By how much the engine's sum of a few dozen float32 weights may be too low."""


def _surest(words: Sequence[Sequence[_Sure]], ceiling: float, held: Mapping[int, float]) -> float:
    """Return the share of a query's words of which a row holds a term."""
    total = sum(
        max((weight for weight, numbers in word if numbers <= held.keys()), default=0.0)
        for word in words
    )
    return total / ceiling


def _left(rows: Rows, without: Rows) -> Rows:
    return rows[np.isin(rows, without, invert=True)]


def _product(weights: Mapping[int, float], words: Mapping[int, float]) -> float:
    return sum(weight * words.get(number, 0.0) for number, weight in weights.items())


def _found(
    view: View, field: str, query: Sequence[float] | Weights, where: Sequence[str], limit: int
) -> Ranking:
    """Return the first `limit` rows of those with the highest inner product."""
    parameters = {"ef": max(_WIDTH, limit)} if field == VECTOR else {}
    (hits,) = view.call(
        "search",
        [query],
        anns_field=field,
        limit=limit,
        filter=view.where(*where),
        output_fields=["row"],
        consistency_level=view.consistency,
        search_params={"metric_type": "IP", "params": parameters},
    )
    return ordered([int(hit["entity"]["row"]) for hit in hits], [hit["distance"] for hit in hits])
