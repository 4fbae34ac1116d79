"""Filled tables of gaps: what is read of them, and what the corpus has afterwards."""

import csv
import errno
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.errors import CorpusError, InputError, LockedError, StorageError
from policy_qa.gap_answers import (
    ANSWERS_FILE,
    LOCK_FILE,
    Added,
    Answered,
    Assigned,
    FilledGaps,
    _key,
    add_to_corpus,
    filled,
    read_alternates,
    read_filled,
    uninert,
)
from policy_qa.gaps import Gap, gaps_csv, inert

GAPS = [
    Gap("可以開發票嗎", (("可以開發票嗎", 2), ("開發票", 1), ("發票, 抬頭", 1)), 4),
    Gap("=1+1 是多少", (("=1+1 是多少", 1),), 1),
    Gap("門市在哪", (("門市在哪", 1), ('哪裡有"門市"', 1)), 2),
]


def filled_in(*answers: str, entries: tuple[str, ...] = ()) -> bytes:
    """Return the table of the gaps with these answers, and these entries in a column of theirs."""
    rows = list(csv.reader(io.StringIO(gaps_csv(GAPS).removeprefix("\ufeff"), newline="")))
    for row, answer in zip(rows[1:], answers, strict=False):
        row[3] = answer
    if entries:
        for row, entry in zip(rows, ("entry", *entries), strict=False):
            row.append(entry)
    return table(rows).encode("utf-8-sig")


