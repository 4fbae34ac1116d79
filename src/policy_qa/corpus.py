"""Read a corpus: a folder of text files, or one file.

Text is UTF-8, with or without a byte order mark. Anything else is refused with the command that
converts it: a guess that is wrong would fill the knowledge base with unreadable rules.
"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from policy_qa.errors import CorpusError
from policy_qa.front_matter import read_front_matter
from policy_qa.lexicon import LEXICON_FILE, Rule, parse_lexicon
from policy_qa.types import Document

SUFFIXES = (".txt", ".md", ".markdown", ".text")
"""Files with other endings in a corpus folder are not documents."""

_COMMON = frozenset(
    "的是不在有人我一這这中大為为上個个國国以要他時时來来用們们到作地於于出就分對对成會会可主"
)
"""Among the most frequent characters of Chinese text, either script."""
_CONTROL_LIMIT = 0.05
"""Share of control characters above which bytes are not text."""


def read_corpus(path: Path) -> list[Document]:
    """Return the documents, ordered by id.

    Raises:
        CorpusError: If the path is missing, holds no text file, or a file is not UTF-8 text.
    """
    documents = [read_document(file, document_id) for file, document_id in corpus_files(path)]
    if not any(document.text.strip() for document in documents):
        raise CorpusError(
            f"The corpus {path} holds no text. Put the documents there and try again."
        )
    return documents


def corpus_files(path: Path) -> list[tuple[Path, str]]:
    """Return each document's file and id, ordered by id.

    Raises:
        CorpusError: If the path is missing, cannot be read or holds no text file.
    """
    if _is_file(path):
        return [(path, path.name)]
    if not path.is_dir():
        raise CorpusError(
            f"The corpus {path} does not exist. Give the folder or file that holds the documents."
        )
    files = [(file, file.relative_to(path).as_posix()) for file in _walk(path)]
    files = [(file, name) for file, name in files if name != LEXICON_FILE]
    if not files:
        raise CorpusError(
            f"The corpus {path} holds no document. Put text files ({', '.join(SUFFIXES)}) there."
        )
    for file, document_id in files:
        if not _is_utf8(document_id):
            raise CorpusError(f"The name of {str(file)!r} is not UTF-8. Rename it and try again.")
    return sorted(files, key=lambda pair: pair[1])


def read_lexicon(path: Path) -> list[Rule]:
    """Return the rules of the lexicon in a corpus folder; none if it has none.

    Raises:
        CorpusError: If it cannot be read, or a line is no rule; the message names it.
    """
    file = path / LEXICON_FILE
    if not _is_file(file):
        return []
    return parse_lexicon(read_document(file, LEXICON_FILE).text, LEXICON_FILE, file)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> CorpusError:
    return CorpusError(
        f"Cannot read {path}: {error.strerror}. Make it readable or take it out of the corpus."
    )


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> NoReturn:
        raise _unreadable(Path(error.filename), error) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(parent, name)


def read_document(file: Path, document_id: str) -> Document:
    """Return one file's document; the folders of its id and its front matter become its tags.

    Raises:
        CorpusError: If the file cannot be read, is not UTF-8 text, or names no day for one.
    """
    if file.exists() and not file.is_file():  # a pipe would block for ever
        raise CorpusError(f"{file} is no regular file. Take it out of the corpus.")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error
    text = decode(data, file)
    own = read_front_matter(text, file)
    tags = dict.fromkeys((*document_id.split("/")[:-1], *own.tags))
    return Document(document_id, text, tuple(tags), own.effective_from, own.expires)


def decode(data: bytes, file: Path) -> str:
    """Return the text of UTF-8 bytes.

    Raises:
        CorpusError: If they are not UTF-8 text; names the likely encoding and how to convert it.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        likely = _likely_encoding(data)
        if likely is None:
            raise CorpusError(
                f"{file} is not UTF-8 text (line {line}). Save it as UTF-8 or take it out of the "
                "corpus."
            ) from None
        raise CorpusError(
            f"{file} is not UTF-8 (line {line}); it looks like {likely}. Convert it: "
            f"{_conversion(likely, file)}"
        ) from None
    controls = sum(text.count(character) for character in _CONTROLS)
    if controls > _CONTROL_LIMIT * len(text) or "\0" in text:
        raise CorpusError(f"{file} is not text. Take it out of the corpus or save it as UTF-8.")
    return text


def _conversion(encoding: str, file: Path) -> str:
    """Return the command that replaces the file by its UTF-8 form, if all of it converts."""
    old, new = shlex.quote(str(file)), shlex.quote(f"{file}.utf8")
    return f"iconv -f {encoding} -t UTF-8 {old} > {new} && mv {new} {old}"


_CONTROLS = [chr(c) for c in range(32) if chr(c) not in "\t\n\r\f\v\x1b"]


def _likely_encoding(data: bytes) -> str | None:
    """Guess by the share of frequent characters: wrong decodings give rare ones."""
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    if data.decode(errors="replace").count("\ufffd") <= len(data) // 1000 + 1:
        return None  # UTF-8 with a few broken bytes, which other encodings would read as nonsense
    shares = {}
    for encoding in ("BIG5-HKSCS", "GB18030"):
        text = data.decode(encoding.lower().replace("-", ""), errors="replace")
        foreign = [c for c in text if c > "\x7f"]
        if foreign and text.count("\ufffd") <= len(foreign) // 100:
            shares[encoding] = sum(c in _COMMON for c in foreign) / len(foreign)
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    return best if best and shares[best] > _LEAST_SHARE else None


_LEAST_SHARE = 0.03
