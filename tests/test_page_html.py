"""The words and the HTML of the search page."""

import html
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import date
from html.parser import HTMLParser
from typing import Any, get_args

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import labels, lint, page
from policy_qa.changes import Changes, DocumentChanges, EntryName
from policy_qa.evaluation.hit_tests import Change, HitTest, Tried
from policy_qa.gaps import Gap
from policy_qa.inspection import Inspection, MatchedTerm, Part, PartName, Signal, SignalName
from policy_qa.keeping import Expiring
from policy_qa.lint import Finding, FindingKind
from policy_qa.output import answer_chat, escape_markdown, percent
from policy_qa.page import Address, markup, source, testing
from policy_qa.reading import language_of
from policy_qa.storage import Action, Event
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Answer,
    Caution,
    CautionKind,
    Citation,
    Document,
    Entry,
    Fact,
    Hit,
    Language,
    Match,
    Passage,
    Place,
    PlaceKind,
    RuleCard,
    Span,
    Status,
)

HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) $x$ </mark>\"'&amp;"
TEXT = (
    "1. May I return shoes?\nYes, within 7 days.\n\nNo box is needed.\n2. Who pays?\nThe buyer.\n"
)
DOCUMENT = Document("shop/returns.txt", TEXT)
EN = page.PAGE_LABELS["en"]
KINDS: tuple[CautionKind, ...] = get_args(CautionKind)
DAY = date(2011, 12, 31)
TRADITIONAL, SIMPLIFIED = "運費由買家承擔", "运费由买家承担"


def span(quote: str) -> Span:
    """Return where a quote stands in the text."""
    start = TEXT.index(quote)
    return Span(start, start + len(quote))


FIRST = Entry(
    "shop/returns#1",
    DOCUMENT.id,
    Span(0, TEXT.index("2.")),
    span("May I return shoes?"),
    span("Yes, within 7 days.\n\nNo box is needed."),
    ("Orders", "Returns"),
)
QUOTE = Citation(DOCUMENT.id, FIRST.id, span("Yes, within 7 days."), 2, "Yes, within 7 days.")
HIT = Hit(
    1,
    FIRST,
    "May I return shoes?",
    Passage("shop/returns#1:1", FIRST.id, DOCUMENT.id, span("No box is needed."), "No box…"),
    0.9,
    {},
)


def answer(status: Status, *quotes: Citation, question: str = "May I return shoes?") -> Answer:
    """Return an answer of the first entry, which is not named where it does not answer."""
    if status == "not_covered":
        return Answer("shoes?", status, 0.876, None, "", (), (HIT,), (HIT,))
    return Answer("shoes?", status, 0.876, FIRST, question, quotes, (), ())


def cited(quote: str, line: int = 7, document: str = "shop/rules.txt") -> Citation:
    """Return a citation of any words."""
    return Citation(document, "shop/rules#1", Span(0, len(quote)), line, quote)


def card(**quotes: tuple[str, ...]) -> RuleCard:
    """Return a rule card with these quotes; the other fields are there and empty."""
    return {field: tuple(Fact(cited(one)) for one in quotes.get(field, ())) for field in FIELDS}


def caution(kind: CautionKind, *quotes: str, words: str = "words") -> Caution:
    """Return a caution with what one of its kind holds; the quotes stand in lines 1, 2 and on."""
    citations = tuple(cited(quote, line) for line, quote in enumerate(quotes, start=1))
    if kind == "asked_party":
        return Caution(kind, citations, words, f"other {words}")
    if kind == "asked_polarity":
        return Caution(kind, citations, found=words)
    return Caution(kind, citations, day=DAY if kind in {"dated", "expired", "not_yet"} else None)


def text_of(fragment: str) -> str:
    """Return what a reader sees of an HTML fragment."""
    return html.unescape(re.sub(r"<[^>]*>", "", fragment.replace("<br>", "\n")))


def tags(fragment: str) -> set[str]:
    """Return the names of the tags an HTML fragment opens."""
    return set(re.findall(r"<(\w+)", fragment))


def rows(fragment: str) -> list[tuple[str, list[str]]]:
    """Return the rows of every rule card in an HTML fragment: the label and its values."""
    found = re.findall(r"<div><dt>(.*?)</dt>(.*?)</div>", fragment)
    return [
        (text_of(label), [text_of(value) for value in re.findall(r"<dd[^>]*>(.*?)</dd>", values)])
        for label, values in found
    ]


class Skeleton(HTMLParser):
    """The markup of an HTML fragment as a browser reads it, and its text; line breaks are text."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.markup: list[tuple[str, object]] = []
        self.text = ""
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element with its attributes."""
        if tag == "br" and not attrs:
            self.text += "\n"
        else:
            self.markup.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        """Note an element's end."""
        self.markup.append((tag, "end"))

    def handle_data(self, data: str) -> None:
        """Gather text."""
        self.text += data

    def note(self, data: str) -> None:
        """Note a comment, a declaration or a processing instruction."""
        self.markup.append(("other", data))

    handle_comment = handle_decl = handle_pi = unknown_decl = note

    def values(self, name: str) -> list[str]:
        """Return the values of an attribute, in order."""
        attributes = [attrs for _, attrs in self.markup if isinstance(attrs, list)]
        return [value for attrs in attributes for key, value in attrs if key == name]

    def markup_with(self, words: str) -> list[tuple[str, object]]:
        """Return the markup with another word for these where an attribute holds them.

        Without what is copied, which is another form of the answer, and the language of words.
        """
        found: list[tuple[str, object]] = []
        for tag, attrs in self.markup:
            found.append((tag, "end" if attrs == "end" else len(attrs)))
            for name, value in () if attrs == "end" else attrs:
                told = Address.read_link(value).parameters() if name == "href" else {"": value}
                if name not in {"data-pq-copy", "lang"}:
                    found += [
                        (name, (key, (one or "").replace(words, "…"))) for key, one in told.items()
                    ]
        return found


def links(fragment: str) -> list[Address]:
    """Return what each link of an HTML fragment asks for."""
    return [Address.read_link(value) for value in Skeleton(fragment).values("href")]


def buttons(fragment: str) -> list[tuple[str, str]]:
    """Return what each button of an HTML fragment does, with its value."""
    shown = Skeleton(fragment)
    return list(zip(shown.values("data-pq-do"), shown.values("data-pq-value"), strict=True))


def lines_of(fragment: str) -> list[tuple[int, str]]:
    """Return the numbers and texts of the source lines in an HTML fragment."""
    found = re.findall(r'<p class="pq-line" data-line="(\d+)">(.*?)</p>', fragment)
    return [(int(number), text_of(line)) for number, line in found]


def every_label(of: page.PageLabels | labels.Labels) -> dict[str, str]:
    """Return every label of a language by its name, those of mappings one by one."""
    found: dict[str, str] = {}
    for field in fields(of):
        label = getattr(of, field.name)
        if isinstance(label, labels.Labels):
            found |= every_label(label)
        else:
            each = label if isinstance(label, Mapping) else {"": label}
            found |= {f"{field.name} {key}".strip(): text for key, text in each.items()}
    return found


ENGLISH = every_label(EN)


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_every_label_is_written_in_every_language(language: Language) -> None:
    """No language lacks a label, and each fills in the same places as the English one."""
    written = every_label(page.PAGE_LABELS[language])
    assert written.keys() == ENGLISH.keys()
    for name, label in written.items():
        assert label.strip() == label != ""
        assert sorted(re.findall(r"{\w*}", label)) == sorted(re.findall(r"{\w*}", ENGLISH[name]))


