"""Fusion by hand, and what the default encoder finds in the seed."""

from pathlib import Path

import numpy as np
import opencc
import pytest
from fakes import PARKING, RETURNS, LetterEncoder, build

from policy_qa import Document, Entry, Filters, KnowledgeBase
from policy_qa.centring import LANGUAGES, Centres
from policy_qa.dense import DenseIndex
from policy_qa.dictionary import Dictionary
from policy_qa.lexical import LexicalIndex
from policy_qa.lexicon import Lexicon
from policy_qa.retriever import Candidates, Indexes, Retriever, Words
from policy_qa.settings import (
    LEXICAL_WEIGHTS,
    SENTENCE_LEXICAL_WEIGHT,
    SENTENCE_TRANSLATION_WEIGHT,
    SHARE_STEP,
    TRANSLATION_WEIGHTS,
)
from policy_qa.store import Store, StoreWriter
from policy_qa.types import Passage, Span

TEXT = "aab abc cab bbb"
SPANS = [Span(0, 3), Span(4, 7), Span(8, 11), Span(12, 15)]
ENTRY_OF = [0, 0, 1, 1]
PASSAGES = {
    f"a#{entry + 1}": [
        Passage(
            f"a#{entry + 1}:{row}", f"a#{entry + 1}", "a.txt", span, TEXT[span.start : span.end]
        )
        for row, span in enumerate(SPANS)
        if ENTRY_OF[row] == entry
    ]
    for entry in (0, 1)
}
DENSE_ALONE = 1 / (1 + sum(LEXICAL_WEIGHTS["en"]))
"""The fused score of a dense score of 1 where no token matches."""


@pytest.fixture
def retriever(tmp_path, monkeypatch):
    """Return a retriever of two entries with two passages each, whose centres are zero."""
    document = Document("a.txt", TEXT)
    entries = []
    for number, span in enumerate((Span(0, 7), Span(8, 15)), start=1):
        nothing = Span(span.start, span.start)
        entries.append(Entry(f"a#{number}", "a.txt", span, nothing, span))
    monkeypatch.setattr("policy_qa.store.passages", lambda _, entry: PASSAGES[entry.id])
    with StoreWriter(tmp_path / "store.sqlite") as writer:
        writer.add(document, entries)
    texts = [TEXT[span.start : span.end] for span in SPANS]
    encoder = LetterEncoder(dim=4)
    zeros = np.zeros((len(LANGUAGES), 4), np.float32)
    store = Store(tmp_path / "store.sqlite")
    yield Retriever(
        encoder,
        Centres(zeros, zeros, zeros[:, 0]),
        Words(Dictionary.open(), Lexicon([]), frozenset({"en"})),
        Indexes(
            DenseIndex.build(np.arange(4), encoder.encode_passages(texts)),
            LexicalIndex.build(
                tmp_path / "lexical", [(row, [text], "a.txt", ()) for row, text in enumerate(texts)]
            ),
            LexicalIndex.build(
                tmp_path / "lexical-entries",
                [(0, texts[:2], "a.txt", ()), (1, texts[2:], "a.txt", ())],
            ),
        ),
        store,
    )
    store.close()


def search(retriever: Retriever, query: str, top_k: int = 5) -> list[tuple[str, str, float]]:
    """Return (entry, passage, score) of each hit."""
    (encoded,) = retriever.encode([query])
    return [
        (hit.entry.id, hit.passage.text, round(hit.score, 4))
        for hit in retriever.search(encoded, top_k)
    ]


def test_fused_scores():
    """The fused score is the mean of all parts, weighted by the query's language."""
    dense, lexical = np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32)
    nothing, rows = np.zeros(3, np.float32), np.arange(3)
    found = Candidates(rows, rows, dense, lexical, lexical, nothing, nothing)
    for language, (passage, whole) in LEXICAL_WEIGHTS.items():
        total = 1 + passage + whole
        expected = [1 / total, (passage + whole) / total, 0.5]
        assert found.fused(language).tolist() == pytest.approx(expected)


