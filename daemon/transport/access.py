"""Access control: who may connect to a daemon."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import zmq
import zmq.asyncio
from zmq.utils import z85

from asrd.core.addresses import host_and_port, is_local, needs_ipv6
from asrd.core.defaults import METRICS
from asrd.core.errors import UsageError
from asrd.core.key import Key, concerns
from asrd.core.roles import EVERY, NONE, Role, Roles, may


class Place(StrEnum):
    """A kind of socket, and the domain under which libzmq asks whether to admit a peer to it."""

    EVENTS = "asrd.events"
    CONTROL = "asrd.control"
    PCM = "asrd.pcm"


ADMITTED: dict[Place, Roles] = {
    Place.EVENTS: frozenset({Role.LISTEN}),
    Place.PCM: frozenset({Role.SPEAK}),
    Place.CONTROL: EVERY,  # `server.rights` decides on each request
}
"""Roles that may connect, besides `control`."""


@dataclass(frozen=True, slots=True)
class Access:
    """key: the daemon's. Everyone who connects over TCP needs it, or one of a client. Without a key, only programs on
    this machine may connect, unless `insecure`: then everyone who reaches the port may.

    clients: the roles of clients, by public key. They may change while a daemon runs.
    """

    key: Key | None = None
    insecure: bool = False
    clients: dict[str, Roles] = field(default_factory=dict, compare=False)

    def check(self, address: str) -> None:
        """Raise UsageError for an address that would be open to everyone."""
        if not (self.key or self.insecure or is_local(address)):
            raise UsageError(
                f"{address} would be open to everyone on the network; make a key for those who may connect with "
                "'asrd key new', or let all in with --insecure"
            )

    def check_http(self, address: str) -> None:
        """Raise UsageError for anything but HOST:PORT, or an address open to everyone: HTTP requires no key."""
        host_and_port(address, METRICS, 1)
        if not (self.insecure or is_local(f"tcp://{address}")):
            raise UsageError(f"{address} would be open to everyone on the network; take 127.0.0.1, or add --insecure")

    def apply(self, socket: zmq.Socket[Any], address: str, place: Place) -> None:
        """Apply this access to the address that the socket is bound to next. Raises UsageError.

        Every port has a domain, without a key too: libzmq then refuses ZMTP/1.0. That is anything whose first byte is
        not 0xff, such as an HTTP request that a page in a browser sends to a port of this machine.
        """
        self.check(address)
        socket.ipv6 = needs_ipv6(address)
        socket.curve_server = False
        if concerns(address):
            socket.zap_domain = place.encode()
            if self.key:
                self.key.serve(socket)

    def roles(self, user: str) -> Roles:
        """Return what a user may do, now. user: a public key, or "" for one who needed none to connect."""
        return EVERY if not user or (self.key and user == self.key.public) else self.clients.get(user, NONE)

    def allows(self, user: str, place: Place) -> bool:
        """Return whether a user may be at a place, now."""
        roles = self.roles(user)
        return any(may(roles, role) for role in ADMITTED[place])

    def admits(self, place: str, mechanism: bytes, credentials: Sequence[bytes]) -> str | None:
        """Return the user that a peer is, or None to turn it away. credentials: the public keys whose secret halves it
        has.

        Where a key is required libzmq itself refuses NULL, the handshake of those without.
        """
        if mechanism == b"NULL":
            return ""
        user = z85.encode(credentials[0]).decode() if self.key and len(credentials) == 1 else ""
        return user if user and self.allows(user, Place(place)) else None

    def guard(self, context: zmq.asyncio.Context) -> "Guard":
        """Answer for the ports of a context's sockets: none lets anyone in without. Call it in a running event loop."""
        return Guard(context, self)


LOCAL = Access()


class Guard:
    """Answer libzmq's questions who may connect (ZAP, RFC 27 of ZeroMQ). One per context."""

    def __init__(self, context: zmq.asyncio.Context, access: Access) -> None:
        self._access = access
        self._socket = context.socket(zmq.REP)
        self._socket.bind("inproc://zeromq.zap.01")
        self._answering = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        while True:
            (
                version,
                request,
                domain,
                _address,
                _identity,
                mechanism,
                *credentials,
            ) = await self._socket.recv_multipart()
            user = self._access.admits(domain.decode(), mechanism, credentials)
            verdict = (b"400", b"no access", b"") if user is None else (b"200", b"OK", user.encode())
            await self._socket.send_multipart([version, request, *verdict, b""])

    def close(self) -> None:
        """Stop answering."""
        self._answering.cancel()
        self._socket.close(linger=0)
