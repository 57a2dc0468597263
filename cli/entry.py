"""The `asrd` script. It imports next to nothing itself: Ctrl-C ends it in a line almost from its first moment on."""

from asrd.cli.signals import at_once


def main() -> None:
    """Import the command line, and run it."""
    with at_once():
        from asrd.cli.main import main
    main()
