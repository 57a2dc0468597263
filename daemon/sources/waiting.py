"""Messages of senders whose turn has not come. A PULL socket reads its senders in turn, so that the
first words of one are read before the last words of the one before it.
"""

from asrd.core.pcm import PcmHeader

ROOM = 16 << 20
"""Bytes held: twice what the queues of a socket and the kernel hold of the largest messages a sender makes."""

RESERVE = 1 << 20
"""Of these, bytes kept free for messages that end a session, so that a hole at its end is known too."""

OVERHEAD = 1 << 10
"""Bytes that a message takes beside its samples, at most."""

MISSED = 1_024
"""Sessions of which nothing was kept that are remembered."""

Message = tuple[PcmHeader, bytes]


class Waiting:
    """Messages by session, first come first served."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Message]] = {}
        self._room = ROOM
        self._missed: dict[str, int] = {}

    def __len__(self) -> int:
        """Sessions that wait."""
        return len(self._queues)

    def put(self, message: PcmHeader, payload: bytes) -> bool:
        """Keep a message, if there is room. One that is not kept is a hole in the positions of its session."""
        size = len(payload) + OVERHEAD
        if size > self._room - (0 if message.end else RESERVE):
            if message.session not in self._queues and len(self._missed) < MISSED:
                self._missed.setdefault(message.session, message.position)
            return False
        self._room -= size
        self._queues.setdefault(message.session, []).append((message, payload))
        return True

    def take(self) -> list[Message]:
        """All messages of the session that has waited longest, in order; none where nobody waits."""
        if not self._queues:
            return []
        messages = self._queues.pop(next(iter(self._queues)))
        self._room += sum(len(payload) + OVERHEAD for _, payload in messages)
        return messages

    def missed(self, message: PcmHeader) -> int:
        """Where a session began that is heard from `message` on: there, or at what was not kept before it."""
        return min(self._missed.pop(message.session, message.position), message.position)
