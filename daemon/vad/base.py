"""The protocol of voice activity detectors."""

from typing import Protocol

from asrd.core.flow import FloatArray
from asrd.core.units import Samples


class Vad(Protocol):
    """Judge the audio of one stream frame by frame, 16 kHz mono.

    It may keep state, so that decisions depend on earlier frames, but after `reset` the same audio gets the same
    decisions. It registers under the entry-point group `asrd.vads`, as a class that can be called with one number,
    its strictness, or with nothing; `asrd.daemon.vad.conformance` tests it.
    """

    frame: Samples
    """Length of the frames it takes; no other is allowed."""

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return whether a frame `(frame,)` float32 in [-1, 1] holds speech."""
        ...

    def reset(self) -> None:
        """Forget all audio so far: the next frame does not follow the last."""
        ...
