"""Measure the cost of everything around the backend, as a share of the inference itself.

    pip install '.[torch,quant]'
    python benchmarks/pipeline.py

The daemon's own stages (source, VAD, windows, normalisation, log-softmax, stitching, decoding, events, a real socket
with a subscriber) run on some of the bundled speech, with partials, around the INT8 model of full size that
`backends.py` builds. The cost is the processor time of the event loop's thread, and of the backend's thread outside the
backend.
"""

import asyncio
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

import click
import numpy as np
import soundfile
import zmq.asyncio
from platformdirs import user_cache_path

from asrd.backends import Backend, LoadOptions, load
from asrd.clients import Subscriber
from asrd.core.events import Final, Stopped
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.sources.files import FileSource, read_blocks
from asrd.daemon.stream.stream import make_stream
from asrd.models import ModelDirectory
from asrd.models.speech import bundled
from backends import prepare

GOAL = 0.05
"""Largest share of the inference time that the pipeline may cost."""

REPEATS = 3
CLIPS = 30
PAUSE = np.zeros(SAMPLE_RATE, np.float32)


class Timed(Backend):
    """Wraps a backend and measures the time it takes, and the processor time that the thread which calls it spends on
    anything else.
    """

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner.model)
        self._inner = inner
        self.seconds = 0.0
        self.windows = 0
        self.around = 0.0
        self._left: dict[int, float] = {}

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Load an INT8 backend, timed and warmed up."""
        inner = load("int8", model, options)
        inner.warm_up(MAX_WINDOW)
        inner.warm_up(MAX_WINDOW // 2)
        return cls(inner)

    @property
    def arithmetic(self) -> str:
        """Arithmetic of the wrapped backend."""
        return self._inner.arithmetic

    def infer(self, batch: FloatArray) -> FloatArray:
        """Run the wrapped backend, and keep how long it took."""
        thread = threading.get_ident()
        self.around += time.thread_time() - self._left.get(thread, 0.0)
        began = time.perf_counter()
        result = self._inner.logits(batch)
        self.seconds += time.perf_counter() - began
        self._left[thread] = time.thread_time()
        self.windows += len(batch)
        return result


async def transcribe(recording: Path, backend: Timed, address: str) -> dict[str, Any]:
    """Pass the recording once through a daemon's stages."""
    context = zmq.asyncio.Context()
    publisher = Publisher(context, [address])
    subscriber = asyncio.create_task(asyncio.to_thread(_count_finals, address))
    await publisher.joined()
    scheduler = Scheduler("int8", backend)
    source = FileSource("speech", recording, "fast")
    stream = make_stream(source, RecognitionOptions(), scheduler, publisher, backend.model)
    before = backend.seconds, backend.windows, backend.around + time.thread_time(), time.perf_counter()
    serving = asyncio.create_task(scheduler.run())
    await stream.run()
    await scheduler.drain()
    inference = backend.seconds - before[0]
    around = backend.around + time.thread_time() - before[2]
    elapsed = time.perf_counter() - before[3]
    await publisher.publish(Stopped(reason="measured"))
    finals = await subscriber
    serving.cancel()
    publisher.close()
    context.destroy()
    return {
        "windows": backend.windows - before[1],
        "finals": finals,
        "inference_ms_per_window": 1000 * inference / (backend.windows - before[1]),
        "pipeline_ms_per_window": 1000 * around / (backend.windows - before[1]),
        "share": around / inference,
        "real_time_factor": elapsed / soundfile.info(recording).duration,
    }


def _count_finals(address: str) -> int:
    """Count finals in a client in a thread of its own, so that its cost is not counted as the daemon's."""
    with Subscriber(address, once=True, timeout=60, max_wait=60) as subscriber:
        return sum(isinstance(item, Final) for item in subscriber)


@click.command()
@click.option("--cache", type=click.Path(path_type=Path), help="Where the built model is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(cache: Path | None, as_json: bool) -> None:
    """Measure the pipeline around an INT8 backend of full size."""
    backend = Timed.load(prepare(cache or user_cache_path("asrd") / "benchmarks"), LoadOptions())
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "speech.wav"
        spoken = [part for utterance in bundled()[:CLIPS] for part in (*read_blocks(utterance.audio), PAUSE)]
        soundfile.write(recording, np.concatenate(spoken), SAMPLE_RATE)
        passes = [asyncio.run(transcribe(recording, backend, f"ipc://{directory}/{n}")) for n in range(REPEATS)]
    figures = sorted(passes, key=lambda one: float(one["share"]))[REPEATS // 2]
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(f"{figures['windows']} windows, {figures['finals']} utterances, partials included")
    click.echo(f"INT8 inference  {figures['inference_ms_per_window']:7.2f} ms a window")
    click.echo(f"all around it   {figures['pipeline_ms_per_window']:7.2f} ms a window")
    verdict = "reached" if figures["share"] < GOAL else "missed"
    click.echo(f"a share of {figures['share']:.1%}; the goal of less than {GOAL:.0%} is {verdict}")
    click.echo(f"real-time factor of it all, partials included: {figures['real_time_factor']:.3f}")


if __name__ == "__main__":
    main()
