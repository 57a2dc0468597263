"""Audio is captured through PortAudio, from a microphone that PulseAudio makes of what is played into it."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.daemon.sources import microphone as module
from asrd.daemon.sources import portaudio
from asrd.daemon.sources.inputs import UnknownMicrophoneError
from asrd.daemon.sources.microphone import RETRY, STALL, MicrophoneSource
from asrd.daemon.sources.ring import CaptureRing, now


@pytest.fixture
def microphone(sound_server):
    """The server, once this process's PortAudio has found it."""
    try:
        portaudio.rescan()
    except AudioError as error:
        pytest.skip(str(error))
    if not portaudio.devices():
        pytest.skip("ALSA has no way to PulseAudio (apt install libasound2-plugins)")
    return sound_server


@pytest.fixture
def played(tmp_path, chirp):
    """Two seconds of chirp, as a file."""
    path = tmp_path / "chirp.wav"
    soundfile.write(path, chirp(2.0, 48_000), 48_000)
    return path


@pytest.fixture
def complete(chirp, likeness):
    """Return whether all that was played was captured. The end of it arrives some time after its player has ended."""

    def check(chunks):
        heard = np.concatenate([chunk.pcm for chunk in chunks])
        return len(heard) > 32_000 and likeness(heard, chirp(2.0))[0] > 0.95

    return check


def test_a_failure_of_portaudio_is_one_of_audio():
    pytest.importorskip("sounddevice", exc_type=OSError)
    with pytest.raises(AudioError, match="Internal PortAudio error"), portaudio._portaudio() as sd:
        raise sd.PortAudioError("Internal PortAudio error", -9986)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="not Linux")
def test_looking_again_and_again_loads_plugins_once():
    """ALSA loads again what it unloads, and each search for a microphone would cost more than the last."""

    def plugins():
        return {
            line.split()[-1]
            for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
            if "/alsa-lib/" in line
        }

    try:
        portaudio.rescan()
    except AudioError as error:
        pytest.skip(str(error))
    if not (loaded := plugins()):
        pytest.skip("ALSA has no plugins here (apt install libasound2-plugins)")
    portaudio.rescan()
    with portaudio._portaudio() as sd:
        sd._terminate()
        try:
            assert plugins() == loaded
        finally:
            sd._initialize()


def seconds(chunks):
    return sum(len(chunk.pcm) for chunk in chunks) / 16_000


async def listen(source, chunks, until):
    """Append what comes to `chunks` until `until(chunks)`."""
    async for chunk in source:
        chunks.append(chunk)
        if until(chunks):
            return


@pytest.mark.parametrize("name", [None, "PULSE"])
def test_what_is_played_is_what_is_captured(microphone, played, audio, complete, name):
    async def run():
        source = MicrophoneSource("mic", name)
        await source.open()
        heard, stream = [], source.chunks()
        await listen(stream, heard, bool)
        with microphone.play(played):
            await listen(stream, heard, complete)
        await source.close()
        await listen(stream, heard, lambda _: False)  # it ends
        return heard

    chunks = asyncio.run(asyncio.wait_for(run(), 30))
    audio(chunks)  # no position is missing
    assert not any(chunk.lost for chunk in chunks)
    late = chunks[-10:]  # before that, the server's clock stutters: it shortens its buffers once somebody plays
    assert late[-1].captured - late[0].captured == pytest.approx(seconds(late[1:]), abs=0.1)
    assert time.time() - 3 < late[-1].captured <= time.time()


@pytest.mark.slow
def test_a_microphone_that_vanishes_comes_back_and_the_time_between_is_lost(microphone, played, audio, complete):
    async def run():
        source = MicrophoneSource("mic")
        await source.open()
        heard, stream = [], source.chunks()
        await listen(stream, heard, lambda found: seconds(found) > 0.5)
        microphone.kill()
        killed = time.time()
        await listen(stream, heard, lambda found: found[-1].reason)
        noticed = time.time() - killed
        await asyncio.to_thread(microphone.start)
        await listen(stream, heard, lambda found: found[-1].lost)
        back = time.time()
        after = len(heard)
        with microphone.play(played):
            await listen(stream, heard, lambda found: complete(found[after:]))
        await source.close()
        return heard, noticed, back

    chunks, noticed, back = asyncio.run(asyncio.wait_for(run(), 60))
    assert noticed < STALL + 2
    silent = next(index for index, chunk in enumerate(chunks) if chunk.reason)
    before, vanished, again = chunks[silent - 1 : silent + 2]
    assert (vanished.reason, len(vanished.pcm)) == ("the microphone has vanished", 0)
    assert again.reason == "the microphone was away"
    lost = again.lost / 16_000
    assert lost == pytest.approx(again.captured - before.captured - seconds([again]), abs=0.25)
    assert RETRY[0] < lost < back - before.captured + 0.25
    assert [chunk for chunk in chunks if chunk.lost] == [again]
    audio(chunks)  # no position is missing


def test_a_capture_that_could_not_be_closed_in_time_keeps_no_device_from_being_found(microphone, monkeypatch):
    """Another call hung in the sound system when it was to be closed."""
    capture = portaudio.capture(None, lambda: None)
    monkeypatch.setattr(portaudio, "DEADLINE", 0.1)
    with portaudio._lock, pytest.raises(AudioError, match="does not answer"):
        capture.close()
    portaudio.rescan()
    assert capture.finished
    assert not portaudio._captures


