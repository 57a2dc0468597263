"""One transcribed utterance, whatever data set it came from."""

import io
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soundfile
import soxr

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.resample import check_rate


class Encoded(Protocol):
    """A sound file: a `Path`, or what can be read like one. Nothing is held in memory until it is."""

    def read_bytes(self) -> bytes:
        """All of the file, undecoded. Raises OSError where that fails."""


@dataclass(frozen=True, slots=True)
class Clip:
    """id: unique within its data set, the same each time it is read. speaker: "" where unknown."""

    id: str
    text: str
    audio: Encoded
    speaker: str = ""


def read(clip: Clip) -> FloatArray:
    """The whole clip as mono float32 `(samples,)` at 16 kHz. Raises AudioError where it cannot be read."""
    try:
        pcm, rate = soundfile.read(io.BytesIO(clip.audio.read_bytes()), dtype="float32", always_2d=True)
    except OSError as error:
        raise AudioError(f"{clip.id} cannot be read ({error.strerror or error}); fix the data set") from error
    except soundfile.SoundFileError as error:
        raise AudioError(f"{clip.id} cannot be read as audio; convert the file or leave it out") from error
    check_rate(rate, clip.id)
    mono = pcm.mean(axis=1, dtype=np.float32)
    if not len(mono) or not np.isfinite(mono).all():
        raise AudioError(f"{clip.id} is empty or holds values that are not numbers; leave it out")
    resampled: FloatArray = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return resampled
