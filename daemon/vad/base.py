"""What a voice activity detector is."""

from typing import Protocol

from asrd.core.flow import FloatArray
from asrd.core.units import Samples


class Vad(Protocol):
    """Judges the audio of one stream frame by frame, 16 kHz mono.

    It may keep state, which makes frames depend on earlier ones, but after `reset` the same audio gets
    the same answers. It registers under the entry-point group `asrd.vads`, as a class that can be
    called with one number, how strict it is, or with nothing; `asrd.daemon.vad.conformance` tests it.
    """

    frame: Samples
    """Length of the frames it takes, and no other."""

    def is_speech(self, pcm: FloatArray) -> bool:
        """Whether a frame `(frame,)` float32 in [-1, 1] holds speech."""
        ...

    def reset(self) -> None:
        """Forget what was heard: the next frame does not follow the last."""
        ...
