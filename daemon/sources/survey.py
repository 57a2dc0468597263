"""Look through a file before it is heard: how loud it gets, and which channels hold more than hum."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.daemon.sources.reader import Reader

STEP = 0.1
"""Seconds over which a level is taken: whole periods of hum at 50 and 60 Hz."""

CHANGE_DB = 6.0
"""Decibels by which the level of a channel must change for more than hum to be on it; speech changes by 20 and more."""

ENOUGH = 60
"""Seconds after which channels that all change are looked at no more."""

_FLOOR = 1e-5
"""Level below which all is silence: -100 dB."""


@dataclass(frozen=True, slots=True)
class Survey:
    """peak: the largest absolute sample, 1 if the format allows no larger one. heard: the channels, from 0, whose level
    changes; all of them if none does.
    """

    peak: float
    heard: tuple[int, ...]


def survey(reader: Reader, mixed: bool = True) -> Survey:
    """Look through a file that was just opened, as far as needed, and close it. Damage is told when it is heard.

    mixed: whether channels are to be averaged.
    """
    with closing(reader):
        every = tuple(range(reader.channels))
        if (not mixed or len(every) == 1) and not reader.floating:
            return Survey(1.0, every)
        peak, low, high = 1.0, np.full(len(every), np.inf), np.full(len(every), -np.inf)
        for second, pcm in enumerate(_until_damage(reader)):
            if reader.floating:
                peak = max(peak, float(np.abs(pcm[np.isfinite(pcm)]).max(initial=0.0)))
            elif second >= ENOUGH and (high - low >= CHANGE_DB).all():
                break
            if len(levels := _levels(pcm, round(STEP * reader.rate))):
                low, high = np.minimum(low, levels.min(axis=0)), np.maximum(high, levels.max(axis=0))
        heard = tuple(channel for channel in every if high[channel] - low[channel] >= CHANGE_DB)
        return Survey(peak, heard or every)


def _until_damage(reader: Reader) -> Iterator[FloatArray]:
    """Yield the file second by second, as far as it can be read."""
    try:
        yield from reader.blocks(reader.rate)
    except AudioError:
        return


def _levels(pcm: FloatArray, step: int) -> FloatArray:
    """Return the level of each channel in each whole step, `(steps, channels)`, in decibels."""
    steps = pcm[: len(pcm) - len(pcm) % step].reshape(-1, step, pcm.shape[1])
    levels: FloatArray = 20 * np.log10(np.sqrt(np.square(steps, dtype=np.float64).mean(axis=1)) + _FLOOR)
    return levels
