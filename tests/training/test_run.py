"""A run makes a checkpoint from recorded speech and, where they are installed, the real voices."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.numpy import load_file

from asrd.cli.main import asrd
from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory, manifest
from asrd.quant.data import Clip
from asrd.training.align import is_aligned
from asrd.training.begin import network
from asrd.training.corpus import Corpus
from asrd.training.gather import gather
from asrd.training.order import Order
from asrd.training.plan import Plan
from asrd.training.run import facts, learn, make
from asrd.training.speak import speak, spoken
from asrd.training.store import Shard
from asrd.training.voices import VOICES, hibari
from asrd.training.whisper import Weights
from tests.training.test_learning import Silent
from tests.training.test_whisper import ctranslate2


@pytest.fixture
def mine(speech: list[Clip], tmp_path: Path) -> str:
    """A data set of a dozen clips."""
    path = tmp_path / "mine.jsonl"
    rows = [{"audio": str(clip.audio), "text": clip.text, "speaker": clip.speaker} for clip in speech[:12]]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


@pytest.fixture
def encoder(whisper: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small encoder in a file, and a front end fitted to few clips."""
    monkeypatch.setattr("asrd.training.begin._CLIPS", 12)
    return str(ctranslate2(whisper, tmp_path))


def order(encoder: str, mine: str, work: Path, **plan: Any) -> Order:
    settings: dict[str, Any] = {"steps": 4, "whole": 0.5, "batch": 8.0, "init": encoder}
    return Order(work, Plan(**settings | plan), speech={"mine": mine})


@pytest.mark.slow
def test_from_speech_to_a_checkpoint(encoder: str, mine: str, tmp_path: Path) -> None:
    wanted = order(encoder, mine, tmp_path / "work")
    model = make(wanted, Silent())
    known = facts(wanted, model)
    assert (known["steps"], known["init"], known["licence"]) == (4, Path(encoder).name, "")
    assert list(known["hours"]) == ["mine"]
    assert known["parameters"] < 4e6
    assert is_aligned(wanted.clips / "mine-000.jsonl")
    weights = (model.path / "model.safetensors").read_bytes()
    shutil.rmtree(model.path)
    assert (make(wanted, Silent()).path / "model.safetensors").read_bytes() == weights  # nothing was left to do

    class Interrupted(Silent):
        """Presses Ctrl-C in the middle."""

        def stage(self, name: str, steps: int | None) -> None:
            if name == "training":
                raise KeyboardInterrupt

    again = order(encoder, mine, tmp_path / "again")
    with pytest.raises(KeyboardInterrupt):
        make(again, Interrupted())
    assert (make(again, Silent()).path / "model.safetensors").read_bytes() == weights


@pytest.mark.slow
def test_training_can_go_on_from_a_model(start: Path, mine: str, tmp_path: Path) -> None:
    manifest.write(start, training={"steps": 7, "minutes": 1.0, "init": "whisper-tiny.en"})
    wanted = order("", mine, tmp_path / "work", steps=1, blocks=0.0, head=0.0, start=str(start))
    model = make(wanted, Silent())
    ours, theirs = (load_file(path / "model.safetensors") for path in (model.path, start))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)  # at a rate of 0 nothing is learnt
    known = facts(wanted, model)
    assert known["before"]["steps"] == 7
    assert (known["init"], known["licence"]) == ("whisper-tiny.en", "MIT, OpenAI")


def test_what_was_assembled_from_another_encoder_is_made_anew(encoder: str, clips: Path, tmp_path: Path) -> None:
    plan, start = Plan(init=encoder), tmp_path / "start"
    head = network(plan, clips, start).lm_head.weight
    made = (start / "model.safetensors").stat().st_mtime_ns
    assert torch.equal(network(plan, clips, start).lm_head.weight, head)
    assert (start / "model.safetensors").stat().st_mtime_ns == made
    assert not torch.equal(network(replace(plan, seed=1), clips, start).lm_head.weight, head)


def test_training_does_not_go_on_from_any_model(
    start: Path, lv60_model: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="not made by this recipe"):
        learn(Order(tmp_path, Plan(start=str(lv60_model.path))), Silent())
    monkeypatch.setattr("asrd.training.begin.LABELS", ("<pad>", "A"))
    with pytest.raises(UsageError, match="other letters"):
        learn(Order(tmp_path, Plan(start=str(start))), Silent())


