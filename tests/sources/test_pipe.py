import asyncio
import io
import os
import sys
import threading
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import AudioError
from asrd.core.pcm import FORMATS, decode
from asrd.daemon.sources.pcm import PipeSource

from .encoding import encode


@pytest.fixture
def pipe():
    """A pipe and a function that writes byte strings into it from a thread, then closes it."""
    reading, writing = os.pipe()
    threads = []

    def write(*pieces):
        def run():
            with os.fdopen(writing, "wb", buffering=0) as file:
                for piece in pieces:
                    file.write(piece)

        threads.append(threading.Thread(target=run))
        threads[0].start()

    yield reading, write
    for thread in threads:
        thread.join()
    os.close(reading)


SUBTYPES = {"s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32", "f32le": "FLOAT"}


def written(pcm, sample_format):
    """Return audio as bytes, written by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, pcm, 48_000, format="RAW", subtype=SUBTYPES[sample_format])
    return file.getvalue()


@pytest.mark.parametrize("sample_format", list(FORMATS))
def test_samples_split_anywhere_arrive_whole(pipe, gather, audio, chirp, sample_format):
    reading, write = pipe
    stereo = np.stack([chirp(2.0, 48_000), np.zeros(96_000, np.float32)], axis=1)
    data = written(stereo, sample_format)
    write(*(data[at : at + 4_001] for at in range(0, len(data), 4_001)))
    heard = audio(gather(PipeSource("pcm", 48_000, 2, sample_format, reading)))
    assert len(heard) == 32_000
    assert np.abs(heard - chirp(2.0) / 2)[200:-200].max() < 1e-3


@given(st.sampled_from([2, 3, 4]), st.integers(1, 4), st.data())
def test_integers_are_decoded_to_the_nearest_float(size, channels, data):
    full = 2 ** (8 * size - 1)
    frames = st.lists(st.integers(-full, full - 1), min_size=channels, max_size=channels)
    values = [*chain.from_iterable(data.draw(st.lists(frames, max_size=50)))]
    pcm = decode(b"".join(value.to_bytes(size, "little", signed=True) for value in values), f"s{8 * size}le", channels)
    assert pcm.shape == (len(values) // channels, channels)
    assert pcm.ravel().tolist() == [float(np.float32(value / full)) for value in values]


@given(st.sampled_from(list(FORMATS)), st.integers(1, 3), st.binary(max_size=200))
def test_any_bytes_are_samples_as_libsndfile_reads_them_or_refused(sample_format, channels, data):
    if len(data) % (FORMATS[sample_format].itemsize * channels):
        with pytest.raises(ValueError, match="not a whole number of frames"):
            decode(data, sample_format, channels)
        return
    form = {"format": "RAW", "samplerate": 16_000, "channels": channels, "subtype": SUBTYPES[sample_format]}
    read = np.zeros((0, channels), np.float32)
    if data:
        read = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True, **form)[0]
    if np.isfinite(read).all():
        assert np.array_equal(decode(data, sample_format, channels), read)
    else:
        with pytest.raises(ValueError, match="is not a number"):
            decode(data, sample_format, channels)


def test_regular_files_can_be_standard_input(tmp_path, gather, audio):
    path = tmp_path / "audio.pcm"
    path.write_bytes(np.arange(40_000, dtype="<i2").tobytes() + b"?")  # and half a sample
    with path.open("rb") as file:
        heard = audio(gather(PipeSource("pcm", fd=file.fileno())))
    assert np.array_equal(heard, np.arange(40_000, dtype=np.int16).astype(np.float32) / 32_768)


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_a_regular_file_whose_read_hangs_is_not_waited_for(tmp_path, monkeypatch, way):
    """Its file server is away; the loop continues."""
    back, hangs, returned = threading.Event(), threading.Event(), threading.Event()

    def hang(fd, size):
        hangs.set()
        back.wait(5)
        returned.set()
        return b""

    async def run(fd):
        source = PipeSource("pcm", fd=fd)
        await source.open()
        with monkeypatch.context() as patch:
            patch.setattr("asrd.daemon.sources.pcm.os.read", hang)
            waiting = asyncio.ensure_future(anext(source.chunks(), None))
            assert await asyncio.to_thread(hangs.wait, 10)
            if way == "cancel":
                waiting.cancel()
            await source.close()
            await asyncio.wait([waiting])
            assert not returned.is_set()

    path = tmp_path / "audio.pcm"
    path.touch()
    try:
        with path.open("rb") as file:
            asyncio.run(run(file.fileno()))
    finally:
        back.set()


def test_nothing_at_all_ends_at_once(gather):
    with Path(os.devnull).open("rb") as file:
        assert gather(PipeSource("pcm", fd=file.fileno())) == []


def test_samples_that_are_not_numbers_are_named(pipe, gather):
    reading, write = pipe
    write(np.full(1_000, np.nan, "<f4").tobytes())
    with pytest.raises(AudioError, match=r"is not a number .*is it really f32le with 1 channel"):
        gather(PipeSource("pcm", sample_format="f32le", fd=reading))


FILES = [
    ("wav", "pcm_s16le", "a WAV file"),
    ("ogg", "libopus", "an Ogg file"),
    ("mp3", "libmp3lame", "an MP3 file"),
    ("mp4", "aac", "an MP4 file"),
]


@pytest.mark.parametrize("form", FILES, ids=lambda form: form[0])
def test_a_file_with_a_header_is_no_raw_pcm(pipe, tmp_path, gather, chirp, form):
    (container, codec, kind), (reading, write) = form, pipe
    write(encode(tmp_path / "a", chirp(0.5, 48_000), codec, 48_000, container).read_bytes()[:50_000])
    message = rf"pcm:- got {kind}, not raw PCM; name the file itself, or decode it first: ffmpeg -i FILE -f s16le"
    with pytest.raises(AudioError, match=message):
        gather(PipeSource("pcm", fd=reading))


def test_a_terminal_and_a_closed_input_are_refused(gather):
    master, slave = os.openpty()
    try:
        with pytest.raises(AudioError, match="terminal"):
            gather(PipeSource("pcm", fd=slave))
    finally:
        os.close(master)
        os.close(slave)
    with pytest.raises(AudioError, match="closed"):
        gather(PipeSource("pcm", fd=10**6))


def test_an_input_closed_at_the_start_is_refused_whoever_has_its_number_now(gather, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(AudioError, match="closed"):
        gather(PipeSource("pcm"))


def test_what_cannot_be_read_is_one_line(tmp_path, gather):
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(AudioError, match="cannot be read"):
            gather(PipeSource("pcm", fd=directory))
    finally:
        os.close(directory)


def test_two_sources_cannot_share_an_input(pipe):
    async def run():
        first, second = PipeSource("a", fd=pipe[0]), PipeSource("b", fd=pipe[0])
        await first.open()
        with pytest.raises(AudioError, match="two sources"):
            await second.open()
        await second.close()
        await first.close()
        await second.open()
        await second.close()

    asyncio.run(run())
    pipe[1]()


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_silence_does_not_hold_up_the_end(pipe, way):
    """Nothing was written and nothing will be: only closing or cancelling can end the wait."""

    async def run():
        source = PipeSource("pcm", fd=pipe[0])
        await source.open()
        waiting = asyncio.ensure_future(anext(source.chunks(), None))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        if way == "cancel":
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await source.close()
        if way == "close":
            assert await asyncio.wait_for(waiting, 1) is None

    asyncio.run(run())
    pipe[1]()
