"""Align the letters of all utterances with the network itself, once it has learnt to spell."""

from collections.abc import Callable

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.training.align import Positions, path, samples
from asrd.training.batches import normalized
from asrd.training.store import Shard
from asrd.training.vocabulary import spelling

_TOGETHER = 80 * SAMPLE_RATE
"""Samples computed at once, padding included."""


def align(shard: Shard, log_probs: Callable[[list[FloatArray]], list[FloatArray]]) -> None:
    """Write the positions of a shard's letters beside it.

    log_probs: computes `(frames, labels)` for each of some clips of unit variance.
    """
    rows = shard.utterances
    found = Positions([], [])
    by_row: dict[int, tuple[FloatArray, float]] = {}
    for group in _groups([row.samples for row in rows]):
        heard = log_probs([normalized(shard.pcm(rows[row])) for row in group])
        for row, each in zip(group, heard, strict=True):
            by_row[row] = path(each, spelling(rows[row].text))
    for row in range(len(rows)):
        frames, score = by_row[row]
        found.spans.append(samples(frames))
        found.scores.append(score)
    found.save(shard.path)


def _groups(lengths: list[int]) -> list[list[int]]:
    """Sort indices by length, into groups that are small enough to compute at once."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if not groups or lengths[index] * (len(groups[-1]) + 1) > _TOGETHER:
            groups.append([])
        groups[-1].append(index)
    return groups
