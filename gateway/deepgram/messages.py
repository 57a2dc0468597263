"""The messages of the API."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal

import msgspec

from asrd.core import wire
from asrd.core.events import Final, Partial, Started, WireWord
from asrd.core.units import seconds
from asrd.gateway.deepgram.settings import Settings
from asrd.gateway.host import Host


class Command(msgspec.Struct, frozen=True):
    """What a client sends beside audio."""

    type: Literal["KeepAlive", "Finalize", "CloseStream"]


_decoder = msgspec.json.Decoder(Command)


def decode(text: str) -> Command:
    """Return what a client has sent. Raises MalformedError for what is not of this API."""
    return wire.decode(text.encode("utf-8", "surrogateescape"), _decoder)


class Messages:
    """Make the messages of one connection. begins: samples heard before the stream whose events are told."""

    def __init__(self, host: Host, settings: Settings) -> None:
        self._settings = settings
        self._request = str(uuid.uuid4())
        self._model = str(uuid.uuid5(uuid.NAMESPACE_OID, host.model))
        self._info = {"name": host.model, "version": version("asrd"), "arch": "asrd"}
        self.begins = 0

    def started(self, event: Started) -> dict[str, Any]:
        """Return that speech has begun."""
        return {"type": "SpeechStarted", "channel": [0, 1], "timestamp": self._time(event.start)}

    def ended(self, event: Final) -> dict[str, Any]:
        """Return that speech has ended."""
        return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": self._time(event.words[-1].end)}

    def partial(self, event: Partial) -> dict[str, Any]:
        """Return what is heard of an utterance that is still open."""
        return self._results(event.start, event.end, event.words, event.display)

    def final(self, event: Final, *, flushed: bool = False) -> dict[str, Any]:
        """Return the text of an utterance. flushed: whether it is the last one that was to be finalized."""
        found = self._results(event.start, event.end, event.words, event.display)
        return found | {"is_final": True, "speech_final": event.reason != "length", "from_finalize": flushed}

    def nothing(self, position: int) -> dict[str, Any]:
        """Return that nothing was left to be finalized. position: samples."""
        found = self._results(position, position, (), "")
        return found | {"is_final": True, "speech_final": True, "from_finalize": True}

    def metadata(self, length: int, digest: str) -> dict[str, Any]:
        """Return what is told at the end. length: samples heard. digest: SHA-256 of the audio."""
        return {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self._request,
            "sha256": digest,
            "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration": round(seconds(length), 3),
            "channels": self._settings.channels,
            "models": [self._model],
            "model_info": {self._model: self._info},
        }

    def _results(self, start: int, end: int, words: Sequence[WireWord], display: str) -> dict[str, Any]:
        said = [self._word(word) for word in words]
        text = " ".join(word["word"] for word in said)
        if self._settings.written:
            text, written = display, display.split()
            if len(written) != len(said):  # numbers in digits, or a script without spaces
                written = [word["word"] for word in said]
            said = [word | {"punctuated_word": other} for word, other in zip(said, written, strict=True)]
        sure = sum(word.confidence for word in words) / len(words) if words else 0.0
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": self._time(start),
            "duration": round(seconds(end - start), 3),
            "is_final": False,
            "speech_final": False,
            "channel": {"alternatives": [{"transcript": text, "confidence": round(sure, 4), "words": said}]},
            "metadata": {"request_id": self._request, "model_info": self._info, "model_uuid": self._model},
            "from_finalize": False,
        }

    def _word(self, word: WireWord) -> dict[str, Any]:
        times = {"start": self._time(word.start), "end": self._time(word.end)}
        return {"word": word.word.lower()} | times | {"confidence": round(word.confidence, 4)}

    def _time(self, position: int) -> float:
        return round(seconds(self.begins + position), 3)
