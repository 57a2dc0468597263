"""Requests to a running daemon, and their answers."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from asrd.core.control import (
    Acknowledge,
    AnyRequest,
    GetPosition,
    GetSettings,
    GetStatus,
    ListWords,
    Recall,
    Reload,
    Replay,
    SetPause,
    SetSettings,
    Setting,
    Since,
    Stop,
    UseBackend,
    WordsRequest,
)
from asrd.core.errors import AsrdError, UsageError
from asrd.daemon.recognition.decoding import Boosts
from asrd.daemon.scheduling.engine import Engine
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.status import StatusReporter
from asrd.daemon.server.streams import Streams
from asrd.daemon.stream.stream import Stream


class Requests:
    """Answer requests; one that would interfere with another in progress is refused."""

    def __init__(
        self,
        engine: Engine,
        streams: Streams,
        publisher: Publisher,
        reporter: StatusReporter,
        *,
        stop: Callable[[str], None],
        reload: Callable[[], Awaitable[str]],
    ) -> None:
        """stop: called with the reason. reload: returns what is in use afterwards."""
        self._engine, self._streams, self._publisher, self._reporter = engine, streams, publisher, reporter
        self._stop, self._reload = stop, reload
        self._loading = ""  # the backend that is being loaded

    async def answer(self, request: AnyRequest) -> Any:  # noqa: PLR0911 - a table
        """Carry out a request. Raises UsageError for an invalid one, and AsrdError if it fails."""
        match request:
            case GetStatus():
                return msgspec.structs.replace(self._reporter.status(), daemon=self._publisher.daemon, time=time.time())
            case Replay() | Recall() | Since() | GetPosition() | Acknowledge():
                return await self._publisher.answer(request)
            case Stop():
                return self._stop("asrd stop")
            case Reload():
                return await self._reload()
            case UseBackend(name):
                return await self.use(name)
            case GetSettings(stream):
                return {one.source.stream: one.settings.settable() for one in self._meant(stream)}
            case SetSettings(values, stream):
                return self._set(values, stream)
            case SetPause(on, stream):
                return await self.pause(on, stream)
            case ListWords():
                return self._engine.words.answer(request)
            case _:
                return await self._change_words(request)

    async def use(self, name: str) -> dict[str, str]:
        """Switch to another backend, and publish it. Raises AsrdError if another is being loaded, or it cannot be."""
        if self._loading:
            raise AsrdError(f"backend {self._loading} is being loaded; ask again when it is, or has failed")
        self._loading = name
        try:
            previous = await self._engine.use(name)
            if name != previous:
                await self._reporter.announce(previous)
        finally:
            self._loading = ""
        return {"backend": name, "previous": previous}

    async def _change_words(self, request: WordsRequest) -> Boosts:
        """Change hot words, and publish the status: programs that show text need the spelling of names."""
        words = self._engine.words.answer(request)
        await self._publisher.publish(self._reporter.status())
        return words

    async def pause(self, on: bool | None = None, stream: str = "") -> dict[str, bool]:
        """Pause or go on, or change from one to the other. Publish the status: a source that is silent says nothing of
        it by itself.
        """
        streams = self._meant(stream)
        wanted = not all(one.pause.on for one in streams) if on is None else on
        for one in streams:
            one.pause.switch(on=wanted)
        await self._publisher.publish(self._reporter.status())
        return {one.source.stream: wanted for one in streams}

    def _meant(self, stream: str) -> list[Stream]:
        names = [one.source.stream for one in self._streams]
        if stream and stream not in names:
            raise UsageError(f"no stream is called '{stream}'; there are: {', '.join(names) or 'none now'}")
        return [one for one in self._streams if stream in ("", one.source.stream)]

    def _set(self, values: Mapping[str, int], stream: str) -> dict[str, dict[str, Setting]]:
        """Apply all settings, or none; without a stream to those that come later, too. Raises UsageError."""
        chosen = [(one, one.settings.changed(values)) for one in self._meant(stream)]
        if not stream:
            self._streams.use(values)
        for one, settings in chosen:
            one.use(settings)
        return {one.source.stream: settings.settable() for one, settings in chosen}
