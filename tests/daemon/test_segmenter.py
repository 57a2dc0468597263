"""The segmenter keeps its promises for any audio, any chunking and several geometries."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.core.errors import UsageError
from asrd.core.flow import Emission, FloatArray, Onset, Window
from asrd.core.units import MAX_WINDOW, Samples, samples
from asrd.daemon.recognition.stitcher import SLACK, Stitcher
from asrd.daemon.segmentation.overlong import BLOCK
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import WebRtcVad
from asrd.models import Geometry

from .marked import GEOMETRIES, SETTINGS, STANDARD, STRIDED, MarkedVad, committed, segment, speech, tone


@settings(max_examples=60, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS, st.lists(st.integers(0, 30_000), max_size=30))
def test_chunking_does_not_matter(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings, chunks: list[int]
) -> None:
    whole, pieces = segment(audio, geometry, chosen), segment(audio, geometry, chosen, chunks)
    assert len(whole) == len(pieces)
    for one, other in zip(whole, pieces, strict=True):
        if isinstance(one, Onset):
            assert one == other
            continue
        assert isinstance(other, Window)
        assert np.array_equal(one.pcm, other.pcm)
        fields = ("utterance", "start", "left", "right", "level", "provisional", "last", "reason", "speech_end")
        assert all(getattr(one, name) == getattr(other, name) for name in fields)


@settings(max_examples=150, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS)
def test_every_speech_sample_is_kept_exactly_once(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings
) -> None:
    windows = committed(segment(audio, geometry, chosen))
    kept = np.zeros(len(audio) + MAX_WINDOW, int)
    for window in windows:
        assert window.keep_start < window.keep_end
        kept[window.keep_start : window.keep_end] += 1
    assert kept.max(initial=0) <= 1
    frame = MarkedVad.frame
    voiced = [np.abs(audio[at : at + frame]).max() > 0.5 for at in range(0, len(audio) - frame + 1, frame)]
    onset = math.ceil(chosen.min_speech / frame)
    for at in range(len(voiced) - onset + 1):  # a run this long is speech by any reading of the settings
        if all(voiced[at : at + onset]):
            assert kept[at * frame : (at + onset) * frame].all()


@settings(max_examples=150, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS)
def test_windows_are_well_formed(audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings) -> None:
    found = segment(audio, geometry, chosen)
    onsets = [item for item in found if isinstance(item, Onset)]
    windows = [item for item in found if isinstance(item, Window)]
    assert [onset.utterance for onset in onsets] == list(range(len(onsets)))
    for onset in onsets:
        own = [window for window in windows if window.utterance == onset.utterance]
        fixed = committed(list(own))
        assert fixed[0].keep_start == onset.start
        assert all(one.keep_end == two.keep_start for one, two in pairwise(fixed))
        assert [window.last for window in fixed] == [False] * (len(fixed) - 1) + [True]
        assert not own[-1].provisional
        assert fixed[-1].keep_end - onset.start <= chosen.max_utterance + MarkedVad.frame
    for window in windows:
        assert geometry.shortest <= len(window.pcm) <= chosen.window
        assert window.start % geometry.stride == 0
        assert window.left >= 0
        assert window.right >= 0
        real = audio[window.start : window.start + len(window.pcm)]
        assert np.array_equal(window.pcm[: len(real)], real)
        assert len(real) == len(window.pcm) or len(audio) < geometry.shortest
        if window.start > 0 and window.start + len(window.pcm) < len(audio) - chosen.window:
            assert len(window.pcm) == chosen.window


@settings(max_examples=100, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS, st.integers(0, 2**32 - 1))
def test_every_frame_is_stitched_exactly_once(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings, seed: int
) -> None:
    """Each "emission" holds the stream-wide number of its frames; stitching must count without a gap, wherever blanks
    are heard.
    """
    stitcher, chance = Stitcher(geometry, blank=1), np.random.default_rng(seed)
    previous: list[float] = []
    start = Samples(0)
    for window in segment(audio, geometry, chosen):
        if isinstance(window, Onset):
            stitcher, previous, start = Stitcher(geometry, blank=1), [], window.start
            continue
        numbers = window.start // geometry.stride + np.arange(geometry.frames(len(window.pcm)))
        blanks = np.log(chance.uniform(0.01, 1, len(numbers)))
        emission = Emission(np.stack([numbers, blanks], 1).astype(np.float32), window.start, geometry.stride)
        frames, settled = stitcher.add(window, emission)
        got = [float(number) for number in frames.log_probs[:, 0]]
        assert all(two == one + 1 for one, two in pairwise(got))
        assert got[: len(previous)] == previous
        previous = got[:settled]
        assert len(got) == settled or not window.last
        first, last = frames.bounds
        assert first == start
        assert last == (window.keep_end if window.last else window.end)
        assert all(frames.positions + geometry.stride // 2 >= first)
        assert all(frames.positions + geometry.stride // 2 < last)
        settled_middles = frames.positions[:settled] + geometry.stride // 2
        assert all((settled_middles >= 0) & (settled_middles < window.keep_end))
        if settled and not window.provisional:
            assert settled_middles[-1] >= window.keep_end - SLACK - 2 * geometry.stride


@settings(max_examples=40, deadline=None)
@given(speech(), SETTINGS)
def test_previews_change_nothing_else(audio: FloatArray, chosen: SegmenterSettings) -> None:
    with_previews = committed(segment(audio, STANDARD, chosen))
    without = segment(audio, STANDARD, replace(chosen, partial_interval=Samples(0)))
    assert all(item.probe for item in without if isinstance(item, Window) and item.provisional)
    assert [(w.start, w.keep_start, w.keep_end, w.level) for w in with_previews] == [
        (w.start, w.keep_start, w.keep_end, w.level) for w in committed(without)
    ]


@settings(max_examples=100, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS)
def test_what_is_said_is_shown_within_an_interval(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings
) -> None:
    """After every voiced frame of an open utterance the last window is younger than the interval."""
    interval = samples(0.3)
    segmenter = Segmenter(MarkedVad(), geometry, replace(chosen, partial_interval=interval))
    speaking, latest = False, 0
    for start in range(0, len(audio) - MarkedVad.frame + 1, MarkedVad.frame):
        frame = audio[start : start + MarkedVad.frame]
        began = speaking
        for item in segmenter.push(frame):
            speaking = isinstance(item, Onset) or not item.last
            latest = segmenter.position
        if began and speaking and MarkedVad().is_speech(frame):
            assert segmenter.position - latest < interval + MarkedVad.frame


def one_window_left(chosen: SegmenterSettings) -> SegmenterSettings:
    """Generate hop, tail and right context such that what remains at an endpoint fits one window."""
    return replace(chosen, hop=Samples(9_600), right_context=Samples(6_400), tail=min(chosen.tail, samples(0.2)))


@settings(max_examples=60, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS)
def test_an_endpoint_leaves_one_window_to_wait_for(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings
) -> None:
    chosen = one_window_left(chosen)
    segmenter = Segmenter(MarkedVad(), geometry, chosen)
    for start in range(0, len(audio), MarkedVad.frame):
        found = segmenter.push(audio[start : start + MarkedVad.frame])
        windows = [item for item in found if isinstance(item, Window)]
        assert len(windows) <= 1


@settings(max_examples=60, deadline=None)
@given(speech(), GEOMETRIES, SETTINGS)
def test_in_a_pause_nothing_is_cut_that_a_final_would_wait_for(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings
) -> None:
    """The first window of all is an exception: it takes longer to come than others."""
    chosen = one_window_left(chosen)
    segmenter, vad = Segmenter(MarkedVad(), geometry, chosen), MarkedVad()
    for start in range(0, len(audio) - vad.frame + 1, vad.frame):
        frame = audio[start : start + vad.frame]
        fixed = committed(segmenter.push(frame))
        assert vad.is_speech(frame) or all(window.last or not window.start for window in fixed)


def test_pre_roll_and_tail_belong_to_the_utterance() -> None:
    audio = np.concatenate([tone(2, loud=False), tone(1, loud=True), tone(2, loud=False)])
    found = segment(audio, STANDARD, SegmenterSettings())
    assert isinstance(found[0], Onset)
    assert found[0].start == samples(2 - 0.3)
    last = committed(found)[-1]
    assert (last.keep_end, last.speech_end, last.reason) == (samples(3 + 0.2), samples(3), "silence")


def test_a_short_pause_does_not_split_and_a_click_does_not_start() -> None:
    click = np.concatenate([tone(1, loud=False), tone(0.04, loud=True), tone(1, loud=False)])
    assert segment(click, STANDARD, SegmenterSettings()) == []
    pause = np.concatenate([tone(1, loud=True), tone(0.4, loud=False), tone(1, loud=True), tone(1, loud=False)])
    assert len([item for item in segment(pause, STANDARD, SegmenterSettings()) if isinstance(item, Onset)]) == 1


def test_a_gap_closes_the_utterance_and_restarts_the_clock_where_told() -> None:
    segmenter = Segmenter(MarkedVad(), STRIDED)
    before = segmenter.push(tone(1, loud=True))
    closing = segmenter.gap(Samples(100_001))
    after = segmenter.push(tone(1, loud=True)) + segmenter.flush()
    assert isinstance(before[0], Onset)
    assert [item.reason for item in closing if isinstance(item, Window)] == ["gap"]
    onset, *windows = after
    assert isinstance(onset, Onset)
    assert onset.start == 100_001
    assert all(isinstance(w, Window) and (w.start - 100_001) % STRIDED.stride == 0 for w in windows)


@settings(max_examples=100)
@given(speech(), GEOMETRIES, st.tuples(SETTINGS, SETTINGS), st.integers(0, 200_000), st.integers(0, samples(60.0)))
def test_settings_may_change_at_any_time(
    audio: FloatArray, geometry: Geometry, both: tuple[SegmenterSettings, SegmenterSettings], at: int, pre_roll: int
) -> None:
    """Even a pre-roll that reaches further back than the kept audio works: it takes what there is."""
    before, after = both
    after = replace(after, hop=before.hop, right_context=before.right_context, pre_roll=Samples(pre_roll))
    first = np.concatenate([audio[:at], tone(3, loud=False)])
    rest = np.concatenate([tone(1, loud=True), audio[at:]])
    seen = []
    for step in (len(rest), 4_000):
        segmenter = Segmenter(MarkedVad(), geometry, before)
        found = segmenter.push(first)
        segmenter.use(after)
        for start in range(0, len(rest), step):
            found += segmenter.push(rest[start : start + step])
        found += segmenter.flush()
        kept = committed(found)
        onsets = [item.start for item in found if isinstance(item, Onset)]
        assert [item.utterance for item in kept if item.last] == list(range(len(onsets)))
        assert all(one.keep_end <= two.keep_start for one, two in pairwise(kept))
        assert all(one.keep_end == two.keep_start or one.last for one, two in pairwise(kept))
        seen.append([(item.utterance, item.start) for item in found])
    assert seen[0] == seen[1]


def test_a_pre_roll_that_was_raised_reaches_as_far_back_as_was_kept() -> None:
    segmenter = Segmenter(MarkedVad(), STANDARD)
    for _ in range(20):
        segmenter.push(tone(1, loud=False))
    segmenter.use(SegmenterSettings(pre_roll=samples(5.0)))
    [onset, *_] = segmenter.push(tone(1, loud=True))
    assert isinstance(onset, Onset)
    assert samples(19.0) < onset.start < samples(19.7)
    assert [window.last for window in committed(segmenter.flush())][-1]
    segmenter.gap(Samples(0))
    for _ in range(20):
        segmenter.push(tone(1, loud=False))
    [onset, *_] = segmenter.push(tone(1, loud=True))
    assert isinstance(onset, Onset)
    assert onset.start == samples(15.0)


def test_memory_stays_bounded_in_an_hour_of_silence() -> None:
    segmenter = Segmenter(MarkedVad(), STANDARD)
    for _ in range(3600):
        assert segmenter.push(tone(1, loud=False)) == []
    history = segmenter._segment.history
    assert history.end - history.start < samples(4)
    assert len(history._buffer) < samples(10)


def test_the_real_detector_finds_a_vowel_in_silence() -> None:
    rng = np.random.default_rng(1)
    time = np.arange(samples(1.0)) / 16_000
    pulses = np.sign(np.sin(2 * np.pi * 120 * time)) * (1 + 0.3 * np.sin(2 * np.pi * 4 * time))
    vowel = np.convolve(pulses, np.hanning(12), "same") * 0.05
    quiet = rng.normal(0, 1e-4, samples(2.0))
    audio = np.concatenate([quiet, vowel, quiet]).astype(np.float32)
    segmenter = Segmenter(WebRtcVad(2), STANDARD)
    onsets = [item for item in segmenter.push(audio) if isinstance(item, Onset)]
    assert len(onsets) == 1
    assert samples(1.5) < onsets[0].start <= samples(2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": Samples(MAX_WINDOW + 1)},
        {"window": Samples(0)},
        {"hangover": Samples(0)},
        {"min_hangover": Samples(0)},
        {"min_hangover": samples(0.7)},
        {"max_hangover": samples(0.5)},
        {"tail": samples(0.4)},
        {"pre_roll": Samples(-1)},
        {"max_utterance": Samples(1000)},
        {"hop": Samples(100)},
        {"hop": Samples(20_000), "right_context": Samples(10_000)},
    ],
)
def test_contradictory_settings_are_refused(wrong: dict[str, Samples]) -> None:
    with pytest.raises(UsageError):
        Segmenter(MarkedVad(), STRIDED, SegmenterSettings(**wrong))


def test_aggressiveness_outside_the_range_is_refused() -> None:
    with pytest.raises(UsageError, match="0, 1, 2 or 3"):
        WebRtcVad(4)


def test_an_over_long_utterance_is_cut_in_a_pause_where_there_is_one() -> None:
    spoken = [tone(8.0, loud=True), tone(0.2, loud=False), tone(6, loud=True)]
    chosen = SegmenterSettings(max_utterance=samples(10))
    first, *_ = [w for w in committed(segment(np.concatenate(spoken), STANDARD, chosen)) if w.last]
    assert first.reason == "length"
    assert samples(8.0) < first.keep_end < samples(8.2)
    unbroken = committed(segment(tone(14, loud=True), STANDARD, chosen))
    first, *_ = [w for w in unbroken if w.last]
    assert first.keep_end == pytest.approx(samples(10 - 0.4), abs=MarkedVad.frame + BLOCK)
