import errno
import os
from pathlib import Path

import pytest

from policy_qa.corpus import read_corpus
from policy_qa.errors import CorpusError
from policy_qa.types import Document

SEED = Path(__file__).parents[1] / "corpus" / "taobao-after-sales.txt"
TRADITIONAL = "㈠ 如何退款\n買家可以申請退款,這個問題是賣家的責任,我們會在七天內處理。\n"
TRADITIONAL_BIG5 = TRADITIONAL.replace("㈠", "一、")
SIMPLIFIED = "一、如何退款\n买家可以申请退款，这个问题是卖家的责任，我们会在七天内处理。\n"


def documents(path: Path) -> list[Document]:
    """Return the documents of a corpus."""
    return [document for document, _ in read_corpus(path)]


def refusal(path: Path) -> str:
    """Return the one line with which the corpus is refused."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_folder(tmp_path):
    """A folder gives its documents by id; sub-folders become tags; others are left out."""
    names = "b.txt a/z.md a/y/x.TXT a.txt .hidden.txt .git/c.txt d.png e.utf8 f.markdown"
    for name in names.split():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, "utf-8")

    assert [(d.id, d.text, d.tags) for d in documents(tmp_path)] == [
        ("a.txt", "a.txt", ()),
        ("a/y/x.TXT", "a/y/x.TXT", ("a", "y")),
        ("a/z.md", "a/z.md", ("a",)),
        ("b.txt", "b.txt", ()),
        ("f.markdown", "f.markdown", ()),
    ]


def test_one_file(tmp_path):
    """One file is a corpus, whatever its ending, and its text is unchanged but for the mark."""
    file = tmp_path / "policy.data"
    file.write_bytes(b"\xef\xbb\xbf" + "甲\r\n乙\r丙\n".encode())

    assert [(d.id, d.text) for d in documents(file)] == [("policy.data", "甲\r\n乙\r丙\n")]


@pytest.mark.parametrize(
    ("front_matter", "tags"),
    [
        ("---\ntags: [refund, 退款]\n---\n", ("shop", "refund", "退款")),
        ('---\ntitle: X\ntags: "refund", shop\n---\n', ("shop", "refund")),
        (
            "---\r\ntags:\r\n  - refund\r\n  - 退款\r\ntitle: X\r\n---\r\n",
            ("shop", "refund", "退款"),
        ),
        ("---\ntitle: X\n---\n", ("shop",)),
        ("---\ntags:\n---\n", ("shop",)),
        ("tags: [refund]\n", ("shop",)),
    ],
)
def test_front_matter(tmp_path, front_matter, tags):
    """The tags of a document's front matter follow those of its folders, each once."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.md").write_bytes((front_matter + "Text.").encode())

    (document,) = documents(tmp_path)

    assert document.tags == tags
    assert document.text == front_matter + "Text."


def test_missing(tmp_path):
    """A missing path is named, with what to give instead."""
    path = tmp_path / "none"

    assert refusal(path) == (
        f"The corpus {path} does not exist. Give the folder or file that holds the documents."
    )


def test_name_too_long(tmp_path):
    """A path that the system cannot even look up is refused by its name."""
    path = tmp_path / ("x" * 300)

    assert refusal(path) == (
        f"Cannot read {path}: {os.strerror(errno.ENAMETOOLONG)}. "
        "Make it readable or take it out of the corpus."
    )


def test_empty_folder(tmp_path):
    """A folder without documents is named, with the endings that count."""
    (tmp_path / "a.png").write_bytes(b"PNG")

    assert refusal(tmp_path) == (
        f"The corpus {tmp_path} holds no document. "
        "Put files there (.txt, .text, .md, .markdown, .csv, .tsv, .xlsx, .jsonl, .html, .htm, "
        ".docx, .pdf)."
    )


