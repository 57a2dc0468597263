"""A take: the audio of a Realtime session between two commits, as a stream of the daemon."""

from collections.abc import Callable

from asrd.core import script
from asrd.core.events import Final, Partial, Started
from asrd.daemon.sources.resample import converted
from asrd.gateway.host import Host
from asrd.gateway.openai.items import Items, new_item
from asrd.gateway.openai.settings import Settings
from asrd.gateway.pcm import Unpacker
from asrd.gateway.session import Session


class Take:
    """Where the server finds items, each utterance is one; otherwise all of the take is. item: the id of that."""

    def __init__(self, host: Host, settings: Settings, begins: int, lagging: Callable[[], None]) -> None:
        """begins: samples that the session has heard before. lagging: as in `Session`."""
        self._begins, self._rate = begins, settings.rate
        self.manual = settings.turns is None
        self.item = new_item()
        self._settings = settings.endpointing(host.daemon.streams.settings)
        self._given = self._settings != host.daemon.streams.settings
        self._session = Session.fed(host, "openai", rate=settings.rate, lagging=lagging)
        self._unpacker = Unpacker(settings.encoding)
        self._frames = 0
        self._forgotten = False

    @property
    def heard(self) -> int:
        """How many samples it has, at 16 kHz."""
        return converted(self._frames, self._rate)

    @property
    def empty(self) -> bool:
        """Whether it has none."""
        return not self._frames

    async def open(self) -> None:
        """Begin. Raises RefusedError if there are too many sessions."""
        await self._session.__aenter__()
        if self._given:
            self._session.stream.use(self._settings)

    async def feed(self, audio: bytes) -> None:
        """Hear more."""
        samples = self._unpacker.push(audio)
        self._frames += len(samples)
        await self._session.feed(samples)

    def commit(self) -> None:
        """End the take; what was heard is told."""
        self._session.finish()

    def forget(self) -> None:
        """End the take, and tell nothing more of it."""
        self._forgotten = True
        self._session.finish()

    async def close(self) -> None:
        """Release the stream."""
        await self._session.__aexit__()

    async def tell(self, items: Items) -> None:
        """Tell what is heard, until the end of the take."""
        if self.manual:
            await self._tell_whole(items)
        else:
            await self._tell_each(items)

    async def _tell_each(self, items: Items) -> None:
        open_: dict[int, str] = {}
        async for event in self._session:
            if self._forgotten:
                continue
            if isinstance(event, Started):
                item = open_[event.utterance] = new_item()
                await items.started(item, self._begins + event.start)
            elif isinstance(event, Partial):
                await items.partial(open_[event.utterance], event)
            elif isinstance(event, Final):
                item = open_.pop(event.utterance)
                await items.stopped(item, self._begins + event.speech_end)
                await items.committed(item)
                await items.completed(item, event.display, event.end - event.start)

    async def _tell_whole(self, items: Items) -> None:
        texts = []
        async for event in self._session:
            if isinstance(event, Final) and event.words and not self._forgotten:
                texts.append(event.display)
        if self._forgotten:
            return
        if self._session.failure:
            await items.failed(self.item, self._session.failure)
        else:
            await items.completed(self.item, script.join(texts), self.heard)
