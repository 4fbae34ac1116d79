"""Make a damaged knowledge base whole again, of what is whole in it.

Every file of the generations is read. The newest of them whose store is whole becomes the new
current generation: as it is if all of it is whole, else with indexes made anew. Indexes at an
engine are whole if it has all of their rows. Damaged generations are set aside, so that nobody goes
back to one; what stands beside the generations is, too, and is begun anew.
"""

import shutil
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
    LockedError,
    LostRowsError,
    StorageError,
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
class _Examined:
    """A generation, all of it read.

    Attributes:
        number: Of it.
        manifest: Of it; None if that is damaged.
        wrong: What is wrong with it, a sentence each.
        has_store: Whether its store is whole.
    """

    number: int
    manifest: Manifest | None
    wrong: tuple[str, ...]
    has_store: bool


def repaired(
    path: Path,
    *,
    model: str | Encoder | None,
    keep: int,
    progress: Progress | None,
    engine: str | None = None,
) -> Repaired:
    """Do what `keeping.repair` says, with its arguments and errors."""
    current, damaged = _current(path)
    examined = [
        _examined(path, number)
        for number in reversed(generation_numbers(path))
        if not current or number <= current
    ]
    for one in examined:
        damaged += [said for said in one.wrong if said not in damaged]
    best = next((one for one in examined if one.has_store), None)
    if best is None or best.manifest is None:
        raise CorruptionError(
            f"Nothing of {path} is whole: {damaged[0] if damaged else 'it has no generation.'} "
            f"Build it again: {build_command(path)}"
        )
    lost = "" if best.wrong else _lost(path, best.manifest, any_trouble=engine is not None)
    aside, done = _set_aside(path)
    damaged += [said for said in (lost, *aside) if said]
    bad = [one.number for one in examined if one.wrong]
    keep += len(bad)  # they are set aside, and take nobody's place
    manifest = None
    if best.number != current or best.wrong or lost:
        history, newest = _history(examined), examined[0].number
        if not (best.wrong or lost):
            made = Made("repair", keep=keep)
            manifest = restore_generation(path, newest, best.manifest, made=made, history=history)
            how = f"is what generation {best.number} held"
        else:
            note = f"of the store of generation {best.number}"
            manifest = remake_generation(
                best.manifest,
                path,
                KnowledgeBase.encoder_for(path, best.manifest, model),
                newest=newest,
                made=Made("repair", keep=keep, approve=lambda *_: note),
                history=history,
                progress=progress,
                engine=engine,
            )
            if engine is not None and best.manifest.engine not in {"", engine}:
                with writing(path):
                    forget(path, best.manifest.engine)
            how = f"was made of the store of generation {best.number}"
        done.append(f"Generation {manifest.generation} is current; it {how}.")
        if best.number != current:
            done.append(
                "If anything came after that, policy-qa sync takes it from the corpus again."
            )
    done += _set_generations_aside(path, bad)
    return Repaired(tuple(damaged), tuple(done), manifest)


def _current(path: Path) -> tuple[int, list[str]]:
    """Return the number of the current generation; 0 and why if nothing says so any more."""
    try:
        return read_manifest(path).generation, []
    except (FormatVersionError, KnowledgeBaseNotFound):
        raise
    except CorruptionError as error:
        return 0, [_without_way_out(error)]


def _examined(path: Path, number: int) -> _Examined:
    try:
        manifest = generation_manifest(path, number)
    except FormatVersionError:  # no damage, and nothing that this program could go back to
        return _Examined(number, None, (), has_store=False)
    except KnowledgeBaseError as error:
        return _Examined(number, None, (_without_way_out(error),), has_store=False)
    bad = damaged_files(path, manifest)
    folder = generation_folder(path, number)
    wrong = tuple(f"{folder / name} {what}." for name, what in bad.items())
    return _Examined(number, manifest, wrong, has_store=not _STORES & bad.keys())


def _lost(path: Path, manifest: Manifest, *, any_trouble: bool) -> str:
    """Return what an engine has lost of a generation's indexes; empty if nothing, or none has any.

    Args:
        path: The knowledge base.
        manifest: Of the generation.
        any_trouble: Whether an engine that cannot be used has lost what it had.

    Raises:
        EngineError: If it cannot be used, unless that is as good as lost.
    """
    if not manifest.engine:
        return ""
    from policy_qa.engines.indexes import open_indexes  # noqa: PLC0415 (few have one)

    try:
        open_indexes(manifest, generation_folder(path, manifest.generation)).close()
    except EngineError as error:
        if not any_trouble and not isinstance(error, LostRowsError):
            raise
        return _without_way_out(error)
    return ""


def _history(examined: Sequence[_Examined]) -> Sequence[Event]:
    """Return how the generations came to be, as the newest manifest that can be read tells it."""
    return next((one.manifest.history for one in examined if one.manifest), ())


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


def _set_generations_aside(path: Path, numbers: Sequence[int]) -> list[str]:
    """Set damaged generations aside, when another one is current; return what was done."""
    if not numbers:
        return []
    done = []
    try:
        with writing(path):
            for number in numbers:
                folder = generation_folder(path, number)
                aside = folder.with_name(f"{folder.name}{ASIDE}")
                if folder.is_dir():  # else it went when the new one came
                    shutil.rmtree(aside, ignore_errors=True)
                    folder.replace(aside)
                    done.append(
                        f"Generation {number} is set aside as {aside}; delete it if nobody needs "
                        "it."
                    )
    except (LockedError, StorageError) as error:  # what was done before is to be told all the same
        done.append(f"Damaged generations stay where they are: {error}")
    return done


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
