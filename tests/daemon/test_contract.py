"""What a subscriber may rely on, shown by a real daemon."""

import asyncio
import contextlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from asrd.backends import Backend, LoadOptions, load
from asrd.clients.sender import Sender
from asrd.core.errors import BackendError, TransportError, UsageError
from asrd.core.events import Backend as BackendEvent
from asrd.core.events import Error, Final, Gap, Partial, Started, Status, Stopped
from asrd.core.flow import FloatArray, Window
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writer
from asrd.daemon.offline import transcribe
from asrd.daemon.recognition.decoding import make_decoding
from asrd.daemon.recognition.recognizer import Recognizer, recognize
from asrd.daemon.scheduling import engine
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.server import daemon as service
from asrd.daemon.vad import create
from asrd.models import ModelDirectory

from .conftest import Harness, follow_each_other


def offline(audio: FloatArray, harness: Harness, model: ModelDirectory, backend: str = "fp16") -> list[str]:
    """What the pipeline says without a daemon."""
    options = harness.recognition
    segmenter = Segmenter(create(options.vad), model.geometry, options.segmenter)
    utterances = transcribe([audio], load(backend, model), segmenter, make_decoding(options.decoding, model))
    return [utterance.hypothesis.text for utterance in utterances]


async def test_events_keep_their_contract_and_text_is_that_of_the_file(
    harness: Harness, sentences: list[FloatArray], bundled: ModelDirectory
) -> None:
    async with harness.running():
        await harness.play(*sentences)
        await harness.until(lambda item: len(harness.of(Final)) == 3)
    assert [item.seq for item in harness.seen] == list(range(harness.seen[0].seq, harness.seen[-1].seq + 1))
    assert len({item.daemon for item in harness.seen}) == 1
    assert isinstance(harness.seen[-1], Stopped)

    started, finals = harness.of(Started), harness.of(Final)
    assert [event.utterance for event in started] == [event.utterance for event in finals] == [0, 1, 2]
    assert [event.start for event in started] == [event.start for event in finals]
    for final in finals:
        partials = [event for event in harness.of(Partial) if event.utterance == final.utterance]
        own = [*partials, final]
        assert partials
        assert all(event.seq < final.seq for event in partials)
        for earlier, later in pairwise(own):
            assert later.text[: earlier.stable] == earlier.text[: earlier.stable]
            assert later.display.startswith(earlier.display[: earlier.display_stable])
        for earlier, later in pairwise(partials):
            assert later.stable >= earlier.stable
        assert final.start < final.speech_end <= final.end
        assert " ".join(word.word for word in final.words) == final.text
        for one in own:
            assert follow_each_other(one.words, one.start, one.end)
        assert all(0 <= word.confidence <= 1 for word in final.words)
        stages = final.stages
        assert stages.heard <= stages.cut <= stages.started <= stages.recognized <= final.time
    assert [final.text for final in finals] == offline(np.concatenate(sentences), harness, bundled)
    assert any(final.text for final in finals)
    [status, *_] = [item for item in harness.seen if isinstance(item, Status)]
    writer = Writer(status.style)
    assert [final.display for final in finals] == [writer.final(final.words, final.reason) for final in finals]
    assert status.style == Style(language="en", capitals=True)


async def test_streams_at_once_do_not_disturb_each_other(
    tmp_path: Path, sentences: list[FloatArray], bundled: ModelDirectory
) -> None:
    sockets = {name: f"ipc://{tmp_path}/{name}" for name in ("x", "y", "z")}
    harness = Harness(tmp_path, sources=tuple(f"{name}=pcm:{socket}" for name, socket in sockets.items()))

    def feed(socket: str, audio: FloatArray) -> None:
        with Sender(socket, timeout=20, waits=True) as sender:
            sender.send(audio)

    async with harness.running():
        feeding = [
            asyncio.to_thread(feed, socket, audio) for socket, audio in zip(sockets.values(), sentences, strict=True)
        ]
        await asyncio.gather(*feeding)
        await harness.until(lambda item: all(harness.of(Final, name) for name in sockets))
    for name, audio in zip(sockets, sentences, strict=True):
        assert [final.text for final in harness.of(Final, name)] == offline(audio, harness, bundled)
    assert not [item for item in harness.seen if isinstance(item, Gap)]


async def test_a_hole_in_the_audio_is_a_gap_and_closes_the_utterance(
    harness: Harness, sentences: list[FloatArray]
) -> None:
    audio = sentences[0]
    async with harness.running():
        sender = Sender(harness.audio, waits=True)
        with sender:
            await asyncio.to_thread(sender.send, audio[:40_000])
            await harness.until(lambda item: isinstance(item, Partial))
            sender.position += 20_000
            await asyncio.to_thread(sender.send, audio[60_000:])
            await asyncio.to_thread(sender.end)
            await harness.until(lambda item: len(harness.of(Final)) == 2)
    [gap] = harness.of(Gap)
    assert (gap.start, gap.end) == (40_000, 60_000)
    before, after = harness.of(Final)
    assert (before.reason, before.end <= gap.start) == ("gap", True)
    assert (after.reason, after.start >= gap.end) == ("silence", True)


