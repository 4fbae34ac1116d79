"""What its keeper does to a knowledge base as a whole: follow the corpus, check, go back."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from policy_qa.build import Made, change_generation, move_generation, restore_generation
from policy_qa.changes import Changes, differences, plan
from policy_qa.corpus import SPECIAL_FILES, Corpus
from policy_qa.engines.address import EMBEDDED, checked
from policy_qa.errors import CorpusError, CorruptionError, InputError
from policy_qa.evaluation.gate import Gate, gate
from policy_qa.evaluation.saved_cases import EVAL_FOLDER
from policy_qa.evaluation.sets import load_evaluation_set
from policy_qa.indexing import Progress
from policy_qa.knowledge_base import KnowledgeBase, check_text
from policy_qa.repairing import Repaired, repaired
from policy_qa.settings import GENERATIONS_KEPT, PUBLISHING_TOLERANCE
from policy_qa.storage import (
    CHANGES_FILE,
    STORE_FILE,
    Event,
    Manifest,
    corpus_place,
    generation_folder,
    generation_numbers,
    read_manifest,
    unreadable,
    verify,
    with_current,
)
from policy_qa.store import Store
from policy_qa.types import Encoder, Entry

WATCHED_SECONDS: Final = 2.5
"""Between two looks at a folder that is followed: a change is taken up when it has not gone on for
as long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a knowledge base that was to follow its corpus.

    Attributes:
        changes: How the corpus differed.
        manifest: Of the new generation; None if there is none.
        gate: What an evaluation says of the new generation; None if it was not asked.
    """

    changes: Changes
    manifest: Manifest | None = None
    gate: Gate | None = None


class _Refused(Exception):  # noqa: N818 (ends a generation, no error)
    """Ends a generation that is not to become current."""


def changes(path: Path, corpus: Path | None = None) -> Changes:
    """Return how the corpus differs from what the current generation holds of it.

    Args:
        path: The knowledge base.
        corpus: Where it stands; None if it stands where it stood at the build.

    Raises:
        CorpusError: If the corpus is missing or empty.
        KnowledgeBaseError: If the knowledge base cannot be read.
    """
    manifest, store = open_store(path)
    with closing(store):
        return plan(store, manifest, corpus or corpus_place(manifest)).changes


def synchronise(
    path: Path,
    corpus: Path | None = None,
    *,
    model: str | Encoder | None = None,
    keep: int = GENERATIONS_KEPT,
    progress: Progress | None = None,
) -> Outcome:
    """Make what the corpus holds now the current generation.

    Only what changed is read and encoded. Whoever has the knowledge base open goes on with the
    generation that it had.

    Args:
        path: The knowledge base.
        corpus: Where it stands; None if it stands where it stood at the build.
        model: The model of the build, if its name or folder changed since.
        keep: Generations that stay on disk, the new one included.
        progress: Told how many passages are indexed, and how many there are.

    Raises:
        CorpusError: If the corpus is missing or empty.
        EncoderError: If the encoder cannot be loaded.
        KnowledgeBaseError: If the knowledge base cannot be used, or another process is writing.
        StorageError: If the disk is full or refuses to be written.
    """
    return _follow(path, corpus, Made("sync", keep=keep), model, progress)


def publish(
    path: Path,
    corpus: Path | None = None,
    *,
    questions: Path | None = None,
    tolerance: float = PUBLISHING_TOLERANCE,
    force: bool = False,
    model: str | Encoder | None = None,
    keep: int = GENERATIONS_KEPT,
    progress: Progress | None = None,
) -> Outcome:
    """Synchronise, if the questions of an evaluation set are answered as well as before.

    Args:
        path: The knowledge base.
        corpus: Where it stands; None if it stands where it stood at the build.
        questions: The evaluation set; None for the questions saved in the knowledge base.
        tolerance: By how much hit@1 and coverage may fall, 0 to 1.
        force: Whether to publish whatever the evaluation says; the history tells of it.
        model: The model of the build, if its name or folder changed since.
        keep: Generations that stay on disk, the new one included.
        progress: Told how many passages are indexed, and how many there are.

    Returns:
        What became of it: a gate that is not passed, and no manifest, if it was refused.

    Raises:
        CorpusError: If the corpus is missing or empty.
        EncoderError: If the encoder cannot be loaded.
        EvaluationError: If the evaluation set cannot be used.
        InputError: If there is none.
        KnowledgeBaseError: If the knowledge base cannot be used, or another process is writing.
        StorageError: If the disk is full or refuses to be written.
    """
    folder = questions or path / EVAL_FOLDER
    if not folder.is_dir():
        raise InputError(
            f"There is no evaluation set at {folder}. Save questions on the page's test view, or "
            "name a set with --set; policy-qa sync goes without."
        )
    evaluation_set = load_evaluation_set(folder)
    encoder = KnowledgeBase.encoder_for(path, read_manifest(path), model)
    seen: list[Gate] = []

    def approve(manifest: Manifest, unpublished: Path) -> str:
        with (
            KnowledgeBase.open(path, model=encoder) as current,
            KnowledgeBase(path, manifest, encoder, folder=unpublished) as candidate,
        ):
            found = gate(evaluation_set, current, candidate, tolerance)
        seen.append(found)
        if not found.passed and not force:
            raise _Refused
        return f"{found.summary}{'' if found.passed else '; forced'}"

    made = Made("publish", keep=keep, approve=approve)
    outcome = _follow(path, corpus, made, encoder, progress)
    return replace(outcome, gate=seen[0] if seen else None)


def _follow(
    path: Path,
    corpus: Path | None,
    made: Made,
    model: str | Encoder | None,
    progress: Progress | None,
) -> Outcome:
    manifest, store = open_store(path)
    with closing(store):
        planned = plan(store, manifest, corpus or corpus_place(manifest))
        found = planned.changes
        if not found.apply:
            return Outcome(found)
        made = replace(
            made,
            added=len(found.added),
            changed=len(found.changed),
            removed=len(found.removed),
        )
        new = None
        with contextlib.suppress(_Refused):
            new = change_generation(
                manifest,
                path,
                KnowledgeBase.encoder_for(path, manifest, model),
                planned.source,
                removed=planned.removed,
                documents=planned.documents,
                made=made,
                progress=progress,
            )
    return Outcome(found, new)


def open_store(path: Path, generation: int | None = None) -> tuple[Manifest, Store]:
    """Return a generation's manifest and its store, whole."""

    def opened(manifest: Manifest) -> tuple[Manifest, Store]:
        verify(path, manifest)
        folder = generation_folder(path, manifest.generation)
        try:
            return manifest, Store(folder / STORE_FILE, folder / CHANGES_FILE)
        except sqlite3.Error as error:
            raise unreadable(path, manifest, error) from error

    if generation is None:
        return with_current(path, opened)
    return opened(read_manifest(path, generation))


