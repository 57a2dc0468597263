import asyncio
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.daemon.sources.files import FileSource, duration, read_blocks
from asrd.daemon.sources.sound import SoundReader

FORMATS = [
    ("WAV", "PCM_16", 16_000, 1),
    ("WAV", "PCM_24", 44_100, 2),
    ("WAV", "PCM_U8", 11_025, 1),
    ("WAV", "FLOAT", 48_000, 6),
    ("WAV", "DOUBLE", 96_000, 2),
    ("WAV", "ULAW", 8_000, 1),
    ("WAV", "ALAW", 8_000, 1),
    ("WAV", "IMA_ADPCM", 22_050, 1),
    ("FLAC", "PCM_24", 192_000, 2),
    ("OGG", "VORBIS", 44_100, 2),
    ("OGG", "OPUS", 48_000, 1),
    ("MP3", "MPEG_LAYER_III", 44_100, 2),
    ("AIFF", "PCM_16", 32_000, 1),
    ("CAF", "PCM_32", 384_000, 1),
    ("AU", "ULAW", 8_000, 1),
]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: f"{form[0]}-{form[1]}")
def test_every_format_is_heard_alike(tmp_path, chirp, likeness, form):
    container, subtype, rate, channels = form
    path = tmp_path / f"chirp.{container.lower()}"
    played = chirp(1.0, rate)
    soundfile.write(path, np.repeat(played[:, None], channels, axis=1), rate, subtype, format=container)
    heard = np.concatenate(list(read_blocks(path, 0.1)))
    assert duration(path) == pytest.approx(1.0, abs=0.1)  # MP3 and ADPCM are padded to whole frames
    assert len(heard) == pytest.approx(16_000, abs=1_600)
    score, lag = likeness(np.pad(heard, 1_600), chirp(1.0))
    assert score > 0.97
    assert lag - 1_600 == pytest.approx(0, abs=1_200 if container == "MP3" else 2)  # an MP3 encoder's delay


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_block_size_changes_no_sample(tmp_path, chirp, suffix):
    path = tmp_path / f"chirp.{suffix}"
    soundfile.write(path, chirp(1.5, 44_100), 44_100)
    small, large = (np.concatenate(list(read_blocks(path, size))) for size in (0.013, 100))
    assert np.array_equal(small, large)
    assert len(small) == 24_000


def unreadable(tmp_path, kind):
    path = tmp_path / "talk.wav"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "text":
        path.write_text("The quick brown fox jumps over the lazy dog. " * 20, encoding="utf-8")
    elif kind == "no bytes":
        path.touch()
    elif kind == "no frames":
        soundfile.write(path, np.zeros(0), 16_000)
    elif kind == "headerless":
        path = path.with_suffix(".raw")
        path.write_bytes(bytes(3200))
    elif kind == "FLAC that breaks off":
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 64_000)
        soundfile.write(path, noise, 16_000, format="FLAC")
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 5 // 8])
    elif kind == "NaN":
        samples = np.zeros(32_000, np.float32)
        samples[20_000] = np.nan
        soundfile.write(path, samples, 16_000, "FLOAT")
    elif kind.endswith("Hz"):
        soundfile.write(path, np.zeros(100), 16_000)
        header = bytearray(path.read_bytes())
        header[24:28] = int(kind.removesuffix(" Hz")).to_bytes(4, "little")
        path.write_bytes(header)
    return path


FAULTS = [
    ("missing", "no such file"),
    ("directory", r"is a directory; .*/\*\.wav"),
    ("pipe", "is not a file"),
    ("text", "cannot be read as audio .*convert it: ffmpeg -i"),
    ("no bytes", r"is empty \(0 bytes\)"),
    ("no frames", "holds no audio"),
    ("headerless", "has no header .*asrd start --source 'pcm:-"),
    ("0 Hz", "cannot be read as audio .*convert it: ffmpeg -i"),
    ("999 Hz", "999 Hz is outside"),
    ("4000000 Hz", "4000000 Hz is outside"),
    ("FLAC that breaks off", r"cannot be read after 2\.0 s \(.*\); it is damaged, copy it again"),
    ("NaN", r"the sample at 1\.250 s is not a number"),
]


@pytest.mark.parametrize(("kind", "message"), FAULTS)
def test_what_cannot_be_read_says_why_in_one_line(tmp_path, gather, kind, message):
    path = unreadable(tmp_path, kind)
    for attempt in (lambda: list(read_blocks(path)), lambda: gather(FileSource("talk", path, "fast"))):
        with pytest.raises(
            UsageError if kind in ("missing", "directory", "pipe") else AudioError, match=message
        ) as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_truncated_wav_gives_what_it_has_and_says_so(tmp_path, chirp):
    path, heard = tmp_path / "cut.wav", []
    soundfile.write(path, chirp(2.0, 48_000), 48_000)
    path.write_bytes(path.read_bytes()[:-96_000])
    with pytest.raises(AudioError, match=r"ends after 1\.0 s of 2\.0 s; it is damaged"):
        heard += read_blocks(path)
    assert len(np.concatenate(heard)) == 16_000


