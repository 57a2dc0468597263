from pathlib import Path

import pytest

from asrd.core.errors import UsageError
from asrd.daemon.sources.files import FileSource
from asrd.daemon.sources.microphone import MicrophoneSource
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.sources.pcm import PipeSource
from asrd.daemon.sources.reception import Reception
from asrd.daemon.sources.spec import parse_source, parse_sources

MEANINGS = [
    ("mic", MicrophoneSource, "mic", {"device": None}),
    ("mic:USB: Audio=1", MicrophoneSource, "mic", {"device": "USB: Audio=1"}),
    ("desk=mic:USB", MicrophoneSource, "desk", {"device": "USB"}),
    ("file:no/such talk.wav", FileSource, "such-talk", {"path": Path("no/such talk.wav"), "pace": "fast"}),
    ("file:logs/daemon.wav", FileSource, "file", {"path": Path("logs/daemon.wav")}),
    ("a=file:/b=c.wav", FileSource, "a", {"path": Path("/b=c.wav")}),
    ("far=file:call.wav?channel=2", FileSource, "far", {"path": Path("call.wav"), "channel": 2}),
    ("file:what?channel=2.wav", FileSource, "what-channel-2", {"path": Path("what?channel=2.wav"), "channel": None}),
    ("pcm:-", PipeSource, "pcm", {"rate": 16_000, "channels": 1, "format": "s16le"}),
    ("x=pcm:-?rate=48000&channels=2&format=f32le", PipeSource, "x", {"rate": 48_000, "channels": 2, "format": "f32le"}),
    ("pcm:tcp://127.0.0.1:7000", NetworkSource, "pcm", {"address": "tcp://127.0.0.1:7000"}),
    ("call=pcm:ipc:///run/x.sock", NetworkSource, "call", {"address": "ipc:///run/x.sock"}),
    ("call=pcm:tcp://127.0.0.1:7000?streams=each", Reception, "call", {"address": "tcp://127.0.0.1:7000", "most": 64}),
    ("pcm:ipc:///run/x?streams=each&most=3", Reception, "pcm", {"address": "ipc:///run/x", "most": 3}),
]


@pytest.mark.parametrize(("spec", "kind", "stream", "details"), MEANINGS, ids=lambda value: str(value)[:40])
def test_what_is_written_is_what_is_meant(spec, kind, stream, details):
    source = parse_source(spec, pace="fast")
    assert type(source) is kind
    assert source.stream == stream
    assert isinstance(source, Reception) or source.kind in spec  # what clients are told is what people wrote
    assert {name: getattr(source, name) for name in details} == details


def test_the_path_of_an_existing_file_needs_no_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("my talk.wav", "a=b.wav", "héllo.wav", "...wav"):
        Path(name).touch()
    streams = [parse_source(name).stream for name in ("my talk.wav", "a=b.wav", "héllo.wav", "...wav", "x=a=b.wav")]
    assert streams == ["my-talk", "a-b", "h-llo", "file", "x"]
    assert parse_source("my talk.wav?channel=2").channel == 2
    Path("my talk.wav?channel=2").touch()
    assert parse_source("my talk.wav?channel=2").channel is None


FAULTS = [
    ("", "neither a source nor an existing file"),
    ("microphone", "neither a source nor an existing file"),
    ("missing.wav", "neither a source nor an existing file"),
    ("file:", "neither a source nor an existing file"),
    ("two words=mic", "cannot name a stream"),
    ("a.b=mic", "cannot name a stream"),
    ("=mic", "cannot name a stream"),
    ("daemon=mic", "cannot name a stream: events of that name are the daemon's own"),
    ("pcm:", "is no source"),
    ("pcm:udp://1.2.3.4:5", "is no source"),
    ("pcm:tcp://", "port from 1 to 65535"),
    ("pcm:tcp://127.0.0.1", "port from 1 to 65535"),
    ("pcm:tcp://127.0.0.1:99999", "port from 1 to 65535"),
    ("pcm:-?rate=0", "rate from 1000 to 384000, not '0'"),
    ("pcm:-?rate=48k", "not '48k'"),
    ("pcm:-?channels=", "channels from 1 to 1024, not ''"),
    ("pcm:-?format=mp3", "cannot read format 'mp3'.*s16le, s24le, s32le, f32le"),
    ("pcm:-?bits=16", "no option 'bits'"),
    ("pcm:tcp://127.0.0.1:7000?streams=one", "after \\? comes streams=each"),
    ("pcm:tcp://127.0.0.1:7000?most=3", "after \\? comes streams=each"),
    ("pcm:tcp://127.0.0.1:7000?streams=each&most=0", "needs a most from 1 to 256, not '0'"),
    ("pcm:tcp://127.0.0.1:7000?streams=each&rate=8000", "no option 'rate'; it takes streams and most"),
]


@pytest.mark.parametrize(("spec", "message"), FAULTS)
def test_anything_else_is_wrong_usage(spec, message):
    with pytest.raises(UsageError, match=message) as caught:
        parse_source(spec)
    assert "\n" not in str(caught.value)


def test_a_daemon_without_a_source_is_wrong_usage():
    with pytest.raises(UsageError, match="nothing to listen to; name a source: mic"):
        parse_sources([])
