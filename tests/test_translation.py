"""What the words of a query may be called, and the scores of the passages that say it so."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fakes import LetterEncoder
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policy_qa import Document, Filters, KnowledgeBase
from policy_qa.dictionary import NAME, Dictionary
from policy_qa.errors import QueryError
from policy_qa.folding import fold
from policy_qa.lexical import LexicalIndex
from policy_qa.lexicon import Lexicon, parse_lexicon
from policy_qa.settings import MAX_QUERY_CHARS
from policy_qa.tokens import tokens
from policy_qa.translation import QUERY, Term, Translation, translate
from policy_qa.types import Ranking

UNKNOWN = 3.0
"""Weight of a word that was not looked up, or of which no row holds a translation."""


class FewWords:
    """A dictionary of these words."""

    def __init__(self, **others: dict[str, float]) -> None:
        self._others = others

    def others(self, word: str) -> dict[str, float]:
        """Return what a word is called, with weights."""
        return self._others.get(word, {})

    def holds(self, word: str) -> bool:
        """Whether the word is there."""
        return word in self._others


WORDS = FewWords(
    refund={"退款": 1.0, "退": 0.5},
    ship={"发货": 1.0},
    shipped={"已发货": 0.9},
    apply={"申请": 1.0},
    store={"店": 0.8},
    退款={"refund": 1.0, "to reimburse": 0.5},
    退款单={"refund form": 1.0},
    退={"return": 1.0},
)
LEXICON = Lexicon(parse_lexicon("退款 = 退費 = money back\n包裹 = parcel", "lexicon.txt"))


def called(query: str, *languages: str, lexicon: Lexicon | None = None) -> dict:
    """Return each word of a query with what else it may be called and how sure that is.

    The first term, which is the word itself, is checked and left out.
    """
    found = translate(fold(query), languages, WORDS, lexicon or Lexicon([]))
    assert [terms[0] for terms in found.terms.values()] == [
        Term(word, 1.0, QUERY) for word in found.terms
    ]
    return {
        word: {term.text: round(term.weight, 5) for term in terms[1:]}
        for word, terms in found.terms.items()
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("refund", {"refund": {"退款": 1, "退": 0.25}}),
        ("Refunds?", {"refund": {"退款": 1, "退": 0.25}}),
        ("store", {"store": {"店": 0.4}}),
        ("a refund", {"a": {}, "refund": {"退款": 1, "退": 0.25}}),
        ("shipped", {"shipped": {"已发货": 0.9}}),
        ("shipping", {"shipping": {"发货": 0.8}}),
        ("shipment", {"shipment": {"发货": 0.8}}),
        ("refunded", {"refunded": {"退款": 0.8, "退": 0.2}}),
        ("storing", {"storing": {"店": 0.32}}),
        ("applied", {"applied": {"申请": 0.8}}),
        ("zorp", {"zorp": {}}),
        ("退款", {}),
        ("", {}),
    ],
)
def test_english_in_chinese(query, expected):
    """An English word has its translations, else those of its stem, surer with longer words."""
    assert called(query, "zh") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("退款", {"退款": {"refund": 0.4, "to reimburse": 0.2}}),
        ("退款單", {"退款单": {"refund form": 0.4}}),
        ("退,款", {"退": {"return": 0.2}, "款": {}}),
        ("想退款", {"想": {}, "退款": {"refund": 0.4, "to reimburse": 0.2}}),
        ("refund", {}),
    ],
)
def test_chinese_in_english(query, expected):
    """Chinese is cut into the longest known words, whose glosses count for less."""
    assert called(query, "en") == expected


def test_only_the_other_language():
    """Words are translated only into languages of the passages, from the other one."""
    assert called("refund 退款") == {}
    assert set(called("refund 退款", "zh")) == {"refund"}
    assert set(called("refund 退款", "en")) == {"退款"}
    assert set(called("refund 退款", "zh", "en")) == {"refund", "退款"}


def test_a_lexicon_s_rules_come_with_the_dictionary():
    """What a rule says of a word is as sure as can be, and joins what the dictionary says."""
    assert called("退款", "zh", lexicon=LEXICON) == {"退款": {"退费": 1, "money back": 1}}
    assert called("退款", "en", lexicon=LEXICON) == {
        "退款": {"退费": 1, "money back": 1, "refund": 0.4, "to reimburse": 0.2}
    }


def test_sources():
    """A term names the query, the dictionary, or the lexicon's file and line."""
    found = translate("parcel refund", {"zh"}, WORDS, LEXICON)
    itself = {word: Term(word, 1, QUERY) for word in ("parcel", "refund")}
    assert found.terms == {
        "parcel": (itself["parcel"], Term("包裹", 1, "lexicon.txt:2")),
        "refund": (itself["refund"], Term("退款", 1, NAME), Term("退", 0.25, NAME)),
    }


