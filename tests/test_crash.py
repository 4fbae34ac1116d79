"""Whatever ends a change, and whenever: the knowledge base is the old one or the new one, whole.

`make attack` kills 200 times and refuses every single write; here is a slice of it.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacking import ACTIONS, FULL, Attacker, make, report, state, write_corpus
from fakes import LetterEncoder

from policy_qa import KnowledgeBase, calibration, keeping
from policy_qa.errors import CorruptionError
from policy_qa.settings import GENERATIONS_KEPT
from policy_qa.storage import generation_numbers, read_manifest, verify, writing

KILLS = 34 if FULL else 2
"""For each of the six actions: 204 in the full run, a dozen here; those that come too late do not
count."""

POINTS = {
    "build": 60,
    "sync": 120,
    "sync-in-place": 90,
    "publish": 120,
    "rollback": 60,
    "calibrate": 8,
}
"""At how many points the slice strikes; there are some more."""

BESIDE = {
    "CURRENT",
    "calibration.json",
    "eval",
    "generations",
    "lock",
    "vectors.sqlite",
}
"""What may stand in the folder of a knowledge base at which nobody is at work."""


@pytest.fixture(scope="module")
def attacker() -> Iterator[Attacker]:
    """Return what forks processes."""
    with Attacker() as attacker:
        yield attacker


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a knowledge base of editions 1 and 2, to copy."""
    path = tmp_path_factory.mktemp("template") / "kb"
    make(path)
    return path


class Attacked:
    """A knowledge base under attack, and what it should hold."""

    def __init__(self, path: Path, attacker: Attacker) -> None:
        self.path = path
        self.attacker = attacker
        self.now = state(path)
        self.editions = {number: number for number in range(1, self.now[0] + 1)}
        self.outcomes: Counter[str] = Counter()

    def prepare(self, action: str) -> tuple[int, int]:
        """Write the next edition; return the generation and the edition that the action makes."""
        generation, _ = self.now
        calibration.remove(self.path)
        if action == "calibrate":
            return self.now
        write_corpus(self.path, max(self.editions.values()) + 1)
        if action == "rollback":
            older = [n for n in generation_numbers(self.path) if n < generation]
            return generation + 1, self.editions[older[-1]]
        return generation + 1, max(self.editions.values()) + 1

    def measured(self, action: str) -> tuple[int, float]:
        """Return how many points an action has, and how many seconds it takes.

        In the slice nothing is measured: the points are about as many as there are.
        """
        if not FULL:
            return POINTS[action], 0.0
        new = self.prepare(action)
        began = time.monotonic()
        said = self.attacker.change(action, self.path)
        seconds = time.monotonic() - began
        self.settle(action, new, said)
        self.outcomes.clear()
        return said["points"], seconds

    def settle(self, action: str, new: tuple[int, int], said: dict) -> None:
        """Check what an action that was struck left behind, and what the next one makes of it."""
        found = state(self.path)
        assert found in {self.now, new}
        if not said["killed"] and not said["error"]:
            assert found == new
        kept = calibration.load(self.path, "letters-1")
        done = kept is not None if action == "calibrate" else found == new
        if said["error"]:
            assert said["error"] == "StorageError", said["trace"]
        end = "killed" if said["killed"] else said["error"] or "finished"
        if end == "finished" and action != "calibrate":  # it removes what those killed could not
            assert len(generation_numbers(self.path)) <= GENERATIONS_KEPT
        self.outcomes[f"{end}, {'new' if done else 'old'}"] += 1
        self.now = found
        self.editions[found[0]] = found[1]
        with writing(self.path):
            pass
        self.check_clean()

    def check_clean(self) -> None:
        """Check that nothing half-made is left, and that every generation is whole."""
        assert {file.name for file in self.path.iterdir()} <= BESIDE
        assert not list(self.path.rglob("*.new"))
        names = [folder.name for folder in (self.path / "generations").iterdir()]
        numbers = generation_numbers(self.path)
        assert sorted(names) == sorted(map(str, numbers))
        assert numbers[-1] == self.now[0]
        for number in numbers:
            verify(self.path, read_manifest(self.path, number), again=True)


@pytest.fixture
def attacked(template: Path, attacker: Attacker, tmp_path: Path) -> Attacked:
    """Return a copy of a knowledge base, to be attacked."""
    path = tmp_path / "kb"
    shutil.copytree(template, path)
    shutil.copytree(template.parent / "corpus", tmp_path / "corpus")
    return Attacked(path, attacker)


@pytest.mark.parametrize("action", ACTIONS)
def test_killed(attacked, action):
    """Killed at any point, an action has made its generation whole or not at all."""
    chance = random.Random(ACTIONS.index(action))
    points, seconds = attacked.measured(action)
    number = killed = 0
    while killed < KILLS:
        number += 1
        assert number < 5 * KILLS
        new = attacked.prepare(action)
        if number % 2 and FULL:  # at a random time, in the middle of FAISS, SQLite or tantivy
            order = {"action": action, "strike": "", "at": 0}
            started = attacked.attacker.start("change", attacked.path, **order)
            time.sleep(chance.uniform(0, seconds / 2))  # the first time takes longest
            started.kill()
            answer = started.result()
        else:
            # The switch to the new generation is near the end, and as interesting as the rest.
            least, most = (points - 12, points + 30) if number % 4 == 2 else (1, points)
            at = chance.randint(least, most)
            answer = attacked.attacker.change(action, attacked.path, "kill", at)
        attacked.settle(action, new, {"error": ""} | answer)
        killed += answer["killed"] == signal.SIGKILL
    report(f"{action} killed", attacked.outcomes)