def table(rows: list[list[str]], delimiter: str = ",") -> str:
    """Return CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def rows_of(file: Path) -> list[list[str]]:
    """Return the cells of a CSV file."""
    return list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))


def test_an_untouched_table_has_nothing_to_add() -> None:
    """A table as it was downloaded has gaps alone."""
    assert filled(gaps_csv(GAPS).encode(), "a.csv") == FilledGaps(untouched=3, name="a.csv")
    assert filled(gaps_csv([]).encode(), "a.csv") == FilledGaps(name="a.csv")


def test_answers_and_entries_are_read_with_their_rows() -> None:
    """A row is a new entry, wordings of one that is there, or a gap still."""
    data = filled_in("可以。\n請填抬頭。", "", "", entries=("", "faq#3", ""))
    assert filled(data, "gaps.csv") == FilledGaps(
        (Answered("可以開發票嗎", "可以。\n請填抬頭。", ("開發票", "發票, 抬頭"), 2),),
        (Assigned("faq#3", ("=1+1 是多少",), 3),),
        1,
        "gaps.csv",
    )


@pytest.mark.parametrize(
    "header",
    [
        ["question", "alternates", "times", "answer"],
        [" Question ", "Alternate questions", "?", "ANSWER"],
        ["問題", "其他問法", "次數", "答案"],
        ["问题", "其他问法", "次数", "回答"],
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_labels_and_delimiters_of_other_programs_are_read(
    header: list[str], delimiter: str
) -> None:
    """The columns may be named in three languages, and be in any order."""
    rows = [[], header[::-1], ["可以，", "2", "b | c", "a"], ["", "", "", ""], ["", "1", "", "d"]]
    ending = "tsv" if delimiter == "\t" else "csv"
    assert filled(table(rows, delimiter).encode(), f"t.{ending}") == FilledGaps(
        (Answered("a", "可以，", ("b", "c"), 3),), (), 1, f"t.{ending}"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "big5", "gb18030", "utf-16"])
def test_encodings_of_spreadsheet_programs_are_read(encoding: str) -> None:
    """What Excel saves as CSV in Taiwan and in mainland China is read."""
    text = gaps_csv(GAPS[:1]).removeprefix("\ufeff").replace(",\r\n", ",可以，在訂單的頁面。\r\n")
    assert filled(text.encode(encoding), "a.csv").answered == (
        Answered("可以開發票嗎", "可以，在訂單的頁面。", ("開發票", "發票, 抬頭"), 2),
    )


def test_a_workbook_is_read(tmp_path: Path) -> None:
    """Of a workbook the first sheet is read, with numbers as they are shown."""
    book = openpyxl.Workbook()
    for row in (
        ["問題", "其他問法", "次數", "答案", "條目"],
        ["幾天？", None, 3, 7, None],
        [None] * 5,
        ["'=1", "b | c\nd", 1, None, "faq#2"],
        ["e", None, 1, "  ", None],
    ):
        book.active.append(row)
    book.save(tmp_path / "gaps.XLSX")
    assert read_filled(tmp_path / "gaps.XLSX") == FilledGaps(
        (Answered("幾天？", "7", (), 2),),
        (Assigned("faq#2", ("=1", "b", "c", "d"), 4),),
        1,
        str(tmp_path / "gaps.XLSX"),
    )


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"question,answer\n,yes\n", "a.csv", "row 2: an answer or an entry without a question"),
        (b"question,entry\n,a#1\n", "a.csv", "row 2: an answer or an entry without a question"),
        (b"question,answer,entry\nq,yes,a#1\n", "a.csv", "row 2: an answer and an entry. Keep"),
        (b"question,answer\nq,-\n", "a.csv", "row 2: the answer '-' has no letter and no digit"),
        (b"question,answer\nq,#REF!\n", "a.csv", "row 2: #REF! is the error of a formula"),
        (b"question,answer\n?,yes\n", "a.csv", "row 2: The query has no letter and no digit"),
        (b"question,answer,alternates\nq,a,b | ?\n", "a.csv", "row 2: The query has no letter"),
        (b'question,answer\nq,"a', "a.csv", "row 2: the table is broken there"),
        (b"a,b\nc,d\n", "a.csv", "is no table of gaps: its first row names no column 'question'"),
        (b"question,times\nc,d\n", "a.csv", "or neither 'answer' nor 'entry'"),
        (b"", "a.csv", "is no table of gaps"),
        (b"\xff\xff\xfd,", "a.csv", "is not text of an encoding that is known"),
        (b"question,answer\nq,a\0\n", "a.csv", "is not text of an encoding that is known"),
        (b"PK\x03\x04", "a.xlsx", "is no XLSX file or is damaged"),
        (b"\xd0\xcf\x11\xe0", "a.xlsx", "is an old .xls file or has a password"),
        (b"hello", "a.docx", "is no table that can be read. Save it as"),
        (b"a" * 5_000_001, "a.csv", "has 5,000,001 bytes; the limit is 5,000,000"),
    ],
)
def test_tables_that_cannot_be_meant_are_refused(data: bytes, name: str, told: str) -> None:
    """What is broken or half filled in is told with its row."""
    with pytest.raises(InputError, match=rf"{name}.*{told}"):
        filled(data, name)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """A file that is missing, a folder and one that is too large are told as what they are."""
    with pytest.raises(InputError, match=r"Cannot read .*gone.csv: No such file"):
        read_filled(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"Cannot read .*: Is a directory"):
        read_filled(tmp_path)
    with (tmp_path / "large.csv").open("wb") as large:
        large.truncate(5_000_001)
    with pytest.raises(InputError, match=r"large.csv has 5,000,001 bytes; the limit"):
        read_filled(tmp_path / "large.csv")


FILLED = FilledGaps(
    (
        Answered("可以開發票嗎", "可以。\n請填抬頭。", ("開發票", "發票, 抬頭"), 2),
        Answered("=1+1", "- 二\n- 2", ("+1", "@a"), 3),
    ),
    (Assigned("-faq#3", ("門市在哪", "@門市"), 4), Assigned("faq#4", ("a",), 5)),
    7,
    "gaps.csv",
)
KNOWN = ["faq#1", "-faq#3", "faq#4", "other#30"]


def test_answers_come_into_the_corpus(tmp_path: Path) -> None:
    """New entries and wordings stand in two tables, and nothing in them is a formula."""
    assert add_to_corpus(FILLED, tmp_path, KNOWN) == Added(2, 3, 0)
    data = (tmp_path / ANSWERS_FILE).read_bytes()
    assert (
        data
        == (
            "\ufeffquestion,answer,alternates\r\n"
            '可以開發票嗎,"可以。\n請填抬頭。","開發票 | 發票, 抬頭"\r\n'
            "'=1+1,\"'- 二\n- 2\",'+1 | @a\r\n"
        ).encode()
    )
    assert (tmp_path / "alternates.csv").read_bytes() == (
        "\ufeffentry,question\r\n'-faq#3,門市在哪\r\n'-faq#3,'@門市\r\nfaq#4,a\r\n"
    ).encode()
    assert read_alternates(tmp_path) == [
        ("-faq#3", "門市在哪", 2),
        ("-faq#3", "@門市", 3),
        ("faq#4", "a", 4),
    ]
    visible = [child.name for child in tmp_path.iterdir() if child.name != LOCK_FILE]
    assert sorted(visible) == ["alternates.csv", ANSWERS_FILE]


def test_to_add_again_changes_nothing(tmp_path: Path) -> None:
    """What is there is not added again, nor is the file written again."""
    add_to_corpus(FILLED, tmp_path, KNOWN)
    files = [tmp_path / ANSWERS_FILE, tmp_path / "alternates.csv"]
    before = [(file.read_bytes(), file.stat().st_ino) for file in files]
    assert add_to_corpus(FILLED, tmp_path, KNOWN) == Added(0, 0, 4)
    assert [(file.read_bytes(), file.stat().st_ino) for file in files] == before


def test_what_nobody_filled_in_writes_nothing(tmp_path: Path) -> None:
    """A table of gaps alone leaves the corpus as it is."""
    assert add_to_corpus(FilledGaps(untouched=3), tmp_path, []) == Added()
    assert [child for child in tmp_path.iterdir() if child.name != LOCK_FILE] == []


def test_rows_and_columns_of_editors_are_kept(tmp_path: Path) -> None:
    """What an editor has put into the tables stays, in their order of columns."""
    answers = [
        ["備註", "答案", "問題", "標籤", *[f"c{n}" for n in range(60)]],
        ["x", "=old", "- 可以退貨嗎", "t", *"z" * 60],
        ["", "", "可以換貨嗎"],
    ]
    (tmp_path / ANSWERS_FILE).write_bytes(table(answers, ";").encode("big5"))
    (tmp_path / "alternates.csv").write_text("note,entry,question\n\nn,faq#4,A\n")
    new = FilledGaps(
        (
            Answered("可以换货吗", "可以。", ("換嗎",), 2),
            Answered("- 可以退貨嗎", "=old", ("退嗎", "- 可以退貨嗎"), 3),
            Answered("新問題", "新答案", (), 4),
        ),
        (Assigned("faq#4", ("a", "b"), 5),),
    )
    assert add_to_corpus(new, tmp_path, KNOWN) == Added(2, 3, 0)
    text = (tmp_path / ANSWERS_FILE).read_bytes().decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert found[0] == [*answers[0], "alternates"]
    assert found[1][:64] == answers[1]
    assert found[1][64] == "退嗎"
    assert found[2][:3] == ["", "可以。", "可以換貨嗎"]
    assert found[2][64] == "換嗎"
    assert found[3][:3] == ["", "新答案", "新問題"]
    assert rows_of(tmp_path / "alternates.csv") == [
        ["note", "entry", "question"],
        ["n", "faq#4", "A"],
        ["", "faq#4", "b"],
    ]
    assert add_to_corpus(new, tmp_path, KNOWN) == Added(0, 0, 4)


def test_new_wordings_of_a_known_question_are_added_to_it(tmp_path: Path) -> None:
    """The same answer to the same question, asked in more words, is the same entry."""
    add_to_corpus(FilledGaps((Answered("a", "yes", ("b",)),)), tmp_path, [])
    more = FilledGaps((Answered("A", "yes", ("c", "B")),))
    assert add_to_corpus(more, tmp_path, []) == Added(0, 1, 0)
    assert rows_of(tmp_path / ANSWERS_FILE)[1:] == [["a", "yes", "b | c"]]
    assert add_to_corpus(more, tmp_path, []) == Added(0, 0, 1)


def test_another_answer_to_a_known_question_is_refused(tmp_path: Path) -> None:
    """Two answers to one question are told of with both rows, and nothing is written."""
    add_to_corpus(FilledGaps((Answered("a", "yes"),)), tmp_path, [])
    before = (tmp_path / ANSWERS_FILE).read_bytes()
    other = FilledGaps(
        (Answered("b", "yes", (), 2), Answered("A", "no", (), 3)),
        (Assigned("faq#1", ("c",), 4),),
        name="gaps.csv",
    )
    with pytest.raises(InputError, match=r"gaps.csv, row 3: .* another answer in .*csv, row 2\."):
        add_to_corpus(other, tmp_path, KNOWN)
    assert (tmp_path / ANSWERS_FILE).read_bytes() == before
    assert not (tmp_path / "alternates.csv").exists()
    twice = FilledGaps((Answered("b", "yes", (), 2), Answered("b", "no", (), 3)))
    with pytest.raises(InputError, match=r"row 3: .* another answer in .*csv, row 3\."):
        add_to_corpus(twice, tmp_path, KNOWN)


def test_an_unknown_entry_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """A mistyped id is told with its row and the id that is most like it; nothing is written."""
    mistyped = FilledGaps((Answered("a", "b"),), (Assigned("othr#30", ("c",), 9),), name="g.csv")
    with pytest.raises(InputError, match=r"g.csv, row 9: .*'othr#30'. The nearest is 'other#30'"):
        add_to_corpus(mistyped, tmp_path, KNOWN)
    with pytest.raises(InputError, match=r"'othr#30'\. Correct the id"):
        add_to_corpus(mistyped, tmp_path, [])
    assert [*tmp_path.iterdir()] == []


def test_a_corpus_that_cannot_be_added_to_is_told(tmp_path: Path) -> None:
    """Files, broken tables and others who are adding are told of."""
    (tmp_path / "file.txt").write_text("a")
    for place in ("file.txt", "gone"):
        with pytest.raises(InputError, match=r"is no folder. Answers are added to a corpus"):
            add_to_corpus(FILLED, tmp_path / place, KNOWN)
    for broken, told in (
        (b"answer,alternates\n", r"names no column 'question'. Name the columns question, answer"),
        (b'question,answer\na,"b', r"row 2: the table is broken there"),
        (b"\xff\xff\xff", "is not UTF-8 text"),
    ):
        (tmp_path / ANSWERS_FILE).write_bytes(broken)
        with pytest.raises(CorpusError, match=rf"{ANSWERS_FILE}.*{told}"):
            add_to_corpus(FILLED, tmp_path, KNOWN)
        assert (tmp_path / ANSWERS_FILE).read_bytes() == broken
    (tmp_path / ANSWERS_FILE).unlink()
    (tmp_path / ANSWERS_FILE).mkdir()
    with pytest.raises(CorpusError, match="is no regular file"):
        add_to_corpus(FILLED, tmp_path, KNOWN)


def test_two_who_add_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's rows are lost to another's; who waits too long is told so."""
    import filelock

    monkeypatch.setattr("policy_qa.gap_answers.LOCK_SECONDS", 0.1)
    with (
        filelock.FileLock(tmp_path / LOCK_FILE),
        pytest.raises(LockedError, match="Another process is adding answers"),
    ):
        add_to_corpus(FILLED, tmp_path, KNOWN)


