"""Coarse indexes: which kind, exact scores whatever the kind, and another one without encoding."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import PARKING, RETURNS, LetterEncoder, build
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import Document, KnowledgeBase
from policy_qa.cli import main
from policy_qa.coarse import CoarseIndex, chosen_kind, fitting_kind, needs
from policy_qa.dense import DenseIndex
from policy_qa.errors import InputError, StorageError
from policy_qa.keeping import rollback, synchronise
from policy_qa.reindexing import open_dense, recall, reindex
from policy_qa.room import available_memory, check_room
from policy_qa.settings import FLAT_UP_TO
from policy_qa.storage import generation_folder, read_manifest, verify
from policy_qa.store import Store
from policy_qa.types import Filters
from policy_qa.vector_file import VectorFile, VectorWriter

COUNT, DIM = 3_000, 16
KINDS = ("flat", "hnsw", "ivf")
QUERY = "May I give shoes back?"
NEW = Document("new.txt", "1. Is this new?\nYes, it is quite new.\n")


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Return unit vectors."""
    found = np.random.default_rng(1).normal(size=(COUNT, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory, vectors) -> tuple[Path, str]:
    """Return where vectors and their coarse index stand, and its kind; row 7 is not indexed."""
    place = tmp_path_factory.mktemp(request.param)
    with VectorWriter(place / "vectors.npy", COUNT, DIM) as writer:
        rows = np.delete(np.arange(COUNT), 7)
        writer.add(rows, vectors[rows])
    if request.param != "flat":
        whole = VectorFile.open(place / "vectors.npy").all
        CoarseIndex.build(request.param, whole).save(place / "coarse")
    return place, request.param


def opened(folder: tuple[Path, str], gone=(), later: Path | None = None) -> DenseIndex:
    """Open the index of a folder."""
    place, kind = folder
    coarse = None if kind == "flat" else (place / "coarse", kind)
    return DenseIndex.open(place / "vectors.npy", later, gone, coarse)


@pytest.mark.parametrize(
    ("count", "kind"), [(1, "flat"), (FLAT_UP_TO, "flat"), (FLAT_UP_TO + 1, "hnsw")]
)
def test_the_kind_follows_from_the_number(count, kind):
    """Few vectors are all compared, many have a coarse index."""
    assert chosen_kind("auto", count) == kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_can_be_named(kind):
    """Any kind can be asked for that fits the number of vectors."""
    assert chosen_kind(kind, 10_000) == kind


def test_kinds_that_do_not_fit():
    """A name that is none, and too few vectors to train on, are refused with what to do."""
    with pytest.raises(InputError, match=r"no index of kind 'diskann'. Name one of: auto, flat"):
        chosen_kind("diskann", 10)
    with pytest.raises(InputError, match=r"needs 2,500 passages .* there are 10\. Leave --index"):
        chosen_kind("ivf", 10)
    assert fitting_kind("ivf", 10) == "flat"


def test_scores_are_exact(folder, vectors):
    """Whatever the kind, what is found has its inner product as score, and nearly all is found."""
    queries = vectors[:50]
    products = queries @ vectors.T
    products[:, 7] = -2
    wanted = np.argsort(-products, axis=1)[:, :10]
    found = opened(folder).search(queries, 10)
    for row, ranking in enumerate(found):
        assert ranking.scores == pytest.approx(products[row, ranking.rows], abs=1e-6)
        assert 7 not in ranking.rows
    shares = [np.isin(wanted[row], ranking.rows).mean() for row, ranking in enumerate(found)]
    assert np.mean(shares) >= {"flat": 1, "hnsw": 0.99, "ivf": 0.7}[folder[1]]


def test_comparing_all_is_exact(folder, vectors):
    """Where every row is to be compared, every kind gives the same ranking."""
    whole = DenseIndex.build(np.delete(np.arange(COUNT), 7), np.delete(vectors, 7, axis=0))
    for query in vectors[:20]:
        (exact,) = opened(folder).search(query[None], 30, exactly=True)
        (same,) = whole.search(query[None], 30)
        assert exact.rows.tolist() == same.rows.tolist()
        assert exact.scores.tolist() == same.scores.tolist()


def test_filters_are_exact(folder, vectors):
    """Among the few rows that a filter leaves, every kind finds exactly the nearest."""
    allowed = np.arange(3, COUNT, 97)
    for query in vectors[:20]:
        (ranking,) = opened(folder).search(query[None], 5, allowed)
        best = sorted(allowed, key=lambda row: -float(vectors[row] @ query))[:5]
        assert ranking.rows.tolist() == best


def test_wide_filters(folder, vectors, monkeypatch):
    """Among more rows a coarse index looks further, and finds none that is not allowed."""
    monkeypatch.setattr("policy_qa.dense.EXACT_AMONG", 0)
    allowed = np.arange(0, COUNT, 3)
    for query in vectors[:20]:
        (ranking,) = opened(folder).search(query[None], 5, allowed)
        assert len(ranking.rows) == 5
        assert np.isin(ranking.rows, allowed).all()
        assert np.isin(ranking.rows, allowed[allowed != 7]).all()


def test_what_is_gone_is_not_found(folder, vectors):
    """Rows that are gone, or unwanted, are never found; the next ones are."""
    gone, unwanted = np.arange(0, 200, 2), np.arange(1, 200, 2)
    index = opened(folder, gone)
    for query in vectors[:20]:
        (ranking,) = index.search(query[None], 10, without=unwanted)
        assert (ranking.rows >= 200).all()
        assert len(ranking.rows) == 10
        (ranking,) = index.search(query[None], 10, without=unwanted, exactly=True)
        assert (ranking.rows >= 200).all()


def test_later_rows(folder, vectors, tmp_path):
    """Rows that came later are found beside the first ones, unless they are not allowed."""
    with VectorWriter(tmp_path / "later.npy", 3, DIM) as writer:
        writer.add(np.array([2, 0]), vectors[[21, 20]] * 2)
    index = opened(folder, later=tmp_path / "later.npy")
    (ranking,) = index.search(vectors[20][None], 2)
    assert ranking.rows.tolist() == [COUNT, 20]
    (ranking,) = index.search(vectors[21][None], 1, np.array([20, 21, COUNT]))
    assert ranking.rows.tolist() == [21]
    (ranking,) = index.search(vectors[21][None], 1, without=np.array([COUNT + 2]))
    assert ranking.rows.tolist() == [21]
    assert index.vectors([COUNT + 2, 5]).tolist() == [
        (vectors[21] * 2).tolist(),
        vectors[5].tolist(),
    ]
    assert len(index) == COUNT + 1


@settings(max_examples=30, deadline=None)
@given(
    rows=st.permutations(range(12)),
    cut=st.integers(0, 12),
    seed=st.integers(0, 99),
)
def test_files_of_vectors(tmp_path_factory, rows, cut, seed):
    """Vectors come back as they were, in whatever order they were written; the rest is NaN."""
    path = tmp_path_factory.mktemp("file") / "vectors.npy"
    vectors = np.random.default_rng(seed).normal(size=(12, 3)).astype(np.float32)
    there = np.array(rows[:cut], np.int64)
    with VectorWriter(path, 12, 3) as writer:
        writer.add(there[: cut // 2], vectors[there[: cut // 2]])
        writer.add(there[cut // 2 :], vectors[there[cut // 2 :]])
    file = VectorFile.open(path)
    assert file.take(there).tolist() == vectors[there].tolist()
    assert np.isnan(file.take(np.setdiff1d(np.arange(12), there))).all()


def test_rows_of_a_large_file(tmp_path, vectors, monkeypatch):
    """Rows of a file that is too large to be in memory are the same as those of a small one."""
    monkeypatch.setattr("policy_qa.vector_file._SMALL", 0)
    DenseIndex.build(np.arange(COUNT), vectors).save(tmp_path / "vectors.npy")
    file = VectorFile.open(tmp_path / "vectors.npy")
    rows = np.array([2_999, 0, 5])
    assert file.take(rows).tolist() == vectors[rows].tolist()
    assert file.take(np.arange(2_500)).tolist() == vectors[:2_500].tolist()


@pytest.mark.parametrize("content", [b"", b"nonsense" * 30, b"cut"])
def test_files_that_are_none(tmp_path, content):
    """What is no file of vectors, or a cut one, is refused."""
    path = tmp_path / "vectors.npy"
    DenseIndex.build(np.arange(3), np.eye(3, dtype=np.float32)).save(path)
    path.write_bytes(path.read_bytes()[:-4] if content == b"cut" else content)
    with pytest.raises((ValueError, EOFError)):
        VectorFile.open(path)


def hits(path: Path) -> list[tuple[str, float]]:
    """Return what a question finds."""
    with KnowledgeBase.open(path, model=LetterEncoder()) as knowledge_base:
        return [(hit.entry.id, hit.score) for hit in knowledge_base.search(QUERY)]


def test_reindex(tmp_path):
    """Another index answers alike, is recorded, encodes nothing, and shares the vectors."""
    encoder = LetterEncoder()
    path = tmp_path / "kb"
    build(path, encoder=encoder).close()
    before = hits(path)
    encoder.encoded.clear()
    manifest = reindex(path, "hnsw")
    assert (manifest.index, manifest.index_asked) == ("hnsw", "hnsw")
    assert manifest.history[-1].action == "reindex"
    old, new = generation_folder(path, 1), generation_folder(path, 2)
    assert (new / "dense.faiss").exists()
    for name in ("dense.npy", "store.sqlite"):
        assert old.joinpath(name).samefile(new / name)
    verify(path, manifest, again=True)
    assert hits(path) == before
    assert not encoder.encoded
    assert reindex(path).index == "flat"
    assert not (generation_folder(path, 3) / "dense.faiss").exists()
    assert hits(path) == before
    rollback(path, 2)
    assert read_manifest(path).index == "hnsw"
    assert hits(path) == before


def test_a_kind_stays(tmp_path, monkeypatch):
    """What was asked for at the build holds when the corpus changes, beside it or anew."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for document in (RETURNS, PARKING):
        (corpus / document.id.replace("/", "-")).write_text(document.text, encoding="utf-8")
    path = tmp_path / "kb"
    KnowledgeBase.build(corpus, path, model=LetterEncoder(), index="hnsw").close()
    for step, share in enumerate((0.0, 9.0, 9.0)):
        monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0 if share else 9_999)
        monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", share)
        text = f"1. Is number {step} new?\nYes, it is quite new.\n"
        (corpus / f"new-{step}.txt").write_text(text, encoding="utf-8")
        synchronise(path, model=LetterEncoder())
        manifest = read_manifest(path)
        assert (manifest.index, manifest.index_asked) == ("hnsw", "hnsw")
        with KnowledgeBase.open(path, model=LetterEncoder()) as knowledge_base:
            assert knowledge_base.search(f"is number {step} new", 1)[0].entry.id == f"new-{step}#1"
    assert reindex(path, "flat").index == "flat"
    assert (generation_folder(path, 5) / "changes.npy").exists()
    with KnowledgeBase.open(path, model=LetterEncoder()) as knowledge_base:
        assert knowledge_base.search("is number 2 new", 1)[0].entry.id == "new-2#1"


def test_a_kind_stays_in_a_build(tmp_path, monkeypatch):
    """A build that names no kind keeps the one of before, and another one if that fits no more."""
    monkeypatch.setattr("policy_qa.coarse._LEAST_TRAINED", 1)
    path = tmp_path / "kb"
    build(path).close()
    assert read_manifest(path).index_asked == "auto"
    reindex(path, "ivf")
    build(path).close()
    assert (read_manifest(path).index, read_manifest(path).index_asked) == ("ivf", "ivf")
    monkeypatch.setattr("policy_qa.coarse._LEAST_TRAINED", 2_500)
    build(path).close()
    assert (read_manifest(path).index, read_manifest(path).index_asked) == ("flat", "ivf")
    KnowledgeBase.build([NEW], path, model=LetterEncoder(), index="auto").close()
    assert read_manifest(path).index_asked == "auto"


@pytest.mark.parametrize("keep", ["0", "-1", "x"])
def test_generations_to_keep(tmp_path, capsys, keep):
    """`reindex` refuses to keep no generation, as the other commands do."""
    with pytest.raises(SystemExit):
        main(["reindex", "--keep", keep, "--kb", str(tmp_path)])
    assert "give a whole number, 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["ivf", "diskann"])
def test_a_refused_kind_changes_nothing(tmp_path, kind):
    """A kind that does not fit is refused before anything is encoded, and what was there stays."""
    encoder = LetterEncoder()
    path = tmp_path / "kb"
    build(path, encoder=encoder).close()
    encoder.encoded.clear()
    with pytest.raises(InputError):
        KnowledgeBase.build([NEW], path, model=encoder, index=kind)
    with pytest.raises(InputError):
        reindex(path, kind)
    assert not encoder.encoded
    assert read_manifest(path).generation == 1
    assert hits(path)


def test_no_room(tmp_path, monkeypatch):
    """What memory or disk cannot hold is said before the work starts, with the estimate."""
    usage = shutil.disk_usage(tmp_path)._replace(free=10**8)
    monkeypatch.setattr("policy_qa.room.shutil.disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match=r"about 2\.0 GB of disk .* 100 MB are free"):
        check_room(tmp_path, memory=0, disk=2 * 10**9)
    monkeypatch.setattr("policy_qa.room.available_memory", lambda: 10**8)
    with pytest.raises(StorageError, match=r"about 3\.0 GB of memory, of which 100 MB are free"):
        check_room(tmp_path, memory=3 * 10**9, disk=0)
    check_room(tmp_path, memory=10**6, disk=10**6)


def test_no_room_for_a_build(tmp_path, monkeypatch):
    """A build that does not fit is refused before anything is encoded."""
    encoder = LetterEncoder()
    monkeypatch.setattr("policy_qa.room._NEGLIGIBLE", 0)
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr("policy_qa.room.shutil.disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match="Nothing was begun"):
        build(tmp_path / "kb", encoder=encoder)
    assert not encoder.encoded


def test_memory_that_cannot_be_told(tmp_path, monkeypatch):
    """Where the system does not say how much memory is free, none is asked for."""
    monkeypatch.setattr("policy_qa.room._MEMORY", tmp_path / "none")
    assert available_memory() is None
    check_room(tmp_path, memory=10**18, disk=0)


@pytest.mark.parametrize("kind", KINDS)
def test_needs_grow_with_the_vectors(kind):
    """Ten times the vectors need nearly ten times the disk, and no more memory than that."""
    small, large = needs(kind, 10**5, 384), needs(kind, 10**6, 384)
    assert large.disk == 10 * small.disk
    assert large.memory <= 10 * small.memory


def test_recall(tmp_path):
    """Compared with all rows, an index that compares all rows finds everything."""
    path = tmp_path / "kb"
    build(path).close()
    found = recall(open_dense(generation_folder(path, 1), "flat"))
    assert (found.share, found.worst) == (1, 1)
    assert found.vectors == read_manifest(path).passages


def test_commands(tmp_path, capsys):
    """`reindex` says which index there is now, and `info --check` how much it finds."""
    path = tmp_path / "kb"
    build(path).close()
    assert main(["reindex", "--index", "hnsw", "--kb", str(path)]) == 0
    assert "index hnsw." in capsys.readouterr().out
    assert main(["info", "--check", "--json", "--kb", str(path)]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert (fields["index"], fields["recall@10"]) == ("hnsw", 1)
    assert main(["reindex", "--index", "ivf", "--kb", str(path)]) == 2
    assert "needs 2,500 passages" in capsys.readouterr().err


def test_rows_that_filters_leave(tmp_path, monkeypatch):
    """The rows of documents, of tags of documents and of entries are found, whatever the way."""
    shop = Document("shop.txt", "1. Red?\nYes.\n2. Blue?\nNo.\n", ("shop", "old"))
    hall = Document("hall.txt", "1. Green?\nPerhaps.\n", ("hall",))
    build(tmp_path / "kb", shop, hall).close()
    with closing(Store(generation_folder(tmp_path / "kb", 1) / "store.sqlite")) as store:
        for alone in (0, 1_000):
            monkeypatch.setattr("policy_qa.store._LOOKED_UP_ALONE", alone)
            both = store.rows(Filters())
            assert sorted(both) == list(range(store.counts["passages"]))
            of_shop = {
                row for entry, _ in store.entries("shop.txt") for row, _ in store.passages(entry.id)
            }
            assert {*store.rows(Filters(tags=("shop", "old"))).tolist()} == of_shop
            assert {*store.rows(Filters(documents=("shop.txt",))).tolist()} == of_shop
            assert not len(store.rows(Filters(documents=("hall.txt",), tags=("shop",))))
