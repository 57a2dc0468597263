"""Is this frame speech? Voice activity detectors behind one small interface."""

from typing import Protocol

import webrtcvad

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, Samples, samples


class Vad(Protocol):
    """Judges audio frame by frame. It may keep state, which makes frames depend on earlier ones."""

    frame: Samples
    """Length of the frames it takes, and no other."""

    def is_speech(self, pcm: FloatArray) -> bool:
        """Whether a frame `(frame,)` float32 in [-1, 1] holds speech."""
        ...

    def reset(self) -> None:
        """Forget what was heard: the next frame does not follow the last."""
        ...


class WebRtcVad:
    """The WebRTC project's detector: Gaussian mixtures over six frequency bands.

    aggressiveness: 0 lets most through, 3 the least. It takes frames of 10, 20 or 30 ms; 20 ms
    places boundaries finely and still sees a pitch period of the lowest voices.
    """

    frame = samples(0.020)

    def __init__(self, aggressiveness: int = 2) -> None:
        if aggressiveness not in range(4):
            raise UsageError(f"VAD aggressiveness is 0, 1, 2 or 3, not {aggressiveness}")
        self._aggressiveness = aggressiveness
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Whether a 20 ms frame holds speech."""
        return bool(self._vad.is_speech((pcm * 32767.0).astype("<i2").tobytes(), SAMPLE_RATE))

    def reset(self) -> None:
        """Start with a fresh noise model."""
        self._vad = webrtcvad.Vad(self._aggressiveness)
