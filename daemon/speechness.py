"""Does a level that a detector took for speech move as speech does?

A fan that is switched on is louder than the room for as long as it takes a detector to get used to
it, and a recogniser that is trained on speech hears letters in it. Speech is told from such noise by
its level: syllables come and go three to five times a second (Houtgast and Steeneken 1985, "A review of
the MTF concept in room acoustics"), by ten dB and more, where noise is steady.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from asrd.core.flow import Hypothesis, Window
from asrd.core.units import samples
from asrd.daemon.vad.floor import SpeechBand

FRAME = samples(0.020)
SMOOTHING = 5
"""Frames a level is the mean of: shorter than a syllable, long enough for the chance in noise to even out."""

LOUD = 10.0
"""dB below the loudest: what is quieter is not part of the noise, but around it."""

STEADY = 2.5
"""dB around the median within which a level is steady."""

SHARE = 0.94
"""Of the loud frames: where more are steady, nobody spoke. Measured with `STEADY`: no more than 0.88 in 160
sentences, clean or in noise as loud as they, and 0.99 in noises that begin."""

ENOUGH = 25
"""Loud frames, 0.5 s, without which nothing can be told: what stays shorter is taken for speech."""


class Evidence:
    """Of one utterance. Once it was found to be speech it stays speech, so no text is taken back."""

    def __init__(self) -> None:
        self._band = SpeechBand(FRAME)
        self._powers: list[npt.NDArray[np.float64]] = []
        self._speech = False

    def weigh(self, window: Window, hypothesis: Hypothesis) -> Hypothesis:
        """The hypothesis where the level is that of speech, an empty one of no confidence where it is that of noise.

        Until that can be told it is the hypothesis without a stable part.
        """
        if not self._speech:
            heard = window.pcm[window.left : max(window.left, window.speech_end - window.start)]
            powers = [*self._powers, self._band.powers(heard)]
            if not window.provisional:
                self._powers = powers
            share = steadiness(np.concatenate(powers))
            if share is None and not window.last:
                return replace(hypothesis, stable=0)
            self._speech = share is None or share <= SHARE
        return hypothesis if self._speech else Hypothesis("")


def steadiness(powers: npt.NDArray[np.float64]) -> float | None:
    """Share of the loud frames `(n,)` whose level is steady, in [0, 1]; None where there are too few."""
    if len(powers) < SMOOTHING:
        return None
    smooth = np.convolve(powers, np.full(SMOOTHING, 1 / SMOOTHING), "valid")
    level = 10 * np.log10(smooth)
    loud = level[level > level.max() - LOUD]
    if len(loud) < ENOUGH:
        return None
    return float(np.mean(np.abs(loud - np.median(loud)) <= STEADY))
