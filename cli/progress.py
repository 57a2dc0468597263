"""Progress with time left, one stage after the other, on standard error."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from asrd.cli.plain import Console

EVERY_S = 30.0
"""Seconds between two lines if standard error is no terminal: the log shows that the work goes on."""


class ProgressBar:
    """A bar for the current stage; a stage that is done leaves one line with the time it took.

    If standard error is no terminal, it prints a line now and then instead.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the bar. clock: seconds, to time those lines."""
        columns = (
            TextColumn("{task.description:<27}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(" of "),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        console = Console(stderr=True)
        self._logged = not console.is_terminal
        self._progress = Progress(*columns, console=console, disable=self._logged)
        self._clock, self._told, self._began, self._skipped = clock, 0.0, 0.0, 0

    def stage(self, name: str, steps: int | None) -> None:
        """Begin the next stage; the one before it is done, however many steps it took."""
        self._finish()
        self._progress.add_task(name, total=steps, note="")
        self._began = self._told = self._clock()
        self._skipped = 0
        if self._logged:
            self._progress.console.print(name, highlight=False)

    def advance(self, steps: int = 1) -> None:
        """Count steps of the current stage as done."""
        self._progress.advance(self._progress.task_ids[-1], steps)
        if self._logged and self._clock() - self._told >= EVERY_S:
            self._told = self._clock()
            self._log()

    def skip(self, steps: int = 1) -> None:
        """Count steps as done that took no time; the time left is reckoned without them."""
        self._skipped += steps
        self._progress.advance(self._progress.task_ids[-1], steps)

    def notice(self, text: str) -> None:
        """Say more about the current stage."""
        self._progress.update(self._progress.task_ids[-1], note=text)

    def _log(self) -> None:
        task, minutes = self._progress.tasks[-1], (self._clock() - self._began) / 60
        far = f"{task.completed:g}"
        if task.total and (done := task.completed - self._skipped):
            left = minutes * max(task.total - task.completed, 0) / done
            far += f" of {task.total:g} in {minutes:.1f} min, about {left:.0f} min left"
        note = f"; {task.fields['note']}" if task.fields["note"] else ""
        self._progress.console.print(f"{task.description}: {far}{note}", highlight=False, soft_wrap=True)

    def _finish(self) -> None:
        for task in self._progress.tasks[-1:]:
            self._progress.update(task.id, total=task.completed or 1, completed=task.completed or 1)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._progress.stop()
