"""Audio files as mono blocks at 16 kHz, and as a source of a stream."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import AudioChunk, FloatArray
from asrd.core.pcm import first_invalid
from asrd.core.raw import RawPcm
from asrd.core.units import SAMPLE_RATE, Samples, counted, seconds
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.opening import opened
from asrd.daemon.sources.reader import Reader
from asrd.daemon.sources.resample import Resampler
from asrd.daemon.sources.survey import survey
from asrd.daemon.threads import Worker, in_thread, unless

Pace = Literal["realtime", "fast"]

BLOCK = {"realtime": 0.05, "fast": 1.0}
"""Seconds read at once: short enough to arrive as smoothly as from a microphone, or long enough to be fast."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Recording:
    """An audio file, and what to hear of it.

    raw: its form, if it has no header. channel: the one to hear, from 1. If None, channels are averaged, but for those
    whose level never changes: silence, a constant, hum. name: what messages call the file, its path if "". heard:
    seconds read so far.
    """

    path: Path
    raw: RawPcm | None = None
    channel: int | None = None
    name: str = ""
    heard: float = 0.0

    def open(self) -> Reader:
        """Open the file. Raises UsageError if there is none, or no such channel; AudioError if it is not audio."""
        reader = opened(self.path, self.raw, self.name)
        if self.channel is not None and not 1 <= self.channel <= reader.channels:
            reader.close()
            there = counted(reader.channels, "channels")
            raise UsageError(f"{self.name or self.path} has no channel {self.channel}; it has {there}, the first is 1")
        return reader

    def length(self) -> float | None:
        """Return the seconds that the file says it is long, or that its size suggests; None if neither does."""
        with closing(self.open()) as reader:
            return reader.length

    def blocks(self, block: float = BLOCK["fast"]) -> Iterator[FloatArray]:
        """Yield the file as mono float32 blocks `(n,)` at 16 kHz, read `block` seconds at a time.

        Memory does not grow with the file. One whose samples exceed full scale is scaled down to it, which is logged.
        Raises UsageError if there is no such file, AudioError if it is not audio, is empty or damaged, or holds samples
        that are not numbers.
        """
        seen = survey(self.open(), mixed=self.channel is None)
        if seen.peak > 1:
            self._tell(f"{self.name or self.path} reaches {seen.peak:.6g} times full scale; it is scaled down")
        wanted = list(seen.heard) if self.channel is None else [self.channel - 1]
        with closing(self.open()) as reader:
            resampler, damage = Resampler(reader.rate), None
            try:
                for pcm in self._checked(reader, max(1, round(block * reader.rate))):
                    if len(converted := resampler.push(pcm[:, wanted] / max(1.0, seen.peak))):
                        yield converted
            except AudioError as error:
                damage = error
            if len(tail := resampler.flush()):
                yield tail
            if damage:
                raise damage
            self._tell(reader.note)

    def _tell(self, note: str) -> None:
        """Log what is to be known of the file; of one whose channels are heard apart, once."""
        if note and self.channel in (None, 1):
            log.warning("%s", note)

    def _checked(self, reader: Reader, frames: int) -> Iterator[FloatArray]:
        """Yield blocks `(n, channels)` of numbers, and count them. Raises AudioError if there are none, too."""
        name, position = self.name or self.path, 0
        for pcm in reader.blocks(frames):
            if (bad := first_invalid(pcm)) is not None:
                at = (position + bad) / reader.rate
                raise AudioError(f"{name}: the sample at {at:.3f} s is not a number; export the file again as PCM")
            position += len(pcm)
            self.heard = position / reader.rate
            yield pcm
        if not position:
            raise AudioError(f"{name} holds no audio (0 samples); record it again")


def duration(path: Path) -> float | None:
    """Return the length of a file, as `Recording.length` does."""
    return Recording(path).length()


def read_blocks(path: Path, block: float = BLOCK["fast"]) -> Iterator[FloatArray]:
    """Yield a file, as `Recording.blocks` does."""
    return Recording(path).blocks(block)


class FileSource(Source):
    """Play a file into a stream, in real time or as fast as it can be read. whole: whether it was, to its end."""

    kind = "file"
    whole = False
    patient = True

    def __init__(
        self, stream: str, path: Path, pace: Pace = "realtime", channel: int | None = None, name: str = ""
    ) -> None:
        """name: what messages call the file, its path if ""."""
        super().__init__(stream)
        self.path = path
        self.channel = channel
        self.pace = pace
        self._recording = Recording(path, channel=channel, name=name)
        self._closed = asyncio.Event()

    @property
    def heard(self) -> float:
        """Seconds of the file read so far."""
        return self._recording.heard

    async def open(self) -> None:
        """Check the file. Raises UsageError if there is none, AudioError if it cannot be played."""
        await in_thread(self._recording.length)

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield the file once. In real time, each chunk comes when its last sample would have been captured."""
        blocks, reader = self._recording.blocks(BLOCK[self.pace]), Worker("file")
        began, wall, position = time.monotonic(), time.time(), 0
        try:
            while (block := await unless(self._closed, reader.run(next, blocks, None))) is not None:
                end = position + len(block)
                captured = time.time()
                if self.pace == "realtime":
                    # Deadlines count from the beginning, so that delays never add up.
                    await self._pause(began + end / SAMPLE_RATE - time.monotonic())
                    captured = wall + seconds(end)
                if self._closed.is_set():
                    return
                yield AudioChunk(Samples(position), block, captured)
                position = end
            self.whole = not self._closed.is_set()
        finally:
            reader.close(blocks.close)  # type: ignore[attr-defined]

    async def _pause(self, duration: float) -> None:
        """Wait, but not once closed."""
        if duration > 0:
            try:
                await asyncio.wait_for(self._closed.wait(), duration)
            except TimeoutError:
                return

    async def close(self) -> None:
        """End `chunks`; the file is closed as soon as it is not being read."""
        self._closed.set()
