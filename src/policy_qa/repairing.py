"""Make a damaged knowledge base whole again, of what is whole in it.

Every file of the generations is read, the newest one first. The first of them whose store is whole
becomes the new current generation: as it is if all of it is whole, else with indexes made anew.
Indexes at an engine are whole if it has all of their rows.
What stands beside the generations is set aside if it is damaged, and begun anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from policy_qa import calibration
from policy_qa.build import Made, remake_generation, restore_generation
from policy_qa.engines.owned import forget, owned
from policy_qa.errors import (
    CorruptionError,
    EngineError,
    FormatVersionError,
    KnowledgeBaseError,
    KnowledgeBaseNotFound,
    LostRowsError,
)
from policy_qa.evaluation import hit_tests
from policy_qa.indexing import Progress
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.query_log import LOG_FILE, QueryLog
from policy_qa.storage import (
    CHANGES_FILE,
    ENGINE_ID_FILE,
    STORE_FILE,
    VECTORS_FILE,
    Event,
    Manifest,
    build_command,
    damaged_files,
    generation_folder,
    generation_manifest,
    generation_numbers,
    read_manifest,
    writing,
)
from policy_qa.types import Encoder
from policy_qa.vector_cache import vectors_are_whole

ASIDE: Final = ".damaged"
"""What is added to the name of a file that was set aside."""

_STORES: Final = {STORE_FILE, CHANGES_FILE}


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was wrong with a knowledge base, and what was done; false if nothing was wrong.

    Attributes:
        damaged: What is wrong with which file, a sentence each.
        done: What was done, a sentence each, in order.
        manifest: Of the new generation; None if the current one is whole.
    """

    damaged: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    manifest: Manifest | None = None

    def __bool__(self) -> bool:
        return bool(self.damaged)


@dataclass(frozen=True, slots=True)
class _Found:
    """A generation whose store is whole.

    Attributes:
        manifest: Of it.
        is_whole: Whether its indexes are, too.
        is_current: Whether `CURRENT` names it, and is right.
    """

    manifest: Manifest
    is_whole: bool
    is_current: bool


def repaired(
    path: Path,
    *,
    model: str | Encoder | None,
    keep: int,
    progress: Progress | None,
    engine: str | None = None,
) -> Repaired:
    """Do what `keeping.repair` says, with its arguments and errors."""
    found, damaged, newest = _newest_whole(path, any_trouble=engine is not None)
    aside, done = _set_aside(path)
    damaged += aside
    if found.is_current and found.is_whole:
        return Repaired(tuple(damaged), tuple(done))
    history = _history(path, found, newest)
    number = found.manifest.generation
    if found.is_whole:
        made = Made("repair", keep=keep)
        manifest = restore_generation(path, newest, found.manifest, made=made, history=history)
        how = f"is what generation {number} held"
    else:
        note = f"of the store of generation {number}"
        manifest = remake_generation(
            found.manifest,
            path,
            KnowledgeBase.encoder_for(path, found.manifest, model),
            newest=newest,
            made=Made("repair", keep=keep, approve=lambda *_: note),
            history=history,
            progress=progress,
            engine=engine,
        )
        if engine is not None and found.manifest.engine not in {"", engine}:
            with writing(path):
                forget(path, found.manifest.engine)
        how = f"was made of the store of generation {number}"
    done.append(f"Generation {manifest.generation} is current; it {how}.")
    if not found.is_current:
        done.append("If anything came after that, policy-qa sync takes it from the corpus again.")
    return Repaired(tuple(damaged), tuple(done), manifest)


