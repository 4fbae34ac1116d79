"""How probable it is that the best entry answers the query.

A logistic regression on three signals of the best hit:

    lift              the likeness of its passage to the query, above what everyday questions that
                      are about something else reach in this knowledge base: the larger the corpus,
                      the nearer its nearest passage to anything (as impostors normalise scores in
                      speaker verification: Auckenthaler et al., Digital Signal Processing 10, 2000)
    log share         ln of its share of the best entries' scores: several entries that fit equally
                      well fit equally badly
    translated        the share of the query's words that its passage holds in translation, where
                      the passage is in another language, for likeness is lower there

`confidence.json` holds the weights; `eval/fit_confidence.py` fits them on several sets at once. A
knowledge base may correct them for itself (`policy-qa calibrate`, see `calibration`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from policy_qa.settings import WRONG_ANSWER_COST, WRONG_HINT_COST
from policy_qa.types import Status

MOST_TRANSLATED = 0.5
"""Share of the query's words above which more in translation proves no more: a query of one or two
words reaches 1 by chance. Of the examples that confidence is fitted on, 99% are below."""

_FILE = "confidence.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How one knowledge base corrects and uses confidence.

    Attributes:
        slope: Of the corrected log odds by the general ones.
        intercept: The corrected log odds where the general ones are 0.
        wrong_answer_cost: Of a wrong answer, to 1 for what a right one is worth.
        wrong_hint_cost: Of a wrong entry that is marked as unsure.
    """

    slope: float = 1.0
    intercept: float = 0.0
    wrong_answer_cost: float = WRONG_ANSWER_COST
    wrong_hint_cost: float = WRONG_HINT_COST

    def confidence(self, components: Mapping[str, float]) -> float:
        """Return the probability, 0 to 1, that a hit with these components answers."""
        return _logistic(self.intercept + self.slope * log_odds(components))

    @property
    def answered_from(self) -> float:
        """The confidence from which an answer is worth giving as such."""
        return _worth_from(self.wrong_answer_cost)

    @property
    def related_from(self) -> float:
        """The confidence from which the nearest entry is worth showing, marked as unsure."""
        return min(_worth_from(self.wrong_hint_cost), self.answered_from)

    def status(self, probability: float) -> Status:
        """Return what a probability is called."""
        if probability >= self.answered_from:
            return "answered"
        return "related" if probability >= self.related_from else "not_covered"


def log_odds(components: Mapping[str, float]) -> float:
    """Return the general log odds that a hit with these components answers."""
    fitted = _fitted()
    signals = signals_of(components)
    return fitted["intercept"] + sum(fitted[name] * value for name, value in signals.items())


def signals_of(components: Mapping[str, float]) -> dict[str, float]:
    """Return the signals of a hit, by name."""
    return {
        "lift": components["lift"],
        "log_share": math.log(max(components["share"], 1e-9)),
        "translated": min(components["translated"], MOST_TRANSLATED) * components["across"],
    }


@cache
def _fitted() -> dict[str, float]:
    read = json.loads((files("policy_qa") / _FILE).read_text(encoding="utf-8"))
    return {"intercept": read["intercept"], **read["weights"]}


def _worth_from(cost: float) -> float:
    """Return the probability from which p · 1 is worth more than (1 - p) · cost."""
    return cost / (1 + cost)


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
