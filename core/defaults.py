"""Defaults that the command line and the daemon share, and that must not cost an import of either."""

BACKEND = "int8"
"""The fastest of the bundled backends."""

VAD = "webrtc"
"""A voice activity detector, as `asrd.daemon.vad.create` takes it."""

MAX_LAG = 30.0
"""Seconds after which live audio is not worth hearing."""
