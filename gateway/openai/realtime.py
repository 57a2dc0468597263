"""`/v1/realtime`: the Realtime API's transcription session, over a WebSocket."""

import logging
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from asrd.core.errors import AsrdError
from asrd.gateway.errors import LaggingError
from asrd.gateway.host import Host
from asrd.gateway.line import Line
from asrd.gateway.openai.conversation import Conversation
from asrd.gateway.openai.models import check_model
from asrd.gateway.tasks import until_first

BETA = "realtime=v1"
"""What clients of the beta send in the header `OpenAI-Beta`."""

log = logging.getLogger(__name__)


class Realtime:
    """Serve Realtime sessions."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one session until its client goes. Raises RefusedError for a model that is not here."""
        if model := websocket.query_params.get("model"):
            check_model(self._host, model)
        line = await Line.accept(websocket, self._host.options.idle, "realtime")
        beta = BETA in websocket.headers.get("openai-beta", "")
        conversation = Conversation(self._host, line, beta=beta)
        try:
            await until_first(conversation.listen(), conversation.tell())
        except WebSocketDisconnect:
            return
        except LaggingError:
            line.hang_up()
            raise
        except AsrdError as error:
            with suppress(WebSocketDisconnect):
                await conversation.complain(error)
            raise
        finally:
            await conversation.close()
