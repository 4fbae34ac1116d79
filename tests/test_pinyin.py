"""What is read as pinyin, and as which words."""

import json
import re
import time
from collections.abc import Sequence
from itertools import accumulate, pairwise, product
from pathlib import Path

import pytest
from fakes import RETURNS, LetterEncoder, build
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import Document
from policy_qa.dictionary import Dictionary
from policy_qa.folding import fold
from policy_qa.pinyin import (
    _ASTRIDE,
    _FINAL,
    _KNOWN_HERE,
    _LONGEST_SOUND,
    _LONGEST_SYLLABLE,
    _decoded,
    read_as_chinese,
)
from policy_qa.settings import MAX_QUERY_CHARS

EVAL = Path(__file__).parents[1] / "eval"
HERE = frozenset({"退款", "卖家", "发货", "快递", "物流", "运费"})


def read(text: str, here: frozenset[str] = HERE) -> str | None:
    """Return a text's reading where the knowledge base holds these words."""
    return read_as_chinese(fold(text), Dictionary.open(), here.__contains__)


def questions(name: str, *, in_pinyin: bool) -> list[str]:
    """Return questions of the evaluation; of a set with two halves those to tune with alone."""
    lines = (EVAL / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record.get("split") in (None, "tune")]
    return [r["text"] for r in records if (r.get("kind") == "pinyin") == in_pinyin]


@pytest.mark.parametrize("is_here", [HERE.__contains__, lambda _: True], ids=["few", "every"])
@pytest.mark.parametrize(
    "name",
    [
        *("across/covidfaq-zh/queries", "across/drcd-en/queries", "across/stard-en/queries"),
        *("seed/queries", "seed/unanswerable"),
    ],
)
def test_what_is_no_pinyin(name, is_here):
    """No question in English or in characters is taken for pinyin, whatever words are held."""
    texts = questions(name, in_pinyin=False)
    assert len(texts) >= 60
    read_as = {text: read_as_chinese(fold(text), Dictionary.open(), is_here) for text in texts}
    assert {text: chinese for text, chinese in read_as.items() if chinese is not None} == {}


@pytest.mark.parametrize(
    "text",
    [
        *("can he sue me", "women", "refund", "Who pays?", "fan page", "banana", "a panda"),
        *("退款", "72小時不發貨", "C店", "refund 怎麼辦", "iPhone 退款", "hello 退款"),
        *("", "7", "?!", "a", "wo", "ma?", "nü", "72 de", "ありがと", "спасибо"),
    ],
)
def test_no_pinyin(text):
    """English, characters, other scripts and fewer than four letters are left as they are."""
    assert read(text) is None


@pytest.mark.parametrize(
    "text", ["can he sue me", "Who pays?", "fan page", "a panda", "can we sue", "who are you"]
)
def test_short_english(text):
    """A few English words stay as they are even where every Chinese word is held."""
    assert read_as_chinese(fold(text), Dictionary.open(), lambda _: True) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tuikuan", "退款"),
        ("zenme tuikuan", "怎么退款"),
        ("zenmetuikuan", "怎么退款"),
        ("zenme  tui\tkuan", "怎么退款"),
        ("keyi tuikuan ma", "可以退款吗"),
        ("women keyi tuikuan ma", "我们可以退款吗"),
        ("kuaidi diu le zenme ban", "快递丢了怎么办"),
        ("shenme shihou fahuo", "什么时候发货"),
        ("maijia bu yuanyi tuikuan", "卖家不愿意退款"),
        ("guke xiang tuikuan", "顾客想退款"),
    ],
)
def test_typical_questions(typed, meant):
    """A question typed in pinyin is read as it was meant, however it is spaced."""
    assert read(typed) == meant


@pytest.mark.parametrize(
    "typed", ["TUIKUAN MA", "Tuikuan Ma", "ｔｕｉｋｕａｎ ｍａ", "tuikuan\nma"]
)
def test_case_and_width(typed):
    """Case, width and the kind of space change nothing."""
    assert read(typed) == "退款吗"


