"""The one clock: an integer sample index at 16 kHz since a stream began.

Seconds exist only where a person reads or writes them: in configuration and in printed output.
"""

import math
from typing import NewType

from asrd.core.errors import UsageError

Samples = NewType("Samples", int)
"""A position or a length in samples at `SAMPLE_RATE`."""

SAMPLE_RATE = 16_000
"""Hz. Every published Wav2Vec2 checkpoint takes 16 kHz audio; sources resample to it."""

MAX_WINDOW = Samples(30_480)
"""The largest window sent to a model, and the static shape compiled models run fastest on.

30480 = 400 + 94 * 320 samples: exactly 95 frames of the standard Wav2Vec2 front end (receptive
field 400, stride 320), 1.905 s. Other geometries get other frame counts: ask `Geometry`.
"""


def samples(seconds: float) -> Samples:
    """Return the number of samples nearest to `seconds`. Raises UsageError if that is not a finite number."""
    if not math.isfinite(seconds):
        raise UsageError(f"{seconds} is not a number of seconds")
    return Samples(round(seconds * SAMPLE_RATE))


def seconds(count: int) -> float:
    """Return the length of `count` samples in seconds."""
    return count / SAMPLE_RATE


def counted(number: int, things: str) -> str:
    """Format a count: "1 clip" and "2 clips". things: the plural, which ends in "s"."""
    return f"{number} {things.removesuffix('s') if number == 1 else things}"
