"""From nothing to a trained checkpoint, stage by stage; each stage keeps what it has done and goes on from there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from asrd.core.errors import UsageError
from asrd.models import Geometry, ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.recipe.align import align
from asrd.models.recipe.batches import Batches
from asrd.models.recipe.corpus import Corpus
from asrd.models.recipe.export import export
from asrd.models.recipe.feed import stream
from asrd.models.recipe.learner import Learner, Report
from asrd.models.recipe.network import build
from asrd.models.recipe.plan import Plan
from asrd.models.recipe.recordings import record
from asrd.models.recipe.sources import SOURCES, collect
from asrd.models.recipe.speak import SHARD_HOURS, speak
from asrd.models.recipe.vocabulary import LABELS
from asrd.models.recipe.voices import VOICES
from asrd.models.store import resolve
from asrd.quant.data import Clip, dataset

SAVE_EVERY = 300
"""Steps that an interrupted run loses at most: a minute or two."""

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
    size: str = "tiny"

    @property
    def clips(self) -> Path:
        """The folder of shards."""
        return self.work / "clips"


def make(order: Order, progress: Progress) -> ModelDirectory:
    """A trained checkpoint, in `work/model`. Raises what reading speech, synthesis and alignment raise."""
    gather(order, progress)
    return learn(order, progress)


def gather(order: Order, progress: Progress) -> None:
    """Shards of all speech, recorded and synthetic, with the times of their words and phones.

    Nothing in them says what a test clip says.
    """
    if unknown := sorted(set(order.voices) - set(VOICES)):
        raise UsageError(f"there is no voice '{unknown[0]}'; there are: {', '.join(VOICES)}")
    if not (order.voices or order.speech):
        raise UsageError("there is nothing to learn from; name speech or voices")
    if order.plan.start:
        resolve(order.plan.start)  # that it is not there shows before hours of work
    found = {name: dataset(spec) for name, spec in order.speech.items()}
    held_out = [clip.text for spec in order.tests.values() for clip in dataset(spec)]
    paths = []
    for name, clips in found.items():
        progress.stage(f"reading {name}", None)
        for path in record(name, clips, order.clips, held_out, order.plan.seed):
            paths.append(path)
            progress.advance()
    paths += _synthesise(order, found, held_out, progress)
    progress.stage("aligning", len(paths))
    for path in paths:
        align(path)
        progress.advance()


def _synthesise(order: Order, found: Mapping[str, list[Clip]], held_out: list[str], progress: Progress) -> list[Path]:
    """Half an hour a shard. What is said in the recordings is said by these voices too."""
    if not order.voices:
        return []
    progress.stage("collecting text", None)
    texts = collect(order.work / "text")
    prompts = sorted({clip.text.capitalize() for clips in found.values() for clip in clips})
    weights = {source.package: source.weight for source in SOURCES}
    corpus = Corpus(texts | {"prompts": prompts}, weights, held_out)
    counts = {name: round(hours / SHARD_HOURS) for name, hours in order.voices.items()}
    progress.stage("synthesising", sum(counts.values()))
    paths = []
    for name, count in counts.items():
        for number in range(count):
            progress.notice(name)
            paths.append(speak(name, corpus, order.clips, order.plan.seed + number))
            progress.advance()
    return paths


def learn(order: Order, progress: Progress) -> ModelDirectory:
    """Train on the shards that `gather` left, and export."""
    save = order.work / "training.pt"
    network, geometry = _network(order)
    learner = Learner(network, order.plan)
    if save.exists():
        learner.load(save)
    progress.stage("training", 1000)
    shown = 0
    recent: dict[str, float] = {}
    with (order.work / "training.jsonl").open("a", encoding="utf-8") as journal:
        for batch in stream(order.clips, geometry, learner):
            recent = _blend(recent, learner.learn(batch))
            progress.advance(int(1000 * learner.progress) - shown)
            shown = int(1000 * learner.progress)
            if learner.step % SAVE_EVERY == 0 or learner.progress >= 1:
                journal.write(json.dumps({"step": learner.step, "minutes": learner.seconds / 60, **recent}) + "\n")
                journal.flush()
                learner.save(save)
            progress.notice(f"loss {recent['letters']:.2f}, {100 * recent['right']:.0f} % of phones right")
    return export(learner.model.cpu().eval(), order.work / "model")


def _network(order: Order) -> tuple[Any, Geometry]:
    """What training begins with. Raises UsageError where the model to go on from has other letters."""
    plan = order.plan
    if plan.start:
        earlier = resolve(plan.start)
        if earlier.vocabulary.tokens != LABELS:
            raise UsageError(
                f"{plan.start} has other letters than the recipe; 'asrd finetune' goes on training any model"
            )
        return load_checkpoint(earlier), earlier.geometry
    geometry = Geometry((400, 3), (160, 3))
    batches = Batches(order.clips, geometry, plan.seed, plan.shares)
    speech = torch.from_numpy(batches(0, plan.longest(0), plan.batch).pcm)
    return build(speech, plan.seed, size=order.size), geometry


def facts(order: Order, model: ModelDirectory) -> dict[str, Any]:
    """What is to be said of a finished training: hours by group, steps and minutes of all runs of it, size; and the
    same of the training it went on from, as `before`.
    """
    last = json.loads((order.work / "training.jsonl").read_text("utf-8").splitlines()[-1])
    heard = Batches(order.clips, model.geometry, order.plan.seed, order.plan.shares)
    earlier = manifest.read(resolve(order.plan.start).path).get("training") if order.plan.start else None
    parameters = sum(parameter.numel() for parameter in load_checkpoint(model).parameters())
    return {
        "hours": heard.hours,
        "steps": last["step"],
        "minutes": last["minutes"],
        "size": order.size,
        "parameters": parameters,
        "plan": order.plan.plain(),
        "text": {source.title: source.licence for source in SOURCES} if order.voices else {},
        "before": earlier,
    }


def _blend(recent: dict[str, float], report: Report) -> dict[str, float]:
    """A running mean of what the steps report."""
    now: dict[str, Any] = {"letters": report.letters, "phones": report.phones, "right": report.right}
    return {name: _SMOOTH * recent.get(name, value) + (1 - _SMOOTH) * value for name, value in now.items()}
