"""The form of options in a recording: all names are its own, and a recording has all of them and no others.

At present the attributes have the same names. An attribute that is renamed keeps its name in recordings: `lead: int =
msgspec.field(name="pre_roll")`.
"""

from typing import Self

import msgspec

from asrd.daemon.options import RecognitionOptions
from asrd.daemon.state import State
from asrd.daemon.stream.state import RecordedSettings


class RecordedLoading(State, frozen=True):
    """The fields of `LoadOptions`."""

    device: str
    threads: int
    cache: bool
    arithmetic: str
    model_server: str
    model_server_token: str
    model_server_ca: str


class RecordedDecoding(State, frozen=True):
    """The fields of `DecoderOptions`."""

    decoder: str
    lm: str | None
    beam_width: int
    lm_weight: float | None
    word_bonus: float | None
    blank_penalty: float | None
    unknown_penalty: float | None


class RecordedStyle(State, frozen=True):
    """The fields of `Style`."""

    raw: bool
    numbers: bool
    pause: int
    spellings: tuple[str, ...]
    language: str
    capitals: bool | None


class RecordedOptions(State, frozen=True):
    """The fields of `RecognitionOptions`."""

    backend: str
    model: str
    load: RecordedLoading
    vad: str
    segmenter: RecordedSettings
    decoding: RecordedDecoding
    style: RecordedStyle

    @classmethod
    def of(cls, options: RecognitionOptions) -> Self:
        """Return options in the form in which they are recorded."""
        return msgspec.convert(options, cls, from_attributes=True)

    def restored(self) -> RecognitionOptions:
        """Return the options that were recorded. Raises UsageError if they contradict each other."""
        return msgspec.convert(self, RecognitionOptions, from_attributes=True)
