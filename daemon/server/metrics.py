"""Metrics of a daemon for Prometheus: `asrd start --metrics 127.0.0.1:9464`.

Counters and gauges are read from the daemon's status at each request. Delays of finals are counted as they are
published. No spoken text is exposed.
"""

import threading
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from asrd.core.addresses import host_and_port
from asrd.core.defaults import METRICS
from asrd.core.errors import TransportError
from asrd.core.events import Ended, Event, Final, Status
from asrd.core.units import Samples, seconds
from asrd.daemon.server.http import BoundedServer

DELAYS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bucket bounds of the histogram, in seconds: a final is due within 0.1 s plus its window's inference."""


class Metrics(Collector):
    """Serve metrics over HTTP, in a thread of its own."""

    def __init__(self, address: str, status: Callable[[], Status]) -> None:
        """Serve at `address`, as HOST:PORT. Raises TransportError if the address is taken or cannot be used."""
        self._status = status
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        self._delays = Histogram(
            "asrd_final_delay_seconds",
            "From the decision that an utterance has ended to its final.",
            ["stream"],
            buckets=DELAYS,
            registry=registry,
        )
        self._server = served(address)
        self._server.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(target=self._server.serve_forever, name="asrd-metrics", daemon=True)
        self._thread.start()

    def observe(self, event: Event) -> None:
        """Count a published event."""
        if isinstance(event, Final):
            self._delays.labels(event.stream).observe(event.time - event.stages.cut)
        elif isinstance(event, Ended):
            self._delays.remove(event.stream)

    def collect(self) -> Iterator[Metric]:
        """Yield the current metrics. Called in the server's thread."""
        status = self._status()
        names = ("version", "backend", "arithmetic", "decoder", "lm")
        yield InfoMetricFamily("asrd", "What recognises.", {name: getattr(status, name) for name in names})
        yield CounterMetricFamily(
            "asrd_recognized_seconds", "Audio recognised, context included.", status.audio_seconds
        )
        yield GaugeMetricFamily(
            "asrd_connections", "Connections that are open, those for metrics excepted.", status.connections
        )
        refused = status.refused + self._server.refused
        yield CounterMetricFamily("asrd_refused_connections", "Connections refused for want of room.", refused)
        yield CounterMetricFamily("asrd_malformed_messages", "Messages that were ignored.", status.malformed)
        yield CounterMetricFamily("asrd_inference_seconds", "Time the backend took for it.", status.inference_seconds)
        heard = CounterMetricFamily("asrd_heard_seconds", "Audio of a stream.", labels=["stream"])
        lost = CounterMetricFamily("asrd_lost_seconds", "Audio that was not heard, as gaps say.", labels=["stream"])
        finals = CounterMetricFamily("asrd_utterances", "Utterances that have ended.", labels=["stream"])
        skipped = CounterMetricFamily("asrd_partials_skipped", "Left out, being behind.", labels=["stream"])
        waiting = GaugeMetricFamily("asrd_waiting_windows", "Not yet recognised.", labels=["stream"])
        behind = GaugeMetricFamily("asrd_behind_seconds", "How late live audio is heard.", labels=["stream"])
        delivers = GaugeMetricFamily("asrd_stream_open", "Whether the source still delivers.", labels=["stream"])
        for name, stream in status.streams.items():
            heard.add_metric([name], seconds(Samples(stream.position)))
            lost.add_metric([name], seconds(Samples(stream.lost)))
            finals.add_metric([name], stream.utterances)
            skipped.add_metric([name], stream.skipped)
            waiting.add_metric([name], stream.waiting)
            behind.add_metric([name], stream.behind)
            delivers.add_metric([name], stream.open)
        yield from (heard, lost, finals, skipped, waiting, behind, delivers)

    def close(self) -> None:
        """Stop the server and release the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def served(address: str) -> BoundedServer:
    """Return a server that is bound to HOST:PORT. Raises TransportError if the address is taken or cannot be used."""
    try:
        return BoundedServer(*host_and_port(address, METRICS))
    except OSError as error:
        raise TransportError(f"metrics cannot be served at {address}: {error.strerror}; take another port") from error
