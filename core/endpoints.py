"""Where a daemon and its clients meet when nothing else is said.

Unix sockets in the user's runtime directory, which others cannot enter: transcripts of what is
said in a room are private. `--events tcp://…` opens them to the network on request.
"""

import os
import tempfile
from pathlib import Path

EVENTS_VARIABLE = "ASRD_EVENTS"
CONTROL_VARIABLE = "ASRD_CONTROL"


def runtime_directory() -> Path:
    """`$RUNTIME_DIRECTORY` under systemd, else in the user's runtime directory, else in `/tmp`."""
    systemd = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if systemd:
        return Path(systemd)
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / "asrd"
    return Path(tempfile.gettempdir()) / f"asrd-{os.getuid()}"


def events_endpoint() -> str:
    """Where transcripts are published: `$ASRD_EVENTS`, or a Unix socket."""
    return os.environ.get(EVENTS_VARIABLE) or f"ipc://{runtime_directory() / 'events'}"


def control_endpoint() -> str:
    """Where a daemon takes requests: `$ASRD_CONTROL`, or a Unix socket."""
    return os.environ.get(CONTROL_VARIABLE) or f"ipc://{runtime_directory() / 'control'}"
