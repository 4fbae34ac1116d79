"""Results: what was measured of a set, kept as a file that two commits can be compared by.

A file holds no time and no path: the same program, set and corpus give the same bytes. Each query
is one line, so that a difference of two files shows which queries changed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from policy_qa.errors import EvaluationError
from policy_qa.evaluation.figures import ABSTENTION, Figures
from policy_qa.evaluation.files import read_text, write_whole
from policy_qa.evaluation.intervals import Estimate
from policy_qa.evaluation.measures import DEPTH, MEASURES, Outcome
from policy_qa.evaluation.slices import Slice
from policy_qa.types import Status

SCHEMA: Final = 1
"""Of the files. Raised when a file of another form would be misread."""

_COLUMNS = ("id", "top", "rank", "nDCG@10", "recall@10", "confidence", "status")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What was measured of one run.

    Attributes:
        name: What was run, such as `questions indexed`.
        figures: Over the whole set.
        slices: Over its parts.
        covered: What became of each query that something answers.
        uncovered: What became of each that nothing answers.
    """

    name: str
    figures: Figures
    slices: tuple[Slice, ...]
    covered: tuple[Outcome, ...]
    uncovered: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of one set by one version of the program.

    Attributes:
        name: The set's.
        revision: The commit, `+changes` if the files differ from it, or the package's version.
        judgments: A digest of the queries and qrels.
        corpus: A digest of the entries searched; empty if they are not known.
        encoder: Its identity, and what else decides the figures: see `Searched.encoder`; empty for
            a run made elsewhere.
        runs: What was run, the plainest first.
    """

    name: str
    revision: str
    judgments: str
    corpus: str
    encoder: str
    runs: tuple[RunResult, ...]

    def run(self, name: str) -> RunResult | None:
        """Return the run of that name, if there is one."""
        return next((run for run in self.runs if run.name == name), None)


def write_result(result: Result, path: Path) -> None:
    """Write a results file.

    Raises:
        StorageError: It cannot be written.
    """
    write_whole(path, _text(fields(result)), "results")


def read_result(path: Path) -> Result:
    """Read a results file.

    Raises:
        EvaluationError: It is missing, none, or of another schema.
    """
    text = read_text(path, otherwise="`policy-qa eval SET` makes results")
    try:
        record = json.loads(text)
        if record["schema"] != SCHEMA:
            raise EvaluationError(
                f"{path}:1: results of schema {record['schema']!r}, not {SCHEMA}; measure the set "
                "again with `policy-qa eval`"
            )
        result = Result(
            str(record["set"]),
            str(record["revision"]),
            str(record["judgments"]),
            str(record["corpus"]),
            str(record["encoder"]),
            tuple(map(_run, record["runs"])),
        )
    except json.JSONDecodeError as error:
        raise EvaluationError(
            f"{path}:{error.lineno}: not a results file ({error.msg}); "
            "`policy-qa eval SET` makes one"
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise EvaluationError(
            f"{path}:1: not a results file, or not a whole one; `policy-qa eval SET` makes one"
        ) from error
    if not result.runs:
        raise EvaluationError(f"{path}:1: results without a run; measure the set again")
    return result


def fields(result: Result, *, queries: bool = True) -> dict[str, Any]:
    """Return a result as JSON fields, with or without the line of each query."""
    return {
        "schema": SCHEMA,
        "set": result.name,
        "revision": result.revision,
        "judgments": result.judgments,
        "corpus": result.corpus,
        "encoder": result.encoder,
        "runs": [_run_fields(run, queries=queries) for run in result.runs],
    }


def _run_fields(run: RunResult, *, queries: bool) -> dict[str, Any]:
    found = {
        "name": run.name,
        **_figure_fields(run.figures),
        "slices": [
            {"by": part.by, "name": part.name, **_figure_fields(part.figures)}
            for part in run.slices
        ],
    }
    if queries:
        found["columns"] = list(_COLUMNS)
        found["queries"] = [_row(outcome) for outcome in run.covered]
        found["unanswerable"] = [_row(outcome) for outcome in run.uncovered]
    return found


def _figure_fields(figures: Figures) -> dict[str, Any]:
    return {
        "n": figures.covered,
        "n_unanswerable": figures.uncovered,
        "measures": {name: _ends(estimate) for name, estimate in figures.measures.items()},
        "abstention": {name: _ends(estimate) for name, estimate in figures.abstention.items()},
    }


def _ends(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _row(outcome: Outcome) -> list[Any]:
    return [
        outcome.id,
        outcome.top,
        outcome.rank,
        outcome.ndcg,
        outcome.recall,
        outcome.confidence,
        outcome.status,
    ]


def _run(record: Mapping[str, Any]) -> RunResult:
    if tuple(record["columns"]) != _COLUMNS:
        raise ValueError(record["columns"])
    run = RunResult(
        name=str(record["name"]),
        figures=_figures(record),
        slices=tuple(
            Slice(str(part["by"]), str(part["name"]), _figures(part)) for part in record["slices"]
        ),
        covered=tuple(map(_outcome, record["queries"])),
        uncovered=tuple(map(_outcome, record["unanswerable"])),
    )
    sizes = len(run.covered), len(run.uncovered)
    asked = (*run.covered, *run.uncovered)
    told = [outcome.confidence is not None for outcome in asked]
    if sizes != (run.figures.covered, run.figures.uncovered) or (any(told) and not all(told)):
        raise ValueError(run.name)
    if bool(run.figures.abstention) != any(told):
        raise ValueError(run.name)
    return run


def _figures(record: Mapping[str, Any]) -> Figures:
    measures, abstention = (
        {str(name): Estimate(*map(_share, ends)) for name, ends in record[key].items()}
        for key in ("measures", "abstention")
    )
    covered, uncovered = _count(record["n"]), _count(record["n_unanswerable"])
    if measures.keys() != {*(MEASURES if covered else ())} or not abstention.keys() <= {
        *ABSTENTION
    }:
        raise ValueError(record["measures"])
    return Figures(covered, uncovered, measures, abstention)


def _outcome(row: Sequence[Any]) -> Outcome:
    query_id, top, rank, ndcg, recall, confidence, status = row
    known = (
        isinstance(query_id, str)
        and (top is None or isinstance(top, str))
        and (rank is None or 1 <= _count(rank) <= DEPTH)
        and (status is None or status in get_args(Status))
        and (confidence is None) == (status is None)
    )
    if not known:
        raise ValueError(row)
    sure = None if confidence is None else _share(confidence)
    return Outcome(query_id, top, rank, _share(ndcg), _share(recall), sure, status)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def _share(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(value)
    return float(value)


def _text(record: Mapping[str, Any]) -> str:
    """Lay out JSON: a list of plain values on one line, everything else indented by one."""
    return "".join(_laid_out(record, "\n")) + "\n"


def _laid_out(value: Any, line: str) -> Iterator[str]:
    inner = f"{line} "
    if isinstance(value, dict) and value:
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else '{'}{inner}{json.dumps(key, ensure_ascii=False)}: "
            yield from _laid_out(item, inner)
        yield f"{line}}}"
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, item in enumerate(value):
            yield f"{',' if number else '['}{inner}"
            yield from _laid_out(item, inner)
        yield f"{line}]"
    else:
        yield json.dumps(value, ensure_ascii=False)
