"""How probable it is that the best entry answers the query: a first estimate.

A logistic regression on signals of the best hit: the likeness of its passage to the query (cosine
of centred vectors), the share of the query's weighted tokens in its entry, and whether query and
passage are in different languages, which lowers every likeness. `eval/fit_confidence.py` fits it
on the development sets and the tuning half of the seed's questions. It is not calibrated on the
corpus it is used with.
"""

import math
from collections.abc import Mapping

from policy_qa.settings import ANSWERED_FROM, RELATED_FROM
from policy_qa.types import Status

_INTERCEPT = -4.2
_WEIGHTS = {"likeness": 8.5, "entry": 1.9, "across": 0.4}


def confidence(components: Mapping[str, float]) -> float:
    """Return the estimated probability, 0 to 1, from a hit's component scores."""
    logit = _INTERCEPT + sum(weight * components[name] for name, weight in _WEIGHTS.items())
    return 1 / (1 + math.exp(-logit))


def status(probability: float) -> Status:
    """Return what a probability is called."""
    if probability >= ANSWERED_FROM:
        return "answered"
    return "related" if probability >= RELATED_FROM else "not_covered"
