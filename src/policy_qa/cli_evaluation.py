"""The command `policy-qa eval`: measure sets, compare two results, report many."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from policy_qa.errors import EvaluationError, InputError

Progress = Callable[[], AbstractContextManager[Callable[[int, int], None] | None]]
RESULTS = Path("eval/results")
"""Where results stand when nobody says otherwise, relative to the current directory."""


def add_options(command: argparse.ArgumentParser, path: Callable[[str], Path]) -> None:
    """Add what `policy-qa eval` takes beside the knowledge base.

    Args:
        command: The parser.
        path: Turns an argument into a path.
    """
    command.add_argument("sets", nargs="*", type=path, metavar="SET", help="evaluation set folder")
    command.add_argument(
        "--corpus", type=path, metavar="FOLDER", help="of corpus.jsonl, for sets without one"
    )
    command.add_argument(
        "--perturb", action="store_true", help="also ask in the other script, and with slips"
    )
    command.add_argument(
        "--run", dest="trec", type=path, metavar="FILE", help="measure this TREC run, not a search"
    )
    command.add_argument(
        "--runs",
        type=path,
        default=Path("runs"),
        metavar="FOLDER",
        help="for TREC runs (default: %(default)s)",
    )
    command.add_argument(
        "--results",
        type=path,
        default=RESULTS,
        metavar="FOLDER",
        help="for results (default: %(default)s)",
    )
    command.add_argument(
        "--compare", nargs=2, type=path, metavar=("BEFORE", "AFTER"), help="compare two results"
    )
    command.add_argument(
        "--report", nargs="+", type=path, metavar="RESULTS", help="write a report of results"
    )
    command.add_argument(
        "--out",
        type=path,
        default=RESULTS / "report.md",
        metavar="FILE",
        help="the report's place (default: %(default)s)",
    )


def run(options: argparse.Namespace, progress: Progress, print_json: Callable[[Any], None]) -> None:
    """Do what `policy-qa eval` was asked.

    Raises:
        PolicyQAError: Something given cannot be used.
    """
    if options.report:
        _report(options, print_json)
    elif options.compare:
        _compare(options, print_json)
    elif options.sets:
        _measure(options, progress, print_json)
    else:
        raise InputError("Nothing to evaluate: name a SET, or use --compare or --report.")


def _measure(
    options: argparse.Namespace, progress: Progress, print_json: Callable[[Any], None]
) -> None:
    from policy_qa.evaluation.results import fields  # noqa: PLC0415 (a quick --help needs nothing)
    from policy_qa.evaluation.revision import revision  # noqa: PLC0415
    from policy_qa.evaluation.sets import check_names, load_evaluation_set  # noqa: PLC0415
    from policy_qa.evaluation.tables import result_text  # noqa: PLC0415
    from policy_qa.output import printable  # noqa: PLC0415

    sets = [load_evaluation_set(folder, options.corpus) for folder in options.sets]
    check_names(sets)
    if options.trec and len(sets) > 1:
        raise InputError("--run measures one run: name the one SET that it is about.")
    version = revision()
    if options.trec:
        results = [_foreign(sets[0], options, version)]
    else:
        results = list(_searched(sets, options, version, progress))
    if options.json:
        print_json([fields(result, queries=False) for result in results])
    else:
        print(printable("\n\n".join(map(result_text, results))))


def _searched(
    sets: Sequence[Any], options: argparse.Namespace, version: str, progress: Progress
) -> Iterator[Any]:
    from policy_qa.encoders import DEFAULT_MODEL, load_encoder  # noqa: PLC0415
    from policy_qa.evaluation import indexes  # noqa: PLC0415
    from policy_qa.evaluation.sets import check_against  # noqa: PLC0415
    from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415

    reranker = None
    if options.reranker is not None:
        from policy_qa.reranker import load_reranker  # noqa: PLC0415 (few have one)

        reranker = load_reranker(options.reranker)
    with ExitStack() as stack:
        own = [evaluation_set for evaluation_set in sets if not evaluation_set.corpus]
        if own:
            knowledge_base = stack.enter_context(
                KnowledgeBase.open(options.kb, model=options.model, reranker=reranker)
            )
            known = [entry.id for entry in knowledge_base.entries()]
            for evaluation_set in own:
                check_against(evaluation_set, known)
            bar = stack.enter_context(progress())
            of_own = stack.enter_context(indexes.of_knowledge_base(knowledge_base, bar))
        if len(own) < len(sets):
            encoder = load_encoder(options.model or DEFAULT_MODEL)
        for evaluation_set in sets:
            if not evaluation_set.corpus:
                yield _experiment(evaluation_set, of_own, options, version)
                continue
            corpus = evaluation_set.corpus
            with progress() as bar, indexes.of_corpus(corpus, encoder, bar, reranker) as found:
                yield _experiment(evaluation_set, found, options, version)


def _experiment(
    evaluation_set: Any, searched: Any, options: argparse.Namespace, version: str
) -> Any:
    """Run a set; write its runs and its results."""
    from policy_qa.evaluation.experiment import FILE_NAMES, experiment  # noqa: PLC0415
    from policy_qa.evaluation.results import Result  # noqa: PLC0415
    from policy_qa.evaluation.runs import write_trec_run  # noqa: PLC0415
    from policy_qa.evaluation.tables import count  # noqa: PLC0415

    start = time.monotonic()
    measured = []
    for run, found in experiment(evaluation_set, searched, _note, perturb=options.perturb):
        measured.append(run)
        file = options.runs / f"{evaluation_set.name}.{FILE_NAMES[run.name]}.trec"
        write_trec_run(found, file)
        _note(f"wrote {file}")
    result = Result(
        evaluation_set.name,
        version,
        evaluation_set.digest,
        searched.digest,
        searched.encoder,
        tuple(measured),
    )
    _keep(result, f"{result.name}@{version}{_other_than_usual(result.encoder)}", options)
    asked = sum(len(run.covered) + len(run.uncovered) for run in measured)
    size = count(asked, "query", "queries")
    _note(f"{result.name}: {size} in {time.monotonic() - start:.1f} s")
    return result


def _foreign(evaluation_set: Any, options: argparse.Namespace, version: str) -> Any:
    """Measure a run that was made elsewhere."""
    from policy_qa.evaluation.experiment import measured  # noqa: PLC0415
    from policy_qa.evaluation.indexes import corpus_digest  # noqa: PLC0415
    from policy_qa.evaluation.results import Result  # noqa: PLC0415
    from policy_qa.evaluation.runs import Asked, read_trec_run  # noqa: PLC0415
    from policy_qa.evaluation.slices import relations  # noqa: PLC0415

    corpus = evaluation_set.corpus
    entries = set(corpus) or {qrel.entry_id for qrel in evaluation_set.qrels}
    queries = evaluation_set.queries
    run = read_trec_run(
        options.trec,
        [query.id for query in queries],
        entries,
        "the corpus" if corpus else f"the qrels of {evaluation_set.folder}",
    )
    texts = {record.id: record.whole for record in corpus.values()}
    related = relations(evaluation_set, queries, texts)
    name = options.trec.name
    result = Result(
        evaluation_set.name,
        version,
        evaluation_set.digest,
        corpus_digest(corpus) if corpus else "",
        "",
        (measured(evaluation_set, f"run {name}", Asked(run), related),),
    )
    run_name = options.trec.stem.removeprefix(f"{result.name}.")
    _keep(result, f"{result.name}.{run_name}@{version}", options)
    return result


def _other_than_usual(encoder: str) -> str:
    """Return what a file's name says of an encoder that is not plainly the default one."""
    from policy_qa.encoders import load_encoder  # noqa: PLC0415
    from policy_qa.evaluation.records import digest  # noqa: PLC0415

    return "" if encoder == load_encoder().identity else f"~{digest([encoder])[:8]}"


