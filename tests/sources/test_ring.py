import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.daemon.sources.ring import STALLED, CaptureRing


@given(st.lists(st.one_of(st.integers(1, 50), st.none()), max_size=60))
def test_every_frame_is_either_taken_or_counted_as_lost(steps):
    """A number puts that many frames, None takes a block; the ring never holds more than its capacity."""
    ring = CaptureRing(1_000, 100)
    put, accounted, end = 0, 0, 0.0
    for step in steps:
        if step is None:
            block = ring.take()
            accounted += block.lost + block.frames if block else 0
        else:
            put += step
            end += step / 1_000
            ring.put(bytes(2 * step), step, end)
    while block := ring.take():
        assert block.frames * 2 == len(block.data)
        assert not block.lost or "buffer" in block.reason
        accounted += block.lost + block.frames
    ring.put(b"", 0, end)
    last = ring.take()
    assert accounted + last.lost == put


def test_an_overflow_of_the_card_is_measured_by_its_clock():
    ring = CaptureRing(48_000, 48_000)
    ring.put(b"", 480, 10.0)
    ring.put(b"", 480, 10.51, overflowed=True)
    ring.put(b"", 480, 10.52)
    assert [ring.take().lost for _ in range(3)] == [0, 24_000, 0]


def test_an_overflow_that_the_clock_does_not_show_is_still_told():
    ring = CaptureRing(48_000, 48_000)
    ring.put(b"", 480, 10.0)
    ring.put(b"", 480, 10.01, overflowed=True)
    ring.take()
    assert ring.take().lost == 1


def blocks(*ends):
    """Return what is lost before each of the blocks, of 50 ms, that a ring was given, and when it ends.

    ends: of each block, by the card's clock, and when its callback comes if that is later.
    """
    ring = CaptureRing(16_000, 80_000)
    for end in ends:
        ring.put(b"", 800, *(end if isinstance(end, tuple) else (end,)))
    taken = [ring.take() for _ in ends]
    assert {block.reason for block in taken if block.lost} <= {STALLED}
    return [block.lost for block in taken], [block.end for block in taken]


def test_an_hour_of_sleep_is_lost_though_the_card_knows_nothing_of_it():
    lost, ends = blocks(100.0, 100.05, 3700.1, 3700.15, 3700.2)
    assert lost == [0, 0, 0, 3600 * 16_000, 0]
    assert ends == pytest.approx([100.0, 100.05, 100.1, 3700.15, 3700.2])


def test_a_block_that_only_came_late_is_no_loss():
    """Python was busy for 0.8 s, twice; the audio was waiting all the while."""
    lost, ends = blocks(100.0, 100.85, 100.1, 100.15, 100.96, 100.25)
    assert lost == [0] * 6
    assert ends == pytest.approx([100.0, 100.05, 100.1, 100.15, 100.2, 100.25])


def test_a_delay_that_the_sound_server_corrects_is_no_loss():
    """The server's times of the first block and of a later one are far off; the blocks arrive at their pace."""
    ends = (95.0, 100.0), (100.05, 100.05), (100.1, 100.1), (90.0, 100.15), (100.2, 100.2), (100.25, 100.25)
    assert blocks(*ends)[0] == [0] * 6


@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=50))
def test_times_that_tremble_are_no_loss(offs):
    lost, _ = blocks(*(100.0 + 0.05 * number + off for number, off in enumerate(offs)))
    assert not any(lost)


def test_a_loss_that_the_card_tells_of_after_a_late_block_is_measured_from_before_it():
    """The callback had to wait for 2 s, and the card's buffer, which holds less, overflowed meanwhile."""
    ring = CaptureRing(16_000, 80_000)
    ring.put(b"", 800, 100.0)
    ring.put(b"", 800, 102.05)
    ring.put(b"", 800, 102.1, overflowed=True)
    assert [ring.take().lost for _ in range(3)] == [0, 0, 32_000]
