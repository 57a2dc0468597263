"""Deepgram's API for live audio, `/v1/listen`."""

from contextlib import suppress

from starlette.routing import BaseRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from asrd.core.roles import Role
from asrd.gateway.deepgram.conversation import Conversation
from asrd.gateway.deepgram.settings import Settings
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.routing import socket


def routes(host: Host) -> list[BaseRoute]:
    """Return the route of the API."""

    async def serve(websocket: WebSocket) -> None:
        settings = Settings.read(host, websocket.query_params)
        line = await Line.accept(websocket, host.options.idle, "token")
        with suppress(WebSocketDisconnect):
            await Conversation(host, line, settings).run()

    return [socket(host, "/v1/listen", serve, Role.SPEAK)]
