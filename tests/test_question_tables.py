"""Questions read from tables and lines."""

import csv
import io
import random
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy_qa.errors import EvaluationError
from policy_qa.evaluation import question_tables
from policy_qa.evaluation.question_tables import (
    MAX_BYTES,
    MAX_ELEMENTS,
    MAX_OTHER_PART,
    MAX_PARTS,
    MAX_QUESTIONS,
    MAX_UNPACKED,
    Case,
    read_pasted,
    read_questions,
)
from policy_qa.settings import MAX_QUERY_CHARS

CHINESE = (
    "問題,標準問題\n"
    "買家說不想要了，這個運費是誰來付？,returns#1\n"
    "我在這裡買的東西壞了，可以退嗎？,returns#2\n"
)
CHINESE_CASES = [
    Case("買家說不想要了，這個運費是誰來付？", "returns#1", 2),
    Case("我在這裡買的東西壞了，可以退嗎？", "returns#2", 3),
]


def workbook(*rows: tuple[object, ...]) -> bytes:
    """Return an XLSX file with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    """Return a workbook's file."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(data: bytes, **changed: bytes) -> bytes:
    """Return an XLSX file with some parts (`workbook`, `sheet1`) replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            part = name.rpartition("/")[2].partition(".")[0]
            new.writestr(name, changed.get(part, old.read(name)))
    return file.getvalue()


def part(data: bytes, name: str) -> bytes:
    """Return one part of an XLSX file."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return package.read(name)


SHEET = "xl/worksheets/sheet1.xml"
TABLE = workbook(("question", "entry"), ("May I return shoes?", "returns#1"))
TABLE_CASES = [Case("May I return shoes?", "returns#1", 2)]


def refusal(data: bytes, name: str) -> str:
    """Return the error for a file, which is one line and names it."""
    with pytest.raises(EvaluationError) as error:
        read_questions(data, name)
    assert str(error.value).startswith(name)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "big5", "gb18030"])
def test_encodings(encoding):
    """A table from any spreadsheet program of the region reads the same."""
    assert read_questions(CHINESE.encode(encoding), "faq.csv") == CHINESE_CASES


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_of_either_order(order):
    """What Excel calls Unicode text is read, whatever its byte order."""
    data = ("\ufeff" + CHINESE.replace(",", "\t")).encode(f"utf-16-{order}")
    assert read_questions(data, "faq.tsv") == CHINESE_CASES


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("delimiter", "name"), [(",", "a.csv"), (";", "a.CSV"), ("\t", "a.tsv")])
def test_delimiters_and_line_ends(delimiter, name, end):
    """Whatever separates cells and rows, the cases are the same."""
    rows = [["Query", "Expected"], ["Who pays; the buyer, or I?", "r#2"], ["Refund?", ""]]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    assert read_questions(file.getvalue().encode(), name) == [
        Case("Who pays; the buyer, or I?", "r#2", 2),
        Case("Refund?", "", 3),
    ]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("question,entry", (0, 1)),
        ("entry,question", (1, 0)),
        ("ＱＵＥＲＹ,Answer Entry", (0, 1)),
        ("id,note,Question", (2, 0)),
        ("id,entry,question", (2, 1)),
        ("问题,预期", (0, 1)),
        ("問題,標準問題", (0, 1)),
        ("条目,问", (1, 0)),
        ('"條目编号","用户问题"', (1, 0)),
        ("question,note", (0, None)),
        ("text,expected_entry", (0, 1)),
        ("問題", (0, None)),
    ],
)
def test_headers(header, columns):
    """A column is known by its name in either script, case or width, wherever it stands."""
    row = ["alpha", "beta", "gamma"][: header.count(",") + 1]
    query, expected = columns
    assert read_questions(f"{header}\n{','.join(row)}\n".encode(), "a.csv") == [
        Case(row[query], row[expected] if expected is not None else "", 2)
    ]


def test_no_header():
    """Without a header the first column is the query and the second what is expected."""
    data = b"Refund?,r#1,note\n\n , \nMay I return shoes?\n"
    assert read_questions(data, "a.csv") == [
        Case("Refund?", "r#1", 1),
        Case("May I return shoes?", "", 4),
    ]


