"""Measure the streaming tax: the accuracy lost by hearing speech as it comes, instead of whole utterances at once.

    pip install '.[lm,torch,quant]'
    python benchmarks/streaming_tax.py --backend torch --backend fp16 --backend int8
    python benchmarks/streaming_tax.py --speech PATH/manifest.jsonl --sweep --plot docs/streaming-tax.png

The same backend hears every utterance in one piece; then in windows whose ends are the utterance's; then through all
that the daemon does. Then it hears utterances joined to long recordings, with pauses of 0.3 to 2 s of room noise
between them and without any, which are heard in one piece, too. The tax is the difference of the error rates, with a 95
% interval from a paired bootstrap over recordings. Speech in sub-folders is reported per folder, and all together. The
emissions are decoded greedily and, where `asrd[lm]` is installed, by beam search as finals are. Both use the same
frames, and so the same joints, which are judged by the greedy words. The sweep uses the first backend and greedy
decoding.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from page import put, table
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from seams import seams
from streaming_paths import Decodings, Listened, streamed, whole, windowed
from streaming_plot import plot
from streaming_rows import TITLES, Row, Tally, cells, row

from asrd.backends import Backend, LoadOptions, load
from asrd.core.flow import FloatArray, Word
from asrd.core.units import MAX_WINDOW, Samples, samples
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.decoding.options import DECODERS, default_decoder
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import dataset, read

TOGETHER = 5
"""Utterances per long recording."""

ROOM = 10 ** (-60 / 20)
"""Root mean square of the noise in pauses: -60 dB of full scale, a quiet room."""

HOPS = (0.3, 0.45, 0.6, 0.9)
RIGHTS = (0.3, 0.4, 0.6, 0.8)

REACH = samples(0.4)
"""Samples from a joint within which it may have changed a word."""

Hear = Callable[[FloatArray], Listened]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, and what the backend hears of its utterances in one piece (known, texts)."""

    pcm: FloatArray
    """`(samples,)`."""
    text: str
    """Reference text."""
    known: tuple[Word, ...]
    """Words by the greedy decoder."""
    texts: Mapping[str, str]
    """Text by each decoder."""


def join(recordings: Sequence[Recording], *, pauses: bool) -> Iterator[Recording]:
    """Join utterances to long recordings of a few each, in their order."""
    random = np.random.default_rng(0)
    for first in range(0, len(recordings), TOGETHER):
        group, pieces, known, length = recordings[first : first + TOGETHER], list[FloatArray](), list[Word](), 0
        for one in group:
            known += [
                replace(word, start=Samples(word.start + length), end=Samples(word.end + length)) for word in one.known
            ]
            pause = samples(random.uniform(0.3, 2.0)) if pauses else 0
            pieces += [one.pcm, random.normal(0, ROOM, pause).astype(np.float32)]
            length += len(one.pcm) + pause
        texts = {name: " ".join(one.texts[name] for one in group) for name in group[0].texts}
        yield Recording(np.concatenate(pieces), " ".join(one.text for one in group), tuple(known), texts)


def tallies(recordings: Sequence[Recording], hear: Hear, advance: Callable[[int], None]) -> dict[str, Tally]:
    """Hear all recordings in one way, and count the results by decoder."""
    found: dict[str, Tally] = {}
    for one in recordings:
        heard = hear(one.pcm)
        joints = seams(heard.words, one.known, heard.joints, REACH)
        for name in heard.texts:
            found.setdefault(name, Tally()).add(name, (one.text, one.texts), heard, (len(one.pcm), joints))
        advance(len(one.pcm))
    return found


def grid(backend: Backend) -> dict[str, SegmenterSettings]:
    """Return the settings that `--sweep` tries."""
    tried = {}
    for right in RIGHTS:
        for hop in HOPS:
            one = replace(SegmenterSettings(), hop=samples(hop), right_context=samples(right))
            if one.hop + one.right_context + one.tail <= MAX_WINDOW:
                one.check(backend.model.geometry)
                tried[f"{hop} {right}"] = one
    return tried


def plans(
    backend: Backend, each: Sequence[Recording], others: Decodings, *, sweep: bool
) -> Iterator[tuple[str, Sequence[Recording], Hear]]:
    """Yield ways of hearing, with more and more of what the daemon does, and the recordings to hear in each."""
    settings = SegmenterSettings()
    yield "windows, level of the whole", each, lambda pcm: windowed(backend, pcm, settings, others, known=True)
    yield "windows", each, lambda pcm: windowed(backend, pcm, settings, others)

    def daemon(pcm: FloatArray) -> Listened:
        return streamed(backend, pcm, settings, others)

    yield "daemon", each, daemon
    for how, pauses in (("joined with pauses", True), ("joined without", False)):
        long = [*join(each, pauses=pauses)]
        yield f"daemon, {how}", long, daemon
        yield f"in one piece, {how}", long, lambda pcm: whole(backend, pcm, others)
    for label, chosen in grid(backend).items() if sweep else ():
        yield label, each, lambda pcm, chosen=chosen: windowed(backend, pcm, chosen)  # type: ignore[misc]


