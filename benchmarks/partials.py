"""Measure how soon a live word is shown, and how soon it is stable, at the pace of speech.

    pip install '.[torch,quant]'
    python benchmarks/partials.py --backend int8
    python benchmarks/partials.py --backend int8 --slow 0.5

The daemon's own stages hear some of the speech in real time, including the time that the backend takes, and publish to
a list. A word is *shown* when a partial has something in its time, *right* when a partial has it as the final text
will, and *stable* when it is in the part that never changes; all counted from the end of the word. `--slow` makes each
window take longer, as on a machine that cannot keep up.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import click
import numpy as np
import soundfile
from page import put, table
from rich.console import Console

from asrd.backends import Backend, LoadOptions, load
from asrd.core.events import AnyEvent, Final, Partial, WireWord
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, samples, seconds
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import FileSource
from asrd.daemon.stream.stream import make_stream
from asrd.models import ModelDirectory
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import dataset, read

PAUSE = 1.0
ROOM = 10 ** (-60 / 20)


class Slow(Backend):
    """Wraps a backend and takes some seconds more for each window."""

    def __init__(self, inner: Backend, delay: float) -> None:
        super().__init__(inner.model)
        self._inner, self._delay = inner, delay

    @classmethod
    def load(cls, model: ModelDirectory, options: LoadOptions) -> Self:
        """Load INT8, not slowed."""
        return cls(load("int8", model, options), 0.0)

    @property
    def arithmetic(self) -> str:
        """Arithmetic of the wrapped backend."""
        return self._inner.arithmetic

    def infer(self, batch: FloatArray) -> FloatArray:
        """Sleep, then run the wrapped backend."""
        time.sleep(self._delay * len(batch))
        return self._inner.logits(batch)


class Live(FileSource):
    """A file that is heard like a microphone: the daemon never makes it wait for an answer."""

    live = True


class Collector:
    """Replaces the publisher: keeps each event, and when it came."""

    def __init__(self) -> None:
        self.events: list[tuple[float, AnyEvent]] = []

    async def publish(self, event: AnyEvent, stream: str = "") -> None:
        """Keep the event."""
        self.events.append((time.time(), event))


async def play(recording: Path, backend: Backend, settings: SegmenterSettings) -> tuple[Collector, int]:
    """Play a recording in real time; return its events, and how many previews were skipped."""
    collector, scheduler = Collector(), Scheduler("measured", backend)
    source, options = Live("speech", recording, "realtime"), RecognitionOptions(segmenter=settings)
    stream = make_stream(source, options, scheduler, collector, backend.model)
    serving = asyncio.create_task(scheduler.run())
    await stream.run()
    await scheduler.drain()
    serving.cancel()
    scheduler.close()
    return collector, stream.status.skipped


def waits(events: Sequence[tuple[float, AnyEvent]]) -> dict[str, list[float]]:
    """Return the waiting times in seconds, by what was waited for."""
    found: dict[str, list[float]] = {name: [] for name in ("shown", "right", "stable", "final", "beyond", "between")}
    for came, final in events:
        if not isinstance(final, Final):
            continue
        clock = final.stages.heard - seconds(final.speech_end)
        own = [(at, one) for at, one in events if isinstance(one, Partial) and one.utterance == final.utterance]
        found["final"].append(came - final.stages.cut)
        found["beyond"].append(came - final.stages.cut - (final.stages.recognized - final.stages.started))
        voiced = [at for at, one in own if at <= final.stages.heard]
        found["between"] += np.diff(voiced).tolist()
        length = -1
        for word in final.words:
            length += 1 + len(word.word)
            spoken = clock + seconds(word.end)
            shown = [at for at, one in own if any(_meets(word, other) for other in one.words)]
            right = [at for at, one in own if any(_meets(word, o) and o.word == word.word for o in one.words)]
            stable = [at for at, one in own if one.stable >= length]
            for name, times in (("shown", shown), ("right", right), ("stable", stable)):
                found[name].append(max(min([*times, came]) - spoken, 0.0))
    return found


def _meets(one: WireWord, other: WireWord) -> bool:
    return one.start < other.end and other.start < one.end


def figures(found: dict[str, list[float]], skipped: int) -> dict[str, Any]:
    """Return median, 95th percentile and maximum of each wait, in seconds."""
    rows: dict[str, Any] = {
        name: {"p50": float(np.median(values)), "p95": float(np.quantile(values, 0.95)), "max": max(values)}
        for name, values in found.items()
        if values
    }
    return rows | {"words": len(found["stable"]), "finals": len(found["final"]), "previews skipped": skipped}


TITLES = {
    "shown": "a word is shown after its end",
    "right": "  as the final text will have it",
    "stable": "  and stable",
    "between": "from one partial to the next, pauses included",
    "final": "final after the endpoint is decided",
    "beyond": "  beyond the inference of its window",
}


@click.command()
@click.option("--speech", default="bundled", show_default=True, help="As 'asrd compare --dataset'.")
@click.option("--backend", "name", default="int8", show_default=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--threads", default=0, help="Threads for inference; 0 leaves it to the runtime.")
@click.option("--hop", "hops", multiple=True, default=[seconds(SegmenterSettings().hop)], show_default=True)
@click.option("--slow", default=0.0, help="Seconds that each window takes longer.")
@click.option("--seconds", "length", default=60.0, show_default=True, help="Seconds of speech to play.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/streaming.md.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(
    *,
    speech: str,
    name: str,
    model: str,
    threads: int,
    hops: tuple[float, ...],
    slow: float,
    length: float,
    page: Path | None,
    as_json: bool,
) -> None:
    """Measure the latency of live words."""
    directory = resolve(model)
    random, clips, pieces = np.random.default_rng(0), dataset(speech), list[FloatArray]()
    chosen = iter(clips[:: max(1, len(clips) // 30)])
    while sum(map(len, pieces)) < length * SAMPLE_RATE and (clip := next(chosen, None)):
        pieces += [read(clip), random.normal(0, ROOM, round(PAUSE * SAMPLE_RATE)).astype(np.float32)]
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "speech.wav"
        soundfile.write(recording, np.concatenate(pieces), SAMPLE_RATE)
        for hop in hops:
            backend = Slow(load(name, directory, LoadOptions(threads=threads)), slow)
            backend.warm_up(MAX_WINDOW)
            backend.warm_up(MAX_WINDOW // 2)
            Console(stderr=True).print(f"hop {hop} s: playing {sum(map(len, pieces)) / SAMPLE_RATE:.0f} s in real time")
            settings = SegmenterSettings(hop=samples(hop))
            collector, skipped = asyncio.run(play(recording, backend, settings))
            measured.append(figures(waits(collector.events), skipped) | {"hop": hop, "backend": name, "slow": slow})
    if as_json:
        click.echo(json.dumps(measured))
        return
    for rows in measured:
        click.echo(f"{name}, hop {rows['hop']} s: {rows['words']} words, {rows['finals']} utterances; milliseconds")
        for key, title in TITLES.items():
            p50, p95, most = (f"{1000 * rows[key][which]:6.0f}" for which in ("p50", "p95", "max"))
            click.echo(f"{title:47s} p50 {p50}  p95 {p95}  max {most}")
        click.echo(f"{rows['previews skipped']} previews were left out because the machine was behind")
    if page:
        titles = ["what, ms: p50 / p95 / most", *(f"{name}, hop {rows['hop']} s" for rows in measured)]
        lines = [
            [
                title.strip(),
                *(" / ".join(f"{1000 * rows[key][which]:.0f}" for which in ("p50", "p95", "max")) for rows in measured),
            ]
            for key, title in TITLES.items()
        ]
        put(page, "waits", table(titles, lines))


if __name__ == "__main__":
    main()
