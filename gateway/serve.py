"""Run the gateway beside a daemon."""

import asyncio
import logging

from asrd.daemon.server.daemon import Daemon
from asrd.daemon.sources.entrance import Entrance, Join
from asrd.gateway import ports
from asrd.gateway.access import Admission
from asrd.gateway.app import make_app
from asrd.gateway.guests import make_guests
from asrd.gateway.host import Host
from asrd.gateway.options import GatewayOptions
from asrd.gateway.server import Server, make_server
from asrd.gateway.tls import check_certificate
from asrd.gateway.tokens import read_tokens

LEAVING = 0.5
"""Seconds that connections get to close once their sessions have ended."""

log = logging.getLogger(__name__)


class Gateway(Entrance):
    """The gateway of one daemon. It holds its port from the beginning, and serves when the daemon is up."""

    def __init__(self, options: GatewayOptions) -> None:
        """Bind. Raises UsageError for tokens or certificates that cannot be used, TransportError for an address that is
        taken.
        """
        self._options = options
        tokens = read_tokens(options.tokens) if options.tokens else None
        self._admission = Admission(tokens, options.local, options.origins)
        check_certificate(options)
        self._guests = make_guests(options)
        self._socket = ports.bind(options.http, "--http")
        self._closing = asyncio.Event()
        scheme = "https" if options.certificate else "http"
        super().__init__("gateway", f"{scheme}://{ports.shown(self._socket)}")

    @property
    def entrances(self) -> list[Entrance]:
        """Where streams come in: here, and by protocols that have ports of their own."""
        return [self, *(guest for guest in self._guests if isinstance(guest, Entrance))]

    def attend(self, daemon: Daemon) -> None:
        """Take the daemon that is to be served, once it is up."""
        self._host = Host(daemon, self._options, self._admission)
        daemon.publisher.listeners.add(self._host.hub.tell)
        for guest in self._guests:
            guest.attend(self._host)

    async def open(self) -> None:
        """Do nothing: the port is held already."""

    async def run(self, _: Join) -> None:
        """Serve until closed, and until open sessions have said their last words, or had time to."""
        server = make_server(make_app(self._host), self._options)
        serving = asyncio.create_task(server.serve([self._socket]))
        closing = asyncio.create_task(self._closing.wait())
        log.info("serving at %s", self.place)
        try:
            await asyncio.wait([serving, closing], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()  # it does not end by itself: raise what ended it
            server.refuse()
            await self._host.emptied()
            self._host.hub.close()
        finally:
            closing.cancel()
            await _ended(server, serving)
            self._socket.close()

    async def close(self) -> None:
        """Let nobody in any more; `run` ends soon."""
        self._closing.set()


async def _ended(server: Server, serving: "asyncio.Task[None]") -> None:
    """End a server, and what it serves."""
    server.should_exit = True
    await asyncio.wait([serving], timeout=LEAVING)
    serving.cancel()
