"""Windows from which the ranges of activations are learnt."""

from collections.abc import Sequence

import numpy as np

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, seconds
from asrd.daemon.level import Moments, normalize
from asrd.models import ModelDirectory
from asrd.models.speech import Utterance
from asrd.quant.data import read


def calibration_windows(model: ModelDirectory, utterances: Sequence[Utterance], count: int, seed: int) -> FloatArray:
    """At most `count` windows `(windows, MAX_WINDOW)` float32, normalised as the daemon does.

    The utterances are joined end to end in a random order and cut: every window is full of real
    audio, as it is in the daemon, and silence made up for padding never widens or narrows a range.
    Raises UsageError where there is less speech than one window.
    """
    generator = np.random.default_rng(seed)
    joined = np.concatenate([_normalized(model, utterances[index]) for index in generator.permutation(len(utterances))])
    available = len(joined) // MAX_WINDOW
    if available == 0:
        raise UsageError(f"calibration needs at least {seconds(MAX_WINDOW):.1f} s of speech; give a larger data set")
    windows = joined[: available * MAX_WINDOW].reshape(available, MAX_WINDOW)
    chosen = np.sort(generator.permutation(available)[:count])
    return windows[chosen]


def _normalized(model: ModelDirectory, utterance: Utterance) -> FloatArray:
    pcm = read(utterance)
    if not model.normalize:
        return pcm
    moments = Moments()
    moments.add(pcm)
    return normalize(pcm, moments.level())
