"""The command line; the commands for keeping a knowledge base stand in `cli_keeping`.

Results go to standard output, everything else to standard error. Exit status: 0 answered or done,
1 not covered, refused or found wanting, 2 usage or bad input, 130 interrupted.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from policy_qa import cli_calibration, cli_evaluation, cli_index
from policy_qa.cli_keeping import Keeping, skipped_text
from policy_qa.cli_options import add_engine, add_index, add_keep
from policy_qa.errors import CorpusError, FormatVersionError, PolicyQAError
from policy_qa.labels import LABELS, LANGUAGES
from policy_qa.settings import KNOWLEDGE_BASE, TOP_K

EXIT_DONE, EXIT_NOT_COVERED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130
_DEBUG = "POLICY_QA_DEBUG"
_MOVED = "the model of the build, if it has moved since"
_RERANKER = "a cross-encoder that puts the first entries in a new order"
_JSON = {"--json": "print JSON"}
_FORMS = _JSON | {
    "--markdown": "print Markdown",
    "--chat": "print plain text to paste into a chat",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; a user's mistake is one line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        status = int(options.run(options))
        if sys.stdout:
            sys.stdout.flush()  # a reader that left, or a full disk, shows here or never
        return status
    except PolicyQAError as error:
        return _fail(str(error))
    except BrokenPipeError:
        _drop_output()
        return EXIT_DONE
    except KeyboardInterrupt:
        _fail("Interrupted; what was there is untouched.")
        return EXIT_INTERRUPTED
    except Exception as error:
        if _DEBUG in os.environ:
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _drop_output()
            return _fail("Cannot write the result: the disk is full. Make room and try again.")
        return _fail(
            f"An error that policy-qa did not expect: {type(error).__name__}: {error} "
            f"(run again with {_DEBUG}=1 to see where, and report it)"
        )


def _drop_output() -> None:
    """Let what is still to be written go nowhere, so that it fails no second time at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    from policy_qa.output import one_line  # noqa: PLC0415 (a quick --help needs nothing)

    print(f"policy-qa: {one_line(message)}", file=sys.stderr)
    return EXIT_BAD_INPUT


