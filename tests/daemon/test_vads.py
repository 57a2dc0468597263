"""Every detector meets the contract, and a segmenter works with frames of any length."""

import importlib.util
from importlib.metadata import EntryPoint
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.core.errors import AsrdError, MissingExtraError, UsageError
from asrd.core.flow import FloatArray, Onset, Window
from asrd.core.plugins import claims
from asrd.core.units import samples
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.vad import create, registry
from asrd.daemon.vad.conformance import VadConformance
from asrd.models import Geometry

SILERO = pytest.mark.skipif(not importlib.util.find_spec("silero_vad"), reason="the extra silero is not installed")
GEOMETRY = Geometry((400, 3), (160, 3))


class TestWebRtc(VadConformance):
    spec = "webrtc"


class TestWebRtcStrict(VadConformance):
    spec = "webrtc:3"


class TestEnergy(VadConformance):
    spec = "energy"


@SILERO
class TestSilero(VadConformance):
    spec = "silero"


class Loud:
    """A third party's detector, with an odd frame length."""

    frame = samples(0.0301875)

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def is_speech(self, pcm: FloatArray) -> bool:
        assert len(pcm) == self.frame
        return bool(np.abs(pcm).max() > self.threshold)

    def reset(self) -> None:
        pass


class Broken:
    def __init__(self) -> None:
        raise RuntimeError("no licence\nat all")


def test_a_third_partys_detector_has_a_name_and_a_strictness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "claims", lambda _: {"loud": [Entry(Loud)]})
    vad = create("loud:0.25")
    assert isinstance(vad, Loud)
    assert vad.threshold == 0.25


class Entry:
    """The used part of an entry point."""

    dist = None

    def __init__(self, loaded: object) -> None:
        self._loaded = loaded

    def load(self) -> object:
        return self._loaded


def test_what_is_wrong_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "claims", lambda _: {"broken": [Entry(Broken)], "twice": [Entry(Loud), Entry(Loud)]})
    with pytest.raises(AsrdError, match=r"^VAD 'broken' cannot be used: no licence$"):
        create("broken")
    with pytest.raises(AsrdError, match="both register a VAD 'twice'"):
        create("twice")
    with pytest.raises(UsageError, match=r"no VAD is called '2'; there are: broken, energy, silero, twice, webrtc$"):
        create("2")


def test_registrations_are_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("loud", "json:loads", registry.GROUP)
    monkeypatch.setattr("asrd.core.plugins.entry_points", lambda group: [entry] if group == registry.GROUP else [])
    assert claims(registry.GROUP) == {"loud": [entry]}


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from asrd.daemon.vad import silero

    silero._network.cache_clear()
    monkeypatch.setattr(silero, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[silero\]'"):
        create("silero")


@pytest.mark.parametrize(("spec", "message"), [("nonsense", "no VAD is called"), ("webrtc:4", "aggressiveness is 0")])
def test_check_finds_a_vad_that_start_would_refuse(spec: str, message: str) -> None:
    result = CliRunner().invoke(asrd, ["start", "--check", "--source", "pcm:-"], env={"ASRD_VAD": spec})
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_a_segmenter_takes_frames_of_any_length() -> None:
    """Times are those of the audio, to a frame, and every sample of an utterance is in one window."""
    quiet, loud = np.zeros(samples(1.5), np.float32), np.full(samples(5.0), 0.75, np.float32)
    segmenter = Segmenter(Loud(), GEOMETRY)
    found = segmenter.push(np.concatenate([quiet, loud, quiet])) + segmenter.flush()
    [onset] = [item for item in found if isinstance(item, Onset)]
    kept = [item for item in found if isinstance(item, Window) and not item.provisional]
    assert onset.start == pytest.approx(samples(1.5 - 0.3), abs=Loud.frame)
    assert kept[-1].speech_end == pytest.approx(samples(6.5), abs=Loud.frame)
    assert kept[0].keep_start == onset.start
    assert all(one.keep_end == two.keep_start for one, two in pairwise(kept))
