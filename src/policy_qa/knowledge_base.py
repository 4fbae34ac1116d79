"""The façade: build a knowledge base, open it, search it, ask it."""

import contextlib
import re
import sqlite3
import unicodedata
import weakref
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Self

from policy_qa import calibration
from policy_qa.answers import Evidence, compose, rule_card
from policy_qa.build import Made, build_generation, engine_of, text_recipe
from policy_qa.centring import Centres
from policy_qa.changes import Changes, plan
from policy_qa.coarse import AUTO, check_kind
from policy_qa.confidence import Calibration
from policy_qa.corpus import Corpus
from policy_qa.dictionary import Dictionary
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.engines.address import EMBEDDED, checked
from policy_qa.entries import parse
from policy_qa.errors import (
    CorpusError,
    EncoderMismatchError,
    InputError,
    KnowledgeBaseError,
    QueryError,
)
from policy_qa.filling import Source
from policy_qa.folding import fold
from policy_qa.index_protocols import Indexes
from policy_qa.indexing import Progress
from policy_qa.inspection import Inspection, inspect
from policy_qa.lexicon import Lexicon, Rule, general_rules
from policy_qa.opening import open_indexes
from policy_qa.retriever import EncodedQuery, Retriever, Words
from policy_qa.settings import GENERATIONS_KEPT, MAX_QUERY_CHARS, RERANKED, TOP_K
from policy_qa.storage import (
    CENTRES_FILE,
    CHANGES_FILE,
    STORE_FILE,
    Manifest,
    build_command,
    corpus_place,
    current_state,
    generation_folder,
    read_manifest,
    unreadable,
    verify,
    with_current,
)
from policy_qa.store import Store
from policy_qa.types import (
    Answer,
    Document,
    Encoder,
    Entry,
    Filters,
    Hit,
    Match,
    Parsed,
    Reranker,
    RuleCard,
)


