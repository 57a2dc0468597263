"""What it costs in accuracy to hear speech as it comes, instead of whole utterances at once.

    pip install 'asrd[torch,quant]'
    python benchmarks/streaming_tax.py --backend torch --backend fp16 --backend int8
    python benchmarks/streaming_tax.py --speech PATH/manifest.jsonl --sweep --plot docs/streaming-tax.png

The same backend hears every utterance in one piece; then in windows whose ends are the utterance's; then
through all that the daemon does; and then utterances joined to long recordings, with pauses of 0.3 to 2 s of
room noise between them and without any. The tax is the difference of the error rates, and its 95 %
interval a paired bootstrap over recordings. Speech in sub-folders is reported a folder at a time.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from page import put, table
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from streaming_plot import plot

from asrd.backends import Backend, LoadOptions, load
from asrd.core.flow import FloatArray, Word
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, Samples, samples
from asrd.daemon.settings import SegmenterSettings
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.bootstrap import Rate, rate
from asrd.quant.data import dataset, read
from asrd.quant.score import error_rate, errors
from asrd.quant.seams import Seams, seams
from asrd.quant.streaming import Listened, streamed, whole, windowed

TOGETHER = 5
"""Utterances of one long recording."""

ROOM = 10 ** (-60 / 20)
"""Effective value of the noise in pauses: -60 dB of full scale, a quiet room."""

HOPS = (0.3, 0.45, 0.6, 0.8, 1.1)
RIGHTS = (0.2, 0.4, 0.6)


@dataclass(frozen=True, slots=True)
class Recording:
    """pcm: `(samples,)`. text: what is said. known: what the backend hears of its utterances, whole."""

    pcm: FloatArray
    text: str
    known: tuple[Word, ...]

    @property
    def heard(self) -> str:
        """The text of `known`."""
        return " ".join(word.text for word in self.known)


@dataclass(frozen=True, slots=True)
class Row:
    """wer, cer: error rates. wer_tax, cer_tax: what they exceed those of the whole utterances by.
    wer_differs, cer_differs: rates against the text of the whole utterances. committed, previewed: seconds
    of audio given to the model, and busy: seconds the committed took, each a second of recording.
    """

    speech: str
    backend: str
    way: str
    wer: float
    cer: float
    wer_tax: Rate
    cer_tax: Rate
    wer_differs: float
    cer_differs: float
    seams: Seams
    committed: float
    previewed: float
    busy: float


def join(recordings: Sequence[Recording], *, pauses: bool) -> Iterator[Recording]:
    """Long recordings of a few utterances each, in their order."""
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
        yield Recording(np.concatenate(pieces), " ".join(one.text for one in group), tuple(known))


def compare(
    recordings: Sequence[Recording], hear: Callable[[FloatArray], Listened], reach: int, advance: Callable[[int], None]
) -> dict[str, Any]:
    """The figures of a row."""
    heard = []
    for one in recordings:
        heard.append(hear(one.pcm))
        advance(len(one.pcm))
    references, before = [one.text for one in recordings], [one.heard for one in recordings]
    after = [one.text for one in heard]
    figures: dict[str, Any] = {}
    for metric in ("wer", "cer"):
        (less, lengths), (more, _) = errors(metric, references, before), errors(metric, references, after)
        figures[metric] = sum(more) / sum(lengths)
        figures[f"{metric}_tax"] = rate([b - a for a, b in zip(less, more, strict=True)], lengths)
        figures[f"{metric}_differs"] = error_rate(metric, before, after)  # type: ignore[arg-type]
    joints = (seams(two.words, one.known, two.joints, reach) for one, two in zip(recordings, heard, strict=True))
    length = sum(len(one.pcm) for one in recordings)
    return figures | {
        "seams": sum(joints, Seams()),
        "committed": sum(one.committed for one in heard) / length,
        "previewed": sum(one.previewed for one in heard) / length,
        "busy": sum(one.seconds for one in heard) * SAMPLE_RATE / length,
    }


def ways(backend: Backend, settings: SegmenterSettings) -> dict[str, Callable[[FloatArray], Listened]]:
    """Of hearing one utterance, each with more of what the daemon does."""
    return {
        "windows, level of the whole": lambda pcm: windowed(backend, pcm, settings, known=True),
        "windows": lambda pcm: windowed(backend, pcm, settings),
        "daemon": lambda pcm: streamed(backend, pcm, settings),
    }


def grid(settings: SegmenterSettings, backend: Backend) -> dict[str, SegmenterSettings]:
    """What `--sweep` tries."""
    tried = {}
    for right in RIGHTS:
        for hop in HOPS:
            one = replace(settings, hop=samples(hop), right_context=samples(right))
            if one.hop + one.right_context + samples(0.2) <= MAX_WINDOW:
                one.check(backend.model.geometry)
                tried[f"{hop} {right}"] = one
    return tried


def parts(specs: Sequence[str], limit: int | None) -> dict[str, list[Any]]:
    """The clips of each folder of each data set; `limit`: so many of each, evenly taken."""
    found: dict[str, list[Any]] = {}
    for spec in specs:
        for clip in dataset(spec):
            name = clip.id.rsplit("/", 1)[0] if "/" in clip.id else Path(spec).stem
            found.setdefault(name, []).append(clip)
    if limit:
        found = {name: clips[:: -(-len(clips) // limit)] for name, clips in found.items()}
    return found


def cells(row: Row) -> list[str]:
    """What people read of a row: rates and their differences in points."""
    wer_tax, cer_tax = (
        f"{100 * one.value:+.2f} [{100 * one.low:+.2f}, {100 * one.high:+.2f}]" for one in (row.wer_tax, row.cer_tax)
    )
    wer, cer, *differs = (f"{100 * one:.1f}" for one in (row.wer, row.cer, row.wer_differs, row.cer_differs))
    counts = [str(count) for count in astuple(row.seams)]
    cost = [f"{row.committed:.2f}", f"{row.previewed:.2f}", f"{row.busy:.3f}"]
    return [row.speech, row.backend, row.way, wer, wer_tax, cer, cer_tax, *differs, *counts, *cost]


TITLES = (
    *("speech", "backend", "way", "WER", "tax", "CER", "tax", "WER differs", "CER differs"),
    *("joints", "ins", "del", "twice", "lost", "committed", "previews", "busy"),
)


def show(rows: Sequence[Row]) -> None:
    """A table in the terminal."""
    shown = Table(caption="tax and differences in points, with 95 % intervals")
    for title in TITLES:
        shown.add_column(title, justify="left" if title in TITLES[:3] else "right")
    for row in rows:
        shown.add_row(*cells(row))
    Console(width=220).print(shown)


def measure(clips: Mapping[str, Sequence[Any]], backends: Mapping[str, Backend], *, sweep: bool) -> list[Row]:
    """All rows, with the time that is left shown meanwhile."""
    defaults, rows = SegmenterSettings(), list[Row]()
    with Progress(console=Console(stderr=True)) as progress:
        for name, backend in backends.items():
            backend.warm_up(MAX_WINDOW)
            tried = grid(defaults, backend) if sweep else {}
            for speech, some in clips.items():
                task = progress.add_task(f"{name}: {speech}", total=None)
                audio = [(clip, read(clip)) for clip in some]
                length = sum(len(pcm) for _, pcm in audio)
                progress.update(task, total=(5 + len(tried)) * length)
                each = [Recording(pcm, clip.text, whole(backend, pcm).words) for clip, pcm in audio]
                paused = list(join(each, pauses=True))
                plans = [(way, each, hear, defaults) for way, hear in ways(backend, defaults).items()]
                plans += [("daemon, joined with pauses", paused, plans[-1][2], defaults)]
                plans += [("daemon, joined without", list(join(each, pauses=False)), plans[2][2], defaults)]
                plans += [(label, each, ways(backend, chosen)["windows"], chosen) for label, chosen in tried.items()]
                for way, recordings, hear, chosen in plans:
                    reach = max(chosen.right_context, MAX_WINDOW - chosen.hop - chosen.right_context)
                    figures = compare(
                        recordings, hear, min(reach, samples(0.4)), lambda n, t=task: progress.advance(t, n)
                    )
                    rows.append(Row(speech, name, way, **figures))
            backend.close()
    return rows


@click.command()
@click.option("--speech", multiple=True, default=["bundled"], show_default=True, help="As 'asrd compare --dataset'.")
@click.option("--backend", "names", multiple=True, default=["int8"], show_default=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--threads", default=0, help="Threads for inference; 0 leaves it to the runtime.")
@click.option("--limit", type=int, help="Take so many utterances of each folder.")
@click.option("--sweep", is_flag=True, help="Try other hops and right contexts as well.")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw what the sweep found.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/streaming.md.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write all rows to a file.")
def main(
    *, speech: tuple[str, ...], names: tuple[str, ...], model: str, threads: int, limit: int | None, sweep: bool,
    picture: Path | None, page: Path | None, as_json: Path | None,
) -> None:  # fmt: skip
    """Measure the streaming tax."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads or os.cpu_count() or 1))
    directory = resolve(model)
    backends = {name: load(name, directory, LoadOptions(threads=threads)) for name in names}
    rows = measure(parts(speech, limit), backends, sweep=sweep)
    if as_json:
        as_json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    swept = [row for row in rows if row.way[0].isdigit()]
    show(rows)
    if page:
        put(page, "tax", table(TITLES, [cells(row) for row in rows if row not in swept]))
    if picture and swept:
        plot([row for row in swept if row.backend == swept[0].backend], picture)


if __name__ == "__main__":
    main()
