"""The plain text report that an evaluation prints."""

from collections.abc import Iterable, Mapping

from policy_qa.evaluation.intervals import Estimate
from policy_qa.evaluation.measures import MEASURES
from policy_qa.evaluation.results import Result

_WIDTH = len("0.820 [.78 .86]")


def result_text(result: Result) -> str:
    """Lay out a result as plain text: name and size, a heading, a row for each run.

    Below it stands what confidence is worth, if the set has questions that nothing answers.
    """
    measured = {run.name: run.figures for run in result.runs}
    first = next(iter(measured.values()))
    size = count(first.covered, "query", "queries")
    if first.uncovered:
        size += f", {first.uncovered} that nothing answers"
    width = max(map(len, ("run", *measured)))
    measures = {label: figure.measures for label, figure in measured.items()}
    found = [f"{result.name}: {size}", *_rows(width, MEASURES, measures)]
    told = {label: figure.abstention for label, figure in measured.items() if figure.uncovered}
    if any(told.values()):
        found += ["", *_rows(width, tuple(next(iter(told.values()))), told)]
    return "\n".join(found)


def _rows(
    width: int, names: Iterable[str], of_runs: Mapping[str, Mapping[str, Estimate]]
) -> Iterable[str]:
    widths = {name: max(_WIDTH, len(name)) for name in names}
    yield f"{'run':<{width}}" + "".join(f"  {name:>{w}}" for name, w in widths.items())
    for label, estimates in of_runs.items():
        cells = (f"  {short(estimates[name]):>{w}}" for name, w in widths.items())
        yield f"{label:<{width}}" + "".join(cells)


def short(estimate: Estimate) -> str:
    """Return a figure with its interval: `0.820 [.78 .86]`; always as wide."""
    return f"{estimate.value:.3f} [{_end(estimate.low)} {_end(estimate.high)}]"


def _end(value: float) -> str:
    shown = f"{value:.2f}"
    return shown[1:] if shown.startswith("0") else shown[:3]


def count(number: int, one: str, several: str) -> str:
    """Return a number of things: `1 query`, `7 queries`."""
    return f"{number} {one if number == 1 else several}"
