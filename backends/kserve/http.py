"""The protocol over HTTP."""

import time
from typing import Any
from urllib.parse import quote

import msgspec

from asrd.backends.kserve import bodies
from asrd.backends.kserve.address import ModelAddress
from asrd.backends.kserve.client import ABSENT, LARGEST, PassingError, RefusedError, closed, late, untrusted, without
from asrd.backends.kserve.signature import Offer, Signature
from asrd.core.errors import BackendError, reason
from asrd.core.flow import FloatArray

BUSY = (429, 502, 503, 504)
"""Statuses of a server that may answer soon."""

BLOCK = 1 << 16


class HttpClient:
    """A connection that is kept open. It sends tensors as bytes; if the server refuses the first, as JSON."""

    def __init__(self, address: ModelAddress) -> None:
        import urllib3

        self._address = address
        if address.encrypted:
            context = address.context()
            self._pool: Any = urllib3.HTTPSConnectionPool(address.host, address.port, ssl_context=context)
        else:
            self._pool = urllib3.HTTPConnectionPool(address.host, address.port)
        version = f"/versions/{quote(address.version, safe='')}" if address.version else ""
        self._path = f"{address.prefix}/v2/models/{quote(address.model, safe='')}{version}"
        self._binary: bool | None = None  # until the server has answered once

    def describe(self, limit: float) -> Offer:
        """See `Client.describe`."""
        body, _ = self._ask("GET", self._path, None, {}, limit)
        try:
            return bodies.metadata(body)
        except msgspec.MsgspecError as error:
            raise self._stranger(error) from error

    def infer(self, signature: Signature, batch: FloatArray, limit: float) -> FloatArray:
        """See `Client.infer`."""
        end = time.monotonic() + limit
        for binary in (True, False) if self._binary is None else (self._binary,):
            body, headers = bodies.request(signature, batch, binary=binary)
            try:
                answer, length = self._ask("POST", f"{self._path}/infer", body, headers, end - time.monotonic())
                logits = bodies.logits(answer, length, signature)
            except msgspec.MsgspecError as error:
                raise self._stranger(error) from error
            except RefusedError:
                if binary and self._binary is None:
                    continue
                raise
            self._binary = binary
            return logits
        raise AssertionError

    def close(self) -> None:
        """See `Client.close`."""
        self._pool.close()

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], limit: float
    ) -> tuple[bytes, int]:
        """Return the body of an answer, and the length of its JSON."""
        import urllib3
        from urllib3 import exceptions

        server, end = self._address.server, time.monotonic() + limit
        if (authorization := self._address.authorization()) is not None:
            headers = {**headers, "Authorization": authorization}
        timeout = urllib3.Timeout(total=max(limit, 0.001))
        try:
            response = self._pool.urlopen(
                method, path, body, headers, retries=False, redirect=False, timeout=timeout, preload_content=False
            )
            answer = self._read(response, end)
        except exceptions.NewConnectionError as error:
            raise PassingError(f"{server} does not answer ({_cause(error)}); {ABSENT}") from error
        except (exceptions.TimeoutError, TimeoutError) as error:
            raise late(server, limit) from error
        except exceptions.SSLError as error:
            raise untrusted(server, _cause(error)) from error
        except exceptions.HTTPError as error:
            raise PassingError(f"the connection to {server} broke ({_cause(error)})") from error
        if response.status != 200:
            raise self._error(response, bodies.complaint(answer))
        length = response.headers.get(bodies.HEADER, "")
        return answer, int(length) if length.isdigit() else len(answer)

    def _read(self, response: Any, end: float) -> bytes:
        """Return the whole body. Raises TimeoutError if it is not there at `end`, BackendError if it is too long."""
        body = bytearray()
        while block := response.read(BLOCK):
            body += block
            if len(body) > LARGEST or time.monotonic() > end:
                response.close()
                if len(body) <= LARGEST:
                    raise TimeoutError
                raise BackendError(f"{self._address.server} answered with more than {LARGEST >> 20} MiB")
        return bytes(body)

    def _error(self, response: Any, said: str) -> BackendError:
        """Return the error that a status means."""
        status, server = response.status, self._address.server
        if status in BUSY:
            after = response.headers.get("Retry-After", "")
            return PassingError(f"{server} is busy ({status}: {said})", float(after) if after.isdigit() else 0.0)
        if status in (401, 403):
            return closed(server, str(status))
        if status == 404:
            return without(server, self._address.model, said)
        return RefusedError(f"{server} refuses: {said} ({status})")

    def _stranger(self, error: Exception) -> BackendError:
        return BackendError(f"{self._address.server} does not speak the Open Inference Protocol v2 ({reason(error)})")


def _cause(error: BaseException) -> str:
    """Return the reason of urllib3's error, without the objects that it names first."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return reason(error)
