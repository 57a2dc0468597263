from hypothesis import given
from hypothesis import strategies as st

from asrd.daemon.sources.ring import CaptureRing


@given(st.lists(st.one_of(st.integers(1, 50), st.none()), max_size=60))
def test_every_frame_is_either_taken_or_counted_as_lost(steps):
    """A number puts so many frames, None takes a block; what is held never exceeds the capacity."""
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
