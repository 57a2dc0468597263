"""Messages of senders that wait for their turn. A PULL socket reads its senders in turn, so the first words of one
are read before the last words of the previous one.
"""

from asrd.core.pcm import PcmHeader

ROOM = 16 << 20
"""Bytes held at most: twice what the queues of a socket and the kernel hold of the largest messages a sender makes."""

RESERVE = 1 << 20
"""Bytes of these reserved for messages that end a session, so that a hole at its end is known too."""

OVERHEAD = 1 << 10
"""Bytes that a message takes besides its samples, at most."""

MISSED = 1_024
"""Number of sessions remembered of which no message was kept."""

LAG = 30.0
"""Seconds of audio that are kept of a session that does not say that it waits."""

Message = tuple[PcmHeader, bytes]


class Waiting:
    """Waiting messages by session, first come, first served."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Message]] = {}
        self._room = ROOM
        self._missed: dict[str, int] = {}

    def __len__(self) -> int:
        """Return the number of waiting sessions."""
        return len(self._queues)

    def put(self, message: PcmHeader, payload: bytes) -> bool:
        """Keep a message, if there is room and it would not be heard too late; return whether it was kept. One that is
        not leaves a hole in its session.
        """
        if self._lags(message) and not message.end:
            return False
        size = len(payload) + OVERHEAD
        if size > self._room - (0 if message.end else RESERVE):
            if message.session not in self._queues and len(self._missed) < MISSED:
                self._missed.setdefault(message.session, message.position)
            return False
        self._room -= size
        self._queues.setdefault(message.session, []).append((message, payload))
        return True

    def _lags(self, message: PcmHeader) -> bool:
        """Return whether a message comes so long after the first that waits that it would be heard too late."""
        return not message.waits and self.behind(message) > LAG

    def behind(self, message: PcmHeader) -> float:
        """Return how many seconds of its session wait before a message."""
        waiting = self._queues.get(message.session)
        return (message.position - waiting[0][0].position) / message.rate if waiting else 0.0

    def take(self) -> list[Message]:
        """Remove and return all messages of the session that has waited longest, in order; none if no session waits."""
        if not self._queues:
            return []
        messages = self._queues.pop(next(iter(self._queues)))
        self._room += sum(len(payload) + OVERHEAD for _, payload in messages)
        return messages

    def missed(self, message: PcmHeader) -> int:
        """Return where a session begins that is received from `message` on: there, or at a dropped message
        before it.
        """
        return min(self._missed.pop(message.session, message.position), message.position)
