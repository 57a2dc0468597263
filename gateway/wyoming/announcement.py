"""Announce the service on the local network by multicast DNS, where Home Assistant finds it."""

import asyncio
import ipaddress
import socket

import ifaddr
import zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from asrd.core.errors import TransportError, reason

KIND = "_wyoming._tcp.local."


async def announce(host: str, port: int) -> None:
    """Announce an address until cancelled. host: an address of this machine, or 0.0.0.0 or :: for all of them.

    Raises TransportError if the network cannot be told.
    """
    name = socket.gethostname().partition(".")[0] or "asrd"
    everywhere = ipaddress.ip_address(host).is_unspecified
    service = AsyncServiceInfo(
        KIND,
        f"asrd on {name}.{KIND}",
        port=port,
        server=f"{name}.local.",
        parsed_addresses=_reachable() if everywhere else [host],
    )
    try:
        network = AsyncZeroconf(interfaces=zeroconf.InterfaceChoice.All if everywhere else [host])
        try:
            await (await network.async_register_service(service, allow_name_change=True))
            await asyncio.Event().wait()
        finally:
            await network.async_unregister_all_services()
            await network.async_close()
    except (OSError, zeroconf.Error) as error:
        raise TransportError(f"Wyoming is not announced on the network: {reason(error)}") from error


def _reachable() -> list[str]:
    """Return the addresses by which other machines reach this one."""
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    return [ip for ip in found if not ipaddress.ip_address(ip).is_loopback]
