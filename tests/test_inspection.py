"""Why an entry was found: shared words, parts of the score, signals of confidence."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from fakes import RETURNS, LetterEncoder, build
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_qa import Document, Filters, KnowledgeBase, QueryError
from policy_qa.common_words import _units
from policy_qa.confidence import Calibration
from policy_qa.errors import InputError
from policy_qa.folding import fold
from policy_qa.inspection import Inspection, _parts
from policy_qa.lexicon import parse_lexicon
from policy_qa.settings import AGREEMENT_WEIGHT, SHARED_AMONG

FUSED = ["meaning", "words", "entry_words", "translation", "entry_translation"]


def score_of(inspected: Inspection) -> float:
    """Return the sum of the parts."""
    return sum(part.contribution for part in inspected.parts)


def confidence_of(inspected: Inspection) -> float:
    """Return the logistic of the corrected sum of the signals."""
    general = inspected.intercept + sum(signal.contribution for signal in inspected.signals)
    return 1 / (1 + math.exp(-(inspected.shift + inspected.slope * general)))


def read(text: str) -> str:
    """Return what the lexical index reads in a text: characters, numbers, words."""
    return " ".join(unit.key for unit in _units(fold(text)) if unit.key)


def parts_of(inspected: Inspection) -> dict[str, float]:
    """Return what each part contributes, by name."""
    return {part.name: part.contribution for part in inspected.parts}


def check(kb: KnowledgeBase, query: str, inspected: Inspection) -> None:
    """Check what holds of whatever is inspected."""
    assert score_of(inspected) == pytest.approx(inspected.score, abs=1e-5)
    assert [part.name for part in inspected.parts][:6] == [*FUSED, "agreement"]
    assert sum(part.weight for part in inspected.parts[:5]) == pytest.approx(1)
    assert confidence_of(inspected) == pytest.approx(inspected.confidence)
    entry = next(entry for entry in kb.entries() if entry.id == inspected.entry_id)
    text = kb.document(entry.document_id).text
    span = inspected.passage.span
    assert text[span.start : span.end] == inspected.passage.quote
    for term in inspected.terms:
        assert 0 < term.weight <= 1 + 1e-9
        assert term.word in (inspected.read_as or query)
        assert list(term.spans) == sorted(term.spans, key=lambda span: span.start)
        assert len(term.spans) <= 3
        for span in term.spans:
            assert entry.span.start <= span.start < span.end <= entry.span.end
            found = text[span.start : span.end]
            if len(fold(term.word)) == len(term.word):
                assert read(found) == read(term.word)
            else:  # a character that stands for several is shown whole
                assert read(found) in read(term.word)
    assert not {term.word for term in inspected.terms} & {*inspected.missing}


# --- the seed, in three languages ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "words", "quotes", "rules"),
    [
        (
            "超過72小時不發貨會怎樣",
            ["超過72小時不發貨"],
            ["超過72小時不發貨"],
            [],
        ),
        (
            "超过72小时不发货会怎样",
            ["超过72小时不发货"],
            ["超過72小時不發貨"],
            [],
        ),
        (
            "What happens if the seller does not ship within 72 hours?",
            ["72"],
            ["72"],
            [("seller", "卖家"), ("not ship", "不发货"), ("hour", "小时")],
        ),
    ],
    ids=["zh-Hant", "zh-Hans", "en"],
)
def test_the_seed(seed, query, words, quotes, rules):
    """In every language the words in common are named as typed, and where the entry has them."""
    answer = seed.ask(query)
    inspected = seed.inspect(query, "taobao-after-sales#2")
    check(seed, query, inspected)
    text = seed.document("taobao-after-sales.txt").text
    assert [term.word for term in inspected.terms] == words
    first = [term.spans[0] for term in inspected.terms]
    assert [text[span.start : span.end] for span in first] == quotes
    assert {*rules} <= {(rule.word, rule.term) for rule in inspected.rules}
    assert inspected.missing == ()
    assert (inspected.rank, inspected.behind, inspected.read_as) == (1, 0, "")
    assert inspected.score == answer.hits[0].score
    assert inspected.ahead == pytest.approx(answer.hits[0].score - answer.hits[1].score)
    assert (inspected.confidence, inspected.status) == (answer.confidence, answer.status)
    assert inspected.passage.quote == answer.hits[0].passage.text
    assert inspected.in_question == answer.hits[0].passage.is_question


@pytest.mark.parametrize(
    "query",
    [
        "拍錯了可以退款嗎",
        "拍错对卖家有影响吗",
        "退款多久到賬",
        "Does a wrong order affect the seller?",
        "How long does a refund take?",
        "refund 退款 72 小時",
        "xiaoer zenme chuli",
        "今天天氣如何",
        "退",
    ],
)
def test_every_hit_of_the_seed(seed, query):
    """Of every entry found, parts sum to its score, and signals to its own confidence."""
    hits = seed.search(query)
    rules = seed.explain(query, [hit.entry.id for hit in hits])
    for hit in hits:
        inspected = seed.inspect(query, hit.entry.id)
        check(seed, query, inspected)
        assert (inspected.rank, inspected.score) == (hit.rank, hit.score)
        assert inspected.behind == pytest.approx(hits[0].score - hit.score)
        assert inspected.confidence == seed.calibration.confidence(hit.components)
        assert list(inspected.rules) == rules[hit.entry.id]
        assert inspected.ahead >= 0
    assert seed.inspect(query, hits[0].entry.id).confidence == seed.ask(query).confidence


def test_what_the_entry_lacks(seed):
    """Telling words that the entry does not hold are missing; words of grammar are not told of."""
    inspected = seed.inspect("我想知道假货怎么处理,手机壳的", "taobao-after-sales#1")
    assert inspected.missing == ("假货", "手机壳")
    assert [term.word for term in inspected.terms] == ["怎么处理"]


def test_one_character_of_a_word_is_no_term(seed):
    """That an entry has the characters of a word apart is no match of the word."""
    inspected = seed.inspect("可以開發票嗎", seed.search("可以開發票嗎", 1)[0].entry.id)
    assert inspected.terms == ()
    assert inspected.missing == ("開發票",)


def test_pinyin(seed):
    """Of a query in pinyin the terms are those of the characters that were read."""
    inspected = seed.inspect("tuikuan", seed.search("tuikuan", 1)[0].entry.id)
    assert inspected.read_as == "退款"
    assert [term.word for term in inspected.terms] == ["退款"]


# --- words --------------------------------------------------------------------------------------

SHOP = Document(
    "shop.md",
    "# Wear\n\n## May I return shoes?\nYes, shoes within 14  days. Keep the shoe\nbox.\n\n"
    "# Postage\n\n## Who pays for the parcel?\nThe buyer pays ２,０００ yen. The seller pays "
    "if it is broken.\n\n"
    "## 超過72小時不發貨\n可以申請退款,退款後結束。72 小時後再退款,退款。\n",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a knowledge base of three headed entries and a rule."""
    with KnowledgeBase.build(
        [SHOP, RETURNS],
        tmp_path_factory.mktemp("shop") / "kb",
        model=LetterEncoder(),
        rules=parse_lexicon("退款 = 退錢\nbroken = shattered\n", "lexicon.txt"),
    ) as built:
        yield built


