"""What the network hears, and what it is told was said."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asrd.models import Geometry
from asrd.models.recipe.align import PHONES, frame_phones
from asrd.models.recipe.augment import Augmenter
from asrd.models.recipe.batches import UNKNOWN, Batches, normalized, stretch
from asrd.models.recipe.recordings import trimmed
from asrd.models.recipe.store import Shard, Utterance, write_shard
from asrd.models.recipe.vocabulary import LABELS

GEOMETRY = Geometry((400, 3), (160, 3))
AUGMENT = Augmenter(0)


def test_a_batch_depends_on_seed_and_number_alone(clips: Path) -> None:
    one, same = (Batches(clips, GEOMETRY, 5, {"timed": 1.0, "plain": 1.0}) for _ in range(2))
    same(0, 2.0, 10.0)
    for name in ("pcm", "lengths", "letters", "spelled", "phones"):
        assert np.array_equal(getattr(one(7, 2.0, 10.0), name), getattr(same(7, 2.0, 10.0), name))
    assert not np.array_equal(one(7, 2.0, 10.0).letters, one(8, 2.0, 10.0).letters)


def test_a_batch_is_consistent(clips: Path, timed: Shard) -> None:
    batches = Batches(clips, GEOMETRY, 0, {"timed": 1.0, "plain": 1.0})
    said = " ".join(utterance.text for utterance in Shard(clips / "plain-000.jsonl").utterances + timed.utterances)
    for number in range(5):
        batch = batches(number, 2.5, 20.0)
        for row, length in enumerate(batch.lengths):
            pcm, rest = batch.pcm[row, :length], batch.pcm[row, length:]
            assert abs(pcm.mean()) < 1e-3
            assert abs(pcm.std() - 1) < 1e-2
            assert not rest.any()
            letters = "".join(LABELS[index] for index in batch.letters[row, : batch.spelled[row]])
            assert letters.replace("|", " ") in said
            frames = GEOMETRY.frames(int(length))
            assert (batch.phones[row, frames:] == UNKNOWN).all()
            assert {UNKNOWN} == set(batch.phones[row, :frames]) or set(batch.phones[row, :frames]) <= {0, 1}


def test_shares_decide_what_is_heard(clips: Path) -> None:
    batches = Batches(clips, GEOMETRY, 0, {"timed": 1.0, "plain": 0.0})
    assert all((batches(number, 2.5, 10.0).phones != UNKNOWN).any(1).all() for number in range(5))


@given(st.integers(0, 2**32), st.floats(0.5, 5.0))
def test_a_stretch_is_whole_words_within_the_utterance(timed: Shard, seed: int, seconds: float) -> None:
    rng = np.random.default_rng(seed)
    utterance = timed.utterances[seed % len(timed.utterances)]
    part = stretch(utterance, seconds, rng)
    spoken = [word for word in utterance.words if word[1] >= part.first and word[2] <= part.last + 1e-9]
    assert part.text in utterance.text
    assert [word for word, _, _ in spoken] == part.text.split()
    assert 0 <= part.first < part.last <= utterance.seconds + 1e-6
    assert part.last - part.first <= max(seconds, spoken[0][2] - spoken[0][1]) + 0.4


@given(st.integers(0, 2**32), st.integers(100, 200_000))
def test_augmentation_keeps_the_length(seed: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    heard = AUGMENT(rng.standard_normal(samples).astype(np.float32), rng)
    assert heard.shape == (samples,)
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()


def test_frames_have_the_phone_that_is_said_then() -> None:
    phones = [("hh", 0.1, 0.2), ("ax", 0.2, 0.3), ("pau", 0.3, 0.5)]
    found = frame_phones(phones, np.array([0.0, 0.15, 0.2001, 0.4, 0.9]))
    assert [PHONES[index] for index in found] == ["SIL", "HH", "AH", "SIL", "SIL"]


@given(st.floats(-3, 3), st.floats(0.01, 10))
def test_normalization_forgets_level_and_offset(offset: float, gain: float) -> None:
    pcm = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    assert np.allclose(normalized(pcm * np.float32(gain) + np.float32(offset)), normalized(pcm), atol=1e-2)


def test_silence_around_speech_is_cut() -> None:
    pcm = np.zeros(32_000, np.float32)
    pcm[10_000:12_000] = 0.1
    assert len(trimmed(pcm)) == 2000 + 2 * 2400 - 1
    assert not len(trimmed(np.zeros(100, np.float32)))


def test_a_shard_gives_back_what_was_written(tmp_path: Path) -> None:
    pcm = [np.linspace(-1, 1, n, dtype=np.float32) for n in (10, 20)]
    write_shard(tmp_path / "a-b-001.jsonl", [(p, Utterance(0, 0, f"T{len(p)}", "me")) for p in pcm])
    (tmp_path / "a-b-001.times").write_text('{}\n{"words": [["T", 0.0, 0.1]]}\n')
    shard = Shard(tmp_path / "a-b-001.jsonl")
    assert shard.group == "a-b"
    assert [utterance.text for utterance in shard.utterances] == ["T10", "T20"]
    assert [len(utterance.words) for utterance in shard.utterances] == [0, 1]
    for utterance, written in zip(shard.utterances, pcm, strict=True):
        assert np.allclose(shard.pcm(utterance), written, atol=1e-4)
