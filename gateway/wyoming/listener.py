"""Serve Wyoming on a port of its own."""

import asyncio
import logging

from asrd.core.errors import AsrdError, MissingExtraError
from asrd.daemon.sources.entrance import Entrance, Join
from asrd.gateway import ports
from asrd.gateway.host import Host
from asrd.gateway.wyoming.conversation import Conversation
from asrd.gateway.wyoming.options import WyomingOptions
from asrd.gateway.wyoming.wire import Reader, Wire

CLIENTS = 128
"""Connections that are open at once; more are closed at once."""

LEAVING = 0.5
"""Seconds that connections and the announcement get to end once sessions have."""

log = logging.getLogger(__name__)


class Wyoming(Entrance):
    """It holds its port from the beginning, and serves when the daemon is up."""

    def __init__(self, options: WyomingOptions) -> None:
        """Bind. Raises TransportError for an address that is taken, MissingExtraError if it cannot be announced."""
        if options.announce:
            try:
                from asrd.gateway.wyoming.announcement import announce
            except ModuleNotFoundError as error:
                raise MissingExtraError("announce", "--announce") from error
            self._announce = announce
        self._options = options
        self._socket = ports.bind(options.address, "--wyoming")
        self._closing = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        super().__init__("wyoming", f"tcp://{ports.shown(self._socket)}")

    def attend(self, host: Host) -> None:
        """Take what is to be served, once the daemon is up."""
        self._host = host

    async def open(self) -> None:
        """Do nothing: the port is held already."""

    async def run(self, _: Join) -> None:
        """Serve until closed, and until those who are connected have had their last words, or had time to."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(Reader(), self._accept), sock=self._socket
        )
        announcing = asyncio.create_task(self._announced())
        log.info("serving Wyoming at %s", self.place)
        try:
            await self._closing.wait()
            server.close()
            await self._host.emptied()
        finally:
            server.close()
            announcing.cancel()
            for task in [*self._open]:
                task.cancel()
            await asyncio.wait([announcing, *self._open], timeout=LEAVING)

    async def close(self) -> None:
        """Let nobody in any more; `run` ends soon."""
        self._closing.set()

    async def _announced(self) -> None:
        """Tell the network, if that is wanted, until cancelled."""
        if not self._options.announce:
            return
        host, port = self._socket.getsockname()[:2]
        try:
            await self._announce(host, port)
        except AsrdError as error:
            log.warning("%s", error)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer, self._host.options.idle)
        if len(self._open) >= CLIENTS:
            log.warning("a connection to Wyoming was refused: %d are open", CLIENTS)
            wire.hang_up()
            return
        task = asyncio.create_task(self._serve(wire))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, wire: Wire) -> None:
        try:
            await Conversation(self._host, wire).run()
        except AsrdError as error:
            log.warning("Wyoming from %s was refused: %s", wire.peer, error)
        except ConnectionError:
            log.debug("Wyoming from %s: the client has gone", wire.peer)
        finally:
            wire.close()
