"""Hits to an answer, every word of it the source's own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import combinations
from typing import Final

from policy_qa.agreement import claims, clashes, contradicts
from policy_qa.conclusions import bearing, conclude
from policy_qa.confidence import Calibration
from policy_qa.disagreements import (
    Disagreement,
    about_the_same,
    disagreement,
    likeness,
    said_by_one,
    same_case,
    same_figures,
    same_question,
    same_wording,
)
from policy_qa.facts import party_named, read_sentence
from policy_qa.patterns import patterns
from policy_qa.places import Source
from policy_qa.settings import MEANT_WITHIN, SAME_QUESTION_SENTENCES_FROM, THE_SAME_FROM
from policy_qa.types import (
    FIELDS,
    Answer,
    Caution,
    Citation,
    Document,
    Fact,
    Field,
    Hit,
    Passage,
    RuleCard,
    Sentence,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A hit with what its entry says.

    Attributes:
        hit: One of the best entries.
        sentences: The entry's passages, in the source's order.
    """

    hit: Hit
    sentences: Sequence[Sentence]

    @property
    def question(self) -> Sentence | None:
        """The entry's question; None if it has none, or it is not among the nearest."""
        return next((one for one in self.sentences if one.passage.is_question), None)


_TURN: Final = re.compile(r"但|而(?!且)|却|不过|\b(?:but|however|while|whereas|yet|though)\b")
_OF_ONES_OWN: Final = re.compile(
    r"(?:的)?(?:信[誉用]|评[分价]|权[益重]|等级|体验|账[户号]|利益|积分|[^,;:。]{0,4}率)|s'"
)

Read = Callable[[str], Source]
"""Returns the document of an id."""


def compose(
    query: str,
    evidence: Sequence[Evidence],
    document_of: Callable[[str], Document],
    *,
    generation: int,
    calibration: Calibration,
    today: date,
    lapsed: Sequence[Hit] = (),
) -> Answer:
    """Return the answer to a query.

    Args:
        query: In characters, as it was asked.
        evidence: The best entries, best first.
        document_of: Returns the document of an id, to quote from.
        generation: The generation that the hits came from.
        calibration: Of the knowledge base.
        today: The day by which dates have passed.
        lapsed: Entries that do not hold on that day, and would otherwise be before the best one.
    """

    @cache
    def read(document_id: str) -> Source:
        return Source(document_of(document_id))

    told_of = tuple(_lapse(hit, read(hit.entry.document_id), today) for hit in lapsed)
    if not evidence:
        return Answer(query, "not_covered", 0.0, None, "", (), (), (), generation, cautions=told_of)
    hits = tuple(found.hit for found in evidence)
    best = evidence[0]
    told = _without_repeats(best.sentences)
    probability = calibration.confidence(best.hit.components)
    verdict = calibration.status(probability)
    conclusion = [] if verdict == "not_covered" else conclude(query, told)
    if not conclusion:  # nothing alike, or greetings alone
        return Answer(
            query,
            "not_covered",
            probability,
            None,
            "",
            (),
            hits,
            hits,
            generation,
            cautions=told_of,
        )
    source = read(best.hit.entry.document_id)
    relevant = bearing(told, conclusion)
    quoted = [sentence.passage for sentence in conclusion]
    read_too = [sentence.passage for sentence in relevant]
    also, repeating = _repeated(conclusion, evidence[1:], read)
    cautions = [
        *told_of,
        *_of_its_time(source, read_too, today),
        *_not_as_asked(query, best.hit, quoted, source),
        *_contradicted(evidence, relevant, read),
    ]
    return Answer(
        query=query,
        status=verdict,
        confidence=probability,
        entry=best.hit.entry,
        question=best.hit.question,
        conclusion=tuple(source.cite_passage(passage) for passage in quoted),
        related=tuple(hit for hit in hits[1:] if hit.entry.id not in repeating),
        hits=hits,
        generation=generation,
        also=also,
        fields=_rule_card(source, read_too),
        cautions=tuple(cautions),
    )