class KnowledgeBase:
    """One generation of a knowledge base, open for reading. Safe to use from several threads.

    Attributes:
        path: Where it stands on disk.
        manifest: What the generation says of itself.
        calibration: How confidence is corrected and used here.
        reranker: What puts the first entries in their order; None if that is the fused score.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        encoder: Encoder,
        reranker: Reranker | None = None,
        folder: Path | None = None,
    ) -> None:
        """Load the generation's files; use `build` or `open`, which check them first.

        Args:
            path: Where the knowledge base stands.
            manifest: Of the generation.
            encoder: It was built with.
            reranker: Of the first entries.
            folder: Where the generation stands while it is not published; None if it is.

        Raises:
            CorruptionError: If a file cannot be loaded.
        """
        folder = folder or generation_folder(path, manifest.generation)
        self.path = path
        self.manifest = manifest
        self.calibration = calibration.load(path, encoder.identity) or Calibration()
        self.reranker = reranker
        self._encoder = encoder
        try:
            self._store = Store(folder / STORE_FILE, folder / CHANGES_FILE)
        except _LOADING as error:
            raise unreadable(path, manifest, error) from error
        try:
            centres = Centres.open(folder / CENTRES_FILE)
            self._indexes = open_indexes(manifest, folder, self._store)
        except BaseException as error:
            self._store.close()
            if isinstance(error, _LOADING):
                raise unreadable(path, manifest, error) from error
            raise
        # Who shares it, as the page's readers do, leaves it to the last one to close it.
        self._closing = weakref.finalize(self, _close, self._indexes, self._store)
        self._closing.atexit = False
        try:
            self._retriever = Retriever(
                encoder,
                centres,
                Words(
                    Dictionary.open(),
                    Lexicon([*general_rules(), *self._store.rules()]),
                    _languages(manifest),
                ),
                self._indexes,
                self._store,
            )
        except BaseException as error:
            self.close()
            if isinstance(error, _LOADING):
                raise unreadable(path, manifest, error) from error
            raise

    @classmethod
    def build(
        cls,
        corpus: str | Path | Iterable[Document],
        path: str | Path,
        *,
        model: str | Encoder = DEFAULT_MODEL,
        rules: Sequence[Rule] | None = None,
        columns: Mapping[str, str] | None = None,
        index_questions: bool = True,
        index: str | None = None,
        keep: int = GENERATIONS_KEPT,
        progress: Progress | None = None,
        engine: str | None = None,
    ) -> "KnowledgeBase":
        """Build a new generation of a corpus, make it current, and open it.

        Everything is read again; only passages that were never encoded before are encoded. Entries
        that were there keep their ids. What was at `path` stays as it was until the new generation
        is whole. A file that cannot be read is left out: see `manifest.skipped`.

        Args:
            corpus: A folder or file, or documents. Its full path is remembered.
            path: The knowledge base; made if it does not exist.
            model: `DEFAULT_MODEL`, the name or folder of a sentence-transformers model, or an
                encoder.
            rules: Of a lexicon; if None, those of the corpus folder's `lexicon.txt`.
            columns: What the columns of tables are called, where names are not recognised, such as
                `{"question": "客戶問", "answer": "標準回覆"}`.
            index_questions: False indexes the answers alone; for evaluations.
            index: The kind of the coarse index, `flat`, `ivf` or `hnsw` (see `coarse`); `auto`
                chooses by the number of passages. If None, as it was asked for of the current
                generation, or else `auto`. An engine chooses its own.
            keep: Generations that stay on disk, this one included.
            progress: Told how many passages are indexed, and how many there are.
            engine: The address of a Milvus server that is to hold the indexes, such as
                `http://127.0.0.1:19530`, or `embedded`; if None, where they are, or else embedded.

        Raises:
            CorpusError: If the corpus is missing or empty, or none of it can be read.
            EncoderError: If the model cannot be made or loaded.
            EngineError: If the engine cannot be used.
            InputError: If there is no index of that kind, the passages are too few for it, the
                indexes are to stand at an engine, or its address is none.
            LockedError: If another process is writing to the knowledge base.
            StorageError: If memory or disk do not suffice, said before anything is encoded, or if
                the disk is full or refuses to be written.
        """
        path = Path(path)
        check_index(path, index, engine)
        kind, kept = (_index_before(path), True) if index is None else (index, False)
        encoder = load_encoder(model) if isinstance(model, str) else model
        calibration.load(path, encoder.identity)  # a damaged one is told of before the work
        name = lasting_name(model) if isinstance(model, str) else encoder.identity
        if isinstance(corpus, (str, Path)):
            read = Corpus(Path(corpus), columns)
            rules = read.rules() if rules is None else rules
            documents: Corpus | Iterable[Parsed] = read
            source = Source(
                str(Path(corpus).absolute()), name, rules, read.alternates(), columns=columns or {},
                index_questions=index_questions, index=kind, index_kept=kept,
            )  # fmt: skip
        else:
            documents = ((document, parse(document)) for document in corpus)
            source = Source(
                "", name, rules or (),
                index_questions=index_questions, index=kind, index_kept=kept,
            )  # fmt: skip
        manifest = build_generation(
            documents, path, encoder, source, made=Made(keep=keep), progress=progress, engine=engine
        )
        return cls(path, manifest, encoder)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        model: str | Encoder | None = None,
        reranker: str | Reranker | None = None,
    ) -> "KnowledgeBase":
        """Open the current generation.

        Args:
            path: The knowledge base.
            model: The model that it was built with, if its name or folder changed since.
            reranker: The name or folder of a cross-encoder, or a reranker, that puts the first
                entries in a new order; confidence is not fitted to it.

        Raises:
            EncoderError: If a model cannot be loaded.
            KnowledgeBaseNotFound: If there is none at the path.
            FormatVersionError: If another format version wrote it.
            EncoderMismatchError: If it was built with another encoder, or its texts were folded in
                another way.
            CorruptionError: If a file is missing, truncated or altered.
        """
        path = Path(path)
        # The encoder first: it takes seconds, in which builds may remove what was checked before.
        encoder = cls.encoder_for(path, read_manifest(path), model)
        if isinstance(reranker, str):
            from policy_qa.reranker import load_reranker  # noqa: PLC0415 (few have one)

            reranker = load_reranker(reranker)
        return with_current(path, lambda manifest: cls._open(path, manifest, encoder, reranker))

    @staticmethod
    def encoder_for(path: Path, manifest: Manifest, model: str | Encoder | None = None) -> Encoder:
        """Load the encoder that a generation was built with.

        Raises:
            EncoderError: If it cannot be loaded.
            EncoderMismatchError: If it cannot be told, or is another one than that.
        """
        check_text(path, manifest)
        if model is None and manifest.model == manifest.encoder:
            raise EncoderMismatchError(
                f"The knowledge base at {path} was built with the encoder {manifest.encoder} of a "
                "program, which has no name to load it by. Give that encoder as model."
            )
        wanted = model if model is not None else manifest.model
        encoder = load_encoder(wanted) if isinstance(wanted, str) else wanted
        _check_encoder(path, manifest, encoder)
        return encoder

    @classmethod
    def _open(
        cls, path: Path, manifest: Manifest, encoder: Encoder, reranker: Reranker | None
    ) -> "KnowledgeBase":
        check_text(path, manifest)
        _check_encoder(path, manifest, encoder)
        verify(path, manifest)
        return cls(path, manifest, encoder, reranker)

    @staticmethod
    def current_state(path: str | Path) -> tuple[int, str, int]:
        """Return what changes when answers may: the generation, its hash, the last calibration.

        Raises:
            KnowledgeBaseNotFound: If there is none at the path.
        """
        return *current_state(Path(path)), calibration.changed(Path(path))

    def changes(self, corpus: str | Path | None = None) -> Changes:
        """Return how the corpus differs from what the knowledge base holds of it.

        Args:
            corpus: Where it stands; None if it stands where it stood at the build.
        """
        try:
            path = Path(corpus) if corpus else corpus_place(self.manifest)
            return plan(self._store, self.manifest, path).changes
        except CorpusError as error:
            name = str(corpus or self.manifest.corpus)
            return Changes(unreadable=((name, str(error)),))

    @property
    def encoder(self) -> Encoder:
        """The encoder of queries and passages."""
        return self._encoder

    @property
    def generation(self) -> int:
        """The number of the generation that is open."""
        return self.manifest.generation

    def search(
        self,
        query: str,
        top_k: int = TOP_K,
        filters: Filters | None = None,
        *,
        as_of: date | None = None,
    ) -> list[Hit]:
        """Return the best entries for a query, best first.

        Args:
            query: In Traditional or Simplified Chinese, English, or a mixture.
            top_k: At most so many entries.
            filters: Which documents to look at.
            as_of: Only entries that hold on that day; today if None.

        Raises:
            QueryError: If the query is empty, too long, or has no letter and no digit.
            InputError: If `top_k` is not positive, or a filter names an unknown document or tag.
        """
        (encoded,) = self._encoded([query])
        return self._hits(query, encoded, top_k, filters, as_of or _today())

    def search_many(self, queries: Sequence[str], top_k: int = TOP_K) -> list[list[Hit]]:
        """Return the best entries for each query, the queries encoded together."""
        day = _today()
        return [
            self._hits(query, encoded, top_k, None, day)
            for query, encoded in zip(queries, self._encoded(queries), strict=True)
        ]

    def ask(
        self, query: str, filters: Filters | None = None, *, as_of: date | None = None
    ) -> Answer:
        """Answer a query with the source's own sentences, or say that it is not covered.

        An entry that does not hold on the day never answers; cautions tell of it. What the best
        entry says is compared with the second copy that the store has of it.

        Args:
            query: In Traditional or Simplified Chinese, English, or a mixture.
            filters: Which documents to look at.
            as_of: The day whose rules count; today if None.

        Raises:
            CorruptionError: If the store was damaged after it was opened.
            QueryError: If the query is empty, too long, or has no letter and no digit.
            InputError: If a filter names an unknown document or tag.
        """
        (encoded,) = self._encoded([query])
        day = as_of or _today()
        hits = self._hits(query, encoded, TOP_K, filters, day)
        answer = compose(
            encoded.text if encoded.from_pinyin else query,
            [self._evidence(encoded, hit) for hit in hits],
            self.document,
            generation=self.generation,
            calibration=self.calibration,
            today=day,
            lapsed=self._lapsed(encoded, hits, filters, day),
        )
        return replace(answer, query=query, read_as=encoded.text if encoded.from_pinyin else "")

    def rule_card(self, entry_id: str) -> RuleCard:
        """Return all that an entry says, by field: the rest of what `ask` shows of it.

        Raises:
            InputError: If there is no entry of that id.
        """
        document_id = self.entry(entry_id).document_id
        passages = (passage for _, passage in self._store.passages(entry_id))
        answer = [passage for passage in passages if not passage.is_question]
        return rule_card(self.document(document_id), answer)

    def explain(self, query: str, entry_ids: Iterable[str]) -> dict[str, list[Match]]:
        """Return the words of a query that each of some entries holds in other words, and why.

        Raises:
            QueryError: If the query is empty, too long, or has no letter and no digit.
        """
        (encoded,) = self._encoded([query])
        return {entry_id: self._retriever.matches(encoded, entry_id) for entry_id in entry_ids}

    def inspect(
        self, query: str, entry_id: str, top_k: int = TOP_K, filters: Filters | None = None
    ) -> Inspection:
        """Return why a query found an entry, and what its confidence is made of.

        Args:
            query: As it was asked.
            entry_id: One of the entries found.
            top_k: Among so many best entries.
            filters: Which documents were looked at.

        Raises:
            QueryError: If the query is empty, too long, or has no letter and no digit.
            InputError: If the entry is not among the best, `top_k` is not positive, or a filter
                names an unknown document or tag.
        """
        (encoded,) = self._encoded([query])
        _check_count(top_k)
        # one more to compare the last with
        hits = self._hits(query, encoded, top_k + 1, filters, _today())
        hit = next((hit for hit in hits[:top_k] if hit.entry.id == entry_id), None)
        if hit is None:
            raise InputError(f"{entry_id!r} is not among the first {top_k} entries for the query.")
        return inspect(
            encoded.text if encoded.from_pinyin else _SURROGATES.sub(" ", query),
            encoded,
            hits,
            hit,
            retriever=self._retriever,
            document=self.document(hit.entry.document_id),
            calibration=self.calibration,
            filters=filters,
        )

    def documents(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return every document's id and tags, ordered by id."""
        return self._store.documents()

    def document(self, document_id: str) -> Document:
        """Return a document.

        Raises:
            InputError: If there is none of that id.
        """
        document = self._store.document(document_id)
        if document is None:
            raise InputError(f"The knowledge base at {self.path} has no document {document_id!r}.")
        return document

    def entry(self, entry_id: str) -> Entry:
        """Return an entry.

        Raises:
            InputError: If there is none of that id.
        """
        entry = self._store.named_entry(entry_id)
        if entry is None:
            raise InputError(f"The knowledge base at {self.path} has no entry {entry_id!r}.")
        return entry

    def entries(self, document_id: str | None = None) -> list[Entry]:
        """Return every entry, or those of one document, in the source's order."""
        return [entry for entry, _ in self._store.entries(document_id)]

    def questions(self) -> dict[str, str]:
        """Return every entry's question in its own words by the entry's id; empty ones left out."""
        return {entry.id: question for entry, question in self._store.entries() if question}

    def some_questions(self, count: int) -> list[str]:
        """Return the first questions, at most so many."""
        return self._store.some_questions(count)

    def rules(self) -> list[Rule]:
        """Return the rules of the corpus's lexicon."""
        return self._store.rules()

    def close(self) -> None:
        """Close the files, and the connection to an engine.

        It closes itself when nobody has it any more.
        """
        self._closing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _encoded(self, queries: Sequence[str]) -> list[EncodedQuery]:
        for query in queries:
            check_query(query)
        return self._retriever.encode([_SURROGATES.sub(" ", query) for query in queries])

    def _evidence(self, query: EncodedQuery, hit: Hit) -> Evidence:
        """Return a hit with its sentences; only those of the first compete for the conclusion."""
        by_words = hit.rank == 1
        sentences = self._retriever.sentences(query, hit.entry.id, by_words=by_words)
        if by_words:
            read = (sentence.passage for sentence in sentences)
            self._store.check_copies(self.document(hit.entry.document_id), read)
        return Evidence(hit, sentences)

    def _lapsed(
        self, encoded: EncodedQuery, hits: Sequence[Hit], filters: Filters | None, day: date
    ) -> list[Hit]:
        """Return the entries that do not hold on a day and would be before the best that does."""
        if self._retriever.all_hold(day):
            return []
        found = self._retriever.search(encoded, TOP_K, filters)
        holding = {hit.entry.id for hit in hits}
        before = takewhile(lambda hit: hit.entry.id not in holding, found)
        sure = self.calibration.status
        confidence = self.calibration.confidence
        return [hit for hit in before if sure(confidence(hit.components)) != "not_covered"]

    def _hits(
        self,
        query: str,
        encoded: EncodedQuery,
        top_k: int,
        filters: Filters | None,
        day: date,
    ) -> list[Hit]:
        _check_count(top_k)
        if filters:
            self._check_filters(filters)
        if self.reranker is None:
            return self._retriever.search(encoded, top_k, filters, day)
        from policy_qa.reranker import rerank  # noqa: PLC0415 (few have one)

        hits = self._retriever.search(encoded, max(top_k, RERANKED), filters, day)
        read = encoded.text if encoded.from_pinyin else _SURROGATES.sub(" ", query)
        return rerank(self.reranker, read, hits)[:top_k]

    @cached_property
    def _filterable(self) -> tuple[set[str], set[str]]:
        """Which documents and which tags a filter can name."""
        known = dict(self.documents())
        tags = {tag for of_document in known.values() for tag in of_document}
        files = {*known, *self._store.parts().values()}
        return files, tags | self._store.entry_tags()

    def _check_filters(self, filters: Filters) -> None:
        if isinstance(filters.documents, str) or isinstance(filters.tags, str):
            raise InputError("A filter holds one string; give a tuple, such as ('returns.md',).")
        for kind, wanted, there in zip(
            ("document", "tag"), (filters.documents, filters.tags), self._filterable, strict=True
        ):
            for name in wanted:
                if name not in there:
                    some = ", ".join(sorted(there)[:5]) or "none"
                    raise InputError(
                        f"There is no {kind} {name!r}. There are, for example: {some}."
                    )


