"""The lexical index: BM25 over our own tokens.

A score of `bm25` is divided by the sum of the query's inverse document frequencies, unknown tokens
included: 1 is about what an average passage with every token of the query would get, 0 means that
none matches, and values of different queries compare.

tantivy, an inverted index, names the rows; the forward index scores them, and any others. Among
many rows the tokens that tell least, whose lists are the longest, do not take part in the naming:
more rows than are wanted are named by the others, and all tokens decide which are the best.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import tantivy

from policy_qa.bm25 import inverse_document_frequency
from policy_qa.dense import Rows, best, ordered
from policy_qa.forward_index import FORWARD_FILES, LATER_FILES, ForwardIndex, ForwardWriter
from policy_qa.settings import FLAT_UP_TO, NAMED, NAMING
from policy_qa.tokens import telling
from policy_qa.translation import Term, Translation
from policy_qa.types import Filters, Ranking

_Clause = tuple[tantivy.Occur, tantivy.Query]

_ANALYZER = "folded_tokens"
_WRITER_BYTES = 64 * 2**20
_ROWS_AS_TERMS = 1_000
"""Rows up to which naming each is quicker than a set of them."""
_TOKENS_KEPT = 16_384
"""Tokens of queries that were looked up."""
WORDS_KEPT = 4096
"""Words of queries whose terms were looked up; the common ones return in every query."""
UNKNOWN_WORD = 3.0
"""Weight of a word of the query of which no row holds a term: that of one in 20 rows."""


class LexicalWriter:
    """Writes the index of a folder, which becomes whole when the context ends.

    Attributes:
        last: The row that was added last; None before the first one.
    """

    def __init__(self, index: tantivy.Index, forward: ForwardWriter) -> None:
        index.register_tokenizer(_ANALYZER, _analyzer())
        self._schema = index.schema
        self._forward = forward
        self._writer = index.writer(heap_size=_WRITER_BYTES, num_threads=1)
        self.last: int | None = None

    @classmethod
    @contextmanager
    def new(cls, path: Path) -> Iterator["LexicalWriter"]:
        """Write a new index to a folder, which is made.

        Raises:
            OSError: If it cannot be written.
        """
        path.mkdir()
        opened = partial(tantivy.Index, _schema(), path=str(path))
        with cls._writing(opened, partial(ForwardWriter, path)) as writer:
            yield writer

    @classmethod
    @contextmanager
    def going_on(cls, path: Path) -> Iterator["LexicalWriter"]:
        """Change the index of a folder; its files are replaced, never altered.

        Raises:
            OSError: If it cannot be written.
        """
        opened = partial(tantivy.Index.open, str(path))
        with cls._writing(opened, partial(ForwardWriter, path, going_on=True)) as writer:
            yield writer

    @classmethod
    @contextmanager
    def _writing(
        cls, index: Callable[[], tantivy.Index], forward: Callable[[], ForwardWriter]
    ) -> Iterator["LexicalWriter"]:
        with _no_value_errors():
            opened = index()
        with forward() as kept, _no_value_errors():
            writer = cls(opened, kept)
            try:
                yield writer
                writer._writer.commit()
            finally:
                writer._writer.wait_merging_threads()  # they write files to the end

    def add(
        self, row: int, tokens: Iterable[str], documents: Sequence[str], tags: Sequence[str]
    ) -> None:
        """Add a row by its tokens, the ids by which its document is found, and its tags."""
        tokens = list(tokens)
        self._forward.add(row, tokens)
        fields = tantivy.Document(tokens=" ".join(tokens), document=list(documents), tag=list(tags))
        fields.add_unsigned("row", row)
        self._writer.add_document(fields)
        self.last = row

    def remove(self, rows: Sequence[int]) -> None:
        """Remove rows that were there before."""
        if rows:
            wanted = tantivy.Query.term_set_query(self._schema, "row", list(rows))
            self._writer.delete_documents_by_query(wanted)


@contextmanager
def _no_value_errors() -> Iterator[None]:
    """Raise what tantivy reports, such as a full disk, as what it is."""
    try:
        yield
    except ValueError as error:
        raise OSError(f"the lexical index could not be written ({error})") from error


class LexicalIndex:
    """Passage rows by their tokens."""

    def __init__(self, index: tantivy.Index, folder: Path) -> None:
        index.register_tokenizer(_ANALYZER, _analyzer())
        self._schema = index.schema
        self._forward = ForwardIndex.open(folder)
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._searcher = index.searcher()
        self._words: dict[tuple[Term, ...], tuple[float, tantivy.Query | None]] = {}
        self._frequencies: dict[str, float] = {}

    @classmethod
    def build(
        cls, path: Path, passages: Iterable[tuple[int, Sequence[str], str, Sequence[str]]]
    ) -> "LexicalIndex":
        """Write an index to a folder, which is made, and open it.

        Args:
            path: The folder.
            passages: For each passage its row, its tokens, its document's id and tags.

        Raises:
            OSError: If it cannot be written.
        """
        with LexicalWriter.new(path) as writer:
            for row, tokens, document, tags in passages:
                writer.add(row, tokens, [document], tags)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "LexicalIndex":
        """Open what a writer wrote."""
        try:
            return cls(tantivy.Index.open(str(path)), path)
        except ValueError as error:
            if "Lockfile" not in str(error):
                raise
        # tantivy writes a lock file to read: in a place that is read-only, it reads a copy.
        copy = tempfile.TemporaryDirectory(prefix="policy-qa-")
        for file in path.iterdir():
            if not (file.name.endswith(".lock") or file.name in {*FORWARD_FILES, *LATER_FILES}):
                shutil.copyfile(file, Path(copy.name, file.name))
        index = cls(tantivy.Index.open(copy.name), path)
        index._copy = copy  # removed with the index
        return index

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(
        self,
        tokens: Sequence[str],
        k: int,
        filters: Filters | None = None,
        without: Rows | None = None,
    ) -> Ranking:
        """Return at most `k` rows that hold a token, only in documents that pass the filters.

        Args:
            tokens: Of the query.
            k: At most so many rows.
            filters: Which documents to look at.
            without: Rows that are not to be found.
        """
        weights = self._weights(tokens)
        if not weights or not k:
            return ordered([], [])
        naming = self._most_telling(weights) if len(self) > FLAT_UP_TO else [*weights]
        should = [tantivy.Query.term_query(self._schema, "tokens", t, "freq") for t in naming]
        if not should:
            return ordered([], [])
        wanted = k if len(naming) == len(weights) else NAMED * k
        named = self._best(should, 1.0, wanted, self._clauses(filters), without)
        found = self._scored(weights, named.rows)
        return Ranking(found.rows[:k], found.scores[:k])

    def scores(self, tokens: Sequence[str], rows: Rows) -> Ranking:
        """Return the scores of those of these rows that hold a token."""
        weights = self._weights(tokens)
        if not weights or not len(rows):
            return ordered([], [])
        found = self._scored(weights, np.asarray(rows, np.int64))
        held = found.scores > 0
        return Ranking(found.rows[held], found.scores[held])

    def _scored(self, weights: Mapping[str, float], rows: Rows) -> Ranking:
        ceiling = sum(weights.values()) or 1.0
        return ordered(rows, self._forward.scores(weights, rows) / ceiling)

    def _weights(self, tokens: Sequence[str]) -> dict[str, float]:
        """Return the inverse document frequency of each token."""
        return {token: self.inverse_document_frequency(token) for token in sorted(set(tokens))}

    def _most_telling(self, weights: Mapping[str, float]) -> list[str]:
        """Return the tokens, the most telling first, that make most of the sum of the weights.

        Tokens that no row holds weigh most and name nothing: they do not count.
        """
        of_none = inverse_document_frequency(0, len(self))
        held = [token for token, weight in weights.items() if weight < of_none]
        by_weight = sorted(held, key=lambda token: -weights[token])
        left = NAMING * sum(weights[token] for token in held)
        for place, token in enumerate(by_weight, start=1):
            left -= weights[token]
            if left <= 0:
                return by_weight[:place]
        return by_weight

    def search_translation(
        self,
        translation: Translation,
        k: int,
        filters: Filters | None = None,
        without: Rows | None = None,
    ) -> Ranking:
        """Return at most `k` rows that hold a term of a translation.

        A score is the share of the query's words of which the row holds a term, from 0 to 1, each
        word weighted by how few rows hold one, times the weight of its best term there.
        """
        return self._search_translation(translation, k, self._clauses(filters), without)

    def translation_scores(self, translation: Translation, rows: Rows) -> Ranking:
        """Return the scores, as of `search_translation`, of those of these rows that have one."""
        if not len(rows):
            return ordered([], [])
        return self._search_translation(translation, len(rows), [self._among(rows)])

    def _search_translation(
        self,
        translation: Translation,
        k: int,
        must: Sequence[_Clause],
        without: Rows | None = None,
    ) -> Ranking:
        words = [self._word(terms) for terms in translation.terms.values()]
        ceiling = UNKNOWN_WORD * translation.other_words + sum(weight for weight, _ in words)
        should = [query for _, query in words if query is not None]
        if not should:
            return ordered([], [])
        return self._best(should, ceiling, k, must, without)

    def word_weight(self, terms: tuple[Term, ...]) -> float:
        """Return the weight of a word of a query: the fewer rows hold a term of it, the more."""
        return self._word(terms)[0]

    def _word(self, terms: tuple[Term, ...]) -> tuple[float, tantivy.Query | None]:
        known = self._words.get(terms)
        if known is None:
            if len(self._words) >= WORDS_KEPT:
                self._words.clear()
            known = self._words[terms] = self._weighed(terms)
        return known

    def _weighed(self, terms: tuple[Term, ...]) -> tuple[float, tantivy.Query | None]:
        """Return the weight of a word of the query and the query for its terms."""
        known: dict[str, tuple[float, int]] = {}
        for term in terms:
            held = self._rows_holding(term.text)
            if held and term.weight > known.get(term.text, (0.0, 0))[0]:
                known[term.text] = (term.weight, held)
        if not known:
            return UNKNOWN_WORD, None
        rows = min(sum(weight * held for weight, held in known.values()), len(self))
        idf = inverse_document_frequency(rows, len(self))
        queries = [
            tantivy.Query.const_score_query(self._all_of(telling(text)), weight * idf)
            for text, (weight, _) in known.items()
        ]
        return idf, tantivy.Query.disjunction_max_query(queries)

    def _rows_holding(self, text: str) -> int:
        """Return at most how many rows hold a word."""
        counts = [self._searcher.doc_freq("tokens", token) for token in telling(text)]
        return min(counts, default=0)

    def holds(self, word: str) -> bool:
        """Whether some row holds a word; of a long one, all its parts."""
        return self._rows_holding(word) > 0

    def _all_of(self, wanted: Iterable[str]) -> tantivy.Query:
        one = [tantivy.Query.term_query(self._schema, "tokens", t, "basic") for t in sorted(wanted)]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in one])

    def inverse_document_frequency(self, token: str) -> float:
        """Return ln(1 + (N - n + 0.5) / (n + 0.5)); largest for a token that occurs nowhere."""
        known = self._frequencies.get(token)
        if known is None:
            if len(self._frequencies) >= _TOKENS_KEPT:
                self._frequencies.clear()
            held = self._searcher.doc_freq("tokens", token)  # counts removed rows, too
            known = self._frequencies[token] = inverse_document_frequency(held, len(self))
        return known

    def _best(
        self,
        should: Sequence[tantivy.Query],
        ceiling: float,
        k: int,
        must: Sequence[_Clause],
        without: Rows | None,
    ) -> Ranking:
        """Return the `k` rows of the highest sum of scores, divided by the ceiling."""
        return best(k, len(self), partial(self._found, should, ceiling, must), without)

    def _found(
        self,
        should: Sequence[tantivy.Query],
        ceiling: float,
        must: Sequence[_Clause],
        limit: int,
    ) -> Ranking:
        """Return the first `limit` rows of those with the highest sum of scores."""
        if not limit:
            return ordered([], [])
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in should])
        if must:
            filters = [(occur, tantivy.Query.const_score_query(q, 0.0)) for occur, q in must]
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), *filters])
        hits = self._searcher.search(query, limit=limit, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return ordered([int(row or 0) for row in rows], [score / ceiling for score, _ in hits])

    def _among(self, rows: Rows) -> _Clause:
        if len(rows) > _ROWS_AS_TERMS:
            wanted = tantivy.Query.term_set_query(self._schema, "row", rows.tolist())
        else:  # a set is looked for in all rows there are
            wanted = tantivy.Query.boolean_query(
                [(tantivy.Occur.Should, self._row(row)) for row in rows.tolist()]
            )
        return tantivy.Occur.Must, wanted

    def _row(self, row: int) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "row", row, "basic")

    def _clauses(self, filters: Filters | None) -> list[_Clause]:
        filters = filters or Filters()
        clauses = [
            (tantivy.Occur.Must, tantivy.Query.term_query(self._schema, "tag", tag))
            for tag in filters.tags
        ]
        if filters.documents:
            wanted = tantivy.Query.term_set_query(self._schema, "document", list(filters.documents))
            clauses.append((tantivy.Occur.Must, wanted))
        return clauses


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_text_field("tokens", tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("tag", tokenizer_name="raw", index_option="basic")
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