def rule_card(document: Document, passages: Sequence[Passage]) -> RuleCard:
    """Return what some passages of a document say, by field; what they repeat stands once."""
    return _rule_card(Source(document), passages)


def _rule_card(source: Source, passages: Sequence[Passage]) -> RuleCard:
    found: dict[Field, dict[str, Fact]] = {field: {} for field in FIELDS}
    for passage in passages:
        for fact in read_sentence(passage.text).facts:
            citation = source.cite_passage(passage, fact.span)
            found[fact.field].setdefault(citation.quote, Fact(citation, fact.value, fact.party))
    return {field: tuple(facts.values()) for field, facts in found.items()}


def _repeated(
    conclusion: Sequence[Sentence], others: Sequence[Evidence], read: Read
) -> tuple[tuple[Citation, ...], set[str]]:
    """Return where other entries say the same, and the entries that say all of it."""
    also: list[Citation] = []
    repeating: set[str] = set()
    for other in others:
        answer = _answer_of(other)
        twins = [twin for quoted in conclusion if (twin := _twin(quoted, answer))]
        if len(twins) < len(conclusion) and _opposed(conclusion, answer):
            continue
        if twins:
            source = read(other.hit.entry.document_id)
            also += [source.cite_passage(twin) for twin in twins]
        if conclusion and len(twins) == len(conclusion):
            repeating.add(other.hit.entry.id)
    return tuple(also), repeating


def _opposed(conclusion: Sequence[Sentence], answer: Sequence[Sentence]) -> bool:
    """Whether an entry that repeats a part of a conclusion says the opposite of another part."""
    ours, theirs = said_by_one(conclusion, answer)
    pairs = about_the_same(ours, theirs, same_question=True)
    return any(disagreement(mine.passage.text, yours.passage.text) for mine, yours in pairs)


