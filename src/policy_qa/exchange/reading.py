"""Read an export, whichever form it has."""

from pathlib import Path

from policy_qa.errors import InputError
from policy_qa.exchange.assembly import Export
from policy_qa.exchange.jsonl import read_jsonl
from policy_qa.exchange.workbook import read_workbook

_PACKAGE = b"PK\x03\x04"
"""How a workbook begins, which is a ZIP file."""
_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
"""How an `.xls` file begins, and one that a password protects."""


def read_export(file: Path) -> Export:
    """Read an export; what it begins with says whether it is JSON lines or a workbook.

    Raises:
        InputError: If it cannot be read, is no export, of another version, cut off or damaged, or
            if a workbook's questions, answers or texts were edited; names the line or row.
    """
    if file.exists() and not file.is_file():  # a pipe would block for ever
        raise InputError(f"{file} is no file. Name a file that an export wrote.")
    try:
        with file.open("rb") as opened:
            beginning = opened.read(len(_PACKAGE))
            opened.seek(0)
            if beginning == _PACKAGE:
                return read_workbook(opened, file)
            if beginning == _OLD_OR_LOCKED:
                raise InputError(
                    f"{file} is an old .xls file or has a password. Save it as .xlsx without a "
                    "password."
                )
            return read_jsonl(opened, file)
    except OSError as error:
        raise InputError(
            f"Cannot read {file}: {error.strerror or error}. Name a file that an export wrote."
        ) from error
