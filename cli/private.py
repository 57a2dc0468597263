"""A daemon of a command's own, which nobody else sees."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import click
from click.core import ParameterSource

from asrd.clients import Hole, Subscriber
from asrd.core.errors import AsrdError, TransportError, UsageError
from asrd.core.events import AnyEvent

START = 60.0
"""Seconds that a daemon may take until it answers, including the first compilation of a model."""

END = 10.0
"""Seconds that it may take to end."""


class PrivateDaemon:
    """Runs `asrd start` in the block, on sockets in a directory, and without a journal.

    Ctrl-C on the terminal does not reach it: the command decides.
    """

    def __init__(self, directory: Path, flags: Sequence[str]) -> None:
        self.events, self.control = (f"ipc://{directory / name}" for name in ("events", "control"))
        self._log = directory / "log"
        self._command = [sys.executable, "-m", "asrd.cli.main", "start", *flags]
        self._command += ["--events", self.events, "--control", self.control, "--no-journal"]

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            own = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}  # it is no service
            self._process = subprocess.Popen(self._command, stderr=log, start_new_session=True, env=own)
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()
        try:
            self._process.wait(END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def finish(self) -> None:
        """Ask it to finish what was heard and to end; does not wait."""
        self._process.terminate()

    def said(self) -> Iterator[AnyEvent | Hole]:
        """Yield its events until it ends. Raises AsrdError with the last line of its log if it fails."""
        deadline = time.monotonic() + START
        with Subscriber(self.events, since=0, once=True, timeout=0.5, control=self.control) as subscriber:
            while True:  # on one connection, which is there before the first event
                try:
                    yield from subscriber
                    break
                except TransportError:
                    if self._process.poll() is not None:
                        break
                    if time.monotonic() > deadline:
                        raise
        if code := self._process.wait(END):
            raise self._failure(code)

    def _failure(self, code: int) -> AsrdError:
        words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        kind = UsageError if code == UsageError.exit_code else AsrdError
        return kind(words[-1].removeprefix("asrd: ") if words else "the daemon ended")


@contextmanager
def finishing(daemon: PrivateDaemon) -> Iterator[None]:
    """Make the first Ctrl-C in the block finish what was heard; a second one interrupts."""

    def finish(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        daemon.finish()

    before = signal.signal(signal.SIGINT, finish)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def given(ctx: click.Context, names: Sequence[str]) -> list[str]:
    """Return the flags for `asrd start` that were given to this command. names: of the parameters to pass on."""
    flags: list[str] = []
    for name in names:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value, flag = ctx.params[name], name.replace("_", "-")
            if isinstance(value, bool):
                flags.append(f"--{flag}" if value else f"--no-{flag}")
                continue
            for one in value if isinstance(value, tuple) else (value,):
                flags += [f"--{flag}", str(one)]
    return flags
