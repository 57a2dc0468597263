"""Where Wyoming is served."""

from dataclasses import dataclass

from asrd.core.errors import UsageError
from asrd.gateway.ports import is_loopback, parse


@dataclass(frozen=True, slots=True)
class WyomingOptions:
    """address: HOST:PORT. announce: whether others on the network are told of it. tokens: whether the gateway's clients
    need them. insecure: whether everyone who reaches the port may connect.
    """

    address: str
    announce: bool = False
    tokens: bool = False
    insecure: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError for an address that is malformed or would be open to those who have no token."""
        parse(self.address)
        if self.insecure:
            return
        if not is_loopback(self.address):
            raise UsageError(
                f"{self.address} would be open to everyone on the network, for Wyoming knows neither tokens nor "
                "encryption; let all in with --insecure, or choose 127.0.0.1"
            )
        if self.tokens:
            raise UsageError(
                "Wyoming knows no tokens, so everyone on this machine could go round those of --token-file; let all "
                "in with --insecure, or leave --wyoming out"
            )
