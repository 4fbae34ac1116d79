"""What the pictures of a report show, as numbers: curves over outcomes, the ablation's table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_qa.errors import EvaluationError
from policy_qa.evaluation.abstention import BINS, bin_numbers
from policy_qa.evaluation.files import read_text
from policy_qa.evaluation.measures import DEPTH, Outcome
from policy_qa.evaluation.results import RunResult

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ablation:
    """Variants of the ranking, measured on some sets.

    Attributes:
        measure: What is shown.
        sets: The columns.
        variants: The rows; the first is the one in use.
        values: `(variants, sets) float64`.
    """

    measure: str
    sets: tuple[str, ...]
    variants: tuple[str, ...]
    values: Floats


def hits_at(covered: Sequence[Outcome]) -> Floats:
    """Return `(DEPTH,) float64`: hit@1 to hit@10."""
    ranks = np.array([outcome.rank or DEPTH + 1 for outcome in covered])
    return np.array([np.mean(ranks <= cut) for cut in range(1, DEPTH + 1)], np.float64)


def risks(run: RunResult) -> tuple[Floats, Floats]:
    """Return the share of questions answered, and the share of the answers that are wrong.

    The most confident are answered first, one level of confidence after the other.
    """
    confidence, right = _judged(run)
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    # The last of each level: whoever answers one of them answers all.
    ends = np.flatnonzero(np.diff(confidence[order], append=-1.0))
    answered = ends + 1
    return answered / len(order), wrong[ends] / answered


def in_use(run: RunResult) -> tuple[float, float] | None:
    """Return the point of `risks` at the threshold in use; None if nothing is answered."""
    asked = [*run.covered, *run.uncovered]
    answered = [outcome for outcome in asked if outcome.status == "answered"]
    if not answered:
        return None
    wrong = sum(outcome.rank != 1 for outcome in answered)
    return len(answered) / len(asked), wrong / len(answered)


def reliability(run: RunResult) -> tuple[Floats, Floats]:
    """Return the mean confidence and the share of right answers of each bin of equal mass."""
    confidence, right = _judged(run)
    levels, of_level = np.unique(confidence, return_inverse=True)
    mass = np.bincount(of_level, minlength=len(levels)).astype(np.float64)
    bins = bin_numbers(mass[None], BINS)[0][of_level]
    held = [bins == number for number in np.unique(bins)]
    sure = [float(confidence[inside].mean()) for inside in held]
    return np.array(sure), np.array([float(right[inside].mean()) for inside in held])


def _judged(run: RunResult) -> tuple[Floats, npt.NDArray[np.bool_]]:
    asked = [*run.covered, *run.uncovered]
    confidence = np.array([outcome.confidence for outcome in asked], np.float64)
    return confidence, np.array([outcome.rank == 1 for outcome in asked])


def read_ablation(path: Path) -> Ablation:
    """Read the first table of a Markdown file, whose cells are numbers but for the first of each.

    Raises:
        EvaluationError: There is none, or a cell of it is no number.
    """
    rows = [
        (number, [cell.strip() for cell in line.strip().strip("|").split("|")])
        for number, line in enumerate(read_text(path).split("\n"), start=1)
        if line.startswith("|")
    ]
    if len(rows) < 3:
        raise EvaluationError(f"{path}:1: no table; `python eval/ablation.py` writes it")
    head, width = rows[0][1], len(rows[0][1])
    names, values = [], []
    for number, (name, *cells) in rows[2:]:
        try:
            values.append([float(cell) for cell in cells])
        except ValueError:
            break  # the head of a further table
        if len(cells) != width - 1:
            raise EvaluationError(f"{path}:{number}: a row of another length; write the file again")
        names.append(name)
    if not names:
        raise EvaluationError(f"{path}:{rows[2][0]}: no number; `python eval/ablation.py` helps")
    return Ablation(head[0], tuple(head[1:]), tuple(names), np.array(values))
