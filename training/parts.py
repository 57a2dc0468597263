"""Batches of parts of utterances, and of new ones spliced from them; they need the positions of letters."""

from collections.abc import Callable

import numpy as np

from asrd.core.units import MAX_WINDOW, SAMPLE_RATE
from asrd.training.batches import Batches, faster
from asrd.training.splices import splice, stretch
from asrd.training.vocabulary import spelling
from asrd.training.windows import Clip, window

_WINDOWS, _SPLICED, _LONG = 0.5, 0.7, 0.93
"""Cumulative shares of batches that hold windows, splices, and stretches of at most 5 s; the rest hold longer ones."""

_EMPTY = 0.03
"""Share of clips without words."""


_Make = Callable[[int, np.random.Generator], Clip]
"""Makes a clip of about the given number of samples."""


class Parts(Batches):
    """Half of the batches hold windows as the daemon cuts them; the others hold splices or stretches."""

    def clips(self, number: int, rng: np.random.Generator) -> list[Clip]:
        """Make the clips of a batch, all of one kind."""
        kind = rng.random()
        if kind < _WINDOWS:
            count = max(2, round(self.plan.batch * SAMPLE_RATE / MAX_WINDOW))
            return [self._or_nothing(self._window, MAX_WINDOW, rng) for _ in range(count)]
        samples = int(rng.uniform(*((1.2, 5.0) if kind < _LONG else (5.0, 12.0))) * SAMPLE_RATE)
        make = self._splice if kind < _SPLICED else self._stretch
        count = max(2, int(self.plan.batch * SAMPLE_RATE / (samples + 3000)))
        return [self._or_nothing(make, samples, rng) for _ in range(count)]

    def _or_nothing(self, make: _Make, samples: int, rng: np.random.Generator) -> Clip:
        if rng.random() < _EMPTY:
            return self.nothing(samples, rng)
        clip = make(samples, rng)
        level = 10 ** (rng.uniform(-5, 4) / 20) if rng.random() < 0.6 else 1.0
        # the daemon normalises by the level of the utterance so far, which is not that of the window
        return Clip(clip.pcm * np.float32(level), clip.letters, clip.first, clip.last)

    def _window(self, _: int, rng: np.random.Generator) -> Clip:
        spoken = self.library.draw(rng)
        pcm, tempo = faster(spoken.pcm, rng)
        heard, lead = self.heard(pcm, rng, 0.6)
        return window(heard, np.array(spelling(spoken.text)), spoken.spans.mean(1) / tempo + lead, rng)

    def _stretch(self, samples: int, rng: np.random.Generator) -> Clip:
        pcm, text = stretch(lambda: self.library.draw(rng), samples, rng)
        heard, _ = self.heard(faster(pcm, rng)[0], rng, 0.3 if rng.random() < 0.6 else 0.0)
        return Clip(heard, np.array(spelling(text)))

    def _splice(self, samples: int, rng: np.random.Generator) -> Clip:
        own = self.library.by_speaker(self.library.draw(rng))
        made = splice(lambda: own[int(rng.integers(len(own)))], samples, rng)
        if made is None:
            return self._stretch(samples, rng)
        return Clip(self.heard(faster(made[0], rng)[0], rng, 0.0)[0], np.array(spelling(made[1])))
