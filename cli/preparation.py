"""Prepare `asrd quantize`: split the speech, and announce what is about to happen."""

from typing import TYPE_CHECKING, Any

from asrd.cli.clips import usable
from asrd.cli.memory import resident
from asrd.cli.progress import ProgressBar
from asrd.cli.say import echo
from asrd.core.units import MAX_WINDOW

if TYPE_CHECKING:
    from asrd.models import ModelDirectory
    from asrd.quant.recipe import Recipe
    from asrd.quant.split import Split

SHOWN = 10
"""Most letters that are named one by one."""


def least(model: str) -> int:
    """Return the bytes that are resident once the libraries and one copy of the model are loaded.

    Raises what `store.resolve` and loading raise.
    """
    from asrd.backends import load
    from asrd.models import runtime, store

    runtime.nncf()
    backend = load("torch", store.resolve(model))
    backend.warm_up(MAX_WINDOW)
    taken = resident()
    backend.close()
    return taken


def prepare(model: str, options: dict[str, Any], *, proved: bool) -> "tuple[ModelDirectory, Recipe, Split]":
    """Decide what to quantize, how, and with which speech; announce what is about to happen.

    options: those of a `Recipe`, where sizes of parts may be None. proved: whether the result is to be proved. Raises
    UsageError if there is too little speech, or no such layer.
    """
    from asrd.models import store
    from asrd.quant.acceptance import check_size
    from asrd.quant.quantize import check_layers
    from asrd.quant.recipe import Recipe

    source = store.resolve(model)
    check_layers(source, options["keep_float"])
    sizes = {name: options.pop(name) for name in ("calibration", "validation", "test")}
    parts = _data(options["dataset"], options["test_dataset"], sizes, options["seed"], options["same_data"])
    options |= {name: len(getattr(parts, name)) for name in sizes}
    recipe = Recipe(**options)
    if proved:
        check_size(recipe)
    _introduce(source, parts, recipe)
    return source, recipe, parts


def _data(data: str, test_data: str, sizes: dict[str, int | None], seed: int, same: bool) -> "Split":
    """Split the clips that can be used into the three sets; name those that cannot.

    By default, the sets are a fifth, a fifth and a half of all: that leaves room to deal out whole speakers.
    """
    from asrd.quant.data import dataset
    from asrd.quant.split import MOST, proved_on, split

    listed, tests = dataset(data), dataset(test_data) if test_data else []
    with ProgressBar() as progress:
        clips = usable(listed, progress)
        proof = usable(tests, progress) if test_data else []
    share = max(1, min(100, len(clips) // (2 if test_data else 5)))
    calibration, validation = sizes["calibration"] or share, sizes["validation"] or share
    if not test_data:
        return split(clips, calibration, validation, sizes["test"] or max(1, min(MOST, len(clips) // 2)), seed, same)
    return proved_on(proof, sizes["test"], split(clips, calibration, validation, 0, seed, same), seed)


def _introduce(source: "ModelDirectory", parts: "Split", recipe: "Recipe") -> None:
    """Announce what is about to happen, and what it will take."""
    from asrd.quant.data.text import NORMALIZATION, unspellable
    from asrd.quant.estimate import estimate

    apart = "by speaker" if parts.by_speaker else "by utterance"
    apart = "the same for all three" if recipe.same_data else f"disjoint {apart}"
    echo(
        f"{recipe.calibration} utterances to learn from, {recipe.validation} to steer by, {recipe.test} to prove by, "
        f"{apart}; texts are {NORMALIZATION}",
        err=True,
    )
    lacking = unspellable([clip.text for clip in parts.test], source.vocabulary)
    if lacking:
        letters = ", ".join(f"{letter} ({count})" for letter, count in list(lacking.items())[:SHOWN])
        echo(f"the model has no {letters}: words with these letters count as errors", err=True)
    echo(estimate(source, parts, recipe).text, err=True)
