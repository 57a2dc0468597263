"""One transcribed utterance, whatever data set it came from."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soundfile
import soxr

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.files import Sequential
from asrd.daemon.sources.resample import check_rate

_BLOCK = 1 << 20
_NOTHING = np.empty(0, np.float32)


class Encoded(Protocol):
    """A sound file: a `Path`, or anything that reads like one. Nothing is held in memory before."""

    def read_bytes(self) -> bytes:
        """Read all of the file, undecoded. Raises OSError if that fails."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and its transcript. id: unique within its data set, the same each time it is read. speaker: "" if
    unknown.
    """

    id: str
    text: str
    audio: Encoded
    speaker: str = ""


def _mono(file: Sequential) -> Iterator[FloatArray]:
    """Yield the mean of the channels, `(n,)`. The length in the header is not asked for: a FLAC that was written into
    a pipe has none.
    """
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        yield block.mean(axis=1, dtype=np.float32)


def read(clip: Clip) -> FloatArray:
    """Read the whole clip as mono float32 `(samples,)` at 16 kHz. Raises AudioError if it cannot be read."""
    try:
        with Sequential(io.BytesIO(clip.audio.read_bytes())) as file:
            rate, mono = file.samplerate, np.concatenate([_NOTHING, *_mono(file)])
    except OSError as error:
        raise AudioError(f"{clip.id} cannot be read ({error.strerror or error}); fix the data set") from error
    except soundfile.SoundFileError as error:
        raise AudioError(f"{clip.id} cannot be read as audio; convert the file or leave it out") from error
    check_rate(rate, clip.id)
    if not len(mono) or not np.isfinite(mono).all():
        raise AudioError(f"{clip.id} is empty or holds values that are not numbers; leave it out")
    resampled: FloatArray = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return resampled
