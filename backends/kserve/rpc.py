"""The protocol over gRPC."""

import os
import ssl
from typing import Any

from asrd.backends.kserve.address import ModelAddress
from asrd.backends.kserve.client import ABSENT, LARGEST, PassingError, RefusedError, closed, late, untrusted, without
from asrd.backends.kserve.signature import Offer, Signature, Tensor
from asrd.core.errors import BackendError
from asrd.core.flow import FloatArray

OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.max_send_message_length", LARGEST),
    ("grpc.initial_reconnect_backoff_ms", 100),  # a server that was started again is found within a second
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
)


class GrpcClient:
    """One channel, which connects again by itself."""

    def __init__(self, address: ModelAddress) -> None:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # else it writes to standard error itself, past the log
        import grpc
        from open_inference.grpc.service import GRPCInferenceServiceStub

        self._address = address
        if address.encrypted:
            trusted = grpc.ssl_channel_credentials(_certificates(address))
            self._channel = grpc.secure_channel(address.netloc, trusted, OPTIONS)
        else:
            self._channel = grpc.insecure_channel(address.netloc, OPTIONS)
        self._stub = GRPCInferenceServiceStub(self._channel)

    def describe(self, limit: float) -> Offer:
        """See `Client.describe`."""
        from open_inference.grpc.protocol import ModelMetadataRequest

        request = ModelMetadataRequest(name=self._address.model, version=self._address.version or None)
        metadata = self._call(self._stub.ModelMetadata, request, limit)
        inputs, outputs = (
            tuple(Tensor(one.name, one.datatype, tuple(one.shape)) for one in described)
            for described in (metadata.inputs, metadata.outputs)
        )
        return Offer(inputs, outputs)

    def infer(self, signature: Signature, batch: FloatArray, limit: float) -> FloatArray:
        """See `Client.infer`."""
        from open_inference.grpc.protocol import ModelInferRequest

        audio = signature.audio
        request = ModelInferRequest(
            model_name=self._address.model,
            model_version=self._address.version or None,
            inputs=[ModelInferRequest.InferInputTensor(name=audio.name, datatype=audio.datatype, shape=batch.shape)],
            outputs=[ModelInferRequest.InferRequestedOutputTensor(name=signature.logits.name)],
            raw_input_contents=[signature.encode(batch)],
        )
        answer = self._call(self._stub.ModelInfer, request, limit)
        for at, output in enumerate(answer.outputs):
            if output.name == signature.logits.name:
                return _tensor(output, answer.raw_output_contents[at : at + 1], signature)
        raise BackendError(f"the server answered without the output '{signature.logits.name}'")

    def close(self) -> None:
        """See `Client.close`."""
        self._channel.close()

    def _call(self, method: Any, request: Any, limit: float) -> Any:
        import grpc

        authorization = self._address.authorization()
        metadata = None if authorization is None else (("authorization", authorization),)
        try:
            return method(request, timeout=limit, metadata=metadata)
        except grpc.RpcError as error:
            raise self._error(error, limit) from error

    def _error(self, error: Any, limit: float) -> BackendError:
        """Return the error that a status means."""
        import grpc

        code, server = error.code(), self._address.server
        said = " ".join((error.details() or "no reason given").split())[-200:]
        kinds = grpc.StatusCode
        if code is kinds.DEADLINE_EXCEEDED:
            return late(server, limit)
        if code is kinds.UNAVAILABLE and "CERTIFICATE_VERIFY_FAILED" in said:
            return untrusted(server, "certificate verify failed")
        if code in (kinds.UNAVAILABLE, kinds.RESOURCE_EXHAUSTED):
            return PassingError(f"{server} does not answer ({said.rpartition(': ')[2].rstrip('])')}); {ABSENT}")
        if code in (kinds.UNAUTHENTICATED, kinds.PERMISSION_DENIED):
            return closed(server, said)
        if code is kinds.NOT_FOUND:
            return without(server, self._address.model, said)
        return RefusedError(f"{server} refuses: {said} ({code.name})")


def _tensor(output: Any, raw: Any, signature: Signature) -> FloatArray:
    """Return the logits of an output, which are bytes beside it or numbers in it."""
    import numpy as np

    if raw:
        return signature.decode(raw[0], output.datatype, output.shape)
    numbers = output.contents.fp32_contents or output.contents.fp64_contents
    return signature.decode(np.asarray(numbers, "<f4").tobytes(), "FP32", output.shape)


def _certificates(address: ModelAddress) -> bytes | None:
    """Return the certificates to trust, in PEM; None for those that come with gRPC."""
    if address.ca:
        address.context()
        return address.ca.read_bytes()
    trusted = [ssl.DER_cert_to_PEM_cert(one) for one in ssl.create_default_context().get_ca_certs(binary_form=True)]
    return "".join(trusted).encode() or None
