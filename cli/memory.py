"""Memory that this process takes, and may take."""

import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asrd.core.errors import AsrdError, UsageError

GIB = 2**30


def peak() -> float:
    """Return the most memory taken so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


@contextmanager
def bounded(gibibytes: float | None, least: int, *unrelated: type[AsrdError]) -> Iterator[None]:
    """Limit the memory that this process may allocate; mapped files, which can be dropped, do not count.

    least: bytes that it takes for certain. unrelated: errors that do not come from too little memory. Raises
    UsageError for a limit below `least`, AsrdError if the limit turns out to be too low.
    """
    if gibibytes is None:
        yield
        return
    if gibibytes * GIB < least:
        raise UsageError(
            f"--memory {gibibytes:g} is too little: the libraries and the model alone take "
            f"{math.ceil(100 * least / GIB) / 100:.2f} GiB; allow more"
        )
    resource.setrlimit(resource.RLIMIT_DATA, (round(gibibytes * GIB),) * 2)
    try:
        yield
    except Exception as error:  # a library that gets no memory says so in many ways, or not at all
        short = isinstance(error, MemoryError) or allocated() > 0.8 * gibibytes * GIB
        if short and not isinstance(error, (UsageError, *unrelated)):
            raise AsrdError(f"this takes more than the {gibibytes:g} GiB that --memory allows; allow more") from error
        raise


def allocated() -> int:
    """Return the bytes that count against the limit."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
