"""An utterance ends by the VAD, by the speaker's pauses, and by what the recogniser heard."""

import math
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.backends import load
from asrd.core.flow import Answer, FloatArray, Onset, Window
from asrd.core.units import MAX_WINDOW, Samples, samples
from asrd.daemon.offline import transcribe
from asrd.daemon.segmentation import limits, wordless
from asrd.daemon.segmentation.feedback import PROBE
from asrd.daemon.segmentation.pauses import SHORTEST, Pauses
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import read_blocks
from asrd.models import Geometry, ModelDirectory
from asrd.models.speech import bundled as bundled_speech

from .marked import DEAF, GEOMETRIES, SETTINGS, STANDARD, MarkedVad, Words, answer, converse, speech, spoken_words, tone

FRAME = MarkedVad.frame
LENGTHS = st.integers(0, samples(60.0))


def voices(audio: FloatArray) -> list[bool]:
    """Return the VAD's decision for each frame."""
    return [bool(np.abs(audio[at : at + FRAME]).max() > 0.5) for at in range(0, len(audio) - FRAME + 1, FRAME)]


def ends(found: list[tuple[int, Onset | Window]]) -> list[tuple[int, Window]]:
    """Return the last window of each utterance, and the position at which it was decided."""
    return [(position, item) for position, item in found if isinstance(item, Window) and item.last]


def same(one: Onset | Window, other: Onset | Window) -> bool:
    if isinstance(one, Onset) or isinstance(other, Onset):
        return one == other
    fields = ("utterance", "start", "left", "right", "level", "provisional", "probe", "last", "reason", "speech_end")
    return np.array_equal(one.pcm, other.pcm) and all(getattr(one, name) == getattr(other, name) for name in fields)


@settings(max_examples=80)
@given(speech(), GEOMETRIES, SETTINGS, spoken_words(), st.sampled_from([FRAME, Samples(160), Samples(1_000)]))
def test_neither_chunking_nor_the_speed_of_the_recogniser_matters(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings, words: Words, step: int
) -> None:
    at_once, late = converse(audio, geometry, chosen, words), converse(audio, geometry, chosen, words, step)
    assert [position for position, _ in at_once] == [position for position, _ in late]
    assert all(same(one, other) for (_, one), (_, other) in zip(at_once, late, strict=True))


@settings(max_examples=80)
@given(speech(), GEOMETRIES, SETTINGS, spoken_words())
def test_utterances_are_whole_and_bounded_whatever_the_recogniser_says(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings, words: Words
) -> None:
    found = [item for _, item in converse(audio, geometry, chosen, words)]
    onsets = {item.utterance: item.start for item in found if isinstance(item, Onset)}
    lasting = [item for item in found if isinstance(item, Window) and not item.provisional]
    assert list(onsets) == list(range(len(onsets)))
    assert sorted(item.utterance for item in lasting if item.last) == list(onsets)
    for one, two in pairwise(lasting):
        assert one.keep_end <= two.keep_start
        assert one.keep_end == two.keep_start or one.last
    for window in lasting:
        assert window.keep_start < window.keep_end
        assert window.keep_end - onsets[window.utterance] <= chosen.max_utterance + FRAME
        assert geometry.receptive_field <= len(window.pcm) <= MAX_WINDOW


