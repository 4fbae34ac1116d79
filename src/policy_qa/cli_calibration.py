"""The command `policy-qa calibrate`: correct a knowledge base's confidence by its own questions."""

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from policy_qa.errors import CorruptionError, EvaluationError, InputError

_TUNING = "tune"


def add_options(command: argparse.ArgumentParser, path: Callable[[str], Path]) -> None:
    """Add what `policy-qa calibrate` takes beside the knowledge base.

    Args:
        command: The parser.
        path: Turns an argument into a path.
    """
    command.add_argument(
        "set",
        nargs="?",
        type=path,
        metavar="SET",
        help="evaluation set folder; where questions have splits, only those of `tune` count",
    )
    command.add_argument(
        "--cost",
        type=_cost,
        metavar="X",
        help="of a wrong answer, to 1 for what a right one is worth (default: as it is)",
    )
    command.add_argument(
        "--reset", action="store_true", help="go back to the general confidence and costs"
    )


def _cost(text: str) -> float:
    try:
        cost = float(text)
    except ValueError:
        cost = math.nan
    if not 0.01 <= cost <= 1000:
        raise argparse.ArgumentTypeError("give a number from 0.01 to 1000, such as 2")
    return cost


def calibrate(options: argparse.Namespace) -> tuple[str, Mapping[str, Any]]:
    """Do what `policy-qa calibrate` was asked; return what to say and its fields.

    Raises:
        PolicyQAError: Something given cannot be used.
    """
    from policy_qa import calibration  # noqa: PLC0415 (a quick --help needs nothing)
    from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415
    from policy_qa.storage import read_manifest  # noqa: PLC0415

    if options.reset:
        if options.set or options.cost:
            raise InputError("--reset goes alone: calibrate again afterwards.")
        read_manifest(options.kb)  # is it one?
        calibration.remove(options.kb)
        return "Back to the general confidence.", {"calibration": None}
    if not options.set and not options.cost:
        raise InputError("Nothing to calibrate by: name a SET of questions, a --cost, or --reset.")
    _drop_damaged(options.kb)
    with KnowledgeBase.open(options.kb, model=options.model) as knowledge_base:
        costs = knowledge_base.calibration
        if options.cost:
            costs = replace(costs, wrong_answer_cost=options.cost)
        chosen, said, fields = costs, "", {}
        if options.set:
            fitted = _fitted(options.set, knowledge_base, costs)
            chosen = fitted.calibration
            fields = {**asdict(fitted), "calibration": None}
            said = (
                f"Learned from {fitted.right} questions with a right best entry and "
                f"{fitted.wrong} without one. Expected calibration error: "
                f"{fitted.error_before:.3f} before, {fitted.error_after:.3f} after "
                "(each fifth corrected by the others).\n"
            )
        calibration.save(options.kb, chosen, knowledge_base.encoder.identity)
    answered, related = chosen.answered_from, chosen.related_from
    said += f"Answered from a confidence of {answered:.0%}, shown as related from {related:.0%}."
    return said, {**fields, "calibration": asdict(chosen)}


def _drop_damaged(path: Path) -> None:
    """Remove a calibration that cannot be read: it is about to be made again."""
    from policy_qa import calibration  # noqa: PLC0415 (a quick --help needs nothing)
    from policy_qa.storage import read_manifest  # noqa: PLC0415

    try:
        calibration.load(path, read_manifest(path).encoder)
    except CorruptionError:
        if (path / calibration.CALIBRATION_FILE).exists():
            calibration.remove(path)


def _fitted(folder: Path, knowledge_base: Any, costs: Any) -> Any:
    """Ask the tuning half of a set, or all of one that has no halves, and learn from it."""
    from policy_qa.confidence import log_odds  # noqa: PLC0415
    from policy_qa.evaluation.calibrating import fit  # noqa: PLC0415
    from policy_qa.evaluation.sets import check_against, load_evaluation_set  # noqa: PLC0415

    loaded = load_evaluation_set(folder)
    if loaded.corpus:
        raise EvaluationError(
            f"{folder}: a set with a corpus of its own says nothing about {knowledge_base.path}; "
            "name one whose qrels judge its entries"
        )
    check_against(loaded, [entry.id for entry in knowledge_base.entries()])
    queries = [*loaded.queries, *loaded.unanswerable]
    if any(query.split == _TUNING for query in queries):
        queries = [query for query in queries if query.split == _TUNING]
    relevant = loaded.relevant
    found = knowledge_base.search_many([query.text for query in queries], 1)
    judged = [
        (log_odds(hits[0].components), relevant.get(query.id, {}).get(hits[0].entry.id, 0) > 0)
        for query, hits in zip(queries, found, strict=True)
        if hits
    ]
    return fit([odds for odds, _ in judged], [right for _, right in judged], costs)
