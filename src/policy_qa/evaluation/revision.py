"""Which version of the program made a result."""

import subprocess
from importlib import metadata
from pathlib import Path


def revision(*written: Path) -> str:
    """Return the commit of the current directory, `+changes` if files differ from it.

    Where there is no repository, it is the version of the package.

    Args:
        written: Folders in which files do not count: an evaluation writes them itself.
    """
    commit = _git("rev-parse", "--short", "HEAD")
    if not commit:
        return metadata.version("policy-qa")
    here = Path.cwd().resolve()
    folders = [(here / folder).resolve() for folder in written]
    beside = [f":(exclude){f.relative_to(here)}" for f in folders if here in f.parents]
    changes = _git("status", "--porcelain", "--", ".", *beside)
    return f"{commit}+changes" if changes else commit


def _git(*arguments: str) -> str:
    """Return what git prints, or nothing where it fails."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
