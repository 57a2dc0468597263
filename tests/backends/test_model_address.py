"""The address of a served model, the token it takes, and the certificate it shows."""

import contextlib
import json
import re
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.backends import LoadOptions, load
from asrd.backends.kserve import bodies
from asrd.backends.kserve.address import ModelAddress
from asrd.backends.kserve.backend import KserveBackend
from asrd.backends.kserve.signature import Signature, Tensor
from asrd.core.errors import BackendError, UsageError
from asrd.models import ModelDirectory
from tests.backends.standin import Served, serving

SECRET = "eyJhbGciOi.J9-_~+/=="


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://127.0.0.1:8000/v2/models/asrd", ("http", "127.0.0.1", 8000, "", "asrd", "")),
        ("https://models.example/x/v2/models/a%20b/versions/3", ("https", "models.example", 443, "/x", "a b", "3")),
        ("grpc://[::1]:8001/v2/models/asrd/", ("grpc", "::1", 8001, "", "asrd", "")),
        ("grpcs://models.example/v2/models/asrd", ("grpcs", "models.example", 443, "", "asrd", "")),
    ],
)
def test_an_address(url: str, parts: tuple[object, ...]) -> None:
    found = ModelAddress.of(LoadOptions(model_server=url))
    assert (found.scheme, found.host, found.port, found.prefix, found.model, found.version) == parts


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:8000", "ftp://a/v2/models/b", "http://a/v1/models/b", "http://a/v2/models/", "http:///v2/models/b"),
        *("http://a:99999/v2/models/b", "http://a/v2/models/b?x=1", "grpc://a/prefix/v2/models/b", "http://[/v2/models/b"),
    ],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match=r"is no address of a model; it looks like http://HOST:PORT/v2/models/NAME"):
        KserveBackend.check(LoadOptions(model_server=url))


def test_no_address_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match=r"needs the address of a model: --model-server http://"):
        KserveBackend.check(LoadOptions())


def token(folder: Path, content: str = SECRET, mode: int = 0o600) -> str:
    path = folder / "token"
    path.write_text(f"{content}\n", encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_a_token_never_crosses_a_network_in_clear_text(tmp_path: Path) -> None:
    file = token(tmp_path)
    for scheme, remedy in (("http", "https"), ("grpc", "grpcs")):
        with pytest.raises(UsageError, match=f"in clear text; use {remedy}://") as raised:
            ModelAddress.of(LoadOptions(model_server=f"{scheme}://models.example/v2/models/a", model_server_token=file))
        assert SECRET not in str(raised.value)
    with pytest.raises(UsageError, match="put a token into a file") as raised:
        ModelAddress.of(LoadOptions(model_server=f"https://me:{SECRET}@models.example/v2/models/a"))
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        ("", 0o600, "holds no token"),
        ("two words", 0o600, "holds no token"),
        (SECRET, 0o604, "everyone on this machine"),
    ],
)
def test_a_token_that_cannot_be_used(tmp_path: Path, content: str, mode: int, says: str) -> None:
    options = LoadOptions(
        model_server="http://localhost/v2/models/a", model_server_token=token(tmp_path, content, mode)
    )
    with pytest.raises(UsageError, match=says):
        KserveBackend.check(options)
    with pytest.raises(UsageError, match=r"no file .* for --model-server-token"):
        KserveBackend.check(replace(options, model_server_token=str(tmp_path / "none")))


@pytest.fixture(scope="module")
def served(tiny: ModelDirectory) -> Served:
    letters = len(tiny.vocabulary)
    frames = tiny.geometry.frames
    return Served(lambda audio: np.ones((len(audio), frames(audio.shape[1]), letters), np.float32), letters)


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_the_token_is_read_anew_for_every_request(
    tiny: ModelDirectory, served: Served, tmp_path: Path, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "token", SECRET)
    with serving(served) as addresses:
        options = LoadOptions(model_server=addresses[transport])
        with pytest.raises(BackendError, match=r"lets nobody in without the right token .*; see --model-server-token$"):
            load("kserve", tiny, options)
        backend = load("kserve", tiny, replace(options, model_server_token=token(tmp_path)))
        served.token = "another"
        with pytest.raises(BackendError, match="right token"):
            backend.warm_up(16000)
        token(tmp_path, "another")
        backend.warm_up(16000)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine's own, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        *("-keyout", str(key), "-out", str(certificate)),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return certificate, key


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_tls_with_the_servers_certificate_and_without(
    tiny: ModelDirectory,
    served: Served,
    certificate: tuple[Path, Path],
    transport: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asrd.backends.kserve.client.PAUSES", ())
    public, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, key)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), public.read_bytes())])
    with serving(served, credentials, context) as addresses:
        options = LoadOptions(model_server=addresses[transport])
        with pytest.raises(
            BackendError, match=r"is not trusted .*name the certificate to trust with --model-server-ca"
        ):
            load("kserve", tiny, options)
        load("kserve", tiny, replace(options, model_server_ca=str(public))).warm_up(16000)
        with pytest.raises(BackendError, match="holds no certificates in PEM form"):
            load("kserve", tiny, replace(options, model_server_ca=str(Path(__file__))))


AUDIO, LOGITS = Tensor("audio", "FP32", (-1, -1)), Tensor("logits", "FP32", (-1, -1, 32))


@given(st.integers(1, 3), st.integers(0, 50), st.sampled_from(["FP32", "FP64", "FP16"]), st.booleans())
def test_logits_are_read_as_they_were_written(rows: int, frames: int, datatype: str, binary: bool) -> None:
    """Whatever other output comes before them."""
    signature = Signature(AUDIO, LOGITS)
    sent = np.random.default_rng(frames).standard_normal((rows, frames, 4)).astype(np.float16).astype(np.float32)
    output: dict[str, Any] = {"name": "logits", "datatype": datatype, "shape": sent.shape}
    outputs, tail = [output], b""
    if binary:
        data = Signature(Tensor("", datatype, ()), LOGITS).encode(sent)
        output["parameters"] = {"binary_data_size": len(data)}
        before = {"name": "other", "datatype": "INT8", "shape": [3], "parameters": {"binary_data_size": 3}}
        outputs, tail = [before, output], b"abc" + data
    else:
        output["data"] = sent.tolist() if rows == 1 else sent.ravel().tolist()
    head = json.dumps({"outputs": outputs}).encode()
    body = head + tail
    np.testing.assert_array_equal(bodies.logits(body, len(head), signature), sent)


@given(st.binary(max_size=200))
def test_a_complaint_is_one_line(body: bytes) -> None:
    said = bodies.complaint(body)
    assert said
    assert not re.search(r"[\n\r]", said)


PIECES = (
    *('{"outputs": [', "]}", "}", '{"name": "logits", ', '"datatype": "FP32", ', '"datatype": "X", '),
    *('"shape": [1, 1, 2]', '"shape": [-1, 2, -1]', '"shape": [1, 1, 99999999999999999999]', "12345678"),
    *(', "data": [1, 2]', ', "data": ["a", 2]', ', "data": null', ', "parameters": {"binary_data_size": -8}'),
    ', "parameters": {"binary_data_size": 8}',
)


@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), st.integers(0, 300))
def test_whatever_a_server_answers_is_logits_or_an_error(body: str, length: int) -> None:
    with contextlib.suppress(msgspec.MsgspecError, BackendError):
        assert bodies.logits(body.encode(), length, Signature(AUDIO, LOGITS)).dtype == np.float32
