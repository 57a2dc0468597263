"""A socket that pushes messages to a daemon, and notices whether it is there."""

import contextlib
import fcntl
import os
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import zmq
from zmq.utils.monitor import recv_monitor_message

from asrd.clients.handshake import BROKEN_OFF, present, refused
from asrd.core.addresses import absent, check_port, not_an_address
from asrd.core.errors import TransportError
from asrd.core.key import concerns

QUEUE = 32
"""Messages held while the daemon is behind, before `send` waits."""

KERNEL_BUFFER = 1 << 16
"""Bytes the kernel may hold; see `asrd.daemon.sources.network`."""

LINGER = 10.0
"""Seconds that closing may take while the daemon still reads what was sent."""


class Connection:
    """A connection to a daemon that was started with `--source pcm:ADDRESS`. Used from one thread at a time."""

    def __init__(self, address: str, timeout: float, key: Path | None = None) -> None:
        """Connect within `timeout` seconds. key: as for `Subscriber`.

        Raises TransportError if nothing listens at the address, UsageError for a malformed address or an unusable
        key.
        """
        self._address = address
        self._connected = self._broken_off = False
        self._descriptor = -1
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
        self._monitor = self._socket.get_monitor_socket(events)
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
                remedy = f"start a daemon with 'asrd start --source pcm:{self._address}'"
                raise absent(self._address, f"nothing listens at {self._address}; {remedy}")
            self._watch()

    def send(self, parts: list[bytes], timeout: float, max_wait: float) -> None:
        """Push a message.

        Raises TransportError when the daemon has been away for `timeout` seconds, or takes nothing for `max_wait`.
        """
        while True:  # after a change of connection the room may be gone again
            try:
                self._socket.send_multipart(parts, zmq.NOBLOCK, copy=True)
                return
            except zmq.Again:
                self._wait(timeout, max_wait)

    def close(self, *, drop: bool) -> None:
        """Close once the last message has left; drop: at once, discarding what has not left."""
        with contextlib.nullcontext() if drop else self._held_open():
            self._context.destroy(linger=0 if drop else round(LINGER * 1000))

    def _watch(self) -> None:
        """Update whether the daemon is connected."""
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            self._connected = event["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
            self._broken_off = self._broken_off or bool(event["event"] & BROKEN_OFF)
            if event["event"] == zmq.EVENT_CONNECTED:
                self._descriptor = event["value"]

    def _wait(self, timeout: float, max_wait: float) -> None:
        """Wait for room for a message. The daemon may be behind for long, but not away for long."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLOUT)
        poller.register(self._monitor, zmq.POLLIN)
        began = time.monotonic()
        gone: float | None = None
        while not self._socket.poll(0, zmq.POLLOUT):
            self._watch()
            now = time.monotonic()
            gone = None if self._connected else gone or now
            left = began + max_wait - now if gone is None else gone + timeout - now
            if left <= 0:
                what = "has gone" if gone is not None else f"took no audio for {max_wait:g} s"
                raise TransportError(f"the daemon at {self._address} {what}; look with 'asrd status'")
            poller.poll(max(1, round(left * 1000)))

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
