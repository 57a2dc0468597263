"""Finals and partials of what is said."""

from typing import Any

from asrd.core.events import Final, Partial, Timestamps, WireWord

STAGES = Timestamps(heard=0, cut=0, started=0, recognized=0)


def spoken(said: str, pause_after: str = "") -> tuple[WireWord, ...]:
    """Make a word every 0.4 s, with a second of silence after `pause_after`."""
    words, position = [], 0
    for word in said.split():
        words.append(WireWord(word, position, position + 4800, 1.0))
        position += 6400 + 16_000 * (word == pause_after)
    return tuple(words)


def final(words: tuple[WireWord, ...], reason: str = "silence") -> Final:
    text = " ".join(word.word for word in words)
    span: dict[str, Any] = {"start": 0, "end": 0, "speech_end": 0, "utterance": 0, "backend": "fp16", "stages": STAGES}
    return Final(text=text, words=words, confidence=1.0, reason=reason, **span)


def partial(words: tuple[WireWord, ...], stable: int) -> Partial:
    text = " ".join(word.word for word in words)
    span: dict[str, Any] = {"start": 0, "end": 0, "utterance": 0, "backend": "fp16", "stages": STAGES}
    return Partial(text=text, stable=stable, words=words, **span)
