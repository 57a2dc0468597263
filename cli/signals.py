"""Handle signals that end a command: in good order once it has begun something, at once before that."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that `kill`, a service manager and a closed terminal send."""


@contextmanager
def orderly() -> Iterator[None]:
    """Make such a signal raise SystemExit in the block, with the shell's code for it (128 plus its number).

    A second one does not disturb the clean-up. A signal that was ignored (`nohup`) stays ignored.
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
    """Make Ctrl-C end the program at once in the block, where nothing has begun yet.

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
