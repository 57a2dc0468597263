"""The backend `kserve`: a model on a server, over HTTP and gRPC, and everything a server can do wrong."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from asrd.backends import Backend, LoadOptions, load
from asrd.backends.conformance import BackendConformance
from asrd.backends.kserve import backend as kserve
from asrd.cli.main import asrd
from asrd.core.errors import BackendError, UsageError
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as bundled_speech
from tests.backends.standin import RefusalError, Served, serving

TRANSPORTS = ("http", "grpc")
CLIP = bundled_speech("real")[0].audio


@pytest.fixture(scope="module")
def local(tiny: ModelDirectory) -> Backend:
    """What the server computes with."""
    return load("int8", tiny, LoadOptions(threads=1))


@pytest.fixture
def served(local: Backend) -> Served:
    """A server's model, which a test may spoil."""
    return Served(local.logits, len(local.model.vocabulary))


@pytest.fixture
def addresses(served: Served) -> Iterator[dict[str, str]]:
    with serving(served) as found:
        yield found


@pytest.fixture(params=TRANSPORTS)
def options(request: pytest.FixtureRequest, addresses: dict[str, str]) -> LoadOptions:
    return LoadOptions(model_server=addresses[request.param])


class OverANetwork(BackendConformance):
    """asrd-tiny-en on a server in this process. Set `transport`."""

    name = "kserve"
    transport: str

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tiny: ModelDirectory, local: Backend) -> Iterator[ModelDirectory]:
        served = Served(local.logits, len(tiny.vocabulary))
        with serving(served) as addresses:
            cls.options = LoadOptions(model_server=addresses[cls.transport])
            yield tiny

    def test_it_answers_as_the_local_backend_does(self, backend: Backend, local: Backend, windows: FloatArray) -> None:
        np.testing.assert_array_equal(backend.logits(windows), local.logits(windows))


class TestHttp(OverANetwork):
    transport = "http"


class TestGrpc(OverANetwork):
    transport = "grpc"


def test_a_server_that_knows_numbers_alone(
    tiny: ModelDirectory, served: Served, local: Backend, options: LoadOptions, babble: FloatArray
) -> None:
    """Over HTTP it has no binary tensor data extension; over gRPC it answers with numbers in the tensor."""
    served.binary = False
    batch = np.stack([babble, babble[::-1]])[:, :8000]
    np.testing.assert_array_equal(load("kserve", tiny, options).logits(batch), local.logits(batch))


def refusal(model: ModelDirectory, options: LoadOptions) -> str:
    """Return the one line that loading fails with."""
    with pytest.raises(BackendError) as raised:
        load("kserve", model, options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            {"logits": [{"name": "logits", "datatype": "FP32", "shape": [-1, -1, 31]}]},
            "has 31 letters, asrd-tiny-en has",
        ),
        ({"logits": [{"name": "text", "datatype": "BYTES", "shape": [-1]}]}, "asrd needs one output FP32"),
        ({"logits": []}, "does not describe its inputs and outputs; add them"),
        ({"audio": [{"name": "audio", "datatype": "FP32", "shape": [1, 30480]}]}, "serve it with the shape"),
        ({"audio": [{"name": "audio", "datatype": "INT16", "shape": [-1, -1]}]}, "asrd needs FP32"),
        ({"audio": 2 * [{"name": "audio", "datatype": "FP32", "shape": [-1, -1]}]}, "serve one without masks"),
        ({"compute": lambda audio: np.zeros((len(audio), 7, 32), np.float32)}, r"makes \(4, 7, 32\) of 30480 samples"),
    ],
)
def test_another_model_is_refused_in_one_line(
    tiny: ModelDirectory, served: Served, options: LoadOptions, spoil: dict[str, Any], says: str
) -> None:
    for name, value in spoil.items():
        setattr(served, name, value)
    message = refusal(tiny, options)
    assert message.startswith("model 'asrd' at ")
    assert re.search(says, message), message


def test_a_model_that_is_not_there(tiny: ModelDirectory, options: LoadOptions) -> None:
    message = refusal(tiny, replace(options, model_server=options.model_server.replace("/asrd", "/other")))
    assert "has no model 'other'" in message
    assert "change --model-server" in message
    assert "has no model" in refusal(tiny, replace(options, model_server=f"{options.model_server}/versions/2"))
    load("kserve", tiny, replace(options, model_server=f"{options.model_server}/versions/1")).close()


