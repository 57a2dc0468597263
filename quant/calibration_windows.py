"""Windows for calibration, from which the ranges of activations are learned."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray, Window
from asrd.core.units import MAX_WINDOW, Samples, samples, seconds
from asrd.daemon.recognition.recognizer import normalize
from asrd.daemon.segmentation.level import Moments
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import create
from asrd.models import ModelDirectory
from asrd.quant.data import Clip, read

BACKGROUND = samples(0.10)
"""Length of the quietest part of a clip, which stands for the room it was recorded in."""

PAUSE = samples(1.0)
"""Silence between clips: longer than the silence that ends an utterance, and than a window's left context."""


def calibration_windows(
    model: ModelDirectory,
    clips: Sequence[Clip],
    count: int,
    seed: int,
    on: Literal["windows", "utterances"] = "windows",
) -> FloatArray:
    """Return at most `count` windows `(windows, MAX_WINDOW)` float32, normalised as the model expects.

    on: "windows" are those that the daemon would cut if it heard the clips in a random order with pauses between
    them: chosen by its voice activity detection, with its context, at its level. "utterances" are normalised whole,
    joined end to end and cut at fixed length. Either way every window is full, and all have the same chance to be
    chosen.
    One clip is held in memory at a time, and no more than `count` windows of 4 * MAX_WINDOW bytes.
    Raises UsageError if there is less speech than one window, AudioError if a clip cannot be read.
    """
    chance = np.random.default_rng(seed)
    ordered = (clips[index] for index in chance.permutation(len(clips)))
    windows = _choose(_CUTS[on](model, ordered), count, chance)
    if not windows:
        raise UsageError(f"calibration needs at least {seconds(MAX_WINDOW):.1f} s of speech; give a larger data set")
    return np.stack(windows)


def _choose(windows: Iterable[FloatArray], count: int, chance: np.random.Generator) -> list[FloatArray]:
    """Choose windows by reservoir sampling: fairly, however many there turn out to be."""
    chosen: list[FloatArray] = []
    for seen, window in enumerate(windows):
        if len(chosen) < count:
            chosen.append(window)
        elif (place := chance.integers(seen + 1)) < count:
            chosen[place] = window
    return chosen


def _as_heard(model: ModelDirectory, clips: Iterable[Clip]) -> Iterator[FloatArray]:
    """Yield the daemon's own windows.

    Previews are left out, because the next window has their audio again, and so are the shorter windows where a
    stream begins or ends.
    """
    segmenter = Segmenter(create(), model.geometry, SegmenterSettings(partial_interval=Samples(0)))
    for clip in clips:
        pcm = read(clip)
        pause = _background(pcm)
        for block in (pause, pcm, pause):
            for item in segmenter.push(block):
                if isinstance(item, Window) and not item.provisional and len(item.pcm) == MAX_WINDOW:
                    yield normalize(item.pcm, item.level) if model.normalize else item.pcm


def _background(pcm: FloatArray) -> FloatArray:
    """Make a pause `(PAUSE,)` from the clip's quietest part, forth and back so that it has no seams. It is made 20 dB
    quieter still, because repetition sounds like a voice to the detector.
    """
    size = min(int(BACKGROUND), len(pcm))
    energy = np.cumsum(np.concatenate([[0.0], np.square(pcm, dtype=np.float64)]))
    start = int(np.argmin(energy[size:] - energy[:-size]))
    quiet = pcm[start : start + size] * np.float32(0.1)
    return np.resize(np.concatenate([quiet, quiet[::-1]]), PAUSE)


def _plainly(model: ModelDirectory, clips: Iterable[Clip]) -> Iterator[FloatArray]:
    """Yield pieces of utterances joined end to end. Padding, which would widen or narrow ranges, is never needed."""
    rest = np.zeros(0, np.float32)
    for clip in clips:
        pcm = read(clip)
        moments = Moments()
        moments.add(pcm)
        rest = np.concatenate([rest, normalize(pcm, moments.level()) if model.normalize else pcm])
        whole = len(rest) // MAX_WINDOW * MAX_WINDOW
        yield from rest[:whole].reshape(-1, MAX_WINDOW)
        rest = rest[whole:]


_CUTS: dict[str, Callable[[ModelDirectory, Iterable[Clip]], Iterator[FloatArray]]] = {
    "windows": _as_heard,
    "utterances": _plainly,
}
