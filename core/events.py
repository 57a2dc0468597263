"""Wire types: the events that a daemon publishes.

Each event is two ZeroMQ frames, `topic | payload`: the topic is `asrd.<stream>.<type>`, the payload JSON with the
field `type`. Events that concern no particular stream carry the stream "daemon".

The contract:
- every utterance that was `started` gets exactly one `final`, and no event about it after that;
- a `partial` replaces the one before; the first `stable` characters of its text never change, nor do the first
  `display_stable` ones of what it displays, and the final begins with both;
- a `gap` names audio that was not heard;
- `seq` counts a daemon's events without holes, over all streams; `daemon` changes at every start. With a journal `seq`
  goes on from there, perhaps with a leap; without one it begins anew at 0. A `status` that greets a subscriber has no
  number of its own.

`text` is what the model wrote, and what programs compare and count. `display` is the same for people to read, in the
daemon's style (`Status.style`): with case, sentences, numbers and names. Older daemons leave it empty.

Positions are samples at 16 kHz since the stream began. Fields are only ever added, with defaults; `schema` rises when
a meaning changes.
"""

import msgspec

from asrd.core import wire
from asrd.core.errors import AsrdError, MalformedError
from asrd.core.writing.style import Style

SCHEMA = 1
PREFIX = b"asrd."
"""The beginning of all topics."""

DAEMON_STREAM = "daemon"


class WireWord(msgspec.Struct, frozen=True, omit_defaults=False):
    """A recognised word. start, end: samples; words follow each other within their utterance.

    confidence: in [0, 1]; the probability that the word is right where the model is calibrated (see `Status`),
    otherwise the geometric mean of its letters' probabilities, which is far too high.
    """

    word: str
    start: int
    end: int
    confidence: float


class Timestamps(msgspec.Struct, frozen=True, kw_only=True):
    """Times at which a window passed each stage, in Unix seconds.

    heard: its last speech was captured. cut: the segmenter closed it. started, recognized: the backend began and
    ended. The event's own `time` is when it was published.
    """

    heard: float
    cut: float
    started: float
    recognized: float


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=str.lower, tag_field="type"):
    """Base of all events. time: when it was published, in Unix seconds."""

    schema: int = SCHEMA
    daemon: str = ""
    seq: int = 0
    stream: str = DAEMON_STREAM
    time: float = 0.0


class Started(Event, frozen=True, kw_only=True):
    """The start of an utterance. utterance: counts up within the stream."""

    utterance: int
    start: int


class Partial(Event, frozen=True, kw_only=True):
    """The hypothesis of an open utterance. stable: length of the prefix of `text` that will not change.

    display: the text for people. display_stable: length of its prefix that will not change; it ends before a word that
    is not whole yet, and before a name or a number that may be going on.
    """

    utterance: int
    start: int
    end: int
    text: str
    stable: int
    words: tuple[WireWord, ...]
    backend: str
    stages: Timestamps
    display: str = ""
    display_stable: int = 0


class Final(Event, frozen=True, kw_only=True):
    """The last hypothesis of an utterance.

    speech_end: end of the last voiced audio; `end` may lie later. confidence: mean of the words' confidences, which
    is the expected share of right words; 0 without words. reason: why the utterance ended: "silence", "length" (it
    had become too long), "gap" (audio is missing), "pause", "end" (of the stream) or "crash" (of the daemon). display:
    the text for people; the next utterance goes on with its sentence after one that ended for its length.
    """

    utterance: int
    start: int
    end: int
    speech_end: int
    text: str
    words: tuple[WireWord, ...]
    confidence: float
    backend: str
    reason: str
    stages: Timestamps
    display: str = ""


class Gap(Event, frozen=True, kw_only=True):
    """Audio `[start, end)` that was not heard, and the reason."""

    start: int
    end: int
    reason: str


class Paused(Event, frozen=True, kw_only=True):
    """The stream is not heard from this position on. What is said meanwhile is not a gap: nobody wants to hear it."""

    position: int


class Resumed(Event, frozen=True, kw_only=True):
    """The stream is heard again from this position on."""

    position: int


class Ended(Event, frozen=True, kw_only=True):
    """The end of a stream that came while the daemon ran: its source has ended, and all its utterances have their
    finals. position: its length.
    """

    position: int


class Backend(Event, frozen=True, kw_only=True):
    """A change of backend. previous: "" for the first one."""

    name: str
    previous: str
    model: str
    arithmetic: str


