"""Types of option values: numbers, lengths of time, sizes."""

import math
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from asrd.core.errors import AsrdError, UsageError

T = TypeVar("T")


class Number(click.FloatRange):
    """A number within bounds. NaN, which is neither below nor above anything, is refused as well."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or fail with click's own message."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fail(f"'{value}' is not a number{' of seconds' if self.name == 'seconds' else ''}.", param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        checked: float = super().convert(number, param, ctx)
        return checked


class Seconds(Number):
    """A length of time."""

    name = "seconds"


class Size(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """Bytes, as people write them: 500MB, 2GB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes, or fail with click's own message."""
        units = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
        parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        if not parts or parts[2] not in units:
            self.fail(f"{value} is not a size; write it as 500MB or 2GB.", param, ctx)
        return int(float(parts[1]) * units[parts[2]])


class NewFile(click.Path):
    """A file that is written at the end. A missing directory or permission is reported before anything else is done."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path. Raises UsageError if there is no directory for it, AsrdError if it cannot be written."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no directory {path.parent}; make it first")
        if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            raise AsrdError(f"{path} is not yours to write; choose another place")
        return path


class Channels(click.ParamType):  # type: ignore[type-arg]
    """Which channels are heard: `mix`, `each`, or the number of one."""

    name = "mix|each|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """Return the word or the number, or fail with click's own message."""
        text = str(value)
        if text not in ("mix", "each") and not (text.isdecimal() and int(text) > 0):
            self.fail(f"'{value}' is not mix, each or the number of a channel, from 1.", param, ctx)
        return int(text) if text.isdecimal() else text


SPAN = Seconds(0, 60)
"""Seconds of audio that is kept or waited for."""

MAX_WAIT = Seconds(0, 86_400)
"""Seconds that a command waits."""


def named(given: Iterable[str], option: str, kind: Callable[[str], T]) -> dict[str, T]:
    """Parse NAME=VALUE pairs, each name once. Raises UsageError for a malformed pair."""
    found: dict[str, T] = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        try:
            converted = kind(value)
        except ValueError:
            sign = ""
        if not (name.isidentifier() and sign and value) or name in found:
            raise UsageError(f"{option} takes NAME=VALUE with a plain word for a name, each once, not '{pair}'")
        found[name] = converted
    return found
