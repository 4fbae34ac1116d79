"""The pictures of a report: SVG files that are the same bytes for the same results."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from policy_qa.evaluation.curves import Ablation, hits_at, in_use, reliability, risks
from policy_qa.evaluation.experiment import QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT
from policy_qa.evaluation.measures import DEPTH
from policy_qa.evaluation.perturbations import DROPPED, MISTYPED, OTHER_SCRIPT
from policy_qa.evaluation.results import Result, RunResult

_STYLES: Mapping[str, dict[str, Any]] = {
    QUESTIONS_INDEXED: {"color": "#0b5fa5", "linewidth": 2.2, "zorder": 3},
    QUESTIONS_LEFT_OUT: {"color": "#d1570f", "linewidth": 2.2},
    OTHER_SCRIPT: {"color": "#16866a", "linewidth": 1.4, "linestyle": (0, (4, 2)), "zorder": 4},
    DROPPED: {"color": "#8a5aa8", "linewidth": 1.4, "linestyle": (0, (1, 1.4)), "zorder": 4},
    MISTYPED: {
        "color": "#b08900",
        "linewidth": 1.4,
        "linestyle": (0, (5, 1.5, 1, 1.5)),
        "zorder": 4,
    },
}
"""A run looks alike in every picture; colours that the colour-blind can tell apart."""

_ELSEWHERE: dict[str, Any] = {"color": "#555555", "linewidth": 1.8}
_RUNS_WITH_CONFIDENCE = (QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT)
_RULE, _TEXT, _FAINT = "#e4e7eb", "#2b3036", "#9aa3ad"
_BETTER, _WORSE = "#8fcbb3", "#c3cfdb"
_COLUMNS = 4
_LEGEND_INCHES = 3.6
_FEWEST = 10
"""Answers. The share of wrong ones among fewer jumps."""

_LOOK: Any = {
    "svg.hashsalt": "policy-qa",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _TEXT,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": _TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.8,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelcolor": _TEXT,
    "ytick.labelcolor": _TEXT,
    "legend.frameon": False,
}


def plot_hits(results: Mapping[str, Result], path: Path) -> None:
    """Draw hit@1 to hit@10 of every run of every set."""
    with _panels(list(results), path, "entries looked at (k)", "hit@k") as panels:
        for name, axes in panels.items():
            for run in results[name].runs:
                axes.plot(range(1, DEPTH + 1), hits_at(run.covered), **_style(run))
            axes.set(xlim=(0.7, DEPTH + 0.3), xticks=(1, 3, 5, 10), ylim=(0, 1.02))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def plot_risks(results: Mapping[str, Result], path: Path) -> None:
    """Draw the share of wrong answers against the share answered; a dot marks the threshold."""
    what = ("questions answered, surest first", "wrong among the answered")
    highest = 0.0
    with _panels(list(results), path, *what) as panels:
        for name, axes in panels.items():
            for run in _with_confidence(results[name]):
                answered, wrong = risks(run)
                asked = len(run.covered) + len(run.uncovered)
                drawn = answered >= _FEWEST / asked
                axes.plot(answered[drawn], wrong[drawn], **_style(run))
                highest = max(highest, float(wrong[drawn].max(initial=0)))
                if point := in_use(run):
                    axes.plot(*point, "o", color=_style(run)["color"], mec="white", ms=7)
            axes.set(xlim=(0, 1.02), ylim=(0, 1.05 * highest or 1))
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def plot_reliability(results: Mapping[str, Result], path: Path) -> None:
    """Draw the share of right answers against the confidence, in bins of equal mass."""
    with _panels(list(results), path, "mean confidence", "right") as panels:
        for name, axes in panels.items():
            axes.plot((0, 1), (0, 1), color=_FAINT, linewidth=1, linestyle=(0, (3, 3)))
            for run in _with_confidence(results[name]):
                axes.plot(*reliability(run), marker="o", mec="white", ms=5.5, **_style(run))
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def plot_ablation(ablation: Ablation, path: Path) -> None:
    """Draw each variant's bar on each set; the line is the variant in use."""
    n_sets, n = len(ablation.sets), len(ablation.variants)
    in_use_now = str(_STYLES[QUESTIONS_INDEXED]["color"])
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(3.2 + 1.3 * n_sets, 0.9 + 0.23 * n), layout="constrained")
        grid = figure.subplots(1, n_sets, sharey=True, squeeze=False)[0]
        for column, (axes, name) in enumerate(zip(grid, ablation.sets, strict=True)):
            values = ablation.values[:, column]
            colors = [_BETTER if value > values[0] else _WORSE for value in values]
            colors[0] = in_use_now
            axes.barh(range(n), values, color=colors, height=0.72)
            axes.axvline(values[0], color=in_use_now, linewidth=0.9)
            for row, value in enumerate(values):
                axes.text(0.02, row, f"{value:.3f}", va="center", fontsize=7, color=_inside(row))
            axes.set_title(name.replace(" (", "\n("), fontsize=8.5)
            axes.set(xlim=(0, 1), xticks=(0, 0.5, 1), ylim=(n - 0.4, -0.6))
            axes.set_yticks(range(n), ablation.variants)
            axes.grid(visible=False, axis="y")
            axes.tick_params(axis="y", length=0)
        figure.supxlabel(ablation.measure, fontsize=9, color=_TEXT)
        _save(figure, path)


def _inside(row: int) -> str:
    return "white" if row == 0 else _TEXT


@contextmanager
def _panels(names: list[str], path: Path, x: str, y: str) -> Iterator[dict[str, Axes]]:
    """Give a small picture for each set; then add what they share, and write the file."""
    rows = -(-len(names) // _COLUMNS)
    columns = -(-len(names) // rows)
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(2.6 * columns + 0.4, 2.35 * rows + 0.9), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        panels = dict(zip(names, grid, strict=False))
        yield panels
        for place, axes in enumerate(grid):
            axes.tick_params(labelbottom=place + columns >= len(names))
            axes.set_visible(place < len(names))
        for name, axes in panels.items():
            axes.set_title(name, pad=4)
        lines = {
            str(line.get_label()): line
            for axes in panels.values()
            for line in axes.get_lines()
            if not str(line.get_label()).startswith("_")
        }
        order = [
            *(name for name in _STYLES if name in lines),
            *sorted(lines.keys() - _STYLES.keys()),
        ]
        figure.legend(
            [lines[name] for name in order],
            order,
            loc="outside upper left",
            ncols=max(1, int(figure.get_figwidth() / _LEGEND_INCHES)),
            handlelength=2.6,
        )
        figure.supxlabel(x, fontsize=9, color=_TEXT)
        figure.supylabel(y, fontsize=9, color=_TEXT)
        _save(figure, path)


def _with_confidence(result: Result) -> Iterator[RunResult]:
    for name in _RUNS_WITH_CONFIDENCE:
        if (run := result.run(name)) and run.figures.abstention:
            yield run


def _style(run: RunResult) -> dict[str, Any]:
    return {"label": run.name, **_STYLES.get(run.name, _ELSEWHERE)}


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
