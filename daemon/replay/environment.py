"""Find the model and the backends that a take was recorded with, if they are on this machine."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from asrd.backends import Backend, load
from asrd.core.errors import ModelError
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recorder import identity
from asrd.daemon.recorder.records import Begin
from asrd.models import ModelDirectory
from asrd.models.store import find, resolve

Options = TypeVar("Options", bound=Any)


def options(begin: Begin) -> RecognitionOptions:
    """Return the options that the stream was recorded with."""
    assert begin.options  # takes belong to a stream
    return begin.options.restored()


def model(begin: Begin) -> ModelDirectory:
    """Return the recording's model from its path, or else the model of the same name here. Raises ModelError if there
    is neither.
    """
    return find(begin.model) or resolve(options(begin).model)


def check(begin: Begin, found: ModelDirectory) -> list[str]:
    """Return the differences between this machine's arithmetic and the recording's, as readable lines.

    Raises ModelError if the model is a different one: no bit could be the same.
    """
    here = identity.files(found.path) | identity.named(begin.options)
    changed = [name for name, digest in begin.files.items() if here.get(name) != digest]
    if changed:
        raise ModelError(
            f"{found.path} is not the model that was recorded with: {changed[0]} differs;"
            " name that one with --model, or compare the text alone with --text"
        )
    now = identity.environment()
    return [
        f"{name} was {value}, here it is {now.get(name) or 'absent'}"
        for name, value in begin.environment.items()
        if now.get(name) != value
    ]


def chosen(recorded: Options, wanted: Options, names: set[str]) -> Options:
    """Return the recorded options, but with the wanted values of the given names, at any depth."""
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(recorded)):
        then, now = getattr(recorded, name), getattr(wanted, name)
        if is_dataclass(then):
            values[name] = chosen(then, now, names)
        elif name in names or (name == "tail" and "min_hangover" in names):  # min_hangover bounds the tail
            values[name] = now
    return replace(recorded, **values)


class Backends:
    """Load each backend once."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[Path, str, bytes], Backend] = {}

    def of(self, found: ModelDirectory, chosen: RecognitionOptions) -> Callable[[str], Backend]:
        """Return a function that returns the backend of a name, with that model and those options."""

        def get(name: str) -> Backend:
            key = (found.path, name, msgspec.json.encode(chosen.load))
            if key not in self._loaded:
                self._loaded[key] = load(name, found, chosen.load)
            return self._loaded[key]

        return get

    def close(self) -> None:
        """Close all loaded backends."""
        for backend in self._loaded.values():
            backend.close()
        self._loaded.clear()
