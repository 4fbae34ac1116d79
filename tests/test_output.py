"""Every form of an answer: JSON by its schema, Markdown, plain text, for a terminal."""

import json
import re
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from policy_qa import Answer, Citation, Document, Entry, Hit
from policy_qa.entries import parse
from policy_qa.labels import LABELS, LANGUAGES, caution_text, cited_place
from policy_qa.output import (
    answer_chat,
    answer_fields,
    answer_markdown,
    answer_schema,
    answer_text,
    entries_fields,
    entries_text,
    escape_markdown,
    hits_text,
    json_text,
    one_line,
    printable,
    quantity_fields,
    rule_card_text,
)
from policy_qa.places import Lines, Source
from policy_qa.reading import reading
from policy_qa.types import (
    CONTRADICTIONS,
    FIELDS,
    Caution,
    CautionKind,
    Fact,
    Passage,
    Quantity,
    Span,
    Status,
)

DAY = date(2024, 2, 29)
SCHEMA = answer_schema()
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
STATUSES: tuple[Status, ...] = get_args(Status)
KINDS: tuple[CautionKind, ...] = get_args(CautionKind)
ENGLISH = LABELS["en"]


def quoted(quote: str, document: str = "a_b.txt", number: int = 1, line: int = 3) -> Citation:
    """Return a citation of a quote."""
    span = Span(10 * number, 10 * number + len(quote))
    return Citation(document, f"a_b#{number}", span, line, quote)


def hit_of(number: int, question: str, passage: str) -> Hit:
    """Return a hit of that rank."""
    span = Span(0, 90)
    days = {"effective_from": DAY} if number == 1 else {"expires": DAY}
    entry = Entry(f"a_b#{number}", "a_b.txt", span, Span(0, 9), Span(10, 90), ("Top",), **days)
    best = Passage(f"{entry.id}:1", entry.id, "a_b.txt", Span(10, 10 + len(passage)), passage)
    return Hit(number, entry, question, best, 1 / number, {"dense": 0.5, "lift": -0.25})


def caution_of(kind: CautionKind, *quotes: str) -> Caution:
    """Return a caution with what its kind has."""
    asked, found = {
        "asked_party": ("buyer", "shop"),
        "asked_polarity": ("", "does not affect"),
    }.get(kind, ("", ""))
    day = DAY if kind in ("dated", "expired", "not_yet") else None
    own = quotes or (("7 days", "15 days") if kind in CONTRADICTIONS else ("until 2024",))
    cited = tuple(quoted(text, number=n, line=n + 4) for n, text in enumerate(own, 1))
    return Caution(kind, cited, asked, found, day)


def answer_of(
    *quotes: str,
    status: Status = "answered",
    question: str = "怎麼退款?",
    cautions: tuple[Caution, ...] = (),
) -> Answer:
    """Return an answer with these quotes and something in every other place."""
    first, second, third = (
        hit_of(1, question, "a"),
        hit_of(2, "How to *return*?", "b"),
        hit_of(3, "", "No question"),
    )
    return Answer(
        query="退款",
        status=status,
        confidence=0.8765,
        entry=first.entry,
        question=question,
        conclusion=tuple(quoted(quote, number=n) for n, quote in enumerate(quotes, 1)),
        related=(second, third),
        hits=(first, second, third),
        generation=4,
        read_as="退款",
        also=(quoted("twin", "b.txt", 5, 12),),
        fields={
            "deadlines": (
                Fact(quoted("7天內"), Quantity(None, 7, "day")),
                Fact(quoted("2-3天"), Quantity(2, 3, "day")),
            ),
            "amounts": (
                Fact(quoted("4.5%"), Quantity(4.5, 4.5, "percent")),
                Fact(quoted("10元以上"), Quantity(10, None, "CNY")),
            ),
            "bearers": (Fact(quoted("賣家承擔"), None, "seller"),),
        },
        cautions=cautions,
    )


