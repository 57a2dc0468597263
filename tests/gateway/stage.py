"""A gateway without a daemon: events are published by hand."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import zmq.asyncio

from asrd.core.events import DAEMON_STREAM, Event, Status
from asrd.daemon.server.publisher import Publisher
from asrd.gateway import server
from asrd.gateway.access import Admission
from asrd.gateway.app import make_app
from asrd.gateway.host import Host
from asrd.gateway.hub import Hub
from asrd.gateway.options import GatewayOptions

STATUS = Status(
    version="1",
    pid=1,
    backend="int8",
    arithmetic="int8",
    model="m",
    uptime=0,
    audio_seconds=0,
    inference_seconds=0,
    peak_memory=0,
    streams={},
    calibrated=True,
)


@asynccontextmanager
async def publishing(admission: Admission | None = None) -> AsyncIterator[tuple[Host, Publisher]]:
    """A real publisher, and a host for it."""
    context = zmq.asyncio.Context()
    publisher = Publisher(context, [])
    try:
        daemon = SimpleNamespace(publisher=publisher, reporter=SimpleNamespace(status=lambda: STATUS))
        host = Host(daemon, GatewayOptions(http="127.0.0.1:0"), admission or Admission())
        publisher.listeners.add(host.hub.tell)
        yield host, publisher
    finally:
        publisher.close()
        context.term()


@asynccontextmanager
async def serving(host: Host, port: int = 0) -> AsyncIterator[int]:
    """Serve a host; return its port."""
    serving_ = server.make_server(make_app(host), host.options)
    with socket.create_server(("127.0.0.1", port)) as bound:
        task = asyncio.create_task(serving_.serve([bound]))
        try:
            yield bound.getsockname()[1]
        finally:
            host.hub.close()
            serving_.should_exit = True
            await asyncio.wait_for(task, 10)


class Stage:
    """A server in a thread, for a browser in this one. It can go away, and come back at the same port."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._publishing = publishing()
        self._host, self._publisher = self._do(self._publishing.__aenter__())
        self._port = 0
        self.come()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def publish(self, event: Event, stream: str = DAEMON_STREAM) -> None:
        self._do(self._publisher.publish(event, stream))

    def admit(self, tokens: dict[bytes, Any] | None) -> None:
        """Have clients need a token from now on, or none."""
        self._host.admission = Admission(tokens)

    def come(self) -> None:
        """Serve."""
        self._serving = serving(self._host, self._port)
        self._port = self._do(self._serving.__aenter__())

    def go(self) -> None:
        """Hang up on all, and serve no more."""
        self._do(self._serving.__aexit__(None, None, None))
        self._host.hub = Hub()
        self._publisher.listeners = {self._host.hub.tell}

    def close(self) -> None:
        self.go()
        self._do(self._publishing.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)
