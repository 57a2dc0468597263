"""What a training ran on, in words for a card."""

import os

import torch

from asrd.core.cpu import flags


def machine() -> str:
    """The GPU's name, or how many cores of which kind this process may use."""
    if torch.cuda.is_available():
        return f"one {torch.cuda.get_device_name()}"
    return f"{len(os.sched_getaffinity(0))} cores of a CPU ({', '.join(flags()) or 'unknown processor'})"
