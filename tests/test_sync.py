"""A knowledge base that follows its corpus: only what changed is read, encoded and indexed."""

import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import LetterEncoder

from policy_qa import Filters, KnowledgeBase, keeping
from policy_qa.errors import CorpusError, LockedError
from policy_qa.exchange.transfer import export_knowledge_base
from policy_qa.storage import generation_folder, read_manifest, verify

WORDS = [
    "refund",
    "parcel",
    "return",
    "seller",
    "buyer",
    "deposit",
    "invoice",
    "postage",
    "colour",
    "broken",
    "late",
    "lost",
]


def page(number: int, answers: list[str]) -> str:
    """Return a page of numbered questions."""
    return "".join(
        f"{n}. What about {WORDS[(number + n) % len(WORDS)]} number {number}?\n{answer}\n"
        for n, answer in enumerate(answers, start=1)
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder of twelve pages, an hour old."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(12):
        answers = [f"The {WORDS[number]} takes {n} days. Then it ends." for n in range(1, 4)]
        write(folder / f"page-{number:02}.txt", page(number, answers))
    return folder


@pytest.fixture
def incremental(monkeypatch) -> None:
    """Change the indexes in place however small they are, and however much changed."""
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)


def write(file: Path, text: str, age: float = 3_600) -> None:
    """Write a file that was changed so many seconds ago."""
    file.write_text(text, "utf-8")
    os.utime(file, (time.time() - age,) * 2)


def build(corpus: Path, encoder: LetterEncoder | None = None, kb: str = "kb") -> Path:
    """Build a knowledge base beside the corpus."""
    path = corpus.parent / kb
    KnowledgeBase.build(corpus, path, model=encoder or LetterEncoder()).close()
    return path


def synchronise(path: Path, encoder: LetterEncoder | None = None, **options):
    """Synchronise a knowledge base; return what changed and the new manifest."""
    outcome = keeping.synchronise(path, model=encoder or LetterEncoder(), **options)
    return outcome.changes, outcome.manifest


def contents(path: Path):
    """Return all that a knowledge base holds, and what a few queries find."""
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        documents = [kb.document(name) for name, _ in kb.documents()]
        passages = {
            entry.id: [passage for _, passage in kb._store.passages(entry.id)]
            for entry in kb.entries()
        }
        counts = (kb.manifest.documents, kb.manifest.entries, kb.manifest.passages)
        assert counts == (len(documents), len(passages), sum(map(len, passages.values())))
        return documents, kb.entries(), passages, kb.manifest.languages, found(kb)


def found(kb: KnowledgeBase) -> dict[str, tuple[dict[str, float], set[str], set[str]]]:
    """Return what each index finds: passages by meaning, passages by words, entries by words.

    How rare a word is counts what is gone until the index is made anew: those scores may differ.
    """
    inside = kb._retriever
    results = {}
    for word in WORDS:
        (ranking,) = inside._dense.search(kb.encoder.encode_queries([word]), 999)
        names = [kb._store.passages_at([row])[row].id for row in ranking.rows.tolist()]
        scores = {n: round(float(s), 5) for n, s in zip(names, ranking.scores, strict=True)}
        by_words = inside._lexical.search([word, "days"], 999).rows
        entries = inside._entry_lexical.search([word, "days"], 999).rows
        results[word] = (
            scores,
            {one.id for one in kb._store.passages_at(by_words.tolist()).values()},
            {e.id for e, _ in kb._store.entries_numbered(entries.tolist()).values()},
        )
    return results


def test_nothing_to_do(corpus):
    """A corpus that is as it was makes no generation."""
    path = build(corpus)
    changes, manifest = synchronise(path)
    assert not changes
    assert manifest is None
    assert read_manifest(path).generation == 1


