"""A third party's backend as the daemon sees it: a process that may fail in any way, and is then started again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from typing import ClassVar, Self

import msgspec
import numpy as np

from asrd.backends.base import Backend, LoadOptions
from asrd.backends.messages import KINDS, LONGEST, Answer, Request
from asrd.core.errors import BackendError
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory

LOADING = 100.0
"""Seconds that importing, loading or a first answer may take."""

PATIENCE, TIMES, RECENT = 6.0, 10, 5
"""An answer may take `PATIENCE` seconds, or `TIMES` times the slowest of the `RECENT` ones: less than the scheduler
waits, so that the window can be tried again."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds from a failure to the next start: doubled each time, until an answer is right."""

WAIT = 0.5
"""Seconds of such a pause that a call waits for; during a longer one it fails at once."""


class Child:
    """The process of a backend. Every call raises BackendError if it ends or does not answer; it is then killed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.audio = os.memfd_create(f"asrd-{name}")
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "asrd.backends.child", name, str(theirs.fileno()), str(self.audio)]
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=2, pass_fds=(theirs.fileno(), self.audio)
            )

    def ask(self, request: Request, limit: float = LOADING) -> Answer:
        """Return the answer. Raises what the backend raised, as its kind."""
        try:
            self._socket.settimeout(limit)
            self._socket.send(msgspec.json.encode(request))
            answer = msgspec.json.decode(self._socket.recv(LONGEST), type=Answer)
        except TimeoutError:
            self.close()
            raise BackendError(f"backend {self.name} has not answered for {limit:.0f} s") from None
        except (OSError, msgspec.MsgspecError):  # nothing is received of one that has ended
            raise BackendError(f"backend {self.name} {self._end()}") from None
        if answer.problem:
            raise KINDS.get(answer.kind, BackendError)(answer.problem)
        return answer

    def close(self) -> None:
        """End the process and free its memory. Closing twice is harmless."""
        self._process.kill()
        self._process.wait()
        self._socket.close()
        if self._process.stdin:
            self._process.stdin.close()
        if self.audio >= 0:
            os.close(self.audio)
            self.audio = -1

    def _end(self) -> str:
        """Close, and say how the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.close()
        code = self._process.returncode
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class Remote(Backend):
    """A backend in a process of its own. `remote` makes the class of one."""

    name: ClassVar[str]

    def __init__(self, model: ModelDirectory, options: LoadOptions) -> None:
        super().__init__(model)
        self._options = options
        self._pause, self._next = FIRST_PAUSE, 0.0
        self._took: deque[float] = deque(maxlen=RECENT)
        self._child: Child | None = None
        self._closed = False
        self._arithmetic = self._start().arithmetic

    @classmethod
    def check(cls, options: LoadOptions) -> None:
        """See `Backend.check`."""
        _once(cls.name, Request("check", options=options))

    @classmethod
    def check_model(cls, model: ModelDirectory) -> None:
        """See `Backend.check_model`."""
        _once(cls.name, Request("check_model", str(model.path), model.language))

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """See `Backend.load`."""
        return cls(model, options)

    @property
    def arithmetic(self) -> str:
        """What the backend said when it loaded."""
        return self._arithmetic

    def infer(self, batch: FloatArray) -> FloatArray:
        """Have the process compute. One that fails is ended; the next call starts another, after a pause."""
        if self._closed:
            raise BackendError(f"backend {self.name} is closed")
        if not self._child:
            rest = max(0.0, self._next - time.monotonic())
            if rest > WAIT:
                raise BackendError(f"backend {self.name} has failed again and again; it is started in {rest:.0f} s")
            time.sleep(rest)
            self._start()
        assert self._child
        try:
            logits = self._compute(self._child, batch)
        except BaseException:
            self._fail()
            raise
        self._pause = FIRST_PAUSE
        return logits

    def close(self) -> None:
        """End the process."""
        self._closed = True
        if self._child:
            self._child.close()
            self._child = None

    def _compute(self, child: Child, batch: FloatArray) -> FloatArray:
        expected = (len(batch), self.model.geometry.frames(batch.shape[1]), len(self.model.vocabulary))
        os.pwrite(child.audio, np.ascontiguousarray(batch, np.float32).data, 0)
        limit, began = max(PATIENCE, TIMES * max(self._took)) if self._took else LOADING, time.monotonic()
        answer = child.ask(Request("infer", shape=(len(batch), batch.shape[1])), limit)
        self._took.append(time.monotonic() - began)
        # read, not mapped: a process that shortens the file could end this one with SIGBUS
        data = os.pread(child.audio, 4 * int(np.prod(expected)), 0)
        if answer.shape != expected or len(data) != 4 * np.prod(expected):
            raise BackendError(f"backend {self.name} answered with shape {answer.shape} instead of {expected}")
        return np.frombuffer(bytearray(data), np.float32).reshape(expected)

    def _start(self) -> Answer:
        self._child = Child(self.name)
        try:
            request = Request("load", str(self.model.path), self.model.language, self._options)
            return self._child.ask(request)
        except BaseException:
            self._fail()
            raise

    def _fail(self) -> None:
        if self._child:
            self._child.close()
            self._child = None
        self._next, self._pause = time.monotonic() + self._pause, min(2 * self._pause, LONGEST_PAUSE)


def remote(name: str) -> type[Remote]:
    """Return the class of a third party's backend. Raises BackendError if it cannot be imported in its process."""
    facts = _once(name, Request("describe"))
    return type("Remote", (Remote,), {"name": name, "max_batch": facts.max_batch, "arithmetics": facts.arithmetics})


def _once(name: str, request: Request) -> Answer:
    """Ask one thing of a new process."""
    child = Child(name)
    try:
        return child.ask(request)
    finally:
        child.close()