def test_everything_that_is_named_has_a_label() -> None:
    """Fields, cautions, views, findings and the parts of a score: each is named, and no other."""
    assert EN.answer.fields.keys() == set(FIELDS)
    assert EN.answer.cautions.keys() == {*KINDS, "found_polarity"}
    assert EN.views.keys() == set(page.VIEWS)
    assert EN.answer.findings.keys() == set(lint.KINDS)
    assert EN.parts.keys() == set(get_args(PartName))
    assert EN.signals.keys() == set(get_args(SignalName))


@pytest.mark.parametrize(
    ("language", "conversion"), [("zh-Hant", "s2t"), ("zh-Hans", "t2s"), ("en", None)]
)
def test_every_label_is_in_its_own_script(language: Language, conversion: str | None) -> None:
    """No label has a character of the other Chinese script, and an English one has none at all."""
    for label in every_label(page.PAGE_LABELS[language]).values():
        if conversion is None:
            assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", label)
        else:
            assert opencc.OpenCC(conversion).convert(label) == label


@pytest.mark.parametrize(
    ("asked", "locale", "language"),
    [
        ("en", "zh-TW", "en"),
        ("zh-Hans", None, "zh-Hans"),
        ("klingon", "zh-TW", "zh-Hant"),
        (None, "zh-CN", "zh-Hans"),
        (None, "zh-Hans-HK", "zh-Hans"),
        (None, "zh-HK", "zh-Hant"),
        (None, "de", "en"),
        (None, None, "zh-Hant"),
    ],
)
def test_language_is_asked_for_or_follows_the_browser(
    asked: str | None, locale: str | None, language: Language
) -> None:
    """The address decides the language, and the browser's locale where the address is silent."""
    assert labels.choose_language(asked, locale) == language


def test_escaped_text_reads_as_it_was_written() -> None:
    """Escaping keeps every character and makes no tag."""
    assert text_of(page.escape(HOSTILE)) == HOSTILE
    assert not tags(page.escape(HOSTILE))


def test_escaped_markdown_has_no_bare_punctuation() -> None:
    """Every mark that Markdown reads is escaped in a label, and the label stays on one line."""
    assert escape_markdown("**a**\n$x$ :smile:") == r"\*\*a\*\* \$x\$ \:smile\:"


@pytest.mark.parametrize(
    ("confidence", "shown"), [(0.0, 0), (0.29, 29), (0.876, 87), (0.999, 99), (1.0, 100)]
)
def test_percent_is_rounded_down(confidence: float, shown: int) -> None:
    """A confidence below 1 never reads as 100 percent."""
    assert percent(confidence) == shown


def test_source_shows_the_whole_entry_under_the_documents_line_numbers() -> None:
    """Every line that is not empty stands there whole, with its number in the document."""
    shown = page.source_lines(TEXT, FIRST.span)
    assert re.findall(r'data-line="(\d+)"', shown) == ["1", "2", "4"]
    assert text_of(shown) == "1. May I return shoes?Yes, within 7 days.No box is needed."
    second = page.source_lines(TEXT, span("2. Who pays?"))
    assert re.findall(r'data-line="(\d+)"', second) == ["5"]


def test_quotes_are_marked_in_their_place() -> None:
    """Only the quoted characters are marked, across line breaks and where quotes overlap."""
    quotes = [span("within 7"), span("7 days.\n\nNo")]
    shown = page.source_lines(TEXT, FIRST.span, quotes)
    assert "Yes, <mark>within 7 days.</mark></p>" in shown
    assert "<mark>No</mark> box is needed.</p>" in shown


def test_question_is_bold_in_its_place() -> None:
    """The entry's own question is set apart from its marker and its answer."""
    shown = page.source_lines(TEXT, FIRST.span, (), FIRST.question)
    assert "1. <strong>May I return shoes?</strong></p>" in shown
    assert shown.count("<strong>") == 1


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_carriage_returns_do_not_reach_the_page(newline: str) -> None:
    """A document with other line ends shows the same lines under the same numbers."""
    text = TEXT.replace("\n", newline)
    whole = Span(0, len(text))
    assert page.source_lines(text, whole) == page.source_lines(TEXT, Span(0, len(TEXT)))
    entry = Entry("shop/returns#2", DOCUMENT.id, Span(text.index("2."), len(text)), whole, whole)
    shown = page.source_card(Document(DOCUMENT.id, text), entry, (), EN)
    assert text_of(shown).startswith("Sourceshop/returns.txt, lines 5–6")
    assert [number for number, _ in lines_of(shown)] == [1, 2, 4, 5, 6]
    assert page.escape(f"a{newline}b") == "a<br>b"


def test_answer_begins_with_its_quotes_and_their_places() -> None:
    """The quotes come before the matched question, each with its document and line."""
    shown = page.answer_card(answer("answered", QUOTE), EN, "en")
    assert text_of(shown) == (
        "Answeredconfidence 87%Yes, within 7 days.shop/returns.txt, line 2"
        "Matched entryMay I return shoes?"
    )


def test_statuses_look_different() -> None:
    """Each status has its own words and its own class."""
    statuses: tuple[Status, ...] = ("answered", "related", "not_covered")
    cards = [page.answer_card(answer(status), EN, "en") for status in statuses]
    assert len({text_of(card) for card in cards}) == len(statuses)
    for status, card in zip(statuses, cards, strict=True):
        assert f'class="pq-card pq-{status}"' in card


def test_not_covered_claims_no_matched_entry() -> None:
    """What does not answer is not presented as the matched entry."""
    shown = page.answer_card(answer("not_covered"), EN, "en")
    assert "May I return" not in shown
    assert EN.matched not in text_of(shown)


def test_source_card_names_the_document_its_lines_and_headings() -> None:
    """The source tells where it stands: document, lines and the headings above it."""
    shown = page.source_card(DOCUMENT, FIRST, [QUOTE.span], EN)
    assert text_of(shown).startswith("Sourceshop/returns.txt, lines 1–4OrdersReturns1. May")
    assert "<mark>Yes, within 7 days.</mark>" in shown


def paged(kind: PlaceKind, sheet: str = "") -> Document:
    """Return the document with its first entry in place 3, the line of the box and on in 4."""
    starts = (0, TEXT.index("No box"))
    places = tuple((at, Place(kind, n, sheet)) for n, at in enumerate(starts, start=3))
    return replace(DOCUMENT, places=places)


@pytest.mark.parametrize(
    ("document", "where", "beside"),
    [
        (paged("page"), "pages 3–4", ["p. 3", "", "p. 4"]),
        (paged("row", "Fees"), "Fees rows 3–4", ["3", "", "4"]),
        (DOCUMENT, "lines 1–4", ["1", "2", "4"]),
    ],
)
def test_source_tells_pages_and_rows_where_its_file_has_them(
    document: Document, where: str, beside: list[str]
) -> None:
    """Above an entry and beside its lines stands what a reader of the file would look for."""
    shown = page.source_card(document, FIRST, [], EN)
    entry = re.sub(r'<div class="pq-near">.*?</div>', "", shown)
    assert f">{DOCUMENT.id}, {where}<" in shown
    assert re.findall(r'data-line="([^"]*)"', entry) == beside


def test_entry_within_one_page_or_row_names_it() -> None:
    """A list of entries tells the page or the row, not a range of lines."""
    second = replace(HIT, entry=replace(FIRST, span=span("2. Who pays?")))
    for document, where in ((paged("page"), "page 4"), (paged("row", "Fees"), "Fees row 4")):
        shown = page.other_entries([(second, document)], "", Address(), EN)
        assert f"{DOCUMENT.id}, {where}<" in shown


