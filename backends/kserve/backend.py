"""The backend that has windows computed by a server.

The model directory here is the client's side: vocabulary, normalization and geometry. The server must have the network
of the same directory. A server that fails is one more backend that fails: the scheduler tries the window again, and
then on one of asrd's own.
"""

import time
from functools import partial
from typing import Self

import numpy as np

from asrd.backends.base import Backend, LoadOptions
from asrd.backends.kserve.address import ModelAddress
from asrd.backends.kserve.client import Client, RefusedError, insist
from asrd.backends.kserve.http import HttpClient
from asrd.backends.kserve.rpc import GrpcClient
from asrd.backends.kserve.signature import Signature, fit
from asrd.core.errors import BackendError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory

DEADLINE = 5.0
"""Seconds that an answer may take, with all attempts: less than the scheduler waits, so that it can try again."""

LOADING = 60.0
"""Seconds that each answer may take while the backend loads: the server may have to compile the model first."""


class KserveBackend(Backend):
    """Sends windows to a model server, by the Open Inference Protocol v2."""

    requires = ("urllib3", "grpc", "google.protobuf", "open_inference.grpc")
    extra = "kserve"
    max_batch = 4

    def __init__(self, model: ModelDirectory, client: Client, signature: Signature) -> None:
        super().__init__(model)
        self._client, self._signature = client, signature
        self._rows = 1 if signature.single else self.max_batch

    @classmethod
    def check(cls, options: LoadOptions) -> None:
        """Raise UsageError if the address, or a file for it, cannot be used. Asks no server."""
        ModelAddress.of(options)

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Connect, and compare the served model with the directory. Raises BackendError if they do not fit."""
        address = ModelAddress.of(options)
        client: Client = GrpcClient(address) if "grpc" in address.scheme else HttpClient(address)
        try:
            served = f"model '{address.model}' at {address.server}"
            backend = cls(model, client, fit(insist(client.describe, LOADING), model, served))
            backend._try(served)
        except BaseException:
            client.close()
            raise
        return backend

    @property
    def arithmetic(self) -> str:
        """Always "remote": the protocol does not tell what the server computes in."""
        return "remote"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def infer(self, batch: FloatArray) -> FloatArray:
        """Send the batch, in as many requests as the server needs."""
        return self._infer(batch, DEADLINE)

    def _infer(self, batch: FloatArray, limit: float) -> FloatArray:
        end = time.monotonic() + limit
        parts = np.split(batch, range(self._rows, len(batch), self._rows))
        calls = [partial(self._client.infer, self._signature, part) for part in parts]
        return np.concatenate([insist(call, end - time.monotonic()) for call in calls])

    def _try(self, served: str) -> None:
        """Have windows of different lengths computed, and find out whether the server takes several at once.

        The first is long: what OpenVINO has prepared for one frame computes noise for longer windows.
        """
        for length in (MAX_WINDOW, MAX_WINDOW // 2, self.model.geometry.shortest):
            silence = np.zeros((self._rows, length), np.float32)
            try:
                logits = self._infer(silence, LOADING)
            except RefusedError:
                if self._rows == 1:
                    raise
                self._rows = 1
                logits = self._infer(silence[:1], LOADING)
            expected = (self._rows, self.model.geometry.frames(length), len(self.model.vocabulary))
            if logits.shape != expected:
                raise BackendError(
                    f"{served} makes {logits.shape} of {length} samples, {self.model.name} {expected}; "
                    f"serve the model of {self.model.path}, or name the directory of the served one with --model"
                )
