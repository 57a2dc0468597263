"""Files are heard alike and whole, whatever they are stored in; what cannot be heard is told."""

import errno
import io
import logging
import os
import re
import resource

import av
import numpy as np
import pytest
import soundfile

from asrd.core.errors import AudioError
from asrd.daemon.sources.files import FileSource, Recording, read_blocks
from asrd.daemon.sources.opening import opened

from .encoding import encode

EXACT = 8
"""Samples by which a file may be longer or shorter than what was put into it: half a millisecond."""

FRAME = 320
"""The same, if the container only counts frames of a codec: 20 ms."""

DELAY = 700
"""Samples by which it may be longer if the container does not say what its encoder added."""

FORMS = [
    ("m4a", "aac", 44_100, EXACT),
    ("mp4", "aac", 48_000, EXACT),
    ("mov", "aac", 32_000, EXACT),
    ("mov", "pcm_s16le", 44_100, EXACT),
    ("m4a", "alac", 44_100, EXACT),
    ("3gp", "libopencore_amrnb", 8_000, FRAME),
    ("amr", "libopencore_amrnb", 8_000, FRAME),
    ("mp3", "libmp3lame", 44_100, EXACT),
    ("mp3", "libmp3lame", 16_000, FRAME),
    ("mp2", "mp2", 48_000, FRAME),
    ("ogg", "libopus", 48_000, EXACT),
    ("opus", "libopus", 24_000, EXACT),
    ("ogg", "flac", 44_100, EXACT),
    ("webm", "libopus", 48_000, EXACT),
    ("mka", "aac", 44_100, FRAME),
    ("mkv", "flac", 44_100, EXACT),
    ("mkv", "pcm_f32le", 16_000, EXACT),
    ("mp4", "libopus", 48_000, EXACT),
    ("wma", "wmav2", 44_100, DELAY),
    ("mpg", "mp2", 44_100, FRAME),
    ("avi", "libmp3lame", 44_100, DELAY),
    ("wav", "libmp3lame", 44_100, DELAY),
    ("wav", "adpcm_ms", 22_050, 1_000),
    ("aac", "aac", 44_100, DELAY),
    ("ts", "aac", 44_100, DELAY),
    ("flv", "aac", 44_100, DELAY),
    ("ac3", "ac3", 48_000, DELAY),
    ("eac3", "eac3", 48_000, DELAY),
    ("caf", "alac", 44_100, EXACT),
    ("wv", "wavpack", 44_100, EXACT),
    ("tta", "tta", 44_100, EXACT),
    ("w64", "pcm_s24le", 44_100, EXACT),
    ("aiff", "pcm_s16be", 44_100, EXACT),
    ("flac", "flac", 44_100, EXACT),
    ("au", "pcm_mulaw", 8_000, EXACT),
]


def heard(path, block=1.0):
    return np.concatenate(list(read_blocks(path, block)))


def told(path):
    """Return all that is heard of a damaged file, in seconds, and what is said of it."""
    blocks = []
    with pytest.raises(AudioError) as caught:
        blocks.extend(read_blocks(path))
    assert "\n" not in str(caught.value)
    return len(np.concatenate(blocks)) / 16_000, str(caught.value)


CASES = [(*form, channels) for form in FORMS for channels in (1, 2) if channels == 1 or "amr" not in form[1]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_what_is_in_a_container_is_heard_whole_and_alike(tmp_path, chirp, likeness, case):
    suffix, codec, rate, tolerance, channels = case
    played = chirp(3.0, rate)
    path = encode(tmp_path / f"a.{suffix}", np.repeat(played[:, None], channels, axis=1), codec, rate)
    found = heard(path)
    assert len(found) == pytest.approx(48_000, abs=tolerance)
    score, lag = likeness(np.pad(found, 800), chirp(3.0))
    assert score > (0.98 if tolerance == EXACT and rate > 8_000 else 0.9)
    assert lag - 800 == pytest.approx(0, abs=max(tolerance, 1_200 if suffix in ("ts", "flv", "avi", "wma") else 0))


def test_a_recording_without_a_length_is_heard_whole(tmp_path, chirp):
    """As a browser records: nothing is written back into the header, and there is no index."""
    chirp_ = chirp(3.0, 48_000)
    live = encode(tmp_path / "a.webm", chirp_, "libopus", 48_000, live="1")
    pieces = encode(tmp_path / "a.mp4", chirp_, "aac", 48_000, movflags="frag_keyframe+empty_moov")
    pipe = tmp_path / "pipe.flac"
    soundfile.write(pipe, chirp_, 48_000)
    content = bytearray(pipe.read_bytes())
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])  # the number of samples
    pipe.write_bytes(content)
    for path in (live, pieces, pipe):
        assert len(heard(path)) == pytest.approx(48_000, abs=400), path.name


