"""An utterance that is being spoken: how far it was heard, and how far it is in windows."""

from dataclasses import dataclass, field

from asrd.core.flow import FloatArray
from asrd.daemon.level import Moments

PAUSE = 3
"""Frames without voice that make a place to cut an over-long utterance."""


@dataclass(slots=True)
class OpenUtterance:
    """Stream positions. committed: audio before this is in windows already. judged: the VAD has
    come this far. heard: end of the last voiced frame. previewed: `judged` when the last window was
    cut. previewed_end: where that window ended. quiet: frames without voice up to now. pause: the middle
    of the last pause of `PAUSE` frames.
    """

    number: int
    start: int
    committed: int
    judged: int
    heard: int
    previewed: int
    previewed_end: int
    quiet: int = 0
    pause: int = -1
    moments: Moments = field(default_factory=Moments)

    def hear(self, frame: FloatArray, *, voiced: bool) -> None:
        """Take the next frame `(n,)` that the VAD has judged."""
        self.judged += len(frame)
        self.moments.add(frame)
        self.quiet = 0 if voiced else self.quiet + 1
        if voiced:
            self.heard = self.judged
        elif self.quiet == PAUSE:
            self.pause = self.judged - PAUSE * len(frame) // 2