@pytest.mark.parametrize("action", ACTIONS)
def test_refused_writes(attacked, action):
    """Wherever the disk refuses, once or from then on, the error says so and all is as it was."""
    chance = random.Random(ACTIONS.index(action))
    points, _ = attacked.measured(action)
    strikes = [("error", at) for at in range(1, points + 1)]
    strikes += [("full", at) for at in range(1, points + 1, 4)]
    strikes += [("size", at) for at in (0, 1_000, 5_000, 20_000, 60_000, 100_000, 1_000_000)]
    for strike, at in strikes if FULL else chance.sample(strikes, 2):
        new = attacked.prepare(action)
        answer = attacked.attacker.change(action, attacked.path, strike, at)
        attacked.settle(action, new, answer)
    report(f"{action} refused", attacked.outcomes)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of four megabytes; skip where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if not mount or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only an administrator can mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(small_disk, template, attacker):
    """On a disk with hardly any room, an action succeeds, or says so and all is as it was."""
    shutil.copytree(template, small_disk / "kb")
    shutil.copytree(template.parent / "corpus", small_disk / "corpus")
    attacked = Attacked(small_disk / "kb", attacker)
    actions = ("sync", "publish", "rollback", "calibrate")
    for free in range(0, 100, 4) if FULL else (0, 30):
        for action in actions if FULL else actions[free // 30 :: 2]:
            new = attacked.prepare(action)
            filler = small_disk / "filler"
            filler.write_bytes(bytes(4096 * max(0, os.statvfs(small_disk).f_bavail - free)))
            answer = attacker.change(action, attacked.path)
            filler.unlink()
            attacked.settle(action, new, answer)
    report("full disk", attacked.outcomes)
    assert attacked.outcomes["StorageError, old"]


def test_a_killed_repair(attacked):
    """A repair that is killed has repaired or has not; the next one does."""
    chance = random.Random(7)
    generation, edition = attacked.now
    for _ in range(20 if FULL else 2):
        damaged = attacked.path / "generations" / str(generation) / "dense.npy"
        damaged.write_bytes(b"damaged")
        attacked.attacker.change("repair", attacked.path, "kill", chance.randint(1, 70))
        try:
            found = state(attacked.path)
        except CorruptionError as error:
            assert f"policy-qa repair --kb {attacked.path}" in str(error)  # noqa: PT017 (or none)
            assert not attacked.attacker.change("repair", attacked.path)["error"]
            found = state(attacked.path)
        assert found == (generation + 1, edition)
        generation += 1
    assert keeping.repair(attacked.path, model=LetterEncoder()).damaged == ()


@pytest.mark.parametrize("action", ["build", "sync-in-place", "rollback"])
def test_what_is_flushed_before_what(attacked, monkeypatch, action):
    """Files and folders are flushed before their generation has its name, and that before CURRENT.

    Only what is linked is not: it was flushed when it was made.
    """
    path, steps = attacked.path, []
    generation, _ = attacked.prepare(action)
    unfinished = path / "generations" / f".building-{generation}"
    final = path / "generations" / str(generation)
    rename, replace = Path.rename, Path.replace

    def renamed(self: Path, target: Path) -> Path:
        steps.append((self, target))
        return rename(self, target)

    def replaced(self: Path, target: Path) -> Path:
        steps.append((self, target))
        return replace(self, target)

    monkeypatch.setattr("policy_qa.storage._flush", steps.append)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)
    if action == "build":
        corpus = path.parent / "corpus"
        KnowledgeBase.build(corpus, path, model=LetterEncoder()).close()
    elif action == "rollback":
        keeping.rollback(path)
    else:
        keeping.synchronise(path, path.parent / "corpus", model=LetterEncoder())
    named = steps.index((unfinished, final))
    before = set(map(str, steps[:named]))
    for file in final.rglob("*"):
        place = unfinished / file.relative_to(final)
        if file.is_dir():
            assert str(place) in before
        elif file.name not in {"manifest.json", "verified.json"} and file.suffix != ".lock":
            assert str(place) in before or file.stat().st_nlink > 1
    assert steps[named - 1] == unfinished  # after its manifest has its name
    in_place, flushed, current, last = steps[named + 1 :]
    assert in_place == path / "generations"
    assert current == (flushed, path / "CURRENT")
    assert last == path


def test_a_new_place_is_flushed(tmp_path, monkeypatch):
    """The names of new folders are flushed in the folders around them."""
    flushed: list[Path] = []
    monkeypatch.setattr("policy_qa.storage._flush", flushed.append)
    with writing(tmp_path / "new" / "kb"):
        pass
    assert flushed == [tmp_path, tmp_path / "new", tmp_path / "new" / "kb"]
