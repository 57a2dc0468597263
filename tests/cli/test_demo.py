"""`asrd demo` takes its daemon along, however it ends."""

import signal
from pathlib import Path

import psutil

from .conftest import Spawn


def test_a_demo_that_is_killed_leaves_nothing_behind(spawn: Spawn, tmp_path: Path) -> None:
    demo = spawn("demo", "--backend", "fp16", TMPDIR=str(tmp_path))
    assert demo.stderr is not None
    while not demo.stderr.readline().startswith("Playing"):
        assert demo.poll() is None
    (daemon,) = psutil.Process(demo.pid).children()
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(15) == 128 + signal.SIGTERM
    assert not daemon.is_running()
    assert not list(tmp_path.glob("asrd-demo-*"))
