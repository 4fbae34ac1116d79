"""Every pattern finds what its examples say, and everything in the file is written folded."""

import re
import time
import tomllib
from collections import Counter
from importlib.resources import files

import pytest

from policy_qa.agreement import stored_claims
from policy_qa.disagreements import disagreement
from policy_qa.facts import is_noise, read_sentence
from policy_qa.folding import fold
from policy_qa.patterns import any_of, patterns
from policy_qa.types import FIELDS

RAW = tomllib.loads((files("policy_qa") / "patterns.toml").read_text(encoding="utf-8"))
WORD_LISTS = (
    "parties", "words", "durations", "currencies", "bounds", "polarity", "dates",
)  # fmt: skip
RULES = ("clauses", "sentences", "questions", "roles")
HAN = re.compile(r"[\u3400-\u9fff]")


def split(example: str) -> tuple[str, str, int]:
    """Return an example without its marks, what they enclose, and where that begins."""
    match = re.fullmatch(r"([^⟦⟧]*)⟦([^⟦⟧]+)⟧([^⟦⟧]*)", example)
    assert match, f"write ⟦ ⟧ once, around what the pattern finds: {example}"
    return "".join(match.groups()), match[2], len(match[1])


def examples(kind: str):
    """Return every example of a kind of rule with its rule, to be tried one by one."""
    return [
        pytest.param(rule, example, id=f"{kind}-{number}-{example[:16]}")
        for number, rule in enumerate(getattr(patterns(), kind))
        for example in rule.examples
    ]


@pytest.mark.parametrize(("rule", "example"), examples("clauses"))
def test_clauses(rule, example):
    """A clause pattern puts exactly what is marked on the rule card, in the original's words."""
    text, marked, start = split(example)
    found = [
        (fact.span.start, text[fact.span.start : fact.span.end])
        for fact in read_sentence(text).facts
        if fact.field == rule.field
    ]

    assert (start, marked) in found


@pytest.mark.parametrize(("rule", "example"), examples("clauses"))
def test_clauses_by_themselves(rule, example):
    """The pattern itself finds what is marked, and not some other one of the same field."""
    text, marked, _ = split(example)
    pieces = [fold(text)] if rule.over_sentences else re.split(r"[,;:。!?()]", fold(text))
    found = [match[0] for piece in pieces for match in rule.pattern.finditer(piece)]

    assert fold(marked) in [match.strip(" ,;:。.!?") for match in found]


@pytest.mark.parametrize(
    ("rule", "example"),
    [*examples("sentences"), *examples("questions"), *examples("roles")],
)
def test_other_patterns(rule, example):
    """A pattern of sentences, questions or roles finds exactly what is marked, once folded."""
    text, marked, start = split(example)
    place = len(fold(text[:start]))
    found = [(match.start(), match[0]) for match in rule.pattern.finditer(fold(text))]

    assert (place, fold(marked)) in found


@pytest.mark.parametrize("kind", RULES)
def test_every_rule_has_an_example(kind):
    """Each rule of the file is read, and has an example."""
    rules = getattr(patterns(), kind)

    assert len(rules) == len(RAW[kind]) > 0
    assert all(rule.examples for rule in rules)


def test_every_field_has_a_pattern():
    """Fields other than amounts have clause patterns; none is of a field that does not exist."""
    assert {rule.field for rule in patterns().clauses} == set(FIELDS) - {"amounts"}


@pytest.mark.parametrize("table", WORD_LISTS)
def test_words_are_folded(table):
    """A word that is not folded would never be found: 賣家, Seller, ％."""
    words = [word for listed in RAW[table].values() for word in listed]

    assert words
    assert [word for word in words if fold(word) != word or not word.strip()] == []


@pytest.mark.parametrize(
    "pattern", [pytest.param(rule["pattern"], id=f"{k}-{n}") for k in RULES
                for n, rule in enumerate(RAW[k])]
)  # fmt: skip
def test_patterns_are_folded(pattern):
    """Chinese of a pattern is Simplified, its Latin lower case and its punctuation plain."""
    assert [character for character in HAN.findall(pattern) if fold(character) != character] == []
    assert re.findall(r"(?<!\\)[A-Z](?![<>])", re.sub(r"\(\?P<\w+>", "", pattern)) == []
    assert re.findall(r"[，；：！？（）　０-９％]", pattern) == []


def test_placeholders_are_filled_in():
    """Each {name} of a pattern is a list of words that exists."""
    rules = [rule for kind in RULES for rule in getattr(patterns(), kind)]

    assert [
        rule.pattern.pattern for rule in rules if re.search(r"\{[a-z]", rule.pattern.pattern)
    ] == []


