"""Measure the effect on the text of cutting over-long utterances.

    pip install '.[lm,quant]'
    python benchmarks/overlong.py --page docs/endpoints.md

Sentences are joined to monologues without a pause, and heard with a limit that no utterance reaches, and with limits
that are far too short. The cuts are where the segmenter finds them least harmful. Their harm is the difference of the
error rates, with a 95 % interval from a paired bootstrap over monologues.
"""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from endpoints import speech_of
from page import put, table
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from streaming_paths import Decodings, Listened, streamed
from streaming_tax import parts

from asrd.backends import Backend, load
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, samples
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.decoding.options import default_decoder
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.evaluation.bootstrap import rate
from asrd.quant.evaluation.score import errors

TOGETHER = 8
"""Sentences per monologue: half a minute."""

NEVER = 600.0
"""A limit in seconds that no monologue reaches."""

PATIENT = samples(0.9)
"""Silence that ends an utterance: longer than any between two sentences or within one."""

TITLES = ("speech", "decoder", "limit", "cuts", "words", "WER", "harm", "words otherwise")


def recognise(backend: Backend, pcm: FloatArray, limit: float, others: Decodings) -> Listened:
    """Hear a monologue `(samples,)` as the daemon does, cut at `limit` seconds."""
    settings = replace(
        SegmenterSettings(), max_utterance=samples(limit), hangover=PATIENT, min_hangover=PATIENT, max_hangover=PATIENT
    )
    return streamed(backend, pcm, settings, others)


def rows(speech: str, said: list[str], found: dict[float, list[Listened]]) -> list[list[str]]:
    """Make a row for each decoder and limit."""
    made = []
    whole = found[NEVER]
    for decoder in whole[0].texts:
        for limit, heard in found.items():
            texts, uncut = [one.texts[decoder] for one in heard], [one.texts[decoder] for one in whole]
            wrong, lengths = errors("wer", said, texts)
            known, _ = errors("wer", said, uncut)
            harm = rate([b - a for a, b in zip(known, wrong, strict=True)], lengths)
            told = f"{100 * harm.value:+.1f} [{100 * harm.low:+.1f}, {100 * harm.high:+.1f}]" if limit < NEVER else ""
            cuts, otherwise = sum(one.cuts for one in heard), sum(errors("wer", uncut, texts)[0])
            wer = f"{100 * sum(wrong) / sum(lengths):.1f}"
            length = f"{limit:g} s" if limit < NEVER else "none"
            made.append([speech, decoder, length, str(cuts), str(sum(lengths)), wer, told, str(otherwise)])
    return made


@click.command()
@click.option("--speech", multiple=True, default=["bundled"], show_default=True, help="As 'asrd compare --dataset'.")
@click.option("--backend", "name", default="fp16", show_default=True)
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--limit", "limits", multiple=True, type=float, default=[12.0, 8.0, 5.0], show_default=True)
@click.option("--page", type=click.Path(path_type=Path), help="Put the table into this page, as docs/endpoints.md.")
def main(*, speech: tuple[str, ...], name: str, model: str, limits: tuple[float, ...], page: Path | None) -> None:
    """Measure the harm of cutting monologues."""
    directory, told = resolve(model), list[list[str]]()
    backend, decoder = load(name, directory), default_decoder()
    others: Decodings = {decoder: make_decoding(DecoderOptions(decoder), directory)} if decoder != "greedy" else {}
    backend.warm_up(MAX_WINDOW)
    with Progress(console=Console(stderr=True)) as progress:
        for label, clips in parts(speech, None).items():
            groups = [clips[first : first + TOGETHER] for first in range(0, len(clips), TOGETHER)]
            audio = [np.concatenate([speech_of(clip) for clip in group]) for group in groups]
            tried = (NEVER, *limits)
            task = progress.add_task(label, total=len(tried) * len(audio))
            found: dict[float, list[Listened]] = {limit: [] for limit in tried}
            for limit in tried:
                for pcm in audio:
                    found[limit].append(recognise(backend, pcm, limit, others))
                    progress.advance(task)
            told += rows(label, [" ".join(clip.text for clip in group) for group in groups], found)
    shown = Table(*TITLES, caption="harm in points of WER")
    for one in told:
        shown.add_row(*one)
    Console(width=120).print(shown)
    if page:
        put(page, "overlong", table(TITLES, told))


if __name__ == "__main__":
    main()
