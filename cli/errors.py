"""How an error is told: in one line, below a traceback where `asrd --debug` asks for it."""

import sys
import traceback

import click


def tell(error: BaseException, message: object = None) -> None:
    """Say on standard error what happened. message: where the error's own would not do."""
    if "--debug" in sys.argv[1:]:
        traceback.print_exception(error)
    click.echo(f"asrd: {error if message is None else message}", err=True)
