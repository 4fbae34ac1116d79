"""Evaluation: results are kept, compared and reported."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from policy_qa.errors import EvaluationError, StorageError
from policy_qa.evaluation.comparing import compare_files, comparison_fields, comparison_text
from policy_qa.evaluation.curves import read_ablation
from policy_qa.evaluation.figures import figures
from policy_qa.evaluation.intervals import Estimate
from policy_qa.evaluation.measures import Outcome
from policy_qa.evaluation.report import write_report
from policy_qa.evaluation.results import Result, RunResult, read_result, write_result
from policy_qa.evaluation.slices import Slice
from policy_qa.evaluation.tables import result_text, short


def run_of(name: str, ranks: str, uncovered: int = 2) -> RunResult:
    """Make a run: a digit is the rank of a query's relevant entry, 0 that it was not found."""
    covered = tuple(
        Outcome(
            f"q{number}",
            f"d{number}|#1",
            int(digit) or None,
            float(digit == "1"),
            float(digit != "0"),
            round(0.9 - 0.8 * number / len(ranks), 6),
            "answered" if number < len(ranks) / 2 else "related",
        )
        for number, digit in enumerate(ranks)
    )
    others = tuple(
        Outcome(f"u{number}", None, None, 0.0, 0.0, 0.0, "not_covered")
        for number in range(uncovered)
    )
    part = Slice("language", "zh-Hant", figures(covered, (), covered))
    return RunResult(name, figures(covered, others), (part,), covered, others)


def result_of(ranks: str = "1021", **changes: object) -> Result:
    """Make a result of one run."""
    result = Result("tiny", "abc1234", "j1", "c1", "letters", (run_of("questions indexed", ranks),))
    return replace(result, **changes)


def written(path: Path, result: Result) -> Path:
    """Write a result and return its place."""
    write_result(result, path)
    return path


# --- results ------------------------------------------------------------------------------------


def test_a_result_comes_back_as_it_was(tmp_path):
    """What is written is read, to the last figure."""
    result = result_of()
    assert read_result(written(tmp_path / "new" / "a.json", result)) == result


def test_equal_results_are_equal_bytes_with_a_line_for_each_query(tmp_path):
    """A file holds no time and no path, and a query takes one line."""
    one, two = (written(tmp_path / name, result_of()).read_bytes() for name in ("a", "b"))
    assert one == two
    assert str(tmp_path).encode() not in one
    assert one.decode().count("\n   [") + one.decode().count("\n    [") == 4 + 2
    line = '["q0", "d0|#1", 1, 1.0, 1.0, 0.9, "answered"]'
    assert sum(line in text for text in one.decode().splitlines()) == 1
    assert json.loads(one)["runs"][0]["measures"]["hit@1"] == [0.5, 0.15, 0.85]


def test_a_result_that_cannot_be_written(tmp_path):
    """A folder in the way is an error that names it."""
    with pytest.raises(StorageError, match=re.escape(str(tmp_path))):
        write_result(result_of(), tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1: not a results file"),
        ('{\n"schema": 1,', "2: not a results file"),
        ("[1]", "1: not a results file"),
        ('{"set": "a"}', "1: not a results file, or not a whole one"),
        ('{"schema": 99}', "1: results of schema 99, not 1; measure the set again"),
        ("[" * 99_999, "1: not a results file"),
    ],
)
def test_what_is_no_results_file_is_named(tmp_path, text, says):
    """Any other file is one line that says so and how to make one."""
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError) as raised:
        read_result(path)
    assert str(raised.value).startswith(f"{path}:{says}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("change", ["query", "columns", "figure", "runs"])
def test_a_results_file_that_was_altered_is_named(tmp_path, change):
    """A missing column, figure or run is found when it is read."""
    path = written(tmp_path / "a.json", result_of())
    record = json.loads(path.read_text(encoding="utf-8"))
    run = record["runs"][0]
    if change == "query":
        run["queries"][1].pop()
    elif change == "columns":
        run["columns"].reverse()
    elif change == "figure":
        run["measures"]["hit@1"] = [0.5]
    else:
        record["runs"] = []
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(f"{path}:1: ")):
        read_result(path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, 7),
        (1, 7),
        (1, ["d0"]),
        (2, "1"),
        (2, 1.0),
        (2, True),
        (2, 0),
        (2, 11),
        (3, "1"),
        (3, 1.5),
        (3, None),
        (4, -0.1),
        (4, math.nan),
        (5, 2),
        (5, 10**400),
        (5, None),
        (6, "sure"),
        (6, []),
        (6, None),
    ],
)
def test_a_query_that_was_altered_is_named(tmp_path, column, value):
    """An id, entry, rank, figure or status that no evaluation writes is found when it is read."""
    path = written(tmp_path / "a.json", result_of())
    record = json.loads(path.read_text(encoding="utf-8"))
    record["runs"][0]["queries"][0][column] = value
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(f"{path}:1: not a results file, or not ")):
        read_result(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n", 3),
        ("n", "4"),
        ("n_unanswerable", 9),
        ("measures", {}),
        ("measures", {"hit@1": [0.5, 0, 1]}),
        ("abstention", {}),
        ("abstention", {"mood": [0.5, 0, 1]}),
        ("abstention", {"answered": [0.5, 0, "1"]}),
        ("unanswerable", [["u0", None, None, 0, 0, None, None]] * 2),
    ],
)
def test_figures_that_were_altered_are_named(tmp_path, key, value):
    """Figures that are not those of the queries below them are found when they are read."""
    path = written(tmp_path / "a.json", result_of())
    record = json.loads(path.read_text(encoding="utf-8"))
    record["runs"][0][key] = value
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(f"{path}:1: not a results file, or not ")):
        read_result(path)


