"""Options that several commands of the command line have."""

import argparse

from policy_qa.settings import GENERATIONS_KEPT

_KINDS = "auto, flat, ivf or hnsw"
_ENGINE = "a Milvus server such as http://127.0.0.1:19530, or embedded"


def count(text: str) -> int:
    """Return the number that an argument is.

    Raises:
        argparse.ArgumentTypeError: If it is none from 1 on.
    """
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number, 1 or more")
    return int(text)


_DIGITS = 9
"""More than any number here needs; Python refuses those of thousands."""


def add_keep(command: argparse.ArgumentParser) -> None:
    """Add the option for how many generations stay."""
    command.add_argument(
        "--keep",
        type=count,
        default=GENERATIONS_KEPT,
        metavar="N",
        help="generations that stay on disk (default: %(default)s)",
    )


def add_index(
    command: argparse.ArgumentParser, default: str | None = None, *, otherwise: str = ""
) -> None:
    """Add the option for the kind of the coarse index.

    Args:
        command: The command.
        default: The kind without the option.
        otherwise: What stands in its place, in words, if that is None.
    """
    command.add_argument(
        "--index",
        default=default,
        metavar="KIND",
        help=f"how vectors are searched: {_KINDS}, by their number (default: "
        f"{default or otherwise})",
    )


def add_engine(
    command: argparse.ArgumentParser, more: str = " (default: where the indexes are)"
) -> None:
    """Add the option for where the indexes stand; `more` is said of it, and nothing if required."""
    command.add_argument("--engine", required=not more, metavar="URL", help=_ENGINE + more)
