"""An adaptive energy gate: speech is what is louder than the noise floor."""

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import samples
from asrd.daemon.vad.floor import QUIETEST, NoiseFloor, SpeechBand

RELEASE = 3.0
"""dB by which the level may fall below the threshold before speech ends: hysteresis."""

HOLD = 10
"""Number of frames that still count as speech after the level fell: the 200 ms hangover of ITU-T P.56, which covers
closures and weak consonants.
"""


class EnergyVad:
    """Compare the level in the speech band, in dB, with a noise floor: the quietest level of the last 4 s.

    threshold: dB over the floor at which speech begins. Any sound louder than the background counts as speech until
    the floor has caught up. floor: power of the noise in the speech band, full scale squared.
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
        """Return whether a 20 ms frame, or one shortly before it, exceeds the noise floor."""
        power = self._band.power(pcm)
        self.floor = self._noise.follow(power)
        if power > self.floor * (self._leave if self._held else self._enter):
            self._held = HOLD + 1
        self._held = max(self._held - 1, 0)
        return self._held > 0

    def reset(self) -> None:
        """Reset the noise floor."""
        self._noise = NoiseFloor()
        self._held = 0
        self.floor = QUIETEST
