"""Tests that every voice activity detector must pass. Needs pytest.

A third party subclasses this in its own test suite, next to its entry point:

    from asrd.daemon.vad.conformance import VadConformance

    class TestMine(VadConformance):
        spec = "mine"
"""

import numpy as np
import pytest

from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, samples
from asrd.daemon.vad import Vad, create
from asrd.models.speech import bundled

MISSED, FALSE = 0.35, 0.1
"""Accepted shares of speech judged silent, as gaps between words are, and of silence judged speech."""


class VadConformance:
    """Test a detector; subclasses set `spec`."""

    spec: str
    """The detector, as `create` takes it."""

    @pytest.fixture
    def vad(self) -> Vad:
        """Return a new detector."""
        return create(self.spec)

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> FloatArray:
        """Return a sentence of a real voice, without the silence around it, peaking at -6 dBFS."""
        from asrd.daemon.sources.files import read_blocks

        pcm = np.concatenate(list(read_blocks(bundled("real")[0].audio)))
        loud = np.flatnonzero(np.abs(pcm) > 0.1 * np.abs(pcm).max())
        spoken = pcm[loud[0] : loud[-1]]
        return spoken * np.float32(0.5 / np.abs(spoken).max())

    @pytest.fixture(scope="class")
    @classmethod
    def room(cls) -> FloatArray:
        """Return three seconds of a quiet room: white noise at -60 dBFS."""
        return np.random.default_rng(5).normal(0, 1e-3, samples(3)).astype(np.float32)

    def judge(self, vad: Vad, pcm: FloatArray) -> list[bool]:
        """Return the detector's decisions for all whole frames."""
        return [vad.is_speech(pcm[at : at + vad.frame]) for at in range(0, len(pcm) - vad.frame + 1, vad.frame)]

    def test_says_what_frames_it_takes(self, vad: Vad) -> None:
        """Frames last 5 to 100 ms: longer ones would place the ends of speech too coarsely."""
        assert samples(0.005) <= vad.frame <= samples(0.100)
        assert type(vad.is_speech(np.zeros(vad.frame, np.float32))) is bool

    def test_silence_is_not_speech(self, vad: Vad, room: FloatArray) -> None:
        """Digital silence, the same with the last bit dithered, and a quiet room are not speech."""
        dither = np.random.default_rng(1).integers(-1, 2, len(room)) / np.float32(32768)
        for quiet in (np.zeros_like(room), dither.astype(np.float32), room):
            vad.reset()
            assert np.mean(self.judge(vad, quiet)) <= FALSE

    @pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
    def test_speech_is(self, vad: Vad, speech: FloatArray, room: FloatArray, gain: float) -> None:
        """Speech is detected, even as quiet as a whisper across the room, and its end soon after."""
        quiet = room * np.float32(0.05)
        self.judge(vad, quiet)
        assert np.mean(self.judge(vad, speech * np.float32(gain))) >= 1 - MISSED
        assert np.mean(self.judge(vad, quiet)[len(quiet) // vad.frame // 2 :]) <= FALSE

    def test_the_same_audio_gets_the_same_answers_after_a_reset(
        self, vad: Vad, speech: FloatArray, room: FloatArray
    ) -> None:
        """A reset removes all effects of earlier audio, and two detectors do not share state."""
        first = self.judge(create(self.spec), speech)
        self.judge(vad, room)
        vad.reset()
        other = create(self.spec)
        interleaved = []
        for at in range(0, len(speech) - vad.frame + 1, vad.frame):
            interleaved.append(vad.is_speech(speech[at : at + vad.frame]))
            other.is_speech(room[at % vad.frame :][: vad.frame])
        assert interleaved == first

    def test_extremes_do_no_harm(self, vad: Vad, speech: FloatArray, room: FloatArray) -> None:
        """Full scale, a square wave, an offset, a click and denormals get decisions, and later speech is still
        detected.
        """
        square = np.where(np.arange(len(room)) % 100 < 50, 1, -1)
        click = np.zeros(len(room))
        click[len(room) // 2] = 1
        for pcm in (np.ones(len(room)), -np.ones(len(room)), square, click, np.full(len(room), 1e-40)):
            self.judge(vad, pcm.astype(np.float32))
        self.judge(vad, np.concatenate([room, room]))
        assert np.mean(self.judge(vad, speech)) >= 1 - MISSED

    def test_an_offset_is_not_speech_and_hides_none(self, vad: Vad, speech: FloatArray, room: FloatArray) -> None:
        """An offset of 0.3 of full scale, as of a cheap microphone, is not speech; adapting to it may take a second."""
        offset = np.float32(0.3)
        quiet = self.judge(vad, room + offset)
        assert np.mean(quiet[SAMPLE_RATE // vad.frame :]) <= FALSE
        assert np.mean(self.judge(vad, speech + offset)) >= 1 - MISSED

    def test_leaves_its_input_alone(self, vad: Vad, speech: FloatArray) -> None:
        """Input is not changed: frames are views of audio that others will read."""
        frame = speech[: vad.frame].copy()
        frame.flags.writeable = False
        vad.is_speech(frame)
        np.testing.assert_array_equal(frame, speech[: vad.frame])

    def test_an_impossible_strictness_is_refused(self) -> None:
        """Invalid strictness raises UsageError."""
        for number in ("-1", "nan", "1e9", "much"):
            with pytest.raises(UsageError):
                create(f"{self.spec.partition(':')[0]}:{number}")