def test_parts_of_an_expression_are_not_looked_up():
    """The words of an expression that fires a rule are not translated one by one."""
    expected = {"money back": {"退款": 1, "退费": 1}, "refund": {"退款": 1, "退": 0.25}}
    assert called("money back, refund", "zh", lexicon=LEXICON) == expected


@pytest.mark.parametrize(
    ("rule", "query", "language", "expected"),
    [
        ("refund form = 表", "refund forms", "zh", {"refund form": {"表": 1}}),
        ("退款單 = form", "退款單", "en", {"退款单": {"form": 1, "refund form": 0.4}}),
        ("可退款 = ok", "可退款", "en", {"可退款": {"ok": 1}}),
        (
            "可退款 = ok",
            "可退款 退款",
            "en",
            {"可退款": {"ok": 1}, "退款": {"refund": 0.4, "to reimburse": 0.2}},
        ),
        ("goods = 商品", "goods", "zh", {"goods": {"商品": 1}}),
    ],
)
def test_words_inside_a_rule_s_expression(rule, query, language, expected):
    """An expression that fires a rule is looked up whole alone, not what stands inside it."""
    lexicon = Lexicon(parse_lexicon(rule, "lexicon.txt"))
    assert called(query, language, lexicon=lexicon) == expected
    assert translate(fold(query), {language}, WORDS, lexicon).other_words == 0


def test_a_word_said_again():
    """A word that a query repeats is one word, with the same names."""
    for language, once, again in (
        ("zh", "refund", "refund, Refunds refund"),
        ("en", "退款", "退款,退款 退款退款"),
    ):
        for lexicon in (Lexicon([]), LEXICON):
            found = translate(fold(once), {language}, WORDS, lexicon)
            repeated = translate(fold(again), {language}, WORDS, lexicon)
            assert repeated.terms.keys() == found.terms.keys()
            assert {*repeated.terms[once]} == {*found.terms[once]}
            assert repeated.other_words == found.other_words == 0


@pytest.mark.parametrize(
    ("query", "languages", "other_words"),
    [
        ("refund zorp", {"zh"}, 0),
        ("refund zorp", {"en"}, 2),
        ("可以退款", {"zh"}, 2),
        ("可以退款", {"en"}, 0),
        ("可以退款 refund", {"zh"}, 2),
        ("可以退款 refund", {"en"}, 1),
        ("申請退", {"zh"}, 1.5),
        ("72", {"zh"}, 0),
        ("", {"zh", "en"}, 0),
        ("refund a refund, Refunds", {"en"}, 2),
        ("退款,退款", {"en"}, 0),
        ("退款,退款", {"zh"}, 1),
        ("退款 可以 退款", {"zh"}, 2),
    ],
)
def test_other_words(query, languages, other_words):
    """Words of the passages' own language are not looked up; two characters are about a word.

    A word that is said again is none more.
    """
    assert translate(fold(query), languages, WORDS, Lexicon([])).other_words == other_words


def test_a_word_of_a_rule_is_looked_up():
    """A word that fires a rule is not counted among the others."""
    assert translate("可以退款", {"zh"}, WORDS, LEXICON).other_words == 1
    assert translate("get money back", {"en"}, WORDS, LEXICON).other_words == 1


def test_what_is_no_translation():
    """A query of which no word is looked up has no translation; an unknown word is only itself."""
    assert not translate("退款", {"zh"}, WORDS, Lexicon([]))
    assert not translate("refund 72", {"en"}, WORDS, Lexicon([]))
    unknown = translate("zorp", {"zh"}, WORDS, LEXICON)
    assert unknown
    assert unknown.terms == {"zorp": (Term("zorp", 1, QUERY),)}


