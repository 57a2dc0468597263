"""Make recordings of speech with pauses, in noise, and mark where the speech is, to measure detectors with.

The clean recording shows where there is speech: 10 ms frames whose level is no more than 30 dB below the loud ones and
at least 6 dB above the pauses within the clip, with gaps shorter than 200 ms filled, the hangover of ITU-T P.56. The
signal-to-noise ratio uses the mean power while there is speech.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import sounds

from asrd.core.flow import FloatArray
from asrd.core.units import samples
from asrd.quant.data import Clip, read

STEP = samples(0.010)
BRIDGE = 20
"""Most steps of a gap that still counts as speech: 200 ms."""

LEVEL = -26.0
"""Level in dBFS of the speech while there is any: the usual level of telephone test signals (ITU-T P.56)."""

QUIET = 10 ** (-30 / 20)
"""Factor for recordings that are made 30 dB quieter."""


@dataclass(frozen=True)
class Recording:
    """Speech with pauses. pcm: `(samples,)`. active: True for each 10 ms with speech. text: all that is said."""

    pcm: FloatArray
    active: npt.NDArray[np.bool_]
    text: str


@dataclass(frozen=True)
class Condition:
    """A condition to record under. noise: its kind, "" for none. ratio: of speech to noise, in dB. quiet: all of it 30
    dB quieter.
    """

    noise: str = ""
    ratio: float = np.inf
    quiet: bool = False

    def __str__(self) -> str:
        parts = ["-30 dB"] * self.quiet + [f"{self.noise} {self.ratio:.0f}" if self.noise else "clean"]
        return ", ".join(parts)


def decibels(pcm: FloatArray) -> npt.NDArray[np.float64]:
    """Return the level of each 10 ms in dB, without a constant offset."""
    frames = pcm[: len(pcm) // STEP * STEP].reshape(-1, STEP).astype(np.float64)
    return 10 * np.log10(np.maximum(frames.var(axis=1), 1e-10))


def activity(pcm: FloatArray) -> npt.NDArray[np.bool_]:
    """Find the speech of a clean clip, for each 10 ms."""
    level = decibels(pcm)
    loud, quiet = np.percentile(level, 95), np.percentile(level, 5)
    active = level > max(loud - 30, min(quiet + 6, loud - 15))
    spoken = np.flatnonzero(active)
    for one, other in pairwise(spoken):
        active[one:other] |= other - one <= BRIDGE
    return active


def join(clips: Sequence[Clip], rng: np.random.Generator) -> Recording:
    """Join clips at one level, with pauses of 1 to 3 s after each, and 2 s before all."""
    pcm: list[FloatArray] = [np.zeros(samples(2.0), np.float32)]
    active = [np.zeros(samples(2.0) // STEP, bool)]
    for clip in map(read, clips):
        whole = clip[: len(clip) // STEP * STEP]
        spoken = activity(whole)
        loud = whole.reshape(-1, STEP)[spoken].ravel()
        pause = int(rng.uniform(100, 300)) * STEP
        pcm += [whole * np.float32(10 ** (LEVEL / 20) / sounds.rms(loud)), np.zeros(pause, np.float32)]
        active += [spoken, np.zeros(pause // STEP, bool)]
    return Recording(np.concatenate(pcm), np.concatenate(active), " ".join(clip.text for clip in clips))


def recordings(clips: Sequence[Clip], count: int, each: int) -> tuple[list[Recording], list[FloatArray]]:
    """Make at most `count` recordings of `each` clips, drawn at random from all; and return clips that are left, for
    babble.
    """
    rng = np.random.default_rng(0)
    order = rng.permutation(len(clips))
    chosen, rest = order[: count * each], order[count * each :]
    groups = [chosen[at : at + each] for at in range(0, len(chosen), each)]
    made = [join([clips[index] for index in group], rng) for group in groups]
    return made, [read(clips[index]) for index in (rest if len(rest) >= 6 else order)[:40]]


def noise(kind: str, n: int, seed: int, others: Sequence[FloatArray]) -> FloatArray:
    """Make `(n,)` of one kind; babble is six voices, each of which speaks other clips one after another."""
    if kind != "babble":
        made: FloatArray = getattr(sounds, kind)(n, seed)
        return made
    rng, mixed = np.random.default_rng(seed), np.zeros(n, np.float32)
    for _ in range(6):
        voice = np.concatenate([sounds.at_level(others[index], LEVEL) for index in rng.permutation(len(others))])
        mixed += np.resize(np.roll(voice, -int(rng.integers(len(voice)))), n)
    return mixed


def under(
    recording: Recording, conditions: Sequence[Condition], seed: int, others: Sequence[FloatArray]
) -> Iterator[tuple[Condition, FloatArray]]:
    """Yield the recording under each condition, clipped at full scale as by a sound card."""
    noises: dict[str, FloatArray] = {}
    for condition in conditions:
        pcm = recording.pcm
        if kind := condition.noise:
            if kind not in noises:
                noises[kind] = noise(kind, len(pcm), seed, others)
            pcm = pcm + sounds.at_level(noises[kind], LEVEL - condition.ratio)
        yield condition, np.clip(pcm * np.float32(QUIET if condition.quiet else 1), -1, 1)
