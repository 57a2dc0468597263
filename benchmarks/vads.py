"""What each voice activity detector misses, what it takes for speech, and what that does to the text.

    pip install 'asrd[quant,silero]'
    python benchmarks/vads.py --speech path/to/folder --plot docs/vads.png

Utterances are joined with pauses, and noise is laid over them at several ratios of speech to noise.
Where there is speech is told by the clean recording: 10 ms frames whose level is no more than 30 dB
below the loud ones and at least 6 dB above the pauses within the clip, with gaps shorter than 200 ms
filled, the hang-over of ITU-T P.56. The ratio is that of the mean power while there is speech.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import sounds

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples
from asrd.daemon.offline import transcribe
from asrd.daemon.segmenter import Segmenter
from asrd.daemon.vad import create
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import Clip, dataset, read
from asrd.quant.score import error_rate

VADS = ("webrtc:0", "webrtc:1", "webrtc:2", "webrtc:3", "energy", "silero")
RATIOS = (20.0, 15.0, 10.0, 5.0, 0.0)
NOISES = ("white", "pink", "hum", "clicks", "babble")
STEP = samples(0.010)
BRIDGE = 20
"""Steps of a gap that still is speech: 200 ms."""

LEVEL = -26.0
"""dBFS of the speech while there is any: the usual level of telephone test signals (ITU-T P.56)."""


@dataclass(frozen=True)
class Recording:
    """pcm: speech with pauses. active: whether each 10 ms hold speech. text: all that is said."""

    pcm: FloatArray
    active: npt.NDArray[np.bool_]
    text: str


def decibels(pcm: FloatArray) -> npt.NDArray[np.float64]:
    """Level of each 10 ms, an offset left out."""
    frames = pcm[: len(pcm) // STEP * STEP].reshape(-1, STEP).astype(np.float64)
    return 10 * np.log10(np.maximum(frames.var(axis=1), 1e-10))


def activity(pcm: FloatArray) -> npt.NDArray[np.bool_]:
    """Where a clean clip holds speech, for each 10 ms."""
    level = decibels(pcm)
    loud, quiet = np.percentile(level, 95), np.percentile(level, 5)
    active = level > max(loud - 30, min(quiet + 6, loud - 15))
    spoken = np.flatnonzero(active)
    for one, other in pairwise(spoken):
        active[one:other] |= other - one <= BRIDGE
    return active


def join(clips: list[FloatArray], texts: list[str], rng: np.random.Generator) -> Recording:
    """Clips at one level, with pauses of 1 to 3 s between them, 2 s before and 1.5 s after."""
    pcm: list[FloatArray] = [np.zeros(samples(2.0), np.float32)]
    active = [np.zeros(samples(2.0) // STEP, bool)]
    for clip in clips:
        whole = clip[: len(clip) // STEP * STEP]
        spoken = activity(whole)
        loud = whole.reshape(-1, STEP)[spoken].ravel()
        pause = int(rng.uniform(100, 300)) * STEP
        pcm += [whole * np.float32(10 ** (LEVEL / 20) / sounds.rms(loud)), np.zeros(pause, np.float32)]
        active += [spoken, np.zeros(pause // STEP, bool)]
    return Recording(np.concatenate(pcm), np.concatenate(active), " ".join(texts))


def noise(kind: str, n: int, seed: int, others: list[FloatArray]) -> FloatArray:
    """`(n,)` of one kind; babble is six voices, other clips one after the other."""
    if kind != "babble":
        made: FloatArray = getattr(sounds, kind)(n, seed)
        return made
    rng, mixed = np.random.default_rng(seed), np.zeros(n, np.float32)
    for _ in range(6):
        order = rng.permutation(len(others))
        voice = np.concatenate([sounds.at_level(others[index], LEVEL) for index in order])
        mixed += np.resize(np.roll(voice, -int(rng.integers(len(voice)))), n)
    return mixed


def conditions(
    recording: Recording, ratios: Sequence[float], seed: int, others: list[FloatArray]
) -> Iterator[tuple[str, float, FloatArray]]:
    """Kind of noise, ratio in dB, audio. Full scale is clipped as a sound card would."""
    yield "none", np.inf, recording.pcm
    for kind in NOISES:
        pcm = noise(kind, len(recording.pcm), seed, others)
        for ratio in ratios:
            yield kind, ratio, np.clip(recording.pcm + sounds.at_level(pcm, LEVEL - ratio), -1, 1)


def judge(spec: str, pcm: FloatArray) -> tuple[npt.NDArray[np.bool_], float]:
    """Its answer for each 10 ms, and the processor seconds it took."""
    vad = create(spec)
    began = time.thread_time()
    answers = [vad.is_speech(pcm[at : at + vad.frame]) for at in range(0, len(pcm) - vad.frame + 1, vad.frame)]
    spent = time.thread_time() - began
    middles = np.arange(len(pcm) // STEP) * STEP + STEP // 2
    return np.array(answers)[np.minimum(middles // vad.frame, len(answers) - 1)], spent


def hear(spec: str, pcm: FloatArray, backend: Backend) -> str:
    """The text of a recording, by the daemon's own stages."""
    utterances = transcribe([pcm], backend, Segmenter(create(spec), backend.model.geometry))
    return " ".join(one.hypothesis.text for one in utterances)