def _today() -> date:
    return date.today()  # noqa: DTZ011 (rules go by the reader's own calendar)


def _languages(manifest: Manifest) -> frozenset[str]:
    """Return the languages of more than a stray few of the passages."""
    least = _STRAY_SHARE * sum(manifest.languages.values())
    return frozenset(name for name, count in manifest.languages.items() if count > least)


_STRAY_SHARE = 0.01
"""Share of passages up to which a language is that of stray names and numbers."""

_LOADING = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    EOFError,
    sqlite3.Error,
    zipfile.BadZipFile,
)
"""How SQLite, FAISS, tantivy and NumPy refuse a file."""


def check_text(path: Path, manifest: Manifest) -> None:
    """Check that a generation's texts were folded as this program folds queries.

    Raises:
        EncoderMismatchError: If they were not.
    """
    if manifest.text != text_recipe():
        raise EncoderMismatchError(
            f"The knowledge base at {path} was built with another text folding ({manifest.text}), "
            f"not with this program's ({text_recipe()}). Build it again: "
            f"{build_command(path, manifest.corpus or 'CORPUS')}"
        )


def _check_encoder(path: Path, manifest: Manifest, encoder: Encoder) -> None:
    if encoder.identity != manifest.encoder:
        raise EncoderMismatchError(
            f"The knowledge base at {path} was built with the encoder {manifest.encoder}, not "
            f"with {encoder.identity}. Name that model with --model, or build it again: "
            f"{build_command(path, manifest.corpus or 'CORPUS')}"
        )


