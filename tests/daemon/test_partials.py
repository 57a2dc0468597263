"""What is said is shown within an interval, and what is stable is never taken back."""

import asyncio
import os
import threading
from collections.abc import Iterator
from itertools import groupby, pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.backends import LoadOptions, load
from asrd.core.flow import Emission, FloatArray, Hypothesis, Onset, Window
from asrd.core.units import Samples, samples
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.recognizer import Recognizer, recognize
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.vad import Vad, create
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as bundled_speech
from asrd.quant.data import dataset, read

from .conftest import follow_each_other
from .marked import SETTINGS, MarkedVad, segment, speech, tone
from .test_scheduler import GatedBackend

INTERVAL = SegmenterSettings().partial_interval


class Listening:
    """A detector that remembers what it said last."""

    def __init__(self, vad: Vad) -> None:
        self._vad, self.frame, self.voiced = vad, vad.frame, False

    def is_speech(self, pcm: FloatArray) -> bool:
        self.voiced = self._vad.is_speech(pcm)
        return self.voiced

    def reset(self) -> None:
        self._vad.reset()


def clips(step: int) -> list[FloatArray]:
    """Every so manieth bundled recording."""
    return [np.concatenate([*read_blocks(one.audio)]) for one in bundled_speech()[::step]]


def keeps_its_word(said: list[Hypothesis]) -> bool:
    """Whether the stable part of an utterance's hypotheses only ever grew."""
    return all(a.stable <= b.stable and b.text.startswith(a.text[: a.stable]) for a, b in pairwise(said))


