"""Making a generation current, and removing at the engine what only older ones needed."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from policy_qa import storage
from policy_qa.errors import EngineError, KnowledgeBaseError
from policy_qa.settings import GENERATIONS_KEPT
from policy_qa.storage import Manifest, generation_numbers, read_manifest


def publish(path: Path, folder: Path, manifest: Manifest, keep: int = GENERATIONS_KEPT) -> Manifest:
    """Make a finished generation current, as `storage.publish` does, and tidy the engines.

    An engine that does not answer now is tidied the next time.

    Args:
        path: The knowledge base.
        folder: The unfinished folder of the generation.
        manifest: Its manifest, `files` empty.
        keep: How many generations stay, this one included.

    Returns:
        The manifest with its files.
    """
    before = _on_engines(path)
    published = storage.publish(path, folder, manifest, keep)
    after = _on_engines(path)
    for url in sorted({one.engine for one in (*before, *after)}):
        with contextlib.suppress(EngineError):
            tidy(path, url, after)
    return published


def tidy(path: Path, url: str, there: Iterable[Manifest]) -> None:
    """Remove the collections and the rows at an engine that no generation needs.

    Args:
        path: The knowledge base that they are of.
        url: Of the engine.
        there: The manifests of the generations that are on disk and stand at engines.

    Raises:
        EngineError: If the engine fails.
    """
    from policy_qa.engines.address import common_name  # noqa: PLC0415
    from policy_qa.engines.collections import View  # noqa: PLC0415 (few have an engine)
    from policy_qa.engines.connection import Connection  # noqa: PLC0415

    needed: dict[str, int] = {}
    for manifest in there:
        if manifest.engine == url:
            oldest = needed.get(manifest.collection, manifest.as_of)
            needed[manifest.collection] = min(oldest, manifest.as_of)
    connection = Connection(url)
    try:
        for name in connection.call("list_collections"):
            if name.startswith(f"{common_name(path)}_"):
                base = name.rpartition("_")[0]
                if base not in needed:
                    connection.call("drop_collection", name)
        for base, oldest in needed.items():
            for kind in ("passages", "entries"):
                View(connection, kind, base, oldest).call("delete", filter=f"until <= {oldest}")
    finally:
        connection.close()


def _on_engines(path: Path) -> list[Manifest]:
    """Return the manifests of the generations whose indexes stand at an engine."""
    found = []
    for number in generation_numbers(path):
        with contextlib.suppress(KnowledgeBaseError):
            manifest = read_manifest(path, number)
            if manifest.engine:
                found.append(manifest)
    return found
