"""The records of a tape, in the order in which they happened on the event loop.

Records are stored as msgpack arrays: a field is identified by its position, and a record by its tag.
"""

import msgspec

from asrd.daemon.recorder.form import RecordedOptions
from asrd.daemon.stream.state import RecordedSettings, StreamState

Bytes = bytes

FORMAT = 4
"""Version of the recording's contents. Raise it when adding, moving, renaming or dropping a field of a record or a
state, or when changing its meaning. A recording knows nothing of classes and their attributes.
"""


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Base of all records. A field has no default: a recording has all of them, and no more."""


class Begin(Record, frozen=True, tag="begin"):
    """The first record of a file.

    index: number of the file within its stream's recording; 0 holds the beginning of the stream. time: Unix seconds.
    rest: whether the stream is at rest here; if not, the file only continues the one before. state: what the stream
    continues from; None if it begins anew, or is not at rest. options: those the stream began with; None for the
    daemon's own events. environment, files: see `identity`.
    """

    asrd: str
    daemon: str
    stream: str
    live: bool
    index: int
    time: float
    rest: bool
    state: StreamState | None
    options: RecordedOptions | None
    model: str
    files: dict[str, str]
    environment: dict[str, str]


class Captured(Record, frozen=True, tag="heard"):
    """A chunk reached the segmenter. pcm: little-endian float32; stored apart, without loss."""

    start: int
    samples: int
    captured: float
    lost: int
    reason: str
    pcm: Bytes


class Judged(Record, frozen=True, tag="judged"):
    """The VAD's decisions since the last record: "1" speech, "0" none, "r" it was reset first."""

    frames: str


class Queued(Record, frozen=True, tag="queued"):
    """The scheduler has accepted a window, or left it out, and the stream continued."""


class Answered(Record, frozen=True, tag="answered"):
    """A window was recognised.

    window: number of windows cut before it since the last file that began with the stream at rest. row, rows: index
    in its batch, and the size of the batch. cut, started, recognized: Unix seconds. failure: the backend's error, or
    "". boosts: hot words in force, if it began an utterance.
    """

    window: int
    backend: str
    cut: float
    started: float
    recognized: float
    failure: str
    row: int
    rows: int
    boosts: dict[str, float]


class Used(Record, frozen=True, tag="used"):
    """The stream applies other settings."""

    settings: RecordedSettings


class Said(Record, frozen=True, tag="said"):
    """An event was published. payload: its JSON."""

    payload: Bytes


class Ended(Record, frozen=True, tag="ended"):
    """The source has ended. failure: why, or ""."""

    failure: str


class Abandoned(Record, frozen=True, tag="abandoned"):
    """There was no more time: open utterances got the finals known. now: Unix seconds."""

    now: float
    backend: str


class Closed(Record, frozen=True, tag="closed"):
    """The file is complete."""


AnyRecord = Begin | Captured | Judged | Queued | Answered | Used | Said | Ended | Abandoned | Closed