@pytest.mark.parametrize("name", ["a.csv", "pasted"])
@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("question\nCan I, as a buyer, return it?\nWhat, then?\n", 2),
        ("問題\r\n拍錯了,可以退嗎;或者不行?", 1),
        ("\n\nq\n\nhow, exactly", 1),
    ],
)
def test_questions_with_commas_under_one_name(name, text, queries):
    """Under a header of one column a comma is part of the question, which is never cut."""
    cases = read_pasted(text) if name == "pasted" else read_questions(text.encode(), name)
    assert [case.query for case in cases] == [line for line in text.splitlines() if line][1:]
    assert len(cases) == queries
    assert not any(case.expected for case in cases)


def test_one_quoted_column():
    """A single column in the form of CSV is read as such: what is quoted may have several lines."""
    data = b'question\n"Can I, as a ""buyer"", return\nit?"\n'
    assert read_questions(data, "a.csv") == [Case('Can I, as a "buyer", return it?', "", 2)]


@pytest.mark.parametrize("row", ["Can I, please, return it?", "退款,r#1,第三格"])
@pytest.mark.parametrize("header", ["question,entry", "entry,question"])
def test_more_cells_than_columns(header, row):
    """A row that a comma split into too many cells is refused, not cut; blank cells are not."""
    told = refusal(f"{header}\nx,y\nx,y,, \n{row}\n".encode(), "a.csv")
    assert "row 4: more cells than the header has columns" in told
    with pytest.raises(EvaluationError, match="row 2: more cells"):
        read_pasted(f"{header}\n{row}")


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        ("Refund?;r#1\nWho, if not I?;r#2", [("Refund?", "r#1"), ("Who, if not I?", "r#2")]),
        ("Refund?\tr#1\nWho, then?\tr#2", [("Refund?", "r#1"), ("Who, then?", "r#2")]),
        ('"Who; I; or you?",r#1', [("Who; I; or you?", "r#1")]),
        ("Refund?\nShoes?", [("Refund?", ""), ("Shoes?", "")]),
    ],
)
def test_delimiter_without_a_header(text, cases):
    """Without a header the most frequent delimiter outside of quotes separates cells."""
    read = read_questions(text.encode(), "a.csv")
    assert [(case.query, case.expected) for case in read] == cases


def test_quotes_take_no_time():
    """No run of quotes makes the guess of the delimiter slow."""
    started = time.monotonic()
    refusal(b'x,"a",y\n' + b'"' * 3_999 + b"x", "a.csv")
    for text in ('"' * 10_000, '"a' * 5_000, ',"' * 5_000, '";' * 5_000):
        only_evaluation_errors(text.encode(), "a.csv")
    assert time.monotonic() - started < 2


def test_a_question_a_line():
    """In a text file commas and tabs belong to the question, and blank lines count as lines."""
    data = "退款, 多久?\n\n \nCan I,\tplease?\u0007\n".encode()
    assert read_questions(data, "a.txt") == [
        Case("退款, 多久?", "", 1),
        Case("Can I, please?", "", 4),
    ]


