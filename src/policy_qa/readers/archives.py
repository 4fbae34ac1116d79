"""Guard what is packed: XLSX and DOCX files are ZIP archives of XML."""

import zipfile
from pathlib import Path
from typing import BinaryIO, Final

from policy_qa.errors import CorpusError

MAX_UNPACKED: Final = 300_000_000
"""Bytes of all parts that are read. A workbook of 100,000 rows and 3 columns of Chinese has 30 MB;
the XML is parsed at some 10 MB/s."""
MAX_PARTS: Final = 10_000
"""Parts of a package; a document with many pictures has some hundreds."""
MAX_RATIO: Final = 300
"""How many times larger than packed a part of `_LARGE` may be; sheets are 5 to 50 times."""
_LARGE: Final = 20_000_000
_OLD_OR_LOCKED: Final = b"\xd0\xcf\x11\xe0"
"""How an `.xls` or `.doc` file begins, and one that a password protects."""
_BLOCK: Final = 1 << 20
_DECLARATIONS: Final = (b"<!DOCTYPE", b"<!ENTITY")


def check_package(stream: BinaryIO, file: Path, kind: str) -> None:
    """Check that an Office file is no bomb, has no password, and holds no entities.

    Args:
        stream: The file, at its beginning; it is there again afterwards.
        file: Named in errors.
        kind: What it should be: `XLSX` or `DOCX`.

    Raises:
        CorpusError: If it is anything else.
    """
    ending = kind.lower()
    if stream.read(len(_OLD_OR_LOCKED)) == _OLD_OR_LOCKED:
        raise CorpusError(
            f"{file} is a file of an old Office or has a password. Save it as .{ending} without a "
            "password."
        )
    try:
        with zipfile.ZipFile(stream) as package:
            _check_sizes(package.infolist(), file)
            for part in package.infolist():
                _check_part(package, part, file, ending)
    except CorpusError:
        raise
    except Exception as error:  # zipfile and zlib have many of their own
        raise damaged(file, kind) from error
    stream.seek(0)


def damaged(file: Path, kind: str) -> CorpusError:
    """Return the error for a file that is not what its ending says."""
    return CorpusError(
        f"{file} is no {kind} file or is damaged. Save it again as .{kind.lower()}, or take it out "
        "of the corpus."
    )


def _check_sizes(parts: list[zipfile.ZipInfo], file: Path) -> None:
    size = sum(part.file_size for part in parts)
    if size > MAX_UNPACKED or len(parts) > MAX_PARTS:
        raise CorpusError(
            f"{file} has {size:,} bytes in {len(parts):,} parts unpacked; the limits are "
            f"{MAX_UNPACKED:,} and {MAX_PARTS:,}. Split it, or save what is needed alone."
        )
    for part in parts:
        if part.file_size > max(_LARGE, MAX_RATIO * part.compress_size):
            raise CorpusError(
                f"{file} unpacks to more than {MAX_RATIO} times its size, as no document does. "
                "Save what is needed in a new file."
            )


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo, file: Path, ending: str) -> None:
    # Other ways are not those of Office files, and unpack past the size that is declared.
    if part.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise CorpusError(f"{file} is packed in an unknown way. Save it again as .{ending}.")
    with package.open(part) as content:
        last = b""
        while block := content.read(_BLOCK):
            block = last + block.replace(b"\0", b"")  # so that UTF-16 reads as ASCII
            if any(declaration in block for declaration in _DECLARATIONS):
                raise CorpusError(
                    f"{file} holds a document type declaration, which no .{ending} needs. Save it "
                    "again."
                )
            last = block[-len(max(_DECLARATIONS)) :]
