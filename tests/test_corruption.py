"""Damage is never believed: it is named, with what repairs it, and the repair says what it did."""

import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from attacking import FULL, QUERIES, check_answer, edition_of, make, state, write_corpus
from fakes import LetterEncoder

from policy_qa import KnowledgeBase, KnowledgeBaseError, StorageError, calibration, keeping
from policy_qa.build import restore_generation
from policy_qa.cli import main
from policy_qa.confidence import Calibration
from policy_qa.errors import (
    CorruptionError,
    EncoderMismatchError,
    FormatVersionError,
    KnowledgeBaseNotFound,
    LockedError,
)
from policy_qa.evaluation import hit_tests
from policy_qa.query_log import QueryLog
from policy_qa.repairing import ASIDE
from policy_qa.storage import (
    generation_folder,
    generation_numbers,
    read_manifest,
    verify,
    writing,
)

STORE = "store.sqlite"
FILES = (
    "CURRENT",
    "manifest.json",
    STORE,
    "dense.npy",
    "centres.npz",
    *(
        f"{folder}/{name}"
        for folder in ("lexical", "lexical-entries")
        for name in (
            ".managed.json",
            "forward.npy",
            "forward.u32",
            "meta.json",
            "*.fast",
            "*.fieldnorm",
            "*.idx",
            "*.pos",
            "*.store",
            "*.term",
        )
    ),
)
KINDS = ("flipped", "truncated", "swapped", "deleted", "emptied", "grown")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a knowledge base of editions 1 and 2, to copy."""
    path = tmp_path_factory.mktemp("template") / "kb"
    make(path)
    return path


@pytest.fixture
def kb(template: Path, tmp_path: Path) -> Path:
    """Return a copy of a knowledge base that was opened once."""
    path = tmp_path / "kb"
    shutil.copytree(template, path)
    shutil.copytree(template.parent / "corpus", tmp_path / "corpus")
    assert state(path) == (2, 2)
    return path


def located(path: Path, name: str, generation: int = 2) -> Path:
    """Return a generation's file of that name."""
    if name == "CURRENT":
        return path / name
    (file,) = generation_folder(path, generation).glob(name)
    return file


def damage(path: Path, name: str, kind: str = "flipped") -> Path:
    """Damage a file of the current generation, its time of change as it was; return it."""
    file = located(path, name)
    data, status = file.read_bytes(), file.stat()
    middle = len(data) // 2
    file.unlink()
    if kind == "deleted":
        return file
    new = {
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "truncated": data[:middle],
        "emptied": b"",
        "grown": data + b"\0",
    }
    if kind == "swapped":
        new["swapped"] = located(path, name, 1).read_bytes() if name != "CURRENT" else b"1 x\n"
        if new["swapped"] == data:  # equal in both generations: then that of another file
            new["swapped"] = located(path, "centres.npz").read_bytes()
    file.write_bytes(new[kind])
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    return file


def opened(path: Path) -> KnowledgeBase:
    """Open a knowledge base."""
    return KnowledgeBase.open(path, model=LetterEncoder())


def set_aside(path: Path, number: int) -> str:
    """Return what a repair says of a damaged generation."""
    aside = path / "generations" / f"{number}{ASIDE}"
    return f"Generation {number} is set aside as {aside}; delete it if nobody needs it."


def repaired(path: Path):
    """Repair a knowledge base."""
    return keeping.repair(path, model=LetterEncoder())


CASES = [
    (name, kind)
    for number, name in enumerate(FILES)
    for place, kind in enumerate(KINDS)
    if FULL or (number + place) % len(KINDS) == 0
]
"""Every file in every way; in the slice each in one."""


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_damage_is_named_and_repaired(kb, name, kind):
    """Damage to any file is named with the command that repairs it; then all answers are right."""
    file = damage(kb, name, kind)
    with pytest.raises(KnowledgeBaseError) as caught:
        opened(kb)
    message = str(caught.value)
    assert str(file) in message
    assert message.endswith(f"Repair it: policy-qa repair --kb {kb}")
    found = repaired(kb)
    assert any(str(file) in line for line in found.damaged)
    assert found.manifest
    assert found.manifest.history[-1].action == "repair"
    # The store of edition 2 is lost with itself or with the manifest that vouches for it.
    assert state(kb) == (3, 1 if name in {"manifest.json", STORE} else 2)
    assert not repaired(kb)


CHANGED = ("changes.sqlite", "changes.npy", STORE, "dense.npy", "lexical/meta.json")