@pytest.mark.parametrize(
    ("riff", "size"), [(8, 0), (0x7FFF_F024, 0x7FFF_F000), (0x7FFF_FF24, 0x7FFF_FF00), (0xFFFF_FFFF, 0xFFFF_FFFF)]
)
def test_a_wav_that_was_written_into_a_pipe_is_whole(tmp_path, chirp, riff, size):
    """Its header is written before its length is known."""
    path = tmp_path / "streamed.wav"
    soundfile.write(path, chirp(2.0), 16_000)
    content = path.read_bytes()
    data = content.index(b"data") + 4
    riff, size = (number.to_bytes(4, "little") for number in (riff, size))
    path.write_bytes(content[:4] + riff + content[8:data] + size + content[data + 4 :])
    assert len(np.concatenate(list(read_blocks(path)))) == 32_000


def test_a_truncated_mp3_says_how_much_was_read(tmp_path, chirp):
    path = tmp_path / "cut.mp3"
    soundfile.write(path, chirp(10.0, 44_100), 44_100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"ends after \d\.\d s of 10\.\d s"):
        list(read_blocks(path))


def test_three_hours_are_read_in_little_memory(tmp_path):
    import resource

    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1, "PCM_U8") as file:
        minute = np.zeros(8_000 * 60, np.float32)
        for _ in range(180):
            file.write(minute)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(len(block) for block in read_blocks(path))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert total == 3 * 3600 * 16_000
    assert grown < 50_000  # KiB; all of it would be 690 MB


def test_fast_gives_the_whole_file_at_once(tmp_path, chirp, gather, audio):
    path = tmp_path / "chirp.wav"
    soundfile.write(path, chirp(5.0), 16_000)
    began = time.monotonic()
    heard = audio(gather(FileSource("a", path, "fast")))
    assert time.monotonic() - began < 2
    assert np.array_equal(heard, np.concatenate(list(read_blocks(path))))


def test_real_time_neither_hurries_nor_adds_up_the_reader_s_delays(tmp_path, chirp):
    path = tmp_path / "chirp.wav"
    soundfile.write(path, chirp(1.0, 44_100), 44_100)

    async def play():
        source = FileSource("a", path)
        await source.open()
        began = time.time()
        async for chunk in source.chunks():
            end = (chunk.start + len(chunk.pcm)) / 16_000
            arrived = time.time()
            assert arrived - began >= end - 0.005
            assert chunk.captured - began == pytest.approx(end, abs=0.1)
            time.sleep(0.02)  # a consumer that works for 0.4 s in all, which must not delay the end  # noqa: ASYNC251
        return arrived - began

    assert asyncio.run(play()) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("pace", ["fast", "realtime"])
def test_closing_in_the_middle_ends_at_once(tmp_path, chirp, gather, audio, pace):
    path = tmp_path / "chirp.wav"
    soundfile.write(path, chirp(20.0), 16_000)
    began = time.monotonic()
    chunks = gather(FileSource("a", path, pace), until=lambda found: len(found) == 3)
    assert len(chunks) == 3
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_a_read_that_hangs_is_not_waited_for(tmp_path, chirp, monkeypatch, way):
    """Neither the source nor the program waits: a file server may be away for hours."""
    path, read, back, hangs = tmp_path / "chirp.wav", SoundReader._read, threading.Event(), threading.Event()
    soundfile.write(path, chirp(5.0), 16_000)

    def hang(reader, frames, position):
        if position:
            hangs.set()
            back.wait(30)
        return read(reader, frames, position)

    monkeypatch.setattr(SoundReader, "_read", hang)

    async def play():
        source = FileSource("a", path, "fast")
        found = []

        async def collect():
            found.extend([chunk async for chunk in source.chunks()])

        collecting = asyncio.ensure_future(collect())
        await asyncio.to_thread(hangs.wait, 10)
        if way == "close":
            await source.close()
        else:
            collecting.cancel()
        await asyncio.wait([collecting], timeout=10)
        return collecting.done(), len(found)

    try:
        assert asyncio.run(play()) == (True, 1 if way == "close" else 0)
        assert not back.is_set()
    finally:
        back.set()


@pytest.mark.parametrize("way", ["break", "cancel", "never iterated"])
def test_leaving_the_generator_leaves_nothing_behind(tmp_path, chirp, way):
    path = tmp_path / "chirp.wav"
    soundfile.write(path, chirp(20.0), 16_000)

    async def leave():
        source = FileSource("a", path)
        await source.open()
        chunks = source.chunks()
        if way == "break":
            async for _ in chunks:
                break
        elif way == "cancel":
            task = asyncio.ensure_future(chunks.__anext__())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await source.close()
        await source.close()

    asyncio.run(leave())
    for thread in threading.enumerate():
        if thread.name == "file":
            thread.join(10)
    assert path not in [link.resolve() for link in Path("/proc/self/fd").iterdir()]