def test_control_characters_are_spaces():
    """A cell of several lines is one line, and nothing in it can be invisible or half a sign."""
    assert read_questions(b'"Who\r\npays\x1b\x7f?",r#1\n', "a.csv")[0].query == "Who  pays  ?"
    assert read_pasted("Re\ud800fund\u2028?") == [Case("Re fund ?", "", 1)]


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        ("Refund, please?\nShoes?\n", [Case("Refund, please?", "", 1), Case("Shoes?", "", 2)]),
        ("Refund?\tr#1\nShoes?", [Case("Refund?", "r#1", 1), Case("Shoes?", "", 2)]),
        ("question,entry\nRefund?,r#1", [Case("Refund?", "r#1", 2)]),
        ("問題\n退款?", [Case("退款?", "", 2)]),
        ("\n預期;問\nr#1;退款?", [Case("退款?", "r#1", 3)]),
    ],
)
def test_pasted(text, cases):
    """Pasted text is lines, or a table if it holds a tab or its first line is a header."""
    assert read_pasted(text) == cases


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "a.csv", "holds no question"),
        (b"question,entry\n\n,\n", "a.csv", "holds no question"),
        (b"Refund?\n,r#1\n", "a.csv", "row 2: an expected entry without a question"),
        (b"Refund?\n???\n", "a.csv", "row 2: The query has no letter"),
        (b"Refund?\n\n" + b"x" * (MAX_QUERY_CHARS + 1), "a.txt", "row 3: The query has 2,001"),
        (b"Refund?,r#1\n#N/A,r#2\n", "a.csv", "row 2: #N/A is the error of a formula"),
        (b"Refund?,#REF!\n", "a.csv", "row 1: #REF! is the error of a formula"),
        (b'Refund?,r#1\n"Shoes,r#2\nParcel?,r#3\n', "a.csv", "row 2: the table is broken there"),
        (b"q\0u\0e\0r\0y\0", "a.csv", "is not text"),
        (b"Refund?\nSho\xff\xfees?\n", "a.csv", "row 2: not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "a.txt", "5,000,001 bytes; the limit is 5,000,000"),
        (b"Refund?\n" * (MAX_QUESTIONS + 1), "a.txt", "row 5001: more than 5,000 questions"),
        (b"Refund?", "a.xls", "is no table that can be read"),
        (b"Refund?", "a", "is no table that can be read"),
    ],
)
def test_refusals(data, name, told):
    """A file that cannot be used is refused in a line that names it, the row and the way out."""
    assert told in refusal(data, name)


def test_as_many_questions_as_allowed():
    """The limit itself is allowed."""
    assert len(read_questions(b"Refund?\n" * MAX_QUESTIONS, "a.txt")) == MAX_QUESTIONS


def test_pasted_refusals():
    """Pasted text has the bounds of a file."""
    for text, told in [(" \n", "holds no question"), ("x" * (MAX_BYTES + 1), "limit is 5,000,000")]:
        with pytest.raises(EvaluationError, match=told):
            read_pasted(text)


