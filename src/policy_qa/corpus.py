"""Read a corpus: a folder of text files, or one file.

Text is UTF-8, with or without a byte order mark. Anything else is refused with the command that
converts it: a guess that is wrong would fill the knowledge base with unreadable rules.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from policy_qa.errors import CorpusError
from policy_qa.types import Document

SUFFIXES = (".txt", ".md", ".markdown", ".text")
"""Files with other endings in a corpus folder are not documents."""

_COMMON = frozenset("的是不在有人我一這这中大為为上個个國国以要他時时來来用們们到作地於于出就分對对成會会可主")
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
        raise CorpusError(f"The corpus {path} holds no text. Put the documents there and try again.")
    return documents


def corpus_files(path: Path) -> list[tuple[Path, str]]:
    """Return each document's file and id, ordered by id.

    Raises:
        CorpusError: If the path is missing or holds no text file.
    """
    if path.is_file():
        return [(path, path.name)]
    if not path.is_dir():
        raise CorpusError(
            f"The corpus {path} does not exist. Give the folder or file that holds the documents."
        )
    files = [(file, file.relative_to(path).as_posix()) for file in _walk(path)]
    if not files:
        raise CorpusError(
            f"The corpus {path} holds no document. Put text files ({', '.join(SUFFIXES)}) there."
        )
    return sorted(files, key=lambda pair: pair[1])


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(parent, name)


def read_document(file: Path, document_id: str) -> Document:
    """Return one file's document; the folders of its id become its tags.

    Raises:
        CorpusError: If the file cannot be read or is not UTF-8 text.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"Cannot read {file}: {error.strerror}. Make it readable or take it out of the corpus."
        ) from error
    return Document(document_id, decode(data, file), tuple(document_id.split("/")[:-1]))


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
                f"{file} is not text (line {line}). Take it out of the corpus or save it as UTF-8."
            ) from None
        raise CorpusError(
            f"{file} is not UTF-8 (line {line}); it looks like {likely}. Convert it: "
            f"iconv -f {likely} -t UTF-8 {file} > {file.with_suffix('.utf8' + file.suffix)}"
        ) from None
    controls = sum(text.count(character) for character in _CONTROLS)
    if controls > _CONTROL_LIMIT * len(text) or "\0" in text:
        raise CorpusError(f"{file} is not text. Take it out of the corpus or save it as UTF-8.")
    return text


_CONTROLS = [chr(c) for c in range(32) if chr(c) not in "\t\n\r\f\v\x1b"]


def _likely_encoding(data: bytes) -> str | None:
    """Guess by the share of frequent characters: wrong decodings give rare ones."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    shares = {}
    for encoding in ("BIG5-HKSCS", "GB18030"):
        text = data.decode(encoding.lower().replace("-", ""), errors="replace")
        foreign = [c for c in text if c > "\x7f"]
        if foreign and text.count("\ufffd") <= len(foreign) // 100:
            shares[encoding] = sum(c in _COMMON for c in foreign) / len(foreign)
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    return best if best and shares[best] > _LEAST_SHARE else None


_LEAST_SHARE = 0.03
