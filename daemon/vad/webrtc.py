"""The WebRTC project's detector, made independent of the input level."""

import numpy as np
import webrtcvad

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples
from asrd.daemon.vad.energy import EnergyVad

RESTING = 10 ** (-45 / 10)
"""Level to which the noise floor is brought before detection, full scale squared. The detector's noise model is built
for line levels: otherwise it takes steady noise above about -30 dBFS for endless speech, and detects no speech
that peaks below -40 dBFS (measured: `docs/vad.md`).
"""

LOUDER, SOFTER = 10 ** (20 / 20), 10 ** (-40 / 20)
"""Bounds of the gain that brings it there."""

GATE = 5.0
"""dB over the floor that speech must reach as well. Without it, the detector takes the first tenth of a second of any
audio for speech, so that every stream would begin with an utterance.
"""


class WebRtcVad:
    """Detect speech with Gaussian mixtures over six frequency bands, 80 Hz to 4 kHz, which learn the noise.

    aggressiveness: 0 lets most through, 3 the least. Frames of 10, 20 or 30 ms are possible; 20 ms places boundaries
    finely and still covers a pitch period of the lowest voices.
    """

    frame = samples(0.020)

    def __init__(self, aggressiveness: float = 2) -> None:
        if aggressiveness not in range(4):
            raise UsageError(f"VAD aggressiveness is 0, 1, 2 or 3, not {aggressiveness:g}")
        self._aggressiveness = int(aggressiveness)
        self._gate = EnergyVad(GATE)
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return whether a 20 ms frame holds speech."""
        loud = self._gate.is_speech(pcm)
        gain = min(max((RESTING / self._gate.floor) ** 0.5, SOFTER), LOUDER)
        levelled = np.clip((pcm - pcm.mean()) * np.float32(gain), -1, 1)  # an offset would clip
        voiced = self._vad.is_speech((levelled * 32767.0).astype("<i2").tobytes(), SAMPLE_RATE)
        return loud and bool(voiced)

    def reset(self) -> None:
        """Reset the noise model and the floor."""
        self._vad = webrtcvad.Vad(self._aggressiveness)
        self._gate.reset()
