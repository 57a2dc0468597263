"""Error rates are counted as people would, and windows hear all of an utterance."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.backends import Backend, LoadOptions, load
from asrd.core.units import MAX_WINDOW
from asrd.models import Geometry, ModelDirectory
from asrd.models.speech import Utterance, bundled
from asrd.quant.measure import _windows, normalize_text, score, transcribe

GEOMETRY = Geometry((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))


def test_rates_by_hand() -> None:
    result = score(["THE CAT SAT", "ON A MAT"], ["THE CAT", "on the mat."])
    assert result.wer == pytest.approx(2 / 6)  # SAT is missing, A became THE
    assert result.cer == pytest.approx((4 + 3) / (11 + 8))
    assert (result.words, result.characters) == (6, 19)


def test_nothing_heard_is_all_wrong_and_nothing_said_is_left_out() -> None:
    assert score(["HELLO", "—"], ["", "NOISE"]) == score(["HELLO"], [""])
    assert score(["HELLO"], [""]).wer == 1.0


def test_the_worse_rate_counts() -> None:
    better, worse = score(["A CAT"], ["A CAT"]), score(["A CAT"], ["A CAB"])
    assert worse.worse_by(better) == pytest.approx(0.5)
    assert better.worse_by(better) == 0


def test_one_rule_for_both_sides() -> None:
    assert normalize_text("  Don’t—stop, 24_7! ") == "DON'T STOP 24 7"


@given(length=st.integers(0, 200_000))
def test_windows_cover_an_utterance_once(length: int) -> None:
    pcm = np.zeros(length, np.float32)
    windows = list(_windows(pcm, GEOMETRY, whole=False))
    if GEOMETRY.frames(length) == 0:
        assert windows == []
        return
    assert windows[0].keep_start == 0
    assert length - windows[-1].keep_end < GEOMETRY.stride
    assert all(before.keep_end == after.keep_start for before, after in pairwise(windows))
    assert all(window.start % GEOMETRY.stride == 0 and len(window.pcm) <= MAX_WINDOW for window in windows)
    assert [window.last for window in windows] == [False] * (len(windows) - 1) + [True]
    assert {len(window.pcm) for window in windows} == {min(length, MAX_WINDOW)}


@pytest.fixture(scope="module")
def backend(request: pytest.FixtureRequest) -> Backend:
    model: ModelDirectory = request.getfixturevalue("bundled")
    return load("fp16", model, LoadOptions(cache=False))


def test_bundled_speech_is_heard(backend: Backend) -> None:
    speech = [utterance for utterance in bundled("synthetic") if utterance.seconds < 2]
    heard = score([utterance.text for utterance in speech], transcribe(backend, speech))
    guessed = score([utterance.text for utterance in speech], ["THE" for _ in speech])
    assert heard.cer < 0.6 * guessed.cer


def test_windows_hear_about_what_the_whole_utterance_gives(backend: Backend) -> None:
    speech = bundled("real")
    windowed, whole = transcribe(backend, speech), transcribe(backend, speech, whole=True)
    assert windowed != whole  # the context does matter, or the windows were not used
    assert score(whole, windowed).cer < 0.35


def test_audio_too_short_for_a_frame_gives_no_text(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> None:
    import soundfile

    path = tmp_path_factory.mktemp("short") / "short.wav"
    soundfile.write(path, np.ones(10, np.float32), 16_000)
    assert transcribe(backend, [Utterance(path, "A")]) == [""]
