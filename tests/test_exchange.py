"""Export and import: what comes back is what was there, and what is broken is refused."""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.build import build_generation
from policy_qa.encoders import DEFAULT_MODEL
from policy_qa.errors import EncoderError, InputError, StorageError
from policy_qa.exchange import assembly, cells, files, sheets
from policy_qa.exchange.assembly import Export
from policy_qa.exchange.jsonl import export_jsonl
from policy_qa.exchange.reading import read_export
from policy_qa.exchange.transfer import export_knowledge_base, import_knowledge_base
from policy_qa.exchange.workbook import export_workbook
from policy_qa.filling import Source
from policy_qa.keeping import changes, open_store, synchronise
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.lexicon import Rule
from policy_qa.storage import generation_numbers
from policy_qa.types import Document, Entry, Parsed, Place, Span
from tests.fakes import LetterEncoder

NOTHING = Span(0, 0)


class Held:
    """A store and a manifest that hold any text, also what no real store does."""

    def __init__(
        self, parsed: Sequence[Parsed], rules: Sequence[Rule] = (), corpus: str = "c", **more: Any
    ):
        self._parsed = {document.id: (document, list(entries)) for document, entries in parsed}
        self.source = Source(corpus, corpus or "m", list(rules), **more)
        self.next_entries = {name: 7 + place for place, name in enumerate(self._parsed)}
        self.manifest: Any = SimpleNamespace(
            generation=3,
            corpus=corpus,
            model=self.source.model,
            questions_indexed=self.source.index_questions,
            index_asked=self.source.index,
            columns=self.source.columns,
            skipped=self.source.skipped,
            documents=len(parsed),
            entries=sum(len(entries) for _, entries in parsed),
        )

    @property
    def exported(self) -> Export:
        """What comes back."""
        return Export([*self._parsed.values()], self.next_entries, self.source, 3)

    def next_entry(self, document_id: str) -> int:
        """Return a document's counter."""
        return self.next_entries[document_id]

    def all_used(self) -> Any:
        """Return the documents that are gone."""
        return self.source.used

    def alternates(self) -> Any:
        """Return the wordings of a file."""
        return self.source.alternates

    def files(self) -> Any:
        """Return the files' stamps."""
        return self.source.files

    def documents(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return ids and tags."""
        return [(name, document.tags) for name, (document, _) in self._parsed.items()]

    def document(self, document_id: str) -> Document:
        """Return a document."""
        return self._parsed[document_id][0]

    def entries(self, document_id: str) -> list[tuple[Entry, str]]:
        """Return a document's entries."""
        return [(entry, "") for entry in self._parsed[document_id][1]]

    def rules(self) -> Sequence[Rule]:
        """Return the rules."""
        return self.source.rules


def as_jsonl(held: Any, file: Path) -> None:
    """Export as JSON lines."""
    export_jsonl(held.manifest, held, file)


def as_workbook(held: Any, file: Path) -> None:
    """Export as a workbook."""
    export_workbook(held.manifest, held, file)


WAYS = pytest.mark.parametrize("export", [as_jsonl, as_workbook], ids=["jsonl", "workbook"])


def there_and_back(export: Any, held: Held, folder: Path) -> Export:
    """Export and import."""
    file = folder / "export"
    export(held, file)
    return read_export(file)


def one(text: str, name: str = "a.txt") -> Parsed:
    """Return a document with an entry that is all of it, question first."""
    end = text.find("\n") + 1
    entry = Entry(
        f"{name.removesuffix('.txt')}#1",
        name,
        Span(0, len(text)),
        Span(0, end),
        Span(end, len(text)),
    )
    return Document(name, text), [entry]


FULL = (
    Document(
        "shop/returns.pdf:2",
        "可以退貨嗎？\n可以，七天內。\n",
        ("shop", "退貨"),
        date(2025, 1, 1),
        date(2025, 12, 31),
        ((0, Place("page", 3)), (7, Place("row", 12, "工作表 1\n=2"))),
        "shop/returns.pdf",
    ),
    [
        Entry(
            "shop/returns.pdf:2#1",
            "shop/returns.pdf:2",
            Span(0, 15),
            Span(0, 6),
            Span(7, 14),
            ("第一章", "退貨"),
            date(2025, 2, 1),
            date(2025, 3, 1),
            ("能退嗎", "退貨 | 期限", "", "two\nlines\r\n"),
            ("熱門",),
        )
    ],
)
RULES = [Rule("lexicon.txt:3", ("退款", "退费", "refund")), Rule("g:1", ("a", "=b"), True)]


@WAYS
def test_everything_comes_back(export: Any, tmp_path: Path) -> None:
    """Documents, entries and rules come back with every field, in their order."""
    parsed = [FULL, one("Where may I park?\nBehind the hall.\n"), (Document("empty.md", ""), [])]
    held = Held(
        parsed,
        RULES,
        "my corpus\r/=1",
        alternates={"shop/returns.pdf:2#1": ("能退嗎", "=1")},
        files={"returns.md": (0, 1_764_312_345_678_901_234), "=a\r.md": (2**62, 0)},
        skipped={"b\n.pdf": "no text:\r\n=1"},
        used={"=gone.md": 5},
        columns={"question": "客戶問", "answer": "=標準\\回覆\n"},
        index_questions=False,
        index="hnsw",
    )
    given = {field.name for field in dataclasses.fields(Source)} - {"index_kept"}
    assert all(getattr(held.source, name) != getattr(Source("", ""), name) for name in given)
    assert there_and_back(export, held, tmp_path) == held.exported


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Document, assembly._DOCUMENT),
        (Entry, assembly._ENTRY | {"document_id"} - {"document"}),
        (Rule, assembly._RULE),
    ],
)
def test_no_field_is_forgotten(kind: Any, fields: frozenset[str]) -> None:
    """Every field of a record is one of its export."""
    names = {field.name for field in dataclasses.fields(kind)}
    assert names <= {*fields}


