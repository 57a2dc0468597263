"""Audio that waits to be sent while its source goes on."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace

from asrd.core.flow import AudioChunk
from asrd.core.units import Samples, samples
from asrd.daemon.sources.base import Source

KEPT = samples(600.0)
"""Most audio that waits, 38 MB. Beyond that the oldest is lost."""


class Backlog:
    """The chunks of a live source, which cannot wait."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: deque[AudioChunk] = deque()
        self._samples = 0
        self._news = asyncio.Event()

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield what the source delivers, in order, and what was lost of it."""
        reading = asyncio.create_task(self._read())
        try:
            while True:
                while self._waiting:
                    chunk = self._waiting.popleft()
                    self._samples -= len(chunk.pcm)
                    yield chunk
                if reading.done():
                    reading.result()
                    return
                self._news.clear()
                await self._news.wait()
        finally:
            reading.cancel()

    async def _read(self) -> None:
        try:
            async for chunk in self._source.chunks():
                self.put(chunk)
        finally:
            self._news.set()

    def put(self, chunk: AudioChunk) -> None:
        """Add a chunk; the oldest are given up beyond `KEPT`, and the next one says so."""
        self._waiting.append(chunk)
        self._samples += len(chunk.pcm)
        while self._samples > KEPT and len(self._waiting) > 1:
            gone = self._waiting.popleft()
            self._samples -= len(gone.pcm)
            following = self._waiting[0]
            lost = Samples(following.lost + gone.lost + len(gone.pcm))
            self._waiting[0] = replace(following, lost=lost, reason=following.reason or "nobody took it")
        self._news.set()