def test_what_is_written_is_on_the_disk(tmp_path, monkeypatch):
    """A file is flushed before it takes its place: losing power loses nothing."""
    flushed = []
    monkeypatch.setattr("policy_qa.storage._flush", lambda path: flushed.append(path.name))
    path = written(tmp_path / "a.json", result_of())
    assert [flushed[0].startswith("a.json."), flushed[1]] == [True, tmp_path.name]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.82, 0.781, 0.856, "0.820 [.78 .86]"),
        (1.0, 0.6457, 1.0, "1.000 [.65 1.0]"),
        (0.0, 0.0, 0.3543, "0.000 [.00 .35]"),
        (0.998, 0.9955, 0.9996, "0.998 [1.0 1.0]"),
    ],
)
def test_a_figure_in_a_table(value, low, high, shown):
    """A figure with its interval is always as wide."""
    assert short(Estimate(value, low, high)) == shown
    assert len(shown) == 15


def test_the_text_of_a_result():
    """Measures stand in one table, what confidence is worth in a second."""
    lines = result_text(result_of()).split("\n")
    assert lines[0] == "tiny: 4 queries, 2 that nothing answers"
    assert lines[2].startswith("questions indexed  0.500 [.15 .85]  0.750 [.30 .95]")
    assert lines[1].startswith("run                          hit@1            hit@3")
    assert len(lines[1]) == len(lines[2])
    assert len(lines[4]) == len(lines[5])
    assert lines[4].split("  ")[-1].strip() == "answered"
    assert result_text(result_of(runs=(run_of("a", "1021", 0),))).count("\n") == 2


# --- comparisons --------------------------------------------------------------------------------


def test_a_comparison_by_hand(tmp_path):
    """Of four queries one gains and none is lost: hit@1 rises by .25, and p is 1."""
    before = written(tmp_path / "a.json", result_of("1021"))
    after = written(tmp_path / "b.json", result_of("1111", revision="def5678"))
    comparison = compare_files(before, after)
    (run,) = comparison.runs
    assert (run.gained, run.lost) == (("q1", "q2"), ())
    hit = run.changes[0]
    assert (hit.name, hit.before, hit.after, hit.difference, hit.p) == (
        "hit@1",
        0.5,
        1.0,
        0.5,
        0.5,
    )
    text = comparison_text(comparison, {"q1": "how to return"})
    assert text.splitlines()[:4] == [
        "tiny: 4 queries, abc1234 → def5678",
        "",
        "questions indexed",
        "                           before   after  difference      p",
    ]
    assert "hit@1                       0.500   1.000      +0.500  0.5000" in text
    assert text.endswith("hit@1 gained: 2\n  q1  how to return\n  q2\nhit@1 lost: 0")
    assert comparison_fields(comparison)["runs"][0]["gained"] == ["q1", "q2"]
    back = compare_files(after, before).runs[0]
    assert (back.gained, back.lost, back.changes[0].p) == ((), ("q1", "q2"), 0.5)


def test_a_comparison_of_two_encoders(tmp_path):
    """Where the encoder, lexicon or calibration differ, both are printed; else neither is."""
    before = written(tmp_path / "a.json", result_of())
    after = written(tmp_path / "b.json", result_of(encoder="letters + lexicon 01234567"))
    comparison = compare_files(before, after)
    assert comparison_text(comparison, {}).splitlines()[1:3] == [
        "before: letters",
        "after:  letters + lexicon 01234567",
    ]
    assert comparison_fields(comparison)["encoders"] == ["letters", "letters + lexicon 01234567"]
    assert "letters" not in comparison_text(compare_files(before, before), {})
    elsewhere = written(tmp_path / "c.json", result_of(encoder=""))
    text = comparison_text(compare_files(elsewhere, before), {})
    assert "before: made elsewhere (questions indexed)\n" in text


