"""Which version of the program made a result."""

import subprocess
from importlib import metadata
from pathlib import Path

import policy_qa

_PACKAGE = Path(policy_qa.__file__).resolve().parent


def revision(*written: Path, package: Path = _PACKAGE) -> str:
    """Return the commit of the program, `+changes` if files differ from it or nobody can tell.

    Where no repository tracks the package, as where it is installed, it is the package's version:
    the current directory may lie in a repository of something else.

    Args:
        written: Folders in which files do not count: an evaluation writes them itself.
        package: The folder of the package.
    """
    tracked = _git(package, "ls-files", "--error-unmatch", "--", "__init__.py")
    commit = _git(package, "rev-parse", "--short", "HEAD")
    top = _git(package, "rev-parse", "--show-toplevel")
    if tracked is None or not commit or not top:
        return metadata.version("policy-qa")
    root = Path(top).resolve()
    folders = [folder.resolve() for folder in written]
    beside = [
        f":(top,exclude,literal){folder.relative_to(root).as_posix()}"
        for folder in folders
        if root in folder.parents
    ]
    changes = _git(package, "status", "--porcelain", "--", ":/", *beside)
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