CORPUS = {
    "returns.md": "# 退貨\n\n## 可以退貨嗎？\n\n可以，七天內。\n\n## 運費誰付？\n\n買家付。\n",
    "ask.csv": "客戶問,標準回覆\n幾點開門？,九點。\n",
    "lexicon.txt": "退貨 = 退款\n",
    "alternates.csv": "entry,question\nreturns.md#1,能退嗎\n",
}


def put(file: Path, text: str) -> None:
    """Write a file, long ago: how lately it was written is another thing that stores hold."""
    file.write_text(text, encoding="utf-8")
    when = 1_700_000_000 + len(text)
    os.utime(file, (when, when))


def contents(path: Path) -> tuple[Any, ...]:
    """Return all that a knowledge base says, but for how it came to be."""
    manifest, store = open_store(path)
    with contextlib.closing(store):
        names = [name for name, _ in store.documents()]
        return (
            [(store.document(name), [*store.entries(name)]) for name in names],
            {name: store.next_entry(name) for name in names},
            (store.rules(), store.alternates(), store.files(), store.all_used()),
            dataclasses.replace(manifest, generation=0, created="", history=(), files={}),
        )


@pytest.mark.parametrize("name", ["kb.jsonl", "kb.XLSX"])
def test_a_knowledge_base_of_an_export_equals_the_exported_one(name: str, tmp_path: Path) -> None:
    """Nothing is lost: documents, ids that are used up, lexicon, alternates, columns, files."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for file, text in CORPUS.items():
        put(corpus / file, text)
    put(corpus / "broken.xlsx", "no workbook")
    columns = {"question": "客戶問", "answer": "標準回覆"}
    KnowledgeBase.build(corpus, tmp_path / "kb", columns=columns, index="hnsw").close()
    longer = CORPUS["returns.md"] + "\n## 多久退款？\n\n三天。\n"
    put(corpus / "gone.md", "## 幾樓？\n\n三樓。\n")
    synchronise(tmp_path / "kb")
    (corpus / "gone.md").unlink()
    for text in (longer, CORPUS["returns.md"]):  # its third entry came and went
        put(corpus / "returns.md", text)
        synchronise(tmp_path / "kb")

    export_knowledge_base(tmp_path / "kb", tmp_path / name)
    import_knowledge_base(tmp_path / name, tmp_path / "other", corpus=corpus)
    assert contents(tmp_path / "other") == contents(tmp_path / "kb")
    assert contents(tmp_path / "other")[1]["returns.md"] == 4

    assert not changes(tmp_path / "other").apply
    put(corpus / "returns.md", longer.replace("三天", "五天"))
    put(corpus / "gone.md", "## 有停車位嗎？\n\n沒有。\n")
    for path in (tmp_path / "kb", tmp_path / "other"):
        synchronise(path)
    assert contents(tmp_path / "other") == contents(tmp_path / "kb")
    with KnowledgeBase.open(tmp_path / "other") as kb:
        assert [entry.id for entry in kb.entries("returns.md")][-1] == "returns.md#4"
        assert [entry.id for entry in kb.entries("gone.md")] == ["gone.md#2"]


def test_an_import_takes_ids_as_they_are_and_gives_none_again(tmp_path: Path) -> None:
    """Into a knowledge base whose entries have other ids, too; its used ids stay used."""
    encoder, source = LetterEncoder(), Source("", "letters-1")
    document, (entry,) = one("a?\nb")
    other = [(document, [dataclasses.replace(entry, id="a#8")])]
    build_generation(other, tmp_path / "kb", encoder, source)
    build_generation(
        [(document, [entry])], tmp_path / "kb", encoder, source, next_entries={"a.txt": 2}
    )
    _, store = open_store(tmp_path / "kb")
    with contextlib.closing(store):
        assert [found.id for found, _ in store.entries("a.txt")] == ["a#1"]
        assert store.next_entry("a.txt") == 9
    build_generation([one("c?\nd", "c.txt")], tmp_path / "kb", encoder, source)
    again = [(document, [entry])]
    build_generation(again, tmp_path / "kb", encoder, source, next_entries={"a.txt": 2})
    _, store = open_store(tmp_path / "kb")
    with contextlib.closing(store):
        assert store.next_entry("a.txt") == 9


def test_an_import_can_be_told_index_and_model(tmp_path: Path) -> None:
    """What is named counts; what is not is as it was exported."""
    held = Held([one("a?\nb")])
    held.manifest.index_asked, held.manifest.model = "hnsw", "no such model"
    as_jsonl(held, tmp_path / "kb.jsonl")
    with pytest.raises(InputError, match=r"another model .*'no such model'. Name a model with --m"):
        import_knowledge_base(tmp_path / "kb.jsonl", tmp_path / "kb")
    with pytest.raises(EncoderError, match="no such model"):
        import_knowledge_base(tmp_path / "kb.jsonl", tmp_path / "kb", model="no such model")
    with pytest.raises(InputError, match="There is no index of kind 'best'"):
        import_knowledge_base(tmp_path / "kb.jsonl", tmp_path / "kb", index="best")
    made = import_knowledge_base(tmp_path / "kb.jsonl", tmp_path / "kb", model=DEFAULT_MODEL)
    assert (made.index, made.index_asked, made.model) == ("hnsw", "hnsw", DEFAULT_MODEL)
    assert made.corpus == ""  # what it is called there may be another folder here
    assert made.history[-1].note == "generation 3 of another knowledge base"
    made = import_knowledge_base(
        tmp_path / "kb.jsonl", tmp_path / "kb", model=DEFAULT_MODEL, index="flat", keep=1
    )
    assert (made.index, made.index_asked) == ("flat", "flat")
    assert generation_numbers(tmp_path / "kb") == [2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "\t",
        "　",
        " \n leading and trailing \n ",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "'=1",
        "#N/A",
        "TRUE",
        "1.0",
        "2025-01-31",
        "a\rb\r\nc\n\r",
        "\0\x01\x0b\x0c\x1f\x7f\x85\u2028\ufeff\ufffe\uffff",
        "_x000D_ _x005F_x000D_ x005F_ _xABCD_",
        "\\ \\n \\u0041 \\\\ \\e C:\\new\\x",
        "<b>&amp;</b> ]]> <!-- ",
        "👨‍👩‍👧 \u202eRTL\u202c עברית e\u0301 é",
        "字" * 70_000,
        "🦊" * 40_000,
        "a" + "🦊" * 40_000,
        " " * 70_000,
        "\0" * 20_000,
        "\\" * 40_001,
        "=" * 32_001,
        "x000D_" * 9_000,
    ],
)
@WAYS
def test_any_text_comes_back(export: Any, text: str, tmp_path: Path) -> None:
    """Whatever XML, a cell or a spreadsheet program would alter comes back as it was."""
    name = text[:40_000] or "-"
    document = Document(name, text, (text, "", text), part_of=text)
    spans = (Span(0, len(text)), Span(0, len(text) // 2), Span(len(text) // 2, len(text)))
    parsed = [(document, [Entry(f"{name}#1", name, *spans, (text,), None, None, (text,), (text,))])]
    rules = [Rule(text, (f"{text}1", f"{text}2"))]
    held = Held(parsed, rules, text[:30_000])
    assert there_and_back(export, held, tmp_path) == held.exported


anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.lists(
    st.sampled_from(
        [
            "=",
            "'",
            "\r",
            "\n",
            " ",
            "_x000D_",
            "x005F_",
            "\\",
            "\\e",
            "\0",
            "\ufffe",
            "字",
            "🦊",
            "\u202e",
            "|",
            "\u2028",
            "<",
            "&",
        ]
    ),
    max_size=8,
).map("".join)
no_pairs = anything.filter(lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text))
tuples = st.lists(no_pairs, max_size=3).map(tuple)
days = st.none() | st.dates()


@st.composite
def spans(draw: Any, length: int) -> Span:
    """Draw a span of a text of that length."""
    return Span(*sorted(draw(st.tuples(*[st.integers(0, length)] * 2))))


@st.composite
def corpora(draw: Any) -> tuple[list[Parsed], list[Rule]]:
    """Draw documents with their entries, and rules."""
    names = draw(
        st.lists(no_pairs.filter(bool), max_size=3, unique_by=lambda n: n.removesuffix(".txt"))
    )
    parsed: list[Parsed] = []
    for name in names:
        text = draw(no_pairs)
        offsets = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
        places = [
            (
                offset,
                Place(
                    draw(st.sampled_from(["page", "row"])), draw(st.integers(1, 99)), draw(no_pairs)
                ),
            )
            for offset in offsets
        ]
        document = Document(
            name, text, draw(tuples), draw(days), draw(days), tuple(places), draw(no_pairs)
        )
        entries = [
            Entry(
                f"{name}#{number}", name,
                *(draw(spans(len(text))) for _ in range(3)),
                draw(tuples), draw(days), draw(days), draw(tuples), draw(tuples),
            )
            for number in range(draw(st.integers(0, 3)))
        ]  # fmt: skip
        parsed.append((document, entries))
    words = st.lists(no_pairs.filter(bool), min_size=2, max_size=4, unique=True).map(tuple)
    rules = draw(st.lists(st.builds(Rule, no_pairs, words, st.booleans()), max_size=3))
    return parsed, rules


@WAYS
@settings(deadline=None, max_examples=60)
@given(drawn=corpora(), corpus=no_pairs)
def test_any_corpus_comes_back(
    export: Any,
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[list[Parsed], list[Rule]],
    corpus: str,
) -> None:
    """Export and import change nothing, whatever the texts, offsets and fields."""
    parsed, rules = drawn
    folder = tmp_path_factory.mktemp("export", numbered=True)
    held = Held(parsed, rules, corpus)
    assert there_and_back(export, held, folder) == held.exported


@given(st.text(st.characters()))
def test_a_cell_reads_back(text: str) -> None:
    """Escapes are undone, of halves of pairs too, and leave nothing that XML would alter."""
    cell = cells.to_cell(text)
    assert cells.from_cell(cell) == text
    assert not re.search("[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_", cell)
    assert cells.from_cell("".join(cells.pieces(cell))) == text


@given(st.lists(st.text(st.characters())))
def test_a_list_reads_back(items: list[str]) -> None:
    """A list in a cell has its items, empty ones and those of several lines too."""
    assert cells.list_from_cell(cells.list_to_cell(items)) == items


@pytest.mark.parametrize("cell", ["\\", "\\x", "a\\u12", "\\\\\\ "])
def test_no_escape_is_told(cell: str) -> None:
    """A backslash that somebody typed is not taken for something else."""
    with pytest.raises(ValueError, match="is no escape; a backslash is written twice"):
        cells.from_cell(cell)


def test_what_is_exported_is_plain_to_read(tmp_path: Path) -> None:
    """The lines of an export, to the byte."""
    parsed = [one("可以退貨嗎\n可以\n")]
    held = rich(parsed)
    held.source.rules.pop()
    as_jsonl(held, tmp_path / "kb.jsonl")
    data = (tmp_path / "kb.jsonl").read_bytes()
    *above, end, nothing = data.decode().split("\n")
    assert len(above) == 8
    assert above[0] == (
        '{"policy_qa_export":2,"generation":3,"corpus":"c","model":"c","questions_indexed":true,'
        '"index":"auto","columns":{},'
        '"counts":{"documents":1,"entries":1,"rules":1,"alternates":1,"files":1,"skipped":1,'
        '"used":1}}'
    )
    assert above[1] == (
        '{"document":{"id":"a.txt","text":"可以退貨嗎\\n可以\\n","tags":[],"effective_from":null,'
        '"expires":null,"places":[],"part_of":"","next_entry":7}}'
    )
    assert above[2] == (
        '{"entry":{"id":"a#1","document":"a.txt","span":[0,9],"question":[0,6],"answer":[6,9],'
        '"path":[],"effective_from":null,"expires":null,"alternates":[],"tags":[]}}'
    )
    assert above[3] == (
        '{"rule":{"source":"lexicon.txt:3","words":["退款","退费","refund"],"translates":false}}'
    )
    assert above[4:] == [
        '{"alternates":{"entry":"a#1","wordings":["能退嗎"]}}',
        '{"file":{"name":"a.txt","bytes":22,"changed_ns":1}}',
        '{"skipped":{"name":"b.pdf","why":"no text"}}',
        '{"used":{"document":"gone.md","next_entry":5}}',
    ]
    sha256 = hashlib.sha256("".join(f"{line}\n" for line in above).encode()).hexdigest()
    kinds = ("documents", "entries", "rules", "alternates", "files", "skipped", "used")
    counts = dict.fromkeys(kinds, 1)
    assert json.loads(end) == {"end": {**counts, "sha256": sha256}}
    assert not nothing


# What a spreadsheet program shows


def rich(parsed: Sequence[Parsed]) -> Held:
    """Return a store with a record of each kind."""
    return Held(
        parsed,
        RULES,
        alternates={"a#1": ("能退嗎",)},
        files={"a.txt": (22, 1)},
        skipped={"b.pdf": "no text"},
        used={"gone.md": 5},
    )


def workbook(tmp_path: Path, parsed: Sequence[Parsed] = (FULL,)) -> Path:
    """Return a workbook."""
    file = tmp_path / "kb.xlsx"
    as_workbook(rich(parsed), file)
    return file


def edited(file: Path, sheet: str, cell: str, value: Any) -> Path:
    """Change one cell, as an editor would."""
    book = openpyxl.load_workbook(file)
    book[sheet][cell] = value
    book.save(file)
    return file


def test_a_workbook_is_readable(tmp_path: Path) -> None:
    """Editors see questions and answers, lists line by line, days, offsets and what it is."""
    book = openpyxl.load_workbook(workbook(tmp_path))
    assert book.sheetnames == [
        "about", "entries", "documents", "texts", "lexicon",
        "alternates", "files", "skipped", "used",
    ]  # fmt: skip
    header, row = book["entries"].iter_rows(values_only=True)
    shown = dict(zip(header, row, strict=True))
    assert shown["question"] == "可以退貨嗎？"
    assert shown["answer"] == "可以，七天內。"
    assert shown["alternates"] == "能退嗎\n退貨 | 期限\n\\e\ntwo\\nlines\\r\\n"
    assert (shown["effective_from"], shown["answer_start"]) == ("2025-02-01", 7)
    about = {row[0]: row[1] for row in book["about"].iter_rows(values_only=True)}
    assert (about["policy_qa_export"], about["entries"], about["rules"]) == (2, 1, 2)


def test_nothing_in_a_workbook_is_a_formula(tmp_path: Path) -> None:
    """Cells that look like formulas or errors are texts, and stay so when they are edited."""
    signs = ["=1+1", "+1", "-1", "@A", "#N/A", "\t=1", "＝1"]
    parsed = [one(f"{sign}\n{sign}", sign) for sign in signs]
    file = workbook(tmp_path, parsed)
    for sheet in openpyxl.load_workbook(file):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}
                assert cell.data_type == "n" or cell.number_format == "@"
    with zipfile.ZipFile(file) as package:
        assert not any(b"<f>" in package.read(name) for name in package.namelist())


def saved_by_another_program(file: Path) -> None:
    """Move the texts to the shared ones, and write them the way that Excel does."""
    with zipfile.ZipFile(file) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    shared: list[str] = []

    def move(found: re.Match[str]) -> str:
        text = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", found[2])
        shared.append(f'<si><t xml:space="preserve">{text}</t></si>')
        return f'{found[1]} t="s"><v>{len(shared) - 1}</v></c>'

    for name in [name for name in parts if name.startswith("xl/worksheets/")]:
        parts[name] = re.sub(
            r'(<c r="\w+"[^>]*?) t="inlineStr"><is><t[^>]*>(.*?)</t></is></c>',
            move,
            parts[name],
            flags=re.DOTALL,
        )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">{"".join(shared)}</sst>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        "</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    )
    with zipfile.ZipFile(file, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)


def test_a_workbook_that_another_program_saved_reads_back(tmp_path: Path) -> None:
    """Excel's own escapes, and what openpyxl drops of them, alter nothing."""
    texts = ["_x000D_", "x005F_", "_x005F_x000D_", "a\r\nb", "\\u0041", " a ", "=1", "<&>"]
    parsed = [one(f"{text}\n{text}", f"{number}.md") for number, text in enumerate(texts)]
    file = workbook(tmp_path, parsed)
    saved_by_another_program(file)
    with zipfile.ZipFile(file) as package:
        assert b"inlineStr" not in package.read("xl/worksheets/sheet2.xml")
        assert len(package.read("xl/sharedStrings.xml")) > 1_000
    assert read_export(file) == rich(parsed).exported