def test_fused_scores_of_a_translated_query():
    """Where an entry holds a translation, its weights join the mean."""
    one, nothing = np.ones(1, np.float32), np.zeros(1, np.float32)
    found = Candidates(np.arange(1), np.arange(1), one, nothing, nothing, one, one)
    words, other_words = sum(LEXICAL_WEIGHTS["en"]), sum(TRANSLATION_WEIGHTS)
    expected = (1 + other_words) / (1 + words + other_words)
    assert found.fused("en").tolist() == pytest.approx([expected])


def test_fusion_by_hand(retriever):
    """An entry has the score of its best passage, fused of both indexes.

    "cab" has one a, b and c each: its inner product with "abc" is 1, with "aab" 3/sqrt(15), with
    "bbb" 1/sqrt(3); as a token it stands only in row 2 and entry 2, where BM25 is its weight
    times 1, for all passages have one token and both entries two.
    """
    (encoded,) = retriever.encode(["cab"])
    hits = retriever.search(encoded, 5)
    assert [(hit.rank, hit.entry.id, hit.passage.text) for hit in hits] == [
        (1, "a#2", "cab"),
        (2, "a#1", "abc"),
    ]
    other = {"translated": 0, "entry_translated": 0, "agreement": 0, "across": 0}
    share = 1 / (1 + np.exp((DENSE_ALONE - 1) / SHARE_STEP))
    assert hits[0].components == pytest.approx(
        {"dense": 1, "lexical": 1, "entry": 1, "likeness": 1, "lift": 1, "share": share} | other,
        rel=1e-5,
    )
    assert hits[1].components == pytest.approx(
        {"dense": 1, "lexical": 0, "entry": 0, "likeness": 1, "lift": 1, "share": 1 - share}
        | other,
        rel=1e-5,
    )
    assert [hit.score for hit in hits] == pytest.approx([1, DENSE_ALONE])


def test_ties_in_the_order_of_the_source(retriever):
    """Entries with equal scores come in the order of the source."""
    assert search(retriever, "bca") == [
        ("a#1", "abc", round(DENSE_ALONE, 4)),
        ("a#2", "cab", round(DENSE_ALONE, 4)),
    ]


def test_what_one_index_names_gets_both_scores(retriever, monkeypatch):
    """A passage that only one index names has the score of the other too.

    For "abc abc aab" the dense index names row 1 (9/sqrt(3) against 11/sqrt(5), over the query's
    length sqrt(29)), the lexical one row 0, whose only token is as rare as that of row 1.
    """
    monkeypatch.setattr("policy_qa.retriever.CANDIDATES", 1)
    (encoded,) = retriever.encode(["abc abc aab"])
    found = retriever._candidates(encoded, None, None)
    assert found.rows.tolist() == [0, 1]
    expected = [11 / np.sqrt(5 * 29), 9 / np.sqrt(3 * 29)]
    assert found.dense.tolist() == pytest.approx(expected, rel=1e-5)
    assert found.lexical.tolist() == pytest.approx([0.5, 0.5])


def test_top_k(retriever):
    """At most `top_k` entries are returned, the same ones as the first of more."""
    assert search(retriever, "cab", 1) == search(retriever, "cab", 5)[:1]


