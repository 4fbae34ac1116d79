"""The commands for keeping a knowledge base, from its first build to its export."""

import csv
import json
import shutil
import threading
from functools import cache
from pathlib import Path

import pytest

from policy_qa import KnowledgeBase, keeping
from policy_qa.cli import main
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.query_log import QueryLog, log_file

load_once = cache(load_encoder)

PAGE = """Q: How long may I return a parcel?
A: Within 14 days of delivery.

Q: Who pays the return postage?
A: The buyer pays it, unless the goods are broken.

Q: When is the shop open?
A: From 9 to 17 on working days.
"""
RULE = """---
effective_from: 2024-01-01
expires: 2024-12-31
---
# How much is gift wrapping?
Gift wrapping costs 5 euros.
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a corpus; commands run in it, on its knowledge base `kb`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLICY_QA_KB", raising=False)
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", load_once)
    monkeypatch.setattr("policy_qa.encoders.load_encoder", load_once)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "shop.txt").write_text(PAGE, "utf-8")
    (tmp_path / "corpus" / "wrapping.md").write_text(RULE, "utf-8")
    return tmp_path


@pytest.fixture
def cli(place: Path, capsys: pytest.CaptureFixture[str]):
    """Return what runs a command; it returns its exit status, output and messages."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        return status, *capsys.readouterr()

    run("build", "corpus")
    return run


def change(place: Path, old: str, new: str) -> None:
    """Change the words of a page."""
    file = place / "corpus" / "shop.txt"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def save_questions(place: Path) -> Path:
    """Write an evaluation set of two questions."""
    folder = place / "set"
    folder.mkdir()
    (folder / "queries.jsonl").write_text(
        '{"id": "q1", "text": "Until when can I send it back?"}\n'
        '{"id": "q2", "text": "What are your opening hours?"}\n',
        "utf-8",
    )
    (folder / "qrels.tsv").write_text("q1\tshop#1\t1\nq2\tshop#3\t1\n", "utf-8")
    return folder


def test_sync_tells_first_and_does_then(cli, place):
    """A dry run tells what sync would do and changes nothing; then there is nothing left to do."""
    assert cli("sync", "--dry-run") == (0, "Nothing changed.\n", "")
    change(place, "14 days", "30 days")
    (place / "corpus" / "new.txt").write_text("Q: May I pay in cash?\nA: Yes.\n", "utf-8")
    told = "+ new.txt\n~ shop.txt\n    ~ shop#1  How long may I return a parcel?\n"

    assert cli("sync", "--dry-run") == (1, told, "")
    assert cli("ask", "how long may I return a parcel")[1].count("14 days") == 2
    assert cli("sync")[:2] == (
        0,
        f"{told}Generation 2 is current: 3 documents, 5 entries, 10 passages.\n",
    )
    assert "30 days" in cli("ask", "how long may I return a parcel")[1]
    assert cli("sync")[:2] == (0, "Nothing to apply.\n")
    assert cli("sync", "--json")[1] == (
        '{\n  "generation": null,\n  "changes": {\n    "added": [],\n    "changed": [],\n'
        '    "removed": [],\n    "unreadable": [],\n    "lexicon": false,\n'
        '    "alternates": false\n  }\n}\n'
    )


def test_what_cannot_be_read_stays_and_is_told(cli, place):
    """A file that is broken now keeps what was known of it, and each command says so."""
    (place / "corpus" / "shop.txt").write_bytes(b"\x00\x01\x02")
    (place / "corpus" / "outside.txt").symlink_to("/etc/hostname")

    status, output, _ = cli("sync")
    assert status == 0
    assert "shop.txt is not text" in output
    assert "outside.txt is a link to a file outside of the corpus" in output
    assert cli("ask", "who pays the return postage")[0] == 0