def _keep(result: Any, name: str, options: argparse.Namespace) -> None:
    from policy_qa.evaluation.results import write_result  # noqa: PLC0415

    file = options.results / f"{name}.json"
    write_result(result, file)
    _note(f"wrote {file}")


def _compare(options: argparse.Namespace, print_json: Callable[[Any], None]) -> None:
    from policy_qa.evaluation.comparing import (  # noqa: PLC0415
        compare_files,
        comparison_fields,
        comparison_text,
    )
    from policy_qa.evaluation.sets import load_evaluation_set  # noqa: PLC0415
    from policy_qa.output import one_line, printable  # noqa: PLC0415

    comparison = compare_files(*options.compare)
    texts: dict[str, str] = {}
    for folder in options.sets:
        loaded = load_evaluation_set(folder, options.corpus)
        if loaded.digest != comparison.before.judgments:
            raise EvaluationError(
                f"{folder}: not the set that was measured ({comparison.before.name} "
                f"{comparison.before.judgments}); name its folder, or none"
            )
        texts |= {query.id: one_line(query.text) for query in loaded.queries}
    if options.json:
        print_json(comparison_fields(comparison))
    else:
        print(printable(comparison_text(comparison, texts)))


def _report(options: argparse.Namespace, print_json: Callable[[Any], None]) -> None:
    from policy_qa.evaluation.report import write_report  # noqa: PLC0415

    files = write_report(options.report, options.out)
    if options.json:
        print_json([str(file) for file in files])
    for file in files:
        _note(f"wrote {file}")


def _note(text: str) -> None:
    from policy_qa.output import one_line  # noqa: PLC0415

    print(f"policy-qa: {one_line(text)}", file=sys.stderr)