@pytest.mark.parametrize("name", CHANGED)
def test_damage_after_changes_in_place(kb, monkeypatch, name):
    """What stands in files of changes is named and repaired as well; indexes become one again.

    The store is one file on disk in both generations, so that its damage is that of both.
    """
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)
    write_corpus(kb, 3)
    keeping.synchronise(kb, kb.parent / "corpus", model=LetterEncoder())
    file = generation_folder(kb, 3) / name
    data = file.read_bytes()
    with file.open("r+b") as opened_file:
        opened_file.write(bytes([data[0] ^ 1]))
    with pytest.raises(CorruptionError, match=rf"{file} .*policy-qa repair --kb {kb}"):
        opened(kb)
    assert repaired(kb)
    assert state(kb) == (4, {"changes.sqlite": 2, STORE: 1}.get(name, 3))
    assert not (generation_folder(kb, 4) / "changes.sqlite").exists()


def test_a_whole_knowledge_base_needs_no_repair(kb):
    """Where nothing is damaged, a repair changes nothing and says so."""
    before = sorted(kb.rglob("*"))
    found = repaired(kb)
    assert not found
    assert found.manifest is None
    assert found.done == ()
    assert sorted(kb.rglob("*")) == before


def test_a_repair_from_the_store_encodes_nothing(kb):
    """Indexes are made anew of the vectors that are there; what is missing of them is encoded."""
    encoder = LetterEncoder()
    damage(kb, "dense.npy")
    found = keeping.repair(kb, model=encoder)
    assert encoder.encoded == []
    assert found.done == (
        "Generation 3 is current; it was made of the store of generation 2.",
        set_aside(kb, 2),
    )
    (kb / "generations" / "3" / "dense.npy").unlink()
    (kb / "vectors.sqlite").write_bytes(b"damaged" * 999)
    found = keeping.repair(kb, model=encoder)
    assert encoder.encoded
    assert found.done[0].startswith("vectors.sqlite is set aside as vectors.sqlite.damaged.")
    assert state(kb) == (4, 2)


def test_nobody_goes_back_to_a_damaged_generation(kb):
    """A rollback passes over damaged generations; one that is named, or all, are told of."""
    for number in (3, 4):
        KnowledgeBase.build(kb.parent / "corpus", kb, model=LetterEncoder()).close()
        assert state(kb) == (number, 2)
    files = [located(kb, "centres.npz", number) for number in (2, 3)]
    for file in files:
        data = file.read_bytes()
        file.unlink()
        file.write_bytes(data[::-1])
    with pytest.raises(CorruptionError, match=r"3/centres\.npz is damaged"):
        keeping.rollback(kb, 3)
    assert keeping.rollback(kb, keep=9).history[-1].note == "what generation 1 held"
    assert state(kb) == (5, 1)

    found = repaired(kb)
    assert found.manifest is None
    assert [said.split(" is ")[0] for said in found.damaged] == [*map(str, files[::-1])]
    assert found.done == (set_aside(kb, 3), set_aside(kb, 2))
    assert generation_numbers(kb) == [1, 4, 5]
    assert not repaired(kb)
    assert [there for _, there in keeping.history(kb)] == [True, False, False, True, True]


def test_all_that_one_could_go_back_to_is_damaged(kb):
    """Then the rollback says what is wrong with the newest of them, and does nothing."""
    located(kb, "centres.npz", 1).unlink()
    with pytest.raises(CorruptionError, match=r"1/centres\.npz is missing"):
        keeping.rollback(kb)
    assert state(kb) == (2, 2)


def test_a_repair_keeps_ids_and_source(kb):
    """What is made of a store has the same entries, rules, files and history as what was there."""
    with opened(kb) as before:
        entries, rules, manifest = before.entries(), before.rules(), before.manifest
    damage(kb, "centres.npz")
    repaired(kb)
    with opened(kb) as after:
        assert after.entries() == entries
        assert after.rules() == rules
        for name in ("corpus", "model", "encoder", "languages", "sources", "passages", "columns"):
            assert getattr(after.manifest, name) == getattr(manifest, name)
        assert after.manifest.history[:-1] == manifest.history
        assert after.manifest.history[-1].note == "of the store of generation 2"
    assert keeping.synchronise(kb, kb.parent / "corpus", model=LetterEncoder()).manifest is None


