"""What the dictionary knows, and how it comes to the user's cache."""

import errno
import gzip
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from policy_qa import dictionary as module
from policy_qa.dictionary import Dictionary, english_words
from policy_qa.errors import StorageError

REFUND = ("退款", "tui4 kuan3", "to refund/refund")
POSTAGE = ("邮费", "you2 fei4", "postage; postage fee")
TRAVEL = ("旅游", "lu:3 you2", "to travel/tourism/CL:次[ci4]")
PAID = [("good", "to", "be", "paid", "for")]
APPLE = [("apple", "a", "day")]
SEVERAL = (
    "# CC-CEDICT\n"
    "退款 退款 [tui4 kuan3] /to refund/refund/\n"
    "賣家 卖家 [mai4 jia1] /seller/\n"
    "3C 3C [san1 C] /computers, communications, and consumer electronics/\n"
    "卡拉OK 卡拉OK [ka3 la1 O K] /karaoke/\n"
    "no entry\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return where the dictionary of three entries stands once it is made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "_entries", lambda: iter([REFUND, POSTAGE, TRAVEL]))
    monkeypatch.setattr(module, "_costs", lambda: {"退款": 3.5})
    return tmp_path / "policy-qa"


def fails(error: BaseException):
    """Return a function that raises this error."""

    def failing(*_: object) -> None:
        raise error

    return failing


def refusal() -> str:
    """Return the one line that says why the dictionary cannot be opened."""
    with pytest.raises(StorageError) as caught:
        Dictionary.open()
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("english", "chinese"),
    [("refund", "退款"), ("seller", "卖家"), ("invoice", "发票"), ("blood type", "血型")],
)
def test_pairs_hold_both_ways(english, chinese):
    """A Chinese word and its English gloss lead to each other with the same weight."""
    dictionary = Dictionary.open()
    assert dictionary.others(english)[chinese] == dictionary.others(chinese)[english] > 0.8
    assert dictionary.holds(english)
    assert dictionary.holds(chinese)


@pytest.mark.parametrize("word", ["", "tuikuanq", "tui'kuan", "退款款", "退費", "' OR 1=1 --"])
def test_unknown_words(word):
    """A word that is in no entry has no other name and no sound; words are looked up folded."""
    dictionary = Dictionary.open()
    assert dictionary.others(word) == {}
    assert not dictionary.holds(word)
    assert dictionary.words_of(word) == []


@pytest.mark.parametrize(
    ("sound", "syllables", "word"),
    [
        ("tuikuan", "tui'kuan", "退款"),
        ("lvyou", "lv'you", "旅游"),
        ("xian", "xi'an", "西安"),
        ("xian", "xian", "先"),
        ("ma", "ma", "吗"),
    ],
)
def test_sounds(sound, syllables, word):
    """A sound without spaces and tones leads to its words and their syllables; ü is a v."""
    found = Dictionary.open().words_of(sound)
    assert [parts for parts, other, _ in found if other == word] == [syllables]


def test_syllables_make_up_the_sound():
    """All syllables of a word together are its sound."""
    dictionary = Dictionary.open()
    query = "SELECT count(*) FROM pinyin WHERE replace(syllables, '''', '') != sound"
    assert dictionary._connection.execute(query).fetchall() == [(0,)]


def test_weights_are_shares_and_costs_are_positive():
    """No pair weighs more than 1; no word costs nothing, or more than a rare one of its length."""
    dictionary = Dictionary.open()
    for query, low, high in (
        ("SELECT min(weight), max(weight) FROM pairs", 0, 1),
        ("SELECT min(cost), max(cost - 3 * (length(word) - 1)) FROM pinyin", 0, 16),
    ):
        ((least, most),) = dictionary._connection.execute(query).fetchall()
        assert low < least
        assert most <= high


def test_weights_by_hand(folder):
    """A gloss weighs 1 / (1 + .15 place); a longer word of it .7 of that, shared among its words.

    "fee" is too short to stand for its gloss; "postage" is a gloss itself, which weighs more.
    """
    dictionary = Dictionary.open()
    assert dictionary.others("refund") == {"退款": 1}
    assert dictionary.others("退款") == {"refund": 1}
    assert dictionary.others("postage") == {"邮费": 1}
    assert dictionary.others("邮费") == pytest.approx({"postage": 1, "postage fee": 1 / 1.15})
    assert dictionary.others("tourism") == pytest.approx({"旅游": 1 / 1.15})
    assert dictionary.others("fee") == {}


