"""Measure backends on transcribed speech as they are deployed: by the daemon's own code."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from asrd.backends import Backend, LoadedModel
from asrd.core.flow import FloatArray, Window
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, Samples
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.decoding import Decoding
from asrd.daemon.recognition.recognizer import Recognizer, recognize
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import create
from asrd.quant.data import Clip, read
from asrd.quant.data.text import normalize_text
from asrd.quant.evaluation.score import Score, score

BACKENDS = ("torch", "fp16", "int8")
"""Backends of a model that asrd quantized; the first is the original, the reference for the others."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One backend on one set of clips.

    texts: what it heard of each clip. window_seconds: time of each full window, in the order they
    came; backends measured together share windows, unless what one heard moved an endpoint.
    real_time_factor: that time over the new audio of those windows, without context. If no full
    window brings new audio, both are of all windows.
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

    They take turns clip by clip, and another one goes first at each clip, so that whatever else the machine does
    affects all alike. advance: called once for each clip and backend.
    Raises AudioError if a clip cannot be read, BackendError if a backend fails.
    """
    names, heard = list(backends), {name: list[Transcribed]() for name in backends}
    for backend in backends.values():
        backend.warm_up(MAX_WINDOW)
    for turn, clip in enumerate(clips):
        pcm = read(clip)
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            heard[name].append(listen(backends[name], pcm))
            advance()
    references = [clip.text for clip in clips]
    return {name: _summary(name, backends[name], references, heard[name]) for name in names}


class Timed(NamedTuple):
    """One window: samples that were new in it, its length in samples, and the seconds it took."""

    brought: int
    length: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Transcribed:
    """One clip as one backend heard it."""

    text: str
    windows: list[Timed]


def text_of(backend: LoadedModel, clip: Clip) -> str:
    """Return the text of one clip."""
    return listen(backend, read(clip)).text


def listen(backend: LoadedModel, pcm: FloatArray, decoding: Decoding | None = None) -> Transcribed:
    """Recognise a recording `(samples,)` as the daemon would a stream that consists of it.

    decoding: makes the decoder of each utterance; greedy where none is given.
    """
    recognizer, texts, windows = Recognizer(backend.model, decoding), [], []
    segmenter = Segmenter(create(), backend.model.geometry, SegmenterSettings(partial_interval=Samples(0)))
    for window in cut(pcm, segmenter):
        began = time.perf_counter()
        [emission] = recognize(backend, [window])
        brought = 0 if window.provisional else window.keep_end - window.keep_start
        windows.append(Timed(brought, len(window.pcm), time.perf_counter() - began))
        if window.asks:
            segmenter.take(answer(window, emission, backend.model))
        if window.provisional:
            continue
        hypothesis = recognizer.accept(window, emission)
        if window.last and hypothesis.text:
            texts.append(hypothesis.text)
    return Transcribed(" ".join(texts), windows)


def cut(pcm: FloatArray, segmenter: Segmenter) -> Iterator[Window]:
    """Yield the windows of a recording `(samples,)`, each as soon as the segmenter cuts it."""
    yield from (item for item in segmenter.feed(pcm) if isinstance(item, Window))
    yield from (item for item in segmenter.flush() if isinstance(item, Window))


def exact_match(one: Measurement, other: Measurement) -> float:
    """Return the share of clips of which both heard the same, after normalisation of text."""
    pairs = zip(one.texts, other.texts, strict=True)
    return sum(normalize_text(a) == normalize_text(b) for a, b in pairs) / len(one.texts)


def _summary(name: str, backend: LoadedModel, references: Sequence[str], heard: Sequence[Transcribed]) -> Measurement:
    texts = tuple(one.text for one in heard)
    windows = [window for one in heard for window in one.windows]
    # Shorter ones occur where a stream begins or ends, which for a daemon is rare, and each new length
    # is slow once: OpenVINO compiles for it.
    full = [window for window in windows if window.length == MAX_WINDOW]
    if any(window.brought for window in full):  # not all only ask whether an utterance has ended
        windows = full
    brought = sum(window.brought for window in windows) / SAMPLE_RATE
    return Measurement(
        backend=name,
        arithmetic=backend.arithmetic,
        texts=texts,
        score=score(references, texts),
        window_seconds=tuple(window.seconds for window in windows),
        real_time_factor=sum(window.seconds for window in windows) / brought if windows else 0.0,
    )
