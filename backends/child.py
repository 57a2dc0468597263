"""The process that a third party's backend runs in: `python -m asrd.backends.child NAME CONTROL AUDIO`.

CONTROL is a socket for requests and answers in JSON, one a packet. AUDIO is a file in memory: the audio of a request
lies there, and then the logits of its answer. The process ends when the one that started it does.
"""

import fcntl
import os
import signal
import socket
import sys
from pathlib import Path

import msgspec
import numpy as np

from asrd.backends.base import Backend
from asrd.backends.messages import KINDS, LONGEST, Answer, Request
from asrd.backends.registry import find_here, load_class
from asrd.core.errors import AsrdError, BackendError, reason
from asrd.models import ModelDirectory


class Host:
    """One backend, and the model it has loaded."""

    def __init__(self, name: str, audio: int) -> None:
        self._name, self._audio = name, audio
        self._loaded: Backend | None = None

    def answer(self, request: Request) -> Answer:
        """Do what is asked. Whatever the backend raises is an answer."""
        try:
            return self._do(request)
        except BaseException as error:
            kind, what = type(error).__name__, reason(error)
            problem = what if isinstance(error, AsrdError) else f"backend '{self._name}' failed: {what}"
            return Answer(problem=problem[:1000], kind=kind if kind in KINDS else "BackendError")

    def _do(self, request: Request) -> Answer:
        if request.do == "infer":
            return self._infer(request.shape)
        backend = find_here(self._name)
        if request.do == "check":
            backend.check(request.options)
        if request.do in ("check_model", "load"):
            model = ModelDirectory.open(Path(request.model), request.language)
            if request.do == "load":
                self._loaded = load_class(backend, self._name, model, request.options)
            else:
                backend.check_model(model)
        arithmetic = self._loaded.arithmetic if self._loaded else ""
        return Answer(max_batch=backend.max_batch, arithmetics=tuple(backend.arithmetics), arithmetic=arithmetic)

    def _infer(self, shape: tuple[int, int]) -> Answer:
        if not self._loaded:
            raise BackendError("no model is loaded")
        size = 4 * shape[0] * shape[1]
        audio = np.frombuffer(os.pread(self._audio, size, 0), np.float32).reshape(shape)
        logits = np.ascontiguousarray(self._loaded.logits(audio))
        os.pwrite(self._audio, logits.data, 0)
        return Answer(shape=logits.shape)


def die_with_parent() -> None:
    """Have the kernel end this process when the other end of standard input closes, even while it hangs."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)


def main() -> None:
    """Answer requests until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then closes this
    die_with_parent()
    name, control, audio = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    host, decoder, encoder = Host(name, audio), msgspec.json.Decoder(Request), msgspec.json.Encoder()
    with socket.socket(fileno=control) as connection:
        while packet := connection.recv(LONGEST):
            connection.send(encoder.encode(host.answer(decoder.decode(packet))))
    os._exit(0)  # what the backend left behind, such as threads, is not waited for


if __name__ == "__main__":
    main()
