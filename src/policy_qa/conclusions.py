"""The sentences of an entry that answer a query: what an agent reads first.

Sentences compete by score (see `Retriever.sentences`). Further questions, lead-ins,
greetings and links do not take part. Among the best ones those gain that hold what the query asks
for, such as a deadline where it asks how long. The best one is the conclusion; a second joins it if
it is as likely to be the answer, or nearly so and both together are read at a glance.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from policy_qa.facts import announces, is_noise, read_sentence
from policy_qa.folding import fold
from policy_qa.lines import asks
from policy_qa.numbering import NUMBERINGS, ordinal
from policy_qa.passages import WIDE
from policy_qa.patterns import patterns
from policy_qa.settings import (
    AS_GOOD,
    BEARING_FROM,
    CONCLUSION_SENTENCES,
    CONCLUSION_WIDTH,
    NEARLY_AS_GOOD,
    RIVALS,
    SHUNNED,
    WANTED,
)
from policy_qa.types import Passage, Sentence

_LEADS_IN: Final = re.compile(r"[:：]$|的[話话][。,，]?$")
"""如果一直不發貨的話。 is a condition whose consequence stands in another sentence."""
_GOES_ON: Final = re.compile(r"或者|或是|(?i:or\b)")
"""Begins a sentence that only adds a case to the one before it."""


def conclude(query: str, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences that answer a query, at most two, in the source's order.

    An entry that says nothing else is answered by its question; one of greetings alone by nothing.

    Args:
        query: In characters.
        sentences: Every passage of an entry, its question included, in the source's order.
    """
    rivals = _best_first(_answering(sentences))[:RIVALS]
    best_first = _best_first(_as_asked(query, rivals))
    chosen: list[Sentence] = []
    for sentence in best_first[:CONCLUSION_SENTENCES]:
        behind = chosen[0].score - sentence.score if chosen else 0.0
        together = sum(_width(other.passage) for other in (*chosen, sentence))
        if behind <= AS_GOOD or (behind <= NEARLY_AS_GOOD and together <= CONCLUSION_WIDTH):
            chosen.append(sentence)
    return _in_order(chosen)


def bearing(sentences: Sequence[Sentence], conclusion: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences that bear on a query.

    These are the conclusion, all that score nearly as well, and the other steps of a numbered list
    of which the conclusion has one.

    Args:
        sentences: Every passage of an entry.
        conclusion: Those of them that answer.
    """
    least = BEARING_FROM * max((sentence.score for sentence in sentences), default=0.0)
    concluding = {sentence.passage.id for sentence in conclusion}
    in_order = _in_order(sentences)
    lists = [{sentence.passage.id for sentence in steps} for steps in _numbered_steps(in_order)]
    steps = frozenset().union(*(ids for ids in lists if ids & concluding))
    return [
        sentence
        for sentence in in_order
        if sentence.passage.id in concluding | steps
        or (sentence.score >= least and not sentence.passage.is_question)
    ]


def _numbered_steps(sentences: Sequence[Sentence]) -> Iterator[list[Sentence]]:
    """Yield the runs of sentences that count on from one to the next, if one of them is a step."""
    run: list[Sentence] = []
    last = 0
    for sentence in sentences:
        number = _number_before(sentence.passage.text)
        if run and number != last + 1:
            yield from _with_a_step(run)
            run = []
        if number:
            run.append(sentence)
            last = number
    yield from _with_a_step(run)


def _with_a_step(run: list[Sentence]) -> Iterator[list[Sentence]]:
    if any("steps" in read_sentence(sentence.passage.text).traits for sentence in run):
        yield run


def _number_before(text: str) -> int:
    """Return the number that a sentence begins with; 0 if it has none."""
    for numbering in NUMBERINGS:
        if match := numbering.match(text):
            label = match["n"] or match.groupdict().get("m") or ""
            return ordinal(label)
    return 0


def _answering(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    told = [sentence for sentence in sentences if not is_noise(sentence.passage.text)]
    answer = [sentence for sentence in told if not sentence.passage.is_question]
    return [one for one in answer if _says_something(one.passage.text)] or answer or told


def _says_something(text: str) -> bool:
    """Whether a sentence is more than a further question, a lead-in, or a mere condition."""
    return not (asks(text) or _LEADS_IN.search(text) or _GOES_ON.match(text) or announces(text))


def _as_asked(query: str, rivals: Sequence[Sentence]) -> list[Sentence]:
    """Return sentences with scores that count whether they hold what the query asks for."""
    asked = fold(query)
    types = [question for question in patterns().questions if question.pattern.search(asked)]
    wanted = frozenset().union(*(question.wants for question in types))
    shunned = frozenset().union(*(question.shuns for question in types))
    if not wanted and not shunned:
        return list(rivals)
    scored = []
    for sentence in rivals:
        traits = read_sentence(sentence.passage.text).traits
        gain = WANTED * bool(traits & wanted)
        loss = SHUNNED * bool(traits & shunned and "steps" not in traits)
        scored.append(replace(sentence, score=sentence.score + gain - loss))
    return scored


def _width(passage: Passage) -> int:
    """Return the columns that a passage takes, two for a Chinese character."""
    return len(passage.text) + len(WIDE.findall(passage.text))


def _best_first(sentences: Iterable[Sentence]) -> list[Sentence]:
    return sorted(sentences, key=lambda sentence: -sentence.score)


def _in_order(sentences: Iterable[Sentence]) -> list[Sentence]:
    return sorted(sentences, key=lambda sentence: sentence.passage.span.start)
