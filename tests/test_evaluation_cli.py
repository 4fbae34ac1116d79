"""The command `policy-qa eval`."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from fakes import LetterEncoder

import policy_qa
from policy_qa import Document, KnowledgeBase
from policy_qa.cli import main
from policy_qa.confidence import Calibration
from policy_qa.evaluation import indexes
from policy_qa.evaluation.experiment import QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT
from policy_qa.evaluation.perturbations import DROPPED, MISTYPED, OTHER_SCRIPT
from policy_qa.evaluation.results import read_result
from policy_qa.evaluation.revision import revision
from policy_qa.storage import STORE_FILE


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Run `policy-qa eval` in a folder of its own; return (status, output, messages)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("policy_qa.evaluation.revision.revision", lambda *_: "0.1.0")
    monkeypatch.setattr(indexes, "_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())
    monkeypatch.setattr("policy_qa.encoders.load_encoder", lambda *_: LetterEncoder())

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main(["eval", *map(str, arguments)])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        return status, *capsys.readouterr()

    return run


def failed(result: tuple[int, str, str]) -> str:
    """Return the message of a command that failed as it should: in one line."""
    status, output, messages = result
    assert (status, output) == (2, "")
    assert messages.startswith("policy-qa: ")
    assert messages.count("\n") == 1
    return messages.removeprefix("policy-qa: ").rstrip("\n")


def jsonl(path: Path, *lines: dict[str, str]) -> None:
    """Write JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def one(tmp_path) -> Path:
    """Return the folder of a set of one query about a knowledge base."""
    folder = tmp_path / "sets" / "one"
    jsonl(folder / "queries.jsonl", {"id": "q1", "text": "快遞丟件怎麼處理"})
    (folder / "qrels.tsv").write_text("q1\tevil#1\t1\n", encoding="utf-8")
    return folder


@pytest.fixture
def moved(tmp_path) -> Path:
    """Return a knowledge base of one entry whose model only `--model letters` finds."""
    path = tmp_path / "kb"
    document = Document("evil.txt", "1. Why me?\nBecause of you and of nobody else.\n")
    KnowledgeBase.build([document], path, model=LetterEncoder()).close()
    return path


@pytest.fixture
def beir(tmp_path) -> Path:
    """Return the folder of a set with a corpus, groups, both scripts and unanswerable queries."""
    folder = tmp_path / "sets" / "beir"
    jsonl(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "refund?", "text": "seven days", "group": "R"},
        {"_id": "d2", "title": "退貨?", "text": "七天內退款", "group": "R"},
        {"_id": "d3", "title": "postage?", "text": "the shop pays", "group": "P"},
    )
    jsonl(
        folder / "queries.jsonl",
        {"_id": "q1", "text": "退貨", "lang": "zh-Hant", "kind": "short", "split": "tune"},
        {"_id": "q2", "text": "who pays postage", "lang": "en", "kind": "long", "split": "report"},
    )
    jsonl(folder / "queries.xscript.jsonl", {"id": "q1", "text": "退货"})
    jsonl(folder / "unanswerable.jsonl", {"id": "u1", "text": "zzzz", "lang": "en"})
    (folder / "qrels_group.tsv").write_text("q1\tR\nq2\tP\n", encoding="utf-8")
    return folder


# --- a knowledge base's own set -----------------------------------------------------------------


def test_eval(cli, moved, one, tmp_path):
    """A set is measured with a model that has moved; its runs and results are written."""
    assert "Give that encoder" in failed(cli(one, "--kb", moved))
    status, output, messages = cli(one, "--kb", moved, "--model", "letters")
    assert (status, output.splitlines()[0]) == (0, "one: 1 query")
    assert re.search(r"^policy-qa: one: 2 queries in \d+\.\d s$", messages, re.MULTILINE)
    assert sorted(file.name for file in (tmp_path / "runs").iterdir()) == [
        "one.answers-only.trec",
        "one.questions-indexed.trec",
    ]
    (file,) = (tmp_path / "eval" / "results").iterdir()
    assert file.name == "one@0.1.0.json"
    result = read_result(file)
    assert [run.name for run in result.runs] == [QUESTIONS_INDEXED, QUESTIONS_LEFT_OUT]
    assert [outcome.top for outcome in result.runs[0].covered] == ["evil#1"]


