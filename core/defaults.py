"""Defaults that the command line and the daemon share, and that must not cost an import of either."""

BACKENDS = ("int8", "fp16", "torch")
"""The bundled backends, the fastest first."""

BACKEND = BACKENDS[0]

VAD = "webrtc"
"""A voice activity detector, as `asrd.daemon.vad.create` takes it."""

MAX_LAG = 30.0
"""Seconds after which live audio is not worth hearing."""

METRICS = "127.0.0.1:9464"
"""The example of an address for metrics: the port that exporters of OpenTelemetry take."""
