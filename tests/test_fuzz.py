"""Whatever is put in: an answer, or an error of the package; no traceback, no hang.

Each test is a target. Here it gets a seeded handful of cases; `make fuzz` gives each hundreds.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fakes import PARKING, RETURNS, LetterEncoder, build
from fuzzing import (
    CASES,
    COUNTED,
    FILES,
    FRAGMENTS,
    SLICE,
    anything,
    as_json,
    bounded,
    counted,
    data,
    edited,
    encoded,
    numbers,
    outcome,
    repacked,
    seeded,
    text,
    values,
)
from fuzzing import lines as some_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import Filters, KnowledgeBase, PolicyQAError, keeping, storage
from policy_qa.build import build_generation
from policy_qa.calibration import CALIBRATION_FILE
from policy_qa.changes import is_stale
from policy_qa.cli import main
from policy_qa.corpus import Corpus
from policy_qa.csv_tables import ALTERNATES_FILE
from policy_qa.errors import CorpusError, CorruptionError, EvaluationError, InputError, StorageError
from policy_qa.evaluation import hit_tests, load_evaluation_set
from policy_qa.evaluation.comparing import compare_files
from policy_qa.evaluation.question_tables import read_pasted, read_questions
from policy_qa.evaluation.runs import read_trec_run
from policy_qa.exchange.reading import read_export
from policy_qa.exchange.transfer import export_knowledge_base
from policy_qa.gap_answers import add_to_corpus, read_filled
from policy_qa.lexicon import LEXICON_FILE, Lexicon, parse_lexicon
from policy_qa.query_log import QueryLog
from policy_qa.readers import SUFFIXES, read_file
from policy_qa.storage import current_state, read_manifest, verify

KINDS = sorted({".txt", ".md", *SUFFIXES} - {".text", ".markdown", ".htm"})
REAL = {
    kind: [file.read_bytes() for file in sorted(FILES.glob(f"*{kind}"))]
    for kind in (".docx", ".html", ".pdf", ".xlsx")
}
PACKED = (".docx", ".xlsx")
TABLE = (
    'question,answer,alternates,tags,expires,id\n"怎麼退?","七天\n內",多久|期限,退貨,2030-01-01,7\n'
)
OBJECTS = (
    '{"question": "怎麼退?", "answer": "七天內。", "alternates": ["多久"], "tags": "a,b", '
    '"expires": "2030-01-01", "id": 7, "path": ["退貨"], "備註": {"x": [1]}}\n{"text": "甲。"}\n'
)
PAGE = (
    "---\ntags: a\nexpires: 2030-01-01\n---\n# 標題\n㈠ 怎麼退?\n七天內。\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n"
)
PLAIN = {
    ".csv": [TABLE.encode(), TABLE.replace(",", ";").encode("gb18030")],
    ".tsv": [TABLE.replace(",", "\t").encode("utf-16")],
    ".jsonl": [OBJECTS.encode()],
    ".txt": [PAGE.encode(), PAGE.replace("㈠", "一、").encode("big5hkscs")],
    ".md": [PAGE.encode()],
}


@pytest.fixture(scope="module", autouse=True)
def _counts() -> Iterator[None]:
    """Write down what became of the cases, for `fuzz.py`."""
    yield
    if file := os.environ.get("POLICY_QA_FUZZ_COUNTS"):
        Path(file).write_text(json.dumps(COUNTED), encoding="utf-8")


def damaged_files(kind: str) -> st.SearchStrategy[bytes]:
    """Return damaged copies of real files of a kind, of packages also from within."""
    real = REAL.get(kind) or PLAIN[kind]
    ways = [st.sampled_from(real).flatmap(edited)]
    if kind in PACKED:
        ways += [st.sampled_from(real).flatmap(repacked)] * 3
    return st.one_of(ways)


def check_message(error: PolicyQAError) -> None:
    """Check that an error says what is wrong, in one line as it is shown."""
    assert str(error).strip()
    assert len(str(error)) < 20_000


def read_all(file: Path, target: str, columns: dict[str, str] | None = None) -> None:
    """Read a file of a corpus; check what it gives."""
    with counted(target):
        try:
            parsed = list(read_file(file, file.name, columns or {}))
        except CorpusError as error:
            check_message(error)
            outcome(target, "refused")
            return
    outcome(target, "read")
    ids = [entry.id for _, entries in parsed for entry in entries]
    assert len(ids) == len(set(ids))
    for document, entries in parsed:
        document.text.encode("utf-8", "surrogatepass")
        for entry in entries:
            assert 0 <= entry.span.start < entry.span.end <= len(document.text)


def bounds(kind: str) -> settings:
    """Return the settings for files of a kind; each PDF starts a process, so they are fewer."""
    return settings(bounded, max_examples=max(SLICE, CASES // 3)) if kind == ".pdf" else bounded


@pytest.mark.parametrize("kind", KINDS)
def test_any_file(tmp_path, kind):
    """Any bytes under any ending of a corpus are read or refused."""

    @seeded
    @bounds(kind)
    @given(data)
    def run(given: bytes) -> None:
        file = tmp_path / f"a{kind}"
        file.write_bytes(given)
        read_all(file, f"bytes {kind}")

    run()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(tmp_path, kind):
    """A real file of any kind with parts replaced, lost or doubled is read or refused."""

    @seeded
    @bounds(kind)
    @given(damaged_files(kind))
    def run(given: bytes) -> None:
        file = tmp_path / f"a{kind}"
        file.write_bytes(given)
        read_all(file, f"damaged {kind}")

    run()


columns = st.dictionaries(
    st.sampled_from(["question", "answer", "id", "tags", "expires", "x"]) | text, text, max_size=3
)


@seeded
@bounded
@given(given=data | damaged_files(".csv"), named=columns)
def test_any_mapping(given, named, tmp_path_factory):
    """Any names of columns are taken or refused."""
    file = tmp_path_factory.getbasetemp() / "mapped.csv"
    file.write_bytes(given)
    read_all(file, "columns", named)


names = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=("Cs",)), min_size=1, max_size=20
).filter(lambda name: name.strip(".") and len(name.encode()) < 200)
files = st.dictionaries(
    st.builds(str.__add__, names | st.sampled_from(["..a", "a\n\x1b[2J", "=1", "-x"]),
              st.sampled_from(KINDS).filter(lambda kind: kind != ".pdf")),
    st.sampled_from([PAGE.encode(), b"Refunds take 7 days.", TABLE.encode()]) | data | encoded,
    min_size=1,
    max_size=3,
)  # fmt: skip


@seeded
@bounded
@given(
    documents=files,
    lexicon=st.none() | st.none() | data | st.just("退款 = refund\n".encode()).flatmap(edited),
    alternates=st.none() | st.none() | data | st.just(b"entry,question\na#1,x\n").flatmap(edited),
    query=text,
)
def test_any_corpus_folder(documents, lexicon, alternates, query, tmp_path_factory):
    """A folder of any files, lexicon and alternates is built and asked, or refused."""
    folder = tmp_path_factory.mktemp("fuzz")
    corpus = folder / "corpus"
    corpus.mkdir()
    special = {LEXICON_FILE: lexicon, ALTERNATES_FILE: alternates}
    for name, content in {**documents, **special}.items():
        if content is not None:
            (corpus / name).write_bytes(content)
    with counted("corpus folder"):
        try:
            with KnowledgeBase.build(corpus, folder / "kb", model=LetterEncoder()) as kb:
                for asked in (query, "退款 refund"):
                    with contextlib.suppress(InputError):
                        kb.ask(asked)
                found = kb.changes()
                assert (found.added, found.changed, found.removed) == ((), (), ())
            outcome("corpus folder", "built")
        except InputError as error:
            check_message(error)
            outcome("corpus folder", "refused")
    shutil.rmtree(folder)


@seeded
@bounded
@given(some_lines | some_lines.map(lambda given: given.replace("\n", " = ")), text)
def test_any_lexicon(given, query):
    """Any text is a lexicon that a query can fire, or is refused."""
    with counted("lexicon"):
        try:
            rules = parse_lexicon(given, LEXICON_FILE)
        except CorpusError as error:
            check_message(error)
            outcome("lexicon", "refused")
        else:
            list(Lexicon(rules).fired(query))
            outcome("lexicon", "read")


@seeded
@bounded
@given(query=text | some_lines, filters=st.sampled_from([False] * 9 + [True]), named=text)
def test_any_query(seed, query, filters, named):
    """Any text is answered or refused as a query, with the default encoder too."""
    chosen = Filters((named,), (named,)) if filters else None
    with counted("query"):
        try:
            answer = seed.ask(query, chosen)
            for hit in answer.hits[:1]:
                seed.inspect(query, hit.entry.id)
            seed.explain(query, [hit.entry.id for hit in answer.hits])
            outcome("query", answer.status)
        except InputError as error:
            check_message(error)
            outcome("query", "refused")
        with contextlib.suppress(InputError):
            seed.entry(named)
        with contextlib.suppress(InputError):
            seed.document(named)


# --- a knowledge base's own files ---------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """Return the place of a small knowledge base."""
    path = tmp_path_factory.mktemp("small") / "kb"
    build(path).close()
    return path


MANIFEST_KEYS = (
    "format_version", "generation", "created", "corpus", "model", "encoder", "dim", "text",
    "questions_indexed", "documents", "entries", "passages", "languages", "sources", "columns",
    "skipped", "history", "files",
)  # fmt: skip


def look_at(path: Path) -> None:
    """Do what a knowledge base is looked at by."""
    manifest = read_manifest(path)
    verify(path, manifest)
    keeping.history(path)
    is_stale(path, manifest)
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        kb.ask("May I return shoes?")
        kb.changes()
    with contextlib.suppress(InputError):
        keeping.changes(path)


@seeded
@bounded
@given(
    changed=st.dictionaries(st.sampled_from(MANIFEST_KEYS), values, min_size=1, max_size=2),
    event=st.none() | st.dictionaries(st.sampled_from(["generation", "note", "action"]), values),
    whole=st.none() | data | values.map(as_json).map(str.encode),
)
def test_any_manifest(small, changed, event, whole):
    """A manifest of any fields, even where its hash holds, is used or refused."""
    folder = small / "generations" / "1"
    manifest, current = folder / "manifest.json", small / "CURRENT"
    before = manifest.read_bytes(), current.read_bytes()
    fields: dict[str, Any] = json.loads(before[0]) | changed
    if event and isinstance(fields["history"], list):
        fields["history"] = [{**one, **event} for one in json.loads(before[0])["history"]]
    written = as_json(fields).encode() if whole is None else whole
    try:
        manifest.write_bytes(written)
        current.write_text(f"1 {hashlib.sha256(written).hexdigest()}\n", encoding="ascii")
        with counted("manifest"):
            try:
                look_at(small)
                outcome("manifest", "used")
            except PolicyQAError as error:
                check_message(error)
                outcome("manifest", "refused")
    finally:
        manifest.write_bytes(before[0])
        current.write_bytes(before[1])


@seeded
@bounded
@given(
    name=st.sampled_from(["CURRENT", CALIBRATION_FILE, "hit-test.json", "verified.json"]),
    given=data | values.map(as_json).map(str.encode),
)
def test_any_small_file(small, name, given):
    """Any bytes as a small file of a knowledge base are used or refused."""
    file = small / "generations" / "1" / name if name == "verified.json" else small / name
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(given)
    try:
        with counted("small files"):
            try:
                look_at(small)
                hit_tests.last(small)
                outcome("small files", "used")
            except PolicyQAError as error:
                check_message(error)
                outcome("small files", "refused")
    finally:
        file.unlink()
        if before is not None:
            file.write_bytes(before)


@seeded
@bounded
@given(given=data | st.just(b"SQLite format 3\0").flatmap(edited))
def test_any_query_log(given, tmp_path_factory):
    """Any bytes as a log of questions are read or refused."""
    file = tmp_path_factory.mktemp("log") / "queries.sqlite"
    file.write_bytes(given)
    with counted("query log"), QueryLog(file) as log:
        try:
            log.uncovered()
            log.counts()
            outcome("query log", "read")
        except StorageError as error:
            check_message(error)
            outcome("query log", "refused")


# --- evaluations, exports, filled tables --------------------------------------------------------

QUERIES = '{"id": "q1", "text": "退款?", "lang": "zh-Hant"}\n{"id": "q2", "text": "Refund?"}\n'
QRELS = "q1\td#1\t2\nq1\td#2\t0\nq2\td#2\t1\n"
SET_FILES = {
    "queries.jsonl": QUERIES,
    "qrels.tsv": QRELS,
    "unanswerable.jsonl": '{"id": "u1", "text": "Moons?"}\n',
    "queries.xscript.jsonl": '{"id": "q1", "text": "退款?"}\n',
    "corpus.jsonl": '{"id": "d#1", "title": "a", "text": "b"}\n{"_id": "d#2", "text": "c"}\n',
    "queries.tsv": "q1\tx\n",
    "qrels_group.tsv": "q1\tg\n",
}


@seeded
@bounded
@given(
    changed=st.dictionaries(
        st.sampled_from(sorted(SET_FILES)),
        data | values.map(as_json).map(str.encode)
        | st.sampled_from(sorted(SET_FILES.values())).map(str.encode).flatmap(edited),
        min_size=1,
        max_size=2,
    ),
    some=st.booleans(),
)  # fmt: skip
def test_any_evaluation_set(changed, some, tmp_path_factory):
    """An evaluation set of any files is loaded or refused."""
    folder = tmp_path_factory.mktemp("set")
    plain = {"queries.jsonl", "qrels.tsv"} if some else set()
    for name in {*changed, *plain}:
        content = changed.get(name, SET_FILES[name].encode())
        (folder / name).write_bytes(content)
    with counted("evaluation set"):
        try:
            load_evaluation_set(folder).digest  # noqa: B018 (reads all)
            outcome("evaluation set", "loaded")
        except EvaluationError as error:
            check_message(error)
            outcome("evaluation set", "refused")
    shutil.rmtree(folder)


RUN = b"q1 Q0 d#1 1 0.5 x\nq1 Q0 d#2 2 0.25 x\n"


@cache
def a_result() -> bytes:
    """Return results of an evaluation as they are kept."""
    found = sorted((Path(__file__).parents[1] / "eval" / "results").glob("original@*.json"))
    return found[0].read_bytes()


@seeded
@bounded
@given(given=data | st.just(RUN).flatmap(edited))
def test_any_run(given, tmp_path_factory):
    """Any bytes are read or refused as a run."""
    file = tmp_path_factory.getbasetemp() / "any.trec"
    file.write_bytes(given)
    with counted("run"):
        try:
            read_trec_run(file, ["q1"], ["d#1", "d#2"], "the corpus")
            outcome("run", "read")
        except EvaluationError as error:
            check_message(error)
            outcome("run", "refused")


@st.composite
def results(draw: st.DrawFn) -> bytes:
    """Draw results of an evaluation with any values in them."""
    fields = json.loads(a_result())
    target = draw(st.sampled_from([fields, fields["runs"][0]]))
    if isinstance(target, dict):
        target[draw(st.sampled_from(sorted(target)))] = draw(values)
    return as_json(fields).encode()


@seeded
@bounded
@given(given=data | results() | st.builds(a_result).flatmap(edited))
def test_any_results(given, tmp_path_factory):
    """Any bytes are compared or refused as the results of an evaluation."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "one.json").write_bytes(a_result())
    (folder / "other.json").write_bytes(given)
    with counted("results"):
        try:
            compare_files(folder / "one.json", folder / "other.json")
            outcome("results", "compared")
        except EvaluationError as error:
            check_message(error)
            outcome("results", "refused")