def test_an_entry_is_shown_in_its_place() -> None:
    """What stands around an entry is dimmed, outside of its marks, under its own line numbers."""
    second = Entry(
        "shop/returns#2", DOCUMENT.id, span("2. Who pays?"), span("Who pays?"), Span(0, 0)
    )
    shown = page.source_card(DOCUMENT, second, [Span(0, len(TEXT))], EN)
    before, after = re.findall(r'<div class="pq-near">(.*?)</div>', shown)
    assert lines_of(before) == [
        (1, "1. May I return shoes?"), (2, "Yes, within 7 days."), (4, "No box is needed.")
    ]  # fmt: skip
    assert lines_of(after) == [(6, "The buyer.")]
    assert "<mark>" not in before + after
    assert lines_of(shown.replace(before, "").replace(after, "")) == [(5, "2. Who pays?")]


@given(
    texts=st.lists(st.text("ab <", max_size=90), min_size=1, max_size=12),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    data=st.data(),
)
def test_neighbours_are_whole_lines(texts: list[str], newline: str, data: st.DataObject) -> None:
    """Around an entry stand as many whole lines as have room in the characters meant for them."""
    text = newline.join(texts)
    starts = [sum(len(one) + len(newline) for one in texts[:n]) for n in range(len(texts))]
    first = data.draw(st.integers(0, len(texts) - 1))
    last = data.draw(st.integers(first, len(texts) - 1))
    entry = Span(starts[first], starts[last] + len(texts[last]))
    near = [n for n in range(first) if entry.start - starts[n] <= source.NEIGHBOURS]
    near += [
        n
        for n in range(last + 1, len(texts))
        if starts[n] + len(texts[n]) - entry.end <= source.NEIGHBOURS
    ]
    shown = page.source_card(
        Document("a.txt", text), Entry("a#1", "a.txt", entry, Span(0, 0), entry), (), EN
    )
    blocks = "".join(re.findall(r'<div class="pq-near">(.*?)</div>', shown))
    assert lines_of(blocks) == [(n + 1, texts[n]) for n in near if texts[n].strip()]


def test_a_piece_of_a_line_is_no_neighbour() -> None:
    """The rest of a line that an entry begins or ends in is not shown beside it."""
    document = Document("a.txt", "one\nbefore entry after\ntwo")
    inside = Span(document.text.index("entry"), document.text.index(" after"))
    shown = page.source_card(document, Entry("a#1", "a.txt", inside, inside, inside), (), EN)
    assert lines_of(shown) == [(1, "one"), (2, "entry"), (3, "two")]


LONG = "".join(f"line {n}\n" for n in range(1, 5_001))


@pytest.mark.parametrize("quoted", [1, 2, 1_500, 2_500, 4_999, 5_000])
def test_a_long_entry_is_cut_around_its_first_quote(quoted: int) -> None:
    """A piece of bounded length is shown, with the quote, its line numbers and a word about it."""
    whole = Span(0, len(LONG))
    start = LONG.index(f"line {quoted}\n")
    quotes = [Span(start, start + len(f"line {quoted}")), Span(0, 4)]
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    shown = page.source_card(Document("a.txt", LONG), entry, quotes, EN)
    assert f'data-line="{quoted}"><mark>line {quoted}</mark></p>' in shown
    assert EN.cut in text_of(shown)
    assert "a.txt, lines 1–5000" in text_of(shown)
    inner = lines_of(re.sub(r'<div class="pq-near">.*?</div>', "", shown))
    assert all(text == f"line {number}" for number, text in inner[1:-1])
    length = sum(len(text) + 1 for _, text in inner)
    assert source.LONGEST_SHOWN - 10 < length <= source.LONGEST_SHOWN + 1


@pytest.mark.parametrize(("more", "cut"), [(0, False), (1, True)])
def test_only_a_longer_entry_is_cut(more: int, *, cut: bool) -> None:
    """An entry of the longest length is shown whole, and one without a quote from its beginning."""
    text = "a\n" + "b" * (source.LONGEST_SHOWN - 2 + more)
    whole = Span(0, len(text))
    entry = Entry("a#1", "a.txt", whole, Span(0, 0), whole)
    shown = page.source_card(Document("a.txt", text), entry, (), EN)
    assert (EN.cut in shown) == cut
    assert lines_of(shown) == [(1, "a"), (2, "b" * (source.LONGEST_SHOWN - 2))]


