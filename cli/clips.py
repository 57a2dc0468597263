"""The clips of a data set, for commands that need transcribed speech."""

import random
from typing import TYPE_CHECKING

from asrd.cli.progress import ProgressBar
from asrd.cli.say import echo

if TYPE_CHECKING:
    from asrd.quant.data import Clip

SHOWN = 10
"""Most unusable clips that are named one by one."""


def usable(clips: "list[Clip]", progress: ProgressBar, limit: int | None = None, seed: int = 0) -> "list[Clip]":
    """Return the clips of a data set that can be used, in its order; the others are counted and named.

    limit: take so many at random. Raises UsageError if none can be used.
    """
    from asrd.quant.data import check

    if limit is not None and limit < len(clips):
        clips = [clips[index] for index in sorted(random.Random(seed).sample(range(len(clips)), limit))]
    progress.stage("reading", len(clips))
    checked = check(clips, progress.advance)
    for name, why in checked.skipped[:SHOWN]:
        echo(f"skipped {name}: {why}", err=True)
    if len(checked.skipped) > SHOWN:
        echo(f"skipped {len(checked.skipped) - SHOWN} more", err=True)
    return checked.clips
