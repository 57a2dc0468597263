"""What training begins with: Whisper's encoder assembled anew, or an earlier model of this recipe."""

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
"""What an assembled model was made from; written last, so that one without it is not whole."""

_CLIPS, _SAMPLES = 160, 3 * SAMPLE_RATE
"""What the front end is fitted to."""


def find(plan: Plan) -> None:
    """Raise UsageError or ModelError where a plan names what is not there, or what training cannot go on from."""
    if not plan.start:
        whisper.find(plan.init)
        return
    earlier = resolve(plan.start)
    assemble.check(earlier)
    if earlier.vocabulary.tokens != LABELS:
        raise UsageError(f"{plan.start} has other letters than the recipe; 'asrd finetune' goes on training any model")


def network(plan: Plan, clips: Path, start: Path) -> Any:
    """A Wav2Vec2ForCTC in evaluation mode.

    clips: the folder of shards. start: where what was assembled is kept. Its weights are rounded there as they will be
    in the finished model, so that training hears through the very same front end. Raises what `find` raises.
    """
    find(plan)
    if plan.start:
        return load_checkpoint(resolve(plan.start))
    origin = json.dumps({"init": plan.init, "shares": plan.shares, "seed": plan.seed})
    if not (start / _ORIGIN).is_file() or (start / _ORIGIN).read_text("utf-8") != origin:
        shutil.rmtree(start, ignore_errors=True)
        speech = sample(Library(clips, plan.shares, aligned=False), plan.seed)
        export(assemble.assemble(whisper.load(plan.init), speech, plan.seed), start)
        (start / _ORIGIN).write_text(origin, "utf-8")
    return load_checkpoint(ModelDirectory.open(start))


def sample(library: Library, seed: int) -> Tensor:
    """Speech of all kinds under noise of 15 to 60 dB less, `(clips, 3 s)` of unit variance."""
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