def test_a_damaged_store_falls_back(kb):
    """Without its store a generation is given up for the one before, which the history tells."""
    file = damage(kb, STORE)
    found = repaired(kb)
    assert found.damaged == (f"{file} is damaged: its contents changed.",)
    assert found.done == (
        "Generation 3 is current; it is what generation 1 held.",
        "If anything came after that, policy-qa sync takes it from the corpus again.",
        set_aside(kb, 2),
    )
    assert [event.action for event, _ in keeping.history(kb)] == ["build", "build", "repair"]
    assert keeping.history(kb)[-1][0].note == "what generation 1 held"
    keeping.synchronise(kb, kb.parent / "corpus", model=LetterEncoder())
    assert state(kb) == (4, 2)


def test_nothing_is_whole(kb):
    """Where no store is whole, a repair says what is damaged and to build again, which helps."""
    damage(kb, STORE)
    located(kb, STORE, 1).write_bytes(b"damaged")
    with pytest.raises(CorruptionError, match=r"store\.sqlite is .* policy-qa build CORPUS --kb"):
        repaired(kb)
    KnowledgeBase.build(kb.parent / "corpus", kb, model=LetterEncoder()).close()
    assert state(kb) == (3, 2)


def test_no_knowledge_base(tmp_path):
    """Where there is no knowledge base, there is nothing to repair."""
    with pytest.raises(KnowledgeBaseNotFound, match="Make one"):
        repaired(tmp_path)


def test_a_current_that_names_an_older_generation(kb):
    """One flipped bit of CURRENT may name an older generation: no newer one is lost by that."""
    file = kb / "CURRENT"
    file.write_text(file.read_text("ascii").replace("2 ", "1 ", 1), "ascii")
    with pytest.raises(CorruptionError, match="one of them is damaged"):
        opened(kb)
    with writing(kb):
        pass
    found = repaired(kb)
    assert found.done[0] == "Generation 3 is current; it is what generation 2 held."
    assert state(kb) == (3, 2)


def test_an_altered_manifest_of_an_older_generation(kb):
    """A rollback does not believe a manifest that was altered, though CURRENT names another."""
    file = located(kb, "manifest.json", 1)
    for old, new in (("letters-1", "letters-2"), ('"documents": 3', '"documents": 4')):
        text = file.read_text("utf-8")
        file.write_text(text.replace(old, new), "utf-8")
        with pytest.raises(CorruptionError, match=r"manifest\.json is damaged: its contents"):
            keeping.rollback(kb)
        file.write_text(text, "utf-8")
    keeping.rollback(kb)


def rewrite(path: Path, **changed: object) -> None:
    """Write the manifest with other fields and without its seal, and the CURRENT that names it."""
    file = located(path, "manifest.json")
    fields = json.loads(file.read_text("utf-8")) | changed
    del fields["sha256"]
    data = json.dumps(fields).encode()
    file.write_bytes(data)
    (path / "CURRENT").write_text(f"2 {hashlib.sha256(data).hexdigest()}\n", "ascii")


def test_another_version_is_not_repaired(kb):
    """What another program wrote is no damage, and no older generation takes its place."""
    rewrite(kb, format_version=99)
    with pytest.raises(FormatVersionError, match="version 99"):
        repaired(kb)


def test_a_manifest_without_its_seal(kb):
    """A manifest of an older program, which has no SHA-256 of its own, is read."""
    rewrite(kb)
    assert state(kb) == (2, 2)


@pytest.mark.parametrize("name", ["/etc/passwd", "../../CURRENT", "lexical/../../1/store.sqlite"])
def test_a_manifest_that_leads_elsewhere(kb, name):
    """No file outside of its generation is read or linked, whatever a manifest names."""
    files = json.loads(located(kb, "manifest.json").read_text("utf-8"))["files"]
    rewrite(kb, files=files | {name: [1, "0" * 64]})
    with pytest.raises(CorruptionError, match=r"manifest\.json is damaged: it names"):
        opened(kb)


# --- Damage that leaves no trace in a file's times.


