"""Backends: runtimes that turn audio into logits, registered as plugins.

`load(name, model)` gives a ready `Backend`; `available()` lists them all, with any problem.
"""

from asrd.backends.base import Backend, LoadOptions
from asrd.backends.loaded import LoadedModel
from asrd.backends.registry import BackendStatus, available, load

__all__ = ["Backend", "BackendStatus", "LoadOptions", "LoadedModel", "available", "load"]
