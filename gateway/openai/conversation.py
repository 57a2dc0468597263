"""One Realtime session: what its client says, and what it is told."""

import asyncio
import uuid
from typing import Any

from asrd.core.errors import AsrdError, MalformedError
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.openai.items import Items
from asrd.gateway.openai.messages import Append, BetaUpdate, Clear, Commit, Input, Message, Update, decode
from asrd.gateway.openai.settings import Settings
from asrd.gateway.openai.take import Take
from asrd.gateway.shape import described, refused

TAKES = 4
"""Takes that may wait to be told of; after that the client has to wait."""


class Conversation:
    """A conversation is a sequence of takes, each a stream of the daemon. `listen` and `tell` run in two tasks."""

    def __init__(self, host: Host, line: Line, *, beta: bool) -> None:
        """beta: whether the client speaks as in the beta of the API."""
        self._host, self._line = host, line
        self._name = f"sess_{uuid.uuid4().hex[:20]}"
        self._settings = Settings()
        self._items = Items(self._say, beta=beta)
        self._beta = beta
        self._take: Take | None = None
        self._heard = 0
        self._takes: asyncio.Queue[Take] = asyncio.Queue(TAKES)
        self._open: set[Take] = set()

    async def listen(self) -> None:
        """Do what the client says, until it goes. Raises AsrdError if it cannot go on."""
        await self._show("created")
        while (text := await self._line.receive()) is not None:
            try:
                message = decode(text)
            except MalformedError as error:
                await self.complain(RefusedError(400, f"not an event of this API: {error}"))
                continue
            try:
                await self._do(message)
            except AsrdError as error:
                await self.complain(error, message.event_id)

    async def tell(self) -> None:
        """Tell what is heard in each take, one after the other."""
        while True:
            take = await self._takes.get()
            await take.tell(self._items)
            await self._leave(take)

    async def complain(self, error: AsrdError, event: str = "") -> None:
        """Send an error. event: the client's id of what caused it."""
        await self._say({"type": "error", "error": described(refused(error)) | {"event_id": event or None}})

    async def close(self) -> None:
        """End all takes."""
        for take in [*self._open]:
            await self._leave(take)

    async def _leave(self, take: Take) -> None:
        self._open.discard(take)
        await take.close()

    async def _do(self, message: Message) -> None:
        match message:
            case Append(audio=audio):
                await self._append(audio)
            case Commit():
                await self._commit()
            case Clear():
                await self._clear()
            case Update(session=session):
                await self._update(session.audio.input, beta=False)
            case BetaUpdate(session=session):
                await self._update(session.input, beta=True)

    async def _append(self, audio: bytes) -> None:
        if self._take is None:
            take = Take(self._host, self._settings, self._heard, self._line.hang_up)
            await take.open()
            self._open.add(take)
            self._take = take
            await self._takes.put(take)
        await self._take.feed(audio)

    async def _commit(self) -> None:
        take = self._ended()
        if take is None or take.empty:
            raise RefusedError(400, "there is no audio to commit", "input_audio_buffer_commit_empty")
        if take.manual:
            await self._items.committed(take.item)
        take.commit()

    async def _clear(self) -> None:
        if take := self._ended():
            take.forget()
        await self._say({"type": "input_audio_buffer.cleared"})

    async def _update(self, given: Input, *, beta: bool) -> None:
        settings = self._settings.updated(given, self._host)
        if settings != self._settings and (take := self._take):
            if take.manual and not take.empty:
                raise RefusedError(
                    400, "commit or clear the audio before you change settings", "input_audio_buffer_not_empty"
                )
            self._ended()
            take.commit()
        self._settings = settings
        self._beta = self._items.beta = beta
        await self._show("updated")

    def _ended(self) -> Take | None:
        """Return the take that audio went to, if any; the next audio begins another."""
        take, self._take = self._take, None
        if take:
            self._heard += take.heard
        return take

    async def _show(self, what: str) -> None:
        """Send the settings."""
        kind = "transcription_session" if self._beta else "session"
        session = self._settings.described(self._name, self._host.model, beta=self._beta)
        await self._say({"type": f"{kind}.{what}", "session": session})

    async def _say(self, event: dict[str, Any]) -> None:
        await self._line.send({"event_id": f"event_{uuid.uuid4().hex[:20]}"} | event)
