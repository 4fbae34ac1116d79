"""The command line, called as a function and as a process."""

import argparse
import json
import os
import subprocess
import sys
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from fakes import LetterEncoder, build
from jsonschema import Draft202012Validator

from policy_qa.cli import _parser, main
from policy_qa.encoders import load_encoder
from policy_qa.labels import LABELS
from policy_qa.output import answer_schema
from policy_qa.storage import generation_folder, writing

CORPUS = Path(__file__).parents[1] / "corpus"
COMMANDS = ("build", "ask", "search", "entries", "eval", "calibrate", "info")
KEEPING = (
    "sync", "publish", "history", "diff", "rollback",
    "lint", "expiring", "gaps", "export", "import",
)  # fmt: skip
"""The commands of `test_cli_keeping`."""


load_once = cache(load_encoder)
"""Reading the model takes far longer than any command; the processes below read it themselves."""


@pytest.fixture
def cli(capsys, monkeypatch, seed_kb):
    """Run a command on the seed's knowledge base; return (status, output, messages)."""
    monkeypatch.setenv("POLICY_QA_KB", str(seed_kb))
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", load_once)

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        return status, *capsys.readouterr()

    return run


def process(
    *arguments: object, env: dict[str, str] | None = None, **options
) -> subprocess.CompletedProcess:
    """Run a command in a new process."""
    command = [sys.executable, "-m", "policy_qa", *map(str, arguments)]
    environment = os.environ | {"PYTHONUNBUFFERED": ""} | (env or {})  # as users have it
    return subprocess.run(command, check=False, text=True, timeout=60, env=environment, **options)


def failed(result: tuple[int, str, str]) -> str:
    """Return the message of a command that failed as it should: in one line."""
    status, output, messages = result
    assert (status, output) == (2, "")
    assert messages.startswith("policy-qa: ")
    assert messages.count("\n") == 1
    assert "Traceback" not in messages
    return messages.removeprefix("policy-qa: ").rstrip("\n")


def test_ask(cli):
    """An answered question exits with 0 and prints the quote with its place."""
    status, output, messages = cli("ask", "72小時不發貨")
    assert (status, messages) == (0, "")
    assert "超過72小時不發貨的,買家有可能會在退款後" in output
    assert "[taobao-after-sales.txt 第 6 行, 317-363]" in output


def test_ask_what_is_not_covered(cli):
    """A question that is not covered exits with 1 and shows the nearest entries."""
    status, output, messages = cli("ask", "今天天氣如何")
    assert (status, messages) == (1, "")
    assert output.startswith("知識庫沒有涵蓋 (")
    assert "您是不是想問:" in output
    status, output, messages = cli("ask", "How is the weather today?")
    assert (status, messages) == (1, "")
    assert output.startswith("Not covered (")
    assert "Did you mean:" in output


def test_ask_joins_its_words(cli):
    """A question need not be quoted for the shell."""
    one = cli("ask", "who pays the postage", "--json")
    assert one == cli("ask", "who", "pays", "the", "postage", "--json")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "快遞丟件怎麼處理"),
        ("ask", "今天天氣如何"),
        ("search", "快遞丟件"),
        ("search", "快遞", "--top-k", "2", "--document", "taobao-after-sales.txt"),
        ("entries", CORPUS),
        ("info",),
        ("info", "--check"),
    ],
    ids=lambda arguments: " ".join(str(argument)[-12:] for argument in arguments),
)
def test_json(cli, arguments):
    """With --json, standard output is JSON and nothing else, with the letters as they are."""
    status, output, messages = cli(*arguments, "--json")
    assert status in (0, 1)
    assert messages == ""
    json.loads(output)
    assert "\\u" not in output


