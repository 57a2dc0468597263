"""`asrd tune`: find the weights that go with a language model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asrd.cli import complete
from asrd.cli.clips import usable
from asrd.cli.progress import ProgressBar
from asrd.cli.recognition import beam_width_option, model_option
from asrd.cli.say import echo

if TYPE_CHECKING:
    from asrd.quant.decoder_tuning import Tried


@click.command()
@model_option
@click.option("--lm", default="en", show_default=True, help="Language model: en, or a file of KenLM's.")
@click.option(
    "--backend",
    shell_complete=complete.backends,
    default="fp16",
    show_default=True,
    help="Backend that recognises the speech. The weights serve all backends.",
)
@click.option("--dataset", default="bundled", show_default=True, help="Speech, as 'asrd quantize' takes it.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Take N utterances.  [default: all]")
@click.option("--seed", default=0, show_default=True, help="Random seed for --limit.")
@beam_width_option
@click.option("--json", "as_json", is_flag=True, help="Print all weights tried, as JSON.")
def tune(
    *, model: str, lm: str, backend: str, dataset: str, limit: int | None, seed: int, beam_width: int, as_json: bool
) -> None:
    """Find the best language model weights for a model, and save them in its directory.

    Writes decoding.json, which also makes this language model the model's own. Do not use speech here for which
    you will publish error rates.

    \b
    Example:
      asrd tune --model my-model --lm my-words.bin --dataset my-speech.jsonl
    """
    from asrd.backends import load
    from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
    from asrd.models import store
    from asrd.models.learned import check_apart
    from asrd.quant import data
    from asrd.quant.decoder_tuning import Tuner, save
    from asrd.quant.evaluation.decode import emissions

    source = store.resolve(model)
    check_apart(source)
    make_decoding(DecoderOptions("beam", lm, beam_width), source)  # anything missing fails before speech is heard
    listed = data.dataset(dataset)
    loaded = load(backend, source)
    with ProgressBar() as progress:
        clips = usable(listed, progress, limit, seed)
        progress.stage("hearing", len(clips))
        heard = emissions(loaded, clips, progress.advance)
        loaded.close()
        progress.stage("trying weights", None)

        def tried(one: "Tried") -> None:
            progress.advance()
            progress.notice(_line(one))

        tuner = Tuner(source, heard, [clip.text for clip in clips], tried)
        greedy = tuner.greedy()
        best = tuner.tune(lm, beam_width)
    path = save(
        source, best, greedy, dataset=Path(dataset).name, clips=len(clips), backend=backend, beam_width=beam_width
    )
    echo(f"wrote {path}", err=True)
    if as_json:
        rows = [asdict(one.settings) | {"wer": one.score.wer.value} for one in tuner.tried.values()]
        echo(json.dumps({"greedy": greedy.wer.value, "best": best.score.wer.value, "tried": rows}))
    else:
        echo(f"greedy: WER {greedy.wer.value:.1%}, CER {greedy.cer.value:.1%}")
        echo(_line(best))


def _line(one: "Tried") -> str:
    weights = ", ".join(
        f"{name.replace('_', ' ')} {value:g}" for name, value in asdict(one.settings).items() if name != "lm"
    )
    return f"{weights}: WER {one.score.wer.value:.1%}, CER {one.score.cer.value:.1%}"