def watch(
    corpus: Path,
    changed: Callable[[], bool],
    *,
    seconds: float = WATCHED_SECONDS,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Call whenever a file of a corpus has changed, and once at the beginning.

    Args:
        corpus: The folder or file; it may be gone for a while.
        changed: Called when no file has changed any further between two looks; whether that is
            done, or is to be tried again after the next look.
        seconds: Between two looks.
        until: Whether to stop.
    """
    done: object = None
    before: object = None
    while not until():
        now = _stamps(corpus)
        if now == before and now != done:
            done = now if changed() else None
        before = now
        time.sleep(seconds)


def _stamps(corpus: Path) -> dict[str, tuple[int, int]]:
    """Return the size and the time of change of all that is read of a corpus."""
    stamps = {}
    with contextlib.suppress(CorpusError):
        places = [file.path for file in Corpus(corpus).files]
        for place in [*places, *(corpus / name for name in SPECIAL_FILES)]:
            with contextlib.suppress(OSError):
                status = place.stat()
                stamps[str(place)] = status.st_size, status.st_mtime_ns
    return stamps


def history(path: Path) -> list[tuple[Event, bool]]:
    """Return how the generations came to be, the oldest first, and whether each is on disk."""
    there = {*generation_numbers(path)}
    return [(event, event.generation in there) for event in read_manifest(path).history]


def rollback(path: Path, generation: int | None = None, keep: int = GENERATIONS_KEPT) -> Manifest:
    """Make what an older generation holds current again, as a new generation.

    Args:
        path: The knowledge base.
        generation: Its number; None for the newest before the current one that is whole.
        keep: Generations that stay on disk, the new one included.

    Raises:
        InputError: If it is the current one, or there is none before.
        EngineError: If its indexes stand at an engine that cannot be used, or has lost them.
        KnowledgeBaseError: If it is not there any more, is damaged, or was made by another version.
        StorageError: If the disk is full or refuses to be written.
    """
    current = read_manifest(path)
    older = [n for n in generation_numbers(path) if n < current.generation]
    if generation == current.generation:
        raise InputError(f"Generation {generation} of {path} is the current one.")
    if generation is not None:
        wanted = _whole(path, generation)
    elif older:
        wanted = _newest_whole(path, older[::-1])
    else:
        raise InputError(f"There is no generation of {path} before the current one.")
    check_text(path, wanted)
    if wanted.engine:
        from policy_qa.engines.indexes import open_indexes  # noqa: PLC0415 (few have one)

        open_indexes(wanted, generation_folder(path, wanted.generation)).close()
    made = Made("rollback", keep=keep)
    return restore_generation(path, current.generation, wanted, made=made, history=current.history)


def _whole(path: Path, generation: int) -> Manifest:
    """Return the manifest of a generation of which every byte was read."""
    manifest = read_manifest(path, generation)
    verify(path, manifest, again=True)
    return manifest


def _newest_whole(path: Path, generations: Sequence[int]) -> Manifest:
    """Return the manifest of the first of some generations that is not damaged.

    Raises:
        CorruptionError: If all are; names what is wrong with the first.
    """
    damaged: list[CorruptionError] = []
    for generation in generations:
        try:
            return _whole(path, generation)
        except CorruptionError as error:
            damaged.append(error)
    raise damaged[0]


def repair(
    path: Path,
    *,
    model: str | Encoder | None = None,
    keep: int = GENERATIONS_KEPT,
    progress: Progress | None = None,
    engine: str | None = None,
) -> Repaired:
    """Find what is damaged in a knowledge base, and make it whole again; see `repairing`.

    Args:
        path: The knowledge base.
        model: The model of the build, if its name or folder changed since; only used if indexes are
            made anew.
        keep: Generations that stay on disk, the new one included.
        progress: Told how many passages are indexed, and how many there are.
        engine: Where indexes that an engine has lost are made anew, an address or `embedded`; if
            None, there. If given, an engine that does not answer counts as gone for good.

    Raises:
        CorruptionError: If no generation has a whole store; says to build again.
        EncoderError: If indexes are to be made anew and the encoder cannot be loaded.
        EngineError: If an engine that has the indexes, or is to have them, cannot be used.
        InputError: If the engine's address is none.
        KnowledgeBaseError: If there is none, another version made it, or another process is
            writing.
        StorageError: If the disk is full or refuses to be written.
    """
    url = None if engine is None else checked(engine)
    return repaired(path, model=model, keep=keep, progress=progress, engine=url)


def move(
    path: Path, engine: str, *, keep: int = GENERATIONS_KEPT, progress: Progress | None = None
) -> Manifest:
    """Have the indexes of a knowledge base stand in another place; nothing is encoded.

    Args:
        path: The knowledge base.
        engine: The address of the engine that is to hold them, or `embedded`.
        keep: Generations that stay on disk, the new one included.
        progress: Told how many passages are indexed, and how many there are.

    Raises:
        EngineError: If the engine that has them, or is to, cannot be used.
        InputError: If the address is none, or they stand there.
        KnowledgeBaseError: If the knowledge base cannot be used, or another process is writing.
        StorageError: If the disk is full or refuses to be written.
    """
    url = checked(engine)
    manifest, store = open_store(path)
    store.close()
    check_text(path, manifest)
    if manifest.engine == url:
        raise InputError(f"The indexes of {path} stand at {url or EMBEDDED} already.")
    return move_generation(manifest, path, url, keep=keep, progress=progress)


def difference(path: Path, before: int | None = None, after: int | None = None) -> Changes:
    """Return what changed between two generations.

    Args:
        path: The knowledge base.
        before: The number of the one; None for the one before the other.
        after: The number of the other; None for the current one.

    Raises:
        InputError: If there is none before.
        KnowledgeBaseError: If one is not there any more, or is damaged.
    """
    manifest, new = open_store(path, after)
    with closing(new):
        if before is None:
            older = [n for n in generation_numbers(path) if n < manifest.generation]
            if not older:
                raise InputError(f"There is no generation of {path} before {manifest.generation}.")
            before = older[-1]
        _, old = open_store(path, before)
        with closing(old):
            return differences(old, new)


@dataclass(frozen=True, slots=True)
class Expiring:
    """An entry whose last day is near, or over.

    Attributes:
        entry: The entry.
        question: Its question in its own words; empty where it has none.
        days: From today to its last day; negative if that is over.
    """

    entry: Entry
    question: str
    days: int


def expiring(path: Path, within: int, today: date) -> list[Expiring]:
    """Return the entries that do not hold any more after so many days, the soonest first."""
    _, store = open_store(path)
    with closing(store):
        found = [
            Expiring(entry, question, (entry.expires - today).days)
            for entry, question in store.entries()
            if entry.expires and entry.expires <= today + timedelta(within)
        ]
    return sorted(found, key=lambda one: one.days)
