"""What the events of Wyoming hold, checked, and what the daemon tells of itself."""

from importlib.metadata import version
from typing import Any, Literal, TypeVar

import msgspec
from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host

T = TypeVar("T")

CHANNELS = 8
"""Channels that audio may have."""


class Form(msgspec.Struct, frozen=True):
    """The form of audio. rate: Hz. width: bytes of a sample."""

    rate: int
    width: Literal[2]
    channels: int

    def __post_init__(self) -> None:
        """Raise ValueError for channels that are none."""
        if not 1 <= self.channels <= CHANNELS:
            raise ValueError(f"audio has 1 to {CHANNELS} channels, not {self.channels}")


class Request(msgspec.Struct, frozen=True):
    """What a client wants to have written. Other fields are accepted, and not used."""

    name: str | None = None
    language: str | None = None


class Echo(msgspec.Struct, frozen=True):
    """What a ping holds."""

    text: str | None = None


def read(data: dict[str, Any], kind: type[T]) -> T:
    """Return the data of an event. Raises RefusedError for what is impossible."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise RefusedError(400, f"not an event of Wyoming: {error}", "malformed") from error


def info(host: Host) -> Info:
    """Return what is told of the daemon."""
    facts: dict[str, Any] = {
        "attribution": Attribution(name="asrd", url=""),
        "installed": True,
        "version": version("asrd"),
    }
    model = AsrModel(
        name=host.model,
        description=f"{host.model}, on this machine's processor",
        languages=[host.language] if host.language else [],
        **facts,
    )
    program = AsrProgram(
        name="asrd",
        description="Streaming transcription",
        models=[model],
        supports_transcript_streaming=True,
        **facts,
    )
    return Info(asr=[program])
