"""What a document says of itself: its tags, and from when until when it holds."""

from datetime import date
from pathlib import Path

import pytest

from policy_qa.errors import CorpusError
from policy_qa.front_matter import FrontMatter, read_front_matter

FILE = Path("corpus/returns.md")


def read(text: str) -> FrontMatter:
    """Return the front matter of a text."""
    return read_front_matter(text, FILE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Text.",
        "---\n---\n",
        "effective_from: 2025-01-01\nexpires: 2025-12-31\n",
        "\n---\nexpires: 2025-12-31\n---\n",
        "--\nexpires: 2025-12-31\n--\n",
        "---\nexpires: 2025-12-31\n",
        "---\ntitle: X\n---\nexpires: 2025-12-31\n",
        "---\n# expires: 2025-12-31\nnot_expires: 2025-12-31\n---\n",
    ],
)
def test_nothing_said(text):
    """Without front matter, or where it names no day, a document always holds and has no tags."""
    assert read(text) == FrontMatter((), None, None)


@pytest.mark.parametrize(
    "line",
    [
        "expires: 2025-12-31",
        "expires:2025-12-31",
        "expires :\t2025-12-31  ",
        'expires: "2025-12-31"',
        "expires: '2025-12-31'",
        "expires: 2025-12-31 # the last day",
        '"2025" : 1\nexpires: "2025-12-31" # the last day',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_day(line, end):
    """A day is read with and without quotes, blanks and a comment."""
    text = f"---\n{line}\n---\nText.".replace("\n", end)

    assert read(text) == FrontMatter((), None, date(2025, 12, 31))


@pytest.mark.parametrize("line", ["expires:", "expires: ", 'expires: ""', "expires: # never"])
def test_no_day_given(line):
    """A name without a day says nothing."""
    assert read(f"---\n{line}\neffective_from: 2025-01-01\n---\n") == FrontMatter(
        (), date(2025, 1, 1), None
    )


def test_all_at_once():
    """Tags and days stand in any order, among other names."""
    expected = FrontMatter(("退款", "refund"), date(2025, 1, 1), date(2025, 12, 31))
    one = "---\ntags: [退款, refund]\neffective_from: 2025-01-01\nexpires: 2025-12-31\n---\nText."
    other = (
        "---\ntitle: X\nexpires: 2025-12-31\ntags:\n  - 退款\n  - refund\n"
        "effective_from: 2025-01-01\n---\n"
    )

    assert read(one) == read(other) == expected


@pytest.mark.parametrize(
    ("lines", "tags"),
    [
        ("tags: [refund, 退款]", ("refund", "退款")),
        ("tags: refund, 退款", ("refund", "退款")),
        ("tags: refund，退款", ("refund", "退款")),
        ("tags: ['refund', \"退款\"]", ("refund", "退款")),
        ("tags:\n- refund\n- 退款", ("refund", "退款")),
        ("tags:\n  - refund\n  - 退款\nexpires: 2025-12-31", ("refund", "退款")),
        ("tags: []", ()),
        ("tags:", ()),
    ],
)
def test_tags(lines, tags):
    """Tags are read in each way of writing a list."""
    assert read(f"---\n{lines}\n---\n").tags == tags


@pytest.mark.parametrize("name", ["effective_from", "expires"])
@pytest.mark.parametrize(
    "day", ["31.12.2025", "2025/12/31", "2025-02-30", "2025-13-01", "2025", "soon", "2025年1月1日"]
)
def test_no_such_day(name, day):
    """What is no day is refused; the message names the file, the line and how to write it."""
    with pytest.raises(CorpusError) as caught:
        read(f"---\ntitle: X\r\ntags: [a]\n{name}: {day}\n---\nText.")

    assert str(caught.value) == (
        f"{FILE}, line 4: {name} is {day!r}, which is no day. Write it as 2025-12-31."
    )


def test_first_line_is_the_second():
    """Lines count from the top of the file, its dashes included."""
    with pytest.raises(CorpusError, match=r"^corpus/returns\.md, line 2: expires is 'never'"):
        read("---\nexpires: never\n---\n")


def test_expires_before_it_is_effective():
    """A document that never holds is refused; one that holds for a single day is not."""
    with pytest.raises(CorpusError) as caught:
        read("---\neffective_from: 2025-12-31\nexpires: 2025-01-01\n---\n")
    assert str(caught.value) == (
        f"{FILE} expires (2025-01-01) before it is effective (2025-12-31). Mend either."
    )

    one_day = read("---\neffective_from: 2025-01-01\nexpires: 2025-01-01\n---\n")
    assert one_day.effective_from == one_day.expires == date(2025, 1, 1)


def test_lone_surrogates():
    """A day with a character that cannot be encoded is no day, like any other."""
    with pytest.raises(CorpusError, match="which is no day"):
        read("---\nexpires: 2025-12-3\ud800\n---\n")
