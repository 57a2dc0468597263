"""Every error asrd raises on purpose. The message is one line: what happened and what to do.

The command line prints `str(error)` and exits with `error.exit_code`; a traceback appears only
with `--debug`. Exit codes: 0 success; 2 where a name, a path or a value that was given is malformed
or not there, so that another try would end the same way; 1 where all is there and something failed. A
microphone that is away has failed: it may come back.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class AsrdError(Exception):
    """Base of all deliberate errors."""

    exit_code = 1


class UsageError(AsrdError):
    """The request itself is wrong: an unknown name, a path where nothing is, a malformed value."""

    exit_code = 2


class MissingExtraError(AsrdError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        self.extra, self.remedy = extra, f"pip install '.[{extra}]' in a clone of asrd"
        super().__init__(f"{needed_for} needs an optional part of asrd: {self.remedy}")


class ModelError(AsrdError):
    """A model directory is incomplete or inconsistent."""


class BackendError(AsrdError):
    """A backend cannot be loaded or failed while it ran."""


class AudioError(AsrdError):
    """Audio cannot be read: a device that is away, an unreadable file, an impossible rate."""


class TransportError(AsrdError):
    """A socket cannot be bound, or nothing answers at the other end."""


_PLACE = re.compile(r"(Exception from|Check '.*' failed at) \S+:\d+:")
"""A line in which OpenVINO says where in its sources it failed, before it says what."""


def alternatives(name: str, known: Sequence[str], shown: Iterable[str] = ()) -> str:
    """What there is in place of `name`, for use inside a one-line message: the nearest of those known, else all.

    shown: in place of all.
    """
    near = get_close_matches(name, known)
    return f"the nearest: {', '.join(near)}" if near else f"there are: {', '.join(shown or known)}"


def reason(error: BaseException) -> str:
    """The first line in which another library's error says what happened, for use inside a one-line message."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    lines = str(error).strip().splitlines()
    return next((line for line in lines if not _PLACE.fullmatch(line)), lines[-1] if lines else type(error).__name__)
