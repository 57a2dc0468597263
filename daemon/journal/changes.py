"""What is written for each event, beside itself: which utterances are open, and what is known of them."""

from typing import NamedTuple

from asrd.core.events import PASSING, Event, Final, Partial, Started
from asrd.daemon.journal.store import Change


class Heard(NamedTuple):
    """How far a daemon heard a stream: its position, and that of its sender, in frames of a session."""

    daemon: str
    position: int
    session: str = ""
    frames: int = 0


def of_event(event: Event, payload: bytes) -> list[Change]:
    """Return what an event changes; nothing for one that is not kept."""
    changes: list[Change] = []
    if not isinstance(event, PASSING):
        row = (event.seq, event.time, event.stream, type(event).__name__.lower(), payload.decode())
        changes.append(("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row))
    match event:
        case Started() | Partial():
            known = (event.stream, event.utterance, event.daemon, payload.decode())
            changes.append(("INSERT OR REPLACE INTO utterances VALUES (?, ?, ?, ?)", known))
        case Final():
            whose = (event.stream, event.utterance)
            changes.append(("DELETE FROM utterances WHERE stream = ? AND number = ?", whose))
    return changes


def of_number(following: int) -> list[Change]:
    """Return the change after which no `seq` below `following` is given out again."""
    return [("UPDATE facts SET value = ? WHERE name = 'next'", (following,))]


def of_loss(first: int, last: int) -> list[Change]:
    """Return the change that says that events `first <= seq <= last` may be missing."""
    return [("INSERT OR REPLACE INTO missing VALUES (?, ?)", (first, last))]


def of_position(name: str, seq: int, time: float) -> list[Change]:
    """Return the change that says that a consumer has everything up to `seq`."""
    return [("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (name, seq, time))]


def of_oblivion(stream: str) -> list[Change]:
    """Return the change after which it is not known any more how far a stream was heard."""
    return [("DELETE FROM heard WHERE stream = ?", (stream,))]


def of_heard(stream: str, heard: Heard) -> list[Change]:
    """Return the change that says how far a stream was heard."""
    return [("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?)", (stream, *heard))]