def test_longer_words_of_a_gloss(folder, monkeypatch):
    """A word of a gloss of two or three words leads to the entry, one of a longer gloss does not.

    The way back is by the whole gloss alone.
    """
    entries = [("甲乙", "jia3 yi3", "parcel station"), ("丙", "bing3", "big slow parcel van")]
    monkeypatch.setattr(module, "_entries", lambda: iter(entries))
    dictionary = Dictionary.open()
    assert dictionary.others("parcel") == pytest.approx({"甲乙": 0.35})
    assert dictionary.others("甲乙") == {"parcel station": 1}


def test_costs_by_hand(folder):
    """A word costs what the model's vocabulary says, else as a rare one of its length."""
    dictionary = Dictionary.open()
    assert dictionary.words_of("tuikuan") == [("tui'kuan", "退款", 3.5)]
    assert dictionary.words_of("lvyou") == [("lv'you", "旅游", 19)]


def test_two_readings_of_one_sound(folder, monkeypatch):
    """Words of one sound differ in their syllables; a word of one character costs least."""
    entries = [REFUND, ("西安", "Xi1 an1", "Xi'an"), ("先", "xian1", "first")]
    monkeypatch.setattr(module, "_entries", lambda: iter(entries))
    found = Dictionary.open().words_of("xian")
    assert sorted(found) == [("xi'an", "西安", 19), ("xian", "先", 16)]


@pytest.mark.parametrize(
    ("glosses", "expected"),
    [
        ("to refund/refund", [("refund",), ("refund",)]),
        ("postage; shipping fee, freight", [("postage",), ("shipping", "fee"), ("freight",)]),
        ("(coll.) to be fond of/[Taiwan] the parcel", [("fond", "of"), ("parcel",)]),
        ("Sellers/the buyer's/an apple", [("seller",), ("buyer",), ("apple",)]),
        ("CL:個|个[ge4]/abbr. for 退款/variant of 退/old variant of 款/see 退貨", []),
        ("also pr. [tui2]/used in 退避/erhua variant of 退/also written 推/fee", [("fee",)]),
        ("one two three four five six", [("one", "two", "three", "four", "five", "six")]),
        ("one two three four five six seven", []),
        ("(grammatical particle)", []),
        ("7-Eleven", [("7", "eleven")]),
        ("to return to the seller", [("return", "to", "the", "seller")]),
        ("goods to be paid for/all the way", [*PAID, ("all", "the", "way")]),
        ("an apple a day; to give sb a refund", [*APPLE, ("give", "sb", "a", "refund")]),
        ("thermal/toast/to-do", [("thermal",), ("toast",), ("to", "do")]),
        ("surname Qian/money", [("money",)]),
        ("", []),
    ],
)
def test_glosses(glosses, expected):
    """Glosses lose what introduces them, asides, notes on the word, and the longest ones.

    An article or "to" further in stays.
    """
    assert list(module._glosses(glosses)) == expected


def test_english_words():
    """English words are in the singular, in their order; other scripts are none."""
    assert english_words("two refunds, 退款 don't 7 policies") == [
        *("two", "refund", "don't", "7", "policy")
    ]


def test_entries(tmp_path, monkeypatch):
    """Comments, broken lines and words with other letters are no entries; words are folded."""
    (tmp_path / "data").mkdir()
    packed = gzip.compress(SEVERAL.encode())
    (tmp_path / module._FILE).write_bytes(packed)
    monkeypatch.setattr(module, "files", lambda _: tmp_path)
    monkeypatch.setattr(module, "_FILE_SHA256", hashlib.sha256(packed).hexdigest())
    assert list(module._entries()) == [REFUND, ("卖家", "mai4 jia1", "seller")]


def test_another_file(tmp_path, monkeypatch):
    """A dictionary of the package that is not the tested one is refused, with what to install."""
    (tmp_path / "data").mkdir()
    (tmp_path / module._FILE).write_bytes(gzip.compress(SEVERAL.encode()))
    monkeypatch.setattr(module, "files", lambda _: tmp_path)
    with pytest.raises(StorageError, match=r"is not the dictionary that was tested\. Install"):
        list(module._entries())


def test_made_once(folder, monkeypatch):
    """The dictionary is made on first use; later it is only opened, once in a process."""
    first = Dictionary.open()
    (file,) = folder.iterdir()
    written = file.stat().st_mtime_ns
    monkeypatch.setattr(module, "_make", fails(AssertionError("made again")))
    assert Dictionary.open() is first
    assert [*folder.iterdir()] == [file]
    assert file.stat().st_mtime_ns == written


def cached(folder: Path) -> Path:
    """Return where the dictionary of this version stands, in a folder that is there."""
    folder.mkdir()
    return folder / f"dictionary-{module._recipe()}.sqlite"


