"""Measure what each voice activity detector misses and what it takes for speech, and the effect on the text.

    pip install '.[quant,silero]'
    python benchmarks/vads.py --speech path/to/folder --page docs/vad.md --plot docs/vad.png

Utterances are joined with pauses, and noise is added to them: see `in_noise.py`. The text comes from the daemon's own
stages and the default decoder. A detector that is told where speech is serves as a reference, so that the effect of
noise on the recogniser is not blamed on the detectors. Speech in sub-folders is reported apart.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import webrtcvad
from in_noise import STEP, Condition, Recording, recordings, under
from page import put, table
from rich.console import Console
from rich.progress import track

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, Samples, samples
from asrd.daemon.offline import transcribe
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import Vad, create
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import Clip, dataset
from asrd.quant.evaluation.score import error_rate
from asrd.quant.evaluation.style import panels, save, styled

BARE, TOLD = "WebRTC's own, 2", "told"
DETECTORS = (BARE, "webrtc:1", "webrtc:2", "webrtc:3", "energy", "silero")
SHOWN = ("webrtc:2", "energy", "silero")
"""Detectors in the picture, and whose text is measured."""

TICKS = (0, 1, 5, 10, 20, 40, 60, 100)
"""Per cent marked on the axes of the picture."""

RATIOS = (20.0, 10.0, 0.0)
NOISES = ("white", "pink", "hum", "clicks", "babble")
TABLED = (
    Condition(), *(Condition(kind, ratio) for kind, ratio in (
        ("white", 10), ("white", 0), ("pink", 10), ("hum", 0), ("clicks", 10), ("babble", 10)
    )), Condition(quiet=True), Condition("pink", 10, quiet=True),
)  # fmt: skip
"""Conditions in the table of misses and false alarms."""

READ = (Condition(), *(Condition(kind, ratio) for kind in ("white", "pink", "babble") for ratio in RATIOS))
"""Conditions in the tables of text."""


class Bare:
    """WebRTC's detector without asrd's processing before it."""

    frame = samples(0.020)

    def __init__(self) -> None:
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return its own answer."""
        return bool(self._vad.is_speech((pcm * 32767).astype("<i2").tobytes(), SAMPLE_RATE))

    def reset(self) -> None:
        """Start anew."""
        self._vad = webrtcvad.Vad(2)


class Told:
    """A detector that knows where there is speech: `(n,)`, for each 10 ms."""

    frame = STEP

    def __init__(self, active: npt.NDArray[np.bool_]) -> None:
        self._active = active
        self.reset()

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return what it was told."""
        self._next += 1
        return bool(self._active[min(self._next, len(self._active)) - 1])

    def reset(self) -> None:
        """Start from the beginning."""
        self._next = 0


def detector(spec: str, recording: Recording) -> Vad:
    """Create one of asrd's detectors, or one of the two above."""
    return Bare() if spec == BARE else Told(recording.active) if spec == TOLD else create(spec)


