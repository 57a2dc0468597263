"""A desktop of X11 without a screen, and a window on it with a text to write in."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

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


@contextmanager
def x_server() -> Iterator[str]:
    """Run an X server in the block; yields what DISPLAY is to be."""
    for program in ("Xvfb", "xdotool", "xclip", "xmodmap"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (apt install xvfb xdotool xclip x11-xserver-utils)")
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
