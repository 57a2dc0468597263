"""One client of Wyoming: what it says, and what it is told."""

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong

from asrd.core import script
from asrd.core.errors import AsrdError
from asrd.core.events import Final
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.session import Session
from asrd.gateway.speech import Speech
from asrd.gateway.wyoming.messages import Echo, Form, Request, info, read
from asrd.gateway.wyoming.wire import Wire


class Utterance(Speech):
    """What is said between the start and the stop of audio. Its text is told part by part while it is heard, and whole
    at the end.
    """

    def __init__(self, host: Host, wire: Wire, form: Form) -> None:
        self.form = form
        self._wire, self._language = wire, host.language or None
        session = Session.fed(host, "wyoming", rate=form.rate, channels=form.channels, lagging=wire.hang_up)
        super().__init__(session, "s16le", form.channels)

    async def tell(self) -> None:
        """Send what is heard."""
        text = ""
        await self._wire.send(TranscriptStart(language=self._language))
        async for event in self.session:
            if isinstance(event, Final) and event.words:
                text, before = script.join([text, event.display] if text else [event.display]), text
                await self._wire.send(TranscriptChunk(text=text.removeprefix(before)))
        if not self.session.failure:
            await self._wire.send(Transcript(text=text, language=self._language), TranscriptStop())


class Conversation:
    """A client may have any number of utterances transcribed, one after the other."""

    def __init__(self, host: Host, wire: Wire) -> None:
        self._host, self._wire = host, wire
        self._utterance: Utterance | None = None

    async def run(self) -> None:
        """Converse until the client has gone. Raises AsrdError, and tells it, if that cannot go on."""
        try:
            while (event := await self._wire.receive()) is not None:
                if not await self._do(event):
                    break
        except AsrdError as error:
            code = error.code or None if isinstance(error, RefusedError) else None
            await self._wire.send(Error(text=str(error), code=code))
            raise
        finally:
            await self._leave()

    async def _do(self, event: Event) -> bool:
        """Do what the client says. Return False if nothing more is heard, because the daemon stops."""
        if Describe.is_type(event.type):
            await self._wire.send(info(self._host))
        elif Transcribe.is_type(event.type):
            self._check(read(event.data, Request))
        elif AudioStart.is_type(event.type):
            await self._begin(read(event.data, Form))
        elif AudioChunk.is_type(event.type):
            return await self._hear(read(event.data, Form), event.payload or b"")
        elif AudioStop.is_type(event.type):
            await self._conclude()
        elif Ping.is_type(event.type):
            await self._wire.send(Pong(text=read(event.data, Echo).text))
        return True

    def _check(self, request: Request) -> None:
        """Raise RefusedError for what the daemon's model does not write."""
        host = self._host
        if request.name not in (None, "", host.model):
            raise RefusedError(404, f"there is no model '{request.name}' here, but {host.model}", "model_not_found")
        host.check_language(request.language or "")

    async def _begin(self, form: Form) -> Utterance:
        await self._conclude()
        utterance = Utterance(self._host, self._wire, form)
        await utterance.open()
        self._utterance = utterance
        return utterance

    async def _hear(self, form: Form, audio: bytes) -> bool:
        utterance = self._utterance or await self._begin(form)
        if form != utterance.form:
            raise RefusedError(400, "the form of audio cannot change within an utterance", "malformed")
        if await utterance.feed(audio):
            return True
        await self._conclude()
        return False

    async def _conclude(self) -> None:
        if self._utterance:
            await self._utterance.conclude()
        await self._leave()

    async def _leave(self) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance:
            await utterance.close()
