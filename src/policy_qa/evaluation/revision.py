"""Which version of the program made a result."""

import subprocess
from importlib import metadata
from pathlib import Path

import policy_qa

_PACKAGE = Path(policy_qa.__file__).resolve().parent


def revision(package: Path = _PACKAGE) -> str:
    """Return the commit of the program, `+changes` if its files differ or nobody can tell.

    Only the package's own files count: queries, corpus and encoder have digests of their own.

    Where no repository tracks the package, as where it is installed, it is the package's version:
    the current directory may lie in a repository of something else.

    Args:
        package: The folder of the package.
    """
    tracked = _git(package, "ls-files", "--error-unmatch", "--", "__init__.py")
    commit = _git(package, "rev-parse", "--short", "HEAD")
    if tracked is None or not commit:
        return metadata.version("policy-qa")
    changes = _git(package, "status", "--porcelain", "--", ".")
    return commit if changes == "" else f"{commit}+changes"


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints in a folder; None where it fails."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (git, with arguments of our own)
            command, capture_output=True, check=True, encoding="utf-8", errors="surrogateescape"
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip("\n")