def test_json_of_an_answer(cli):
    """The JSON of an answer has its quotes with offsets into the document."""
    fields = json.loads(cli("ask", "快遞丟件怎麼處理", "--json")[1])
    text = (CORPUS / "taobao-after-sales.txt").read_text(encoding="utf-8")
    assert fields["status"] == "answered"
    assert fields["entry"]["id"] == "taobao-after-sales#3"
    assert fields["conclusion"]
    for quote in fields["conclusion"]:
        assert text[quote["start"] : quote["end"]] == quote["quote"]
        assert text.split("\n")[quote["line"] - 1].count(quote["quote"]) == 1


ANSWER = Draft202012Validator(answer_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize(
    "query",
    [
        "快遞丟件怎麼處理",
        "72小时不发货",
        "拍錯對買家有影響嗎",
        "淘寶網單日交易額峰值",
        "補償金額多少",
        "who pays the postage",
        "tuikuan",
        "今天天氣如何",
    ],
)
@pytest.mark.parametrize(
    "more",
    [(), ("--reading", "zh-Hant", "--all"), ("--reading", "zh-Hans")],
    ids=["plain", "reading-all", "reading"],
)
def test_json_is_as_its_schema_says(cli, query, more):
    """What `ask --json` prints is described by the schema, whatever the answer."""
    ANSWER.validate(json.loads(cli("ask", query, "--json", *more)[1]))


def test_markdown(cli):
    """With --markdown the quote is a block quote, and its place stands below it."""
    status, output, messages = cli("ask", "72小時不發貨", "--markdown")
    assert (status, messages) == (0, "")
    assert output.startswith("**已有答案** (把握 ")
    assert "\n> 如果一直不發貨的話,超過72小時不發貨的" in output
    assert "\n> — taobao\\-after\\-sales\\.txt 第 6 行\n" in output


def test_chat(cli):
    """With --chat there is the quote and its place, to paste elsewhere."""
    status, output, messages = cli("ask", "72小時不發貨", "--chat")
    assert (status, messages) == (0, "")
    quote, place = output.splitlines()
    assert quote.startswith("如果一直不發貨的話,超過72小時不發貨的")
    assert place == "(taobao-after-sales.txt 第 6 行)"
    assert cli("ask", "今天天氣如何", "--chat") == (1, "知識庫沒有涵蓋\n", "")


@pytest.mark.parametrize("one", ["--json", "--markdown", "--chat"])
@pytest.mark.parametrize("other", ["--json", "--markdown", "--chat"])
def test_one_form_at_a_time(cli, one, other):
    """Two forms of the same answer cannot be asked for."""
    status, output, messages = cli("ask", "72小時不發貨", one, other)
    if one == other:
        assert (status, messages) == (0, "")
        return
    assert (status, output) == (2, "")
    assert messages.startswith("usage: policy-qa ask")
    assert f"argument {other}: not allowed with argument {one}" in messages


@pytest.mark.parametrize("language", LABELS)
@pytest.mark.parametrize("form", [(), ("--markdown",), ("--chat",)], ids=str)
def test_labels_in_the_language_asked_for(cli, language, form):
    """--lang decides the language of the labels, in every form."""
    labels = LABELS[language]
    output = cli("ask", "72小時不發貨", "--lang", language, *form)[1]
    place = labels.cited.format(document="taobao-after-sales.txt", line=6)
    assert place in output.replace("\\", "")
    assert labels.answered in output or form == ("--chat",)
    others = {other.answered for other in LABELS.values()} - {labels.answered}
    assert not any(other in output for other in others)


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("72小時不發貨", "zh-Hant"),
        ("72小时不发货", "zh-Hans"),
        ("is there an effect on the shop", "en"),
    ],
)
def test_labels_in_the_language_of_the_question(cli, query, language):
    """Without --lang the labels are in the question's own language and script."""
    output = cli("ask", query)[1]
    labels = LABELS[language]
    assert output.startswith((f"{labels.answered} (", f"{labels.related} ("))
    assert f"\n{labels.others}:\n" in output


