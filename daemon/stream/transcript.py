"""Build the text events of an utterance: partials, and its final."""

from statistics import fmean

import msgspec

from asrd.core.events import Final, Partial, Timestamps, WireWord
from asrd.core.flow import Hypothesis, Window
from asrd.core.script import ends
from asrd.core.units import Samples


def partial(window: Window, start: Samples, hypothesis: Hypothesis, backend: str, stages: Timestamps) -> Partial:
    """Return what is known of the utterance that begins at `start` after one of its windows was recognised."""
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
    """Return an empty partial, for an utterance none of whose windows was recognised. now: Unix seconds."""
    stages = Timestamps(heard=now, cut=now, started=now, recognized=now)
    return Partial(
        utterance=utterance, start=start, end=start, text="", stable=0, words=(), backend=backend, stages=stages
    )


def before(known: Partial, end: int) -> Partial:
    """Return the part of a partial before `end`, where the utterance ended: a preview may contain the start of the
    next one.
    """
    words = tuple(msgspec.structs.replace(word, end=min(word.end, end)) for word in known.words if word.start < end)
    text = known.text[: [0, *ends((word.word for word in words), known.text)][-1]]
    return msgspec.structs.replace(known, words=words, text=text, end=min(known.end, end))


def final(known: Partial, *, end: int, speech_end: int, backend: str, reason: str) -> Final:
    """Return the final of an utterance that ended at `end`, with all that is known of it."""
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
        display=known.display,
    )
