"""The words and the HTML of the search page."""

import html
import re
from dataclasses import fields

import pytest

from policy_qa import labels, page
from policy_qa.types import Answer, Citation, Document, Entry, Hit, Passage, Span, Status

HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) $x$ </mark>\"'&amp;"
TEXT = (
    "1. May I return shoes?\nYes, within 7 days.\n\nNo box is needed.\n2. Who pays?\nThe buyer.\n"
)
DOCUMENT = Document("shop/returns.txt", TEXT)
EN = labels.LABELS["en"]


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


def text_of(fragment: str) -> str:
    """Return what a reader sees of an HTML fragment."""
    return html.unescape(re.sub(r"<[^>]*>", "", fragment.replace("<br>", "\n")))


def tags(fragment: str) -> set[str]:
    """Return the names of the tags an HTML fragment opens."""
    return set(re.findall(r"<(\w+)", fragment))


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_every_label_is_written_in_every_language(language: labels.Language) -> None:
    """No language lacks a label, and each fills in the same places as the English one."""
    for field in fields(labels.Labels):
        label, english = getattr(labels.LABELS[language], field.name), getattr(EN, field.name)
        assert label
        assert set(re.findall(r"{\w+}", label)) == set(re.findall(r"{\w+}", english))


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
    asked: str | None, locale: str | None, language: labels.Language
) -> None:
    """The address decides the language, and the browser's locale where the address is silent."""
    assert labels.choose_language(asked, locale) == language


def test_escaped_text_reads_as_it_was_written() -> None:
    """Escaping keeps every character and makes no tag."""
    assert text_of(page.escape(HOSTILE)) == HOSTILE
    assert not tags(page.escape(HOSTILE))


def test_escaped_markdown_has_no_bare_punctuation() -> None:
    """Every ASCII punctuation mark of a label is escaped, and the label stays on one line."""
    assert page.escape_markdown("**a**\n$x$ :smile:") == r"\*\*a\*\* \$x\$ \:smile\:"


@pytest.mark.parametrize(
    ("confidence", "shown"), [(0.0, 0), (0.29, 29), (0.876, 87), (0.999, 99), (1.0, 100)]
)
def test_percent_is_rounded_down(confidence: float, shown: int) -> None:
    """A confidence below 1 never reads as 100 percent."""
    assert page.percent(confidence) == shown


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
    assert page.escape(f"a{newline}b") == "a<br>b"


def test_answer_begins_with_its_quotes_and_their_places() -> None:
    """The quotes come before the matched question, each with its document and line."""
    shown = page.answer_card(answer("answered", QUOTE), EN)
    assert text_of(shown) == (
        "Answeredconfidence 87%Yes, within 7 days.shop/returns.txt, line 2"
        "Matched entryMay I return shoes?"
    )


def test_statuses_look_different() -> None:
    """Each status has its own words and its own class."""
    statuses: tuple[Status, ...] = ("answered", "related", "not_covered")
    cards = [page.answer_card(answer(status), EN) for status in statuses]
    assert len({text_of(card) for card in cards}) == len(statuses)
    for status, card in zip(statuses, cards, strict=True):
        assert f'class="pq-card pq-{status}"' in card


def test_not_covered_claims_no_matched_entry() -> None:
    """What does not answer is not presented as the matched entry."""
    shown = page.answer_card(answer("not_covered"), EN)
    assert "May I return" not in shown
    assert EN.matched not in text_of(shown)


def test_source_card_names_the_document_its_lines_and_headings() -> None:
    """The source tells where it stands: document, lines and the headings above it."""
    shown = page.source_card(DOCUMENT, FIRST, [QUOTE.span], EN)
    assert text_of(shown).startswith("Sourceshop/returns.txt, lines 1–4OrdersReturns1. May")
    assert "<mark>Yes, within 7 days.</mark>" in shown


def test_other_entries_open_to_their_whole_text() -> None:
    """Another entry is folded to its question and holds its whole text, its passage marked."""
    shown = page.other_entries([(HIT, DOCUMENT)], "Other entries", EN)
    assert "<summary><bdi>May I return shoes?</bdi>" in shown
    assert "<mark>No box is needed.</mark>" in shown
    assert "Yes, within 7 days." in shown


def test_hostile_text_makes_no_tag_anywhere() -> None:
    """Markup in a document, a heading, a quote, a name or a message stays text."""
    whole = Span(0, len(HOSTILE))
    document = Document(HOSTILE, HOSTILE)
    entry = Entry("x#1", HOSTILE, whole, whole, whole, (HOSTILE,))
    quote = Citation(HOSTILE, "x#1", whole, 1, HOSTILE)
    hit = Hit(1, entry, HOSTILE, Passage("x#1:1", "x#1", HOSTILE, whole, HOSTILE), 1.0, {})
    fragments = [
        page.answer_card(answer("answered", quote, question=HOSTILE), EN),
        page.source_card(document, entry, [whole], EN),
        page.other_entries([(hit, document)], HOSTILE, EN),
        page.notice("error", HOSTILE, HOSTILE, HOSTILE),
    ]
    for fragment in fragments:
        assert "img" not in tags(fragment)
        assert HOSTILE in text_of(fragment)
        assert fragment.count("<mark>") == fragment.count("</mark>")
