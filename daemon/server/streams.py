"""The streams of a daemon: those it is started with, and those that come and go."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence

from asrd.core.defaults import MAX_LAG
from asrd.core.events import Ended
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.entrance import Entrance
from asrd.daemon.stream.stream import Stream

NAMES = 4096
"""Names remembered, so that utterances of two streams are not taken for those of one."""


class Streams:
    """A stream that joins is there until its source ends; then `ended` is published, and its name is not used again.

    settings: those of streams that join from now on.
    """

    def __init__(
        self,
        make: Callable[[Source], Stream],
        scheduler: Scheduler,
        publisher: Publisher,
        settings: SegmenterSettings,
        *,
        max_lag: float = MAX_LAG,
        gone: Callable[[Stream], None] = lambda stream: None,
    ) -> None:
        """make: returns the stream of a source. gone: called with a stream that has ended."""
        self._make, self._scheduler, self._publisher, self._gone = make, scheduler, publisher, gone
        self._first = self.settings = settings
        self._max_lag = max_lag
        self._streams: list[Stream] = []
        self._names: OrderedDict[str, int] = OrderedDict()
        self._group = asyncio.TaskGroup()
        self.entrances: list[Entrance] = []
        self._closed = False

    def __iter__(self) -> Iterator[Stream]:
        return iter([*self._streams])

    def __len__(self) -> int:
        return len(self._streams)

    def __getitem__(self, index: int) -> Stream:
        return self._streams[index]

    async def open(self, inputs: Sequence[Source | Entrance]) -> None:
        """Open what the daemon is started with. Raises AsrdError if one cannot be opened."""
        for one in inputs:
            if isinstance(one, Entrance):
                self.entrances.append(one)
            else:
                self._streams.append(self._made(one))
            self._names[one.stream] = 1
        for one in inputs:
            await one.open()

    async def run(self) -> None:
        """Run all streams until each has ended by itself, no more can come, and all was recognised."""
        try:
            async with self._group as group:
                for stream in self._streams:
                    group.create_task(stream.run())
                for entrance in self.entrances:
                    group.create_task(entrance.run(self.join))
        except* Exception as failed:
            raise failed.exceptions[0] from None
        await self._scheduler.drain()

    async def join(self, source: Source) -> Stream:
        """Open a source and hear it as a stream of its own, until it ends. A name that is taken, or was, gets a number.

        Raises AsrdError if it cannot be opened.
        """
        source.stream = self._free(source.stream)
        await source.open()
        stream = self._made(source)
        if self.settings != self._first:
            stream.use(self.settings)
        self._streams.append(stream)
        self._group.create_task(self._hear(stream))
        return stream

    async def _hear(self, stream: Stream) -> None:
        name = stream.source.stream
        try:
            await stream.run()
            await stream.source.close()  # it may have failed, and somebody may be waiting to feed it
            await self._scheduler.leave(stream.queue)
            self._gone(stream)
            await self._publisher.publish(Ended(position=stream.status.position), name)
        finally:
            self._streams.remove(stream)

    @property
    def max_lag(self) -> float:
        """Seconds by which live audio may be late; what is later is dropped."""
        return self._max_lag

    @max_lag.setter
    def max_lag(self, most: float) -> None:
        self._max_lag = most
        for stream in self._streams:
            stream.lag.most = most

    def _made(self, source: Source) -> Stream:
        stream = self._make(source)
        stream.lag.most = self._max_lag
        return stream

    def use(self, values: Mapping[str, int]) -> None:
        """Change the settings of streams that join from now on. Raises UsageError."""
        self.settings = self.settings.changed(values)

    async def close(self) -> None:
        """Let nobody in any more, and close all sources; their streams go on until what was heard is recognised."""
        if not self._closed:
            await asyncio.gather(*(one.close() for one in self.entrances))
            await asyncio.gather(*(stream.source.close() for stream in self))
            self._closed = True

    def _free(self, name: str) -> str:
        """Return a name that no stream has had: the one given, or with a number."""
        self._names[name] = number = self._names.get(name, 0) + 1
        self._names.move_to_end(name)
        while len(self._names) > NAMES:
            self._names.popitem(last=False)
        return name if number == 1 else self._free(f"{name}-{number}")
