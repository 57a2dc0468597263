"""A microphone, captured with PortAudio, also after it was unplugged and plugged in again."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator

from asrd.core.errors import AudioError
from asrd.core.flow import AudioChunk
from asrd.core.pcm import decode
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.offloop import off_loop
from asrd.daemon.sources.portaudio import Capture, capture, rescan
from asrd.daemon.sources.ring import Block, now
from asrd.daemon.sources.timeline import Timeline
from asrd.daemon.threads import unless

STALL = 2.0
"""Seconds without a callback after which a device counts as gone."""

START = 5.0
"""Seconds without a first callback before a device counts as gone: sound servers and headsets wake up slowly."""

RETRY = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to open a device again; the last one repeats."""

STOP = 2.0
"""Seconds that closing a device may take; a sound server that hangs is not waited for."""

log = logging.getLogger(__name__)


class MicrophoneSource(Source):
    """Capture at the device's own rate. When the device vanishes, the stream pauses; when the device is back, the
    stream continues, and the time between counts as lost.

    device: an index or part of a name; None is the system's default.
    """

    kind = "mic"
    live = True

    def __init__(self, stream: str, device: str | None = None) -> None:
        super().__init__(stream)
        self.device = device
        self._capture: Capture | None = None
        self._loop: asyncio.AbstractEventLoop
        self._wake = asyncio.Event()
        self._closed = asyncio.Event()

    async def open(self) -> None:
        """Start capturing. Raises AudioError if there is no such microphone; a patient source waits for it."""
        self._loop = asyncio.get_running_loop()
        try:
            self._capture = await off_loop(lambda: capture(self.device, self._notify), late=Capture.close)
        except AudioError as error:
            if not self.patient:
                raise
            log.warning("%s: %s; asrd waits for it", self.stream, error)
            self.notices.append(f"{error}; asrd waits for it")

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield captured audio until closed; buffered audio still comes then."""
        microphone = self._capture
        if microphone is None and self.patient:
            microphone = await self._found(self.device)
        if microphone is None:
            return
        timeline = Timeline(microphone.device.rate)
        heard = now()
        away = False  # just back, after it had vanished
        while microphone is not None:
            block = await self._next(microphone)
            if block is not None:
                lost, reason = block.lost, block.reason
                if away:
                    lost = max(0, round((block.end - heard) * timeline.rate) - block.frames)
                    reason = "the microphone was away"
                away, heard = False, block.end
                pcm = decode(block.data, "s16le", microphone.channels)
                for chunk in timeline.push(pcm, _wall(heard), lost, reason):
                    yield chunk
            elif self._closed.is_set():
                microphone = None
            else:
                log.warning("%s: microphone '%s' has vanished", self.stream, microphone.device.name)
                for chunk in timeline.finish(_wall(heard), "the microphone has vanished"):
                    yield chunk
                microphone = await self._again(microphone)
                if microphone is not None:
                    timeline = Timeline(microphone.device.rate, timeline.position)
                    away = True
        for chunk in timeline.finish(_wall(heard)):
            yield chunk

    async def close(self) -> None:
        """Release the microphone and end `chunks`."""
        self._closed.set()
        self._wake.set()
        microphone, self._capture = self._capture, None
        if microphone is not None:
            await self._stop(microphone)

    async def _next(self, microphone: Capture) -> Block | None:
        """Return the next block; None if the microphone is gone, or the source is closed and its buffer empty."""
        while True:
            self._wake.clear()
            if (block := microphone.ring.take()) is not None:
                return block
            if microphone.finished or self._closed.is_set():
                return None
            try:
                await asyncio.wait_for(self._wake.wait(), STALL if microphone.ring.fed else START)
            except TimeoutError:
                return microphone.ring.take()

    async def _again(self, gone: Capture) -> Capture | None:
        """Return the microphone once it is back; None if the source was closed before."""
        self._capture = None
        await self._stop(gone)
        return await self._found(None if self.device is None else gone.device.name)

    async def _found(self, wanted: str | None) -> Capture | None:
        """Return the microphone once it is there; None if the source was closed before."""
        for delay in itertools.chain(RETRY, itertools.repeat(RETRY[-1])):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), delay)
            if self._closed.is_set():
                return None
            try:
                found = await unless(self._closed, self._find(wanted))
            except AudioError as error:
                log.debug("%s: %s", self.stream, error)
                continue
            if found is not None and self._closed.is_set():
                await self._stop(found)
            elif found is not None:
                log.warning("%s: microphone '%s' is there", self.stream, found.device.name)
                self._capture = found
            return self._capture
        return None

    async def _find(self, wanted: str | None) -> Capture:
        await off_loop(rescan)
        return await off_loop(lambda: capture(wanted, self._notify), late=Capture.close)

    async def _stop(self, microphone: Capture) -> None:
        try:
            await off_loop(microphone.close, deadline=STOP)
        except AudioError as error:
            log.warning("%s: %s", self.stream, error)

    def _notify(self) -> None:
        """Wake the event loop. Called by the sound card's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program ends
            self._loop.call_soon_threadsafe(self._wake.set)


def _wall(moment: float) -> float:
    """Return the Unix time of a moment on the capture clock."""
    return time.time() - (now() - moment)
