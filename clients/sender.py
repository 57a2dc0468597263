"""Send audio to a daemon that was started with `--source pcm:ENDPOINT`.

    with Sender("tcp://127.0.0.1:7000", rate=48_000, channels=2) as sender:
        for block in blocks:
            sender.send(block)

This is all of the protocol that `asrd.core.pcm` describes; other languages need only that.
"""

import time
import uuid
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt
import zmq

from asrd.core.errors import TransportError, UsageError
from asrd.core.pcm import FORMATS, MAX_CHANNELS, MAX_RATE, MIN_RATE, PcmFormat, PcmHeader
from asrd.core.units import SAMPLE_RATE

QUEUE = 32
"""Messages held while the daemon is behind, before `send` waits."""

MAX_FRAMES_BYTES = 1 << 18
"""Bytes of samples in one message; longer blocks are cut. The daemon takes 16 times as much."""

KERNEL_BUFFER = 1 << 16
"""Bytes the kernel may hold; see `asrd.daemon.sources.network`."""

LINGER = 10.0
"""Seconds that leaving may take while the daemon still takes what was sent."""


class Sender:
    """One session of audio. Used from one thread at a time.

    endpoint: as after `pcm:` in the daemon's `--source`. rate: Hz. channels: interleaved.
    timeout: seconds to wait for a daemon to be there, and for it to take a message.
    """

    def __init__(self, endpoint: str, rate: int = SAMPLE_RATE, channels: int = 1, timeout: float = 2.0) -> None:
        if not MIN_RATE <= rate <= MAX_RATE or not 1 <= channels <= MAX_CHANNELS:
            raise UsageError(f"cannot send {channels} channels at {rate} Hz; use {MIN_RATE}-{MAX_RATE} Hz")
        self.endpoint = endpoint
        self.rate = rate
        self.channels = channels
        self.timeout = timeout
        self.position = 0
        self._session = uuid.uuid4().hex
        self._ended = False
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes]

    def __enter__(self) -> Self:
        """Connect. Raises TransportError when nothing listens at the endpoint."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.linger = 0
        self._socket.sndhwm = QUEUE
        self._socket.setsockopt(zmq.SNDBUF, KERNEL_BUFFER)
        self._socket.setsockopt(zmq.SNDTIMEO, round(self.timeout * 1000))
        self._socket.setsockopt(zmq.IMMEDIATE, 1)  # queue nothing for a daemon that is not there
        try:
            self._connect()
        except BaseException:
            self._context.destroy(linger=0)
            raise
        return self

    def _connect(self) -> None:
        monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        try:
            self._socket.connect(self.endpoint)
            if not monitor.poll(round(self.timeout * 1000)):
                remedy = f"start a daemon with 'asrd start --source pcm:{self.endpoint}'"
                raise TransportError(f"nothing listens at {self.endpoint}; {remedy}")
        except zmq.ZMQError as error:
            raise TransportError(f"'{self.endpoint}' is no address ({error.strerror}); try tcp://HOST:PORT") from error
        finally:
            self._socket.disable_monitor()
            monitor.close(linger=0)

    def send(self, pcm: npt.NDArray[Any], captured: float | None = None) -> None:
        """Send float32 (full scale 1) or int16 `(frames,)` or `(frames, channels)`.

        captured: wall-clock time of the last frame; now unless given.
        Raises TransportError when the daemon has gone, or takes nothing for `timeout` seconds,
        and UsageError for samples of another kind.
        """
        if pcm.dtype != np.int16 and pcm.dtype.kind != "f":
            raise UsageError(f"cannot send samples of type {pcm.dtype}; convert them to float32 or int16")
        frames = pcm.reshape(-1, self.channels)
        sample_format: PcmFormat = "s16le" if frames.dtype == np.int16 else "f32le"
        end = time.time() if captured is None else captured
        step = max(1, MAX_FRAMES_BYTES // (FORMATS[sample_format].itemsize * self.channels))
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
        try:
            self._socket.send_multipart([msgspec.json.encode(header), data], copy=True)
        except zmq.Again as error:
            raise TransportError(
                f"the daemon at {self.endpoint} took no audio for {self.timeout:g} s; look with 'asrd status'"
            ) from error

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
            self._context.destroy(linger=round(LINGER * 1000) if kind is None else 0)
            self._context = None
