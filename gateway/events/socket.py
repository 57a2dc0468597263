"""`/ws`: a plain WebSocket, with asrd's events out and audio in."""

from starlette.websockets import WebSocket, WebSocketDisconnect

from asrd.core.roles import Role
from asrd.gateway.errors import RefusedError
from asrd.gateway.events.conversation import Conversation
from asrd.gateway.events.wish import Wish
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.tasks import until_first

PROTOCOL = "asrd"
"""The subprotocol, for browsers: one that offers a token needs another to be accepted."""

LISTENING = frozenset({"listen", "stream", "types", "since", "ago"})
"""Parameters of those who listen to others."""


class Sockets:
    """Serve plain WebSockets."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one until its client goes, its own stream has ended, or the daemon stops. Raises RefusedError for a
        client that may not, LaggingError for one that does not read.
        """
        wish = self._wish(websocket)
        line = await Line.accept(websocket, self._host.options.idle if wish is None else None, PROTOCOL)
        conversation = Conversation(self._host, line, wish, lambda: self._check(websocket, Role.SPEAK))
        try:
            await until_first(conversation.listen(), conversation.tell())
        except WebSocketDisconnect:
            return
        finally:
            await conversation.close()

    def _wish(self, websocket: WebSocket) -> Wish | None:
        """Return what a client that may listen wants to hear; None for one that only hears of itself."""
        query = websocket.query_params
        if LISTENING.isdisjoint(query):
            self._check(websocket, Role.SPEAK)
            return None
        self._check(websocket, Role.LISTEN)
        if (whom := query.get("listen", "all")) != "all":
            raise RefusedError(400, f"listen is all, not '{whom[:64]}'; stream=NAME chooses one", "", "listen")
        return Wish.read(query)

    def _check(self, websocket: WebSocket, role: Role) -> None:
        self._host.admission.check(websocket, role)
