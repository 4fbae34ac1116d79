"""Query to hits: both rankings, fused by score, rolled up to entries.

Both indexes of passages name their best, and every passage that either names gets every score. The
fused score is a convex combination of normalised scores (Bruch, Gai and Ingber, "An Analysis of
Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023) with weights by the query's language.
An entry is as good as its best passage.

Component scores of a hit, of its best passage unless said otherwise:
    dense     inner product of the query's unit vector and the passage's (see `build`), 0 to 1
    lexical   BM25, 1 for an average passage with every token of the query (see `lexical`), 0 to 1
    entry     the same of the whole entry
    translated, entry_translated  share of the query's words that the passage, or its whole entry,
              holds in other words (see `translation`), 0 to 1
    agreement  -1 if the entry's question asks what affects another party than the query does, 1 if
              the same one, else 0 (see `agreement`)
Further components judge the best hit (see `confidence`) and do not rank:
    likeness  cosine of the wholly centred vectors (see `centring`), -1 to 1
    lift      likeness above the knowledge base's background for the query's language
    share     the entry's share of the best entries' fused scores, softmax, 0 to 1
    across    1 if query and passage are in different languages, else 0
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from policy_qa.agreement import Claims, agreement, asks_what_not, claims, stored_claims, twins
from policy_qa.centring import LANGUAGES, Centres, language, likeness
from policy_qa.dictionary import Dictionary
from policy_qa.folding import fold
from policy_qa.index_protocols import Indexes, Rows
from policy_qa.lexicon import Lexicon
from policy_qa.pinyin import read_as_chinese
from policy_qa.settings import (
    AGREEMENT_WEIGHT,
    CANDIDATES,
    LEXICAL_WEIGHTS,
    SENTENCE_LEXICAL_WEIGHT,
    SENTENCE_TRANSLATION_WEIGHT,
    SENTENCES_READ,
    SHARE_STEP,
    SHARED_AMONG,
    TRANSLATION_WEIGHTS,
    TWINS_WITHIN,
)
from policy_qa.store import Store
from policy_qa.tokens import telling, tokens
from policy_qa.translation import QUERY, Term, Translation, translate
from policy_qa.types import Encoder, Entry, Filters, Hit, Match, Ranking, Sentence

Scores = npt.NDArray[np.float32]

_NO_ROWS: Rows = np.zeros(0, np.int64)

_FILTERS_KEPT = 32
"""Filters whose rows are remembered: a page's few choices; of a million passages 8 MB each."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The passages that either index named for one query.

    Attributes:
        rows: `(n,) int64`, ascending.
        entries: `(n,) int64`, the numbers of their entries.
        dense: `(n,) float32`, 0 to 1.
        lexical: `(n,) float32`, 0 to 1; 0 where no token matches.
        entry_lexical: `(n,) float32`, 0 to 1; of the whole entry.
        translated: `(n,) float32`, 0 to 1; 0 where the query has no translation.
        entry_translated: `(n,) float32`, 0 to 1; of the whole entry.
    """

    rows: Rows
    entries: Rows
    dense: Scores
    lexical: Scores
    entry_lexical: Scores
    translated: Scores
    entry_translated: Scores

    def at(self, position: int) -> dict[str, float]:
        """Return the scores of one row, by the names of a hit's components."""
        return {
            "dense": float(self.dense[position]),
            "lexical": float(self.lexical[position]),
            "entry": float(self.entry_lexical[position]),
            "translated": float(self.translated[position]),
            "entry_translated": float(self.entry_translated[position]),
        }

    def weights(self, language: str) -> dict[str, float]:
        """Return the weights of a query in that language, by the names of a hit's components.

        Translations have none where no candidate holds one.
        """
        passage, entry = LEXICAL_WEIGHTS[language]
        weights = {"dense": 1.0, "lexical": passage, "entry": entry}
        if self.entry_translated.any():
            weights["translated"], weights["entry_translated"] = TRANSLATION_WEIGHTS
        return weights

    def fused(self, language: str) -> Scores:
        """Return `(n,) float32` fused scores, 0 to 1, for a query in that language."""
        parts = {
            "dense": self.dense,
            "lexical": self.lexical,
            "entry": self.entry_lexical,
            "translated": self.translated,
            "entry_translated": self.entry_translated,
        }
        weights = self.weights(language)
        total = sum(weights.values())
        fused = sum(weight * parts[name] for name, weight in weights.items()) / total
        return np.asarray(fused, np.float32)


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """A query as the indexes see it.

    Attributes:
        text: Folded; what was typed in pinyin, in characters.
        from_pinyin: Whether pinyin was read so.
        language: One of `centring.LANGUAGES`.
        tokens: Of the text.
        translation: What else its words may be called.
        vector: `(dim,) float32`, unit; to rank with.
        centred: `(dim,) float32`, unit; wholly centred, to judge with.
    """

    text: str
    from_pinyin: bool
    language: str
    tokens: tuple[str, ...]
    translation: Translation
    vector: Scores
    centred: Scores