def entry_of(kb: KnowledgeBase, question: str) -> str:
    """Return the id of the entry with that question."""
    return next(entry for entry, asked in kb.questions().items() if question in asked)


@pytest.mark.parametrize(
    ("query", "question", "expected"),
    [
        ("Return SHOE boxes", "return shoes", [("Return SHOE", ["return shoes"])]),
        ("shoes", "return shoes", [("shoes", ["shoes", "shoes", "shoe"])]),
        ("14 days", "return shoes", [("14 days", ["14  days"])]),
        ("2000 yen", "pays for the parcel", [("2000 yen", ["２,０００ yen"])]),
        ("the buyer of it", "pays for the parcel", [("the buyer", ["The buyer"])]),
        ("72小时", "超過", [("72小时", ["72小時", "72 小時"])]),
        ("72 小时", "超過", [("72 小时", ["72小時", "72 小時"])]),
        ("退款", "超過", [("退款", ["退款", "退款", "退款"])]),
        (
            "postage of the buyer",
            "pays for the parcel",
            [("postage", []), ("the buyer", ["The buyer"])],
        ),
        ("box keep", "return shoes", [("box", ["box"]), ("keep", ["Keep"])]),
        ("不發貨、退款", "超過", [("不發貨", ["不發貨"]), ("退款", ["退款"] * 3)]),
        ("發貨不退款後結束", "超過", [("發貨", ["發貨"]), ("退款後結束", ["退款後結束"])]),
    ],
)
def test_terms(shop, query, question, expected):
    """A term is what the two have at a stretch: whatever their script, width, case and plurals.

    What only a heading above the entry has is found nowhere in the entry.
    """
    inspected = shop.inspect(query, entry_of(shop, question), top_k=9)
    quotes = [[SHOP.text[s.start : s.end] for s in term.spans] for term in inspected.terms]
    words = [term.word for term in inspected.terms]
    assert list(zip(words, quotes, strict=True)) == expected


def test_weights(shop):
    """A term has its tokens' share of all that the query's tokens tell, those of no entry too."""
    (encoded,) = shop._encoded(["shoes by zeppelin"])
    told = shop._retriever.token_weights(encoded)
    (term,) = shop.inspect("shoes by zeppelin", entry_of(shop, "return shoes"), 9).terms
    assert term.weight == pytest.approx(told["shoe"] / sum(told.values()))
    assert told["zeppelin"] > told["shoe"]


