"""Load a model of sentence-transformers from disk or, at the user's wish, from the model hub.

A model is data here: weights that are pickled, and modules that bring their own code, are refused.
The libraries raise dozens of kinds of errors for one mistake of the user; here they become one line
that says what to do.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_qa.errors import EncoderError
from policy_qa.settings import ENCODER_THREADS

_HUB_SECONDS = 10
"""How long the model hub may take to answer before it counts as out of reach."""

_LIBRARY_CLASS = re.compile(r"sentence_transformers(?:\.[a-z_][a-z0-9_]*)*\.[A-Z]\w*")
"""The name of a class of the library itself; any other module is code that came with the model."""

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt")
"""Weights that unpickling reads, which can run code that they hold."""

_DATA_ONLY: dict[str, Any] = {
    "trust_remote_code": False,
    "model_kwargs": {"use_safetensors": True},
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What is loaded, for messages.

    Attributes:
        role: What it is here, such as `model`.
        name: What it is, such as `sentence-transformers model`.
        option: Of the command line that names it.
        file: That its folder holds at least.
    """

    role: str
    name: str
    option: str
    file: str

    def refusal(self, model: str, reason: str) -> EncoderError:
        """Return the error for a model that cannot be loaded."""
        return EncoderError(
            f"Cannot load the {self.role} {model!r}: {reason.splitlines()[0].rstrip('.')}. "
            f"Give a {self.name}'s folder, or leave {self.option} out."
        )


@contextmanager
def start(kind: Kind, model: str) -> Iterator[None]:
    """Bound torch's threads; what fails within becomes one line.

    Args:
        kind: What is loaded.
        model: Its name or folder. What is meant as a folder and is none is refused before anything
            heavy is loaded.

    Raises:
        EncoderError: If the model cannot be found or loaded.
    """
    _check_place(kind, model)
    _check_data_only(kind, model)
    import torch  # noqa: PLC0415 (heavy)

    torch.set_num_threads(ENCODER_THREADS)
    try:
        yield
    except EncoderError:
        raise
    except Exception as error:
        reason = _damage(kind, Path(model)) or str(error).strip() or type(error).__name__
        raise kind.refusal(model, reason) from error


def _check_place(kind: Kind, model: str) -> None:
    place = Path(model or "~")  # a blank name would be the current folder
    if place.is_file():
        raise kind.refusal(model, "it is a file, not a folder")
    if not place.exists() and (not model or model.startswith((".", "/", "~")) or "\\" in model):
        raise kind.refusal(model, "there is no such folder")


def _check_data_only(kind: Kind, model: str) -> None:
    """Refuse a folder whose weights are only pickled, or whose modules are not the library's.

    The libraries are told the same; here it is said in one line, before they are loaded.
    """
    folder = Path(model)
    if not folder.is_dir():
        return
    for module in _modules(folder):
        if not _LIBRARY_CLASS.fullmatch(str(module.get("type", ""))):
            raise kind.refusal(
                model, f"its module {module.get('type')!r} is code of its own, which is never run"
            )
    for place in [folder, *_module_folders(folder)]:
        pickled = [file for ending in _PICKLED for file in sorted(place.glob(ending))]
        if pickled and not any(place.glob("*.safetensors")):
            raise kind.refusal(
                model, f"its weights {pickled[0]} can run code; save it again with safetensors"
            )


def local_first(kind: Kind, model: str, load: Callable[..., Any]) -> Any:
    """Load from disk; only what is not there is looked for on the model hub, if it answers at all.

    Without that question the libraries try to reach the hub again and again for a minute.

    Args:
        kind: What is loaded.
        model: Its name or folder.
        load: Takes the name or folder, and the options of sentence-transformers.

    Raises:
        EncoderError: If it is not on disk and the hub is out of reach.
    """
    from huggingface_hub import constants, get_session  # noqa: PLC0415 (with torch)

    with _quiet_libraries():
        try:
            return load(model, **_DATA_ONLY, local_files_only=True)
        except Exception:
            if Path(model).exists():
                raise
    try:
        get_session().head(constants.ENDPOINT, timeout=_HUB_SECONDS)
    except Exception as error:
        raise kind.refusal(
            model, "it is neither a folder nor downloaded, and the model hub cannot be reached"
        ) from error
    return load(model, **_DATA_ONLY)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep the load reports and progress bars of transformers off standard error."""
    from transformers.utils import logging  # noqa: PLC0415 (heavy)

    reports: Any = logging  # its functions have no types
    level, bars = reports.get_verbosity(), reports.is_progress_bar_enabled()
    reports.set_verbosity(reports.CRITICAL)
    reports.disable_progress_bar()
    try:
        yield
    finally:
        reports.set_verbosity(level)
        if bars:
            reports.enable_progress_bar()


def _damage(kind: Kind, folder: Path) -> str:
    """Say what is wrong with a model's folder; the libraries' own words seldom do."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 (with torch)

    if not folder.is_dir():
        return ""
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        return f"the folder holds no {kind.name} (no {kind.file})"
    folders = [folder, *_module_folders(folder)]
    for file in [file for kind in ("*.json", "*.safetensors") for file in _files(folders, kind)]:
        try:
            if file.suffix == ".json":
                json.loads(file.read_bytes())
            else:
                with safe_open(file, "numpy"):
                    pass
        except (OSError, ValueError, SafetensorError) as error:
            return f"its file {file} is damaged ({error})"
    return ""


def _module_folders(folder: Path) -> list[Path]:
    """Return the folders that a model keeps its modules in, apart from its own."""
    return [folder / str(module["path"]) for module in _modules(folder) if module.get("path")]


def _modules(folder: Path) -> list[dict[str, Any]]:
    """Return what a model's folder says of its modules; nothing if it says nothing sound."""
    try:
        modules = json.loads((folder / "modules.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    found = modules if isinstance(modules, list) else []
    return [module for module in found if isinstance(module, dict)]


def _files(folders: Sequence[Path], kind: str) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.glob(kind))]
