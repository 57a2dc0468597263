"""Memory that this process takes, and may take."""

import math
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from asrd.core.errors import AsrdError, UsageError

GIB = 2**30

EVERY_S = 0.05
"""Seconds between two looks at the memory."""

AGAIN_S = 0.5
"""Seconds to the next try: what is raised while Python collects garbage is lost."""

GRACE_S = 3.0
"""Seconds in which Python may end the work in order. A library's long call does not let it."""


class MemoryLimitError(AsrdError):
    """The work takes more memory than it may."""


def peak() -> float:
    """Return the most memory that was resident so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def resident() -> int:
    """Return the bytes that are resident now, as `top` shows them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@contextmanager
def bounded(gibibytes: float | None, least: int, advice: str = "") -> Iterator[None]:
    """Fail as soon as this process has more than so much memory resident. Use it in the main thread.

    least: bytes that it takes for certain. advice: added to the error. Raises UsageError for a limit below `least`,
    MemoryLimitError when the limit is passed. If a library holds the main thread for long then, the process ends at
    once with the same message.
    """
    if gibibytes is None:
        yield
        return
    if gibibytes * GIB < least:
        raise UsageError(
            f"--memory {gibibytes:g} is too little: the libraries and the model alone take "
            f"{math.ceil(100 * least / GIB) / 100:.2f} GiB; allow more"
        )
    message = f"this takes more than the {gibibytes:g} GiB that --memory allows; allow more{advice}"

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise MemoryLimitError(message)

    def give_up() -> None:
        os.write(2, f"asrd: {message}\n".encode())
        os._exit(MemoryLimitError.exit_code)

    main, done = threading.get_ident(), threading.Event()
    previous = signal.signal(signal.SIGUSR2, stop)
    watch = threading.Thread(target=_watch, args=(gibibytes * GIB, done, main, give_up), daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        done.set()
        watch.join()
        signal.signal(signal.SIGUSR2, previous)


def _watch(limit: float, done: threading.Event, main: int, give_up: Callable[[], None]) -> None:
    """Interrupt the main thread once more than `limit` bytes are resident, again if that has no effect, and give up."""
    while resident() <= limit:
        if done.wait(EVERY_S):
            return
    until = time.monotonic() + GRACE_S
    while time.monotonic() < until:
        signal.pthread_kill(main, signal.SIGUSR2)
        if done.wait(AGAIN_S):
            return
    give_up()