def test_eval_says_what_ask_says(cli, moved, one, tmp_path):
    """Confidence and status in the results are those of an answer."""
    cli(one, "--kb", moved, "--model", "letters")
    (file,) = (tmp_path / "eval" / "results").iterdir()
    (outcome,) = read_result(file).runs[0].covered
    with KnowledgeBase.open(moved, model=LetterEncoder()) as knowledge_base:
        answer = knowledge_base.ask("快遞丟件怎麼處理")
    assert outcome.confidence == pytest.approx(answer.confidence, abs=1e-6)
    assert outcome.status == answer.status


def test_eval_shows_its_progress(cli, moved, one, monkeypatch):
    """An evaluation shows on a terminal how far its encoding is."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, _, messages = cli(one, "--kb", moved, "--model", "letters")
    assert status == 0
    assert "Encoding: 0 passages" in messages


def test_eval_of_sets_with_the_same_name(cli, one, tmp_path):
    """Two sets whose runs would have the same name are refused before anything is done."""
    other = tmp_path / "others" / "one"
    shutil.copytree(one, other)
    message = failed(cli(one, other, "--kb", "no/kb"))
    assert message.startswith(f"The evaluation sets {one} and {other} have the same nam")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("退" * 2001, "has 2,001 characters"), ("？！", "no letter"), ("\u200b", "no letter")],
    ids=["long", "punctuation", "invisible"],
)
def test_eval_of_a_query_that_cannot_be_asked(cli, moved, one, text, reason):
    """A query of a set that cannot be asked is named with its file, its line and its id."""
    file = one / "queries.jsonl"
    file.write_text("\n" + json.dumps({"id": "q1", "text": text}), encoding="utf-8")
    message = failed(cli(one, "--kb", moved, "--model", "letters"))
    assert message.startswith(f"{file}:2: query 'q1' cannot be asked: The query ")
    assert reason in message


@pytest.mark.parametrize(
    "text", ["Nobody asks here. Nothing at all.\n", "1. Why me?\n2. Why you?\n"]
)
def test_nothing_to_leave_out(cli, one, tmp_path, text):
    """Without questions, or without answers, one line says why there is no second run."""
    path = tmp_path / "bare"
    KnowledgeBase.build([Document("evil.txt", text)], path, model=LetterEncoder()).close()
    with KnowledgeBase.open(path, model=LetterEncoder()) as knowledge_base:
        entry_id = knowledge_base.entries()[0].id
    (one / "qrels.tsv").write_text(f"q1\t{entry_id}\t1\n", encoding="utf-8")
    status, output, messages = cli(one, "--kb", path, "--model", "letters")
    assert status == 0
    assert QUESTIONS_LEFT_OUT not in output
    assert messages.count("policy-qa: one: its entries") == 1


# --- a set with a corpus ------------------------------------------------------------------------


def test_a_set_with_a_corpus_needs_no_knowledge_base(cli, beir, tmp_path):
    """Its records are indexed, groups are judged, and each kind of run is made."""
    status, output, _ = cli(beir, "--perturb", "--kb", "no/kb")
    assert (status, output.splitlines()[0]) == (0, "beir: 2 queries, 1 that nothing answers")
    (file,) = (tmp_path / "eval" / "results").iterdir()
    result = read_result(file)
    assert [run.name for run in result.runs] == [
        QUESTIONS_INDEXED,
        QUESTIONS_LEFT_OUT,
        OTHER_SCRIPT,
        DROPPED,
        MISTYPED,
    ]
    assert [len(run.uncovered) for run in result.runs] == [1, 1, 0, 1, 1]
    first = result.runs[0]
    assert [outcome.top for outcome in first.covered] == ["d2", "d3"]
    assert {(part.by, part.name) for part in first.slices} == {
        ("language", "zh-Hant"),
        ("language", "en"),
        ("kind", "short"),
        ("kind", "long"),
        ("split", "tune"),
        ("split", "report"),
        ("script", "same script"),
    }
    trec = (tmp_path / "runs" / "beir.questions-indexed.trec").read_text(encoding="utf-8")
    assert trec.startswith("q1 Q0 d2 1 ")


def test_two_evaluations_are_the_same_bytes(cli, beir, tmp_path):
    """Results, runs and what is printed are equal."""
    found = []
    for name in ("a", "b"):
        status, output, _ = cli(beir, "--perturb", "--results", name, "--runs", f"{name}-runs")
        assert status == 0
        files = sorted([*(tmp_path / name).iterdir(), *(tmp_path / f"{name}-runs").iterdir()])
        found.append((output, [(file.name, file.read_bytes()) for file in files]))
    assert found[0] == found[1]


def test_a_changed_program_builds_again(cli, beir, tmp_path, monkeypatch):
    """The cached knowledge base is that of the program that measures."""
    build = indexes.build_generation
    built = []
    monkeypatch.setattr(
        indexes, "build_generation", lambda *a, **k: built.append(1) or build(*a, **k)
    )
    for expected in (2, 2, 4):
        if expected == 4:
            monkeypatch.setattr(indexes, "_program", lambda: "another")
        assert cli(beir)[0] == 0
        assert len(built) == expected


def test_a_damaged_cache_is_built_again(cli, beir, tmp_path):
    """A cached knowledge base that cannot be opened is made anew, without a word."""
    assert cli(beir)[0] == 0
    stores = list((tmp_path / "cache").rglob(STORE_FILE))
    assert len(stores) == 2
    for store in stores:
        store.write_bytes(b"broken")
    assert cli(beir)[0] == 0


def test_json_holds_the_figures(cli, beir):
    """`--json` prints what the results hold, without the queries."""
    status, output, _ = cli(beir, "--json")
    (fields,) = json.loads(output)
    assert status == 0
    assert (fields["set"], fields["encoder"]) == ("beir", "letters-1")
    assert set(fields["runs"][0]) == {
        "name",
        "n",
        "n_unanswerable",
        "measures",
        "abstention",
        "slices",
    }


def test_a_corpus_elsewhere(cli, beir, one):
    """`--corpus` names the folder of the records that a set without a corpus is about."""
    (one / "qrels.tsv").write_text("q1\td2\t1\n", encoding="utf-8")
    status, output, _ = cli(one, "--corpus", beir)
    assert (status, output.splitlines()[0]) == (0, "one: 1 query")
    assert failed(cli(one, "--corpus", "nowhere")).startswith("nowhere/corpus.jsonl: no such file")


# --- runs made elsewhere ------------------------------------------------------------------------


def test_a_run_made_elsewhere(cli, beir, tmp_path):
    """`--run` measures a TREC run, and its results are kept beside those of the search."""
    run = tmp_path / "bm25.trec"
    run.write_text("q1 Q0 d3 1 2 x\nq1 Q0 d1 2 1 x\nq2 Q0 d3 1 2 x\n", encoding="utf-8")
    status, output, _ = cli(beir, "--run", run)
    assert status == 0
    assert output.splitlines()[2].startswith("run bm25.trec  0.500 [.09 .91]")
    (file,) = (tmp_path / "eval" / "results").iterdir()
    assert file.name.startswith("beir.bm25@")
    result = read_result(file)
    assert [outcome.rank for outcome in result.runs[0].covered] == [2, 1]
    assert result.runs[0].covered[0].confidence is None


def test_our_own_run_measures_the_same(cli, beir, tmp_path):
    """A run that was written and read again has the figures of the search."""
    assert cli(beir)[0] == 0
    assert cli(beir, "--run", tmp_path / "runs" / "beir.questions-indexed.trec")[0] == 0
    searched, read = (
        read_result(file)
        for file in sorted((tmp_path / "eval" / "results").iterdir(), reverse=True)
    )
    assert searched.runs[0].figures.measures == read.runs[0].figures.measures


def test_a_run_of_another_corpus(cli, beir, one, tmp_path):
    """A run that shares no document with the set is refused, whether it has a corpus or not."""
    run = tmp_path / "other.trec"
    run.write_text("q1 Q0 strange 1 2 x\n", encoding="utf-8")
    for folder in (beir, one):
        message = failed(cli(folder, "--run", run))
        assert message.startswith(f"{run}:1: a run of another corpus: none of its documents, such")
    assert "name the one SET" in failed(cli(beir, one, "--run", run))


# --- comparing and reporting --------------------------------------------------------------------


def test_comparing_two_results(cli, beir, tmp_path):
    """`--compare` prints what changed; with the SET it shows the texts of gained queries."""
    run = tmp_path / "worse.trec"
    run.write_text("q1 Q0 d3 1 2 x\nq2 Q0 d3 1 2 x\n", encoding="utf-8")
    cli(beir, "--run", run, "--results", "before")
    cli(beir, "--results", "after")
    (before,), (after,) = (list((tmp_path / name).iterdir()) for name in ("before", "after"))
    status, output, messages = cli("--compare", before, after)
    assert (status, messages) == (0, "")
    assert output.endswith("hit@1 gained: 1\n  q1\nhit@1 lost: 0\n")
    assert "  q1  退貨\n" in cli(beir, "--compare", before, after)[1]
    fields = json.loads(cli("--compare", before, after, "--json")[1])
    assert fields["runs"][0]["measures"]["hit@1"] == {
        "before": 0.5,
        "after": 1.0,
        "difference": 0.5,
        "p": 1.0,
    }


def test_results_that_cannot_be_compared(cli, beir, one, moved, tmp_path):
    """Results of two sets, or another SET's texts, are refused in one line."""
    cli(beir, "--results", "a")
    cli(one, "--kb", moved, "--model", "letters", "--results", "b")
    (beirs,), (ones,) = (list((tmp_path / name).iterdir()) for name in ("a", "b"))
    assert "cannot be compared: the queries or qrels differ" in failed(
        cli("--compare", beirs, ones)
    )
    assert "not the set that was measured" in failed(cli(one, "--compare", beirs, beirs))
    assert ":2: not a results file" in failed(cli("--compare", beirs, beir / "corpus.jsonl"))


