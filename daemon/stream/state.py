"""What a stream at rest carries from one utterance to the next.

Models, options and what surrounds a stream are no part of it: a replay builds them. Nor is what the VAD knows, which
nobody can write down: the tape has what it said.
"""

from typing import Self

import msgspec

from asrd.daemon.segmentation.segmenter import SegmenterState
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.state import State


class RecordedSettings(State, frozen=True):
    """Those of `SegmenterSettings`, in samples."""

    window: int
    hop: int
    right_context: int
    min_speech: int
    pre_roll: int
    hangover: int
    min_hangover: int
    max_hangover: int
    tail: int
    max_utterance: int
    partial_interval: int

    @classmethod
    def of(cls, settings: SegmenterSettings) -> Self:
        """As they are recorded."""
        return msgspec.convert(settings, cls, from_attributes=True)

    def restored(self) -> SegmenterSettings:
        """As they were. Raises UsageError where they contradict each other."""
        return msgspec.convert(self, SegmenterSettings, from_attributes=True)


class StreamState(State, frozen=True):
    """position, captured: a position in the stream, and when that was captured, in Unix seconds. settings: in force."""

    position: int
    captured: float
    settings: RecordedSettings
    segmenter: SegmenterState
