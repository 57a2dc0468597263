"""How far a stream is behind what is said, and what is too late to be heard."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from asrd.core.defaults import MAX_LAG
from asrd.core.flow import AudioChunk
from asrd.core.units import Samples, seconds

FRESH = 0.5
"""Seconds of lag at which audio is heard again after some was dropped: one long gap is better than many short ones."""

WAITED = 0.05
"""Seconds of waiting for audio, or half of its length if that is less, that show that none had been waiting."""

FAST = 5.0
"""Seconds of audio more than time has passed that show that nobody is speaking it now."""

TOO_LATE = "the machine was behind"


class Lag:
    """Measures how late audio is taken because this machine is behind, and drops what is later than `most` seconds.

    How long ago audio was captured says little by itself: a sender may have sent it late, or have another clock. But
    what is taken at once, having been waited for, is not late by this machine's fault; all that follows it without a
    wait is late by how much longer ago it was captured. Audio that comes faster than anyone speaks is a recording, and
    never late; nor is that of a patient source.
    """

    def __init__(
        self, patient: Callable[[], bool], most: float = MAX_LAG, clock: Callable[[], float] = time.time
    ) -> None:
        """patient: returns whether the audio may be heard late. clock: returns Unix seconds."""
        self.most = most
        self._patient, self._clock = patient, clock
        self._captured = self._taken = clock()
        self._usual: float | None = None
        self._ahead = 0.0
        self._busy = False

    @property
    def seconds(self) -> float:
        """How late the latest audio was taken, or is, if it is being taken."""
        if self._usual is None or self._patient() or self._ahead > FAST + max(0.0, self._usual):
            return 0.0
        return max(0.0, (self._clock() if self._busy else self._taken) - self._captured - self._usual)

    async def through(self, chunks: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk]:
        """Yield the chunks to be heard. What is dropped is `lost` before the next."""
        dropped, dropping = 0, False
        last: AudioChunk | None = None
        asked = self._clock()
        async for chunk in chunks:
            if len(chunk.pcm):
                self._take(chunk, self._clock() - asked)
                dropping = self.seconds > (FRESH if dropping else self.most)
                if dropping:
                    last, dropped = chunk, dropped + chunk.lost + len(chunk.pcm)
                    asked = self._clock()
                    continue
            heard = replace(chunk, lost=Samples(chunk.lost + dropped), reason=TOO_LATE) if dropped else chunk
            dropped, self._busy = 0, True
            try:
                yield heard
            finally:
                self._busy = False
            asked = self._clock()
        if last and dropped:
            end = Samples(last.start + len(last.pcm))
            yield AudioChunk(end, last.pcm[:0], last.captured, Samples(dropped), TOO_LATE)

    def _take(self, chunk: AudioChunk, waited: float) -> None:
        now, length = self._clock(), seconds(len(chunk.pcm))
        self._ahead = max(0.0, self._ahead + length - (now - self._taken))
        went_back = chunk.captured < self._captured  # audio that is captured live is later and later
        if self._usual is None or went_back or waited >= min(WAITED, length / 2):
            self._usual = now - chunk.captured
        self._captured, self._taken = chunk.captured, now
