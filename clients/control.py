"""Send requests to a running daemon."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from asrd.clients.handshake import BROKEN_OFF, monitor_address, present, refused
from asrd.clients.sequence import Hole
from asrd.core.addresses import absent, control_address, not_an_address, reachable, unanswered
from asrd.core.control import (
    Acknowledge,
    AnyRequest,
    GetPosition,
    GetSettings,
    GetStatus,
    Past,
    Recall,
    Reload,
    Replay,
    Reply,
    SetPause,
    SetSettings,
    Setting,
    Since,
    Stop,
    UseBackend,
    WordsRequest,
)
from asrd.core.errors import AsrdError, TransportError, UsageError, reason
from asrd.core.events import AnyEvent, Status
from asrd.core.key import Key, concerns

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Events that lasted, oldest first, of the range that was asked for, up to `last`; and what of it is missing."""

    daemon: str
    last: int
    events: list[AnyEvent]
    missing: list[tuple[int, int]]

    def items(self, daemon: str) -> Iterator[AnyEvent | Hole]:
        """Yield events and holes in order. daemon: of the holes."""
        holes = [Hole(daemon, first, last) for first, last in self.missing]
        for event in self.events:
            while holes and holes[0].first <= event.seq:
                yield holes.pop(0)
            yield event
        yield from holes


class Control:
    """Sends requests to one daemon, each over a connection of its own. Safe to use from any thread.

    address: the daemon's control socket; by default that of this user's own daemon, as `asrd status` finds it.
    timeout: seconds to wait for an ordinary answer. key: as for `Subscriber`.
    """

    def __init__(self, address: str | None = None, timeout: float = 3.0, key: Path | None = None) -> None:
        self.address = reachable(address or control_address())
        self._timeout = timeout
        self._path = key

    def status(self) -> Status:
        """Return the daemon's status. Raises TransportError if none answers, at once if none is there."""
        return self._ask(GetStatus(), Status)

    def use_backend(self, name: str, timeout: float = 120.0) -> str:
        """Switch the backend between two windows; returns the previous one's name.

        Raises UsageError for an unknown backend, AsrdError if it cannot load the model; the daemon then keeps the one
        it has.
        """
        self.status()  # loading takes a while; a missing daemon should show at once
        return self._ask(UseBackend(name), dict[str, str], timeout).get("previous", "")

    def settings(self, stream: str = "") -> dict[str, dict[str, Setting]]:
        """Return what can be set while running, in samples, by stream and name. stream: only this one."""
        return self._ask(GetSettings(stream), dict[str, dict[str, Setting]])

    def set(self, values: Mapping[str, int], stream: str = "") -> dict[str, dict[str, Setting]]:
        """Set lengths, in samples, from the next audio on; returns the new settings.

        Raises UsageError for an impossible value; then none is set.
        """
        return self._ask(SetSettings(dict(values), stream), dict[str, dict[str, Setting]])

    def pause(self, *, on: bool | None, stream: str = "") -> dict[str, bool]:
        """Pause a stream, or all, or let them go on; None changes it. Returns whether each is paused now."""
        return self._ask(SetPause(on, stream), dict[str, bool])

    def replay(self, first: int, last: int) -> list[AnyEvent]:
        """Return past events `first <= seq <= last`, as far as the daemon has them."""
        found: list[AnyEvent] = []
        while some := self._ask(Replay(first, last), list[AnyEvent]):
            found += some
            first = found[-1].seq + 1
        return found

    def recall(self, first: int, last: int, daemon: str = "") -> Fetched:
        """Return past lasting events `first <= seq <= last`, some of them if they are many: ask again for those after
        `last`. daemon: as for `core.control.Recall`.
        """
        past = self._ask(Recall(first, last, daemon), Past)
        return Fetched(past.daemon, max(past.last, first), msgspec.convert(past.events, list[AnyEvent]), past.missing)

    def since(self, moment: float) -> int:
        """Return the `seq` of the first lasting event at or after a Unix time, or of the next one."""
        return self._ask(Since(moment), int)

    def position(self, name: str) -> int | None:
        """Return the last event that a consumer acknowledged, or None if it is not known. Raises UsageError if the
        daemon keeps no positions.
        """
        position = self._ask(GetPosition(name), object)
        return position if isinstance(position, int) else None

    def acknowledge(self, name: str, seq: int) -> None:
        """Say that a consumer has all events up to `seq`. Raises UsageError if the daemon keeps no positions."""
        self._ask(Acknowledge(name, seq), object)

    def words(self, request: WordsRequest) -> dict[str, float]:
        """Carry out a request about hot words; returns the words and boosts in its answer. Raises UsageError for an
        impossible one.
        """
        return self._ask(request, dict[str, float])

    def reload(self) -> str:
        """Have the daemon read settings, clients and hot words again; returns a line that says what is in use now.

        Raises AsrdError if it cannot.
        """
        return self._ask(Reload(), str)

    def stop(self) -> None:
        """Tell the daemon to finish open utterances and exit."""
        self._ask(Stop(), object)

    def _ask(self, request: AnyRequest, kind: type[Result], timeout: float | None = None) -> Result:
        """Send a request and return the result. Raises TransportError if nothing answers, or something other than
        asrd does.
        """
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.REQ)
        events = zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_HANDSHAKE_SUCCEEDED | BROKEN_OFF
        monitor = socket.get_monitor_socket(events, monitor_address())
        try:
            key = present(socket, self.address, self._path)
            socket.connect(self.address)
            socket.send(msgspec.json.encode(request))
            self._await(socket, monitor, timeout or self._timeout, key)
            reply = msgspec.json.decode(socket.recv(), type=Reply)
            if not reply.error:
                return msgspec.convert(reply.result, kind)
        except zmq.ZMQError as error:
            raise not_an_address(self.address, error.strerror) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise TransportError(
                f"what answers at {self.address} is no asrd of this version ({reason(error)}); "
                "stop it, or name another address with --control"
            ) from error
        finally:
            socket.disable_monitor()
            monitor.close(linger=0)
            socket.close(linger=0)
        raise UsageError(reply.error) if reply.exit_code == UsageError.exit_code else AsrdError(reply.error)

    def _await(
        self, socket: "zmq.Socket[bytes]", monitor: "zmq.Socket[bytes]", timeout: float, key: Key | None
    ) -> None:
        """Wait for an answer. Raises TransportError if the connection is refused or lost, which shows at once, or if
        `timeout` seconds bring no answer.
        """
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLIN)
        poller.register(monitor, zmq.POLLIN)
        deadline = time.monotonic() + timeout
        while poller.poll(max(0, round((deadline - time.monotonic()) * 1000))):
            if socket.poll(0):
                return
            event = recv_monitor_message(monitor)["event"]
            if event & BROKEN_OFF and concerns(self.address):
                raise refused(self.address, key)
            if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
                raise absent(self.address, f"no daemon answers at {self.address}; start one with 'asrd start'")
        raise unanswered(self.address)