def in_place(path: Path, name: str) -> None:
    """Flip a byte as a medium that rots does: same inode, same times."""
    file = located(path, name)
    status = file.stat()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    with file.open("r+b") as opened_file:
        opened_file.write(data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every knowledge base count as a large one."""
    monkeypatch.setattr("policy_qa.storage.READ_AGAIN_UP_TO", 0)


@pytest.mark.parametrize("name", [STORE, "dense.npy", "lexical/*.term"])
def test_rot_in_a_small_knowledge_base(kb, name):
    """Of a small knowledge base every byte is read at each opening."""
    in_place(kb, name)
    with pytest.raises(CorruptionError, match="its contents changed"):
        opened(kb)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("name", [STORE, "dense.npy", "lexical/*.term"])
def test_rot_in_a_large_knowledge_base(kb, name):
    """Of a large one it is found by `info --check`, by the next change, or within a day."""
    with opened(kb):
        pass
    in_place(kb, name)
    manifest = read_manifest(kb)
    verify(kb, manifest)
    with pytest.raises(CorruptionError, match="its contents changed"):
        verify(kb, manifest, again=True)
    if name != "dense.npy":  # which a change only links: its SHA-256 stays, and tells
        write_corpus(kb, 3)
        with pytest.raises(CorruptionError, match=r"its contents changed|malformed"):
            keeping.synchronise(kb, kb.parent / "corpus", model=LetterEncoder())
    note = generation_folder(kb, 2) / "verified.json"
    day_ago = note.stat().st_mtime - 24 * 60 * 60 - 1
    os.utime(note, (day_ago, day_ago))
    with pytest.raises(CorruptionError, match="its contents changed"):
        opened(kb)
    assert repaired(kb)


@pytest.mark.usefixtures("large")
def test_a_change_does_not_prolong_trust(kb, monkeypatch):
    """A file that a change only links is read again a day after it was found whole, as before."""
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)
    for number in (1, 2):
        note = generation_folder(kb, number) / "verified.json"
        early = note.stat().st_mtime - 23 * 60 * 60
        os.utime(note, (early, early))
    write_corpus(kb, 3)
    keeping.synchronise(kb, kb.parent / "corpus", model=LetterEncoder())
    note = generation_folder(kb, 3) / "verified.json"
    assert "dense.npy" in json.loads(note.read_text("utf-8"))
    assert note.stat().st_mtime < early + 60


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_damage_is_not_carried_on(kb, monkeypatch, links):
    """What a rotten file is linked or copied into is as damaged: no new SHA-256 vouches for it."""
    with opened(kb):
        pass
    in_place(kb, "dense.npy")
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)
    if not links:
        monkeypatch.setattr("policy_qa.storage.link", shutil.copy2)
    write_corpus(kb, 3)
    with pytest.raises(CorruptionError, match=r"dense\.npy is damaged"):
        _follow_and_check(kb)


def _follow_and_check(path: Path) -> None:
    keeping.synchronise(path, path.parent / "corpus", model=LetterEncoder())
    verify(path, read_manifest(path), again=True)


def test_a_quote_that_rotted_while_it_was_open(kb):
    """What the best entry says is compared with its second copy in the store."""
    with opened(kb) as reader:
        check_answer(reader, QUERIES[0], 2)
        file = located(kb, STORE)
        data = file.read_bytes()
        place = data.index(b"The refund of edition 2 takes 1 days")
        with file.open("r+b") as opened_file:
            opened_file.seek(place)
            opened_file.write(b"The refund of edition 2 takes 9 days")
        with opened_again(reader, kb) as cold, pytest.raises(CorruptionError) as caught:
            cold.ask(QUERIES[0])
    assert "store.sqlite is damaged: refund#1" in str(caught.value)
    assert str(caught.value).endswith(f"Repair it: policy-qa repair --kb {kb}")


def opened_again(reader: KnowledgeBase, path: Path) -> KnowledgeBase:
    """Open the same generation unverified, as a process whose pages were not read yet has it."""
    return KnowledgeBase(path, reader.manifest, LetterEncoder())


def test_a_store_that_is_lost_while_it_is_open(kb):
    """Pages that make no sense are an error with the file's name and the repair."""
    with opened(kb) as reader:
        file = located(kb, STORE)
        with file.open("r+b") as opened_file:
            opened_file.seek(4096)
            opened_file.write(os.urandom(file.stat().st_size - 4096))
        with pytest.raises(CorruptionError) as caught:
            opened_again(reader, kb)
    assert str(caught.value).startswith(f"{file} is damaged: ")
    assert str(caught.value).endswith(f"Repair it: policy-qa repair --kb {kb}")


# --- What stands beside the generations.


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"slope": NaN}', b"{" * 99_999])
def test_a_damaged_calibration(kb, content):
    """A damaged calibration is named and set aside; what is answered then is by the general one."""
    calibration.save(kb, Calibration(wrong_answer_cost=7.0), "letters-1")
    file = kb / calibration.CALIBRATION_FILE
    file.write_bytes(content)
    with pytest.raises(CorruptionError, match=rf"{file} is damaged.*policy-qa repair --kb {kb}"):
        opened(kb)
    found = repaired(kb)
    assert found.damaged == (f"{file} is damaged.",)
    assert found.manifest is None
    assert file.with_name(file.name + ASIDE).read_bytes() == content
    with opened(kb) as reader:
        assert reader.calibration == Calibration()


