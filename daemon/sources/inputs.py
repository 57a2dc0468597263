"""Input devices, and the choice among them."""

from dataclasses import dataclass
from typing import Any

from asrd.core.errors import AudioError, UsageError


class UnknownMicrophoneError(AudioError, UsageError):
    """No microphone has the name that was given. Unlike other failures of a microphone it is wrong usage."""


@dataclass(frozen=True, slots=True)
class InputDevice:
    """An input device. rate: its native rate in Hz. host: the sound system, e.g. ALSA."""

    index: int
    name: str
    host: str
    channels: int
    rate: int
    default: bool


def inputs(sd: Any) -> list[InputDevice]:
    """Return all input devices that the sounddevice module lists."""
    hosts = [str(host["name"]) for host in sd.query_hostapis()]
    default = sd.default.device[0]
    return [
        InputDevice(
            index=device["index"],
            name=device["name"],
            host=hosts[device["hostapi"]],
            channels=device["max_input_channels"],
            rate=round(device["default_samplerate"]),
            default=device["index"] == default,
        )
        for device in sd.query_devices()
        if device["max_input_channels"] > 0
    ]


def find(found: list[InputDevice], wanted: str | None) -> InputDevice:
    """Return the device that `wanted` means: its index or a part of its name; None is the default.

    Raises AudioError if there is no default, UnknownMicrophoneError if there is none of that name.
    """
    if wanted is None:
        if not found:
            raise AudioError("no microphone found; plug one in and look with 'asrd devices'")
        if default := [device for device in found if device.default]:
            return default[0]
        raise AudioError("no microphone is the default; choose one of 'asrd devices' with mic:NAME")
    exact = [device for device in found if wanted in (str(device.index), device.name)]
    partial = [device for device in found if wanted.lower() in device.name.lower()]
    if not exact + partial:
        raise UnknownMicrophoneError(f"no microphone is called '{wanted}'; 'asrd devices' lists those there are")
    return (exact + partial)[0]
