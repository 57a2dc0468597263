"""One transcribed utterance, whatever data set it came from."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import soundfile
import soxr

from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.resample import check_rate
from asrd.daemon.sources.sound import Sequential
from asrd.quant.data.columns import WHOLE, Span

OVERSHOOT = 0.5
"""Seconds by which a cut may end after its file: tables round, and count padding. Kaldi allows as much."""

_BLOCK = 1 << 20
_NOTHING = np.empty(0, np.float32)


class Encoded(Protocol):
    """A sound file: a `Path`, or anything that reads like one. Nothing is held in memory before."""

    def read_bytes(self) -> bytes:
        """Read all of the file, undecoded. Raises OSError if that fails."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and its transcript.

    id: unique within its data set, the same each time it is read. speaker: "" if unknown. span: the part of the audio
    that is meant. where: the line of the table that lists it. fault: why the data set's own
    description rules it out, "" if it does not.
    """

    id: str
    text: str
    audio: Encoded
    speaker: str = ""
    span: Span = WHOLE
    where: str = ""
    fault: str = ""


def read(clip: Clip) -> FloatArray:
    """Read the whole clip as mono float32 `(samples,)` at 16 kHz. Raises AudioError if it cannot be read."""
    if clip.fault:
        raise AudioError(f"{clip.id} {clip.fault}")
    try:
        with _opened(clip.audio) as raw, Sequential(raw) as file:
            rate, mono = file.samplerate, _samples(file, clip)
    except OSError as error:
        raise AudioError(f"{clip.id} cannot be read ({error.strerror or error}); fix the data set") from error
    except (soundfile.SoundFileError, TypeError) as error:  # soundfile takes the suffix ".raw" for headerless data
        raise AudioError(f"{clip.id} cannot be read as audio; convert the file or leave it out") from error
    check_rate(rate, clip.id)
    if not len(mono) or not np.isfinite(mono).all():
        raise AudioError(f"{clip.id} is empty or holds values that are not numbers; leave it out")
    resampled: FloatArray = mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)
    return resampled


def _opened(audio: Encoded) -> BinaryIO:
    """Open the file. One on disk is not read into memory: of a long recording, a cut takes little."""
    return audio.open("rb") if isinstance(audio, Path) else io.BytesIO(audio.read_bytes())


def _samples(file: Sequential, clip: Clip) -> FloatArray:
    """Return the clip's samples at the file's rate, mono. Raises AudioError if a cut lies outside its file."""
    start, end = clip.span
    try:
        if start:
            file.seek(round(start * file.samplerate))
    except soundfile.SoundFileError as error:
        raise AudioError(f"{clip.id} begins at {start:g} s, after the end of its file; fix the data set") from error
    count = math.inf if end == math.inf else round((end - start) * file.samplerate)
    found = np.concatenate([_NOTHING, *_mono(file, count)])
    if count < math.inf and (missing := (count - len(found)) / file.samplerate) > OVERSHOOT:
        raise AudioError(f"{clip.id} ends at {end:g} s, {missing:.1f} s after its file; fix the data set")
    return found


def _mono(file: Sequential, count: float) -> Iterator[FloatArray]:
    """Yield the mean of the channels of the next frames, `(n,)`. count: how many, may be infinite. The length in the
    header is not asked for: a FLAC that was written into a pipe has none.
    """
    while len(block := file.read(min(_BLOCK, count), dtype="float32", always_2d=True)):
        count -= len(block)
        yield block.mean(axis=1, dtype=np.float32)