def answers(vad: Vad, pcm: FloatArray) -> npt.NDArray[np.bool_]:
    """Return the detector's answer for each 10 ms."""
    found = [vad.is_speech(pcm[at : at + vad.frame]) for at in range(0, len(pcm) - vad.frame + 1, vad.frame)]
    middles = np.arange(len(pcm) // STEP) * STEP + STEP // 2
    return np.array(found)[np.minimum(middles // vad.frame, len(found) - 1)]


def detect(clips: Sequence[Clip]) -> Iterator[dict[str, Any]]:
    """Yield misses and false alarms of each detector under each condition, and processor seconds per second."""
    conditions = list(dict.fromkeys((*TABLED, *(Condition(kind, ratio) for kind in NOISES for ratio in RATIOS))))
    made, others = recordings(clips, 2, 8)
    heard = [(one, *heard) for seed, one in enumerate(made) for heard in under(one, conditions, seed, others)]
    for spec in DETECTORS:
        counts: dict[Condition, list[int]] = {condition: [0, 0, 0, 0] for condition in conditions}
        spent = 0.0
        for recording, condition, pcm in track(heard, spec, console=Console(stderr=True)):
            vad, began = detector(spec, recording), time.thread_time()
            found, active = answers(vad, pcm), recording.active
            spent += time.thread_time() - began
            each = (active & ~found, active, found & ~active, ~active)
            counts[condition] = [count + int(more.sum()) for count, more in zip(counts[condition], each, strict=True)]
        cost = spent * SAMPLE_RATE / sum(len(pcm) for _, _, pcm in heard)
        for condition, (missed, speech, false, silence) in counts.items():
            rates = {"miss": missed / speech, "false_alarm": false / silence}
            yield {"vad": spec, "noise": condition.noise, "condition": str(condition), **rates, "cost": cost}


def transcripts(clips: Sequence[Clip], count: int, backend: Backend, label: str) -> Iterator[dict[str, Any]]:
    """Yield WER and CER with each detector under each condition."""
    made, others = recordings(clips, -(-count // 5), 5)
    decoding, settings = make_decoding(DecoderOptions(), backend.model), SegmenterSettings(partial_interval=Samples(0))
    texts: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for seed, recording in enumerate(track(made, label, console=Console(stderr=True))):
        for condition, pcm in under(recording, READ, seed, others):
            for spec in (TOLD, *SHOWN):
                segmenter = Segmenter(detector(spec, recording), backend.model.geometry, settings)
                heard = (one.hypothesis.text for one in transcribe([pcm], backend, segmenter, decoding))
                said, text = texts.setdefault((spec, str(condition)), ([], []))
                said.append(recording.text)
                text.append(" ".join(heard))
    for (spec, condition), pair in texts.items():
        rates = {metric: error_rate(metric, *pair) for metric in ("wer", "cer")}  # type: ignore[arg-type]
        yield {"vad": spec, "condition": condition, **rates}


def tabled(rows: Sequence[dict[str, Any]], conditions: Sequence[Condition], keys: tuple[str, str], digits: int) -> str:
    """Format a Markdown table: a row per detector, a column per condition, two rates in % in each cell."""
    found = {(row["vad"], row["condition"]): " / ".join(f"{100 * row[key]:.{digits}f}" for key in keys) for row in rows}
    vads = list(dict.fromkeys(row["vad"] for row in rows))
    lines = [[f"`{vad}`" if vad in SHOWN else vad, *(found[vad, str(each)] for each in conditions)] for vad in vads]
    return table(["", *map(str, conditions)], lines)


@click.command()
@click.option(
    "--speech", default="bundled", show_default=True, help="A data set, as 'asrd compare --dataset' takes it."
)
@click.option("--clips", "count", default=25, show_default=True, help="Utterances of each folder to transcribe; or 0.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--backend", default="int8", show_default=True)
@click.option("--json", "record", type=click.Path(path_type=Path), help="Keep the figures here.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the tables into this page, as docs/vad.md.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw misses over false alarms here.")
def main(
    *, speech: str, count: int, model: str, backend: str, record: Path | None, page: Path | None, plot: Path | None
) -> None:
    """Measure detectors on speech in noise."""
    clips = dataset(str(Path(speech, "manifest.jsonl")) if Path(speech, "manifest.jsonl").is_file() else speech)
    rows = list(detect(clips))
    detected = tabled(rows, TABLED, ("miss", "false_alarm"), 0)
    costs = {row["vad"]: f"`{row['vad']}` {1000 * row['cost']:.1f}" for row in rows if row["vad"] in SHOWN}
    tables = [f"{detected}\n\nProcessor time, ms per second of audio: {', '.join(costs.values())}."]
    folders: dict[str, list[Clip]] = {}
    for clip in clips if count else []:
        folders.setdefault(clip.id.rpartition("/")[0] or Path(speech).stem, []).append(clip)
    loaded = load(backend, resolve(model)) if count else None
    for name, own in folders.items():
        assert loaded
        label = f"WER / CER in %, {name} ({min(count, len(own))} utterances), {backend}"
        read = list(transcripts(own, count, loaded, label))
        rows += [{"speech": name, **row} for row in read]
        tables.append(f"{label}:\n\n{tabled(read, READ, ('wer', 'cer'), 1)}")
    click.echo("\n\n".join(tables))
    if record:
        record.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if page:
        put(page, "detectors", tables[0])
        if folders:
            put(page, "text", "\n\n".join(tables[1:]))
    if plot:
        with styled():
            save(draw(rows), plot)


def draw(rows: Sequence[dict[str, Any]]) -> Any:
    """Draw misses over false alarms, one point per ratio, for each noise.

    The lower left corner is best, and so gets the most room.
    """
    figure, axes = panels(2, 3, 3.0)
    found = {(row["vad"], row["condition"]): row for row in rows if "miss" in row}
    for axis, kind in zip(axes.flat, NOISES, strict=False):
        for spec in DETECTORS:
            own = [found[spec, str(Condition(kind, ratio))] for ratio in RATIOS]
            alarms, misses = [100 * row["false_alarm"] for row in own], [100 * row["miss"] for row in own]
            [line] = axis.plot(alarms, misses, lw=1, ms=4, label=spec)
            axis.plot(alarms[0], misses[0], line.get_marker(), color=line.get_color(), ms=9, fillstyle="none")
        for scale in axis.set_xscale, axis.set_yscale:
            scale("function", functions=(lambda x: np.sign(x) * abs(x) ** 0.5, lambda x: np.sign(x) * x**2))
        axis.set(title=kind, xlabel="false alarms, %", xlim=(-0.2, 107), ylim=(-0.2, 107), xticks=TICKS, yticks=TICKS)
    for axis in axes[:, 0]:
        axis.set_ylabel("missed speech, %")
    explained = axes.flat[len(NOISES)]
    explained.axis("off")
    handles, _ = axes[0][0].get_legend_handles_labels()
    explained.legend(
        handles=handles, loc="center", title="Noise 20, 10 and 0 dB below\nthe speech; a framed mark is 20"
    )
    return figure


if __name__ == "__main__":
    main()