class Settings(Event, frozen=True, kw_only=True):
    """The settings of a stream from this position on: all that can be set while running, in samples."""

    position: int
    values: dict[str, int]


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one stream.

    source: its kind, as `--source` takes it: "mic", "file" or "pcm". position: samples judged so far. waiting: windows
    not yet recognised. utterances: finals so far. lost: samples named in gaps. skipped: partials left out because the
    machine was behind. open: whether the source still delivers. paused: whether it is not heard for now. session: of a
    sender, the one that is heard or was heard last; received: its frames so far. settings: those that can be set while
    running, in samples. hangover: the silence that would end an utterance now, in samples. behind: how late it is,
    in seconds; 0 of a source that waits.
    """

    source: str
    position: int
    waiting: int
    utterances: int
    lost: int
    skipped: int
    open: bool
    paused: bool = False
    session: str = ""
    received: int = 0
    settings: dict[str, int] = {}
    hangover: int = 0
    behind: float = 0.0


class Behind(Event, frozen=True, kw_only=True):
    """The machine is behind, or has caught up; published when it does something about it.

    seconds: how late the slowest stream is; slowest: its name. measures: what it does: "partials" and "probes" are left
    out, then with `--when-behind` it may "drop" audio or use another backend, by its name; none once it is on time.
    """

    seconds: float
    slowest: str
    measures: tuple[str, ...]


class Status(Event, frozen=True, kw_only=True):
    """The state of the daemon. Published when hot words change, and sent to everyone who subscribes.

    greeting: it was sent to you alone, because you have subscribed; `seq` is then that of the last event before.

    audio_seconds, inference_seconds: audio recognised (context included) and time spent on it; their ratio is the
    real-time factor of the backend. peak_memory: bytes, of the whole process. calibrated: whether confidences are
    probabilities, because the model was calibrated. language: the code of the model's language; "" if it is not known.
    style: that of `display`, without the hot words, which are names in it as well; None from a daemon that displays
    nothing.
    recording: where the audio of all streams is kept; "" if it is not. decoder: that of finals; lm: its language model,
    or "none". hot_words: how many are in use; words: the hot words, as people wrote them. events: the addresses at
    which it publishes. control: where it takes requests.
    entrances: where streams may come in while it runs, as `--source` takes them.
    journal: the file that keeps its events; "" if there is none. connections: how many are open, to all its sockets;
    refused: how many were refused because as many as may be were open. malformed: messages that were ignored, because
    they are none that a client sends. measures: what it does about being behind, as in `Behind`.
    """

    version: str
    pid: int
    backend: str
    arithmetic: str
    model: str
    uptime: float
    audio_seconds: float
    inference_seconds: float
    peak_memory: int
    streams: dict[str, StreamStatus]
    language: str = ""
    style: Style | None = None
    calibrated: bool = False
    recording: str = ""
    decoder: str = "greedy"
    lm: str = "none"
    hot_words: int = 0
    events: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    control: str = ""
    entrances: tuple[str, ...] = ()
    journal: str = ""
    connections: int = 0
    refused: int = 0
    malformed: int = 0
    measures: tuple[str, ...] = ()
    greeting: bool = False


class Heartbeat(Event, frozen=True, kw_only=True):
    """A sign that the daemon is alive. uptime: seconds."""

    uptime: float


class Stopped(Event, frozen=True, kw_only=True):
    """The last event of a daemon. reason: who or what ended it."""

    reason: str


class Error(Event, frozen=True, kw_only=True):
    """A failure after which the daemon goes on. message: one line, with the remedy."""

    message: str


AnyEvent = (
    Started
    | Partial
    | Final
    | Gap
    | Paused
    | Resumed
    | Ended
    | Backend
    | Settings
    | Behind
    | Status
    | Heartbeat
    | Stopped
    | Error
)

PASSING = (Partial, Status, Heartbeat)
"""Types of events that hold only until the next of their type, and are not kept. All others last."""

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def topic(event: Event) -> bytes:
    """Return the first frame of an event: `asrd.<stream>.<type>`."""
    return f"asrd.{event.stream}.{type(event).__name__.lower()}".encode()


def encode(event: Event) -> bytes:
    """Return the second frame of an event: its JSON."""
    return wire.encode(event)


def decode(payload: bytes) -> AnyEvent:
    """Decode an event. Raises AsrdError for one that this version cannot read."""
    try:
        return wire.decode(payload, _decoder)
    except MalformedError as error:
        raise AsrdError(f"not an event this version of asrd can read ({error}); is the daemon newer?") from error
