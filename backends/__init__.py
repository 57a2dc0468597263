"""Backends: runtimes that turn audio into logits, registered as plugins.

`load(name, model)` gives a ready `Backend`; `available()` tells which there are and what ails them.
"""

from asrd.backends.base import Backend, LoadOptions
from asrd.backends.registry import BackendStatus, available, load

__all__ = ["Backend", "BackendStatus", "LoadOptions", "available", "load"]
