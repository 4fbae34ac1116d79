"""How a lexicon is read, which of its rules a query fires, and what a corpus's own changes."""

from pathlib import Path

import pytest
from fakes import LetterEncoder
from hypothesis import given
from hypothesis import strategies as st

from policy_qa import Document, KnowledgeBase
from policy_qa.confidence import MOST_TRANSLATED, Calibration, signals_of
from policy_qa.corpus import read_corpus, read_lexicon
from policy_qa.errors import CorpusError
from policy_qa.folding import fold
from policy_qa.lexicon import LEXICON_FILE, Lexicon, Rule, general_rules, parse_lexicon
from policy_qa.storage import STORE_FILE, generation_folder
from policy_qa.store import Store, StoreWriter

CORPUS = Path(__file__).parents[1] / "corpus"


def parsed(text: str) -> list[Rule]:
    """Return the rules of a text."""
    return parse_lexicon(text, "lexicon.txt")


def fired(text: str, query: str) -> list[tuple[str, list[str]]]:
    """Return the words of a query that a lexicon holds, each with what else it may be called."""
    found = Lexicon(parsed(text)).fired(fold(query))
    return [(word, rule.others(word, {"zh", "en"})) for word, rule in found]


def test_rules():
    """Each line is a rule, named by its file and number, its words folded in their order."""
    assert parsed("退款 = 退費 = Refund\n快遞=物流\n") == [
        Rule("lexicon.txt:1", ("退款", "退费", "refund")),
        Rule("lexicon.txt:2", ("快递", "物流")),
    ]


def test_comments_and_blank_lines():
    """Comments and blank lines are no rules, but count as lines; ends of lines are of any kind."""
    text = "# a = b\r\n\r\n  \t\n　# c\n  a = b  \r\n"
    assert parsed(text) == [Rule("lexicon.txt:5", ("a", "b"))]
    assert parsed("") == parsed("\n# nothing") == []


def test_words_said_twice():
    """A word that a line repeats counts once."""
    assert parsed("退款 = 退費 = 退费 = 退款") == [Rule("lexicon.txt:1", ("退款", "退费"))]


def test_fullwidth():
    """A fullwidth equals sign is one, and spaces of any kind and number are one."""
    assert parsed("退款＝退費 ＝ Refund\n　a　 b　＝Ｃ\n") == [
        Rule("lexicon.txt:1", ("退款", "退费", "refund")),
        Rule("lexicon.txt:2", ("a b", "c")),
    ]


def test_lines_end_as_in_an_editor():
    """Only a line feed ends a line, so that the number is the one that an editor shows."""
    assert parsed("a\x0cb = c\x85d\u2028e\n退款 = 退費") == [
        Rule("lexicon.txt:1", ("a b", "c d e")),
        Rule("lexicon.txt:2", ("退款", "退费")),
    ]


@pytest.mark.parametrize(
    "line", ["退款 = 退款", "退费 = 退費", "Refund ＝ ｒｅｆｕｎｄ", "a = a = A"]
)
def test_rules_of_one_word(line):
    """A line whose words are one word to us is refused, and the message says what to do."""
    with pytest.raises(CorpusError) as caught:
        parse_lexicon(f"a = b\n{line}\n", "lexicon.txt", "corpus/lexicon.txt")
    assert str(caught.value) == (
        "corpus/lexicon.txt:2: only one word, for both scripts are read as one; write words that "
        "mean the same with = between them, such as: 退款 = 退費 = refund, or remove the line."
    )


@pytest.mark.parametrize(
    "line",
    [
        *("退款", "退款 =", "= 退款", "退款 == 退費", "=", "a = = b", "退款 ＝ ＝ 退費"),
        *("退款 = ?", "… = 退款", "_ = a", "- = --", "🙂 = 退款", "\u200b = a"),
    ],
)
def test_lines_that_are_no_rule(line):
    """A line without two words, or with one that has neither letters nor digits, is refused.

    The message names the file and the line, in one line.
    """
    with pytest.raises(CorpusError) as caught:
        parse_lexicon(f"# first\na = b\n{line}\n", "lexicon.txt", "corpus/lexicon.txt")
    assert str(caught.value) == (
        "corpus/lexicon.txt:3: no rule of a lexicon; write words that mean the same with = between "
        "them, such as: 退款 = 退費 = refund."
    )
    with pytest.raises(CorpusError, match=r"^lexicon\.txt:1: no rule"):
        parsed(line)


