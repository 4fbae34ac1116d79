"""How probable it is that the best entry answers the query: a first estimate.

A logistic regression on two signals of the best entry's best passage: its likeness to the query
(cosine of centred vectors) and the share of the query's weighted tokens in it. Fitted on covidfaq,
hint3_sofmattress and stard: their own queries, right or wrong, and queries of the other sets and
unanswerable ones, which no entry answers. It is not calibrated on the corpus it is used with.
"""

import math
from collections.abc import Mapping

from policy_qa.settings import ANSWERED_FROM, RELATED_FROM
from policy_qa.types import Status

_INTERCEPT = -6.2
_LIKENESS = 12.3
_LEXICAL = 2.6


def confidence(components: Mapping[str, float]) -> float:
    """Return the estimated probability, 0 to 1, from a hit's component scores."""
    logit = _INTERCEPT + _LIKENESS * components["likeness"] + _LEXICAL * components["lexical"]
    return 1 / (1 + math.exp(-logit))


def status(probability: float) -> Status:
    """Return what a probability is called."""
    if probability >= ANSWERED_FROM:
        return "answered"
    return "related" if probability >= RELATED_FROM else "not_covered"