def test_rules(shop):
    """A word that a rule finds is told of with the rule's line, and is neither term nor missing."""
    inspected = shop.inspect("退錢 zeppelin", entry_of(shop, "超過"), 9)
    assert [asdict(rule) for rule in inspected.rules] == [
        {"word": "退钱", "term": "退款", "source": "lexicon.txt:1"}
    ]
    assert inspected.terms == ()
    assert inspected.missing == ("zeppelin",)


def test_words_that_repeat_are_named_once(shop):
    """What the query says twice is one term, or one missing word."""
    inspected = shop.inspect("shoes, zeppelin, shoes! zeppelin?", entry_of(shop, "return"), 9)
    assert [term.word for term in inspected.terms] == ["shoes"]
    assert inspected.missing == ("zeppelin",)


def test_characters_that_fold_to_several(shop):
    """A character that stands for several is shown whole."""
    inspected = shop.inspect("⑭ days", entry_of(shop, "return shoes"), 9)
    assert [term.word for term in inspected.terms] == ["⑭ days"]


# --- which entries ------------------------------------------------------------------------------


def test_an_entry_that_was_not_found(shop):
    """Only what is among the best entries can be inspected, and the message says so."""
    query = "Who pays for the parcel?"
    hits = shop.search(query)
    with pytest.raises(InputError, match=r"^'no#1' is not among the first 5 entries for the query"):
        shop.inspect(query, "no#1")
    with pytest.raises(InputError, match="not among the first 1 entries"):
        shop.inspect(query, hits[1].entry.id, top_k=1)
    first = shop.inspect(query, hits[0].entry.id, top_k=1)
    assert first.ahead == pytest.approx(hits[0].score - hits[1].score)


@pytest.mark.parametrize("top_k", [0, -1, "5", None])
def test_a_number_of_entries_that_is_none(shop, top_k):
    """What a search refuses is refused here."""
    with pytest.raises(InputError, match="give a whole number, 1 or more"):
        shop.inspect("Who pays?", "shop#1", top_k=top_k)


def test_a_query_that_asks_nothing(shop):
    """What cannot be asked cannot be inspected."""
    with pytest.raises(QueryError, match="is empty"):
        shop.inspect(" ", "shop#1")


def test_filters(shop):
    """With filters the ranking is that of the documents that pass."""
    filters = Filters(tags=("shop",))
    query = "退錢 who pays for the parcel"
    hits = shop.search(query, 9, filters)
    assert {hit.entry.document_id for hit in hits} == {RETURNS.id}
    for hit in hits:
        inspected = shop.inspect(query, hit.entry.id, filters=filters)
        check(shop, query, inspected)
        assert (inspected.score, inspected.rank) == (hit.score, hit.rank)
    last = shop.inspect(query, hits[-1].entry.id, filters=filters)
    assert last.ahead == 0


def test_surrogates(shop):
    """Halves of characters in a query do not move the terms."""
    query = "\ud83d shoes \udcff"
    assert [t.word for t in shop.inspect(query, entry_of(shop, "return"), 9).terms] == ["shoes"]


# --- parts and signals --------------------------------------------------------------------------


def test_calibrated(shop):
    """A knowledge base's own correction is told of, with its limits."""
    calibrated = Calibration(0.5, -0.25, 4.0, 0.5)
    query = "Who pays for the parcel?"
    general = shop.calibration
    shop.calibration = calibrated
    try:
        answer = shop.ask(query)
        inspected = shop.inspect(query, answer.hits[0].entry.id)
    finally:
        shop.calibration = general
    assert (inspected.slope, inspected.shift) == (0.5, -0.25)
    assert (inspected.answered_from, inspected.related_from) == (
        calibrated.answered_from,
        calibrated.related_from,
    )
    assert inspected.confidence == answer.confidence
    check(shop, query, inspected)


def test_signals(seed):
    """The signals are the lift, the share's logarithm, and what is held in translation."""
    query = "What happens if the seller does not ship within 72 hours?"
    (hit,) = seed.search(query, 1)
    signals = {signal.name: signal for signal in seed.inspect(query, hit.entry.id).signals}
    assert list(signals) == ["lift", "share", "translated"]
    assert signals["lift"].value == hit.components["lift"]
    assert signals["share"].value == pytest.approx(math.log(hit.components["share"]))
    assert signals["translated"].value == pytest.approx(min(hit.components["translated"], 0.5))
    assert all(signals[name].contribution > 0 for name in ("lift", "translated"))
    assert signals["share"].contribution < 0


