"""Values that the shell completes: names of backends, models, settings and hot words.

A shell shows no errors while it completes, so anything that cannot be asked for completes nothing.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from asrd.core.errors import AsrdError

T = TypeVar("T")

WITHIN = 0.5
"""Seconds that a running daemon gets to answer."""


def backends(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a registered backend."""
    from asrd.backends.registry import GROUP
    from asrd.core.plugins import claims

    return _matching(claims(GROUP), incomplete)


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a bundled or pulled model, or a directory."""
    from asrd.models.store import installed

    names = _matching((found.name for found in installed()), incomplete)
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="dir")]


def settings(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a setting of the running daemon. Its value is for the user to type."""
    if len(ctx.params.get("pairs") or ()) % 2:
        return []
    from asrd.clients import Control

    streams = _asked(lambda: Control(ctx.params.get("control"), timeout=WITHIN).settings()) or {}
    return _matching({name.replace("_", "-") for found in streams.values() for name in found}, incomplete)


def hot_words(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a hot word of the running daemon."""
    from asrd.clients import Control
    from asrd.core.control import ListWords

    known = _asked(lambda: Control(ctx.params.get("control"), timeout=WITHIN).words(ListWords()))
    return _matching(known or {}, incomplete)


def _asked(question: Callable[[], T]) -> T | None:
    try:
        return question()
    except AsrdError:
        return None


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.lower().startswith(incomplete.lower()))