class Unplugged:
    """A capture whose device has gone."""

    device = SimpleNamespace(name="unplugged", rate=16_000)
    ring = CaptureRing(16_000, 16_000)
    finished = True

    def close(self):
        pass


class Heard(Unplugged):
    """A capture that has audio to take."""

    channels = 1

    def __init__(self):
        self.device = SimpleNamespace(name="USB", rate=16_000)
        self.ring = CaptureRing(16_000, 16_000)
        self.ring.put(bytes(3_200), 1_600, now())


@pytest.mark.parametrize("way", ["rescan", "capture"])
def test_closing_while_the_microphone_is_away_does_not_wait_for_it(monkeypatch, way):
    """The source is looking for it, and the sound system hangs."""
    hangs, back, returned = threading.Event(), threading.Event(), threading.Event()

    def hang(*_):
        hangs.set()
        back.wait(4)
        returned.set()
        raise AudioError("it was not there")

    async def run():
        source = MicrophoneSource("mic")
        await source.open()
        monkeypatch.setattr(module, way, hang)
        heard, stream = [], source.chunks()
        await listen(stream, heard, lambda found: found[-1].reason)
        rest = asyncio.create_task(listen(stream, heard, lambda _: False))
        assert await asyncio.to_thread(hangs.wait, 10)
        await source.close()
        await rest
        await source.close()
        assert not returned.is_set()

    monkeypatch.setattr(module, "RETRY", (0.0,))
    monkeypatch.setattr(module, "capture", lambda *_: Unplugged())
    monkeypatch.setattr(module, "rescan", lambda: None)
    try:
        asyncio.run(asyncio.wait_for(run(), 30))
    finally:
        back.set()


def test_a_patient_source_waits_for_a_microphone_that_is_not_there_yet(monkeypatch):
    """As in a service: nothing that was said before is lost, as the stream begins with the microphone."""
    there = threading.Event()

    def capture(wanted, notify):
        assert wanted == "USB"
        if not there.is_set():
            there.set()
            raise UnknownMicrophoneError("no microphone is called 'USB'")
        return Heard()

    async def run():
        source = MicrophoneSource("mic", "USB")
        source.patient = True
        await source.open()
        assert [*source.notices] == ["no microphone is called 'USB'; asrd waits for it"]
        heard = []
        await listen(source.chunks(), heard, bool)
        await source.close()
        return heard

    monkeypatch.setattr(module, "RETRY", (0.0,))
    monkeypatch.setattr(module, "capture", capture)
    monkeypatch.setattr(module, "rescan", lambda: None)
    (first,) = asyncio.run(asyncio.wait_for(run(), 30))
    assert (first.start, first.lost) == (0, 0)


@pytest.mark.slow
def test_a_sound_server_that_hangs_holds_up_neither_the_stream_nor_the_end(microphone):
    """The server is stopped, not killed: PortAudio's own calls then never return."""

    async def run():
        source = MicrophoneSource("mic")
        await source.open()
        heard, stream = [], source.chunks()
        await listen(stream, heard, lambda found: seconds(found) > 0.3)
        with microphone.frozen():
            await listen(stream, heard, lambda found: found[-1].reason)
            began = time.monotonic()
            rest = asyncio.create_task(listen(stream, heard, lambda _: False))
            await source.close()
            await rest
            return time.monotonic() - began

    assert asyncio.run(asyncio.wait_for(run(), 30)) < 5


LISTENER = """
import asyncio, sys
from asrd.daemon.sources.inputs import UnknownMicrophoneError
from asrd.daemon.sources.microphone import MicrophoneSource

async def main():
    source = MicrophoneSource("mic")
    await source.open()
    async for chunk in source.chunks():
        print("heard", flush=True)
        sys.stdin.readline()
        break
    await source.close()

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_sound_server_that_hangs_does_not_keep_the_program_from_ending(microphone):
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as listener:
        assert listener.stdout.readline() == b"heard\n"
        with microphone.frozen():
            listener.communicate(b"\n", timeout=10)
    assert listener.returncode == 0


def test_unknown_names_and_no_microphone_say_where_to_look(microphone):
    async def start(name):
        await MicrophoneSource("mic", name).open()

    with pytest.raises(UnknownMicrophoneError, match="no microphone is called 'Theremin'; 'asrd devices' lists") as no:
        asyncio.run(start("Theremin"))
    assert no.value.exit_code == UsageError.exit_code
    microphone.kill()
    portaudio.rescan()
    with pytest.raises(AudioError, match=r"no microphone found.*asrd devices"):
        asyncio.run(start(None))


def test_devices_are_listed_with_the_default_marked(microphone):
    listed = subprocess.run(
        [sys.executable, "-m", "asrd.cli.main", "devices", "--json"], capture_output=True, text=True, check=True
    )
    devices = json.loads(listed.stdout)
    assert {"pulse", "default"} <= {device["name"] for device in devices}
    assert sum(device["default"] for device in devices) == 1
    table = subprocess.run(
        [sys.executable, "-m", "asrd.cli.main", "devices"], capture_output=True, text=True, check=True
    )
    assert "pulse" in table.stdout
    assert "* the default" in table.stderr
