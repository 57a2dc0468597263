"""Open files: how many this process may have, and whether strangers have taken too many of them."""

import os
import resource

WANTED = 1 << 16
"""Open files that a daemon asks for at its start, where the hard limit allows it."""


ENOUGH = 1 << 12
"""With fewer, a flood of connections may take them all before a door is shut."""


def raise_limit() -> int:
    """Raise the soft limit of open files, up to the hard one, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def crowded() -> bool:
    """Return whether half of the descriptors are taken: the kernel gives the lowest that is free.

    The other half is for files, and for what is accepted before this is noticed.
    """
    try:
        descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    os.close(descriptor)
    return 2 * descriptor >= resource.getrlimit(resource.RLIMIT_NOFILE)[0]