@seeded
@bounded
@given(
    st.sampled_from([".csv", ".tsv", ".txt", ".xlsx"]) | text,
    data | damaged_files(".csv") | damaged_files(".xlsx"),
    text,
)
def test_any_questions(ending, given, pasted):
    """Any upload and any pasted text is questions, or is refused."""
    with counted("questions"):
        for read in (lambda: read_questions(given, f"a{ending}"), lambda: read_pasted(pasted)):
            try:
                read()
                outcome("questions", "read")
            except EvaluationError as error:
                check_message(error)
                outcome("questions", "refused")


FILLED = (
    "\ufeffquestion,alternates,times,answer,entry\r\n停車?,停哪|哪停,3,後面。,\r\nx?,,1,,a#1\r\n"
)


@seeded
@bounded
@given(
    ending=st.sampled_from([".csv", ".xlsx"]),
    given=data | st.just(FILLED.encode()).flatmap(edited) | damaged_files(".xlsx"),
)
def test_any_filled_table(ending, given, tmp_path_factory):
    """Any table of gaps that was filled in goes into the corpus, or is refused."""
    folder = tmp_path_factory.mktemp("filled")
    file = folder / f"gaps{ending}"
    file.write_bytes(given)
    (folder / "corpus").mkdir()
    with counted("filled table"):
        try:
            add_to_corpus(read_filled(file), folder / "corpus", ["a#1"])
            outcome("filled table", "taken")
        except PolicyQAError as error:
            check_message(error)
            outcome("filled table", "refused")
        else:
            with contextlib.suppress(CorpusError):
                Corpus(folder / "corpus").alternates()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> dict[str, bytes]:
    """Return a small knowledge base as each kind of export."""
    folder = tmp_path_factory.mktemp("exports")
    build(folder / "kb", RETURNS, PARKING).close()
    for name in ("a.jsonl", "a.xlsx"):
        export_knowledge_base(folder / "kb", folder / name)
    return {kind: (folder / f"a{kind}").read_bytes() for kind in (".jsonl", ".xlsx")}