def test_a_report_by_one_command(cli, beir, tmp_path):
    """`--report` writes a page and names its files on standard error."""
    cli(beir)
    (file,) = (tmp_path / "eval" / "results").iterdir()
    status, output, messages = cli("--report", file)
    assert (status, output) == (0, "")
    assert (tmp_path / "eval" / "results" / "report.md").is_file()
    assert messages.count("wrote") == 2  # too few questions for curves of confidence
    assert failed(cli("--report", "none.json")).startswith("none.json: no such file")


def test_a_report_without_matplotlib(cli, beir, tmp_path, monkeypatch):
    """Without Matplotlib one line says how to install it."""
    cli(beir)
    (file,) = (tmp_path / "eval" / "results").iterdir()
    monkeypatch.delattr("policy_qa.evaluation.plots", raising=False)
    monkeypatch.setitem(sys.modules, "policy_qa.evaluation.plots", None)
    assert "pip install 'policy-qa[report]'" in failed(cli("--report", file))


def test_nothing_to_evaluate(cli):
    """Without a set and without results one line says what to name."""
    assert failed(cli()).startswith("Nothing to evaluate")


# --- which program, and what else decides ---------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    command = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """Return a repository with a package and one commit; the current directory is elsewhere."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    top = tmp_path / "checkout [1]"
    package = top / "src" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (top / "beside.txt").write_text("a", encoding="utf-8")
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    policies = tmp_path / "policies"
    policies.mkdir()
    git(policies, "init", "-q")
    monkeypatch.chdir(policies)
    return top


