"""Requests to a running daemon and its answers: JSON over a ZeroMQ ROUTER socket.

A client may be a REQ or a DEALER socket; it sends one frame and gets one back. A client that sends many requests
without reading loses answers. Requests take at most half of the daemon's time; while too many await an answer, others
are refused.
"""

from typing import Annotated, Any

import msgspec


class Request(msgspec.Struct, frozen=True, tag=str.lower, tag_field="op"):
    """Base of all requests."""


class GetStatus(Request, frozen=True, tag="status"):
    """Ask for the daemon's status. Answered with the fields of a `status` event."""


class UseBackend(Request, frozen=True, tag="backend use"):
    """Load a backend and switch to it between two windows. Answered once it is in use; refused while another loads."""

    name: str


class Replay(Request, frozen=True, tag="replay"):
    """Ask for the events `first <= seq <= last` that the daemon still has; answered with a list, oldest first.

    If they do not all fit in one answer, it ends early: ask again for those after the last one, until none come.
    """

    first: int
    last: int


class Recall(Request, frozen=True, tag="recall"):
    """Ask for the lasting events `first <= seq <= last`: all but heartbeats, statuses and partials. Answered with a
    `Past`. daemon: the one that published what came before `first`; one that keeps no journal counts anew, and then
    answers from its beginning.
    """

    first: int
    last: int
    daemon: str = ""


class Past(msgspec.Struct, frozen=True):
    """Past events, oldest first: all that lasted of `first <= seq <= last`, except in the ranges `missing`, of which
    some may be lost. `last` may be less than was asked for: ask again for those after it. daemon: the one that answers.
    """

    daemon: str
    first: int
    last: int
    events: list[Any]
    missing: list[tuple[int, int]] = []


class Since(Request, frozen=True, tag="since"):
    """Ask for the `seq` of the first lasting event at or after a Unix time; of the next one, if there is none."""

    time: float


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class GetPosition(Request, frozen=True, tag="position"):
    """Ask for the last event that the consumer of this name acknowledged; null if it is not known."""

    name: Name


class Acknowledge(Request, frozen=True, tag="acknowledge"):
    """Say that a consumer has all events up to `seq`. Answered once that is kept."""

    name: Name
    seq: int


class Stop(Request, frozen=True, tag="stop"):
    """Finish open utterances and exit. Answered at once."""


class Reload(Request, frozen=True, tag="reload"):
    """Read settings, clients and hot words again, as SIGHUP does. Answered with a line that says what is in use now."""


class GetSettings(Request, frozen=True, tag="settings"):
    """Ask for what can be set while running. Answered with `Setting`s by stream and name. stream: "" for all."""

    stream: str = ""


class SetSettings(Request, frozen=True, tag="settings set"):
    """Set these values, in samples, from the next audio on. Answered as `GetSettings` is.

    Either all of them are set, in every stream concerned, or none.
    """

    values: dict[str, int]
    stream: str = ""


class SetPause(Request, frozen=True, tag="pause"):
    """Pause streams or let them go on. Answered with whether each is paused, by name. on: null to change it. stream:
    "" for all.
    """

    on: bool | None
    stream: str = ""


class Setting(msgspec.Struct, frozen=True):
    """A length in samples: its value, its default, and its bounds while the other settings stay as they are."""

    value: int
    default: int
    least: int
    most: int


class AddWords(Request, frozen=True, tag="words add"):
    """Add hot words: words and phrases with their boosts, in nats.

    Answered with all hot words, as are the other requests about them except `LearnWords`.
    """

    boosts: dict[str, float]


class RemoveWords(Request, frozen=True, tag="words remove"):
    """Remove hot words."""

    words: list[str]


class ListWords(Request, frozen=True, tag="words list"):
    """Ask for the hot words."""


class ClearWords(Request, frozen=True, tag="words clear"):
    """Remove all hot words."""


class LearnWords(Request, frozen=True, tag="words learn"):
    """Add those words as hot words that the language model does not know. Answered with these alone."""

    words: list[str]
    boost: float


WordsRequest = AddWords | RemoveWords | ListWords | ClearWords | LearnWords

PastRequest = Replay | Recall | Since | GetPosition | Acknowledge

AnyRequest = GetStatus | UseBackend | PastRequest | Stop | Reload | GetSettings | SetSettings | SetPause | WordsRequest


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request.

    result: what was asked for. error: one line, or "" on success. exit_code: the error's, for the command line.
    """

    result: Any = None
    error: str = ""
    exit_code: int = 0
