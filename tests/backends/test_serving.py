"""The backend `kserve` against real servers of the Open Inference Protocol, which run `examples/serving`.

They are too heavy for everyone's environment. Make one of their own, and name its Python:

    python -m venv servers && servers/bin/pip install mlserver --editable .
    MLSERVER_PYTHON=servers/bin/python pytest tests/backends/test_serving.py

KSERVE_PYTHON names one that has kserve instead; the two want different versions of the same packages.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asrd.backends import Backend, LoadOptions, load
from asrd.backends.conformance import BackendConformance
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory

pytestmark = pytest.mark.slow

VARIABLES = ("MLSERVER_PYTHON", "KSERVE_PYTHON")
if not any(variable in os.environ for variable in VARIABLES):
    pytest.skip(f"no server: {' and '.join(VARIABLES)} are not set", allow_module_level=True)

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "examples" / "serving"


def unused_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def started(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """Run a server until it says that its model is ready. Fails with its log if it ends before, or takes a minute."""
    with (folder / "log").open("wb") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/asrd/ready", timeout=5):
                    break
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(0.1)
        else:
            process.kill()
        if process.poll() is not None:
            pytest.fail((folder / "log").read_text(encoding="utf-8"))
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def mlserver(python: str, folder: Path, backend: str) -> Iterator[dict[str, str]]:
    shutil.copytree(SERVING, folder, dirs_exist_ok=True)
    web, rpc, metrics = unused_ports(3)
    ports = {"http_port": web, "grpc_port": rpc, "metrics_port": metrics}
    for path, changes in {
        folder / "settings.json": ports,
        folder / "asrd" / "model-settings.json": {"parameters": {"uri": "asrd-tiny-en", "extra": {"backend": backend}}},
    }.items():
        settings = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(settings | changes), encoding="utf-8")
    with started([python, "-m", "mlserver.cli.main", "start", str(folder)], folder, web):
        yield {"http": f"http://127.0.0.1:{web}/v2/models/asrd", "grpc": f"grpc://127.0.0.1:{rpc}/v2/models/asrd"}


@contextmanager
def kserve(python: str, folder: Path, backend: str) -> Iterator[dict[str, str]]:
    web, rpc = unused_ports(2)
    ports = [f"--http_port={web}", f"--grpc_port={rpc}"]
    with started([python, str(SERVING / "asrd_kserve.py"), "asrd-tiny-en", backend, *ports], folder, web):
        yield {"http": f"http://127.0.0.1:{web}/v2/models/asrd", "grpc": f"grpc://127.0.0.1:{rpc}/v2/models/asrd"}


class Served(BackendConformance):
    """asrd-tiny-en on a real server."""

    name = "kserve"
    transport: str

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tiny: ModelDirectory, addresses: dict[str, str]) -> ModelDirectory:
        cls.options = LoadOptions(model_server=addresses[cls.transport])
        return tiny

    def test_it_answers_as_the_local_backend_does(self, backend: Backend, windows: FloatArray) -> None:
        local = load("int8", backend.model)
        np.testing.assert_allclose(backend.logits(windows), local.logits(windows), atol=self.tolerance)


@pytest.fixture(scope="module", params=[mlserver, kserve], ids=["mlserver", "kserve"])
def addresses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    variable = f"{request.param.__name__.upper()}_PYTHON"
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    with request.param(os.environ[variable], tmp_path_factory.mktemp("server"), "int8") as found:
        yield found


class TestHttp(Served):
    transport = "http"

    def test_it_sends_bytes_where_the_server_takes_them(
        self, backend: Any, request: pytest.FixtureRequest, windows: FloatArray
    ) -> None:
        """MLServer has no binary tensor data extension."""
        backend.logits(windows)
        assert backend._client._binary == ("kserve" in request.node.name)


class TestGrpc(Served):
    transport = "grpc"
