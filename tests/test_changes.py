"""What changed in the corpus since the knowledge base was built of it."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import RETURNS, LetterEncoder, build

from policy_qa import Document, KnowledgeBase
from policy_qa.changes import (
    Changes,
    DocumentChanges,
    EntryName,
    corpus_of,
    is_stale,
)

SHOES = (
    "1. May I return shoes?\nYes, within 7 days.\n"
    "2. Who pays?\nThe buyer.\n3. Who packs?\nThe shop.\n"
)
CHINESE = "㈠ 如何退款\n七日內申請。\n㈡ 运费谁出\n卖家承担。\n"
HOUR = 3_600


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder with two documents and a lexicon, an hour old."""
    folder = tmp_path / "corpus"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "shoes.txt").write_text(SHOES, "utf-8")
    (folder / "chinese.txt").write_text(CHINESE, "utf-8")
    (folder / "lexicon.txt").write_text("退款 = refund\n", "utf-8")
    for place in [*folder.rglob("*"), folder]:
        age(place, -HOUR)
    return folder


@pytest.fixture
def kb(corpus: Path, tmp_path: Path) -> Iterator[KnowledgeBase]:
    """Build the knowledge base of the folder."""
    with KnowledgeBase.build(corpus, tmp_path / "kb", model=LetterEncoder()) as built:
        yield built


def age(place: Path, seconds: float) -> None:
    """Let a file or folder have been changed so many seconds from now."""
    os.utime(place, (time.time() + seconds,) * 2)


def stale(kb: KnowledgeBase) -> bool:
    """Return whether a knowledge base is stale."""
    return is_stale(kb.path, kb.manifest)


def test_nothing_changed(kb, corpus):
    """A corpus that is as it was is neither stale nor changed."""
    assert corpus_of(kb.manifest) == corpus
    assert not stale(kb)
    assert kb.changes() == Changes()
    assert not kb.changes()


def test_the_current_folder(kb, corpus, monkeypatch):
    """A relative path, such as the current folder, is taken from there."""
    monkeypatch.chdir(corpus)
    manifest = replace(kb.manifest, corpus=".")

    assert corpus_of(manifest) == Path()
    assert not is_stale(kb.path, manifest)


def test_an_edit_just_before_the_build_is_in_it(corpus, tmp_path):
    """What was written in the same second as the manifest, and read, is not stale."""
    (corpus / "new.txt").write_text("May I park here?\nYes.\n", "utf-8")
    with KnowledgeBase.build(corpus, tmp_path / "kb", model=LetterEncoder()) as built:
        assert not stale(built)


def test_saved_again(kb, corpus):
    """A file that was only saved again looks stale, and nothing in it changed."""
    age(corpus / "chinese.txt", HOUR)

    assert stale(kb)
    assert not kb.changes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # another answer
            SHOES.replace("7 days", "9 days"),
            {"changed": (EntryName("shop/shoes#1", "May I return shoes?"),)},
        ),
        (  # another question
            SHOES.replace("Who pays", "Who pays for the parcel"),
            {"changed": (EntryName("shop/shoes#2", "Who pays for the parcel?"),)},
        ),
        (  # one more in front: the numbers of the others move, they do not change
            "1. May I pay in coins?\nYes.\n"
            + SHOES.replace("3.", "4.").replace("2.", "3.").replace("1.", "2."),
            {"added": (EntryName("shop/shoes#4", "May I pay in coins?"),)},
        ),
        (  # one less
            "1. Who pays?\nThe buyer.\n2. Who packs?\nThe shop.\n",
            {"removed": (EntryName("shop/shoes#1", "May I return shoes?"),)},
        ),
        (  # one moved and changed, one removed
            "1. Who pays?\nThe seller.\n2. Who packs?\nThe shop.\n",
            {
                "changed": (EntryName("shop/shoes#2", "Who pays?"),),
                "removed": (EntryName("shop/shoes#1", "May I return shoes?"),),
            },
        ),
        (SHOES.replace("\n2.", "\n\n2."), {}),  # blanks
    ],
    ids=["answer", "question", "inserted", "removed", "moved", "blanks"],
)
def test_changed_document(kb, corpus, text, expected):
    """A document that changed is named with its entries that did."""
    (corpus / "shop" / "shoes.txt").write_text(text, "utf-8")

    assert kb.changes() == Changes(changed=(DocumentChanges("shop/shoes.txt", **expected),))


def test_front_matter(corpus, tmp_path):
    """A document with other days alone changed, and none of its entries did."""
    file = corpus / "rules.md"
    file.write_text("---\nexpires: 2030-01-01\n---\n# May I park?\nYes.\n", "utf-8")
    with KnowledgeBase.build(corpus, tmp_path / "kb", model=LetterEncoder()) as built:
        file.write_text("---\nexpires: 2031-01-01\n---\n# May I park?\nYes.\n", "utf-8")

        assert built.changes() == Changes(changed=(DocumentChanges("rules.md"),))


def test_added_and_removed(kb, corpus):
    """Documents that came and went are named; a file of another name did both."""
    (corpus / "parking.md").write_text("# May I park?\nYes.\n", "utf-8")
    (corpus / "chinese.txt").rename(corpus / "中文.txt")

    assert stale(kb)
    assert kb.changes() == Changes(added=("parking.md", "中文.txt"), removed=("chinese.txt",))


