"""Who may use the gateway: bearer tokens, and protection from web pages.

A browser lets any page send requests to this machine. It says which page that is (`Origin`) and by which name it
reached us (`Host`), and neither can be forged by a page. So pages from elsewhere are refused, and so are names that
only someone else's DNS server can have brought here.
"""

import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from asrd.core.roles import NONE, Role, Roles, may, ordered
from asrd.gateway.errors import RefusedError
from asrd.gateway.tokens import digest

PROTOCOL = "openai-insecure-api-key."
"""What begins the WebSocket subprotocol that holds a token: a page in a browser can set no header."""

PAIR = 2
"""Subprotocols that Deepgram's clients send from browsers: "token" and the token."""


@dataclass(frozen=True, slots=True)
class Admission:
    """tokens: as `read_tokens` returns them; None if none is needed. local: whether only this machine can connect.
    origins: pages elsewhere that may connect.
    """

    tokens: Mapping[bytes, Roles] | None = field(default=None, repr=False)
    local: bool = True
    origins: Sequence[str] = ()

    def check_page(self, connection: HTTPConnection) -> None:
        """Raise RefusedError for what a page from elsewhere had a browser send."""
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        if self.local and self.tokens is None and not _is_loopback(host):
            raise RefusedError(403, f"this machine is not called '{host}'; connect to 127.0.0.1", "forbidden_host")
        if origin is not None and origin not in self.origins and origin.partition("://")[2] != host:
            raise RefusedError(
                403, f"pages of {origin} may not connect; 'asrd serve --allow-origin' allows it", "forbidden_origin"
            )

    def check(self, connection: HTTPConnection, role: Role) -> None:
        """Raise RefusedError for someone who may not do what a role may."""
        if self.tokens is None:
            return
        token = _token(connection)
        if not token:
            raise RefusedError(401, "a token is needed: Authorization: Bearer TOKEN", "missing_token")
        roles = self._roles(token)
        if not roles:
            raise RefusedError(401, "this token is not known here", "invalid_api_key")
        if not may(roles, role):
            raise RefusedError(403, f"this token may {' and '.join(ordered(roles))} only, not {role}", "forbidden")

    def _roles(self, token: str) -> Roles:
        """Return a token's roles, in the same time whether it is known or not."""
        given, found = digest(token), NONE
        for known, roles in (self.tokens or {}).items():
            if hmac.compare_digest(known, given):
                found = roles
        return found


def _token(connection: HTTPConnection) -> str:
    """Return the token that a client sends, in any of the ways that clients have."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return given.strip()
    offered = connection.headers.get("sec-websocket-protocol", "").split(",")
    for protocol in map(str.strip, offered):
        if protocol.startswith(PROTOCOL):
            return protocol.removeprefix(PROTOCOL)
    if len(offered) == PAIR and offered[0].strip() == "token":
        return offered[1].strip()
    return connection.query_params.get("token", "")


def _is_loopback(host: str) -> bool:
    """Return whether a `Host` header names this machine, whoever answers for its DNS."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
