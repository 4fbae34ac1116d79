"""Text to unit vectors: the default encoder, or any sentence-transformers model.

`load_encoder` imports nothing heavy until the encoder encodes.
"""

from policy_qa.encoders.e5 import DEFAULT_MODEL, E5Encoder
from policy_qa.types import Encoder

__all__ = ["DEFAULT_MODEL", "load_encoder"]


def load_encoder(model: str = DEFAULT_MODEL) -> Encoder:
    """Return the encoder of that name.

    Args:
        model: `DEFAULT_MODEL`, or the name or folder of a sentence-transformers model.

    Raises:
        EncoderError: If the model cannot be made or loaded; says what to do instead.
    """
    if model == DEFAULT_MODEL:
        return E5Encoder()
    from policy_qa.encoders.any_model import AnyModelEncoder  # noqa: PLC0415 (loads torch)

    return AnyModelEncoder(model)
