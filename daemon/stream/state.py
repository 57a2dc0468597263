"""The state that a stream at rest carries from one utterance to the next.

Models, options and the surroundings of a stream are not part of it: a replay builds them. Nor is the state of the
VAD, which cannot be recorded: the tape has its decisions.
"""

from typing import Self

import msgspec

from asrd.daemon.segmentation.segmenter import SegmenterState
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.state import State


class RecordedSettings(State, frozen=True):
    """The fields of `SegmenterSettings`, in samples."""

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
        """Return settings in the form in which they are recorded."""
        return msgspec.convert(settings, cls, from_attributes=True)

    def restored(self) -> SegmenterSettings:
        """Return the settings that were recorded. Raises UsageError if they contradict each other."""
        return msgspec.convert(self, SegmenterSettings, from_attributes=True)


class StreamState(State, frozen=True):
    """position: a stream position. captured: when it was captured, in Unix seconds. settings: those in force.
    begins: whether the next utterance begins a sentence.
    """

    position: int
    captured: float
    settings: RecordedSettings
    segmenter: SegmenterState
    begins: bool