@pytest.mark.parametrize(("here", "meant"), [("买家", "买家"), ("卖家", "卖家"), ("麦加", "麦加")])
def test_the_knowledge_base_decides(here, meant):
    """Of words that sound alike, the one that the knowledge base holds is meant."""
    assert read("maijia", frozenset({here})) == meant
    assert read("maijia hui zenme shuo", frozenset({here})) == f"{meant}会怎么说"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("买家拍错了 yizhi bu 发货 hui bei tousu ma", "买家拍错了 一直不 发货 会被投诉吗"),
        ("買家 tuikuan", "买家 退款"),
        ("tuikuan 多久", "退款 多久"),
        ("chaoguo 72 xiaoshi bu fahuo", "超过 72 小时不发货"),
        ("72xiaoshi", "72小时"),
        ("tuikuan, yunfei?!", "退款, 运费?!"),
        ("(tuikuan) 30%", "(退款) 30%"),
    ],
)
def test_what_is_around_pinyin(typed, meant):
    """Characters, numbers, punctuation and the spaces around them stay where they are."""
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tian'anmen", "天安门"),
        ("tian’anmen", "天安门"),
        ("nü'ren", "女人"),
        ("yun'fei", "运费"),
        ("zenme qu tian'anmen", "怎么去天安门"),
    ],
)
def test_apostrophes(typed, meant):
    """An apostrophe between syllables, straight or curled, is no letter."""
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("qu xi'an", "去西安"),
        ("qu xi an", "去西安"),
        ("xi-an", "西安"),
        ("zenme qu xian", "怎么去西安"),
        ("zenme qu xi'an", "怎么去西安"),
        ("zenme fan'gan", "怎么反感"),
        ("zenme fang'an", "怎么方案"),
    ],
)
def test_ends_of_syllables(typed, meant):
    """What was typed between two letters ends a syllable; a word may have more of them."""
    assert read(typed, frozenset({"西安", "反感", "方案"})) == meant


@pytest.mark.parametrize(("typed", "meant"), [("xian", "线"), ("xi'an", "西安"), ("xi an", "西安")])
def test_no_syllable_goes_over_an_end(typed, meant):
    """Letters on both sides of an apostrophe or a space are not one syllable, though cheaper so."""
    sounds = {"xi": [("xi", "洗", 8)], "an": [("an", "按", 8)]}
    dictionary = FewWords({**sounds, "xian": [("xian", "线", 1), ("xi'an", "西安", 9)]})
    assert read_as_chinese(typed, dictionary, lambda _: False) == meant


@pytest.mark.parametrize("typed", ["t'uikuan", "tu'ikuan", "tuiku an", "zen me tuik uan"])
def test_ends_where_no_syllable_ends(typed):
    """Where no syllables end as they were typed, nothing is read."""
    assert read(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tuìkuǎn", "退款"),
        ("Tuìkuǎn ma", "退款吗"),
        ("zěnme tuìkuǎn", "怎么退款"),
        ("tuìkua\u030cn", "退款"),
        ("lǚyóu", "旅游"),
        ("LǙYÓU", "旅游"),
        ("lu\u0308\u030cyo\u0301u", "旅游"),
        ("nǚ'ér", "女儿"),
        ("wǒmen", "我们"),
    ],
)
def test_tone_marks(typed, meant):
    """Tone marks, in either Unicode form, change nothing but that the word is no English one."""
    assert read(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vip tuikuan", "vip 退款"),
        ("VIP kehu zenme tuikuan", "vip 客户怎么退款"),
        ("tuikuan vip", "退款 vip"),
        ("zenme tuikuan, VIP?", "怎么退款, vip?"),
        ("kehu vip tuikuan", "客户 vip 退款"),
        ("xyzzy zenme tuikuan", "xyzzy 怎么退款"),
        ("b7 zenme tuikuan", "b7 怎么退款"),
    ],
)
def test_words_that_are_no_sound(typed, meant):
    """A few words that are the sound of nothing stay as they are, and the others are read."""
    assert read(typed) == meant


@pytest.mark.parametrize("is_here", [lambda _: False, lambda _: True], ids=["none", "every"])
@pytest.mark.parametrize("typed", ["women", "Women?", "china", "fans", "weixin", "7 women"])
def test_one_english_word(typed, is_here):
    """One word that is English too is never read, whatever the knowledge base holds."""
    assert read_as_chinese(fold(typed), Dictionary.open(), is_here) is None


@pytest.mark.parametrize(
    ("typed", "english", "cost", "meant"),
    [
        ("aa bb", "", 8.9, "甲乙"),
        ("aa bb", "", 9, None),
        ("aa bb", "aa", 5.4, "甲乙"),
        ("aa bb", "aa", 5.5, None),
        ("aa bb", "bb", 5.5, None),
        ("aa bb", "aa bb", 5.4, "甲乙"),
        ("aa bb", "aa bb", 5.5, None),
        ("aa bbb", "aa", 8.9, "甲丙"),
        ("aa bbb", "bbb", 5.5, None),
    ],
)
def test_half_in_english(typed, english, cost, meant):
    """Where half of the letters are in words that are English too, only a cheap reading counts."""
    sounds = {"aa": ("aa", "甲", cost), "bb": ("bb", "乙", cost), "bbb": ("bbb", "丙", cost)}
    dictionary = FewWords({sound: [word] for sound, word in sounds.items()}, english.split())
    assert read_as_chinese(typed, dictionary, lambda _: False) == meant


