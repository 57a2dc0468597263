"""`asrd quantize`: build an INT8 model under accuracy control, and prove it."""

import importlib.util
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asrd.cli.clips import usable
from asrd.cli.plain import Console
from asrd.cli.stages import Stages
from asrd.cli.values import Number
from asrd.core.errors import AsrdError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from asrd.models import ModelDirectory
    from asrd.quant.outcome import Result
    from asrd.quant.recipe import Recipe
    from asrd.quant.split import Split

GIB = 2**30
SHOWN = 10
"""Letters that are named one by one."""


@click.command()
@click.option("--model", default="asrd-tiny-en", show_default=True, help="Name, hub id or directory.")
@click.option(
    "--dataset",
    default="bundled",
    show_default=True,
    help="bundled, hf:NAME[:CONFIG[:SPLIT]], a JSON-lines manifest, or a directory: LibriSpeech or audiofolder.",
)
@click.option("--test-dataset", default="", metavar="DATASET", help="Prove on this one instead.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="New model directory to write.")
@click.option("--calibration", type=click.IntRange(1), help="Utterances to learn from.  [default: a fifth]")
@click.option("--validation", type=click.IntRange(1), help="Utterances to steer by.  [default: a fifth]")
@click.option("--test", type=click.IntRange(1), help="Utterances to prove by.  [default: half]")
@click.option("--same-data", is_flag=True, help="Use the same utterances for all three, as NNCF's tutorial does.")
@click.option("--windows", default=300, show_default=True, type=click.IntRange(1), help="To learn from, at most.")
@click.option(
    "--calibrate-on",
    type=click.Choice(["windows", "utterances"]),
    default="windows",
    show_default=True,
    help="Windows as the daemon cuts them, or utterances cut plainly.",
)
@click.option("--metric", type=click.Choice(["wer", "cer"]), default="wer", show_default=True, help="To steer by.")
@click.option("--max-drop", default=0.01, show_default=True, type=Number(0, 1), help="0.01 is one point.")
@click.option(
    "--drop-type",
    type=click.Choice(["absolute", "relative"]),
    default="absolute",
    show_default=True,
    help="Accuracy lost (1 - error rate), absolute or relative to what there was.",
)
@click.option("--fast", is_flag=True, help="No accuracy control; the result is proved all the same.")
@click.option("--ranking-subset-size", default=25, show_default=True, type=click.IntRange(1), help="To rank layers by.")
@click.option(
    "--max-reverted",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Groups of operations at most; 0 for no bound.",
)
@click.option(
    "--preset",
    type=click.Choice(["mixed", "performance"]),
    default="mixed",
    show_default=True,
    help="NNCF's: activations asymmetric, or all symmetric, which may be faster.",
)
@click.option(
    "--smooth-quant",
    default=0.95,
    show_default=True,
    type=Number(max=1),
    help="SmoothQuant's alpha; negative for none.",
)
@click.option("--per-tensor-weights", is_flag=True, help="One scale a layer instead of one a channel.")
@click.option("--keep-float", "--ignored-scope", multiple=True, metavar="PATTERN", help="Layers, such as 'front.*'.")
@click.option("--sensitivity/--no-sensitivity", default=True, show_default=True, help="Of each layer, in the report.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Models ranked at once.")
@click.option("--memory", type=Number(0, min_open=True), metavar="GIB", help="Fail rather than take more.")
@click.option("--seed", default=0, show_default=True, help="Chooses the split and the windows.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@click.option("--advise", is_flag=True, help="Try several recipes instead, and show the best by accuracy and speed.")
@click.option(
    "--budget",
    default=30.0,
    show_default=True,
    type=Number(0, min_open=True),
    metavar="MINUTES",
    help="Time for --advise.",
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

    Nothing is written when it costs more than --max-drop: the exit code is then 1.

    \b
    Examples:
      asrd quantize --model facebook/wav2vec2-base-960h --dataset speech.jsonl -o base-int8
      asrd quantize --dataset hf:librispeech_asr:clean:validation -o tiny-int8 --drop-type relative
      asrd quantize --advise --dataset speech.jsonl --budget 20
      asrd start --backend int8 --model base-int8
    """
    if (output is None) == (not advise):
        raise UsageError("give either -o OUT, the directory to write, or --advise")
    if importlib.util.find_spec("nncf") is None:  # say so before the speech is read
        raise MissingExtraError("quant", "'asrd quantize'")
    from asrd.quant.build import JOURNAL
    from asrd.quant.draft import check_output

    if output:
        check_output(output, JOURNAL if resume else None)
    options |= {"ranking_subset": ranking_subset_size, "iterations": max_reverted}
    with _bounded(memory):
        source, recipe, parts = _prepare(model, options)
        if output:
            _build(source, output, recipe, parts, resume)
        else:
            _advise(source, model, recipe, parts, budget * 60)


def _prepare(model: str, options: dict[str, Any]) -> "tuple[ModelDirectory, Recipe, Split]":
    """What to quantize, how, and with which speech; says what is about to happen."""
    from asrd.models import store
    from asrd.quant.recipe import Recipe

    source = store.resolve(model)
    sizes = {name: options.pop(name) for name in ("calibration", "validation", "test")}
    parts = _data(options["dataset"], options["test_dataset"], sizes, options["seed"], options["same_data"])
    options |= {name: len(getattr(parts, name)) for name in sizes}
    recipe = Recipe(**options)
    _introduce(source, parts, recipe)
    return source, recipe, parts


def _build(source: "ModelDirectory", output: Path, recipe: "Recipe", parts: "Split", resume: bool) -> None:
    from asrd.quant.build import build

    try:
        with Stages() as stages:
            result = build(source, output, recipe, parts, resume=resume, progress=stages)
    except KeyboardInterrupt:
        click.echo("asrd: stopped; the same command with --resume goes on from here", err=True)
        raise
    _show(result)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    click.echo(f"wrote {output}, with manifest.json and report.html; {peak / GIB:.1f} GiB of memory at most")


def _advise(source: "ModelDirectory", model: str, recipe: "Recipe", parts: "Split", budget: float) -> None:
    from asrd.cli.advise import show
    from asrd.quant.advise import advise

    with Stages() as stages:
        points = advise(source, recipe, parts, budget, stages)
    show(points, model)


def _data(data: str, test_data: str, sizes: dict[str, int | None], seed: int, same: bool) -> "Split":
    """The three sets, of clips that can be used; those that cannot are named.

    A fifth, a fifth and a half of all unless told otherwise: that leaves room to deal out whole speakers.
    """
    from asrd.quant.data import dataset
    from asrd.quant.split import split

    listed, tests = dataset(data), dataset(test_data) if test_data else []
    with Stages() as stages:
        clips = usable(listed, stages)
        proof = usable(tests, stages) if test_data else []
    share = max(1, min(100, len(clips) // (2 if test_data else 5)))
    calibration, validation = sizes["calibration"] or share, sizes["validation"] or share
    if not test_data:
        return split(clips, calibration, validation, sizes["test"] or max(1, min(300, len(clips) // 2)), seed, same)
    chosen = split(proof, 0, 0, sizes["test"] or min(300, len(proof)), seed)
    return replace(split(clips, calibration, validation, 0, seed, same), test=chosen.test)


def _introduce(source: "ModelDirectory", parts: "Split", recipe: "Recipe") -> None:
    """What is about to happen, and what it will take."""
    from asrd.quant.estimate import estimate
    from asrd.quant.text import NORMALIZATION, unspellable

    apart = "by speaker" if parts.by_speaker else "by utterance"
    apart = "the same for all three" if recipe.same_data else f"disjoint {apart}"
    click.echo(
        f"{recipe.calibration} utterances to learn from, {recipe.validation} to steer by, {recipe.test} to prove by, "
        f"{apart}; texts are {NORMALIZATION}",
        err=True,
    )
    lacking = unspellable([clip.text for clip in parts.test], source.vocabulary)
    if lacking:
        letters = ", ".join(f"{letter} ({count})" for letter, count in list(lacking.items())[:SHOWN])
        click.echo(f"the model has no {letters}: words with these letters count as errors", err=True)
    click.echo(estimate(source, parts, recipe).text, err=True)


@contextmanager
def _bounded(gibibytes: float | None) -> Iterator[None]:
    """Let this process allocate no more; mapped files, which can be dropped, do not count."""
    if gibibytes:
        resource.setrlimit(resource.RLIMIT_DATA, (round(gibibytes * GIB),) * 2)
    try:
        yield
    except Exception as error:  # a library that gets no memory says so in many ways, or not at all
        if gibibytes and (isinstance(error, MemoryError) or _allocated() > 0.8 * gibibytes * GIB):
            raise AsrdError(f"this takes more than the {gibibytes:g} GiB that --memory allows; allow more") from error
        raise


def _allocated() -> int:
    """Bytes that count against the bound."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))


def _show(result: "Result") -> None:

    from asrd.cli.compare import table

    console = Console()
    console.print(table(result.measurements, result.sizes))
    console.print(result.proof.verdict, soft_wrap=True)
