"""Audio that the process itself feeds to a stream, such as what a connection to the gateway brings."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asrd.core.errors import AudioError
from asrd.core.flow import AudioChunk, FloatArray
from asrd.core.pcm import first_invalid
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.resample import check_rate
from asrd.daemon.sources.timeline import Timeline

BUFFER = 2.0
"""Seconds of audio that wait to be heard; whoever feeds more has to wait."""

PIECE = 0.5
"""Seconds of audio that become one chunk at most: what was fed at once may be long."""

Samples = npt.NDArray[np.float32] | npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Piece:
    """pcm: float32 `(frames, channels)`. lost: frames missing before it, for a reason."""

    pcm: FloatArray
    captured: float
    lost: int
    reason: str


class FedSource(Source):
    """A source with one feeder, which waits while the buffer is full: nothing is dropped.

    What was fed is heard to its end, be it after `end` or after `close`.
    """

    kind = "session"

    def __init__(self, stream: str, rate: int, channels: int, *, live: bool) -> None:
        """rate: Hz. live: whether someone waits for the text as it is spoken. Raises AudioError for a rate that is
        none.
        """
        super().__init__(stream)
        check_rate(rate, stream)
        self.live, self.patient = live, not live
        self._rate, self._channels = rate, channels
        self._pieces: deque[_Piece] = deque()
        self._held = 0
        self._lost, self._reason = 0, ""
        self.ended = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    async def open(self) -> None:
        """Do nothing: there is nothing to acquire."""

    async def feed(self, samples: Samples) -> None:
        """Take samples `(frames, channels)`, or `(frames,)` of one channel: float32 of full scale 1, or int16. Wait
        while the buffer is full.

        Raises AudioError for samples that are no numbers or have other channels, and once the source has ended.
        """
        pcm = self._floats(samples)
        step = max(1, round(PIECE * self._rate))
        for first in range(0, len(pcm), step):
            await self._put(pcm[first : first + step])

    def lose(self, frames: int, reason: str) -> None:
        """Tell that frames are missing before what is fed next, and why."""
        self._lost += frames
        self._reason = reason

    def end(self) -> None:
        """End the stream after what was fed."""
        self.ended = True
        self._changed.set()
        self._room.set()

    async def close(self) -> None:
        """End the stream after what was fed; a feeder that waits is turned away."""
        self.end()

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield what was fed, until the end."""
        timeline = Timeline(self._rate)
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                for chunk in timeline.push(piece.pcm, piece.captured, piece.lost, piece.reason):
                    yield chunk
                self._held -= len(piece.pcm)  # only now: audio that a window waits for still counts
                self._room.set()
                await asyncio.sleep(0)
            if self.ended:
                break
            self._changed.clear()
            await self._changed.wait()
        for chunk in timeline.finish(time.time(), self._reason, self._lost):
            yield chunk

    async def _put(self, pcm: FloatArray) -> None:
        while self._held and self._held + len(pcm) > BUFFER * self._rate and not self.ended:
            self._room.clear()
            await self._room.wait()
        if self.ended:
            raise AudioError(f"{self.stream} has ended; nothing more is heard")
        self._pieces.append(_Piece(pcm, time.time(), self._lost, self._reason))
        self._held += len(pcm)
        self._lost, self._reason = 0, ""
        self._changed.set()

    def _floats(self, samples: Samples) -> FloatArray:
        pcm = samples.reshape(-1, 1) if samples.ndim == 1 else samples
        if pcm.shape[1] != self._channels:
            raise AudioError(f"{self.stream} was to have {self._channels} channel(s), not {pcm.shape[1]}")
        if pcm.dtype == np.int16:
            return pcm.astype(np.float32) / np.float32(32768)
        floats = pcm.astype(np.float32, copy=False)
        if (bad := first_invalid(floats)) is not None:
            raise AudioError(f"{self.stream}: sample {bad} is not a number")
        return floats
