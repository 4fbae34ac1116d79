"""Keep the correction of confidence that one knowledge base has learned.

It stands in `calibration.json` beside the generations and outlives them; it is bound to the encoder
and to the weights that it corrects. `evaluation.calibrating` learns it.
"""

import hashlib
import json
import math
import shlex
from dataclasses import asdict, astuple, fields, replace
from importlib.resources import files
from pathlib import Path

from policy_qa.confidence import Calibration
from policy_qa.errors import CorruptionError
from policy_qa.storage import repair_command, write_atomically, writing

CALIBRATION_FILE = "calibration.json"


def save(path: Path, calibration: Calibration, encoder: str) -> None:
    """Keep a calibration in a knowledge base.

    Args:
        path: The knowledge base.
        calibration: To keep.
        encoder: The identity of its encoder.

    Raises:
        LockedError: If another process is writing to the knowledge base.
        StorageError: If the disk is full or refuses to be written.
    """
    kept = {**asdict(calibration), "encoder": encoder, "weights": _weights_digest()}
    with writing(path):
        write_atomically(path / CALIBRATION_FILE, json.dumps(kept, indent=2) + "\n")


def remove(path: Path) -> None:
    """Go back to the general confidence.

    Raises:
        LockedError: If another process is writing to the knowledge base.
        StorageError: If the disk refuses to be written.
    """
    with writing(path):
        (path / CALIBRATION_FILE).unlink(missing_ok=True)


def load(path: Path, encoder: str) -> Calibration | None:
    """Return a knowledge base's calibration; None if it has none.

    Of one that corrects another encoder, or other weights, only the costs remain.

    Raises:
        CorruptionError: If the file is damaged.
    """
    try:
        kept = json.loads((path / CALIBRATION_FILE).read_text(encoding="utf-8"))
        made_for = kept.pop("encoder"), kept.pop("weights")
        names = {field.name for field in fields(Calibration)}
        if kept.keys() != names or not all(type(value) in {int, float} for value in kept.values()):
            raise _damaged(path, "its fields are not those of a calibration")
        calibration = Calibration(**{name: float(value) for name, value in kept.items()})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _UNREADABLE as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    costs = (calibration.wrong_answer_cost, calibration.wrong_hint_cost)
    if not all(map(math.isfinite, astuple(calibration))) or min(costs) <= 0:
        raise _damaged(path, "its numbers are out of range")
    if made_for != (encoder, _weights_digest()):
        return replace(calibration, slope=1.0, intercept=0.0)
    return calibration


def changed(path: Path) -> int:
    """Return when a knowledge base's calibration was last written, in nanoseconds; 0 if never."""
    try:
        return (path / CALIBRATION_FILE).stat().st_mtime_ns
    except OSError:
        return 0


_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def _damaged(path: Path, why: str) -> CorruptionError:
    kb = shlex.quote(str(path))
    return CorruptionError(
        f"{path / CALIBRATION_FILE} is damaged ({' '.join(why.split())}). Calibrate again: "
        f"policy-qa calibrate SET --kb {kb}, or go back to the general confidence: "
        f"policy-qa calibrate --reset --kb {kb} or {repair_command(path)}"
    )


def _weights_digest() -> str:
    """Name the general weights, so that no correction is applied to others."""
    weights = (files("policy_qa") / "confidence.json").read_bytes()
    return hashlib.sha256(weights).hexdigest()[:12]
