"""An export as JSON lines.

    {"policy_qa_export": 2, "generation": 3, "corpus": "corpus/", …, "counts": {"documents": 2, …}}
    {"document": {"id": "returns.md", "text": "…", "tags": [], …}}
    {"entry": {"id": "returns.md#1", "document": "returns.md", "span": [0, 41], …}}
    {"rule": {"source": "lexicon.txt:3", "words": ["退款", "退费", "refund"], …}}
    {"alternates": {"entry": "returns.md#1", "wordings": ["退費要多久"]}}
    {"file": {"name": "returns.md", "bytes": 123, "changed_ns": 1764312345678901234}}
    {"skipped": {"name": "scan.pdf", "why": "…"}}
    {"used": {"document": "gone.md", "next_entry": 5}}
    {"end": {"documents": 2, "entries": 9, "rules": 4, "sha256": "…"}}

UTF-8, one object a line, every document before its entries. Offsets count code points of the
document's text. The SHA-256 is that of all lines above the last: what was cut off, edited or
damaged is refused, for a quote would not be the source's own words any more.

JSON reads two halves of a pair as one character; no store holds such halves.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from policy_qa.errors import InputError
from policy_qa.exchange.assembly import (
    VERSION,
    Assembly,
    Export,
    about_fields,
    alternates_fields,
    check_counts,
    check_version,
    counts_of,
    document_fields,
    entry_fields,
    file_fields,
    rule_fields,
    skipped_fields,
    used_fields,
)
from policy_qa.exchange.files import replacing
from policy_qa.storage import Manifest
from policy_qa.store import Store

_MARK: Final = "policy_qa_export"
"""What the first line begins with."""

_FIRST_LINE: Final = 1_000_000
"""Bytes of the first line at most, so that no other file is read to its end to be refused."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def export_jsonl(manifest: Manifest, store: Store, file: Path) -> None:
    """Write a knowledge base as JSON lines, one document in memory at a time.

    Args:
        manifest: Of the generation to export.
        store: Of the same.
        file: Replaced if it is there; its folders are made.

    Raises:
        StorageError: If the disk is full or refuses; what stood there is left as it was.
    """
    counts = counts_of(manifest, store)
    with replacing(file) as temporary, temporary.open("wb") as out:
        digest = hashlib.sha256()
        for record in _records(manifest, store, counts):
            line = _line(record)
            digest.update(line)
            out.write(line)
        out.write(_line({"end": counts | {"sha256": digest.hexdigest()}}))


def _records(manifest: Manifest, store: Store, counts: dict[str, int]) -> Iterator[dict[str, Any]]:
    yield {_MARK: VERSION} | about_fields(manifest) | {"counts": counts}
    for document_id, _ in store.documents():
        document = store.document(document_id)
        if document:
            yield {"document": document_fields(document, store.next_entry(document_id))}
            for entry, _ in store.entries(document_id):
                yield {"entry": entry_fields(entry)}
    for rule in store.rules():
        yield {"rule": rule_fields(rule)}
    for entry_id, wordings in store.alternates().items():
        yield {"alternates": alternates_fields(entry_id, wordings)}
    for name, stamp in store.files().items():
        yield {"file": file_fields(name, stamp)}
    for name, why in manifest.skipped.items():
        yield {"skipped": skipped_fields(name, why)}
    for document_id, number in store.all_used().items():
        yield {"used": used_fields(document_id, number)}


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    text = _SURROGATE.sub(_by_number, text)  # UTF-8 has no half of a pair, JSON does
    return f"{text}\n".encode()


def _by_number(half: re.Match[str]) -> str:
    return f"\\u{ord(half[0]):04x}"


def read_jsonl(opened: BinaryIO, file: Path) -> Export:
    """Read an export of JSON lines.

    Args:
        opened: The file, at its beginning.
        file: Its name, for errors.

    Raises:
        InputError: If it is none, of another version, cut off, edited or damaged; names the line.
    """
    digest = hashlib.sha256()
    first = opened.readline(_FIRST_LINE)
    counts, about = _head(first, file)
    digest.update(first)
    assembly = Assembly(about, f"{file}:1")
    end: object = None
    number = 1
    for number, line in enumerate(opened, start=2):
        where = f"{file}:{number}"
        if end is not None:
            raise InputError(f"{where}: a line behind the last one of an export. Export again.")
        ((kind, fields),) = _parsed(line, where).items()
        if kind == "end":
            end = fields
        else:
            assembly.add(kind, fields, where)
            digest.update(line)
    _check_end(end, digest.hexdigest(), assembly, f"{file}:{number}")
    check_counts(counts, assembly.counts(), f"{file}:1", "Export again.")
    return assembly.export()


def _head(line: bytes, file: Path) -> tuple[object, dict[str, Any]]:
    """Return how many records there are said to be, and what the export says of itself."""
    where = f"{file}:1"
    try:
        head = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or _MARK not in head:
        raise InputError(
            f"{file} is no export of a knowledge base, or its first line is damaged. Name a file "
            "that an export wrote."
        )
    check_version(head.pop(_MARK), where)
    return head.pop("counts", None), head


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    """Return a line's object, which has one key."""
    if not line.endswith(b"\n"):
        raise InputError(f"{where}: the file is cut off here. Export or copy it again.")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON; the file is damaged. Export again.") from error
    if not isinstance(record, dict) or len(record) != 1:
        raise InputError(f"{where}: no record of an export. Export again.")
    return record


def _check_end(end: object, sha256: str, assembly: Assembly, where: str) -> None:
    if not isinstance(end, dict):
        raise InputError(
            f"{where}: the file is cut off behind this line: the last line of an export is "
            "missing. Export or copy it again."
        )
    check_counts(end, assembly.counts(), where, "Export again.")
    if end.get("sha256") != sha256:
        raise InputError(
            f"{where}: the lines above are not those that were exported: the file was edited or "
            "damaged. Export again; to change what it says, edit the source documents."
        )
