"""Making a generation current, and removing at the engine what only older ones needed."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from policy_qa import storage
from policy_qa.engines.owned import forget, on_engines, owned
from policy_qa.engines.vocabulary import KINDS
from policy_qa.errors import EngineError, InputError, KnowledgeBaseError
from policy_qa.settings import GENERATIONS_KEPT
from policy_qa.storage import Manifest


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
    published = storage.publish(path, folder, manifest, keep)
    with contextlib.suppress(KnowledgeBaseError, OSError):  # it is current, whatever is left
        there = on_engines(path)
        found = owned(path)
        for url in sorted({url for url, _ in found.made} if found else ()):
            with contextlib.suppress(EngineError, InputError):
                tidy(path, url, there)
    return published


def tidy(path: Path, url: str, there: Iterable[Manifest]) -> None:
    """Remove the collections and the rows at an engine that no generation needs.

    Only what this knowledge base has made is touched.

    Args:
        path: The knowledge base that they are of.
        url: Of the engine.
        there: The manifests of the generations that are on disk and stand at engines.

    Raises:
        CorruptionError: If nobody can tell what this knowledge base has made.
        EngineError: If the engine fails.
    """
    from policy_qa.engines.collections import View  # noqa: PLC0415 (few have an engine)
    from policy_qa.engines.connection import Connection  # noqa: PLC0415

    found = owned(path)
    if found is None:
        return
    needed: dict[str, int] = {}
    for manifest in there:
        if manifest.engine == url and found.has(manifest.collection):
            oldest = needed.get(manifest.collection, manifest.as_of)
            needed[manifest.collection] = min(oldest, manifest.as_of)
    unneeded = [base for at, base in found.made if at == url and base not in needed]
    connection = Connection(url)
    try:
        names = {*connection.call("list_collections")}
        for base in unneeded:
            for kind in KINDS:
                if f"{base}_{kind}" in names:
                    connection.call("drop_collection", f"{base}_{kind}")
        forget(path, url, unneeded)
        for base, oldest in needed.items():
            for kind in KINDS:
                View(connection, kind, base, oldest).call("delete", filter=f"until <= {oldest}")
    finally:
        connection.close()
