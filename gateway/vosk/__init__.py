"""The WebSocket protocol of vosk-server.

Its clients connect to `ws://HOST:PORT/`, without a path. So do they here: pages are served at the same path, but over
HTTP, which a WebSocket is not taken for.
"""

from contextlib import suppress

from starlette.routing import BaseRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from asrd.core.roles import Role
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.routing import socket
from asrd.gateway.vosk.conversation import Conversation


def routes(host: Host) -> list[BaseRoute]:
    """Return the route of the protocol."""

    async def serve(websocket: WebSocket) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            await Conversation(host, Line(websocket, host.options.idle)).run()

    return [socket(host, "/", serve, Role.SPEAK)]
