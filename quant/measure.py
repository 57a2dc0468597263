"""What backends hear of speech with transcripts, measured as they are deployed: by the daemon's own code."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asrd.backends import Backend
from asrd.core.flow import FloatArray, Window
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, Samples
from asrd.daemon.recognizer import Recognizer, recognize
from asrd.daemon.segmenter import Segmenter
from asrd.daemon.settings import SegmenterSettings
from asrd.daemon.vad import WebRtcVad
from asrd.models import Geometry
from asrd.quant.data import Clip, read
from asrd.quant.score import Score, score
from asrd.quant.text import normalize_text


@dataclass(frozen=True, slots=True)
class Measurement:
    """One backend on one set of clips.

    texts: what it heard of each clip. window_seconds: time of each full window, in the order they
    came, which all backends measured together share; of every window where none was full.
    real_time_factor: time spent over time heard, segmentation and decoding included.
    """

    backend: str
    arithmetic: str
    texts: tuple[str, ...]
    score: Score
    window_seconds: tuple[float, ...]
    real_time_factor: float


def measure(
    backends: Mapping[str, Backend], clips: Sequence[Clip], advance: Callable[[], None] = lambda: None
) -> dict[str, Measurement]:
    """Let every backend hear every clip.

    They take turns clip by clip, and at each clip another goes first, so that whatever else the
    machine does falls on all alike. advance: called once for each clip and backend.
    Raises AudioError where a clip cannot be read, BackendError where a backend fails.
    """
    names, heard, seconds = list(backends), {name: list[Heard]() for name in backends}, 0.0
    for backend in backends.values():
        backend.warm_up(MAX_WINDOW)
    for turn, clip in enumerate(clips):
        pcm = read(clip)
        seconds += len(pcm) / SAMPLE_RATE
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            heard[name].append(listen(backends[name], pcm))
            advance()
    references = [clip.text for clip in clips]
    return {name: _summary(name, backends[name], references, heard[name], seconds) for name in names}


@dataclass(slots=True)
class Heard:
    """One clip as one backend heard it.

    seconds: from audio to text. windows: each window's length in samples, and the seconds it took.
    """

    text: str = ""
    seconds: float = 0.0
    windows: list[tuple[Samples, float]] = field(default_factory=list)


def hear(backend: Backend, clip: Clip) -> str:
    """The text of one clip."""
    return listen(backend, read(clip)).text


def listen(backend: Backend, pcm: FloatArray) -> Heard:
    """Recognise a recording `(samples,)` as the daemon would a stream that consists of it."""
    recognizer, heard, texts = Recognizer(backend.model), Heard(), []
    began = time.perf_counter()
    for window in cut(pcm, backend.model.geometry):
        started = time.perf_counter()
        [emission] = recognize(backend, [window])
        heard.windows.append((Samples(len(window.pcm)), time.perf_counter() - started))
        hypothesis = recognizer.accept(window, emission)
        if window.last and hypothesis.text:
            texts.append(hypothesis.text)
    heard.text, heard.seconds = " ".join(texts), time.perf_counter() - began
    return heard


def cut(pcm: FloatArray, geometry: Geometry) -> Iterator[Window]:
    """The windows of a recording, as the daemon's segmenter cuts them.

    Without previews of open utterances: those show partial text early and never change the final one.
    """
    segmenter = Segmenter(WebRtcVad(), geometry, SegmenterSettings(partial_interval=Samples(0)))
    for item in (*segmenter.push(pcm), *segmenter.flush()):
        if isinstance(item, Window):
            yield item


def exact_match(one: Measurement, other: Measurement) -> float:
    """Share of clips of which both heard the same, up to normalisation of text."""
    pairs = zip(one.texts, other.texts, strict=True)
    return sum(normalize_text(a) == normalize_text(b) for a, b in pairs) / len(one.texts)


def _summary(
    name: str, backend: Backend, references: Sequence[str], heard: Sequence[Heard], seconds: float
) -> Measurement:
    texts = tuple(one.text for one in heard)
    windows = [window for one in heard for window in one.windows]
    full = [taken for length, taken in windows if length == MAX_WINDOW]
    return Measurement(
        backend=name,
        arithmetic=backend.arithmetic,
        texts=texts,
        score=score(references, texts),
        window_seconds=tuple(full or (taken for _, taken in windows)),
        real_time_factor=sum(one.seconds for one in heard) / seconds,
    )
