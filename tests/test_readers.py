"""Readers of text, of tables and of JSONL."""

import csv
import io
import json
import os
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart

from policy_qa.errors import CorpusError
from policy_qa.readers import SUFFIXES, delimited, files, read_file, tables
from policy_qa.readers.cells import clean, day, shown
from policy_qa.readers.encodings import likely_encoding
from policy_qa.readers.rows import MAX_CELL_CHARS, PART_ROWS
from policy_qa.types import Place

FILES = Path(__file__).parent / "files"
TRADITIONAL = "一、如何退款\n買家可以申請退款,這個問題是賣家的責任,我們會在七天內處理。\n"
SIMPLIFIED = "一、如何退款\n买家可以申请退款，这个问题是卖家的责任，我们会在七天内处理。\n"
SOME = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(file, document_id="", columns=None):
    """Return what a file gives, after checking what is true of all."""
    parsed = list(read_file(file, document_id or file.name, columns or {}))
    assert_sound(parsed, document_id or file.name)
    return parsed


def assert_sound(parsed, document_id):
    """Spans lie in the text and do not overlap; places ascend; ids are unique; parts are said."""
    ids = [entry.id for _, entries in parsed for entry in entries]
    assert len(ids) == len(set(ids))
    for n, (document, entries) in enumerate(parsed, start=1):
        assert document.id == (document_id if n == 1 else f"{document_id}:{n}")
        assert document.part_of == ("" if n == 1 else document_id)
        offsets = [offset for offset, _ in document.places]
        assert offsets == sorted(set(offsets))
        assert all(0 <= offset <= len(document.text) for offset in offsets)
        end = 0
        for entry in entries:
            assert entry.document_id == document.id
            assert end <= entry.span.start < entry.span.end <= len(document.text)
            for span in (entry.question, entry.answer):
                assert entry.span.start <= span.start <= span.end <= entry.span.end
            assert not entry.question or entry.question.end <= entry.answer.start
            end = entry.span.end


def entries_of(parsed):
    """Return the id, question and answer of each entry."""
    return [
        (
            entry.id,
            document.text[entry.question.start : entry.question.end],
            document.text[entry.answer.start : entry.answer.end],
        )
        for document, entries in parsed
        for entry in entries
    ]