def test_what_may_be_edited_is_read_as_edited(tmp_path: Path) -> None:
    """Alternates, tags and days of a workbook are taken as an editor leaves them."""
    file = workbook(tmp_path)
    edited(file, "entries", "F2", "七天內能退嗎\n\n退不退")
    edited(file, "entries", "G2", None)
    edited(file, "entries", "I2", datetime(2026, 1, 31))  # noqa: DTZ001 (cells have none)
    ((_, (entry,)),) = read_export(file).parsed
    assert entry == dataclasses.replace(
        FULL[1][0],
        alternates=("七天內能退嗎", "退不退"),
        tags=(),
        effective_from=date(2026, 1, 31),
    )


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "told"),
    [
        ("entries", "D2", "不可以退貨嗎？", "sheet entries, row 2: the question was edited"),
        ("entries", "E2", "可以，八天內。", "sheet entries, row 2: the answer was edited"),
        ("entries", "E2", None, "sheet entries, row 2: the answer was edited"),
        ("entries", "N2", 5, "sheet entries, row 2: the question was edited"),
        ("entries", "P2", 99, "sheet entries, row 2: 'answer' is 7 to 99, outside of its document"),
        ("entries", "P2", "many", "sheet entries, row 2: 'answer' is not a start and an end"),
        ("entries", "P2", 2.5, "sheet entries, row 2: 'answer' is not a start and an end"),
        ("entries", "P2", "9" * 5_000, "sheet entries, row 2: 'answer' is not a start"),
        ("entries", "C2", "other.md", "is of the document 'other.md', which does not stand before"),
        ("entries", "F2", "C:\\x", "sheet entries, row 2: in 'alternates', '.*' is no escape"),
        ("entries", "D2", "\\", "sheet entries, row 2: in 'question', '.*' is no escape"),
        ("entries", "J2", "tomorrow", "'expires' is not a day such as 2025-01-31"),
        ("entries", "J2", 45_000, "'expires' is not a day such as 2025-01-31"),
        ("entries", "A2", 2, "the number '2' stands where 1 belongs: rows were sorted, added"),
        ("entries", "D1", "ask", "sheet entries, row 1: there must be one column 'question'"),
        ("entries", "R1", "answer", "sheet entries, row 1: there must be one column 'answer'"),
        ("documents", "G2", "7 page 1\n0 page 2", "sheet documents, row 2: 'places' is not a list"),
        ("documents", "G2", "page", "sheet documents, row 2: 'places' is not a list"),
        ("documents", "B2", "b.md", "the text of the document 'b.md' is missing"),
        (
            "documents",
            "H2",
            None,
            "sheet documents, row 2: 'next_entry' is not a whole number from 0",
        ),
        ("documents", "I2", "0", "sheet texts, row 2: the text of the document .* was edited"),
        (
            "texts",
            "C2",
            "可以退貨嗎？\n不可以，七天內。\n",
            "sheet texts, row 2: the text of .* edited",
        ),
        ("texts", "A3", 2, "sheet texts, row 3: a text without a row in the sheet documents"),
        ("lexicon", "C2", "退款", "sheet lexicon, row 2: 'words' is not two words or more"),
        ("lexicon", "D2", "no", "sheet lexicon, row 2: 'translates' is not true or false"),
        ("about", "B2", 1, "an export of version 1; this program reads version 2"),
        ("about", "A2", "?", "sheet about: no export of a knowledge base"),
        ("about", "B3", "?", "sheet about: 'generation' is not a whole number from 0"),
        ("about", "A5", "?", "sheet about: 'model' is not filled in"),
        ("about", "B6", "no", "sheet about: 'questions_indexed' is not true or false"),
        ("about", "B7", "best", "sheet about: 'index' is not one of auto, flat, hnsw, ivf"),
        ("about", "B8", "question", "sheet about: 'columns' is not texts by name"),
        ("about", "B10", 2, "sheet about, says 2 entries, and there are 1"),
        ("about", "B10", "?", "sheet about, says None entries, and there are 1"),
        ("alternates", "B2", None, "sheet alternates, row 2: 'entry' is not filled in"),
        ("entries", "F2", "\\ud83d", "sheet entries, row 2: 'alternates' is not a list of texts"),
        ("skipped", "B2", None, "sheet skipped, row 2: 'name' is not filled in"),
        ("files", "C2", "-1", "sheet files, row 2: 'bytes' is not a whole number from 0"),
        ("files", "D2", str(2**63), "sheet files, row 2: 'changed_ns' is not a whole number"),
    ],
)
def test_a_workbook_edited_in_other_places_is_refused(
    tmp_path: Path, sheet: str, cell: str, value: Any, told: str
) -> None:
    """What would make a quote of somebody's words, or lose a record, is told with its row."""
    file = edited(workbook(tmp_path), sheet, cell, value)
    with pytest.raises(InputError, match=rf"kb\.xlsx.*{told}"):
        read_export(file)


