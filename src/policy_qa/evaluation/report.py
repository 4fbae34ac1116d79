"""Results → a report in Markdown with pictures."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from policy_qa.errors import InputError, StorageError
from policy_qa.evaluation.curves import read_ablation
from policy_qa.evaluation.experiment import QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT
from policy_qa.evaluation.figures import ABSTENTION, ANSWERED, AREA, COVERAGE, WRONG
from policy_qa.evaluation.files import write_whole
from policy_qa.evaluation.intervals import RESAMPLES, Estimate
from policy_qa.evaluation.measures import MEASURES
from policy_qa.evaluation.perturbations import PERTURBATIONS
from policy_qa.evaluation.results import Result, RunResult, read_result

ABLATION_FILE = "ablation.md"
"""Stands beside the report, if there is one."""

_ENOUGH = 100
"""Questions, ten for each bin. Curves of fewer say more about chance than about confidence."""

_OF_SLICES = ("hit@1", "MRR@10", "nDCG@10")
_OF_SLICES_TOLD = (AREA, COVERAGE, WRONG, ANSWERED)

Results = Mapping[str, Result]
Row = Sequence[str]


def write_report(paths: Sequence[Path], out: Path) -> list[Path]:
    """Write a report of results files; the pictures stand beside it.

    Args:
        paths: Results files.
        out: The Markdown file; its name without `.md` begins the names of the pictures.

    Returns:
        The files written, the report first.

    Raises:
        EvaluationError: A file is no results file.
        InputError: Matplotlib is not installed.
        StorageError: A file cannot be written.
    """
    results = _labelled([read_result(path) for path in paths])
    pictures = _draw(results, out)
    text = "\n".join(_lines(results, {name: path.name for name, path in pictures.items()}))
    write_whole(out, f"{text}\n", "report")
    return [out, *pictures.values()]


def _labelled(results: Sequence[Result]) -> Results:
    """Name results by their set; one made elsewhere also by its run, one of several by revision."""
    names = [
        result.name if result.encoder else f"{result.name}, {result.runs[0].name}"
        for result in results
    ]
    times = Counter(names)
    labels: dict[str, Result] = {}
    for name, result in zip(names, results, strict=True):
        label = name if times[name] == 1 else f"{name} {result.revision}"
        while label in labels:
            label += "′"
        labels[label] = result
    return labels


def _draw(results: Results, out: Path) -> dict[str, Path]:
    try:
        from policy_qa.evaluation import plots  # noqa: PLC0415 (Matplotlib is an extra)
    except ModuleNotFoundError as error:
        raise InputError(
            "A report needs Matplotlib: pip install 'policy-qa[report]', or in the checkout: "
            "pip install -e '.[report]'"
        ) from error
    told = {name: result for name, result in results.items() if _tells(result)}
    pictures = {name: out.with_name(f"{out.stem}-{name}.svg") for name in _PICTURES}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        plots.plot_hits(results, pictures["hits"])
        if told:
            plots.plot_risks(told, pictures["risk"])
            plots.plot_reliability(told, pictures["reliability"])
        ablation = out.with_name(ABLATION_FILE)
        if ablation.is_file():
            plots.plot_ablation(read_ablation(ablation), pictures["ablation"])
    except OSError as error:
        raise StorageError(
            f"{out}: the pictures cannot be written ({error.strerror}); name another place"
        ) from error
    drawn = {"hits": True, "risk": bool(told), "reliability": bool(told)}
    return {name: path for name, path in pictures.items() if drawn.get(name, ablation.is_file())}


def _tells(result: Result) -> bool:
    figures = result.runs[0].figures
    return bool(figures.abstention) and figures.covered + figures.uncovered >= _ENOUGH


_PICTURES = {
    "hits": "Of each set, the share of queries with a relevant entry among the first k.",
    "risk": "Risk and coverage: the more questions are answered, surest first, the more of the "
    "answers are wrong. The dot is the threshold in use.",
    "reliability": "Reliability: in ten bins of equal mass, confidence against the share of right "
    "answers. On the dashed line confidence is what it says.",
    "ablation": "Variants of the ranking. The line is the one in use; green bars are above it.",
}


def _lines(results: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    yield from ("# Evaluation", "", "`make report` writes this file and its pictures.", "")
    yield (
        "Figures are means over queries with 95% intervals: Wilson's of hit@k, wrong answers and "
        f"answered, bootstrap percentiles of the others ({RESAMPLES:,} resamples). "
        "A figure of confidence counts questions that nothing answers, where a set has any; an "
        "answer is right if its entry is relevant. `eval/README.md` says how each is measured."
    )
    yield from ("", "## Sets", "")
    yield from _table(("set", "queries", "nothing answers", "revision", "encoder"), _sets(results))
    for title, name in (
        ("As it is used: questions indexed", ""),
        ("Answers only: questions left out", QUESTIONS_LEFT_OUT),
    ):
        runs = {
            label: found
            for label, result in results.items()
            if (found := result.run(name) if name else result.runs[0])
        }
        if runs:
            yield from ("", f"## {title}", "")
            yield from _table(
                ("set", *MEASURES),
                [(label, *_cells(run.figures.measures, MEASURES)) for label, run in runs.items()],
            )
            if not name:
                yield from _picture("hits", pictures)
    yield from _perturbed(results)
    yield from _confidence(results, pictures)
    yield from _slices(results)
    if "ablation" in pictures:
        yield from ("", "## What each part of the ranking is worth", "")
        yield f"The table is in [{ABLATION_FILE}]({ABLATION_FILE})."
        yield from _picture("ablation", pictures)


def _sets(results: Results) -> Iterator[Row]:
    for label, result in results.items():
        figures = result.runs[0].figures
        size = (str(figures.covered), str(figures.uncovered or ""))
        yield label, *size, f"`{result.revision}`", f"`{result.encoder}`" if result.encoder else ""


def _perturbed(results: Results) -> Iterator[str]:
    names = [name for name in PERTURBATIONS if any(r.run(name) for r in results.values())]
    if not names:
        return
    yield from ("", "## Queries as people mistype them", "")
    yield "hit@1, and in brackets the difference from the queries as they stand."
    yield ""
    rows = []
    for label, result in results.items():
        plain = result.run(QUESTIONS_INDEXED)
        if plain and any(result.run(name) for name in names):
            cells = (_difference(plain, result.run(name)) for name in names)
            rows.append((label, _cell(plain.figures.measures["hit@1"]), *cells))
    yield from _table(("set", "as they stand", *names), rows)


def _difference(plain: RunResult, run: RunResult | None) -> str:
    if not run:
        return ""
    value = run.figures.measures["hit@1"]
    change = value.value - plain.figures.measures["hit@1"].value
    return f"{_cell(value)} ({change:+.3f})".replace("-", "−")


def _confidence(results: Results, pictures: Mapping[str, str]) -> Iterator[str]:
    rows = [
        (label, run.name, *_cells(run.figures.abstention, ABSTENTION))
        for label, result in results.items()
        for run in result.runs
        if run.figures.abstention and run.name not in PERTURBATIONS
    ]
    if rows:
        yield from ("", "## What confidence is worth", "")
        yield from _table(("set", "run", *ABSTENTION), rows)
        yield from _picture("risk", pictures)
        yield from _picture("reliability", pictures)


def _slices(results: Results) -> Iterator[str]:
    yield from ("", "## Slices", "", "Of the first run of each set.")
    for label, result in results.items():
        run = result.runs[0]
        head = ("slice", "queries", "nothing answers", *_OF_SLICES, *_OF_SLICES_TOLD)
        rows = [
            (
                f"{part.by}: {part.name}",
                str(part.figures.covered or ""),
                str(part.figures.uncovered or ""),
                *_cells(part.figures.measures, _OF_SLICES),
                *_cells(part.figures.abstention, _OF_SLICES_TOLD),
            )
            for part in run.slices
        ]
        if rows:
            yield from ("", f"### {label}", "")
            yield from _table(head, rows)


def _picture(name: str, pictures: Mapping[str, str]) -> Iterator[str]:
    if name in pictures:
        yield from ("", f"![{_PICTURES[name]}]({pictures[name]})", "", _PICTURES[name])


def _cells(estimates: Mapping[str, Estimate], names: Sequence[str]) -> Iterator[str]:
    return (_cell(estimates[name]) if name in estimates else "" for name in names)


def _cell(estimate: Estimate) -> str:
    ends = f"{estimate.low:.3f}–{estimate.high:.3f}"
    return f"{estimate.value:.3f} <sub>{ends}</sub>"


def _table(head: Row, rows: Sequence[Row] | Iterator[Row]) -> Iterator[str]:
    """Yield the lines of a table, without the columns that every row leaves empty."""
    rows = [*rows]
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(row[column].replace("|", "\\|") for column in kept) + " |"