def test_runs_of_other_names_are_compared_too(tmp_path):
    """A run made elsewhere stands against the first run of the other result."""
    before = written(tmp_path / "a.json", result_of())
    elsewhere = result_of(runs=(run_of("run bm25.trec", "1111"),), corpus="")
    after = written(tmp_path / "b.json", elsewhere)
    assert [run.name for run in compare_files(before, after).runs] == [
        "questions indexed → run bm25.trec"
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"judgments": "j2"}, "the queries or qrels differ"),
        ({"corpus": "c2"}, "the corpus differs"),
        ({"runs": (run_of("questions indexed", "10210"),)}, "the queries of 'questions indexed'"),
    ],
)
def test_results_that_cannot_be_compared(tmp_path, changes, says):
    """Results of other questions or entries are refused in one line that names both files."""
    before = written(tmp_path / "a.json", result_of())
    after = written(tmp_path / "b.json", result_of(**changes))
    with pytest.raises(EvaluationError) as raised:
        compare_files(before, after)
    message = str(raised.value)
    assert message.startswith(f"{before} and {after} cannot be compared: {says}")
    assert "\n" not in message


# --- report -------------------------------------------------------------------------------------

ABLATION = """# What each part is worth

| hit@1 | tiny (4) | other (9) |
| --- | --- | --- |
| as shipped | 0.500 | 0.800 |
| dense alone | 0.250 | 0.900 |

| language | n |
|---|---|
| en | much |
"""


@pytest.fixture
def results(tmp_path) -> list[Path]:
    """Return two results files: one of several runs, one too small for curves."""
    many = result_of(
        runs=(
            run_of("questions indexed", "1021" * 30),
            run_of("questions left out (answers only)", "1020" * 30),
            run_of("queries with characters dropped", "1022" * 30),
        )
    )
    small = result_of(name="small")
    return [written(tmp_path / f"{r.name}.json", r) for r in (many, small)]


def test_a_report_holds_every_table_and_picture(tmp_path, results):
    """Sets, measures, answers alone, perturbations, confidence and slices each have a table."""
    out = tmp_path / "out" / "report.md"
    out.parent.mkdir()
    (out.parent / "ablation.md").write_text(ABLATION, encoding="utf-8")
    files = write_report(results, out)
    assert [file.name for file in files] == [
        "report.md",
        "report-hits.svg",
        "report-risk.svg",
        "report-reliability.svg",
        "report-ablation.svg",
    ]
    text = out.read_text(encoding="utf-8")
    assert re.findall(r"^#+ (.*)", text, re.MULTILINE) == [
        "Evaluation",
        "Sets",
        "As it is used: questions indexed",
        "Answers only: questions left out",
        "Queries as people mistype them",
        "What confidence is worth",
        "Slices",
        "tiny",
        "small",
        "What each part of the ranking is worth",
    ]
    assert "| tiny | 120 | 2 | `abc1234` | `letters` |" in text
    assert "| small | 0.500 <sub>0.150–0.850</sub> |" in text
    assert all((out.parent / name).is_file() for name in re.findall(r"\]\(([^)]+)\)", text))
    assert not list(tmp_path.rglob("*.new"))


def test_a_report_is_always_the_same(tmp_path, results):
    """Two reports of the same results are the same bytes, pictures included."""
    one, two = (write_report(results, tmp_path / name / "report.md") for name in ("a", "b"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert len(one) == 4


def test_two_results_of_one_set_are_told_apart(tmp_path):
    """A set that is there twice is named with its revision."""
    paths = [
        written(tmp_path / f"{name}.json", result_of(revision=name)) for name in ("one", "two")
    ]
    text = write_report(paths, tmp_path / "report.md")[0].read_text(encoding="utf-8")
    assert "| tiny one | 4 |" in text
    assert "| tiny two | 4 |" in text


def test_a_run_made_elsewhere_is_named_in_a_report(tmp_path):
    """Its figures stand beside those of the set, under the name of its run."""
    elsewhere = result_of(encoder="", runs=(run_of("run bm25.trec", "1111", 0),))
    paths = [
        written(tmp_path / "a.json", result_of()),
        written(tmp_path / "b.json", elsewhere),
    ]
    text = write_report(paths, tmp_path / "report.md")[0].read_text(encoding="utf-8")
    assert "| tiny | 0.500 <sub>" in text
    assert "| tiny, run bm25.trec | 1.000 <sub>" in text


def test_the_table_of_the_ablation(tmp_path):
    """The first table is read; the tables after it are not."""
    path = tmp_path / "ablation.md"
    path.write_text(ABLATION, encoding="utf-8")
    ablation = read_ablation(path)
    assert (ablation.measure, ablation.sets) == ("hit@1", ("tiny (4)", "other (9)"))
    assert ablation.variants == ("as shipped", "dense alone")
    assert ablation.values.tolist() == [[0.5, 0.8], [0.25, 0.9]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nothing", 1),
        ("| a | b |\n|---|---|\n| c | d |", 3),
        ("| a | b |\n|---|---|\n| c | 1 | 2 |", 3),
    ],
)
def test_an_ablation_without_figures(tmp_path, text, line):
    """A file without a table of figures is named."""
    path = tmp_path / "ablation.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(f"{path}:{line}: ")):
        read_ablation(path)