@pytest.mark.parametrize("scheme", TRANSPORTS)
def test_a_server_that_is_not_there(
    tiny: ModelDirectory, unused_port: int, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrd.backends.kserve.client.PAUSES", (0.01,))
    message = refusal(tiny, LoadOptions(model_server=f"{scheme}://127.0.0.1:{unused_port}/v2/models/asrd"))
    assert message.startswith(f"{scheme}://127.0.0.1:{unused_port} does not answer (")
    assert message.endswith("; start it, or change --model-server")
    assert "refused" in message


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_connection_is_kept(
    tiny: ModelDirectory, served: Served, addresses: dict[str, str], babble: FloatArray
) -> None:
    backend = load("kserve", tiny, LoadOptions(model_server=addresses["http"]))
    for _ in range(3):
        backend.logits(babble[None])
    assert served.connections == 1


def test_a_server_that_takes_single_windows_gets_them_one_by_one(
    tiny: ModelDirectory, served: Served, local: Backend, options: LoadOptions, babble: FloatArray
) -> None:
    served.largest = 1
    backend = load("kserve", tiny, options)
    batch = np.stack([babble, babble[::-1]])
    before = served.requests
    np.testing.assert_array_equal(backend.logits(batch), local.logits(batch))
    assert served.requests == before + 2


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_pass_is_tried_again(
    tiny: ModelDirectory, served: Served, options: LoadOptions, babble: FloatArray, status: int
) -> None:
    backend = load("kserve", tiny, options)
    failures = [RefusalError(status, "not now"), RefusalError(status, "not yet")]

    def fail() -> None:
        if failures:
            raise failures.pop()

    served.faults = fail
    assert np.isfinite(backend.logits(babble[None])).all()
    assert not failures


def test_a_server_that_asks_for_more_time_than_there_is_fails_at_once(
    tiny: ModelDirectory, served: Served, addresses: dict[str, str], babble: FloatArray
) -> None:
    backend, began = load("kserve", tiny, LoadOptions(model_server=addresses["http"])), time.monotonic()
    served.faults = lambda: raising(RefusalError(503, "closed", Retry_After="60"))
    with pytest.raises(BackendError, match=r"is busy \(503: closed\)"):
        backend.logits(babble[None])
    assert time.monotonic() - began < kserve.DEADLINE


def raising(error: Exception) -> None:
    raise error


def test_what_does_not_pass_is_not_tried_again(
    tiny: ModelDirectory, served: Served, options: LoadOptions, babble: FloatArray
) -> None:
    backend, before = load("kserve", tiny, options), served.requests
    served.faults = lambda: raising(RefusalError(400, "broken\nkernel"))
    with pytest.raises(BackendError, match="refuses: broken kernel"):
        backend.logits(babble[None])
    assert served.requests == before + 1


def test_a_slow_server_meets_the_deadline(
    tiny: ModelDirectory,
    served: Served,
    options: LoadOptions,
    babble: FloatArray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend, released = load("kserve", tiny, options), threading.Event()
    monkeypatch.setattr(kserve, "DEADLINE", 0.3)
    served.faults = lambda: released.wait(10)
    with pytest.raises(BackendError, match=r"has not answered for 0\.3 s"):
        backend.logits(babble[None])
    released.set()
    served.faults = lambda: None
    monkeypatch.undo()
    assert np.isfinite(backend.logits(babble[None])).all()


def transcribe(*arguments: str) -> Result:
    return CliRunner().invoke(asrd, ["transcribe", "--model", "asrd-tiny-en", *arguments, str(CLIP)])


def test_the_text_is_the_local_backends(options: LoadOptions) -> None:
    served = transcribe("--backend", "kserve", "--model-server", options.model_server)
    local = transcribe("--backend", "int8")
    assert served.exit_code == 0, served.exception
    assert served.stdout == local.stdout != ""


def test_what_is_wrong_with_the_command_line_is_wrong_usage(addresses: dict[str, str]) -> None:
    without = transcribe("--backend", "kserve")
    assert isinstance(without.exception, UsageError)
    other = transcribe("--backend", "kserve", "--model-server", addresses["http"].replace("asrd", "other"))
    assert isinstance(other.exception, BackendError)
