"""Readers during syncs, and two writers: nobody sees half of anything, nobody is misled."""

import errno
import json
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacking import FULL, Attacker, Started, make, report, state, write_corpus
from fakes import LetterEncoder

from policy_qa import KnowledgeBase, keeping
from policy_qa.errors import CorruptionError, LockedError
from policy_qa.storage import generation_folder, read_manifest, with_current, writing

SECONDS, SYNCS = (60, 20) if FULL else (0, 4)
"""How long there are syncs, and how many at least."""

PROCESSES, THREADS = (16, 2) if FULL else (3, 3)


@pytest.fixture(scope="module")
def attacker() -> Iterator[Attacker]:
    """Return what forks processes."""
    with Attacker() as attacker:
        yield attacker


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    """Return a knowledge base of one generation, which is of edition 1."""
    path = tmp_path / "kb"
    make(path, 1)
    return path


def synchronise(path: Path, edition: int, keep: int) -> None:
    """Make the generation of that number, of the edition of that number."""
    corpus = write_corpus(path, edition)
    keeping.synchronise(path, corpus, model=LetterEncoder(), keep=keep)


@pytest.mark.parametrize("keep", [1, 5] if FULL else [1])
def test_readers_during_syncs(kb, attacker, keep):
    """Readers in processes and threads during syncs: no error, every answer from one generation.

    Also where each sync removes the generation before, which readers are just opening.
    """
    stop, ready = kb.parent / "stop", kb.parent / "ready"
    order = {"stop": str(stop), "ready": str(ready), "threads": THREADS}
    readers = [attacker.start("read", kb, **order) for _ in range(PROCESSES)]
    await_file(ready)
    end = time.monotonic() + SECONDS
    generation = 1
    while generation <= SYNCS or time.monotonic() < end:
        generation += 1
        synchronise(kb, generation, keep)
    stop.touch()
    counts: Counter[str] = Counter(syncs=generation - 1)
    seen: set[int] = set()
    for reader in readers:
        said = reader.result()
        assert said["wrong"] == []
        assert said["opened"]
        counts.update({name: said[name] for name in ("opened", "answers")})
        seen |= {*said["generations"]}
    counts["generations seen"] = len(seen)
    report(f"{PROCESSES} processes of {THREADS} threads, {keep} generations kept", counts)
    assert len(seen) > 1
    assert state(kb) == (generation, generation)


@pytest.mark.parametrize("when", ["named", "read"])
def test_a_manifest_that_is_removed_while_it_is_read(kb, monkeypatch, when):
    """A generation that goes between CURRENT and its manifest is no damage: the next is read."""
    read = Path.read_bytes if when == "read" else Path.read_text
    name = "manifest.json" if when == "read" else "CURRENT"
    synced = []

    def slowly(self: Path, *arguments: str, **options: str) -> str | bytes:
        if self.name == name and not synced:
            synced.append(True)
            before = read(self, *arguments, **options) if when == "named" else b""
            synchronise(kb, 2, 1)
            return before if when == "named" else read(self)
        return read(self, *arguments, **options)

    monkeypatch.setattr(Path, read.__name__, slowly)
    assert read_manifest(kb).generation == 2


def test_what_is_used_is_used_again_only_if_it_was_removed(kb):
    """Damage is told at once; a generation that was replaced is left for the newer one."""
    used = []

    def use(manifest) -> int:
        used.append(manifest.generation)
        if len(used) < 3:
            synchronise(kb, len(used) + 1, 1)
            raise CorruptionError("gone")
        return manifest.generation

    assert with_current(kb, use) == 3
    assert used == [1, 2, 3]

    def damaged(_: object) -> None:
        raise CorruptionError("damaged")

    with pytest.raises(CorruptionError, match="damaged"):
        with_current(kb, damaged)


