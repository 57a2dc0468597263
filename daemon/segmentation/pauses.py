"""How long this speaker's pauses are, and so how long a silence ends an utterance. Pure counting: no clock."""

import math
from typing import Annotated

import msgspec
import numpy as np

from asrd.core.units import samples
from asrd.daemon.state import State, Stateful

SHORTEST = samples(0.10)
"""A silence shorter than this lies within words: the closure of a stop consonant lasts as long."""

TOLERATED = 1.0 / samples(60.0)
"""Pauses that outlast the limit and so cut a sentence, a sample of speech: one in a minute."""

MEMORY = samples(60.0)
"""Speech over which what was counted fades to 1/e of its weight."""

PRIOR = samples(20.0)
"""Speech that the pauses assumed in the beginning weigh as much as."""

FREQUENT = 0.3 / samples(1.0)
"""Pauses assumed in the beginning, a sample of speech."""

STEEPNESS = 6.0
"""How sharply one pause foretells others like it. A pause of x samples makes one of more than y as likely as
1 / (1 + (y / x) ** STEEPNESS), the log-logistic distribution: in the logarithm of the length, which is
how people's pauses differ, it is a bell with a standard deviation of 0.3.
"""

LENGTHS = 128
"""For so many lengths it is known how many pauses are longer."""


class PausesState(State, frozen=True):
    """longer: pauses that are longer, for each of the lengths. speech: samples. Both have faded up to now but for `new`
    samples of speech.
    """

    longer: Annotated[list[float], msgspec.Meta(min_length=LENGTHS, max_length=LENGTHS)]
    speech: float
    new: int


class Pauses(Stateful[PausesState]):
    """The limit at which as many pauses are expected to be longer as are `TOLERATED`.

    Counted are the pauses of a stream, and the speech between them; both fade. In the beginning
    stands an assumption under which the limit is `typical`. So fluent speech lowers the limit even
    when it has no pauses at all, and a speaker who ponders raises it after a few.
    """

    def __init__(self, typical: int) -> None:
        self._grid = np.geomspace(SHORTEST / 4, samples(60.0), LENGTHS)
        middle = typical / (FREQUENT / TOLERATED - 1) ** (1 / STEEPNESS)
        self._longer = FREQUENT * PRIOR / (1 + (self._grid / middle) ** STEEPNESS)
        self._speech, self._new = float(PRIOR), 0

    def state(self) -> PausesState:
        """What was counted."""
        return PausesState(self._longer.tolist(), self._speech, self._new)

    def resume(self, state: PausesState) -> None:
        """Go on counting from there."""
        self._longer, self._speech, self._new = np.array(state.longer), state.speech, state.new

    def speech(self, length: int) -> None:
        """So many more samples were spoken."""
        self._new += length

    def pause(self, length: int) -> None:
        """The speaker went on after a silence of so many samples."""
        if length >= SHORTEST:
            self.limit()
            self._longer += 1 / (1 + (self._grid / length) ** STEEPNESS)

    def limit(self) -> float:
        """In samples, from what was counted up to now."""
        faded = math.exp(-self._new / MEMORY)
        self._longer *= faded
        self._speech = self._speech * faded + self._new
        self._new = 0
        rates = self._longer / self._speech
        return float(np.exp(np.interp(TOLERATED, rates[::-1], np.log(self._grid[::-1]))))
