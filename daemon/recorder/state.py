"""What a stream at rest carries from one utterance to the next.

Models, options and what surrounds a stream are no part of it: a replay builds them. Nor is what the VAD knows, which
nobody can write down: the tape has what it said.
"""

from asrd.daemon.recorder.form import RecordedSettings
from asrd.daemon.segmenter import SegmenterState
from asrd.daemon.state import State


class StreamState(State, frozen=True):
    """position, captured: a position in the stream, and when that was captured, in Unix seconds. settings: in force."""

    position: int
    captured: float
    settings: RecordedSettings
    segmenter: SegmenterState
