"""Run the tools of a desktop.

They get text on standard input: other users can see the arguments of a process. They read it in the encoding of the
locale, which is UTF-8 for them whatever it is for asrd.
"""

import os
import subprocess
import tempfile
from shutil import which
from typing import IO

from asrd.core.errors import AsrdError

BASE, EACH = 10.0, 0.1
"""Seconds that a tool may take, and those for each character or argument."""

_COPIERS = (
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
)
"""Commands that put their standard input into the clipboard. The first one is Wayland's."""


def wayland() -> bool:
    """Return whether this session is one of Wayland."""
    return bool(os.environ.get("WAYLAND_DISPLAY"))


def copy(text: str) -> None:
    """Put text into the clipboard. Raises AsrdError if that fails."""
    for command in _COPIERS[:1] if wayland() else _COPIERS[1:]:
        if which(command[0]):
            run(*command, given=text)
            return
    raise AsrdError(f"nothing is there to fill the clipboard; install {'wl-clipboard' if wayland() else 'xclip'}")


def run(*command: str, given: str = "") -> str:
    """Run a tool to its end, and return what it prints. given: what it reads.

    Raises AsrdError if it is not there or fails.
    """
    tool = command[0]
    if not which(tool):
        raise AsrdError(f"{tool} is not installed; install it, or choose another way to type with --with")
    # Not pipes: what holds the clipboard goes on in the background, with what it has open.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            code = subprocess.run(
                command,
                input=given.encode(),
                stdout=output,
                stderr=errors,
                env=os.environ | {"LC_ALL": "C.UTF-8"},
                timeout=BASE + EACH * (len(given) + len(command)),
                check=False,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise AsrdError(f"{tool} does not come to an end; choose another way to type with --with") from error
        if code:
            lines = (_read(errors) or _read(output)).strip().splitlines()
            why = lines[0] if lines else f"exit code {code}"
            raise AsrdError(f"{tool} cannot type here: {why}; choose another way to type with --with")
        return _read(output)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
