"""The command line's words about the coarse index: which kind, and how much it finds."""

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_qa.cli_options import add_index, add_keep

if TYPE_CHECKING:
    from policy_qa.storage import Manifest


def add_reindex_options(command: argparse.ArgumentParser) -> None:
    """Add what `policy-qa reindex` takes."""
    add_index(command, "auto")
    add_keep(command)


def reindex(
    options: argparse.Namespace,
    progress: Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]],
    print_json: Callable[[Any], None],
) -> None:
    """Do `policy-qa reindex`."""
    from policy_qa.reindexing import reindex as make  # noqa: PLC0415 (a quick --help needs nothing)

    with progress("Indexing") as told:
        manifest = make(options.kb, options.index, options.keep, told)
    if options.json:
        print_json({"generation": manifest.generation, "index": manifest.index})
    else:
        print(
            f"Generation {manifest.generation} is current: {manifest.passages} passages, "
            f"index {manifest.index}."
        )


def checked(path: Path, manifest: "Manifest") -> dict[str, Any]:
    """Return what the coarse index of a generation finds, for `policy-qa info --check`."""
    from policy_qa.reindexing import open_dense, recall  # noqa: PLC0415
    from policy_qa.storage import CHANGES_FILE, STORE_FILE, generation_folder  # noqa: PLC0415
    from policy_qa.store import Store  # noqa: PLC0415

    folder = generation_folder(path, manifest.generation)
    with closing(Store(folder / STORE_FILE, folder / CHANGES_FILE)) as store:
        _, gone = store.gone()
    found = recall(open_dense(folder, manifest.index, gone))
    return {"recall@10": round(found.share, 4), "recall": asdict(found)}