def _without_repeats(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the passages of an entry without those whose text an earlier one has."""
    first: dict[tuple[bool, str], Sentence] = {}
    for sentence in sentences:
        first.setdefault((sentence.passage.is_question, sentence.passage.text.strip()), sentence)
    return list(first.values())


def _twin(quoted: Sentence, sentences: Sequence[Sentence]) -> Passage | None:
    """Return the passage that says what another says in nearly the same words, if there is one."""
    text = quoted.passage.text
    for sentence in sentences:
        other = sentence.passage.text
        if float(quoted.vector @ sentence.vector) < SAME_QUESTION_SENTENCES_FROM:
            continue  # reading words takes far longer than comparing vectors
        as_long = min(len(text), len(other)) >= THE_SAME_FROM * max(len(text), len(other))
        same_words = as_long and likeness(text, other) >= THE_SAME_FROM
        if same_words and same_figures(text, other) and disagreement(text, other) is None:
            return sentence.passage
    return None


def _lapse(hit: Hit, source: Source, day: date) -> Caution:
    """Return the caution for an entry that does not hold on a day."""
    entry = hit.entry
    quote = (source.cite(entry.id, entry.question or entry.span),)
    if entry.expires and entry.expires < day:
        return Caution("expired", quote, day=entry.expires)
    return Caution("not_yet", quote, day=entry.effective_from)


def _of_its_time(source: Source, relevant: Sequence[Passage], today: date) -> Iterator[Caution]:
    """Yield what of the words that bear on the query is tied to a date that passed."""
    for passage in relevant:
        past = [dated for dated in read_sentence(passage.text).dates if dated.last < today]
        if past:
            latest = max(past, key=lambda dated: dated.last)
            yield Caution("dated", (source.cite_passage(passage, latest.span),), day=latest.last)


def _not_as_asked(
    query: str, hit: Hit, conclusion: Sequence[Passage], source: Source
) -> Iterator[Caution]:
    """Yield where the query and the source differ in the party affected, or in what is allowed.

    The conclusion says whom it affects, and where it names nobody, the entry's question. Nothing
    is told if it speaks of what the party asked about has to bear in other words.
    """
    asked = claims(query)
    stated = [source.cite_passage(passage) for passage in conclusion]
    concluded = claims("\n".join(citation.quote for citation in stated))
    speaks = concluded
    spoken_of = _spoken_of(concluded.text)
    if "affected" not in concluded.roles and hit.question:
        speaks = claims(hit.question)
        stated.append(source.cite(hit.entry.id, hit.entry.question))
    for clash in clashes(asked, speaks):
        if clash.kind == "affected" and asked.roles["affected"].keys().isdisjoint(spoken_of):
            holding = [citation for citation in stated if clash.theirs in citation.quote]
            yield Caution("asked_party", tuple(holding[:1]), clash.ours, clash.theirs)
    if found := contradicts(asked, concluded):
        ours, theirs = found
        holding = [citation for citation in stated if theirs in citation.quote]
        yield Caution("asked_polarity", tuple(holding[:1] or stated[:1]), ours, theirs)


def _spoken_of(folded: str) -> frozenset[str]:
    """Return the parties that a folded text tells of something: the buyer's score, 但买家会.

    These are those with something of their own, and those behind a turn; not those that only do
    something or are its cause.
    """
    turn = _TURN.search(folded)
    found = (
        match
        for match in patterns().party.finditer(folded)
        if match[0].endswith("'s")
        or _OF_ONES_OWN.match(folded, match.end())
        or (turn and match.start() >= turn.end())
    )
    return frozenset(party_named(match[0]) for match in found)


def _contradicted(
    evidence: Sequence[Evidence], relevant: Sequence[Sentence], read: Read
) -> Iterator[Caution]:
    """Yield where two entries say different things about the same; each entry once.

    One of them is the best entry, or both are nearly as good and answer the same question.
    """
    best = evidence[0].hit
    told: set[str] = set()
    for one, other in combinations(evidence, 2):
        if not told.isdisjoint({one.hit.entry.id, other.hit.entry.id} - {best.entry.id}):
            continue
        if one.hit is not best and best.score - other.hit.score > MEANT_WITHIN:
            continue
        bearing_too = relevant if one.hit is best else ()
        if found := _clash(one, other, bearing_too):
            mine, yours, differing = found
            here = read(one.hit.entry.document_id)
            there = read(other.hit.entry.document_id)
            quotes = (
                here.cite_passage(mine.passage, differing.ours),
                there.cite_passage(yours.passage, differing.theirs),
            )
            told.add(other.hit.entry.id)
            yield Caution(differing.kind, quotes)


def _clash(
    one: Evidence, other: Evidence, relevant: Sequence[Sentence]
) -> tuple[Sentence, Sentence, Disagreement] | None:
    """Return the first sentences of two entries that say different things about the same.

    Of entries that answer the same question every sentence counts, else of the first one only the
    relevant ones. What one document says to the same question below other headings contradicts
    nothing.
    """
    asked = same_wording(one.hit.question, other.hit.question)
    if asked and not same_case(one.hit.entry, other.hit.entry):
        if _in_one_document(one, other):
            return None
        asked = False
    same = asks_the_same(one, other)
    ours, theirs = said_by_one(_answer_of(one), _answer_of(other))
    if not same and not asked:
        ours = [sentence for sentence in ours if sentence in relevant]
    for mine, yours in about_the_same(ours, theirs, same_question=same, same_wording=asked):
        if found := disagreement(mine.passage.text, yours.passage.text):
            return mine, yours, found
    return None


def _in_one_document(one: Evidence, other: Evidence) -> bool:
    return one.hit.entry.document_id == other.hit.entry.document_id


def asks_the_same(one: Evidence, other: Evidence) -> bool:
    """Whether two entries answer the same question; False where one has none."""
    if one.question is None or other.question is None:
        return False
    return same_question(one.question, other.question)


def _answer_of(evidence: Evidence) -> list[Sentence]:
    return [sentence for sentence in evidence.sentences if not sentence.passage.is_question]
