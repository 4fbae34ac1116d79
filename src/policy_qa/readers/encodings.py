"""Bytes to text: UTF-8, UTF-16 and UTF-32 with their marks, Big5 and GB18030.

Big5 and GB18030 bytes do not say which they are, and most are valid in both. The one that gives
more of the frequent characters is right; where neither gives enough, or a file mixes encodings, it
is refused: a guess that is wrong would fill the knowledge base with unreadable rules.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from policy_qa.errors import CorpusError

_COMMON: Final = frozenset(
    "的是不在有人我一這这中大為为上個个國国以要他時时來来用們们到作地於于出就分對对成會会可主"
)
"""Among the most frequent characters of Chinese text, either script."""
_LEAST_SHARE: Final = 0.03
"""Of the characters beyond ASCII, those that are frequent ones; Chinese text has 0.1 to 0.25."""
_CONTROL_LIMIT: Final = 0.05
"""Share of control characters above which bytes are not text."""
_CODECS: Final = {
    "BIG5-HKSCS": ("big5hkscs", "cp950"),  # Microsoft's Big5 has a few characters of its own
    "GB18030": ("gb18030", "gb18030"),
}
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_MIXED_SHARES: Final = (0.02, 0.08)
"""A long line is of another encoding if it has at most the first share of frequent characters in
the file's, and at least the second in the other."""
_TELLING_CHARS: Final = 30
"""Characters beyond ASCII in a line from which on these shares mean something."""
_IDEOGRAPH: Final = re.compile("[\u4e00-\u9fff]")
_CONTROLS: Final = [chr(c) for c in range(32) if chr(c) not in "\t\n\r\f\v\x1b"]


class BrokenLineError(ValueError):
    """Raised when a line cannot be decoded or is too long; the message is the reason alone."""


def decode(data: bytes, file: Path) -> str:
    """Return the text of a file's bytes, without a leading byte order mark.

    Raises:
        CorpusError: If they are not text of one encoding; names the line.
    """
    encoding = detect(data, file)
    if encoding.startswith("utf"):
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = data[: error.start].decode(encoding, "replace").count("\n") + 1
            raise _not_text(file, line) from None
    else:
        lines = []
        for number, raw in enumerate(data.split(b"\n"), start=1):
            try:
                lines.append(_decode_line(raw, encoding))
            except BrokenLineError as error:
                raise CorpusError(f"{file}, line {number}: {error}") from None
        text = "\n".join(lines)
    check_controls(text, file)
    return text


