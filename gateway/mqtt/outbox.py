"""Messages that wait for the broker."""

import asyncio
from collections import deque
from typing import NamedTuple

MOST = 4096
"""Messages that wait at most: some hours of speech."""


class Message(NamedTuple):
    """assured: whether it waits until the broker has it. If not, it is left out where others wait."""

    topic: str
    payload: bytes
    assured: bool = True


class Outbox:
    """Messages in order. Where there are too many, the oldest give way. lost: how many did."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: deque[Message] = deque()
        self._news, self._empty = asyncio.Event(), asyncio.Event()
        self._empty.set()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Add a message."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(message)
        self._news.set()
        self._empty.clear()

    async def first(self) -> Message:
        """Return the first message, once there is one. It stays until `done`."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting[0]

    def done(self, message: Message) -> None:
        """Remove the message that was first, unless it has given way meanwhile."""
        if self._waiting and self._waiting[0] is message:
            self._waiting.popleft()
        if not self._waiting:
            self._empty.set()

    async def emptied(self) -> None:
        """Wait until nothing waits."""
        await self._empty.wait()
