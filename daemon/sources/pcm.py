"""Raw PCM on standard input: `arecord … | asrd start --source pcm:-`."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator

from asrd.core.containers import container
from asrd.core.errors import AudioError
from asrd.core.flow import AudioChunk
from asrd.core.pcm import FORMATS, PcmFormat, decode
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.resample import check_rate
from asrd.daemon.sources.timeline import Timeline
from asrd.daemon.threads import in_thread, unless

READ_SIZE = 1 << 16
"""Bytes read at once: the capacity of a Linux pipe."""

_open: set[int] = set()
"""Descriptors being read: of two readers, each would get half."""

log = logging.getLogger(__name__)


class PipeSource(Source):
    """Read samples from a file descriptor until its end. The writer waits if the daemon is slow."""

    kind = "pcm"
    patient = True  # it may be a recording: who writes has to wait

    def __init__(
        self, stream: str, rate: int = SAMPLE_RATE, channels: int = 1, sample_format: PcmFormat = "s16le", fd: int = 0
    ) -> None:
        super().__init__(stream)
        self.rate = rate
        self.channels = channels
        self.format = sample_format
        self._fd = fd
        self._wake = asyncio.Event()
        self._closed = False
        self._mine = False

    async def open(self) -> None:
        """Raise AudioError if there is nothing to read from."""
        check_rate(self.rate, "pcm:-")
        try:
            if self._fd == 0 and sys.stdin is None:  # another file may have got its number since
                raise OSError("closed at the start")
            os.fstat(self._fd)
        except OSError as error:
            raise AudioError("pcm:- reads from standard input, which is closed; pipe audio into it") from error
        if os.isatty(self._fd):
            raise AudioError("pcm:- reads from standard input, which is a terminal; pipe audio into it")
        if self._fd in _open:
            raise AudioError("two sources read standard input; give pcm:- only once")
        _open.add(self._fd)
        self._mine = True

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield samples as they are read. Raises AudioError at a sample that is not a number, or if a file with a
        header comes in.
        """
        timeline = Timeline(self.rate)
        frame = FORMATS[self.format].itemsize * self.channels
        rest = b""
        count = 0
        while data := await self._read():
            if not count and not rest:
                self._check(data)
            data = rest + data
            whole = len(data) - len(data) % frame
            rest = data[whole:]
            try:
                pcm = decode(data[:whole], self.format, self.channels)
            except ValueError as error:
                hint = f"is it really {self.format} with {self.channels} channel(s)?"
                raise AudioError(f"pcm:-: {error} (after {count} frames); {hint}") from error
            count += len(pcm)
            for chunk in timeline.push(pcm, time.time()):
                yield chunk
        if rest:
            log.warning("%s: the end was ignored: %d of the %d bytes of a frame", self.stream, len(rest), frame)
        for chunk in timeline.finish(time.time()):
            yield chunk

    def _check(self, head: bytes) -> None:
        """Raise AudioError if a file comes in with its header: all of it would be heard as noise."""
        if kind := container(head):
            decode = f"ffmpeg -i FILE -f {self.format} -ar {self.rate} -ac {self.channels} -"
            raise AudioError(f"pcm:- got {kind}, not raw PCM; name the file itself, or decode it first: {decode}")

    async def _read(self) -> bytes:
        """Return the available data, at least a byte; b"" at the end or when closed."""
        loop = asyncio.get_running_loop()
        self._wake.clear()
        if self._closed:
            return b""
        try:
            try:
                loop.add_reader(self._fd, self._wake.set)
            except PermissionError:  # epoll refuses regular files: they are always readable, or hang
                return await unless(self._wake, in_thread(os.read, self._fd, READ_SIZE)) or b""
            try:
                await self._wake.wait()
            finally:
                loop.remove_reader(self._fd)
            return b"" if self._closed else os.read(self._fd, READ_SIZE)
        except OSError as error:
            raise AudioError(f"pcm:- cannot be read ({error.strerror}); pipe raw audio into it") from error

    async def close(self) -> None:
        """End `chunks`. The descriptor was not opened here and stays open."""
        self._closed = True
        if self._mine:
            _open.discard(self._fd)
            self._mine = False
        self._wake.set()
