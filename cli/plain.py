"""Print names and paths as they are."""

import rich.console


class Console(rich.console.Console):
    """Rich's, but for a reader that has seen enough (`| head`): that is no failure, and `main` knows."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1."""
        raise BrokenPipeError


def plain_console(*, stderr: bool = False) -> Console:
    """A console without markup, emoji names and highlighting: `[front]` may well name a microphone."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)