def test_the_sound_of_a_video_is_heard_where_the_picture_is(tmp_path, chirp):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        picture = file.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = file.add_stream("aac", rate=48_000, layout="mono")
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts = number
            file.mux(picture.encode(frame))
        frame = av.AudioFrame.from_ndarray(chirp(2.0, 48_000)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 48_000
        for part in (frame, None):
            file.mux(sound.encode(part))
        file.mux(picture.encode(None))
    found = heard(path)
    assert len(found) == pytest.approx(48_000, abs=1_000)
    assert np.abs(found[:14_000]).max() < 0.01
    assert np.abs(found[17_500:]).max() > 0.4


def test_a_video_without_sound_says_so(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        picture = file.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        for frame in (av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24"), None):
            file.mux(picture.encode(frame))
    with pytest.raises(AudioError, match=r"a\.mp4 has no audio track; choose a file with sound"):
        opened(path)


def test_files_that_were_joined_are_heard_to_the_end(tmp_path, chirp):
    for suffix, codec in (("mp3", "libmp3lame"), ("ogg", "libopus"), ("flac.ogg", "flac")):
        parts = [
            encode(tmp_path / f"{seconds}.{suffix}", chirp(seconds, 48_000), codec, 48_000) for seconds in (3.0, 2.0)
        ]
        joined = tmp_path / f"joined.{suffix}"
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        assert len(heard(joined)) == pytest.approx(80_000, abs=1_600), suffix
    both = [soundfile.write(tmp_path / f"{n}.wav", chirp(n, 16_000), 16_000) or tmp_path / f"{n}.wav" for n in (3, 2)]
    (tmp_path / "joined.wav").write_bytes(b"".join(part.read_bytes() for part in both))
    assert len(heard(tmp_path / "joined.wav")) == pytest.approx(80_000, abs=100)


@pytest.mark.parametrize("suffix", ["ogg", "mp3", "m4a", "webm"])
def test_block_size_changes_no_sample(tmp_path, chirp, suffix):
    codec = {"ogg": "libopus", "mp3": "libmp3lame", "m4a": "aac", "webm": "libopus"}[suffix]
    path = encode(tmp_path / f"a.{suffix}", chirp(2.0, 48_000), codec, 48_000)
    assert np.array_equal(heard(path, 0.013), heard(path, 100))


CUT = [
    ("mp3", "libmp3lame", r"ends after 2\.\d s of 5\.0 s"),
    ("webm", "libopus", r"ends after 2\.\d s of 5\.0 s"),
    ("mka", "aac", r"ends after 2\.\d s of 5\.0 s"),
    ("ogg", "libopus", r"ends after \d\.\d s of 3\.\d s"),
    ("avi", "libmp3lame", r"ends after 2\.\d s of "),
]


@pytest.mark.parametrize(("suffix", "codec", "message"), CUT)
def test_half_a_file_is_heard_and_the_rest_is_told(tmp_path, chirp, suffix, codec, message):
    path = encode(tmp_path / f"a.{suffix}", chirp(5.0, 48_000), codec, 48_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    length, said = told(path)
    assert 1 < length < 3.5
    assert re.search(message, said), said


def test_an_mp4_is_heard_as_far_as_it_goes_if_its_index_comes_first(tmp_path, chirp):
    path = encode(tmp_path / "a.m4a", chirp(5.0, 48_000), "aac", 48_000, movflags="faststart")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    length, said = told(path)
    assert 1 < length < 3.5
    assert "s of 5.0 s" in said
    path = encode(tmp_path / "b.m4a", chirp(5.0, 48_000), "aac", 48_000)
    path.write_bytes(path.read_bytes()[: len(whole) // 2])
    with pytest.raises(AudioError, match=r"cannot be read as audio \(unknown format, or its index is missing\)"):
        opened(path)


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "ogg", "aac", "ac3"])
def test_damage_in_the_middle_is_told_and_what_follows_is_heard(tmp_path, chirp, suffix):
    codec = {"mp3": "libmp3lame", "ogg": "libopus", "ac3": "ac3"}.get(suffix, "aac")
    path = encode(tmp_path / f"a.{suffix}", chirp(6.0, 48_000), codec, 48_000)
    content = bytearray(path.read_bytes())
    middle, part = len(content) // 2, len(content) // 8
    content[middle : middle + part] = np.random.default_rng(0).bytes(part)
    path.write_bytes(content)
    length, said = told(path)
    assert length > 4.5
    assert "damaged" in said
    assert " s" in said


def test_where_a_container_holds_no_audio_silence_keeps_the_time(tmp_path, chirp, caplog):
    """A browser sends nothing while nobody speaks, which cannot be told from damage."""
    path = encode(tmp_path / "a.webm", np.repeat(chirp(6.0, 48_000)[:, None], 2, axis=1), "libopus", 48_000)
    content = bytearray(path.read_bytes())
    middle, part = len(content) // 2, len(content) // 8
    content[middle : middle + part] = np.random.default_rng(0).bytes(part)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        found = heard(path)
    assert len(found) == pytest.approx(96_000, abs=400)
    assert np.abs(found[56_000:64_000]).max() == 0
    [note] = [record.getMessage() for record in caplog.records]
    assert re.search(r"a\.webm holds no audio for 1\.\d s, from 3\.\d s on; silence takes its place", note)


def test_a_wav_whose_header_is_out_of_date_is_heard_to_the_end(tmp_path, chirp):
    path = tmp_path / "crashed.wav"
    soundfile.write(path, chirp(3.0), 16_000)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = (16_000).to_bytes(4, "little")
    path.write_bytes(content)
    assert len(heard(path)) == 48_000


def test_chunks_behind_the_audio_are_no_audio(tmp_path, chirp):
    path = tmp_path / "tagged.wav"
    soundfile.write(path, chirp(1.0), 16_000)
    path.write_bytes(path.read_bytes() + b"LIST" + (50_000).to_bytes(4, "little") + bytes(50_000))
    assert len(heard(path)) == 16_000


def test_a_page_that_is_missing_is_told_with_its_place(tmp_path, chirp):
    path = encode(tmp_path / "a.ogg", chirp(5.0, 48_000), "libopus", 48_000)
    content = path.read_bytes()
    pages = [found.start() for found in re.finditer(b"OggS", content)]
    path.write_bytes(content[: pages[4]] + content[pages[5] :])  # two headers, and a second of audio on each page
    length, said = told(path)
    assert length == pytest.approx(4, abs=0.05)
    assert said == f"{path} is damaged: 1.0 s of it, after 2.0 s, are missing; copy it again"


def test_an_ogg_without_a_mark_at_its_end_is_heard_with_a_warning(tmp_path, chirp, caplog):
    path = encode(tmp_path / "a.ogg", chirp(5.0, 48_000), "libopus", 48_000)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"OggS")])
    with caplog.at_level(logging.WARNING):
        assert len(heard(path)) > 40_000
    assert "a.ogg has no mark at its end" in caplog.text


def test_a_broadcast_that_was_joined_late_is_whole(tmp_path, chirp, caplog):
    path = encode(tmp_path / "a.ogg", chirp(5.0, 48_000), "libopus", 48_000)
    content = path.read_bytes()
    pages = [found.start() for found in re.finditer(b"OggS", content)]
    path.write_bytes(content[: pages[2]] + content[pages[4] :])  # two headers, then the third page of audio
    assert len(heard(path)) == pytest.approx(48_000, abs=400)
    assert caplog.text == ""


def test_an_hour_is_read_in_little_memory(tmp_path):
    path = tmp_path / "long.m4a"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("alac", rate=8_000, layout="mono")
        for minute in range(60):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 480_000), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8_000, minute * 480_000
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(len(block) for block in read_blocks(path))
    assert total == 3600 * 16_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB; all of it would be 230 MB


