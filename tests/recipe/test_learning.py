"""Training goes on where it stopped, and finetuning helps."""

import json
import resource
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.core.errors import ModelError, UsageError
from asrd.models import Geometry, ModelDirectory, manifest
from asrd.models.lm import DecodingSettings
from asrd.models.recipe.batches import Batches
from asrd.models.recipe.epochs import Epochs, Tuning
from asrd.models.recipe.feed import stream
from asrd.models.recipe.finetune import finetune
from asrd.models.recipe.learner import Learner
from asrd.models.recipe.lessons import divide
from asrd.models.recipe.network import build
from asrd.models.recipe.plan import Plan
from asrd.quant.data import Clip
from tests.recipe.test_network import SHAPE

GEOMETRY = Geometry((400, 3), (160, 3))
PLAN = Plan(steps=4, batch=6.0, shares={"timed": 1.0, "plain": 1.0})
"""Four steps of a network so small that each takes a tenth of a second."""


class Silent:
    """Progress that nobody sees."""

    def stage(self, name: str, steps: int | None) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def notice(self, text: str) -> None: ...


@pytest.fixture(scope="module")
def speech_sample(clips: Path) -> Any:
    return torch.from_numpy(Batches(clips, GEOMETRY, 0, {})(0, 2.0, 6.0).pcm)


@pytest.fixture(scope="module")
def batches(clips: Path) -> Batches:
    return Batches(clips, GEOMETRY, PLAN.seed, PLAN.shares)


def train(learner: Learner, batches: Batches, until: int) -> Learner:
    while learner.step < until:
        learner.learn(batches(learner.step, PLAN.longest(learner.progress), PLAN.total(learner.progress)))
    return learner


def test_an_interrupted_run_learns_the_same(batches: Batches, speech_sample: Any, tmp_path: Path) -> None:
    def fresh() -> Learner:
        return Learner(build(speech_sample, **SHAPE), PLAN)

    straight = train(fresh(), batches, 4)
    train(fresh(), batches, 2).save(tmp_path / "half.pt")
    resumed = fresh()
    resumed.load(tmp_path / "half.pt")
    assert (resumed.step, resumed.progress) == (2, 0.5)
    train(resumed, batches, 4)
    untrained = fresh().model.state_dict()
    for name, weight in straight.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name
    assert not torch.equal(straight.model.lm_head.weight, untrained["lm_head.weight"])
    filters = "wav2vec2.feature_extractor.conv_layers.0.conv.weight"
    assert torch.equal(straight.model.state_dict()[filters], untrained[filters])


def test_a_run_of_another_plan_is_not_resumed(speech_sample: Any, tmp_path: Path) -> None:
    learner = Learner(build(speech_sample, **SHAPE), PLAN)
    learner.save(tmp_path / "run.pt")
    other = Learner(build(speech_sample, **SHAPE), replace(PLAN, peak=1.0))
    with pytest.raises(ModelError, match="another plan"):
        other.load(tmp_path / "run.pt")


def test_one_batch_can_be_learnt_by_heart(clips: Path, speech_sample: Any) -> None:
    learner = Learner(build(speech_sample, **SHAPE), replace(PLAN, steps=1000, peak=0.05))
    batch = Batches(clips, GEOMETRY, 0, {"timed": 1.0, "plain": 0.0})(0, 2.0, 6.0)
    first, *_, last = (learner.learn(batch) for _ in range(15))
    assert last.phones < 0.8 * first.phones
    assert last.letters < 0.8 * first.letters


def test_the_plan_begins_and_ends_as_it_should() -> None:
    plan = Plan(minutes=60)
    assert plan.rate(0, 0) < plan.rate(0.1, 300) == plan.peak
    assert plan.rate(1, 9999) < 0.01 * plan.peak
    assert plan.phone_weight(0) == 1
    assert plan.phone_weight(1) == 0
    assert plan.letter_weight(1) == 1
    assert plan.longest(0) < plan.longest(1)


@pytest.mark.slow
def test_batches_come_from_another_process(clips: Path, batches: Batches, speech_sample: Any) -> None:
    learner = Learner(build(speech_sample, **SHAPE), PLAN)
    heard = []
    for batch in stream(clips, GEOMETRY, learner):
        expected = batches(learner.step, PLAN.longest(learner.progress), PLAN.total(learner.progress))
        heard.append(bool((batch.pcm == expected.pcm).all()))
        learner.learn(batch)
    assert heard == [True] * 4


def test_no_text_is_in_two_parts(speech: list[Clip]) -> None:
    clips = [*speech, *(replace(clip, id=f"again {clip.id}") for clip in speech)]
    parts = divide(clips, seed=0)
    texts = [{clip.text for clip in part} for part in (parts.training, parts.validation, parts.test)]
    assert sum(map(len, texts)) == len(set.union(*texts)) == len({clip.text for clip in clips})
    assert sum(map(len, (parts.training, parts.validation, parts.test))) == len(clips)
    assert parts == divide(clips, seed=0) != divide(clips, seed=1)
    with pytest.raises(UsageError, match="record 10"):
        divide(speech[:4], seed=0)