def _newest_whole(path: Path, *, any_trouble: bool) -> tuple[_Found, list[str], int]:
    """Return the newest generation with a whole store, what is damaged, the newest's number.

    Where nothing says which one is current, the newest one counts as such.

    Args:
        path: The knowledge base.
        any_trouble: Whether an engine that cannot be used has lost what it had.
    """
    wrong: list[str] = []
    current = 0
    try:
        current = read_manifest(path).generation
    except (FormatVersionError, KnowledgeBaseNotFound):
        raise
    except CorruptionError as error:
        wrong.append(_without_way_out(error))
    numbers = [n for n in generation_numbers(path) if not current or n <= current]
    for number in reversed(numbers):
        try:
            manifest = generation_manifest(path, number)
        except KnowledgeBaseError as error:
            said = _without_way_out(error)
            wrong += [said] if said not in wrong else []
            continue
        bad = damaged_files(path, manifest)
        folder = generation_folder(path, number)
        wrong += [f"{folder / name} {what}." for name, what in bad.items()]
        if not _STORES & bad.keys():
            lost = "" if bad else _lost(manifest, folder, any_trouble=any_trouble)
            wrong += [lost] if lost else []
            return _Found(manifest, not (bad or lost), number == current), wrong, numbers[-1]
    raise CorruptionError(
        f"Nothing of {path} is whole: {wrong[0] if wrong else 'it has no generation.'} "
        f"Build it again: {build_command(path)}"
    )


def _lost(manifest: Manifest, folder: Path, *, any_trouble: bool) -> str:
    """Return what an engine has lost of a generation's indexes; empty if nothing, or none has any.

    Raises:
        EngineError: If it cannot be used, unless that is as good as lost.
    """
    if not manifest.engine:
        return ""
    from policy_qa.engines.indexes import open_indexes  # noqa: PLC0415 (few have one)

    try:
        open_indexes(manifest, folder).close()
    except EngineError as error:
        if not any_trouble and not isinstance(error, LostRowsError):
            raise
        return _without_way_out(error)
    return ""


def _history(path: Path, found: _Found, newest: int) -> Sequence[Event]:
    """Return how the generations came to be, as the newest manifest tells it."""
    for number in range(newest, found.manifest.generation, -1):
        try:
            return generation_manifest(path, number).history
        except KnowledgeBaseError:
            continue
    return found.manifest.history


def _without_way_out(error: Exception) -> str:
    said = str(error)
    for way_out in (" Repair it: ", " Build it again: ", " Index it again: ", " Start it, or "):
        said, _, _ = said.partition(way_out)
    return said


def _set_aside(path: Path) -> tuple[list[str], list[str]]:
    """Set aside what is damaged beside the generations; return what, and what that means."""
    checks: dict[str, tuple[Callable[[Path], bool], str]] = {
        calibration.CALIBRATION_FILE: (
            _loads(lambda: calibration.load(path, "")),
            "Confidence is the general one; policy-qa calibrate corrects it again.",
        ),
        hit_tests.HIT_TEST_FILE: (
            _loads(lambda: hit_tests.last(path)),
            "The next test is kept again.",
        ),
        LOG_FILE: (
            _log_is_whole,
            "A new log of questions is begun; delete the old one if nobody needs it.",
        ),
        ENGINE_ID_FILE: (
            _loads(lambda: owned(path)),
            "What it had made at an engine stays there until somebody drops it.",
        ),
        VECTORS_FILE: (vectors_are_whole, "Its vectors are made again when they are needed."),
    }
    damaged, done = [], []
    for name, (is_whole, meaning) in checks.items():
        file = path / name
        if file.exists() and not is_whole(file):
            with writing(path):
                _move(file)
            damaged.append(f"{file} is damaged.")
            done.append(f"{name} is set aside as {name}{ASIDE}. {meaning}")
    return damaged, done


def _loads(load: Callable[[], object]) -> Callable[[Path], bool]:
    def is_whole(_: Path) -> bool:
        try:
            load()
        except CorruptionError:
            return False
        return True

    return is_whole


def _log_is_whole(file: Path) -> bool:
    with QueryLog(file) as log:
        return log.is_whole()


def _move(file: Path) -> None:
    """Set a file aside, with those that SQLite has beside it."""
    for name in (file.name, *(f"{file.name}-{kind}" for kind in ("journal", "wal", "shm"))):
        place = file.with_name(name)
        if place.exists():
            place.replace(file.with_name(f"{name}{ASIDE}"))
