"""One connection's stream in the daemon: its audio goes in, its events come out."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

from asrd.core.errors import AudioError
from asrd.core.events import Ended, Event
from asrd.core.units import samples
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.fed import FedSource, Samples
from asrd.daemon.sources.files import FileSource
from asrd.daemon.stream.stream import Stream
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host


class Session:
    """A stream that ends with its connection. Leaving the block ends it, whatever happened.

        async with Session.fed(host, "vosk", rate=16_000) as session:
            await session.feed(samples)      # waits while the daemon is behind
            session.finish()
            async for event in session:      # until all that was fed is final; `ended` is the last
                ...

    `feed` and the loop over events may run in two tasks. length: samples heard, at 16 kHz, once it has ended.
    """

    stream: Stream
    length: int = 0

    def __init__(self, host: Host, source: Source, lagging: Callable[[], None] = lambda: None) -> None:
        """lagging: called if events are not read in time; see `Inbox`."""
        self._host, self._source, self._lagging = host, source, lagging

    @classmethod
    def fed(
        cls,
        host: Host,
        protocol: str,
        *,
        rate: int,
        channels: int = 1,
        live: bool = False,
        lagging: Callable[[], None] = lambda: None,
        name: str = "",
    ) -> Self:
        """Return a session that hears what it is fed. rate: Hz. name: what its stream is called, perhaps with a number
        behind it; by default, it gets a name of its protocol. Raises AudioError for a rate that is none.
        """
        return cls(host, FedSource(name or host.stream(protocol), rate, channels, live=live), lagging)

    @classmethod
    def of_file(cls, host: Host, protocol: str, path: Path, name: str) -> Self:
        """Return a session that hears a file as fast as it can. name: what messages call the file."""
        return cls(host, FileSource(host.stream(protocol), path, "fast", name=name))

    @property
    def name(self) -> str:
        """The stream's name; settled once it is open."""
        return self._source.stream

    @property
    def failure(self) -> str:
        """Why the source failed; "" if it did not."""
        return self.stream.failure

    @property
    def over(self) -> bool:
        """Whether nothing more is heard that is fed: the audio has ended, or the daemon stops."""
        return isinstance(self._source, FedSource) and self._source.ended

    def check(self) -> None:
        """Raise AudioError if the source failed, RefusedError if the daemon was stopped before a file was heard."""
        if self.failure:
            raise AudioError(self.failure)
        if isinstance(self._source, FileSource) and not self._source.whole:
            raise RefusedError(503, "the daemon was stopped before it had heard the file; try again later", "stopping")

    async def __aenter__(self) -> Self:
        """Open the stream. Raises RefusedError if there are too many, AsrdError if a file cannot be heard."""
        self._host.enter(self)
        try:
            self.stream = await self._host.daemon.streams.join(self._source)
        except BaseException:
            self._host.leave(self)
            await self._source.close()
            raise
        self._inbox = self._host.hub.enter(self.name, self._lagging)  # the stream runs only when this task waits
        return self

    async def __aexit__(self, *_: object) -> None:
        self._host.hub.leave(self._inbox)
        self._host.leave(self)
        await self._source.close()

    async def feed(self, pcm: Samples) -> None:
        """Take samples, as `FedSource.feed` does, and raise what it raises."""
        if not isinstance(self._source, FedSource):
            raise AudioError(f"{self.name} hears a file")
        await self._source.feed(pcm)

    def lose(self, frames: int, reason: str) -> None:
        """Tell that frames are missing before what is fed next, and why."""
        if isinstance(self._source, FedSource):
            self._source.lose(frames, reason)

    def finish(self) -> None:
        """End the stream after what was fed; events go on until all of it is final."""
        if isinstance(self._source, FedSource):
            self._source.end()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the stream's events until it has ended. Raises LaggingError if they were not read in time."""
        async for event in self._inbox:
            if isinstance(event, Ended):
                file = self._source if isinstance(self._source, FileSource) else None
                self.length = samples(file.heard) if file else event.position
                await self._source.close()  # who still feeds a stream that has failed is turned away
                yield event
                return
            yield event
