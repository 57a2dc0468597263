"""From recorded speech to a checkpoint, by the real aligner and, where they are installed, the real voices."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from asrd.core.errors import UsageError
from asrd.models import manifest
from asrd.models.recipe.align import PHONES, Aligner, align
from asrd.models.recipe.corpus import Corpus
from asrd.models.recipe.plan import Plan
from asrd.models.recipe.run import Order, facts, gather, learn, make
from asrd.models.recipe.speak import speak, spoken
from asrd.models.recipe.store import Shard
from asrd.models.recipe.voices import VOICES, hibari
from asrd.models.store import resolve
from asrd.quant.data import Clip, read
from tests.recipe.test_learning import Silent


@pytest.fixture
def mine(speech: list[Clip], tmp_path: Path) -> str:
    """A data set of a dozen clips."""
    path = tmp_path / "mine.jsonl"
    rows = [{"audio": str(clip.audio), "text": clip.text, "speaker": clip.speaker} for clip in speech[:12]]
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    pytest.importorskip("pocketsphinx")
    return Aligner()


def test_words_and_phones_follow_each_other(aligner: Aligner, speech: list[Clip]) -> None:
    clip = next(clip for clip in speech if "slt" in clip.id)
    pcm = read(clip)
    found = aligner(pcm, clip.text)
    assert [word for word, _, _ in found["words"]] == clip.text.split()
    for spans in found.values():
        times = [time for _, start, end in spans for time in (start, end)]
        assert times == sorted(times)
        assert times[-1] <= len(pcm) / 16_000
    assert {phone for phone, _, _ in found["phones"]} <= set(PHONES)


def test_what_cannot_be_aligned_has_no_times(aligner: Aligner, speech: list[Clip]) -> None:
    assert aligner(read(speech[0]), "XYZZYQ") == {}
    assert aligner(np.zeros(1600, np.float32), speech[0].text) == {}


@pytest.mark.slow
def test_from_speech_to_a_checkpoint(mine: str, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    order = Order(tmp_path / "work", Plan(steps=2, batch=4.0), speech={"mine": mine})
    model = make(order, Silent())
    known = facts(order, model)
    assert (known["steps"], known["size"]) == (2, "tiny")
    assert list(known["hours"]) == ["mine"]
    assert known["parameters"] < 5.9e6
    weights = (model.path / "model.safetensors").read_bytes()
    shutil.rmtree(model.path)
    assert (make(order, Silent()).path / "model.safetensors").read_bytes() == weights  # nothing was left to do


@pytest.mark.slow
def test_training_can_go_on_from_a_model(mine: str, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    plan = Plan(steps=1, batch=4.0, peak=0.0, start="asrd-tiny-en")
    order = Order(tmp_path / "work", plan, speech={"mine": mine})
    model, before = make(order, Silent()), resolve("asrd-tiny-en")
    ours, theirs = (load_file(one.path / "model.safetensors") for one in (model, before))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)  # at a rate of 0 nothing is learnt
    assert facts(order, model)["before"] == manifest.read(before.path)["training"]


def test_training_does_not_go_on_from_a_model_with_other_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrd.models.recipe.run.LABELS", ("<pad>", "A"))
    with pytest.raises(UsageError, match="other letters"):
        learn(Order(tmp_path, Plan(start="asrd-tiny-en")), Silent())


def test_texts_of_test_clips_are_not_learnt(mine: str, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    order = Order(tmp_path / "work", Plan(), speech={"mine": mine}, tests={"same": mine})
    gather(order, Silent())
    assert Shard(tmp_path / "work/clips/mine-000.jsonl").utterances == []


def test_there_must_be_something_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to learn from"):
        gather(Order(tmp_path, Plan()), Silent())
    with pytest.raises(UsageError, match="no voice 'hal'; there are: flite, hibari"):
        gather(Order(tmp_path, Plan(), voices={"hal": 1.0}), Silent())


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
def test_flite_tells_when_it_says_what(tmp_path: Path) -> None:
    corpus = Corpus({"a": ["good morning to all of you", "the rain has stopped"]}, {})
    path = speak("flite", corpus, tmp_path, seed=1, hours=0.001)
    shard = Shard(path)
    assert shard.group == "flite"
    assert all(utterance.phones[-1][2] <= utterance.seconds + 0.2 for utterance in shard.utterances)
    written = path.with_suffix(".i16").read_bytes()
    speak("flite", corpus, tmp_path, seed=1, hours=0.001)
    again = tmp_path / "again"
    speak("flite", corpus, again, seed=1, hours=0.001)
    assert (again / path.with_suffix(".i16").name).read_bytes() == written
    pytest.importorskip("pocketsphinx")
    align(path)
    assert path.with_suffix(".times").exists()


def test_hibari_says_the_same_for_the_same_seed() -> None:
    pytest.importorskip("hibari")
    voice, corpus = hibari(), Corpus({"a": ["good morning to all of you"]}, {})
    one, same = (next(spoken(voice, corpus, seed=2))[0] for _ in range(2))
    assert np.array_equal(one, same)
    assert set(VOICES) == {"flite", "hibari"}
    assert voice("hello", random.Random(0))[1] == "hibari"
