"""Two results of one set: what changed, by how much, and whether it is more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_qa.errors import EvaluationError
from policy_qa.evaluation.figures import ABSTENTION
from policy_qa.evaluation.intervals import paired_p
from policy_qa.evaluation.measures import MEASURES, Outcome, table
from policy_qa.evaluation.results import Result, RunResult, read_result
from policy_qa.evaluation.tables import count


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after.

    Attributes:
        name: Of the figure.
        before: From 0 to 1.
        after: From 0 to 1.
        p: How probable a difference at least as large is by chance; None where it is not tested.
    """

    name: str
    before: float
    after: float
    p: float | None

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class RunChange:
    """What changed in one run.

    Attributes:
        name: The run's.
        changes: Every figure that both results have.
        gained: The queries whose best entry has become relevant.
        lost: Those whose best entry no longer is.
    """

    name: str
    changes: tuple[Change, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one result to another."""

    before: Result
    after: Result
    runs: tuple[RunChange, ...]


def compare_files(before: Path, after: Path) -> Comparison:
    """Compare two results files.

    Raises:
        EvaluationError: One cannot be read, or they are not about the same questions and entries.
    """
    one, other = read_result(before), read_result(after)
    again = "measure the set again with both versions"
    if one.judgments != other.judgments:
        raise EvaluationError(
            f"{before} and {after} cannot be compared: the queries or qrels differ "
            f"({one.name} {one.judgments}, {other.name} {other.judgments}); {again}"
        )
    if one.corpus and other.corpus and one.corpus != other.corpus:
        raise EvaluationError(
            f"{before} and {after} cannot be compared: the corpus differs ({one.corpus}, "
            f"{other.corpus}); {again}"
        )
    return Comparison(one, other, tuple(_changes(before, after, *_pairs(one, other))))


def _pairs(one: Result, other: Result) -> tuple[list[tuple[RunResult, RunResult]], str]:
    """Pair the runs of equal names; runs made elsewhere, the first with the first."""
    pairs = [(run, found) for run in one.runs if (found := other.run(run.name))]
    if pairs:
        return pairs, ""
    first, second = one.runs[0], other.runs[0]
    return [(first, second)], f"{first.name} → {second.name}"


def _changes(
    before: Path, after: Path, pairs: Sequence[tuple[RunResult, RunResult]], name: str
) -> Sequence[RunChange]:
    found = []
    for one, other in pairs:
        ids, others = ([outcome.id for outcome in run.covered] for run in (one, other))
        if sorted(ids) != sorted(others):
            raise EvaluationError(
                f"{before} and {after} cannot be compared: the queries of {one.name!r} differ; "
                "one of the files was altered: measure the set again"
            )
        by_id = {outcome.id: outcome for outcome in other.covered}
        found.append(_change(name or one.name, one, other, [by_id[query_id] for query_id in ids]))
    return found


def _change(name: str, one: RunResult, other: RunResult, covered: Sequence[Outcome]) -> RunChange:
    old, new = table(one.covered), table(covered)
    changes = [
        Change(name, float(one.mean()), float(other.mean()), paired_p(one, other))
        for name, one, other in zip(MEASURES, old.T, new.T, strict=True)
    ]
    told, tells = one.figures.abstention, other.figures.abstention
    changes += [
        Change(figure, told[figure].value, tells[figure].value, None)
        for figure in ABSTENTION
        if figure in told and figure in tells
    ]
    gains = (new - old)[:, MEASURES.index("hit@1")]
    return RunChange(
        name,
        tuple(changes),
        tuple(query.id for query, gain in zip(covered, gains, strict=True) if gain > 0),
        tuple(query.id for query, gain in zip(covered, gains, strict=True) if gain < 0),
    )


def comparison_text(comparison: Comparison, texts: Mapping[str, str]) -> str:
    """Lay out a comparison for a terminal.

    Args:
        comparison: What changed.
        texts: Of the queries by id, where they are known; the others are shown by id alone.
    """
    before, after = comparison.before, comparison.after
    size = count(len(before.runs[0].covered), "query", "queries")
    found = [f"{before.name}: {size}, {before.revision} → {after.revision}"]
    if before.encoder != after.encoder:
        found += [f"before: {_encoder(before)}", f"after:  {_encoder(after)}"]
    for run in comparison.runs:
        width = max(len(change.name) for change in run.changes)
        found += ["", run.name, f"{'':<{width}}  before   after  difference      p"]
        for change in run.changes:
            p = "" if change.p is None else f"  {change.p:.4f}"
            found.append(
                f"{change.name:<{width}}  {change.before:6.3f}  {change.after:6.3f}  "
                f"{change.difference:+10.3f}{p}"
            )
        for name, queries in (("gained", run.gained), ("lost", run.lost)):
            found.append(f"hit@1 {name}: {len(queries)}")
            found += [f"  {f'{i}  {texts[i]}' if i in texts else i}" for i in queries]
    return "\n".join(found)


def _encoder(result: Result) -> str:
    return result.encoder or f"made elsewhere ({result.runs[0].name})"


def comparison_fields(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON fields."""
    return {
        "set": comparison.before.name,
        "before": comparison.before.revision,
        "after": comparison.after.revision,
        "encoders": [comparison.before.encoder, comparison.after.encoder],
        "runs": [
            {
                "name": run.name,
                "measures": {
                    change.name: {
                        "before": round(change.before, 6),
                        "after": round(change.after, 6),
                        "difference": round(change.difference, 6),
                        "p": change.p,
                    }
                    for change in run.changes
                },
                "gained": list(run.gained),
                "lost": list(run.lost),
            }
            for run in comparison.runs
        ],
    }
