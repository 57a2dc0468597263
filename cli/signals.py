"""End a command by a signal as Ctrl-C ends it: what it has begun is put in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
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
