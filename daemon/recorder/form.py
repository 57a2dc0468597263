"""The form that options have in a recording: under names of its own, all of them and no others.

Attributes are called here what they are called there. One that is renamed keeps the name that recordings know it by:
`lead: int = msgspec.field(name="pre_roll")`.
"""

from typing import Self

import msgspec

from asrd.daemon.options import RecognitionOptions
from asrd.daemon.state import State
from asrd.daemon.stream.state import RecordedSettings


class RecordedLoading(State, frozen=True):
    """Those of `LoadOptions`."""

    device: str
    threads: int
    cache: bool
    arithmetic: str


class RecordedDecoding(State, frozen=True):
    """Those of `DecoderOptions`."""

    decoder: str
    lm: str | None
    beam_width: int
    lm_weight: float | None
    word_bonus: float | None
    blank_penalty: float | None
    unknown_penalty: float | None


class RecordedOptions(State, frozen=True):
    """Those of `RecognitionOptions`."""

    backend: str
    model: str
    load: RecordedLoading
    vad: str
    segmenter: RecordedSettings
    decoding: RecordedDecoding

    @classmethod
    def of(cls, options: RecognitionOptions) -> Self:
        """As they are recorded."""
        return msgspec.convert(options, cls, from_attributes=True)

    def restored(self) -> RecognitionOptions:
        """As they were. Raises UsageError where they contradict each other."""
        return msgspec.convert(self, RecognitionOptions, from_attributes=True)
