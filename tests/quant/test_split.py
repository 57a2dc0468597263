"""Splits are disjoint, of the requested sizes, the same for a seed, and by speaker where possible."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asrd.core.errors import UsageError
from asrd.quant.data import Clip
from asrd.quant.split import PARTS, Split, proved_on, split


def clips(*spoken: int) -> list[Clip]:
    """Make the given number of clips for each speaker, taking turns as long as there are any."""
    pairs = [(number, speaker) for speaker, count in enumerate(spoken) for number in range(count)]
    return [Clip(f"{s}-{n}", "WORDS", Path(f"{s}-{n}.wav"), f"speaker {s}") for n, s in sorted(pairs)]


def parts(done: Split) -> list[list[Clip]]:
    return [done.calibration, done.validation, done.test]


SPOKEN = st.lists(st.integers(1, 12), min_size=1, max_size=8)
SIZES = st.tuples(*[st.integers(0, 20)] * 3)


@given(SPOKEN, SIZES, st.integers(0, 5))
def test_parts_are_disjoint_and_as_large_as_asked(spoken: list[int], sizes: tuple[int, int, int], seed: int) -> None:
    assume(0 < sum(sizes) <= sum(spoken))
    everything = clips(*spoken)
    done = split(everything, *sizes, seed)
    assert tuple(len(part) for part in parts(done)) == sizes
    chosen = [clip for part in parts(done) for clip in part]
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(everything)
    assert split(everything, *sizes, seed) == done


@given(SPOKEN, SIZES, st.integers(0, 5))
def test_by_speaker_means_that_no_speaker_is_in_two_parts(
    spoken: list[int], sizes: tuple[int, int, int], seed: int
) -> None:
    assume(0 < sum(sizes) <= sum(spoken))
    done = split(clips(*spoken), *sizes, seed)
    heard = [{clip.speaker for clip in part} for part in parts(done)]
    shared = heard[0] & heard[1] | heard[0] & heard[2] | heard[1] & heard[2]
    assert not (done.by_speaker and shared)


@given(st.integers(1, 10), st.tuples(*[st.integers(0, 4)] * 3), st.integers(0, 5))
def test_speakers_are_kept_apart_whenever_equal_ones_suffice(
    each: int, speakers: tuple[int, int, int], seed: int
) -> None:
    assume(sum(speakers))
    calibration, validation, test = (each * count for count in speakers)
    assert split(clips(*[each] * sum(speakers)), calibration, validation, test, seed).by_speaker


@pytest.mark.parametrize("unknown", [0, 17])
def test_one_unknown_speaker_might_be_anyone(unknown: int) -> None:
    everything = clips(10, 10, 10)
    assert split(everything, 10, 10, 10, seed=0).by_speaker
    everything[unknown] = Clip("somebody", "WORDS", Path("x.wav"))
    assert not split(everything, 10, 10, 10, seed=0).by_speaker


def test_another_test_set_lends_neither_clips_nor_speakers_to_both_sides() -> None:
    built = split(clips(10, 10), 10, 10, 0, seed=0)
    assert built.by_speaker
    done = proved_on(clips(12, 10, 3), None, built, seed=0)
    assert {clip.id for clip in done.test} == {"0-10", "0-11", "2-0", "2-1", "2-2"}
    assert not done.by_speaker
    others = clips(0, 0, 3)
    assert proved_on(others, 2, built, seed=0).by_speaker
    assert not proved_on([Clip("somebody", "WORDS", Path("x.wav"))], None, built, seed=0).by_speaker
    with pytest.raises(UsageError, match="0 usable clips"):
        proved_on(clips(10, 10), None, built, seed=0)


def test_too_few_speakers_are_shared() -> None:
    done = split(clips(30), 10, 10, 10, seed=0)
    assert not done.by_speaker
    assert len({clip for part in parts(done) for clip in part}) == 30


def test_the_seed_decides() -> None:
    everything = clips(*[5] * 9)
    first = split(everything, 9, 9, 9, seed=0)
    assert all(split(everything, 9, 9, 9, seed).test != first.test for seed in range(1, 5))


def test_the_same_data_for_all_three_as_in_the_tutorial() -> None:
    everything = clips(7, 7)
    done = split(everything, 3, 10, 5, seed=0, same=True)
    assert len(done.test) == 10
    assert done.calibration == done.validation == done.test
    assert not done.by_speaker
    assert split(everything, 14, 14, 14, seed=0, same=True).test == everything


@given(SPOKEN, SIZES, st.booleans())
def test_too_few_clips_say_what_there_is_and_what_can_be_had(
    spoken: list[int], sizes: tuple[int, int, int], same: bool
) -> None:
    everything = clips(*spoken)
    assume((max(sizes) if same else sum(sizes)) > len(everything) >= 3)
    with pytest.raises(UsageError, match=f"^the data set has {len(everything)} usable clips, ") as caught:
        split(everything, *sizes, seed=0, same=same)
    told = {name: int(size) for name, size in re.findall(r"--(\w+) (\d+)", str(caught.value))}
    assert list(told) == [name for name, size in zip(PARTS, sizes, strict=True) if size]
    assert min(told.values()) > 0
    done = split(everything, *(told.get(name, 0) for name in PARTS), seed=0, same=same)
    assert {clip for part in parts(done) for clip in part} == set(everything)


@pytest.mark.parametrize("sizes", [(0, 0, 0), (-1, 5, 5)])
def test_no_clips_at_all_or_fewer_than_none(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="at least one clip"):
        split(clips(10, 10), *sizes, seed=0)


def test_fewer_clips_than_parts() -> None:
    with pytest.raises(UsageError, match="2 usable clips; it needs at least 3"):
        split(clips(2), 5, 5, 5, seed=0)
