"""Follow a daemon's events over holes, restarts and crashes. No sockets here: `Following.steps` asks for what it needs.

An event of which others are missing before it waits until these were fetched. What cannot be fetched is a `Hole`.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from asrd.clients.control import Control, Fetched
from asrd.clients.sequence import Hole, Sequence, beginning
from asrd.core.errors import TransportError, UsageError
from asrd.core.events import PASSING, AnyEvent, Status, Stopped, decode

PATIENCE = 5.0
"""Seconds for which events are held back while those before them cannot be fetched."""


class Receive:
    """A step: answer with the next message, or None if none comes in time."""


@dataclass(frozen=True, slots=True)
class Call:
    """A step: answer with what `make` returns. It may take a while."""

    make: Callable[[], Any]


Steps = Generator[Receive | Call | AnyEvent | Hole, Any, Any]


class Link(Protocol):
    """The connection that is followed."""

    address: str

    def silent(self, *, expected: bool) -> None:
        """Connect anew after a silence, or raise TransportError. expected: after a `stopped`."""
        ...

    def stuck(self, error: TransportError) -> None:
        """Tell that nothing can be passed on for now."""
        ...

    def control(self, said: str) -> Control | None:
        """Return the daemon's control; None if there is none to reach. said: its address as the daemon has it."""
        ...


class Following:
    """What has been passed on, and what comes next.

    since: the first `seq`, or a time; by default the next event. name: of a consumer whose position the daemon keeps; a
    new one begins with `since`, by default the oldest event there is. once: end after the daemon's `stopped`.
    """

    def __init__(self, link: Link, since: int | datetime | None, name: str, *, once: bool) -> None:
        self._link, self._since, self._name, self._once = link, since, name, once
        self._sequence = Sequence()
        self._control: Control | None = None
        self._stopped = False
        self._stuck: float | None = None

    def steps(self) -> Steps:
        """Yield events and holes, and steps whose answers are to be sent back."""
        while True:
            frames = yield Receive()
            if frames is None:
                self._link.silent(expected=self._stopped)
                continue
            event = decode(frames[-1])
            if isinstance(event, Status):
                self._control = self._link.control(event.control)
            if not ((yield from self._begin(event)) and (yield from self._fill(event))):
                continue
            self._stopped = isinstance(event, Stopped)
            yield from self._pass(event)
            if self._stopped and self._once:
                return

    def _begin(self, event: AnyEvent) -> Steps:
        """Find out where to begin, if that is not yet known; returns whether it is now."""
        if self._sequence.next is not None:
            return True
        first: int | None = beginning(event)
        if self._since is not None or self._name:
            if not self._control:
                if isinstance(event, Status):
                    raise UsageError(f"no control socket can be reached beside {self._link.address}; name it")
                return False
            first = yield from self._ask(partial(self._first, self._control))
        if first is None:
            return False
        self._sequence.next = min(first, beginning(event))
        return True

    def _first(self, control: Control) -> int:
        if self._name and (position := control.position(self._name)) is not None:
            return position + 1
        if isinstance(self._since, int):
            return self._since
        return control.since(self._since.timestamp() if self._since else 0.0)

    def _fill(self, event: AnyEvent) -> Steps:
        """Pass on what is missing before an event; returns whether it is next."""
        sequence, end = self._sequence, beginning(event)
        while (first := sequence.due(event)) < end:
            anew = sequence.daemon not in ("", event.daemon)
            fetched: Fetched | None = None
            if self._control:
                fetched = yield from self._ask(partial(self._control.recall, first, end - 1, sequence.daemon))
                if fetched and fetched.daemon != event.daemon:
                    return False  # it has just been restarted
                if not fetched and not self._given_up():
                    return False
            if fetched:
                for item in fetched.items(sequence.daemon or event.daemon):
                    yield from self._pass(item)
                sequence.daemon, sequence.next = event.daemon, fetched.last + 1
                continue
            if not anew:
                yield Hole(event.daemon, first, end - 1)
            break
        return sequence.due(event) <= end

    def _given_up(self) -> bool:
        """Return whether what is missing is given up. A consumer with a name never does."""
        return not self._name and self._stuck is not None and time.monotonic() > self._stuck + PATIENCE

    def _pass(self, item: AnyEvent | Hole) -> Steps:
        """Pass an event on. It is acknowledged when the next one is asked for."""
        if not isinstance(item, Hole):
            self._sequence.take(item)
        yield item
        if self._name and self._control and not isinstance(item, (Hole, *PASSING)):
            yield Call(
                partial(_answer, partial(self._control.acknowledge, self._name, item.seq))
            )  # or the next one does

    def _ask(self, question: Callable[[], Any]) -> Steps:
        """Return the daemon's answer, or None if it does not answer."""
        answer = yield Call(partial(_answer, question))
        if not isinstance(answer, TransportError):
            self._stuck = None
            return answer
        if self._stuck is None:
            self._stuck = time.monotonic()
            self._link.stuck(answer)
        return None


def _answer(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except TransportError as error:
        return error