def test_general_rules_only_translate():
    """A general rule leads to no word of the passages' own language, and fires for none."""
    rules = parse_lexicon("退款 = 退費 = money back", "general.txt")
    lexicon = Lexicon([replace(rule, translates=True) for rule in rules])
    assert called("退費", "zh", lexicon=lexicon) == {}
    assert called("money back", "en", lexicon=lexicon) == {}
    assert called("退費", "en", lexicon=lexicon) == {"退费": {"money back": 1}}
    assert called("退費", "zh", "en", lexicon=lexicon) == {"退费": {"money back": 1}}
    assert translate("money back", {"en"}, WORDS, lexicon).other_words == 2


ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("length", "checked"), [(4, False), (5, True), (20, True), (21, False), (26, False)]
)
def test_slips_of_spelling(length, checked):
    """An unknown word of five to twenty letters may be a known one with a slip."""
    known = ALPHABET[:length]
    typed = known[1] + known[0] + known[2:]
    words = FewWords(**{known: {"退款": 0.8}})
    found = translate(typed, {"zh"}, words, Lexicon([])).terms[typed]
    assert found[1:] == ((Term("退款", 0.4, NAME),) if checked else ())


@pytest.mark.parametrize("letters", ["q", "ab", "ing", "qed"])
def test_a_word_of_the_longest_query(tmp_path, letters):
    """A word as long as a query may be takes no noticeable time."""
    word = (letters * MAX_QUERY_CHARS)[:MAX_QUERY_CHARS]
    shop = Document("shop.txt", "一、怎麼退款?\n七天內可以退款。\n")
    start = time.perf_counter()
    translate(word, {"zh"}, Dictionary.open(), Lexicon([]))
    assert time.perf_counter() - start < 0.5
    with KnowledgeBase.build([shop], tmp_path / "kb", model=LetterEncoder()) as knowledge_base:
        knowledge_base.search("first")
        start = time.perf_counter()
        (hit,) = knowledge_base.search(word)
        assert time.perf_counter() - start < 0.5
    assert hit.components["translated"] == 0


def test_the_dictionary_of_the_package():
    """A question in English has the Chinese words that one would say, and the other way round."""
    words = Dictionary.open()
    english = translate("how do i apply for a refund", {"zh"}, words, Lexicon([]))
    assert Term("退款", 1, NAME) in english.terms["refund"]
    assert "申请" in {term.text for term in english.terms["apply"]}
    chinese = translate("怎么退款", {"en"}, words, Lexicon([]))
    assert Term("refund", 0.4, NAME) in chinese.terms["退款"]


TEXTS = ["可以退款", "不能退貨", "money is back", "money for 退款", "parcel"]
PASSAGES = [
    (0, tokens(fold(TEXTS[0])), "a.txt", ("shop",)),
    (1, tokens(fold(TEXTS[1])), "b.txt", ("shop", "old")),
    (2, tokens(fold(TEXTS[2])), "b.txt", ("shop", "old")),
    (5, tokens(fold(TEXTS[3])), "c.txt", ()),
    (9, tokens(fold(TEXTS[4])), "c.txt", ()),
]
ROWS = np.array([row for row, *_ in PASSAGES], np.int64)


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    """Return an index of five tiny passages."""
    return LexicalIndex.build(tmp_path_factory.mktemp("translated") / "index", PASSAGES)


def idf(n: float) -> float:
    """Return the weight of a word whose translations stand in about `n` of the five passages."""
    return math.log(1 + (5 - n + 0.5) / (n + 0.5))


def translation(*words: dict[str, float], other_words: float = 0) -> Translation:
    """Return a translation whose words are called so."""
    terms = {
        str(number): tuple(Term(text, weight, NAME) for text, weight in word.items())
        for number, word in enumerate(words)
    }
    return Translation(terms, other_words)


def pairs(ranking: Ranking) -> list[tuple[int, float]]:
    """Return (row, score) pairs."""
    return list(zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True))


def found(lexical: LexicalIndex, wanted: Translation) -> dict[int, float]:
    """Return the scores of the rows found, and check that they come best first."""
    ranking = lexical.search_translation(wanted, 9)
    assert sorted(pairs(ranking), key=lambda pair: (-pair[1], pair[0])) == pairs(ranking)
    assert pairs(lexical.translation_scores(wanted, ROWS)) == pairs(ranking)
    return dict(pairs(ranking))