@dataclass(frozen=True, slots=True)
class Words:
    """What queries are translated with.

    Attributes:
        dictionary: Between the two languages.
        lexicon: Of the corpus and of the trade.
        languages: Of the passages.
    """

    dictionary: Dictionary
    lexicon: Lexicon
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Contender:
    """An entry of a ranking, with its best passage's position among the candidates."""

    entry: Entry
    question: str
    position: int
    score: float
    agreement: float = 0.0


class Retriever:
    """The indexes over one store. Safe to use from several threads."""

    def __init__(
        self,
        encoder: Encoder,
        centres: Centres,
        words: Words,
        indexes: Indexes,
        store: Store,
    ) -> None:
        """Join the parts of one generation.

        Args:
            encoder: Of queries.
            centres: Of the queries' languages.
            words: What queries are translated with.
            indexes: Whose rows the store knows.
            store: Where the passages' rows lead.
        """
        self._words = words
        self._encoder = encoder
        self._centres = centres
        self._dense = indexes.dense
        self._lexical = indexes.lexical
        self._entry_lexical = indexes.entry_lexical
        self._store = store
        self._days: dict[date, Rows] = {}
        self._allowed: dict[tuple[tuple[str, ...], tuple[str, ...]], Rows] = {}

    def encode(self, queries: Sequence[str]) -> list[EncodedQuery]:
        """Fold queries, read pinyin, look their words up, tokenise and encode them."""
        folded = [fold(query) for query in queries]
        read = [self._read_pinyin(text) for text in folded]
        texts = [chinese or text for chinese, text in zip(read, folded, strict=True)]
        vectors = self._encoder.encode_queries(texts)
        return [
            EncodedQuery(
                text,
                bool(chinese),
                language(text),
                tuple(tokens(text)),
                self._translate(text),
                *self._centres.query_vectors(text, vector),
            )
            for text, chinese, vector in zip(texts, read, vectors, strict=True)
        ]

    def _read_pinyin(self, folded: str) -> str | None:
        if "zh" not in self._words.languages:
            return None
        return read_as_chinese(folded, self._words.dictionary, self._lexical.holds)

    def _translate(self, folded: str) -> Translation:
        words = self._words
        return translate(folded, words.languages, words.dictionary, words.lexicon)

    def search(
        self,
        query: EncodedQuery,
        top_k: int,
        filters: Filters | None = None,
        day: date | None = None,
    ) -> list[Hit]:
        """Return the best `top_k` entries, best first; ties in the order of the source.

        Args:
            query: What to look for.
            top_k: At most so many entries.
            filters: Which documents to look at.
            day: Only entries that hold on that day; None for whatever day.
        """
        found = self._candidates(query, filters, day)
        contenders = self._contenders(query, found, top_k)
        shares = _softmax(np.array([one.score for one in contenders]), among=SHARED_AMONG)
        best = contenders[:top_k]
        rows = found.rows[[one.position for one in best]]
        passages = self._store.passages_at(rows.tolist())
        background = float(self._centres.background[LANGUAGES.index(query.language)])
        hits = []
        for rank, (one, row, vector, share) in enumerate(
            zip(best, rows.tolist(), self._dense.vectors(rows), shares, strict=False), start=1
        ):
            passage, alike = passages[row], likeness(vector, query.centred)
            components = {
                **found.at(one.position),
                "agreement": one.agreement,
                "likeness": alike,
                "lift": alike - background,
                "share": share,
                "across": float(language(fold(passage.text)) != query.language),
            }
            hits.append(Hit(rank, one.entry, one.question, passage, one.score, components))
        return hits

    def _contenders(self, query: EncodedQuery, found: Candidates, count: int) -> list[_Contender]:
        """Return the best entries, best first: by fused score, the first of them also by agreement.

        The same few whatever the count, so that a longer ranking begins with a shorter one.
        """
        scores = found.fused(query.language)
        best_passage: dict[int, int] = {}
        for position in np.lexsort((found.rows, -scores)):
            best_passage.setdefault(int(found.entries[position]), int(position))
            if len(best_passage) == max(count, SHARED_AMONG):
                break
        entries = self._store.entries_numbered(best_passage)
        found_entries = [
            _Contender(*entries[number], position, float(scores[position]))
            for number, position in best_passage.items()
        ]
        asked = claims(query.text)
        first = [_agreeing(asked, one) for one in found_entries[:SHARED_AMONG]]
        first.sort(key=lambda one: (-one.score, int(found.rows[one.position])))
        least = first[-1].score if first else 0.0
        rest = found_entries[SHARED_AMONG:]
        return [
            *_sided(asked, first),
            *(replace(one, score=min(one.score, least)) for one in rest),
        ]

    def weights(
        self, query: EncodedQuery, filters: Filters | None = None, day: date | None = None
    ) -> dict[str, float]:
        """Return the share that each component has in the fused scores of a query; the sum is 1."""
        weights = self._candidates(query, filters, day).weights(query.language)
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()}

    def token_weights(self, query: EncodedQuery) -> dict[str, float]:
        """Return how much each token of a query tells: the fewer passages hold it, the more."""
        return {token: self._lexical.inverse_document_frequency(token) for token in query.tokens}

    def matches(self, query: EncodedQuery, entry_id: str) -> list[Match]:
        """Return the words of a query that an entry holds in other words, in the query's order.

        Of several terms for one word the surest is named.
        """
        held: set[str] = set()
        for _, passage in self._store.passages(entry_id):
            held.update(tokens(fold(passage.text)))
        found = []
        for word, terms in _held(query.translation, held).items():
            best = max(terms, key=lambda term: (term.weight, term.source == QUERY, len(term.text)))
            if best.source != QUERY:
                found.append(Match(word, best.text, best.source))
        return found

    def sentences(
        self, query: EncodedQuery, entry_id: str, *, by_words: bool = True
    ) -> list[Sentence]:
        """Return the passages of one entry with how well they answer, in the source's order.

        All of them share the entry's question as context, which the lexical index counts for each;
        here only the words of the sentence itself count. Of a long entry only the nearest
        `SENTENCES_READ` take part.

        Args:
            query: What they should answer.
            entry_id: The entry.
            by_words: False scores them by their meaning alone, which is quick.
        """
        passages = self._store.passages(entry_id)
        vectors = self._dense.vectors(np.array([row for row, _ in passages], np.int64))
        dense = np.clip(vectors @ query.vector, 0, 1)
        nearest = np.sort(np.argsort(-dense, kind="stable")[:SENTENCES_READ])
        read = [passages[position][1] for position in nearest]
        scores = dense[nearest].tolist()
        if by_words:
            scores = self._sentence_scores(query, [passage.text for passage in read], scores)
        units = vectors[nearest] / np.maximum(
            np.linalg.norm(vectors[nearest], axis=1, keepdims=True), np.finfo(np.float32).tiny
        )
        return [Sentence(*found) for found in zip(read, scores, units, strict=True)]

    def _sentence_scores(
        self, query: EncodedQuery, sentences: Sequence[str], dense: Sequence[float]
    ) -> list[float]:
        own = self.token_weights(query)
        token_sets = [_token_set(sentence) for sentence in sentences]
        terms = _held(query.translation, set().union(*token_sets))
        others = {
            word: self._lexical.word_weight(found)
            for word, found in query.translation.terms.items()
        }
        scores = []
        for held, similar in zip(token_sets, dense, strict=True):
            in_own_words = sum(own[token] for token in own.keys() & held)
            in_other_words = sum(others[word] * _sureness(terms[word], held) for word in terms)
            lexical = in_own_words / (sum(own.values()) or 1)
            translated = in_other_words / (sum(others.values()) or 1)
            score = similar + SENTENCE_LEXICAL_WEIGHT * lexical
            score += SENTENCE_TRANSLATION_WEIGHT * translated
            scores.append(score / (1 + SENTENCE_LEXICAL_WEIGHT + SENTENCE_TRANSLATION_WEIGHT))
        return scores

    def all_hold(self, day: date) -> bool:
        """Whether every entry holds on a day."""
        return not len(self._not_in_force(day))

    def _not_in_force(self, day: date) -> Rows:
        """Return the rows of the entries that do not hold on a day."""
        known = self._days.get(day)
        if known is None:
            self._days.clear()  # mostly today's are asked for
            known = self._days[day] = np.array(self._store.not_in_force(day), np.int64)
        return known

    def _rows(self, filters: Filters) -> Rows:
        """Return the rows of the entries that pass the filters."""
        key = (*filters.documents,), (*filters.tags,)
        known = self._allowed.get(key)
        if known is None:
            if len(self._allowed) >= _FILTERS_KEPT:
                self._allowed.clear()
            known = self._allowed[key] = self._store.rows(filters)
        return known

    def _candidates(
        self, query: EncodedQuery, filters: Filters | None, day: date | None
    ) -> Candidates:
        allowed = self._dense.allowed(filters, self._rows) if filters else None
        without = self._not_in_force(day) if day else _NO_ROWS
        (nearest,) = self._dense.search(query.vector[None], CANDIDATES, allowed, without)
        matching = self._lexical.search(query.tokens, CANDIDATES, filters, without)
        translated = self._lexical.search_translation(
            query.translation, CANDIDATES, filters, without
        )
        rows = np.unique(np.concatenate([nearest.rows, matching.rows, translated.rows]))
        return self._components(query, rows, nearest, matching, translated)

    def _components(
        self,
        query: EncodedQuery,
        rows: Rows,
        nearest: Ranking,
        matching: Ranking,
        translated: Ranking,
    ) -> Candidates:
        """Give every row every score, asking each index only for those that it did not name."""
        dense = _spread(rows, nearest)
        unnamed = _others(rows, nearest)
        dense[unnamed] = self._dense.vectors(rows[unnamed]) @ query.vector
        rest = self._lexical.scores(query.tokens, rows[_others(rows, matching)])
        lexical = _spread(rows, matching) + _spread(rows, rest)
        other_words = _spread(rows, translated)
        if query.translation:
            others = rows[_others(rows, translated)]
            other_words += _spread(
                rows, self._lexical.translation_scores(query.translation, others)
            )
        number_of = self._store.entry_numbers(rows)
        entries = np.array([number_of[row] for row in rows.tolist()], np.int64)
        numbers, of_row = np.unique(entries, return_inverse=True)
        whole = _spread(numbers, self._entry_lexical.scores(query.tokens, numbers))[of_row]
        of_entries = self._entry_lexical.translation_scores(query.translation, numbers)
        return Candidates(
            rows,
            entries,
            np.clip(dense, 0, 1),
            np.minimum(lexical, 1),
            np.minimum(whole, 1),
            np.minimum(other_words, 1),
            np.minimum(_spread(numbers, of_entries)[of_row], 1),
        )


