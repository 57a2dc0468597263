"""Alignment finds when each letter is said."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import ModelError
from asrd.core.flow import FloatArray
from asrd.training.align import IMPOSSIBLE, SUFFIX, Positions, is_aligned, path, samples
from asrd.training.library import Library
from asrd.training.store import Shard, shards
from asrd.training.timing import align
from asrd.training.vocabulary import LABELS, spelling


def emitted(said: list[int], sure: float = 0.9) -> FloatArray:
    """Make log-probabilities in which one label of each frame is the most probable by far."""
    rows = np.full((len(said), len(LABELS)), (1 - sure) / (len(LABELS) - 1), np.float32)
    rows[np.arange(len(said)), said] = sure
    return np.log(rows)


@given(st.lists(st.tuples(st.integers(5, 9), st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=12))
def test_letters_are_found_where_they_are(said: list[tuple[int, int, int]]) -> None:
    """Each letter lasts for some frames, followed by blanks."""
    frames: list[int] = [0]
    wanted = []
    for label, length, blanks in said:
        wanted.append((len(frames), len(frames) + length - 1))
        frames += [label] * length + [0] * blanks
    found, score = path(emitted(frames), [label for label, _, _ in said])
    assert [tuple(span) for span in found.tolist()] == wanted
    assert score == pytest.approx(np.log(0.9), abs=1e-5)


def test_letters_that_are_not_said_lie_between_their_neighbours() -> None:
    found, score = path(emitted([0, 5, 0, 7, 0]), [5, 6, 7])
    assert found[0].tolist() == [1, 1]
    assert found[2].tolist() == [3, 3]
    assert found[1].tolist() == [2, 2]
    assert score < np.log(0.9)


@pytest.mark.parametrize(("frames", "letters"), [(2, [5, 6, 7]), (2, [5, 5]), (4, [])])
def test_what_does_not_fit_has_no_way(frames: int, letters: list[int]) -> None:
    found, score = path(emitted([0] * frames), letters)
    assert (found.shape, score) == ((len(letters), 2), IMPOSSIBLE)


def test_a_frame_is_in_the_middle_of_what_it_sees() -> None:
    assert samples(np.array([[0, 1]])).tolist() == [[520, 840]]


def test_a_shard_is_aligned_by_what_the_network_hears(clips: Path, tmp_path: Path) -> None:
    """This network hears every letter for two frames, after a blank, from the first frame on."""
    shutil.copytree(clips, tmp_path, dirs_exist_ok=True)
    shard = next(shards(tmp_path))
    by_length = {len(shard.pcm(utterance)): utterance.text for utterance in shard.utterances}
    assert not is_aligned(shard.path)

    def hear(heard: list[FloatArray]) -> list[FloatArray]:
        texts = [by_length[len(pcm)] for pcm in heard]
        return [emitted([frame for label in spelling(text) for frame in (0, label, label)]) for text in texts]

    align(shard, hear)
    assert is_aligned(shard.path)
    found = Positions.load(shard.path)
    for utterance, spans in zip(shard.utterances, found.spans, strict=True):
        if by_length[utterance.samples] == utterance.text:
            assert spans[:, 0].tolist() == [520 + 320 * (3 * place + 1) for place in range(len(utterance.text))]
            assert (spans[:, 1] - spans[:, 0] == 320).all()


def test_positions_are_kept_and_missing_ones_are_named(aligned: Path, tmp_path: Path) -> None:
    shard = tmp_path / "a-000.jsonl"
    Positions([np.array([[1, 2], [3, 4]]), np.zeros((0, 2), int)], [-0.5, IMPOSSIBLE]).save(shard)
    found = Positions.load(shard)
    assert [spans.tolist() for spans in found.spans] == [[[1, 2], [3, 4]], []]
    assert found.scores == pytest.approx([-0.5, IMPOSSIBLE])
    Positions([], []).save(shard)
    assert Positions.load(shard).spans == []
    shard.with_suffix(SUFFIX).write_bytes(b"PK")
    with pytest.raises(ModelError, match="delete it, and the same command makes it again"):
        Positions.load(shard)


def test_what_says_something_else_is_not_drawn(aligned: Path, tmp_path: Path) -> None:
    shutil.copytree(aligned, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "even-000.jsonl"
    found = Positions.load(path)
    scores = [-1.5, IMPOSSIBLE, *[-0.2] * (len(found.spans) - 2)]
    Positions(found.spans, scores).save(path)
    first, second, *_ = Shard(path).utterances
    library = Library(tmp_path, {"odd": 0.0}, aligned=True)
    rng = np.random.default_rng(0)
    drawn = {library.draw(rng).utterance.at for _ in range(200)}
    assert len(drawn) == len(scores) - 2
    assert not drawn & {first.at, second.at}
    # a network that aligns everything badly still has something to learn from
    Positions(found.spans, [-4.0] * len(scores)).save(path)
    assert len({Library(tmp_path, {"odd": 0.0}, aligned=True).draw(rng).utterance.at for _ in range(20)}) > 2
