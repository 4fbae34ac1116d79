"""Readers on real text that nobody wrote for them: statutes and pages of questions."""

import csv
import gzip
import json
import re
from itertools import islice
from pathlib import Path

import openpyxl
import pytest

from policy_qa.readers import read_file

PUBLIC = Path(__file__).parents[2] / "shared" / "data"
STATUTES = PUBLIC / "statutes" / "statutes.jsonl.gz"
QUESTIONS = PUBLIC / "dev" / "covidfaq" / "corpus.jsonl"

pytestmark = pytest.mark.skipif(not PUBLIC.is_dir(), reason=f"the public data is not in {PUBLIC}")


def records(file: Path, count: int) -> list[dict[str, str]]:
    """Return the first records of a file of objects."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(lines, count)]


def told(file: Path) -> list[tuple[str, str]]:
    """Return the questions and the answers that are read from a file."""
    return [
        tuple(
            document.text[span.start : span.end].strip() for span in (entry.question, entry.answer)
        )
        for document, entries in read_file(file, file.name)
        for entry in entries
    ]


def test_statutes_of_one_page(tmp_path):
    """Articles that stand under each other are entries again, each with all that it says."""
    articles = [r["text"] for r in records(STATUTES, 3_000) if "条" in r["title"]]
    articles = [text for text in articles if not re.search(r"(?m)^\s*第[^\n]{1,12}[条章节]", text)]
    file = tmp_path / "law.txt"
    page = "\n".join(f"第{n}条 {text}" for n, text in enumerate(articles, start=1))
    file.write_text(page, "utf-8")

    found = told(file)

    assert [question for question, _ in found] == [f"第{n}条" for n in range(1, len(articles) + 1)]
    assert [answer for _, answer in found] == [text.rstrip("\n\u200b").strip() for text in articles]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_statutes_of_a_table(tmp_path, encoding):
    """A table of 20,000 articles is read row by row, in whatever encoding it was saved."""
    rows = records(STATUTES, 20_000)
    file = tmp_path / "laws.csv"
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["標題", "內容"])
        writer.writerows((row["title"], row["text"]) for row in rows)

    parts = list(read_file(file, "laws.csv"))

    assert len(parts) >= 20
    assert sum(len(entries) for _, entries in parts) == len(rows)
    last, entries = parts[-1]
    assert last.part_of == "laws.csv"
    question = entries[-1].question
    assert last.text[question.start : question.end] == " ".join(rows[-1]["title"].split())


def test_questions_of_agencies(tmp_path):
    """Questions with answers come out of JSONL and of a workbook as they went in."""
    rows = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    book = openpyxl.Workbook()
    book.active.append(["Question", "Answer"])
    for row in rows:
        book.active.append([row["title"], row["text"]])
    book.save(tmp_path / "faq.xlsx")
    (tmp_path / "faq.jsonl").write_bytes(QUESTIONS.read_bytes())

    from_lines, from_sheet = (told(tmp_path / name) for name in ("faq.jsonl", "faq.xlsx"))

    assert [question for question, _ in from_lines] == [" ".join(r["title"].split()) for r in rows]
    assert from_lines == from_sheet
