"""What shows how far long work is."""

from typing import Protocol


class Progress(Protocol):
    """Shows how far a stage is."""

    def stage(self, name: str, steps: int | None) -> None:
        """A stage of about so many steps begins; None where nobody can know."""

    def advance(self, steps: int = 1) -> None:
        """Steps are done."""

    def notice(self, text: str) -> None:
        """Say more about the stage."""
