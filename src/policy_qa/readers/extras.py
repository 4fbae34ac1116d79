"""The libraries that read office files, web pages and PDF, which are not always installed."""

from importlib.util import find_spec
from pathlib import Path

from policy_qa.errors import CorpusError


def needs(module: str, file: Path) -> None:
    """Check that a module is installed.

    Raises:
        CorpusError: If it is not; says how to install it.
    """
    if find_spec(module) is None:
        raise CorpusError(
            f"{file} needs a reader: pip install 'policy-qa[files]', or take it out of the corpus."
        )
