"""A WebSocket that neither side can hold up forever."""

import asyncio
import json
from typing import Any, Self

from starlette.websockets import WebSocket, WebSocketDisconnect

from asrd.gateway.errors import LaggingError, RefusedError

SLOW = 20.0
"""Seconds within which a client must take a message."""


class Line:
    """An accepted WebSocket. Several tasks may send."""

    def __init__(self, websocket: WebSocket, idle: float | None) -> None:
        """idle: seconds within which a client must send something; None if it need not, because it listens."""
        self._websocket, self._idle = websocket, idle

    @classmethod
    async def accept(cls, websocket: WebSocket, idle: float | None, protocol: str) -> Self:
        """Accept a WebSocket. protocol: the subprotocol that is spoken, if the client offers it: a browser that offers
        some, because it sends its token as one, needs one in return.
        """
        offered = {one.strip() for part in websocket.scope["subprotocols"] for one in part.split(",")}
        await websocket.accept(protocol if protocol in offered else None)
        return cls(websocket, idle)

    async def send(self, record: Any) -> None:
        """Send JSON. Raises LaggingError, after hanging up, if the client does not read; WebSocketDisconnect if it has
        gone.
        """
        await self.send_text(json.dumps(record, ensure_ascii=False))

    async def send_text(self, text: str) -> None:
        """Send text, and raise what `send` raises."""
        try:
            async with asyncio.timeout(SLOW):
                await self._websocket.send_text(text)
        except TimeoutError as error:
            self.hang_up()
            raise LaggingError(f"nothing was read for {SLOW:g} s; connect again, and read faster") from error

    async def receive(self) -> str | bytes | None:
        """Return the next message; None once the client has gone. Raises RefusedError if it is silent for too long."""
        try:
            async with asyncio.timeout(self._idle):
                message = await self._websocket.receive()
        except TimeoutError as error:
            raise RefusedError(408, f"nothing was received for {self._idle or 0:g} s", "idle") from error
        except WebSocketDisconnect:
            return None
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection well."""
        async with asyncio.timeout(SLOW):
            await self._websocket.close(code, reason)

    def hang_up(self) -> None:
        """End the connection at once, whatever was not sent yet."""
        self._websocket.state.abort()
