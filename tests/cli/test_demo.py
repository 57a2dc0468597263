"""`asrd demo` ends its daemon, however it ends itself."""

import signal
from pathlib import Path

import psutil

from .conftest import Run, Spawn


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


def test_a_demo_that_cannot_start_says_what_the_daemon_says(run: Run) -> None:
    result = run("demo", "--model", "nosuch")
    assert (result.returncode, result.stdout.strip()) == (2, "")
    started, said = result.stderr.splitlines()
    assert started.startswith("Starting: asrd start")
    assert said.startswith("asrd: there is no model 'nosuch'")
