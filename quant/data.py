"""Transcribed speech for calibrating and measuring."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.models.speech import Utterance, bundled, load


def dataset(name: str) -> list[Utterance]:
    """`bundled`, or the path of a JSON-lines manifest (`audio` and `text` a line).

    Raises UsageError where it is neither, AudioError where the manifest is faulty.
    """
    if name == "bundled":
        return bundled()
    if not Path(name).is_file():
        raise UsageError(f"no data set '{name}'; give 'bundled' or the path of a JSON-lines manifest")
    return load(Path(name))


def split(utterances: Sequence[Utterance], seed: int) -> tuple[list[Utterance], list[Utterance]]:
    """Two halves at random, one to calibrate on and one to measure on: never the same speech for both."""
    if len(utterances) < 2:
        raise UsageError("a data set needs at least two utterances: one to calibrate on, one to measure on")
    shuffled = random.Random(seed).sample(list(utterances), len(utterances))
    half = len(shuffled) // 2
    return shuffled[:half], shuffled[half:]


def read(utterance: Utterance) -> FloatArray:
    """The utterance as mono float32 `(samples,)` at 16 kHz. Raises AudioError where it cannot be read."""
    try:
        pcm, rate = soundfile.read(utterance.audio, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioError(f"{utterance.audio} cannot be read as audio; mend the manifest or the file") from error
    mono = pcm.mean(axis=1, dtype=np.float32)
    if not len(mono) or not np.isfinite(mono).all():
        raise AudioError(f"{utterance.audio} is empty or holds values that are not numbers; leave it out")
    resampled: FloatArray = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return resampled