def test_publish_refuses_what_does_worse(cli, place):
    """A change that loses a question is refused with that question; force is on record."""
    questions = save_questions(place)
    change(place, "Q: When is the shop open?\nA: From 9 to 17 on working days.\n", "")

    status, output, messages = cli("publish", "--set", questions)
    assert status == 1
    assert "2 queries: hit@1 1.000 → 0.500" in output
    assert "lost: What are your opening hours?  (shop#3; its entry is gone)" in output
    assert messages == (
        "policy-qa: Not published: the questions above do worse than --tolerance 0.01 allows. "
        "Mend the documents, or --force.\n"
    )
    assert "9 to 17" in cli("ask", "when is the shop open")[1]

    assert cli("publish", "--set", questions, "--force")[0] == 0
    assert "9 to 17" not in cli("ask", "when is the shop open")[1]
    events = json.loads(cli("history", "--json")[1])
    assert [event["action"] for event in events] == ["build", "publish"]
    assert events[1]["note"].endswith("; forced")
    assert "publish   3 entries  +0 ~1 -0 documents  2 queries" in cli("history")[1]


def test_publish_within_the_tolerance(cli, place):
    """What does as well is published; a fall is, too, if the tolerance allows it."""
    questions = save_questions(place)
    change(place, "14 days", "30 days")
    assert cli("publish", "--set", questions)[0] == 0
    change(place, "Q: When is the shop open?\nA: From 9 to 17 on working days.\n", "")
    assert cli("publish", "--set", questions, "--tolerance", "0.6")[0] == 0
    assert [e["action"] for e in json.loads(cli("history", "--json")[1])][1:] == ["publish"] * 2


def test_publish_needs_questions(cli):
    """Without an evaluation set there is nothing to publish by."""
    status, _, messages = cli("publish")
    assert status == 2
    assert messages.startswith("policy-qa: There is no evaluation set at kb/eval.")
    assert cli("publish", "--tolerance", "2")[0] == 2


def test_rollback_and_diff(cli, place):
    """An older generation comes back as a new one, and diff tells what two of them differ in."""
    change(place, "14 days", "30 days")
    cli("sync")
    difference = "~ shop.txt\n    ~ shop#1  How long may I return a parcel?\n"
    assert cli("diff") == (0, difference, "")

    status, output, _ = cli("rollback")
    assert status == 0
    assert output.startswith("Generation 3 is current: what generation 1 held.")
    assert "14 days" in cli("ask", "how long may I return a parcel")[1]
    assert cli("diff", 1, 3) == (0, "Nothing differs.\n", "")
    assert cli("diff", 2, 3) == (0, difference, "")
    assert cli("rollback", 3)[2] == "policy-qa: Generation 3 of kb is the current one.\n"
    assert cli("rollback", 9)[2].startswith("policy-qa: There is no generation 9 of kb")
    assert cli("diff", 1, 2, 3)[0] == 2


def test_generations_that_stay(cli, place):
    """A build keeps as many generations as it is told to; history remembers the others."""
    for days in range(20, 23):
        change(place, f"{14 if days == 20 else days - 1} days", f"{days} days")
        cli("sync", "--keep", 2)

    assert [event["on_disk"] for event in json.loads(cli("history", "--json")[1])] == [
        False, False, True, True,
    ]  # fmt: skip
    assert "(not on disk any more)" in cli("history")[1]


def test_rules_of_a_day(cli):
    """A rule that has expired never answers, but for a day on which it held."""
    today = cli("ask", "How much is gift wrapping?")[1]
    assert "5 euros" not in today.split("!")[0]
    assert "“How much is gift wrapping?” expired on 2024-12-31" in today

    then = cli("ask", "How much is gift wrapping?", "--as-of", "2024-06-01")
    assert then[0] == 0
    assert "5 euros" in then[1]
    assert cli("ask", "How much?", "--as-of", "June")[0] == 2


def test_expiring(cli):
    """What has ended is listed, and what is not about to end is not."""
    status, output, _ = cli("expiring", "--within", 0)
    assert status == 0
    assert output.startswith("2024-12-31")
    assert output.endswith("days ago  wrapping.md#1  How much is gift wrapping?\n")
    assert [row["entry"] for row in json.loads(cli("expiring", "--json")[1])] == ["wrapping.md#1"]


