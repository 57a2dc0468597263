"""The models that a client may name: the daemon's, and those that clients name by default."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host

ALIASES = ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-realtime-whisper")
"""OpenAI's models, which clients name where users have not chosen one. All of them mean the daemon's model."""


def check_model(host: Host, name: str) -> None:
    """Raise RefusedError for a model that the daemon does not run."""
    if name not in (host.model, *ALIASES):
        raise RefusedError(404, f"there is no model '{name}' here, but {host.model}", "model_not_found", "model")


class Models:
    """Answer requests about models."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def all(self, _: Request) -> JSONResponse:
        """List the daemon's model."""
        return JSONResponse({"object": "list", "data": [self._described(self._host.model)]})

    async def one(self, request: Request) -> JSONResponse:
        """Describe one model."""
        name = request.path_params["name"]
        check_model(self._host, name)
        return JSONResponse(self._described(name))

    @staticmethod
    def _described(name: str) -> dict[str, str | int]:
        return {"id": name, "object": "model", "created": 0, "owned_by": "asrd"}
