"""A client of a server, by whichever transport: what it offers, what it raises, and how it tries again."""

import random
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from asrd.backends.kserve.signature import Offer, Signature
from asrd.core.errors import BackendError
from asrd.core.flow import FloatArray

T = TypeVar("T")

PAUSES = (0.1, 0.2, 0.4)
"""Seconds before each further attempt, at most; half of them at least, so that clients do not come all at once."""

LARGEST = 128 << 20
"""Bytes of the largest answer that is read."""

ABSENT = "start it, or change --model-server"
"""What to do about a server that does not answer."""


class RefusedError(BackendError):
    """The server has understood the request, or not, and will not answer it."""


class PassingError(BackendError):
    """A failure that may pass: another attempt may go well.

    after: seconds that the server asks to wait.
    """

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


def late(server: str, limit: float) -> BackendError:
    """Return the error of a server that has not answered in time. limit: seconds."""
    return BackendError(f"{server} has not answered for {max(limit, 0):.1f} s")


def untrusted(server: str, why: str) -> BackendError:
    """Return the error of a server whose certificate is not trusted."""
    return BackendError(f"{server} is not trusted ({why}); name the certificate to trust with --model-server-ca")


def closed(server: str, why: str) -> BackendError:
    """Return the error of a server that wants another token."""
    return BackendError(f"{server} lets nobody in without the right token ({why}); see --model-server-token")


def without(server: str, model: str, why: str) -> BackendError:
    """Return the error of a server that does not have the model."""
    return BackendError(f"{server} has no model '{model}' ({why}); load it there, or change --model-server")


class Client(Protocol):
    """A connection to one model. `limit`: seconds that the call may take. Both calls raise BackendError."""

    def describe(self, limit: float) -> Offer:
        """Return what the server says of the model."""

    def infer(self, signature: Signature, batch: FloatArray, limit: float) -> FloatArray:
        """Return the output for audio `(batch, samples)`."""

    def close(self) -> None:
        """Close the connection. Closing twice is harmless."""


def insist(call: Callable[[float], T], limit: float) -> T:
    """Return what `call` does, given the seconds left. After a PassingError it is made again, with growing pauses, as
    long as the whole fits into `limit` seconds.
    """
    end = time.monotonic() + limit
    for longest in PAUSES:
        try:
            return call(end - time.monotonic())
        except PassingError as error:
            pause = max(error.after, longest * random.uniform(0.5, 1.0))
            if time.monotonic() + pause >= end:
                raise
            time.sleep(pause)
    return call(end - time.monotonic())
