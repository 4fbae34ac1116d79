"""The indexes of a generation, opened where they stand."""

from pathlib import Path

from policy_qa.index_protocols import Indexes
from policy_qa.lexical import LexicalIndex
from policy_qa.reindexing import open_dense
from policy_qa.storage import (
    ENTRY_LEXICAL_FOLDER,
    LEXICAL_FOLDER,
    Manifest,
)
from policy_qa.store import Store


def open_indexes(manifest: Manifest, folder: Path, store: Store) -> Indexes:
    """Open the indexes of a generation.

    Args:
        manifest: Of the generation.
        folder: Where it stands.
        store: Of the generation.

    Raises:
        EngineError: If they stand at an engine that cannot be used.
    """
    if manifest.engine:
        from policy_qa.engines.indexes import open_indexes  # noqa: PLC0415 (few have one)

        return open_indexes(manifest, folder)
    return Indexes(
        open_dense(folder, manifest.index, store.gone()[1]),
        LexicalIndex.open(folder / LEXICAL_FOLDER),
        LexicalIndex.open(folder / ENTRY_LEXICAL_FOLDER),
    )
