"""Describe the machine that a training ran on, for the model card."""

import os

import torch

from asrd.core.cpu import flags


def machine() -> str:
    """Return the GPU's name, or the number and kind of the cores that this process may use."""
    if torch.cuda.is_available():
        return f"one {torch.cuda.get_device_name()}"
    return f"{len(os.sched_getaffinity(0))} cores of a CPU ({', '.join(flags()) or 'unknown processor'})"
