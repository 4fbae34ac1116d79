"""Where an engine is, and where a generation's rows go there."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_qa.engines.owned import new_base
from policy_qa.errors import InputError
from policy_qa.storage import Manifest

EMBEDDED = "embedded"
"""Says in place of an address that the indexes are to stand in the knowledge base's own folder."""

_ADDRESS = re.compile(r"https?://[^\s/@?#]+(/\w+)?/?")


def checked(engine: str) -> str:
    """Return the address of an engine without a `/` at its end; empty for `EMBEDDED`.

    Raises:
        InputError: If it is none.
    """
    if engine in {"", EMBEDDED}:
        return ""
    if not _ADDRESS.fullmatch(engine):
        shown = re.sub(r"//[^/]*@", "//…@", engine)
        raise InputError(
            f"{shown!r} is no address of an engine. Give one such as http://127.0.0.1:19530, or "
            f"{EMBEDDED}; a token stands in the variable POLICY_QA_ENGINE_TOKEN, never here."
        )
    return engine.rstrip("/")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a generation's rows go.

    Attributes:
        url: Of the engine.
        base: What the names of the collections begin with.
        generation: Which the rows come with.
        folder: The generation's unfinished folder.
        dim: Components of a vector.
        before: The generation there that this one changes; None if the collections are new.
    """

    url: str
    base: str
    generation: int
    folder: Path
    dim: int
    before: int | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What the generation's manifest says of it."""
        return {"engine": self.url, "collection": self.base, "as_of": self.generation}


def target(
    path: Path,
    folder: Path,
    url: str,
    generation: int,
    *,
    dim: int,
    changed: Manifest | None = None,
) -> Target | None:
    """Return where a generation's rows go; None if to no engine.

    Args:
        path: The knowledge base.
        folder: The generation's unfinished folder.
        url: Of the engine; empty for none.
        generation: Its number.
        dim: Components of a vector.
        changed: The manifest of the generation there that is changed; None if all is written.

    Raises:
        CorruptionError: If nobody can tell what the knowledge base has made at engines.
    """
    if not url:
        return None
    if changed:
        return Target(url, changed.collection, generation, folder, dim, changed.as_of)
    return Target(url, new_base(path, url, generation), generation, folder, dim)