def recordings(clips: list[Clip], count: int, each: int) -> tuple[list[Recording], list[FloatArray]]:
    """`count` recordings of `each` clips, drawn evenly from all; and the clips that are left, for babble."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(clips))
    chosen, rest = order[: count * each], order[count * each :]
    made = []
    for group in np.array_split(chosen, count):
        own = [clips[index] for index in group]
        made.append(join([read(clip) for clip in own], [clip.text for clip in own], rng))
    return made, [read(clips[index]) for index in rest[:40]]


def measure(
    vads: Sequence[str],
    ratios: Sequence[float],
    made: list[Recording],
    others: list[FloatArray],
    backend: Backend | None,
) -> list[dict[str, Any]]:
    """A row for each detector, kind of noise and ratio."""
    rows: dict[tuple[str, str, float], dict[str, Any]] = {}
    total = len(made) * (1 + len(NOISES) * len(ratios))
    with click.progressbar(length=total, label="listening", file=sys.stderr) as bar:
        for seed, recording in enumerate(made):
            for kind, ratio, pcm in conditions(recording, ratios, seed, others):
                for spec in vads:
                    row = rows.setdefault(
                        (spec, kind, ratio), {"missed": 0, "speech": 0, "false": 0, "silence": 0, "seconds": 0.0,
                                              "spent": 0.0, "said": [], "heard": []}
                    )  # fmt: skip
                    answers, spent = judge(spec, pcm)
                    row["missed"] += int((~answers & recording.active).sum())
                    row["speech"] += int(recording.active.sum())
                    row["false"] += int((answers & ~recording.active).sum())
                    row["silence"] += int((~recording.active).sum())
                    row["seconds"] += len(pcm) / SAMPLE_RATE
                    row["spent"] += spent
                    if backend:
                        row["said"].append(recording.text)
                        row["heard"].append(hear(spec, pcm, backend))
                bar.update(1)
    return [_summary(*key, row) for key, row in rows.items()]


def _summary(spec: str, kind: str, ratio: float, row: dict[str, Any]) -> dict[str, Any]:
    texts = (row["said"], row["heard"])
    return {
        "vad": spec,
        "noise": kind,
        "ratio": ratio if np.isfinite(ratio) else None,
        "miss": row["missed"] / row["speech"],
        "false_alarm": row["false"] / row["silence"],
        "cost": row["spent"] / row["seconds"],
        "wer": error_rate("wer", *texts) if row["heard"] else None,
        "cer": error_rate("cer", *texts) if row["heard"] else None,
    }


@click.command()
@click.option(
    "--speech", default="bundled", show_default=True, help="A data set, as 'asrd compare --dataset' takes it."
)
@click.option("--vad", "vads", multiple=True, default=VADS, show_default=True, help="Repeatable.")
@click.option("--ratio", "ratios", multiple=True, type=float, default=RATIOS, show_default=True, help="dB; repeatable.")
@click.option("--recordings", "count", default=4, show_default=True, help="Recordings to make.")
@click.option("--clips", default=8, show_default=True, help="Utterances in each.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--backend", default="int8", show_default=True)
@click.option("--no-text", is_flag=True, help="Detectors only.")
@click.option("--json", "record", type=click.Path(path_type=Path), help="Keep the figures here.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw them here.")
def main(  # noqa: PLR0917
    speech: str, vads: tuple[str, ...], ratios: tuple[float, ...], count: int, clips: int, model: str, backend: str,
    no_text: bool, record: Path | None, plot: Path | None,
) -> None:  # fmt: skip
    """Measure detectors on speech in noise."""
    spec = str(Path(speech, "manifest.jsonl")) if Path(speech, "manifest.jsonl").is_file() else speech
    made, others = recordings(dataset(spec), count, clips)
    loaded = None if no_text else load(backend, resolve(model))
    rows = measure(vads, ratios, made, others, loaded)
    if record:
        record.write_text(json.dumps(rows, indent=1) + "\n")
    click.echo(table(rows))
    if plot:
        draw(rows, plot)


def _mean(rows: list[dict[str, Any]], key: str) -> float | None:
    values = [row[key] for row in rows]
    return None if None in values else float(np.mean(values))


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: each detector, over all noises but babble at each ratio; then the noises one by one at 10 dB."""
    ratios = sorted({row["ratio"] for row in rows}, key=lambda ratio: -(ratio if ratio is not None else 1e9))
    head = ["VAD", *("clean" if ratio is None else f"{ratio:.0f} dB" for ratio in ratios), "ms per s"]
    lines = []
    plain = [row for row in rows if row["noise"] != "babble"]  # which is speech, too
    for name, keys in (("miss / false alarm, % of frames", ("miss", "false_alarm")), ("WER / CER, %", ("wer", "cer"))):
        if rows[0][keys[0]] is None:
            continue
        lines += [f"{name}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for spec in dict.fromkeys(row["vad"] for row in rows):
            own = [row for row in plain if row["vad"] == spec]
            cells = []
            for ratio in ratios:
                at = [row for row in own if row["ratio"] == ratio]
                cells.append(" / ".join(f"{100 * (_mean(at, key) or 0):.1f}" for key in keys))
            lines.append(f"| {spec} | " + " | ".join(cells) + f" | {1000 * (_mean(own, 'cost') or 0):.2f} |")
        lines.append("")
    lines += [
        "miss / false alarm at 10 dB, % of frames",
        "",
        f"| VAD | {' | '.join(NOISES)} |",
        "|---" * (1 + len(NOISES)) + "|",
    ]
    for spec in dict.fromkeys(row["vad"] for row in rows):
        at = {row["noise"]: row for row in rows if row["vad"] == spec and row["ratio"] == 10}
        cells = [f"{100 * at[kind]['miss']:.1f} / {100 * at[kind]['false_alarm']:.1f}" for kind in NOISES if kind in at]
        lines.append(f"| {spec} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Misses over false alarms, a point a ratio, for each noise. The lower left corner is best."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(NOISES), figsize=(3 * len(NOISES), 3.4), sharex=True, sharey=True)
    for axis, kind in zip(axes, NOISES, strict=True):
        for spec in dict.fromkeys(row["vad"] for row in rows):
            own = [row for row in rows if row["vad"] == spec and row["noise"] == kind]
            own.sort(key=lambda row: -row["ratio"])
            alarms, misses = [100 * row["false_alarm"] for row in own], [100 * row["miss"] for row in own]
            [line] = axis.plot(alarms, misses, "-", lw=1, label=spec)
            sizes = np.linspace(45, 10, len(own))
            axis.scatter(alarms, misses, s=sizes, color=line.get_color(), zorder=3)
        axis.set(title=kind, xlabel="false alarms, %", xlim=(-3, 103), ylim=(-3, 103))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("missed speech, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=8, frameon=False)
    figure.suptitle("Detectors in noise: the largest dot is the least noise", fontsize=11)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