def test_one_word(lexical):
    """A row that holds the translation of the only word scores its weight."""
    assert found(lexical, translation({"退款": 1})) == pytest.approx({0: 1, 5: 1})
    assert found(lexical, translation({"退款": 0.3})) == pytest.approx({0: 0.3, 5: 0.3})


def test_translations_of_one_word_compete(lexical):
    """A row has the weight of the best translation of a word that it holds, not their sum."""
    wanted = translation({"退款": 0.5, "money": 0.4, "退货": 1})
    assert found(lexical, wanted) == pytest.approx({0: 0.5, 1: 1, 2: 0.4, 5: 0.5})


def test_words_add_up(lexical):
    """Words add up, each weighted by how few rows hold one of its translations.

    The first word's translations stand in 2 + .5 · 1 rows, the second one's in .8 · 2.
    """
    first, second = idf(2 + 0.5 * 1), idf(0.8 * 2)
    wanted = translation({"退款": 1, "退货": 0.5}, {"money": 0.8})
    total = first + second
    assert found(lexical, wanted) == pytest.approx(
        {
            0: first / total,
            1: 0.5 * first / total,
            2: 0.8 * second / total,
            5: (first + 0.8 * second) / total,
        },
        rel=1e-5,
    )


def test_a_row_counts_once_for_each_translation_only_up_to_all_rows(lexical):
    """However many translations a word has, it stands in no more rows than there are."""
    everything = {"退款": 1, "money": 1, "back": 1, "parcel": 1, "不": 1}
    wanted = translation(everything, {"parcel": 1})
    total = idf(5) + idf(1)
    assert found(lexical, wanted) == pytest.approx(
        {row: idf(5) / total for row in (0, 1, 2, 5)} | {9: 1}, rel=1e-5
    )


@pytest.mark.parametrize("unknown", [{"无": 1.0}, {}])
def test_words_that_nothing_holds(lexical, unknown):
    """A word without any translation in the rows counts as a rare one that is missing."""
    expected = idf(1) / (idf(1) + UNKNOWN)
    wanted = translation({"parcel": 1}, unknown)
    assert found(lexical, wanted) == pytest.approx({9: expected}, rel=1e-5)


def test_words_that_were_not_looked_up(lexical):
    """Words that were not looked up count as missing ones."""
    expected = idf(1) / (idf(1) + 2.5 * UNKNOWN)
    wanted = translation({"parcel": 1}, other_words=2.5)
    assert found(lexical, wanted) == pytest.approx({9: expected}, rel=1e-5)


def test_all_tokens_of_a_term(lexical):
    """A term of several words is held only where all of them are, and is as rare as the rarest."""
    assert found(lexical, translation({"money back": 1})) == pytest.approx({2: 1})
    assert found(lexical, translation({"money parcel": 1})) == {}
    two = translation({"money back": 1}, {"money": 1})
    total = idf(1) + idf(2)
    assert found(lexical, two) == pytest.approx({2: 1, 5: idf(2) / total}, rel=1e-5)


def test_all_pairs_of_characters_of_a_term(lexical):
    """A term of several characters is held only where all its pairs are; one alone is enough."""
    assert found(lexical, translation({"以退款": 1})) == pytest.approx({0: 1})
    assert found(lexical, translation({"不退款": 1})) == {}
    assert set(found(lexical, translation({"退": 1}))) == {0, 1, 5}


@pytest.mark.parametrize(
    ("term", "rows"),
    [
        ("7 days", {0, 3}),
        ("plan b", {1}),
        ("plan a", {2}),
        ("7天", {3}),
        ("7 天", {3, 4}),
        ("b 款", {1, 5}),
        ("b款", {5}),
        ("c店", set()),
    ],
)
def test_single_digits_and_letters_of_a_term(tmp_path, term, rows):
    """A digit or letter of a term must stand there too, as one with the characters it touches."""
    texts = ["7 days", "plan b 款", "plan a, 30 days", "7 days 7天", "天 7", "b款"]
    passages = [(row, tokens(fold(text)), "a.txt", ()) for row, text in enumerate(texts)]
    index = LexicalIndex.build(tmp_path / "index", passages)
    ranking = index.search_translation(translation({term: 1}), 9)
    assert {*ranking.rows.tolist()} == rows
    assert index.holds(term) == bool(rows)