def test_blank_files(tmp_path):
    """A folder whose files are all blank holds no text; one with text may hold blank files."""
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.txt").write_text(" \n\u3000\n", "utf-8")

    assert refusal(tmp_path) == (
        f"The corpus {tmp_path} holds no text. Put the documents there and try again."
    )
    (tmp_path / "c.txt").write_text("退款", "utf-8")
    assert [d.id for d in documents(tmp_path)] == ["a.txt", "b.txt", "c.txt"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), 1),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(128, 256)) * 8, 2),
        (b"text\ntext\ntext\ncaf\xe9", 4),
        (TRADITIONAL.encode() + b"\xff" + TRADITIONAL.encode(), 3),
        (TRADITIONAL.encode()[:-3], 2),
    ],
    ids=["picture", "PDF", "Latin-1", "a broken byte", "cut off"],
)
def test_not_utf8(tmp_path, data, line):
    """Bytes in no encoding that is offered are refused by file and line, without a guess."""
    file = tmp_path / "a.txt"
    file.write_bytes(data)

    assert refusal(tmp_path) == (
        f"{file} is not UTF-8 text (line {line}). Save it as UTF-8 or take it out of the corpus."
    )


@pytest.mark.parametrize(
    "data", [b"a\0b", b"\x01\x02\x03\x04text"], ids=["NUL", "control characters"]
)
def test_binary(tmp_path, data):
    """Bytes that decode but hold control characters are not text."""
    file = tmp_path / "a.txt"
    file.write_bytes(data)

    assert refusal(tmp_path) == (
        f"{file} is not text. Take it out of the corpus or save it as UTF-8."
    )


ENCODED = [
    (TRADITIONAL_BIG5, "big5"),
    (TRADITIONAL, "gb18030"),
    (SIMPLIFIED, "gbk"),
    (SIMPLIFIED, "utf-16"),
    (SEED.read_text("utf-8"), "gb18030"),
    (SEED.read_text("utf-8"), "big5hkscs"),
]


@pytest.mark.parametrize(
    ("text", "encoding"), ENCODED, ids=[f"{encoding} {len(text)}" for text, encoding in ENCODED]
)
def test_other_encodings(tmp_path, text, encoding):
    """A text in another encoding is read as what was written."""
    file = tmp_path / "it's a policy $HOME.txt"
    file.write_bytes(text.encode(encoding, "ignore"))

    (document,) = documents(tmp_path)

    assert document.text == text.encode(encoding, "ignore").decode(encoding)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links")
def test_links_out_of_the_folder(tmp_path):
    """A link within the corpus is read, one that leads out of it is refused by its name."""
    outside = tmp_path / "secret.txt"
    outside.write_text("退款", "utf-8")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("退款", "utf-8")
    (corpus / "b.txt").symlink_to("a.txt")
    assert [d.id for d in documents(corpus)] == ["a.txt", "b.txt"]

    (corpus / "c.txt").symlink_to(outside)
    assert refusal(corpus) == (
        f"{corpus / 'c.txt'} is a link to a file outside of the corpus. Copy that file here."
    )


def test_unreadable_file(tmp_path, monkeypatch):
    """A file that may not be read is named, with the system's reason."""
    file = tmp_path / "a.txt"
    file.write_text("退款", "utf-8")

    def refuse(self, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(tmp_path) == (
        f"Cannot read {file}: Permission denied. Make it readable or take it out of the corpus."
    )


def test_unreadable_folder(tmp_path, monkeypatch):
    """A sub-folder that may not be listed is an error, not a folder without documents."""
    (tmp_path / "a.txt").write_text("退款", "utf-8")
    closed = tmp_path / "closed"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path):
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert refusal(tmp_path) == (
        f"Cannot read {closed}: Permission denied. Make it readable or take it out of the corpus."
    )


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links")
def test_links(tmp_path):
    """A link to its own folder is not followed, and a file that links to itself is named."""
    (tmp_path / "a.txt").write_text("退款", "utf-8")
    (tmp_path / "again").symlink_to(tmp_path)
    assert [d.id for d in documents(tmp_path)] == ["a.txt"]

    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    assert refusal(tmp_path) == (
        f"Cannot read {tmp_path / 'loop.txt'}: {os.strerror(errno.ELOOP)}. "
        "Make it readable or take it out of the corpus."
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_pipe(tmp_path):
    """A pipe, which would be waited for without end, is refused."""
    os.mkfifo(tmp_path / "a.txt")

    assert (
        refusal(tmp_path) == f"{tmp_path / 'a.txt'} is no regular file. Take it out of the corpus."
    )


def test_name_not_utf8(tmp_path):
    """A file whose name is not UTF-8 is refused, for its name would be its id."""
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb0h.txt")).write_text("x")
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")

    assert refusal(tmp_path) == (
        f"The name of {str(tmp_path / (chr(0xDCB0) + 'h.txt'))!r} is not UTF-8. "
        "Rename it and try again."
    )