TWINS = Document(
    "returns.txt",
    "1. What can be returned?\nUnworn clothes and unopened goods within 14 days.\n"
    "2. What cannot be returned?\nFood, underwear and goods made to order.\n"
    "3. Who pays the postage of a return?\nThe buyer pays it.\n"
    "4. How long does a delivery take?\nThree to five days.\n"
    "5. Does a return affect the shop?\nIt does not.\n"
    "6. Does a return affect the buyer?\nNot at all.\n",
)
CHINESE_TWINS = Document(
    "退貨.txt",
    "1. 哪些商品可以退貨?\n未拆封的商品七天內可以退。\n"
    "2. 哪些商品不可以退貨?\n食品、貼身衣物和定作的商品。\n"
    "3. 退貨的運費由誰承擔?\n由買家承擔。\n"
    "4. 多久可以送到?\n三到五天。\n"
    "5. 退貨對店鋪有影響嗎?\n沒有影響。\n"
    "6. 退貨對買家有影響嗎?\n沒有影響。\n",
)
MORE = [
    Document(
        f"more-{n}.txt", "".join(f"{m}. May I park in hall {n}{m}?\nNo.\n" for m in range(1, 7))
    )
    for n in range(1, 6)
]


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Return a knowledge base with twins in two languages, made with the default encoder."""
    path = tmp_path_factory.mktemp("twins") / "kb"
    with KnowledgeBase.build([TWINS, CHINESE_TWINS, *MORE], path) as built:
        yield built


@pytest.mark.parametrize(
    ("query", "entry"),
    [
        ("What can be returned?", "returns#1"),
        ("I don't like it, what can be returned?", "returns#1"),
        ("I don't know what can be returned", "returns#1"),
        ("No box any more: what can be returned?", "returns#1"),
        ("Not worn yet, what can be returned", "returns#1"),
        ("What cannot be returned?", "returns#2"),
        ("Which goods can't be sent back?", "returns#2"),
        ("Can you tell me which goods may not be returned?", "returns#2"),
        ("what is not returnable", "returns#2"),
        ("Does a return affect the shop?", "returns#5"),
        ("Does a return affect the buyer?", "returns#6"),
        ("哪些商品可以退", "退貨#1"),
        ("我不喜歡,哪些可以退", "退貨#1"),
        ("不知道哪些可以退货", "退貨#1"),
        ("盒子没了,哪些商品能退", "退貨#1"),
        ("可以退货的商品有哪些", "退貨#1"),
        ("哪些商品不能退", "退貨#2"),
        ("不知道哪些商品不能退货", "退貨#2"),
        ("不能退貨的商品有哪些", "退貨#2"),
        ("退貨對賣家有影響嗎", "退貨#5"),
        ("退货对客户有影响吗", "退貨#6"),
    ],
)
def test_twins(twins, query, entry):
    """Of twins, the one on the query's side comes first: what it asks decides, not its story."""
    assert twins.search(query, 1)[0].entry.id == entry


@pytest.mark.parametrize(
    "query",
    [
        "I don't like it, what can be returned?",
        "Which goods can't be sent back?",
        "What cannot be returned?",
        "Does a return affect the buyer?",
        "哪些商品不能退",
        "退货对客户有影响吗",
        "May I park in hall 33?",
        "May I not park in hall 5?",
        "Does parking in the hall affect the shop",
        "退",
    ],
)
def test_a_longer_ranking_begins_with_a_shorter_one(twins, query):
    """How many entries are asked for changes neither those before nor any of their scores."""
    longest = twins.search(query, 42)
    assert len(longest) > 30
    assert len({hit.entry.id for hit in longest}) == len(longest)
    for count in (1, 2, 3, 5, 8, 10, 12, 20, 30):
        assert twins.search(query, count) == longest[:count]


@pytest.mark.parametrize(
    "query",
    [
        "Which goods can't be sent back?",
        "Does a return affect the buyer?",
        "退货对客户有影响吗",
        "May I not park in hall 5?",
        "Does parking in the hall affect the shop",
    ],
)
def test_scores_descend(twins, query):
    """A ranking is by its scores, however long it is."""
    scores = [hit.score for hit in twins.search(query, 42)]
    assert scores == sorted(scores, reverse=True)


def test_sentences_by_hand(retriever):
    """A sentence scores the weighted mean of its inner product and its share of query tokens.

    "bbb cab" has one a, four b and one c; of its two tokens, as rare as each other, each passage
    of the second entry is one.
    """
    (encoded,) = retriever.encode(["bbb cab"])
    first, second = retriever.sentences(encoded, "a#2")
    length = np.sqrt(1 + 16 + 1)
    weight = SENTENCE_LEXICAL_WEIGHT
    assert [one.passage.text for one in (first, second)] == ["cab", "bbb"]
    whole = 1 + weight + SENTENCE_TRANSLATION_WEIGHT
    assert first.score == pytest.approx((6 / (length * np.sqrt(3)) + weight / 2) / whole)
    assert second.score == pytest.approx((4 / length + weight / 2) / whole)
    assert [np.linalg.norm(one.vector) for one in (first, second)] == pytest.approx([1, 1])
    assert first.vector @ second.vector == pytest.approx(1 / np.sqrt(3))


