"""The log of questions: what it keeps, what it never sees, and what it does in trouble."""

import contextlib
import re
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fake_evaluations import make_hit
from hypothesis import example, given
from hypothesis import strategies as st

from policy_qa import query_log
from policy_qa.errors import InputError, StorageError
from policy_qa.query_log import Counts, Logged, QueryLog, masked
from policy_qa.settings import MAX_QUERY_CHARS
from policy_qa.types import Answer, Status


def make_answer(
    query: str = "退貨運費誰付", status: Status = "not_covered", confidence: float = 0.1
) -> Answer:
    """Make an answer of which only this matters, of generation 7, with a best entry d#1."""
    hits = (make_hit(1, "d#1", 0.9), make_hit(2, "d#2", 0.8))
    return Answer(query, status, confidence, None, "", (), (), hits, generation=7)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[QueryLog]:
    """Open a log that does not exist yet, in a folder that does not either."""
    with QueryLog(tmp_path / "new" / "folder" / "questions.sqlite") as opened:
        yield opened


def raw(log: QueryLog, query: str) -> list[Any]:
    """Ask the file itself."""
    with contextlib.closing(sqlite3.connect(log._file)) as connection, connection:
        return connection.execute(query).fetchall()


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(UTC).date()


def test_a_question_is_kept_with_its_answer_and_its_day(log: QueryLog) -> None:
    """A row says what was asked, on which day, and what came of it, and nothing else."""
    before = today()
    number = log.record(make_answer("電話0912-345-678", confidence=0.12345), "zh-Hant")
    (logged,) = log.uncovered()
    assert before <= logged.day <= today()
    assert logged == Logged(number, logged.day, "電話…", "not_covered", 0.123, "d#1", useful=None)
    assert raw(log, "SELECT * FROM questions") == [
        (1, logged.day.isoformat(), "電話…", "not_covered", 0.123, "d#1", 7, "zh-Hant", None)
    ]


def test_a_question_that_found_nothing_has_no_entry(log: QueryLog) -> None:
    """Without hits the entry's id is empty."""
    log.record(Answer("q", "not_covered", 0.0, None, "", (), (), ()), "en")
    assert log.uncovered()[0].entry_id == ""


def test_letters_that_utf8_does_not_have_are_replaced(log: QueryLog) -> None:
    """A lone surrogate is no reason to fail."""
    log.record(make_answer("a\ud800b\0c"), "en")
    assert log.uncovered()[0].query == "a?b\0c"


def test_uncovered_are_those_without_an_answer_or_a_useful_one(log: QueryLog) -> None:
    """Newest first; an answered question joins them when it is rated not useful."""
    for query, status in (
        ("one", "not_covered"),
        ("two", "answered"),
        ("three", "related"),
        ("four", "answered"),
        ("five", "not_covered"),
    ):
        log.record(make_answer(query, status), "en")
    log.rate(2, useful=True)
    log.rate(4, useful=False)
    found = [(logged.query, logged.useful) for logged in log.uncovered()]
    assert found == [("five", None), ("four", False), ("one", None)]
    assert [logged.query for logged in log.uncovered(limit=1)] == ["five"]
    assert log.counts() == Counts(5, answered=2, related=1, not_covered=2, useful=1, not_useful=1)


def test_a_rating_may_be_changed(log: QueryLog) -> None:
    """A question has one rating, the last."""
    number = log.record(make_answer(status="answered"), "en")
    log.rate(number, useful=False)
    log.rate(number, useful=True)
    assert log.counts() == Counts(1, answered=1, useful=1)
    assert log.uncovered() == []


@pytest.mark.parametrize("number", [0, -1, 2, 2**63, 2**70])
def test_an_unknown_number_cannot_be_rated(log: QueryLog, number: int) -> None:
    """Rating what the log does not hold is the user's mistake."""
    log.record(make_answer(), "en")
    with pytest.raises(InputError, match=rf"holds no question {number}\."):
        log.rate(number, useful=True)