@pytest.mark.usefixtures("incremental")
def test_one_changed_page(corpus):
    """One page that changed is read and encoded again, all else is linked."""
    encoder = LetterEncoder()
    path = build(corpus, encoder)
    encoder.encoded.clear()
    answers = ["The refund takes 1 days. Then it ends.", "The cat sleeps.", "No."]
    write(corpus / "page-00.txt", page(0, answers))
    changes, manifest = synchronise(path, encoder)
    assert [one.id for one in changes.changed] == ["page-00.txt"]
    assert [name.id for name in changes.changed[0].changed] == ["page-00#2", "page-00#3"]
    assert encoder.encoded
    assert all("cat sleeps" in text or "no." in text for text in encoder.encoded)
    old, new = generation_folder(path, 1), generation_folder(path, 2)
    for name in ("store.sqlite", "dense.npy", "centres.npz"):
        assert old.joinpath(name).samefile(new / name)
    verify(path, manifest, again=True)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert kb.search("cat sleeps", 1)[0].entry.id == "page-00#2"
        assert kb.entries()[0].id == "page-00#1"


@pytest.mark.usefixtures("incremental")
def test_the_same_as_a_fresh_build(corpus):
    """After any changes a knowledge base holds and finds what one built of the corpus does."""
    chance = random.Random(7)
    path = build(corpus)
    for step in range(8):
        pages = sorted(corpus.glob("*.txt"))
        victim = chance.choice(pages)
        match chance.choice(["change", "change", "remove", "add", "rename"]):
            case "change":
                lines = victim.read_text("utf-8").replace("days", f"weeks {step}", 1)
                write(victim, lines, 3_600 - step)
            case "remove" if len(pages) > 3:
                victim.unlink()
            case "rename":
                victim.rename(corpus / f"renamed-{step}.txt")
            case _:
                write(corpus / f"new-{step}.txt", page(step, ["It is new.", "It is newer."]))
        changes, manifest = synchronise(path)
        assert changes
        assert manifest.generation == step + 2
        build(corpus, kb="fresh")
        assert contents(path) == contents(corpus.parent / "fresh")


@pytest.mark.usefixtures("incremental")
def test_filters_after_a_change(corpus):
    """Filters see new documents and no longer those that are gone."""
    path = build(corpus)
    (corpus / "page-01.txt").unlink()
    (corpus / "more").mkdir()
    write(corpus / "more" / "cats.txt", page(3, ["The cat sleeps."]))
    synchronise(path)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        hits = kb.search("cat sleeps", 9, Filters(tags=("more",)))
        assert [hit.entry.id for hit in hits] == ["more/cats#1"]
        hits = kb.search("days", 99, Filters(documents=("page-02.txt",)))
        assert {hit.entry.document_id for hit in hits} == {"page-02.txt"}
        assert "page-01.txt" not in dict(kb.documents())


def test_ids_of_unchanged_entries_stay(corpus):
    """An entry above others does not rename them, nor does a fresh build over it."""
    path = build(corpus)
    text = page(0, ["The refund takes 1 days. Then it ends."])
    original = (corpus / "page-00.txt").read_text("utf-8")
    write(
        corpus / "page-00.txt",
        "1. Is there a cat?\nThe cat sleeps.\n"
        + original.replace("3. ", "4. ").replace("2. ", "3. ").replace("1. ", "2. "),
    )
    assert text
    changes, _ = synchronise(path)
    assert [name.id for name in changes.changed[0].added] == ["page-00#4"]
    assert not changes.changed[0].changed
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        ids = [entry.id for entry in kb.entries("page-00.txt")]
        assert ids == ["page-00#4", "page-00#1", "page-00#2", "page-00#3"]
    build(corpus)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert [entry.id for entry in kb.entries("page-00.txt")] == ids


def test_an_id_is_never_given_twice(corpus):
    """The id of an entry that is gone is not another one's later."""
    path = build(corpus)
    file = corpus / "page-00.txt"
    answers = ["The refund takes 1 days. Then it ends.", "The refund takes 2 days. Then it ends."]
    write(file, page(0, answers), 3_000)
    synchronise(path)
    write(file, page(0, answers) + "3. Is there a cat?\nThe cat sleeps.\n", 2_000)
    synchronise(path)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert [entry.id for entry in kb.entries("page-00.txt")] == [
            "page-00#1",
            "page-00#2",
            "page-00#4",
        ]


