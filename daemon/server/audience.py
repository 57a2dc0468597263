"""Those who subscribe to events: what each may subscribe to, and how a newcomer is greeted.

libzmq keeps all subscriptions of all peers, and tells who sent one only by the descriptor of the connection. An XPUB
socket in "manual, last value" mode sends what is sent first after a subscription was read to its sender alone, so
every subscription that is read is followed by something that is sent at once.
"""

import asyncio
from collections.abc import Callable

import zmq
import zmq.asyncio

from asrd.core.events import DAEMON_STREAM, PREFIX
from asrd.daemon.transport.access import LOCAL, Access, Place
from asrd.daemon.transport.doors import Doors
from asrd.daemon.transport.malformed import Malformed
from asrd.daemon.transport.peers import descriptor, user

SUBSCRIPTIONS = 64
"""Subscriptions of one peer; who has more is disconnected."""

MAX_SUBSCRIPTION = 1 << 9
"""Maximum size of a subscription, in bytes. A peer that sends more is disconnected."""

WAITING = 2
"""Messages of one peer that may wait; the first is libzmq's own, with the user's id. libzmq takes subscriptions in as
long as there are some, without coming back: with room for more, a peer that sends fast would keep it there.
"""

TURN = 16
"""Subscriptions read before others get their turn."""

GREETINGS = PREFIX + DAEMON_STREAM.encode() + b"."
"""The beginning of a greeting's topic. It takes a while to make one, so it is made for those who want it."""

NOBODY = b"\0"
"""A topic to which nobody is subscribed."""

Greeting = Callable[[], tuple[bytes, bytes]]


class Audience:
    """The incoming side of an XPUB socket."""

    def __init__(self, socket: zmq.asyncio.Socket, doors: Doors, malformed: Malformed, access: Access = LOCAL) -> None:
        """Call it before the socket is bound."""
        socket.set(zmq.XPUB_MANUAL_LAST_VALUE, 1)
        socket.set(zmq.MAXMSGSIZE, MAX_SUBSCRIPTION)
        socket.set(zmq.RCVHWM, WAITING)
        self._socket, self._doors, self._malformed, self._access = socket, doors, malformed, access
        self._at_once: zmq.Socket[bytes] = zmq.Socket.shadow(socket)
        self._confused = False

    async def joined(self, greeting: Greeting | None) -> None:
        """Wait until someone subscribes. greeting: returns the two frames that a newcomer gets, if any."""
        joined = False
        while not joined:
            await self._socket.poll()
            for _ in range(TURN):
                if not self._at_once.poll(0):
                    self._confused = False
                    break
                joined |= self._read(greeting)
            await asyncio.sleep(0)

    def _read(self, greeting: Greeting | None) -> bool:
        """Read one message; return whether it is a subscription that was accepted."""
        frames = self._at_once.recv_multipart(copy=False)
        try:
            kind, topic = frames[0].bytes[:1], frames[0].bytes[1:]
            source = descriptor(frames[0])
            guest = self._doors.guest(source)
            if len(frames) > 1 or kind not in (b"\0", b"\1"):
                # libzmq attributes the subscriptions behind it to others than their senders
                self._confused = True
                self._malformed.note("it is not a subscription")
            elif kind == b"\0":
                guest.subscriptions -= 1
                self._at_once.set(zmq.UNSUBSCRIBE, _meant(topic))
                return False
            elif not self._access.allows(user(frames[0]), Place.EVENTS):
                pass  # the key was revoked since the handshake
            elif not self._confused and guest.subscriptions < SUBSCRIPTIONS:
                guest.subscriptions += 1
                guest.user = user(frames[0])
                self._at_once.set(zmq.SUBSCRIBE, _meant(topic))
                self._greet(topic, greeting)
                return True
            elif not self._confused:
                self._malformed.note(f"it is one subscription more than the {SUBSCRIPTIONS} that a peer may have")
            self._doors.hang_up(source)  # its library connects and subscribes again
            return False
        finally:
            self._at_once.send(NOBODY)

    def _greet(self, topic: bytes, greeting: Greeting | None) -> None:
        """Send the greeting to who has subscribed to it, at each such subscription: a newcomer may have the descriptor
        of one that was greeted, and whose end has not been noted yet.
        """
        if greeting and (topic.startswith(GREETINGS) or GREETINGS.startswith(topic)):
            self._at_once.send_multipart(greeting())


def _meant(topic: bytes) -> bytes:
    """Return the subscription without topics that do not exist, such as `NOBODY`."""
    return PREFIX if PREFIX.startswith(topic) else topic
