"""Fixtures that several test files share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from policy_qa import KnowledgeBase

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

SEED = Path(__file__).parents[1] / "corpus" / "taobao-after-sales.txt"


@pytest.fixture(scope="session")
def seed_kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the place of a knowledge base of the seed, made with the default encoder."""
    path = tmp_path_factory.mktemp("seed") / "kb"
    KnowledgeBase.build(SEED, path).close()
    return path


@pytest.fixture(scope="session")
def seed(seed_kb: Path) -> Iterator[KnowledgeBase]:
    """Open the knowledge base of the seed."""
    with KnowledgeBase.open(seed_kb) as knowledge_base:
        yield knowledge_base