def test_reading_makes_no_file(log: QueryLog) -> None:
    """A log that nobody wrote to is empty, and leaves the disk alone."""
    assert log.uncovered() == []
    assert log.counts() == Counts()
    log.forget()
    with pytest.raises(InputError):
        log.rate(1, useful=True)
    assert not log._file.parent.exists()


def test_forgetting_leaves_nothing_and_gives_no_number_twice(log: QueryLog) -> None:
    """Not a word stays on the disk, and a page left open cannot rate another's question."""
    for _ in range(50):
        number = log.record(make_answer("zanzibar " * 50), "en")
    log.forget()
    assert log.counts() == Counts()
    for file in log._file.parent.iterdir():
        assert b"zanzibar" not in file.read_bytes()
    assert log.record(make_answer(), "en") == number + 1


def test_the_oldest_questions_are_dropped(log: QueryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log never holds more than it keeps, and keeps the newest."""
    monkeypatch.setattr(query_log, "KEPT", 10)
    monkeypatch.setattr(query_log, "_DROPPED_AT_ONCE", 4)
    held = []
    for number in range(1, 31):
        log.record(make_answer(str(number)), "en")
        held.append(len(log.uncovered()))
    assert max(held) == 9
    assert min(held[10:]) == 6
    assert [logged.query for logged in log.uncovered(2)] == ["30", "29"]


def test_a_closed_log_opens_again(log: QueryLog) -> None:
    """What was logged is still there."""
    log.record(make_answer(), "en")
    log.close()
    log.close()
    assert log.counts().queries == 1
    with QueryLog(log._file) as again:
        assert again.record(make_answer(), "en") == 2


def test_threads_share_a_log(log: QueryLog) -> None:
    """Each gets a number of its own, and no rating is lost."""

    def ask(number: int) -> int:
        asked = log.record(make_answer(str(number), "answered"), "en")
        log.rate(asked, useful=number % 2 == 0)
        return asked

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(ask, range(200)))
    assert sorted(numbers) == list(range(1, 201))
    assert log.counts() == Counts(200, answered=200, useful=100, not_useful=100)


_PROCESS = """
import sys
from pathlib import Path
from policy_qa.query_log import QueryLog
from policy_qa.types import Answer
print("ready", flush=True)
sys.stdin.readline()
with QueryLog(Path(sys.argv[1])) as log:
    for _ in range(100):
        number = log.record(Answer(sys.argv[2], "related", 0.5, None, "", (), (), ()), "en")
        log.rate(number, True)
"""


def test_processes_share_a_log(log: QueryLog) -> None:
    """Two that begin a new log at the same moment both write all they have."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, log._file, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0
    assert log.counts() == Counts(200, related=200, useful=200)
    asked = raw(log, "SELECT query, count(*) FROM questions GROUP BY query ORDER BY query")
    assert asked == [("one", 100), ("two", 100)]


def test_readers_do_not_wait_for_a_writer(log: QueryLog) -> None:
    """While another process writes, the log can be read."""
    log.record(make_answer(), "en")
    with contextlib.closing(sqlite3.connect(log._file)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert log.counts().queries == 1


def test_a_log_that_stays_busy_is_an_error(log: QueryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has an end."""
    log.record(make_answer(), "en")
    log.close()
    monkeypatch.setattr(query_log, "_BUSY_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(log._file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="database is locked"):
            log.record(make_answer(), "en")
    assert log.record(make_answer(), "en") == 2


@pytest.mark.parametrize("begun", [True, False])
def test_a_locked_log_delays_no_answer(log: QueryLog, *, begun: bool) -> None:
    """A log that another process holds is given up at once, open or not."""
    log.record(make_answer(), "en")
    if not begun:
        log.close()
    with contextlib.closing(sqlite3.connect(log._file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        with pytest.raises(StorageError, match="database is locked"):
            log.record(make_answer(), "en")
        assert time.monotonic() - started < 1


def test_only_its_owner_reads_the_log(log: QueryLog) -> None:
    """No other user of the machine reads what was asked."""
    log.record(make_answer(), "en")
    files = list(log._file.parent.iterdir())
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_masking_takes_no_time() -> None:
    """No question of the length allowed makes the masks slow."""
    pieces = ["a.", "a", "1 ", "a@", "(1", "20", "1(( ", "://", "a-", "A1", "www.", "a.b/", "1、"]
    started = time.monotonic()
    for piece in [*pieces, "一", "一 ", "a @ ", "1/", "100、", "a.com."]:
        masked((piece * MAX_QUERY_CHARS)[:MAX_QUERY_CHARS])
    assert time.monotonic() - started < 1


def make_foreign(file: Path) -> None:
    """Make a database of another program."""
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE questions (number INTEGER)")


def make_later(file: Path) -> None:
    """Make a log of a later version."""
    with QueryLog(file) as log:
        log.record(make_answer(), "en")
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA user_version = 2")


def make_overwritten(file: Path) -> None:
    """Make a log and write over everything but its first page."""
    with QueryLog(file) as log:
        for _ in range(100):
            log.record(make_answer("word " * 20), "en")
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * (size - 4096))


def make_without_table(file: Path) -> None:
    """Make a log and drop its table."""
    with QueryLog(file) as log:
        log.record(make_answer(), "en")
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE questions")


def make_text(file: Path) -> None:
    """Write a text."""
    file.write_text("dear diary\n", encoding="utf-8")


@pytest.mark.parametrize(
    "make", [make_foreign, make_later, make_overwritten, make_without_table, make_text]
)
def test_a_file_that_is_no_log_is_told_in_one_line(tmp_path: Path, make: Any) -> None:
    """The line names the file and the way out; the file stays as it is, and the way works."""
    file = tmp_path / "questions.sqlite"
    make(file)
    before = file.read_bytes()
    with QueryLog(file) as log:
        for use in (
            lambda: log.record(make_answer(), "en"),
            log.uncovered,
            log.counts,
            log.forget,
            lambda: log.rate(1, useful=True),
        ):
            with pytest.raises(StorageError) as told:
                use()
            line = f"{file} is damaged or is no log of questions. Move it away; a new one is begun."
            assert str(told.value) == line
        assert file.read_bytes() == before
        file.rename(tmp_path / "moved")
        assert log.record(make_answer(), "en") == 1


def test_an_empty_file_becomes_a_log(tmp_path: Path) -> None:
    """A process that died before it wrote a word is no trouble."""
    file = tmp_path / "questions.sqlite"
    file.touch()
    with QueryLog(file) as log:
        assert log.counts() == Counts()
        assert log.record(make_answer(), "en") == 1


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A folder in the file's place, or a file in the folder's, is told in one line."""
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "log", tmp_path / "file" / "folder" / "log"):
        with QueryLog(place) as log:
            line = rf"Cannot use the log of questions {re.escape(str(place))}: .+"
            with pytest.raises(StorageError, match=line) as told:
                log.record(make_answer(), "en")
            assert "\n" not in str(told.value)


def test_a_full_disk_is_an_error_and_harms_nothing(log: QueryLog) -> None:
    """What does not fit is told; what was there stays."""
    log.record(make_answer(), "en")
    assert log._connection
    log._connection.execute("PRAGMA max_page_count = 1").fetchall()
    with pytest.raises(StorageError, match="database or disk is full"):
        log.record(make_answer("word " * 5_000), "en")
    assert log.counts().queries == 1


def test_a_file_that_may_not_be_written_is_an_error(log: QueryLog) -> None:
    """A log that is read-only can be read, not written."""
    log.record(make_answer(), "en")
    assert log._connection
    log._connection.execute("PRAGMA query_only = 1")
    assert log.counts().queries == 1
    with pytest.raises(StorageError, match="readonly database"):
        log.record(make_answer(), "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的郵箱是wang.da-ming+1@example.com.tw，收不到信", "我的郵箱是…，收不到信"),
        ("发到abc@qq.com。谢谢", "发到…。谢谢"),
        ("Mail me at josé@exämple.org.", "Mail me at …."),
        ("ｗａｎｇ＠ｅｘａｍｐｌｅ.com 沒收到", "… 沒收到"),
        ("請看https://a.com/b?order=12&x=王這個", "請看…王這個"),
        ("这个链接 http://item.taobao.com/1.htm，打不开", "这个链接 …，打不开"),
        ("see (ftp://x.org/a b", "see (… b"),
        ("手機0912345678被停用", "手機…被停用"),
        ("手機０９１２－３４５－６７８", "手機…"),
        ("電話(02) 2345-6789轉12", "電話…轉12"),
        ("请打+86 138 0013 8000", "请打…"),
        ("call 555.123.4567 now", "call … now"),
        ("身分證A123456789可以嗎", "身分證…可以嗎"),
        ("居留證AB12345678", "居留證…"),
        ("身份证11010119900307123X丢了", "身份证…丢了"),
        ("身份证110101199003071234", "身份证…"),
        ("110101 19900307 123x", "…"),
        ("card 4111 1111 1111 1111 was charged", "card … was charged"),
        ("订单号TB202506011234没到", "订单号…没到"),
        ("order 1234567 (2025-06-01)", "order … (2025-06-01)"),
        ("2025-06-01 0912345678", "2025-06-01 …"),
        ("2024 2025 6789 1234", "…"),
        ("12 345 67", "…"),
        ("請看www.example.com/u/john這個", "請看…這個"),
        ("WWW.example.org", "…"),
        ("see taobao.com/item?id=12，謝謝", "see …，謝謝"),
        ("shop.example.com.tw 打不開", "… 打不開"),
        ("t.me/john and goo.gl/x", "… and …"),
        ("EXAMPLE.COM.", "…."),
        ("john @ gmail.com", "…"),
        ("john@ gmail.com 收不到", "… 收不到"),
        ("138_0013_8000", "…"),
        ("138/0013/8000", "…"),
        ("138，0013，8000", "…"),
        ("138、0013、8000件", "…件"),
        ("138·0013·8000", "…"),
        ("138+0013+8000", "…"),
        ("138**0013**8000", "…"),
        ("打一三八零零一三八零零零吧", "打…吧"),
        ("一三八 零零一三 八〇〇〇", "…"),
    ],
)
def test_what_may_be_personal_is_masked(text: str, expected: str) -> None:
    """Addresses and long numbers of three languages are gone, and only they."""
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "72小時內發貨，運費10-15元，退30%",
        "2011年的賣家",
        "2025-06-01 14:30 到 2025-06-30 之間",
        "iPhone 15 2025-06-01 買的",
        "2025.6.1，2025/06/01，２０２５－０６－０１",
        "2024-2025年度, 2024 - 2025",
        "1000-2000元 or 10000 - 20000 元",
        "3 7 15 30 天",
        "$1,000,000 or 123456",
        "3@",
        "@home",
        "see ://",
        "I bought it.Can I return it? e.g. at 5.5kg/box or v1.2.3",
        "either and/or, 24/7, 1/3",
        "you @ home",
        "100、200、300元, 3/7/15/30/60天, 滿1000+200+300元",
        "一千二百三十四萬五千六百七十八",
        "一、二、三、四、五、六、七",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    """Hours, shares, years, sums and dates are what policies are about."""
    assert masked(text) == text


anything = (
    st.text(st.sampled_from("0123456789０９٣- －.()+_*，、@＠:/xXaA元年退 \u200b…")) | st.text()
)


@given(anything)
@example("2025-06-011234567")
@example("1234567-2025-06-01")
@example("10-1234567元")
def test_no_long_run_of_digits_is_left(text: str) -> None:
    """Whatever stands around seven digits, they go."""
    assert not re.search(r"\d{7}", masked(text))


@given(st.text().filter(lambda text: not re.search(r"[\d@＠]|[.．]\w|[:：][/／][/／]", text)))
def test_words_alone_are_never_touched(text: str) -> None:
    """Without a digit, an @, a :// or a dot within a word nothing is masked."""
    assert masked(text) == text


@given(st.text("ab1@", max_size=10), st.text("ab1", min_size=1), st.text("ab1", min_size=1))
def test_no_address_is_left(before: str, local: str, domain: str) -> None:
    """Whatever stands before it, an e-mail address goes."""
    assert f"{local}@{domain}" not in masked(f"{before} {local}@{domain}.com")