def test_a_term_that_was_given_twice(lexical):
    """Of a term with two weights the higher one counts, and its rows count once."""
    word = (Term("退款", 0.4, NAME), Term("退款", 0.9, "lexicon.txt:1"), Term("退款", 0.1, NAME))
    wanted = Translation({"refund": word, "parcel": (Term("parcel", 1, NAME),)}, 0)
    total = idf(0.9 * 2) + idf(1)
    expected = {row: 0.9 * idf(0.9 * 2) / total for row in (0, 5)}
    assert found(lexical, wanted) == pytest.approx(expected | {9: idf(1) / total}, rel=1e-5)


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        (Filters(), [0, 1, 2, 5]),
        (Filters(documents=("c.txt",)), [5]),
        (Filters(documents=("a.txt", "b.txt")), [0, 1, 2]),
        (Filters(tags=("shop",)), [0, 1, 2]),
        (Filters(tags=("shop", "old")), [1, 2]),
        (Filters(documents=("a.txt",), tags=("old",)), []),
    ],
)
def test_filters(lexical, filters, rows):
    """Filters take rows away and leave the scores of the others as they are."""
    wanted = translation({"退款": 1, "退货": 0.5}, {"money": 0.8})
    everything = dict(pairs(lexical.search_translation(wanted, 9)))
    left = dict(pairs(lexical.search_translation(wanted, 9, filters)))
    assert left == {row: everything[row] for row in rows}


def test_only_these_rows(lexical):
    """Scores are those of the rows asked for, as of a search; rows that hold nothing have none."""
    wanted = translation({"退款": 1, "退货": 0.5})
    rows = np.array([1, 2, 5, 7], np.int64)
    assert pairs(lexical.translation_scores(wanted, rows)) == [(5, 1), (1, 0.5)]
    assert pairs(lexical.translation_scores(wanted, rows[:0])) == []


def test_nothing_to_search_for(lexical):
    """No word, none with a translation, none that is held, and no row wanted give nothing."""
    for wanted in (
        translation(),
        translation({}),
        translation({"无": 1}),
        translation({"?!": 1, "": 1}),
        translation(other_words=3),
    ):
        assert pairs(lexical.search_translation(wanted, 9)) == []
        assert pairs(lexical.translation_scores(wanted, ROWS)) == []
    assert pairs(lexical.search_translation(translation({"退款": 1}), 0)) == []


@pytest.mark.parametrize("k", [1, 3, 9, 50])
def test_ties_at_the_cut(tmp_path, k):
    """Where more rows tie than are wanted, the lowest ones are returned, whatever went in first."""
    passages = [(row, ["same", "words"], "a.txt", ()) for row in range(40, 0, -1)]
    index = LexicalIndex.build(tmp_path / "index", passages)
    ranking = index.search_translation(translation({"same": 1}), k)
    assert ranking.rows.tolist() == list(range(1, min(k, 40) + 1))


def test_holds(lexical):
    """A word is held if some row holds it, a long one if all its parts are held somewhere."""
    assert [word for word in ("退款", "款", "parcel", "可以") if not lexical.holds(word)] == []
    assert [word for word in ("包裹", "退订", "zorp", "", "?") if lexical.holds(word)] == []


terms = st.dictionaries(
    st.sampled_from(
        ["退款", "退", "退货", "不能退", "money", "money back", "parcel", "无", "zorp"]
    ),
    st.floats(0.01, 1),
    max_size=4,
)


