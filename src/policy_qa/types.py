"""The vocabulary: what flows from the source text to the answer.

Offsets count Unicode code points of `Document.text`, start at 0, and exclude their end, so that
`document.text[start:end]` is always the text meant. Scores are higher-is-better. Ranks start at 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""`(n, dim) float32`, unit rows."""

Status = Literal["answered", "related", "not_covered"]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of one document's text."""

    start: int
    end: int

    def __bool__(self) -> bool:
        return self.end > self.start


@dataclass(frozen=True, slots=True)
class Document:
    """One source file.

    Attributes:
        id: The path relative to the corpus folder, with `/` as separator.
        text: The decoded text, unchanged but for a leading byte order mark.
        tags: The names of the folders that hold it, and those of its front matter.
    """

    id: str
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with its answer, or one headed section.

    Attributes:
        id: The document's id (without `.txt`), `#`, and the entry's number in it; number 0 is
            what stands before the first numbered or headed entry.
        document_id: The document it stands in.
        span: The whole entry, its marker included.
        question: The stored question or heading; an empty span where there is none.
        answer: What answers the question; an empty span where there is nothing.
        path: The headings above it, outermost first.
    """

    id: str
    document_id: str
    span: Span
    question: Span
    answer: Span
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrieval unit: an entry's question, or a sentence or short window of its answer.

    Attributes:
        id: The entry's id, `:`, and the passage's number in its answer, starts at 1. `:0` is the
            question, `:0.1` and so on what one passage does not hold of a long one.
        entry_id: The entry it belongs to.
        document_id: The document it stands in.
        span: Where it stands in the document's text.
        text: `document.text[span.start:span.end]`.
    """

    id: str
    entry_id: str
    document_id: str
    span: Span
    text: str

    @property
    def is_question(self) -> bool:
        """Whether the passage is its entry's question, or a part of it."""
        return self.id.rpartition(":")[2].partition(".")[0] == "0"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands.

    Attributes:
        document_id: The document quoted.
        entry_id: The entry quoted.
        span: The quote's place; `document.text[span.start:span.end] == quote`.
        line: The line the quote begins on, starts at 1.
        quote: The source's own words.
    """

    document_id: str
    entry_id: str
    span: Span
    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry of a ranking, with the passage that brought it there.

    Attributes:
        rank: Starts at 1.
        entry: The entry found.
        question: The entry's question in its own words; empty where it has none.
        passage: The entry's best passage.
        score: What the ranking is by, descending: the fused score, 0 to 1, or of a re-ranked hit
            one above that, 1 to 2 (see `reranker`).
        components: Every score that went into it, by name (see `retriever` and `reranker`).
    """

    rank: int
    entry: Entry
    question: str
    passage: Passage
    score: float
    components: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Match:
    """A word of the query that an entry holds in other words.

    Attributes:
        word: As the query has it, folded.
        term: What the entry holds, folded.
        source: Why they are the same: a dictionary's name, or a lexicon's file and line.
    """

    word: str
    term: str
    source: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a search may look at.

    Attributes:
        documents: Ids of the documents allowed; empty allows all.
        tags: A document must carry every one of these.
    """

    documents: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.documents or self.tags)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the knowledge base says to a query. Every quote is the source's own.

    Attributes:
        query: The query as it was asked.
        status: `answered`, `related` (near, but not sure) or `not_covered`.
        confidence: An estimate of the probability that the best entry answers, 0 to 1.
        entry: The matched entry; None when not covered.
        question: The matched entry's question in its own words; empty where it has none.
        conclusion: The answering sentences, in the source's order; empty when not covered.
        related: The next entries, best first. When not covered, the nearest entries.
        hits: Every entry found, best first.
        generation: The generation of the knowledge base that answered.
        read_as: The query in characters, folded, if it was typed in pinyin; else empty.
    """

    query: str
    status: Status
    confidence: float
    entry: Entry | None
    question: str
    conclusion: tuple[Citation, ...]
    related: tuple[Hit, ...]
    hits: tuple[Hit, ...] = field(repr=False)
    generation: int = 0
    read_as: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """An index's best rows for one query, best first; ties by ascending row.

    Attributes:
        rows: `(k,) int64`, passage row numbers.
        scores: `(k,) float32`, descending.
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


class Encoder(Protocol):
    """Text to unit vectors, one way for queries and one for passages."""

    @property
    def identity(self) -> str:
        """Names the model, its revision and its arithmetic; equal identities give equal vectors."""

    @property
    def dim(self) -> int:
        """The number of components of a vector."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""


class Reranker(Protocol):
    """Reads a text beside the query: more exact than comparing vectors, and far slower."""

    @property
    def identity(self) -> str:
        """Names the model and its revision; equal identities give equal scores."""

    def scores(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return `(len(texts),) float32`, finite, of any range; higher is better."""