def detect(data: bytes, file: Path, *, whole: bool = True) -> str:
    """Return the codec of a file's bytes.

    Args:
        data: The bytes, or the first of them.
        file: Named in errors.
        whole: Whether these are all of them; else the last character may be incomplete.

    Raises:
        CorpusError: If they are of no likely encoding; names the line.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return codec
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    else:
        return "utf-8"
    likely = likely_encoding(data)
    if likely is not None:
        first, second = _CODECS[likely]
        return first if _decodes(data, first, whole=whole) else second
    broken = [line for line in data.split(b"\n") if not _decodes(line, "utf-8", whole=True)]
    others = likely_encoding(b"\n".join(broken))
    if others in _CODECS and any(map(_is_utf8_chinese, data.split(b"\n"))):
        raise CorpusError(
            f"{file} mixes encodings: some lines are UTF-8, and line {line} looks like {others}. "
            "Save all of it as UTF-8."
        )
    raise _not_text(file, line)


def likely_encoding(data: bytes) -> str | None:
    """Guess an encoding other than UTF-8; None where no guess is safe.

    Returns:
        `UTF-32`, `UTF-16`, `BIG5-HKSCS` or `GB18030`, which iconv and Python both know.
    """
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    if data.decode(errors="replace").count("\ufffd") <= len(data) // 1000 + 1:
        return None  # UTF-8 with a few broken bytes, which other encodings would read as nonsense
    shares = {}
    for encoding in _CODECS:
        text = data.decode(encoding.lower().replace("-", ""), errors="replace")
        foreign = [c for c in text if c > "\x7f"]
        if foreign and text.count("\ufffd") <= len(foreign) // 100:
            shares[encoding] = _share(foreign)
    best = max(shares, key=lambda encoding: shares[encoding], default=None)
    return best if best and shares[best] > _LEAST_SHARE else None


def check_controls(text: str, file: Path) -> None:
    """Check that what was decoded is text.

    Raises:
        CorpusError: If it holds a NUL or many control characters.
    """
    controls = sum(text.count(character) for character in _CONTROLS)
    if controls > _CONTROL_LIMIT * len(text) or "\0" in text:
        raise CorpusError(f"{file} is not text. Take it out of the corpus or save it as UTF-8.")


def decoded_lines(stream: BinaryIO, encoding: str, longest: int) -> Iterator[str]:
    """Yield the lines of a stream with their ends; CR, LF and CRLF all end a line.

    Args:
        stream: At its beginning.
        encoding: As `detect` names it.
        longest: Bytes of a line that are still read.

    Raises:
        BrokenLineError: If a line is not of this encoding, or longer.
    """
    if encoding in {"utf-16", "utf-32"}:
        yield from _wide_lines(stream, encoding, longest)
        return
    bare = "utf-8" if encoding == "utf-8-sig" else encoding
    first = True
    while line := stream.readline(longest + 1):
        if len(line) > longest:
            raise BrokenLineError(f"a line of more than {longest:,} bytes. Split it.")
        text = _decode_line(line, bare)
        if "\r" in text:
            yield from _split_at_returns(text)
        else:
            yield text.removeprefix("\ufeff") if first else text
        first = False


def _wide_lines(stream: BinaryIO, encoding: str, longest: int) -> Iterator[str]:
    reader = codecs.getreader(encoding)(stream)
    while True:
        try:
            line = reader.readline(longest + 1)
        except UnicodeError:
            raise BrokenLineError(f"not {encoding.upper()} text. Save it as UTF-8.") from None
        if not line:
            return
        if len(line) > longest:
            raise BrokenLineError(f"a line of more than {longest:,} characters. Split it.")
        yield line


def _split_at_returns(line: str) -> Iterator[str]:
    yield from re.split(r"(?<=\r)(?!\n)(?=.)", line.removeprefix("\ufeff"), flags=re.DOTALL)


def _decode_line(line: bytes, encoding: str) -> str:
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        name = {"big5hkscs": "Big5", "cp950": "Big5"}.get(encoding, encoding.upper())
        raise BrokenLineError(
            f"not {name} text, as the lines above are. Save all of it as UTF-8."
        ) from None
    if not encoding.startswith("utf") and not line.isascii() and _is_other(line, text, encoding):
        raise BrokenLineError(
            "of another encoding than the lines around it. Save all of it as UTF-8."
        )
    return text


def _is_other(line: bytes, text: str, encoding: str) -> bool:
    """Whether a line that decodes is better read in another encoding than its file's."""
    if _is_utf8_chinese(line):
        return True
    foreign = [c for c in text if c > "\x7f"]
    if len(foreign) < _TELLING_CHARS or _share(foreign) > _MIXED_SHARES[0]:
        return False
    other = "big5hkscs" if encoding == "gb18030" else "gb18030"
    try:
        foreign = [c for c in line.decode(other) if c > "\x7f"]
    except UnicodeDecodeError:
        return False
    return _share(foreign) >= _MIXED_SHARES[1]


def _share(foreign: list[str]) -> float:
    return sum(c in _COMMON for c in foreign) / len(foreign)


def _is_utf8_chinese(line: bytes) -> bool:
    """Whether a line is UTF-8 with Chinese in it, as lines of other encodings hardly ever are."""
    if line.isascii():
        return False
    try:
        return len(_IDEOGRAPH.findall(line.decode())) > 1
    except UnicodeDecodeError:
        return False


def _decodes(data: bytes, codec: str, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)().decode(data, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _not_text(file: Path, line: int) -> CorpusError:
    return CorpusError(
        f"{file} is not UTF-8 text (line {line}). Save it as UTF-8 or take it out of the corpus."
    )
