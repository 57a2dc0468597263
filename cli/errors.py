"""Report an error in one line, below a traceback if `asrd --debug` asks for it."""

import sys
import traceback

import click


def tell(error: BaseException, message: object = None) -> None:
    """Print what happened on standard error. message: printed instead of the error's own."""
    if "--debug" in sys.argv[1:]:
        traceback.print_exception(error)
    click.echo(f"asrd: {error if message is None else message}", err=True)
