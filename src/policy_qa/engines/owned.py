"""What a knowledge base has made at engines: its own name there, and its collections.

The file `engine` in its folder tells it: the name in the first line, the rest as JSON in the
second. A collection is noted before it is made, and forgotten when it is dropped: so nothing is
dropped that this folder has not made, and what an engine kept while it was down goes later.

A copy of the folder has the file, too. It is told by its place, and gets a name of its own when it
is written to: what it has in common with the original stays untouched. Not told is a copy on
another machine that has the same place and, by chance, the same inode; of copies one should write.
"""

import contextlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from policy_qa.errors import CorruptionError, KnowledgeBaseError
from policy_qa.storage import (
    ENGINE_ID_FILE,
    Manifest,
    generation_numbers,
    read_manifest,
    repair_command,
    write_atomically,
)

_NAME = re.compile(r"policy_qa_[0-9a-f]{12}")
_PART = re.compile(r"_[0-9]{1,9}_[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Owned:
    """What a knowledge base has at engines.

    Attributes:
        name: What the names of all its collections begin with.
        made: The engine, and what the names begin with, of each pair of collections that may be
            there.
    """

    name: str
    made: tuple[tuple[str, str], ...] = ()

    def has(self, base: str) -> bool:
        """Whether the collections whose names begin so are those of this knowledge base."""
        return base.startswith(self.name) and bool(_PART.fullmatch(base[len(self.name) :]))


def owned(path: Path) -> Owned | None:
    """Return what a knowledge base has at engines; None if it has nothing yet, or is a copy.

    Raises:
        CorruptionError: If the file that tells it is damaged.
    """
    file = path / ENGINE_ID_FILE
    try:
        return _read(path, file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptionError(
            f"{file} is damaged: it does not tell which collections at an engine are of {path}. "
            f"Repair it: {repair_command(path)}"
        ) from error


def _read(path: Path, text: str) -> Owned | None:
    """Return what the file tells; None if it tells it of another folder.

    Raises:
        ValueError: If it tells nothing.
    """
    name, _, rest = text.partition("\n")
    found = Owned(name)
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    if not rest.strip():  # of an older program, which noted no more
        there = {(one.engine, one.collection) for one in on_engines(path)}
        return replace(found, made=tuple(sorted(one for one in there if found.has(one[1]))))
    fields = json.loads(rest)
    made = tuple((str(url), str(base)) for url, base in fields["made"])
    if not all(found.has(base) for _, base in made):
        raise ValueError(name)
    if not _is_place(path, str(fields["folder"]), int(fields["inode"])):
        return None
    return replace(found, made=made)


def _is_place(path: Path, folder: str, inode: int) -> bool:
    """Tell whether a folder is the one that was noted, maybe moved, and no copy of it."""
    if path.stat().st_ino != inode:
        return False
    noted = Path(folder)
    return not noted.exists() or noted.samefile(path)


def _write(path: Path, found: Owned) -> None:
    place = path.resolve()
    fields = {"folder": str(place), "inode": place.stat().st_ino, "made": found.made}
    write_atomically(path / ENGINE_ID_FILE, f"{found.name}\n{json.dumps(fields)}\n")


def new_base(path: Path, url: str, generation: int) -> str:
    """Return what the names of new collections begin with; note that they are to be made.

    Raises:
        CorruptionError: If the file that tells what there is is damaged.
    """
    found = owned(path) or Owned(f"policy_qa_{secrets.token_hex(6)}")
    base = f"{found.name}_{generation}_{secrets.token_hex(3)}"
    _write(path, replace(found, made=(*found.made, (url, base))))
    return base


def is_own(path: Path, base: str) -> bool:
    """Whether a knowledge base may change the collections whose names begin so.

    Raises:
        CorruptionError: If the file that tells it is damaged.
    """
    found = owned(path)
    return found is not None and found.has(base)


def forget(path: Path, url: str, bases: Iterable[str] | None = None) -> None:
    """Forget collections that are not there any more.

    Args:
        path: The knowledge base.
        url: Of the engine.
        bases: What their names begin with; all of that engine if None.

    Raises:
        CorruptionError: If the file that tells what there is is damaged.
    """
    found = owned(path)
    if found is None:
        return
    gone = {base for at, base in found.made if at == url}
    gone &= gone if bases is None else {*bases}
    made = tuple((at, base) for at, base in found.made if at != url or base not in gone)
    if made != found.made:
        _write(path, replace(found, made=made))


def on_engines(path: Path) -> list[Manifest]:
    """Return the manifests of the generations on disk whose indexes stand at an engine."""
    found = []
    for number in generation_numbers(path):
        with contextlib.suppress(KnowledgeBaseError):
            manifest = read_manifest(path, number)
            if manifest.engine:
                found.append(manifest)
    return found
