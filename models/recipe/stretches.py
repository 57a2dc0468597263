"""Parts of recorded speech, and new sentences made of them.

What is scarce is learnt by heart, sentence by sentence. Words of one speaker joined in an order that nobody said have
the same sound and no text to remember (Lam et al. 2021, "On-the-fly aligned data augmentation for sequence-to-sequence
ASR").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.models.recipe.store import Shard, Span, Utterance

Spoken = tuple[Shard, Utterance]

_FADE = SAMPLE_RATE // 100
"""Samples over which one piece fades into the next: 10 ms, for there to be no click."""

_RUN = 4
"""The most words that stay together in a splice."""


@dataclass(frozen=True, slots=True)
class Heard:
    """pcm: `(samples,)`. phones: with times in seconds; none where they are not known. whole: may lie in silence."""

    pcm: FloatArray
    text: str
    phones: list[Span] = field(default_factory=list)
    whole: bool = True


def whole(spoken: Spoken) -> Heard:
    """All of an utterance."""
    shard, utterance = spoken
    return Heard(shard.pcm(utterance), utterance.text, utterance.phones)


def part(spoken: Spoken, first: float, last: float, text: str) -> Heard:
    """From second `first` to second `last`, where `text` is said."""
    shard, utterance = spoken
    pcm = shard.pcm(utterance)[int(first * SAMPLE_RATE) : int(last * SAMPLE_RATE)]
    phones = [(name, start - first, end - first) for name, start, end in utterance.phones if end > first]
    return Heard(pcm, text, phones, whole=False)


def stretch(spoken: Spoken, seconds: float, rng: np.random.Generator) -> Heard:
    """Words that last about `seconds`, with up to half of the sound of their neighbours, as a window cuts them.

    Needs the times of the words. Longer than `seconds` only where a single word is.
    """
    utterance = spoken[1]
    words, room = utterance.words, seconds - 0.2
    first = int(rng.integers(len(words)))
    end = first + 1
    while end < len(words) and words[end][2] - words[first][1] < room:
        end += 1
    while first > 0 and words[end - 1][2] - words[first - 1][1] < room:
        first -= 1
    start, stop = words[first][1], words[end - 1][2]
    before = start - (words[first - 1][1] if first else 0.0)
    after = (words[end][2] if end < len(words) else utterance.seconds) - stop
    start -= rng.uniform(0, 0.5) * min(0.4, before)
    stop += rng.uniform(0, 0.5) * min(0.4, after)
    return part(spoken, max(0.0, start), stop, " ".join(word for word, _, _ in words[first:end]))


def splice(draw: Callable[[], Spoken], seconds: float, rng: np.random.Generator) -> Heard:
    """About `seconds` of up to four words from each of several utterances, in an order nobody said.

    draw: gives utterances of one speaker, with the times of their words.
    """
    pieces: list[Heard] = []
    length = 0.0
    while length < seconds and len(pieces) < 20:
        spoken = draw()
        words = spoken[1].words
        first = int(rng.integers(len(words)))
        end = min(len(words), first + int(rng.integers(1, _RUN + 1)))
        while end > first + 1 and length + words[end - 1][2] - words[first][1] > seconds:
            end -= 1
        start, stop = _middle(words, first, 0.0), _middle(words, end, spoken[1].seconds)
        if pieces and length + stop - start > 1.1 * seconds:
            break
        pieces.append(part(spoken, start, stop, " ".join(word for word, _, _ in words[first:end])))
        length += stop - start
    return joined(pieces)


def joined(pieces: Sequence[Heard]) -> Heard:
    """One after the other, each fading into the next. Phones only where all pieces have them."""
    pcm, phones = pieces[0].pcm, list(pieces[0].phones)
    for piece in pieces[1:]:
        fade = min(_FADE, len(pcm), len(piece.pcm))
        rising = np.linspace(0, 1, fade, dtype=np.float32)
        at = (len(pcm) - fade) / SAMPLE_RATE
        seam = pcm[len(pcm) - fade :] * (1 - rising) + piece.pcm[:fade] * rising
        pcm = np.concatenate([pcm[: len(pcm) - fade], seam, piece.pcm[fade:]])
        kept = [(name, start, min(end, at)) for name, start, end in phones if start < at]
        phones = [*kept, *((name, max(0.0, start) + at, end + at) for name, start, end in piece.phones)]
    known = all(piece.phones for piece in pieces)
    return Heard(pcm, " ".join(piece.text for piece in pieces), phones if known else [])


def _middle(words: Sequence[Span], index: int, edge: float) -> float:
    """Between a word and the one before it: halfway through the silence there is, at most 0.15 s from either."""
    if 0 < index < len(words):
        return (words[index - 1][2] + words[index][1]) / 2
    return max(edge, words[0][1] - 0.15) if index == 0 else min(edge, words[-1][2] + 0.15)
