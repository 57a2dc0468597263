"""Protocols that are not spoken over HTTP, and run beside it where they are asked for."""

from typing import Protocol

from asrd.gateway.host import Host
from asrd.gateway.options import GatewayOptions


class Guest(Protocol):
    """What serves beside the gateway. One that brings streams is an `Entrance`, too."""

    def attend(self, host: Host) -> None:
        """Take what is to be served, once the daemon is up."""


def make_guests(options: GatewayOptions) -> list[Guest]:
    """Return those that are asked for; they hold their ports. Raises AsrdError if one cannot be had, and
    ModuleNotFoundError if its library is not installed.
    """
    guests: list[Guest] = []
    if options.wyoming:
        from asrd.gateway.wyoming.listener import Wyoming

        guests.append(Wyoming(options.wyoming))
    if options.mqtt:
        from asrd.gateway.mqtt.publisher import Mqtt

        guests.append(Mqtt(options.mqtt))
    return guests
