"""The indexes of a generation, opened where they stand."""

from pathlib import Path

from policy_qa.dense import DenseIndex
from policy_qa.index_protocols import Indexes
from policy_qa.lexical import LexicalIndex
from policy_qa.storage import (
    CHANGES_DENSE_FILE,
    DENSE_FILE,
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
        _open_dense(folder, store),
        LexicalIndex.open(folder / LEXICAL_FOLDER),
        LexicalIndex.open(folder / ENTRY_LEXICAL_FOLDER),
    )


def _open_dense(folder: Path, store: Store) -> DenseIndex:
    later = folder / CHANGES_DENSE_FILE
    if not later.exists():
        return DenseIndex.open(folder / DENSE_FILE)
    return DenseIndex.open(folder / DENSE_FILE, later, store.gone()[1])
