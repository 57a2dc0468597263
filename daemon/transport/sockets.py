"""Bind ZeroMQ sockets, with errors that say what to do."""

import errno
import fcntl
import os
from pathlib import Path
from typing import IO, Any

import zmq

from asrd.core.addresses import check_address, not_an_address, runtime_directory, without_address
from asrd.core.errors import TransportError, UsageError
from asrd.daemon.transport.access import LOCAL, Access, Place
from asrd.daemon.transport.inherited import inherited

KEEPALIVE = 60
"""Seconds of silence on a TCP connection until the kernel asks whether the peer is still there."""


def notice_loss(socket: zmq.Socket[Any]) -> None:
    """Close connections whose peer vanished without a message: power cut, network gone. Call before binding.

    A socket that only listens would never notice, and keep a descriptor for each.
    """
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
    socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, KEEPALIVE)


class Binding:
    """An address held by this process.

    libzmq silently takes over a Unix socket that another process is still using; a lock file beside the socket makes
    that the same error as for a TCP port.
    """

    def __init__(
        self, socket: zmq.Socket[Any], address: str, access: Access = LOCAL, place: Place = Place.CONTROL
    ) -> None:
        """Bind, or take over the socket that a service manager bound. Raises UsageError for an address that is
        malformed or would be open to everyone, TransportError if it is taken.
        """
        self._socket = socket
        self._lock: IO[str] | None = None
        check_address(address)
        access.apply(socket, address, place)
        notice_loss(socket)
        if address.startswith("ipc://") and address[6:7] not in ("@", "*"):
            self._lock = _lock(Path(address.removeprefix("ipc://")), address)
        descriptor = inherited(address)
        try:
            socket.set(zmq.USE_FD, -1 if descriptor is None else descriptor)
            socket.bind(address)
        except zmq.ZMQError as error:
            self.close()
            raise _explain(error, address) from error
        self.address: str = socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def close(self) -> None:
        """Release the address for other processes; the socket itself is the caller's."""
        if self._lock:
            self._lock.close()
            self._lock = None


def _lock(path: Path, address: str) -> IO[str]:
    """Hold `<path>.lock` as long as the process lives. The directory is created with access for this user only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.parent.stat()
        if path.parent == runtime_directory() and (state.st_uid != os.geteuid() or state.st_mode & 0o022):
            raise TransportError(f"{path.parent} is open to others, who could listen in; set XDG_RUNTIME_DIR")
        handle = path.with_name(path.name + ".lock").open("a+")
    except OSError as error:
        raise TransportError(f"cannot bind {address}: {error.strerror}; choose another address") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        number = handle.read().strip()
        holder = f"process {number}" if number else "another process"  # which has not yet written its number
        handle.close()
        raise TransportError(
            f"{address} is in use by {holder}; stop it with 'asrd stop' or choose another address"
        ) from error
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _explain(error: zmq.ZMQError, address: str) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return TransportError(f"{address} is in use; stop what uses it ('asrd stop'?) or choose another address")
    if error.errno in (errno.EINVAL, errno.EPROTONOSUPPORT):
        return not_an_address(address)
    if error.errno == errno.ENAMETOOLONG:
        return UsageError(f"the path of '{address}' is too long for a Unix socket; choose a shorter one")
    why = without_address(str(error.strerror))
    return TransportError(f"cannot bind {address}: {why}; choose another address")
