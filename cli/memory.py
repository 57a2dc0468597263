"""How much memory this process takes, and may take."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asrd.core.errors import AsrdError

GIB = 2**30


def peak() -> float:
    """GiB taken at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


@contextmanager
def bounded(gibibytes: float | None) -> Iterator[None]:
    """Let this process allocate no more; mapped files, which can be dropped, do not count.

    Raises AsrdError where that is not enough.
    """
    if gibibytes:
        resource.setrlimit(resource.RLIMIT_DATA, (round(gibibytes * GIB),) * 2)
    try:
        yield
    except Exception as error:  # a library that gets no memory says so in many ways, or not at all
        if gibibytes and (isinstance(error, MemoryError) or _allocated() > 0.8 * gibibytes * GIB):
            raise AsrdError(f"this takes more than the {gibibytes:g} GiB that --memory allows; allow more") from error
        raise


def _allocated() -> int:
    """Bytes that count against the bound."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