def test_lint(cli, place):
    """Each finding names its places; the exit status tells whether there is anything."""
    (place / "corpus" / "again.txt").write_text(
        "Q: How long may I return a parcel?\nA: Within 30 days of delivery.\n", "utf-8"
    )
    cli("sync")
    status, output, _ = cli("lint", "--only", "deadline")
    assert status == 1
    assert output == (
        "deadline: Deadlines contradict each other\n"
        "    Within 30 days  [again#1, again.txt, line 2]\n"
        "    Within 14 days  [shop#1, shop.txt, line 2]\n"
    )
    assert cli("lint", "--only", "deadline", "--lang", "zh-Hant")[1].startswith(
        "deadline: 期限互相矛盾\n"
    )
    (finding,) = json.loads(cli("lint", "--only", "deadline", "--json")[1])
    assert [found["quote"] for found in finding["places"]] == ["Within 30 days", "Within 14 days"]
    assert cli("lint", "--only", "amount") == (0, "Nothing found.\n", "")
    assert cli("lint", "--only", "wit")[0] == 2
    unreached = json.loads(
        cli("lint", "--only", "unreached", "--set", save_questions(place), "--json")[1]
    )
    assert [finding["places"][0]["entry"] for finding in unreached] == [
        "again#1", "shop#2", "wrapping.md#1",
    ]  # fmt: skip


def test_gaps_become_entries(cli, place):
    """A question that was not covered is exported, answered in the table, and answered then."""
    query = "Do you ship to the moon?"
    with KnowledgeBase.open("kb", model=load_once(DEFAULT_MODEL)) as kb:
        answer = kb.ask(query)
        with QueryLog(log_file(Path("kb"))) as log:
            log.record(answer, "en")
    assert answer.status == "not_covered"
    assert cli("gaps")[1] == f"    1  {query}\n"
    assert cli("gaps", "--csv", "gaps.csv")[0] == 0

    with (place / "gaps.csv").open(encoding="utf-8-sig", newline="") as opened:
        header, row = csv.reader(opened)
    row[header.index("answer")] = "No, only to places on earth."
    with (place / "gaps.csv").open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([header, row])
    assert cli("gaps", "--import", "gaps.csv")[1] == (
        "Added 1 entries and 0 other wordings. Now: policy-qa sync --kb kb\n"
    )
    cli("sync")
    status, output, _ = cli("ask", query)
    assert status == 0
    assert "No, only to places on earth." in output
    assert "[answered-questions.csv, row 2" in output
    assert cli("gaps")[1] == "Every question on record is covered, or none is on record.\n"


def test_a_place_that_cannot_be_written(cli):
    """A table of gaps that cannot be written is told of in one line."""
    status, _, messages = cli("gaps", "--csv", "/proc/gaps.csv")
    assert status == 2
    assert messages.startswith("policy-qa: Cannot write /proc/gaps.csv: ")


def test_gaps_become_wordings(cli, place):
    """A gap that an entry answers already is found by its words from then on."""
    header = "question,answer,entry\n"
    (place / "filled.csv").write_text(header + "Kann ich das zurückgeben?,,shop#1\n", "utf-8")
    assert "1 other wordings" in cli("gaps", "--import", "filled.csv")[1]
    assert cli("sync")[1].startswith("~ shop.txt\n~ alternates.csv\n")

    (hit, *_) = json.loads(cli("search", "Kann ich das zurückgeben?", "--json")[1])
    assert hit["entry"]["id"] == "shop#1"
    assert hit["passage"]["text"] == "Kann ich das zurückgeben?"
    assert "Within 14 days" in cli("ask", "Kann ich das zurückgeben?")[1]
    assert cli("ask", "how long may I return a parcel")[0] == 0


@pytest.mark.parametrize("name", ["all.jsonl", "all.xlsx"])
def test_export_and_import(cli, place, name):
    """What was exported answers in another knowledge base as it did."""
    assert cli("export", name)[0] == 0
    status, output, _ = cli("import", name, "--kb", "other")
    assert status == 0
    assert output.startswith("Built generation 1 of other: 2 documents, 4 entries, ")
    asked = ("ask", "who pays the return postage", "--json")
    assert cli(*asked) == cli(*asked, "--kb", "other")
    cli("export", f"again-{name}", "--kb", "other")
    if name.endswith("jsonl"):
        first, again = (
            [json.loads(line) for line in (place / file).read_text("utf-8").splitlines()]
            for file in (name, f"again-{name}")
        )
        assert first[1:-1] == again[1:-1]
    assert cli("export", "all.txt")[0] == 2
    assert cli("import", "corpus/shop.txt", "--kb", "third")[0] == 2


