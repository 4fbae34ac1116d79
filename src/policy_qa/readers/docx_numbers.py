"""Write out the numbers that Word counts by itself: 一、, 第一條, (1), 1.1.

A DOCX holds no numbers for its lists and headings, only how they are counted. The labels are put
before the paragraphs' text, between two marks by which `docx` finds them again.
"""

import io
import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

OPENS: Final = "\ufdd0"
CLOSES: Final = "\ufdd1"
"""Around a label; Unicode gives them to no character."""

_DOCUMENT: Final = "word/document.xml"
_NUMBERING: Final = "word/numbering.xml"
_STYLES: Final = "word/styles.xml"
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_CHINESE: Final = "零一二三四五六七八九"
_SEQUENCES: Final = {
    "ideographTraditional": "甲乙丙丁戊己庚辛壬癸",
    "ideographZodiac": "子丑寅卯辰巳午未申酉戌亥",
    "decimalEnclosedCircle": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "decimalEnclosedCircleChinese": "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳",
    "upperLetter": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lowerLetter": "abcdefghijklmnopqrstuvwxyz",
}
_LEGAL: Final = {
    form: str.maketrans("一二三四五六七八九十百千", digits)
    for form, digits in {
        "ideographLegalTraditional": "壹貳參肆伍陸柒捌玖拾佰仟",
        "chineseLegalSimplified": "壹贰叁肆伍陆柒捌玖拾佰仟",
    }.items()
}
_COUNTED: Final = frozenset(
    {"chineseCounting", "chineseCountingThousand", "taiwaneseCounting",
     "taiwaneseCountingThousand", "japaneseCounting", "taiwaneseDigital", "ideographDigital"}
)  # fmt: skip
_ROMAN: Final = (
    (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"),
    (1, "i"),
)  # fmt: skip
_MOST: Final = 9_999


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level is counted."""

    start: int
    form: str
    label: str
    legal: bool


@dataclass(frozen=True, slots=True)
class _List:
    """A numbering that paragraphs refer to; those with the same `counter` count on together."""

    counter: str
    levels: dict[int, _Level]
    restarts: dict[int, int]


def with_numbers(data: bytes) -> bytes:
    """Return a DOCX whose counted paragraphs begin with their labels, between two marks."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = set(package.namelist())
        if not {_DOCUMENT, _NUMBERING} <= names:
            return data
        document = ET.fromstring(package.read(_DOCUMENT))  # noqa: S314 (declarations are refused)
        numbering = ET.fromstring(package.read(_NUMBERING))  # noqa: S314
        styles = (
            _styles(ET.fromstring(package.read(_STYLES)))  # noqa: S314
            if _STYLES in names
            else {}
        )
        _label(document, _lists(numbering), styles)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as new:
            for name in dict.fromkeys(package.namelist()):
                part = ET.tostring(document) if name == _DOCUMENT else package.read(name)
                new.writestr(name, part)
    return packed.getvalue()


def numeral(number: int, form: str) -> str:
    """Return a number in one of Word's forms; in digits where the form is another."""
    if form in _SEQUENCES and 0 < number <= len(_SEQUENCES[form]):
        return _SEQUENCES[form][number - 1]
    if form in {"upperRoman", "lowerRoman"} and 0 < number < 400:
        roman = ""
        for value, letters in _ROMAN:
            count, number = divmod(number, value)
            roman += count * letters
        return roman.upper() if form == "upperRoman" else roman
    if form in _COUNTED:
        return _chinese(number)
    if form in _LEGAL:
        return _chinese(number).translate(_LEGAL[form])
    if form == "decimalZero":
        return f"{number:02}"
    return "" if form == "none" else str(number)


def _chinese(number: int) -> str:
    if not 0 < number <= _MOST:
        return str(number)
    digits = "".join(
        ("零" if digit == "0" else _CHINESE[int(digit)] + unit)
        for digit, unit in zip(f"{number:04}", "千百十 ", strict=True)
    )
    text = re.sub("零+", "零", digits.replace(" ", "")).strip("零")
    return text.removeprefix("一") if text.startswith("一十") else text


def _value(element: ET.Element | None, default: str = "") -> str:
    return default if element is None else element.get(f"{_W}val", default)


def _integer(text: str, default: int) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,6}", text) else default