class Marked(HTMLParser):
    """Every character of source lines, with its line and whether it is marked and bold."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.characters: list[tuple[int, str, bool, bool]] = []
        self.line = 0
        self.within: list[str] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter a line, a mark or bold type."""
        assert tag in {"p", "mark", "strong"}
        self.within.append(tag)
        if tag == "p":
            self.line = int(dict(attrs)["data-line"] or "")

    def handle_endtag(self, tag: str) -> None:
        """Leave what was entered last."""
        assert self.within.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather characters."""
        flags = "mark" in self.within, "strong" in self.within
        self.characters += [(self.line, character, *flags) for character in data]


def spans(length: int) -> st.SearchStrategy[Span]:
    """Return the spans of a text of so many characters, empty ones among them."""
    ends = st.tuples(st.integers(0, length), st.integers(0, length))
    return ends.map(lambda both: Span(min(both), max(both)))


@given(text=st.text("ab <&\r\n買", max_size=30), data=st.data())
def test_every_character_is_marked_by_its_own_place(text: str, data: st.DataObject) -> None:
    """Whatever spans overlap, what is in a quote is marked, in the question bold, in its line."""
    inside = spans(len(text))
    shown, question = data.draw(inside), data.draw(inside)
    quotes = data.draw(st.lists(inside, max_size=4))
    expected, start = [], 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        start = re.compile(r"\r\n|\r|\n").match(text, start).end() if number > 1 else 0
        places = range(max(start, shown.start), min(start + len(line), shown.end))
        if "".join(text[place] for place in places).strip():
            for place in places:
                marked = any(quote.start <= place < quote.end for quote in quotes)
                bold = question.start <= place < question.end
                expected.append((number, text[place], marked, bold))
        start += len(line)
    assert Marked(page.source_lines(text, shown, quotes, question)).characters == expected


def test_other_entries_are_links_to_their_sources() -> None:
    """Another entry is its question and place; what else the address says is kept."""
    second = replace(HIT, entry=replace(FIRST, id="a#2"), question="")
    address = Address(query="shoes & co?", language="en", entry="a#2")
    shown = page.other_entries([(HIT, DOCUMENT), (second, DOCUMENT)], "Other entries", address, EN)
    assert text_of(shown) == (
        "Other entries"
        "May I return shoes?shop/returns.txt, lines 1–4"
        "No box…shop/returns.txt, lines 1–4"
    )
    assert links(shown) == [replace(address, entry=FIRST.id), address]
    assert re.findall(r'aria-current="(\w+)"', shown) == ["page"]
    assert shown.index("aria-current") > shown.index("May I return")


def test_an_entry_without_words_is_still_a_link() -> None:
    """Where neither question nor passage says anything, the label does."""
    silent = replace(HIT, question="", passage=replace(HIT.passage, text=""))
    shown = page.other_entries([(silent, DOCUMENT)], "", Address(), EN)
    assert f"<bdi>{EN.answer.untitled}</bdi>" in shown


def test_an_opened_entry_leads_back() -> None:
    """Above an entry that was opened stands the way back, without what was asked about it."""
    address = Address(query="shoes?", entry="a#2", why=True, language="en")
    shown = page.opened_note(address, EN)
    assert text_of(shown) == "You opened another entry. Back to the matched entry"
    assert links(shown) == [Address(query="shoes?", language="en")]


def test_an_opened_entry_shows_its_points() -> None:
    """An entry that nobody asked for is its question, or the label for none, and its points."""
    shown = page.entry_card("May I?", card(amounts=("30%",)), EN)
    assert text_of(shown) == "Matched entryMay I?Amounts30%"
    assert text_of(page.entry_card("", None, EN)) == "Matched entry(no heading)"


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_rule_card_has_a_row_for_each_field_in_its_language(language: Language) -> None:
    """Fields stand in their order under the language's labels, each with the source's words."""
    facts = {field: (f"{field} 沒有 1", f"{field} 沒有 2") for field in FIELDS}
    told = replace(answer("answered", QUOTE), fields=card(**facts))
    names = page.PAGE_LABELS[language].answer.fields
    expected = [(names[field], list(facts[field])) for field in FIELDS]
    assert rows(page.answer_card(told, page.PAGE_LABELS[language], language)) == expected
    assert len(set(names.values())) == len(FIELDS)


def test_rule_card_leaves_out_what_the_source_does_not_say() -> None:
    """A field without a value has no row, and a card without any is not there at all."""
    silent = page.answer_card(replace(answer("answered", QUOTE), fields=card()), EN, "en")
    assert "pq-facts" not in silent
    told = replace(answer("answered", QUOTE), fields=card(deadlines=("7 < 8 & <b>",)))
    shown = page.answer_card(told, EN, "en")
    assert rows(shown) == [("Deadlines", ["7 < 8 & <b>"])]
    assert '<dd lang="en">7 &lt; 8 &amp; &lt;b&gt;</dd>' in shown


@pytest.mark.parametrize(
    ("whole", "folded"),
    [
        (None, []),
        (card(), []),
        (card(amounts=("30%",)), []),
        (card(amounts=("30%",), effects=("void",)), [("Amounts", ["30%"]), ("Effects", ["void"])]),
        (card(amounts=("40%",)), [("Amounts", ["40%"])]),
        (card(deadlines=("30%",)), [("Deadlines", ["30%"])]),
    ],
)
def test_whole_card_is_folded_where_it_says_more(
    whole: RuleCard | None, folded: list[tuple[str, list[str]]]
) -> None:
    """All points of the entry stand folded below those of the answer, only if there are others."""
    asked = replace(answer("answered", QUOTE), fields=card(amounts=("30%",)))
    shown = page.answer_card(asked, EN, "en", whole)
    opening = '<details class="pq-whole"><summary>All points of this entry</summary>'
    assert shown.count("<details") == shown.count(opening) == bool(folded)
    before, _, after = shown.partition(opening)
    assert rows(before) == [("Amounts", ["30%"])]
    assert rows(after) == folded


@pytest.mark.parametrize(
    ("length", "readable"), [(0, True), (9_999, True), (10_000, True), (10_001, False)]
)
@pytest.mark.parametrize("start", [0, 70_000])
def test_only_short_entries_are_shown_point_by_point(
    start: int, length: int, *, readable: bool
) -> None:
    """All points of an entry of more than 10,000 characters would be too many to read."""
    whole = Span(start, start + length)
    assert page.is_readable(Entry("a#1", "a.txt", whole, whole, whole)) is readable


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_every_caution_is_told_in_every_language(language: Language, kind: CautionKind) -> None:
    """A caution of any kind is one note with no placeholder left, its words there and escaped."""
    told = caution(kind, "7 days", "9 days", words=HOSTILE)
    warned = replace(answer("answered", QUOTE), cautions=(told,))
    shown = page.answer_card(warned, page.PAGE_LABELS[language], language)
    (note,) = (text_of(one) for one in re.findall(r'<p role="note">(.*?)</p>', shown))
    assert not re.search(r"[{}]|None", note)
    assert note.count(HOSTILE) == {"asked_party": 2, "asked_polarity": 1}.get(kind, 0)
    assert (f"other {HOSTILE}" in note) == (kind == "asked_party")
    assert (DAY.isoformat() in note) == (told.day is not None)
    assert "img" not in tags(shown)


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_cautions_of_different_kinds_read_differently(language: Language) -> None:
    """No two kinds of caution are told in the same words."""
    told = [
        labels.caution_text(caution(kind, "a"), page.PAGE_LABELS[language].answer) for kind in KINDS
    ]
    assert len(set(told)) == len(KINDS)


@pytest.mark.parametrize(
    ("asked", "found", "told"),
    [
        ("cannot park", "", "You say “cannot park”; the source permits it"),
        ("", "cannot park", "The source says “cannot park”, the opposite of what you asked"),
    ],
)
def test_denied_words_are_named_on_whichever_side_they_stand(
    asked: str, found: str, told: str
) -> None:
    """A difference of yes and no names what is denied, by the query or by the source."""
    of_source = (cited("You can park here."),)
    assert (
        labels.caution_text(Caution("asked_polarity", of_source, asked, found), EN.answer) == told
    )


@pytest.mark.parametrize("kind", KINDS)
def test_contradiction_shows_both_quotes_side_by_side(kind: CautionKind) -> None:
    """Only a contradiction quotes, the answer's words first, each with its own place."""
    warned = replace(answer("answered"), cautions=(caution(kind, "7 days", "9 days"),))
    shown = page.answer_card(warned, EN, "en")
    figures = [
        text_of(figure)
        for sides in re.findall(r'<div class="pq-sides">(.*?)</div>', shown)
        for figure in re.findall(r"<figure.*?</figure>", sides)
    ]
    both = ["7 daysshop/rules.txt, line 1", "9 daysshop/rules.txt, line 2"]
    assert figures == (both if kind in CONTRADICTIONS else [])
    assert shown.count("pq-sides") == (kind in CONTRADICTIONS)
    quoting = {*CONTRADICTIONS, "dated", "expired", "not_yet"}
    assert shown.count("7 days") == (kind in quoting)


def test_other_places_of_the_same_words_are_named() -> None:
    """Where others say the same stands in one line after the quotes, and not if nobody does."""
    twins = (cited("Same.", 3), cited("Same.", 9, "a<b>.txt"))
    shown = page.answer_card(replace(answer("answered", QUOTE), also=twins), EN, "en")
    line = "The same is said in: shop/rules.txt, line 3; a&lt;b&gt;.txt, line 9"
    assert f'line 2</figcaption></figure><p class="pq-place">{line}</p>' in shown
    assert EN.answer.also not in page.answer_card(answer("answered", QUOTE), EN, "en")


@pytest.mark.parametrize(
    ("quote", "language", "read"),
    [
        (TRADITIONAL, "zh-Hans", SIMPLIFIED),
        (SIMPLIFIED, "zh-Hant", TRADITIONAL),
        (TRADITIONAL, "zh-Hant", ""),
        (SIMPLIFIED, "zh-Hans", ""),
        (TRADITIONAL, "en", ""),
        (SIMPLIFIED, "en", ""),
        ("Within 7 days.", "zh-Hans", ""),
        ("Within 7 days.", "zh-Hant", ""),
    ],
)
def test_quotes_are_read_in_the_other_script_only(
    quote: str, language: Language, read: str
) -> None:
    """A quote in the script that the page is not in has a labelled reading, and stays as it is."""
    told = replace(
        answer("answered", cited(quote)),
        cautions=(Caution("bearer", (cited(quote), cited(quote))),),
        fields=card(bearers=(quote,)),
    )
    shown = page.answer_card(told, page.PAGE_LABELS[language], language)
    spoken = language_of(quote)
    assert shown.count(f'<blockquote lang="{spoken}">{quote}</blockquote>') == 3
    assert f'<dd lang="{spoken}">{quote}</dd>' in shown
    readings = re.findall(r'<p class="pq-reading" lang="([\w-]+)">(.*?)</p>', shown)
    label = page.PAGE_LABELS[language].answer.reading
    expected = [(language, f"{label}{read}")] * 3 if read else []
    assert [(named, text_of(text)) for named, text in readings] == expected
    assert shown.count("pq-reading") == len(expected)


