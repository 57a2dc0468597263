"""Bound the connections of a ZeroMQ socket. A stranger needs no key to connect, and each connection takes a descriptor,
of which a process has few.
"""

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import zmq

from asrd.daemon.transport.descriptors import crowded
from asrd.daemon.transport.door import Door, Guest

HANDSHAKE = 5_000
"""Milliseconds in which a peer must say who it is; libzmq would wait for 30 s."""

AGAIN = 1_000
"""Milliseconds until a door that is shut looks whether files were closed elsewhere."""

EARLY = 1.0
"""Seconds by which a connection may be heard before it is noted; after that it was another with its descriptor."""

_numbers = count()

_EVENTS = zmq.EVENT_LISTENING | zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_MONITOR_STOPPED


class Doors:
    """The doors of one socket. A thread watches them, so that they shut in time however busy the daemon is."""

    def __init__(self, socket: zmq.Socket[Any], most: int) -> None:
        """Call it before the socket is bound, and `close` before it is closed. most: connections to each address."""
        socket.set(zmq.HANDSHAKE_IVL, HANDSHAKE)
        self._socket, self._most = socket, most
        self._doors: list[Door] = []
        self._early: dict[int, Guest] = {}
        place = f"inproc://doors-{next(_numbers)}"
        socket.monitor(place, _EVENTS)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.shadow(
            socket.context.underlying
        )  # one whose sockets nobody else closes
        self._events: zmq.Socket[bytes] = context.socket(zmq.PAIR)
        self._events.set(zmq.RCVHWM, 0)  # a full queue would halt libzmq
        self._events.connect(place)
        self._thread = threading.Thread(target=self._watch, name="asrd-doors", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Door]:
        return iter([*self._doors])

    @property
    def connections(self) -> int:
        """The number of connections that are open."""
        return sum(len(door.guests) for door in self)

    def guest(self, descriptor: int) -> Guest:
        """Return a connection by its descriptor. One that has not yet been noted, or has ended, is kept until then."""
        for door in self:
            if guest := door.guests.get(descriptor):
                return guest
        return self._early.setdefault(descriptor, Guest())

    def hang_up(self, descriptor: int) -> None:
        """End a connection, if it is open."""
        for door in self:
            if descriptor in door.guests:
                door.hang_up(descriptor)

    def part(self, allowed: Callable[[str], bool]) -> None:
        """End the connections of users that are not allowed."""
        for door in self:
            for descriptor, guest in [*door.guests.items()]:
                if not allowed(guest.user):
                    door.hang_up(descriptor)

    def close(self) -> None:
        """Stop watching; leave the doors open. May be called more than once."""
        if self._thread.is_alive():
            self._socket.disable_monitor()
            self._thread.join()

    def _watch(self) -> None:
        """Watch until the socket ends, or its context: that waits until all of its sockets are closed."""
        try:
            with suppress(zmq.ContextTerminated):
                self._follow()
        finally:
            for door in self:
                door.close()
            self._events.close()

    def _follow(self) -> None:
        """Follow who comes and goes, and shut and open the doors."""
        poller = zmq.Poller()
        poller.register(self._events, zmq.POLLIN)
        watching = True
        while watching:
            for ready, _ in poller.poll(AGAIN if any(door.shut for door in self) else None):
                if ready is self._events:
                    watching = self._note(*self._events.recv_multipart())
                else:
                    next(door for door in self if door.fileno() == ready).refuse()
            for door in self:  # after every event: a flood brings them without end
                shut = watching and (len(door.guests) >= self._most or crowded())
                if shut != door.shut:
                    door.set(shut=shut)
                    poller.register(door, zmq.POLLIN) if shut else poller.unregister(door)

    def _note(self, event: bytes, where: bytes) -> bool:
        """Note an event of libzmq. Returns False for the last."""
        what, descriptor = struct.unpack("=Hi", event)
        if what == zmq.EVENT_ACCEPTED:
            early, guest = self._early.pop(descriptor, None), Guest()
            if early and guest.since - early.since < EARLY:
                guest.subscriptions, guest.user = early.subscriptions, early.user
            self._entered(where.decode()).guests[descriptor] = guest
        elif what == zmq.EVENT_DISCONNECTED:
            for door in self:
                door.guests.pop(descriptor, None)
        elif what == zmq.EVENT_LISTENING:
            self._doors.append(Door(where.decode(), descriptor))
        return bool(what != zmq.EVENT_MONITOR_STOPPED)

    def _entered(self, address: str) -> Door:
        """Return the door of a connection with this local address; the door's own may be a wildcard."""
        port = address.rpartition(":")[2]
        return min(self, key=lambda door: (door.address != address, door.address.rpartition(":")[2] != port))
