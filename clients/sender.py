"""Send audio to a daemon that was started with `--source pcm:ENDPOINT`.

    with Sender("tcp://127.0.0.1:7000", rate=48_000, channels=2) as sender:
        for block in blocks:
            sender.send(block)

This is all of the protocol that `asrd.core.pcm` describes; other languages need only that.
"""

import contextlib
import fcntl
import os
import termios
import time
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt
import zmq
from zmq.utils.monitor import recv_monitor_message

from asrd.core.endpoints import check_port, no_endpoint
from asrd.core.errors import TransportError, UsageError
from asrd.core.pcm import FORMATS, MAX_CHANNELS, MAX_RATE, MIN_RATE, PcmFormat, PcmHeader
from asrd.core.units import SAMPLE_RATE

QUEUE = 32
"""Messages held while the daemon is behind, before `send` waits."""

PART = 0.1
"""Seconds of audio in one message; longer blocks are cut. ZeroMQ tells a sender that there is room again
only once half a queue was read, so that longer messages would come in bursts with long waits between.
"""

MAX_FRAMES_BYTES = 1 << 18
"""Bytes of samples in one message, whatever its rate and channels. The daemon takes 16 times as much."""

KERNEL_BUFFER = 1 << 16
"""Bytes the kernel may hold; see `asrd.daemon.sources.network`."""

LINGER = 10.0
"""Seconds that leaving may take while the daemon still takes what was sent."""


PATIENCE = 60.0
"""Seconds a daemon that is behind may take until it takes the next message."""


class Sender:
    """One session of audio. Used from one thread at a time.

    endpoint: as after `pcm:` in the daemon's `--source`. rate: Hz. channels: interleaved.
    timeout: seconds to wait for a daemon to be there, at the beginning and when it has gone away.
    patience: seconds to wait for a daemon that is there to take a message; little for live audio, which
    is lost while it waits.
    """

    def __init__(
        self,
        endpoint: str,
        rate: int = SAMPLE_RATE,
        channels: int = 1,
        timeout: float = 2.0,
        patience: float = PATIENCE,
    ) -> None:
        if not MIN_RATE <= rate <= MAX_RATE or not 1 <= channels <= MAX_CHANNELS:
            raise UsageError(f"cannot send {channels} channels at {rate} Hz; use {MIN_RATE}-{MAX_RATE} Hz")
        self.endpoint = endpoint
        self.rate = rate
        self.channels = channels
        self.timeout = timeout
        self.patience = patience
        self.position = 0
        self._session = uuid.uuid4().hex
        self._ended = False
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes]
        self._monitor: zmq.Socket[bytes]
        self._connected = False
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Connect. Raises TransportError when nothing listens at the endpoint, UsageError where it is none."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.linger = 0
        self._socket.sndhwm = QUEUE
        self._socket.setsockopt(zmq.SNDBUF, KERNEL_BUFFER)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)  # queue nothing for a daemon that is not there
        try:
            self._connect()
        except BaseException:
            self._context.destroy(linger=0)
            raise
        return self

    def _connect(self) -> None:
        events = zmq.EVENT_CONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
        self._monitor = self._socket.get_monitor_socket(events)
        check_port(self.endpoint)
        try:
            self._socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            raise no_endpoint(self.endpoint, error.strerror) from error
        deadline = time.monotonic() + self.timeout
        while not self._connected:  # what answers may hang up before it has spoken ZeroMQ
            if not self._monitor.poll(max(0, round((deadline - time.monotonic()) * 1000))):
                remedy = f"start a daemon with 'asrd start --source pcm:{self.endpoint}'"
                raise TransportError(f"nothing listens at {self.endpoint}; {remedy}")
            self._watch()

    def _watch(self) -> None:
        """Notice whether the daemon has come or gone since."""
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            self._connected = event["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
            if event["event"] == zmq.EVENT_CONNECTED:
                self._descriptor = event["value"]

    def send(self, pcm: npt.NDArray[Any], captured: float | None = None) -> None:
        """Send float32 (full scale 1) or int16 `(frames,)` or `(frames, channels)`.

        captured: wall-clock time of the last frame; now unless given.
        Raises TransportError when the daemon has gone, or takes nothing for `patience` seconds,
        and UsageError for samples of another kind.
        """
        if pcm.dtype != np.int16 and pcm.dtype.kind != "f":
            raise UsageError(f"cannot send samples of type {pcm.dtype}; convert them to float32 or int16")
        frames = pcm.reshape(-1, self.channels)
        sample_format: PcmFormat = "s16le" if frames.dtype == np.int16 else "f32le"
        end = time.time() if captured is None else captured
        fits = MAX_FRAMES_BYTES // (FORMATS[sample_format].itemsize * self.channels)
        step = min(round(PART * self.rate), fits)
        for first in range(0, len(frames), step):
            part = frames[first : first + step].astype(FORMATS[sample_format])
            self._send(part.tobytes(), sample_format, end - (len(frames) - first - len(part)) / self.rate)
            self.position += len(part)

    def skip(self, frames: int) -> None:
        """Say that `frames` frames are missing before what is sent next."""
        self.position += frames

    def end(self) -> None:
        """Say that nothing follows, so that the daemon closes the utterance and hears the next sender."""
        if not self._ended:
            self._send(b"", "s16le", time.time(), end=True)
            self._ended = True

    def _send(self, data: bytes, sample_format: PcmFormat, captured: float, end: bool = False) -> None:
        header = PcmHeader(
            session=self._session,
            rate=self.rate,
            channels=self.channels,
            format=sample_format,
            position=self.position,
            captured=captured,
            end=end,
        )
        parts = [msgspec.json.encode(header), data]
        while True:  # room that was there may be gone again when the connection has just changed
            try:
                self._socket.send_multipart(parts, zmq.NOBLOCK, copy=True)
                return
            except zmq.Again:
                self._wait()

    def _wait(self) -> None:
        """Until there is room for a message. The daemon may be behind for long, but not away for long."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLOUT)
        poller.register(self._monitor, zmq.POLLIN)
        began = time.monotonic()
        gone: float | None = None
        while not self._socket.poll(0, zmq.POLLOUT):
            self._watch()
            now = time.monotonic()
            gone = None if self._connected else gone or now
            left = began + self.patience - now if gone is None else gone + self.timeout - now
            if left <= 0:
                what = "has gone" if gone is not None else f"took no audio for {self.patience:g} s"
                raise TransportError(f"the daemon at {self.endpoint} {what}; look with 'asrd status'")
            poller.poll(max(1, round(left * 1000)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session and wait until the last audio has left, or drop everything after an error."""
        if self._context is None:
            return
        try:
            if kind is None:
                self.end()
        finally:
            with self._held_open() if kind is None else contextlib.nullcontext():
                self._context.destroy(linger=round(LINGER * 1000) if kind is None else 0)
            self._context = None

    @contextlib.contextmanager
    def _held_open(self) -> Iterator[None]:
        """Keep a Unix socket open until the daemon has read it out. A libzmq that is behind takes the hang-up
        for an error, and drops what is still in the kernel; over TCP no hang-up is seen before the last byte.
        """
        self._watch()
        if not self._connected or not self.endpoint.startswith("ipc://"):
            yield
            return
        kept = os.dup(self._descriptor)
        try:
            yield
            deadline = time.monotonic() + LINGER
            with contextlib.suppress(OSError):  # a system that cannot tell
                while any(fcntl.ioctl(kept, termios.TIOCOUTQ, bytes(4))) and time.monotonic() < deadline:
                    time.sleep(0.01)  # there is no event for it
        finally:
            os.close(kept)
