"""An export as JSON lines.

    {"policy_qa_export": 1, "generation": 3, "corpus": "corpus/", "counts": {"documents": 2, …}}
    {"document": {"id": "returns.md", "text": "…", "tags": [], …}}
    {"entry": {"id": "returns.md#1", "document": "returns.md", "span": [0, 41], …}}
    {"rule": {"source": "lexicon.txt:3", "words": ["退款", "退费", "refund"], …}}
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
    check_counts,
    check_version,
    document_fields,
    entry_fields,
    rule_fields,
)
from policy_qa.exchange.files import replacing
from policy_qa.knowledge_base import KnowledgeBase

_MARK: Final = "policy_qa_export"
"""What the first line begins with."""

_FIRST_LINE: Final = 1_000_000
"""Bytes of the first line at most, so that no other file is read to its end to be refused."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def export_jsonl(kb: KnowledgeBase, file: Path) -> None:
    """Write a knowledge base as JSON lines, one document in memory at a time.

    Args:
        kb: What to export.
        file: Replaced if it is there; its folders are made.

    Raises:
        StorageError: If the disk is full or refuses; what stood there is left as it was.
    """
    counts = {
        "documents": kb.manifest.documents,
        "entries": kb.manifest.entries,
        "rules": len(kb.rules()),
    }
    with replacing(file) as temporary, temporary.open("wb") as out:
        digest = hashlib.sha256()
        for record in _records(kb, counts):
            line = _line(record)
            digest.update(line)
            out.write(line)
        out.write(_line({"end": counts | {"sha256": digest.hexdigest()}}))


def _records(kb: KnowledgeBase, counts: dict[str, int]) -> Iterator[dict[str, Any]]:
    manifest = kb.manifest
    about = {"generation": manifest.generation, "corpus": manifest.corpus, "counts": counts}
    yield {_MARK: VERSION} | about
    for document_id, _ in kb.documents():
        yield {"document": document_fields(kb.document(document_id))}
        for entry in kb.entries(document_id):
            yield {"entry": entry_fields(entry)}
    for rule in kb.rules():
        yield {"rule": rule_fields(rule)}


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
    head = _head(first, file)
    digest.update(first)
    assembly = Assembly()
    end: object = None
    number = 1
    for number, line in enumerate(opened, start=2):
        where = f"{file}:{number}"
        if end is not None:
            raise InputError(f"{where}: a line behind the last one of an export. Export again.")
        ((kind, fields),) = _parsed(line, where).items()
        match kind:
            case "document":
                assembly.add_document(fields, where)
            case "entry":
                assembly.add_entry(fields, where)
            case "rule":
                assembly.add_rule(fields, where)
            case "end":
                end = fields
                continue  # the digest is of the lines above
            case _:
                raise InputError(f"{where}: {kind!r} is no record of an export. Export again.")
        digest.update(line)
    _check_end(end, digest.hexdigest(), assembly, f"{file}:{number}")
    check_counts(head["counts"], assembly.counts(), f"{file}:1", "Export again.")
    return assembly.export(head["corpus"], head["generation"])


def _head(line: bytes, file: Path) -> dict[str, Any]:
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
    check_version(head[_MARK], where)
    match head:
        case {"generation": int(), "corpus": str(), "counts": dict()}:
            return head
    raise InputError(f"{where}: the first line of the export is damaged. Export again.")


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