def test_an_unknown_language(cli):
    """A language without labels is a mistake of use."""
    status, output, messages = cli("ask", "退款", "--lang", "fr")
    assert (status, output) == (2, "")
    assert "invalid choice: 'fr'" in messages


def test_readings(cli):
    """With --reading a quote in the other script is also given in the one asked for."""
    converted = "如果一直不发货的话,超过72小时不发货的"
    assert converted not in cli("ask", "72小时不发货")[1]
    for form in ((), ("--markdown",), ("--chat",)):
        output = cli("ask", "72小时不发货", "--reading", "zh-Hans", *form)[1]
        assert output.index("如果一直不發貨的話") < output.index(converted)
        for options in ((), ("--lang", "en"), ("--lang", "zh-Hans")):
            without = cli("ask", "72小時不發貨", *form, *options)
            assert cli("ask", "72小時不發貨", "--reading", "zh-Hant", *form, *options) == without
            read = cli("ask", "72小時不發貨", "--reading", "zh-Hans", *form, *options)[1]
            assert converted in read
    fields = json.loads(cli("ask", "72小时不发货", "--reading", "zh-Hans", "--json")[1])
    assert fields["conclusion"][0]["reading"].startswith(converted)


@pytest.mark.parametrize("arguments", [("--reading",), ("--reading", "en"), ("--reading", "fr")])
def test_readings_are_in_a_chinese_script(cli, arguments):
    """--reading names one of the two scripts; English has no reading."""
    status, output, messages = cli("ask", "72小時不發貨", *arguments)
    assert (status, output) == (2, "")
    assert messages.startswith("usage: policy-qa ask")
    assert "argument --reading: " in messages


@pytest.mark.parametrize("form", [(), ("--markdown",), ("--chat",)], ids=str)
def test_pinyin_is_told(cli, form):
    """Every form tells in which characters a query in pinyin was read."""
    output = cli("ask", "tuikuan", "--lang", "en", *form)[1]
    assert "Pinyin read as: 退款" in output.replace("\\", "")
    assert "Pinyin" not in cli("ask", "退款", "--lang", "en", *form)[1]


