"""From nothing to a trained checkpoint, stage by stage; each stage keeps what it has done and goes on from there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from asrd.core.errors import UsageError
from asrd.models import ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.recipe import begin, whisper
from asrd.models.recipe.align import is_aligned
from asrd.models.recipe.batches import Batches
from asrd.models.recipe.corpus import Corpus
from asrd.models.recipe.export import export
from asrd.models.recipe.feed import stream
from asrd.models.recipe.learner import Learner
from asrd.models.recipe.library import Library
from asrd.models.recipe.parts import Parts
from asrd.models.recipe.plan import Plan
from asrd.models.recipe.recordings import record
from asrd.models.recipe.sources import SOURCES, collect
from asrd.models.recipe.speak import SHARD_HOURS, speak
from asrd.models.recipe.store import shards
from asrd.models.recipe.timing import align
from asrd.models.recipe.voices import VOICES
from asrd.models.recipe.wholes import Wholes
from asrd.models.store import resolve
from asrd.quant.data import Clip, dataset

SAVE_EVERY = 300
"""Steps that an interrupted run loses at most: a few minutes."""

_SMOOTH = 0.98


class Progress(Protocol):
    """Shows how far a stage is."""

    def stage(self, name: str, steps: int | None) -> None:
        """A stage of about so many steps begins."""

    def advance(self, steps: int = 1) -> None:
        """Steps are done."""

    def notice(self, text: str) -> None:
        """Say more about the stage."""


@dataclass(frozen=True, slots=True)
class Order:
    """speech: data sets to learn from, and tests: to measure on, by name, as `asrd.quant.data.dataset` takes them.
    voices: hours of each synthetic voice. work: where everything is kept. plan: of the training.
    """

    work: Path
    plan: Plan
    speech: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, str] = field(default_factory=dict)
    voices: Mapping[str, float] = field(default_factory=dict)

    @property
    def clips(self) -> Path:
        """The folder of shards."""
        return self.work / "clips"

    @property
    def saved(self) -> Path:
        """What an interrupted training goes on from."""
        return self.work / "training.pt"


def make(order: Order, progress: Progress) -> ModelDirectory:
    """A trained checkpoint, in `work/model`. Raises what reading speech, synthesis and `whisper.load` raise."""
    gather(order, progress)
    return learn(order, progress)


def gather(order: Order, progress: Progress) -> None:
    """Shards of all speech, recorded and synthetic. Nothing in them says what a test clip says."""
    if unknown := sorted(set(order.voices) - set(VOICES)):
        raise UsageError(f"there is no voice '{unknown[0]}'; there are: {', '.join(VOICES)}")
    if not (order.voices or order.speech):
        raise UsageError("there is nothing to learn from; name speech or voices")
    begin.find(order.plan)  # that it is not there shows before hours of work
    found = {name: dataset(spec) for name, spec in order.speech.items()}
    held_out = [clip.text for spec in order.tests.values() for clip in dataset(spec)]
    for name, clips in found.items():
        progress.stage(f"reading {name}", None)
        for _ in record(name, clips, order.clips, held_out, order.plan.seed):
            progress.advance()
    _synthesise(order, found, held_out, progress)


def _synthesise(order: Order, found: Mapping[str, list[Clip]], held_out: list[str], progress: Progress) -> None:
    """Half an hour a shard. What is said in the recordings is said by these voices too."""
    if not order.voices:
        return
    progress.stage("collecting text", None)
    texts = collect(order.work / "text")
    prompts = sorted({clip.text.capitalize() for clips in found.values() for clip in clips})
    weights = {source.package: source.weight for source in SOURCES}
    corpus = Corpus(texts | {"prompts": prompts}, weights, held_out)
    counts = {name: round(hours / SHARD_HOURS) for name, hours in order.voices.items()}
    progress.stage("synthesising", sum(counts.values()))
    for name, count in counts.items():
        for number in range(count):
            progress.notice(name)
            speak(name, corpus, order.clips, order.plan.seed + number)
            progress.advance()


def learn(order: Order, progress: Progress) -> ModelDirectory:
    """Train on the shards that `gather` left, and export: whole utterances, alignment, and then parts of utterances."""
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
    """Steps from batches of a kind as long as they are wanted; saved now and then, and in the end."""
    Library(order.clips, order.plan.shares, aligned=kind.aligned)  # what is wrong with it is said here in one line
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
    """Have the network, as it is, align all that is not aligned yet."""
    missing = [shard for shard in shards(order.clips) if not is_aligned(shard.path)]
    if missing:
        progress.stage("aligning", len(missing))
    for shard in missing:
        align(shard, learner.log_probs)
        progress.advance()


def facts(order: Order, model: ModelDirectory) -> dict[str, Any]:
    """What is to be said of a finished training: hours by data set or voice, steps and minutes of all runs of it, where
    the blocks came from; and the same of the training it went on from, as `before`.
    """
    last = json.loads((order.work / "training.jsonl").read_text("utf-8").splitlines()[-1])
    earlier = manifest.read(resolve(order.plan.start).path).get("training") if order.plan.start else None
    parameters = sum(parameter.numel() for parameter in load_checkpoint(model).parameters())
    return {
        "hours": Library(order.clips, order.plan.shares, aligned=False).hours,
        "steps": last["step"],
        "minutes": last["minutes"],
        "parameters": parameters,
        "init": (earlier or {}).get("init", "") if order.plan.start else Path(order.plan.init).name,
        "licence": whisper.LICENCE,
        "plan": order.plan.plain(),
        "text": {source.title: source.licence for source in SOURCES} if order.voices else {},
        "before": earlier,
    }
