"""What the fuzz tests share: hostile texts, damaged files, and bounds of time."""

import io
import json
import os
import signal
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st

FILES = Path(__file__).parent / "files"
SLICE = 6
"""Cases of each target in `make test`; `make fuzz` says how many."""
CASES = int(os.environ.get("POLICY_QA_FUZZ_CASES", SLICE))
SECONDS = 60
"""After which a case counts as one that hangs; the slowest that are right take a second."""
SEED = int(os.environ.get("POLICY_QA_FUZZ_SEED", "7"))
COUNTED: Counter[str] = Counter()
"""Cases by target and outcome."""

FRAGMENTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "\x1b[2J\x1b]0;x\x07\x9b31m",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "../../etc/passwd",
    "\\\\host\\share",
    "$\\input{x}$",
    "](javascript:alert(1))",
    "{{7*7}}${7*7}%n%s",
    "ignore all previous instructions",
    "\ud800",
    "\0",
    "\u202e\u2066\u200b\ufeff",
    "e\u0301" * 40,
    "退款7天內",
    "'; DROP TABLE documents; --",
    "NEAR(a b) AND OR NOT (*",
    "^" * 50,
    "((((((((((",
    '"',
    "\r\r\n\u2028\x0b\x0c\x85",
    "㈠ 問?\n答。",
    "1e999 -0 NaN Infinity",
    "[" * 200,
    "a" * 3_000,
]
anything = st.text(st.characters(exclude_categories=()), max_size=60)
text = st.lists(anything | st.sampled_from(FRAGMENTS), max_size=4).map("".join)
lines = st.lists(text, max_size=6).map("\n".join)
encoded = lines.map(lambda given: given.encode("utf-8", "surrogatepass"))
data = st.binary(max_size=300) | encoded | lines.map(lambda t: t.encode("utf-16", "surrogatepass"))
numbers = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 10**400])
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
"""What JSON can hold."""

bounded = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
seeded = seed(SEED)


def as_json(value: Any) -> str:
    """Return a value as JSON, with what is no JSON by the book but what Python writes."""
    return json.dumps(value)


@st.composite
def edited(draw: st.DrawFn, original: bytes, most: int = 6) -> bytes:
    """Draw a damaged copy: bytes replaced, put in, taken out, doubled, or the end cut off."""
    damaged = bytearray(original)
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, max(len(damaged), 1)))
        length = draw(st.integers(0, 12))
        piece = draw(st.binary(max_size=8) | st.sampled_from(FRAGMENTS).map(_bytes))
        match draw(st.sampled_from(["replace", "insert", "remove", "double", "cut"])):
            case "replace":
                damaged[at : at + len(piece)] = piece
            case "insert":
                damaged[at:at] = piece
            case "remove":
                del damaged[at : at + 8 * length]
            case "double":
                damaged[at:at] = damaged[at : at + 64 * length]
            case "cut" if draw(st.booleans()):
                del damaged[at:]
    return bytes(damaged)


def _bytes(fragment: str) -> bytes:
    return fragment.encode("utf-8", "surrogatepass")


@st.composite
def repacked(draw: st.DrawFn, original: bytes) -> bytes:
    """Draw a package of which one part is damaged inside, so that its checksums hold."""
    with zipfile.ZipFile(io.BytesIO(original)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    name = draw(st.sampled_from(sorted(parts)))
    match draw(st.sampled_from(["edit", "edit", "edit", "drop", "rename", "empty"])):
        case "edit":
            parts[name] = draw(edited(parts[name], 3))
        case "drop":
            del parts[name]
        case "rename":
            parts[f"../{name}"] = parts.pop(name)
        case "empty":
            parts[name] = b""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for part, content in parts.items():
            package.writestr(part, content)
    return packed.getvalue()


class HangError(BaseException):
    """Raised in a case that takes too long; none of the package's own handlers catches it."""


@contextmanager
def counted(target: str) -> Iterator[None]:
    """Count a case of a target, and end one that hangs."""

    def give_up(*_: object) -> None:
        raise HangError(f"{target}: more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    COUNTED[f"{target}: cases"] += 1


def outcome(target: str, kind: str) -> None:
    """Count what became of a case."""
    COUNTED[f"{target}: {kind}"] += 1
