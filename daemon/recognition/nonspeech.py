"""Decide whether the VAD's speech is made of syllables, or of noise, knocks or notes.

A detector hears a voice in whatever is louder than the room, until it has adapted, and in what comes and goes; a
recogniser that is trained on speech hears letters there. Three things tell speech from such sounds, whatever the
recogniser:

- It moves. Syllables come and go three to five times a second (Houtgast and Steeneken 1985, "A review of
  the MTF concept in room acoustics"), by ten dB and more, while a fan is steady.
- It is sustained. A syllable's vowel stays equally loud for 80 ms and longer, whispered or not; keys and other
  knocks decay from the moment they are heard.
- It glides. The pitch of a voice never rests, while that of a note does, and between syllables there is
  less sound than under music: see `features.py`.
"""

from dataclasses import replace

import numpy as np

from asrd.core.flow import Hypothesis, Window
from asrd.daemon.recognition.features import Analysis, Array, Features

SMOOTHING = 10
"""Number of levels averaged, 100 ms: shorter than a syllable, long enough to even out the randomness of noise."""

LOUD = 10.0
"""dB below the loudest level: quieter levels are not part of the noise, but around it."""

STEADY = 2.5
"""dB around the median within which a level is steady."""

STEADY_SHARE = 0.94
"""Share of steady levels among the loud ones above which nobody spoke. Measured with `STEADY`: at most 0.85 in 267
utterances, 0.93 in equally loud noise, and 0.98 and more in fans that are switched on.
"""

HELD, HELD_WITHIN, HELD_LOUD = 7, 6.0, 20.0
"""A sustained sound: so many levels in a row, 80 ms, within so many dB of each other and so many dB of the loudest."""

HELD_SHARE = 0.008
"""Share of sustained levels below which nothing but knocks was heard. Measured: at least 0.022 in 267 utterances,
clean or 40 dB quieter, 0.021 when their voice was made a whisper; none in typing, synthetic or recorded, also with
noise 10 dB below it.
"""

TONAL_LOUD = 15.0
"""dB below the loudest spectrum within which tones are sought."""

DIP = 12.0
"""dB below the loud levels (95th percentile): a tenth and more of the levels of speech are that low, unless noise
fills its pauses.
"""

TONAL, TONAL_DIPS, TONAL_MOST = 0.2, 0.75, 0.42
"""Tonal share above which there was music: the first value if nothing dips, plus the second times the share of levels
that dip, but at most the third.

Measured: sentences have at most 0.22 with 0.65 dips, those of a monotonous synthetic voice 0.33 with 0.20, and in
equally loud noise 0.17 without dips; synthetic music has 0.23 to 0.98, and music of games a median of 0.35.
"""

FEW, ENOUGH = 8, 25
"""Number of loud spectra, or of pairs of loud levels: with fewer than the first, 0.16 s, tones cannot be judged; with
the second, 0.5 s, everything can.
"""


class Evidence:
    """Collect the evidence that one utterance is speech. Once found to be speech it stays speech, so that no text is
    taken back. Only committed windows can establish it, because their kept parts follow each other: the number of
    previews depends on the speed of the machine.
    """

    def __init__(self) -> None:
        self._analysis = Analysis()
        self._speech = False

    def weigh(self, window: Window, hypothesis: Hypothesis) -> Hypothesis:
        """Return the hypothesis if there is speech, an empty one with confidence 0 if there is another sound.

        Until that is known, return the hypothesis without a stable part.
        """
        if self._speech:
            return hypothesis
        end = min(window.keep_end, window.speech_end) - window.start
        heard = window.pcm[window.left : max(window.left, end)]
        spoken = is_speech(self._analysis.peek(heard) if window.provisional else self._analysis.add(heard))
        if spoken is False:
            return Hypothesis("")
        if window.provisional or (spoken is None and not window.last):
            return replace(hypothesis, stable=0)
        self._speech = True
        return hypothesis


def is_speech(features: Features) -> bool | None:
    """Return whether the features are those of speech; None if that cannot be told yet."""
    if len(features.levels) >= HELD and sustained(features.levels) < HELD_SHARE:
        return False
    share, loud = tonality(features)
    if loud >= FEW and share > min(TONAL + TONAL_DIPS * dips(features.levels), TONAL_MOST):
        return False
    steady, moments = steadiness(features.levels)
    if moments >= ENOUGH and steady > STEADY_SHARE:
        return False
    return True if min(loud, moments) >= ENOUGH else None


def steadiness(levels: Array) -> tuple[float, float]:
    """Return the share of the loud levels that are steady, in [0, 1], and the number of pairs of loud levels."""
    if len(levels) < SMOOTHING:
        return 0.0, 0.0
    smooth = 10 * np.log10(np.convolve(10 ** (levels / 10), np.full(SMOOTHING, 1 / SMOOTHING), "valid"))
    loud = smooth[smooth > smooth.max() - LOUD][SMOOTHING // 2 :]  # without the rise, an artefact of the mean
    if not len(loud):
        return 0.0, 0.0
    return float(np.mean(np.abs(loud - np.median(loud)) <= STEADY)), len(loud) / 2


def sustained(levels: Array) -> float:
    """Return the share of moments from which on the level stays the same, in [0, 1]; needs at least `HELD` levels."""
    runs = np.lib.stride_tricks.sliding_window_view(levels, HELD)
    least = runs.min(axis=1)
    held = (runs.max(axis=1) - least <= HELD_WITHIN) & (least > levels.max() - HELD_LOUD)
    return float(held.mean())


def dips(levels: Array) -> float:
    """Return the share of levels far below the loud ones, in [0, 1], from the first loud one to the last."""
    low = levels < np.percentile(levels, 95) - DIP
    first, last = low.argmin(), len(low) - low[::-1].argmin()
    return float(low[first:last].mean())


def tonality(features: Features) -> tuple[float, int]:
    """Return the mean tonal share of the loud spectra, in [0, 1], and the number of loud spectra."""
    if not len(features.energies):
        return 0.0, 0
    loud = features.energies > features.energies.max() * 10 ** (-TONAL_LOUD / 10)
    return float(features.tonal[loud].mean()), int(loud.sum())
