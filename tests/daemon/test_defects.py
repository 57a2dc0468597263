"""A defect in one stream costs that stream something, and the others nothing."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from asrd.clients import Hole
from asrd.clients.sender import Sender
from asrd.core.errors import TransportError
from asrd.core.events import AnyEvent, Error, Final, Gap, Started
from asrd.core.flow import FloatArray
from asrd.daemon.recognition.recognizer import Recognizer

from .conftest import Harness


class DefectError(Exception):
    """What nobody thought of."""


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """Two streams: "a", which is fed, and "b", which hears nothing and goes on."""
    harness = Harness(tmp_path)
    sources = (*harness.options.sources, f"b=pcm:ipc://{tmp_path / 'b'}")
    return Harness(tmp_path, sources=sources)


def fail(*_: Any) -> Any:
    raise DefectError("nobody thought of it")


def ends(item: AnyEvent | Hole) -> bool:
    return isinstance(item, Final)


@pytest.mark.parametrize("broken", [("feed", "flush"), ("flush",)])
async def test_segmentation(
    harness: Harness, sentences: list[FloatArray], monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...]
) -> None:
    async with harness.running() as daemon:
        one, other = daemon.streams
        with contextlib.suppress(TransportError), Sender(harness.audio, timeout=0.5) as sender:
            await asyncio.to_thread(sender.send, sentences[0][:40_000])
            await harness.until(lambda item: bool(harness.of(Started)))
            for name in broken:
                monkeypatch.setattr(one._segmenter, name, fail)
            await asyncio.to_thread(sender.send, sentences[0][40_000:48_000])
            await one.source.close()
            await harness.until(ends)
        assert not one.status.open
        assert other.status.open
    assert "the log says more" in harness.of(Error)[-1].message
    [started], [final], [gap] = (harness.of(kind) for kind in (Started, Final, Gap))
    assert (started.utterance, gap.end) == (final.utterance, final.end)


async def test_what_is_recognised(
    harness: Harness, sentences: list[FloatArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next utterance is whole again."""
    async with harness.running():
        with monkeypatch.context() as patch:
            patch.setattr(Recognizer, "accept", fail)
            await harness.play(sentences[0])
            await harness.until(ends)
        await harness.play(sentences[1])
        await harness.until(lambda item: ends(item) and item.utterance == 1)
    assert {event.message for event in harness.of(Error)} == {
        "what was recognised cannot be told (nobody thought of it); the log says more"
    }
    lost, whole = harness.of(Final)
    assert lost.text == ""
    assert whole.text
    assert [(gap.start, gap.end) for gap in harness.of(Gap)] == [(lost.start, lost.end)]
