"""Build a model directory whose INT8 model is proved good enough, or nothing."""

from pathlib import Path

from asrd.models import ModelDirectory
from asrd.quant.journal import Journal
from asrd.quant.pipeline import Run
from asrd.quant.progress import Progress
from asrd.quant.provenance import identity
from asrd.quant.recipe import Recipe
from asrd.quant.result import Result
from asrd.quant.split import Split
from asrd.quant.workspace import drafting

JOURNAL = ".journal.jsonl"
"""File in a draft that lists what is done already."""


def build(
    source: ModelDirectory, out: Path, recipe: Recipe, split: Split, *, resume: bool, progress: Progress
) -> Result:
    """Write `source` with an FP16 and an INT8 model, a manifest and a report to the new directory `out`.

    The INT8 model is measured on `split.test` as it is deployed, against PyTorch and FP16. A run that was
    interrupted, or whose result is not good enough, leaves `draft_of(out)`, from which `resume` goes on; the bound and
    the test set may be others then.
    Raises UsageError if `out` exists or the run to resume was a different one, NotGoodEnoughError if INT8 costs
    more than the recipe allows, QuantizationError if NNCF fails, and what reading, converting and measuring raise.
    """
    with drafting(out, JOURNAL, resume=resume) as draft:
        journal = Journal(draft / JOURNAL, identity(source, recipe, split))
        try:
            return Run(source, draft, recipe, split, journal, progress).complete()
        finally:
            journal.close()
