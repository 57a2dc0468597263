"""What the daemon and the process of a third party's backend say to each other, in JSON."""

from typing import Literal

import msgspec

from asrd.backends.base import LoadOptions
from asrd.core.errors import BackendError, ModelError, UsageError

KINDS = {kind.__name__: kind for kind in (BackendError, ModelError, UsageError)}
"""Errors that keep their kind on the way to the daemon; all others become a BackendError."""

LONGEST = 65536
"""Bytes of the longest message."""


class Request(msgspec.Struct, frozen=True):
    """What to do. model, language: what to open, for "check_model" and "load". shape: of the audio, for "infer"."""

    do: Literal["describe", "check", "check_model", "load", "infer"]
    model: str = ""
    language: str = ""
    options: LoadOptions = LoadOptions()
    shape: tuple[int, int] = (0, 0)


class Answer(msgspec.Struct, frozen=True):
    """What came of a request. problem: "" if it went well; kind: the name of the error's class."""

    problem: str = ""
    kind: str = "BackendError"
    max_batch: int = 1
    arithmetics: tuple[str, ...] = ()
    arithmetic: str = ""
    shape: tuple[int, int, int] = (0, 0, 0)
