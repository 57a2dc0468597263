"""Progress with time left, one stage after the other, on standard error."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Stages:
    """A bar for the stage under way; a stage that is done leaves one line with the time it took."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description:<27}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:>5g}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True))

    def stage(self, name: str, steps: int | None) -> None:
        """The next stage; the one before it is done, however many steps it took."""
        self._finish()
        self._progress.add_task(name, total=steps, note="")

    def advance(self, steps: int = 1) -> None:
        """Steps of the current stage are done."""
        self._progress.advance(self._progress.task_ids[-1], steps)

    def notice(self, text: str) -> None:
        """Say more about the current stage."""
        self._progress.update(self._progress.task_ids[-1], note=text)

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
