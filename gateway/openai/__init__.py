"""OpenAI's API, as far as it is about transcription."""

from starlette.routing import BaseRoute

from asrd.core.roles import Role
from asrd.gateway.host import Host
from asrd.gateway.openai.models import Models
from asrd.gateway.openai.realtime import Realtime
from asrd.gateway.openai.transcriptions import Transcriptions
from asrd.gateway.routing import http, socket


def routes(host: Host) -> list[BaseRoute]:
    """Return the routes of the API."""
    models, transcriptions = Models(host), Transcriptions(host)
    return [
        http(host, "/v1/models", models.all, Role.SPEAK),
        http(host, "/v1/models/{name:path}", models.one, Role.SPEAK),
        http(host, "/v1/audio/transcriptions", transcriptions.create, Role.SPEAK, method="POST"),
        socket(host, "/v1/realtime", Realtime(host).serve, Role.SPEAK),
    ]