def test_what_readers_leave_behind_is_not_taken_along(kb):
    """A reader's own files in a generation, and those of one that was killed, are no part of it."""
    folder = generation_folder(kb, 1)
    (folder / "verified.json.4711-1.new").write_text("{", encoding="utf-8")
    (folder / "lexical" / "stray").write_text("stray", encoding="utf-8")
    synchronise(kb, 2, 5)
    files = read_manifest(kb).files
    assert not [name for name in files if "new" in name or "stray" in name]
    assert not list(kb.rglob("*.new"))


# --- Two writers.


def holding(attacker: Attacker, kb: Path, seconds: float = 30) -> Started:
    """Return a process that has the write lock."""
    ready = kb.parent / "ready"
    ready.unlink(missing_ok=True)
    holder = attacker.start("hold", kb, seconds=seconds, ready=str(ready))
    await_file(ready)
    return holder


def await_file(file: Path) -> None:
    """Wait until another process has made a file."""
    while not file.exists():
        time.sleep(0.01)


def test_a_second_writer_is_told_who_writes(kb, attacker):
    """Whoever cannot write is told which process on which host does, and since when."""
    holder = holding(attacker, kb)
    told = (
        rf"^Another process is writing to the knowledge base at {kb}\. It is process {holder.pid} "
        rf"on {re.escape(socket.gethostname())}, since \d{{4}}-.*\. Try again when it is done\.$"
    )
    with pytest.raises(LockedError, match=told):
        synchronise(kb, 2, 5)
    holder.kill()
    holder.result()
    assert state(kb) == (1, 1)


def test_the_lock_of_a_dead_process(kb, attacker):
    """A writer that was killed holds nothing; the next one takes over, and is named instead."""
    holder = holding(attacker, kb)
    holder.kill()
    assert holder.result()["killed"]
    left = json.loads((kb / "lock.holder").read_text("utf-8"))
    assert left["pid"] == holder.pid
    with writing(kb):
        assert json.loads((kb / "lock.holder").read_text("utf-8"))["pid"] == os.getpid()
        assert attacker.change("calibrate", kb)["message"].startswith(
            f"Another process is writing to the knowledge base at {kb}. It is "
            f"process {os.getpid()} on "
        )
    assert not (kb / "lock.holder").exists()
    synchronise(kb, 2, 5)


@pytest.mark.parametrize(
    "left",
    [b"", b"\xff", b"[]", b'{"pid": "x", "host": "", "since": ""}', b"gone", b"dead", b"huge"],
)
def test_a_holder_that_is_not_known(kb, left):
    """A file of the holder that is damaged, missing or of a dead process misleads nobody."""
    file = kb / "lock.holder"
    dead = {"host": socket.gethostname(), "since": "2026", "pid": 2**22 + 1}
    with writing(kb):
        if left == b"gone":
            file.unlink()
        elif left in {b"dead", b"huge"}:
            file.write_text(json.dumps(dead | ({"pid": 2**99} if left == b"huge" else {})))
        else:
            file.write_bytes(left)
        with pytest.raises(LockedError, match=rf"at {kb}\. Try again when it is done\.$"):
            synchronise(kb, 2, 5)


def test_a_lock_without_room_for_its_holder(kb, monkeypatch):
    """Where the holder's name cannot be written, the lock holds all the same."""
    write_text = Path.write_text

    def full(self: Path, *arguments: str, **options: str) -> int:
        if self.name == "lock.holder":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_text(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with writing(kb), pytest.raises(LockedError, match=rf"at {kb}\. Try again"):
        synchronise(kb, 2, 5)
    synchronise(kb, 2, 5)


def test_writers_at_the_same_time(kb, attacker):
    """Of several builds at once one at a time succeeds; the others are told; nothing is lost."""
    order = {"action": "build", "strike": "", "at": 0}
    writers = [attacker.start("change", kb, **order) for _ in range(4)]
    said = [writer.result() for writer in writers]
    built = [one for one in said if not one["error"]]
    assert built
    assert {one["error"] for one in said} <= {"", "LockedError"}
    assert state(kb) == (1 + len(built), 1)
    with KnowledgeBase.open(kb, model=LetterEncoder()) as reader:
        assert [event.generation for event in reader.manifest.history] == [
            *range(1, len(built) + 2)
        ]