def _index_before(path: Path) -> str:
    """Return the kind of index that was asked for of the current generation, if it can be read."""
    with contextlib.suppress(KnowledgeBaseError):
        return read_manifest(path).index_asked
    return AUTO


def check_index(path: Path, index: str | None, engine: str | None) -> None:
    """Check that there is such an index where the indexes are to stand.

    Args:
        path: The knowledge base.
        index: One of `coarse.INDEX_KINDS`; None for the one of before.
        engine: The address of an engine, or `embedded`; None for the one of before.

    Raises:
        InputError: If there is none, or the engine chooses its own.
    """
    if index is None:
        return
    check_kind(index)
    url = checked(engine_of(path) if engine is None else engine)
    if url and index != AUTO:
        raise InputError(
            f"The engine at {url} chooses its own index of vectors: leave --index {index} out, or "
            f"have the indexes here with --engine {EMBEDDED}."
        )


def _check_count(top_k: int) -> None:
    if not isinstance(top_k, int) or top_k < 1:
        raise InputError(f"top_k is {top_k!r}; give a whole number, 1 or more.")


def _close(indexes: Indexes, store: Store) -> None:
    indexes.close()
    store.close()


_SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, as from an argument that is not UTF-8; no encoder takes them."""


def lasting_name(model: str) -> str:
    """Return a model's name, or its folder's full path, which holds from any directory."""
    folder = Path(model)
    return str(folder.resolve()) if model != DEFAULT_MODEL and folder.is_dir() else model


def check_query(query: str) -> None:
    """Check that a query can be asked.

    Raises:
        QueryError: If it is empty, too long, or has no letter and no digit.
    """
    if not isinstance(query, str):
        raise QueryError(f"The query is {type(query).__name__}, not text. Give a string.")
    if not query.strip():
        raise QueryError("The query is empty. Type a question.")
    if len(query) > MAX_QUERY_CHARS:
        raise QueryError(
            f"The query has {len(query):,} characters; the limit is {MAX_QUERY_CHARS:,}. "
            "Shorten it."
        )
    folded = fold(_SURROGATES.sub(" ", query))
    if not any(unicodedata.category(character)[0] in "LN" for character in folded):
        raise QueryError("The query has no letter and no digit. Type a question in words.")
