"""The state of a run on disk: tensors and plain values, never code."""

from pathlib import Path
from typing import Any

import torch

from asrd.core.errors import ModelError, reason


def save(path: Path, state: dict[str, Any]) -> None:
    """Save a state, atomically. It holds tensors, numbers, text, and lists and dictionaries of such."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path, device: Any = "cpu") -> dict[str, Any]:
    """Load a state. Raises ModelError for a file that is damaged, or holds anything else: it is then not run."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
    except Exception as error:  # PyTorch says in many ways that it cannot read a file
        raise ModelError(f"{path} is no state of a run ({reason(error)}); delete it, and begin anew") from error
    return state
