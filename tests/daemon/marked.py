"""Audio, decisions, words and settings made up for the segmenter."""

import numpy as np
from hypothesis import strategies as st

from asrd.core.flow import Answer, FloatArray, Onset, Window
from asrd.core.units import MAX_WINDOW, Samples, samples
from asrd.daemon.recognition.answers import LAG
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.models import Geometry

STANDARD = Geometry((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2))
STRIDED = Geometry((20, 8, 8, 4), (10, 4, 4, 2))
COARSE = Geometry((30, 9), (21, 7))
MEL = Geometry((400, 3), (160, 3))
SQUEEZED = Geometry((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), squeeze=2)
GEOMETRIES = st.sampled_from([STANDARD, STRIDED, COARSE, MEL, SQUEEZED])


class MarkedVad:
    """Hears speech where the audio is loud, so that audio can express any pattern of decisions."""

    frame = samples(0.020)

    def is_speech(self, pcm: FloatArray) -> bool:
        return bool(np.abs(pcm).max() > 0.5)

    def reset(self) -> None:
        pass


@st.composite
def speech(draw: st.DrawFn) -> FloatArray:
    """Make audio of loud and quiet parts; every sample tells its own position."""
    stretches = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 40_000)), min_size=1, max_size=12))
    loud = np.concatenate([np.full(length, 1.0 if voiced else 0.0, np.float32) for voiced, length in stretches])
    return loud * 0.75 + np.arange(len(loud), dtype=np.float32) * 1e-9


@st.composite
def possible(draw: st.DrawFn) -> SegmenterSettings:
    """Generate settings that do not contradict themselves."""
    least, hangover, most = sorted(Samples(draw(st.integers(4_000, 24_000))) for _ in range(3))
    return SegmenterSettings(
        hop=Samples(draw(st.integers(1_700, 22_000))),
        right_context=Samples(draw(st.integers(1_040, 6_000))),
        min_speech=Samples(draw(st.integers(320, 4_000))),
        pre_roll=Samples(draw(st.integers(0, 8_000))),
        hangover=hangover,
        min_hangover=least,
        max_hangover=most,
        tail=Samples(draw(st.integers(0, 4_000))),
        max_utterance=Samples(draw(st.integers(MAX_WINDOW, 120_000))),
        partial_interval=draw(st.sampled_from([Samples(0), Samples(4_800)])),
    )


SETTINGS = possible()


def segment(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings, chunks: list[int] | None = None
) -> list[Onset | Window]:
    segmenter = Segmenter(MarkedVad(), geometry, chosen)
    found: list[Onset | Window] = []
    position = 0
    for length in chunks or []:
        found += segmenter.push(audio[position : position + length])
        position = min(position + length, len(audio))
    return found + segmenter.push(audio[position:]) + segmenter.flush()


Words = list[tuple[Samples, Samples]]

DEAF = None
"""Instead of words: a recogniser that tells nothing."""


@st.composite
def spoken_words(draw: st.DrawFn) -> Words:
    """Generate where a recogniser hears words, whatever the audio."""
    edges = draw(st.lists(st.integers(0, 200_000), max_size=16, unique=True))
    ordered = sorted(edges)
    return [(Samples(start), Samples(end)) for start, end in zip(ordered[::2], ordered[1::2], strict=False)]


def answer(window: Window, words: Words) -> Answer:
    """Return what that recogniser says about a window."""
    inside = [
        (Samples(max(start, window.start)), Samples(min(end, window.end)))
        for start, end in words
        if start < window.end and window.start < end
    ]
    return Answer(window.utterance, Samples(window.end + LAG), window.end, tuple(inside))


def converse(
    audio: FloatArray, geometry: Geometry, chosen: SegmenterSettings, words: Words | None, step: int = 0
) -> list[tuple[int, Onset | Window]]:
    """Yield what the segmenter finds, and at which position, when it is told about words.

    step: samples pushed at once; it is then told as late as still counts as in time, else at once.
    """
    segmenter = Segmenter(MarkedVad(), geometry, chosen)
    found: list[tuple[int, Onset | Window]] = []
    waiting: list[Answer] = []
    for start in range(0, len(audio), step or len(audio)):
        block = audio[start : start + (step or len(audio))]
        while waiting and waiting[0].due <= start + len(block):
            segmenter.take(waiting.pop(0))
        for item in segmenter.feed(block):
            found.append((segmenter.position, item))
            if words is not None and isinstance(item, Window) and item.asks:
                told = answer(item, words)
                if step and told.due > start + len(block):
                    waiting.append(told)
                else:
                    segmenter.take(told)
    return found + [(segmenter.position, item) for item in segmenter.flush()]


def committed(found: list[Onset | Window]) -> list[Window]:
    return [item for item in found if isinstance(item, Window) and not item.provisional]


def tone(length: float, *, loud: bool) -> FloatArray:
    return np.full(samples(length), 0.75 if loud else 0.0, np.float32)