class _Parser(argparse.ArgumentParser):
    """Tells of a wrong argument without what in it steers a terminal."""

    def error(self, message: str) -> NoReturn:
        from policy_qa.output import one_line  # noqa: PLC0415 (a quick --help needs nothing)

        super().error(one_line(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="policy-qa", description="Ask a policy or FAQ knowledge base; answers are quotes."
    )
    version = metadata.version("policy-qa")
    parser.add_argument("--version", action="version", version=version, help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    build = _command(commands, "build", _build, "read a corpus and build a knowledge base of it")
    build.add_argument("corpus", type=_path, help="folder or file with the source documents")
    _add_knowledge_base(build)
    build.add_argument("--model", help="name or folder of a sentence-transformers model")
    add_index(build, otherwise="as before, or else auto")
    add_engine(build)
    add_keep(build)

    ask = _command(
        commands, "ask", _ask, "answer a question, or say that it is not covered", _FORMS
    )
    search = _command(commands, "search", _search, "list the best entries for a question")
    for command in (ask, search):
        command.add_argument("query", nargs="+", help="the question")
        _add_knowledge_base(command)
        command.add_argument("--model", help=_MOVED)
        command.add_argument("--reranker", metavar="NAME_OR_FOLDER", help=_RERANKER)
        command.add_argument("--document", action="append", default=[], help="only this document")
        command.add_argument("--tag", action="append", default=[], help="only documents tagged so")
        command.add_argument(
            "--as-of", type=_day, metavar="DAY", help="by the rules of that day, such as 2025-06-01"
        )
    ask.add_argument("--lang", choices=LANGUAGES, help="of the labels (default: the question's)")
    ask.add_argument(
        "--reading", choices=("zh-Hant", "zh-Hans"), help="quotes also in this Chinese script"
    )
    ask.add_argument("--all", action="store_true", help="every point that the entry makes")
    search.add_argument("--explain", action="store_true", help="show why each entry was found")
    search.add_argument("--top-k", type=int, default=TOP_K, help="entries (default: %(default)s)")

    for command in (build, _entries_command(commands)):
        command.add_argument(
            "--columns",
            type=_columns,
            default={},
            metavar="NAME=COLUMN,…",
            help="what the columns of tables are called, such as question=客戶問,answer=回覆",
        )

    evaluate = _command(commands, "eval", _eval, "measure evaluation sets, compare, report")
    _add_knowledge_base(evaluate)
    evaluate.add_argument("--model", help=f"of a set's own corpus; or {_MOVED}")
    evaluate.add_argument("--reranker", metavar="NAME_OR_FOLDER", help=_RERANKER)
    cli_evaluation.add_options(evaluate, _path)

    calibrate = _command(commands, "calibrate", _calibrate, "fit confidence to your own questions")
    _add_knowledge_base(calibrate)
    calibrate.add_argument("--model", help=_MOVED)
    cli_calibration.add_options(calibrate, _path)

    reindex = _command(
        commands, "reindex", _reindex, "search the vectors that are there by another index"
    )
    _add_knowledge_base(reindex)
    cli_index.add_reindex_options(reindex)

    info = _command(commands, "info", _info, "describe a knowledge base and check its files")
    _add_knowledge_base(info)
    info.add_argument(
        "--check",
        action="store_true",
        help="read every file whole again, and tell how much the index of vectors finds",
    )

    Keeping(_path, _progress, _print_json).add_commands(partial(_keeping_command, commands))
    return parser


def _command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    forms: Mapping[str, str] = _JSON,
) -> argparse.ArgumentParser:
    """Add a command; of the forms of its output at most one can be asked for."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    exclusive = command.add_mutually_exclusive_group()
    for option, meaning in forms.items():
        exclusive.add_argument(option, action="store_true", help=meaning)
    command.set_defaults(run=run)
    return command


def _entries_command(commands: Any) -> argparse.ArgumentParser:
    entries = _command(commands, "entries", _entries, "print what was understood of a corpus")
    entries.add_argument("corpus", type=_path, help="folder or file with the source documents")
    entries.add_argument(
        "--kb",
        type=_path,
        metavar="FOLDER",
        help="give entries the ids that they have, or will get, in this knowledge base",
    )
    return entries


def _keeping_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    command = _command(commands, name, run, text)
    _add_knowledge_base(command)
    return command


def _columns(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and column.strip() for name, _, column in pairs):
        raise argparse.ArgumentTypeError("write question=COLUMN,answer=COLUMN")
    from policy_qa.readers.fields import FIELDS  # noqa: PLC0415 (a quick --help needs nothing)

    columns = {name.strip(): column.strip() for name, _, column in pairs}
    if unknown := [name for name in columns if name not in FIELDS]:
        raise argparse.ArgumentTypeError(
            f"no column can be {unknown[0]!r}; use {', '.join(FIELDS)}"
        )
    return columns


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write the day as 2025-06-01") from None


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no place; give a folder or file")
    try:
        if b"\0" not in os.fsencode(text):
            return Path(text)
    except UnicodeEncodeError:  # half of a character
        pass
    raise argparse.ArgumentTypeError("no file or folder can have that name")


def _add_knowledge_base(command: argparse.ArgumentParser) -> None:
    default = os.environ.get("POLICY_QA_KB") or str(KNOWLEDGE_BASE)
    text = "the knowledge base (default: %(default)s, or the variable POLICY_QA_KB)"
    command.add_argument("--kb", type=_path, default=default, metavar="FOLDER", help=text)


def _print_json(fields: Any) -> None:
    from policy_qa.output import json_text  # noqa: PLC0415

    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    print(json_text(fields, ascii_only=ascii_only))


def _build(options: argparse.Namespace) -> int:
    from policy_qa.encoders import DEFAULT_MODEL  # noqa: PLC0415
    from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415
    from policy_qa.output import one_line  # noqa: PLC0415

    with _progress() as progress:
        knowledge_base = KnowledgeBase.build(
            options.corpus,
            options.kb,
            model=options.model or DEFAULT_MODEL,
            columns=options.columns,
            index=options.index,
            progress=progress,
            engine=options.engine,
            keep=options.keep,
        )
    knowledge_base.close()
    manifest = knowledge_base.manifest
    if manifest.skipped:
        print(skipped_text(manifest.skipped), file=sys.stderr)
    if options.json:
        _print_json(_manifest_fields(options.kb, manifest))
    else:
        print(
            f"Built generation {manifest.generation} of {one_line(str(options.kb))}: "
            f"{manifest.documents} documents, {manifest.entries} entries, "
            f"{manifest.passages} passages."
        )
    return EXIT_DONE


def _progress(
    what: str = "Encoding",
) -> AbstractContextManager[Callable[[int, int], None] | None]:
    """Show a bar on a terminal, with rate and time left; nothing elsewhere."""
    if not sys.stderr.isatty():
        return nullcontext()
    return _Bar(what)


class _Bar(AbstractContextManager[Callable[[int, int], None]]):
    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> Callable[[int, int], None]:
        from tqdm import tqdm  # noqa: PLC0415

        self._begin = partial(tqdm, unit=" passages", file=sys.stderr, leave=False)
        self.bar = self._begin(desc=self._what)
        return self.show

    def show(self, done: int, total: int) -> None:
        if done < self.bar.n:
            self.bar.close()
            self.bar = self._begin(desc="Indexing")
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def __exit__(self, *_: object) -> None:
        self.bar.close()


def _open(options: argparse.Namespace) -> Any:
    from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415

    return KnowledgeBase.open(options.kb, model=options.model, reranker=options.reranker)


def _filters(options: argparse.Namespace) -> Any:
    from policy_qa.types import Filters  # noqa: PLC0415

    return Filters(tuple(options.document), tuple(options.tag))


def _ask(options: argparse.Namespace) -> int:
    from policy_qa import output  # noqa: PLC0415
    from policy_qa.reading import language_of  # noqa: PLC0415

    query = " ".join(options.query)
    with _open(options) as knowledge_base:
        answer = knowledge_base.ask(query, _filters(options), as_of=options.as_of)
        if options.all and answer.entry:
            answer = replace(answer, fields=knowledge_base.rule_card(answer.entry.id))
    language = options.lang or language_of(query)
    labels, read_in = LABELS[language], options.reading
    if options.json:
        _print_json(output.answer_fields(answer, read_in))
    elif options.markdown:
        print(output.answer_markdown(answer, labels, read_in=read_in))
    elif options.chat:
        print(output.answer_chat(answer, labels, read_in=read_in))
    else:
        print(output.answer_text(answer, labels, read_in=read_in, colour=_in_colour()))
    return EXIT_NOT_COVERED if answer.status == "not_covered" else EXIT_DONE


def _in_colour() -> bool:
    """Whether standard output shows colours (https://no-color.org, https://force-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    )


def _search(options: argparse.Namespace) -> int:
    from policy_qa.output import hit_fields, hits_text  # noqa: PLC0415

    with _open(options) as knowledge_base:
        query = " ".join(options.query)
        hits = knowledge_base.search(query, options.top_k, _filters(options), as_of=options.as_of)
        matches = None
        if options.explain:
            matches = knowledge_base.explain(query, [hit.entry.id for hit in hits])
    if options.json:
        _print_json([hit_fields(hit, matches and matches[hit.entry.id]) for hit in hits])
    elif hits:
        print(hits_text(hits, matches))
    return EXIT_DONE if hits else EXIT_NOT_COVERED


def _entries(options: argparse.Namespace) -> int:
    from policy_qa.corpus import Corpus  # noqa: PLC0415
    from policy_qa.identity import settled  # noqa: PLC0415
    from policy_qa.keeping import open_store  # noqa: PLC0415
    from policy_qa.output import entries_fields, entries_text  # noqa: PLC0415

    corpus = Corpus(options.corpus, options.columns)
    corpus.rules()  # what a build would refuse is told here
    alternates = corpus.alternates()
    found, skipped = [], {}
    with closing(open_store(options.kb)[1]) if options.kb else nullcontext() as store:
        for file in corpus.files:
            try:
                for document, read in file.read():
                    entries, _, _ = settled((document, read), store, alternates)
                    found += [(entry, document) for entry in entries]
            except CorpusError as error:
                skipped[file.id] = str(error)
    if skipped:
        print(skipped_text(skipped), file=sys.stderr)
    if options.json:
        _print_json(entries_fields(found))
    else:
        print(entries_text(found))
    return EXIT_DONE


def _eval(options: argparse.Namespace) -> int:
    cli_evaluation.run(options, _progress, _print_json)
    return EXIT_DONE


def _calibrate(options: argparse.Namespace) -> int:
    said, fields = cli_calibration.calibrate(options)
    if options.json:
        _print_json(fields)
    else:
        print(said)
    return EXIT_DONE


def _reindex(options: argparse.Namespace) -> int:
    cli_index.reindex(options, _progress, _print_json)
    return EXIT_DONE


def _info(options: argparse.Namespace) -> int:
    from policy_qa.calibration import load  # noqa: PLC0415
    from policy_qa.output import one_line  # noqa: PLC0415
    from policy_qa.storage import (  # noqa: PLC0415
        generation_folder,
        generation_numbers,
        read_manifest,
        verify,
        with_current,
    )

    def verified(manifest: Any) -> Any:
        verify(options.kb, manifest, again=options.check)
        return manifest

    manifest = with_current(options.kb, verified)
    if options.check:
        for number in generation_numbers(options.kb):
            with suppress(FormatVersionError):  # nothing that anyone could go back to
                verified(read_manifest(options.kb, number))
    if options.check and manifest.engine:
        from policy_qa.engines.indexes import open_indexes  # noqa: PLC0415 (few have one)

        open_indexes(manifest, generation_folder(options.kb, manifest.generation)).close()
    calibration = load(options.kb, manifest.encoder)
    fields = _manifest_fields(options.kb, manifest)
    fields |= {
        "history": len(manifest.history),
        "skipped": dict(manifest.skipped),
        "calibration": asdict(calibration) if calibration else None,
    }
    if options.check and not manifest.engine:
        fields |= cli_index.checked(options.kb, manifest)
    if options.json:
        _print_json(fields)
    else:
        width = max(map(len, fields))
        lines = [f"{name:{width}}  {one_line(_in_words(v))}" for name, v in fields.items()]
        print("\n".join(line.rstrip() for line in lines))
        if options.check:
            print("Every file is whole.")
    return EXIT_DONE


def _in_words(value: object) -> str:
    """Return a field of `policy-qa info` without the punctuation of a program."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_in_words(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _manifest_fields(path: Path, manifest: Any) -> dict[str, Any]:
    fields = asdict(manifest)
    files = fields.pop("files")
    size = sum(size for size, _ in files.values())
    return {"path": str(path), **fields, "files": len(files), "bytes": size}
