"""An export as a workbook (XLSX), to be looked through in a spreadsheet program.

The sheet `about` says what it is; the others hold the records in their order, a row each. What a
cell cannot hold is written as `cells` says. Everything is text or a number, nothing a formula.

Alternates, tags and days may be edited in it. Questions, answers and texts may not: they would not
be the source's own words any more, so import compares them with the offsets and with a SHA-256.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from policy_qa.errors import InputError
from policy_qa.exchange.assembly import (
    VERSION,
    Assembly,
    Export,
    about_fields,
    check_counts,
    check_version,
    counts_of,
    skipped_fields,
)
from policy_qa.exchange.cells import from_cell, list_from_cell, list_to_cell, to_cell
from policy_qa.exchange.files import replacing
from policy_qa.exchange.sheets import NUMBER, SheetReader, SheetWriter, reading
from policy_qa.lexicon import Rule
from policy_qa.storage import Manifest
from policy_qa.store import Store
from policy_qa.types import Document, Entry

_COLUMNS: Final[Mapping[str, Mapping[str, int]]] = {
    "about": {"what": 24, "value": 100},
    "entries": {
        NUMBER: 8, "id": 32, "document": 32, "question": 48, "answer": 80, "alternates": 48,
        "tags": 20, "path": 32, "effective_from": 14, "expires": 14,
        "span_start": 12, "span_end": 12, "question_start": 12, "question_end": 12,
        "answer_start": 12, "answer_end": 12,
    },
    "documents": {
        NUMBER: 8, "id": 32, "part_of": 32, "tags": 20, "effective_from": 14, "expires": 14,
        "places": 20, "next_entry": 12, "sha256": 32,
    },
    "texts": {NUMBER: 8, "document": 32, "text": 120},
    "lexicon": {NUMBER: 8, "source": 24, "words": 60, "translates": 12},
    "alternates": {NUMBER: 8, "entry": 32, "wordings": 60},
    "files": {NUMBER: 8, "name": 40, "bytes": 16, "changed_ns": 24},
    "skipped": {NUMBER: 8, "name": 40, "why": 100},
    "used": {NUMBER: 8, "document": 40, "next_entry": 12},
}  # fmt: skip
"""The columns of each sheet, with their widths in characters."""

_SPANS: Final = ("span", "question", "answer")
_COUNTED: Final = ("documents", "entries", "rules", "alternates", "files", "skipped", "used")
_MARK: Final = "policy_qa_export"
_YES: Final = "yes"
_NOTES: Final = (
    "Alternates, tags and days may be edited here, in the sheet entries, until their document is",
    "read again: what is to last belongs into the source documents and alternates.csv. Questions,",
    "answers and texts may not, for they are quotes; the lexicon stands in lexicon.txt.",
    "其他問法、標籤、日期可在 entries 工作表修改，來源文件再次讀入時即被取代；",
    "要長久保留，請改來源文件與 alternates.csv。",
    "問題、答案、原文皆為引文，請改來源文件；詞彙請改 lexicon.txt。",
    r"A list has one item a line. In all cells \\ is a backslash, \r a carriage return,",
    r"\n a line end inside an item, \e an empty item, \u0007 the character of that number (hex).",
    "A row with the number of the row above it continues the cells of that row.",
)


def export_workbook(manifest: Manifest, store: Store, file: Path) -> None:
    """Write a knowledge base as a workbook, one document in memory at a time.

    Args:
        manifest: Of the generation to export.
        store: Of the same.
        file: Replaced if it is there; its folders are made.

    Raises:
        InputError: If it has more rows or bytes than a workbook that can be read again.
        StorageError: If the disk is full or refuses; what stood there is left as it was.
    """
    with replacing(file) as temporary, SheetWriter(_COLUMNS) as book:
        _write_about(book, about_fields(manifest), counts_of(manifest, store))
        number = place = 0
        for document_id, _ in store.documents():
            document = store.document(document_id)
            if document is None:
                continue
            place += 1
            next_entry = store.next_entry(document_id)
            book.write("documents", [place, *_document_cells(document, next_entry)])
            book.write("texts", [place, to_cell(document.id), to_cell(document.text)])
            for entry, _ in store.entries(document_id):
                number += 1
                book.write("entries", [number, *_entry_cells(entry, document)])
        for place, rule in enumerate(store.rules(), start=1):
            book.write("lexicon", [place, *_rule_cells(rule)])
        for place, (entry_id, wordings) in enumerate(store.alternates().items(), start=1):
            book.write("alternates", [place, to_cell(entry_id), list_to_cell(wordings)])
        for place, (name, stamp) in enumerate(store.files().items(), start=1):
            # As texts: a spreadsheet's numbers have 15 digits.
            book.write("files", [place, to_cell(name), *map(str, stamp)])
        for place, (name, why) in enumerate(manifest.skipped.items(), start=1):
            book.write("skipped", [place, to_cell(name), to_cell(why)])
        for place, (document_id, number) in enumerate(store.all_used().items(), start=1):
            book.write("used", [place, to_cell(document_id), number])
        book.save(temporary)


def _write_about(book: SheetWriter, about: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    book.write("about", [_MARK, VERSION])
    for what, value in (*about.items(), *counts.items()):
        if isinstance(value, Mapping):
            cell: str | int = list_to_cell(part for item in value.items() for part in item)
        elif isinstance(value, bool):
            cell = _YES if value else ""
        else:
            cell = value if isinstance(value, int) else to_cell(value)
        book.write("about", [what, cell])
    for note in _NOTES:
        book.write("about", ["note", note])


def _document_cells(document: Document, next_entry: int) -> list[str | int]:
    places = (f"{start} {p.kind} {p.number} {p.sheet}" for start, p in document.places)
    return [
        to_cell(document.id),
        to_cell(document.part_of),
        list_to_cell(document.tags),
        *_days(document),
        list_to_cell(places),
        next_entry,
        _sha256(document.text),
    ]


def _entry_cells(entry: Entry, document: Document) -> list[str | int]:
    spans = (entry.span, entry.question, entry.answer)
    return [
        to_cell(entry.id),
        to_cell(document.id),
        *(to_cell(document.text[span.start : span.end]) for span in spans[1:]),
        list_to_cell(entry.alternates),
        list_to_cell(entry.tags),
        list_to_cell(entry.path),
        *_days(entry),
        *(offset for span in spans for offset in (span.start, span.end)),
    ]


def _rule_cells(rule: Rule) -> list[str]:
    return [to_cell(rule.source), list_to_cell(rule.words), _YES if rule.translates else ""]


def _days(dated: Document | Entry) -> list[str]:
    return [day.isoformat() if day else "" for day in (dated.effective_from, dated.expires)]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_workbook(opened: BinaryIO, file: Path) -> Export:
    """Read an export that is a workbook.

    Args:
        opened: The file.
        file: Its name, for errors.

    Raises:
        InputError: If it is none, of another version or damaged, or if a question, an answer or a
            text was edited; names the sheet and the row.
    """
    with reading(opened, str(file)) as book:
        counts, about = _read_about(book, f"{file}, sheet about")
        assembly = Assembly(about, f"{file}, sheet about")
        _read_documents(book, assembly)
        for where, cells in book.records("entries", [*_COLUMNS["entries"]]):
            _add_entry(assembly, _Cells(cells, where))
        for where, cells in book.records("lexicon", [*_COLUMNS["lexicon"]]):
            assembly.add_rule(_rule_fields(_Cells(cells, where)), where)
        for where, cells in book.records("alternates", [*_COLUMNS["alternates"]]):
            assembly.add_alternates(_alternates_fields(_Cells(cells, where)), where)
        for where, cells in book.records("files", [*_COLUMNS["files"]]):
            assembly.add_file(_file_fields(_Cells(cells, where)), where)
        for where, cells in book.records("skipped", [*_COLUMNS["skipped"]]):
            read = _Cells(cells, where)
            assembly.add_skipped(skipped_fields(read.text("name"), read.text("why")), where)
        for where, cells in book.records("used", [*_COLUMNS["used"]]):
            read = _Cells(cells, where)
            fields = {"document": read.text("document"), "next_entry": read.number("next_entry")}
            assembly.add_used(fields, where)
        check_counts(
            counts,
            assembly.counts(),
            f"{file}, sheet about,",
            "Export again, or correct the number there if you added or removed rows.",
        )
        return assembly.export()


def _read_about(book: SheetReader, where: str) -> tuple[dict[str, int | None], dict[str, Any]]:
    """Return how many records there are said to be, and what the export says of itself."""
    about: dict[str, str] = {}
    for _, row in book.rows("about", [*_COLUMNS["about"]]):
        what = row["what"].strip()
        about[what] = about.get(what, "") + row["value"]
    if _MARK not in about:
        raise InputError(f"{where}: no export of a knowledge base. Name a file of an export.")
    check_version(_whole(about[_MARK]), where)
    counts = {kind: _whole(about.get(kind, "")) for kind in _COUNTED}
    cells = _Cells(defaultdict(str, about), where)
    fields = {
        "generation": _whole(cells.text("generation")),
        "corpus": cells.text("corpus"),
        "model": cells.text("model"),
        "questions_indexed": cells.flag("questions_indexed"),
        "index": cells.text("index"),
        "columns": cells.mapping("columns"),
    }
    return counts, fields


def _read_documents(book: SheetReader, assembly: Assembly) -> None:
    texts = book.records("texts", [*_COLUMNS["texts"]])
    for where, cells in book.records("documents", [*_COLUMNS["documents"]]):
        text_where, text_cells = next(texts, ("", None))
        if text_cells is None or text_cells["document"] != cells["id"]:
            raise InputError(
                f"{text_where or where}: the text of the document {cells['id']!r} is missing from "
                "the sheet texts. Export again."
            )
        text = _Cells(text_cells, text_where).text("text")
        assembly.add_document(_document_fields(_Cells(cells, where), text), where)
        if _sha256(text) != cells["sha256"].strip():
            raise InputError(
                f"{text_where}: the text of the document {cells['id']!r} was edited; quotes would "
                f"not be the source's own words. {_EDIT_THERE}"
            )
    for where, _ in texts:
        raise InputError(f"{where}: a text without a row in the sheet documents. Export again.")


def _add_entry(assembly: Assembly, cells: "_Cells") -> None:
    document, entry = assembly.add_entry(_entry_fields(cells), cells.where)
    for name, span in (("question", entry.question), ("answer", entry.answer)):
        if cells.text(name) != document.text[span.start : span.end]:
            raise InputError(
                f"{cells.where}: the {name} was edited, or its offsets were: it is not what stands "
                f"in {document.id} at {span.start} to {span.end}. {_EDIT_THERE}"
            )


_EDIT_THERE: Final = "Edit the source document instead, build and export again."


class _Cells:
    """The cells of a record, read without their escapes."""

    def __init__(self, cells: Mapping[str, str], where: str) -> None:
        self._cells = cells
        self.where = where

    def text(self, column: str) -> str:
        try:
            return from_cell(self._cells[column])
        except ValueError as error:
            raise InputError(f"{self.where}: in {column!r}, {error}. Correct it.") from error

    def texts(self, column: str) -> list[str]:
        try:
            return list_from_cell(self._cells[column])
        except ValueError as error:
            raise InputError(f"{self.where}: in {column!r}, {error}. Correct it.") from error

    def flag(self, column: str) -> bool | None:
        return {"": False, _YES: True}.get(self.text(column).strip())

    def mapping(self, column: str) -> dict[str, str] | None:
        items = self.texts(column)
        return None if len(items) % 2 else dict(zip(items[::2], items[1::2], strict=True))

    def number(self, column: str) -> int | None:
        return _whole(self._cells[column])

    def day(self, column: str) -> str | None:
        return self._cells[column].strip() or None

    def span(self, name: str) -> list[int | None]:
        return [_whole(self._cells[f"{name}_{end}"]) for end in ("start", "end")]


def _document_fields(cells: _Cells, text: str) -> dict[str, Any]:
    return {
        "id": cells.text("id"),
        "text": text,
        "tags": cells.texts("tags"),
        "effective_from": cells.day("effective_from"),
        "expires": cells.day("expires"),
        "places": [_place(item) for item in cells.texts("places")],
        "part_of": cells.text("part_of"),
        "next_entry": cells.number("next_entry"),
    }


def _entry_fields(cells: _Cells) -> dict[str, Any]:
    return {
        "id": cells.text("id"),
        "document": cells.text("document"),
        **{name: cells.span(name) for name in _SPANS},
        "path": cells.texts("path"),
        "effective_from": cells.day("effective_from"),
        "expires": cells.day("expires"),
        "alternates": cells.texts("alternates"),
        "tags": cells.texts("tags"),
    }


def _rule_fields(cells: _Cells) -> dict[str, Any]:
    return {
        "source": cells.text("source"),
        "words": cells.texts("words"),
        "translates": cells.flag("translates"),
    }


def _alternates_fields(cells: _Cells) -> dict[str, Any]:
    return {"entry": cells.text("entry"), "wordings": cells.texts("wordings")}


def _file_fields(cells: _Cells) -> dict[str, Any]:
    return {
        "name": cells.text("name"),
        "bytes": cells.number("bytes"),
        "changed_ns": cells.number("changed_ns"),
    }


def _place(item: str) -> list[object]:
    start, kind, number, sheet = [*item.split(" ", 3), "", "", ""][:4]
    return [_whole(start), kind, _whole(number), sheet]


def _whole(cell: str) -> int | None:
    shown = cell.strip()
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < _DIGITS else None


_DIGITS: Final = 20
"""More than any number here has; Python refuses those of thousands."""
