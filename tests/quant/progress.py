"""Progress that is counted, for tests of what reports it."""


class Stages:
    """Counts the steps of each stage, expected and done."""

    def __init__(self) -> None:
        self.steps: dict[str, list[int]] = {}
        self.current = [0, 0]
        self.skipped = 0

    def stage(self, name: str, steps: int | None) -> None:
        self.current = self.steps.setdefault(name, [steps or 0, 0])

    def advance(self, steps: int = 1) -> None:
        self.current[1] += steps

    def skip(self, steps: int = 1) -> None:
        self.current[1] += steps
        self.skipped += steps

    def notice(self, text: str) -> None:
        pass
