"""The vocabulary: what flows from the source text to the answer.

Offsets count Unicode code points of `Document.text`, start at 0, and exclude their end, so that
`document.text[start:end]` is always the text meant. Scores are higher-is-better. Ranks start at 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
"""`(n, dim) float32`, unit rows."""

Vector = npt.NDArray[np.float32]
"""`(dim,) float32`."""

Language = Literal["zh-Hant", "zh-Hans", "en"]
"""Of labels and readings."""

Status = Literal["answered", "related", "not_covered"]

Field = Literal[
    "conditions", "steps", "deadlines", "amounts", "bearers", "effects", "exceptions", "formula"
]
CautionKind = Literal[
    "deadline", "amount", "polarity", "bearer",
    "asked_polarity", "asked_party", "dated", "expired", "not_yet",
]  # fmt: skip
CONTRADICTIONS: Final[tuple[CautionKind, ...]] = ("deadline", "amount", "polarity", "bearer")

FIELDS: Final[tuple[Field, ...]] = get_args(Field)
"""The fields of a rule card, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of one document's text."""

    start: int
    end: int

    def __bool__(self) -> bool:
        return self.end > self.start


PlaceKind = Literal["page", "row"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file that is no plain text, as its readers see it.

    Attributes:
        kind: What is counted.
        number: Of the page or the row, starts at 1; a table's header is a row.
        sheet: The name of the sheet that the row is in; empty where there are no sheets.
    """

    kind: PlaceKind
    number: int
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One source file, or a part of a long one.

    Attributes:
        id: The path relative to the corpus folder, with `/` as separator; of a part, with `:` and
            its number behind.
        text: The decoded text, unchanged but for a leading byte order mark; of a file that is no
            plain text, what was taken out of it.
        tags: The names of the folders that hold it, and those of its front matter.
        effective_from: The first day on which it holds; None if it always did.
        expires: The last day on which it holds; None if it does not end.
        places: Offsets of the text, ascending, from each of which on it stands at a place of the
            file, until the next one; empty where lines say it.
        part_of: The file's own id, if the document is one of several parts; else empty.
    """

    id: str
    text: str
    tags: tuple[str, ...] = ()
    effective_from: date | None = None
    expires: date | None = None
    places: tuple[tuple[int, Place], ...] = ()
    part_of: str = ""


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
        effective_from: The first day on which it holds; None if it always did.
        expires: The last day on which it holds; None if it does not end.
        alternates: The question in other words; searched like it, never quoted.
        tags: Its own, beside those of its document.
    """

    id: str
    document_id: str
    span: Span
    question: Span
    answer: Span
    path: tuple[str, ...] = ()
    effective_from: date | None = None
    expires: date | None = None
    alternates: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


Parsed = tuple[Document, Sequence[Entry]]
"""A document with its entries, in the source's order."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The retrieval unit: an entry's question, or a sentence or short window of its answer.

    Attributes:
        id: The entry's id, `:`, and the passage's number in its answer, starts at 1. `:0` is the
            question, `:0.1` and so on what one passage does not hold of a long one, and the
            alternate questions.
        entry_id: The entry it belongs to.
        document_id: The document it stands in.
        span: Where it stands in the document's text; of an alternate, where the question does.
        text: `document.text[span.start:span.end]`; of an alternate, its own words.
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
        line: The line of the document's text that the quote begins on, starts at 1.
        quote: The source's own words.
        place: Where it begins in a file that is no plain text; None where `line` says it.
    """

    document_id: str
    entry_id: str
    span: Span
    line: int
    quote: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, or a range of them.

    Attributes:
        low: The least; None if there is no lower limit.
        high: The most; None if there is no upper limit. Equal to `low` where it is one number.
        unit: `second` to `year` and `workday`, a currency (ISO 4217), `percent` or `times`.
    """

    low: float | None
    high: float | None
    unit: str


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
class Sentence:
    """A passage of an entry as one query sees it.

    Attributes:
        passage: The passage.
        score: How well it answers the query, higher is better.
        vector: `(dim,) float32`, unit; how near its meaning is to that of another passage.
    """

    passage: Passage
    score: float
    vector: Vector = field(repr=False, compare=False)


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
class Fact:
    """One value of a rule card, in the source's own words.

    Attributes:
        citation: The words and where they stand.
        value: What a deadline or an amount comes to; None for other fields, and for days of the
            calendar.
        party: Who bears the cost or the duty, as `patterns.toml` calls parties; else empty.
    """

    citation: Citation
    value: Quantity | None = None
    party: str = ""


RuleCard = Mapping[Field, tuple[Fact, ...]]
"""Every field with what the source says of it, in the source's order; empty where it is silent."""


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader of an answer must know before relying on it.

    Attributes:
        kind: `deadline`, `amount`, `polarity` and `bearer` are contradictions: another entry says
            something else of the kind. `asked_polarity`: the source permits what the query takes
            for forbidden, or the other way round. `asked_party`: it tells what affects another
            party than the query asks about. `dated`: the
            words are tied to a date that has passed. `expired`, `not_yet`: another entry, which
            would otherwise answer, does not hold any more, or not yet.
        citations: The words that it is about; of a contradiction the answer's first, the other
            entry's second.
        asked, found: Of `asked_party`, the words of the query and of the source for the party; of
            `asked_polarity`, the words of the one that forbids, the other one being empty.
        day: Of `dated`, `expired` and `not_yet`, the day.
    """

    kind: CautionKind
    citations: tuple[Citation, ...]
    asked: str = ""
    found: str = ""
    day: date | None = None


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
        also: Where other entries say the same in nearly the same words.
        fields: The rule card: what the sentences that bear on the query say, by field.
        cautions: What to know before relying on the answer.
        related: The next entries, best first, without those that only repeat the answer. When not
            covered, the nearest entries.
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
    also: tuple[Citation, ...] = ()
    fields: RuleCard = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()


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
