"""What a stream at rest carries from one utterance to the next, as plain data.

It is taken from the objects themselves, whatever attributes they have, through Python's own
`__getstate__`; so that nothing must be listed here when a stage learns to remember something new.
Models, detectors and settings that never change are not state: a replay builds them from the options.
Nothing is ever built from a class that a recording names, except the plain types below.
"""

from collections import deque
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from asrd.core import flow
from asrd.core.errors import AsrdError
from asrd.daemon.recorder import audio
from asrd.daemon.segmentation import settings

OURS = "asrd.daemon."
"""Packages whose objects are walked into."""

PLAIN = {
    name: kind
    for module in (flow, settings)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
"""Dataclasses that a state may hold, by name."""

_FIXED = object()


def capture(owner: object, seen: set[int] | None = None) -> dict[str, Any]:
    """The attributes of an object that are data, ready for msgpack.

    What two objects share is taken once: `restore` fills it in place, and so for both.
    """
    seen = set() if seen is None else seen
    seen.add(id(owner))
    state: Any = owner.__getstate__()
    if isinstance(state, tuple):  # what has slots gives (attributes, slots)
        state = {**(state[0] or {}), **(state[1] or {})}
    encoded = {name: _encode(value, seen) for name, value in (state or {}).items()}
    return {name: value for name, value in encoded.items() if value is not _FIXED}


def restore(owner: object, state: dict[str, Any]) -> None:
    """Give an object that was built alike the attributes that `capture` saw.

    Raises AsrdError where they are those of another version.
    """
    try:
        decoded = {name: _decode(value, getattr(owner, name, None)) for name, value in state.items()}
        if hasattr(owner, "__setstate__"):
            owner.__setstate__(decoded)
        else:
            for name, value in decoded.items():
                setattr(owner, name, value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AsrdError(
            f"the recording was made by a version of asrd whose state is not this one's ({error})"
        ) from error


def _encode(value: Any, seen: set[int]) -> Any:  # noqa: PLR0911 - a table
    match value:
        case np.generic():  # some of which are floats, too
            return value.item()
        case None | bool() | int() | float() | str():
            return value
        case np.ndarray():
            if value.dtype == np.float32 and value.ndim == 1:
                return {"pcm": audio.pack(value), "samples": len(value)}
            return {"array": value.tobytes(), "type": value.dtype.str, "shape": list(value.shape)}
        case tuple() | list() | set() | deque():
            items = [_encode(item, seen) for item in value]
            return _FIXED if _FIXED in items else {type(value).__name__: items, "most": getattr(value, "maxlen", None)}
        case dict():
            pairs = [[_encode(key, seen), _encode(item, seen)] for key, item in value.items()]
            return _FIXED if any(_FIXED in pair for pair in pairs) else {"dict": pairs}
    if type(value).__name__ in PLAIN:
        named = {field.name: _encode(getattr(value, field.name), seen) for field in fields(value)}
        return {"plain": type(value).__name__, "fields": named}
    ours = type(value).__module__.startswith(OURS) and not hasattr(value, "is_speech")
    return {"object": capture(value, seen)} if ours and id(value) not in seen else _FIXED


def _decode(value: Any, present: Any) -> Any:  # noqa: PLR0911 - the same table, backwards
    match value:
        case {"pcm": packed, "samples": samples}:
            return audio.unpack(packed, samples)
        case {"array": data, "type": kind, "shape": shape}:
            return np.frombuffer(data, kind).reshape(shape).copy()
        case {"tuple": items}:
            return tuple(_decode(item, None) for item in items)
        case {"list": items}:
            return [_decode(item, None) for item in items]
        case {"set": items}:
            return {_decode(item, None) for item in items}
        case {"deque": items, "most": most}:
            return deque((_decode(item, None) for item in items), most)
        case {"dict": pairs}:
            return {_decode(key, None): _decode(item, None) for key, item in pairs}
        case {"plain": name, "fields": values}:
            return PLAIN[name](**{key: _decode(item, None) for key, item in values.items()})
        case {"object": state}:
            if present is None:
                raise KeyError(f"nothing to put {sorted(state)} in")
            restore(present, state)
            return present
    return value
