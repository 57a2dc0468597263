"""Files that the user's machine learned about a checkpoint; they go where the checkpoint goes."""

import shutil
from collections.abc import Callable
from pathlib import Path

from asrd.core.errors import ModelError, UsageError
from asrd.core.shell import quoted
from asrd.models import calibration
from asrd.models.calibration import Calibration
from asrd.models.directory import ModelDirectory
from asrd.models.lm import settings
from asrd.models.lm.settings import DecodingSettings

LEARNED: dict[str, tuple[Callable[[Path], object], str]] = {
    calibration.NAME: (Calibration.load, "asrd calibrate-confidence"),
    settings.NAME: (DecodingSettings.load, "asrd tune"),
}
"""The reader of each file, and the command that writes it."""


def check_apart(model: ModelDirectory) -> None:
    """Raise UsageError if what is learned of a model would be taken for what holds of other languages, too."""
    if model.language:
        raise UsageError(
            f"{model.path} has several languages, and nothing can be learned of one of them there; "
            f"'asrd model convert {quoted(model.single)}' makes a model of this one"
        )


def take_along(old: Path, new: Path, *, same: bool) -> list[str]:
    """Copy what was learned about a checkpoint from one directory to another, if the checkpoint is the same.

    Returns the commands that learn anew what was not copied, because the checkpoint is another one or the file is
    damaged. Raises OSError if a file cannot be copied.
    """
    left = []
    for name, (read, command) in LEARNED.items():
        if not (old / name).is_file():
            continue
        if same and _is_sound(read, old):
            shutil.copyfile(old / name, new / name)
        else:
            left.append(command)
    return left


def _is_sound(read: Callable[[Path], object], directory: Path) -> bool:
    try:
        read(directory)
    except ModelError:
        return False
    return True
