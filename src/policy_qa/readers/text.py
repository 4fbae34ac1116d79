"""Text and Markdown files."""

from collections.abc import Iterator
from pathlib import Path

from policy_qa.entries import parse
from policy_qa.front_matter import read_front_matter
from policy_qa.readers.encodings import decode
from policy_qa.readers.files import read_whole
from policy_qa.types import Document, Parsed


def read_text(file: Path, document_id: str) -> Iterator[Parsed]:
    """Yield the document of a text file; its folders and its front matter become its tags.

    Raises:
        CorpusError: If the file cannot be read, is not text, or names no day for one.
    """
    text = decode(read_whole(file), file)
    own = read_front_matter(text, file)
    tags = dict.fromkeys((*folders(document_id), *own.tags))
    document = Document(document_id, text, tuple(tags), own.effective_from, own.expires)
    yield document, parse(document)


def folders(document_id: str) -> tuple[str, ...]:
    """Return the tags that a document has from where it stands: the names of its folders."""
    return tuple(dict.fromkeys(document_id.split("/")[:-1]))