def _agreeing(asked: Claims, contender: _Contender) -> _Contender:
    """Return a contender with a score that counts whether it affects the party asked about."""
    agrees = agreement(asked, stored_claims(contender.question))
    return replace(contender, score=with_agreement(contender.score, agrees), agreement=agrees)


def with_agreement(score: float, agrees: float) -> float:
    """Return a fused score, 0 to 1, that counts what `agreement` returned."""
    return min(max(score + AGREEMENT_WEIGHT * agrees, 0.0), 1.0)


def _sided(asked: Claims, contenders: list[_Contender]) -> list[_Contender]:
    """Return contenders in an order in which, of twins, the one on the query's side comes first.

    Twins ask of what may and what may not, or of what is and is not done: they score nearly alike,
    and whether the query denies decides. They change places, and with them their scores.
    """
    denied = asks_what_not(asked)
    told = [stored_claims(contender.question) for contender in contenders]
    for upper, lower in combinations(range(len(contenders)), 2):
        first, second = contenders[upper], contenders[lower]
        if first.score - second.score > TWINS_WITHIN or not twins(told[upper], told[lower]):
            continue
        if told[lower].denies == denied:
            contenders[upper] = replace(second, score=first.score)
            contenders[lower] = replace(first, score=second.score)
            told[upper], told[lower] = told[lower], told[upper]
    return contenders


