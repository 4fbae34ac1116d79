"""Any sentence-transformers model, with its own query and passage prompts, on torch."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from policy_qa.encoders.fingerprint import fingerprint
from policy_qa.encoders.windows import pooled
from policy_qa.errors import EncoderError
from policy_qa.settings import ENCODER_THREADS
from policy_qa.types import Vectors

_PROBE = "How long may a buyer wait? 買家可以等多久？"
_HUB_SECONDS = 10
"""How long the model hub may take to answer before it counts as out of reach."""


class AnyModelEncoder:
    """A model of sentence-transformers, by its name or folder. Safe to use from several threads.

    The identity holds the hash of all that the vectors depend on: another revision under the same
    name is another encoder.
    """

    def __init__(self, model: str) -> None:
        """Load the model.

        Raises:
            EncoderError: If it cannot be found or loaded.
        """
        _check_place(model)
        import torch  # noqa: PLC0415 (heavy)

        torch.set_num_threads(ENCODER_THREADS)
        self._lock = threading.Lock()  # fast tokenizers refuse two threads at once
        try:
            self._model = _load(model)
            self.dim = self.encode_passages([_PROBE]).shape[1]
            revision = fingerprint(self._model)[:12]
        except EncoderError:
            raise
        except Exception as error:  # the libraries raise dozens of kinds for one user error
            reason = _damage(Path(model)) or str(error).strip() or type(error).__name__
            raise _cannot_load(model, reason) from error
        name = Path(model).name
        self.identity = f"sentence-transformers:{name}:{revision}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""
        return self._encode(texts, "query")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return `(len(texts), dim) float32`, unit rows."""
        prompts = self._model.prompts
        return self._encode(texts, "passage" if prompts.get("passage") else "document")

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        name = prompt if self._model.prompts.get(prompt) else None
        with self._lock:
            windows = [self._windows(text) for text in texts]
            flat = [window for group in windows for window in group]
            vectors = self._model.encode(
                flat, prompt_name=name, normalize_embeddings=True, show_progress_bar=False
            )
        rows = iter(np.asarray(vectors, np.float32))
        found = [
            pooled(np.stack([next(rows) for _ in group]), [len(window) for window in group])
            for group in windows
        ]
        return np.array(found, np.float32).reshape(len(texts), -1)

    def _windows(self, text: str) -> list[str]:
        """Halve a text until each part fits the model, so that nothing is cut off."""
        limit = self._model.get_max_seq_length() or 512
        room = limit - _PROMPT_ROOM if limit > 2 * _PROMPT_ROOM else limit // 2
        if len(text) < 2 or self._count(text) <= room:
            return [text]
        middle = len(text) // 2
        return self._windows(text[:middle]) + self._windows(text[middle:])

    def _count(self, text: str) -> int:
        """Tokens of a text; static models carry the tokenizer of another library."""
        tokenizer: Any = self._model.tokenizer
        if hasattr(tokenizer, "tokenize"):
            return len(tokenizer.tokenize(text))
        return len(tokenizer.encode(text).ids)


_PROMPT_ROOM = 32
"""Tokens kept for a model's prompt and marks."""


def _cannot_load(model: str, reason: str) -> EncoderError:
    return EncoderError(
        f"Cannot load the model {model!r}: {reason.splitlines()[0].rstrip('.')}. "
        "Give a sentence-transformers model's folder, or leave --model out."
    )


def _check_place(model: str) -> None:
    """Refuse what is meant as a folder and is none, before anything heavy is loaded."""
    place = Path(model or "~")  # a blank name would be the current folder
    if place.is_file():
        raise _cannot_load(model, "it is a file, not a folder")
    if not place.exists() and (not model or model.startswith((".", "/", "~")) or "\\" in model):
        raise _cannot_load(model, "there is no such folder")


def _load(model: str) -> Any:
    """Load from disk; only what is not there is looked for on the model hub, if it answers at all.

    Without that question the libraries try to reach the hub again and again for a minute.
    """
    from huggingface_hub import constants, get_session  # noqa: PLC0415 (with torch)
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 (heavy)

    with _quiet_libraries():
        try:
            return SentenceTransformer(model, trust_remote_code=False, local_files_only=True)
        except Exception:
            if Path(model).exists():
                raise
    try:
        get_session().head(constants.ENDPOINT, timeout=_HUB_SECONDS)
    except Exception as error:
        raise _cannot_load(
            model, "it is neither a folder nor downloaded, and the model hub cannot be reached"
        ) from error
    return SentenceTransformer(model, trust_remote_code=False)


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


def _damage(folder: Path) -> str:
    """Say what is wrong with a model's folder; the libraries' own words seldom do."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 (with torch)

    if not folder.is_dir():
        return ""
    if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
        return "the folder holds no sentence-transformers model (no modules.json)"
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
    try:
        modules = json.loads((folder / "modules.json").read_bytes())
        return [folder / module["path"] for module in modules if module["path"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _files(folders: Sequence[Path], kind: str) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.glob(kind))]