ALL_CAUTIONS = tuple(caution_of(kind) for kind in KINDS)
RICH = answer_of("可以退款。", "运费由卖家承担。", cautions=ALL_CAUTIONS)
UNSURE = replace(RICH, status="related")
UNKNOWN = Answer("退款", "not_covered", 0.0, None, "", (), RICH.hits, RICH.hits, 4)
EMPTY = Answer("退款", "not_covered", 0.0, None, "", (), (), ())
EVERY = {"answered": RICH, "related": UNSURE, "not_covered": UNKNOWN}


# ---- JSON ----------------------------------------------------------------------------------------


def test_the_schema_is_a_schema():
    """It is valid itself, and each call returns a fresh one."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    answer_schema()["properties"].clear()
    assert answer_schema() == SCHEMA


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def test_the_schema_leaves_nothing_open():
    """Every object forbids what it does not name, but for the scores, which are numbers."""
    described = list(objects(SCHEMA))
    assert len(described) >= 9
    open_ones = [one for one in described if one.get("additionalProperties") is not False]
    assert [one["additionalProperties"] for one in open_ones] == [{"type": "number"}]
    for one in described:
        assert set(one.get("required", ())) <= set(one.get("properties", ()))


def test_the_schema_knows_what_there_is():
    """Statuses, cautions and fields are those of the program."""
    assert tuple(SCHEMA["properties"]["status"]["enum"]) == STATUSES
    assert tuple(SCHEMA["$defs"]["caution"]["properties"]["kind"]["enum"]) == KINDS
    assert tuple(SCHEMA["properties"]["fields"]["properties"]) == FIELDS


@pytest.mark.parametrize("answer", [*EVERY.values(), EMPTY], ids=[*EVERY, "empty"])
@pytest.mark.parametrize("read_in", [None, *LANGUAGES])
def test_json_is_as_its_schema_says(answer, read_in):
    """An answer of any status, with everything in it, has the fields of the schema."""
    fields = answer_fields(answer, read_in)
    VALIDATOR.validate(fields)
    VALIDATOR.validate(json.loads(json_text(fields)))


@pytest.mark.parametrize("kind", KINDS)
def test_json_of_each_caution(kind):
    """A caution has its kind, its words and its day."""
    fields = answer_fields(answer_of("a", cautions=(caution_of(kind),)))
    VALIDATOR.validate(fields)
    (caution,) = fields["cautions"]
    assert caution["kind"] == kind
    assert len(caution["citations"]) == (2 if kind in CONTRADICTIONS else 1)
    assert caution["day"] == ("2024-02-29" if kind in ("dated", "expired", "not_yet") else None)


def places(fields: Any) -> Iterator[Any]:
    """Yield every object of some JSON."""
    for part in fields.values() if isinstance(fields, dict) else fields:
        if isinstance(part, (dict, list)):
            yield from places(part)
    if isinstance(fields, dict):
        yield fields


def test_the_schema_refuses_what_it_does_not_name():
    """One more property anywhere, or one of the required ones less, is no answer."""
    fields = answer_fields(RICH, "zh-Hant")
    count = sum(1 for _ in places(fields))
    assert count > 40
    for number in range(count):
        more = deepcopy(fields)
        list(places(more))[number]["surprise"] = "x"
        assert not VALIDATOR.is_valid(more)
    for name in fields:
        with pytest.raises(ValidationError, match=f"'{name}' is a required property"):
            VALIDATOR.validate({key: value for key, value in fields.items() if key != name})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("status",), "maybe"),
        (("confidence",), 1.5),
        (("generation",), -1),
        (("entry", "effective_from"), "29 February 2024"),
        (("cautions", 0, "kind"), "surprise"),
        (("cautions", 0, "citations"), []),
        (("cautions", 6, "day"), "2024-02-30"),
        (("conclusion", 0, "line"), 0),
        (("conclusion", 0, "quote"), None),
        (("fields", "deadlines", 0, "value"), {"unit": "day"}),
        (("fields", "deadlines", 0, "value"), {"value": 1, "max": 2, "unit": "day"}),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_the_schema_refuses_what_is_no_answer(path, value):
    """A value of another kind does not pass."""
    fields = deepcopy(answer_fields(RICH))
    VALIDATOR.validate(fields)
    *above, last = path
    place: Any = fields
    for step in above:
        place = place[step]
    place[last] = value
    assert not VALIDATOR.is_valid(fields)


def test_json_holds_the_answer():
    """Quotes, places, values and parties are those of the answer."""
    fields = answer_fields(RICH)
    assert (fields["confidence"], fields["generation"]) == (0.8765, 4)
    assert fields["conclusion"][0] == {
        "document": "a_b.txt",
        "entry": "a_b#1",
        "line": 3,
        "start": 10,
        "end": 15,
        "quote": "可以退款。",
    }
    assert fields["entry"]["effective_from"] == "2024-02-29"
    assert [fact["value"] for fact in fields["fields"]["deadlines"]] == [
        {"max": 7, "unit": "day"},
        {"min": 2, "max": 3, "unit": "day"},
    ]
    assert fields["fields"]["bearers"][0]["party"] == "seller"
    assert "value" not in fields["fields"]["bearers"][0]
    assert list(fields["fields"]) == list(FIELDS)
    assert [hit["rank"] for hit in fields["related"]] == [2, 3]


@pytest.mark.parametrize(
    ("quantity", "fields"),
    [
        (Quantity(7, 7, "day"), '{"value": 7, "unit": "day"}'),
        (Quantity(4.5, 4.5, "percent"), '{"value": 4.5, "unit": "percent"}'),
        (Quantity(None, 7, "day"), '{"max": 7, "unit": "day"}'),
        (Quantity(0, None, "CNY"), '{"min": 0, "unit": "CNY"}'),
        (Quantity(1, 2.5, "hour"), '{"min": 1, "max": 2.5, "unit": "hour"}'),
    ],
)
def test_quantities(quantity, fields):
    """A quantity has its value or the limits that there are; whole numbers have no point."""
    assert json.dumps(quantity_fields(quantity)) == fields


def test_readings_in_json():
    """A quote has a reading in the script asked for, if that is another one, and nowhere else."""

    def readings(read_in: Any) -> list[str | None]:
        conclusion = answer_fields(RICH, read_in)["conclusion"]
        return [citation.get("reading") for citation in conclusion]

    assert readings(None) == [None, None]
    assert readings("en") == [None, None]
    assert readings("zh-Hant") == [None, "運費由賣家承擔。"]
    assert readings("zh-Hans") == [None, None]
    card = answer_fields(RICH, "zh-Hans")["fields"]
    assert card["deadlines"][0]["reading"] == "7天内"
    assert card["bearers"][0]["reading"] == "卖家承担"
    assert "reading" not in card["amounts"][0]
    assert card["bearers"][0]["quote"] == "賣家承擔"


# ---- Markdown ------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
BREAKS = ("softbreak", "hardbreak")


def spoken(token: Token, *, marks: tuple[str, ...] = ()) -> str:
    """Return the text that a paragraph shows; nothing but text and these marks is in it."""
    for child in token.children or ():
        assert child.type in ("text", *BREAKS, *marks), child
    return "".join("\n" if t.type in BREAKS else t.content for t in token.children or ())


texts = st.text(st.characters(exclude_categories=())) | st.text("*_`~[]()<>!#$&;:\\|-+=.1a \n\t>@")


@settings(max_examples=300, deadline=None)
@given(texts)
@example("1. a")
@example("<script")
@example("<div a")
@example("- a\n\n    b")
@example("a\n===\n| a |\n|---|")
@example('[x]: http://a.example "t"')
@example("<b>&amp;</b><!-- https://a.example www.a.example a@a.example -->")
@example("```\n~~~\n`a` **b** __c__ ~~d~~ ![e](f) $g$ :h:")
@example("\\*a\\ \\")
@example("\u3000a\u2028b\x1b[31m\x00\ud800")
def test_escaped_markdown_shows_the_text(text):
    """Whatever the text, Markdown shows it in one paragraph without markup, blanks as one."""
    shown = " ".join(printable(text).split())
    tokens = MARKDOWN.parse(escape_markdown(text))
    if not shown:
        assert tokens == []
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert spoken(tokens[1]) == shown


def quotes_shown(markdown: str) -> list[list[str]]:
    """Return the paragraphs of each block quote of some Markdown."""
    found: list[list[str]] = []
    inside = False
    for token in MARKDOWN.parse(markdown):
        if token.type == "blockquote_open":
            assert not inside
            inside = True
            found.append([])
        elif token.type == "blockquote_close":
            inside = False
        elif inside and token.type == "inline":
            found[-1].append(spoken(token, marks=("em_open", "em_close")))
        elif inside:
            assert token.type in ("paragraph_open", "paragraph_close")
    return found


def lines_of(quote: str) -> list[str]:
    """Return the lines of a quote, blanks as one, empty ones left out."""
    return [" ".join(line.split()) for line in printable(quote).splitlines() if line.strip()]


telling = texts.filter(lambda text: bool(text.strip()))


@settings(max_examples=150, deadline=None)
@given(quotes=st.lists(telling, min_size=1, max_size=2), question=telling, read_in=st.booleans())
@example(quotes=["# a\n> b\n\n- c", "| a |\n|---|\n| 运费 |"], question="*", read_in=True)
@example(quotes=["\\", "```"], question="\\", read_in=True)
def test_markdown_shows_the_quotes(quotes, question, read_in):
    """Each quote stands in a block quote of its own, line by line, with its place below."""
    answer = answer_of(*quotes, question=question, cautions=ALL_CAUTIONS)
    language = "zh-Hant" if read_in else None
    shown = quotes_shown(answer_markdown(answer, ENGLISH, read_in=language))
    expected = []
    for quote in quotes:
        other = reading(quote, "zh-Hant") if read_in else ""
        expected.append(
            [
                "\n".join(lines_of(quote)),
                *([" ".join(printable(other).split())] if other else []),
                "— a_b.txt, line 3",
            ]
        )
    assert shown == expected


@settings(max_examples=60, deadline=None)
@given(text=telling)
@example(text="| a | b |")
@example(text="**a**: [b](c)")
def test_markdown_shows_every_other_text(text):
    """Cautions, the rule card and the nearest questions show the source's words as they are."""
    caution = caution_of("deadline", text, text)
    fact = Fact(quoted(text))
    other = replace(hit_of(2, text, "b"), question=text)
    answer = replace(
        answer_of("a", question=text, cautions=(caution,)),
        fields={"steps": (fact, fact)},
        related=(other,),
        also=(),
    )
    shown = " ".join(printable(text).split())
    inline = [
        spoken(token, marks=("em_open", "em_close", "strong_open", "strong_close"))
        for token in MARKDOWN.parse(answer_markdown(answer, ENGLISH))
        if token.type == "inline"
    ]
    assert inline == [
        "Answered (confidence 87%)",
        "Pinyin read as: 退款",
        shown,
        "a",
        "— a_b.txt, line 3",
        f"⚠ {ENGLISH.cautions['deadline']}",
        f"{shown} — a_b.txt, line 5",
        f"{shown} — a_b.txt, line 6",
        f"What to do: {shown} / {shown}",
        "Other entries:",
        shown,
    ]


