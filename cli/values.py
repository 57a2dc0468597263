"""What options take: numbers, lengths of time, sizes."""

import math
import re
from typing import Any

import click


class Number(click.FloatRange):
    """A number within bounds. NaN, which is neither below nor above anything, is refused as well."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or click's own complaint."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fail(f"'{value}' is no number{' of seconds' if self.name == 'seconds' else ''}.", param, ctx)
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
        """The number of bytes, or click's own complaint."""
        units = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
        parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        if not parts or parts[2] not in units:
            self.fail(f"{value} is no size; write it as 500MB or 2GB.", param, ctx)
        return int(float(parts[1]) * units[parts[2]])


SPAN = Seconds(0, 60)
"""Of audio that is kept or waited for."""

PATIENCE = Seconds(0, 86_400)
"""How long a command waits."""
