"""Desktops without a screen, of X11 and of Wayland, and windows on them that take text."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

WINDOW = """
import json, tkinter

def tell(_):
    print(json.dumps(text.get("1.0", "end-1c")), flush=True)
    text.edit_modified(False)

text = tkinter.Text()
text.pack()
text.bind("<<Modified>>", tell)
text.bind("<FocusIn>", tell)
text.focus_force()
text.mainloop()
"""


def need(packages: str, *programs: str) -> None:
    """Skip the test where one of the programs is missing."""
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (apt install {packages})")


@contextmanager
def x_server() -> Iterator[str]:
    """Run an X server in the block; yields what DISPLAY is to be."""
    need("xvfb xdotool xclip x11-xserver-utils", "Xvfb", "xdotool", "xclip", "xmodmap")
    pytest.importorskip("tkinter")
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
    os.close(theirs)
    with os.fdopen(ours) as chosen:
        display = chosen.readline().strip()
    assert display, "Xvfb does not start"
    yield f":{display}"
    process.terminate()
    process.wait()


class Window:
    """A window with the focus."""

    def __init__(self, display: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WINDOW],
            env=os.environ | {"DISPLAY": display, "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            bufsize=0,  # or lines that are read already would not be waited for
        )
        self.text: str | None = None

    def __enter__(self) -> Self:
        self.shows("")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def shows(self, text: str) -> None:
        """Wait until this is its text. Fails after 10 s, or if it ends."""
        assert self._process.stdout
        deadline = time.monotonic() + 10
        while self.text != text:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"the window shows {self.text!r}, not {text!r}"
            line = self._process.stdout.readline()
            assert line, "the window was closed"
            self.text = json.loads(line)


class Terminal:
    """A terminal with the focus, on a desktop of Wayland (Sway)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready, self._keys = self._pipe("ready"), self._pipe("keys")
        config = [
            f"for_window [app_id=foot] exec echo > {folder}/ready",
            f"exec foot sh -c 'stty raw -echo; exec cat > {folder}/keys'",
        ]
        (folder / "config").write_text("\n".join(config), encoding="utf-8")
        own = {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        wlroots = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman", "WLR_LIBINPUT_NO_DEVICES": "1"}
        nobody: dict[str, Any] = {}
        if os.geteuid() == 0:  # whom Sway refuses
            nobody = {"user": 65534, "group": 65534, "extra_groups": []}
            os.chown(folder, 65534, 65534)
        command = ["sway", "-c", str(folder / "config")]
        with (folder / "log").open("wb") as log:
            self._processes = [subprocess.Popen(command, env=os.environ | own | wlroots, stderr=log, **nobody)]

    def _pipe(self, name: str) -> int:
        path = self._folder / name
        os.mkfifo(path)
        path.chmod(0o666)
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        try:
            ready, _, _ = select.select([self._ready], [], [], 20)
            assert ready, (self._folder / "log").read_text(encoding="utf-8")
            self._plug_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _plug_in(self) -> None:
        """Have a keyboard on the desktop, as others have, and wait until the terminal knows it."""
        own = os.environ | {"WAYLAND_DISPLAY": self.display}
        self._processes.append(subprocess.Popen(["wtype", "-s", "600000"], env=own))
        while not select.select([self._keys], [], [], 0.1)[0]:
            subprocess.run(["wtype", "."], env=own, check=True)
        subprocess.run(["wtype", "!"], env=own, check=True)
        while not os.read(self._keys, 4096).endswith(b"!"):
            select.select([self._keys], [], [], 10)

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait()
        for pipe in (self._ready, self._keys):
            os.close(pipe)

    @property
    def display(self) -> str:
        """What WAYLAND_DISPLAY is to be."""
        return next(str(path) for path in self._folder.glob("wayland-*") if path.is_socket())

    def gets(self, keys: str) -> None:
        """Wait until these keys were pressed. Fails after 10 s without any, or at another one."""
        wanted, got = keys.encode(), b""
        while got != wanted:
            ready, _, _ = select.select([self._keys], [], [], 10)
            assert ready, f"the terminal got {got.decode()!r}, not {keys!r}"
            got += os.read(self._keys, 4096)
            assert wanted.startswith(got), f"the terminal got {got!r}, not {wanted!r}"


@contextmanager
def sway() -> Iterator[Terminal]:
    """Run Sway, with a terminal, in the block."""
    need("sway foot wtype", "sway", "foot", "wtype")
    with tempfile.TemporaryDirectory() as folder, Terminal(Path(folder)) as terminal:
        yield terminal