TWINS = Document(
    "returns.txt",
    "1. What can be returned?\nUnworn clothes and unopened goods within 14 days.\n"
    "2. What cannot be returned?\nFood, underwear and goods made to order.\n"
    "3. Does a return affect the buyer?\nNot at all.\n"
    "4. Does a return affect the seller?\nNot at all.\n",
)


def test_twins(tmp_path):
    """Of twins that changed places one gained what the other lost."""
    with build(tmp_path / "kb", TWINS) as kb:
        twins = ["returns#1", "returns#2"]
        query = "what can't be returned"
        gained = {e: parts_of(kb.inspect(query, e)).get("twins", 0.0) for e in twins}
        assert gained["returns#2"] > 1e-3
        assert sum(gained.values()) == pytest.approx(0, abs=1e-6)
        for entry in twins:
            check(kb, query, kb.inspect(query, entry))


def test_agreement(tmp_path):
    """Which party the entry asks about adds to its score or takes away from it."""
    with build(tmp_path / "kb", TWINS) as kb:
        query = "Does it affect the seller?"
        for entry, side in (("returns#4", 1), ("returns#3", -1), ("returns#1", 0)):
            inspected = kb.inspect(query, entry)
            part = inspected.parts[len(FUSED)]
            assert (part.name, part.value, part.weight) == ("agreement", side, AGREEMENT_WEIGHT)
            assert part.contribution == pytest.approx(AGREEMENT_WEIGHT * side)
            check(kb, query, inspected)


def test_agreement_where_the_score_is_full(shop):
    """Agreement adds no more than what is left to 1."""
    (hit,) = shop.search("shoes", 1)
    full = replace(hit, score=1.0, components={**hit.components, "dense": 0.99, "agreement": 1.0})
    parts = {part.name: part.contribution for part in _parts(full, {"dense": 1.0})}
    assert parts.pop("agreement") == pytest.approx(0.01)
    assert sum(parts.values()) == pytest.approx(0.99)


def test_entries_behind_the_first_ones(tmp_path):
    """What is lost so as not to rise above entries that agreement moved down is told of."""
    text = "".join(f"{n}. Does it affect the buyer?\nNo.\n" for n in range(1, SHARED_AMONG + 3))
    query = "Does it affect the seller?"
    with build(tmp_path / "kb", Document("a.txt", text)) as kb:
        hits = kb.search(query, 12)
        first, last = (kb.inspect(query, hits[n].entry.id, 12) for n in (0, -1))
        check(kb, query, first)
        check(kb, query, last)
        assert "order" not in parts_of(first)
        assert parts_of(last)["order"] == pytest.approx(-AGREEMENT_WEIGHT, abs=1e-5)


class Longest:
    """A reranker by length."""

    identity = "longest-1"

    def scores(self, query, texts):
        """Return `(len(texts),) float32`."""
        return np.array([len(text) / 10 for text in texts], np.float32)


def test_reranked(tmp_path):
    """What a reranker changed is a part of its own, and the rest is what it was."""
    query = "what can't be returned"
    with build(tmp_path / "kb", TWINS) as kb:
        plain = {
            hit.entry.id: parts_of(kb.inspect(query, hit.entry.id)) for hit in kb.search(query)
        }
        kb.reranker = Longest()
        hits = kb.search(query)
        for hit in hits:
            inspected = kb.inspect(query, hit.entry.id)
            check(kb, query, inspected)
            assert inspected.rank == hit.rank
            parts = parts_of(inspected)
            assert parts.pop("reranker") == pytest.approx(hit.score - hit.components["fused"])
            assert parts == pytest.approx(plain[hit.entry.id])
        assert kb.inspect(query, hits[0].entry.id).confidence == kb.ask(query).confidence


# --- whatever is asked --------------------------------------------------------------------------

PIECES = st.one_of(
    st.sampled_from(
        (
            *("shoes", "Shoe", "the", "of", "pays", "72", "14 days", "parcel", "broken"),
            *("小時", "小时", "退款", "退錢", "不發貨", "超", "，", "?", "-", "\n"),
            *("２０００", "⑭", "ﬁ", "shattered"),
        )
    ),
    st.text(max_size=3),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, min_size=1, max_size=12), st.sampled_from(["", " "]), st.integers(0, 4))
@example(["a " * 999], "", 0)
@example(["退款72小時不發貨" * 200], "", 2)
def test_any_query(shop, pieces, between, place):
    """Of any query, parts sum to the score, and what a term points at reads as the term."""
    query = between.join(pieces)
    try:
        hits = shop.search(query)
    except QueryError:
        return
    if place < len(hits):
        inspected = shop.inspect(query, hits[place].entry.id)
        check(shop, query, inspected)
        assert replace(inspected) == shop.inspect(query, hits[place].entry.id)