CELLS = st.text(st.sampled_from("aé退 ,;\t\"\n\r'?"), max_size=6).map(lambda text: f"x{text}x")


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_what_csv_writes_is_read(rows, delimiter):
    """Any cells under a header come back in their order, with spaces for line ends."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("query", "expected"), *rows])
    cases = read_questions(file.getvalue().encode(), "a.csv")
    space = str.maketrans("\n\r\t", "   ")
    assert [(case.query, case.expected) for case in cases] == [
        (query.translate(space), expected.translate(space)) for query, expected in rows
    ]
    assert [case.line for case in cases] == list(range(2, len(rows) + 2))


# --- workbooks ----------------------------------------------------------------------------------


def test_a_workbook():
    """The first sheet is read, blank rows are skipped, and lines are those of the sheet."""
    book = openpyxl.Workbook()
    book.active.append(["編號", "問題", "條目"])
    book.active.append([1, "運費誰付？", "returns#2"])
    book.active["B5"] = "鞋子\n能退嗎？"
    book.create_sheet("other").append(["No question of this test?"])
    assert read_questions(saved(book), "a.XLSX") == [
        Case("運費誰付？", "returns#2", 2),
        Case("鞋子 能退嗎？", "", 5),
    ]


def test_numbers_and_days():
    """Cells that are no text read as a spreadsheet shows them."""
    rows = [(404,), (404.0,), (1.5,), (date(2026, 1, 31),), (datetime(2026, 1, 31, 8, 5),)]  # noqa: DTZ001
    cases = read_questions(workbook(*rows, (True, 12)), "a.xlsx")
    assert [case.query for case in cases] == [
        "404", "404", "1.5", "2026-01-31", "2026-01-31 08:05:00", "True",
    ]  # fmt: skip
    assert cases[-1].expected == "12"


def test_formulas():
    """Of a formula its last value is read; one that never had a value is a missing question."""
    data = workbook(("Refund?", "r#1"), ('="Who "&"pays?"', "r#2"))
    assert "row 2: an expected entry without a question" in refusal(data, "a.xlsx")
    sheet = part(data, SHEET)
    valued = sheet.replace(b"<v></v>", b"<v>Who pays?</v>").replace(b"<v />", b"<v>Who pays?</v>")
    valued = valued.replace(b'<c r="A2">', b'<c r="A2" t="str">')
    assert valued != sheet
    cases = read_questions(repacked(data, sheet1=valued), "a.xlsx")
    assert cases[1] == Case("Who pays?", "r#2", 2)


def test_merged_cells():
    """A merged question belongs to its first row; a further row with an entry is told of."""
    book = openpyxl.Workbook()
    book.active.append(["Refund?", "r#1"])
    book.active.append([None, None, "note"])
    book.active.merge_cells("A1:A2")
    assert read_questions(saved(book), "a.xlsx") == [Case("Refund?", "r#1", 1)]
    book.active["B2"] = "r#2"
    assert "row 2: an expected entry without a question. Fill in" in refusal(saved(book), "a.xlsx")


def test_an_empty_workbook():
    """A workbook without a question is told of, not taken for a damaged one."""
    assert "holds no question" in refusal(workbook(), "a.xlsx")


def test_a_bomb():
    """What is small only while packed is refused before it is unpacked."""
    file = io.BytesIO(TABLE)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        package.writestr("xl/more.xml", bytes(MAX_UNPACKED))
    assert len(file.getvalue()) < MAX_BYTES
    assert "the limits are 20,000,000 and 1,000" in refusal(file.getvalue(), "a.xlsx")


def test_many_parts():
    """Parts are counted, however small."""
    file = io.BytesIO(TABLE)
    with zipfile.ZipFile(file, "a") as package:
        for number in range(MAX_PARTS):
            package.writestr(f"{number}", b"")
    assert "the limits are 20,000,000 and 1,000" in refusal(file.getvalue(), "a.xlsx")


def test_other_packing():
    """A part that unpacks past its declared size cannot be there."""
    file = io.BytesIO(TABLE)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_BZIP2) as package:
        package.writestr("xl/more.xml", bytes(100))
    assert "packed in an unknown way" in refusal(file.getvalue(), "a.xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declared", ['<!DOCTYPE x [<!ENTITY a "aaa">]>', "<!DOCTYPE x>", '<!ENTITY a "aaa">']
)
def test_entities(declared, encoding):
    """An entity, with which few bytes become many, is refused in any encoding."""
    sheet = part(TABLE, SHEET).decode().removeprefix("<?xml version='1.0' encoding='UTF-8'?>")
    data = repacked(TABLE, sheet1=(declared + sheet).encode(encoding))
    assert "document type declaration" in refusal(data, "a.xlsx")


SPREADSHEET = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    ("name", "filler", "count", "told"),
    [
        ("styles", b"<xf/>", MAX_OTHER_PART // 5, "in xl/styles.xml; the limit is 1,000,000"),
        ("workbook", b"<a/>", MAX_OTHER_PART // 4, "in xl/workbook.xml; the limit is 1,000,000"),
        ("sheet1", b"<c/>", MAX_ELEMENTS, "more than 500,000 elements"),
    ],
)
def test_many_elements(name, filler, count, told):
    """Few bytes of packed styles, cells or texts take neither minutes nor gigabytes."""
    begun, ended = b'<styleSheet xmlns="%s">' % SPREADSHEET, b"</styleSheet>"
    if name == "sheet1":
        begun = b'<worksheet xmlns="%s"><sheetData><row>' % SPREADSHEET
        ended = b"</row></sheetData></worksheet>"
    content = begun + filler * count + ended
    started = time.monotonic()
    assert told in refusal(repacked(TABLE, **{name: content}), "a.xlsx")
    assert time.monotonic() - started < 5


def test_a_large_table_is_no_bomb():
    """As many questions as a test may have, with entries and notes, stay below every limit."""
    rows = [(f"Question {n} about a parcel?", f"shop#{n}", "note", n) for n in range(MAX_QUESTIONS)]
    assert len(read_questions(workbook(("question", "entry", "note", "n"), *rows), "a.xlsx")) == (
        MAX_QUESTIONS
    )


def test_workbooks_are_read_one_at_a_time():
    """A second workbook waits until the first is read."""
    with ThreadPoolExecutor(1) as pool:
        with question_tables._ONE_WORKBOOK:
            reading = pool.submit(read_questions, TABLE, "a.xlsx")
            with pytest.raises(TimeoutError):
                reading.result(timeout=0.3)
        assert reading.result(timeout=20) == TABLE_CASES


def test_rows_that_no_sheet_has():
    """A row number without bound takes no time: a sheet ends where those of Excel do."""
    far = part(TABLE, SHEET).replace(b'"2"', b'"999999999"').replace(b'2"', b'999999999"')
    started = time.monotonic()
    assert "holds no question" in refusal(repacked(TABLE, sheet1=far), "a.xlsx")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000), "is an old .xls file or has a password"),
        (b"question,entry\nRefund?,r#1\n", "is no XLSX file or is damaged"),
        (b"", "is no XLSX file or is damaged"),
        (TABLE[:-30], "is no XLSX file or is damaged"),
        (repacked(TABLE, workbook=b"<workbook"), "is no XLSX file or is damaged"),
        (repacked(TABLE, sheet1=b"\xff<worksheet>"), "is no XLSX file or is damaged"),
    ],
)
def test_damaged_workbooks(data, told):
    """An old, locked or damaged workbook is refused with what to save it as."""
    assert told in refusal(data, "a.xlsx")


def test_a_locked_part():
    """A ZIP file with a password is as good as damaged."""
    locked = bytearray(TABLE)
    directory = locked.find(b"PK\1\2")
    while directory != -1:
        locked[directory + 8] |= 1
        directory = locked.find(b"PK\1\2", directory + 1)
    assert "is no XLSX file or is damaged" in refusal(bytes(locked), "a.xlsx")


# --- anything -----------------------------------------------------------------------------------


def only_evaluation_errors(data: bytes, name: str) -> None:
    """Read a file; anything but cases and errors of one line fails."""
    try:
        cases = read_questions(data, name)
    except EvaluationError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (most files are refused)
    else:
        assert cases
        assert all(case.query for case in cases)


@given(
    st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode(errors="replace")),
    st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.xlsx", "a\n.csv", "\ud800.txt", ""]),
)
@example(b'"', "a.csv")
@example(b"a" * 200_000 + b",b", "a.csv")
@example(b"\xff\xfea", "a.csv")
@example(b"\xff\xfe\x00\x00a", "a.csv")
@example(b"\xff\xfe\x00\xd8", "a.txt")
@example(b"question", "a.csv")
def test_any_bytes(data, name):
    """Whatever is uploaded, nothing but an error of one line comes out."""
    only_evaluation_errors(data, name)


@given(st.text(max_size=200) | st.text(st.sampled_from('q問,;\t"\n\r\0\ud800 '), max_size=30))
def test_any_pasted_text(text):
    """Whatever is pasted, nothing but an error of one line comes out."""
    try:
        assert read_pasted(text)
    except EvaluationError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (most texts are refused)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 20))
def test_any_damage(seed, count):
    """A workbook with changed bytes, packed or in its parts, raises nothing of its own."""
    chance = random.Random(seed)
    only_evaluation_errors(damaged(TABLE, chance, count), "a.xlsx")
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(TABLE)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            changed = chance.random() < 0.3
            new.writestr(name, damaged(content, chance, count) if changed else content)
    only_evaluation_errors(file.getvalue(), "a.xlsx")


def damaged(data: bytes, chance: random.Random, count: int) -> bytes:
    """Return the data with some bytes changed, mostly to ones that mean something in XML."""
    changed = bytearray(data)
    for _ in range(count):
        changed[chance.randrange(len(changed))] = chance.choice(b'<>/"=&0129-s \0\xff')
    return bytes(changed)
