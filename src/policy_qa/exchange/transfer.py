"""A knowledge base to a file, and a file to a knowledge base."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from policy_qa.build import Made, build_generation
from policy_qa.encoders import DEFAULT_MODEL, load_encoder
from policy_qa.errors import InputError
from policy_qa.exchange.jsonl import export_jsonl
from policy_qa.exchange.reading import read_export
from policy_qa.exchange.workbook import export_workbook
from policy_qa.indexing import Progress
from policy_qa.keeping import open_store
from policy_qa.knowledge_base import check_index, lasting_name
from policy_qa.settings import GENERATIONS_KEPT
from policy_qa.storage import Manifest
from policy_qa.store import Store

_FORMS: Final[Mapping[str, Callable[[Manifest, Store, Path], None]]] = {
    ".jsonl": export_jsonl,
    ".xlsx": export_workbook,
}


def export_knowledge_base(path: Path, file: Path) -> Manifest:
    """Write the current generation to a file; its indexes, which may be at an engine, are not read.

    Args:
        path: The knowledge base.
        file: Replaced if it is there; its name ends with `.jsonl` or `.xlsx`.

    Raises:
        InputError: If the name ends otherwise, or there is more than a workbook can hold.
        KnowledgeBaseError: If the knowledge base cannot be read.
        StorageError: If the disk is full or refuses; what stood there is left as it was.
    """
    write = _FORMS.get(file.suffix.lower())
    if write is None:
        raise InputError(f"{file} is neither .jsonl nor .xlsx. Name it so.")
    manifest, store = open_store(path)
    with closing(store):
        write(manifest, store, file)
    return manifest


def import_knowledge_base(
    file: Path,
    path: Path,
    *,
    corpus: Path | None = None,
    model: str | None = None,
    index: str | None = None,
    engine: str | None = None,
    keep: int = GENERATIONS_KEPT,
    progress: Progress | None = None,
) -> Manifest:
    """Make what a file holds the current generation.

    What the file says of places on another machine is not believed: neither its corpus, whose
    folder of that name here may be another one, nor a model that would be looked for.

    Args:
        file: What an export wrote.
        path: The knowledge base; made if it does not exist.
        corpus: Where the documents stand that later changes are taken from; None if nowhere.
        model: If None, the default one, if the exported knowledge base had that.
        index: The kind of the coarse index; if None, as it was asked for there.
        engine: The address of the one that is to hold the indexes, or `embedded`; if None, where
            those of the current generation are.
        keep: Generations that stay on disk, the new one included.
        progress: Told how many passages are indexed, and how many there are.

    Raises:
        EncoderError: If the model cannot be loaded.
        EngineError: If the engine cannot be used.
        InputError: If the file is no export or damaged, or there is no such index or engine, or a
            model has to be named.
        KnowledgeBaseError: If the knowledge base cannot be used, or another process is writing.
        StorageError: If memory or disk do not suffice, or the disk refuses to be written.
    """
    check_index(path, index, engine)
    if corpus and not corpus.exists():
        raise InputError(
            f"The corpus {corpus} does not exist. Name the one that sync is to follow."
        )
    export = read_export(file)
    name = model or export.source.model
    if model is None and name != DEFAULT_MODEL:
        raise InputError(
            f"What {file} holds was indexed with another model than the default one: {name!r}. "
            "Name a model with --model."
        )
    source = replace(
        export.source,
        corpus=str(corpus.absolute()) if corpus else "",
        model=lasting_name(name),
        index=index or export.source.index,
        index_kept=index is None,
    )
    note = f"generation {export.generation} of another knowledge base"
    return build_generation(
        export.parsed,
        path,
        load_encoder(name),
        source,
        made=Made("import", keep=keep, approve=lambda *_: note),
        progress=progress,
        engine=engine,
        next_entries=export.next_entries,
    )