@pytest.mark.parametrize("languages", [(), ("zh",), ("en",), ("zh", "en")])
def test_what_a_word_is_called(languages):
    """A rule's word is called all the others, whatever the passages' languages."""
    rule = Rule("lexicon.txt:1", ("退款", "退费", "refund"))
    assert rule.others("退款", languages) == ["退费", "refund"]
    assert rule.others("refund", languages) == ["退款", "退费"]


@pytest.mark.parametrize(
    ("word", "languages", "others"),
    [
        ("退款", {"zh", "en"}, ["refund", "money back"]),
        ("退款", {"en"}, ["refund", "money back"]),
        ("退款", {"zh"}, []),
        ("退款", set(), []),
        ("money back", {"zh", "en"}, ["退款", "退费"]),
        ("money back", {"zh"}, ["退款", "退费"]),
        ("money back", {"en"}, []),
    ],
)
def test_a_rule_that_translates(word, languages, others):
    """A rule that only translates leads to the other language, where passages are in it."""
    rule = Rule("general", ("退款", "退费", "refund", "money back"), translates=True)
    assert rule.others(word, languages) == others


def test_general_rules():
    """The rules that come with the package only translate, and each has both languages."""
    rules = general_rules()
    assert rules
    assert {rule.source.split(":")[0] for rule in rules} == {"general_lexicon.txt"}
    for rule in rules:
        assert rule.translates
        assert all(rule.others(word, {"zh", "en"}) for word in rule.words), rule.source


@pytest.mark.parametrize(
    "query",
    ["in order to be paid", "a member of staff", "a fire", "reach it", "missing", "return", "寶貝"],
)
def test_words_that_are_no_general_rules(query):
    """What means something else as often as not, or in one shop alone, fires no general rule."""
    assert list(Lexicon(general_rules()).fired(fold(query))) == []


def test_the_lexicon_of_the_corpus():
    """Each line of the corpus's own lexicon has a word that the corpus says."""
    rules = read_lexicon(CORPUS)
    assert rules
    text = "".join(fold(document.text) for document, _ in read_corpus(CORPUS))
    assert [rule for rule in rules if not any(word in text for word in rule.words)] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("如何申請退款呢", [("退款", ["退费", "refund"])]),
        ("我要退费!", [("退费", ["退款", "refund"])]),
        ("退 款", []),
        ("款退", []),
        ("A refund?", [("refund", ["退款", "退费"])]),
        ("REFUNDS", [("refund", ["退款", "退费"])]),
        ("the seller's refund's date", [("refund", ["退款", "退费"])]),
        ("refundable", []),
        ("退款refund", [("退款", ["退费", "refund"]), ("refund", ["退款", "退费"])]),
        ("", []),
    ],
)
def test_words_that_fire(query, expected):
    """Characters fire inside a text, English words whole, in the singular or plural."""
    assert fired("退款 = 退費 = refund", query) == expected


@pytest.mark.parametrize(
    ("text", "query", "words"),
    [
        ("goods = 商品", "good", []),
        ("goods = 商品", "a good seller", []),
        ("goods = 商品", "Goods", ["goods"]),
        ("good = 好", "goods", ["good"]),
        ("good = 好\ngoods = 商品", "good goods", ["good", "goods"]),
        ("goods return = 退貨", "goods return, good return", ["goods return"]),
        ("sale item = 特價", "sales items", ["sale item"]),
        ("e-mail = 電郵", "e-mails, email, mail", ["e-mail"]),
        ("t-shirt = 衫", "two T-shirts", ["t-shirt"]),
        ("seller's choice = 任選", "the seller’s choice", ["seller's choice"]),
        ("7 days = 七天", "7 days, 7 day", ["7 days"]),
    ],
)
def test_as_typed_or_in_the_singular(text, query, words):
    """A word of a rule is the one that was typed or its singular, and not another one's."""
    assert [word for word, _ in fired(text, query)] == words


