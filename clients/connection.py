"""A socket that pushes messages to a daemon, and notices whether it is there."""

import contextlib
import fcntl
import os
import termios
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from asrd.clients.handshake import BROKEN_OFF, monitor_address, present, refused
from asrd.core.addresses import absent, check_port, not_an_address
from asrd.core.errors import TransportError
from asrd.core.key import concerns
from asrd.core.pcm import PcmHeader
from asrd.core.shell import quoted

QUEUE = 32
"""Messages held while the daemon is behind, before `send` waits."""

KERNEL_BUFFER = 1 << 16
"""Bytes the kernel may hold; see `asrd.daemon.sources.network`."""

KEPT, KEPT_BYTES = 128, 16 << 20
"""Messages kept to be sent again after a loss of connection, and their size: more than the daemon, the kernel and the
queue hold that nobody has heard. The daemon ignores what it has heard.
"""

GLANCE = 0.5
"""Seconds between two looks at whether to go on waiting."""

LINGER = 10.0
"""Seconds that closing may take while the daemon still reads what was sent."""


class Patience(Protocol):
    """How long to wait. It may change meanwhile."""

    @property
    def away(self) -> float:
        """Seconds without a daemon."""
        ...

    @property
    def behind(self) -> float:
        """Seconds without a daemon that takes audio."""
        ...


class Connection:
    """A connection to a daemon that was started with `--source pcm:ADDRESS`. Used from one thread at a time."""

    def __init__(
        self,
        address: str,
        timeout: float,
        key: Path | None = None,
        waiting: Callable[[TransportError], None] = lambda error: None,
    ) -> None:
        """Connect within `timeout` seconds. key: as for `Subscriber`. waiting: called when the daemon has gone.

        Raises TransportError if nothing listens at the address, UsageError for a malformed address or an unusable
        key.
        """
        self._address = address
        self._connected = self._broken_off = False
        self._descriptor = -1
        self._waiting = waiting
        self._kept: deque[list[bytes]] = deque()
        self._again: deque[list[bytes]] = deque()
        self._bytes = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.linger = 0
        self._socket.sndhwm = QUEUE
        self._socket.setsockopt(zmq.SNDBUF, KERNEL_BUFFER)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)  # queue nothing for a daemon that is not there
        try:
            self._key = present(self._socket, address, key)
            self._connect(timeout)
        except BaseException:
            self._context.destroy(linger=0)
            raise

    def _connect(self, timeout: float) -> None:
        events = zmq.EVENT_CONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | BROKEN_OFF
        self._monitor = self._socket.get_monitor_socket(events, monitor_address())
        check_port(self._address)
        try:
            self._socket.connect(self._address)
        except zmq.ZMQError as error:
            raise not_an_address(self._address, error.strerror) from error
        deadline = time.monotonic() + timeout
        while not self._connected:  # the other side may hang up before it has spoken ZeroMQ
            if not self._monitor.poll(max(0, round((deadline - time.monotonic()) * 1000))):
                if self._broken_off and concerns(self._address):
                    raise refused(self._address, self._key)
                remedy = f"start a daemon with 'asrd start --source {quoted(f'pcm:{self._address}')}'"
                raise absent(self._address, f"nothing listens at {self._address}; {remedy}")
            self._watch()

    def send(self, parts: list[bytes], patience: "Patience") -> None:
        """Push a message, after those that may have been lost with a connection.

        Raises TransportError when the daemon tries one's patience.
        """
        self._watch()
        self._keep(parts)
        self._again.append(parts)
        while self._again:  # a change of connection puts all that is kept there
            try:
                self._socket.send_multipart(self._again[0], zmq.NOBLOCK, copy=True)
                self._again.popleft()
                self._watch()
            except zmq.Again:
                self._wait(patience)

    def _keep(self, parts: list[bytes]) -> None:
        self._kept.append(parts)
        self._bytes += sum(map(len, parts))
        while len(self._kept) > KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= sum(map(len, self._kept.popleft()))

    def close(self, *, drop: bool) -> None:
        """Close once the last message has left; drop: at once, discarding what has not left."""
        with contextlib.nullcontext() if drop else self._held_open():
            self._context.destroy(linger=0 if drop else round(LINGER * 1000))

    def _watch(self) -> None:
        """Update whether the daemon is connected."""
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            if self._connected and event["event"] == zmq.EVENT_DISCONNECTED:
                self._again = deque(map(_repeated, self._kept))
            self._connected = event["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
            self._broken_off = self._broken_off or bool(event["event"] & BROKEN_OFF)
            if event["event"] == zmq.EVENT_CONNECTED:
                self._descriptor = event["value"]

    def _wait(self, patience: "Patience") -> None:
        """Wait for room for a message."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLOUT)
        poller.register(self._monitor, zmq.POLLIN)
        began = time.monotonic()
        gone: float | None = None
        while not self._socket.poll(0, zmq.POLLOUT):
            self._watch()
            now = time.monotonic()
            if gone is None and not self._connected:
                self._waiting(self._failed("has gone"))
            gone = None if self._connected else gone or now
            left = began + patience.behind - now if gone is None else gone + patience.away - now
            if left <= 0:
                raise self._failed("has gone" if gone is not None else f"took no audio for {patience.behind:g} s")
            poller.poll(max(1, round(min(left, GLANCE) * 1000)))

    def _failed(self, what: str) -> TransportError:
        return TransportError(f"the daemon at {self._address} {what}; look with 'asrd status'")

    @contextlib.contextmanager
    def _held_open(self) -> Iterator[None]:
        """Keep a Unix socket open until the daemon has read everything. A libzmq that is behind takes the hang-up for
        an error, and drops what is still in the kernel; over TCP no hang-up is seen before the last byte.
        """
        self._watch()
        if not self._connected or not self._address.startswith("ipc://"):
            yield
            return
        kept = os.dup(self._descriptor)
        try:
            yield
            deadline = time.monotonic() + LINGER
            with contextlib.suppress(OSError):  # a system that cannot tell
                while any(fcntl.ioctl(kept, termios.TIOCOUTQ, bytes(4))) and time.monotonic() < deadline:
                    time.sleep(0.01)  # no event reports it
        finally:
            os.close(kept)


def _repeated(parts: list[bytes]) -> list[bytes]:
    """Return a message marked as sent before."""
    header, data = parts
    return [msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(header, type=PcmHeader), again=True)), data]
