"""The items of a Realtime session: what was said without a pause, or what its client committed."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from asrd.core.events import Partial
from asrd.core.units import SAMPLE_RATE, seconds

Say = Callable[[dict[str, Any]], Awaitable[None]]


def new_item() -> str:
    """Return the id of a new item."""
    return f"item_{uuid.uuid4().hex[:20]}"


class Items:
    """Tell a client of items and of their text. beta: whether as in the beta of the API."""

    def __init__(self, say: Say, *, beta: bool) -> None:
        self._say = say
        self._last: str | None = None
        self._told: dict[str, int] = {}
        self.beta = beta

    async def started(self, item: str, position: int) -> None:
        """Tell that speech begins. position: samples, as in all of these."""
        event = "input_audio_buffer.speech_started"
        await self._say({"type": event, "audio_start_ms": _milliseconds(position), "item_id": item})

    async def stopped(self, item: str, position: int) -> None:
        """Tell that speech ends."""
        event = "input_audio_buffer.speech_stopped"
        await self._say({"type": event, "audio_end_ms": _milliseconds(position), "item_id": item})

    async def committed(self, item: str) -> None:
        """Tell that an item is whole."""
        previous, self._last = self._last, item
        ids = {"previous_item_id": previous, "item_id": item}
        await self._say({"type": "input_audio_buffer.committed"} | ids)
        content = [{"type": "input_audio", "transcript": None}]
        described = {"id": item, "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
        for what in ("created",) if self.beta else ("added", "done"):
            event = {"type": f"conversation.item.{what}", "previous_item_id": previous}
            await self._say(event | {"item": described | {"content": content}})

    async def partial(self, item: str, partial: Partial) -> None:
        """Tell what is settled of an item's text."""
        await self._more(item, partial.display[: partial.display_stable])

    async def completed(self, item: str, text: str, length: int) -> None:
        """Tell the text of an item, which does not change any more."""
        await self._more(item, text)
        self._told.pop(item, None)
        usage = {"type": "duration", "seconds": round(seconds(length), 3)}
        await self._about(item, "completed", transcript=text, usage=usage)

    async def failed(self, item: str, message: str) -> None:
        """Tell that there is no text of an item."""
        self._told.pop(item, None)
        error = {"type": "server_error", "code": None, "message": message, "param": None}
        await self._about(item, "failed", error=error)

    async def _more(self, item: str, text: str) -> None:
        """Tell what was added to a text: what was told of it does not change."""
        if more := text[self._told.get(item, 0) :]:
            self._told[item] = len(text)
            await self._about(item, "delta", delta=more)

    async def _about(self, item: str, what: str, **facts: Any) -> None:
        event = f"conversation.item.input_audio_transcription.{what}"
        await self._say({"type": event, "item_id": item, "content_index": 0} | facts)


def _milliseconds(position: int) -> int:
    return round(position * 1000 / SAMPLE_RATE)
