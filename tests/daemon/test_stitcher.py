"""Windows hand over to the next at a good place, and frames that only one of them has are kept."""

import numpy as np
import pytest

from asrd.core.flow import Emission, Level, Window
from asrd.core.units import Samples
from asrd.daemon.recognition.stitcher import SLACK, Stitcher

from .marked import STANDARD

STRIDE, FIELD = STANDARD.stride, STANDARD.receptive_field
BLANK = 0


def heard(start: int, text: str, kept: tuple[int, int], *, last: bool = False) -> tuple[Window, Emission]:
    """Make a window whose first frame is the stream's frame `start`, and that hears a letter, a blank (".") or either
    ("?") in each. kept: the frames that it keeps.
    """
    size = FIELD + STRIDE * (len(text) - 1)
    edges = [STRIDE * (frame - start) + FIELD // 2 for frame in kept]
    window = Window(
        utterance=0,
        start=Samples(start * STRIDE),
        pcm=np.zeros(size, np.float32),
        left=Samples(edges[0]),
        right=Samples(size - edges[1]),
        level=Level(0.0, 1.0),
        last=last,
    )
    rows = [[0.98, 0.02] if one == "." else [0.5, 0.5] if one == "?" else [0.01, 0.99] for one in text]
    return window, Emission(np.log(np.array(rows, np.float32)), window.start, STRIDE)


def joined(*windows: tuple[Window, Emission]) -> str:
    """Return the text of the frames, and check that nothing is missing between any two windows."""
    stitcher = Stitcher(STANDARD, BLANK)
    for window, emission in windows:
        frames, settled = stitcher.add(window, emission)
        assert set(np.diff(frames.positions)) <= {STRIDE}
        assert settled == len(frames) or not window.last
    labels = frames.log_probs.argmax(axis=1)
    return "".join(".A"[label] for label in labels)


@pytest.mark.parametrize("first", ["....A..", "...A...", "....AA.", ".....AA"])
@pytest.mark.parametrize("second", [".A..", "A...", "..A."])
def test_a_letter_heard_a_frame_or_two_apart_is_given_once(first: str, second: str) -> None:
    """The first window keeps frames up to 40; the letter is about there in both."""
    one = heard(0, "." * 35 + first + "." * 10, (0, 40))
    two = heard(10, "." * 28 + second + "." * 20, (40, 62), last=True)
    assert len([run for run in joined(one, two).split(".") if run]) == 1


def test_the_next_window_gives_what_lies_behind_the_surest_blank() -> None:
    one = heard(0, "." * 26 + "?" * 10 + ".." + "??" + "." * 10, (0, 40))
    two = heard(10, "." * 26 + "A" * 10 + "." * 16, (40, 62), last=True)
    frames, settled = Stitcher(STANDARD, BLANK).add(*one)
    assert settled == 37
    assert joined(one, two) == "." * 37 + "A" * 9 + "." * 16
    assert len(frames) == 50


def test_no_more_is_held_back_than_the_slack_even_if_nothing_is_blank() -> None:
    _, settled = Stitcher(STANDARD, BLANK).add(*heard(0, "A" * 50, (0, 40)))
    assert 40 - SLACK // STRIDE <= settled <= 40


def test_what_the_next_window_does_not_reach_is_kept() -> None:
    one = heard(0, "." * 31 + "A" * 9 + "." * 10, (0, 40))
    two = heard(38, "." * 30, (40, 62), last=True)
    assert joined(one, two) == "." * 31 + "A" * 7 + "." * 24


def test_a_window_that_failed_loses_its_own_part_only() -> None:
    one = heard(0, "." * 31 + "A" * 9 + "." * 10, (0, 40))
    window, _ = heard(10, "." * 62, (40, 60))
    lost = Emission(np.zeros((0, 2), np.float32), window.start, STRIDE)
    three = heard(30, "." * 30 + "A" * 12, (60, 70), last=True)
    stitcher = Stitcher(STANDARD, BLANK)
    stitcher.add(*one)
    _, settled = stitcher.add(window, lost)
    assert settled == 40
    frames, _ = stitcher.add(*three)
    assert (frames.positions // STRIDE).tolist() == [*range(40), *range(60, 70)]
    assert frames.log_probs.argmax(axis=1).sum() == 9 + 10
