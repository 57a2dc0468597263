"""What clients of vosk-server send as text, and the answers they get."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from asrd.core import wire
from asrd.core.errors import MalformedError
from asrd.core.events import Final, WireWord
from asrd.core.units import seconds

RATE = 8_000
"""Hz, unless a client says otherwise, as with vosk-server."""


class Config(Struct, frozen=True):
    """Settings; those that are not set stay as they are. Others that vosk-server has are accepted, and not used.

    words: whether results have words with times. max_alternatives: the form of results is another one if above 0.
    """

    sample_rate: float | UnsetType = UNSET
    words: bool | UnsetType = UNSET
    max_alternatives: int | UnsetType = UNSET


class Message(Struct, frozen=True):
    """What a client sends beside audio: settings, or the end of the audio."""

    config: Config | UnsetType = UNSET
    eof: bool = False


_decoder = msgspec.json.Decoder(Message, strict=False)


def decode(text: str) -> Message:
    """Return what a client has sent. Raises MalformedError for what is not of this protocol."""
    message = wire.decode(text.encode("utf-8", "surrogateescape"), _decoder)
    if message.config is UNSET and not message.eof:
        raise MalformedError('neither "config" nor "eof" is in it')
    return message


class Answers:
    """Make answers, in the form that a client has chosen."""

    def __init__(self) -> None:
        self._words, self._alternatives = True, False

    def use(self, config: Config) -> None:
        """Take the settings of answers."""
        if config.words is not UNSET:
            self._words = config.words
        if config.max_alternatives is not UNSET:
            self._alternatives = config.max_alternatives > 0

    @staticmethod
    def partial(text: str) -> dict[str, Any]:
        """Return what is said of an utterance that is still open."""
        return {"partial": text.lower()}

    def result(self, finals: Sequence[Final]) -> dict[str, Any]:
        """Return what was said, in one answer. The daemon has one alternative only."""
        text = " ".join(final.text for final in finals if final.text).lower()
        words = [word for final in finals for word in final.words] if self._words else []
        if not self._alternatives:
            sure = [_timed(word) | {"conf": round(word.confidence, 6)} for word in words]
            return ({"result": sure} if words else {}) | {"text": text}
        found: dict[str, Any] = {"confidence": _mean(final.confidence for final in finals if final.words)}
        return {"alternatives": [found | ({"result": [*map(_timed, words)]} if words else {}) | {"text": text}]}


def _timed(word: WireWord) -> dict[str, Any]:
    return {"word": word.word.lower(), "start": round(seconds(word.start), 3), "end": round(seconds(word.end), 3)}


def _mean(values: Iterable[float]) -> float:
    found = [*values]
    return sum(found) / len(found) if found else 1.0
