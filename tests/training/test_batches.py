"""Batches hold the audio that the network hears, and the letters that it is told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE
from asrd.quant.data import Clip as SpeechClip
from asrd.training.augment import Augmenter
from asrd.training.batches import Batch, Batches, collate, normalized
from asrd.training.masks import mask
from asrd.training.nonspeech import KINDS
from asrd.training.parts import Parts
from asrd.training.plan import Plan
from asrd.training.recordings import recorded, trimmed
from asrd.training.store import Shard, Utterance, shards, write_shard
from asrd.training.vocabulary import LABELS
from asrd.training.wholes import Wholes
from asrd.training.windows import EVERY, Clip

PLAN = Plan(batch=12.0, seed=5, shares={"even": 1.0, "odd": 1.0})
FIELDS = ("pcm", "lengths", "letters", "spelled", "first", "last")


@pytest.fixture(scope="module")
def augment() -> Augmenter:
    return Augmenter(0)


@pytest.fixture(scope="module")
def wholes(clips: Path) -> Wholes:
    return Wholes(clips, PLAN)


@pytest.fixture(scope="module")
def parts(aligned: Path) -> Parts:
    return Parts(aligned, PLAN)


@pytest.mark.parametrize("kind", [Wholes, Parts])
def test_a_batch_depends_on_seed_and_number_alone(kind: type[Batches], aligned: Path) -> None:
    one, same = (kind(aligned, PLAN) for _ in range(2))
    same(0)
    for number in (7, 17):
        assert all(np.array_equal(getattr(one(number), name), getattr(same(number), name)) for name in FIELDS)
    assert not np.array_equal(one(7).letters, one(8).letters)


def said(batch: Batch) -> list[str]:
    return [
        "".join(LABELS[index] for index in letters[:count]).replace("|", " ")
        for letters, count in zip(batch.letters, batch.spelled, strict=True)
    ]


def test_whole_utterances_are_heard_of_about_one_length(wholes: Wholes, clips: Path) -> None:
    texts = {utterance.text for shard in shards(clips) for utterance in shard.utterances}
    for number in range(8):
        batch = wholes(number)
        assert set(said(batch)) <= {"", *texts}
        assert 0.5 * PLAN.batch < batch.lengths.sum() / 16_000 < 2 * PLAN.batch
        assert (batch.first == 0).all()
        assert (batch.last == EVERY).all()
        for pcm, length in zip(batch.pcm, batch.lengths, strict=True):
            assert abs(pcm[:length].mean()) < 1e-3
            assert abs(pcm[:length].std() - 1) < 1e-2
            assert not pcm[length:].any()


def test_parts_are_windows_splices_and_stretches(parts: Parts, clips: Path) -> None:
    words = {word for shard in shards(clips) for one in shard.utterances for word in one.text.split()}
    windows = others = 0
    for number in range(16):
        batch = parts(number)
        assert batch.lengths.sum() / 16_000 < 2 * PLAN.batch
        assert (batch.first < batch.last).all()
        if (batch.last < EVERY).any():
            windows += 1
            assert batch.pcm.shape[1] == MAX_WINDOW
        else:
            others += 1
            assert {word for text in said(batch) for word in text.split()} <= words
    assert windows > 2
    assert others > 2


def test_some_clips_have_no_words(parts: Parts) -> None:
    spelled = np.concatenate([parts(number).spelled for number in range(30)])
    assert 0 < (spelled == 0).sum() < 0.15 * len(spelled)


def test_shares_decide_what_is_heard(clips: Path) -> None:
    wholes = Wholes(clips, Plan(batch=12.0, shares={"even": 1.0, "odd": 0.0}))
    texts = {utterance.text for utterance in Shard(clips / "even-000.jsonl").utterances}
    assert set(said(wholes(0))) <= {"", *texts}


def test_there_must_be_something_to_draw(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to learn from"):
        Wholes(tmp_path, PLAN)


def test_clips_without_words_can_be_a_batch_of_their_own() -> None:
    batch = collate([Clip(np.ones(3, np.float32), np.zeros(0, np.int64))] * 2)
    assert batch.letters.shape == (2, 1)
    assert batch.spelled.tolist() == [0, 0]


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_masks_hide_stripes_behind_the_mean(seed: int, steps: int) -> None:
    import torch

    units = torch.randn(3, steps, 560, generator=torch.Generator().manual_seed(1))
    masked, mean = units.clone(), units.mean(1, keepdim=True)
    mask(masked, np.random.default_rng(seed))
    changed = masked != units
    assert torch.equal(masked[changed], mean.expand_as(units)[changed])
    bands = changed.view(3, steps, 7, 80).any(2)
    whole = bands.all(2)  # in time
    assert (bands & ~whole[..., None]).any(1).sum(1).max() <= 2 * 13


@given(st.integers(0, 2**32), st.integers(2000, 100_000), st.sampled_from(KINDS))
def test_what_is_not_speech_is_as_loud_as_speech_will_be(
    seed: int, samples: int, kind: Callable[..., FloatArray]
) -> None:
    sound = kind(np.random.default_rng(seed), samples)
    assert sound.shape == (samples,)
    assert sound.dtype == np.float32
    assert abs(sound.std() - 1) < 1e-2


@given(st.integers(0, 2**32), st.integers(100, 200_000))
def test_augmentation_keeps_the_length(augment: Augmenter, seed: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    heard = augment(rng.standard_normal(samples).astype(np.float32), rng)
    assert heard.shape == (samples,)
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()


@given(st.floats(-3, 3), st.floats(0.01, 10))
def test_normalization_forgets_level_and_offset(offset: float, gain: float) -> None:
    pcm = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    assert np.allclose(normalized(pcm * np.float32(gain) + np.float32(offset)), normalized(pcm), atol=1e-2)


def test_silence_around_speech_is_cut() -> None:
    pcm = np.zeros(32_000, np.float32)
    pcm[10_000:12_000] = 0.1
    assert len(trimmed(pcm)) == 2000 + 2 * 2400 - 1
    assert not len(trimmed(np.zeros(100, np.float32)))


def test_what_is_too_short_or_longer_than_whisper_hears_is_not_recorded(tmp_path: Path) -> None:
    lengths = {"short": 0.25, "sentence": 0.4, "paragraph": 29.5, "chapter": 31.0}
    clips = []
    for name, seconds in lengths.items():
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.full(round(seconds * SAMPLE_RATE), 0.5, np.float32), SAMPLE_RATE)
        clips.append(SpeechClip(name, name, path))
    assert [utterance.text for _, utterance in recorded(clips)] == ["SENTENCE", "PARAGRAPH"]


def test_a_clip_that_cannot_be_read_is_told_and_the_rest_is_recorded(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(SAMPLE_RATE, 0.5, np.float32), SAMPLE_RATE)
    clips = [SpeechClip(name, name, tmp_path / f"{name}.wav") for name in ("gone", "a")]
    told: list[str] = []
    assert [utterance.text for _, utterance in recorded(clips, notice=told.append)] == ["A"]
    assert told == ["skipped gone cannot be read (No such file or directory); fix the data set"]


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    pcm = [np.linspace(-1, 1, n, dtype=np.float32) for n in (10, 20)]
    write_shard(tmp_path / "a-b-001.jsonl", [(p, Utterance(0, 0, f"T{len(p)}", "me")) for p in pcm])
    shard = Shard(tmp_path / "a-b-001.jsonl")
    assert shard.group == "a-b"
    assert [utterance.text for utterance in shard.utterances] == ["T10", "T20"]
    for utterance, written in zip(shard.utterances, pcm, strict=True):
        assert np.allclose(shard.pcm(utterance), written, atol=1e-4)
