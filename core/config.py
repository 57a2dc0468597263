"""The files that settings are kept in, for commands and for clients of other programs.

events = "tcp://127.0.0.1:7007"
"""

import tomllib
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from asrd.core.errors import UsageError


def config_files() -> list[Path]:
    """The files that are read, the later one winning."""
    return [Path("/etc/asrd/asrd.toml"), user_config_path("asrd") / "asrd.toml"]


def read(path: Path) -> dict[str, Any]:
    """What a file sets; nothing where there is none. Raises UsageError for one that cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # a service's user often has /dev/null for a home
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {why}; fix or remove it") from error


def configured(name: str) -> str:
    """A setting that is text, or the first of several, as the files have it; "" where none does.

    Raises UsageError where a file cannot be read or says something else.
    """
    value: Any = ""
    for path in config_files():
        value = read(path).get(name, value)
    first = (value or [""])[0] if isinstance(value, list) else value
    if not isinstance(first, str):
        raise UsageError(f"the setting '{name}' is text, not {first!r}; fix it in asrd.toml")
    return first
