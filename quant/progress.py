"""Progress of long work."""

from typing import Protocol


class Progress(Protocol):
    """Shows the progress of a stage."""

    def stage(self, name: str, steps: int | None) -> None:
        """Begin a stage of about `steps` steps; None if nobody can know."""

    def advance(self, steps: int = 1) -> None:
        """Count steps as done."""

    def skip(self, steps: int = 1) -> None:
        """Count steps as done that took no time, because an earlier run did them."""

    def notice(self, text: str) -> None:
        """Say more about the stage."""