def parts(specs: Sequence[str], limit: int | None) -> dict[str, list[Any]]:
    """Return the clips of each folder of each data set. limit: take this many of each, evenly."""
    found: dict[str, list[Any]] = {}
    for spec in specs:
        for clip in dataset(spec):
            name = clip.id.rsplit("/", 1)[0] if "/" in clip.id else Path(spec).stem
            found.setdefault(name, []).append(clip)
    if limit:
        found = {name: clips[:: -(-len(clips) // limit)] for name, clips in found.items()}
    return found


def show(rows: Sequence[Row]) -> None:
    """Print the table to the terminal."""
    shown = Table(caption="tax and differences in points, with 95 % intervals")
    for title in TITLES:
        shown.add_column(title, justify="left" if title in TITLES[:4] else "right")
    for one in rows:
        shown.add_row(*cells(one))
    Console(width=230).print(shown)


def measure(
    clips: Mapping[str, Sequence[Any]], name: str, backend: Backend, others: Decodings, *, sweep: bool
) -> list[Row]:
    """Make all rows of a backend, and show the time left meanwhile."""
    backend.warm_up(MAX_WINDOW)
    counted: dict[str, dict[tuple[str, str], Tally]] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for speech, some in clips.items():
            task = progress.add_task(f"{name}: {speech}", total=None)
            audio = [(clip, read(clip)) for clip in some]
            each = []
            for clip, pcm in audio:
                known = whole(backend, pcm, others)
                each.append(Recording(pcm, clip.text, known.words, known.texts))
            ways = [*plans(backend, each, others, sweep=sweep)]
            progress.update(task, total=sum(len(one.pcm) for _, recordings, _ in ways for one in recordings))
            for way, recordings, hear in ways:
                found = tallies(recordings, hear, lambda n, t=task: progress.advance(t, n))
                counted.setdefault(speech, {}).update({(way, decoder): one for decoder, one in found.items()})
    if len(counted) > 1:
        first, *rest = counted.values()
        counted["all"] = {key: sum((other[key] for other in rest), one) for key, one in first.items()}
    return [
        row(speech, name, way, decoder, one)
        for speech, found in counted.items()
        for (way, decoder), one in found.items()
    ]


@click.command()
@click.option("--speech", multiple=True, default=["bundled"], show_default=True, help="As 'asrd compare --dataset'.")
@click.option("--backend", "names", multiple=True, default=["int8"], show_default=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option(
    "--decoder",
    type=click.Choice(DECODERS),
    default=default_decoder(),
    show_default=True,
    help="'beam' reads what was heard greedily as well.",
)
@click.option("--threads", default=0, help="Threads for inference; 0 leaves it to the runtime.")
@click.option("--limit", type=int, help="Take so many utterances of each folder.")
@click.option("--sweep", is_flag=True, help="Try other hops and right contexts as well.")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw what the sweep found.")
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    help="Put the table into this page, as docs/measurements/streaming-tax.md.",
)
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write all rows to a file.")
def main(
    *, speech: tuple[str, ...], names: tuple[str, ...], model: str, decoder: str, threads: int, limit: int | None,
    sweep: bool, picture: Path | None, page: Path | None, as_json: Path | None,
) -> None:  # fmt: skip
    """Measure the streaming tax."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads or os.cpu_count() or 1))
    directory, clips, rows = resolve(model), parts(speech, limit), list[Row]()
    others: Decodings = {decoder: make_decoding(DecoderOptions(decoder), directory)} if decoder != "greedy" else {}
    for name in names:
        backend = load(name, directory, LoadOptions(threads=threads))
        rows += measure(clips, name, backend, others, sweep=sweep and name == names[0])
        backend.close()
        if as_json:
            as_json.write_text(json.dumps([asdict(one) for one in rows], indent=1) + "\n", encoding="utf-8")
    swept = [one for one in rows if one.way[0].isdigit()]
    show(rows)
    if page:
        told = [one for one in rows if one not in swept]
        together = [one for one in told if one.speech == "all"] or told
        put(page, "tax", table(TITLES[1:], [cells(one)[1:] for one in together]))
        parted = table(TITLES, [cells(one) for one in told if one not in together])
        put(page, "tax-parts", f"<details><summary>Each set of recordings</summary>\n\n{parted}\n\n</details>")
    if picture and swept:
        plot(swept, picture)


if __name__ == "__main__":
    main()
