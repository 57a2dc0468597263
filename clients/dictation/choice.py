"""Choose what to type with: by the kind of desktop, and by what is installed."""

import os
from shutil import which

from asrd.clients.dictation.keyboards import WTYPE, XDOTOOL, YDOTOOL, Clipboard, Keyboard, Tool
from asrd.clients.dictation.tools import wayland
from asrd.core.errors import AsrdError

TOOLS = {tool.name: tool for tool in (WTYPE, XDOTOOL, YDOTOOL)}
NAMES = (*TOOLS, "clipboard")


def choose(name: str = "") -> Keyboard:
    """Return the way to type that has a name, or the first that works here. Raises AsrdError if none does."""
    if name == "clipboard":
        return Clipboard(_first())
    if not name:
        return _first()
    TOOLS[name].check()
    return TOOLS[name]


def _first() -> Tool:
    desktop = WTYPE if wayland() else XDOTOOL if os.environ.get("DISPLAY") else None
    failures = []
    for tool in filter(None, (desktop, YDOTOOL)):
        if which(tool.name):
            try:
                tool.check()
                return tool
            except AsrdError as error:
                failures.append(str(error).partition(";")[0])
    if failures:
        raise AsrdError(f"{' and '.join(failures)}; see what docs/dictation.md says of your desktop")
    if not desktop:
        raise AsrdError("no desktop is here: neither WAYLAND_DISPLAY nor DISPLAY is set; use a terminal of one")
    remedy = "wtype, or ydotool on GNOME and KDE" if desktop is WTYPE else "xdotool"
    raise AsrdError(f"nothing that types is installed; install {remedy}")
