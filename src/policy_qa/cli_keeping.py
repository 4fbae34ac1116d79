"""The commands for keeping a knowledge base: what changed, what is doubtful, what is missing."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_qa.cli_options import add_engine, add_index, add_keep
from policy_qa.errors import CorpusError, InputError, PolicyQAError, StorageError
from policy_qa.labels import LANGUAGES
from policy_qa.settings import PUBLISHING_TOLERANCE

if TYPE_CHECKING:
    from policy_qa.changes import Changes
    from policy_qa.evaluation.gate import Gate
    from policy_qa.keeping import Outcome

_EXIT_DONE, _EXIT_FOUND = 0, 1
_MOVED = "the model of the build, if it has moved since"
_CORPUS = "folder or file with the source documents (default: that of the build)"

Add = Callable[..., argparse.ArgumentParser]
ToPath = Callable[[str], Path]
Progress = Callable[..., AbstractContextManager[Callable[[int, int], None] | None]]
Print = Callable[[Any], None]


class Keeping:
    """The commands, with what they share with the others."""

    def __init__(self, path: ToPath, progress: Progress, print_json: Print) -> None:
        """Take what the command line gives.

        Args:
            path: Turns an argument into a path.
            progress: Shows a bar on a terminal.
            print_json: Prints fields as JSON.
        """
        self._path = path
        self._progress = progress
        self._print_json = print_json

    def add_commands(self, add: Add) -> None:
        """Add the commands; `add` takes a name, what it runs and its help."""
        sync = add("sync", self.sync, "apply what changed in the documents")
        sync.add_argument("--dry-run", action="store_true", help="only tell what would change")
        sync.add_argument("--watch", action="store_true", help="go on until interrupted")
        publish = add(
            "publish", self.publish, "sync, unless the knowledge base's own questions do worse"
        )
        publish.add_argument(
            "--set",
            type=self._path,
            metavar="FOLDER",
            help="evaluation set (default: the questions saved in the knowledge base)",
        )
        publish.add_argument(
            "--tolerance",
            type=_share,
            default=PUBLISHING_TOLERANCE,
            metavar="X",
            help="how much hit@1 and coverage may fall, 0 to 1 (default: %(default)s)",
        )
        publish.add_argument(
            "--force", action="store_true", help="publish all the same; the history says so"
        )
        for command in (sync, publish):
            command.add_argument(
                "corpus", nargs="?", type=self._path, metavar="CORPUS", help=_CORPUS
            )
            command.add_argument("--model", help=_MOVED)

        add("history", self.history, "list the generations and how they came to be")
        diff = add("diff", self.diff, "tell what changed between two generations")
        diff.add_argument(
            "generations",
            nargs="*",
            type=int,
            metavar="N",
            help="the older and the newer one (default: the last two)",
        )
        rollback = add("rollback", self.rollback, "make an older generation current again")
        rollback.add_argument(
            "generation", nargs="?", type=int, metavar="N", help="(default: the one before)"
        )
        repair = add("repair", self.repair, "find what is damaged, and make it whole again")
        repair.add_argument("--model", help=_MOVED)
        add_engine(repair, ", in place of an engine that is gone for good")
        move = add("move", self.move, "put the indexes at an engine, or back; nothing is encoded")
        add_engine(move, "")
        for command in (sync, publish, rollback, repair, move):
            add_keep(command)

        lint = add("lint", self.lint, "look for contradictions, duplicates and other doubts")
        lint.add_argument("--only", action="append", metavar="KIND", help="findings of this kind")
        lint.add_argument(
            "--set",
            type=self._path,
            metavar="FOLDER",
            help="evaluation set that should reach every entry (default: the saved questions)",
        )
        lint.add_argument("--model", help=_MOVED)
        expiring = add("expiring", self.expiring, "list what ends soon, or has ended")
        expiring.add_argument(
            "--within", type=_days, default=30, metavar="DAYS", help="(default: %(default)s)"
        )
        gaps = add("gaps", self.gaps, "group the questions that were not covered; take in answers")
        gaps.add_argument("--csv", type=self._path, metavar="FILE", help="write a table to fill in")
        gaps.add_argument(
            "--import",
            dest="filled",
            type=self._path,
            metavar="FILE",
            help="add what a filled table says to the documents",
        )
        gaps.add_argument("--log", type=self._path, metavar="FILE", help="the log of the questions")
        gaps.add_argument("--model", help=_MOVED)
        export = add("export", self.export, "write the whole knowledge base to one file")
        export.add_argument("file", type=self._path, metavar="FILE", help="a .jsonl or .xlsx file")
        taken = add("import", self.take, "build a knowledge base of such a file")
        taken.add_argument("file", type=self._path, metavar="FILE", help="what export wrote")
        taken.add_argument(
            "--model",
            help="name or folder of a sentence-transformers model (default: the default one)",
        )
        taken.add_argument(
            "--corpus",
            type=self._path,
            metavar="CORPUS",
            help="folder or file that sync is to take changes from (default: none)",
        )
        add_index(taken, otherwise="that of the export")
        add_engine(taken)
        add_keep(taken)
        for command in (lint, expiring):
            command.add_argument(
                "--lang", choices=LANGUAGES, default="en", help="of the words (default: en)"
            )

    def sync(self, options: argparse.Namespace) -> int:
        """Do `policy-qa sync`."""
        from policy_qa import keeping  # noqa: PLC0415 (a quick --help needs nothing)

        if options.dry_run:
            found = keeping.changes(options.kb, options.corpus)
            if options.json:
                self._print_json(_changes_fields(found))
            else:
                print(_changes_text(found) or "Nothing changed.")
            return _EXIT_FOUND if found else _EXIT_DONE
        if options.watch:
            return self._watch(options)
        self._synchronise(options)
        return _EXIT_DONE

    def _synchronise(self, options: argparse.Namespace) -> None:
        from policy_qa import keeping  # noqa: PLC0415

        with self._progress() as progress:
            outcome = keeping.synchronise(
                options.kb,
                options.corpus,
                model=options.model,
                keep=options.keep,
                progress=progress,
            )
        self._tell(outcome, options)

    def _watch(self, options: argparse.Namespace) -> int:
        from policy_qa import keeping  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415
        from policy_qa.storage import corpus_place, read_manifest  # noqa: PLC0415

        corpus = options.corpus or corpus_place(read_manifest(options.kb))
        print(f"Following {one_line(str(corpus))}; Ctrl+C ends it.", file=sys.stderr)

        told = ""

        def follow() -> bool:
            nonlocal told
            try:
                self._synchronise(options)
                sys.stdout.flush()
            except PolicyQAError as error:
                if told != str(error):
                    print(f"policy-qa: {one_line(str(error))}", file=sys.stderr)
                told = str(error)
                return isinstance(error, CorpusError)  # which the next change may mend
            told = ""
            return True

        keeping.watch(corpus, follow)
        return _EXIT_DONE

    def _tell(self, outcome: "Outcome", options: argparse.Namespace) -> None:
        """Print what became of a synchronisation."""
        from policy_qa.csv_tables import ALTERNATES_FILE  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415

        manifest = outcome.manifest
        if options.json:
            fields: dict[str, Any] = {
                "generation": manifest.generation if manifest else None,
                "changes": _changes_fields(outcome.changes),
            }
            if outcome.gate:
                fields["gate"] = asdict(outcome.gate) | {"passed": outcome.gate.passed}
            self._print_json(fields)
            return
        if text := _changes_text(outcome.changes):
            print(text)
        if outcome.gate:
            print(_gate_text(outcome.gate))
        if manifest and (orphaned := manifest.skipped.get(ALTERNATES_FILE)):
            print(f"policy-qa: {one_line(orphaned)}", file=sys.stderr)
        if manifest:
            print(
                f"Generation {manifest.generation} is current: {manifest.documents} documents, "
                f"{manifest.entries} entries, {manifest.passages} passages."
            )
        elif outcome.gate is None:
            print("Nothing to apply.")

    def publish(self, options: argparse.Namespace) -> int:
        """Do `policy-qa publish`."""
        from policy_qa import keeping  # noqa: PLC0415

        with self._progress() as progress:
            outcome = keeping.publish(
                options.kb,
                options.corpus,
                questions=options.set,
                tolerance=options.tolerance,
                force=options.force,
                model=options.model,
                keep=options.keep,
                progress=progress,
            )
        self._tell(outcome, options)
        if outcome.gate and not outcome.manifest:
            print(
                "policy-qa: Not published: the questions above do worse than "
                f"--tolerance {options.tolerance} allows. Mend the documents, or --force.",
                file=sys.stderr,
            )
            return _EXIT_FOUND
        return _EXIT_DONE

    def history(self, options: argparse.Namespace) -> int:
        """Do `policy-qa history`."""
        from policy_qa import keeping  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415

        events = keeping.history(options.kb)
        if options.json:
            self._print_json([asdict(event) | {"on_disk": there} for event, there in events])
            return _EXIT_DONE
        for event, there in events:
            changed = f"+{event.added} ~{event.changed} -{event.removed} documents"
            note = f"  {one_line(event.note)}" if event.note else ""
            place = "" if there else "  (not on disk any more)"
            print(
                f"{event.generation:>4}  {event.created}  {event.action:8}  "
                f"{event.entries} entries  {changed}{note}{place}"
            )
        return _EXIT_DONE

    def diff(self, options: argparse.Namespace) -> int:
        """Do `policy-qa diff`."""
        from policy_qa import keeping  # noqa: PLC0415

        if len(options.generations) > 2:
            raise InputError("diff compares two generations; give at most two numbers.")
        before, after = (*options.generations, None, None)[:2]
        found = keeping.difference(options.kb, before, after)
        if options.json:
            self._print_json(_changes_fields(found))
        else:
            print(_changes_text(found) or "Nothing differs.")
        return _EXIT_DONE

    def rollback(self, options: argparse.Namespace) -> int:
        """Do `policy-qa rollback`."""
        from policy_qa import keeping  # noqa: PLC0415

        manifest = keeping.rollback(options.kb, options.generation, options.keep)
        event = manifest.history[-1]
        if options.json:
            self._print_json(asdict(event))
        else:
            print(
                f"Generation {manifest.generation} is current: {event.note}. The documents are as "
                "they were; sync would apply them again."
            )
        return _EXIT_DONE

    def move(self, options: argparse.Namespace) -> int:
        """Do `policy-qa move`."""
        from policy_qa import keeping  # noqa: PLC0415

        with self._progress("Indexing") as progress:
            manifest = keeping.move(
                options.kb, options.engine, keep=options.keep, progress=progress
            )
        event = manifest.history[-1]
        if options.json:
            self._print_json(asdict(event))
        else:
            print(
                f"Generation {manifest.generation} is current: {manifest.passages} passages, "
                f"moved {event.note}."
            )
        return _EXIT_DONE

    def repair(self, options: argparse.Namespace) -> int:
        """Do `policy-qa repair`."""
        from policy_qa import keeping  # noqa: PLC0415

        with self._progress() as progress:
            found = keeping.repair(
                options.kb,
                model=options.model,
                keep=options.keep,
                progress=progress,
                engine=options.engine,
            )
        if options.json:
            generation = found.manifest.generation if found.manifest else None
            fields = {"generation": generation, "damaged": found.damaged, "done": found.done}
            self._print_json(fields)
        else:
            print("\n".join((*found.damaged, *found.done)) or "Nothing is damaged.")
        return _EXIT_DONE

    def lint(self, options: argparse.Namespace) -> int:
        """Do `policy-qa lint`; the exit status tells whether there is anything."""
        from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415
        from policy_qa.lint import KINDS, lint  # noqa: PLC0415
        from policy_qa.output.findings import finding_fields, findings_text  # noqa: PLC0415

        for kind in options.only or ():
            if kind not in KINDS:
                raise InputError(f"There is no kind {kind!r}. There are: {', '.join(KINDS)}.")
        with KnowledgeBase.open(options.kb, model=options.model) as kb:
            found = lint(kb, evaluation=options.set)
        if options.only:
            found = [finding for finding in found if finding.kind in options.only]
        if options.json:
            self._print_json([finding_fields(finding) for finding in found])
        else:
            print(findings_text(found, options.lang) if found else "Nothing found.")
        return _EXIT_FOUND if found else _EXIT_DONE

    def expiring(self, options: argparse.Namespace) -> int:
        """Do `policy-qa expiring`."""
        from datetime import date  # noqa: PLC0415

        from policy_qa import keeping  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415

        today = date.today()  # noqa: DTZ011 (rules go by the reader's own calendar)
        found = keeping.expiring(options.kb, options.within, today)
        if options.json:
            rows = [
                {
                    "entry": one.entry.id,
                    "question": one.question,
                    "expires": one.entry.expires and one.entry.expires.isoformat(),
                    "days": one.days,
                }
                for one in found
            ]
            self._print_json(rows)
            return _EXIT_DONE
        for one in found:
            when = f"in {one.days} days" if one.days >= 0 else f"{-one.days} days ago"
            print(f"{one.entry.expires}  {when:>14}  {one.entry.id}  {one_line(one.question)}")
        if not found:
            print(f"Nothing ends within {options.within} days.")
        return _EXIT_DONE

    def gaps(self, options: argparse.Namespace) -> int:
        """Do `policy-qa gaps`."""
        if options.filled:
            return self._take_answers(options)
        from policy_qa import gaps  # noqa: PLC0415
        from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415
        from policy_qa.query_log import QueryLog, log_file  # noqa: PLC0415
        from policy_qa.storage import write_atomically  # noqa: PLC0415

        _check_gaps(options)
        file = options.log or log_file(options.kb)
        logged = QueryLog(file).uncovered() if file and file.is_file() else []
        with KnowledgeBase.open(options.kb, model=options.model) as kb:
            left = gaps.still_open(logged, lambda query: gaps.is_covered(query, kb.ask))
            found = gaps.group(left, kb.encoder)
        if options.csv:
            try:
                write_atomically(options.csv, gaps.gaps_csv(found))
            except OSError as error:
                reason = error.strerror or str(error)
                raise StorageError(
                    f"Cannot write {options.csv}: {reason}. Give another place with --csv."
                ) from error
            print(f"Wrote {len(found)} groups to {one_line(str(options.csv))}.", file=sys.stderr)
        elif options.json:
            self._print_json([asdict(gap) for gap in found])
        else:
            for gap in found:
                print(f"{gap.times:>5}  {one_line(gap.query)}")
                for wording, times in gap.queries:
                    if wording != gap.query:
                        print(f"{'':5}    {times} × {one_line(wording)}")
            if not found:
                print("Every question on record is covered, or none is on record.")
        return _EXIT_DONE

    def _take_answers(self, options: argparse.Namespace) -> int:
        from policy_qa.gap_answers import add_to_corpus, read_filled  # noqa: PLC0415
        from policy_qa.knowledge_base import KnowledgeBase  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415
        from policy_qa.storage import corpus_place  # noqa: PLC0415

        with KnowledgeBase.open(options.kb, model=options.model) as kb:
            corpus = corpus_place(kb.manifest)
            known = [entry.id for entry in kb.entries()]
        added = add_to_corpus(read_filled(options.filled), corpus, known)
        if options.json:
            self._print_json(asdict(added))
        else:
            print(f"{_added_text(added)} Now: policy-qa sync --kb {one_line(str(options.kb))}")
        return _EXIT_DONE

    def export(self, options: argparse.Namespace) -> int:
        """Do `policy-qa export`."""
        from policy_qa.exchange.transfer import export_knowledge_base  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415

        manifest = export_knowledge_base(options.kb, options.file)
        file = one_line(str(options.file))
        print(f"Wrote {manifest.entries} entries to {file}.", file=sys.stderr)
        return _EXIT_DONE

    def take(self, options: argparse.Namespace) -> int:
        """Do `policy-qa import`."""
        from policy_qa.exchange.transfer import import_knowledge_base  # noqa: PLC0415
        from policy_qa.output import one_line  # noqa: PLC0415

        with self._progress() as progress:
            manifest = import_knowledge_base(
                options.file,
                options.kb,
                corpus=options.corpus,
                model=options.model,
                index=options.index,
                engine=options.engine,
                keep=options.keep,
                progress=progress,
            )
        if options.json:
            self._print_json({"generation": manifest.generation, "entries": manifest.entries})
        else:
            print(
                f"Built generation {manifest.generation} of {one_line(str(options.kb))}: "
                f"{manifest.documents} documents, {manifest.entries} entries, "
                f"{manifest.passages} passages."
            )
        return _EXIT_DONE


def skipped_text(skipped: Mapping[str, str]) -> str:
    """Return a line for each file that could not be read."""
    from policy_qa.output import one_line  # noqa: PLC0415

    return "\n".join(f"policy-qa: left out: {one_line(reason)}" for reason in skipped.values())


def _added_text(added: Any) -> str:
    return f"Added {added.entries} entries and {added.wordings} other wordings."


def _check_gaps(options: argparse.Namespace) -> None:
    if options.log and not options.log.is_file():
        raise InputError(f"There is no log {options.log}. Name the file of one.")
    if options.csv and options.csv.suffix.lower() != ".csv":
        raise InputError(f"{options.csv} is no .csv. Name it so.")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 5:
        raise argparse.ArgumentTypeError("give a whole number of days, from 0 to 99999")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("give a number from 0 to 1, such as 0.01")
    return share


def _changes_fields(found: "Changes") -> dict[str, Any]:
    return asdict(found)


def _changes_text(found: "Changes") -> str:
    """Return a line for each thing that changed; empty if nothing did."""
    from policy_qa.output import one_line  # noqa: PLC0415

    def names(sign: str, entries: Sequence[Any]) -> list[str]:
        return [f"    {sign} {one_line(e.id)}  {one_line(e.question)}".rstrip() for e in entries]

    lines = [f"+ {one_line(name)}" for name in found.added]
    for document in found.changed:
        lines.append(f"~ {one_line(document.id)}")
        lines += names("+", document.added)
        lines += names("~", document.changed)
        lines += names("-", document.removed)
    lines += [f"- {one_line(name)}" for name in found.removed]
    lines += ["~ lexicon.txt"] if found.lexicon else []
    lines += ["~ alternates.csv"] if found.alternates else []
    lines += [f"! {one_line(reason)} What is known of it stays." for _, reason in found.unreadable]
    return "\n".join(lines)


def _gate_text(gate: "Gate") -> str:
    from policy_qa.output import one_line  # noqa: PLC0415

    lines = [f"{gate.summary}; {len(gate.lost)} lost, {gate.gained} gained"]
    for lost in gate.lost:
        now = lost.now or "nothing"
        why = "its entry is gone" if lost.gone else f"now {now}"
        lines.append(
            f"    lost: {one_line(lost.query)}  ({one_line(lost.before or 'nothing')}; "
            f"{one_line(why)})"
        )
    return "\n".join(lines)
