"""Pause a stream: what is said meanwhile is not heard, and not lost either."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np

from asrd.core.flow import AudioChunk
from asrd.core.units import Samples

PAUSED = "paused"
"""The reason of chunks that a pause begins with and ends with: an empty one first, and one with `lost` after it."""


class Pause:
    """Lets audio through unless `on`. A source that can wait does so; of any other, the audio is discarded.

    Both ends of a pause are chunks, so a recording that has them replays like any other.
    """

    def __init__(self, *, waits: bool) -> None:
        """waits: whether the source waits for its reader without losing anything."""
        self.on = False
        self._waits = waits
        self._ended = False
        self._heard = asyncio.Event()

    def switch(self, *, on: bool) -> None:
        """Let nothing through from the next audio on, or let it through again."""
        self.on = on
        if not on:
            self._heard.set()

    def end(self) -> None:
        """Stop waiting. What is not let through now never is."""
        self._ended = True
        self._heard.set()

    async def through(self, chunks: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk]:
        """Yield the chunks to be heard."""
        begun, missed = False, 0
        async for chunk in chunks:
            if self.on and not begun:
                begun, missed = True, 0
                start = Samples(chunk.start - chunk.lost)
                yield AudioChunk(start, np.zeros(0, np.float32), chunk.captured, reason=PAUSED)
            while self.on and self._waits and not self._ended:
                self._heard.clear()
                await self._heard.wait()
            if self.on:
                missed += len(chunk.pcm) + chunk.lost
            elif begun and len(chunk.pcm):
                begun = False
                yield replace(chunk, lost=Samples(chunk.lost + missed), reason=PAUSED)
            else:
                yield chunk
