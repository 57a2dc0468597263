"""How far a stream is behind what is said, and what is too late to be heard."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from asrd.core.defaults import MAX_LAG
from asrd.core.flow import AudioChunk
from asrd.core.units import Samples

FRESH = 0.5
"""Seconds of lag at which audio is heard again after some was dropped: one long gap is better than many short ones."""

DRIFT = 1e-3
"""Seconds a second by which a sender's clock may come to be behind this machine's."""

TOO_LATE = "the machine was behind"


class Lag:
    """Measures how late audio is taken after it was captured, and drops what comes later than `most` seconds.

    Audio of a patient source is never late. Clocks of other machines may be wrong: what counts is how much later audio
    is taken than it once was.
    """

    def __init__(
        self, patient: Callable[[], bool], most: float = MAX_LAG, clock: Callable[[], float] = time.time
    ) -> None:
        """patient: returns whether the audio may be heard late. clock: returns Unix seconds."""
        self.most = most
        self._patient, self._clock = patient, clock
        self._captured = self._taken = clock()
        self._usual: float | None = None
        self._busy = False

    @property
    def seconds(self) -> float:
        """How late the latest audio was taken, or is, if it is being taken."""
        if self._usual is None or self._patient():
            return 0.0
        return max(0.0, (self._clock() if self._busy else self._taken) - self._captured - self._usual)

    async def through(self, chunks: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk]:
        """Yield the chunks to be heard. What is dropped is `lost` before the next."""
        dropped, dropping = 0, False
        last: AudioChunk | None = None
        async for chunk in chunks:
            if len(chunk.pcm):
                self._take(chunk.captured)
                dropping = self.seconds > (FRESH if dropping else self.most)
                if dropping:
                    last, dropped = chunk, dropped + chunk.lost + len(chunk.pcm)
                    continue
            heard = replace(chunk, lost=Samples(chunk.lost + dropped), reason=TOO_LATE) if dropped else chunk
            dropped, self._busy = 0, True
            try:
                yield heard
            finally:
                self._busy = False
        if last and dropped:
            end = Samples(last.start + len(last.pcm))
            yield AudioChunk(end, last.pcm[:0], last.captured, Samples(dropped), TOO_LATE)

    def _take(self, captured: float) -> None:
        now = self._clock()
        late = now - captured
        usual = late if self._usual is None else self._usual + DRIFT * max(0.0, now - self._taken)
        self._usual = min(late, usual)
        self._captured, self._taken = captured, now