@pytest.mark.parametrize(
    ("cost", "meant"), [(17.9, "甲乙"), (18, None), (22.9, None)], ids=["cheap", "dear", "dearer"]
)
def test_the_dearest_reading(cost, meant):
    """A reading is accepted up to a cost for each character."""
    dictionary = FewWords({"aaaa": [("aa'aa", "甲乙", cost)]})
    assert read_as_chinese("aaaa", dictionary, lambda _: False) == meant


@pytest.mark.parametrize("cost", [18, 22.9])
def test_a_dear_word_of_the_knowledge_base(cost):
    """A word that the knowledge base holds is cheaper, and may be read where others are not."""
    dictionary = FewWords({"aaaa": [("aa'aa", "甲乙", cost)]})
    assert read_as_chinese("aaaa", dictionary, frozenset({"甲乙"}).__contains__) == "甲乙"


def test_a_rare_word_of_the_knowledge_base():
    """A word whose frequency is not known is read only where the knowledge base holds it."""
    assert read("hai'ou") is None
    assert read("hai'ou", frozenset({"海鸥"})) == "海鸥"
    assert read("fahuo, hai'ou") == "发货, 海鸥"


@pytest.mark.parametrize("typed", ["lüyou", "lvyou", "LÜYOU", "lu\u0308you"])
def test_two_ways_to_write_one_vowel(typed):
    """An ü may be typed as v, in either Unicode form."""
    assert read(typed) == "旅游"


@pytest.mark.parametrize(
    "typed", ["xyzzy", "qpzm", "tuikuanq", "qtuikuan", "tuikuan, xyzzy", "bcdfg hjklm", "vvvv"]
)
def test_impossible_letters(typed):
    """Where many letters are the sound of nothing, no part is read."""
    assert read(typed) is None


def is_sound(letters: str) -> bool:
    """Whether letters are sounds one after another."""
    words_of = Dictionary.open().words_of
    return not letters or any(
        words_of(letters[:end]) and is_sound(letters[end:]) for end in range(1, len(letters) + 1)
    )


def test_questions_in_pinyin():
    """Every question in pinyin that the evaluation tunes with is read."""
    texts = questions("seed/queries", in_pinyin=True)
    assert len(texts) >= 10
    assert [text for text in texts if read(text) is None] == []


@given(text=st.text("abehinuxz' üǎ7?款", max_size=12))
@settings(max_examples=200, deadline=None)
def test_what_is_read_keeps_the_rest(text):
    """A reading keeps the words that are no sound, the numbers and the marks, in their order."""
    found = read(text)
    if found is not None:
        every = re.findall("[a-zü-ǜǎ]+", text)
        plain = [word.replace("ü", "v").replace("ǎ", "a") for word in every]
        kept = [word for word, letters in zip(every, plain, strict=True) if not is_sound(letters)]
        assert re.findall("[a-zü-ǜǎ]+", found) == kept
        assert [c for c in found if c in "7?款"] == [c for c in text if c in "7?款"]


class FewWords:
    """A dictionary of made-up sounds."""

    def __init__(
        self, sounds: dict[str, list[tuple[str, str, float]]], english: Sequence[str] = ()
    ) -> None:
        self.sounds = sounds
        self.english = english
        self.asked = 0

    def words_of(self, sound: str) -> list[tuple[str, str, float]]:
        """Return the words of a sound with their syllables and costs."""
        self.asked += 1
        return self.sounds.get(sound, [])

    def holds(self, word: str) -> bool:
        """Whether a word is English."""
        return word in self.english


entries = st.tuples(
    st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=2).map("'".join),
    st.text("甲乙丙吗", min_size=1, max_size=2),
    st.integers(0, 15),
)


