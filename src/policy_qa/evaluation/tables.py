"""The plain text report that an evaluation prints."""

from collections.abc import Iterable, Mapping

from policy_qa.evaluation.figures import Figures, figures
from policy_qa.evaluation.intervals import Estimate
from policy_qa.evaluation.measures import MEASURES, outcomes
from policy_qa.evaluation.results import Result
from policy_qa.evaluation.runs import Asked, Run
from policy_qa.evaluation.sets import EvaluationSet

_WIDTH = 10


def report(evaluation_set: EvaluationSet, runs: Mapping[str, Run]) -> str:
    """Lay out the measures of several runs as a plain text table.

    Args:
        evaluation_set: The queries and their qrels.
        runs: Label → run, such as `QUESTIONS_INDEXED` and `QUESTIONS_LEFT_OUT`.

    Returns:
        Lines: the set's name and size, a heading, and a row for each run in the order given.
    """
    measured = {
        name: figures(outcomes(evaluation_set, Asked(run)), ()) for name, run in runs.items()
    }
    return _table(evaluation_set.name, measured)


def result_text(result: Result) -> str:
    """Lay out a result as `report` does, with what confidence is worth below it.

    The second part is there if the set has questions that nothing answers.
    """
    return _table(result.name, {run.name: run.figures for run in result.runs})


def _table(name: str, measured: Mapping[str, Figures]) -> str:
    first = next(iter(measured.values()))
    size = count(first.covered, "query", "queries")
    if first.uncovered:
        size += f", {first.uncovered} that nothing answers"
    width = max(map(len, ("run", *measured)))
    found = [f"{name}: {size}", *_rows(width, MEASURES, _measures(measured))]
    told = {label: figure.abstention for label, figure in measured.items() if figure.uncovered}
    if any(told.values()):
        found += ["", *_rows(width, tuple(next(iter(told.values()))), told)]
    return "\n".join(found)


def _measures(measured: Mapping[str, Figures]) -> dict[str, Mapping[str, Estimate]]:
    return {label: figure.measures for label, figure in measured.items()}


def _rows(
    width: int, names: Iterable[str], of_runs: Mapping[str, Mapping[str, Estimate]]
) -> Iterable[str]:
    widths = {name: max(_WIDTH, len(name)) for name in names}
    yield f"{'run':<{width}}" + "".join(f"  {name:>{w}}" for name, w in widths.items())
    for label, estimates in of_runs.items():
        cells = (f"  {short(estimates[name]):>{w}}" for name, w in widths.items())
        yield f"{label:<{width}}" + "".join(cells)


def short(estimate: Estimate) -> str:
    """Return a figure with half its interval's width: `0.820±.041`."""
    return f"{estimate.value:.3f}±{estimate.margin:.3f}".replace("±0.", "±.")


def count(number: int, one: str, several: str) -> str:
    """Return a number of things: `1 query`, `7 queries`."""
    return f"{number} {one if number == 1 else several}"
