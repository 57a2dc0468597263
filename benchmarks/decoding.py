"""Measure the effect of beam search, a language model and hot words on error rates, and their cost in time.

    pip install '.[lm,quant]'
    python benchmarks/decoding.py --dataset speech/manifest.jsonl --json > decoding.json

Every decoder gets the same frames, cut and stitched as in the daemon. Weights are those that `asrd tune` found for the
model, with other speech. The hot words are drawn from the references: a tenth of the long words, as a speaker would
have listed terms beforehand, and as many words that are never said. Intervals are bootstrap intervals over utterances.
"final" is the time to decode what is left when an utterance ends; the longest are clips joined to 25 s.
"""

import json
import random
import re
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from asrd.backends import load
from asrd.core.units import Samples, samples
from asrd.daemon.recognition.decoding import Boosts, DecoderOptions, make_decoding
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.models import ModelDirectory
from asrd.models.lm import resolve as language_model
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.data import check, dataset
from asrd.quant.evaluation.decode import Clock, Utterances, emissions, text
from asrd.quant.evaluation.score import score

LONG, SHARE = 6, 0.1
"""Fewest letters of a term, and the share of such words that become hot words."""

BOOST = 8.0
LONGEST = samples(25.0)


@click.command()
@click.option("--dataset", "datasets", multiple=True, required=True, help="Transcribed speech. Repeatable.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--backend", default="fp16", show_default=True)
@click.option("--lm", help="As 'asrd start' takes it.  [default: the model's own, else en]")
@click.option("--limit", type=int, help="Take the first N clips of each.")
@click.option("--json", "as_json", is_flag=True)
def main(
    *, datasets: tuple[str, ...], model: str, backend: str, lm: str | None, limit: int | None, as_json: bool
) -> None:
    """Measure error rates and times of all decoders."""
    source = resolve(model)
    loaded = load(backend, source)
    name = lm or make_decoding(DecoderOptions("beam"), source).lm
    name = "en" if name == "none" else name
    rows = []
    for spec in datasets:
        clips = check(dataset(spec)).clips[:limit]
        heard = emissions(loaded, clips)
        references = [clip.text for clip in clips]
        hot, others = terms(references, language_model(name).words)
        boosts = dict.fromkeys([*hot, *others], BOOST)
        for label, options, given in (
            ("greedy", DecoderOptions("greedy"), {}),
            ("beam", DecoderOptions("beam", lm="none"), None),
            ("beam, LM", DecoderOptions("beam", lm=name), {}),
            ("beam, LM, hot words", DecoderOptions("beam", lm=name), boosts),
        ):
            found = measure(source, heard, references, options=options, boosts=given, hot=hot)
            rows.append({"speech": spec, "decoder": label, **found})
            if not as_json:
                click.echo(line(rows[-1]))
    loaded.close()
    if as_json:
        click.echo(json.dumps({"model": source.name, "backend": backend, "lm": name, "rows": rows}, indent=2))


def terms(references: Sequence[str], known: Sequence[str]) -> tuple[list[str], list[str]]:
    """Draw long words that are said, and as many that are not."""
    said = sorted({word for one in references for word in one.lower().split()})
    drawn = random.Random(0)
    long = [word for word in said if len(word) >= LONG and word.isalpha()]
    hot = drawn.sample(long, max(1, round(SHARE * len(long))))
    unsaid = sorted(word for word in set(known) - set(said) if len(word) >= LONG and re.fullmatch("[a-z]+", word))
    return hot, drawn.sample(unsaid, min(len(hot), len(unsaid)))


def measure(
    model: ModelDirectory,
    heard: Sequence[Utterances],
    references: Sequence[str],
    *,
    options: DecoderOptions,
    boosts: Boosts | None,
    hot: Sequence[str],
) -> dict[str, Any]:
    """Measure one row. boosts: where None, a word that nobody says is boosted, so that there is something to search
    for.
    """
    decoding, stride = make_decoding(options, model), model.geometry.stride
    boosts = {"zzzzz": 1.0} if boosts is None else boosts
    clock, longest = Clock(), Clock()
    texts = [text(decoding, clip, stride, boosts=boosts, clock=clock) for clip in heard]
    for clip in joined(heard, LONGEST // stride):
        text(decoding, [clip], stride, boosts=boosts, clock=longest)
    found = score(references, texts)
    recalled, total = recall(references, texts, set(hot))
    return {
        "wer": [round(x, 4) for x in (found.wer.value, found.wer.low, found.wer.high)],
        "cer": [round(x, 4) for x in (found.cer.value, found.cer.low, found.cer.high)],
        "terms": [recalled, total],
        "ms_per_second": round(1000 * clock.spent / clock.audio, 2),
        "final_ms": [round(1000 * float(x), 1) for x in np.quantile(clock.finals, [0.5, 0.95])],
        "final_ms_25s": [round(1000 * float(x), 1) for x in np.quantile(longest.finals or [0.0], [0.5, 1.0])],
    }


def joined(heard: Sequence[Utterances], count: int) -> list[Frames]:
    """Join the frames of all clips, and cut them into utterances of `count` frames."""
    every = [frames.log_probs for clip in heard for frames in clip]
    if not every:
        return []
    rows = np.concatenate(every)
    bounds = Samples(0), Samples(count)
    return [Frames(rows[at : at + count], np.arange(count), bounds) for at in range(0, len(rows) - count + 1, count)]


def recall(references: Sequence[str], texts: Sequence[str], hot: set[str]) -> tuple[int, int]:
    """Return how many of the spoken hot words were heard, and how many were spoken."""
    recalled = total = 0
    for reference, found in zip(references, texts, strict=True):
        heard = found.lower().split()
        for word in hot & set(reference.lower().split()):
            said = reference.lower().split().count(word)
            total += said
            recalled += min(said, heard.count(word))
    return recalled, total


def line(row: dict[str, Any]) -> str:
    """Format a row for people."""
    wer, cer = ("{:.1f} ({:.1f}–{:.1f})".format(*(100 * value for value in row[rate])) for rate in ("wer", "cer"))
    spoken = "terms {}/{}".format(*row["terms"])
    times = f"{row['ms_per_second']} ms/s, final {row['final_ms']} ms, of 25 s {row['final_ms_25s']} ms"
    return f"{row['speech'][-24:]:24} {row['decoder']:20} WER {wer:18} CER {cer:18} {spoken} {times}"


if __name__ == "__main__":
    main()
