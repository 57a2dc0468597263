"""Print names and paths as they are."""

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """A console without markup, emoji names and highlighting: `[front]` may well name a microphone."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
