"""A bar with the time left, for all recordings together."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from asrd.cli.plain import plain_console
from asrd.core.errors import AsrdError
from asrd.core.units import seconds


class Bar:
    """A bar on a terminal's standard error. There is none if the text itself appears on a terminal."""

    def __init__(self, paths: Sequence[Path], printed: bool) -> None:
        """Look how long the recordings are. printed: whether text goes to standard output."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = plain_console(stderr=True)
        self._hidden = not console.is_terminal or (printed and sys.stdout.isatty())
        columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()
        # Standard output is not redirected through it.
        self._bar = Progress(*columns, console=console, transient=True, disable=self._hidden, redirect_stdout=False)
        self._lengths = {} if self._hidden else {path: _length(path) for path in paths}
        self._task = self._bar.add_task("", total=sum(self._lengths.values()) or None)
        self._before, self._path = 0.0, Path()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bar.stop()

    def begin(self, path: Path) -> None:
        """Go on to another recording; the one before counts as done."""
        self._before += self._lengths.get(self._path, 0.0)
        self._path = path
        self._bar.update(self._task, description=path.name, completed=self._before)

    def update(self, position: int) -> None:
        """Show how far the recording is heard. position: samples."""
        self._bar.update(self._task, completed=self._before + seconds(position))


def _length(path: Path) -> float:
    """Return the seconds of a file, 0 if they are not known; why is told when it is heard."""
    from asrd.daemon.sources.files import duration

    try:
        return duration(path) or 0.0
    except AsrdError:
        return 0.0