def test_a_workbook_sorted_by_its_numbers_again_is_read(tmp_path: Path) -> None:
    """Sorting is told of with the column that undoes it; rows that were lost are told of."""
    parsed = [one(f"{'字' * 40_000}?\nyes", "long.md"), FULL, one("a?\nb", "b.md")]
    file = workbook(tmp_path, parsed)
    book = openpyxl.load_workbook(file)
    rows = list(book["entries"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == [1, 1, 1, 2, 3]

    def put(changed: list[tuple[Any, ...]]) -> None:
        book["entries"].delete_rows(2, 9)
        for row in changed:
            book["entries"].append(row)
        book.save(file)

    put(rows[::-1])
    with pytest.raises(InputError, match=r"row 2: the number '3' stands where 1 belongs.*'number'"):
        read_export(file)
    put(sorted(rows[3:] + rows[:3], key=lambda row: row[0]))
    assert read_export(file).parsed == parsed
    put(rows[:4])
    with pytest.raises(InputError, match=r"says 3 entries, and there are 2. Export again, or cor"):
        read_export(file)


# What is no export


def lines(tmp_path: Path) -> list[bytes]:
    """Return the lines of an export."""
    as_jsonl(Held([FULL], RULES), tmp_path / "kb.jsonl")
    return (tmp_path / "kb.jsonl").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"span":[0,15]', b'"span":[0,16]', r":3: 'span' is 0 to 16, outside of its document"),
        (b'"span":[0,15]', b'"span":[9,8]', r":3: 'span' is 9 to 8, outside of its document"),
        (b'"span":[0,15]', b'"span":[-1,8]', r":3: 'span' is -1 to 8, outside"),
        (b'"span":[0,15]', b'"span":[false,8]', r":3: 'span' is not a start and an end"),
        (b'"span":[0,15]', b'"span":[0,8.0]', r":3: 'span' is not a start and an end"),
        (b'"span":[0,15]', b'"span":8', r":3: 'span' is not a start and an end"),
        (b'"span":[0,15]', b'"span":[0,14]', r":6: the lines above are not those that were exp"),
        ("七天".encode(), "八天".encode(), r":6: the lines above are not those that were exported"),
        (b'"document":"shop', b'"document":"chop', r":3: .* which does not stand before it"),
        (b'"places":[[0', b'"places":[[10', r":2: 'places' is not a list of places, ascending"),
        (b'"page",3', b'"leaf",3', r":2: 'places' is not a list of places"),
        (b'"page",3', b'"page",0', r":2: 'places' is not a list of places"),
        (b'"page",3', b'"page",true', r":2: 'places' is not a list of places"),
        (b'"places":[', b'"places":0,"x":[', r":2: 'x' is missing or is no field of a record"),
        (b'"part_of":', b'"part":', r":2: 'part', 'part_of' is missing or is no field"),
        (b'"part_of":"', b'"part_of":[],"":"', r":2: '' is missing or is no field"),
        (b'"tags":["shop"', b'"tags":[1', r":2: 'tags' is not a list of texts"),
        (b'"2025-01-01"', b'"2025-W01-1"', r":2: 'effective_from' is not a day such as"),
        (b'"2025-01-01"', b"20250101", r":2: 'effective_from' is not a day such as"),
        (b'"id":"shop/returns.pdf:2"', b'"id":""', r":2: 'id' is not filled in"),
        (b'"id":"shop/returns.pdf:2"', b'"id":null', r":2: 'id' is not text"),
        (b'{"rule":', b'{"role":', r":4: 'role' is no record of an export"),
        (b'{"rule":{', b'{"rule":0,"x":{', r":4: no record of an export"),
        (b'{"rule":{', b'{"rule":{{', r":4: not JSON; the file is damaged"),
        (b'"translates":false', b'"translates":0', r":4: 'translates' is not true or false"),
        (b'"refund"', b'""', r":4: 'words' is not two words or more"),
        (b'_export":2', b'_export":1', r":1: an export of version 1; this program reads version 2"),
        (b'_export":2', b'_export":true', r":1: an export of version True"),
        (b'_export":2', b'_exprt":2', r"kb.jsonl is no export of a knowledge base"),
        (b'"corpus":"c"', b'"corpus":1', r":1: 'corpus' is not text"),
        (b'"corpus":"c"', b'"corpse":"c"', r":1: 'corpse', 'corpus' is missing or is no field"),
        (b'"columns":{}', b'"columns":{"question":1}', r":1: 'columns' is not texts by name"),
        (b'"next_entry":7', b'"next_entry":1000000000', r":2: 'next_entry' is not a whole number"),
        ("能退嗎".encode(), b"\\ud800", r":3: 'alternates' is not a list of texts"),
        (b'"id":"shop/returns.pdf:2"', b'"id":"\\ud800"', r":2: 'id' is not text"),
        (b'"columns":{}', b'"columns":{"\\ud800":""}', r":1: 'columns' is not texts by name"),
        ("工作表".encode(), b"\\ud800", r":2: 'places' is not a list of places"),
        (b'"next_entry":7', b'"next_entry":-7', r":2: 'next_entry' is not a whole number from 0"),
        (b'"entries":1,', b'"entries":2,', r":6: the lines above|:6 says 2 entries, and there are"),
        (b'{"end":{', b'{"end":{},"x":{', r":6: no record of an export"),
        (b'{"end":{', b'{"end":[', r":6: not JSON"),
        (b"\xe5", b"\xff", r":2: not JSON; the file is damaged"),
        (b'"text":', b'"text":' + b"[" * 100_000, r":2: not JSON; the file is damaged"),
    ],
)  # fmt: skip
def test_broken_lines_are_refused(tmp_path: Path, old: bytes, new: bytes, told: str) -> None:
    """What was edited or damaged is told with its line, and nothing of it is taken."""
    data = b"".join(lines(tmp_path))
    assert old in data
    (tmp_path / "kb.jsonl").write_bytes(data.replace(old, new, 1))
    with pytest.raises(InputError, match=told):
        read_export(tmp_path / "kb.jsonl")


