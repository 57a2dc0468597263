"""Windows are cut as the daemon cuts them; stretches and splices, at pauses."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.units import MAX_WINDOW
from asrd.training.library import Library, Spoken
from asrd.training.splices import cuts, splice, stretch
from asrd.training.store import Shard
from asrd.training.vocabulary import LABELS
from asrd.training.windows import ALL, EVERY, core, window

BOUNDARY = LABELS.index("|")
SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(MAX_WINDOW + 1, 120_000), st.integers(1, 150))
def test_the_letters_of_a_window_are_those_inside_its_core(seed: int, length: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    letters, middles = rng.integers(5, 12, count), np.sort(rng.uniform(0, length, count))
    pcm = np.arange(length, dtype=np.float32)
    clip = window(pcm, letters, middles, rng)
    start = int(clip.pcm[0])
    assert len(clip.pcm) == MAX_WINDOW
    assert 0 <= clip.first < clip.last <= ALL
    assert (clip.first == 0) == (start == 0)
    assert (clip.last == ALL) == (start == length - MAX_WINDOW)
    # a frame stands for the 320 samples around the middle of the 1040 that it sees
    begin = start + 320 * clip.first + 360 if start else 0
    end = start + 320 * clip.last + 360 if clip.last < ALL else length
    inside = [int(letter) for letter, at in zip(letters, middles, strict=True) if begin <= at < end]
    assert clip.letters.tolist() == inside


def test_a_word_boundary_at_the_edge_of_the_core_is_left_out() -> None:
    letters, middles = np.array([BOUNDARY, 5, BOUNDARY, 6, BOUNDARY]), np.linspace(9000, 20_000, 5)
    assert core(letters, middles, 20, 70).tolist() == [5, BOUNDARY, 6]
    assert core(letters[:1], middles[:1], 20, 70).tolist() == []


@given(SEEDS)
def test_every_letter_is_in_one_of_two_cores_that_follow_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    letters, middles = rng.integers(5, 12, 40), np.sort(rng.uniform(0, MAX_WINDOW, 40))
    place = int(rng.integers(1, ALL))
    both = [core(letters, middles, 0, place), core(letters, middles, place, ALL)]
    assert np.concatenate(both).tolist() == letters.tolist()


def test_a_short_utterance_is_its_own_window() -> None:
    clip = window(np.zeros(20_000, np.float32), np.array([5, 6]), np.array([1.0, 2.0]), np.random.default_rng(0))
    assert (clip.first, clip.last, clip.letters.tolist()) == (0, EVERY, [5, 6])


def test_words_are_parted_in_pauses_alone(even: Shard) -> None:
    utterance = next(one for one in even.utterances if one.text.count(" ") > 2)
    spans = np.stack([np.arange(len(utterance.text)) * 500] * 2, 1)
    spaces = [place for place, letter in enumerate(utterance.text) if letter == " "]
    spans[spaces[1] + 1 :] += 2000
    found = cuts(Spoken(even, utterance, spans))
    assert found[0] == (0, 0)
    assert found[1:-1] == [(spaces[1] * 500 + 1000, spaces[1] + 1)]
    assert found[-1] == (utterance.samples, len(utterance.text) + 1)


@given(SEEDS, st.integers(4000, 60_000))
def test_a_stretch_is_whole_words_of_an_utterance(library: Library, seed: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    drawn: list[Spoken] = []

    def draw() -> Spoken:
        drawn.append(library.draw(rng))
        return drawn[-1]

    pcm, text = stretch(draw, samples, rng)
    assert text
    assert any(f" {text} " in f" {spoken.text} " for spoken in drawn)
    longest = max(np.diff([at for at, _ in cuts(spoken)]).max() for spoken in drawn)
    assert len(pcm) <= max(samples, longest)


@given(SEEDS, st.integers(8000, 60_000))
def test_a_splice_is_words_of_one_speaker_without_a_click(library: Library, seed: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    own = library.by_speaker(library.draw(rng))
    assert len({spoken.utterance.speaker for spoken in own}) == 1
    made = splice(lambda: own[int(rng.integers(len(own)))], samples, rng)
    if made is None:
        assert min(np.diff([at for at, _ in cuts(spoken)]).min() for spoken in own) > samples / 20
        return
    pcm, text = made
    assert 0 < len(pcm) <= samples
    assert set(text.split()) <= {word for spoken in own for word in spoken.text.split()}
    assert pcm[0] == pcm[-1] == 0
