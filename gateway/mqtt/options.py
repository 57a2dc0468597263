"""Which MQTT broker is told, and of what."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from asrd.core.addresses import at
from asrd.core.errors import UsageError
from asrd.core.secret import read_secret
from asrd.gateway.ports import is_loopback

PORTS = {"mqtt": 1883, "mqtts": 8883}

PREFIX = "asrd"
"""Where topics begin, unless a broker's URL says otherwise."""

EXAMPLE = "mqtt://user@127.0.0.1:1883/asrd"


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker, as its URL names it. tls: whether the connection is encrypted. prefix: where topics begin."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    prefix: str = PREFIX

    @classmethod
    def parse(cls, url: str) -> "Broker":
        """Read `mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX]`. Raises UsageError, without the URL, which may hold a
        password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in PORTS or parts.query or parts.fragment:
            raise UsageError(f"this is not the URL of an MQTT broker; write it as in {EXAMPLE}")
        prefix = unquote(parts.path).strip("/") or PREFIX
        if re.search(r"[+#\0]", prefix) or prefix.startswith("$"):
            raise UsageError(f"'{prefix}' is not the beginning of an MQTT topic; write it as in {EXAMPLE}")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if password and not user:
            raise UsageError(f"the URL of the MQTT broker has a password and no user; write it as in {EXAMPLE}")
        return cls(host, port or PORTS[parts.scheme], parts.scheme == "mqtts", user, password, prefix)

    @property
    def place(self) -> str:
        """HOST:PORT."""
        return at(self.host, self.port)

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.place)

    def __str__(self) -> str:
        """Return the URL without the password."""
        user = f"{self.user}@" if self.user else ""
        return f"mqtt{'s' if self.tls else ''}://{user}{self.place}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """password: a file that holds it, instead of the URL. authority: a file with the certificate that signed the
    broker's; None for those that the system trusts. partials: whether these are published, too.
    """

    broker: Broker
    password: Path | None = None
    authority: Path | None = None
    partials: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError for what cannot be."""
        if self.password and not self.broker.user:
            raise UsageError(f"--mqtt-password-file needs a user in the URL, as in {EXAMPLE}")
        if self.authority and not self.broker.tls:
            raise UsageError("--mqtt-ca is for a broker that encrypts; write its URL with mqtts://")

    def secret(self) -> str:
        """Return the password. Raises UsageError for a file that cannot be read, or that everyone may read."""
        if self.password is None:
            return self.broker.password
        return read_secret(self.password, "the password in").strip("\r\n")
