"""Measure how bad input changes the text: clipping, an offset, telephones, two voices, changing levels.

    pip install '.[quant]'
    python benchmarks/bad_input.py --speech path/to/folder --page docs/bad-input.md

Each utterance, with a second of silence before and after it, goes through the daemon's own stages and is decoded with
the default decoder. Telephone audio is written to a WAV file of 8 kHz and read back. The benchmark fails unless a
stream's position at the end is that of its audio, and utterances follow each other within it. Speech in sub-folders is
reported per folder.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import soundfile
import soxr
from page import put, table
from rich.console import Console
from rich.progress import track
from rich.table import Table

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, Samples
from asrd.daemon.offline import transcribe
from asrd.daemon.recognition.decoding import DecoderOptions, Decoding, make_decoding
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.vad import create
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import Clip, dataset, read
from asrd.quant.evaluation.score import error_rate

ROOM = 10 ** (-95 / 20)
"""Root mean square of the noise everywhere, relative to full scale: about the rounding error of 16 bits, far below
speech that is made quieter.
"""

STEP = np.float32(0.01)
"""Factor of -40 dB."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Audio, and what is said in it. pcm: `(samples,)`."""

    pcm: FloatArray
    text: str


def quietest(pcm: FloatArray) -> int:
    """Find where the level may change with the least harm: the quietest 50 ms of the middle third."""
    third, size = len(pcm) // 3, SAMPLE_RATE // 20
    power = np.convolve(np.square(pcm[third : 2 * third]), np.ones(size), "same")
    return third + int(power.argmin())


def falls(pcm: FloatArray) -> FloatArray:
    """Lower the level by 40 dB from about the middle on."""
    return np.where(np.arange(len(pcm)) < quietest(pcm), pcm, pcm * STEP)


def rises(pcm: FloatArray) -> FloatArray:
    """Lower the level by 40 dB up to about the middle."""
    return np.where(np.arange(len(pcm)) < quietest(pcm), pcm * STEP, pcm)


def over(one: Spoken, other: Spoken) -> Spoken:
    """Lay another speaker, who says something else at the same level, over the first, whose words count."""
    louder = one.pcm.std() / other.pcm.std()
    return Spoken(one.pcm + louder * np.resize(other.pcm, len(one.pcm)), one.text)


def after(one: Spoken, other: Spoken) -> Spoken:
    """Put another utterance, 40 dB louder, and a pause of 1 s before this one; the words of both count."""
    pause = np.zeros(SAMPLE_RATE, np.float32)
    return Spoken(np.concatenate([other.pcm, pause, one.pcm * STEP]), f"{other.text} {one.text}")


INPUTS: dict[str, Callable[[Spoken, Spoken], Spoken]] = {
    "clean": lambda one, _: one,
    "20 dB louder, clipped": lambda one, _: Spoken(one.pcm * 10, one.text),
    "an offset of 0.3": lambda one, _: Spoken(one.pcm + np.float32(0.3), one.text),
    "8 kHz": lambda one, _: one,
    "8 kHz, µ-law": lambda one, _: one,
    "two speakers at once": over,
    "40 dB quieter": lambda one, _: Spoken(one.pcm * STEP, one.text),
    "falls by 40 dB": lambda one, _: Spoken(falls(one.pcm), one.text),
    "rises by 40 dB": lambda one, _: Spoken(rises(one.pcm), one.text),
    "after one 40 dB louder": after,
}
FILES = {"8 kHz": "PCM_16", "8 kHz, µ-law": "ULAW"}
"""Inputs that come from a file of 8 kHz, and the file's sample format."""


def blocks(spoken: Spoken, subtype: str, folder: Path) -> Iterable[FloatArray]:
    """Return the audio as a source gives it, clipped at full scale as by a sound card."""
    rng, margin = np.random.default_rng(len(spoken.pcm)), SAMPLE_RATE
    pcm = np.pad(spoken.pcm, margin) + rng.normal(0, ROOM, len(spoken.pcm) + 2 * margin)
    pcm = np.clip(pcm, -1, 1).astype(np.float32)
    if not subtype:
        return [pcm]
    path = folder / "telephone.wav"
    soundfile.write(path, soxr.resample(pcm, SAMPLE_RATE, 8000), 8000, subtype=subtype)
    return read_blocks(path)


def recognise(audio: Iterable[FloatArray], backend: Backend, decoding: Decoding) -> str:
    """Return the text of a recording. Raises AssertionError where the clock is not exact."""
    whole = list(audio)
    segmenter = Segmenter(create(), backend.model.geometry, SegmenterSettings(partial_interval=Samples(0)))
    heard, end, length = list(transcribe(whole, backend, segmenter, decoding)), 0, sum(map(len, whole))
    for one in heard:
        assert end <= one.start < one.end <= length, "utterances overlap, or lie beyond the stream"
        end = one.end
    assert segmenter.position == length - length % create().frame, "the clock has drifted"
    return " ".join(one.hypothesis.text for one in heard)


def measure(backend: Backend, decoding: Decoding, clips: list[Clip], label: str) -> dict[str, str]:
    """Return WER and CER in % for each input."""
    spoken = [Spoken(read(clip), clip.text) for clip in clips]
    others = [spoken[(number + len(spoken) // 2) % len(spoken)] for number in range(len(spoken))]
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in track(INPUTS.items(), label, console=Console(stderr=True)):
            made = [make(one, other) for one, other in zip(spoken, others, strict=True)]
            heard = [recognise(blocks(one, FILES.get(name, ""), Path(folder)), backend, decoding) for one in made]
            wer, cer = (100 * error_rate(metric, [one.text for one in made], heard) for metric in ("wer", "cer"))
            rates[name] = f"{wer:.1f} / {cer:.1f}"
    return rates


@click.command()
@click.option(
    "--speech", default="bundled", show_default=True, help="A data set, as 'asrd compare --dataset' takes it."
)
@click.option("--backend", "names", multiple=True, default=["fp16", "int8"], show_default=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--limit", default=20, show_default=True, help="Take so many utterances of each folder, evenly.")
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/bad-input.md.")
def main(*, speech: str, names: tuple[str, ...], model: str, limit: int, page: Path | None) -> None:
    """Measure WER and CER on bad input."""
    spec = str(Path(speech, "manifest.jsonl")) if Path(speech, "manifest.jsonl").is_file() else speech
    folders: dict[str, list[Clip]] = {}
    for clip in dataset(spec):
        folders.setdefault(clip.id.rpartition("/")[0] or Path(speech).stem, []).append(clip)
    columns: dict[str, dict[str, str]] = {}
    for name in names:
        backend = load(name, resolve(model))
        decoding = make_decoding(DecoderOptions(), backend.model)
        for folder, clips in folders.items():
            label = f"{folder} ({len(some := clips[:: -(-len(clips) // limit)])}), {name}"
            columns[label] = measure(backend, decoding, some, label)
        backend.close()
    titles, rows = ["WER / CER, %", *columns], [[name, *(each[name] for each in columns.values())] for name in INPUTS]
    shown = Table(*titles, caption="no crash, and every clock exact to the sample")
    for row in rows:
        shown.add_row(*row)
    Console(width=160).print(shown)
    if page:
        put(page, "bad", table(titles, rows))


if __name__ == "__main__":
    main()
