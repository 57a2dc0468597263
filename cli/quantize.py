"""`asrd quantize`: build an INT8 model under accuracy control, and prove it."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from asrd.cli.memory import bounded, peak
from asrd.cli.plain import Console
from asrd.cli.preparation import least, prepare
from asrd.cli.progress import ProgressBar
from asrd.cli.recognition import model_option
from asrd.cli.say import echo
from asrd.cli.values import Number
from asrd.core.datasets import FORMS
from asrd.core.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from asrd.models import ModelDirectory
    from asrd.quant.recipe import Recipe
    from asrd.quant.result import Result
    from asrd.quant.split import Split


@cloup.command()
@cloup.option_group(
    "Model and data",
    model_option,
    cloup.option(
        "--dataset",
        default="bundled",
        show_default=True,
        help=f"{FORMS}. docs/datasets.md describes them.",
    ),
    cloup.option("--test-dataset", default="", metavar="DATASET", help="Prove the result on this data set instead."),
    cloup.option("-o", "--output", type=click.Path(path_type=Path), help="New model directory to write."),
    cloup.option("--calibration", type=click.IntRange(1), help="Utterances for calibration.  [default: a fifth]"),
    cloup.option("--validation", type=click.IntRange(1), help="Utterances for accuracy control.  [default: a fifth]"),
    cloup.option("--test", type=click.IntRange(1), help="Utterances to prove the result on.  [default: half]"),
    cloup.option("--same-data", is_flag=True, help="Use the same utterances for all three, as in NNCF's tutorial."),
    cloup.option("--seed", default=0, show_default=True, help="Random seed for the split and the windows."),
)
@cloup.option_group(
    "Accuracy control",
    cloup.option(
        "--metric",
        type=click.Choice(["both", "wer", "cer"]),
        default="both",
        show_default=True,
        help="Error rates held to --max-drop, by accuracy control and by the proof.",
    ),
    cloup.option(
        "--max-drop",
        default=0.01,
        show_default=True,
        type=Number(0, 1),
        help="Largest allowed drop in accuracy. 0.01 is one point.",
    ),
    cloup.option(
        "--drop-type",
        type=click.Choice(["absolute", "relative"]),
        default="absolute",
        show_default=True,
        help="Whether --max-drop is absolute or relative to the original accuracy (1 - error rate).",
    ),
    cloup.option(
        "--accept-uncertain",
        is_flag=True,
        help="Write the model also if the test set is too small to tell whether it is good enough.",
    ),
    cloup.option("--fast", is_flag=True, help="Skip accuracy control. The result is still proved."),
    cloup.option(
        "--ranking-subset-size",
        default=25,
        show_default=True,
        type=click.IntRange(1),
        help="Utterances used to rank layers.",
    ),
    cloup.option(
        "--max-reverted",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Most groups of operations to revert. 0: no limit.",
    ),
    cloup.option(
        "--sensitivity/--no-sensitivity",
        default=True,
        show_default=True,
        help="Measure each layer's sensitivity for the report.",
    ),
)
@cloup.option_group(
    "Quantization",
    cloup.option(
        "--windows", default=300, show_default=True, type=click.IntRange(1), help="Most windows used for calibration."
    ),
    cloup.option(
        "--calibrate-on",
        type=click.Choice(["windows", "utterances"]),
        default="windows",
        show_default=True,
        help="Calibrate on windows as the daemon cuts them, or on plainly cut utterances.",
    ),
    cloup.option(
        "--preset",
        type=click.Choice(["mixed", "performance"]),
        default="mixed",
        show_default=True,
        help="NNCF preset: mixed has asymmetric activations; performance is symmetric and may be faster.",
    ),
    cloup.option(
        "--smooth-quant",
        default=0.95,
        show_default=True,
        type=Number(max=1),
        help="SmoothQuant's alpha. Negative: off.",
    ),
    cloup.option(
        "--per-tensor-weights", is_flag=True, help="Use one weight scale per layer instead of one per channel."
    ),
    cloup.option(
        "--keep-float",
        "--ignored-scope",
        multiple=True,
        metavar="PATTERN",
        help="Layers to keep in floating point, such as 'front.*'. Repeatable.",
    ),
)
@cloup.option_group(
    "Running",
    cloup.option(
        "--arithmetic",
        type=click.Choice(["f32", "bf16"]),
        default="f32",
        show_default=True,
        help="What stays in floating point is computed in 32 bits or in 16; the result is proved with that.",
    ),
    cloup.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Models ranked in parallel."),
    cloup.option(
        "--memory",
        type=Number(0, min_open=True),
        metavar="GIB",
        help="Most resident memory; the run ends rather than take more.",
    ),
    cloup.option(
        "--resume", is_flag=True, help="Continue a run that was interrupted or refused; its bound may be another now."
    ),
    cloup.option(
        "--advise", is_flag=True, help="Try several recipes and show the best by accuracy and speed. Writes no model."
    ),
    cloup.option(
        "--budget",
        default=30.0,
        show_default=True,
        type=Number(0, min_open=True),
        metavar="MINUTES",
        help="Time for --advise.",
    ),
)
def quantize(
    *,
    model: str,
    output: Path | None,
    resume: bool,
    advise: bool,
    budget: float,
    memory: float | None,
    ranking_subset_size: int,
    max_reverted: int,
    **options: Any,
) -> None:
    """Build an INT8 model with NNCF, and prove what it costs on speech it was not built with.

    The proof is the 95 % interval of what is lost on the test set, by paired bootstrap. If it lies within
    --max-drop, the model is written. If it lies beyond, or reaches beyond so that the test set cannot
    tell, nothing is written and the exit code is 1.

    \b
    Examples:
      asrd quantize --model facebook/wav2vec2-base-960h --dataset speech.jsonl -o base-int8
      asrd quantize --dataset bundled --max-drop 0.03 -o mine-int8
      asrd quantize --dataset hf:librispeech_asr:clean:validation -o base-int8 --drop-type relative
      asrd quantize --advise --dataset speech.jsonl --budget 20
      asrd start --model base-int8
    """
    if (output is None) == (not advise):
        raise UsageError("give either -o OUT, the directory to write, or --advise")
    if importlib.util.find_spec("nncf") is None:  # say so before the speech is read
        raise MissingExtraError("quant", "'asrd quantize'")
    from asrd.quant.build import JOURNAL
    from asrd.quant.workspace import check_output

    if output:
        check_output(output, JOURNAL if resume else None)
    options |= {"ranking_subset": ranking_subset_size, "iterations": max_reverted}
    with bounded(memory, least(model) if memory else 0, ", and add --resume" if output else ""):
        source, recipe, parts = prepare(model, options, proved=output is not None)
        if output:
            _build(source, output, recipe, parts, resume)
        else:
            _advise(source, model, recipe, parts, budget * 60)


def _build(source: "ModelDirectory", output: Path, recipe: "Recipe", parts: "Split", resume: bool) -> None:
    from asrd.quant.build import build

    try:
        with ProgressBar() as progress:
            result = build(source, output, recipe, parts, resume=resume, progress=progress)
    except KeyboardInterrupt:
        echo("asrd: stopped; the same command with --resume goes on from here", err=True)
        raise
    _show(result)
    echo(f"wrote {output}, with manifest.json, proof.jsonl and report.html; {peak():.1f} GiB of memory at most")


def _advise(source: "ModelDirectory", model: str, recipe: "Recipe", parts: "Split", budget: float) -> None:
    from asrd.cli.advise import show
    from asrd.quant.advise import advise

    with ProgressBar() as progress:
        points = advise(source, recipe, parts, budget, progress)
    show(points, model)


def _show(result: "Result") -> None:
    from asrd.cli.compare import table

    console = Console()
    console.print(table(result.measurements, result.sizes))
    console.print(result.proof.verdict, soft_wrap=True)
    if result.conditions.busy:
        console.print(f"Do not quote these speeds: {result.conditions.busy}.", soft_wrap=True)
