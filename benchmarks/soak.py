"""Play sound that is not speech, for hours if need be: count words that nobody said, and check clock and memory.

    pip install '.[quant,silero]'
    python benchmarks/soak.py --page docs/vad.md
    python benchmarks/soak.py --minutes 60 --vad webrtc --sound silence

The daemon's own stages hear each sound as fast as they can, partials included: silence, a quiet room, steady noises at
several levels, noises that begin suddenly, typing, and music of several kinds.
"""

import asyncio
import gc
import json
import resource
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import sounds
from page import put, table

from asrd.backends import Backend, load
from asrd.core.events import Event, Final, Gap, Partial, Started
from asrd.core.flow import AudioChunk, FloatArray
from asrd.core.units import SAMPLE_RATE, Samples
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.sources.base import Source
from asrd.daemon.stream.stream import make_stream
from asrd.daemon.vad import create
from asrd.models.store import DEFAULT_MODEL, resolve

MINUTE = 60 * SAMPLE_RATE
LOUDNESS = (-60.0, -40.0, -20.0)
"""Levels of steady noises, in dBFS."""


def minute(kind: str, number: int) -> FloatArray:
    """Return minute `number` of a sound, `(MINUTE,)`."""
    name, _, level = kind.partition(" ")
    if name == "silence":
        return np.zeros(MINUTE, np.float32)
    if name == "dither":
        return (np.random.default_rng(number).integers(-1, 2, MINUTE) / 32768).astype(np.float32)
    if name == "offset":
        return np.full(MINUTE, 0.3, np.float32) + sounds.at_level(sounds.white(MINUTE, number), -60)
    if name == "steps":  # 20 s each: the fan is off, on, off
        gain = np.where(np.arange(MINUTE) // (20 * SAMPLE_RATE) == 1, 1, 0.01).astype(np.float32)
        return sounds.at_level(sounds.fan(MINUTE, number), -20) * gain
    pcm: FloatArray = getattr(sounds, name)(MINUTE, number)
    return np.clip(sounds.at_level(pcm, float(level)), -1, 1)


KINDS = (
    "silence", "dither", "offset", "steps",
    *(f"{name} {level:.0f}" for name in sounds.STEADY for level in LOUDNESS),
    "clicks -40", "music -20", "organ -20", "solo -20", "drums -20",
)  # fmt: skip

NAMES = {
    "silence": "digital silence", "dither": "silence, its last bit dithered", "offset": "a quiet room, offset by 0.3",
    "steps": "a fan that is switched on for 20 s of every minute",
    **{name: f"{name}, at -60, -40 and -20 dBFS" for name in sounds.STEADY},
    "clicks": "typing", "music": "a band", "organ": "held chords", "solo": "one instrument", "drums": "drums alone",
}  # fmt: skip
"""Names for people, and the rows of the page."""


class Minutes(Source):
    """A source that plays some minutes of a sound, in blocks of 0.1 s."""

    def __init__(self, kind: str, minutes: int) -> None:
        super().__init__("soak")
        self._kind, self._minutes = kind, minutes

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        """Yield the sound, from sample 0."""
        block, position = SAMPLE_RATE // 10, 0
        for number in range(self._minutes):
            pcm = minute(self._kind, number)
            for at in range(0, MINUTE, block):
                yield AudioChunk(Samples(position), pcm[at : at + block], position / SAMPLE_RATE)
                position += block


@dataclass
class Received:
    """Counts of what was heard. words: of finals. shown: words that partials had in excess of their final, at most,
    summed.
    """

    utterances: int = 0
    words: int = 0
    shown: int = 0
    lost: int = 0
    texts: list[str] = field(default_factory=list)
    _most: int = 0

    async def publish(self, event: Event, stream: str = "") -> None:
        """Count an event."""
        if isinstance(event, Started):
            self._most = 0
        elif isinstance(event, Partial):
            self._most = max(self._most, len(event.text.split()))
        elif isinstance(event, Final):
            said = len(event.text.split())
            self.utterances += 1
            self.words += said
            self.shown += max(0, self._most - said)
            self.texts += [event.text] * bool(event.text)
        elif isinstance(event, Gap):
            self.lost += event.end - event.start


async def soak(kind: str, minutes: int, options: RecognitionOptions, backend: Backend) -> dict[str, Any]:
    """Play one sound. Raises AssertionError where the clock drifted or audio was lost."""
    gc.collect()  # frees what the last sound left: few objects are made, so collections are rare
    heard, scheduler = Received(), Scheduler(options.backend, backend)
    stream = make_stream(Minutes(kind, minutes), options, scheduler, heard, backend.model)
    serving = asyncio.create_task(scheduler.run())
    before = resource.getrusage(resource.RUSAGE_SELF)
    await stream.run()
    await scheduler.drain()
    serving.cancel()
    after = resource.getrusage(resource.RUSAGE_SELF)
    expected = minutes * MINUTE
    assert not stream.failure, stream.failure
    judged = expected - expected % create(options.vad).frame
    assert stream.status.position == judged, "the clock has drifted"
    assert heard.lost == 0
    hours = minutes / 60
    return {
        "sound": kind,
        "utterances": heard.utterances / hours,
        "words": heard.words / hours,
        "shown": heard.shown / hours,
        "processor": (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / (60 * minutes),
        "memory": _resident(),
        "examples": heard.texts[:5],
    }


def _resident() -> float:
    """Return the resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 2**20


def rows_of(measured: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return titles and rows of the page's table: words per hour with each detector, and those only partials had, if
    any.

    Noises that were played at several levels are averaged.
    """
    vads, found = list(dict.fromkeys(row["vad"] for row in measured)), []
    for name, shown in NAMES.items():
        line = [shown]
        for vad in vads:
            own = [row for row in measured if row["vad"] == vad and row["sound"].partition(" ")[0] == name]
            words, partial = (float(np.mean([row[key] for row in own])) if own else 0.0 for key in ("words", "shown"))
            line.append((f"{words:.0f}" + (f" (+{partial:.0f})" if partial >= 0.5 else "")) if own else "")
        found += [line] if any(line[1:]) else []
    return ["words an hour", *(f"`{vad}`" for vad in vads)], found


@click.command()
@click.option("--minutes", default=10, show_default=True, help="Of each sound.")
@click.option("--vad", "vads", multiple=True, default=["webrtc", "energy", "silero"], show_default=True)
@click.option("--sound", "kinds", multiple=True, default=KINDS, help="Repeatable; all by default.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--backend", default="int8", show_default=True)
@click.option("--json", "record", type=click.Path(path_type=Path), help="Keep the figures here.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/vad.md.")
def main(  # noqa: PLR0917
    minutes: int, vads: tuple[str, ...], kinds: tuple[str, ...], model: str, backend: str, record: Path | None,
    page: Path | None,
) -> None:  # fmt: skip
    """Count the words that are heard where nobody speaks."""
    loaded = load(backend, resolve(model))
    click.echo("| VAD | sound | utterances/h | words/h | words only in partials/h | processor s per s | MiB |")
    click.echo("|---|---|---|---|---|---|---|")
    rows = []
    for vad in vads:
        options = RecognitionOptions(backend=backend, model=model, vad=vad)
        for kind in kinds:
            row = {"vad": vad, **asyncio.run(soak(kind, minutes, options, loaded))}
            rows.append(row)
            click.echo(
                f"| {vad} | {kind} | {row['utterances']:.0f} | {row['words']:.0f} | {row['shown']:.0f}"
                f" | {row['processor']:.4f} | {row['memory']:.0f} |"
            )
    if record:
        record.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if page:
        put(page, "nobody", f"{table(*rows_of(rows))}\n\n{minutes} minutes of each sound, {backend}.")


if __name__ == "__main__":
    main()
