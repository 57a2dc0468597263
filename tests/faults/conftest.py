"""A daemon as people run it, in a process of its own, for tests that try to end it."""

import fcntl
import os
import resource
import socket
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from asrd.clients import Control, Subscriber
from asrd.core.errors import TransportError
from asrd.core.events import AnyEvent, Final, Started
from asrd.daemon.journal.store import Store

SOAK = "ASRD_SOAK" in os.environ
"""Whether faults take their long form."""

Count = Callable[..., None]


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Victim:
    """A daemon with a Unix socket and a TCP port for everything. Its log is read when it has ended."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        files: int | None = None,
        control: str = "unix",
        terminal: int | None = None,
        ready: bool = True,
    ) -> None:
        """files: its soft limit of open files. control: the kind of its control socket. terminal: its controlling one;
        by default none. ready: whether to wait until it publishes.
        """
        self.ports = {name: unused_port() for name in ("events", "audio", "metrics", "control")}
        self.paths = {name: folder / name for name in ("events", "control", "audio")}
        tcp = {name: f"tcp://127.0.0.1:{port}" for name, port in self.ports.items()}
        asked = tcp["control"] if control == "tcp" else f"ipc://{self.paths['control']}"
        self.control = Control(asked, timeout=10, key=Path("none"))
        self._log = folder / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ASRD_")}
        environment |= {"ASRD_CONTROL": self.control.address, "XDG_CONFIG_HOME": str(folder), "ASRD_KEY": "none"}
        environment |= {"XDG_STATE_HOME": str(folder / "state")}
        command = [
            *(sys.executable, "-m", "asrd.cli.main", "start", "--model", "asrd-tiny-en", "--decoder", "greedy"),
            *("--events", f"ipc://{self.paths['events']}", "--events", tcp["events"]),
            *("-s", f"unix=pcm:ipc://{self.paths['audio']}", "-s", f"tcp=pcm:{tcp['audio']}"),
            *("--metrics", tcp["metrics"].removeprefix("tcp://"), *arguments),
        ]
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

        def limit() -> None:
            os.setsid()
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
            if terminal is not None:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stderr=log,
                preexec_fn=limit,  # noqa: PLW1509 - it starts no threads
                pass_fds=() if terminal is None else (terminal,),
            )
        self.journal = folder / "state" / "asrd" / "journal.sqlite"
        if ready:
            self.wait()

    def wait(self) -> None:
        """Wait until it publishes. Fails with its log if it ends before."""
        with Subscriber(f"ipc://{self.paths['events']}", timeout=60) as events:
            try:
                next(iter(events))
            except TransportError:
                self.end()
                pytest.fail(self.log)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def connect(self, name: str) -> socket.socket:
        """Connect to a socket: a path's or a port's, by "unix events" or "tcp events"."""
        kind, what = name.split()
        if kind == "tcp":
            return socket.create_connection(("127.0.0.1", self.ports[what]), 10)
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(self.paths[what]))
        return one

    @contextmanager
    def events(self) -> Iterator[Iterator[AnyEvent]]:
        """Everything that is published from now on."""
        with Subscriber(f"ipc://{self.paths['events']}", timeout=10) as events:
            yield iter(events)  # type: ignore[misc]

    def published(self) -> list[AnyEvent]:
        """All lasting events so far, from the journal."""
        with Store(self.journal) as store:
            page = store.read(0, 1 << 62, room=1 << 30)
        return msgspec.json.decode(f"[{','.join(page.payloads)}]", type=list[AnyEvent])

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def many_files() -> Iterator[int]:
    """As many open files as this process may have, and their number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def unended(events: list[AnyEvent]) -> tuple[int, int]:
    """Return how many utterances have no final, and how many have more than one."""
    begun = Counter((event.daemon, event.stream, event.utterance) for event in events if isinstance(event, Started))
    ended = Counter((event.daemon, event.stream, event.utterance) for event in events if isinstance(event, Final))
    return (begun - ended).total(), (ended - begun).total()


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Note how often something happened; the summary says it."""

    def note(**numbers: float) -> None:
        for name, number in numbers.items():
            record_property(name, number)

    return note


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write what the tests counted."""
    counted = [one for one in terminalreporter.getreports("passed") if one.when == "call" and one.user_properties]
    for report in counted:
        numbers = ", ".join(f"{name.replace('_', ' ')} {number:g}" for name, number in report.user_properties)
        terminalreporter.write_line(f"{report.nodeid.rpartition('/')[2]}: {numbers}")
