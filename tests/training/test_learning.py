"""Training resumes where it stopped, and fine-tuning helps."""

import json
import resource
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.lm import DecodingSettings
from asrd.quant.data import Clip
from asrd.training.epochs import STATE, Epochs, Tuning
from asrd.training.feed import stream
from asrd.training.finetune import finetune
from asrd.training.learner import Learner
from asrd.training.lessons import divide
from asrd.training.loss import apart, core, ctc
from asrd.training.masters import Masters
from asrd.training.parts import Parts
from asrd.training.plan import Plan
from asrd.training.wholes import Wholes

PLAN = Plan(steps=4, whole=0.5, batch=6.0, shares={"even": 1.0, "odd": 1.0}, dropout=0.1, consistency=0.2)
"""Four steps of a small network, two of them with whole utterances."""


class Silent:
    """Progress that is not shown."""

    def stage(self, name: str, steps: int | None) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def notice(self, text: str) -> None: ...


@pytest.fixture
def learner(start: Path) -> Learner:
    """Make the learner of an untrained model."""
    return fresh(start)


def fresh(start: Path, plan: Plan = PLAN) -> Learner:
    return Learner(load_checkpoint(ModelDirectory.open(start)), plan)


def train(learner: Learner, folder: Path, until: int) -> Learner:
    wholes, parts = Wholes(folder, PLAN), Parts(folder, PLAN)
    while learner.step < until:
        learner.learn((wholes if learner.hears_wholes else parts)(learner.step))
    return learner


def weights(learner: Learner) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in learner.trained().state_dict().items()}


def test_an_interrupted_run_learns_the_same(start: Path, aligned: Path, tmp_path: Path) -> None:
    straight = train(fresh(start), aligned, 4)
    for half in (1, 3):
        train(fresh(start), aligned, half).save(tmp_path / "half.pt")
        resumed = fresh(start)
        resumed.load(tmp_path / "half.pt")
        assert (resumed.step, resumed.progress) == (half, half / 4)
        train(resumed, aligned, 4)
        ours, theirs = weights(straight), weights(resumed)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    untrained = load_checkpoint(ModelDirectory.open(start)).state_dict()
    changed = {name for name, weight in weights(straight).items() if not torch.equal(weight, untrained[name])}
    assert "lm_head.weight" in changed
    assert not [name for name in changed if "feature" in name or "pos_conv" in name]  # the front end is frozen


def test_a_run_of_another_plan_is_not_resumed(learner: Learner, start: Path, tmp_path: Path) -> None:
    learner.save(tmp_path / "run.pt")
    with pytest.raises(ModelError, match="another plan"):
        fresh(start, replace(PLAN, blocks=1.0)).load(tmp_path / "run.pt")


@pytest.mark.parametrize(("whole", "consistency"), [(1.0, 0.0), (0.0, 0.0), (0.0, 0.2)])
def test_one_batch_can_be_learnt_by_heart(whole: float, consistency: float, start: Path, aligned: Path) -> None:
    plan = Plan(
        steps=1000, whole=whole, batch=6.0, blocks=0.05, new_head=0.3, head=0.3, consistency=consistency, dropout=0.01
    )
    learner = fresh(start, plan)
    batch = (Wholes if whole else Parts)(aligned, plan)(1)
    first, *_, last = (learner.learn(batch).loss for _ in range(25))
    assert last < 0.8 * first


def test_what_aligns_is_what_is_trained(learner: Learner, start: Path, speech: list[Clip]) -> None:
    """In a batch, clips of unequal length give the same result as each alone."""
    rng = np.random.default_rng(0)
    heard = [rng.standard_normal(samples).astype(np.float32) for samples in (9000, 16_000)]
    together = learner.log_probs(heard)
    assert [len(each) for each in together] == [25, 47]
    for clip, each in zip(heard, together, strict=True):
        assert np.allclose(np.exp(each).sum(1), 1, atol=1e-3)
        assert np.abs(learner.log_probs([clip])[0] - each).max() < 0.1  # in bfloat16, where that is used


def test_masters_keep_what_parameters_cannot() -> None:
    module = torch.nn.Linear(4, 4)
    masters = Masters(module, torch.bfloat16)
    assert module.weight.dtype == torch.bfloat16
    assert {weight.dtype for weight in masters.weights.values()} == {torch.float32}
    before = module.weight.detach().clone()
    masters.weights["weight"].copy_(before)
    masters.weights["weight"] += 1e-3 * before.float().abs()
    masters.publish()
    assert torch.equal(module.weight, before)  # too small a step for bfloat16
    for _ in range(9):
        masters.weights["weight"] += 1e-3 * before.float().abs()
    masters.publish()
    assert not torch.equal(module.weight, before)
    module(torch.ones(1, 4, dtype=torch.bfloat16)).sum().backward()
    masters.collect()
    assert masters.weights["weight"].grad.dtype == torch.float32
    assert module.weight.grad is None


