"""What is told of an utterance: partials, and its final."""

from statistics import fmean

import msgspec

from asrd.core.events import Final, Partial, Timestamps, WireWord
from asrd.core.flow import Hypothesis, Window
from asrd.core.units import Samples


def partial(window: Window, start: Samples, hypothesis: Hypothesis, backend: str, stages: Timestamps) -> Partial:
    """What is known of the utterance that begins at `start`, when a window of it was recognised."""
    return Partial(
        utterance=window.utterance,
        start=start,
        end=window.end,
        text=hypothesis.text,
        stable=hypothesis.stable,
        words=tuple(WireWord(word.text, word.start, word.end, word.confidence) for word in hypothesis.words),
        backend=backend,
        stages=stages,
    )


def unheard(utterance: int, start: Samples, backend: str, now: float) -> Partial:
    """Of an utterance of which no window was recognised. now: Unix seconds."""
    stages = Timestamps(heard=now, cut=now, started=now, recognized=now)
    return Partial(
        utterance=utterance, start=start, end=start, text="", stable=0, words=(), backend=backend, stages=stages
    )


def before(known: Partial, end: int) -> Partial:
    """What is known as far as an utterance that ended at `end` goes: a preview may have heard the next one begin."""
    words = tuple(msgspec.structs.replace(word, end=min(word.end, end)) for word in known.words if word.start < end)
    text = " ".join(word.word for word in words)
    return msgspec.structs.replace(known, words=words, text=text, end=min(known.end, end))


def final(known: Partial, *, end: int, speech_end: int, backend: str, reason: str) -> Final:
    """The last word on an utterance that ended at `end`: all that is known of it."""
    return Final(
        utterance=known.utterance,
        start=known.start,
        end=end,
        speech_end=speech_end,
        text=known.text,
        words=known.words,
        confidence=fmean(word.confidence for word in known.words) if known.words else 0.0,
        backend=backend,
        reason=reason,
        stages=known.stages,
    )