@given(
    entries=st.lists(entries, max_size=8),
    typed=st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3),
    here=st.frozensets(st.text("甲乙丙吗", min_size=2, max_size=2), max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_the_cheapest_reading(entries, typed, here):
    """Of all sequences of words with these sounds, one that costs least is read, with its cost.

    A word of the knowledge base, a particle at the end, and two neighbouring words whose
    characters stand so in the knowledge base each save the same. Syllables end where a typed word
    does; a word of the dictionary that goes beyond a typed one, and not to the end of another one,
    costs more.
    """
    letters = "".join(typed)
    typed_ends = {0, *accumulate(map(len, typed))}
    sounds: dict[str, list[tuple[str, str, float]]] = {}
    for entry in entries:
        sounds.setdefault(entry[0].replace("'", ""), []).append(entry)
    cost_of: dict[str, float] = {}
    for cuts in product([False, True], repeat=len(letters) - 1):
        ends = [0, *(n for n, cut in enumerate(cuts, start=1) if cut), len(letters)]
        pieces = [*pairwise(ends)]
        for sequence in product(*(sounds.get(letters[s:e], []) for s, e in pieces)):
            syllable_ends = {0}
            beyond = 0
            for (start, end), (syllables, _, _) in zip(pieces, sequence, strict=True):
                syllable_ends |= {start + n for n in accumulate(map(len, syllables.split("'")))}
                goes_over = any(start < place < end for place in typed_ends)
                beyond += goes_over and (start not in typed_ends or end not in typed_ends)
            if not typed_ends <= syllable_ends:
                continue
            said = [word for _, word, _ in sequence]
            likely = sum((len(w) > 1 and w in here) for w in said[:-1])
            likely += said[-1] in _FINAL or (len(said[-1]) > 1 and said[-1] in here)
            likely += sum(a[-1] + b[0] in here for a, b in pairwise(said))
            cost = sum(cost for *_, cost in sequence) + _ASTRIDE * beyond - _KNOWN_HERE * likely
            text = "".join(said)
            cost_of[text] = min(cost, cost_of.get(text, cost))
    found = _decoded(typed, FewWords(sounds), here.__contains__)
    assert (found is None) == (not cost_of)
    if found is not None:
        cost, text = found
        assert cost == cost_of[text] == min(cost_of.values())


@pytest.mark.parametrize("space", ["", " ", "'"])
@pytest.mark.parametrize("syllable", ["ā", "zhuāng", "yī"])
def test_the_longest_query(syllable, space):
    """The longest query is read in bounded time, whatever it repeats."""
    count = MAX_QUERY_CHARS // len(syllable + space)
    text = (syllable + space) * count
    start = time.perf_counter()
    chinese = read_as_chinese(text.strip(" '"), Dictionary.open(), lambda _: True)
    assert time.perf_counter() - start < 5
    assert chinese
    assert len(chinese) == count


@pytest.mark.parametrize("piece", ["q", "zh", "a ", "a q ", "tuikuanq "])
def test_the_longest_query_that_is_no_pinyin(piece):
    """The longest query is found to be no pinyin in bounded time."""
    start = time.perf_counter()
    assert read(piece * (MAX_QUERY_CHARS // len(piece))) is None
    assert time.perf_counter() - start < 5


def test_look_ups_are_bounded():
    """For each letter the dictionary is asked at most for the letters of the longest sounds.

    Once of a syllable, for whether the word is a sound, and once of a word.
    """
    dictionary = FewWords({"a": [("a", "甲", 1.0)]})
    text = "a" * MAX_QUERY_CHARS
    assert read_as_chinese(text, dictionary, lambda _: True) == "甲" * MAX_QUERY_CHARS
    assert dictionary.asked <= (_LONGEST_SYLLABLE + _LONGEST_SOUND) * MAX_QUERY_CHARS


CHINESE = Document("shop.txt", "一、怎麼退款?\n七天內可以退款。\n二、誰付運費?\n賣家付運費。\n")


@pytest.mark.parametrize(
    ("typed", "meant"), [("zenme tuikuan", "怎么退款"), ("maijia fu yunfei ma", "卖家付运费吗")]
)
def test_search_in_pinyin(tmp_path, typed, meant):
    """A query in pinyin finds what it finds in characters."""
    with build(tmp_path / "kb", CHINESE) as knowledge_base:
        assert knowledge_base.search(typed) == knowledge_base.search(meant)
        (encoded,) = knowledge_base._retriever.encode([typed])
        assert (encoded.text, encoded.from_pinyin, encoded.language) == (meant, True, "zh")


def test_no_pinyin_where_nothing_is_chinese(tmp_path):
    """A knowledge base in English reads no pinyin."""
    encoder = LetterEncoder()
    with build(tmp_path / "kb", RETURNS, encoder=encoder) as knowledge_base:
        knowledge_base.search("zenme tuikuan")
    assert encoder.encoded[-1] == "zenme tuikuan"