def test_an_export_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """Wherever the file ends, the loss is noticed."""
    data = b"".join(lines(tmp_path))
    for end in range(len(data)):
        (tmp_path / "cut").write_bytes(data[:end])
        with pytest.raises(InputError, match=r"cut"):
            read_export(tmp_path / "cut")
    (tmp_path / "cut").write_bytes(data)
    assert read_export(tmp_path / "cut").source.rules == RULES


def test_lines_that_were_lost_doubled_or_added_are_refused(tmp_path: Path) -> None:
    """A line that is missing is noticed, as is one more."""
    head, document, entry, *rules, end = lines(tmp_path)
    for told, text in (
        (":2: .* which does not stand before it", [head, entry, document, *rules, end]),
        (":3: the document .* has the id of another one", [head, document, document, *rules, end]),
        (":4: a second entry has the id", [head, document, entry, entry, *rules, end]),
        (":4 says 2 rules, and there are 0", [head, document, entry, end]),
        (":6: the lines above are not those", [head, document, entry, *rules[::-1], end]),
        (":7: a line behind the last one", [head, document, entry, *rules, end, b"\n"]),
        (":5: the file is cut off behind this line", [head, document, entry, *rules]),
    ):
        (tmp_path / "kb.jsonl").write_bytes(b"".join(text))
        with pytest.raises(InputError, match=rf"kb\.jsonl{told}"):
            read_export(tmp_path / "kb.jsonl")


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"{}\n", b"[]\n", b"hello", b"\xff\xfe", b"a" * 200_000, b"[" * 60_000 + b"\n"],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    """A file that is no export is told to be none."""
    (tmp_path / "other").write_bytes(data)
    with pytest.raises(InputError, match="other is no export of a knowledge base"):
        read_export(tmp_path / "other")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A file that is missing, a folder, a pipe and an old workbook are told as what they are."""
    with pytest.raises(InputError, match=r"Cannot read .*gone: No such file"):
        read_export(tmp_path / "gone")
    with pytest.raises(InputError, match="is no file"):
        read_export(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no file"):
        read_export(tmp_path / "pipe")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1")
    with pytest.raises(InputError, match=r"is an old .xls file or has a password"):
        read_export(tmp_path / "old.xls")


def test_documents_that_entry_ids_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    """Two documents with one id, but for `.txt`, are told of at the second."""
    parsed = [one("a\nb", "a.txt"), (Document("a", "c"), [])]
    as_jsonl(Held(parsed), tmp_path / "kb.jsonl")
    with pytest.raises(InputError, match=r":4: the document 'a' has the id of .* 'a\.txt'"):
        read_export(tmp_path / "kb.jsonl")


def packed(tmp_path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Return a package of these parts."""
    with zipfile.ZipFile(tmp_path / "made.xlsx", "w", method) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return tmp_path / "made.xlsx"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"a": b" "}, "is no XLSX file or is damaged"),
        ({"a.xml": b"<!DOCTYPE x>"}, "holds a document type declaration"),
        ({"a.xml": b"<" * 999_995 + b"<!DOCTYPE x>"}, "holds a document type declaration"),
        ({"a.xml": "<!DOCTYPE x>".encode("utf-16")}, "holds a document type declaration"),
        ({"a.xml": b"a" * 4_000_001}, "holds a text that is longer than any cell can be"),
        ({"a.xml": b"<t>" + b"a" * 4_000_001}, "holds a text that is longer than any cell"),
        ({"a.xml": b"<" + b"a" * 3_000_000 + b"<"}, "is no XLSX file or is damaged"),
        ({str(number): b"" for number in range(1_001)}, "has 0 bytes in 1,001 parts unpacked"),
    ],
)
def test_packages_that_are_no_workbook_are_refused(
    tmp_path: Path, parts: dict[str, bytes], told: str
) -> None:
    """Bombs, declarations and other packages are refused before openpyxl reads them."""
    with pytest.raises(InputError, match=rf"made\.xlsx {told}"):
        read_export(packed(tmp_path, parts))


