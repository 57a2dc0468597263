"""asrd's own events: server-sent, and over a plain WebSocket that takes audio, too."""

from starlette.routing import BaseRoute, WebSocketRoute

from asrd.core.roles import Role
from asrd.gateway.events.server_sent import ServerSent
from asrd.gateway.events.socket import Sockets
from asrd.gateway.host import Host
from asrd.gateway.routing import http


def routes(host: Host) -> list[BaseRoute]:
    """Return the routes."""
    return [
        http(host, "/events", ServerSent(host).answer, Role.LISTEN),
        WebSocketRoute("/ws", Sockets(host).serve),
    ]