def test_the_mean_of_the_weights_is_what_is_exported() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    masters = Masters(module, torch.float32)
    assert masters.best() is masters.weights
    for value in (1.0, 2.0, 6.0):
        masters.weights["weight"].fill_(value)
        masters.average()
    assert masters.best()["weight"].item() == pytest.approx(3.0)
    other = Masters(torch.nn.Linear(1, 1, bias=False), torch.float32)
    other.restore(masters.state())
    assert other.best()["weight"].item() == pytest.approx(3.0)


def test_the_loss_is_of_the_core_alone() -> None:
    logits = torch.randn(2, 12, 32, generator=torch.Generator().manual_seed(0))
    kept, counts = core(logits, torch.tensor([3, 0]), torch.tensor([9, 12]))
    assert counts.tolist() == [6, 12]
    assert torch.equal(kept[0, :6], logits[0, 3:9])
    assert torch.equal(kept[1], logits[1])
    letters, spelled = np.array([[5, 6], [7, 0]]), np.array([2, 1])
    loss = ctc(kept, counts, letters, spelled)
    other = logits.clone()
    other[0, :3] = other[0, 9:] = 100.0
    assert torch.equal(ctc(*core(other, torch.tensor([3, 0]), torch.tensor([9, 12])), letters, spelled), loss)
    silence = ctc(kept, counts, np.zeros((2, 1), np.int64), np.array([0, 0]))
    assert silence > 0


def test_two_hearings_learn_from_each_other() -> None:
    logits = torch.randn(4, 12, 32, generator=torch.Generator().manual_seed(0), requires_grad=True)
    frames = torch.tensor([12, 7])
    same = torch.cat([logits[:2], logits[:2]])
    assert apart(same, frames, 5).item() == pytest.approx(0, abs=1e-6)
    loss = apart(logits, frames, 5)
    assert loss > 0
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[[0, 2]].abs().sum(-1).min() > 0
    assert not logits.grad[[1, 3], 7:].any()  # frames beyond a clip do not count
    nearer = apart((logits - 0.5 * logits.grad).detach(), frames, 5)
    assert nearer < loss


def test_the_plan_begins_and_ends_as_it_should() -> None:
    plan = Plan(minutes=60)
    assert plan.rates(0, 0)[0] < plan.rates(0.1, 300)[0] == plan.blocks
    assert plan.rates(0.1, 300)[1] == plan.new_head
    assert plan.rates(plan.turn, 300) == plan.rates(0.4, 300) == (plan.blocks, plan.head)
    assert plan.rates(0.6, 300) > plan.rates(0.8, 300)
    assert plan.rates(1, 9999)[0] < 0.01 * plan.blocks
    assert replace(plan, start="model").turn == 0


@pytest.mark.slow
def test_batches_come_from_another_process(aligned: Path) -> None:
    left, expected = [1, 1, 1], Parts(aligned, PLAN)
    for number, batch in enumerate(stream(Parts, aligned, PLAN, number=5, wanted=lambda: bool(left)), 5):
        left.pop()
        assert (batch.pcm == expected(number).pcm).all()
    assert not left


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
    """With a mask and without, the result is a model like the one that went in."""
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


def test_finetuning_leaves_what_the_recipe_computed(start: Path, speech: list[Clip], tmp_path: Path) -> None:
    source, parts = ModelDirectory.open(start), divide(speech[:12], seed=0)
    finetune(source, tmp_path / "new", parts, Tuning(epochs=1, rate=3e-3), resume=False, progress=Silent())
    before, after = (load_checkpoint(ModelDirectory.open(path)).state_dict() for path in (start, tmp_path / "new"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "lm_head.weight" in changed
    assert not [name for name in changed if "feature" in name or "pos_conv" in name]


def test_finetuning_hears_through_the_front_end_in_float32(start: Path, speech: list[Clip], tmp_path: Path) -> None:
    run = Epochs(ModelDirectory.open(start), tmp_path, divide(speech[:12], seed=0), Tuning(), Silent())
    pcm = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = run.network.wav2vec2(pcm).extract_features
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(run.network.wav2vec2(pcm).extract_features, expected)


def test_what_was_learned_of_other_weights_does_not_pass_for_the_new_ones(
    lv60_model: ModelDirectory, bundled: ModelDirectory, speech: list[Clip], tmp_path: Path
) -> None:
    """Old confidences do not hold for new weights; the weights of a language model are a good start."""
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
    """Presses Ctrl-C at the beginning of the second epoch."""

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


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.proof,)


def test_a_planted_state_is_not_run(lv60_model: ModelDirectory, speech: list[Clip], tmp_path: Path) -> None:
    run = Epochs(lv60_model, tmp_path, divide(speech[:12], seed=0), Tuning(), Silent())
    torch.save({"identity": run._identity, "network": Planted(tmp_path / "proof")}, tmp_path / STATE)
    with pytest.raises(ModelError, match=r"is no state of a run .*; delete it, and begin anew"):
        run.load()
    assert not (tmp_path / "proof").exists()


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
    """Neither safetensors nor PyTorch reports it by an OSError."""
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
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
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
