"""Statistics of this speaker's pauses, and the silence that ends an utterance given them. Pure counting: no clock."""

import math
from typing import Annotated

import msgspec
import numpy as np

from asrd.core.units import samples
from asrd.daemon.state import State, Stateful

SHORTEST = samples(0.10)
"""A silence shorter than this lies within words: the closure of a stop consonant lasts as long."""

TOLERATED = 1.0 / samples(60.0)
"""Accepted rate of pauses that outlast the limit and so cut a sentence, per sample of speech: one per minute."""

MEMORY = samples(60.0)
"""Amount of speech over which the counts fade to 1/e of their weight."""

PRIOR = samples(20.0)
"""Amount of speech that the pauses assumed at the start weigh as much as."""

FREQUENT = 0.3 / samples(1.0)
"""Rate of pauses assumed at the start, per sample of speech."""

STEEPNESS = 6.0
"""Sharpness with which one pause predicts others like it. A pause of x samples makes one of more than y as likely as
1 / (1 + (y / x) ** STEEPNESS), the log-logistic distribution: in the logarithm of the length, which is how
people's pauses differ, it is bell-shaped with a standard deviation of 0.3.
"""

LENGTHS = 128
"""Number of lengths for which longer pauses are counted."""


class PausesState(State, frozen=True):
    """longer: faded number of pauses longer than each of the lengths. speech: faded samples of speech. new: samples
    of speech since then, in neither of the two yet.
    """

    longer: Annotated[list[float], msgspec.Meta(min_length=LENGTHS, max_length=LENGTHS)]
    speech: float
    new: int


class Pauses(Stateful[PausesState]):
    """Find the limit that pauses are expected to outlast at the rate `TOLERATED`.

    The pauses of a stream and the speech between them are counted; both counts fade. They start from an assumption
    under which the limit is `typical`. So fluent speech lowers the limit even if it has no pauses at all, and a
    speaker who ponders raises it after a few.
    """

    def __init__(self, typical: int) -> None:
        self._grid = np.geomspace(SHORTEST / 4, samples(60.0), LENGTHS)
        middle = typical / (FREQUENT / TOLERATED - 1) ** (1 / STEEPNESS)
        self._longer = FREQUENT * PRIOR / (1 + (self._grid / middle) ** STEEPNESS)
        self._speech, self._new = float(PRIOR), 0

    def state(self) -> PausesState:
        """Return the counts."""
        return PausesState(self._longer.tolist(), self._speech, self._new)

    def resume(self, state: PausesState) -> None:
        """Continue counting from there."""
        self._longer, self._speech, self._new = np.array(state.longer), state.speech, state.new

    def speech(self, length: int) -> None:
        """Note `length` more samples of speech."""
        self._new += length

    def pause(self, length: int) -> None:
        """Note that the speaker continued after a silence of `length` samples."""
        if length >= SHORTEST:
            self.limit()
            self._longer += 1 / (1 + (self._grid / length) ** STEEPNESS)

    def limit(self) -> float:
        """Return the limit, in samples, from the counts so far."""
        faded = math.exp(-self._new / MEMORY)
        self._longer *= faded
        self._speech = self._speech * faded + self._new
        self._new = 0
        rates = self._longer / self._speech
        return float(np.exp(np.interp(TOLERATED, rates[::-1], np.log(self._grid[::-1]))))