def test_a_bomb_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is larger unpacked than any export is not unpacked."""
    monkeypatch.setattr(sheets, "_check_part", None)
    monkeypatch.setattr(sheets, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(InputError, match="has 1,000,001 bytes in 1 parts unpacked; the limits are"):
        read_export(packed(tmp_path, {"a": b"0" * 1_000_001}))


def test_a_package_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    """BZIP2 unpacks past the size that is declared."""
    with pytest.raises(InputError, match="is packed in an unknown way"):
        read_export(packed(tmp_path, {"a": b"0"}, zipfile.ZIP_BZIP2))


def test_a_workbook_of_something_else_is_refused(tmp_path: Path) -> None:
    """Any other workbook lacks the sheets; one that was cut off or damaged is told to be so."""
    openpyxl.Workbook().save(tmp_path / "other.xlsx")
    with pytest.raises(InputError, match="is no export of a knowledge base: it has no sheet 'abou"):
        read_export(tmp_path / "other.xlsx")
    data = workbook(tmp_path).read_bytes()
    for end in range(4, len(data), 997):
        (tmp_path / "cut.xlsx").write_bytes(data[:end])
        with pytest.raises(InputError, match="is no XLSX file or is damaged"):
            read_export(tmp_path / "cut.xlsx")
    middle = data.index(b"xl/worksheets/sheet2.xml") + 60
    broken = data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]
    (tmp_path / "cut.xlsx").write_bytes(broken)
    with pytest.raises(InputError, match="is no XLSX file or is damaged"):
        read_export(tmp_path / "cut.xlsx")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 5_000))
def test_damage_never_ends_in_another_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int
) -> None:
    """Whatever the bytes, an export is read or refused."""
    folder = tmp_path_factory.mktemp("noise", numbered=True)
    for export in (as_jsonl, as_workbook):
        export(Held([FULL], RULES), folder / "kb")
        data = (folder / "kb").read_bytes()
        at = place % len(data)
        for damaged in (data[:at] + noise + data[at + len(noise) :], b"PK\x03\x04" + noise, noise):
            (folder / "kb").write_bytes(damaged)
            with contextlib.suppress(InputError):
                assert read_export(folder / "kb").parsed


# Whole or not at all


class Failing:
    """A file that fails after so many bytes, as on a full disk."""

    def __init__(self, opened: Any, room: int) -> None:
        self._opened = opened
        self._room = room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def write(self, data: Any) -> int:
        """Write if there is room."""
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._opened.write(data)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what fills the disk: after so many bytes of any file of an export."""

    def fill(room: int) -> None:
        real = io.open

        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            there = real(file, mode, *args, **kwargs)
            return Failing(there, room) if set(mode) & set("wx+") else there

        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr("builtins.open", opened)

    yield fill
    monkeypatch.undo()


