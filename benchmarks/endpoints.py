"""Measure endpointing: sentences cut in two, sentences run together, and how long the speaker waits.

    pip install '.[quant]'
    python benchmarks/endpoints.py
    python benchmarks/endpoints.py --dataset ../my-speech/manifest.jsonl --plot endpoints.png

Recordings are made from sentences of one speaker, brought to one level, with pauses of known lengths: 1 to 2 s between
sentences, and hesitations put into them at their quietest places, where words or syllables meet. A fluent speaker has
none, a brisk one some of 0.2 to 0.4 s, a hesitant one some of 0.4 to 0.8 s. Each recording is heard clean (noise 50 dB
below the speech), in pink noise and in music, 10 dB below it.

The benchmark compares a fixed hangover, one from the speaker's own pauses (adaptive), and the latter with feedback from
the recogniser. For each, the strictness is swept: the hangover itself, or the tolerated false cuts per minute.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from asrd.backends import Backend, load
from asrd.core.flow import Answer, FloatArray, Window
from asrd.core.units import SAMPLE_RATE, Samples, samples, seconds
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.recognizer import recognize
from asrd.daemon.segmentation import pauses
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import WebRtcVad
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import Clip, dataset, read
from asrd.quant.evaluation.style import legend, panels, save, styled

HESITATIONS = {"fluent": None, "brisk": (0.2, 0.4), "hesitant": (0.4, 0.8)}
BINS = (0.2, 0.4, 0.6, 0.8)
SPEECH = 0.05
"""Root mean square to which all sentences are brought."""

APART = 0.6
"""Least seconds between two hesitations, and between one and an end of the sentence."""

FIXED = (0.3, 0.45, 0.6, 0.75, 0.9)
TOLERATED = (1.0, 2.0, 4.0, 8.0)
WAYS = (("fixed", "--", 5), ("adaptive", "-", 9), ("adaptive + recogniser", "-", 4))
"""Curves of the picture: line and size of the marks. The second's are large and hollow, as the third lies on it."""


