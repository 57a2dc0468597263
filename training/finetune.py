"""Fine-tune a checkpoint on a few minutes of other speech: a voice, a microphone or a subject."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asrd.backends import load
from asrd.core.errors import ModelError
from asrd.models import ModelDirectory, manifest
from asrd.quant.data import Clip
from asrd.quant.evaluation.measure import measure
from asrd.quant.evaluation.score import Score
from asrd.quant.progress import Progress
from asrd.quant.workspace import drafting
from asrd.training.epochs import STATE, Epochs, Tuning
from asrd.training.lessons import Parts


@dataclass(frozen=True, slots=True)
class Tuned:
    """Error rates on the test part, measured as deployed, before and after; the epoch kept."""

    before: Score
    after: Score
    epoch: int


def finetune(
    source: ModelDirectory, out: Path, parts: Parts, tuning: Tuning, *, resume: bool, progress: Progress
) -> Tuned:
    """Write the checkpoint of the best epoch, by validation loss, to the new directory `out`.

    An interrupted run leaves `draft_of(out)`, from which `resume` continues. Raises UsageError where `out` exists or
    there is nothing to resume, ModelError where there is no room for it, or where no epoch was better than the original
    checkpoint; nothing is written then.
    """
    with drafting(out, STATE, resume=resume) as draft:
        run = Epochs(source, draft, parts, tuning, progress)
        if resume:
            run.load()
        else:
            run.before = _measured(source, parts.test, progress, "before")
        run.learn()
        if not run.best_epoch:
            shutil.rmtree(draft)
            raise ModelError("no epoch was better than the checkpoint: give more speech, or a lower --rate")
        after = _measured(ModelDirectory.open(draft), parts.test, progress, "after")
        tuned = Tuned(run.before, after, run.best_epoch)
        manifest.write(draft, finetuning=_facts(source, parts, tuning, tuned))
    return tuned


def _measured(model: ModelDirectory, clips: Sequence[Clip], progress: Progress, when: str) -> Score:
    """Measure a model as deployed: with the daemon's windows, stitching and decoding."""
    progress.stage(f"measuring {when}", len(clips))
    backend = load("torch", model)
    try:
        return measure({"torch": backend}, clips, progress.advance)["torch"].score
    finally:
        backend.close()


def _facts(source: ModelDirectory, parts: Parts, tuning: Tuning, tuned: Tuned) -> dict[str, Any]:
    return {
        "source": source.name,
        "tuning": asdict(tuning),
        "epoch": tuned.epoch,
        "split": {part: [clip.id for clip in getattr(parts, part)] for part in ("training", "validation", "test")},
        "before": asdict(tuned.before),
        "after": asdict(tuned.after),
    }