def test_columns_of_ones_own(cli, place):
    """A table with columns of any name is read as an option says."""
    (place / "corpus" / "t.csv").write_text("客戶說,我們說\n能開發票嗎,可以開電子發票。\n", "utf-8")
    names = "question=客戶說,answer=我們說"
    assert cli("build", "corpus", "--columns", names)[0] == 0
    assert "可以開電子發票。" in cli("ask", "能開發票嗎")[1]
    assert "question: 能開發票嗎" in cli("entries", "corpus/t.csv", "--columns", names)[1]
    assert cli("build", "corpus", "--columns", "question")[0] == 2
    assert "no column can be 'colour'" in cli("build", "corpus", "--columns", "colour=我們說")[2]
    (place / "corpus" / "other.csv").write_text("Question,Answer\nIs it open?,Yes.\n", "utf-8")
    assert cli("build", "corpus", "--columns", names)[2] == ""


def test_watch(place):
    """A folder that is followed is looked at when it has come to rest, and only if it changed."""
    seen: list[int] = []
    stop = threading.Event()

    def changed() -> None:
        seen.append(len(list((place / "corpus").iterdir())))
        if len(seen) == 1:
            (place / "corpus" / "new.txt").write_text("Q: May I pay in cash?\nA: Yes.\n", "utf-8")
        else:
            stop.set()

    keeping.watch(Path("corpus"), changed, seconds=0.02, until=stop.is_set)
    assert seen == [2, 3]


def test_entries_have_the_ids_of_the_knowledge_base(cli, place):
    """`entries --kb` names an entry as it is named there, wherever it stands by now."""
    page = place / "corpus" / "shop.txt"
    page.write_text(f"Q: May I pay in cash?\nA: Yes.\n\n{PAGE}", "utf-8")
    assert "shop#1  (lines 1-2)" in cli("entries", "corpus")[1]
    told = cli("entries", "corpus", "--kb", "kb")[1]
    assert "shop#4  (lines 1-2)" in told
    assert "shop#1  (lines 4-5)" in told
    cli("sync")
    assert cli("entries", "corpus", "--kb", "kb")[1] == told


def test_wordings_whose_entry_is_gone_are_told(cli, place):
    """A file that is renamed leaves its wordings behind, which sync says."""
    (place / "corpus" / "alternates.csv").write_text("entry,question\nshop#1,zurück?\n", "utf-8")
    assert cli("sync")[2] == ""
    (place / "corpus" / "shop.txt").rename(place / "corpus" / "store.txt")
    assert "alternates.csv names entries that are not there: shop#1." in cli("sync")[2]


def test_damage_to_what_one_could_go_back_to(cli, place):
    """`info --check` reads the older generations, too; a build makes lost ones anew."""
    cli("build", "corpus")
    file = place / "kb" / "generations" / "1" / "centres.npz"
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[::-1])
    assert cli("info")[0] == 0
    status, _, message = cli("info", "--check")
    assert status == 2
    assert "1/centres.npz is damaged" in message
    shutil.rmtree(place / "kb" / "generations")
    assert "policy-qa build" in cli("repair")[2]
    assert cli("build", "corpus")[0] == 0
    assert cli("info", "--check")[1].endswith("Every file is whole.\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("expiring", "--within", "99999999999"), "give a whole number of days"),
        (("expiring", "--within", "-5"), "give a whole number of days"),
        (("gaps", "--csv", "a.xlsx"), "a.xlsx is no .csv"),
        (("gaps", "--log", "typo.sqlite"), "There is no log typo.sqlite"),
        (("import", "all.jsonl", "--corpus", "nowhere"), "The corpus nowhere does not exist"),
    ],
)
def test_options_that_mean_nothing(cli, arguments, told):
    """What cannot be meant is refused in a line."""
    cli("export", "all.jsonl")
    status, _, message = cli(*arguments)
    assert status == 2
    assert told in message
