"""The address of the page and the links made of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_qa.labels import LANGUAGES
from policy_qa.page import VIEWS, Address

TEXT = st.lists(
    st.sampled_from(["&", "=", "#", "+", "%", "%26", ";", "?", "\n", "\r\n", " ", "🙂", "買", "<"])
    | st.text(max_size=5),
    max_size=6,
).map("".join)
ADDRESSES = st.builds(
    Address,
    view=st.sampled_from(VIEWS),
    query=TEXT.map(str.strip),
    entry=TEXT,
    why=st.booleans(),
    language=st.none() | st.sampled_from(sorted(LANGUAGES)),
    find=TEXT.map(str.strip),
    check=st.booleans(),
)


@given(ADDRESSES)
def test_an_address_reads_as_it_was_written(address: Address) -> None:
    """Both the parameters and the link of an address, whatever its texts, lead back to it."""
    assert Address.read(address.parameters()) == address
    assert Address.read_link(address.link()) == address


@given(address=ADDRESSES, query=TEXT.map(str.strip), entry=TEXT, why=st.booleans())
def test_a_link_changes_only_what_it_is_told_to(
    address: Address, query: str, entry: str, *, why: bool
) -> None:
    """A link of a view keeps the rest of it; one to another view keeps the language alone."""
    changes = {"query": query, "entry": entry, "why": why}
    assert Address.read_link(address.link(**changes)) == replace(address, **changes)
    other = Address(query=query, entry=entry, why=why, language=address.language)
    assert Address.read_link(address.home(**changes)) == other


@given(ADDRESSES)
def test_a_link_has_no_character_that_ends_it(address: Address) -> None:
    """A link is relative, in ASCII, and without what ends an attribute or begins a fragment."""
    link = address.link()
    assert link.startswith("?")
    assert link.isascii()
    assert not set(link) & set("\"'<># \r\n")


@given(st.dictionaries(st.sampled_from(["view", "lang", "why", "check", "x"]), TEXT))
def test_what_an_address_says_wrong_is_left_out(parameters: dict[str, str]) -> None:
    """A view, language or choice that there is not is as if nothing had been said."""
    known = {"view": VIEWS, "lang": LANGUAGES, "why": ("1",), "check": ("1",)}
    right = {name: value for name, value in parameters.items() if value in known.get(name, ())}
    assert Address.read(parameters) == Address.read(right)


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("", Address()),
        ("?", Address()),
        ("?view=ask", Address()),
        ("?view=test&lang=zh-Hans", Address("test", language="zh-Hans")),
        ("?view=Test&lang=zh-CN&why=yes&check=true", Address()),
        ("?q=+may+I%3F%20&entry=a%23+1", Address(query="may I?", entry="a# 1")),
        ("?q=%FF", Address(query="\ufffd")),
        ("?q=%zz&&=&q", Address(query="%zz")),
        ("?q=a&q=b", Address(query="b")),
    ],
)
def test_links_of_others_are_read_as_well(link: str, address: Address) -> None:
    """A link that was typed or cut reads as far as it makes sense."""
    assert Address.read_link(link) == address


def test_half_a_character_does_not_break_a_link() -> None:
    """A lone surrogate, which no address can hold, is replaced."""
    assert Address(query="a\ud800b").link() == "?q=a%3Fb"


def test_what_is_as_usual_is_left_out() -> None:
    """The parameters of a page name only what was chosen."""
    assert Address().parameters() == {}
    assert Address(query="a", why=True).parameters() == {"q": "a", "why": "1"}
    full = Address("corpus", "a", "b#1", why=True, language="en", find="c", check=True)
    assert full.parameters() == {
        "view": "corpus", "q": "a", "entry": "b#1", "why": "1",
        "find": "c", "check": "1", "lang": "en",
    }  # fmt: skip
