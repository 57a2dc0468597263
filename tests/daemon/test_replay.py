"""What a daemon recorded is heard and said again, to the bit."""

import asyncio
from pathlib import Path

import pytest

from asrd.backends import Backend, LoadOptions, load
from asrd.clients.sender import Sender
from asrd.core.events import Backend as BackendEvent
from asrd.core.events import Final, Gap, Partial, decode
from asrd.core.flow import FloatArray
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.recorder.replay import Player
from asrd.daemon.recorder.takes import takes
from asrd.models import ModelDirectory

from .conftest import Harness, drive


@pytest.fixture(scope="module")
def backends(bundled: ModelDirectory) -> dict[str, Backend]:
    return {name: load(name, bundled, LoadOptions()) for name in ("fp16", "int8")}


def record(tmp_path: Path, sentences: list[FloatArray]) -> Harness:
    """Speech with a hole in it, and a backend that changes in the middle of an utterance."""
    harness = Harness(tmp_path, record=RecordingOptions(tmp_path / "tape"))
    audio = sentences[0]
    middle = len(audio) // 2

    async def scenario() -> None:
        async with harness.running() as daemon:
            async with harness.sender() as send:
                await send(audio[:middle])
                await harness.until(lambda item: isinstance(item, Partial) and item.stable > 0)
                await asyncio.to_thread(harness.control.use_backend, "int8")
                await harness.until(lambda item: isinstance(item, BackendEvent) and item.name == "int8")
                await send(audio[middle:])
                await harness.until(lambda item: isinstance(item, Final))
            assert daemon.status().recording == str(tmp_path / "tape")

            def lossy() -> None:
                with Sender(harness.audio) as sender:
                    sender.send(sentences[1][:20_000])
                    sender.position += 4000
                    sender.send(sentences[1][24_000:])

            await asyncio.to_thread(lossy)
            await harness.until(lambda item: isinstance(item, Final) and item.utterance == 2)

    drive(scenario())
    assert harness.of(Gap)
    return harness


def test_a_recording_says_the_same_again(
    tmp_path: Path, sentences: list[FloatArray], bundled: ModelDirectory, backends: dict[str, Backend]
) -> None:
    harness = record(tmp_path, sentences)
    [take] = takes(tmp_path / "tape")
    assert take.whole
    pairs = list(Player(bundled, backends.__getitem__).play(take))
    assert [pair for pair in pairs if not pair.same] == []
    assert [decode(pair.made or b"") for pair in pairs] == [item for item in harness.seen if item.stream == "a"]
