"""`asrd start --metrics` serves metrics, read here as Prometheus does."""

import socket
import time
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from asrd.clients import Control, Subscriber
from asrd.core.events import Final, Stopped
from asrd.core.units import SAMPLE_RATE
from asrd.models.speech import bundled

from .conftest import Run, Spawn, unused_port

CLIP = bundled("real")[0].audio


def read(port: int) -> dict[tuple[str, str], float]:
    """Read every sample by its name and its stream, "" where it has none."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {
        (sample.name + sample.labels.get("le", ""), sample.labels.get("stream", "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures_are_those_of_the_status_and_count_every_final(
    spawn: Spawn, environment: dict[str, str], tmp_path: Path
) -> None:
    port = unused_port()
    daemon = spawn(
        *("start", "-s", f"clip={CLIP}", "-s", f"quiet=pcm:ipc://{tmp_path}/pcm", "--pace", "fast"),
        *("--metrics", f"127.0.0.1:{port}"),
    )
    control, delays = Control(environment["ASRD_CONTROL"]), []
    with Subscriber(environment["ASRD_EVENTS"], once=True, timeout=30) as events:
        for event in events:
            if isinstance(event, Final):
                delays.append(event.time - event.stages.cut)
            if delays and not control.status().streams["clip"].open:
                break
        state, found = control.status(), read(port)
        while state.streams["clip"] != (now := control.status()).streams["clip"]:  # a final has just arrived
            state, found = now, read(port)
        control.stop()
        assert any(isinstance(event, Stopped) for event in events)
    clip = state.streams["clip"]
    assert found["asrd_heard_seconds_total", "clip"] == clip.position / SAMPLE_RATE
    assert found["asrd_heard_seconds_total", "quiet"] == 0
    assert found["asrd_utterances_total", "clip"] == clip.utterances >= len(delays) >= 1
    assert (found["asrd_stream_open", "clip"], found["asrd_stream_open", "quiet"]) == (0, 1)
    assert found["asrd_recognized_seconds_total", ""] == state.audio_seconds > 0
    assert found["asrd_final_delay_seconds_count", "clip"] == clip.utterances
    assert found["asrd_final_delay_seconds_sum", "clip"] >= sum(delays) > 0
    assert found["process_resident_memory_bytes", ""] > 1e6
    assert abs(found["process_start_time_seconds", ""] - time.time()) < 600
    assert daemon.wait(10) == 0


def test_a_place_that_cannot_be_is_told(run: Run, tmp_path: Path) -> None:
    source = ("start", "-s", f"quiet=pcm:ipc://{tmp_path}/pcm", "--metrics")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = run(*source, address)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"metrics cannot be served at {address}: Address already in use; take another port" in refused.stderr
    for wrong, why in (("9464", "is not HOST:PORT"), ("0.0.0.0:9464", "would be open to everyone on the network")):
        refused = run(*source, wrong, "--check")
        assert refused.returncode == 2
        assert why in refused.stderr