def test_markdown_keeps_its_lists_apart():
    """The quotes of a contradiction are one list, the card another, related entries a third."""
    markdown = answer_markdown(
        answer_of("a", cautions=(caution_of("deadline"), caution_of("amount"))), ENGLISH
    )
    types = [token.type for token in MARKDOWN.parse(markdown)]
    assert types.count("bullet_list_open") == 4
    assert types.count("list_item_open") == 2 + 2 + 3 + 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", STATUSES)
def test_markdown_in_every_language(language, status):
    """The status, the cautions and the fields have the labels of the language."""
    labels = LABELS[language]
    markdown = answer_markdown(EVERY[status], labels)
    assert markdown.startswith(f"**{labels.statuses[status]}**")
    known = EVERY[status].entry is not None
    assert (labels.others if known else labels.nearest) in markdown
    assert (labels.also in markdown) == known
    read_as = escape_markdown(labels.read_as.format(text="退款"))
    assert (read_as in markdown) == known
    for caution in EVERY[status].cautions:
        assert escape_markdown(caution_text(caution, labels)) in markdown
    for field in FIELDS:
        there = known and bool(RICH.fields.get(field))
        assert (f"**{labels.fields[field]}**" in markdown) == there


@pytest.mark.parametrize("form", [answer_markdown, answer_chat, answer_text])
def test_only_pinyin_is_read_as_something(form):
    """What was not typed in pinyin is not told to be read, in no form."""
    assert "Pinyin" in form(RICH, ENGLISH)
    assert "Pinyin" not in form(replace(RICH, read_as=""), ENGLISH)