def test_the_revision_is_that_of_the_package(checkout, monkeypatch):
    """It is the package's commit, wherever one stands, with a mark for changes of its files."""
    package = checkout / "src" / "package"
    commit = git(checkout, "rev-parse", "--short", "HEAD")
    assert revision(package=package) == commit
    Path("refunds.txt").write_text("a change of the policies", encoding="utf-8")
    (checkout / "beside.txt").write_text("b", encoding="utf-8")
    (checkout / "results.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(package)
    assert revision(package=package) == commit
    (package / "new.py").write_text("", encoding="utf-8")
    assert revision(package=package) == f"{commit}+changes"


def test_an_installed_package_has_its_version(checkout):
    """A package that the repository around it does not track is known by its version."""
    installed = checkout / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("", encoding="utf-8")
    version = metadata.version("policy-qa")
    assert revision(package=installed) == version
    assert revision(package=checkout.parent) == version
    git(checkout, "update-ref", "-d", "HEAD")
    assert revision(package=checkout / "src" / "package") == version


def test_a_status_that_fails_is_no_clean_one(checkout):
    """Where git cannot tell whether files changed, they may have."""
    commit = git(checkout, "rev-parse", "--short", "HEAD")
    config = checkout / ".git" / "config"
    config.write_text(config.read_text() + "[status]\n showUntrackedFiles = bad\n")
    assert revision(package=checkout / "src" / "package") == f"{commit}+changes"


def corpus_with_lexicon(path: Path, lexicon: str) -> Path:
    """Write a corpus of one entry with a lexicon."""
    path.mkdir(exist_ok=True)
    (path / "evil.txt").write_text("1. Why me?\nBecause of you.\n", encoding="utf-8")
    (path / "lexicon.txt").write_text(lexicon, encoding="utf-8")
    return path


def test_the_encoder_says_what_decides_the_figures(tmp_path):
    """A lexicon and a calibration are named by digests; where a rule stands decides nothing."""

    def encoder(lexicon: str, slope: float = 1.0) -> str:
        corpus = corpus_with_lexicon(tmp_path / "corpus", lexicon)
        with KnowledgeBase.build(corpus, tmp_path / "kb", model=LetterEncoder()) as opened:
            opened.calibration = Calibration(slope=slope)
            with indexes.of_knowledge_base(opened) as searched:
                assert searched.answers_only.calibration == opened.calibration
                return searched.encoder

    assert encoder("# none\n") == "letters-1"
    one = encoder("refund = money back\n")
    assert re.fullmatch(r"letters-1 \+ lexicon [0-9a-f]{8}", one)
    assert encoder("# moved\n\nrefund = money back\n") == one
    assert encoder("refund = cash back\n") != one
    assert re.fullmatch(r"letters-1 \+ calibration [0-9a-f]{8}", encoder("", 2.0))
    both = encoder("refund = money back\n", 2.0)
    assert both.startswith(f"{one} + calibration ")
    assert encoder("refund = money back\n", 3.0) not in {one, both}


def test_results_do_not_replace_each_other(cli, one, tmp_path):
    """What is not plainly the default encoder's is named so; perturbed runs stay in one file."""
    path = tmp_path / "kb"
    corpus = corpus_with_lexicon(tmp_path / "corpus", "refund = money back\n")
    for lexicon in ("# none\n", "refund = money back\n", "refund = cash back\n"):
        (corpus / "lexicon.txt").write_text(lexicon, encoding="utf-8")
        KnowledgeBase.build(corpus, path, model=LetterEncoder()).close()
        for more in ([], ["--perturb"]):
            assert cli(one, "--kb", path, "--model", "letters", *more)[0] == 0
    names = sorted(file.name for file in (tmp_path / "eval" / "results").iterdir())
    assert len(names) == 3
    assert names[0] == "one@0.1.0.json"
    assert all(re.fullmatch(r"one@0\.1\.0~[0-9a-f]{8}\.json", name) for name in names[1:])


# --- the cache ------------------------------------------------------------------------------------


def imported(home: Path, module: str) -> Iterator[str]:
    """Yield the modules of the package that a module's source imports, as file names."""
    for node in ast.walk(ast.parse((home / module).read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [f"{node.module}"]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            file = Path(*name.split(".")).with_suffix(".py")
            if name.startswith("policy_qa.") and (home.parent / file).is_file():
                yield file.relative_to("policy_qa").as_posix()


def test_the_list_of_what_an_index_depends_on_is_whole():
    """It holds `build` and every module of the package that it imports, itself or through others.

    Not the encoders, whose identity names the cached folder, nor the packages' `__init__`.
    """
    home = Path(policy_qa.__file__).parent
    found, left = {"build.py"}, ["build.py"]
    while left:
        fresh = set(imported(home, left.pop())) - found
        found |= fresh
        left += fresh
    assert {"centring.py", "store.py"} < found
    assert found <= set(indexes._BUILDING)
    assert all((home / name).is_file() for name in indexes._BUILDING)


def test_a_wording_elsewhere_builds_nothing_again(tmp_path, monkeypatch):
    """Only what an index depends on decides whether it is built again."""
    home = tmp_path / "policy_qa"
    shutil.copytree(Path(policy_qa.__file__).parent, home)
    monkeypatch.setattr(policy_qa, "__file__", str(home / "__init__.py"))
    before = indexes._program()
    for name in ("labels.py", "output.py", "evaluation/tables.py"):
        (home / name).write_text("# another wording", encoding="utf-8")
    assert indexes._program() == before
    (home / "passages.py").write_text("# other passages", encoding="utf-8")
    assert indexes._program() != before


def test_the_cache_keeps_one_generation(cli, beir, tmp_path, monkeypatch):
    """What another version of the program built is removed."""
    for program in ("one", "two", "three"):
        monkeypatch.setattr(indexes, "_program", lambda program=program: program)
        assert cli(beir)[0] == 0
    folders = list((tmp_path / "cache").glob("*/generations/*"))
    assert [folder.name for folder in folders] == ["3", "3"]