@st.composite
def damaged_lines(draw: st.DrawFn, original: bytes) -> bytes:
    """Draw JSON lines of an export with any values in them, whose hash holds."""
    records = [json.loads(line) for line in original.splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        record = draw(st.sampled_from(records))
        inner = [value for value in record.values() if isinstance(value, dict)]
        target = draw(st.sampled_from([record, *inner]))
        if target:
            target[draw(st.sampled_from(sorted(target)))] = draw(values | numbers)
    above = b"".join(as_json(record).encode() + b"\n" for record in records[:-1])
    if isinstance(records[-1].get("end"), dict):
        records[-1]["end"]["sha256"] = hashlib.sha256(above).hexdigest()
    return above + as_json(records[-1]).encode() + b"\n"


@pytest.mark.parametrize("kind", [".jsonl", ".xlsx"])
def test_any_export(exports, kind, tmp_path):
    """Any export is taken or refused, even where its hash holds."""
    damage: Callable[[bytes], st.SearchStrategy[bytes]]
    damage = damaged_lines if kind == ".jsonl" else repacked
    original = exports[kind]

    @seeded
    @bounded
    @given(data | edited(original) | damage(original))
    def run(given: bytes) -> None:
        file = tmp_path / f"a{kind}"
        file.write_bytes(given)
        with counted(f"export {kind}"):
            try:
                export = read_export(file)
                built = build_generation(
                    export.parsed,
                    tmp_path / "kb",
                    LetterEncoder(),
                    replace(export.source, model="letters-1", index="flat"),
                    next_entries=export.next_entries,
                )
                assert built.entries
                outcome(f"export {kind}", "taken")
            except PolicyQAError as error:
                check_message(error)
                outcome(f"export {kind}", "refused")

    run()


# --- command lines ------------------------------------------------------------------------------

LINES = [
    "build corpus", "build corpus --kb kb", "ask refund", "ask 退款 --json", "entries corpus",
    "ask 退款 --markdown --all", "ask 退款 --chat --lang en", "search 退款 --json",
    "search 退款 --top-k 2 --explain",
    "eval set --runs runs --results results", "eval --compare results/a.json results/b.json",
    "calibrate set", "calibrate --reset", "info --check", "info --json", "sync corpus",
    "sync corpus --dry-run --json", "publish corpus --force", "publish corpus --set set", "history",
    "diff 1 2", "rollback 1", "rollback --keep 2", "lint --lang zh-Hant", "lint --only duplicate",
    "expiring --within 9", "gaps", "gaps --csv a.csv", "gaps --import a.csv", "export a.jsonl",
    "export a.xlsx --json", "import a.jsonl --kb kb2", "import a.xlsx --kb kb3",
]  # fmt: skip
"""What runs; a case has more or other words in it."""
OPTIONS = {
    "--kb": "kb", "--lang": "en", "--reading": "zh-Hans", "--document": "a.txt", "--tag": "a",
    "--as-of": "2025-06-01", "--top-k": "2", "--columns": "question=q", "--set": "set",
    "--tolerance": "0.5", "--keep": "3", "--only": "duplicate", "--within": "9", "--csv": "a.csv",
    "--import": "a.csv", "--log": "log.sqlite", "--corpus": "corpus", "--run": "a.trec",
    "--runs": "runs", "--results": "results", "--report": "results/a.json", "--out": "a.md",
    "--cost": "3", "--json": "", "--markdown": "", "--chat": "", "--all": "", "--explain": "",
    "--check": "", "--dry-run": "", "--force": "", "--perturb": "", "--reset": "", "--help": "",
    "--version": "", "--": "",
}  # fmt: skip
"""Each with a value that it takes."""
words = (
    st.sampled_from(["", ".", "-1", "0", "1", "99999999999999999999", "1e999", "nan", "set", "-"])
    | anything
    | st.sampled_from(FRAGMENTS)
).filter(lambda word: not word.startswith("/") and ".." not in word)  # stay where the test is


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command line that runs, with another word, or with options of any value."""
    line = draw(st.sampled_from(LINES)).split()
    match draw(st.sampled_from(["as it is", "replace", "replace", "option", "option", "insert"])):
        case "replace":
            line[draw(st.integers(min(1, len(line) - 1), len(line) - 1))] = draw(words)
        case "option":
            name = draw(st.sampled_from(sorted(OPTIONS)))
            value = draw(st.just(OPTIONS[name]) | words) if OPTIONS[name] else ""
            line += [name, value] if OPTIONS[name] else [name]
        case "insert":
            line.insert(draw(st.integers(0, len(line))), draw(words))
    return line


@pytest.fixture
def workplace(small, tmp_path, monkeypatch) -> Callable[[], None]:
    """Go to a folder, and return what puts a knowledge base, a corpus and a set there."""

    def prepare() -> None:
        for child in tmp_path.iterdir():
            shutil.rmtree(child) if child.is_dir() else child.unlink()
        (tmp_path / "corpus").mkdir()
        (tmp_path / "corpus" / "a.txt").write_text("1. 退款?\n七天。\n", encoding="utf-8")
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "queries.jsonl").write_text(QUERIES, encoding="utf-8")
        (tmp_path / "set" / "qrels.tsv").write_text("q1\ta#1\t1\nq2\ta#1\t1\n", encoding="utf-8")
        (tmp_path / "results").mkdir()
        for name in ("a.json", "b.json"):
            (tmp_path / "results" / name).write_bytes(a_result())
        shutil.copytree(small, tmp_path / "kb")

    def load(*_: object) -> LetterEncoder:
        return LetterEncoder()

    for module in ("policy_qa.knowledge_base", "policy_qa.keeping", "policy_qa.encoders"):
        if hasattr(sys.modules.get(module), "load_encoder"):
            monkeypatch.setattr(f"{module}.load_encoder", load)
    monkeypatch.setattr(KnowledgeBase, "encoder_for", staticmethod(load))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLICY_QA_LOG", "off")
    monkeypatch.delenv("POLICY_QA_KB", raising=False)
    return prepare


def test_any_command_line(workplace):
    """Any command line ends with a status and a message that steers no terminal."""

    @seeded
    @bounded
    @given(command_lines())
    def run(line: list[str]) -> None:
        workplace()
        written, said = io.StringIO(), io.StringIO()
        with (
            counted("command line"),
            contextlib.redirect_stdout(written),
            contextlib.redirect_stderr(said),
        ):
            try:
                status = main(line)
            except SystemExit as leaving:
                status = int(leaving.code or 0)
        outcome("command line", f"exit {status}")
        assert status in (0, 1, 2), said.getvalue()
        assert "did not expect" not in said.getvalue(), said.getvalue()
        assert "Traceback" not in said.getvalue()
        for stream in (written, said):
            steering = {c for c in stream.getvalue() if unicodedata.category(c) in ("Cc", "Cf")}
            assert steering <= {"\n", "\t"}, line

    run()


def test_states_are_what_they_were(small):
    """The fuzzed knowledge base is whole after all of it."""
    assert current_state(small)[0] == 1
    look_at(small)


# --- what was found, and is mended --------------------------------------------------------------


def test_a_style_that_is_missing(tmp_path):
    """A workbook whose cells name a style that it has not is damaged, and no other error."""
    (original,) = REAL[".xlsx"]
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(original)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name.startswith("xl/worksheets/"):
                part = re.sub(rb' s="\d+"', b' s="999"', part)
            new.writestr(name, part)
    (tmp_path / "a.xlsx").write_bytes(packed.getvalue())
    with pytest.raises(CorpusError, match="is no XLSX file or is damaged"):
        list(read_file(tmp_path / "a.xlsx", "a.xlsx"))


@pytest.mark.parametrize("look_up", ["entry", "document", "rule_card"])
def test_half_of_a_character_as_a_name(seed, look_up):
    """A name with half of a character is one that there is not."""
    with pytest.raises(InputError, match=r" has no (entry|document) 'a"):
        getattr(seed, look_up)("a\ud800")


def test_a_lone_return_in_alternates(tmp_path):
    """A carriage return alone ends the first line of a table as any line end does."""
    (tmp_path / "a.txt").write_text("1. Refund?\nNo.\n", encoding="utf-8")
    (tmp_path / ALTERNATES_FILE).write_bytes(b"entry,question\ra#1,Money back?\r")
    assert Corpus(tmp_path).alternates() == {"a#1": ("Money back?",)}


@pytest.mark.parametrize("field", ["languages", "documents", "created", "columns", "history"])
@pytest.mark.parametrize("value", [None, "x", -1, [1], {"a": None}, True])
def test_a_manifest_of_other_types(small, field, value):
    """A field of another type than it should have is damage, even where the hash holds."""
    file, current = small / "generations" / "1" / "manifest.json", small / "CURRENT"
    before = file.read_bytes(), current.read_bytes()
    fields = json.loads(before[0])
    if (field, value) == ("created", "x"):
        value = 1.5
    try:
        del fields["sha256"]
        file.write_bytes(storage._sealed(fields | {field: value}))
        current.write_text(f"1 {hashlib.sha256(file.read_bytes()).hexdigest()}\n")
        with pytest.raises(CorruptionError, match="is missing or damaged"):
            read_manifest(small)
    finally:
        file.write_bytes(before[0])
        current.write_bytes(before[1])


@pytest.mark.parametrize("name", ["a\ud800", "a\0"])
def test_a_name_that_no_file_has(name, capsys):
    """A name that no file system can hold is refused as what it is."""
    with pytest.raises(SystemExit):
        main(["entries", name])
    assert "no file or folder can have that name" in capsys.readouterr().err


def test_usage_errors_steer_no_terminal(capsys):
    """What is wrong with a command line is told without its control characters."""
    with pytest.raises(SystemExit):
        main(["ask", "a", "--\x1b[2J\u202e"])
    said = capsys.readouterr().err
    assert "unrecognized arguments" in said
    assert not {"\x1b", "\u202e"} & {*said}
