"""Speech whose word times are known: flite reports when each phone of what it speaks ends."""

import random
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import soundfile
import soxr

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, Samples, samples
from asrd.models.speech.make import sentences

PAUSE = "pau"


class Spoken(NamedTuple):
    """A word and when it is said, in samples."""

    word: str
    start: Samples
    end: Samples


class Timed(NamedTuple):
    """Speech with word times. pcm: mono float32 `(samples,)` at 16 kHz. words: all that is said in it."""

    pcm: FloatArray
    words: list[Spoken]


def timed(voice: str, count: int, seed: int) -> Iterator[Timed]:
    """Yield sentences of the bundled speech's grammar in one of flite's voices. Raises FileNotFoundError without
    flite.
    """
    spoken = (_speak(voice, sentence) for sentence in sentences(random.Random(seed)))
    for _ in range(count):
        yield next(one for one in spoken if one)


def _speak(voice: str, sentence: str) -> Timed | None:
    """Speak a sentence; None if it has other phones than its words have alone, which leaves open whose they are.

    A vowel that is reduced in the sentence ("a", "the") still counts as one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        phones = _flite(voice, sentence, "-psdur", path)
        pcm, rate = soundfile.read(path, dtype="float32")
    ends = [(name, float(end)) for name, end in (phone.rsplit(":", 1) for phone in phones)]
    times = [(start, end) for (_, start), (name, end) in zip([("", 0.0), *ends], ends, strict=False) if name != PAUSE]
    words, counts = sentence.upper().split(), [_count(voice, word) for word in sentence.split()]
    if sum(counts) != len(times):
        return None
    resampled: FloatArray = pcm if rate == SAMPLE_RATE else soxr.resample(pcm, rate, SAMPLE_RATE)
    spoken, first = [], 0
    for word, count in zip(words, counts, strict=True):
        own = times[first : first + count]
        spoken.append(Spoken(word, samples(own[0][0]), samples(own[-1][1])))
        first += count
    return Timed(resampled, spoken)


@cache
def _count(voice: str, word: str) -> int:
    """Count the phones of a word that is said alone."""
    return sum(phone != PAUSE for phone in _flite(voice, word, "-ps", Path("none")))


def _flite(voice: str, text: str, option: str, output: Path) -> list[str]:
    command = ["flite", "-voice", voice, "-t", text, option, "-o", str(output)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
