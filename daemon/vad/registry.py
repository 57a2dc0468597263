"""Registry of detectors: asrd's own, and every entry point of the group."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from asrd.core.defaults import VAD
from asrd.core.errors import AsrdError, UsageError, reason
from asrd.core.plugins import claims, shipper
from asrd.daemon.vad.base import Vad

GROUP = "asrd.vads"
"""Entry-point group for third parties; asrd's own names cannot be taken."""

BUNDLED = {"webrtc": "WebRtcVad", "energy": "EnergyVad", "silero": "SileroVad"}
"""Module of this package and the class in it, by name."""


def create(spec: str = VAD) -> Vad:
    """Return a new detector, for one stream.

    spec: a registered name, optionally with a colon and its strictness, in its own units: "webrtc", "webrtc:3",
    "energy:12", "silero:0.7". Raises UsageError for an unknown name or an invalid number, MissingExtraError if an
    extra is not installed, AsrdError if a plugin is broken.
    """
    name, colon, number = spec.partition(":")
    try:
        strictness = [float(number)] if colon else []
    except ValueError as error:
        raise UsageError(f"VAD '{spec}': what follows the colon must be a number") from error
    try:
        vad: Vad = _find(name)(*strictness)
    except AsrdError:
        raise
    except Exception as error:
        raise AsrdError(f"VAD '{name}' cannot be used: {reason(error)}") from error
    return vad


def _find(name: str) -> Callable[..., Any]:
    if name in BUNDLED:
        return getattr(import_module(f"asrd.daemon.vad.{name}"), BUNDLED[name])  # type: ignore[no-any-return]
    registered = claims(GROUP)
    if name not in registered:
        raise UsageError(f"no VAD is called '{name}'; there are: {', '.join(sorted({*BUNDLED, *registered}))}")
    if len(registered[name]) > 1:
        shippers = " and ".join(map(shipper, registered[name]))
        raise AsrdError(f"{shippers} both register a VAD '{name}'; uninstall one of them")
    return registered[name][0].load()  # type: ignore[no-any-return]
