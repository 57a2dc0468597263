"""Directories of the user's own files.

A container may give a process a user id that has no home. Then these are places where nothing is: nothing is found
there, and whoever wants to keep something there is told that it cannot be written.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path, user_state_path

NOWHERE = Path("/nonexistent/asrd")


def config() -> Path:
    """Return the directory of settings, keys and hot words."""
    return _own(user_config_path)


def data() -> Path:
    """Return the directory of pulled models."""
    return _own(user_data_path)


def cache() -> Path:
    """Return the directory of what can be made again."""
    return _own(user_cache_path)


def state() -> Path:
    """Return the directory of what lasts from one daemon to the next."""
    return _own(user_state_path)


def expanded(text: str) -> str:
    """Replace the `~/` of a path by the home directory, where a shell does not: at the beginning of a word, and after
    the `=` or `:` of an option, a source or an address.
    """
    return re.sub(r"(^|=|:(?://)?)~/", lambda found: f"{found[1]}{os.path.expanduser('~')}/", text)  # noqa: PTH111


def _own(find: Callable[[str], Path]) -> Path:
    try:
        return find("asrd")
    except RuntimeError:  # no HOME, and no entry in the list of users
        return NOWHERE