def test_no_word_in_common(retriever):
    """Sentences without a token of the query are compared by meaning alone."""
    (encoded,) = retriever.encode(["abcabc"])
    first, second = retriever.sentences(encoded, "a#1")
    whole = 1 + SENTENCE_LEXICAL_WEIGHT + SENTENCE_TRANSLATION_WEIGHT
    expected = [3 / np.sqrt(5 * 3) / whole, 1 / whole]
    assert [first.score, second.score] == pytest.approx(expected, rel=1e-5)
    assert retriever.sentences(encoded, "a#9") == []


def test_of_a_long_entry_only_the_nearest_sentences_are_read(tmp_path, monkeypatch):
    """Of many sentences those nearest to the query compete, in the source's order."""
    monkeypatch.setattr("policy_qa.retriever.SENTENCES_READ", 3)
    lines = [f"{letter * 12}。" for letter in "jabjcj"]
    document = Document("long.txt", "1. Why?\n" + "\n".join(lines) + "\n")
    with build(tmp_path / "kb", document) as knowledge_base:
        (encoded,) = knowledge_base._encoded(["jjjj"])
        read = knowledge_base._retriever.sentences(encoded, "long#1")
        assert [one.passage.text for one in read] == [lines[0], lines[3], lines[5]]
        assert [one.passage.id for one in read] == ["long#1:1", "long#1:4", "long#1:6"]


def ranked(knowledge_base: KnowledgeBase, query: str) -> dict[str, float]:
    """Return the scores of the entries found, best first."""
    return {hit.entry.id: hit.score for hit in knowledge_base.search(query)}


def test_the_order_of_documents_changes_nothing(tmp_path):
    """Documents given in another order are found with the same scores."""
    with (
        build(tmp_path / "one", RETURNS, PARKING) as one,
        build(tmp_path / "two", PARKING, RETURNS) as two,
    ):
        for query in ("Who pays?", "parcel", "Where may I park the shoes?"):
            assert list(ranked(one, query)) == list(ranked(two, query))
            assert ranked(one, query) == pytest.approx(ranked(two, query), abs=1e-6)


def test_two_builds_rank_alike(tmp_path):
    """Two builds of the same corpus give identical hits."""
    with build(tmp_path / "one") as one, build(tmp_path / "two") as two:
        for query in ("Who pays?", "parcel", "7 days"):
            assert one.search(query) == two.search(query)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(documents=("site/parking.txt",)), {"site/parking"}),
        (Filters(tags=("shop",)), {"shop/returns"}),
        (Filters(tags=("site", "outside")), {"site/parking"}),
        (Filters(documents=("site/parking.txt",), tags=("shop",)), set()),
        (Filters(), {"shop/returns", "site/parking"}),
    ],
)
def test_filters(tmp_path, filters, found):
    """Only entries of documents that pass every filter are found, perhaps none."""
    with build(tmp_path / "kb") as knowledge_base:
        hits = knowledge_base.search("Who may park?", 9, filters)
        assert {hit.entry.id.split("#")[0] for hit in hits} == found
        answer = knowledge_base.ask("Who may park?", filters)
        assert bool(answer.hits) == bool(found)


def test_filters_where_questions_are_not_indexed(tmp_path):
    """A filter works in an index of answers only, which lacks some of the allowed rows."""
    with KnowledgeBase.build(
        [RETURNS, PARKING], tmp_path / "kb", model=LetterEncoder(), index_questions=False
    ) as knowledge_base:
        hits = knowledge_base.search("Who pays?", 9, Filters(tags=("shop",)))
        assert {hit.entry.id for hit in hits} == {"shop/returns#1", "shop/returns#2"}
        assert not any(hit.passage.is_question for hit in hits)


