"""Configuration files, for asrd's commands and for clients in other programs.

events = "tcp://127.0.0.1:7007"
"""

import tomllib
from pathlib import Path
from typing import Any

from asrd.core import home
from asrd.core.errors import UsageError


def config_files() -> list[Path]:
    """List the configuration files; the later one wins."""
    return [Path("/etc/asrd/asrd.toml"), home.config() / "asrd.toml"]


def read(path: Path) -> dict[str, Any]:
    """Return a file's settings; none if there is no such file. Raises UsageError if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows editors begin it with a mark
    except (FileNotFoundError, NotADirectoryError):  # a service's user often has /dev/null for a home
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {why}; fix or remove it") from error


def configured(name: str) -> str:
    """Return a setting that is text, or the first item of a list; "" if no file sets it.

    Raises UsageError if a file cannot be read or the setting is not text.
    """
    value: Any = ""
    for path in config_files():
        value = read(path).get(name, value)
    first = (value or [""])[0] if isinstance(value, list) else value
    if not isinstance(first, str):
        raise UsageError(f"the setting '{name}' is text, not {first!r}; fix it in asrd.toml")
    return first
