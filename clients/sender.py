"""Send audio to a daemon that was started with `--source pcm:ADDRESS`.

    with Sender("tcp://127.0.0.1:7000", rate=48_000, channels=2) as sender:
        for block in blocks:
            sender.send(block)

It implements the protocol of `asrd.core.pcm`, which is all that other languages need.
"""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from asrd.clients.connection import Connection
from asrd.core.errors import TransportError, UsageError
from asrd.core.pcm import FORMATS, MAX_CHANNELS, MAX_RATE, MIN_RATE, PcmFormat, PcmHeader
from asrd.core.units import SAMPLE_RATE

PART = 0.1
"""Seconds of audio in one message; longer blocks are cut. ZeroMQ reports room to a sender only once half of the queue
was read, so longer messages would come in bursts with long waits between them.
"""

MAX_FRAMES_BYTES = 1 << 18
"""Bytes of samples in one message, whatever its rate and channels. The daemon takes 16 times as much."""

MAX_WAIT = 60.0
"""Seconds that a daemon that is behind may take to accept the next message."""


class Sender:
    """One session of audio. Used from one thread at a time.

    address: as after `pcm:` in the daemon's `--source`. rate: Hz. channels: interleaved. timeout: seconds to wait for
    a daemon to be there, at the beginning and when it has gone away. max_wait: seconds to wait for a daemon that is
    behind to accept a message; keep it short for live audio, which is lost meanwhile. away: seconds to wait for a
    daemon that has gone away, by default `timeout`; with `math.inf` it waits for the next one without end. Audio that
    may not have been heard is sent again then. waiting: called when the daemon has gone. length: frames that will be
    sent, if that is known; what is missing at the end is then named as a gap. waits: whether the audio may be heard
    late, as that of a file, while another sender is heard. key: as for `Subscriber`.

    away, max_wait: may be changed at any time, from any thread.
    """

    def __init__(
        self,
        address: str,
        rate: int = SAMPLE_RATE,
        channels: int = 1,
        timeout: float = 2.0,
        max_wait: float = MAX_WAIT,
        *,
        away: float | None = None,
        waiting: Callable[[TransportError], None] = lambda error: None,
        length: int | None = None,
        waits: bool = False,
        key: Path | None = None,
    ) -> None:
        if not MIN_RATE <= rate <= MAX_RATE or not 1 <= channels <= MAX_CHANNELS:
            raise UsageError(f"cannot send {channels} channels at {rate} Hz; use {MIN_RATE}-{MAX_RATE} Hz")
        self.address = address
        self.rate = rate
        self.channels = channels
        self.timeout = timeout
        self.max_wait = max_wait
        self.key = key
        self._away, self._waiting = away, waiting
        self.position = 0
        self._length, self._waits = length, waits
        self._session = uuid.uuid4().hex
        self._ended = False
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Connect. Raises TransportError if nothing listens at the address, UsageError for a malformed address or an
        unusable key.
        """
        self._connection = Connection(self.address, self.timeout, self.key, self._waiting)
        return self

    @property
    def away(self) -> float:
        """Seconds to wait for a daemon that has gone away."""
        return self.timeout if self._away is None else self._away

    @away.setter
    def away(self, seconds: float) -> None:
        self._away = seconds

    @property
    def behind(self) -> float:
        """Seconds to wait for a daemon that is behind."""
        return self.max_wait

    def send(self, pcm: npt.NDArray[Any], captured: float | None = None) -> None:
        """Send float32 (full scale 1) or int16 `(frames,)` or `(frames, channels)`.

        captured: wall-clock time of the last frame; by default now. Raises TransportError if the daemon has gone, or
        accepts nothing for `max_wait` seconds, and UsageError for samples of another type.
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
        """Declare `frames` frames missing before what is sent next."""
        self.position += frames

    def end(self) -> None:
        """Declare the end, so that the daemon closes the utterance and accepts the next sender."""
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
            length=self._length,
            waits=self._waits,
        )
        assert self._connection
        self._connection.send([msgspec.json.encode(header), data], self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the session and wait until the last audio has left, or drop everything after an error."""
        if self._connection is None:
            return
        try:
            if kind is None:
                self.end()
        finally:
            self._connection.close(drop=kind is not None)
            self._connection = None