def test_markdown_of_nothing():
    """Where nothing at all was found, the status stands alone."""
    assert answer_markdown(EMPTY, ENGLISH) == "**Not covered** (confidence 0%)"


# ---- chat ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_chat(language):
    """What is pasted into a chat: the quotes, where they stand, and what to know."""
    labels = LABELS[language]
    where = [f"({labels.cited.format(document='a_b.txt', line=3)})"]
    where.append(f"{labels.also}: {labels.cited.format(document='b.txt', line=12)}")
    read_as = labels.read_as.format(text="退款")
    sure = answer_of("可以退款。", "第二句。")
    assert answer_chat(sure, labels).split("\n") == [read_as, "可以退款。", "第二句。", *where]
    typed = replace(sure, read_as="")
    assert answer_chat(typed, labels).split("\n") == ["可以退款。", "第二句。", *where]
    unsure = answer_chat(answer_of("可以退款。", status="related"), labels)
    assert unsure.split("\n") == [labels.related_note, read_as, "可以退款。", *where]
    assert answer_chat(UNKNOWN, labels) == labels.not_covered


def test_chat_names_every_place():
    """Quotes on two lines have two places, in their order."""
    answer = replace(answer_of("a"), read_as="", also=())
    other = Citation("b.txt", "b#1", Span(0, 1), 7, "b")
    text = answer_chat(replace(answer, conclusion=(*answer.conclusion, other)), ENGLISH)
    assert text.split("\n") == ["a", "b", "(a_b.txt, line 3; b.txt, line 7)"]