def table(file: Path, statements: str) -> None:
    """Write a database that these statements make."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(statements)


def cut(file: Path) -> None:
    """Write the first half of a dictionary."""
    module._make(file)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    "damage",
    [
        Path.touch,
        lambda file: file.write_bytes(b"no database " * 1000),
        cut,
        lambda file: table(file, module._SCHEMA),
        lambda file: table(file, "CREATE TABLE pairs (word); INSERT INTO pairs VALUES ('refund')"),
        lambda file: table(
            file,
            module._SCHEMA + "INSERT INTO pairs VALUES ('refund', '退款', 1);",
        ),
    ],
    ids=["empty", "no database", "half", "no words", "other tables", "no sounds"],
)
def test_a_damaged_dictionary_is_made_again(folder, damage):
    """A dictionary in the cache that knows no refund, or is none, is replaced by a good one."""
    file = cached(folder)
    damage(file)
    damaged = file.read_bytes()
    dictionary = Dictionary.open()
    assert dictionary.others("refund") == {"退款": 1}
    assert dictionary.words_of("tuikuan") == [("tui'kuan", "退款", 3.5)]
    assert [*folder.iterdir()] == [file]
    assert file.read_bytes() != damaged
    assert Dictionary(file).others("refund") == {"退款": 1}


def test_a_good_dictionary_is_not_made_again(folder, monkeypatch):
    """What an earlier process made is used as it is."""
    file = cached(folder)
    module._make(file)
    monkeypatch.setattr(module, "_make", fails(AssertionError("made again")))
    assert Dictionary.open().others("refund") == {"退款": 1}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("_VERSION", 99),
        ("metadata.version", lambda _: "99"),
        ("opencc.__version__", "99"),
        ("unicodedata.unidata_version", "99"),
        ("find_spec", lambda _: None),
    ],
)
def test_what_decides_makes_another(folder, monkeypatch, place, value):
    """Another program, word list, script table or vocabulary has a file of its own."""
    first = Dictionary.open()
    monkeypatch.setattr(f"policy_qa.dictionary.{place}", value)
    assert Dictionary.open() is not first
    assert len([*folder.iterdir()]) == 2


def test_a_damaged_dictionary_without_room_for_another(folder, monkeypatch):
    """Where a damaged dictionary cannot be replaced, the message says why; later it can."""
    file = cached(folder)
    file.write_bytes(b"no database")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_pairs", fails(OSError(errno.ENOSPC, "No space left on device")))
        assert "No space left on device" in refusal()
    assert [*folder.iterdir()] == [file]
    assert Dictionary.open().others("refund") == {"退款": 1}


@pytest.mark.parametrize("step", ["_entries", "_pairs", "_sounds"])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
    ],
    ids=["system", "sqlite"],
)
def test_a_making_that_fails_leaves_nothing(folder, monkeypatch, step, error):
    """Where there is no room, no file is left, the message says so, and a later making works."""
    with monkeypatch.context() as patch:
        patch.setattr(module, step, fails(error))
        message = refusal()
    assert str(error) in message
    assert "XDG_CACHE_HOME" in message
    assert list(folder.iterdir()) == []
    assert Dictionary.open().others("refund") == {"退款": 1}


def test_no_room_for_the_last_step(folder, monkeypatch):
    """A dictionary that cannot be put into place leaves nothing."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fails(OSError(errno.EDQUOT, "Disk quota exceeded")))
        assert "Disk quota exceeded" in refusal()
    assert list(folder.iterdir()) == []


def test_an_interrupted_making_leaves_nothing(folder, monkeypatch):
    """Ctrl-C while the dictionary is made stops it as ever, and leaves nothing."""
    monkeypatch.setattr(module, "_sounds", fails(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        Dictionary.open()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch, below):
    """Where no folder can be made, the message names the file and the way out."""
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / below
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    message = refusal()
    assert message.startswith(f"Cannot make the dictionary {place / 'policy-qa'}")
    assert message.endswith("Make room, or set XDG_CACHE_HOME to a folder that can be written.")


def test_made_by_several_at_the_same_time(folder, monkeypatch):
    """Makers at the same time do not disturb each other, and leave one file."""
    together = Barrier(4, timeout=30)

    def entries():
        together.wait()
        return iter([REFUND])

    monkeypatch.setattr(module, "_entries", entries)
    with ThreadPoolExecutor(4) as threads:
        opened = [made.result() for made in [threads.submit(Dictionary.open) for _ in range(4)]]
    assert [one.others("refund") for one in opened] == [{"退款": 1}] * 4
    assert len(list(folder.iterdir())) == 1
    for one in set(opened):
        one._connection.close()


def test_eight_threads():
    """Eight threads that look words up at once find what one finds."""
    dictionary = Dictionary.open()
    words = ["refund", "退款", "seller", "卖家", "good", "好"] * 20
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(dictionary.others, words))
    assert found == [dictionary.others(word) for word in words]
