"""The same of the embedded indexes and of Milvus, against a real Milvus Lite server.

Lite checks no tokens: a server in this process that does, as a cluster's does, stands for that.
"""

import gc
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from engine_server import Server, server_or_skip
from fakes import PARKING, RETURNS, LetterEncoder

from policy_qa import Document, Filters, KnowledgeBase, keeping
from policy_qa.build import Made, build_generation
from policy_qa.cli import main
from policy_qa.coarse import needs
from policy_qa.corpus import Corpus
from policy_qa.engines import connection, writing
from policy_qa.engines.address import checked
from policy_qa.engines.collections import AT_ONCE, View
from policy_qa.engines.connection import Connection
from policy_qa.engines.vocabulary import VocabularyWriter, row_weights
from policy_qa.errors import (
    CorruptionError,
    EngineError,
    InputError,
    KnowledgeBaseError,
    StorageError,
)
from policy_qa.filling import Source
from policy_qa.lexical import LexicalIndex
from policy_qa.reindexing import reindex
from policy_qa.storage import Manifest, generation_numbers, read_manifest
from policy_qa.translation import Term, Translation

QUERIES = [
    "Who pays for the parcel?",
    "what about the refund number 7?",
    "seller 3 days",
    "when does the deposit end",
    "broken colour",
]
WORDS = ["refund", "parcel", "return", "seller", "buyer", "deposit", "invoice", "colour"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server for the tests of this file; skip them where none is installed."""
    server = server_or_skip(tmp_path_factory.mktemp("milvus") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["embedded", "milvus"])
def engine(request: pytest.FixtureRequest) -> str:
    """Return where the indexes are to stand: each in turn."""
    if request.param == "embedded":
        return "embedded"
    return request.getfixturevalue("server").url


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """Start a server that a test may kill."""
    server = server_or_skip(tmp_path / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the indexes in place however small they are, and however much changed."""
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder of eight pages, an hour old."""
    return pages(tmp_path / "corpus")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a knowledge base of the pages, embedded, that no test changes."""
    return build(pages(tmp_path_factory.mktemp("expected") / "corpus"), "embedded")


@pytest.fixture(scope="module")
def standing(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a knowledge base of the pages that no test changes."""
    return build(pages(tmp_path_factory.mktemp("standing") / "corpus"), engine)


def pages(folder: Path) -> Path:
    """Write eight pages of three entries."""
    for number, word in enumerate(WORDS):
        answers = "".join(
            f"{n}. What about the {word} number {n}?\nThe {word} takes {n} days. Then it ends.\n"
            for n in range(1, 4)
        )
        write(folder / f"part-{number % 2}" / f"page-{number}.txt", answers)
    return folder


def write(file: Path, text: str) -> None:
    """Write a file that was changed an hour ago."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    os.utime(file, (time.time() - 3_600,) * 2)


def build(corpus: Path, engine: str, name: str = "kb") -> Path:
    """Build a knowledge base beside the corpus."""
    path = corpus.parent / name
    KnowledgeBase.build(corpus, path, model=LetterEncoder(), engine=engine).close()
    return path


def change(corpus: Path) -> None:
    """Change a page, remove one and add one."""
    write(corpus / "part-0" / "page-0.txt", "1. Who pays the refund?\nThe seller pays in 9 days.\n")
    (corpus / "part-1" / "page-1.txt").unlink()
    write(corpus / "part-1" / "page-9.txt", "1. Is a gift taxed?\nA gift of 300 euros is not.\n")


def synchronise(path: Path) -> None:
    """Synchronise a knowledge base with its corpus."""
    keeping.synchronise(path, model=LetterEncoder())


def found(path: Path, filters: Filters | None = None) -> list[list[tuple[str, float]]]:
    """Return the entries that the queries find, with their scores."""
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        return ranked(kb, filters)


def ranked(kb: KnowledgeBase, filters: Filters | None = None) -> list[list[tuple[str, float]]]:
    """Return the entries that the queries find in an open knowledge base, with their scores."""
    return [
        [(hit.entry.id, round(hit.score, 4)) for hit in kb.search(query, 10, filters)]
        for query in QUERIES
    ]


def collections(url: str, path: Path) -> list[str]:
    """Return the collections of a knowledge base that an engine has."""
    link = Connection(url)
    try:
        prefix = (path / "engine").read_text("ascii").split()[0]
        return [name for name in link.call("list_collections") if name.startswith(prefix)]
    finally:
        link.close()


def test_hits(expected, standing):
    """Hits, their scores and all of their components are those of the embedded indexes."""
    with (
        KnowledgeBase.open(expected, model=LetterEncoder()) as one,
        KnowledgeBase.open(standing, model=LetterEncoder()) as other,
    ):
        for query in QUERIES:
            for hit, same in zip(one.search(query, 10), other.search(query, 10), strict=True):
                assert same.entry == hit.entry
                assert same.passage == hit.passage
                assert same.components == pytest.approx(hit.components, abs=1e-5)
            assert one.ask(query).conclusion == other.ask(query).conclusion


@pytest.mark.parametrize(
    "filters",
    [
        Filters(documents=("part-0/page-2.txt", "part-1/page-3.txt")),
        Filters(tags=("part-1",)),
        Filters(documents=("part-0/page-2.txt",), tags=("part-1",)),
    ],
    ids=["documents", "tags", "both"],
)
def test_filters(expected, standing, filters):
    """A filter lets the same entries through, with the same scores, as in the embedded indexes."""
    assert found(standing, filters) == found(expected, filters)


def test_names_that_need_quoting(tmp_path, engine):
    """Documents and tags are found by whatever they are called."""
    name = "it's \"\\ 退货].txt"
    odd = Document(name, "1. May I park?\nYes.\n", ('"or" 1 == 1',))
    with KnowledgeBase.build(
        [odd, PARKING], tmp_path / "kb", model=LetterEncoder(), engine=engine
    ) as kb:
        for filters in (Filters(documents=(name,)), Filters(tags=odd.tags)):
            assert [hit.entry.document_id for hit in kb.search("park", filters=filters)] == [name]


def test_days(tmp_path, engine):
    """An entry is not found on a day on which it does not hold."""
    dated = Document("old.txt", RETURNS.text, expires=date(2025, 1, 1))
    with KnowledgeBase.build(
        [dated, PARKING], tmp_path / "kb", model=LetterEncoder(), engine=engine
    ) as kb:
        names = {hit.entry.document_id for hit in kb.search("May I return shoes?")}
        before = kb.search("May I return shoes?", as_of=date(2024, 1, 1))
    assert names == {"site/parking.txt"}
    assert before[0].entry.document_id == "old.txt"


@pytest.mark.usefixtures("in_place")
def test_changes_in_place(corpus, engine):
    """After changes, what went is not found, and the rest ranks as in a new knowledge base.

    Nearly: lengths are weighed by the average of the last time when all was indexed.
    """
    path = build(corpus, engine)
    for _ in range(2):
        change(corpus)
        synchronise(path)
        write(corpus / "part-1" / "page-1.txt", "1. Who pays?\nThe buyer.\n")
        synchronise(path)
    assert nearly(found(path), found(build(corpus, "embedded", "fresh")))


def nearly(ones: list[list[tuple[str, float]]], others: list[list[tuple[str, float]]]) -> bool:
    """Tell whether the first entries are of the same documents, and their scores nearly."""
    return all(
        [name.partition("#")[0] for name, _ in one[:3]]
        == [name.partition("#")[0] for name, _ in other[:3]]
        and [score for _, score in one[:3]]
        == pytest.approx([score for _, score in other[:3]], abs=0.02)
        for one, other in zip(ones, others, strict=True)
    )


@pytest.mark.usefixtures("in_place")
def test_changes_in_place_write_only_rows_that_changed(corpus, server, monkeypatch):
    """A synchronisation sends the engine the rows that come and go, into the same collections."""
    path = build(corpus, server.url)
    before = collections(server.url, path)
    written: list[int] = []
    upsert = View.upsert
    monkeypatch.setattr(
        View, "upsert", lambda view, rows: upsert(view, counted(rows, written.append))
    )
    write(corpus / "part-1" / "page-9.txt", "1. Is a gift taxed?\nA gift of 300 euros is not.\n")
    synchronise(path)
    assert collections(server.url, path) == before
    assert written == [2, 1]


def counted(rows, tell: Callable[[int], None]):
    """Return rows as they are, and tell how many there are."""
    rows = list(rows)
    tell(len(rows))
    return rows


@pytest.mark.usefixtures("in_place")
def test_readers_of_older_generations(corpus, engine):
    """Whoever has a generation open goes on with it, whatever is written."""
    path = build(corpus, engine)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        before = ranked(kb)
        change(corpus)
        synchronise(path)
        kb._retriever._dense._kept = None if engine == "embedded" else fresh_rows(kb)
        assert ranked(kb) == before
    assert found(path) != before


def fresh_rows(kb: KnowledgeBase):
    """Return rows of an open knowledge base of which none were asked for yet."""
    kept = kb._retriever._dense._kept
    return type(kept)(kept._view, kept._fields[1:])


@pytest.mark.usefixtures("in_place")
def test_rollback(corpus, engine):
    """An older generation finds again what it found, also after the next change."""
    path = build(corpus, engine)
    before = found(path)
    change(corpus)
    synchronise(path)
    keeping.rollback(path)
    assert found(path) == before
    synchronise(path)
    assert nearly(found(path), found(build(corpus, "embedded", "fresh")))


@pytest.mark.usefixtures("in_place")
def test_what_nobody_needs_is_removed(corpus, server):
    """Rows and collections go with the last generation that needs them."""
    path = build(corpus, server.url)
    first = collections(server.url, path)
    change(corpus)
    keeping.synchronise(path, model=LetterEncoder(), keep=1)
    link, manifest = Connection(server.url), read_manifest(path)
    try:
        view = View(link, "passages", manifest.collection, manifest.as_of)
        total = view.call("query", filter="row >= 0", output_fields=["count(*)"])
        assert total[0]["count(*)"] == view.count()
    finally:
        link.close()
    KnowledgeBase.build(corpus, path, model=LetterEncoder(), keep=1).close()
    assert len(collections(server.url, path)) == 2
    assert not {*first} & {*collections(server.url, path)}
    keeping.move(path, "embedded", keep=1)
    assert collections(server.url, path) == []


def test_move(corpus, server, capsys):
    """Moving there and back encodes nothing and changes no hit; the history tells of it."""
    path = build(corpus, "embedded")
    before = found(path)
    (path / "vectors.sqlite").unlink()
    for place in (server.url, "embedded"):
        assert main(["move", "--kb", str(path), "--engine", place]) == 0
        assert f"moved to {place}." in capsys.readouterr().out
        assert read_manifest(path).history[-1].note == f"to {place}"
        assert found(path) == before
    assert not (path / "vectors.sqlite").exists()


@pytest.mark.usefixtures("in_place")
def test_move_of_what_has_changed(corpus, server):
    """What was changed in place moves, too, and can be changed and moved further."""
    path = build(corpus, "embedded")
    change(corpus)
    synchronise(path)
    keeping.move(path, server.url)
    write(corpus / "part-0" / "page-2.txt", "1. Where is the return?\nIn the hall.\n")
    synchronise(path)
    keeping.move(path, "embedded")
    assert nearly(found(path), found(build(corpus, "embedded", "fresh")))


def test_a_build_stays_where_it_was(corpus, server):
    """A build without an engine uses the one that there was, and `embedded` leaves it."""
    path = build(corpus, server.url)
    KnowledgeBase.build(corpus, path, model=LetterEncoder()).close()
    assert read_manifest(path).engine == server.url
    KnowledgeBase.build(corpus, path, model=LetterEncoder(), engine="embedded").close()
    assert read_manifest(path).engine == ""


def test_server_stopped_and_started_again(corpus, own_server):
    """An open knowledge base says that its engine is gone, and goes on when it is back."""
    path = build(corpus, own_server.url)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        before = ranked(kb)
        own_server.stop()
        with pytest.raises(EngineError, match=rf"No engine answers at {own_server.url}"):
            kb.search("a question that was not asked before")
        own_server.start()
        assert ranked(kb) == before
    assert found(path) == before


@pytest.mark.usefixtures("in_place")
@pytest.mark.parametrize("request_number", [1, 3])
def test_server_gone_in_the_middle_of_a_sync(corpus, own_server, monkeypatch, request_number):
    """A sync that loses its engine leaves the old generation; the next one does all of it."""
    path = build(corpus, own_server.url)
    before = found(path)
    change(corpus)
    upsert, calls = View.upsert, []

    def upsert_and_die(view: View, rows) -> None:
        upsert(view, rows)
        calls.append(view)
        if len(calls) == request_number:
            own_server.stop()

    monkeypatch.setattr(View, "upsert", upsert_and_die)
    with pytest.raises(EngineError, match="No engine answers"):
        synchronise(path)
    monkeypatch.undo()
    assert generation_numbers(path) == [1]
    own_server.start()
    assert found(path) == before
    monkeypatch.setattr("policy_qa.build.REBUILT_UP_TO", 0)
    monkeypatch.setattr("policy_qa.build.CHANGES_SHARE", 99)
    synchronise(path)
    assert nearly(found(path), found(build(corpus, "embedded", "fresh")))


def test_interrupted_move(corpus, server, monkeypatch):
    """A move that is interrupted leaves all as it was, and the next one removes its leftovers."""
    path = build(corpus, "embedded")
    before = found(path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(View, "flush", interrupted)
        with pytest.raises(KeyboardInterrupt):
            keeping.move(path, server.url)
    assert read_manifest(path).engine == ""
    assert found(path) == before
    keeping.move(path, server.url)
    assert len(collections(server.url, path)) == 2
    assert found(path) == before


def test_lost_rows(corpus, server):
    """An engine that has not all rows is told of on opening, with the way out."""
    path = build(corpus, server.url)
    manifest = read_manifest(path)
    assert main(["info", "--check", "--kb", str(path)]) == 0
    link = Connection(server.url)
    view = View(link, "entries", manifest.collection, manifest.as_of)
    view.call("delete", filter="row in [0, 1]")
    with pytest.raises(EngineError, match=r"22 rows in policy_qa_\w+_entries instead of 24"):
        KnowledgeBase.open(path, model=LetterEncoder())
    assert main(["info", "--check", "--kb", str(path)]) == 2
    view.call("drop_collection")
    link.close()
    with pytest.raises(EngineError, match=r"has no collection policy_qa_\w+_entries"):
        KnowledgeBase.open(path, model=LetterEncoder())
    KnowledgeBase.build(corpus, path, model=LetterEncoder()).close()
    found(path)


@pytest.mark.usefixtures("server")
def test_wrong_address(expected, capsys):
    """Where no engine answers, one line says so, and what was there is as it was."""
    path, before = expected, read_manifest(expected)
    arguments = ["move", "--kb", str(path), "--engine", "http://127.0.0.1:9"]
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("policy-qa: No engine answers at http://127.0.0.1:9.")
    assert read_manifest(path) == before


@pytest.mark.parametrize(
    "address", ["127.0.0.1:19530", "kb.db", "http://", "http://user:secret@host:1", "http://a b"]
)
def test_no_address(address):
    """What is no address is refused, and a token in it is not repeated."""
    with pytest.raises(InputError, match=r"no address of an engine") as refused:
        checked(address)
    assert "secret" not in str(refused.value)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """Return the address of a server that wants the token `root:right`."""
    server_or_skip(tmp_path)
    import grpc
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite
    from pymilvus.grpc_gen import milvus_pb2_grpc

    class Guard(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            import base64

            given = dict(details.invocation_metadata).get("authorization", "")
            if base64.b64decode(given) == b"root:right":
                return continuation(details)

            def refuse(_: object, context: grpc.ServicerContext) -> None:
                text = "auth check failure, please check username and password are correct"
                context.abort(grpc.StatusCode.UNAUTHENTICATED, text)

            return grpc.unary_unary_rpc_method_handler(refuse)

    database = MilvusLite(str(tmp_path / "guarded"))
    server = grpc.server(futures.ThreadPoolExecutor(2), interceptors=[Guard()])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop(None)
    database.close()


def test_token(corpus, guarded, monkeypatch):
    """A wrong token is told of; the right one opens the engine and is stored nowhere."""
    monkeypatch.setenv("POLICY_QA_ENGINE_TOKEN", "root:wrong")
    with pytest.raises(EngineError, match=r"refuses the token. Set the variable POLICY_QA_ENGINE"):
        build(corpus, guarded)
    monkeypatch.setenv("POLICY_QA_ENGINE_TOKEN", "root:right")
    path = build(corpus, guarded)
    assert found(path)
    files = [file for file in path.rglob("*") if file.is_file()]
    assert not [file for file in files if b"root:right" in file.read_bytes()]


def test_another_major_version(server, monkeypatch):
    """An engine of another major version is refused, its version named."""
    monkeypatch.setattr(connection, "MAJOR", 2)
    with pytest.raises(EngineError, match=r"is Milvus milvus_lite-3\S*; this program needs"):
        Connection(server.url)


def test_missing_extra(corpus, monkeypatch):
    """Without the client, one line says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "pymilvus", None)
    with pytest.raises(EngineError, match=r"pip install 'policy-qa\[milvus\]'"):
        build(corpus, "http://127.0.0.1:9")
    with pytest.raises(KnowledgeBaseError):
        KnowledgeBase.open(corpus.parent / "kb")


def test_a_generation_is_looked_at_before_it_is_current(corpus, server):
    """A generation that is refused was whole at the engine, and nothing is left of it there."""
    path = build(corpus, server.url)
    before = collections(server.url, path)
    write(corpus / "part-1" / "page-9.txt", "1. Is a gift taxed?\nA gift of 300 euros is not.\n")
    seen: list[str] = []

    def approve(manifest: Manifest, folder: Path) -> str:
        with KnowledgeBase(path, manifest, LetterEncoder(), folder=folder) as candidate:
            seen.append(candidate.search("Is a gift taxed?")[0].entry.document_id)
        raise InputError("refused")

    with pytest.raises(InputError, match="refused"):
        build_generation(
            Corpus(corpus), path, LetterEncoder(), Source("", ""), made=Made(approve=approve)
        )
    assert seen == ["part-1/page-9.txt"]
    synchronise(path)
    assert len(collections(server.url, path)) == 4
    assert {*before} < {*collections(server.url, path)}


def test_several_threads(standing):
    """Several threads ask one open knowledge base and find the same."""
    with KnowledgeBase.open(standing, model=LetterEncoder()) as kb:
        expected = ranked(kb)
        results: list[object] = []
        threads = [threading.Thread(target=lambda: results.append(ranked(kb))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [expected] * 4


@pytest.mark.parametrize("length", [1, 24, 39, 40, 41, 57, 100, 1_000, 70_000])
def test_weights_of_long_rows(tmp_path, length):
    """A row's weights are what the embedded index makes of its length, which it keeps roughly."""
    passages = [(0, ["rare"] + ["word"] * (length - 1), "a.txt", ()), (1, ["other"], "b.txt", ())]
    index = LexicalIndex.build(tmp_path / "lexical", passages)
    (score,) = index.search(["rare"], 1).scores
    counts = {1: 1, 2: length - 1} if length > 1 else {1: 1}
    assert row_weights(counts, (length + 1) / 2)[1] == pytest.approx(score, rel=1e-5)


def test_translations(tmp_path, server):
    """Of a word's terms the surest counts, held whole, also where the bound misleads.

    Many rows hold all tokens of many terms of one word, and are bounded far above their scores.
    """
    rng = np.random.default_rng(8)
    letters = "abcdefgh"
    rows = [
        (row, [letters[n] for n in rng.integers(0, len(letters), 3)], "a.txt", ())
        for row in range(400)
    ]
    lexical = LexicalIndex.build(tmp_path / "lexical", rows)
    target = writing.Target(server.url, f"policy_qa_test_{os.getpid()}", 1, tmp_path, 2)
    with writing.writing_rows(target) as writers:
        for row, tokens, document, tags in rows:
            writers.dense.add(np.array([row]), np.zeros((1, 2), np.float32))
            writers.lexical.add(row, tokens, [document], tags)
    manifest = type("Manifest", (), {**target.fields, "dim": 2, "created": "2026-01-01T00:00Z"})
    from policy_qa.engines.indexes import open_indexes

    indexes = open_indexes(manifest, tmp_path)
    terms = (Term("a b", 0.9, "x"), Term("c", 0.5, "x"), Term("d", 0.4, "x"), Term("e", 0.4, "x"))
    query = Translation({"one": terms, "two": (Term("f g", 1.0, "x"), Term("h", 0.6, "x"))}, 1.0)
    try:
        for k in (1, 7, 50, 400):
            expected = lexical.search_translation(query, k)
            ranking = indexes.lexical.search_translation(query, k)
            assert ranking.rows.tolist() == expected.rows.tolist()
            assert ranking.scores == pytest.approx(expected.scores, rel=1e-5)
        every = np.arange(400)
        expected = lexical.translation_scores(query, every)
        assert indexes.lexical.translation_scores(query, every).rows.tolist() == (
            expected.rows.tolist()
        )
    finally:
        indexes.close()


def test_many_rows(tmp_path, server):
    """More rows than one request takes are written, found and moved back."""
    text = "".join(f"{n}. May I bring {n} parcels?\nAt most {n}.\n" for n in range(1, AT_ONCE))
    path = tmp_path / "kb"
    model = LetterEncoder()
    with KnowledgeBase.build([Document("a.txt", text)], path, model=model, engine=server.url) as kb:
        assert kb.manifest.passages > AT_ONCE
        assert kb.search("May I bring 77 parcels?")[0].entry.id == "a#77"
    keeping.move(path, "embedded")
    assert not (path / "generations" / "2" / "words.sqlite").exists()
    shutil.rmtree(path)


@pytest.mark.parametrize(
    "contents", [b"policy_qa", b"policy_qa_0123456789a\xff\n", b"policy_qa_0123456789ab\n{"]
)
def test_damaged_name_at_engines(corpus, server, contents):
    """With a damaged `engine` file nothing is written, nothing of others goes; repair mends it."""
    other = build(pages(corpus.parent / "other" / "corpus"), server.url)
    path = build(corpus, server.url)
    before = collections(server.url, other)
    (path / "engine").write_bytes(contents)
    change(corpus)
    with pytest.raises(CorruptionError, match=r"engine is damaged: .* policy-qa repair --kb"):
        synchronise(path)
    assert "engine is set aside as" in keeping.repair(path, model=LetterEncoder()).done[0]
    assert (path / "engine.damaged").exists()
    keeping.synchronise(path, model=LetterEncoder(), keep=1)
    assert collections(server.url, other) == before
    assert nearly(found(path), found(build(corpus, "embedded", "fresh")))


@pytest.mark.usefixtures("in_place")
def test_a_copy_that_is_written_to(corpus, server):
    """A copy gets collections of its own, the original's stay as they are; a move is no copy."""
    path = build(corpus, server.url)
    before, there = found(path), collections(server.url, path)
    copy = Path(shutil.copytree(path, corpus.parent / "copy"))
    change(corpus)
    keeping.synchronise(copy, model=LetterEncoder(), keep=1)
    assert found(path) == before
    assert collections(server.url, path) == there
    assert not {*there} & {*collections(server.url, copy)}
    assert found(copy) != before
    moved = path.rename(corpus.parent / "moved")
    keeping.synchronise(moved, model=LetterEncoder(), keep=1)
    assert collections(server.url, moved) == there


def test_engine_file_of_an_older_program(corpus, server):
    """A file that holds the name alone is taken as it is, and what was made goes in the end."""
    path = build(corpus, server.url)
    (path / "engine").write_text((path / "engine").read_text("ascii").split()[0] + "\n", "ascii")
    first = collections(server.url, path)
    KnowledgeBase.build(corpus, path, model=LetterEncoder(), keep=1).close()
    assert not {*first} & {*collections(server.url, path)}


def test_engine_that_is_down_is_tidied_later(corpus, own_server):
    """What an engine keeps because it was down goes with a later write, wherever that goes."""
    path = build(corpus, own_server.url)
    own_server.stop()
    KnowledgeBase.build(corpus, path, model=LetterEncoder(), engine="embedded", keep=1).close()
    own_server.start()
    assert len(collections(own_server.url, path)) == 2
    change(corpus)
    synchronise(path)
    assert collections(own_server.url, path) == []
    assert "http" not in (path / "engine").read_text("ascii")


def test_reindexing_tidies(corpus, server):
    """Another coarse index that takes the place of the last generation at an engine tidies it."""
    path = build(corpus, server.url)
    keeping.move(path, "embedded")
    assert len(collections(server.url, path)) == 2
    reindex(path, "hnsw", keep=1)
    assert collections(server.url, path) == []


@pytest.mark.parametrize("lost", ["rows", "collection"])
def test_repair_of_what_an_engine_lost(corpus, server, lost):
    """Lost rows and collections are damage to indexes, which are made anew."""
    path = build(corpus, server.url)
    before, manifest = found(path), read_manifest(path)
    link = Connection(server.url)
    view = View(link, "passages", manifest.collection, manifest.as_of)
    if lost == "rows":
        view.call("delete", filter="row in [0, 1]")
    else:
        view.call("drop_collection")
    link.close()
    result = keeping.repair(path, model=LetterEncoder())
    assert len(result.damaged) == 1
    assert read_manifest(path).generation == 2
    assert read_manifest(path).engine == server.url
    assert found(path) == before
    assert not keeping.repair(path, model=LetterEncoder())


def test_repair_without_a_server_that_is_gone(corpus, own_server):
    """A server that does not answer is told of; with another place the indexes are made there."""
    path = build(corpus, own_server.url)
    before = found(path)
    own_server.stop()
    with pytest.raises(EngineError, match=r"No engine answers .* policy-qa repair --engine"):
        keeping.repair(path, model=LetterEncoder())
    result = keeping.repair(path, model=LetterEncoder(), engine="embedded")
    assert result.damaged == (f"No engine answers at {own_server.url}.",)
    assert read_manifest(path).engine == ""
    assert found(path) == before
    assert "http" not in (path / "engine").read_text("ascii")


def test_rollback_to_an_engine_that_is_gone(corpus, own_server):
    """What stands at an engine that does not answer does not become current again."""
    path = build(corpus, own_server.url)
    keeping.move(path, "embedded")
    own_server.stop()
    with pytest.raises(EngineError, match="No engine answers"):
        keeping.rollback(path)
    assert read_manifest(path).generation == 2
    own_server.start()
    assert keeping.rollback(path, 1).engine == own_server.url


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("address", ["embedded", "kb.db", "http://me:secret@host:1"])
def test_a_manifest_with_no_address(corpus, address):
    """Nothing is connected to that is no address, whoever wrote it."""
    path = build(corpus, "embedded")
    (path / "generations" / "1" / "words.sqlite").unlink(missing_ok=True)
    VocabularyWriter(path / "generations" / "1" / "words.sqlite").close()
    manifest = replace(read_manifest(path), engine=address)
    with pytest.raises(InputError, match="no address of an engine") as refused:
        KnowledgeBase(path, manifest, LetterEncoder())
    assert "secret" not in str(refused.value)


def test_move_asks_for_room(corpus, server, monkeypatch):
    """Moving back asks for memory and disk before the work, and not for those of encoding."""
    path = build(corpus, server.url)
    (path / "vectors.sqlite").unlink()
    asked: list[int] = []

    def refuse(_: Path, *, memory: int, disk: int) -> None:
        asked.append(disk)
        raise StorageError(f"{memory}")

    monkeypatch.setattr("policy_qa.indexing.check_room", refuse)
    with pytest.raises(StorageError):
        keeping.move(path, "embedded")
    manifest = read_manifest(path)
    assert manifest.engine == server.url
    words = asked[0] - needs("flat", manifest.passages, manifest.dim).disk
    assert 0 < words < 4 * (path / "generations" / "1" / "store.sqlite").stat().st_size


def test_a_kind_of_index_at_an_engine(corpus, server):
    """An engine chooses its own index: a kind is refused, wherever the engine is named."""
    path = corpus.parent / "kb"
    with pytest.raises(InputError, match=r"chooses its own index .* leave --index hnsw out"):
        KnowledgeBase.build(corpus, path, model=LetterEncoder(), engine=server.url, index="hnsw")
    assert not path.exists()
    build(corpus, server.url)
    with pytest.raises(InputError, match="chooses its own index"):
        KnowledgeBase.build(corpus, path, model=LetterEncoder(), index="flat")
    KnowledgeBase.build(
        corpus, path, model=LetterEncoder(), engine="embedded", index="hnsw"
    ).close()
    assert read_manifest(path).index == "hnsw"


def test_closed_when_nobody_has_it(corpus, server, monkeypatch):
    """A knowledge base leaves its engine when the last of its readers lets it go, not before."""
    path = build(corpus, server.url)
    closed: list[Connection] = []
    close = Connection.close
    monkeypatch.setattr(Connection, "close", lambda link: (closed.append(link), close(link)))
    cached = {"kb": KnowledgeBase.open(path, model=LetterEncoder())}
    reader = cached["kb"]
    del cached["kb"]
    gc.collect()
    assert ranked(reader)
    assert closed == []
    del reader
    gc.collect()
    assert len(closed) == 1


def test_many_rows_that_are_not_in_force(tmp_path, server, monkeypatch):
    """However many rows are not in force, a request does not name them; the rest is found."""
    text = "".join(f"{n}. May I bring {n} parcels?\nAt most {n}.\n" for n in range(1, 200))
    old = Document("old.txt", text, expires=date(2025, 1, 1))
    documents, filters = [old, PARKING, RETURNS], []
    call = View.call

    def told(view: View, request: str, *arguments: object, **options: object) -> object:
        if request == "search":
            filters.append(str(options["filter"]))
        return call(view, request, *arguments, **options)

    monkeypatch.setattr(View, "call", told)
    hits = []
    for engine in ("embedded", server.url):
        with KnowledgeBase.build(
            documents, tmp_path / engine[:5], model=LetterEncoder(), engine=engine
        ) as kb:
            queries = ("May I bring parcels?", "parcel 7")
            hits.append([[hit.entry.id for hit in kb.search(query, 10)] for query in queries])
    assert hits[0] == hits[1]
    assert hits[0][0]
    assert filters
    assert max(map(len, filters)) < 100


def test_repair_in_another_place_by_command(corpus, capsys):
    """`repair --engine` takes an address as the other commands do, and leaves what is whole."""
    path = build(corpus, "embedded")
    assert main(["repair", "--kb", str(path), "--engine", "kb.db"]) == 2
    assert "no address of an engine" in capsys.readouterr().err
    assert main(["repair", "--kb", str(path), "--engine", "embedded"]) == 0
    assert capsys.readouterr().out == "Nothing is damaged.\n"