BILINGUAL = (
    Document(
        "shop.txt",
        "一、怎麼申請退款?\n收到商品後七天內可以申請退款。\n"
        "二、誰付運費?\n商品有瑕疵時由賣家付運費。\n"
        "三、可以開發票嗎?\n下單時填寫抬頭,就會寄出發票。\n",
    ),
    Document(
        "hall.txt",
        "1. How do I get a refund?\nA refund is paid within seven days of a cancelled concert.\n"
        "2. Who pays the postage?\nThe hall pays the postage of tickets that are sent by mail.\n"
        "3. May I have an invoice?\nThe invoice comes with the tickets.\n",
    ),
)


@pytest.fixture(scope="module")
def bilingual(tmp_path_factory):
    """Return a knowledge base of three entries in each language, made with the default encoder."""
    with KnowledgeBase.build(BILINGUAL, tmp_path_factory.mktemp("bilingual") / "kb") as built:
        yield built


@pytest.mark.parametrize(
    ("query", "entry"),
    [
        ("refund", "hall#1"),
        ("refunds", "hall#1"),
        ("postage", "hall#2"),
        ("invoice", "hall#3"),
        ("退款", "shop#1"),
        ("運費", "shop#2"),
        ("运费", "shop#2"),
        ("發票", "shop#3"),
    ],
)
def test_a_word_is_found_in_its_own_language(bilingual, query, entry):
    """Of entries in two languages about a matter, the one that holds the very word comes first."""
    first = bilingual.search(query)[0]
    assert first.entry.id == entry
    assert first.components["across"] == 0


@pytest.mark.parametrize(("query", "across"), [("refund", {"shop"}), ("退款", {"hall"})])
def test_across(bilingual, query, across):
    """A component says which passages are in the other language."""
    hits = bilingual.search(query, 6)
    assert len(hits) == 6
    assert {hit.entry.id.split("#")[0] for hit in hits if hit.components["across"]} == across
    assert {hit.components["across"] for hit in hits} == {0, 1}


SEED_IDS = [f"taobao-after-sales#{n}" for n in range(1, 8)]


@pytest.mark.parametrize("script", ["traditional", "simplified"])
def test_stored_questions_find_themselves(seed, script):
    """Each of the seven questions finds its entry first, in both scripts."""
    convert = opencc.OpenCC("t2s").convert if script == "simplified" else str
    questions = seed.questions()
    assert list(questions) == SEED_IDS
    first = [seed.search(convert(question), 1)[0].entry.id for question in questions.values()]
    assert first == SEED_IDS


@pytest.mark.parametrize(
    ("query", "entry"),
    [("快遞丟件怎麼處理", 3), ("快递丢件怎么处理", 3), ("72小時不發貨", 2), ("72小时不发货", 2)],
)
def test_queries_in_other_words(seed, query, entry):
    """Queries of a few words find the entry that answers them."""
    answer = seed.ask(query)
    assert answer.status == "answered"
    assert answer.entry
    assert answer.entry.id == f"taobao-after-sales#{entry}"


def test_the_conclusion_is_the_sentence_that_answers(seed):
    """The answer to 72小時不發貨 is the last sentence of its entry, with its line."""
    (citation,) = seed.ask("72小時不發貨").conclusion
    assert citation.quote.startswith("如果一直不發貨的話,超過72小時不發貨的")
    assert citation.line == 6
    lines = Path(__file__).parents[1].joinpath("corpus", "taobao-after-sales.txt")
    assert lines.read_text(encoding="utf-8").split("\n")[5] == citation.quote


@pytest.mark.parametrize("query", ["今天天氣如何", "今天天气如何", "How is the weather today?"])
def test_what_is_not_covered(seed, query):
    """A question about the weather is not covered, and no entry is put forward as its answer."""
    answer = seed.ask(query)
    assert (answer.status, answer.entry, answer.conclusion) == ("not_covered", None, ())
    assert len(answer.related) == 5