@pytest.mark.parametrize("kind", KINDS)
def test_chat_warns(kind):
    """A caution stands below; both words of a contradiction with it, and where they stand."""
    caution = caution_of(kind)
    answer = replace(answer_of("a", cautions=(caution,)), read_as="", also=())
    places = [f"({cited_place(citation, ENGLISH)})" for citation in caution.citations]
    lines = answer_chat(answer, ENGLISH).split("\n")
    assert lines[2] == f"⚠ {caution_text(caution, ENGLISH)}"
    words = [f"  7 days {places[0]}", f"  15 days {places[-1]}"]
    assert lines[3:] == (words if kind in CONTRADICTIONS else [])


def test_chat_with_readings():
    """A quote in the other script is followed by its reading, any other is not."""
    lines = answer_chat(RICH, LABELS["zh-Hant"], read_in="zh-Hant").split("\n")
    assert lines[1:4] == ["可以退款。", "运费由卖家承担。", "(運費由賣家承擔。)"]


# ---- terminal ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", STATUSES)
def test_terminal(language, status):
    """The terminal shows everything, with the labels of the language."""
    labels, answer = LABELS[language], EVERY[status]
    text = answer_text(answer, labels)
    assert text.startswith(labels.statuses[status])
    if status == "not_covered":
        assert f"\n\n{labels.nearest}:\n" in text
        return
    place = labels.cited.format(document="a_b.txt", line=3)
    assert f"  可以退款。\n  [{place}, 10-15]" in text
    assert f"  {labels.also}: {labels.cited.format(document='b.txt', line=12)}, 50-54" in text
    assert labels.read_as.format(text="退款") in text
    for caution in answer.cautions:
        assert f"! {caution_text(caution, labels)}\n" in text
    twin = labels.cited.format(document="a_b.txt", line=6)
    assert text.count(f"    15 days  [{twin}, 20-27]") == len(CONTRADICTIONS)
    assert f"{labels.fields['bearers']}\n  賣家承擔" in text
    assert f"{labels.others}:\n  a_b#2  How to *return*?\n  a_b#3  No question" in text


