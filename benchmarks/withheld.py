"""Count how much speech is taken for noise, knocks or notes, so that its text is withheld: none should be.

    pip install '.[quant]'
    python benchmarks/withheld.py --speech path/to/folder --page docs/vad.md

Each utterance, clean and degraded in several ways, goes through the default detector and the check for other sounds
after it (`daemon/recognition/nonspeech.py`). No recogniser is needed. The count is of the utterances that the detector
cuts out and that hold 0.2 s of speech or more, as the clean recording shows (`in_noise.py`).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import sounds
import soxr
from in_noise import STEP, activity, noise
from page import put, table
from rich.console import Console
from rich.progress import track

from asrd.core.flow import FloatArray, Hypothesis, Onset, Window
from asrd.core.units import SAMPLE_RATE, samples
from asrd.daemon.recognition.nonspeech import Evidence
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.vad import create
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import dataset, read

MARGIN = samples(1.0)
SAID = Hypothesis("SAID")


def whispered(pcm: FloatArray) -> FloatArray:
    """Replace the voice by noise: the spectrum of each 8 ms, too short to resolve harmonics, with random phases."""
    size, hop = 128, 64
    taper = np.hanning(size)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(pcm, size), size)[::hop] * taper
    hiss = np.random.default_rng(0).standard_normal(frames.shape) * taper
    parts = np.fft.irfft(np.abs(np.fft.rfft(frames, 2 * size)) * np.fft.rfft(hiss, 2 * size))
    whole = np.zeros(len(frames) * hop + 2 * size)
    for number, part in enumerate(parts):
        whole[number * hop : number * hop + 2 * size] += part
    return (whole[size : size + len(pcm)] * (pcm.std() / whole.std())).astype(np.float32)


def telephone(pcm: FloatArray) -> FloatArray:
    """Reduce to 8 kHz and 8 bits on the scale of ITU-T G.711's µ-law."""
    narrow = np.clip(soxr.resample(pcm, SAMPLE_RATE, 8000), -1, 1)
    steps = np.round(127 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 127
    coded = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return np.asarray(soxr.resample(coded, 8000, SAMPLE_RATE), np.float32)


def echoing(pcm: FloatArray) -> FloatArray:
    """Add a room's echo, which falls by 60 dB in 0.6 s and is as loud as the voice itself."""
    time = np.arange(samples(0.6)) / SAMPLE_RATE
    room = np.random.default_rng(1).standard_normal(len(time)) * np.exp(-6.9 * time / 0.6)
    room *= 1 / np.sqrt(np.sum(room**2))
    size = len(pcm) + len(time)
    echo = np.fft.irfft(np.fft.rfft(pcm, size) * np.fft.rfft(room, size), size)[: len(pcm)]
    return (pcm + echo).astype(np.float32)


PLAIN: dict[str, Callable[[FloatArray], FloatArray]] = {
    "clean": lambda pcm: pcm,
    "40 dB quieter": lambda pcm: pcm * np.float32(0.01),
    "telephone": telephone,
    "echoing room": echoing,
    "whispered": whispered,
}
NOISES, RATIOS = ("white", "pink", "babble", "clicks", "music"), (20, 10, 0)


def spoilt(clips: list[FloatArray]) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Yield the condition, the clean clip, and the degraded clip with a second before and after it."""
    for number, clip in enumerate(clips):
        for name, change in PLAIN.items():
            yield name, clip, np.pad(change(clip), MARGIN)
        padded = np.pad(clip, MARGIN)
        level = 20 * np.log10(sounds.rms(clip[: len(clip) // STEP * STEP].reshape(-1, STEP)[activity(clip)]))
        for kind in NOISES:
            pcm = noise(kind, len(padded), number, clips[number % 7 :: 7])
            for ratio in RATIOS:
                yield f"{kind} {ratio}", clip, padded + sounds.at_level(pcm, level - ratio)


@click.command()
@click.option("--speech", default="bundled", show_default=True, help="A data set, as 'asrd compare --dataset'.")
@click.option("--limit", default=0, help="Take so many utterances, evenly; 0 takes all.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/vad.md.")
def main(*, speech: str, limit: int, page: Path | None) -> None:
    """Count the utterances whose text is withheld."""
    spec = str(Path(speech, "manifest.jsonl")) if Path(speech, "manifest.jsonl").is_file() else speech
    chosen, geometry = dataset(spec), resolve(DEFAULT_MODEL).geometry
    clips = [read(clip) for clip in chosen[:: -(-len(chosen) // limit) if limit else 1]]
    counts: dict[str, list[int]] = {}
    total = len(clips) * (len(PLAIN) + len(NOISES) * len(RATIOS))
    for name, clip, heard in track(spoilt(clips), "listening", total, console=Console(stderr=True)):
        active, evidence, start = np.repeat(activity(clip), STEP), Evidence(), 0
        segmenter = Segmenter(create(), geometry)
        for item in [*segmenter.push(heard.astype(np.float32)), *segmenter.flush()]:
            if isinstance(item, Onset):
                evidence, start = Evidence(), item.start
                continue
            text = evidence.weigh(item, SAID).text
            if isinstance(item, Window) and item.last:
                spoken = active[max(0, start - MARGIN) : max(0, item.keep_end - MARGIN)].sum() >= samples(0.2)
                count = counts.setdefault(name, [0, 0])
                count[0] += not text and bool(spoken)
                count[1] += bool(spoken)
    rows = [[name, f"{withheld} of {of}"] for name, (withheld, of) in counts.items()]
    shown = table(["speech", "utterances withheld"], rows)
    click.echo(shown)
    if page:
        put(page, "withheld", shown)


if __name__ == "__main__":
    main()
