"""An utterance that is being spoken: how far it was heard, and how far it is in windows."""

from dataclasses import dataclass, field
from typing import Self

from asrd.core.flow import FloatArray
from asrd.daemon.segmentation.level import IDLE, Moments

PAUSE = 3
"""Frames without voice that make a place to cut an over-long utterance."""


@dataclass(slots=True)
class OpenUtterance:
    """Stream positions. committed: audio before this is in windows already. judged: the VAD has
    come this far. heard: end of the last voiced frame. previewed: `judged` when the last window was
    cut. previewed_end: where that window ended. quiet: frames without voice up to now. pause: the middle
    of the last pause of `PAUSE` frames. text_end: end of the last word that the recogniser told of.
    limit: the silence that ends it, as the speaker's pauses were when this one began.
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
    text_end: int = 0
    limit: float = 0.0
    moments: Moments = field(default_factory=Moments)

    @classmethod
    def at(cls, number: int, start: int, now: int) -> Self:
        """Begin at `start`; the VAD has come as far as `now`."""
        return cls(number, start, start, judged=now, heard=now, previewed=start, previewed_end=start, text_end=start)

    def hear(self, frame: FloatArray, *, voiced: bool) -> None:
        """Take the next frame `(n,)` that the VAD has judged."""
        self.judged += len(frame)
        self.quiet = 0 if voiced else self.quiet + 1
        self.moments.add(frame, idle=self.quiet * len(frame) > IDLE)
        if voiced:
            self.heard = self.judged
        elif self.quiet == PAUSE:
            self.pause = self.judged - PAUSE * len(frame) // 2