@pytest.mark.parametrize("kind", ["base_model", "lv60_model"])
def test_finetuning_writes_a_model(
    kind: str, speech: list[Clip], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With a mask and without; what comes out is a model like the one that went in."""
    source: ModelDirectory = request.getfixturevalue(kind)
    parts = divide(speech[:12], seed=0)
    tuned = finetune(source, tmp_path / "new", parts, Tuning(epochs=1, rate=3e-3), resume=False, progress=Silent())
    written = ModelDirectory.open(tmp_path / "new")
    assert (written.vocabulary, written.geometry) == (source.vocabulary, source.geometry)
    assert (written.normalize, written.attention_mask) == (source.normalize, source.attention_mask)
    facts = manifest.read(written.path)["finetuning"]
    assert facts["split"]["test"] == [clip.id for clip in parts.test]
    assert facts["after"]["wer"]["value"] == tuned.after.wer.value
    assert manifest.verify(written.path) == []
    assert not list(tmp_path.glob(".*"))


def test_what_was_learned_of_other_weights_does_not_pass_for_the_new_ones(
    lv60_model: ModelDirectory, bundled: ModelDirectory, speech: list[Clip], tmp_path: Path
) -> None:
    """Confidences mean nothing of them; the weights of a language model are a start."""
    shutil.copytree(lv60_model.path, tmp_path / "old")
    for name in ("calibration.json", "decoding.json"):
        shutil.copy(bundled.path / name, tmp_path / "old" / name)
    source, parts = ModelDirectory.open(tmp_path / "old"), divide(speech[:12], seed=0)
    assert source.calibration.words
    finetune(source, tmp_path / "new", parts, Tuning(epochs=1, rate=3e-3), resume=False, progress=Silent())
    written = ModelDirectory.open(tmp_path / "new")
    assert written.calibration.words is None
    assert DecodingSettings.load(written.path).lm == "en"


class Interrupted(Silent):
    """Ctrl-C at the beginning of the second epoch."""

    def stage(self, name: str, steps: int | None) -> None:
        if name == "epoch 2":
            raise KeyboardInterrupt


def test_an_interrupted_finetuning_goes_on(lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path) -> None:
    parts, tuning = divide(speech[:12], seed=0), Tuning(epochs=2, rate=3e-3)
    finetune(lv60_model, tmp_path / "straight", parts, tuning, resume=False, progress=Silent())
    with pytest.raises(KeyboardInterrupt):
        finetune(lv60_model, tmp_path / "resumed", parts, tuning, resume=False, progress=Interrupted())
    with pytest.raises(UsageError, match="interrupted run had another"):
        finetune(lv60_model, tmp_path / "resumed", parts, replace(tuning, rate=1.0), resume=True, progress=Silent())
    finetune(lv60_model, tmp_path / "resumed", parts, tuning, resume=True, progress=Silent())
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("straight", "resumed")]
    assert weights[0] == weights[1]
    with pytest.raises(UsageError, match="exists already"):
        finetune(lv60_model, tmp_path / "resumed", parts, tuning, resume=False, progress=Silent())


def test_finetuning_goes_on_with_the_same_checkpoint_wherever_it_is(
    lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path
) -> None:
    def run() -> Epochs:
        return Epochs(source, tmp_path, divide(speech[:12], seed=0), Tuning(), Silent())

    source = ModelDirectory.open(shutil.copytree(lv60_model.path, tmp_path / "source"))
    run().save()
    weights = source.path / "model.safetensors"
    known = weights.read_bytes()
    weights.write_bytes(known[:-1] + bytes([known[-1] ^ 1]))
    with pytest.raises(UsageError, match="interrupted run had another model"):
        run().load()
    weights.write_bytes(known)
    source = ModelDirectory.open(source.path.rename(tmp_path / "moved"))
    run().load()


def test_nothing_is_written_where_nothing_was_gained(
    lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path
) -> None:
    parts = divide(speech[:12], seed=0)
    with pytest.raises(ModelError, match="no epoch was better"):
        finetune(lv60_model, tmp_path / "new", parts, Tuning(rate=1e-12, patience=1), resume=False, progress=Silent())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_is_one_line(lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"new cannot be written \(Not a directory.*choose another place"):
        finetune(
            lv60_model, tmp_path / "file" / "new", divide(speech, seed=0), Tuning(), resume=False, progress=Silent()
        )


@pytest.mark.parametrize("room", [50_000, 1_000_000], ids=["for part of the checkpoint", "for part of the state"])
def test_a_full_disk_is_one_line(lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path, room: int) -> None:
    """Neither safetensors nor PyTorch says so by an OSError."""
    shortest = sorted(speech, key=lambda clip: len(clip.audio.read_bytes()))[:10]
    run = Epochs(lv60_model, tmp_path, divide(shortest, seed=0), Tuning(epochs=1, rate=3e-3), Silent())
    bound = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, bound[1]))  # Python ignores the signal that goes with it
    try:
        with pytest.raises(ModelError, match=r"cannot be written \(.*\); make room") as caught:
            run.learn()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bound)
    assert "\n" not in str(caught.value)


def test_the_command_shows_what_was_gained(lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path) -> None:
    rows = [{"audio": str(clip.audio), "text": clip.text} for clip in speech[:12]]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arguments = [
        "finetune",
        "--model",
        str(lv60_model.path),
        "--data",
        str(tmp_path / "mine.jsonl"),
        "-o",
        str(tmp_path / "o"),
    ]
    result = CliRunner().invoke(asrd, [*arguments, "--epochs", "1", "--rate", "3e-3"], catch_exceptions=False)
    assert "WER" in result.output
    assert f"asrd quantize --model {tmp_path / 'o'}" in result.output