def test_a_word_of_two_rules():
    """A word in several rules fires each of them."""
    lexicon = Lexicon(parsed("退款 = 退費\n退款 = refund"))
    assert [(word, rule.source) for word, rule in lexicon.fired("退款")] == [
        ("退款", "lexicon.txt:1"),
        ("退款", "lexicon.txt:2"),
    ]


def test_the_longest_match_wins():
    """Where a longer word fires, none of its parts does."""
    text = "發貨 = ship\n不發貨 = not ship\n退貨 = return\nship late = 晚"
    assert fired(text, "不發貨 發貨") == [("不发货", ["not ship"]), ("发货", ["ship"])]
    assert fired(text, "not ship") == [("not ship", ["不发货"])]
    assert fired(text, "not ship late ships") == [("not ship", ["不发货"]), ("ship", ["发货"])]
    assert fired(text, "ships late") == [("ship late", ["晚"])]
    assert fired("退款 = a\n退款單 = b", "退款單") == [("退款单", ["b"])]
    assert fired("goods = 貨\ngoods return = 退貨", "goods return goods") == [
        ("goods return", ["退货"]),
        ("goods", ["货"]),
    ]
    assert fired("item = 貨\nitem price = 價\nitem price list = 表", "items price lists") == [
        ("item price list", ["表"])
    ]
    assert fired("a = 甲\na b c = 乙", "a b") == [("a", ["甲"])]


def test_no_rules():
    """A lexicon without rules fires nothing."""
    assert list(Lexicon([]).fired("退款 refund")) == []


def test_marks_in_a_word():
    """What means something in a regular expression means itself."""
    assert fired("退款(全) = a\n退.款 = b", "退款(全) 退x款") == [("退款(全)", ["a"])]


@given(query=st.text("退款不发货 abs'?", max_size=20))
def test_what_fires_stands_in_the_query(query):
    """Characters that fire stand in the query, and no word is among its own other names."""
    for word, others in fired("退款 = 款 = a b\n不发货 = 发货 = a", query):
        assert word in query or word in {"a", "a b"}
        assert word not in others
        assert others