def hostile_card(words: str, language: Language) -> str:
    """Return an answer card that shows these words in every place the corpus or a query fills."""
    quote = cited(words, document=words)
    every: RuleCard = {field: (Fact(quote),) for field in FIELDS}
    told = replace(
        answer("related", quote, question=words),
        read_as=words,
        also=(quote,),
        fields={"effects": (Fact(quote),)},
        cautions=tuple(Caution(kind, (quote, quote), words, words, DAY) for kind in KINDS),
    )
    return page.answer_card(told, page.PAGE_LABELS[language], language, every)


BREAKING = (HOSTILE, "<script>", "</dd>", "<!--", "-->", "<![CDATA[", "<?x", "&lt;", "{}", "\r\n")
PIECES = st.sampled_from(BREAKING) | st.text("<>&\"'`=/!?-;#{} \n\rab買家", max_size=8)
WORDS = st.lists(PIECES, max_size=5).map(lambda pieces: f"沒{''.join(pieces)[:98]}買")
PLAIN = "沒買"


@settings(max_examples=150, deadline=None)
@given(words=WORDS, language=st.sampled_from(sorted(labels.LANGUAGES)))
def test_no_words_change_the_markup_of_an_answer(words: str, language: Language) -> None:
    """Whatever a quote, fact, caution, name or question says, it is text between the same tags."""
    shown, plain = (Skeleton(hostile_card(one, language)) for one in (words, PLAIN))
    assert shown.markup == plain.markup
    written = re.sub(r"\r\n|\r", "\n", words)
    assert shown.text.count(written) == plain.text.count(PLAIN)


def test_an_answer_is_copied_as_the_chat_form() -> None:
    """The copy button holds that form of the answer, in the reader's script, line by line."""
    told = replace(
        answer("related", cited(f"{TRADITIONAL}\r\n\"a\" & 'b' <c>")),
        cautions=(caution("bearer", "我", "你"),),
    )
    shown = page.actions(told, EN, "zh-Hans", Address(), number=None)
    copied = Skeleton(shown).values("data-pq-copy")
    assert copied == [answer_chat(told, EN.answer, read_in="zh-Hans")]
    assert SIMPLIFIED in copied[0]
    assert Skeleton(shown).values("data-pq-done") == ["Copied"]


@pytest.mark.parametrize("why", [False, True])
def test_why_is_a_link_that_opens_and_closes(*, why: bool) -> None:
    """The link changes only whether it is told why the entry was found."""
    address = Address(query="shoes?", entry="a#2", why=why, language="en")
    shown = page.actions(answer("answered", QUOTE), EN, "en", address, number=None)
    assert links(shown) == [replace(address, why=not why)]
    assert text_of(shown) == "Copy with source" + ("Hide" if why else "Why this entry")


@pytest.mark.parametrize(
    ("status", "number", "said", "rated"),
    [
        ("answered", None, "Copy with sourceWhy this entry", []),
        ("related", None, "Copy with sourceWhy this entry", []),
        ("not_covered", None, "", []),
        ("answered", 7, "Copy with sourceWhy this entryUsefulNot useful", ["7 1", "7 0"]),
        ("related", 7, "Copy with sourceWhy this entryUsefulNot useful", ["7 1", "7 0"]),
        ("not_covered", 7, "Report: this should be covered", ["7 0"]),
    ],
)
def test_an_answer_is_rated_only_where_that_is_logged(
    status: Status, number: int | None, said: str, rated: list[str]
) -> None:
    """An answer is useful or not; what is not covered is reported, and has nothing to copy."""
    shown = page.actions(answer(status, QUOTE), EN, "en", Address(), number=number)
    assert text_of(shown) == said
    assert buttons(shown) == [("rate", value) for value in rated]


@pytest.mark.parametrize(
    ("covered", "said"), [(True, "Noted, thank you."), (False, "Reported, thank you.")]
)
def test_a_rating_is_thanked_for(said: str, *, covered: bool) -> None:
    """A rating and a report are each acknowledged aloud."""
    shown = page.thanks(EN, covered=covered)
    assert text_of(shown) == said
    assert 'role="status"' in shown


PARTS: tuple[PartName, ...] = get_args(PartName)
FOUND = Inspection(
    entry_id="shop/rules#1",
    read_as="",
    passage=cited("No box is needed.\n", 4),
    in_question=False,
    terms=(MatchedTerm("shoes", (), 0.5), MatchedTerm("return", (), 0.25)),
    missing=("free",),
    rules=(Match("sneakers", "shoes", "lexicon.txt:3"),),
    rank=1,
    score=0.625,
    ahead=0.125,
    behind=0.0,
    parts=(Part("meaning", 0.5, 0.75, 0.375), Part("words", 0, 0.25, 0), Part("twins", 1, 1, 0.25)),
    signals=(
        Signal("lift", 0.25, 1.5),
        Signal("share", math.log(0.5), -1.0),
        Signal("translated", 0.0, 0.0),
    ),
    intercept=-1.25,
    slope=1.0,
    shift=0.0,
    confidence=0.876,
    status="answered",
    answered_from=2 / 3,
    related_from=0.5,
)


def cells(fragment: str) -> list[list[str]]:
    """Return the cells of every row of the tables of a fragment but their heads."""
    found = re.findall(r"<tr>(<td.*?)</tr>", fragment)
    return [[text_of(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)] for row in found]


def test_why_an_entry_was_found_is_told_in_words_first() -> None:
    """Its place, its sentence and the words come before the first table of numbers."""
    words, _, tables = page.inspection(FOUND, EN).partition("<table")
    assert text_of(words) == (
        "First, 0.125 ahead of the next."
        "The sentence nearest to the questionNo box is needed.shop/rules.txt, line 4"
        "Words of the question that the entry hasshoesreturn"
        "“sneakers” is also called “shoes” (lexicon.txt:3)"
        "Not mentioned in the entryfree"
        "What its rank was made of"
    )
    assert tables.count("<table") == 1
    assert f">{EN.why_confidence}</h3><table" in tables


@pytest.mark.parametrize(
    ("changed", "said", "unsaid"),
    [
        ({"rank": 3, "behind": 0.0625}, "Rank 3, 0.062 below the first.", "First, "),
        ({"in_question": True}, EN.why_question, EN.why_sentence),
        ({"terms": ()}, "also called", EN.why_terms),
        ({"terms": ()}, "also called", EN.why_no_terms),
        ({"terms": (), "rules": ()}, EN.why_no_terms, EN.why_terms),
        ({}, EN.why_terms, EN.why_no_terms),
        ({"missing": ()}, EN.why_terms, EN.why_missing),
    ],
)
def test_only_what_holds_is_told(changed: dict[str, Any], said: str, unsaid: str) -> None:
    """Each sentence of why an entry was found stands there only where it is true."""
    shown = text_of(page.inspection(replace(FOUND, **changed), EN))
    assert said in shown
    assert unsaid not in shown


@given(st.lists(st.floats(-1, 1), min_size=len(PARTS), max_size=len(PARTS)))
def test_the_parts_of_a_score_sum_to_it(contributions: list[float]) -> None:
    """Each part that adds something has its row, and what the rows add is the score below them."""
    parts = [Part(name, 0.5, 0.25, n) for name, n in zip(PARTS, contributions, strict=True)]
    found = replace(FOUND, parts=tuple(parts), signals=(), score=math.fsum(contributions))
    *shown, total = cells(page.inspection(found, EN))[: 1 + len([n for n in contributions if n])]
    assert [row[:3] for row in shown] == [
        [EN.parts[part.name], "0.50", "0.25"] for part in parts if part.contribution
    ]
    assert total[:3] == ["", "", ""]
    added = math.fsum(number(row[3]) for row in shown)
    assert added == pytest.approx(number(total[3]), abs=0.0005 * (len(shown) + 1) + 1e-9)


