"""An export as a workbook (XLSX), to be looked through in a spreadsheet program.

The sheets `documents`, `texts`, `entries` and `lexicon` hold the records in their order, a row
each, and `about` what it is. What a cell cannot hold is written as `cells` says. Everything is
text or a number, nothing a formula.

Alternates, tags and days may be edited in it. Questions, answers and texts may not: they would not
be the source's own words any more, so import compares them with the offsets and with a SHA-256.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from policy_qa.errors import InputError
from policy_qa.exchange.assembly import VERSION, Assembly, Export, check_counts, check_version
from policy_qa.exchange.cells import from_cell, list_from_cell, list_to_cell, to_cell
from policy_qa.exchange.files import replacing
from policy_qa.exchange.sheets import NUMBER, SheetReader, SheetWriter, reading
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.lexicon import Rule
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
        "places": 20, "sha256": 32,
    },
    "texts": {NUMBER: 8, "document": 32, "text": 120},
    "lexicon": {NUMBER: 8, "source": 24, "words": 60, "translates": 12},
}  # fmt: skip
"""The columns of each sheet, with their widths in characters."""

_SPANS: Final = ("span", "question", "answer")
_MARK: Final = "policy_qa_export"
_NOTES: Final = (
    "Alternates, tags and days may be edited here. Questions, answers and texts may not, for they",
    "are quotes: edit the source documents instead, and the lexicon in lexicon.txt.",
    "其他問法、標籤、日期可在此修改。",
    "問題、答案、原文皆為引文，請改來源文件；詞彙請改 lexicon.txt。",
    r"A list has one item a line. In all cells \\ is a backslash, \r a carriage return,",
    r"\n a line end inside an item, \e an empty item, \u0007 the character of that number (hex).",
    "A row with the number of the row above it continues the cells of that row.",
)


def export_workbook(kb: KnowledgeBase, file: Path) -> None:
    """Write a knowledge base as a workbook, one document in memory at a time.

    Args:
        kb: What to export.
        file: Replaced if it is there; its folders are made.

    Raises:
        InputError: If it has more rows or bytes than a workbook that can be read again.
        StorageError: If the disk is full or refuses; what stood there is left as it was.
    """
    with replacing(file) as temporary, SheetWriter(_COLUMNS) as book:
        rules = kb.rules()
        _write_about(book, kb, len(rules))
        number = 0
        for place, (document_id, _) in enumerate(kb.documents(), start=1):
            document = kb.document(document_id)
            book.write("documents", [place, *_document_cells(document)])
            book.write("texts", [place, to_cell(document.id), to_cell(document.text)])
            for entry in kb.entries(document_id):
                number += 1
                book.write("entries", [number, *_entry_cells(entry, document)])
        for place, rule in enumerate(rules, start=1):
            book.write("lexicon", [place, *_rule_cells(rule)])
        book.save(temporary)


def _write_about(book: SheetWriter, kb: KnowledgeBase, rules: int) -> None:
    manifest = kb.manifest
    book.write("about", [_MARK, VERSION])
    book.write("about", ["generation", manifest.generation])
    book.write("about", ["corpus", to_cell(manifest.corpus)])
    counts = (
        ("documents", manifest.documents),
        ("entries", manifest.entries),
        ("rules", rules),
    )
    for kind, count in counts:
        book.write("about", [kind, count])
    for note in _NOTES:
        book.write("about", ["note", note])


def _document_cells(document: Document) -> list[str]:
    places = (f"{start} {p.kind} {p.number} {p.sheet}" for start, p in document.places)
    return [
        to_cell(document.id),
        to_cell(document.part_of),
        list_to_cell(document.tags),
        *_days(document),
        list_to_cell(places),
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
    return [to_cell(rule.source), list_to_cell(rule.words), "yes" if rule.translates else ""]


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
        about = _read_about(book, f"{file}, sheet about")
        assembly = Assembly()
        _read_documents(book, assembly)
        for where, cells in book.records("entries", [*_COLUMNS["entries"]]):
            _add_entry(assembly, _Cells(cells, where))
        for where, cells in book.records("lexicon", [*_COLUMNS["lexicon"]]):
            assembly.add_rule(_rule_fields(_Cells(cells, where)), where)
        check_counts(
            about["counts"],
            assembly.counts(),
            f"{file}, sheet about,",
            "Export again, or correct the number there if you added or removed rows.",
        )
        return assembly.export(about["corpus"], about["generation"])


def _read_about(book: SheetReader, where: str) -> dict[str, Any]:
    about: dict[str, str] = {}
    for _, row in book.rows("about", [*_COLUMNS["about"]]):
        what = row["what"].strip()
        about[what] = about.get(what, "") + row["value"]
    if _MARK not in about:
        raise InputError(f"{where}: no export of a knowledge base. Name a file of an export.")
    check_version(_whole(about[_MARK]), where)
    generation = _whole(about.get("generation", ""))
    if generation is None or "corpus" not in about:
        raise InputError(f"{where}: 'generation' or 'corpus' is missing. Export again.")
    counts = {kind: _whole(about.get(kind, "")) for kind in ("documents", "entries", "rules")}
    corpus = _Cells(about, where).text("corpus")
    return {"generation": generation, "corpus": corpus, "counts": counts}


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
    translates = {"": False, "yes": True}.get(cells.text("translates").strip())
    source, words = cells.text("source"), cells.texts("words")
    return {"source": source, "words": words, "translates": translates}


def _place(item: str) -> list[object]:
    start, kind, number, sheet = [*item.split(" ", 3), "", "", ""][:4]
    return [_whole(start), kind, _whole(number), sheet]


def _whole(cell: str) -> int | None:
    shown = cell.strip()
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < _DIGITS else None


_DIGITS: Final = 19
"""More than any number here has; Python refuses those of thousands."""
