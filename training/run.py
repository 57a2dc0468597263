"""Train a checkpoint from scratch, stage by stage; each stage keeps what it has done and resumes from there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asrd.models import ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.store import resolve
from asrd.quant.progress import Progress
from asrd.training import begin, whisper
from asrd.training.align import is_aligned
from asrd.training.batches import Batches
from asrd.training.export import export
from asrd.training.feed import stream
from asrd.training.gather import gather
from asrd.training.learner import Learner
from asrd.training.library import Library
from asrd.training.order import Order
from asrd.training.parts import Parts
from asrd.training.sources import SOURCES
from asrd.training.store import shards
from asrd.training.timing import align
from asrd.training.wholes import Wholes

SAVE_EVERY = 300
"""Steps between saves, the most that an interrupted run loses: a few minutes."""

_SMOOTH = 0.98


def make(order: Order, progress: Progress) -> ModelDirectory:
    """Gather speech and train a checkpoint, in `work/model`.

    Raises what reading speech, synthesis and `whisper.load` raise.
    """
    gather(order, progress)
    return learn(order, progress)


def learn(order: Order, progress: Progress) -> ModelDirectory:
    """Train on the shards from `gather`, and export: whole utterances, alignment, then parts of utterances."""
    progress.stage("assembling", None)
    learner = Learner(begin.network(order.plan, order.clips, order.work / "start"), order.plan)
    if order.saved.exists():
        learner.load(order.saved)
    if learner.hears_wholes:
        progress.stage("learning to spell", 1000)
        _steps(order, learner, Wholes, lambda: learner.hears_wholes, progress)
    _align(order, learner, progress)
    if learner.progress < 1:
        progress.stage("training", 1000)
        _steps(order, learner, Parts, lambda: learner.progress < 1, progress)
    return export(learner.trained().eval(), order.work / "model")


def _steps(order: Order, learner: Learner, kind: type[Batches], wanted: Callable[[], bool], progress: Progress) -> None:
    """Train on batches of a kind as long as `wanted` returns True; save now and then, and at the end."""
    Library(order.clips, order.plan.shares, aligned=kind.aligned)  # raises here, in one line, what is wrong with it
    began, shown, recent = learner.progress, 0, 0.0
    span = (learner.plan.turn if kind is Wholes else 1.0) - began
    with (order.work / "training.jsonl").open("a", encoding="utf-8") as journal:
        for batch in stream(kind, order.clips, order.plan, number=learner.step, wanted=wanted):
            loss = learner.learn(batch).loss
            recent = _SMOOTH * recent + (1 - _SMOOTH) * loss if recent else loss
            done = min(1000, int(1000 * (learner.progress - began) / span))
            progress.advance(done - shown)
            shown = done
            if learner.step % SAVE_EVERY == 0 or not wanted():
                learner.save(order.saved)
                entry = {"step": learner.step, "minutes": learner.seconds / 60, "loss": recent}
                journal.write(json.dumps(entry) + "\n")
                journal.flush()
            progress.notice(f"loss {recent:.2f}")


def _align(order: Order, learner: Learner, progress: Progress) -> None:
    """Align all shards that are not aligned yet, with the network as it is."""
    missing = [shard for shard in shards(order.clips) if not is_aligned(shard.path)]
    if missing:
        progress.stage("aligning", len(missing))
    for shard in missing:
        align(shard, learner.log_probs)
        progress.advance()


def facts(order: Order, model: ModelDirectory) -> dict[str, Any]:
    """Return the facts of a finished training.

    They are the hours by data set or voice, the steps and minutes of all its runs, where the blocks came from, and the
    same of the training that it continued, as `before`.
    """
    last = json.loads((order.work / "training.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    earlier = manifest.read(resolve(order.plan.start).path).get("training") if order.plan.start else None
    init = (earlier or {}).get("init", "") if order.plan.start else order.plan.init
    parameters = sum(parameter.numel() for parameter in load_checkpoint(model).parameters())
    return {
        "hours": Library(order.clips, order.plan.shares, aligned=False).hours,
        "steps": last["step"],
        "minutes": last["minutes"],
        "parameters": parameters,
        "init": Path(init).name,
        "licence": whisper.LICENCE if init in whisper.NAMES else "",
        "licences": dict(order.licences),
        "plan": order.plan.plain(),
        "text": {source.title: source.licence for source in SOURCES} if order.voices else {},
        "before": earlier,
    }