@pytest.mark.parametrize("other", [pytest.param("torch", marks=pytest.mark.slow), "int8"])
async def test_switching_in_the_middle_of_an_utterance_loses_and_repeats_nothing(
    harness: Harness,
    sentences: list[FloatArray],
    bundled: ModelDirectory,
    other: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The final is, to the letter, what stitching gives when the first windows are recognised by
    one backend and the others by the other.
    """
    audio = sentences[0]
    middle = len(audio) // 2
    backends = load("fp16", bundled), load(other, bundled)  # also imports torch, which takes a while
    with caplog.at_level("INFO", "asrd.daemon.server.status"):
        async with harness.running(), harness.sender() as send:
            await send(audio[:middle])
            await harness.until(lambda item: isinstance(item, Partial) and item.stable > 0)
            assert await asyncio.to_thread(harness.control.use_backend, other) == "fp16"
            await harness.until(lambda item: isinstance(item, BackendEvent) and item.name == other)
            await send(audio[middle:])
            await harness.until(lambda item: isinstance(item, Final))
    assert [record.message.split(" (")[0] for record in caplog.records] == [f"backend fp16 → {other}"]
    [final] = harness.of(Final)
    assert {event.backend for event in harness.of(Partial)} == {"fp16", other}
    assert final.backend == other

    options = harness.recognition
    segmenter = Segmenter(create(options.vad), bundled.geometry, options.segmenter)
    windows = [item for item in segmenter.push(audio) if isinstance(item, Window) and not item.provisional]
    decoding = make_decoding(options.decoding, bundled)
    splits = []
    for split in range(1, len(windows)):
        recognizer = Recognizer(bundled, decoding)
        for number, window in enumerate(windows):
            hypothesis = recognizer.accept(window, recognize(backends[number >= split], [window])[0])
        splits.append(hypothesis.text)
    assert final.text in splits


async def test_a_late_subscriber_is_greeted_and_can_have_the_past_replayed(
    harness: Harness, sentences: list[FloatArray]
) -> None:
    async with harness.running() as daemon:
        await harness.play(sentences[1])
        final = await harness.until(lambda item: isinstance(item, Final))
        past = await asyncio.to_thread(harness.control.replay, 0, final.seq)
        assert [event.seq for event in past] == list(range(final.seq + 1))
        assert past[-1] == final
        state = await asyncio.to_thread(harness.control.status)
        assert state.daemon == daemon.publisher.daemon
        assert state.streams["a"].utterances == 1
        assert state.audio_seconds > 0
    assert isinstance(harness.seen[0], Status)


async def test_a_backend_that_fails_costs_its_windows_and_nothing_else(
    harness: Harness, sentences: list[FloatArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails throughout the first utterance, which still gets its final; the next one is whole."""
    lucky = True

    def load_unlucky(name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
        backend = load(name, model, options)
        run = backend.infer

        def unlucky(batch: FloatArray) -> FloatArray:
            if not lucky:
                raise BackendError("out of luck")
            return run(batch)

        monkeypatch.setattr(backend, "infer", unlucky)
        return backend

    monkeypatch.setattr(engine, "load", load_unlucky)
    async with harness.running():
        lucky = False
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final))
        lucky = True
        await harness.play(sentences[2])
        await harness.until(lambda item: len(harness.of(Final)) == 2)
    assert {event.message for event in harness.of(Error)} == {"backend fp16: out of luck"}
    spoilt, whole = harness.of(Final)
    gaps = harness.of(Gap)
    assert (spoilt.utterance, spoilt.text, whole.utterance) == (0, "", 1)
    assert (gaps[0].start, gaps[-1].end) == (spoilt.start, spoilt.end)
    assert all(one.end == two.start for one, two in pairwise(gaps))
    assert whole.text


async def test_an_unknown_backend_is_refused_and_the_daemon_goes_on(
    harness: Harness, sentences: list[FloatArray]
) -> None:
    async with harness.running():
        with pytest.raises(UsageError, match="no backend is called 'cuda'"):
            await asyncio.to_thread(harness.control.use_backend, "cuda")
        await harness.play(sentences[1])
        await harness.until(lambda item: isinstance(item, Final))
    assert not [item for item in harness.seen[1:] if isinstance(item, BackendEvent)]


async def test_stopping_finishes_the_open_utterance(harness: Harness, sentences: list[FloatArray]) -> None:
    async with harness.running():
        with contextlib.suppress(TransportError), Sender(harness.audio, timeout=0.5) as sender:
            sender.send(sentences[0][:50_000])
            await harness.until(lambda item: isinstance(item, Partial))
            await asyncio.to_thread(harness.control.stop)
            await harness.until(lambda item: isinstance(item, Stopped))
    *_, final, stopped = [item for item in harness.seen if isinstance(item, (Final, Stopped))]
    assert (final.reason, final.text != "") == ("end", True)
    assert stopped.reason == "asrd stop"


async def test_two_daemons_cannot_share_an_address(harness: Harness) -> None:
    async with harness.running():
        with pytest.raises(TransportError, match="is in use by process"):
            await service.Daemon(harness.options).run()
