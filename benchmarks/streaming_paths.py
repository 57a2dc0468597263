"""Ways for a backend to hear a recording: at once, in windows, and as the daemon does."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from seams import Joint

from asrd.backends import Backend
from asrd.core.flow import Answer, FloatArray, Level, Window, Word
from asrd.core.units import Samples, samples
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.decoding import Decoding
from asrd.daemon.recognition.recognizer import Recognizer, recognize
from asrd.daemon.segmentation.level import Moments
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.vad import create


@dataclass(frozen=True, slots=True)
class Listened:
    """What was heard of a recording, and what it cost.

    words: those of the best path; their times are positions in the recording. texts: what each decoder made
    of the same frames, by its name. joints: where two windows meet. cuts: utterances that ended because they were too
    long. committed, previewed: samples given to the model in windows that count, and in those that show open
    utterances (counted, not run: they change no final text). seconds: time the committed ones took.
    """

    words: tuple[Word, ...]
    texts: Mapping[str, str]
    joints: tuple[Joint, ...] = ()
    cuts: int = 0
    committed: int = 0
    previewed: int = 0
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """What the greedy decoder made of it."""
        return self.texts["greedy"]


class AlwaysSpeech:
    """A detector without opinion, for recordings that hold one utterance and nothing else."""

    frame = samples(0.020)

    def is_speech(self, pcm: FloatArray) -> bool:
        """Yes."""
        return True

    def reset(self) -> None:
        """There is nothing to forget."""


Decodings = Mapping[str, Decoding]
"""Decoders besides the greedy one that are to read what was heard, by name."""

NO_OTHERS: Decodings = {}


def whole(backend: Backend, pcm: FloatArray, others: Decodings = NO_OTHERS) -> Listened:
    """The recording `(samples,)` in one piece, as offline recognisers hear it."""
    nothing = Samples(0)
    window = Window(0, nothing, pcm, nothing, nothing, level(pcm), last=True, reason="end")
    return _listen(backend, [window], others)


def windowed(
    backend: Backend,
    pcm: FloatArray,
    settings: SegmenterSettings,
    others: Decodings = NO_OTHERS,
    *,
    known: bool = False,
) -> Listened:
    """In windows, as if its ends were those of an utterance. known: normalised as the whole is."""
    plain = replace(settings, pre_roll=Samples(0), min_speech=samples(0.02), max_utterance=Samples(1 << 40))
    segmenter = Segmenter(AlwaysSpeech(), backend.model.geometry, plain)
    return _listen(backend, _cut(segmenter, pcm), others, level(pcm) if known else None)


def streamed(backend: Backend, pcm: FloatArray, settings: SegmenterSettings, others: Decodings = NO_OTHERS) -> Listened:
    """As the daemon hears it: detector, endpoints, windows, stitching."""
    segmenter = Segmenter(create(), backend.model.geometry, settings)
    return _listen(backend, _cut(segmenter, pcm), others, tell=segmenter.hear)


def level(pcm: FloatArray) -> Level:
    """That of all of it."""
    moments = Moments()
    moments.add(pcm)
    return moments.level()


def _cut(segmenter: Segmenter, pcm: FloatArray) -> Iterator[Window]:
    yield from (item for item in segmenter.feed(pcm) if isinstance(item, Window))
    yield from (item for item in segmenter.flush() if isinstance(item, Window))


def _listen(
    backend: Backend,
    windows: Iterable[Window],
    others: Decodings,
    normalized: Level | None = None,
    tell: Callable[[Answer], None] | None = None,
) -> Listened:
    """normalized: the level of all windows, instead of their own. tell: who wants to know what was heard."""
    recognizer, words, committed = Recognizer(backend.model), list[Word](), list[Window]()
    readers = {name: Recognizer(backend.model, decoding) for name, decoding in others.items()}
    said: dict[str, list[str]] = {"greedy": [], **{name: [] for name in others}}
    alone, given, previewed, elapsed = list[tuple[Word, ...]](), list[tuple[int, int]](), 0, 0.0
    for window in windows:
        if window.provisional:
            previewed += len(window.pcm)
            if not (tell and window.asks):
                continue
        began = time.perf_counter()
        [emission] = recognize(backend, [replace(window, level=normalized) if normalized else window])
        elapsed += 0.0 if window.provisional else time.perf_counter() - began
        if tell and window.asks:
            tell(answer(window, emission, backend.model))
        if window.provisional:
            continue
        committed.append(window)
        begins = window.keep_start if recognizer.idle else recognizer.until
        hypothesis = recognizer.accept(window, emission)
        given.append((begins, window.keep_end if window.last else recognizer.until))
        heard = {"greedy": hypothesis, **{name: reader.accept(window, emission) for name, reader in readers.items()}}
        if window.last:
            words += hypothesis.words
            for name, one in heard.items():
                said[name] += [one.text] if one.text else []
        everything = replace(window, left=Samples(0), right=Samples(0), last=True)
        alone.append(Recognizer(backend.model).accept(everything, emission).words)
    followed = zip(committed, pairwise(given), pairwise(alone), strict=False)
    return Listened(
        words=tuple(words),
        texts={name: " ".join(texts) for name, texts in said.items()},
        joints=tuple(
            Joint(place, *read, start, end)
            for one, ((start, place), (_, end)), read in followed
            if not one.last or one.reason == "length"
        ),
        cuts=sum(window.reason == "length" for window in committed),
        committed=sum(len(window.pcm) for window in committed),
        previewed=previewed,
        seconds=elapsed,
    )