def refusal(file, columns=None):
    """Return the one line with which a file is refused."""
    with pytest.raises(CorpusError) as caught:
        list(read_file(file, file.name, columns or {}))
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message.removeprefix(str(file))


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a file and returns it."""

    def write(name, content):
        file = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        file.write_bytes(data)
        return file

    return write


def workbook(*rows, sheet="Sheet"):
    """Return a workbook with these rows on one sheet."""
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    return book


def saved(book):
    """Return a workbook's file."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(data, **changed):
    """Return an XLSX file with some parts (`sheet1`) replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in old.namelist():
            part = name.rpartition("/")[2].partition(".")[0]
            new.writestr(name, changed.get(part, old.read(name)))
    return file.getvalue()


def test_suffixes():
    """The endings that are read are these."""
    assert SUFFIXES == (
        ".txt", ".text", ".md", ".markdown", ".csv", ".tsv", ".xlsx", ".jsonl",
        ".html", ".htm", ".docx", ".pdf",
    )  # fmt: skip


# --- Text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", TRADITIONAL),
        ("utf-8-sig", TRADITIONAL),
        ("utf-16", SIMPLIFIED),
        ("utf-16-le", "\ufeff" + SIMPLIFIED),
        ("utf-16-be", "\ufeff" + SIMPLIFIED),
        ("utf-32", SIMPLIFIED),
        ("big5", TRADITIONAL),
        ("big5hkscs", TRADITIONAL + "在香港咗嘅嘢都可以退。\n"),
        ("cp950", TRADITIONAL + "恒裏粧嫺墻\n"),
        ("gbk", SIMPLIFIED),
        ("gb18030", SIMPLIFIED + "㐀𠀀\n"),
    ],
)
def test_encodings(written, encoding, text):
    """Text is read in the encoding that it is in, to the character."""
    file = written("a.txt", text.encode(encoding))

    [(document, entries)] = read(file)

    assert document.text == text.removeprefix("\ufeff")
    assert entries[0].id == "a#1"


def test_text_is_as_it_was(written):
    """A text keeps its line ends, its folders and front matter are tags, and it has no places."""
    file = written("a.md", "---\ntags: [x]\neffective_from: 2025-01-01\n---\r\n# 甲\r\n乙\r丙\n")

    [(document, entries)] = read(file, "shop/refund/a.md")

    assert document.text == file.read_bytes().decode()
    assert document.tags == ("shop", "refund", "x")
    assert document.effective_from == date(2025, 1, 1)
    assert document.places == ()
    assert [(e.id, e.effective_from) for e in entries] == [("shop/refund/a.md#1", date(2025, 1, 1))]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            (TRADITIONAL * 9).encode() + b"\xff\xfe\n",
            " is not UTF-8 text (line 19). Save it as UTF-8 or take it out of the corpus.",
        ),
        (
            b"\x80\x81\xfe\xff" * 9,
            " is not UTF-8 text (line 1). Save it as UTF-8 or take it out of the corpus.",
        ),
        (b"a\0b", " is not text. Take it out of the corpus or save it as UTF-8."),
        (b"\1\2\3\4abc", " is not text. Take it out of the corpus or save it as UTF-8."),
        (
            SIMPLIFIED.encode("gbk") * 9 + TRADITIONAL.encode(),
            " mixes encodings: some lines are UTF-8, and line 1 looks like GB18030. "
            "Save all of it as UTF-8.",
        ),
        (
            SIMPLIFIED.encode() * 9 + SIMPLIFIED.encode("gbk") * 5,
            " mixes encodings: some lines are UTF-8, and line 19 looks like GB18030. "
            "Save all of it as UTF-8.",
        ),
        (
            SIMPLIFIED.encode("gbk") * 99 + "买家\n".encode(),
            ", line 199: of another encoding than the lines around it. Save all of it as UTF-8.",
        ),
        (
            SIMPLIFIED.encode("gbk") * 99
            + TRADITIONAL.replace("\n", "").encode("big5") * 2
            + b"\n",
            ", line 199: of another encoding than the lines around it. Save all of it as UTF-8.",
        ),
    ],
    ids=["broken", "none", "nul", "controls", "gbk+utf8", "utf8+gbk", "gbk+little", "gbk+big5"],
)
def test_refused_bytes(written, data, message):
    """Broken, mixed and binary bytes are refused, with the line."""
    assert refusal(written("a.txt", data)) == message


def test_likely_encoding():
    """The guess names encodings as iconv does, and does not guess UTF-8 with broken bytes."""
    assert likely_encoding(TRADITIONAL.encode("big5")) == "BIG5-HKSCS"
    assert likely_encoding(SIMPLIFIED.encode("gbk")) == "GB18030"
    assert likely_encoding(TRADITIONAL.encode("utf-16")) == "UTF-16"
    assert likely_encoding(TRADITIONAL.encode("utf-32")) == "UTF-32"
    assert likely_encoding(TRADITIONAL.encode() * 20 + b"\xff") is None


def test_large_text(tmp_path):
    """A text above the limit is refused by its size alone."""
    file = tmp_path / "a.txt"
    with file.open("wb") as stream:
        stream.truncate(60_000_000)

    assert refusal(file) == " has 60 MB; the limit is 50 MB. Split it."


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_files(tmp_path, suffix):
    """A folder, a pipe and what is missing are refused, whatever they are called."""
    folder, pipe = tmp_path / f"x{suffix}", tmp_path / f"y{suffix}"
    folder.mkdir()
    os.mkfifo(pipe)

    assert refusal(folder) == " is no regular file. Take it out of the corpus."
    assert refusal(pipe) == " is no regular file. Take it out of the corpus."
    with pytest.raises(CorpusError, match=r"Cannot read .* No such file"):
        list(read_file(tmp_path / f"z{suffix}", "z"))


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_changing_file(written, monkeypatch, name):
    """A file that is written while it is read is refused, not read in halves."""
    file = written(name, '{"q": "x", "a": "y"}\n')
    states = iter(range(99))
    monkeypatch.setattr(files, "_state", lambda file, limit: (0, next(states)))

    assert refusal(file) == " changed while it was read. Try again when nothing writes to it."


def test_changed_once(written, monkeypatch):
    """A text that changed once while it was read is read again."""
    file = written("a.txt", "退款")
    states = iter([1, 2, 3, 3])
    monkeypatch.setattr(files, "_state", lambda file, limit: (0, next(states)))

    assert [document.text for document, _ in read(file)] == ["退款"]


# --- Tables of questions

QUESTIONS = (
    "編號,標準問題,相似問法1,相似問法2,標準答案,標籤,生效日期,失效日期,備註\n"
    "R1,幾天可退？,多久能退|退貨期限,退貨期間,七天內。,退貨，時效,2025/1/1,2025年12月31日,生鮮除外\n"
    ",,,,,,,,\n"
    "R2,運費誰付？,,,買家。,,,,\n"
)


def test_question_table(written):
    """Columns are known by their names; further ones follow the answer; rows have numbers."""
    [(document, entries)] = read(written("faq.csv", QUESTIONS), "shop/faq.csv")

    assert document.text == "幾天可退？\n七天內。\n備註：生鮮除外\n\n運費誰付？\n買家。"
    assert document.tags == ("shop",)
    assert document.places == ((0, Place("row", 2)), (20, Place("row", 4)))
    assert entries_of([(document, entries)]) == [
        ("shop/faq.csv#R1", "幾天可退？", "七天內。\n備註：生鮮除外"),
        ("shop/faq.csv#R2", "運費誰付？", "買家。"),
    ]
    first, second = entries
    assert first.alternates == ("多久能退", "退貨期限", "退貨期間")
    assert first.tags == ("退貨", "時效")
    assert (first.effective_from, first.expires) == (date(2025, 1, 1), date(2025, 12, 31))
    assert (second.alternates, second.tags, second.expires) == ((), (), None)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("問題,答案\n甲？,乙\n", "a.csv"),
        ("答案;問題\n乙;甲？\n", "a.csv"),
        ("问题\t回答\n甲？\t乙\n", "a.csv"),
        ("Ｑ,Ａ\n甲？,乙\n", "a.csv"),
        ("  Standard_Question : , ANSWER(必填)\n甲？,乙\n", "a.csv"),
        ("序號,常見問題,官方回覆\n1,甲？,乙\n", "a.csv"),
        ("title,content\n甲？,乙\n", "a.csv"),
        ("question\tanswer\r\n甲？\t乙\r\n", "a.tsv"),
        ("question\tanswer\r甲？\t乙\r", "a.tsv"),
        ("sep=;\nquestion;answer\n甲？;乙\n", "a.csv"),
        ('"問題","答案"\n"甲？","乙"\n', "a.CSV"),
        ("我的知識庫,\n問題,答案\n甲？,乙\n", "a.csv"),
        ("問題,答案\n甲？,乙\n問題,答案\n", "a.csv"),
        ("\ufeff問題,答案\n\n\n甲？,乙", "a.csv"),
    ],
)
def test_headers(written, content, name):
    """Headers are known in both scripts and in English, in any order and width."""
    assert entries_of(read(written(name, content))) == [(f"{name}#1", "甲？", "乙")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "big5", "gb18030"])
def test_table_encodings(written, encoding):
    """Tables are decoded like texts."""
    text = "問題,答案\n買家可以退款嗎？,可以,這個時候我們會出運費。\n".replace("以,這", "以；這")
    file = written("a.csv", text.encode(encoding))

    assert entries_of(read(file)) == [
        ("a.csv#1", "買家可以退款嗎？", "可以；這個時候我們會出運費。")
    ]


def test_mapped_columns(written):
    """A mapping says which column is which, and one that is not there is named."""
    file = written("a.csv", "客戶問,客服說,分類\n甲？,乙,退貨\n")
    columns = {"question": "客户问", "answer": "客服說", "tags": "分類"}

    [(_, [entry])] = read(file, columns=columns)
    assert (entry.id, entry.tags) == ("a.csv#1", ("退貨",))
    assert refusal(file, {"question": "問句", "answer": "客服說"}) == (
        " has no column '問句'; its columns are: 客戶問, 客服說, 分類. Name one of these."
    )
    assert refusal(file, {"tags": "類別"}).startswith(" has no column '類別'; its columns are: ")
    assert refusal(file, {"frage": "客戶問"}) == (
        ": no column can be 'frage'. Use one of question, answer, alternates, tags, "
        "effective_from, expires, id."
    )


def test_mapping_of_one_sheet(written):
    """A mapping that one sheet fits is no error for the others, nor where usual names are."""
    book = workbook(("客戶問", "答案"), ("甲？", "乙"))
    prices = book.create_sheet("費率")
    prices.append(("方案", "月租"))
    prices.append(("基本", 300))
    file = written("a.xlsx", saved(book))

    assert [entry[0] for entry in entries_of(read(file, columns={"question": "客戶問"}))] == [
        "a.xlsx#1"
    ]
    assert entries_of(read(file, columns={"question": "問了啥"})) == [("a.xlsx#1", "甲？", "乙")]
    other = written("b.xlsx", saved(workbook(("問了啥", "怎麼回"), ("甲？", "乙"))))
    assert refusal(other, {"question": "誰問"}).startswith(", sheet Sheet has no column '誰問'; ")


def test_half_rows(written):
    """A question without an answer stays; an answer without a question stands alone."""
    file = written("a.csv", "question,answer,category\nWhy?,,shipping\n,Because.,\n,,x\n")

    [(document, entries)] = read(file)

    assert document.text == "Why?\ncategory: shipping\n\nBecause.\n\ncategory: x"
    assert entries_of([(document, entries)]) == [
        ("a.csv#1", "Why?", ""),
        ("a.csv#2", "", "Because."),
        ("a.csv#3", "", "category: x"),
    ]


def test_lines_in_cells(written):
    """Answers keep their line breaks, questions do not; rows are counted and not lines."""
    file = written("a.csv", '問題,答案\n"甲\n乙？","1. 一\r\n2. 二"\n"相\t似","\u0001x\u2028y"\n')

    [(document, _)] = read(file)

    assert document.text == "甲 乙？\n1. 一\n2. 二\n\n相\t似\nx y"
    assert document.places == ((0, Place("row", 2)), (16, Place("row", 3)))


def test_no_header(written):
    """A table that opens with a question and its answer has no header."""
    file = written("a.csv", "可以退嗎？,可以。\n多久？,七天。\n")

    assert entries_of(read(file)) == [
        ("a.csv#1", "可以退嗎？", "可以。"),
        ("a.csv#2", "多久？", "七天。"),
    ]


# --- Other tables


def test_other_table(written):
    """A row of a table without questions keeps its headers and its cells as they are."""
    file = written("a.csv", "地區,運費,備註\n台北,60元,\n花蓮,100元,兩天。\n")

    assert entries_of(read(file)) == [
        ("a.csv#1", "", "地區：台北；運費：60元。"),
        ("a.csv#2", "", "地區：花蓮；運費：100元；備註：兩天。"),
    ]


def test_latin_table(written):
    """Latin headers and cells are divided by Latin marks."""
    file = written("a.csv", "Region,Fee\nNorth,12 euros\nSouth,9 euros\n")

    assert entries_of(read(file)) == [
        ("a.csv#1", "", "Region: North; Fee: 12 euros."),
        ("a.csv#2", "", "Region: South; Fee: 9 euros."),
    ]


def test_titles_above(written):
    """Titles above a header head its rows."""
    file = written("a.csv", "2025年費率,,\n地區,運費\n台北,60元,加價\n")

    [(document, [entry])] = read(file)

    assert document.text == "地區：台北；運費：60元；加價。"
    assert entry.path == ("2025年費率",)


def test_lists(written):
    """A table of one column has no header; one of one row says what it holds."""
    assert entries_of(read(written("a.csv", "甲。\n乙。\n"))) == [
        ("a.csv#1", "", "甲。"),
        ("a.csv#2", "", "乙。"),
    ]
    assert entries_of(read(written("b.csv", "甲,乙\n"))) == [("b.csv#1", "", "甲；乙。")]
    [(document, entries)] = read(written("c.csv", ""))
    assert (document.text, list(entries)) == ("", [])


# --- Broken tables


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("id,q,a\nx,甲,乙\ny,丙,丁\nx,戊,己\n", ", row 4: its id 'x' is that of row 2 as well."),
        (
            "id,q,a\n,甲,乙\n1,丙,丁\n",
            ", row 3: its id '1' is that of a row that has no id as well",
        ),
        ("id,q,a\n2,甲,乙\n,丙,丁\n", ", row 3: its id '2' is that of row 2 as well."),
        (
            "q,a,失效日\n甲,乙,明年\n",
            ", row 2: 失效日 is '明年', which is no day. Write it as 2025-12-31.",
        ),
        ("q,a,expires\n甲,乙,2025-02-30\n", ", row 2: expires is '2025-02-30', which is no day."),
        (
            "q,a,生效日,失效日\n甲,乙,2025-02-03,2025-02-01\n",
            ", row 2 expires (2025-02-01) before it is effective (2025-02-03). Mend either.",
        ),
        ('q,a\n甲,"乙\n丙,丁\n', ", row 2: the table is broken there (unexpected end of data)."),
        ('q,a\n甲,"乙"丙\n', ", row 2: the table is broken there"),
        ("q,a\n甲,#N/A\n", ", row 2: #N/A is the error of a formula."),
        ("q,a\n甲," + "乙" * (MAX_CELL_CHARS + 1), ", row 2: a cell of more than 100,000 char"),
        ('q,a\n甲,"' + "乙\n" * 200_000, ", row 2: the table is broken there (field larger"),
        ("q,a\n" + "甲," * 1_000_000, ", row 2: a line of more than 2,000,000 bytes."),
        ('q,a\n甲,"b\n' + '","\n' * 600_000, ", row 2: a row of more than 2,000,000 characters."),
        ("q,a,x\n甲,乙," + "丙," * 260_000, ", row 2: more than 500,000 characters."),
        ("a\0b,q,a\n", " is not text."),
        (f"id,q,a\n{'x' * 201},甲,乙\n", ", row 2: an id of more than 200 characters."),
    ],
)
def test_broken_tables(written, rows, message):
    """What is wrong with a table is told with its row."""
    assert refusal(written("a.csv", rows)).startswith(message)


def test_broken_encoding_later(written, monkeypatch):
    """A row that is not of the encoding that the file began with is named."""
    monkeypatch.setattr(delimited, "SAMPLE_BYTES", 1_000)
    rows = "問題,答案\n" + "甲,乙\n" * 2_000

    file = written("a.csv", rows.encode() + "買家,賣家\n".encode("big5"))

    assert refusal(file) == (
        ", row 2002: not UTF-8 text, as the lines above are. Save all of it as UTF-8."
    )


def test_ids_without_marks(written):
    """The marks that divide ids of entries and passages become hyphens."""
    file = written("a.csv", "id,q,a\n#12,甲,乙\nFAQ:7 b#c,丙,丁\n")

    assert [entry[0] for entry in entries_of(read(file))] == ["a.csv#12", "a.csv#FAQ-7-b-c"]


def test_number_ids(written):
    """Numbers as ids that no other row has by its place are no clash."""
    file = written("a.csv", "id,q,a\n10,甲,乙\n11,丙,丁\n")

    assert [entry[0] for entry in entries_of(read(file))] == ["a.csv#10", "a.csv#11"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2025-12-31", date(2025, 12, 31)),
        ("２０２５／１／５", date(2025, 1, 5)),
        ("2025年 1月5日", date(2025, 1, 5)),
        ("2025.1.5", date(2025, 1, 5)),
        ("20250105", date(2025, 1, 5)),
        ("2025-01-05 00:00:00", date(2025, 1, 5)),
        ("", None),
        ("長期有效", None),
        ("N/A", None),
    ],
)
def test_days(cell, found):
    """A day is known as it is written in Chinese and English tables."""
    assert day(cell) == found


@pytest.mark.parametrize(
    "cell", ["45992", "31/12/2025", "2025-13-01", "2025-1", "soon", "0000-1-1"]
)
def test_no_days(cell):
    """What may be another day, or is none, is refused."""
    with pytest.raises(ValueError):  # noqa: PT011 (the message is the table's)
        day(cell)


# --- Parts


def test_parts(written):
    """A long table has several documents; the numbers of its entries go on."""
    rows = "".join(f"問{n}？,答{n}\n" for n in range(1, 2 * PART_ROWS + 2))

    parsed = read(written("faq.csv", "問題,答案\n" + rows), "x/faq.csv")

    assert [(d.id, d.part_of, len(entries)) for d, entries in parsed] == [
        ("x/faq.csv", "", 1000),
        ("x/faq.csv:2", "x/faq.csv", 1000),
        ("x/faq.csv:3", "x/faq.csv", 1),
    ]
    assert parsed[1][0].places[0] == (0, Place("row", 1002))
    assert entries_of(parsed)[1000] == ("x/faq.csv#1001", "問1001？", "答1001")


def test_parts_by_length(written):
    """A part has at most half a million characters."""
    rows = "".join(f"問{n}？,{'答' * 90_000}\n" for n in range(12))

    parsed = read(written("faq.csv", "問題,答案\n" + rows))

    assert [len(entries) for _, entries in parsed] == [5, 5, 2]


def test_streaming(written, monkeypatch):
    """Parts come before the file is read to its end."""
    monkeypatch.setattr(delimited, "SAMPLE_BYTES", 1_000)
    rows = "".join(f"q{n},a{n}\n" for n in range(5_000))
    file = written("faq.csv", ("question,answer\n" + rows).encode() + b"\xff,\n")

    parsed = read_file(file, "faq.csv")

    assert [next(parsed)[0].id for _ in range(3)] == ["faq.csv", "faq.csv:2", "faq.csv:3"]
    with pytest.raises(CorpusError, match="row 5002"):
        list(parsed)


# --- Workbooks


def test_workbook_of_libreoffice():
    """Sheets share a document; merged titles, dates, formats and hidden sheets are understood."""
    [(document, entries)] = read(FILES / "questions.xlsx")

    assert document.text == (
        "幾天內可以退貨？\n收到商品後七天內。\n需保留完整包裝。\n備註：生鮮除外\n\n"
        "退貨運費誰出？\n由買家負擔。\n\n"
        "方案：基本；手續費：1.5%；月租：300。\n\n方案：進階；手續費：1.0%；月租：500。"
    )
    assert document.places == (
        (0, Place("row", 3, "退貨")),
        (37, Place("row", 5, "退貨")),
        (53, Place("row", 2, "費率")),
        (77, Place("row", 3, "費率")),
    )
    assert [entry.id for entry in entries] == [
        f"questions.xlsx#{own}" for own in ("R-1", "R-2", "3", "4")
    ]
    assert entries[0].expires == date(2026, 12, 31)
    assert entries[0].alternates == ("退貨期限多久", "多少天內能退")
    assert [entry.path for entry in entries] == [("退貨", "客服知識庫")] * 2 + [("費率",)] * 2


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (300.0, "General", "300"),
        (0.1 + 0.2, "General", "0.3"),
        (1e-7, "General", "0.0000001"),
        (0.015, "0.0%", "1.5%"),
        (0.5, "0%", "50%"),
        (1234.5, '#,##0.00"元"', "1,234.50元"),
        (1500, '"NT$"#,##0', "NT$1,500"),
        (1500, "[$€-407]#,##0.00", "€1,500.00"),
        (7, '0"天"', "7天"),
        (7, "0_);(0)", "7"),
        (7, "@", "7"),
        (True, "General", "TRUE"),
        (datetime(2025, 12, 31), "yyyy", "2025-12-31"),  # noqa: DTZ001 (cells have no zone)
        (datetime(2025, 12, 31, 9, 30), "yyyy", "2025-12-31 09:30"),  # noqa: DTZ001
        (None, "General", ""),
        (" a\r\nb\u0007 ", "General", "a\nb"),
    ],
)
def test_shown_cells(value, number_format, text):
    """A cell is read as a spreadsheet shows it."""
    assert shown(value, number_format) == text


def test_formulas(written):
    """A formula that was never shown is blank, and a row of these is none."""
    file = written(
        "a.xlsx", saved(workbook(("項目", "金額"), ("甲", "=1+1"), ("=1", "=2"), ("乙", "#N/A")))
    )

    assert entries_of(read(file)) == [
        ("a.xlsx#1", "", "項目：甲。"),
        ("a.xlsx#2", "", "項目：乙。"),
    ]


def test_hidden_sheets(written):
    """A hidden sheet is not read, and a workbook of these is refused."""
    book = workbook(("q", "a"), ("甲", "乙"), sheet="內部")
    book.create_sheet("公開").append(("x", "y"))
    book["內部"].sheet_state = "veryHidden"
    assert entries_of(read(written("a.xlsx", saved(book)))) == [("a.xlsx#1", "", "x; y.")]

    book.create_chartsheet("圖").add_chart(BarChart())
    book["公開"].sheet_state = "hidden"
    book.active = 2
    assert refusal(written("b.xlsx", saved(book))).startswith(" has no visible sheet.")


def test_wrong_dimensions(written):
    """The dimensions that a program wrote do not decide what is read."""
    data = saved(workbook(("q", "a"), ("甲", "乙")))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        part = package.read("xl/worksheets/sheet1.xml")
    for dimension in (b'ref="A1"', b'ref="A1:XFD1048576"'):
        file = written("a.xlsx", repacked(data, sheet1=part.replace(b'ref="A1:B2"', dimension)))
        assert entries_of(read(file)) == [("a.xlsx#1", "甲", "乙")]


def test_million_blank_rows(written):
    """Rows that are only formatted, down to the end of the sheet, do not hold up the reader."""
    data = saved(workbook(("q", "a"), ("甲", "乙")))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        part = package.read("xl/worksheets/sheet1.xml").decode()
    blank = "".join(f'<row r="{n}"><c r="A{n}"/></row>' for n in range(3, 400_000))
    part = part.replace("</sheetData>", f'{blank}<row r="99999999"/></sheetData>')
    file = written("a.xlsx", repacked(data, sheet1=part.encode()))

    assert entries_of(read(file)) == [("a.xlsx#1", "甲", "乙")]


def test_row_numbers(written):
    """Rows that a file leaves out are counted as the sheet counts them."""
    book = workbook(("q", "a"))
    book.active["A5000"], book.active["B5000"] = "甲", "乙"

    [(document, _)] = read(written("a.xlsx", saved(book)))

    assert document.places == ((0, Place("row", 5000, "Sheet")),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(99), " is a file of an old Office or has a password. Save"),
        (b"PK\3\4 not so", " is no XLSX file or is damaged. Save it again as .xlsx, or take it"),
        (b"", " is no XLSX file or is damaged."),
        (
            repacked(saved(workbook(("q", "a"))), sheet1=b"<worksheet><sheetData>"),
            " is no XLSX file or is damaged.",
        ),
        (
            repacked(
                saved(workbook(("q", "a"))),
                sheet1=b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>',
            ),
            " holds a document type declaration, which no .xlsx needs.",
        ),
        (
            repacked(saved(workbook(("q", "a"))), sheet1=bytes(30_000_000)),
            " unpacks to more than 300 times its size, as no document does.",
        ),
    ],
    ids=["old", "no zip", "empty", "broken", "entities", "bomb"],
)
def test_broken_workbooks(written, data, message):
    """Old, locked, broken and dangerous workbooks are refused by what they are."""
    assert refusal(written("a.xlsx", data)).startswith(message)


def test_large_package(written, monkeypatch):
    """What unpacks to more than the limit is refused before it is unpacked."""
    monkeypatch.setattr("policy_qa.readers.archives.MAX_UNPACKED", 1_000)

    assert " parts unpacked; the limits are 1,000 and " in refusal(
        written("a.xlsx", saved(workbook(("q", "a"))))
    )


def test_workbook_row_errors(written):
    """An error in a workbook names the sheet and the row."""
    rows = (("q", "a", "expires"), ("甲", "乙", "soon"))

    assert refusal(written("a.xlsx", saved(workbook(*rows, sheet="退貨")))).startswith(
        ", sheet 退貨, row 2: expires is 'soon', which is no day."
    )


# --- JSONL


def test_jsonl(written):
    """Objects have the fields of tables, in either language, or a text."""
    lines = [
        {
            "question": "幾天可退？", "answer": "七天。\n完整包裝。",
            "alternates": ["多久", "期限"], "tags": ["退貨"],
            "effective_from": "2025-01-01", "expires": None, "id": 7,
            "path": ["退貨", "時效"], "備註": "生鮮除外",
        },
        {"問題": "運費？", "答案": "買家。", "標籤": "a,b"},
        {"text": "本店週日公休。"},
        {"項目": "運費", "金額": 60.0, "可退": True, "x": {"y": [1]}},
    ]  # fmt: skip
    content = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines)

    [(document, entries)] = read(written("a.jsonl", content))

    assert entries_of([(document, entries)]) == [
        ("a.jsonl#7", "幾天可退？", "七天。\n完整包裝。\n備註：生鮮除外"),
        ("a.jsonl#2", "運費？", "買家。"),
        ("a.jsonl#3", "", "本店週日公休。"),
        ("a.jsonl#4", "", '項目：運費；金額：60；可退：TRUE；x：{"y": [1]}。'),
    ]
    assert [place for _, place in document.places] == [Place("row", n) for n in (1, 3, 5, 7)]
    assert entries[0].alternates == ("多久", "期限")
    assert (entries[0].path, entries[0].tags) == (("退貨", "時效"), ("退貨",))
    assert entries[0].effective_from == date(2025, 1, 1)
    assert entries[1].tags == ("a", "b")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", ", line 2 is no JSON ("),
        ("[" * 100_000, ", line 2 is no JSON ("),
        ("[1]", ", line 2 is no object. Write it as"),
        ('{"q": "甲", "a": "乙", "expires": "x"}', ", line 2: expires is 'x', which is no day."),
        ('{"q": "甲", "a": "乙", "id": "1"}\n{"q": "1", "id": 1}', ", row 3: its id '1' is that"),
        ('{"a": "' + "x" * 2_000_000 + '"}', ", line 2: a line of more than 2,000,000 bytes."),
        ('{"a": "' + "x" * 600_000 + '"}', ", row 2: more than 500,000 characters."),
    ],
)
def test_broken_jsonl(written, line, message):
    """A broken line is told with its number."""
    file = written("a.jsonl", '{"text": "甲", "id": "x"}\n' + line)

    assert refusal(file).startswith(message)


def test_halves_of_characters(written):
    """Halves of characters and control characters do not get into a text."""
    file = written("a.jsonl", r'{"q": "甲\ud800\u0000", "a": "\udfff乙"}')

    assert entries_of(read(file)) == [("a.jsonl#1", "甲", "乙")]


# --- Properties

CELL = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n")
    | st.sampled_from("，,；;\"'|\t=退款"),
    max_size=12,
).map(clean)


@SOME
@given(
    st.lists(st.tuples(CELL.filter(bool), CELL, CELL), min_size=1, max_size=8),
    st.sampled_from(",;\t"),
)
@example([("q", 'a"b', "c,d")], ";")
def test_csv_round_trip(tmp_path, rows, delimiter):
    """What a table says comes back, cell for cell, in any of the ways to divide it."""
    rows = [row for row in rows if set(row) != {"問題", "答案", "備註"}]
    rows = [row for row in rows if not {*row} & tables._FORMULA_ERRORS]
    content = io.StringIO(newline="")
    csv.writer(content, delimiter=delimiter).writerows([("問題", "答案", "備註"), *rows])
    file = tmp_path / "a.csv"
    file.write_text(content.getvalue(), "utf-8", newline="")

    found = entries_of(read(file))

    expected = []
    for question, answer, note in rows:
        whole = f"{answer}\n備註：{note}" if note and answer else answer
        expected.append((" ".join(filter(None, map(str.strip, question.split("\n")))), whole))
    assert [(" ".join(q.split(" ")), a) for _, q, a in found] == expected


@SOME
@given(
    st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=8),
)
def test_workbook_properties(tmp_path, rows):
    """Any cells give sound entries, whose texts hold every cell."""
    file = tmp_path / "a.xlsx"
    rows = [[cell.removeprefix("=") for cell in row] for row in rows]
    file.write_bytes(saved(workbook(("甲", "乙", "丙", "丁"), *rows)))

    parsed = read(file)

    found = {place.number: i for i, (_, place) in enumerate(parsed[0][0].places)}
    texts = [answer for _, _, answer in entries_of(parsed)]
    for number, row in enumerate(rows, start=2):
        for cell in filter(None, map(clean, row)):
            if not cell.startswith("#"):
                assert " ".join(cell.split()) in " ".join(texts[found[number]].split())


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@example("<p>退款<table><tr><td>甲".encode())
@example(b"\xff\xfe\x00\xd8")
@example(b'q,a\n"')
@example(b"\xef\xbb\xbf")
def test_any_bytes(tmp_path, suffix, data):
    """Any bytes under any name are read or refused, and nothing else is raised."""
    file = tmp_path / f"a{suffix}"
    file.write_bytes(data)

    try:
        parsed = list(read_file(file, file.name))
    except CorpusError as error:
        assert "\n" not in str(error)  # noqa: PT017 (either is right)
    else:
        assert_sound(parsed, file.name)
