"""The WebRTC project's detector, made indifferent to the level it is given."""

import numpy as np
import webrtcvad

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples
from asrd.daemon.vad.energy import EnergyVad

RESTING = 10 ** (-45 / 10)
"""Where the noise floor is brought before the detector hears it, full scale squared. Its noise model
is built for line levels: left alone, it takes steady noise above some -30 dBFS for endless speech, and
hears no speech that peaks below -40 dBFS (measured: `docs/vad.md`)."""

LOUDER, SOFTER = 10 ** (20 / 20), 10 ** (-40 / 20)
"""Bounds of that gain."""

GATE = 5.0
"""dB over the floor that speech must reach as well. Left alone, the detector takes the first tenth of a
second of whatever it hears for speech, and a stream for beginning with an utterance."""


class WebRtcVad:
    """Gaussian mixtures over six frequency bands, 80 Hz to 4 kHz, that learn the noise.

    aggressiveness: 0 lets most through, 3 the least. It takes frames of 10, 20 or 30 ms; 20 ms
    places boundaries finely and still sees a pitch period of the lowest voices.
    """

    frame = samples(0.020)

    def __init__(self, aggressiveness: float = 2) -> None:
        if aggressiveness not in range(4):
            raise UsageError(f"VAD aggressiveness is 0, 1, 2 or 3, not {aggressiveness:g}")
        self._aggressiveness = int(aggressiveness)
        self._gate = EnergyVad(GATE)
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Whether a 20 ms frame holds speech."""
        loud = self._gate.is_speech(pcm)
        gain = min(max((RESTING / self._gate.floor) ** 0.5, SOFTER), LOUDER)
        levelled = np.clip((pcm - pcm.mean()) * np.float32(gain), -1, 1)  # an offset would clip
        voiced = self._vad.is_speech((levelled * 32767.0).astype("<i2").tobytes(), SAMPLE_RATE)
        return loud and bool(voiced)

    def reset(self) -> None:
        """Start with a fresh noise model, and without a floor."""
        self._vad = webrtcvad.Vad(self._aggressiveness)
        self._gate.reset()