def number(shown: str) -> float:
    """Return a number that is shown with a true minus sign."""
    return float(shown.replace("−", "-"))


def test_the_parts_of_confidence_are_told() -> None:
    """The start, every signal, a correction and the percent, with the bounds of the statuses."""
    shown = page.inspection(replace(FOUND, slope=0.5, shift=-0.25), EN)
    start = [EN.starting, "", "−1.250"]
    signals = [
        [EN.signals["lift"], "0.25", "+1.500"],
        [EN.signals["share"], "0.50", "−1.000"],
        [EN.signals["translated"], "0.00", "+0.000"],
    ]
    corrected = [EN.corrected, "", "× 0.50 −0.250"]
    percents = ["confidence 87%", "", ""]
    assert cells(shown)[3:] == [start, *signals, corrected, percents]
    assert cells(page.inspection(FOUND, EN))[3:] == [start, *signals, percents]
    assert text_of(shown).endswith("From 66% it is called answered, from 50% related.")


def tried(query: str, expected: str = "", rank: int | None = None, found: str = "a#9") -> Tried:
    """Return a question that was tried, with the question of the entry that was found."""
    return Tried(query, expected, rank, found, f"{found}?" if found else "", "related", 0.876)


TESTED = HitTest(
    (
        tried("right", "a#1", 1, "a#1"),
        tried("third", "a#2", 3),
        replace(tried("lost", "a#3", None, ""), status="not_covered"),
        replace(tried("unjudged"), status="answered"),
    ),
    2,
    "2011-12-31",
)
HERE = Address("test", language="en")


def test_a_test_shows_its_figures() -> None:
    """What was judged, hit@k, MRR and the statuses; those with an entry can be saved together."""
    shown, _, _ = page.test_result(TESTED, None, "", HERE, EN).partition("</section>")
    assert text_of(shown) == (
        "Questions with an expected entry: 3, only looked at: 1"
        "hit@10.333hit@30.667hit@50.667MRR0.444"
        "answered 1, related 2, not covered 1"
        "Save all that have an expected entry"
        "This is the first test; the next one is compared with it."
    )
    assert buttons(shown) == [("save", "all")]


def test_each_miss_is_listed_with_what_was_expected() -> None:
    """What is not ranked first names both entries as links, and is saved by its own number."""
    _, _, rest = page.test_result(TESTED, None, "", HERE, EN).partition('<section class="pq-misses')
    misses, _, _ = rest.partition("</section>")
    assert text_of(f"<{misses}") == (
        "Not ranked first (2)"
        "thirdRelated, not certain 87%Expected: a#2 (rank 3); First: a#9 a#9? Save as a test case"
        "lostNot covered 87%Expected: a#3 (not among the first 10); First:   Save as a test case"
    )
    assert buttons(misses) == [("save", "1"), ("save", "2")]
    asked = [{"query": "third"}, {"entry": "a#2"}, {"entry": "a#9"}, {"query": "lost"}]
    assert links(misses) == [Address(language="en", **one) for one in [*asked, {"entry": "a#3"}]]


def test_each_question_is_listed() -> None:
    """All questions stand folded with what they found, each of which can be saved."""
    _, _, folded = page.test_result(TESTED, None, "", HERE, EN).partition("<details")
    assert text_of(f"<{folded}").startswith(
        "All questions (4)rightRelated, not certain 87%First: a#1? Save as a test case"
    )
    assert buttons(folded) == [("save", str(n)) for n in range(4)]
    assert [one.query for one in links(folded)] == ["right", "third", "lost", "unjudged"]


def test_questions_without_an_entry_are_only_looked_at() -> None:
    """Without a judged question there are no figures, no misses and nothing to save together."""
    looked = replace(TESTED, tried=TESTED.tried[3:])
    shown = page.test_result(looked, None, "", HERE, EN)
    assert text_of(shown).startswith(f"{EN.test_none_judged}answered 1, related 0, not covered 0")
    assert "dt" not in tags(shown)
    assert "pq-misses" not in shown
    assert EN.test_no_misses not in shown
    assert buttons(shown) == [("save", "0")]


def test_no_miss_is_said() -> None:
    """Where every expected entry is first, there is a sentence and no list."""
    shown = page.test_result(replace(TESTED, tried=TESTED.tried[:1]), None, "", HERE, EN)
    assert EN.test_no_misses in text_of(shown)
    assert "pq-misses" not in shown
    assert "only looked at" not in shown


BEFORE = "Same questions as last time (2011-12-30): 4; hit@1 from 0.250 to 0.500"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(("a", "b"), ("c",), 0.25, 0.5, 4), f"{BEFORE}Now rightabNow wrongc"),
        (Change(("a",), (), 0.25, 0.5, 4), f"{BEFORE}Now righta"),
        (Change((), ("c",), 0.25, 0.5, 4), f"{BEFORE}Now wrongc"),
        (Change((), (), 0.25, 0.5, 4), f"{BEFORE}No question got better or worse."),
        (Change((), (), None, None, 0), ""),
    ],
)
def test_a_test_is_compared_with_the_last_one(change: Change, said: str) -> None:
    """What got better and what got worse are listed, over the questions of both."""
    shown, _, _ = page.test_result(TESTED, change, "2011-12-30", HERE, EN).partition("</section>")
    assert text_of(shown).rpartition(EN.save_all)[2] == said


def test_a_long_test_is_listed_to_a_bound() -> None:
    """The headings count every question, however many are listed."""
    many = replace(TESTED, tried=TESTED.tried[1:2] * (testing.MOST_SHOWN + 1))
    shown = page.test_result(many, None, "", HERE, EN)
    assert f"Not ranked first ({testing.MOST_SHOWN + 1})" in shown
    assert f"All questions ({testing.MOST_SHOWN + 1})" in shown
    assert len(buttons(shown)) == 1 + 2 * testing.MOST_SHOWN


def test_the_view_that_tests_says_what_it_is_for() -> None:
    """Before the first test stand its purpose and the forms that it reads."""
    assert text_of(page.test_lead(EN)) == EN.test_lead + EN.test_note


CHANGES = Changes(
    added=("new.txt",),
    changed=(
        DocumentChanges(
            "old.txt",
            added=(EntryName("old#3", "Why?"),),
            changed=(EntryName("old#1", ""),),
            removed=(EntryName("old#2", "Who?"),),
        ),
    ),
    removed=("gone.txt",),
    unreadable=(("bad.pdf", "it is broken"),),
    lexicon=True,
    alternates=True,
)


def test_each_change_has_its_row() -> None:
    """Documents, their entries, files and the lexicon are listed, then what brings them in."""
    shown = page.changes(CHANGES, {}, "corpus", "policy-qa sync", EN)
    assert text_of(shown) == (
        "Changed since it was built"
        "Addednew.txt"
        "Changedold.txtAddedold#3 Why?Changedold#1Removedold#2 Who?"
        "Removedgone.txt"
        "Cannot be readbad.pdf: it is broken"
        "The lexicon has changed"
        "The table of other wordings has changed"
        "Update it: policy-qa sync"
    )
    assert shown.count("pq-inner") == 3


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, EN.changes_unknown.format(corpus="my corpus")),
        (Changes(), EN.changes_none),
        (Changes(unreadable=(("old.pdf", "it is old"),)), EN.changes_none),
        (Changes(unreadable=(("bad.pdf", "it is bad"),)), "Cannot be readbad.pdf: it is bad"),
    ],
)
def test_without_changes_nothing_is_to_be_run(found: Changes | None, said: str) -> None:
    """A corpus that is not found, or that would change nothing, has its sentence and no command."""
    before = {"old.pdf": "it is old", "bad.pdf": "it was old"}
    shown = page.changes(found, before, "my corpus", "policy-qa sync", EN)
    assert text_of(shown) == f"Changed since it was built{said}"


