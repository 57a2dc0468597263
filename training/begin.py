"""Load the model that training starts from: Whisper's encoder, newly assembled, or a model trained earlier."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from asrd.core.errors import UsageError
from asrd.core.units import SAMPLE_RATE
from asrd.models import ModelDirectory
from asrd.models.checkpoint import load_checkpoint
from asrd.models.store import resolve
from asrd.training import assemble, whisper
from asrd.training.batches import normalized
from asrd.training.export import export
from asrd.training.library import Library
from asrd.training.plan import Plan
from asrd.training.vocabulary import LABELS

_ORIGIN = "origin.json"
"""File that says what an assembled model was made from; written last, so that a model without it is incomplete."""

_CLIPS, _SAMPLES = 160, 3 * SAMPLE_RATE
"""Number and length of the clips that the front end is fitted to."""


def find(plan: Plan) -> None:
    """Raise UsageError or ModelError where a plan names a model that is missing, or that training cannot start from."""
    if not plan.start:
        whisper.find(plan.init)
        return
    earlier = resolve(plan.start)
    assemble.check(earlier)
    if earlier.vocabulary.tokens != LABELS:
        raise UsageError(f"{plan.start} has other letters than the recipe; 'asrd finetune' goes on training any model")


def network(plan: Plan, clips: Path, start: Path) -> Any:
    """Load the Wav2Vec2ForCTC to train, in evaluation mode.

    clips: the folder of shards. start: the folder where an assembled model is kept. Its weights are rounded there as in
    the finished model, so that training uses exactly the same front end. Raises what `find` raises.
    """
    find(plan)
    if plan.start:
        return load_checkpoint(resolve(plan.start))
    origin = json.dumps({"init": plan.init, "shares": plan.shares, "seed": plan.seed})
    if not (start / _ORIGIN).is_file() or (start / _ORIGIN).read_text(encoding="utf-8") != origin:
        shutil.rmtree(start, ignore_errors=True)
        speech = sample(Library(clips, plan.shares, aligned=False), plan.seed)
        export(assemble.assemble(whisper.load(plan.init), speech, plan.seed), start)
        (start / _ORIGIN).write_text(origin, encoding="utf-8")
    return load_checkpoint(ModelDirectory.open(start))


def sample(library: Library, seed: int) -> Tensor:
    """Draw speech of all kinds with noise 15 to 60 dB below it, `(clips, 3 s)` of unit variance."""
    rng, found = np.random.default_rng((seed, 4)), []
    for _ in range(_CLIPS):
        pcm = library.draw(rng).pcm
        while len(pcm) < _SAMPLES:
            pcm = np.concatenate([pcm, library.draw(rng).pcm])
        first = int(rng.integers(len(pcm) - _SAMPLES + 1))
        pcm = pcm[first : first + _SAMPLES]
        noise = rng.standard_normal(_SAMPLES, np.float32) * pcm.std() * np.float32(10 ** (-rng.uniform(15, 60) / 20))
        found.append(normalized(pcm + noise))
    return torch.from_numpy(np.stack(found))