def _styles(root: ET.Element) -> dict[str, tuple[str, int, str]]:
    """Return the numbering, its level, and the style that it is based on, by style."""
    found = {}
    for style in root.iter(f"{_W}style"):
        number = style.find(f"{_W}pPr/{_W}numPr/{_W}numId")
        level = style.find(f"{_W}pPr/{_W}numPr/{_W}ilvl")
        based = style.find(f"{_W}basedOn")
        found[style.get(f"{_W}styleId", "")] = (
            _value(number),
            _integer(_value(level), 0),
            _value(based),
        )
    return found


def _lists(root: ET.Element) -> dict[str, _List]:
    abstract = {
        element.get(f"{_W}abstractNumId", ""): {
            _integer(level.get(f"{_W}ilvl", ""), 0): _level(level)
            for level in element.findall(f"{_W}lvl")
        }
        for element in root.findall(f"{_W}abstractNum")
    }
    lists = {}
    for element in root.findall(f"{_W}num"):
        counter = _value(element.find(f"{_W}abstractNumId"))
        levels = dict(abstract.get(counter, {}))
        restarts = {}
        for override in element.findall(f"{_W}lvlOverride"):
            n = _integer(override.get(f"{_W}ilvl", ""), 0)
            if (level := override.find(f"{_W}lvl")) is not None:
                levels[n] = _level(level)
            if (start := override.find(f"{_W}startOverride")) is not None:
                restarts[n] = _integer(_value(start), 1)
        lists[element.get(f"{_W}numId", "")] = _List(counter, levels, restarts)
    return lists


def _level(element: ET.Element) -> _Level:
    return _Level(
        _integer(_value(element.find(f"{_W}start")), 1),
        _value(element.find(f"{_W}numFmt"), "decimal"),
        _value(element.find(f"{_W}lvlText")),
        element.find(f"{_W}isLgl") is not None,
    )


def _label(
    document: ET.Element, lists: dict[str, _List], styles: dict[str, tuple[str, int, str]]
) -> None:
    counters: defaultdict[str, dict[int, int]] = defaultdict(dict)
    restarted: set[str] = set()
    skipped = {id(p) for fallback in document.iter(_FALLBACK) for p in fallback.iter(f"{_W}p")}
    for paragraph in document.iter(f"{_W}p"):
        number, depth = _numbering(paragraph, styles)
        found = lists.get(number)
        level = found.levels.get(depth) if found else None
        if not found or not level or level.form == "bullet" or id(paragraph) in skipped:
            continue
        counts = counters[found.counter]
        if number not in restarted:
            restarted.add(number)
            for n, start in found.restarts.items():
                counts[n] = start - 1
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [n for n in counts if n > depth]:
            del counts[deeper]
        if label := _text(level, found, counts):
            _insert(paragraph, label)


def _numbering(paragraph: ET.Element, styles: dict[str, tuple[str, int, str]]) -> tuple[str, int]:
    """Return the numbering and the level of a paragraph, its own or its style's."""
    own = paragraph.find(f"{_W}pPr/{_W}numPr")
    number = _value(own.find(f"{_W}numId")) if own is not None else ""
    depth = _integer(_value(own.find(f"{_W}ilvl")), -1) if own is not None else -1
    style = _value(paragraph.find(f"{_W}pPr/{_W}pStyle"))
    for _ in range(20):  # styles may refer to each other in a circle
        if number or style not in styles:
            break
        number, level, style = styles[style]
        depth = level if depth < 0 else depth
    return number, max(depth, 0)


def _text(level: _Level, found: _List, counts: dict[int, int]) -> str:
    def one(match: re.Match[str]) -> str:
        n = int(match[1]) - 1
        other = found.levels.get(n, level)
        return numeral(counts.get(n, other.start), "decimal" if level.legal else other.form)

    return re.sub(r"%([1-9])", one, level.label).strip()


def _insert(paragraph: ET.Element, label: str) -> None:
    run = ET.Element(f"{_W}r")
    text = ET.SubElement(run, f"{_W}t", {_SPACE: "preserve"})
    text.text = f"{OPENS}{label}{CLOSES}"
    first = 1 if len(paragraph) and paragraph[0].tag == f"{_W}pPr" else 0
    paragraph.insert(first, run)