@pytest.mark.parametrize("room", [0, 500, 3_000])
@WAYS
def test_a_full_disk_leaves_what_was_there(
    export: Any,
    room: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    full_disk: Any,
) -> None:
    """Nothing half written stays, and no temporary file anywhere."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    parsed = [one(f"{os.urandom(2_000).hex()}\nyes", f"{n}.md") for n in range(9)]
    (tmp_path / "kb").write_text("old")
    full_disk(room)
    with pytest.raises(StorageError, match=r"Cannot write .*kb: the disk is full. What was there"):
        export(Held(parsed, RULES), tmp_path / "kb")
    monkeypatch.undo()
    assert (tmp_path / "kb").read_text() == "old"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["kb", "tmp"]
    assert [*(tmp_path / "tmp").iterdir()] == []


@WAYS
def test_an_error_in_the_middle_leaves_what_was_there(export: Any, tmp_path: Path) -> None:
    """A knowledge base that cannot be read to its end is not half exported."""
    held = Held([FULL, one("a\nb")], RULES)

    def broken(document_id: str) -> Document:
        if document_id == "a.txt":
            raise InputError("gone")
        return FULL[0]

    held.document = broken  # type: ignore[method-assign]
    (tmp_path / "kb").write_text("old")
    with pytest.raises(InputError, match="gone"):
        export(held, tmp_path / "kb")
    assert [child.read_text() for child in tmp_path.iterdir()] == ["old"]


@WAYS
def test_an_export_that_cannot_be_put_in_its_place_leaves_nothing(
    export: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of the last step, and of the flush before it, leaves nothing behind."""
    for name in ("replace", "_flush"):

        def refuse(*_: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr(files if name == "_flush" else Path, name, refuse)
            with pytest.raises(StorageError, match=r"Cannot write .*kb: Input/output error"):
                export(Held([FULL]), tmp_path / "kb")
        assert [*tmp_path.iterdir()] == []


@WAYS
def test_folders_are_made_and_files_replaced(export: Any, tmp_path: Path) -> None:
    """An export makes its folders and replaces an older one; a folder is not replaced."""
    file = tmp_path / "new" / "folder" / "kb"
    for parsed in ([FULL], [one("a\nb")]):
        export(Held(parsed), file)
        assert read_export(file).parsed == parsed
    with pytest.raises(StorageError, match=r"it is a folder. Name a file"):
        export(Held([FULL]), tmp_path)
    with pytest.raises(StorageError, match=r"Cannot write .*: (Not a directory|File exists)"):
        export(Held([FULL]), file / "kb")


def test_a_workbook_that_would_not_be_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows or bytes than a workbook can have are refused, and the other form is named."""
    monkeypatch.setattr(sheets, "MAX_ROWS", 31)
    parsed = [one("a\nb", f"{number}.md") for number in range(31)]
    with pytest.raises(InputError, match=r"more than 31 rows.*Export as JSON lines"):
        as_workbook(Held(parsed), tmp_path / "kb.xlsx")
    as_workbook(Held(parsed[:30]), tmp_path / "kb.xlsx")
    monkeypatch.setattr(sheets, "MAX_UNPACKED", 20_000)
    with pytest.raises(InputError, match=r"The workbook has .* bytes .*Export as JSON lines"):
        as_workbook(Held(parsed[:29]), tmp_path / "kb.xlsx")
    assert len(read_export_rows(tmp_path / "kb.xlsx")) == 31


def read_export_rows(file: Path) -> list[Any]:
    """Return the rows of the entries."""
    return list(openpyxl.load_workbook(file)["entries"].iter_rows())


@WAYS
def test_documents_are_exported_one_at_a_time(export: Any, tmp_path: Path) -> None:
    """No more than one document is in memory: each is asked for when those before are written."""
    asked: list[str] = []
    held = Held([one("a\nb", f"{number}.md") for number in range(5)])

    class Watching(Held):
        def document(self, document_id: str) -> Document:
            asked.append(document_id)
            return held.document(document_id)

        def entries(self, document_id: str) -> list[tuple[Entry, str]]:
            assert asked[-1] == document_id
            return held.entries(document_id)

    watching = Watching([one("a\nb", f"{number}.md") for number in range(5)])
    export(watching, tmp_path / "kb")
    assert asked == [f"{number}.md" for number in range(5)]


def test_json_is_one_object_a_line(tmp_path: Path) -> None:
    """Characters that other programs take for line ends do not break lines apart in bytes."""
    as_jsonl(Held([one("a\u2028b\x85c\rd\n")]), tmp_path / "kb.jsonl")
    data = (tmp_path / "kb.jsonl").read_bytes()
    assert [next(iter(json.loads(line))) for line in data.split(b"\n")[:-1]] == [
        "policy_qa_export", "document", "entry", "end",
    ]  # fmt: skip
