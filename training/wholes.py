"""Batches of whole utterances, from which a new head learns to spell."""

import numpy as np

from asrd.training.batches import Batches, faster
from asrd.training.library import Spoken
from asrd.training.vocabulary import spelling
from asrd.training.windows import Clip

_POOL = 8
"""Batches that are drawn together and sorted by length, so that little is padded."""

_EMPTY = 0.02
"""Share of clips without words."""


class Wholes(Batches):
    """Batches of whole utterances of about the same length."""

    aligned = False

    def clips(self, number: int, rng: np.random.Generator) -> list[Clip]:
        """Make the clips of a batch, all of about the same length."""
        pool, place = divmod(number, _POOL)
        return [self._whole(spoken, rng) for spoken in self._drawn(pool)[place]]

    def _drawn(self, pool: int) -> list[list[Spoken]]:
        """Draw the utterances of a pool's batches, in the order in which the batches are used."""
        rng = np.random.default_rng((self.plan.seed, 2, pool))
        drawn: list[Spoken] = []
        while sum(spoken.utterance.seconds for spoken in drawn) < _POOL * self.plan.batch or len(drawn) < _POOL:
            drawn.append(self.library.draw(rng))
        drawn.sort(key=lambda spoken: spoken.utterance.samples)
        ends = np.cumsum([spoken.utterance.samples for spoken in drawn])
        first = np.searchsorted(ends, ends[-1] * np.arange(_POOL) / _POOL, side="right")
        last = np.maximum([*first[1:], len(drawn)], first + 1)  # a single long one may fill more than its part
        return [drawn[first[place] : last[place]] for place in rng.permutation(_POOL)]

    def _whole(self, spoken: Spoken, rng: np.random.Generator) -> Clip:
        if rng.random() < _EMPTY:
            return self.nothing(spoken.utterance.samples, rng)
        pcm, _ = self.heard(faster(spoken.pcm, rng)[0], rng, 0.3)
        return Clip(pcm, np.array(spelling(spoken.text)))
