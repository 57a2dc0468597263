"""Who may use the gateway, and from which pages."""

import http.client
import json
import socket
from contextlib import closing
from pathlib import Path

import openai
import pytest
import websockets
from openai import OpenAI
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from asrd.core.errors import TransportError, UsageError
from asrd.core.roles import Role
from asrd.gateway.access import Admission
from asrd.gateway.errors import RefusedError
from asrd.gateway.options import GatewayOptions
from asrd.gateway.serve import Gateway
from asrd.gateway.tokens import read_tokens

from .conftest import FULL, LISTENER, MODEL, Served, asked


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# of the desk\n{FULL}\n\n{LISTENER} listen\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def connection(query: str = "", **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "query_string": query.encode(), "path": "/"})


def test_tokens_have_roles(tokens):
    admission = Admission(read_tokens(tokens))
    for role in Role:
        admission.check(connection(authorization=f"Bearer {FULL}"), role)
    admission.check(connection(authorization=f"token {LISTENER}"), Role.LISTEN)
    with pytest.raises(RefusedError, match="may listen only, not speak"):
        admission.check(connection(authorization=f"Bearer {LISTENER}"), Role.SPEAK)


def test_browsers_send_tokens_as_they_can(tokens):
    admission = Admission(read_tokens(tokens))
    admission.check(connection(f"token={FULL}"), Role.SPEAK)
    admission.check(connection(sec_websocket_protocol=f"token, {FULL}"), Role.SPEAK)
    admission.check(connection(sec_websocket_protocol=f"realtime, openai-insecure-api-key.{FULL}"), Role.SPEAK)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", f"Bearer {FULL}x", f"Basic {FULL}", f"Bearer {FULL[:-1]}"])
def test_other_tokens_are_refused(tokens, given):
    with pytest.raises(RefusedError) as found:
        Admission(read_tokens(tokens)).check(connection(authorization=given), Role.LISTEN)
    assert found.value.status == 401


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no token"),
        ("# nothing\n", "holds no token"),
        ("short\n", "line 1: a token has at least 16"),
        (f"{FULL} sing\n", "line 1: the roles are listen, speak, control"),
    ],
)
def test_a_file_that_holds_no_tokens_is_refused(tokens, content, message):
    tokens.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        read_tokens(tokens)


def test_a_file_that_everyone_may_read_is_refused(tokens, tmp_path):
    tokens.chmod(0o644)
    with pytest.raises(UsageError, match="everyone on this machine may read"):
        read_tokens(tokens)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_tokens(tmp_path / "none")


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:8765", "[::1]:8765", "asrd.localhost:80"])
def test_this_machine_has_these_names(host):
    Admission().check_page(connection(host=host))
    Admission().check_page(connection(host=host, origin=f"http://{host}"))


@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:8765", "127.0.0.1.evil.example", "[", "10.0.0.1"])
def test_names_that_a_foreign_server_resolved_are_refused(host):
    with pytest.raises(RefusedError, match="is not called"):
        Admission().check_page(connection(host=host))


@pytest.mark.parametrize(
    "origin", ["null", "", "http://[", "https://evil.example", "http://127.0.0.1:9000", "http://localhost:8765"]
)
def test_pages_from_elsewhere_are_refused(origin):
    with pytest.raises(RefusedError, match="may not connect"):
        Admission().check_page(connection(host="127.0.0.1:8765", origin=origin))
    Admission(origins=[origin]).check_page(connection(host="127.0.0.1:8765", origin=origin))


@pytest.mark.parametrize("http", ["0.0.0.0:8765", "10.0.0.1:8765", "[::]:8765", "*:8765"])
def test_what_is_open_to_everyone_needs_tokens_and_tls(http):
    some = Path("some")
    for options in ({}, {"tokens": some}, {"certificate": some, "key": some}):
        with pytest.raises(UsageError, match="would be open to everyone on the network"):
            GatewayOptions(http=http, **options)
    GatewayOptions(http=http, tokens=some, certificate=some, key=some)
    GatewayOptions(http=http, insecure=True)


@pytest.mark.parametrize("http", ["127.0.0.1", "127.0.0.1:99999", "8765", ":8765"])
def test_an_address_is_host_and_port(http):
    with pytest.raises(UsageError, match="is not HOST:PORT"):
        GatewayOptions(http=http)


def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TransportError, match=f"cannot serve at 127.0.0.1:{port}: Address already in use"):
            Gateway(GatewayOptions(http=f"127.0.0.1:{port}"))


def test_a_certificate_that_is_none_is_refused(tmp_path, tokens):
    with pytest.raises(UsageError, match=f"no such file: {tmp_path}/cert"):
        Gateway(GatewayOptions(http="127.0.0.1:0", certificate=tmp_path / "cert", key=tmp_path / "key"))
    with pytest.raises(UsageError, match="cannot be used for TLS"):
        Gateway(GatewayOptions(http="127.0.0.1:0", certificate=tokens, key=tokens))


def test_a_foreign_page_reaches_nothing(served: Served):
    status, answer = asked(f"{served.url}/v1/models", headers={"Origin": "https://evil.example"})
    assert (status, answer["error"]["code"]) == (403, "forbidden_origin")
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{served.ws}/v1/realtime", origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert any("pages of https://evil.example may not connect" in line for line in served.log)


def test_nobody_gets_in_without_a_token(secured, clips):
    import httpx2 as httpx

    found, context, _ = secured
    for token in ("none", FULL[:-1]):
        with OpenAI(
            base_url=f"{found.url}/v1", api_key=token, max_retries=0, http_client=httpx.Client(verify=context)
        ) as client:
            with pytest.raises(openai.AuthenticationError, match="not known here"):
                client.models.list()
            with clips[0].open("rb") as file, pytest.raises(openai.AuthenticationError):
                client.audio.transcriptions.create(file=file, model=MODEL)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Authorization": "Bearer none"}
    with closing(http.client.HTTPSConnection("127.0.0.1", found.port, context=context)) as handshake:
        handshake.request("GET", "/v1/realtime", headers=upgrade)
        assert handshake.getresponse().status == 401


def test_a_token_lets_in(secured, clips, transcribed):
    import httpx2 as httpx

    found, context, _ = secured
    with OpenAI(base_url=f"{found.url}/v1", api_key=FULL, http_client=httpx.Client(verify=context)) as client:
        with clips[0].open("rb") as file:
            text = client.audio.transcriptions.create(file=file, model=MODEL).text
        assert text == transcribed(clips[0]).strip()


async def test_a_token_lets_a_websocket_in(secured):
    found, context, _ = secured
    headers = {"Authorization": f"Bearer {FULL}"}
    async with websockets.connect(f"{found.ws}/v1/realtime", ssl=context, additional_headers=headers) as ws:
        assert json.loads(await ws.recv())["type"] == "session.created"


def test_a_role_that_does_not_fit_is_refused(secured):
    found, context, _ = secured
    status, answer = asked(f"{found.url}/v1/models", context=context, headers={"Authorization": f"Bearer {LISTENER}"})
    assert (status, answer["error"]["message"]) == (403, "this token may listen only, not speak")