@settings(max_examples=80)
@given(speech(), SETTINGS, spoken_words())
def test_a_pause_shorter_than_the_least_never_ends_an_utterance(
    audio: FloatArray, chosen: SegmenterSettings, words: Words
) -> None:
    """It may only where the recogniser has heard no words for longer than the longest pause, whatever the VAD hears."""
    voiced = voices(audio)
    for position, window in ends(converse(audio, STANDARD, chosen, words)):
        if window.reason != "silence":
            continue
        before = voiced[: position // FRAME]
        least = math.ceil(chosen.min_hangover / FRAME)
        silent = any(
            sum(before[-length:]) <= 0.1 * length and not before[-length]
            for length in range(least, min(len(before), math.ceil(chosen.max_hangover / FRAME)) + 1)
        )
        said = [end for start, end in words if start < position]
        wordless = position - max(said, default=0) >= chosen.max_hangover
        assert silent or wordless


@settings(max_examples=80)
@given(speech(), SETTINGS, spoken_words())
def test_a_silence_longer_than_the_most_always_ends_it(
    audio: FloatArray, chosen: SegmenterSettings, words: Words
) -> None:
    found = converse(audio, STANDARD, chosen, words)
    most = math.ceil(chosen.max_hangover / FRAME)
    quiet = 0
    for index, voiced in enumerate(voices(audio)):
        quiet = 0 if voiced else quiet + 1
        if quiet >= most:
            until = [item for position, item in found if position <= (index + 1) * FRAME]
            begun = sum(isinstance(item, Onset) for item in until)
            assert begun == sum(isinstance(item, Window) and item.last for item in until)


@settings(max_examples=80)
@given(speech(), st.randoms(use_true_random=False))
def test_a_preview_in_a_pause_tells_how_soon_the_utterance_may_end(audio: FloatArray, random: Random) -> None:
    """It ends at that point if nobody says anything more; earlier only where its length has lowered the limit since."""
    chosen = SegmenterSettings()
    found = converse(audio, STANDARD, chosen, DEAF)
    onsets = {item.utterance: item.start for _, item in found if isinstance(item, Onset)}
    told = [(at, item) for at, item in found if isinstance(item, Window) and item.time_left is not None]
    if not told:
        return
    position, window = random.choice(told)
    assert window.provisional
    silence = np.zeros(chosen.max_hangover + FRAME, np.float32)
    later = ends(converse(np.concatenate([audio[:position], silence]), STANDARD, chosen, DEAF))
    [end] = [at for at, item in later if item.utterance == window.utterance]
    assert window.time_left is not None
    assert position < end <= position + window.time_left
    if end - onsets[window.utterance] < limits.PATIENT * chosen.max_utterance:
        assert end == position + window.time_left


@settings(max_examples=80)
@given(speech(), SETTINGS)
def test_a_pause_is_previewed_no_more_once_all_that_was_said_is_shown(
    audio: FloatArray, chosen: SegmenterSettings
) -> None:
    voiced = voices(audio)
    for position, item in converse(audio, STANDARD, chosen, DEAF):
        if isinstance(item, Window) and item.provisional:
            quiet = voiced[: position // FRAME][::-1].index(True)
            assert quiet < PROBE / FRAME or item.probe


@given(LENGTHS, LENGTHS, SETTINGS, LENGTHS, st.lists(st.tuples(LENGTHS, LENGTHS), max_size=4))
def test_limits_stay_within_their_bounds(
    limit: int, length: int, chosen: SegmenterSettings, silent: int, words: list[tuple[int, int]]
) -> None:
    by_length = limits.for_length(limit, length, chosen)
    assert chosen.min_hangover <= round(by_length) <= chosen.max_hangover
    said = tuple((Samples(min(one)), Samples(max(one))) for one in sorted(words))
    by_text = limits.for_text(by_length, silent, Answer(0, Samples(0), Samples(limit + length), said), chosen)
    assert chosen.min_hangover <= round(by_text) <= chosen.max_hangover


@given(st.lists(st.tuples(st.integers(0, samples(20.0)), st.integers(0, samples(2.0))), max_size=30))
def test_a_pause_never_lowers_the_limit_and_speech_alone_never_raises_it(spoken: list[tuple[int, int]]) -> None:
    pauses = Pauses(samples(0.6))
    for length, pause in spoken:
        before = pauses.limit()
        pauses.speech(length)
        fluent = pauses.limit()
        assert fluent <= before * (1 + 1e-9)
        pauses.pause(pause)
        assert pauses.limit() >= fluent * (1 - 1e-9)


def test_the_limit_begins_where_it_was_set_and_follows_the_speaker() -> None:
    fluent, pondering = Pauses(samples(0.6)), Pauses(samples(0.6))
    assert fluent.limit() == pytest.approx(samples(0.6), rel=0.01)
    for _ in range(20):
        fluent.speech(samples(3.0))
        for pauses, length in ((fluent, 0.15), (pondering, 0.5)):
            pauses.speech(samples(2.0))
            pauses.pause(samples(length))
    assert fluent.limit() < samples(0.45)
    assert pondering.limit() > samples(0.65)
    pondering.pause(SHORTEST - 1)
    before = pondering.limit()
    for _ in range(30):
        pondering.speech(samples(5.0))
    assert pondering.limit() < before / 1.3


def test_a_speaker_who_ponders_is_not_cut_and_one_who_does_not_is_not_kept_waiting() -> None:
    """After some sentences with pauses of 0.5 s, a pause of 0.7 s no longer ends an utterance."""
    short, long = tone(0.5, loud=False), tone(0.7, loud=False)
    sentence = [tone(1.5, loud=True), short, tone(1.5, loud=True), short, tone(1.0, loud=True), tone(2.0, loud=False)]
    audio = np.concatenate([*sentence * 4, tone(1.5, loud=True), long, tone(1.5, loud=True), tone(2.0, loud=False)])
    adaptive = [window.utterance for _, window in ends(converse(audio, STANDARD, SegmenterSettings(), DEAF))]
    fixed = SegmenterSettings(min_hangover=samples(0.6), max_hangover=samples(0.6))
    assert len(adaptive) == 5
    assert len(ends(converse(audio, STANDARD, fixed, DEAF))) == 6
    fluent = np.concatenate([tone(4.0, loud=True), tone(2.0, loud=False)] * 10)
    (first, window), *_, (later, last) = ends(converse(fluent, STANDARD, SegmenterSettings(), DEAF))
    assert later - last.speech_end < first - window.speech_end


def test_a_monologue_ends_in_a_shorter_pause() -> None:
    chosen, pause = SegmenterSettings(max_utterance=samples(20)), tone(0.4, loud=False)
    short = np.concatenate([tone(4, loud=True), pause, tone(2, loud=True)])
    assert [window.reason for _, window in ends(converse(short, STANDARD, chosen, DEAF))] == ["end"]
    long = np.concatenate([tone(15, loud=True), pause, tone(2, loud=True)])
    (_, first), _ = ends(converse(long, STANDARD, chosen, DEAF))
    assert (first.reason, first.speech_end) == ("silence", samples(15))


def test_steady_noise_does_not_keep_an_utterance_open_nor_open_others() -> None:
    """The VAD hears a voice for a minute; there are words in two places."""
    words = [(samples(0.5), samples(3.0)), (samples(30.0), samples(30.4)), (samples(30.5), samples(32.0))]
    found = converse(tone(60, loud=True), STANDARD, SegmenterSettings(), words)
    onsets = [item.start for _, item in found if isinstance(item, Onset)]
    assert len(onsets) == 2
    assert samples(29.0) < onsets[1] < samples(30.0)
    for (position, window), (_, end) in zip(ends(found), words[::2], strict=True):
        assert window.reason == "silence"
        assert end <= window.speech_end <= end + limits.MARGIN
        assert position < end + wordless.LIMIT + samples(1.0)
    probes = [item for _, item in found if isinstance(item, Window) and item.provisional]
    assert len(probes) < 60 / 0.4


def test_letters_in_what_the_vad_takes_for_silence_hold_the_utterance_open() -> None:
    audio = np.concatenate([tone(2, loud=True), tone(1.5, loud=False)])
    chosen = SegmenterSettings()
    [(plain, _)] = ends(converse(audio, STANDARD, chosen, [(samples(0.2), samples(1.9))]))
    [(held, _)] = ends(converse(audio, STANDARD, chosen, [(samples(0.2), samples(2.1))]))
    [(early, _)] = ends(converse(audio, STANDARD, chosen, [(samples(0.2), samples(1.6))]))
    assert early == plain < held <= samples(2) + chosen.max_hangover + FRAME


def test_settings_hold_from_the_next_frame_on() -> None:
    segmenter = Segmenter(MarkedVad(), STANDARD)
    segmenter.push(np.concatenate([tone(2, loud=True), tone(0.4, loud=False)]))
    segmenter.use(SegmenterSettings(hangover=samples(0.4), min_hangover=samples(0.4)))
    found = segmenter.push(tone(0.02, loud=False))
    assert [item.reason for item in found if isinstance(item, Window)][-1] == "silence"
    assert segmenter.hangover == pytest.approx(samples(0.4), rel=0.01)


def test_a_long_pre_roll_is_kept_where_the_vad_has_heard_a_voice_without_words() -> None:
    audio = np.concatenate([tone(9, loud=True), tone(2, loud=False), tone(1, loud=True)])
    found = [item for _, item in converse(audio, STANDARD, SegmenterSettings(pre_roll=samples(5.0)), [], 4_000)]
    assert [item.start for item in found if isinstance(item, Onset)] == [0, samples(6.0)]


def test_what_was_heard_of_a_closed_utterance_is_forgotten() -> None:
    segmenter = Segmenter(MarkedVad(), STANDARD)
    found = segmenter.push(np.concatenate([tone(2, loud=True), tone(2, loud=False), tone(1, loud=True)]))
    late = [item for item in found if isinstance(item, Window) and item.asks and item.utterance == 0]
    for window in late:
        segmenter.take(answer(window, [(samples(4.5), samples(5.0))]))
    after = segmenter.push(tone(1, loud=False))
    assert [item.utterance for item in after if isinstance(item, Window) and item.last] == [1]


class Unbroken:
    """Never hears a pause."""

    frame = samples(0.020)

    def is_speech(self, pcm: FloatArray) -> bool:
        return True

    def reset(self) -> None:
        pass


def test_an_over_long_utterance_of_real_speech_is_not_cut_inside_a_word(bundled: ModelDirectory) -> None:
    """Words are those heard without cuts, in sentences without a pause between them. No cut falls into one, further
    from its ends than the error of word times.
    """
    clips = [np.concatenate([*read_blocks(one.audio)]) for one in bundled_speech()[5:17]]
    audio = np.concatenate([clip[samples(0.3) : -samples(0.3)] for clip in clips])
    backend = load("fp16", bundled)

    def heard(longest: float) -> list[tuple[int, int, str, list[tuple[int, int]]]]:
        chosen = SegmenterSettings(max_utterance=samples(longest), max_hangover=samples(5.0))
        segmenter = Segmenter(Unbroken(), bundled.geometry, chosen)
        return [
            (one.start, one.end, one.reason, [(word.start, word.end) for word in one.hypothesis.words])
            for one in transcribe([audio], backend, segmenter)
        ]

    words = [word for *_, said in heard(60.0) for word in said]
    cuts = [end for _, end, reason, _ in heard(6.0) if reason == "length"]
    assert len(cuts) >= 3
    error = samples(0.04)
    assert [cut for cut in cuts for start, end in words if start + error < cut < end - error] == []
