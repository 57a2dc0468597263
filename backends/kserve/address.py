"""The address of a served model, and how a client proves itself there."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from asrd.backends.base import LoadOptions
from asrd.core.addresses import at, is_local
from asrd.core.errors import BackendError, UsageError, reason
from asrd.core.secret import read_secret

PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}

_PATH = re.compile(r"(?P<prefix>.*)/v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?/?")

_FORM = "http://HOST:PORT/v2/models/NAME, or the same with https, grpc or grpcs"


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """A model on a server.

    prefix: path before "/v2", where a proxy serves several things. version: "" leaves it to the server. token: file of
    the bearer token, read for every request, so that it may change. ca: file of the certificates to trust, in PEM; the
    system's if None.
    """

    scheme: str
    host: str
    port: int
    prefix: str
    model: str
    version: str
    token: Path | None = None
    ca: Path | None = None

    @classmethod
    def of(cls, options: LoadOptions) -> "ModelAddress":
        """Read the address that options name. Raises UsageError if there is none, or it cannot be used."""
        if not options.model_server:
            raise UsageError(f"backend 'kserve' needs the address of a model: --model-server {_FORM}")
        if "@" in options.model_server:
            raise UsageError(
                "--model-server takes no user or password; put a token into a file for --model-server-token"
            )
        try:
            url = urlsplit(options.model_server)
            port = url.port
        except ValueError:
            raise _malformed(options.model_server) from None
        path = _PATH.fullmatch(url.path)
        wrong = url.scheme not in PORTS or not url.hostname or not path or url.query or url.fragment
        if wrong or not path or ("grpc" in url.scheme and path["prefix"]):
            raise _malformed(options.model_server)
        address = cls(
            scheme=url.scheme,
            host=url.hostname or "",
            port=port or PORTS[url.scheme],
            prefix=path["prefix"],
            model=unquote(path["model"]),
            version=unquote(path["version"] or ""),
            token=_file(options.model_server_token, "--model-server-token"),
            ca=_file(options.model_server_ca, "--model-server-ca"),
        )
        if address.token and not address.encrypted and not address.local:
            secure = "https" if url.scheme == "http" else "grpcs"
            raise UsageError(f"a token would cross the network in clear text; use {secure}:// for {address.server}")
        if address.token:
            address.authorization()
        return address

    @property
    def encrypted(self) -> bool:
        """True if the connection is TLS."""
        return self.scheme.endswith("s")

    @property
    def local(self) -> bool:
        """True if the server is on this machine."""
        return is_local(f"tcp://{self.netloc}")

    @property
    def netloc(self) -> str:
        """The host and the port."""
        return at(self.host, self.port)

    @property
    def server(self) -> str:
        """What messages call the server."""
        return f"{self.scheme}://{self.netloc}"

    def authorization(self) -> str | None:
        """Return the value of the header that carries the token; None without one. Raises UsageError if its file
        cannot be read, holds no token, or everyone may read it.
        """
        if not self.token:
            return None
        token = read_secret(self.token, "the token").strip()
        if not re.fullmatch(r"[!-~]+", token):
            raise UsageError(f"{self.token} holds no token: one word was expected")
        return f"Bearer {token}"

    def context(self) -> ssl.SSLContext:
        """Return what a TLS connection trusts. Raises BackendError if the certificates cannot be read."""
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # an SSLError is one
            raise BackendError(f"{self.ca} holds no certificates in PEM form ({reason(error)})") from error


def _file(path: str, option: str) -> Path | None:
    if path and not Path(path).is_file():
        raise UsageError(f"no file {path} for {option}; check the path")
    return Path(path) if path else None


def _malformed(url: str) -> UsageError:
    return UsageError(f"'{url}' is no address of a model; it looks like {_FORM}")
