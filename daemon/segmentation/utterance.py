"""An open utterance: how much of it was judged, and how much was cut into windows."""

from dataclasses import dataclass, field
from typing import Self

from asrd.core.flow import FloatArray
from asrd.daemon.segmentation.level import IDLE, Moments

PAUSE = 3
"""Number of unvoiced frames that make a place to cut an over-long utterance."""


@dataclass(slots=True)
class OpenUtterance:
    """State of an open utterance; positions are stream positions.

    committed: end of the audio that windows already keep. judged: end of the audio the VAD has judged. heard: end of
    the last voiced frame. previewed: `judged` when the last window was cut. previewed_end: end of that window. quiet:
    number of unvoiced frames up to now. pause: middle of the last pause of `PAUSE` frames. text_end: end of the last
    word reported by the recogniser. limit: the silence that ends the utterance, from the speaker's pauses at the
    start of the current silence.
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
        """Begin an utterance at `start`; the VAD has judged audio up to `now`."""
        return cls(number, start, start, judged=now, heard=now, previewed=start, previewed_end=start, text_end=start)

    def add(self, frame: FloatArray, *, voiced: bool) -> None:
        """Take the next frame `(n,)` that the VAD has judged."""
        self.judged += len(frame)
        self.quiet = 0 if voiced else self.quiet + 1
        self.moments.add(frame, idle=self.quiet * len(frame) > IDLE)
        if voiced:
            self.heard = self.judged
        elif self.quiet == PAUSE:
            self.pause = self.judged - PAUSE * len(frame) // 2
