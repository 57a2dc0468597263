"""Options of the gateway."""

from dataclasses import dataclass
from pathlib import Path

from asrd.core.errors import UsageError
from asrd.gateway.mqtt.options import MqttOptions
from asrd.gateway.ports import HTTP, is_loopback, parse
from asrd.gateway.wyoming.options import WyomingOptions

UPLOAD = 200_000_000
"""Bytes that a request may have: 17 hours of speech in Opus, or 100 minutes of CD quality."""

IDLE = 300.0
"""Seconds of silence after which a connection ends."""

SESSIONS = 64
"""Streams of clients that are open at once."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """http: HOST:PORT; port 0 takes a free one. tokens: the file of `access.Tokens`. certificate, key: files for TLS.
    insecure: whether everyone who reaches the port may connect. origins: of pages elsewhere that browsers may run
    against the gateway. upload: bytes that a request may have. idle: seconds after which a connection that sends
    nothing ends. sessions: streams that are open at once. wyoming: where it is served, if it is. mqtt: the broker that
    is told, if one is.
    """

    http: str = HTTP
    tokens: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    origins: tuple[str, ...] = ()
    upload: int = UPLOAD
    idle: float = IDLE
    sessions: int = SESSIONS
    wyoming: WyomingOptions | None = None
    mqtt: MqttOptions | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for an address that is malformed or would be open to everyone."""
        parse(self.http)
        if (self.certificate is None) != (self.key is None):
            raise UsageError("TLS takes a certificate and its key; give both --tls-cert and --tls-key")
        if not (self.local or self.insecure or (self.tokens and self.certificate)):
            raise UsageError(
                f"{self.http} would be open to everyone on the network; give those who may connect a token with "
                "--token-file, and encrypt with --tls-cert and --tls-key, or let all in with --insecure"
            )

    @property
    def local(self) -> bool:
        """Whether only programs on this machine can connect."""
        return is_loopback(self.http)
