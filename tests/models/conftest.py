"""A stand-in for the Hugging Face hub, on loopback: the requests of `asrd model pull`, and faults."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from asrd.models import ModelDirectory

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 10_000
"""Size in bytes from which a file is kept in LFS here, and so is known by its SHA-256."""


@dataclass
class Hub:
    """A hub with one repository, `someone/small`.

    files: name to content. asked: the files asked for, each with the first byte wanted. breaks: the connection drops
    after half of this file, and the hub is out of service then. damages: this file arrives with a bit flipped.
    meanwhile: called, once, when the weights are asked for.
    """

    files: dict[str, bytes]
    endpoint: str = ""
    asked: list[tuple[str, int]] = field(default_factory=list)
    breaks: str = ""
    damages: str = ""
    down: bool = False
    meanwhile: Callable[[], object] | None = None

    def listing(self) -> dict[str, object]:
        """Return the answer of the hub's model API, as far as it is read."""
        return {"id": "someone/small", "sha": COMMIT, "siblings": [self._sibling(name) for name in self.files]}

    def _sibling(self, name: str) -> dict[str, object]:
        content = self.files[name]
        entry: dict[str, object] = {"rfilename": name, "size": len(content)}
        if len(content) < LARGE:
            git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            return {**entry, "blobId": git}
        sha256 = hashlib.sha256(content).hexdigest()
        return {**entry, "blobId": "f" * 40, "lfs": {"sha256": sha256, "size": len(content), "pointerSize": 130}}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        api = re.fullmatch(r"/api/models/(.+?)/revision/(.+?)(\?.*)?", self.path)
        if self.hub.down:
            self._answer(503, b"")
        elif api and api[1] != "someone/small":
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif api and api[2] not in ("main", COMMIT):
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif api:
            self._answer(200, json.dumps(self.hub.listing()).encode(), {"Content-Type": "application/json"})
        elif (name := self.path.removeprefix(f"/someone/small/resolve/{COMMIT}/")) in self.hub.files:
            self._send_file(name)
        else:
            self._answer(404, b"")
            self.hub.asked.append((self.path, 0))  # nobody should ask for it

    def _send_file(self, name: str) -> None:
        content = self.hub.files[name]
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        self.hub.asked.append((name, first))
        if name == "model.safetensors" and (meanwhile := self.hub.meanwhile):
            self.hub.meanwhile = None
            meanwhile()
        if name == self.hub.damages:
            content = content[:-1] + bytes([content[-1] ^ 1])
        body = content[first:]
        headers = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if wanted else {}
        if name == self.hub.breaks:
            self.hub.down = True
            self._answer(206 if wanted else 200, body[: len(body) // 2], headers, claimed=len(body))
            self.close_connection = True
        else:
            self._answer(206 if wanted else 200, body, headers)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, claimed: int | None = None
    ) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def hub(base_model: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the small random model, and a store for this test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    names = ("config.json", "processor_config.json", "vocab.json", "tokenizer_config.json", "model.safetensors")
    hub = Hub({name: (base_model.path / name).read_bytes() for name in names})
    hub.files["training_args.bin"] = b"of no use to asrd"
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()
