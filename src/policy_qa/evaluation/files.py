"""Files of an evaluation, read line by line with errors that name the line, and written whole."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from policy_qa.errors import EvaluationError, StorageError
from policy_qa.storage import write_atomically


def lines(path: Path, *, otherwise: str = "") -> Iterator[tuple[int, str]]:
    """Yield the number (from 1) and the text of each line that is not blank.

    Args:
        path: A UTF-8 file, with or without a byte order mark.
        otherwise: What to do if there is no such file, for the message.

    Raises:
        EvaluationError: The file is missing, cannot be read or is not UTF-8.
    """
    # Not splitlines: it would also split at U+2028 and the like inside a query.
    for number, line in enumerate(read_text(path, otherwise=otherwise).split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def read_text(path: Path, *, otherwise: str = "") -> str:
    """Return the text of a UTF-8 file; raises what `lines` raises."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise EvaluationError(f"{path}: no such file" + (otherwise and f"; {otherwise}")) from error
    except OSError as error:
        raise EvaluationError(
            f"{path}: cannot be read ({error.strerror}); name a file that can"
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise EvaluationError(f"{path}:{number}: not UTF-8; save the file as UTF-8") from error


def records(path: Path, form: str, *, otherwise: str = "") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the object of each line of a JSON lines file.

    Args:
        path: The file.
        form: What a line looks like, for messages.
        otherwise: What to do if there is no such file, for the message.

    Raises:
        EvaluationError: The file cannot be read, or a line is not a JSON object.
    """
    for number, line in lines(path, otherwise=otherwise):
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
            raise EvaluationError(
                f"{where}: not JSON ({reason}); one object a line, such as {form}"
            ) from error
        if not isinstance(record, dict):
            raise EvaluationError(f"{where}: not a JSON object; write one such as {form}")
        yield number, record


def string(
    record: Mapping[str, Any], keys: Sequence[str], where: str, form: str, *, blank: bool = False
) -> str:
    """Return the text under the first of some keys that a record has.

    Args:
        record: A line's object.
        keys: Names of the same thing, the usual one first.
        where: File and line, for messages.
        form: What a line looks like, for messages.
        blank: Whether blank text will do.

    Raises:
        EvaluationError: There is none, it is blank, or it is no whole text.
    """
    value = next((record[key] for key in keys if key in record), None)
    if not isinstance(value, str) or not (blank or value.strip()):
        raise EvaluationError(f"{where}: {keys[0]!r} is missing or no text; write {form}")
    if re.search("[\0\ud800-\udfff]", value):
        raise EvaluationError(
            f"{where}: {keys[0]!r} holds NUL or half a character (a lone surrogate); fix it"
        )
    return value


def write_whole(path: Path, text: str, what: str) -> None:
    """Write a file durably, whole or not at all; folders that are missing are made.

    Raises:
        StorageError: It cannot be written; what stood there is left as it was.
    """
    if path.is_dir():
        raise StorageError(f"{path}: the {what} cannot be written (it is a folder); name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise StorageError(
            f"{path}: the {what} cannot be written ({error.strerror}); name another place"
        ) from error
