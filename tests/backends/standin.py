"""A server that stands in for those of the Open Inference Protocol v2, and is strict about it: over HTTP, with and
without the binary tensor data extension, and over gRPC.

    python tests/backends/standin.py MODEL BACKEND    serves a model directory, and prints its ports
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from open_inference.grpc import protocol
from open_inference.grpc.service import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)

from asrd.core.flow import FloatArray

HEADER = "Inference-Header-Content-Length"


class RefusalError(Exception):
    """The answer to a request that is wrong: an HTTP status and its reason."""

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers


CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class Served:
    """A model named "asrd", and how it misbehaves. `faults`: called before each inference, may raise RefusalError."""

    def __init__(self, compute: Callable[[FloatArray], FloatArray], letters: int) -> None:
        self.compute, self.letters = compute, letters
        self.binary, self.token, self.largest = True, "", 8
        self.audio: list[dict[str, Any]] = [{"name": "audio", "datatype": "FP32", "shape": [-1, -1]}]
        self.logits: list[dict[str, Any]] = [{"name": "logits", "datatype": "FP32", "shape": [-1, -1, letters]}]
        self.faults: Callable[[], None] = lambda: None
        self.connections, self.requests = 0, 0
        self._one_at_a_time = threading.Lock()

    def find(self, name: str, version: str, authorization: str) -> None:
        if self.token and authorization != f"Bearer {self.token}":
            raise RefusalError(401, "no entry")
        if name != "asrd" or version not in ("", "1"):
            raise RefusalError(404, f"model {name} is not here")

    def infer(self, name: str, datatype: str, shape: list[int], values: FloatArray, wanted: list[str]) -> FloatArray:
        self.requests += 1
        self.faults()
        if (name, datatype) != ("audio", "FP32") or len(shape) != 2 or values.size != shape[0] * shape[1]:
            raise RefusalError(400, f"{name} {datatype} {shape} does not fit")
        if wanted not in ([], ["logits"]):
            raise RefusalError(400, f"there is no output {wanted}")
        if shape[0] > self.largest:
            raise RefusalError(400, f"a batch of {shape[0]} is too large")
        with self._one_at_a_time:
            return self.compute(values.reshape(shape))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Served

    def setup(self) -> None:
        super().setup()
        self.served.connections += 1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        pass

    def do_GET(self) -> None:
        self._answer(lambda: self._json({"name": "asrd", "inputs": self.served.audio, "outputs": self.served.logits}))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(lambda: self._infer(body))

    def _answer(self, do: Callable[[], tuple[bytes, dict[str, str]]]) -> None:
        parts, status = self.path.split("/"), 200
        try:
            version = parts[5] if parts[4:5] == ["versions"] else ""
            if parts[1:3] != ["v2", "models"] or (self.command == "POST") != (parts[-1] == "infer"):
                raise RefusalError(404, "no such path")
            self.served.find(parts[3], version, self.headers.get("Authorization", ""))
            body, headers = do()
        except RefusalError as refusal:
            status, (body, headers) = refusal.status, self._json({"error": str(refusal)})
            headers |= {name.replace("_", "-"): value for name, value in refusal.headers.items()}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: object) -> tuple[bytes, dict[str, str]]:
        return json.dumps(value).encode(), {"Content-Type": "application/json"}

    def _infer(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        length = int(self.headers.get(HEADER, len(body)))
        try:
            asked = json.loads(body[:length])
            (tensor,) = asked["inputs"]
            outputs = asked.get("outputs", [])
            if HEADER in self.headers:
                size = tensor["parameters"]["binary_data_size"]
                if not self.served.binary or "data" in tensor or size != len(body) - length:
                    raise RefusalError(400, "bytes do not fit")
                values = np.frombuffer(body[length:], "<f4")
            else:
                values = np.asarray(tensor["data"], np.float32).ravel()
            named = [one["name"] for one in outputs]
            logits = self.served.infer(tensor["name"], tensor["datatype"], tensor["shape"], values, named)
        except (KeyError, TypeError, ValueError) as error:
            raise RefusalError(400, f"malformed: {error!r}") from error
        answer: dict[str, Any] = {"name": "logits", "datatype": "FP32", "shape": logits.shape}
        whole = {"model_name": "asrd", "outputs": [answer]}
        if not any(one.get("parameters", {}).get("binary_data") for one in outputs):
            answer["data"] = logits.ravel().tolist()
            return self._json(whole)
        tail = logits.astype("<f4").tobytes()
        answer["parameters"] = {"binary_data_size": len(tail)}
        head, _ = self._json(whole)
        return head + tail, {"Content-Type": "application/octet-stream", HEADER: str(len(head))}


class Servicer(GRPCInferenceServiceServicer):  # type: ignore[misc]
    def __init__(self, served: Served) -> None:
        self.served = served

    def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(request.name, request.version, context, self._metadata)

    def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(request.model_name, request.model_version, context, lambda: self._infer(request))

    def _answer(self, name: str, version: str, context: Any, do: Callable[[], Any]) -> Any:
        try:
            self.served.find(name, version, dict(context.invocation_metadata()).get("authorization", ""))
            return do()
        except RefusalError as refusal:
            context.abort(CODES[refusal.status], str(refusal))

    def _metadata(self) -> Any:
        kind = protocol.ModelMetadataResponse.TensorMetadata
        inputs, outputs = ([kind(**one) for one in several] for several in (self.served.audio, self.served.logits))
        return protocol.ModelMetadataResponse(name="asrd", inputs=inputs, outputs=outputs)

    def _infer(self, request: Any) -> Any:
        if len(request.inputs) != 1 or len(request.raw_input_contents) != 1:
            raise RefusalError(400, "one input is needed")
        (tensor,) = request.inputs
        values = np.frombuffer(request.raw_input_contents[0], "<f4")
        named = [one.name for one in request.outputs]
        logits = self.served.infer(tensor.name, tensor.datatype, list(tensor.shape), values, named)
        output = protocol.ModelInferResponse.InferOutputTensor(name="logits", datatype="FP32", shape=logits.shape)
        raw = [logits.astype("<f4").tobytes()]
        if not self.served.binary:  # numbers may also be in the tensor
            output.contents.fp32_contents.extend(logits.ravel().tolist())
            raw = []
        return protocol.ModelInferResponse(model_name="asrd", outputs=[output], raw_output_contents=raw)


@contextmanager
def serving(served: Served, credentials: Any = None, context: Any = None) -> Iterator[dict[str, str]]:
    """Serve on free ports of this machine; give the addresses by transport. credentials, context: for TLS."""

    class Own(Handler):
        pass

    Own.served = served
    web = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    if context:
        web.socket = context.wrap_socket(web.socket, server_side=True)
    web.daemon_threads = True
    threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True).start()
    rpc = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    add_GRPCInferenceServiceServicer_to_server(Servicer(served), rpc)
    port = rpc.add_secure_port("127.0.0.1:0", credentials) if credentials else rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
    tls = "s" if context else ""
    try:
        yield {
            "http": f"http{tls}://127.0.0.1:{web.server_address[1]}/v2/models/asrd",
            "grpc": f"grpc{tls}://127.0.0.1:{port}/v2/models/asrd",
        }
    finally:
        web.shutdown()
        web.server_close()
        rpc.stop(None).wait()


def main() -> None:
    from asrd.backends import LoadOptions, load
    from asrd.models import ModelDirectory

    backend = load(sys.argv[2], ModelDirectory.open(Path(sys.argv[1])), LoadOptions(threads=1))
    with serving(Served(backend.logits, len(backend.model.vocabulary))) as addresses:
        print(json.dumps(addresses), flush=True)  # noqa: T201
        time.sleep(600)


if __name__ == "__main__":
    main()