def log_of(path: Path) -> QueryLog:
    """Return the log of questions of a knowledge base."""
    return QueryLog(path / "queries.sqlite")


@pytest.mark.parametrize("kind", ["flipped", "truncated", "other"])
def test_a_damaged_log(kb, kind):
    """A damaged log is named and set aside; the next question begins a new one."""
    with opened(kb) as reader, log_of(kb) as log:
        answer = reader.ask(QUERIES[0])
        for _ in range(99):
            log.record(answer, "en")
    file = kb / "queries.sqlite"
    data = bytearray(file.read_bytes())
    if kind == "flipped":
        data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes({"truncated": data[:5000], "other": b"no log" * 99}.get(kind, data))
    with log_of(kb) as log:
        assert not log.is_whole()
        with pytest.raises(StorageError, match=rf"Repair it: policy-qa repair --kb {kb}$"):
            log.uncovered(999)
    found = repaired(kb)
    assert found.damaged == (f"{file} is damaged.",)
    assert file.with_name(f"queries.sqlite{ASIDE}").exists()
    with opened(kb) as reader, log_of(kb) as log:
        assert log.counts().queries == 0
        assert log.record(reader.ask(QUERIES[0]), "en") == 1


def test_a_log_in_use_is_not_damaged(kb):
    """A log that another process is writing to is not taken for a damaged one."""
    with opened(kb) as reader, log_of(kb) as log:
        log.record(reader.ask(QUERIES[0]), "en")
    busy = sqlite3.connect(kb / "queries.sqlite", isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    try:
        assert not repaired(kb)
    finally:
        busy.close()
    assert (kb / "queries.sqlite").exists()


def test_damaged_hit_tests(kb):
    """A test that is kept and cannot be read is named and set aside."""
    (kb / hit_tests.HIT_TEST_FILE).write_bytes(b"{")
    with pytest.raises(CorruptionError, match=rf"policy-qa repair --kb {kb}"):
        hit_tests.last(kb)
    assert repaired(kb).done == (
        "hit-test.json is set aside as hit-test.json.damaged. The next test is kept again.",
    )
    assert hit_tests.last(kb) is None


# --- The command, and what else happens meanwhile.


def test_the_command(kb, capsys):
    """`policy-qa repair` prints what is damaged and what was done; as JSON too."""
    assert main(["repair", "--kb", str(kb)]) == 0
    assert capsys.readouterr().out == "Nothing is damaged.\n"
    file = damage(kb, STORE)
    assert main(["repair", "--kb", str(kb)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file} is damaged: its contents changed.",
        "Generation 3 is current; it is what generation 1 held.",
        "If anything came after that, policy-qa sync takes it from the corpus again.",
        set_aside(kb, 2),
    ]
    (kb / "CURRENT").unlink()
    assert main(["repair", "--json", "--kb", str(kb)]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["generation"] == 4
    assert fields["damaged"] == [f"{kb / 'CURRENT'} is missing."]


def test_a_repair_needs_the_encoder_of_the_build(kb):
    """Indexes are not made anew with another encoder."""
    damage(kb, "dense.npy")
    with pytest.raises(EncoderMismatchError):
        keeping.repair(kb, model=LetterEncoder("letters-2"))


def test_a_repair_while_another_process_writes(kb):
    """A repair does not touch what another process is writing to."""
    damage(kb, "dense.npy")
    with writing(kb), pytest.raises(LockedError, match="It is process"):
        repaired(kb)


def test_a_generation_that_came_meanwhile(kb):
    """What was decided before another process made a generation is not done to that."""
    wanted = read_manifest(kb, 1)
    current = read_manifest(kb)
    KnowledgeBase.build(kb.parent / "corpus", kb, model=LetterEncoder()).close()
    with pytest.raises(LockedError, match="meanwhile"):
        restore_generation(
            kb,
            current.generation,
            wanted,
            made=keeping.Made("rollback"),
            history=current.history,
        )
    with opened(kb) as reader:
        assert edition_of(reader) == 2