@pytest.fixture
def corpus(tmp_path):
    """Return a corpus folder whose lexicon gives a word of its own to what one entry says."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "shop.txt").write_text(
        "一、怎麼退款?\n七天內可以退款。\n二、誰付運費?\n賣家付運費。\n", encoding="utf-8"
    )
    (folder / LEXICON_FILE).write_text("# 我們的詞\n退款 = 銀彈 = zorp\n", encoding="utf-8")
    return folder


RULE = Rule("lexicon.txt:2", ("退款", "银弹", "zorp"))


def test_a_lexicon_is_no_document(corpus):
    """The lexicon at the top of the folder is read as such; the same name below is a document."""
    (corpus / "more").mkdir()
    (corpus / "more" / LEXICON_FILE).write_text("甲 = 乙", encoding="utf-8")
    assert [document.id for document, _ in read_corpus(corpus)] == ["more/lexicon.txt", "shop.txt"]
    assert read_lexicon(corpus) == [RULE]


def test_a_corpus_of_a_lexicon_alone(corpus):
    """A folder with nothing but a lexicon holds no document."""
    (corpus / "shop.txt").unlink()
    with pytest.raises(CorpusError, match="holds no document"):
        read_corpus(corpus)


def test_no_lexicon(corpus):
    """A folder without a lexicon, and one file, have no rules."""
    assert read_lexicon(corpus / "shop.txt") == []
    (corpus / LEXICON_FILE).unlink()
    assert read_lexicon(corpus) == []


def test_a_lexicon_of_an_editor_that_marks_utf_8(corpus):
    """A byte order mark is no part of the first word."""
    (corpus / LEXICON_FILE).write_text("退款 = 銀彈", encoding="utf-8-sig")
    assert read_lexicon(corpus) == [Rule("lexicon.txt:1", ("退款", "银弹"))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("退款 = 銀彈\n退款\n".encode(), r"lexicon\.txt:2: no rule of a lexicon"),
        (b"\0\1", r"lexicon\.txt is not text"),
    ],
)
def test_a_broken_lexicon_stops_the_build(corpus, content, message):
    """A lexicon that cannot be read is named in one line, and nothing is built."""
    (corpus / LEXICON_FILE).write_bytes(content)
    place = corpus.parent / "kb"
    with pytest.raises(CorpusError, match=message) as caught:
        KnowledgeBase.build(corpus, place, model=LetterEncoder())
    assert str(caught.value).startswith(str(corpus / LEXICON_FILE))
    assert "\n" not in str(caught.value)
    assert not place.exists()


def translated(knowledge_base: KnowledgeBase, query: str) -> dict[str, tuple[float, float]]:
    """Return how much of a query each entry and its passage hold in other words."""
    return {
        hit.entry.id: (hit.components["translated"], hit.components["entry_translated"])
        for hit in knowledge_base.search(query)
    }


@pytest.mark.parametrize("query", ["銀彈", "zorps"])
def test_a_corpus_and_its_lexicon(corpus, query):
    """A word of the lexicon finds what its rule says, and nothing once the rule is gone."""
    place = corpus.parent / "kb"
    with KnowledgeBase.build(corpus, place, model=LetterEncoder()) as knowledge_base:
        assert translated(knowledge_base, query) == {"shop#1": (1, 1), "shop#2": (0, 0)}
        with_rule = {hit.entry.id: hit.score for hit in knowledge_base.search(query)}
    (corpus / LEXICON_FILE).unlink()
    with KnowledgeBase.build(corpus, place, model=LetterEncoder()) as knowledge_base:
        assert translated(knowledge_base, query) == {"shop#1": (0, 0), "shop#2": (0, 0)}
        without = {hit.entry.id: hit.score for hit in knowledge_base.search(query)}
    assert with_rule["shop#1"] > without["shop#1"]
    assert with_rule["shop#2"] <= without["shop#2"]


@pytest.mark.parametrize(("query", "across"), [("銀彈", 0), ("zorp", 1)])
def test_a_rule_and_confidence(corpus, query, across):
    """What a rule of one language finds is held, but no translation that makes surer."""
    with KnowledgeBase.build(corpus, corpus.parent / "kb", model=LetterEncoder()) as built:
        (hit,) = (hit for hit in built.search(query) if hit.entry.id == "shop#1")
    assert (hit.components["translated"], hit.components["across"]) == (1, across)
    assert signals_of(hit.components)["translated"] == across * MOST_TRANSLATED
    untranslated = Calibration().confidence({**hit.components, "translated": 0.0})
    assert (Calibration().confidence(hit.components) > untranslated) == bool(across)


def test_rules_are_kept(corpus):
    """The knowledge base keeps its rules, wherever the corpus is later."""
    place = corpus.parent / "kb"
    KnowledgeBase.build(corpus, place, model=LetterEncoder()).close()
    (corpus / LEXICON_FILE).unlink()
    with KnowledgeBase.open(place, model=LetterEncoder()) as opened:
        store = Store(generation_folder(place, opened.generation) / STORE_FILE)
        assert store.rules() == [RULE]
        store.close()
        assert translated(opened, "銀彈")["shop#1"] == (1, 1)


def test_documents_of_a_program_have_no_lexicon(tmp_path):
    """Documents that a program gives are all documents, whatever they are called."""
    documents = [Document(LEXICON_FILE, "退款 = 銀彈\n"), Document("a.txt", "可以退款。\n")]
    with KnowledgeBase.build(documents, tmp_path / "kb", model=LetterEncoder()) as knowledge_base:
        assert [name for name, _ in knowledge_base.documents()] == ["a.txt", LEXICON_FILE]
        assert knowledge_base._store.rules() == []


def test_rules_in_a_store(tmp_path):
    """Rules come back from a store as they went in, in their order."""
    rules = [*parsed("z = y = x\n退款 = \"退\\費'\n"), Rule("other.txt:9", ("a", "b"))]
    with StoreWriter(tmp_path / "store.sqlite") as writer:
        writer.set_rules(rules)
    store = Store(tmp_path / "store.sqlite")
    assert store.rules() == rules
    store.close()