class Remembered:
    """A VAD that judges a recording once and repeats its decisions whenever the recording is played again."""

    frame = WebRtcVad.frame

    def __init__(self) -> None:
        self._real, self._judged, self._next = WebRtcVad(), list[bool](), 0

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return what the real VAD decided the first time."""
        if self._next == len(self._judged):
            self._judged.append(self._real.is_speech(pcm))
        self._next += 1
        return self._judged[self._next - 1]

    def reset(self) -> None:
        """Start from the beginning."""
        self._next = 0


@dataclass
class Recording:
    """A recording with known pauses. sentences, hesitations: `(start, end)` of each, in samples."""

    pcm: FloatArray
    sentences: list[tuple[int, int]] = field(default_factory=list)
    hesitations: list[tuple[int, int]] = field(default_factory=list)
    vad: Remembered = field(default_factory=Remembered)
    answers: dict[tuple[int, int], Answer] = field(default_factory=dict)


@dataclass
class Count:
    """Totals over recordings.

    delays: seconds from the end of a sentence to the decision. cuts, hesitations: by `BINS`.
    """

    sentences: int = 0
    false_cuts: int = 0
    missed: int = 0
    delays: list[float] = field(default_factory=list)
    cuts: list[int] = field(default_factory=lambda: [0] * (len(BINS) - 1))
    hesitations: list[int] = field(default_factory=lambda: [0] * (len(BINS) - 1))

    def row(self) -> dict[str, Any]:
        """Return rates over sentences, and percentiles of the delay in seconds."""
        p50, p95 = np.percentile(self.delays, [50, 95]) if self.delays else (float("nan"),) * 2
        return {
            "false_cuts": self.false_cuts / self.sentences,
            "missed": self.missed / self.sentences,
            "delay_p50": float(p50),
            "delay_p95": float(p95),
            "cut_by_pause": [cut / max(1, of) for cut, of in zip(self.cuts, self.hesitations, strict=True)],
        }


def speech_of(clip: Clip) -> FloatArray:
    """Return the clip at the common level, without the silence at its ends."""
    pcm = read(clip)
    size = samples(0.02)
    blocks = pcm[: len(pcm) // size * size].reshape(-1, size)
    level = 10 * np.log10(np.square(blocks).mean(axis=1) + 1e-12)
    loud = np.flatnonzero(level > max(level.max() - 40, np.percentile(level, 10) + 6))
    active = pcm[loud[0] * size : (loud[-1] + 1) * size]
    return (active * (SPEECH / np.sqrt(np.square(active).mean()))).astype(np.float32)


def quietest(pcm: FloatArray, count: int) -> list[int]:
    """Find the `count` quietest places, `APART` from each other and from the ends."""
    step, margin = samples(0.01), round(APART / 0.01)
    energy = np.square(pcm[: len(pcm) // step * step].reshape(-1, step)).mean(axis=1)
    energy = np.convolve(energy, np.ones(6) / 6, "same")
    energy[:margin] = energy[len(energy) - margin :] = np.inf
    places: list[int] = []
    while len(places) < count and np.isfinite(energy.min(initial=np.inf)):
        best = int(energy.argmin())
        places.append(best * step)
        energy[max(0, best - margin) : best + margin] = np.inf
    return sorted(places)


def record(clips: list[Clip], kind: str, chance: np.random.Generator) -> Recording:
    """Join sentences and pauses, in perfect silence."""
    parts = [np.zeros(SAMPLE_RATE, np.float32)]
    made = Recording(parts[0])

    def add(part: FloatArray) -> tuple[int, int]:
        start = sum(map(len, parts))
        parts.append(part)
        return start, start + len(part)

    for clip in clips:
        pcm, span = speech_of(clip), HESITATIONS[kind]
        start, last = sum(map(len, parts)), 0
        for place in quietest(pcm, round(seconds(len(pcm)) / 2.5)) if span else []:
            add(pcm[last:place])
            made.hesitations.append(add(np.zeros(samples(chance.uniform(*span)), np.float32)))  # type: ignore[misc]
            last = place
        made.sentences.append((start, add(pcm[last:])[1]))
        add(np.zeros(samples(chance.uniform(1.0, 2.0)), np.float32))
    made.pcm = np.concatenate(parts)
    return made


def hiss(count: int, chance: np.random.Generator) -> FloatArray:
    """Make white noise far below the speech: no recording is perfectly silent."""
    return chance.standard_normal(count).astype(np.float32) * np.float32(SPEECH * 10 ** (-50 / 20))


def pink(count: int, chance: np.random.Generator) -> FloatArray:
    """Make noise whose power falls by 3 dB per octave, 10 dB below the speech."""
    spectrum = np.fft.rfft(chance.standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), count)
    return (noise * (SPEECH * 10 ** (-10 / 20) / noise.std())).astype(np.float32)


def music(count: int, chance: np.random.Generator) -> FloatArray:
    """Make chords of plucked strings, four per second, 10 dB below the speech: a VAD takes them for a voice."""
    sound, length = np.zeros(count + SAMPLE_RATE), SAMPLE_RATE // 2
    time = np.arange(length) / SAMPLE_RATE
    for start in range(0, count, SAMPLE_RATE // 4):
        for pitch in chance.choice([220, 262, 294, 330, 392, 440], 3, replace=False):
            tone = sum(np.sin(2 * np.pi * pitch * n * time) / n**1.5 for n in range(1, 6))
            sound[start : start + length] += tone * np.exp(-4 * time)
    return (sound[:count] * (SPEECH * 10 ** (-10 / 20) / sound.std())).astype(np.float32)


NOISES = {"clean": hiss, "pink noise, 10 dB": pink, "music, 10 dB": music}


def decisions(made: Recording, settings: SegmenterSettings, backend: Backend | None) -> Iterator[int]:
    """Yield the positions at which the segmenter decides that an utterance has ended.

    Windows of the same audio are recognised once for all settings, at the level of the first.
    """
    assert resolved is not None
    segmenter = Segmenter(made.vad, resolved.geometry, settings)
    for start in range(0, len(made.pcm), Remembered.frame):
        for item in segmenter.feed(made.pcm[start : start + Remembered.frame]):
            if not isinstance(item, Window):
                continue
            if item.reason == "silence":
                yield segmenter.position
            if backend and item.asks:
                key = (item.start, item.end)
                if key not in made.answers:
                    made.answers[key] = answer(item, recognize(backend, [item])[0], backend.model)
                known = made.answers[key]
                segmenter.take(Answer(item.utterance, known.due, known.until, known.words))


def count(recordings: list[Recording], settings: SegmenterSettings, backend: Backend | None) -> Count:
    """Count cuts, misses and delays in all recordings."""
    total = Count()
    for made in recordings:
        ends = np.array([*decisions(made, settings, backend)])
        following = [start for start, _ in made.sentences[1:]] + [len(made.pcm)]
        for (start, end), following_start in zip(made.sentences, following, strict=True):
            total.sentences += 1
            total.false_cuts += int(((ends > start) & (ends < end)).sum())
            after = ends[(ends >= end) & (ends < following_start)]
            total.missed += not len(after)
            total.delays += [seconds(int(after[0]) - end)] if len(after) else []
        for start, end in made.hesitations:
            which = min(int(np.searchsorted(BINS, seconds(end - start), "right")) - 1, len(BINS) - 2)
            total.hesitations[which] += 1
            total.cuts[which] += bool(((ends > start) & (ends <= end + samples(0.1))).any())
    return total


def fixed(hangover: float) -> SegmenterSettings:
    """Return settings with one fixed hangover."""
    length = samples(hangover)
    return SegmenterSettings(hangover=length, min_hangover=length, max_hangover=length, partial_interval=Samples(0))


def adaptive(tolerated: float) -> SegmenterSettings:
    """Return the default settings, with other tolerated false cuts per minute."""
    pauses.TOLERATED = tolerated / samples(60.0)
    return SegmenterSettings(partial_interval=Samples(0))


resolved = None


@click.command()
@click.option("--dataset", "spec", default="bundled", show_default=True, help="As asrd compare takes it.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--backend", "name", default="int8", show_default=True)
@click.option("--sentences", default=6, show_default=True, help="A recording.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the curves in this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(*, spec: str, model: str, name: str, sentences: int, plot: Path | None, as_json: bool) -> None:
    """Measure endpoints, fixed and adaptive, with and without the recogniser."""
    global resolved  # noqa: PLW0603 - one model per run
    resolved = resolve(model)
    backend = load(name, resolved)
    quiet = [*recordings_of(dataset(str(Path(spec) / "manifest.jsonl") if Path(spec).is_dir() else spec), sentences)]
    rows: list[dict[str, Any]] = []
    ways: list[tuple[str, float, Callable[[], SegmenterSettings], Backend | None]] = [
        *(("fixed", value, partial(fixed, value), None) for value in FIXED),
        *(("adaptive", value, partial(adaptive, value), None) for value in TOLERATED),
        *(("adaptive + recogniser", value, partial(adaptive, value), backend) for value in TOLERATED),
    ]
    jobs = [(noise, way) for noise in NOISES for way in ways]
    heard: list[Recording] = []
    for noise, (way, value, settings, asked) in track(jobs, "measuring", console=Console(stderr=True)):
        if (way, value) == ("fixed", FIXED[0]):
            chance = np.random.default_rng(1)
            heard = [
                Recording(one.pcm + NOISES[noise](len(one.pcm), chance), one.sentences, one.hesitations)
                for one in quiet
            ]
        rows.append({"noise": noise, "way": way, "value": value, **count(heard, settings(), asked).row()})
    if plot:
        with styled():
            save(draw(rows), plot)
    if as_json:
        click.echo(json.dumps(rows))
        return
    duration = sum(len(one.pcm) for one in quiet) / SAMPLE_RATE / 60
    total = sum(len(one.sentences) for one in quiet)
    click.echo(f"{total} sentences in {len(quiet)} recordings, {duration:.1f} minutes each time")
    bins = [f"{low}–{high} s" for low, high in pairwise(BINS)]
    table = Table("noise", "way", "value", "false cuts", "missed", "p50", "p95", *bins, box=None)
    for row in rows:
        shown = (
            f"{row['false_cuts']:.1%}",
            f"{row['missed']:.1%}",
            f"{row['delay_p50']:.2f}",
            f"{row['delay_p95']:.2f}",
        )
        table.add_row(row["noise"], row["way"], f"{row['value']:g}", *shown, *(f"{x:.0%}" for x in row["cut_by_pause"]))
    Console(width=140).print(table)


def recordings_of(clips: list[Clip], sentences: int) -> Iterator[Recording]:
    """Make one recording for each speaker and kind, of sentences that no other kind of this speaker has."""
    speakers: dict[str, list[Clip]] = {}
    for clip in clips:
        speakers.setdefault(clip.speaker, []).append(clip)
    several = [own for own in speakers.values() if len(own) >= len(HESITATIONS) * 3]
    # where every clip has a speaker of its own, all count as one speaker
    for number, own in enumerate(several or [clips]):
        size = min(sentences, len(own) // len(HESITATIONS))
        for turn, kind in enumerate(HESITATIONS):
            chance = np.random.default_rng([number, turn])
            yield record(own[turn * size : (turn + 1) * size], kind, chance)


def draw(rows: list[dict[str, Any]]) -> Any:
    """Draw false cuts over delay, one curve per method, one panel per noise."""
    figure, axes = panels(1, len(NOISES), 3.2, sharey=True, sharex=True)
    for axis, noise in zip(axes[0], NOISES, strict=True):
        for way, style, size in WAYS:
            own = [row for row in rows if (row["noise"], row["way"]) == (noise, way) and row["missed"] < 0.5]
            delays, cuts = [row["delay_p50"] for row in own], [100 * row["false_cuts"] for row in own]
            axis.plot(delays, cuts, linestyle=style, label=way, ms=size, fillstyle="none" if size > 6 else "full")
        axis.set(title=noise, xlabel="median delay after\nthe end of a sentence, s")
    axes[0][0].set_ylim(bottom=-1)
    axes[0][0].set_ylabel("sentences cut in two, %")
    legend(figure)
    return figure


if __name__ == "__main__":
    main()