def test_renamed(kb, corpus):
    """A file that was only renamed makes the knowledge base stale, however old the file is."""
    (corpus / "chinese.txt").rename(corpus / "a.txt")

    assert stale(kb)


def test_removed_folder_is_as_old_as_before(kb, corpus):
    """Where a copy keeps the times, another number of documents tells."""
    (corpus / "chinese.txt").unlink()
    age(corpus, -HOUR)

    assert stale(kb)


def test_unreadable(kb, corpus):
    """What a build would refuse is told of with the reason, beside what did change."""
    (corpus / "chinese.txt").write_bytes(b"\0\1\2")
    (corpus / "new.txt").write_text("May I park?\nYes.\n", "utf-8")
    (corpus / "lost.txt").symlink_to(corpus / "nowhere.txt")
    (corpus / "lexicon.txt").write_text("退款\n", "utf-8")

    found = kb.changes()

    assert found.added == ("new.txt",)
    assert not found.removed
    assert [name for name, _ in found.unreadable] == ["lexicon.txt", "chinese.txt", "lost.txt"]
    assert "is not text" in found.unreadable[1][1]
    assert stale(kb)


def test_the_corpus_is_gone(kb, corpus, tmp_path):
    """A corpus that was moved away is not stale; reading it tells that it is not there."""
    corpus.rename(tmp_path / "elsewhere")

    assert corpus_of(kb.manifest) is None
    assert not stale(kb)
    ((name, message),) = kb.changes().unreadable
    assert name == str(corpus)
    assert "does not exist" in message


@pytest.mark.parametrize("name", ["\0", "x" * 5_000, ""])
def test_no_path(kb, name):
    """A corpus whose name is no path never stops a question page."""
    manifest = replace(kb.manifest, corpus=name)

    assert is_stale(kb.path, manifest) in (False, True)


def test_documents_of_a_program(tmp_path, monkeypatch):
    """Documents that a program gave have no folder."""
    monkeypatch.chdir(tmp_path)
    with build(tmp_path / "kb", RETURNS) as built:
        assert corpus_of(built.manifest) is None
        assert not stale(built)
        assert built.changes().unreadable


@pytest.mark.parametrize(
    "lexicon", ["退款 = 退費\n", "# refunds\n退款 = refund\n", None], ids=["word", "line", "gone"]
)
def test_lexicon(kb, corpus, lexicon):
    """A lexicon with other rules, or with rules on other lines, changed."""
    if lexicon is None:
        (corpus / "lexicon.txt").unlink()
    else:
        (corpus / "lexicon.txt").write_text(lexicon, "utf-8")

    assert stale(kb)
    assert kb.changes() == Changes(lexicon=True)


def test_one_file(tmp_path):
    """A corpus of one file is compared with that file."""
    file = tmp_path / "policy.data"
    file.write_text(SHOES, "utf-8")
    age(file, -HOUR)
    with KnowledgeBase.build(file, tmp_path / "kb", model=LetterEncoder()) as built:
        assert not stale(built)
        assert not built.changes()
        file.write_text(SHOES.replace("buyer", "seller"), "utf-8")
        assert stale(built)
        assert built.changes().changed[0].changed == (EntryName("policy.data#2", "Who pays?"),)


def test_the_knowledge_base_stands_in_the_corpus(corpus):
    """What is written to a knowledge base does not make it stale."""
    with KnowledgeBase.build(corpus, corpus / "kb", model=LetterEncoder()) as built:
        age(corpus / "kb", HOUR)
        assert not stale(built)


def test_other_files_are_no_documents(kb, corpus):
    """Hidden files and those of other endings are not counted."""
    (corpus / ".hidden.txt").write_text("x", "utf-8")
    (corpus / "scan.png").write_bytes(b"PNG")
    age(corpus, -HOUR)

    assert not stale(kb)


def test_ten_thousand_files(tmp_path, kb):
    """A question page may ask of ten thousand files whether they changed."""
    corpus = tmp_path / "large"
    for folder in range(100):
        (corpus / str(folder)).mkdir(parents=True)
        for number in range(100):
            (corpus / str(folder) / f"{number}.txt").touch()
    for place in [*corpus.rglob("*"), corpus]:
        age(place, -HOUR)
    manifest = replace(kb.manifest, corpus=str(corpus), sources=10_000)
    laps = []
    for _ in range(5):
        start = time.process_time()
        assert not is_stale(kb.path, manifest)
        laps.append(time.process_time() - start)

    assert min(laps) < 0.1


def test_a_document_that_asks_nothing(tmp_path):
    """Paragraphs are paired by their words first, and then in their order."""
    corpus = tmp_path / "a.txt"
    corpus.write_text("First rule here.\n\nSecond rule here.\n\nThird rule here.\n", "utf-8")
    with KnowledgeBase.build(corpus, tmp_path / "kb", model=LetterEncoder()) as built:
        corpus.write_text("Second rule here.\n\nThird rule is new.\n", "utf-8")
        (found,) = built.changes().changed

    assert (found.added, found.changed, found.removed) == (
        (EntryName("a#4", ""),),
        (),
        (EntryName("a#1", ""), EntryName("a#3", "")),
    )


def test_documents_are_read_one_at_a_time(kb, monkeypatch):
    """Only documents that changed are taken apart again."""
    parsed: list[Document] = []
    monkeypatch.setattr("policy_qa.readers.text.parse", parsed.append)

    kb.changes()

    assert parsed == []
