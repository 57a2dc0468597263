"""Report an error in one line, below a traceback if `asrd --debug` asks for it."""

import sys
import traceback

from asrd.cli.say import echo
from asrd.core.display import shown


def tell(error: BaseException, message: object = None) -> None:
    """Print what happened on standard error. message: printed instead of the error's own."""
    if "--debug" in sys.argv[1:]:
        traceback.print_exception(error)
    echo(shown(f"asrd: {error if message is None else message}"), err=True)
