"""What the user's own machine learned of a checkpoint, which nobody published: it goes where the checkpoint goes."""

import shutil
from collections.abc import Callable
from pathlib import Path

from asrd.core.errors import ModelError
from asrd.models import calibration
from asrd.models.calibration import Calibration
from asrd.models.lm import settings
from asrd.models.lm.settings import DecodingSettings

LEARNED: dict[str, tuple[Callable[[Path], object], str]] = {
    calibration.NAME: (Calibration.load, "asrd calibrate-confidence"),
    settings.NAME: (DecodingSettings.load, "asrd tune"),
}
"""By file, what reads it and the command that writes it."""


def take_along(old: Path, new: Path, *, same: bool) -> list[str]:
    """Copy what was learned of the checkpoint in a directory to another, where it is the same one.

    Returns the commands that learn anew what is left behind, because the checkpoint is another one or the file is
    damaged. Raises OSError where something cannot be copied.
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
