"""Which column of a table, or key of an object, is the question, the answer, and so on."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

from policy_qa.errors import CorpusError
from policy_qa.folding import fold

Field = Literal["question", "answer", "alternates", "tags", "effective_from", "expires", "id"]
FIELDS: Final[tuple[Field, ...]] = get_args(Field)

NAMES: Final[Mapping[Field, tuple[str, ...]]] = {
    "question": (
        "question", "questions", "standard question", "main question", "faq question",
        "user question", "customer question", "question text", "question title", "faq", "query",
        "q", "問題", "標準問題", "標準問", "標準提問", "標準問句", "主問題", "主問句",
        "常見問題", "客戶問題", "客戶問", "用戶問題", "用戶問", "顧客問題", "買家問題", "提問",
        "問句", "問法標題", "問", "問題標題", "問題內容", "問題描述", "題目", "知識標題",
        "title", "標題", "主題",
    ),
    "answer": (
        "answer", "answers", "standard answer", "official answer", "answer text", "faq answer",
        "response", "reply", "a", "答案", "標準答案", "標準回答", "標準回覆", "標準答覆", "回答",
        "回覆", "回復", "答覆", "答復", "解答", "答", "客服回答", "客服回覆", "客服答",
        "官方回答", "官方回覆", "答案內容", "回答內容", "回覆內容", "答覆內容", "知識內容",
        "content", "text", "body", "內容", "正文", "文本",
    ),
    "alternates": (
        "alternates", "alternate", "alternative", "alternatives", "alternate question",
        "alternate questions", "alternative question", "alternative questions", "similar",
        "similar question", "similar questions", "paraphrase", "paraphrases", "variant",
        "variants", "question variants", "other wordings", "also asked as", "aliases", "相似問",
        "相似問題", "相似問法", "相似問句", "相似提問", "近似問", "近似問題", "類似問題",
        "類似問法", "同義問", "同義問題", "同義問法", "同義問句", "擴展問", "擴展問題",
        "擴展問法", "其他問法", "其它問法", "別的問法", "問法", "等價問", "變體", "替代問法",
        "備選問題", "補充問法",
    ),
    "tags": (
        "tags", "tag", "labels", "label", "標籤", "標記",
    ),
    "effective_from": (
        "effective from", "effective date", "effective", "effective on", "valid from",
        "start date", "starts", "from date", "in force from", "生效日", "生效日期", "生效時間",
        "起始日", "起始日期", "開始日", "開始日期", "開始時間", "有效期起", "有效期自",
        "有效期開始", "啟用日期", "施行日期", "實施日期", "生效",
    ),
    "expires": (
        "expires", "expires on", "expire", "expiry", "expiry date", "expiration",
        "expiration date", "valid until", "valid till", "valid to", "end date", "ends", "until",
        "到期日", "到期日期", "到期時間", "失效日", "失效日期", "失效時間", "截止日", "截止日期",
        "截止時間", "結束日", "結束日期", "結束時間", "過期日", "過期日期", "有效期至",
        "有效期止", "有效期到", "有效期結束", "廢止日期", "到期", "失效",
    ),
    "id": (
        "id", "entry id", "question id", "faq id", "knowledge id", "編號", "條目編號",
        "問題編號", "知識編號", "題號", "條目id", "問題id", "知識id",
    ),
}  # fmt: skip
"""Surer names first. Headers are compared folded, so that one script stands for both."""

_SERIAL_NAMES: Final = ("no", "number", "nr", "row", "serial", "序號", "項次", "行號")
"""Of columns that count the rows of a question table, and say nothing else."""
_BRACKETED: Final = re.compile(r"[(（\[【〔][^)）\]】〕]*[)）\]】〕]")
_NUMBERED: Final = re.compile(r"(?<=\D)(?:\d{1,3}|[一二三四五六七八九十]{1,3})$")
_LONGEST_NAME: Final = 40
"""Characters up to which a cell may be a column's name."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table has its fields, as numbers of columns from 0; None where it has not."""

    question: int | None = None
    answer: int | None = None
    alternates: tuple[int, ...] = ()
    tags: int | None = None
    effective_from: int | None = None
    expires: int | None = None
    id: int | None = None
    serial: tuple[int, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether it is a table of questions and answers."""
        return self.question is not None and self.answer is not None

    @property
    def known(self) -> frozenset[int]:
        """The columns whose meaning is known; all others are shown with their header."""
        single = (
            self.question, self.answer, self.tags, self.effective_from, self.expires, self.id
        )  # fmt: skip
        found = (column for column in single if column is not None)
        return frozenset((*found, *self.alternates, *self.serial))


def check_mapping(columns: Mapping[str, str], file: Path) -> None:
    """Check that a mapping of columns names fields.

    Raises:
        CorpusError: If it names anything else; says what there is.
    """
    if unknown := [field for field in columns if field not in FIELDS]:
        raise CorpusError(
            f"{file}: no column can be {unknown[0]!r}. Use one of {', '.join(FIELDS)}."
        )


def recognise(header: Sequence[str], columns: Mapping[str, str]) -> Columns:
    """Return where a header has which field.

    Args:
        header: The cells of the row.
        columns: The names of columns by field, which go before what is known of names.
    """
    names = [_bare(cell) for cell in header]
    free = set(range(len(names)))
    found: dict[str, list[int]] = {}
    for field, name in columns.items():
        found[field] = _matching(names, free, (bare(name),), numbered=field == "alternates")
        free -= set(found[field])
    for field in FIELDS:
        if field not in columns:
            found[field] = _matching(
                names, free, _bare_names(field), numbered=field == "alternates"
            )
            free -= set(found[field])
    serial = tuple(column for column in sorted(free) if names[column] in _SERIAL)
    first = {field: found[field][0] if found[field] else None for field in FIELDS}
    return Columns(
        first["question"],
        first["answer"],
        tuple(found["alternates"]),
        first["tags"],
        first["effective_from"],
        first["expires"],
        first["id"],
        serial,
    )


def missing(header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    """Return the names of mapped columns that a header has not."""
    names = [_bare(cell) for cell in header]
    return [
        name
        for field, name in columns.items()
        if not _matching(
            names, set(range(len(names))), (bare(name),), numbered=field == "alternates"
        )
    ]


def bare(text: str) -> str:
    """Return the letters, digits and marks of a folded text: what a name says."""
    return "".join(c for c in fold(text) if unicodedata.category(c)[0] in "LNM")


def _matching(
    names: Sequence[str], free: set[int], wanted: Sequence[str], *, numbered: bool
) -> list[int]:
    """Return the first column of the surest name, or if `numbered` all with any of the names."""
    if numbered:
        return [
            column
            for column in sorted(free)
            if names[column] in wanted or _NUMBERED.sub("", names[column]) in wanted
        ]
    for name in wanted:
        for column in sorted(free):
            if name and names[column] == name:
                return [column]
    return []


@lru_cache(maxsize=1024)
def _bare(cell: str) -> str:
    """Return a header's name; without what it says in brackets, unless that is all of it."""
    if len(cell) > _LONGEST_NAME:
        return ""
    return bare(_BRACKETED.sub("", cell)) or bare(cell)


@cache
def _bare_names(field: Field) -> tuple[str, ...]:
    return tuple(bare(name) for name in NAMES[field])


_SERIAL: Final = frozenset(bare(name) for name in _SERIAL_NAMES)
