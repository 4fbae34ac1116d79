"""A corpus: a folder of files of every kind that `readers` knows, or one file."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from policy_qa.csv_tables import ALTERNATES_FILE, read_alternates
from policy_qa.errors import CorpusError
from policy_qa.lexicon import LEXICON_FILE, Rule, parse_lexicon
from policy_qa.readers import SUFFIXES, read_file
from policy_qa.readers.encodings import decode
from policy_qa.readers.files import check_place, read_whole, unreadable
from policy_qa.types import Parsed

SPECIAL_FILES = (LEXICON_FILE, ALTERNATES_FILE)
"""At the top of a corpus folder, these are no documents."""


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file of a corpus.

    Attributes:
        id: Of its document, or of the file that its documents are parts of.
        path: Where it stands.
        columns: What the columns of tables are called.
        folder: The corpus folder; None if the file is the corpus.
    """

    id: str
    path: Path
    columns: Mapping[str, str]
    folder: Path | None = None

    def read(self) -> Iterator[Parsed]:
        """Yield its documents with their entries.

        Raises:
            CorpusError: If it cannot be read, is a link to a file outside of the corpus, or has a
                name that is not UTF-8.
        """
        if self.folder is not None:
            check_place(self.path, self.folder)
        if not _is_utf8(str(self.path)):
            raise CorpusError(
                f"The name of {str(self.path)!r} is not UTF-8. Rename it and try again."
            )
        yield from read_file(self.path, self.id, self.columns)

    def stamp(self) -> tuple[int, int]:
        """Return its size in bytes, and when it was changed, in ns.

        The time is 0 where it does not tell whether the file is still the same: if the file was
        changed a moment ago, for it may change again in the same moment, or is gone.
        """
        try:
            status = self.path.stat()
        except OSError:
            return 0, 0
        settled = time.time_ns() - status.st_mtime_ns > _MOMENT
        return status.st_size, status.st_mtime_ns if settled else 0


_MOMENT = 2 * 10**9
"""Nanoseconds. Some file systems count the time in whole seconds, or in two of them."""


class Corpus:
    """The files of a corpus, its lexicon and its alternates.

    Attributes:
        path: The folder or file.
        files: In the order of their ids.
    """

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None) -> None:
        """List the files.

        Args:
            path: The folder or file.
            columns: What the columns of tables are called, where names are not recognised.

        Raises:
            CorpusError: If the path is missing, cannot be listed or holds no document.
        """
        self.path = path
        self.files = [
            CorpusFile(document_id, file, columns or {}, None if file == path else path)
            for file, document_id in corpus_files(path)
        ]

    def rules(self) -> list[Rule]:
        """Return the rules of its lexicon.

        Raises:
            CorpusError: If it cannot be read, or a line is no rule; names the line.
        """
        return read_lexicon(self.path)

    def alternates(self) -> dict[str, tuple[str, ...]]:
        """Return the wordings that its file of alternates gives to entries, by their ids.

        Raises:
            CorpusError: If it cannot be read, or a row is broken; names the row.
        """
        found: dict[str, list[str]] = {}
        for entry_id, wording, _ in read_alternates(self.path):
            found.setdefault(entry_id, []).append(wording)
        return {entry_id: tuple(wordings) for entry_id, wordings in found.items()}


def read_corpus(path: Path, columns: Mapping[str, str] | None = None) -> list[Parsed]:
    """Return the documents of a corpus with their entries, ordered by id.

    Raises:
        CorpusError: If the path is missing, holds no document, or one cannot be read.
    """
    parsed = [one for file in Corpus(path, columns).files for one in file.read()]
    if not any(document.text.strip() for document, _ in parsed):
        raise CorpusError(
            f"The corpus {path} holds no text. Put the documents there and try again."
        )
    return parsed


def corpus_files(path: Path) -> list[tuple[Path, str]]:
    """Return each document's file and id, ordered by id.

    Raises:
        CorpusError: If the path is missing, cannot be read or holds no document.
    """
    if _is_file(path):
        return [(path, path.name)]
    if not path.is_dir():
        raise CorpusError(
            f"The corpus {path} does not exist. Give the folder or file that holds the documents."
        )
    files = [(file, file.relative_to(path).as_posix()) for file in _walk(path)]
    files = [(file, name) for file, name in files if name not in SPECIAL_FILES]
    if not files:
        raise CorpusError(
            f"The corpus {path} holds no document. Put files there ({', '.join(SUFFIXES)})."
        )
    named = [
        (file, name.encode("utf-8", "backslashreplace").decode("utf-8")) for file, name in files
    ]
    return sorted(named, key=lambda pair: pair[1])


def read_lexicon(path: Path) -> list[Rule]:
    """Return the rules of the lexicon in a corpus folder; none if it has none.

    Raises:
        CorpusError: If it cannot be read, or a line is no rule; the message names it.
    """
    file = path / LEXICON_FILE
    if not _is_file(file):
        return []
    check_place(file, path)
    return parse_lexicon(decode(read_whole(file), file), LEXICON_FILE, file)


def is_knowledge_base(folder: Path) -> bool:
    """Whether a folder looks like a knowledge base, which is no part of a corpus."""
    try:
        return (folder / "CURRENT").is_file() and (folder / "generations").is_dir()
    except OSError:  # it may not be entered
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise unreadable(path, error) from error


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> NoReturn:
        raise unreadable(Path(error.filename), error) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and not is_knowledge_base(Path(parent, name))
        ]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(parent, name)
