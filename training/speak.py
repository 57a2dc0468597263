"""Write shards of synthetic speech."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.training.corpus import Corpus
from asrd.training.store import Utterance, write_shard
from asrd.training.text import labels
from asrd.training.voices import VOICES, Voice

SHARD_HOURS = 0.5

_MARGIN = SAMPLE_RATE // 10
_LONGEST_S = 8.0


def spoken(
    voice: Voice, corpus: Corpus, seed: int, hours: float = SHARD_HOURS
) -> Iterator[tuple[FloatArray, Utterance]]:
    """Yield phrases drawn with `seed`, until `hours` are full; silence at either end is trimmed to 0.1 s."""
    rng = random.Random(seed)
    left = hours * 3600
    while left > 0:
        text = corpus.draw(rng)
        pcm, speaker = voice(text, rng)
        loud = np.flatnonzero(np.abs(pcm) > 0.01)
        if len(loud) < SAMPLE_RATE // 8:
            continue
        pcm = pcm[max(0, int(loud[0]) - _MARGIN) : int(loud[-1]) + _MARGIN]
        if not 0.3 < len(pcm) / SAMPLE_RATE < _LONGEST_S:
            continue
        left -= len(pcm) / SAMPLE_RATE
        yield pcm / np.abs(pcm).max() * 0.7, Utterance(0, len(pcm), labels(text), speaker)


def speak(name: str, corpus: Corpus, folder: Path, seed: int, hours: float = SHARD_HOURS) -> Path:
    """Write one shard of a voice, unless it exists; another seed gives another shard."""
    path = folder / f"{name}-{seed:03d}.jsonl"
    if not path.exists():
        write_shard(path, spoken(VOICES[name](), corpus, seed, hours))
    return path