def test_an_unreadable_file_stays_as_it_was(corpus):
    """A page that cannot be read any more is told of, and still answers."""
    path = build(corpus)
    (corpus / "page-00.txt").write_bytes(b"\0\1\2 broken")
    write(corpus / "page-01.txt", page(1, ["The cat sleeps."]))
    changes, manifest = synchronise(path)
    assert [name for name, _ in changes.unreadable] == ["page-00.txt"]
    assert "page-00.txt" in manifest.skipped
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert len(kb.entries("page-00.txt")) == 3
        assert kb.search("cat sleeps", 1)[0].entry.id == "page-01#1"


def test_a_build_leaves_out_what_it_cannot_read(corpus):
    """A build goes on without a file that it cannot read; without any, it does not."""
    (corpus / "page-00.txt").write_bytes(b"\0\1\2 broken")
    path = build(corpus)
    manifest = read_manifest(path)
    assert [*manifest.skipped] == ["page-00.txt"]
    assert manifest.documents == 11
    for file in corpus.iterdir():
        file.write_bytes(b"\0\1\2 broken")
    with pytest.raises(CorpusError, match=r"page-00\.txt"):
        build(corpus)


def test_a_missing_corpus_removes_nothing(corpus):
    """A corpus that is not there is an error, not an empty one."""
    path = build(corpus)
    corpus.rename(corpus.parent / "elsewhere")
    with pytest.raises(CorpusError, match="does not exist"):
        synchronise(path)
    assert len(contents(path)[0]) == 12
    changes, manifest = synchronise(path, corpus=corpus.parent / "elsewhere")
    assert not changes
    assert manifest is None


def test_a_knowledge_base_that_changed_meanwhile(corpus, monkeypatch):
    """What was planned against one generation is not done to another."""
    path = build(corpus)
    write(corpus / "page-00.txt", page(0, ["The cat sleeps."]))
    planned = keeping.plan

    def slowly(*parts):
        monkeypatch.setattr("policy_qa.keeping.plan", planned)
        found = planned(*parts)
        synchronise(path)
        return found

    monkeypatch.setattr("policy_qa.keeping.plan", slowly)
    with pytest.raises(LockedError, match="meanwhile"):
        synchronise(path)


@pytest.mark.parametrize("share", [0.0, 99.0], ids=["anew", "in place"])
def test_small_and_large_changes(corpus, monkeypatch, share):
    """Whether the indexes are made anew or changed, the content is the same."""
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", share)
    path = build(corpus)
    write(corpus / "page-00.txt", page(0, ["The cat sleeps."]))
    synchronise(path)
    folder = generation_folder(path, 2)
    assert (folder / "changes.sqlite").exists() == bool(share)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert kb.search("cat sleeps", 1)[0].entry.id == "page-00#1"
        assert np.isfinite(kb.search("cat sleeps", 1)[0].score)


def test_a_part_that_was_read_before_the_rest_was_refused(tmp_path):
    """A long table that is broken further down is left out whole, and what follows it is built."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows = [f"What about refund number {n}?,It takes {n} days.,\n" for n in range(1_500)]
    rows.append("And this?,No.,no day\n")
    write(corpus / "a.csv", "question,answer,expires\n" + "".join(rows))
    write(corpus / "b.txt", page(1, ["The parcel takes 3 days.", "The refund takes 4 days."]))

    path = build(corpus)

    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert list(kb.manifest.skipped) == ["a.csv"]
        assert [name for name, _ in kb.documents()] == ["b.txt"]
        assert kb.ask("What about parcel number 1?").hits


def test_one_row_of_a_long_table(tmp_path, incremental):
    """Of a table of several parts only those are replaced that changed."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    rows = [f"What about refund number {n}?,It takes {n} days.\n" for n in range(3_500)]
    write(corpus / "a.csv", "question,answer\n" + "".join(rows))
    path = build(corpus)
    rows[1_500] = "What about refund number 1500?,It takes no time.\n"
    write(corpus / "a.csv", "question,answer\n" + "".join(rows))
    encoder = LetterEncoder()

    found, manifest = synchronise(path, encoder)

    assert [one.id for one in found.changed] == ["a.csv:2"]
    assert len(encoder.encoded) <= 3
    assert (manifest.documents, manifest.entries) == (4, 3_500)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        assert "no time" in kb.document("a.csv:2").text


