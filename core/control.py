"""Requests to a running daemon and its answers: JSON over a ZeroMQ ROUTER socket.

A client may be a REQ or a DEALER socket; it sends one frame and gets one back. A client that sends many requests
without reading loses answers. Requests take at most half of the daemon's time; while too many await an answer, others
are refused.
"""

from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True, tag=str.lower, tag_field="op"):
    """Base of all requests."""


class GetStatus(Request, frozen=True, tag="status"):
    """Ask for the daemon's status. Answered with the fields of a `status` event."""


class UseBackend(Request, frozen=True, tag="backend use"):
    """Load a backend and switch to it between two windows. Answered once it is in use; refused while another loads."""

    name: str


class Replay(Request, frozen=True, tag="replay"):
    """Ask for the events `first <= seq <= last` that the daemon still remembers; answered with a list, oldest first.

    If they do not all fit in one answer, it ends early: ask again for those after the last one, until none come.
    """

    first: int
    last: int


class Stop(Request, frozen=True, tag="stop"):
    """Finish open utterances and exit. Answered at once."""


class GetSettings(Request, frozen=True, tag="settings"):
    """Ask for what can be set while running. Answered with `Setting`s by stream and name. stream: "" for all."""

    stream: str = ""


class SetSettings(Request, frozen=True, tag="settings set"):
    """Set these values, in samples, from the next audio on. Answered as `GetSettings` is.

    Either all of them are set, in every stream concerned, or none.
    """

    values: dict[str, int]
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

AnyRequest = GetStatus | UseBackend | Replay | Stop | GetSettings | SetSettings | WordsRequest


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request.

    result: what was asked for. error: one line, or "" on success. exit_code: the error's, for the command line.
    """

    result: Any = None
    error: str = ""
    exit_code: int = 0
