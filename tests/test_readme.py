"""What the README says is so."""

import re
import shlex
from pathlib import Path

import pytest

from policy_qa.cli import _parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_example(seed_kb, tmp_path, monkeypatch):
    """The example in Python runs as it stands, beside the corpus."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    (tmp_path / "kb").symlink_to(seed_kb)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["answer"].status == "answered"
    names["kb"].close()


COMMANDS = [
    shlex.split(line.split("#")[0])[1:]
    for line in README.splitlines()
    if re.match(r"policy-qa [a-z]+ [^C]", line)
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_commands(arguments):
    """Every command of the README is one that the command line takes."""
    assert _parser().parse_args(arguments).run


def test_links_lead_somewhere():
    """Every file that the README links to is there, and nothing is left to fill in."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert "@@" not in README