def ids(path: Path, document: str) -> list[str]:
    """Return the ids of a document's entries."""
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        return [entry.id for entry in kb.entries(document)]


@pytest.mark.usefixtures("incremental")
def test_another_text_does_not_inherit_an_id(corpus):
    """An entry of the same number that asks and says something else is a new one."""
    path = build(corpus)
    lines = page(1, ["The coat takes 9 days. Then it ends."] * 3).split("\n")
    lines[2:4] = ["2. Where may members park?", "Behind the hall, beside the lift."]
    write(corpus / "page-01.txt", "\n".join(lines), age=60)
    changes, _ = synchronise(path)
    (document,) = changes.changed
    assert [entry.id for entry in document.removed] == ["page-01#2"]
    assert [entry.id for entry in document.added] == ["page-01#4"]
    assert [entry.id for entry in document.changed] == ["page-01#1", "page-01#3"]
    assert ids(path, "page-01.txt") == ["page-01#1", "page-01#4", "page-01#3"]


@pytest.mark.parametrize("share", [0, 99])
def test_a_document_that_comes_back_gets_other_ids(corpus, monkeypatch, share):
    """Ids that went with a document are not given to what another one of its name says."""
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", share)
    path = build(corpus)
    (corpus / "page-01.txt").unlink()
    synchronise(path)
    synchronise(path)
    KnowledgeBase.build(corpus, path, model=LetterEncoder()).close()
    write(corpus / "page-01.txt", "1. May I cancel?\nYes, at the desk.\n", age=60)
    assert synchronise(path)[0].added == ("page-01.txt",)
    assert ids(path, "page-01.txt") == ["page-01#4"]
    write(corpus / "page-01.txt", "1. May I cancel?\nYes, at the desk, on time.\n", age=50)
    synchronise(path)
    assert ids(path, "page-01.txt") == ["page-01#4"]


def test_a_file_that_could_not_be_read_for_a_while_keeps_its_ids(corpus):
    """What a build had to leave out is not gone: mended, it has the ids that it had."""
    path = build(corpus)
    file = corpus / "page-01.txt"
    text = file.read_text("utf-8")
    file.write_bytes(b"\0\1")
    assert ids(build(corpus), "page-02.txt") == ["page-02#1", "page-02#2", "page-02#3"]
    assert list(read_manifest(path).skipped) == ["page-01.txt"]
    write(file, text)
    assert ids(build(corpus), "page-01.txt") == ["page-01#1", "page-01#2", "page-01#3"]


def test_knowledge_bases_and_exports_are_no_documents(corpus):
    """What stands inside the corpus and is a knowledge base is passed over; exports are refused."""
    KnowledgeBase.build(corpus, corpus / "kb", model=LetterEncoder()).close()
    (corpus / "kb" / "eval").mkdir()
    write(corpus / "kb" / "eval" / "queries.jsonl", '{"id": "q", "text": "where"}\n')
    other = corpus / "other"
    KnowledgeBase.build(corpus, other, model=LetterEncoder()).close()
    for name in ("all.jsonl", "all.xlsx"):
        export_knowledge_base(other, corpus / name)
    path = build(corpus)
    manifest = read_manifest(path)
    assert manifest.documents == 12
    assert sorted(manifest.skipped) == ["all.jsonl", "all.xlsx"]
    assert all("export of a knowledge base" in why for why in manifest.skipped.values())
    assert not keeping.changes(path).apply


def test_the_corpus_is_found_from_anywhere(corpus, monkeypatch):
    """Its full path is remembered: a folder of that name elsewhere is not taken for it."""
    monkeypatch.chdir(corpus.parent)
    KnowledgeBase.build("corpus", "kb", model=LetterEncoder()).close()
    elsewhere = corpus.parent / "elsewhere"
    (elsewhere / "corpus").mkdir(parents=True)
    write(elsewhere / "corpus" / "z.txt", "1. Other?\nYes.\n")
    monkeypatch.chdir(elsewhere)
    assert not keeping.changes(corpus.parent / "kb").apply
    synchronise(corpus.parent / "kb", corpus=Path("corpus"))
    assert read_manifest(corpus.parent / "kb").corpus == str(elsewhere / "corpus")
