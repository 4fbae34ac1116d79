"""What SECURITY.md names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/test_\w+\.py)(?:::(test_\w+))?`", SECURITY)))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=str)
def test_every_promise_has_its_test(file, test):
    """Each test that stands for a promise is one that there is."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert tests
    assert not test or test in tests


def test_the_attacks_and_surfaces_are_counted():
    """The numbers of attacks and surfaces are those of the table."""
    from test_hostile import ATTACKS, SURFACES

    assert f"each of {len(ATTACKS)} attacks" in SECURITY
    assert f"each of {len(SURFACES)} surfaces" in SECURITY
    named = re.findall(r"^\| ([a-z_, ]+) \| [^|]+ \|$", SECURITY, re.MULTILINE)
    rows = {name.strip() for row in named for name in row.split(",")}
    assert {surface.__name__ for surface in SURFACES} <= rows
