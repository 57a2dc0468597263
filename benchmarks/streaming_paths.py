"""Run a backend over a recording in three ways: at once, in windows, and as the daemon does."""

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
    """The result of hearing a recording, and its cost."""

    words: tuple[Word, ...]
    """Words of the best path; their times are positions in the recording."""
    texts: Mapping[str, str]
    """Text of each decoder for the same frames, by its name."""
    joints: tuple[Joint, ...] = ()
    """Places where two windows meet."""
    cuts: int = 0
    """Utterances that ended because they were too long."""
    committed: int = 0
    """Samples given to the model in windows that count."""
    previewed: int = 0
    """Samples in windows that show open utterances (counted, not run: they change no final text)."""
    seconds: float = 0.0
    """Time that the committed windows took."""

    @property
    def text(self) -> str:
        """Text of the greedy decoder."""
        return self.texts["greedy"]


class AlwaysSpeech:
    """A detector that always reports speech, for recordings that hold one utterance and nothing else."""

    frame = samples(0.020)

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return True."""
        return True

    def reset(self) -> None:
        """Do nothing."""


Decodings = Mapping[str, Decoding]
"""Decoders to use besides the greedy one, by name."""

NO_OTHERS: Decodings = {}


def whole(backend: Backend, pcm: FloatArray, others: Decodings = NO_OTHERS) -> Listened:
    """Hear the recording `(samples,)` in one piece, as offline recognisers do."""
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
    """Hear the recording in windows, as if its ends were those of an utterance. known: normalise by the level of the
    whole.
    """
    plain = replace(settings, pre_roll=Samples(0), min_speech=samples(0.02), max_utterance=Samples(1 << 40))
    segmenter = Segmenter(AlwaysSpeech(), backend.model.geometry, plain)
    return _listen(backend, _cut(segmenter, pcm), others, level(pcm) if known else None)


def streamed(backend: Backend, pcm: FloatArray, settings: SegmenterSettings, others: Decodings = NO_OTHERS) -> Listened:
    """Hear the recording as the daemon does: detector, endpoints, windows, stitching."""
    segmenter = Segmenter(create(), backend.model.geometry, settings)
    return _listen(backend, _cut(segmenter, pcm), others, tell=segmenter.take)


def level(pcm: FloatArray) -> Level:
    """Return the level of the whole recording."""
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
    """Recognise windows. normalized: level of all windows, instead of their own. tell: called with what was heard."""
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
