"""Ways to type into the window that has the focus, each through a tool of the desktop."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from asrd.clients.dictation.spare_keys import lending
from asrd.clients.dictation.tools import copy, run


class Keyboard(Protocol):
    """A way to type. Its methods raise AsrdError if a tool is not there or fails."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def type(self, text: str) -> None:
        """Type a text. Line breaks are Return, tabs are Tab."""
        ...

    def delete(self, count: int) -> None:
        """Press BackSpace. count: times."""
        ...


def _whole(text: str) -> Iterable[str]:
    return (text,)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that presses keys; what it does is said by these arguments.

    trial: succeed if it works here. typing: type its standard input. keys: press the keys that follow: backspace, or
    those that paste from the clipboard. parts: yield parts of a text, each when it can be typed. safe: text that it
    types right; other text is pasted.
    """

    name: str
    trial: tuple[str, ...]
    typing: tuple[str, ...]
    keys: tuple[str, ...]
    backspace: tuple[str, ...]
    pasting: tuple[str, ...]
    parts: Callable[[str], Iterable[str]] = _whole
    safe: re.Pattern[str] = re.compile(".*", re.DOTALL)

    def check(self) -> None:
        """Find out whether it works here, without typing anything."""
        run(self.name, *self.trial)

    def type(self, text: str) -> None:
        """Type a text."""
        if not self.safe.fullmatch(text):
            self.paste(text)
        else:
            for part in self.parts(text):
                run(self.name, *self.typing, given=part)

    def delete(self, count: int) -> None:
        """Press BackSpace. count: times."""
        run(self.name, *self.keys, *self.backspace * count)

    def paste(self, text: str) -> None:
        """Put a text into the clipboard, and press the keys that paste it."""
        copy(text)
        run(self.name, *self.keys, *self.pasting)


WTYPE = Tool(
    name="wtype",
    trial=("",),
    typing=("-s", "50", "-"),
    keys=("-s", "50"),
    backspace=("-k", "BackSpace"),
    pasting=("-M", "ctrl", "v", "-m", "ctrl"),
)
"""For Wayland, where the compositor lets programs type: GNOME and KDE do not. It waits for 50 ms before, so that
programs know its keyboard by then.
"""

XDOTOOL = Tool(
    name="xdotool",
    trial=("getmouselocation",),
    typing=("type", "--clearmodifiers", "--delay", "12", "--file", "-"),
    keys=("key", "--clearmodifiers", "--delay", "12"),
    backspace=("BackSpace",),
    pasting=("ctrl+v",),
    parts=lending,
)
"""For X11."""

YDOTOOL = Tool(
    name="ydotool",
    trial=("key", "14:0"),
    typing=("type", "--file", "/dev/stdin"),
    keys=("key",),
    backspace=("14:1", "14:0"),
    pasting=("29:1", "47:1", "47:0", "29:0"),
    safe=re.compile(r"""[A-Za-z0-9 \n\t.,:;!?'"()/-]*"""),
)
"""For any desktop, through the kernel, in version 1 or newer. It has the keys of a US keyboard, in some versions not
all of them. Keys are numbers: 14 is BackSpace, 29 and 47 are Ctrl and V.
"""


@dataclass(frozen=True, slots=True)
class Clipboard:
    """Pastes, with keys that a tool presses."""

    keys: Tool
    name: str = "clipboard"

    def type(self, text: str) -> None:
        """Paste a text."""
        self.keys.paste(text)

    def delete(self, count: int) -> None:
        """Press BackSpace. count: times."""
        self.keys.delete(count)
