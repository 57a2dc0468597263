"""Draw speech from a folder of shards: from each data set and voice as often as its share says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.training.align import IMPOSSIBLE, Positions
from asrd.training.store import Shard, Utterance, shards

_LEAST, _WORST = -1.0, 0.05
"""Lowest log-probability per frame of an alignment, and the largest share of utterances that are left out.

Utterances with a lower one say something else than their text.
"""

_USUAL = 0.1
"""Share of a data set or voice that is not named."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """An utterance. spans: the first and last sample of each of its letters, `(letters, 2)`; none before alignment."""

    shard: Shard
    utterance: Utterance
    spans: np.ndarray

    @property
    def pcm(self) -> FloatArray:
        """Samples, `(samples,)` in [-1, 1]."""
        return self.shard.pcm(self.utterance)

    @property
    def text(self) -> str:
        """Its text, as `labels` spells it."""
        return self.utterance.text


class Library:
    """The utterances of a folder of shards."""

    def __init__(self, folder: Path, shares: Mapping[str, float], *, aligned: bool) -> None:
        """shares: by the name of the data set or voice. aligned: take only utterances whose letters have positions.

        Raises UsageError where there is nothing to draw, ModelError where positions cannot be read.
        """
        groups: dict[str, list[Spoken]] = {}
        for row in _aligned(folder) if aligned else _plain(folder):
            groups.setdefault(row.shard.group, []).append(row)
        groups = dict(sorted(groups.items()))
        self.hours = {name: sum(row.utterance.seconds for row in rows) / 3600 for name, rows in groups.items()}
        weights = np.array([shares.get(name, _USUAL) for name in groups])
        if not weights.sum() > 0 or weights.min() < 0:
            raise UsageError(f"there is nothing to learn from in {folder}; name other speech, voices or shares")
        self._weights = weights / weights.sum()
        self._groups = list(groups.values())
        self._ends = [np.cumsum([row.utterance.samples for row in rows]) for rows in self._groups]
        self._speakers: dict[tuple[str, str], list[Spoken]] = {}
        for rows in self._groups:
            for row in rows:
                self._speakers.setdefault((row.shard.group, row.utterance.speaker), []).append(row)

    def draw(self, rng: np.random.Generator) -> Spoken:
        """Draw a data set or voice by its share, and from it an utterance, with a probability proportional to its
        length.
        """
        group = int(rng.choice(len(self._groups), p=self._weights))
        ends = self._ends[group]
        return self._groups[group][int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))]

    def by_speaker(self, spoken: Spoken) -> list[Spoken]:
        """Return all utterances of the same speaker."""
        return self._speakers[spoken.shard.group, spoken.utterance.speaker]


def _plain(folder: Path) -> list[Spoken]:
    none = np.zeros((0, 2), np.int64)
    return [Spoken(shard, utterance, none) for shard in shards(folder) for utterance in shard.utterances]


def _aligned(folder: Path) -> list[Spoken]:
    rows, scores = [], []
    for shard in shards(folder):
        found = Positions.load(shard.path)
        for utterance, spans, score in zip(shard.utterances, found.spans, found.scores, strict=True):
            if score > IMPOSSIBLE:
                rows.append(Spoken(shard, utterance, spans))
                scores.append(score)
    least = min(_LEAST, np.quantile(scores, _WORST)) if scores else _LEAST
    return [row for row, score in zip(rows, scores, strict=True) if score >= least]
