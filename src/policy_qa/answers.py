"""Hits to an answer, every word of it the source's own."""

from collections.abc import Sequence

from policy_qa.confidence import Calibration
from policy_qa.lines import asks
from policy_qa.settings import CONCLUSION_SENTENCES
from policy_qa.types import Answer, Citation, Document, Hit, Passage, Span

_NEARLY_AS_GOOD = 0.9
"""A second sentence joins the conclusion if its score is at least this share of the best one's."""


def compose(
    query: str,
    hits: Sequence[Hit],
    passages: Sequence[tuple[Passage, float]],
    document: Document | None,
    *,
    generation: int,
    calibration: Calibration,
) -> Answer:
    """Return the answer to a query.

    Args:
        query: As it was asked.
        hits: The best entries, best first.
        passages: The best entry's passages with their fused scores, in the source's order.
        document: The best entry's document; None if there is no hit.
        generation: The generation that the hits came from.
        calibration: Of the knowledge base.
    """
    if not hits or document is None:
        return Answer(query, "not_covered", 0.0, None, "", (), (), (), generation)
    best = hits[0]
    probability = calibration.confidence(best.components)
    verdict = calibration.status(probability)
    covered = verdict != "not_covered"
    return Answer(
        query=query,
        status=verdict,
        confidence=probability,
        entry=best.entry if covered else None,
        question=best.question if covered else "",
        conclusion=_conclusion(passages, document) if covered else (),
        related=tuple(hits[1:] if covered else hits),
        hits=tuple(hits),
        generation=generation,
    )


def cite(document: Document, entry_id: str, span: Span) -> Citation:
    """Return the citation of a span of a document."""
    quote = document.text[span.start : span.end]
    return Citation(document.id, entry_id, span, line_number(document.text, span.start), quote)


def line_number(text: str, position: int) -> int:
    """Return the line of a position, starts at 1; an editor's three kinds of line ends count."""
    ends = text.count("\n", 0, position) + text.count("\r", 0, position)
    return 1 + ends - text.count("\r\n", 0, position)


def _says_something(text: str) -> bool:
    """Whether a sentence is more than a further question or the lead-in of what follows it."""
    return not asks(text) and not text.endswith((":", "："))


def _conclusion(
    passages: Sequence[tuple[Passage, float]], document: Document
) -> tuple[Citation, ...]:
    """The best sentence and the next if it is nearly as good; the question if there is no other."""
    answer = [pair for pair in passages if not pair[0].is_question]
    answering = [pair for pair in answer if _says_something(pair[0].text)] or answer or passages
    best_first = sorted(answering, key=lambda pair: -pair[1])[:CONCLUSION_SENTENCES]
    least = _NEARLY_AS_GOOD * best_first[0][1]
    chosen = [passage for passage, score in best_first if score >= least]
    in_order = sorted(chosen, key=lambda passage: passage.span.start)
    return tuple(cite(document, passage.entry_id, passage.span) for passage in in_order)
