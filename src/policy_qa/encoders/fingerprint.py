"""What a sentence-transformers model's vectors or scores depend on, as one hash.

It is exact: nothing in it is computed in floating point, so that a model has the same fingerprint
on every machine.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt


def fingerprint(model: Any, *, pooler: bool = False) -> str:
    """Return the SHA-256 of a model's configuration, vocabulary and parameters.

    Args:
        model: A `SentenceTransformer` or a `CrossEncoder`.
        pooler: Whether the transformer's own pooler counts, whatever the configuration says.
    """
    configuration = _line(_configuration(model))
    sha256 = hashlib.sha256(configuration)
    sha256.update(_line(_vocabulary(model.tokenizer)))
    pools_itself = pooler or b"pooler_output" in configuration
    for name, tensor in sorted(model.state_dict().items()):
        if hasattr(tensor, "detach") and (pools_itself or not _is_pooler(name)):
            sha256.update(_line([name, str(tensor.dtype), list(tensor.shape)]))
            sha256.update(_bytes(tensor))
    return sha256.hexdigest()


def _configuration(model: Any) -> dict[str, Any]:
    """The prompts, the longest text, and each module's settings, such as the pooling."""
    return {
        "prompts": model.prompts,
        "default_prompt": model.default_prompt_name,
        "max_seq_length": model.get_max_seq_length(),
        "truncate_dim": getattr(model, "truncate_dim", None),  # a cross-encoder has none
        "modules": [[type(module).__name__, dict(_settings(module))] for module in model],
    }


def _settings(module: Any) -> Iterator[tuple[str, Any]]:
    for name in sorted(getattr(module, "config_keys", ())):
        yield name, getattr(module, name, None)


def _vocabulary(tokenizer: Any) -> list[tuple[str, int]]:
    """Return the pieces of a tokenizer with their ids; none where it does not tell."""
    try:
        pieces = tokenizer.get_vocab()
    except (AttributeError, TypeError):
        return []
    if not isinstance(pieces, dict):
        pieces = {piece: number for number, piece in enumerate(pieces)}
    return sorted(pieces.items())


def _is_pooler(name: str) -> bool:
    """Whether a parameter is of a transformer's own pooler.

    It stands unused before sentence-transformers' pooling, and where the model's files leave it
    out it is made up at random at each start.
    """
    return "pooler" in name.split(".")


def _bytes(tensor: Any) -> memoryview:
    import torch  # noqa: PLC0415 (heavy)

    flat: npt.NDArray[np.uint8] = (
        tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    )
    return flat.data


def _line(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, default=str).encode() + b"\n"
