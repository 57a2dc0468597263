"""What the network hears, and what it is told was said."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.flow import FloatArray
from asrd.models import Geometry
from asrd.models.recipe.align import PHONES, frame_phones
from asrd.models.recipe.augment import Augmenter
from asrd.models.recipe.batches import UNKNOWN, Batches, normalized
from asrd.models.recipe.nonspeech import KINDS
from asrd.models.recipe.recordings import trimmed
from asrd.models.recipe.store import Shard, Utterance, write_shard
from asrd.models.recipe.stretches import Heard, joined, splice, stretch, whole
from asrd.models.recipe.vocabulary import LABELS

GEOMETRY = Geometry((400, 3), (160, 3))


@pytest.fixture(scope="module")
def augment() -> Augmenter:
    return Augmenter(0)


@pytest.fixture(scope="module")
def batches(clips: Path) -> Batches:
    """Of both kinds of speech."""
    return Batches(clips, GEOMETRY, 0, {"timed": 1.0, "plain": 1.0})


def test_a_batch_depends_on_seed_and_number_alone(clips: Path) -> None:
    one, same = (Batches(clips, GEOMETRY, 5, {"timed": 1.0, "plain": 1.0}) for _ in range(2))
    same(0, 2.0, 10.0)
    for name in ("pcm", "lengths", "letters", "spelled", "phones"):
        assert np.array_equal(getattr(one(7, 2.0, 10.0), name), getattr(same(7, 2.0, 10.0), name))
    assert not np.array_equal(one(7, 2.0, 10.0).letters, one(8, 2.0, 10.0).letters)


def test_a_batch_is_consistent(batches: Batches, clips: Path, timed: Shard) -> None:
    said = " ".join(utterance.text for utterance in Shard(clips / "plain-000.jsonl").utterances + timed.utterances)
    for number in range(5):
        batch = batches(number, 2.5, 20.0)
        for row, length in enumerate(batch.lengths):
            pcm, rest = batch.pcm[row, :length], batch.pcm[row, length:]
            assert abs(pcm.mean()) < 1e-3
            assert abs(pcm.std() - 1) < 1e-2
            assert not rest.any()
            letters = "".join(LABELS[index] for index in batch.letters[row, : batch.spelled[row]])
            assert set(letters.split("|")) <= {"", *said.split()}
            frames = GEOMETRY.frames(int(length))
            assert (batch.phones[row, frames:] == UNKNOWN).all()
            assert set(batch.phones[row, :frames]) == {UNKNOWN} or set(batch.phones[row, :frames]) <= {0, 1}


def test_shares_decide_what_is_heard(clips: Path) -> None:
    batches = Batches(clips, GEOMETRY, 0, {"timed": 1.0, "plain": 0.0})
    assert all((batches(number, 2.5, 10.0).phones != UNKNOWN).any(1).all() for number in range(5))


def test_some_clips_have_no_words(batches: Batches) -> None:
    drawn = [batches(number, 2.5, 20.0) for number in range(30)]
    empty = sum(int((batch.spelled == 0).sum()) for batch in drawn)
    assert 0 < empty < 0.15 * sum(len(batch.spelled) for batch in drawn)
    silent = np.concatenate([batch.phones[batch.spelled == 0].ravel() for batch in drawn])
    assert set(silent) <= {PHONES.index("SIL"), UNKNOWN}


@given(st.integers(0, 2**32), st.floats(0.5, 5.0))
def test_a_stretch_is_whole_words_within_the_utterance(timed: Shard, seed: int, seconds: float) -> None:
    utterance = timed.utterances[seed % len(timed.utterances)]
    part = stretch((timed, utterance), seconds, np.random.default_rng(seed))
    assert f" {part.text} " in f" {utterance.text} "
    word = utterance.words[0][2] - utterance.words[0][1]  # all are equally long here
    assert len(part.text.split()) * word - 0.01 <= len(part.pcm) / 16_000 <= max(seconds, word) + 0.4


@given(st.integers(0, 2**32), st.floats(0.5, 5.0))
def test_a_splice_is_whole_words_of_several_utterances(timed: Shard, seed: int, seconds: float) -> None:
    rng = np.random.default_rng(seed)
    rows = timed.utterances
    made = splice(lambda: (timed, rows[int(rng.integers(len(rows)))]), seconds, rng)
    words, said = made.text.split(), " ".join(utterance.text for utterance in rows)
    longest = max(end - start for utterance in rows for _, start, end in utterance.words)
    assert words
    assert set(words) <= set(said.split())
    assert len(made.pcm) / 16_000 <= 1.1 * seconds + longest + 0.3
    assert made.phones
    ends = [end for _, _, end in made.phones]
    assert ends == sorted(ends)


def test_pieces_are_joined_without_a_click_and_their_phones_follow_each_other() -> None:
    one = Heard(np.full(16_000, 0.5, np.float32), "A", [("AA", 0.0, 1.0)])
    two = Heard(np.full(8000, -0.5, np.float32), "B", [("IY", 0.0, 0.5)])
    both = joined([one, two])
    assert len(both.pcm) == 24_000 - 160
    assert np.abs(np.diff(both.pcm)).max() < 0.01
    assert both.text == "A B"
    assert both.phones == [("AA", 0.0, 0.99), ("IY", 0.99, 1.49)]
    assert joined([one, Heard(two.pcm, "B")]).phones == []


def test_the_whole_of_an_utterance_may_have_silence_around_it(timed: Shard) -> None:
    utterance = timed.utterances[0]
    assert whole((timed, utterance)).whole
    assert len(whole((timed, utterance)).pcm) == utterance.samples


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