@pytest.mark.parametrize(
    ("count", "listed", "more"),
    [(100, 100, ""), (101, 100, "And 1 more."), (150, 100, "And 50 more.")],
)
def test_long_lists_are_counted(count: int, listed: int, more: str) -> None:
    """Of changes, findings and gaps a hundred are listed and the rest is counted."""
    finding = Finding("no_answer", (cited("a"),))
    lists = [
        (page.changes(Changes(added=("a.txt",) * count), {}, "", "run", EN), "pq-row"),
        (page.findings([finding] * count, HERE, EN), "pq-finding"),
        (page.gaps([Gap("a", (("a", 1),), 1)] * count, "run", EN), "pq-row"),
    ]
    for shown, style in lists:
        assert shown.count(f'<li class="{style}">') == listed
        assert "".join(re.findall(r"And \d+ more\.", shown)) == more


@pytest.mark.parametrize("kind", lint.KINDS)
@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_every_finding_is_told_in_every_language(language: Language, kind: FindingKind) -> None:
    """A finding of any kind is a sentence with its day or value, above links to its entries."""
    places = (cited("one\n  two", 3), cited("x" * 200, 9, "a.txt"))
    found = Finding(kind, places, day=DAY, value=1_234_567.0)
    address = Address("corpus", check=True, language=language)
    shown = page.findings([found], address, page.PAGE_LABELS[language])
    heading, said = (text_of(one) for one in re.findall(r"<h[23]>(.*?)</h[23]>", shown))
    assert said.endswith(" (1)")
    assert heading == f"{page.PAGE_LABELS[language].lint} (1)"
    assert not re.search(r"[{}]|None", said)
    assert (DAY.isoformat() in said) == (kind in {"dated", "expired", "expiring", "not_yet"})
    assert ("1234567" in said) == (kind == "long")
    assert links(shown) == [Address(language=language, entry="shop/rules#1")] * 2
    where = page.PAGE_LABELS[language].answer.cited
    assert text_of(shown).endswith(
        f"one two{where.format(document='shop/rules.txt', line=3)}"
        f"{'x' * 120}…{where.format(document='a.txt', line=9)}"
    )


def test_findings_are_looked_for_when_asked() -> None:
    """Before the checks there is a link that runs them, and after them a word if all is well."""
    address = Address("corpus", find="a b", language="en")
    shown = page.findings(None, address, EN)
    assert links(shown) == [replace(address, check=True)]
    assert text_of(shown) == "ChecksCheck for duplicates, contradictions and old dates"
    assert text_of(page.findings([], address, EN)) == "ChecksNothing was found."


def test_gaps_are_listed_with_their_other_wordings() -> None:
    """A group is its most typical wording, how often it was asked, and five more wordings."""
    wordings = tuple((f"w{n}", 1) for n in range(7))
    found = [Gap("w2", wordings, 7), Gap("alone", (("alone", 1),), 1)]
    assert text_of(page.gaps(found, "policy-qa gaps --import a.csv", EN)) == (
        "Questions that were not covered (2)"
        "w2times asked: 7w0 / w1 / w3 / w4 / w5"
        f"alonetimes asked: 1{EN.gaps_import} policy-qa gaps --import a.csv{EN.log_note}"
    )


@pytest.mark.parametrize(
    ("found", "said"), [(None, EN.gaps_off), ([], f"{EN.gaps_none}{EN.log_note}")]
)
def test_without_gaps_it_is_said_why(found: list[Gap] | None, said: str) -> None:
    """That nothing is logged and that nothing is missing are not the same."""
    assert (
        text_of(page.gaps(found, "policy-qa gaps --import a.csv", EN))
        == f"Questions that were not covered{said}"
    )


def test_entries_are_links_to_their_sources() -> None:
    """An entry is its question, or the label for none, and its id; the rest is counted."""
    address = Address("corpus", find="a", language="en")
    shown = page.entries([("a#1", "May I?"), ("a#2", "")], 5, address, EN)
    assert text_of(shown) == "May I?a#1(no heading)a#2And 3 more; type more to narrow them down."
    assert links(shown) == [Address(language="en", entry=one) for one in ("a#1", "a#2")]
    assert "more" not in text_of(page.entries([("a#1", "May I?")], 1, address, EN))
    assert text_of(page.entries([], 0, address, EN)) == "No entry matches."


def test_every_event_is_told_in_every_language() -> None:
    """A generation is its number, its minute, how it was made, its changes, and where it is not."""
    for language in labels.LANGUAGES:
        words = page.PAGE_LABELS[language]
        for action in get_args(Action):
            made = Event(2, "2011-12-31T23:59:58+00:00", action, 1, 30, 4, 5, 6, "a note")
            shown = page.history([(made, True), (made, False)], "run", words)
            said = text_of(shown)
            assert not re.search(r"[{}]|None", said)
            assert said.count("2011-12-31 23:59 UTC") == 2
            assert said.count(words.history_actions[action]) == 2
            assert re.findall(r"\d+", said.partition("UTC")[2])[:4] == ["30", "4", "5", "6"]
            assert said.count(words.history_gone) == 1
    assert not page.history([(made, True)], "run", words)


def test_nothing_to_tell_has_no_panel() -> None:
    """Where no file was left out and no entry ends, nothing stands in the view."""
    assert page.left_out({}, EN) == page.expiring([], HERE, EN) == ""


def test_entry_that_ends_is_named_by_its_question_or_its_id() -> None:
    """Its last day, and the days that are left, stand behind its name."""
    entry = replace(FIRST, expires=DAY)
    found = [Expiring(entry, "May I?", -3), Expiring(entry, "", 0)]
    assert text_of(page.expiring(found, HERE, EN)) == (
        f"Ends soon, or has ended (2)May I?ended on {DAY}shop/returns#1until {DAY}, days left: 0"
    )


def test_many_findings_of_a_kind_are_folded() -> None:
    """Three of a kind stand open; of four the heading tells how many there are."""
    finding = Finding("no_answer", (cited("a"),))
    assert '<details class="pq-whole pq-group" open>' in page.findings([finding] * 3, HERE, EN)
    folded = page.findings([finding] * 4, HERE, EN)
    assert '<details class="pq-whole pq-group">' in folded
    assert "A question without an answer (4)" in text_of(folded)


def test_the_knowledge_base_is_told_of() -> None:
    """Its size, the minute of its build and its generation."""
    shown = page.overview(105, 2, "2011-12-31T23:59:58+00:00", 7, EN)
    assert text_of(shown) == "Entries: 105, documents: 2Built 2011-12-31 23:59 UTC, generation 7"


def test_the_head_leads_to_each_view_and_language() -> None:
    """A view begins anew, a language shows the same again; where the reader is, is marked."""
    address = Address("test", query="a", find="b", language="zh-Hans")
    shown = page.head(address, "zh-Hans", EN)
    views = [Address(view, language="zh-Hans") for view in page.VIEWS]
    languages = [replace(address, language=other) for other in labels.LANGUAGES]
    assert links(shown) == [views[0], *views, *languages]
    assert text_of(shown) == "Policy Q&AAskTestKnowledge base繁體简体English"
    assert re.findall(r'aria-current="\w+">(.*?)</a>', shown) == ["Test", "简体"]