def test_an_encoder_that_is_not_there_shows_at_once(mine: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Whisper encoder 'whisper-huge'"):
        gather(Order(tmp_path, Plan(init="whisper-huge"), speech={"mine": mine}), Silent())


def test_texts_of_test_clips_are_not_learnt(encoder: str, mine: str, tmp_path: Path) -> None:
    wanted = Order(tmp_path / "work", Plan(init=encoder), speech={"mine": mine}, tests={"same": mine})
    gather(wanted, Silent())
    assert Shard(wanted.clips / "mine-000.jsonl").utterances == []


def test_speakers_of_test_sets_are_learnt_from_unless_they_must_not(encoder: str, mine: str, tmp_path: Path) -> None:
    first = json.loads(Path(mine).read_text(encoding="utf-8").splitlines()[0])
    (tmp_path / "test.jsonl").write_text(json.dumps(first | {"text": "SOMETHING ELSE"}), encoding="utf-8")
    tests = {"one": str(tmp_path / "test.jsonl")}
    known = Order(tmp_path / "known", Plan(init=encoder), speech={"mine": mine}, tests=tests)
    strangers = replace(known, work=tmp_path / "strangers", unseen_speakers=True)
    found = []
    for wanted in (known, strangers):
        gather(wanted, Silent())
        found.append({row.speaker for row in Shard(wanted.clips / "mine-000.jsonl").utterances})
    assert found[0] - found[1] == {first["speaker"]}


def test_the_command_asks_for_what_it_is_told_to(
    bundled: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    @click.command()
    @click.option("--model")
    @click.option("-o", "--output")
    @click.option("--keep-float", multiple=True)
    @click.option("--smooth-quant", type=float)
    def quantize(**options: Any) -> None:
        asked.append(options)
        shutil.copytree(bundled.path, options["output"])

    def made(order: Order, _: Any) -> ModelDirectory:
        asked.append(order)
        return bundled

    monkeypatch.setattr("asrd.training.run.make", made)
    monkeypatch.setattr("asrd.training.run.facts", lambda *_: {"minutes": 30.0})
    monkeypatch.setattr("asrd.training.card.evaluate", lambda *_: {})
    monkeypatch.setattr("asrd.training.card.write", lambda _, facts, __: f"{facts['watt_hours']:g} Wh")
    monkeypatch.setattr("asrd.cli.quantize.quantize", quantize)
    words = ["--init", "whisper-base", "--speech", "mine=a.jsonl", "--share", "mine=0.5", "--minutes", "30"]
    arguments = ["model", "train", "-o", str(tmp_path / "new"), "--work", str(tmp_path), *words]
    result = CliRunner().invoke(asrd, arguments, catch_exceptions=False)
    assert result.output.endswith("5 Wh\n")
    order, built = asked
    assert order.plan == Plan(minutes=30.0, init="whisper-base", shares={"mine": 0.5})
    assert (order.speech, order.tests, order.voices) == ({"mine": "a.jsonl"}, {"bundled": "bundled"}, {})
    assert (built["keep_float"], built["smooth_quant"]) == (("front.0", "front.1", "position"), 0.5)
    with pytest.raises(UsageError, match="exists already"):
        CliRunner().invoke(asrd, arguments, catch_exceptions=False)


def test_there_must_be_something_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to learn from"):
        gather(Order(tmp_path, Plan()), Silent())
    with pytest.raises(UsageError, match="no voice 'hal'; there are: flite, hibari"):
        gather(Order(tmp_path, Plan(), voices={"hal": 1.0}), Silent())


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
def test_flite_says_the_same_for_the_same_seed(tmp_path: Path) -> None:
    corpus = Corpus({"a": ["good morning to all of you", "the rain has stopped"]}, {})
    path = speak("flite", corpus, tmp_path, seed=1, hours=0.001)
    shard = Shard(path)
    assert shard.group == "flite"
    assert all(utterance.text for utterance in shard.utterances)
    written = path.with_suffix(".i16").read_bytes()
    speak("flite", corpus, tmp_path, seed=1, hours=0.001)
    again = tmp_path / "again"
    speak("flite", corpus, again, seed=1, hours=0.001)
    assert (again / path.with_suffix(".i16").name).read_bytes() == written


def test_hibari_says_the_same_for_the_same_seed() -> None:
    pytest.importorskip("hibari")
    voice, corpus = hibari(), Corpus({"a": ["good morning to all of you"]}, {})
    one, same = (next(spoken(voice, corpus, seed=2))[0] for _ in range(2))
    assert np.array_equal(one, same)
    assert set(VOICES) == {"flite", "hibari"}
    assert voice("hello", random.Random(0))[1] == "hibari"
