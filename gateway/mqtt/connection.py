"""A connection to the broker that never holds up the end of the daemon."""

import ssl
from typing import Self

import aiomqtt

from asrd.core.errors import UsageError, reason
from asrd.daemon.threads import in_thread
from asrd.gateway.mqtt.options import MqttOptions

KEEPALIVE = 30
"""Seconds of silence after which the broker is asked whether it is still there."""

ONLINE, OFFLINE = b"online", b"offline"
"""What `PREFIX/status` says, as Home Assistant expects it of an availability topic; it is kept for newcomers."""


class Connection(aiomqtt.Client):
    """A client that connects in a thread that nothing waits for: a broker that does not answer may take its time."""

    async def __aenter__(self) -> Self:
        """Connect. Raises OSError or MqttError if that fails."""
        await in_thread(super()._client_connect)
        try:
            return await super().__aenter__()
        except BaseException:
            self._client.disconnect()  # else the socket would stay open
            raise

    def _client_connect(self) -> None:
        """Do nothing: it is connected."""


class Connector:
    """Make connections to one broker, the state of which `status` tells."""

    def __init__(self, options: MqttOptions) -> None:
        """Raises UsageError for a password or certificate that cannot be used."""
        self._broker, self._password = options.broker, options.secret()
        self._tls: ssl.SSLContext | None = None
        if self._broker.tls:
            try:
                self._tls = ssl.create_default_context(cafile=options.authority)
            except OSError as error:  # of ssl, too
                raise UsageError(f"{options.authority} is not a certificate in PEM: {reason(error)}") from error

    @property
    def status(self) -> str:
        """The topic that tells whether the daemon is there."""
        return f"{self._broker.prefix}/status"

    def connection(self) -> Connection:
        """Return a new connection, which is not open yet."""
        return Connection(
            self._broker.host,
            self._broker.port,
            username=self._broker.user or None,
            password=self._password or None,
            tls_context=self._tls,
            keepalive=KEEPALIVE,
            will=aiomqtt.Will(self.status, OFFLINE, qos=1, retain=True),
        )
