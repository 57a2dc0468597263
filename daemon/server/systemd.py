"""Notify systemd of the service's state (sd_notify(3)), without a library: it is one datagram."""

import os
import socket


def supervised() -> bool:
    """Return whether a service manager waits for notifications, and would start this process again if it failed."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def notify(*states: str) -> bool:
    """Send assignments such as "READY=1" or "STATUS=listening" to `$NOTIFY_SOCKET`.

    Returns False if the variable is not set or the socket is gone: that is no reason for a daemon to fail.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # Linux abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto("\n".join(states).encode(), address)
    except OSError:
        return False
    return True
