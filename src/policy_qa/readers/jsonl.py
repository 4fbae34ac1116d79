"""JSONL: an object a line, with a question and its answer, or with a text."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policy_qa.errors import CorpusError
from policy_qa.readers.cells import alternates, clean, one_line, shown, tags
from policy_qa.readers.delimited import LONGEST_LINE, SAMPLE_BYTES, detect_sample
from policy_qa.readers.encodings import BrokenLineError, check_controls, decoded_lines
from policy_qa.readers.fields import bare, check_mapping, recognise
from policy_qa.readers.files import opened
from policy_qa.readers.rows import Row, documents, labelled
from policy_qa.readers.tables import named_day
from policy_qa.types import Parsed

_PATH = frozenset({"path", "headings", "路徑", "标题路径"} | {bare("路徑")})


def read_jsonl(file: Path, document_id: str, columns: Mapping[str, str]) -> Iterator[Parsed]:
    """Yield the documents of a file of objects.

    Raises:
        CorpusError: If it cannot be read; names the line.
    """
    check_mapping(columns, file)
    with opened(file) as stream:
        sample = stream.read(SAMPLE_BYTES)
        stream.seek(0)
        whole = len(sample) < SAMPLE_BYTES
        encoding = detect_sample(sample, file, whole=whole)
        check_controls(sample.decode(encoding, "replace"), file)
        lines = decoded_lines(stream, encoding, LONGEST_LINE)
        yield from documents(_rows(lines, file, columns), file, document_id)


def _rows(lines: Iterator[str], file: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    number = 0
    while True:
        number += 1
        where = f"{file}, line {number}"
        try:
            line = next(lines)
            if not line.strip():
                continue
            found = json.loads(line)
        except StopIteration:
            return
        except BrokenLineError as error:
            raise CorpusError(f"{where}: {error}") from None
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"{where} is no JSON ({error}). Write one object a line, or remove it."
            ) from None
        if not isinstance(found, dict):
            raise CorpusError(
                f'{where} is no object. Write it as {{"question": "…", "answer": "…"}}.'
            )
        if number == 1 and "policy_qa_export" in found:
            raise CorpusError(
                f"{file} is the export of a knowledge base and no document. Take it out of the "
                "corpus; policy-qa import reads it."
            )
        yield _row(found, number, columns, where)


def _row(found: dict[str, Any], number: int, columns: Mapping[str, str], where: str) -> Row:
    keys = list(found)
    values = list(found.values())
    fields = recognise(keys, columns)

    def text(column: int | None) -> str:
        return "" if column is None else _shown(values[column])

    path = next((i for i, key in enumerate(keys) if bare(key) in _PATH), None)
    known = fields.known | ({path} if path is not None else set())
    extras = tuple(
        (one_line(clean(key)), _shown(values[i])) for i, key in enumerate(keys) if i not in known
    )
    question, answer = one_line(text(fields.question)), text(fields.answer)
    if not question and not answer:
        answer, extras = labelled(extras), ()
    return Row(
        number,
        "",
        question,
        answer,
        extras,
        alternates((_lines(values[column]) for column in fields.alternates), question),
        tags(_lines(values[fields.tags]) if fields.tags is not None else ""),
        _day(fields.effective_from, keys, text(fields.effective_from), where),
        _day(fields.expires, keys, text(fields.expires), where),
        one_line(text(fields.id)),
        _path(values[path]) if path is not None else (),
    )


def _day(column: int | None, keys: list[str], given: str, where: str) -> Any:
    return named_day(given, keys[column], where) if column is not None else None


def _path(value: Any) -> tuple[str, ...]:
    headings = value if isinstance(value, list) else [value]
    return tuple(filter(None, (one_line(_shown(heading)) for heading in headings)))


def _lines(value: Any) -> str:
    """Return the items of a list a line each."""
    return "\n".join(map(_shown, value)) if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return clean(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return "、".join(filter(None, map(_shown, value)))
    return shown(value)
