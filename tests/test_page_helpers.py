"""The words and the HTML of the search page."""

import html
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import labels, page
from policy_qa.output import escape_markdown, percent
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
    Passage,
    RuleCard,
    Span,
    Status,
)

HOSTILE = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) $x$ </mark>\"'&amp;"
TEXT = (
    "1. May I return shoes?\nYes, within 7 days.\n\nNo box is needed.\n2. Who pays?\nThe buyer.\n"
)
DOCUMENT = Document("shop/returns.txt", TEXT)
EN = labels.LABELS["en"]
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
        (text_of(label), [text_of(value) for value in re.findall(r"<dd>(.*?)</dd>", values)])
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


def every_label(of: labels.Labels) -> dict[str, str]:
    """Return every label of a language by its name, those of fields and cautions one by one."""
    found: dict[str, str] = {}
    for field in fields(of):
        label = getattr(of, field.name)
        each = label if isinstance(label, Mapping) else {"": label}
        found |= {f"{field.name} {key}": text for key, text in each.items()}
    return found


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_every_label_is_written_in_every_language(language: labels.Language) -> None:
    """No language lacks a label, and each fills in the same places as the English one."""
    written, english = every_label(labels.LABELS[language]), every_label(EN)
    assert written.keys() == english.keys()
    assert written.keys() >= {f"fields {field}" for field in FIELDS}
    assert written.keys() >= {f"cautions {kind}" for kind in (*KINDS, "found_polarity")}
    for name, label in written.items():
        assert label
        assert set(re.findall(r"{\w+}", label)) == set(re.findall(r"{\w+}", english[name]))


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


def test_other_entries_open_to_their_whole_text() -> None:
    """Another entry is folded to its question and holds its whole text, its passage marked."""
    shown = page.other_entries([(HIT, DOCUMENT)], "Other entries", EN)
    assert "<summary><bdi>May I return shoes?</bdi>" in shown
    assert "<mark>No box is needed.</mark>" in shown
    assert "Yes, within 7 days." in shown


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_rule_card_has_a_row_for_each_field_in_its_language(language: labels.Language) -> None:
    """Fields stand in their order under the language's labels, each with the source's words."""
    facts = {field: (f"{field} 沒有 1", f"{field} 沒有 2") for field in FIELDS}
    told = replace(answer("answered", QUOTE), fields=card(**facts))
    names = labels.LABELS[language].fields
    expected = [(names[field], list(facts[field])) for field in FIELDS]
    assert rows(page.answer_card(told, labels.LABELS[language], language)) == expected
    assert len(set(names.values())) == len(FIELDS)


def test_rule_card_leaves_out_what_the_source_does_not_say() -> None:
    """A field without a value has no row, and a card without any is not there at all."""
    silent = page.answer_card(replace(answer("answered", QUOTE), fields=card()), EN, "en")
    assert "pq-facts" not in silent
    told = replace(answer("answered", QUOTE), fields=card(deadlines=("7 < 8 & <b>",)))
    shown = page.answer_card(told, EN, "en")
    assert rows(shown) == [("Deadlines", ["7 < 8 & <b>"])]
    assert "<dd>7 &lt; 8 &amp; &lt;b&gt;</dd>" in shown


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
def test_every_caution_is_told_in_every_language(
    language: labels.Language, kind: CautionKind
) -> None:
    """A caution of any kind is one note with no placeholder left, its words there and escaped."""
    told = caution(kind, "7 days", "9 days", words=HOSTILE)
    warned = replace(answer("answered", QUOTE), cautions=(told,))
    shown = page.answer_card(warned, labels.LABELS[language], language)
    (note,) = (text_of(one) for one in re.findall(r'<p role="note">(.*?)</p>', shown))
    assert not re.search(r"[{}]|None", note)
    assert note.count(HOSTILE) == {"asked_party": 2, "asked_polarity": 1}.get(kind, 0)
    assert (f"other {HOSTILE}" in note) == (kind == "asked_party")
    assert (DAY.isoformat() in note) == (told.day is not None)
    assert "img" not in tags(shown)


