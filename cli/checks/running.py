"""Check a daemon that runs already."""

from collections.abc import Iterator

from asrd.cli.checks.finding import Finding, Subject
from asrd.core.errors import AsrdError, TransportError
from asrd.core.events import Status

PATIENCE = 0.5
"""Seconds that a daemon gets to answer."""


def answering(control: str) -> Status | AsrdError | None:
    """Return the status of the daemon at an address, why it does not give one, or None if there is none."""
    from asrd.clients import Control

    try:
        return Control(control, timeout=PATIENCE).status()
    except TransportError:
        return None
    except AsrdError as error:
        return error


def check_daemon(subject: Subject) -> Iterator[Finding]:
    """Tell of a daemon that runs."""
    state = subject.daemon
    if state is None:
        yield Finding("daemon", "ok", "none is running")
    elif isinstance(state, AsrdError):
        yield Finding.of("daemon", state)
    else:
        yield Finding("daemon", "ok", f"process {state.pid} answers, on {state.backend}")
        if state.recording:
            yield Finding("recording", "warn", f"all that is heard is kept in {state.recording}")