def test_terminal_readings():
    """Only what is in the other script has a reading, and only if one is asked for."""
    assert "運費" not in answer_text(RICH, LABELS["zh-Hant"])
    text = answer_text(RICH, LABELS["zh-Hant"], read_in="zh-Hant")
    assert "  运费由卖家承担。\n  (運費由賣家承擔。)\n" in text
    assert text.count("\n  (") == 1
    assert "\n  (" not in answer_text(RICH, ENGLISH, read_in="en")


@pytest.mark.parametrize("answer", EVERY.values(), ids=list(EVERY))
def test_colours_change_nothing_else(answer):
    """Without what colours it, a coloured text is the plain one, which has no colour."""
    plain = answer_text(answer, ENGLISH)
    coloured = answer_text(answer, ENGLISH, colour=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    assert coloured.startswith("\x1b[1;3")
    assert coloured.count("\x1b[0m") * 2 == coloured.count("\x1b")
    assert rule_card_text(RICH.fields, ENGLISH) in answer_text(RICH, ENGLISH)


EVIL = "Why\x1b[2J\x07 \u202e? \x9b31m\x00\r\nBecause\x1b]0;x\x07.\ud800\ue000\r\n"


def evil() -> Answer:
    """Return an answer with hostile text in every place."""
    name = "a\x1b[31m\nb.txt"
    whole = Span(0, len(EVIL))
    entry = Entry(f"{name}#1\x1b", name, whole, whole, whole, ("\x1b[1mtop",))
    hit = Hit(1, entry, EVIL, Passage(f"{name}#1:0", entry.id, name, whole, EVIL), 1.0, {})
    quote = Citation(name, entry.id, whole, 1, EVIL)
    cautions = [
        Caution(kind, (quote, quote), EVIL, "" if kind == "asked_polarity" else EVIL, DAY)
        for kind in KINDS
    ]
    return Answer(
        EVIL,
        "answered",
        0.5,
        entry,
        EVIL,
        (quote,),
        (hit, replace(hit, question="")),
        (hit,),
        read_as=EVIL,
        also=(quote,),
        fields={field: (Fact(quote),) for field in FIELDS},
        cautions=tuple(cautions),
    )


def steering(text: str) -> set[str]:
    """Return the characters of a text that could steer a terminal, line ends aside."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")} - {"\n"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", [answer_text, answer_markdown, answer_chat])
def test_no_form_steers_the_terminal(form, language):
    """Nothing in a document, its name or a query can steer the terminal, in no form."""
    text = form(evil(), LABELS[language], read_in="zh-Hant")
    assert "Because" in text
    assert steering(text) == set()


def test_the_terminal_gets_no_control_characters():
    """Nor in hits and entries; what was there is marked."""
    answer = evil()
    assert answer.entry
    document = Document(answer.entry.document_id, EVIL)
    text = hits_text(answer.related) + entries_text([(answer.entry, document)])
    assert steering(text) == set()
    assert "a\ufffd[31m b.txt, line 1" in answer_text(answer, ENGLISH)
    coloured = answer_text(answer, ENGLISH, colour=True)
    assert set(re.findall(r"\x1b[^m]*m?", coloured)) <= {
        f"\x1b[{code}m" for code in ("0", "1", "2", "33", "1;32")
    }


@settings(max_examples=100, deadline=None)
@given(texts)
def test_printable(text):
    """What is printed has nothing that steers, on one line no line break either."""
    assert steering(printable(text)) <= {"\t"}
    assert steering(one_line(text)) == set()
    assert "\n" not in one_line(text)


# ---- the words of cautions ----------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_cautions(language):
    """Every caution is one sentence in each language, with its day or its words filled in."""
    for kind in KINDS:
        text = caution_text(caution_of(kind), LABELS[language])
        assert text
        assert "{" not in text
        assert ("2024-02-29" in text) == (kind in ("dated", "expired", "not_yet"))
    party = caution_text(caution_of("asked_party"), LABELS[language])
    assert party.index("buyer") < party.index("shop")
    forbidden = caution_text(caution_of("asked_polarity"), LABELS[language])
    words = LABELS[language].cautions
    assert forbidden == words["found_polarity"].format(found="does not affect")
    permitted = replace(caution_of("asked_polarity"), asked="never", found="")
    told = caution_text(permitted, LABELS[language])
    assert told == words["asked_polarity"].format(asked="never")
    assert set(words) == {*KINDS, "found_polarity"}


# ---- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ascii_only", [False, True])
def test_json_escapes_what_steers_a_terminal(ascii_only):
    """JSON keeps letters, escapes controls and format characters, and reads back as it was."""
    text = EVIL + "\x7f\u2028\u2066\U000e0001退款 é😀\ue000"
    written = json_text({"a": text}, ascii_only=ascii_only)
    assert json.loads(written) == {"a": text}
    assert {c for c in written if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} == {"\n"}
    assert written.isascii() if ascii_only else "退款 é😀" in written


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
def test_lines(newline):
    """Each kind of line end ends a line, once, and a split leaves it out."""
    text = newline.join(("one", "", "three", "four"))
    lines = Lines(text)
    assert [lines.number(text.index(word)) for word in ("one", "three", "four")] == [1, 3, 4]
    assert lines.number(len(text)) == 4
    span = Span(1, len(text) - 1)
    split = [(number, text[line.start : line.end]) for number, line in lines.split(span)]
    assert split == [(1, "ne"), (2, ""), (3, "three"), (4, "fou")]


def test_citations():
    """A source cites spans of itself, and passages or parts of them, with their lines."""
    text = "one\r\ntwo three\rfour"
    source = Source(Document("a.txt", text))
    passage = Passage("a#1:1", "a#1", "a.txt", Span(5, 14), text[5:14])
    assert source.cite("a#2", Span(15, 19)) == Citation("a.txt", "a#2", Span(15, 19), 3, "four")
    assert source.cite_passage(passage) == Citation("a.txt", "a#1", Span(5, 14), 2, "two three")
    part = source.cite_passage(passage, Span(4, 9))
    assert part == Citation("a.txt", "a#1", Span(9, 14), 2, "three")


def test_lines_of_entries():
    """Entries of several documents have the lines that each has in its own."""
    documents = [Document(f"{n}.txt", "\r\n" * n + "1. Why?\r\nSo.\r\n") for n in (0, 3)]
    found = [(entry, d) for d in documents for entry in parse(d)]
    assert [fields["first_line"] for fields in entries_fields(found)] == [1, 4]
    assert [fields["last_line"] for fields in entries_fields(found)] == [2, 5]
    assert "(lines 4-5)" in entries_text(found)


def test_text_for_a_terminal():
    """Line ends of any kind become one, other control characters a mark."""
    assert printable("a\r\nb\rc\n\td\x1b") == "a\nb\nc\n\td\ufffd"
    assert one_line(" a\r\n\tb　c ") == "a b c"