@pytest.mark.parametrize("step", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_while_someone_speaks_no_interval_passes_without_a_partial(bundled: ModelDirectory, step: int) -> None:
    for audio in clips(step):
        vad = Listening(create())
        segmenter, latest, speaking = Segmenter(vad, bundled.geometry), 0, False
        for start in range(0, len(audio) - vad.frame + 1, vad.frame):
            before = speaking
            for item in segmenter.push(audio[start : start + vad.frame]):
                speaking = isinstance(item, Onset) or not item.last
                latest = segmenter.position
            if before and speaking and vad.voiced:
                assert segmenter.position - latest < INTERVAL + vad.frame


@settings(max_examples=60, deadline=None)
@given(speech(), SETTINGS, st.randoms(use_true_random=False), st.integers(0, 2**32 - 1))
def test_stable_text_stays_whatever_is_said_and_whichever_previews_are_left_out(
    bundled: ModelDirectory, audio: FloatArray, chosen: SegmenterSettings, random: Random, seed: int
) -> None:
    """Each window hears something else, so that nothing but the order of frames can keep the promise."""
    labels = np.random.default_rng(seed)
    vocabulary, recognizer = bundled.vocabulary, Recognizer(bundled)
    letters = [vocabulary.blank, vocabulary.delimiter, *map(vocabulary.tokens.index, "AB")]
    said: list[tuple[int, Hypothesis]] = []
    start = Samples(0)
    for window in segment(audio, bundled.geometry, chosen):
        if isinstance(window, Onset):
            start = window.start
            continue
        if window.provisional and random.random() < 0.5:
            continue
        log_probs = np.full((bundled.geometry.frames(len(window.pcm)), len(vocabulary)), -20.0, np.float32)
        log_probs[np.arange(len(log_probs)), labels.choice(letters, len(log_probs))] = 0.0
        emission = Emission(log_probs, window.start, bundled.geometry.stride)
        said.append((window.utterance, recognizer.accept(window, emission)))
        end = window.keep_end if window.last else window.end
        assert follow_each_other(said[-1][1].words, start, end)
    for _, own in groupby(said, key=lambda one: one[0]):
        hypotheses = [hypothesis for _, hypothesis in own]
        assert keeps_its_word(hypotheses)
        assert hypotheses[-1].stable == len(hypotheses[-1].text)


EVERY = [spec for spec in os.environ.get("STABLE_SPEECH", "").split(",") if spec]
"""Data sets, as `asrd compare --dataset` takes them, of which every recording is heard by every backend; else a
sample of the bundled ones is."""

BACKENDS = [("torch", 40), ("fp16", 10), ("int8", 6)]
MORE = [pytest.param(name, step, marks=pytest.mark.slow) for name, step in BACKENDS]


def recordings(step: int) -> Iterator[FloatArray]:
    if not EVERY:
        yield from clips(step)
    for spec in EVERY:
        yield from map(read, dataset(spec))


@pytest.mark.parametrize(("backend", "step"), BACKENDS if EVERY else [("int8", 60), *MORE])
def test_stable_text_of_real_speech_is_never_taken_back(bundled: ModelDirectory, backend: str, step: int) -> None:
    """By either decoder. What is heard must not depend on previews: a recogniser that is given none says the same
    in the end.
    """
    loaded = load(backend, bundled, LoadOptions())
    beam = make_decoding(DecoderOptions("beam"), bundled)
    for audio in recordings(step):
        segmenter = Segmenter(create(), bundled.geometry)
        readers = [(Recognizer(bundled, decoding), list[Hypothesis]()) for decoding in (None, beam)]
        unseen, start = Recognizer(bundled, beam), Samples(0)
        for items in (segmenter.feed(audio), iter(segmenter.flush())):
            for item in items:
                if isinstance(item, Onset):
                    start = item.start
                if isinstance(item, Onset) or item.utterance < 0:
                    continue
                [emission] = recognize(loaded, [item])
                if item.asks:
                    segmenter.take(answer(item, emission, bundled))
                for recognizer, said in readers:
                    said.append(recognizer.accept(item, emission))
                    assert follow_each_other(said[-1].words, start, item.keep_end if item.last else item.end)
                alone = None if item.provisional else unseen.accept(item, emission)
                if alone and item.last:
                    assert all(keeps_its_word(said) for _, said in readers)
                    assert alone == readers[-1][1][-1]
                    for _, said in readers:
                        said.clear()
    loaded.close()


class PermittedBackend(GatedBackend):
    """Answers one window for each permit."""

    def __init__(self, model: ModelDirectory) -> None:
        super().__init__(model)
        self.gate.set()
        self.permits = threading.Semaphore(0)

    def infer(self, batch: FloatArray) -> FloatArray:
        assert self.permits.acquire(timeout=10)
        return super().infer(batch)


async def test_a_machine_that_is_behind_shows_less_often_and_nothing_piles_up(bundled: ModelDirectory) -> None:
    """Half a minute of speech; in the time of half a second of it the backend manages one window."""
    step = samples(0.5)
    backend = PermittedBackend(bundled)
    scheduler, arrived, ages = Scheduler("slow", backend), asyncio.Event(), list[int]()
    committed, shown, cut = 0, 0, 0

    async def deliver(result: Result) -> None:
        nonlocal committed, shown
        committed, shown = committed + (not result.window.provisional), shown + 1
        ages.append(segmenter.position - result.window.end)
        arrived.set()

    queue = scheduler.queue(deliver)
    serving = asyncio.create_task(scheduler.run())
    segmenter, audio = Segmenter(MarkedVad(), bundled.geometry), tone(30, loud=True)
    for start in range(0, len(audio), step):
        for item in segmenter.push(audio[start : start + step]):
            if isinstance(item, Window):
                cut += not item.provisional
                await scheduler.submit(queue, item)
                assert sum(ticket.window.provisional for ticket in queue.waiting) <= 1
                assert len(queue.waiting) <= 3
        if not queue.idle:
            arrived.clear()
            backend.permits.release()
            async with asyncio.timeout(10):
                await arrived.wait()
    backend.permits.release(1000)
    await scheduler.drain()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    scheduler.close()
    assert committed == cut
    assert queue.skipped > 10
    assert shown < 70
    assert max(ages) < samples(2.0)
