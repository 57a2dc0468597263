"""What clients of the Realtime API send, and the settings in it: those of the API, and those of its beta."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from asrd.core import wire


class ClientEvent(Struct, tag_field="type"):
    """Base of all. event_id: the client's; errors name it."""

    event_id: str = ""


class Append(ClientEvent, tag="input_audio_buffer.append", kw_only=True):
    """Audio: base64 in JSON."""

    audio: bytes


class Commit(ClientEvent, tag="input_audio_buffer.commit"):
    """The end of what is one item."""


class Clear(ClientEvent, tag="input_audio_buffer.clear"):
    """Audio that was not committed is forgotten."""


class Update(ClientEvent, tag="session.update", kw_only=True):
    """Other settings."""

    session: "Session"


class BetaUpdate(ClientEvent, tag="transcription_session.update", kw_only=True):
    """Other settings, as in the beta."""

    session: "BetaSession"


class Format(Struct):
    """The form of audio. rate: of PCM, in Hz."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: int = 24_000


class Transcription(Struct):
    """What is to be written. prompt: accepted, and not used."""

    model: str = ""
    language: str | None = ""
    prompt: str | None = ""


class TurnDetection(Struct):
    """How items are found. threshold and what semantic VAD has besides are accepted, and not used."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None


class Input(Struct):
    """Settings of the audio; those that are not set stay as they are."""

    format: Format | UnsetType = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class Audio(Struct):
    """Settings of audio in both directions, of which a transcription has one."""

    input: Input = msgspec.field(default_factory=Input)


class Session(Struct):
    """Settings of a session."""

    type: Literal["transcription"] = "transcription"
    audio: Audio = msgspec.field(default_factory=Audio)


BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}


class BetaSession(Struct):
    """Settings of a session in the beta."""

    input_audio_format: Literal["pcm16", "g711_ulaw", "g711_alaw"] | UnsetType = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET

    @property
    def input(self) -> Input:
        """The same, as the API has it."""
        form = self.input_audio_format
        return Input(
            format=UNSET if form is UNSET else msgspec.convert({"type": BETA_FORMATS[form]}, Format),
            transcription=self.input_audio_transcription,
            turn_detection=self.turn_detection,
        )


Message = Append | Commit | Clear | Update | BetaUpdate

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def decode(text: str | bytes) -> Message:
    """Decode what a client sent. Raises MalformedError if it is nothing that this API has."""
    return wire.decode(text if isinstance(text, bytes) else text.encode(), _decoder)


def plain(settings: Struct) -> Any:
    """Return settings as JSON values."""
    return msgspec.to_builtins(settings)
