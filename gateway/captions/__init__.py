"""Captions in a browser: a page, and an overlay of captions alone. They need no token; the events they show may."""

import re
from importlib.resources import files
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from asrd.gateway.host import Host

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

HEADERS = {
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def routes(_: Host) -> list[BaseRoute]:
    """Return the routes: `/` is the page, or with `?overlay=1` the overlay; `/captions/` has what they are made of."""
    found = {one.name: one.read_bytes() for one in files(__name__).joinpath("page").iterdir()}

    def answer(request: Request, name: str) -> Response:
        if name not in found:
            raise HTTPException(404)
        kind = KINDS[PurePath(name).suffix]
        return Response(found[name], media_type=kind, headers=HEADERS | {"Content-Security-Policy": _policy(request)})

    async def page(request: Request) -> Response:
        return answer(request, "overlay.html" if request.query_params.get("overlay") else "index.html")

    async def part(request: Request) -> Response:
        return answer(request, request.path_params["name"])

    return [Route("/", page), Route("/captions/{name}", part)]


def _policy(request: Request) -> str:
    """Return what the page may do: run what is in its files, and load from and talk to this server alone. Not every
    browser counts WebSockets of this server as its own.
    """
    host = request.headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if re.fullmatch(r"[\w.:\[\]-]+", host, re.ASCII) else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{sockets}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