def test_a_word_is_of_one_party():
    """No word stands for two parties: the second would silently win."""
    counts = Counter(word for words in RAW["parties"].values() for word in words)

    assert [word for word, times in counts.items() if times > 1] == []


@pytest.mark.parametrize("table", ["durations", "currencies"])
def test_a_word_is_of_one_unit(table):
    """No word stands for two units."""
    counts = Counter(word for words in RAW[table].values() for word in set(words))

    assert [word for word, times in counts.items() if times > 1] == []


def test_questions_name_what_exists():
    """What a question wants or shuns is a field or a trait that a sentence may have."""
    traits = {rule.trait for rule in patterns().sentences} | {"date"} | set(FIELDS)

    for rule in patterns().questions:
        assert rule.wants <= traits, rule.type
        assert rule.shuns <= traits, rule.type
        assert rule.wants or rule.shuns, f"{rule.type} changes nothing"


@pytest.mark.parametrize(
    ("ours", "theirs", "clash"),
    [
        ("You cannot return opened items.", "Opened items are non-returnable.", False),
        ("Opened items are not returnable.", "Opened items are non-returnable.", False),
        ("Opened items can be returned.", "Opened items are non-returnable.", True),
        ("The deposit is refundable.", "The deposit is non-refundable.", True),
        ("Non-food items can be returned.", "Non-food items may be returned.", False),
        ("No fewer than three days' notice.", "At least three days' notice.", False),
        ("罚款5至10万元", "罚款五万元至十万元", False),
    ],
)
def test_denials(ours, theirs, clash):
    """What is non-returnable cannot be returned; non-food denies nothing."""
    assert (disagreement(ours, theirs) is not None) == clash


def test_bounds_are_those_that_are_read():
    """The lists of bounds are those that quantities look at; another name would do nothing."""
    assert set(RAW["bounds"]) == {
        "at_most_before", "at_most_after", "at_least_before", "at_least_after",
        "around_before", "around_after",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the shop", ["shop"]),
        ("the shops", ["shops"]),
        ("the shop's", ["shop's"]),
        ("workshop", []),
        ("shopper", []),
        ("买家", ["买家"]),
        ("c店铺", ["c店", "铺"]),
        ("淘宝网店", ["淘宝网", "店"]),
        ("a.b", ["a.b"]),
        ("axb", []),
    ],
)
def test_any_of(text, found):
    """The longest word is found first, Latin ones as whole words with their plural or genitive."""
    words = ["店", "铺", "c店", "淘宝", "淘宝网", "shop", "买家", "a.b"]

    assert [match[0] for match in re.finditer(any_of(words), text)] == found


ALTERNATIVES = {
    *(word for table in WORD_LISTS for listed in RAW[table].values() for word in listed),
    *(
        word
        for kind in RULES
        for rule in RAW[kind]
        for word in re.findall(
            r"[\u3400-\u9fff]+|[a-z][a-z' ]*", rule["pattern"].replace(r"\b", " ")
        )
    ),
}
SIGNS = [*"~.,;:。!?()=/%*&|-_ 1a不的者对由", "~ ", ". ", "| ", "a ", "1 ", "1,", "1.", "的,"]
TWISTED = [
    *((word * 160)[:159] + "x" for word in sorted(ALTERNATIVES)),
    *((sign * 160)[:159] + end for sign in SIGNS for end in "x退5"),
    *("~" * 159 + "x", ". " * 80 + "5", "|   |" * 30, "您好," * 40 + "退", "hi, " * 40 + "x"),
    *("不会" * 79 + "x", "采纳" * 80 + "退", "请采纳" * 53 + "x", "由买家" * 53 + "x"),
    *(
        "对买家" * 53 + "x",
        "如果," * 40 + "x",
        "the buyer " * 16 + "x",
        "第三" * 80,
        "iphone 1" * 20,
    ),
]
LONGEST_TIME = 30
"""Seconds. All take about three; a pattern that tries every way to divide a text takes years."""


def test_nothing_hangs():
    """No pattern takes long over repeats of what it looks for that in the end do not fit."""
    rules = [rule.pattern for kind in RULES for rule in getattr(patterns(), kind)]
    start = time.monotonic()
    for text in TWISTED:
        for pattern in rules:
            for _ in pattern.finditer(text):
                pass
        is_noise(text)
        read_sentence(text)
        stored_claims(text)
        disagreement(text, "退")
        assert time.monotonic() - start < LONGEST_TIME, text


def test_read_once():
    """The file is read and compiled once."""
    assert patterns() is patterns()