def test_a_full_disk_leaves_the_tables_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure in the middle leaves no half of a table; to add again does the rest."""
    add_to_corpus(FilledGaps((Answered("a", "yes"),)), tmp_path, [])
    before = (tmp_path / ANSWERS_FILE).read_bytes()
    real = Path.write_text

    def half(file: Path, text: str, **kwargs: Any) -> int:
        real(file, text[: len(text) // 2], **kwargs)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", half)
        with pytest.raises(StorageError, match="the disk is full"):
            add_to_corpus(FILLED, tmp_path, KNOWN)
    assert (tmp_path / ANSWERS_FILE).read_bytes() == before
    assert sorted(c.name for c in tmp_path.iterdir() if c.name != LOCK_FILE) == [ANSWERS_FILE]
    with monkeypatch.context() as patched:
        patched.setattr(
            Path,
            "write_text",
            lambda file, text, **kw: (half if "alternates" in file.name else real)(
                file, text, **kw
            ),
        )
        with pytest.raises(StorageError, match="the disk is full"):
            add_to_corpus(FILLED, tmp_path, KNOWN)
    assert add_to_corpus(FILLED, tmp_path, KNOWN) == Added(0, 3, 2)
    assert len(rows_of(tmp_path / ANSWERS_FILE)) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("entry,question\na#1,\n", r"row 2: no 'question'"),
        ("entry,question\n\n,b\n", r"row 3: no 'entry'"),
        ("entry,question\na#1,?!\n", r"row 2: '\?!' has no letter and no digit"),
        ("entry,question\na#1,#N/A\n", r"row 2: #N/A is the error of a formula"),
        ('entry,question\na#1,"b', r"row 2: the table is broken there"),
        ("id,question\na#1,b\n", r"its first row names no column 'entry'"),
        ("a#1,b\n", r"its first row names no column 'entry'"),
    ],
)
def test_broken_alternates_are_told(tmp_path: Path, text: str, told: str) -> None:
    """The build is told of the row that it cannot use."""
    (tmp_path / "alternates.csv").write_text(text)
    with pytest.raises(CorpusError, match=rf"alternates.csv.*{told}"):
        read_alternates(tmp_path)


def test_alternates_are_read_once_each(tmp_path: Path) -> None:
    """Empty rows and repeated ones say nothing new; a corpus without the file has none."""
    assert read_alternates(tmp_path) == read_alternates(tmp_path / "gone.txt") == []
    (tmp_path / "alternates.csv").write_bytes(b"")
    assert read_alternates(tmp_path) == []
    text = '條目;問題;備註\r\n\r\na#1; 可以\r\na#1;可以;x\r\na#2;"可\n以"\r\n'
    (tmp_path / "alternates.csv").write_bytes(text.encode("utf-8-sig"))
    assert read_alternates(tmp_path) == [("a#1", "可以", 3), ("a#2", "可 以", 5)]


@given(st.text())
def test_the_apostrophe_comes_off_again(cell: str) -> None:
    """What a table of gaps was given is taken off, unless the cell began with it anyway."""
    if not (cell.startswith("'") and inert(cell[1:]) == cell):
        assert uninert(inert(cell)) == cell


letters = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n\r=+-@'|｜,\"")
words = st.text(letters, max_size=8).map(lambda text: f"{text}a")
gaps_asked = st.builds(
    lambda query, others: Gap(query, tuple((other, 1) for other in (query, *others)), 1),
    words,
    st.lists(words, max_size=3),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(gaps_asked, max_size=4, unique_by=lambda gap: _key(gap.query)), st.data())
def test_any_table_is_added_once(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[Gap], data: st.DataObject
) -> None:
    """Whatever was asked and answered, adding it again adds nothing, and no cell is a formula."""
    answers = data.draw(st.lists(words, min_size=4, max_size=4))
    folder = tmp_path_factory.mktemp("corpus", numbered=True)
    rows = list(csv.reader(io.StringIO(gaps_csv(gaps).removeprefix("\ufeff"), newline="")))
    for number, (row, answer) in enumerate(zip(rows[1:], answers, strict=False)):
        row[3] = answer
        if number % 2:
            row[3:] = ["", "e#1"]
    rows[0].append("entry")
    read = filled(table(rows).encode("utf-8-sig"), "g.csv")
    added = add_to_corpus(read, folder, ["e#1"])
    assert added.entries == len(read.answered) == (len(gaps) + 1) // 2
    again = add_to_corpus(read, folder, ["e#1"])
    assert again == Added(0, 0, len(read.answered) + len(read.assigned))
    for name in (ANSWERS_FILE, "alternates.csv"):
        if (folder / name).exists():
            cells = [cell for row in rows_of(folder / name) for cell in row]
            assert all(inert(cell) == cell for cell in cells)
    given = {wording for row in read.assigned for wording in row.wordings}
    alternates = {wording for _, wording, _ in read_alternates(folder)}
    assert {_key(wording) for wording in alternates} == {_key(wording) for wording in given}
