"""Errors that asrd raises on purpose. The message is one line: what happened and what to do.

The command line prints `str(error)` and exits with `error.exit_code`; a traceback appears only with `--debug`. Exit
codes: 0 for success; 2 if a given name, path or value is malformed or missing, so that another try would end the same
way; 1 if anything else fails. That there is no microphone at all is such a failure: one may be plugged in.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from asrd.core.shell import pip


class AsrdError(Exception):
    """Base of all deliberate errors."""

    exit_code = 1


class UsageError(AsrdError):
    """The request itself is wrong: an unknown name, a missing path, a malformed value."""

    exit_code = 2


class MissingExtraError(AsrdError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        self.extra, self.remedy = extra, f"{pip()} install '.[{extra}]' in a clone of asrd"
        super().__init__(f"{needed_for} needs an optional part of asrd: {self.remedy}")


class ModelError(AsrdError):
    """A model directory is incomplete or inconsistent."""


class BackendError(AsrdError):
    """A backend cannot be loaded or failed while it ran."""


class AudioError(AsrdError):
    """Audio cannot be read: a missing device, an unreadable file, an impossible rate."""


class MalformedError(AsrdError):
    """What was received is not what its receiver can read."""


class TransportError(AsrdError):
    """A socket cannot be bound, or nothing answers at the other end."""


_PLACE = re.compile(r"(Exception from|Check '.*' failed at) \S+:\d+:")
"""Matches a line in which OpenVINO names the place in its sources that failed, before it says what happened."""


def alternatives(name: str, known: Sequence[str], shown: Iterable[str] = ()) -> str:
    """Suggest names in place of `name`, for use inside a one-line message: the nearest of those known, else all.

    shown: names to list in place of all.
    """
    near = get_close_matches(name, known)
    return f"the nearest: {', '.join(near)}" if near else f"there are: {', '.join(shown or known)}"


def passes(error: BaseException) -> bool:
    """Return whether an error out of a plugin is to be passed on: asrd's own, or Ctrl-C, which the main thread gets.

    All else a plugin may raise, such as SystemExit, is its failure and nothing more.
    """
    main = threading.current_thread() is threading.main_thread()
    return isinstance(error, AsrdError) or (isinstance(error, KeyboardInterrupt) and main)


def reason(error: BaseException) -> str:
    """Return the first line of another library's error that says what happened, for use inside a one-line message."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    try:
        lines = str(error).strip().splitlines()
    except BaseException:  # a plugin's own type of error may fail in turn
        lines = []
    return next((line for line in lines if not _PLACE.fullmatch(line)), lines[-1] if lines else type(error).__name__)
