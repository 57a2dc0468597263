"""`POST /v1/audio/transcriptions`: a file in, its text out."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from asrd.core.errors import AsrdError
from asrd.core.events import Final
from asrd.daemon.threads import in_thread
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.openai.models import check_model
from asrd.gateway.openai.transcript import Transcript
from asrd.gateway.session import Session
from asrd.gateway.shape import body, refused

FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
GRANULARITIES = ("word", "segment")

FIELDS = 64
"""Fields that a form may have."""

REQUESTS = 16
"""Files that are received or transcribed at once."""

NAMES = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "pt": "portuguese",
    "it": "italian",
    "nl": "dutch",
}
"""Names of languages, as the API has them, where it does not take the code."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for."""

    form: str
    granularities: tuple[str, ...]
    stream: bool


class Streamed(StreamingResponse):
    """A response that releases a stack at its end, whatever happens to it."""

    def __init__(self, events: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._stack:
            await super().__call__(scope, receive, send)


class Transcriptions:
    """Answer requests to transcribe a file."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._open = 0

    async def create(self, request: Request) -> Response:
        """Transcribe a file. Raises RefusedError for a wrong request, AsrdError for a file that cannot be heard."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self._counted())
            form = await stack.enter_async_context(request.form(max_files=1, max_fields=FIELDS))
            wish = self._wish(form)
            path, name = await self._kept(form, stack)
            session = await stack.enter_async_context(Session.of_file(self._host, "openai", path, name))
            transcript = Transcript(self._host.style)
            if wish.stream:
                return Streamed(self._events(session, transcript), stack.pop_all())
            await _unless_gone(request, self._all(session, transcript))
            return self._answer(transcript, wish)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a request in the block. Raises RefusedError if there are too many: each keeps a file."""
        if self._open >= REQUESTS:
            raise RefusedError(429, f"{REQUESTS} files are being transcribed; try again later", "rate_limit_exceeded")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def _wish(self, form: FormData) -> Wish:
        check_model(self._host, _text(form, "model") or self._host.model)
        self._host.check_language(_text(form, "language"))
        chosen = _text(form, "response_format") or "json"
        if chosen not in FORMATS:
            raise RefusedError(
                400, f"response_format is one of {', '.join(FORMATS)}, not '{chosen}'", "", "response_format"
            )
        wanted = tuple(str(one) for one in form.getlist("timestamp_granularities[]")) or ("segment",)
        if strange := [one for one in wanted if one not in GRANULARITIES]:
            message = f"a granularity is one of {', '.join(GRANULARITIES)}, not '{strange[0]}'"
            raise RefusedError(400, message, "", "timestamp_granularities[]")
        stream = _text(form, "stream").lower() in ("true", "1")
        if stream and chosen not in ("json", "text"):
            raise RefusedError(400, f"{chosen} cannot be streamed; json can", "", "stream")
        return Wish(chosen, wanted, stream)

    async def _kept(self, form: FormData, stack: AsyncExitStack) -> tuple[Path, str]:
        """Return a file with the upload, which lasts as long as the stack, and the name that its sender gave it."""
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RefusedError(400, "the request has no file; send it as multipart/form-data", "", "file")
        name = Path(file.filename or "").name or "the file"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="asrd-")))
        path = (folder / "file").with_suffix(_suffix(name))
        await in_thread(_copy, file.file, path)
        return path, name

    async def _all(self, session: Session, transcript: Transcript) -> None:
        async for _ in self._heard(session, transcript):
            pass

    async def _heard(self, session: Session, transcript: Transcript) -> AsyncIterator[str]:
        """Yield the text of each final. Raises AsrdError if the file could not be heard to its end."""
        async for event in session:
            if isinstance(event, Final):
                yield transcript.add(event)
        transcript.length = session.length
        session.check()

    async def _events(self, session: Session, transcript: Transcript) -> AsyncIterator[bytes]:
        """Yield server-sent events."""
        try:
            async for text in self._heard(session, transcript):
                if text:
                    yield _event({"type": "transcript.text.delta", "delta": text})
        except AsrdError as error:
            yield _event(body(refused(error)))
            return
        yield _event({"type": "transcript.text.done", "text": transcript.text, "usage": transcript.usage})

    def _answer(self, transcript: Transcript, wish: Wish) -> Response:
        match wish.form:
            case "text":
                return PlainTextResponse(f"{transcript.text}\n")
            case "srt" | "vtt":
                return PlainTextResponse(transcript.captions(wish.form))
            case "verbose_json":
                words, segments = (one in wish.granularities for one in GRANULARITIES)
                language = NAMES.get(self._host.language, self._host.language) or "unknown"
                return JSONResponse(transcript.verbose(language, words=words, segments=segments))
            case _:
                return JSONResponse({"text": transcript.text, "usage": transcript.usage})


async def _unless_gone(request: Request, work: Coroutine[Any, Any, None]) -> None:
    """Do what a client waits for. Raises ClientDisconnect once it does not."""
    working, leaving = asyncio.create_task(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        working.result()
    finally:
        working.cancel()
        leaving.cancel()


def _text(form: FormData, name: str) -> str:
    """Return a field; "" if it is absent. Raises RefusedError if it is a file."""
    value: Any = form.get(name, "")
    if not isinstance(value, str):
        raise RefusedError(400, f"{name} is text, not a file", "", name)
    return value.strip()


def _suffix(name: str) -> str:
    """Return the end of a name that says what a file is; "" for what cannot be one."""
    suffix = Path(name).suffix
    return suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ""


def _copy(file: BinaryIO, path: Path) -> None:
    with path.open("wb") as kept:
        shutil.copyfileobj(file, kept)


def _event(record: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(record, ensure_ascii=False)}\n\n".encode()