@lru_cache(2_048)
def _token_set(sentence: str) -> frozenset[str]:
    return frozenset(tokens(fold(sentence)))


def _held(translation: Translation, tokens_held: AbstractSet[str]) -> dict[str, list[Term]]:
    """Return the words of a query of which some terms are held, with these terms."""
    held = {
        word: [term for term in terms if telling(term.text) <= tokens_held]
        for word, terms in translation.terms.items()
    }
    return {word: terms for word, terms in held.items() if terms}


def _sureness(terms: Sequence[Term], held: AbstractSet[str]) -> float:
    """Return the weight of the surest term whose tokens are all held; 0 if there is none."""
    sure = (term.weight for term in terms if telling(term.text) <= held)
    return max(sure, default=0.0)


def _softmax(scores: npt.NDArray[np.floating], among: int) -> list[float]:
    """Return each score's share, by e to the score over a step, of the first ones' sum."""
    powers = np.exp((scores - scores[:1]) / SHARE_STEP)
    return [float(power) for power in powers / powers[:among].sum()]


def _others(rows: Rows, ranking: Ranking) -> npt.NDArray[np.bool_]:
    """Return which of ascending rows a ranking of some of them lacks."""
    lacking = np.ones(len(rows), np.bool_)
    lacking[np.searchsorted(rows, ranking.rows)] = False
    return lacking


def _spread(rows: Rows, ranking: Ranking) -> Scores:
    """Return the ranking's scores in the order of ascending rows; 0 for rows that it lacks."""
    scores = np.zeros(len(rows), np.float32)
    scores[np.searchsorted(rows, ranking.rows)] = ranking.scores
    return scores