def test_a_playlist_names_no_other_file(tmp_path, chirp):
    """A file from elsewhere must not make asrd open others, or addresses."""
    encode(tmp_path / "other.ts", chirp(2.0, 44_100), "aac", 44_100)
    path = tmp_path / "talk.m3u8"
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{tmp_path}/other.ts\n#EXT-X-ENDLIST\n",
        encoding="utf-8",
    )
    with pytest.raises(AudioError, match=r"talk\.m3u8"):
        opened(path)


def test_a_disk_that_fails_is_told_in_one_line(tmp_path, chirp, monkeypatch):
    path = encode(tmp_path / "a.mka", chirp(60.0, 48_000), "aac", 48_000)

    class Failing(io.FileIO):
        def read(self, size=-1):
            if self.tell() > 150_000:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read(size)

    reading = open
    monkeypatch.setattr(type(path), "open", lambda self, mode: Failing(self) if "b" in mode else reading(self, mode))
    length, said = told(path)
    assert 1 < length < 50
    assert re.fullmatch(rf"{path} cannot be read after \d+\.\d s \(Input/output error\); .*copy it again", said)


def test_a_source_plays_what_is_compressed(tmp_path, chirp, gather, audio):
    path = encode(tmp_path / "a.m4a", chirp(2.0, 44_100), "aac", 44_100)
    assert np.array_equal(audio(gather(FileSource("a", path, "fast"))), heard(path))


def test_the_length_is_known_before_and_counted_after(tmp_path, chirp):
    recording = Recording(encode(tmp_path / "a.m4a", chirp(2.0, 44_100), "aac", 44_100))
    assert recording.length() == pytest.approx(2.0, abs=0.02)
    assert recording.heard == 0
    assert len(np.concatenate(list(recording.blocks()))) == 32_000
    assert recording.heard == pytest.approx(2.0, abs=1e-3)
