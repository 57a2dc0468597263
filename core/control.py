"""Requests to a running daemon and its answers: JSON over a ZeroMQ ROUTER socket.

A client may be a REQ or a DEALER socket; it sends one frame and gets one back. Who asks much without reading
loses answers. Requests get half of the daemon's time at most; while it has too many to answer, others are refused.
"""

from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True, tag=str.lower, tag_field="op"):
    """Base of all requests."""


class GetStatus(Request, frozen=True, tag="status"):
    """Answered with the fields of a `status` event."""


class UseBackend(Request, frozen=True, tag="backend use"):
    """Load this backend and let it take over between two windows. Answered when it has; refused while another loads."""

    name: str


class Replay(Request, frozen=True, tag="replay"):
    """The events `first <= seq <= last` that the daemon still remembers; answered with a list, oldest first.

    Where they are more than fit in one answer it ends early: ask again for those after the last one, until none come.
    """

    first: int
    last: int


class Stop(Request, frozen=True, tag="stop"):
    """Finish open utterances and exit. Answered at once."""


class GetSettings(Request, frozen=True, tag="settings"):
    """What can be set while running: answered with a `Setting` by stream and name. stream: "" for all."""

    stream: str = ""


class SetSettings(Request, frozen=True, tag="settings set"):
    """Go by these values, in samples, from the next audio on; answered as `GetSettings` is.

    All of them are set, in every stream that is meant, or none.
    """

    values: dict[str, int]
    stream: str = ""


class Setting(msgspec.Struct, frozen=True):
    """A length in samples: what it is, what it would be by default, and what it may be, the other settings
    being what they are.
    """

    value: int
    default: int
    least: int
    most: int


class AddWords(Request, frozen=True, tag="words add"):
    """Listen for these words and phrases; each with its boost, in nats. Answered with all hot words, as are
    the other requests about them.
    """

    boosts: dict[str, float]


class RemoveWords(Request, frozen=True, tag="words remove"):
    """Listen for these no more than for others."""

    words: list[str]


class ListWords(Request, frozen=True, tag="words list"):
    """The hot words."""


class ClearWords(Request, frozen=True, tag="words clear"):
    """Have no hot words."""


class LearnWords(Request, frozen=True, tag="words learn"):
    """Make hot words of those that the language model does not know; answered with these alone."""

    words: list[str]
    boost: float


WordsRequest = AddWords | RemoveWords | ListWords | ClearWords | LearnWords

AnyRequest = GetStatus | UseBackend | Replay | Stop | GetSettings | SetSettings | WordsRequest


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """result: what was asked for. error: one line, or "" when all went well, with its exit code."""

    result: Any = None
    error: str = ""
    exit_code: int = 0
