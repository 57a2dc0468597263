"""How signals end a command: what it has begun is put in order, and where it has begun nothing it ends at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""What `kill`, a service manager and a closed terminal send."""


@contextmanager
def orderly() -> Iterator[None]:
    """Within, such a signal raises SystemExit with the shell's code for it (128 and its number).

    A second one does not disturb the tidying. What was ignored (`nohup`) stays ignored.
    """
    before = {number: signal.getsignal(number) for number in ENDING}
    caught = [number for number in ENDING if before[number] is not signal.SIG_IGN]

    def leave(number: int, _: FrameType | None) -> NoReturn:
        for other in caught:
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in caught:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


@contextmanager
def at_once() -> Iterator[None]:
    """Within, where nothing is begun yet, Ctrl-C ends the program there and then.

    For imports: they turn a KeyboardInterrupt into other errors, or lose it.
    """
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ours = default and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, _: FrameType | None) -> NoReturn:
    with suppress(OSError):  # standard error may be closed
        os.write(2, b"asrd: interrupted\n")
    os._exit(128 + number)
