"""The `asrd` script. It imports next to nothing itself, so that Ctrl-C ends it in a line almost from the start."""

from asrd.cli.signals import at_once


def main() -> None:
    """Import the command line and run it."""
    with at_once():
        from asrd.cli.main import main
    main()
