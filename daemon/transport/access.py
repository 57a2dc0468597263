"""Access control: who may connect to a daemon."""

import re
from dataclasses import dataclass
from typing import Any

import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from asrd.core.addresses import MAX_PORT, is_local
from asrd.core.errors import UsageError
from asrd.core.key import DOMAIN, Key, concerns


@dataclass(frozen=True, slots=True)
class Access:
    """key: required from everyone who connects over TCP. Without a key, only programs on this machine may connect,
    unless `insecure`: then everyone who reaches the port may.
    """

    key: Key | None = None
    insecure: bool = False

    def check(self, address: str) -> None:
        """Raise UsageError for an address that would be open to everyone."""
        if not (self.key or self.insecure or is_local(address)):
            raise UsageError(
                f"{address} would be open to everyone on the network; make a key for those who may connect with "
                "'asrd key new', or let all in with --insecure"
            )

    def check_http(self, address: str) -> None:
        """Raise UsageError for anything but HOST:PORT, or an address open to everyone: HTTP requires no key."""
        found = re.fullmatch(r".+:(\d+)", address)
        if not found or not 0 < int(found[1]) <= MAX_PORT:
            raise UsageError(f"'{address}' is not HOST:PORT; write it as in 127.0.0.1:9464")
        if not (self.insecure or is_local(f"tcp://{address}")):
            raise UsageError(f"{address} would be open to everyone on the network; take 127.0.0.1, or add --insecure")

    def apply(self, socket: zmq.Socket[Any], address: str) -> None:
        """Apply this access to the address that the socket is bound to next. Raises UsageError."""
        self.check(address)
        if self.key and concerns(address):
            self.key.serve(socket)
        else:
            socket.curve_server = False

    def callback(self, domain: str, public: bytes) -> bool:
        """Return whether to accept a peer that has proved to have the secret half of a public key."""
        return self.key is not None and public == self.key.public.encode()

    def guard(self, context: zmq.asyncio.Context) -> "Guard | None":
        """Require the key from all peers of a context's sockets. Call it in a running event loop."""
        return Guard(context, self) if self.key else None


LOCAL = Access()


class Guard:
    """Answer libzmq's questions who may connect (ZAP, RFC 27 of ZeroMQ). One per context."""

    def __init__(self, context: zmq.asyncio.Context, access: Access) -> None:
        self._authenticator = AsyncioAuthenticator(context)
        self._authenticator.configure_curve_callback(DOMAIN, access)
        self._authenticator.start()

    def close(self) -> None:
        """Stop authenticating."""
        self._authenticator.stop()
