"""The façade: what users may give it, and what several threads get from it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from fakes import PARKING, RETURNS, LetterEncoder, build

from policy_qa import Document, Filters, KnowledgeBase, QueryError
from policy_qa.errors import EncoderError, InputError
from policy_qa.settings import MAX_QUERY_CHARS
from policy_qa.storage import read_manifest
from policy_qa.types import FIELDS, Quantity


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory):
    """Return a knowledge base of two documents."""
    with build(tmp_path_factory.mktemp("kb") / "kb") as knowledge_base:
        yield knowledge_base


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "The query is empty. Type a question."),
        (" \n\t　", "The query is empty. Type a question."),
        ("退" * 100_000, "The query has 100,000 characters; the limit is 2,000. Shorten it."),
        ("？！…，", "The query has no letter and no digit. Type a question in words."),
        ("\x00\x1b[[", "The query has no letter and no digit. Type a question in words."),
        ("\ud800\udfff", "The query has no letter and no digit. Type a question in words."),
        ("😀👍", "The query has no letter and no digit. Type a question in words."),
    ],
    ids=["empty", "blank", "long", "punctuation", "control", "surrogates", "emoji"],
)
def test_queries_that_ask_nothing(kb, query, message):
    """A query that is empty, too long or without a word is refused in one line."""
    with pytest.raises(QueryError) as caught:
        kb.ask(query)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "query",
    [
        "Who\x00 pays\x1b[31m?",
        "Who \ud83dpays\udcff?",
        "Who\u202e pays?\u200b",
        "Ｗｈｏ ｐａｙｓ？",
        "who pays " * (MAX_QUERY_CHARS // 9),
    ],
    ids=["control", "surrogates", "invisible", "wide", "longest"],
)
def test_queries_with_odd_characters(kb, query):
    """Odd characters do not keep a query from its entry, and the answer repeats it as asked."""
    answer = kb.ask(query)
    assert answer.hits[0].entry.id == "shop/returns#2"
    assert answer.query == query


def test_odd_queries_with_the_default_encoder(seed):
    """The default encoder takes what no tokenizer was made for."""
    for query in ("退\ud800款", "退\x00款", "\x1b[31m退款", "a\u0301" * 500, "㊙" * 2000, "1"):
        assert seed.ask(query).hits


@pytest.mark.parametrize("top_k", [0, -1])
def test_top_k_has_to_be_positive(kb, top_k):
    """No entry at all cannot be asked for."""
    with pytest.raises(InputError, match=f"top_k is {top_k}; give a whole number, 1 or more"):
        kb.search("Who pays?", top_k)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(documents=("no.txt",)), "no document 'no.txt'. There are, for example: shop/"),
        (Filters(tags=("no",)), "no tag 'no'. There are, for example: outside, shop, site"),
    ],
)
def test_unknown_filters(kb, filters, message):
    """A filter that names nothing there is a mistake, and the message says what there is."""
    with pytest.raises(InputError, match=message):
        kb.search("Who pays?", filters=filters)


def test_unknown_document(kb):
    """A document that is not there is named."""
    with pytest.raises(InputError, match=r"has no document 'no\.txt'"):
        kb.document("no.txt")


def test_what_was_built_can_be_read(kb):
    """Documents, entries and questions come back as they were."""
    assert dict(kb.documents()) == {RETURNS.id: RETURNS.tags, PARKING.id: PARKING.tags}
    assert [kb.document(d.id) for d in (RETURNS, PARKING)] == [RETURNS, PARKING]
    assert [entry.id for entry in kb.entries()] == [
        "shop/returns#1",
        "shop/returns#2",
        "site/parking#1",
    ]
    assert [entry.id for entry in kb.entries("site/parking.txt")] == ["site/parking#1"]
    assert kb.questions() == {
        "shop/returns#1": "May I return shoes?",
        "shop/returns#2": "Who pays for the parcel?",
        "site/parking#1": "Where may I park?",
    }


def test_days_can_be_read(tmp_path):
    """From when until when a document holds comes back with it, and with each of its entries."""
    first, last = date(2024, 1, 1), date(2999, 12, 31)
    dated = replace(RETURNS, effective_from=first, expires=last)
    with build(tmp_path / "kb", dated, PARKING) as knowledge_base:
        assert [knowledge_base.document(d.id) for d in (dated, PARKING)] == [dated, PARKING]
        days = {e.id: (e.effective_from, e.expires) for e in knowledge_base.entries()}
        assert days == {
            "shop/returns#1": (first, last),
            "shop/returns#2": (first, last),
            "site/parking#1": (None, None),
        }
        hit = knowledge_base.search("Who pays?", 1)[0]
        assert (hit.entry.effective_from, hit.entry.expires) == (first, last)


def test_rule_cards(kb):
    """An entry's card holds what its answer says, in the source's order, and not its question."""
    card = kb.rule_card("shop/returns#1")
    assert [fact.citation.quote for fact in card["deadlines"]] == ["within 7 days"]
    assert [fact.value for fact in card["deadlines"]] == [Quantity(None, 7, "day")]
    bearers = kb.rule_card("shop/returns#2")["bearers"]
    assert [(fact.citation.quote, fact.party) for fact in bearers] == [
        ("The buyer pays", "buyer"),
        ("The seller pays if the shoes are broken", "seller"),
    ]
    for fact in bearers:
        span = fact.citation.span
        assert RETURNS.text[span.start : span.end] == fact.citation.quote
        assert (fact.citation.document_id, fact.citation.line) == (RETURNS.id, 4)
    assert not any(kb.rule_card("site/parking#1").values())


def test_the_rule_card_of_an_entry_without_passages(tmp_path):
    """An entry of which nothing is indexed is known, and says nothing."""
    with build(tmp_path / "kb", Document("a.txt", "1.\n2. Hm?\nIn 7 days.\n")) as knowledge_base:
        assert [entry.id for entry in knowledge_base.entries()] == ["a#1", "a#2"]
        assert knowledge_base._store.passages("a#1") == []
        assert knowledge_base.rule_card("a#1") == dict.fromkeys(FIELDS, ())
        assert knowledge_base.rule_card("a#2")["deadlines"]


@pytest.mark.parametrize("entry_id", ["shop/returns#3", "shop/returns", "", "no#1"])
def test_no_rule_card_of_an_unknown_entry(kb, entry_id):
    """An entry that is not there has no card, and the message names it."""
    with pytest.raises(InputError, match=f"has no entry {entry_id!r}"):
        kb.rule_card(entry_id)


def test_search_many_is_search(kb):
    """Queries searched together get the hits that each gets alone."""
    queries = ["Who pays?", "parcel", "Where?"]
    assert kb.search_many(queries) == [kb.search(query) for query in queries]
    assert kb.search_many([]) == []


def test_open_is_what_build_returned(kb):
    """A knowledge base opened again answers as the one that was built."""
    with KnowledgeBase.open(kb.path, model=LetterEncoder()) as opened:
        assert opened.ask("Who pays?") == kb.ask("Who pays?")
        assert opened.manifest == kb.manifest


def test_eight_threads(seed):
    """Eight threads asking at once get the answers that one gets."""
    queries = ["拍錯了可以退款嗎", "72小时不发货", "品質退款率", "今天天氣如何", "C店", "refund"]
    alone = {query: seed.ask(query) for query in queries}
    with ThreadPoolExecutor(8) as threads:
        asked = queries * 8
        assert list(threads.map(seed.ask, asked)) == [alone[query] for query in asked]


def test_threads_while_building(tmp_path):
    """Threads that open and ask during builds always see one whole generation."""
    path = tmp_path / "kb"
    build(path, PARKING).close()

    def ask(_: int) -> tuple[int, int]:
        with KnowledgeBase.open(path, model=LetterEncoder()) as knowledge_base:
            return knowledge_base.generation, len(knowledge_base.search("Who may park?", 9))

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask, n) for n in range(40)]
        build(path).close()
        seen = {future.result() for future in asking}
    assert seen <= {(1, 1), (2, 3)}


def test_corpus_from_disk(tmp_path):
    """A folder is read with its subfolders as tags; the manifest names it."""
    corpus = tmp_path / "corpus" / "shop"
    corpus.mkdir(parents=True)
    (corpus / "returns.txt").write_text(RETURNS.text, encoding="utf-8")
    with KnowledgeBase.build(
        corpus.parent, tmp_path / "kb", model=LetterEncoder()
    ) as knowledge_base:
        assert knowledge_base.documents() == [(RETURNS.id, RETURNS.tags)]
        assert knowledge_base.manifest.corpus == str(corpus.parent)


def test_a_model_that_cannot_be_loaded(kb):
    """A build with a model that is not there changes nothing."""
    place = kb.path / "no-model"
    with pytest.raises(EncoderError, match="there is no such folder"):
        KnowledgeBase.build([PARKING], kb.path, model=str(place))
    assert read_manifest(kb.path) == kb.manifest


def test_a_relative_place(tmp_path, monkeypatch):
    """A knowledge base may be named relative to the current directory, whose name is odd."""
    odd = tmp_path / "50% #odd? 知識庫"
    odd.mkdir()
    monkeypatch.chdir(odd)
    build(Path("kb")).close()
    with KnowledgeBase.open("kb", model=LetterEncoder()) as knowledge_base:
        assert knowledge_base.search("Who pays?", 1)[0].entry.id == "shop/returns#2"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
def test_closing_frees_the_files(tmp_path):
    """After closing, no file of the store is open."""
    build(tmp_path / "kb", Document("first.txt", "Who?\nYou.")).close()  # opens the dictionary
    handles = Path("/proc/self/fd")
    before = len(list(handles.iterdir()))
    for n in range(3):
        build(tmp_path / "kb", Document(f"{n}.txt", "Who?\nYou.")).close()
    assert len(list(handles.iterdir())) <= before


@pytest.mark.parametrize("query", [None, 5, b"x", ["x"]], ids=repr)
def test_a_query_that_is_no_text(tmp_path, query):
    """What is no string is refused like any other query that cannot be asked."""
    with (
        build(tmp_path / "kb", Document("a.txt", "Who?\nYou.")) as knowledge_base,
        pytest.raises(QueryError, match="not text"),
    ):
        knowledge_base.ask(query)


@pytest.mark.parametrize("filters", [Filters(documents="a.txt"), Filters(tags="a")], ids=repr)
def test_a_filter_that_is_one_string(tmp_path, filters):
    """A string in the place of a tuple is not read letter by letter."""
    with (
        build(tmp_path / "kb", Document("a.txt", "Who?\nYou.")) as knowledge_base,
        pytest.raises(InputError, match="one string; give a tuple"),
    ):
        knowledge_base.search("who", filters=filters)