@given(words=st.lists(terms, max_size=4), others=st.floats(0, 9), k=st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_scores_are_shares(lexical, words, others, k):
    """Scores are above 0 and at most 1, and at most the surest translation's weight."""
    wanted = translation(*words, other_words=others)
    ranking = lexical.search_translation(wanted, k)
    surest = max((weight for word in words for weight in word.values()), default=0)
    assert all(0 < score <= min(1, surest) + 1e-5 for score in ranking.scores.tolist())
    scores = lexical.translation_scores(wanted, ROWS)
    assert pairs(scores)[:k] == pairs(ranking)
    every = {row for row, score in found(lexical, wanted).items() if score}
    fewer = translation(*words, other_words=others + 1)
    assert {row for row, score in found(lexical, fewer).items() if score} == every


SHOP = Document("shop.txt", "一、怎麼退款?\n七天內可以退款。\n二、誰付運費?\n賣家付運費。\n")
HALL = Document("hall.txt", "1. Is there a refund?\nYes.\n2. Where may I park?\nHere.\n")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Return a knowledge base in two languages."""
    place = tmp_path_factory.mktemp("both") / "kb"
    with KnowledgeBase.build([SHOP, HALL], place, model=LetterEncoder()) as knowledge_base:
        yield knowledge_base


def test_search_in_the_other_language(tmp_path):
    """A question in English finds the Chinese entry that says it, and the other way round."""
    with KnowledgeBase.build([SHOP], tmp_path / "zh", model=LetterEncoder()) as chinese:
        hits = {hit.entry.id: hit.components for hit in chinese.search("refund")}
        assert {name: c["translated"] for name, c in hits.items()} == {"shop#1": 1, "shop#2": 0}
        assert {c["across"] for c in hits.values()} == {1}
    with KnowledgeBase.build([HALL], tmp_path / "en", model=LetterEncoder()) as english:
        hits = {hit.entry.id: hit.components for hit in english.search("退款")}
        assert {name: c["translated"] for name, c in hits.items()} == {"hall#1": 1, "hall#2": 0}
        assert {c["across"] for c in hits.values()} == {1}


@pytest.mark.parametrize(("query", "own"), [("refund", "hall"), ("退款", "shop")])
def test_search_in_both_languages(tmp_path, query, own):
    """An entry that holds a word itself counts as one that holds its surest translation."""
    with KnowledgeBase.build([SHOP, HALL], tmp_path / "kb", model=LetterEncoder()) as both:
        hits = {hit.entry.id: hit.components for hit in both.search(query)}
    assert len(hits) == 4
    held = {"shop#1": 1, "shop#2": 0, "hall#1": 1, "hall#2": 0}
    for name in ("translated", "entry_translated"):
        assert {entry: components[name] for entry, components in hits.items()} == held
    assert {name for name, c in hits.items() if not c["across"]} == {f"{own}#1", f"{own}#2"}


def test_explain(tmp_path):
    """Each entry is explained by the words that it holds in other words; one encoding does."""
    encoder = LetterEncoder()
    with KnowledgeBase.build([SHOP, HALL], tmp_path / "kb", model=encoder) as both:
        encoder.encoded.clear()
        matches = both.explain("A refund, who pays?", ["shop#1", "hall#1", "hall#2"])
        assert encoder.encoded == ["a refund, who pays?"]
        assert [*matches] == ["shop#1", "hall#1", "hall#2"]
        (match,) = (match for match in matches["shop#1"] if match.word == "refund")
        assert match.term == "退款"
        assert match.source.startswith("general_lexicon.txt:")
        assert "refund" not in {match.word for match in matches["hall#1"]}
        assert both.explain("refund", []) == {}
        assert both.explain("refund", iter(["hall#2", "none"])) == {"hall#2": [], "none": []}
        with pytest.raises(QueryError):
            both.explain("", ["shop#1"])


def test_explain_in_pinyin(tmp_path):
    """A query in pinyin is explained as it was read."""
    with KnowledgeBase.build([SHOP, HALL], tmp_path / "kb", model=LetterEncoder()) as both:
        found = both.explain("tuikuan", ["shop#1", "hall#1"])
    assert found["shop#1"] == []
    assert {(match.word, match.term) for match in found["hall#1"]} == {("退款", "refund")}


@given(query=st.text("refund 退款運費Where may", min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_word_is_explained_by_itself(both, query):
    """A match names another word than the query's, which the query holds, once."""
    assume(any(c.isalnum() for c in query))
    for matches in both.explain(query, ["shop#1", "shop#2", "hall#1", "hall#2"]).values():
        assert [match for match in matches if match.word == match.term] == []
        assert len({match.word for match in matches}) == len(matches)


def test_filters_of_a_translated_search(tmp_path):
    """A filter holds for what is found by translation alone."""
    first, second = (Document(f"{n}.txt", f"{n}號可以退款。\n", (n,)) for n in "甲乙")
    with KnowledgeBase.build([first, second], tmp_path / "kb", model=LetterEncoder()) as both:
        hits = both.search("refund", filters=Filters(tags=("乙",)))
        assert [hit.entry.document_id for hit in hits] == ["乙.txt"]
        assert hits[0].components["translated"] > 0