def test_the_page_before_a_question_offers_some() -> None:
    """It tells what there is and offers questions; without any there is no heading for them."""
    address = Address("corpus", find="a", language="en")
    shown = page.empty(3, 1, ["May I?", "a & b"], address, EN)
    assert links(shown) == [Address(query=q, language="en") for q in ("May I?", "a & b")]
    assert text_of(shown) == (
        f"{EN.lead}Entries: 3, documents: 1Questions to start withMay I?a & bAsked beforeClear"
    )
    assert buttons(shown) == [("forget", "")]
    assert EN.examples not in page.empty(3, 1, [], address, EN)


def test_notices_end_with_what_to_run() -> None:
    """A card and a strip say their state, a sentence, and a command only if there is one."""
    for shown, element in ((page.notice, "pre"), (page.strip, "code")):
        told = shown("stale", "Old", "Update it:", "policy-qa build 'a b'")
        assert " ".join(text_of(re.sub(r"(?=<)", " ", told)).split()) == (
            "Old Update it: policy-qa build 'a b'"
        )
        assert "pq-stale" in told
        assert element in tags(told)
        assert element not in tags(shown("stale", "Old", "Update it:"))


def test_the_style_sheet_is_one_element() -> None:
    """The style sheet does not end its element before its own end, and the script is whole."""
    shown = page.style({"choose": "選擇 'a'"})
    assert shown.startswith("<style>.stApp{--pq-choose:\"選擇 'a'\";}")
    assert shown.count("</style>") == 1
    assert shown.endswith("</style>")
    assert "export default function" in page.script()


def hostile_hit(words: str) -> tuple[Hit, Document]:
    """Return a hit of an entry whose names and question are these words."""
    entry = Entry(words, words, Span(0, 1), Span(0, 0), Span(0, 0), (words,))
    return replace(HIT, entry=entry, question=words), Document(words, "a\nb\n")


def hostile_source(words: str) -> str:
    """Return the source of an entry with these words for names."""
    hit, document = hostile_hit(words)
    return page.source_card(document, hit.entry, (), EN)


def hostile_inspection(words: str) -> str:
    """Return an inspection of an entry that has these words."""
    found = replace(
        FOUND,
        passage=cited(words, document=words),
        terms=(MatchedTerm(words, (), 1.0),),
        missing=(words,),
        rules=(Match(words, words, words),),
    )
    return page.inspection(found, EN)


def hostile_test(words: str) -> str:
    """Return a test of questions in these words."""
    one = Tried(words, words, 2, words, words, "answered", 0.5)
    change = Change((words,), (words,), 0.0, 0.0, 1)
    return page.test_result(HitTest((one,), 1, words), change, words, HERE, EN)


def hostile_changes(words: str) -> str:
    """Return changes of documents and entries with these words for names."""
    names = (EntryName(words, words),)
    found = Changes(
        (words,), (DocumentChanges(words, names, names, names),), (words,), ((words, words),)
    )
    return page.changes(found, {}, words, words, EN)


def without_breaks(words: str) -> str:
    """Return words on one line."""
    return re.sub(r"[\r\n]", "", words)


HOSTILE_HTML: Mapping[str, Callable[[str], str]] = {
    "actions": lambda words: page.actions(
        answer("related", cited(words, document=words)), EN, "en",
        Address(query=words, entry=words), number=1,
    ),
    "answer_card": lambda words: hostile_card(words, "en"),
    "changes": hostile_changes,
    "empty": lambda words: page.empty(1, 1, [words], Address(query=words), EN),
    "entries": lambda words: page.entries([(words, words)], 2, Address(find=words), EN),
    "entry_card": lambda words: page.entry_card(words, card(amounts=(words,)), EN),
    "escape": page.escape,
    "expiring": lambda words: page.expiring(
        [Expiring(replace(hostile_hit(words)[0].entry, expires=DAY), words, -1)], HERE, EN
    ),
    "findings": lambda words: page.findings(
        [Finding("duplicate", (replace(cited(words, document=words), entry_id=words),))], HERE, EN
    ),
    "gaps": lambda words: page.gaps(
        [Gap(words, ((words, 1), (f"also {words}", 1)), 2)], words, EN
    ),
    "head": lambda words: page.head(Address(query=words, entry=words, find=words), "en", EN),
    "history": lambda words: page.history(
        [(Event(1, "2011-12-31", "build", 1, 1, note=words), False)] * 2, words, EN
    ),
    "inspection": hostile_inspection,
    "left_out": lambda words: page.left_out({words: words}, EN),
    "notice": lambda words: page.notice("error", words, words, words),
    "opened_note": lambda words: page.opened_note(Address(query=words, entry=words), EN),
    "other_entries": lambda words: page.other_entries(
        [hostile_hit(words)], words, Address(query=words), EN
    ),
    "overview": lambda words: page.overview(1, 1, words, 1, EN),
    "rule_card": lambda words: page.rule_card(card(amounts=(words,), effects=(words,)), EN),
    "source_card": hostile_source,
    "source_lines": lambda words: page.source_lines(
        without_breaks(words), Span(0, len(words)), [Span(1, 3)]
    ),
    "strip": lambda words: page.strip("stale", words, words, words),
    "test_result": hostile_test,
}  # fmt: skip
"""Every public function that shows words of the corpus or of a reader, with them in each place."""

SHOWN_OTHERWISE: Mapping[str, Callable[[str], str]] = {
    "overview": lambda words: words[:16].replace("T", " "),
    "source_lines": without_breaks,
}
"""What a reader sees of the words, where it is not all of them."""


def test_every_public_function_is_tried_with_hostile_words() -> None:
    """Only what takes no such words, or makes no HTML, is left out."""
    others = {"PAGE_LABELS", "VIEWS", "Address", "PageLabels", "is_readable", "script", "style"}
    assert set(page.__all__) == HOSTILE_HTML.keys() | others | {
        "test_lead",
        "thanks",
        "style_words",
    }


@pytest.mark.parametrize("name", HOSTILE_HTML)
@settings(max_examples=60, deadline=None)
@given(words=WORDS)
def test_no_words_become_markup(name: str, words: str) -> None:
    """Whatever the words, elements and attributes are the same, and the text is those words."""
    shown, plain = (Skeleton(HOSTILE_HTML[name](one)) for one in (words, PLAIN))
    assert shown.markup_with(words) == plain.markup_with(PLAIN)
    seen = SHOWN_OTHERWISE.get(name, str)(words)
    assert shown.text.split() == plain.text.replace(PLAIN, seen).split()


@given(st.text() | WORDS)
def test_escaped_text_is_the_text(text: str) -> None:
    """Escaping makes no element, and keeps every character but the kind of line break."""
    shown = Skeleton(page.escape(text))
    assert not shown.markup
    assert shown.text == re.sub(r"\r\n|\r", "\n", text)


@given(value=st.text() | WORDS, label=WORDS, current=st.booleans())
def test_attributes_hold_their_text(value: str, label: str, *, current: bool) -> None:
    """No text ends the attribute that it stands in; its line breaks are kept as well."""
    here = [("aria-current", "page")] if current else []
    shown = Skeleton(markup.link(value, page.escape(label), "pq-row", current=current))
    assert shown.markup == [("a", [("class", "pq-row"), ("href", value), *here]), ("a", "end")]
    pressed = Skeleton(markup.button(value, value, label))
    assert pressed.markup == [
        ("button", [
            ("type", "button"), ("class", "pq-button"),
            ("data-pq-do", value), ("data-pq-value", value),
        ]),
        ("button", "end"),
    ]  # fmt: skip
    assert shown.text == pressed.text == re.sub(r"\r\n|\r", "\n", label)
