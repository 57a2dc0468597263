"""Speech is what stands out of the noise floor: an adaptive energy gate."""

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import samples
from asrd.daemon.vad.floor import QUIETEST, NoiseFloor, SpeechBand

RELEASE = 3.0
"""dB that the level may fall below the threshold before speech is over: hysteresis."""

HOLD = 10
"""Frames that are speech still after the level fell: the 200 ms hangover of ITU-T P.56, which closures
and weak consonants fall into."""


class EnergyVad:
    """The level in the speech band, in dB over a noise floor that is the quietest of the last 4 s.

    threshold: dB over the floor at which speech begins. Any sound louder than the background counts
    as speech for as long as it takes the floor to catch up.

    floor: the power of the noise in the speech band, full scale squared.
    """

    frame = samples(0.020)
    _held: int

    def __init__(self, threshold: float = 6.0) -> None:
        if not RELEASE < threshold <= 60:
            raise UsageError(f"the energy VAD's threshold lies between {RELEASE:g} and 60 dB, not at {threshold:g}")
        self._enter, self._leave = (10 ** (decibels / 10) for decibels in (threshold, threshold - RELEASE))
        self._band = SpeechBand(self.frame)
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Whether a 20 ms frame stands out, or one shortly before it did."""
        power = self._band.power(pcm)
        self.floor = self._noise.follow(power)
        if power > self.floor * (self._leave if self._held else self._enter):
            self._held = HOLD + 1
        self._held = max(self._held - 1, 0)
        return self._held > 0

    def reset(self) -> None:
        """Start without a floor."""
        self._noise = NoiseFloor()
        self._held = 0
        self.floor = QUIETEST