def test_every_point_of_the_entry(cli):
    """With --all the rule card has every point of the entry, not only what bears on the query."""
    query = "快遞丟件怎麼處理"
    some = json.loads(cli("ask", query, "--json")[1])
    every = json.loads(cli("ask", query, "--json", "--all")[1])
    for field, facts in some["fields"].items():
        assert {fact["quote"] for fact in facts} <= {f["quote"] for f in every["fields"][field]}
    assert "10元以內" in [fact["quote"] for fact in every["fields"]["amounts"]]
    assert some["fields"]["amounts"] == []
    assert {**some, "fields": None} == {**every, "fields": None}
    assert "10元以內" in cli("ask", query, "--all")[1]
    assert cli("ask", "今天天氣如何", "--all") == cli("ask", "今天天氣如何")


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": ""}, False),
        (True, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
    ids=str,
)
def test_colours(cli, monkeypatch, terminal, environment, coloured):
    """A terminal gets colours unless NO_COLOR is set; anything else only with FORCE_COLOR."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    for query in ("72小時不發貨", "今天天氣如何"):
        assert ("\x1b[1;3" in cli("ask", query)[1]) == coloured
        for form in ("--json", "--markdown", "--chat"):
            assert "\x1b" not in cli("ask", query, form)[1]


def test_search(cli):
    """A search prints as many entries as asked for, best first."""
    status, output, _ = cli("search", "快遞丟件怎麼處理", "--top-k", 2)
    assert status == 0
    assert output.startswith("1. ")
    assert "taobao-after-sales#3" in output.splitlines()[0]
    assert [line[:3] for line in output.splitlines()][::2] == ["1. ", "2. "]


def test_search_explained(cli):
    """With --explain each entry has its scores, and the words that it holds in other words."""
    output = cli("search", "refund", "--explain", "--top-k", 7)[1]
    assert output.count("  across 1.000") == 7
    assert "     refund = 退款  (general_lexicon.txt:" in output
    assert "refund = refund" not in output
    hits = json.loads(cli("search", "refund", "--explain", "--top-k", 7, "--json")[1])
    matches = [match for hit in hits for match in hit["matches"]]
    assert {match["word"] for match in matches} == {"refund"}
    assert all(match["term"] != "refund" for match in matches)
    plain = json.loads(cli("search", "refund", "--top-k", 7, "--json")[1])
    assert [{**hit, "matches": None} for hit in plain] == [{**hit, "matches": None} for hit in hits]


def test_entries(cli):
    """The entries of the seed are its seven questions with their lines."""
    fields = json.loads(cli("entries", CORPUS, "--json")[1])
    assert [entry["id"] for entry in fields] == [f"taobao-after-sales#{n}" for n in range(1, 8)]
    assert fields[0]["first_line"] == 1
    assert fields[1]["question"] == "淘寶買家拍錯了,聯系不上,讓退款也不退款,不發貨會怎樣"


def test_info(cli, seed_kb):
    """The description of a knowledge base counts what it holds."""
    fields = json.loads(cli("info", "--json")[1])
    assert fields["path"] == str(seed_kb)
    assert (fields["documents"], fields["entries"]) == (1, 7)
    assert fields["bytes"] > 100_000


def test_info_needs_no_encoder(cli, tmp_path, monkeypatch):
    """A knowledge base is described without its model, and whatever texts are folded like now."""
    path = tmp_path / "kb"
    build(path).close()
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: pytest.fail("loaded"))
    monkeypatch.setattr("policy_qa.build.TEXT_VERSION", 99)
    assert json.loads(cli("info", "--kb", path, "--json")[1])["encoder"] == "letters-1"


def test_info_reads_whole_files_only_with_check(cli, tmp_path, monkeypatch):
    """What was found whole once is read again only with --check."""
    path = tmp_path / "kb"
    build(path).close()
    assert cli("info", "--kb", path)[0] == 0
    monkeypatch.setattr("policy_qa.storage._is_whole", lambda *_: False)
    assert cli("info", "--kb", path)[0] == 0
    assert "is damaged: its contents changed" in failed(cli("info", "--kb", path, "--check"))


def test_info_is_harmless_on_a_terminal(cli, tmp_path, monkeypatch):
    """The name of a corpus cannot steer the terminal, as text or as JSON."""
    corpus = tmp_path / "c\x1b[2J\x9b31m\u202e退\nd.txt"
    corpus.write_text("1. Why me?\nBecause of you and nobody else.\n", encoding="utf-8")
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())
    path = tmp_path / "kb"
    assert cli("build", corpus, "--kb", path)[0] == 0
    text = cli("info", "--kb", path)[1]
    assert {c for c in text if unicodedata.category(c) in ("Cc", "Cf")} == {"\n"}
    assert "\ufffd[2J\ufffd31m\ufffd退 d.txt" in text
    written = cli("info", "--kb", path, "--json")[1]
    assert {c for c in written if unicodedata.category(c) in ("Cc", "Cf")} == {"\n"}
    assert "\\u001b[2J\\u009b31m\\u202e退\\nd.txt" in written
    assert json.loads(written)["corpus"] == str(corpus)


def test_build(cli, tmp_path):
    """A build says what it made; with --json it says it in JSON."""
    status, output, messages = cli("build", CORPUS, "--kb", tmp_path / "kb")
    assert (status, messages) == (0, "")
    assert output.startswith(f"Built generation 1 of {tmp_path / 'kb'}: 1 documents, 7 entries, ")
    fields = json.loads(cli("build", CORPUS, "--kb", tmp_path / "kb", "--json")[1])
    assert fields["generation"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ask", ""), "The query is empty. Type a question."),
        (("ask", "退" * 100_000), "The query has 100,000 characters; the limit is 2,000. Shorten"),
        (("ask", "？！"), "The query has no letter and no digit. Type a question in words."),
        (("ask", "\udcff"), "The query has no letter and no digit. Type a question in words."),
        (("search", "退款", "--top-k", 0), "top_k is 0; give a whole number, 1 or more."),
        (("ask", "退款", "--tag", "a\x1bb"), "There is no tag 'a\\x1bb'. There are, for example"),
        (
            ("ask", "退款", "--kb", "no/kb"),
            "There is no knowledge base at no/kb. Make one: policy-",
        ),
        (("ask", "退款", "--model", "./none"), "Cannot load the model './none': there is no such"),
        (("build", "no/corpus"), "The corpus no/corpus does not exist. Give the folder or file"),
        (("build", CORPUS, "--model", "/none"), "Cannot load the model '/none': there is no such"),
        (("build", CORPUS, "--kb", CORPUS), f"{CORPUS} holds other files and is no knowledge bas"),
        (("build", CORPUS, "--kb", __file__), f"{__file__} is a file. Give a folder with --kb."),
        (("entries", "no/corpus"), "The corpus no/corpus does not exist. Give the folder or file"),
    ],
    ids=lambda value: " ".join(str(part)[-9:] for part in value) if type(value) is tuple else "",
)
def test_bad_input(cli, arguments, message):
    """A mistake is one line on standard error, exit status 2, and changes nothing."""
    assert failed(cli(*arguments)).startswith(message)
    assert cli("info", "--check")[0] == 0


def test_bad_knowledge_bases(cli, tmp_path):
    """A damaged, locked or foreign knowledge base is one line and exit status 2."""
    path = tmp_path / "kb"
    build(path).close()
    assert "of a program, which has no name" in failed(cli("ask", "Who?", "--kb", path))
    with writing(path):
        assert "Another process is writing" in failed(cli("build", CORPUS, "--kb", path))
    store = generation_folder(path, 1) / "store.sqlite"
    store.write_bytes(store.read_bytes()[:-1])
    assert failed(cli("info", "--kb", path)).startswith(f"{store} is damaged: it has ")
    store.unlink()
    assert failed(cli("info", "--kb", path)).startswith(f"{store} is missing. Build it again: ")


@pytest.mark.parametrize(
    "arguments", [(), ("nonsense",), ("ask",), ("search", "x", "--top-k", "x"), ("ask", "--x", "y")]
)
def test_usage(cli, arguments):
    """A wrong use exits with 2, prints the usage and nothing on standard output."""
    status, output, messages = cli(*arguments)
    assert (status, output) == (2, "")
    assert messages.startswith("usage: policy-qa")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli, command):
    """Every command, and every option and argument of it, says what it does."""
    assert cli(command, "--help")[0] == 0
    (commands,) = (a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert command in {choice.dest for choice in commands._choices_actions if choice.help}
    actions = commands.choices[command]._actions
    assert "--json" in [option for action in actions for option in action.option_strings]
    assert [action.dest for action in actions if not action.help] == []


def test_help_lists_every_command(cli):
    """The help of the program lists the commands that are tested and no other."""
    lines = cli("--help")[1].split("COMMAND")[-1].splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "]
    assert tuple(listed) == (*COMMANDS, *KEEPING)


def test_an_unexpected_error(cli, monkeypatch):
    """An error that nobody foresaw is one line too, with the way to see more."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError("of\nall things\x1b[31m")

    monkeypatch.setattr("policy_qa.knowledge_base.read_manifest", fails)
    message = failed(cli("ask", "退款"))
    assert "did not expect: ZeroDivisionError: of all things" in message
    assert "POLICY_QA_DEBUG=1" in message
    assert "\x1b" not in message
    monkeypatch.setenv("POLICY_QA_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["ask", "退款"])


def test_an_interrupt(cli, monkeypatch):
    """Control-C is one line and exit status 130."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("policy_qa.knowledge_base.read_manifest", interrupted)
    status, output, messages = cli("ask", "退款")
    assert (status, output) == (130, "")
    assert messages == "policy-qa: Interrupted; what was there is untouched.\n"


def test_as_a_module(seed_kb):
    """`python -m policy_qa` is the same program, quiet but for the answer."""
    result = process("ask", "72小時不發貨", "--kb", seed_kb, "--json", capture_output=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["status"] == "answered"
    result = process("ask", "今天天氣如何", "--kb", seed_kb, capture_output=True)
    assert (result.returncode, result.stderr) == (1, "")
    result = process("ask", "!", "--kb", seed_kb, capture_output=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "policy-qa: The query has no letter and no digit. Type a question in words.\n"
    )


def test_an_argument_that_is_not_text(seed_kb):
    """A query with bytes that are not UTF-8 is answered by the rest of it."""
    query = os.fsdecode("退款".encode() + b"\xc3\xff")
    result = process("ask", query, "--kb", seed_kb, "--json", capture_output=True)
    assert (result.returncode in (0, 1), result.stderr) == (True, "")
    assert json.loads(result.stdout)["query"] == "退款??"


def test_ascii_output(seed_kb):
    """Where the terminal knows ASCII only, JSON keeps every letter as an escape."""
    result = process(
        *("ask", "72小時不發貨", "--kb", seed_kb, "--json"),
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "超過72小時" in json.loads(result.stdout)["conclusion"][0]["quote"]


def test_a_reader_that_leaves(seed_kb):
    """A closed pipe ends the program without a word."""
    reading, writing_end = os.pipe()
    os.close(reading)
    with os.fdopen(writing_end, "w") as pipe:
        result = process("entries", CORPUS, stdout=pipe, stderr=subprocess.PIPE)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_to_a_full_disk():
    """A result that cannot be written is one line and exit status 2."""
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 (a device)
        result = process("entries", CORPUS, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 2
    assert result.stderr == (
        "policy-qa: Cannot write the result: the disk is full. Make room and try again.\n"
    )


def test_a_document_with_control_characters(cli, tmp_path, monkeypatch):
    """What is built from a hostile document is printed harmlessly by every command."""
    corpus = tmp_path / "evil.txt"
    corpus.write_bytes(
        b"1. Why \x1b[2Jme?\r\nBecause \x1b]0;of you and of nobody else here.\r\n" * 5
    )
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())
    kb = tmp_path / "kb"
    assert cli("build", corpus, "--kb", kb)[0] == 0
    commands = [("ask", "Why me?", *form) for form in ((), ("--markdown",), ("--chat",))]
    for command in (*commands, ("search", "Why me?")):
        status, output, _ = cli(*command, "--kb", kb, "--model", "letters")
        assert status in (0, 1)
        assert "\ufffd" in output
        assert "\x1b" not in output
    assert "\x1b" not in cli("entries", corpus)[1]


def test_a_bar_on_a_terminal(monkeypatch, capsys, tmp_path):
    """A build shows its progress on a terminal, on standard error."""
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["build", str(CORPUS), "--kb", str(tmp_path / "kb")]) == 0
    output, messages = capsys.readouterr()
    assert output.startswith("Built generation 1")
    assert "Encoding: 0 passages" in messages


def test_entries_checks_the_lexicon(tmp_path, capsys):
    """A lexicon that a build would refuse is refused where one checks the corpus."""
    (tmp_path / "a.txt").write_text("Who?\nYou.", encoding="utf-8")
    (tmp_path / "lexicon.txt").write_text("refund\n", encoding="utf-8")
    assert main(["entries", str(tmp_path)]) == 2
    assert "lexicon.txt:1: no rule of a lexicon" in capsys.readouterr().err