@pytest.mark.parametrize("language", labels.LANGUAGES)
def test_cautions_of_different_kinds_read_differently(language: labels.Language) -> None:
    """No two kinds of caution are told in the same words."""
    told = [labels.caution_text(caution(kind, "a"), labels.LABELS[language]) for kind in KINDS]
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
    assert labels.caution_text(Caution("asked_polarity", of_source, asked, found), EN) == told


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
    assert shown.count("7 days") == (kind in CONTRADICTIONS or kind == "dated")


def test_other_places_of_the_same_words_are_named() -> None:
    """Where others say the same stands in one line after the quotes, and not if nobody does."""
    twins = (cited("Same.", 3), cited("Same.", 9, "a<b>.txt"))
    shown = page.answer_card(replace(answer("answered", QUOTE), also=twins), EN, "en")
    line = "The same is said in: shop/rules.txt, line 3; a&lt;b&gt;.txt, line 9"
    assert f'line 2</figcaption></figure><p class="pq-place">{line}</p>' in shown
    assert EN.also not in page.answer_card(answer("answered", QUOTE), EN, "en")


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
    quote: str, language: labels.Language, read: str
) -> None:
    """A quote in the script that the page is not in has a labelled reading, and stays as it is."""
    told = replace(
        answer("answered", cited(quote)),
        cautions=(Caution("bearer", (cited(quote), cited(quote))),),
        fields=card(bearers=(quote,)),
    )
    shown = page.answer_card(told, labels.LABELS[language], language)
    assert shown.count(f"<blockquote>{quote}</blockquote>") == 3
    assert f"<dd>{quote}</dd>" in shown
    readings = re.findall(r'<p class="pq-reading" lang="([\w-]+)">(.*?)</p>', shown)
    label = labels.LABELS[language].reading
    expected = [(language, f"{label}{read}")] * 3 if read else []
    assert [(named, text_of(text)) for named, text in readings] == expected
    assert shown.count("pq-reading") == len(expected)


def hostile_card(words: str, language: labels.Language) -> str:
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
    return page.answer_card(told, labels.LABELS[language], language, every)


BREAKING = (HOSTILE, "<script>", "</dd>", "<!--", "-->", "<![CDATA[", "<?x", "&lt;", "{}", "\r\n")
PIECES = st.sampled_from(BREAKING) | st.text("<>&\"'`=/!?-;#{} \n\rab買家", max_size=8)
WORDS = st.lists(PIECES, max_size=5).map(lambda pieces: f"沒{''.join(pieces)}買")


@settings(max_examples=150, deadline=None)
@given(words=WORDS, language=st.sampled_from(sorted(labels.LANGUAGES)))
def test_no_words_change_the_markup_of_an_answer(words: str, language: labels.Language) -> None:
    """Whatever a quote, fact, caution, name or question says, it is text between the same tags."""
    shown, plain = (Skeleton(hostile_card(one, language)) for one in (words, "沒買"))
    assert shown.markup == plain.markup
    written = re.sub(r"\r\n|\r", "\n", words)
    assert shown.text.count(written) == plain.text.count("沒買")


def test_hostile_text_makes_no_tag_anywhere() -> None:
    """Markup in a document, a heading, a quote, a name or a message stays text."""
    whole = Span(0, len(HOSTILE))
    document = Document(HOSTILE, HOSTILE)
    entry = Entry("x#1", HOSTILE, whole, whole, whole, (HOSTILE,))
    quote = Citation(HOSTILE, "x#1", whole, 1, HOSTILE)
    hit = Hit(1, entry, HOSTILE, Passage("x#1:1", "x#1", HOSTILE, whole, HOSTILE), 1.0, {})
    fragments = [
        page.answer_card(answer("answered", quote, question=HOSTILE), EN, "en"),
        *(hostile_card(HOSTILE, language) for language in labels.LANGUAGES),
        page.source_card(document, entry, [whole], EN),
        page.other_entries([(hit, document)], HOSTILE, EN),
        page.notice("error", HOSTILE, HOSTILE, HOSTILE),
    ]
    for fragment in fragments:
        assert "img" not in tags(fragment)
        assert HOSTILE in text_of(fragment)
        assert fragment.count("<mark>") == fragment.count("</mark>")
