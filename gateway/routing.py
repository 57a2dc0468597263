"""Routes that only those may use who have the role that each needs."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from asrd.core.roles import Role
from asrd.gateway.host import Host


def http(
    host: Host, path: str, answer: Callable[[Request], Awaitable[Response]], role: Role, *, method: str = "GET"
) -> BaseRoute:
    """Return a route for requests with a method, for those with a role."""

    async def endpoint(request: Request) -> Response:
        host.admission.check(request, role)
        return await answer(request)

    return Route(path, endpoint, methods=[method])


def socket(host: Host, path: str, serve: Callable[[WebSocket], Awaitable[None]], role: Role) -> BaseRoute:
    """Return a route for WebSockets, for those with a role. serve: accepts the connection, and closes it if it ends
    well.
    """

    async def endpoint(websocket: WebSocket) -> None:
        host.admission.check(websocket, role)
        await serve(websocket)

    return WebSocketRoute(path, endpoint)
