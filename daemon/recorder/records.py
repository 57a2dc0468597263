"""What a tape holds, in the order in which it happened on the event loop.

Records travel as msgpack arrays: where a field stands is what tells it, and a tag what the record is.
"""

import msgspec

from asrd.daemon.recorder.form import RecordedOptions
from asrd.daemon.stream.state import RecordedSettings, StreamState

Bytes = bytes

FORMAT = 2
"""Version of all that a recording holds. Whoever adds, moves, renames or drops a field of a record or a state raises
it, and whoever gives one another meaning. Of classes and their attributes a recording knows nothing.
"""


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Base of all records. A field has no default: a recording has all of them, and no more."""


class Begin(Record, frozen=True, tag="begin"):
    """Opens a file.

    index: of the file within its stream's recording; 0 holds the beginning of the stream.
    time: Unix seconds. rest: whether the stream is at rest here; where not, the file only continues the one before.
    state: what the stream goes on from; None where it begins anew, or is not at rest.
    options: those it began with; None where no stream is recorded, but what the daemon says of itself.
    environment, files: see `identity`.
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


class Heard(Record, frozen=True, tag="heard"):
    """A chunk reached the segmenter. pcm: little-endian float32; stored apart, without loss."""

    start: int
    samples: int
    captured: float
    lost: int
    reason: str
    pcm: Bytes


class Judged(Record, frozen=True, tag="judged"):
    """What the VAD said since the last record: "1" speech, "0" none, "r" it was reset first."""

    frames: str


class Queued(Record, frozen=True, tag="queued"):
    """The scheduler has taken up a window, or left it out, and the stream went on."""


class Answered(Record, frozen=True, tag="answered"):
    """A window was recognised. window: how many were cut before it since the stream was last at rest
    where a file began.

    row, rows: its place in the batch. cut, started, recognized: Unix seconds. failure: or "".
    boosts: hot words in force, where it began an utterance.
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
    """The stream goes by other settings."""

    settings: RecordedSettings


class Said(Record, frozen=True, tag="said"):
    """An event was published. payload: its JSON."""

    payload: Bytes


class Ended(Record, frozen=True, tag="ended"):
    """The source delivers no more; failure: why, or ""."""

    failure: str


class Abandoned(Record, frozen=True, tag="abandoned"):
    """There was no more time: what was open got the final that was known. now: Unix seconds."""

    now: float
    backend: str


class Closed(Record, frozen=True, tag="closed"):
    """The file is whole."""


AnyRecord = Begin | Heard | Judged | Queued | Answered | Used | Said | Ended | Abandoned | Closed
