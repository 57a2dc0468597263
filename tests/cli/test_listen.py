"""`asrd listen` reports errors in every format, and leaves the terminal in order after a signal."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import zmq
from click.testing import CliRunner
from msgspec.structs import replace

from asrd.cli.listen import listen, moment
from asrd.cli.views import Live
from asrd.clients import Hole, Style
from asrd.core import events
from asrd.core.errors import UsageError
from asrd.core.units import Samples

from ..clients.service import serving
from .conftest import Spawn

SHOW_CURSOR = b"\x1b[?25h"
HIDE_CURSOR = b"\x1b[?25l"


def publish(socket: "zmq.Socket[bytes]", *said: events.AnyEvent) -> None:
    """Publish to the first subscriber."""
    socket.poll(10_000)
    for event in said:
        socket.send_multipart([events.topic(event), events.encode(event)])


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator["zmq.Socket[bytes]"]:
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.bind(f"ipc://{tmp_path}/events")
        yield socket


@pytest.mark.parametrize("format_", ["text", "srt", "vtt"])
def test_gaps_errors_and_the_end_are_told_on_standard_error(
    publisher: "zmq.Socket[bytes]", tmp_path: Path, format_: str
) -> None:
    said = (
        events.Gap(stream="desk", start=16_000, end=24_000, reason="the microphone was late", seq=1, daemon="d"),
        events.Error(stream="desk", message="no audio; plug it in", seq=2, daemon="d"),
        events.Stopped(reason="end", seq=3, daemon="d"),
    )
    thread = Thread(target=publish, args=(publisher, *said))
    thread.start()
    result = CliRunner().invoke(listen, ["--events", f"ipc://{tmp_path}/events", "--once", "--format", format_])
    thread.join()
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        "asrd: desk at 1.0 s: 0.5 s not heard: the microphone was late",
        "asrd: desk: no audio; plug it in",
        "asrd: the daemon has stopped: end",
    ]


def final(stream: str, text: str, seq: int) -> events.Final:
    words = tuple(events.WireWord(word, 16_000 * n, 16_000 * n + 8000, 1.0) for n, word in enumerate(text.split(), 1))
    stages = events.Timestamps(heard=0, cut=0, started=0, recognized=0)
    span = {"start": 0, "end": 48_000, "speech_end": 40_000, "utterance": seq}
    said = {"text": text, "words": words, "confidence": 1.0, "backend": "fp16", "reason": "silence"}
    return events.Final(stream=stream, seq=seq, daemon="d", stages=stages, **span, **said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sentence-pause", "1", "--language", "en"], ["Saoirse 23.", "Hello."]),
        (["--sentence-pause", "1"], ["Saoirse twenty three.", "Hello."]),
        (["--raw"], ["SAOIRSE TWENTY THREE", "HELLO"]),
        (["--format", "srt"], ["1", "00:00:01,000 --> 00:00:01,916", "Saoirse."]),
    ],
)
def test_finals_as_people_read_them(
    publisher: "zmq.Socket[bytes]", tmp_path: Path, options: list[str], said: list[str]
) -> None:
    """Subtitles are of one stream: each stream has a clock of its own."""
    finals = final("desk", "SAOIRSE TWENTY THREE", 1), final("call", "HELLO", 2)
    thread = Thread(target=publish, args=(publisher, *finals, events.Stopped(reason="end", seq=3, daemon="d")))
    thread.start()
    always = ["--once", "--events", f"ipc://{tmp_path}/events", "--numbers", "--spelling", "Saoirse"]
    result = CliRunner().invoke(listen, [*always, *options])
    thread.join()
    assert result.stdout.splitlines()[: len(said)] == said
    assert ("choose 'call' with --stream" in result.stderr) == (
        "Hello" not in result.stdout and "HELLO" not in result.stdout
    )


def status(streams: Iterable[str], **more: Any) -> events.Status:
    stream = events.StreamStatus(source="x", position=0, waiting=0, utterances=0, lost=0, skipped=0, open=True)
    facts = dict.fromkeys(("version", "backend", "arithmetic", "model"), "")
    counts = dict.fromkeys(("pid", "uptime", "audio_seconds", "inference_seconds", "peak_memory"), 0)
    return events.Status(streams=dict.fromkeys(streams, stream), daemon="d", **facts, **counts, **more)


def test_hot_words_are_written_as_they_were_added_also_while_it_listens(
    publisher: "zmq.Socket[bytes]", tmp_path: Path
) -> None:
    said = (
        status("a", words=("iPhone", "ibm")),
        final("a", "NEW IPHONE", 1),
        status("a", words=("New York",), seq=2),
        final("a", "IPHONE FROM NEW YORK BY IBM", 3),
        events.Stopped(reason="end", seq=4, daemon="d"),
    )
    thread = Thread(target=publish, args=(publisher, *said))
    thread.start()
    whole = ["--sentence-pause", "1"]
    result = CliRunner().invoke(listen, ["--events", f"ipc://{tmp_path}/events", "--once", "--spelling", "IBM", *whole])
    thread.join()
    assert result.stdout.splitlines() == ["New iPhone.", "Iphone from New York by IBM."]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "As the daemon has it."),
        (["--no-numbers"], "I have twenty three."),
        (["--language", "de"], "I have twenty three."),
        (["--raw"], "I HAVE TWENTY THREE"),
    ],
)
def test_the_daemon_s_style_holds_for_what_is_not_asked_for(
    publisher: "zmq.Socket[bytes]", tmp_path: Path, options: list[str], shown: str
) -> None:
    style = Style(numbers=True, pause=Samples(16_000), language="en")
    said = replace(final("a", "I HAVE TWENTY THREE", 1), display="As the daemon has it.")
    stopped = events.Stopped(reason="end", seq=2, daemon="d")
    thread = Thread(target=publish, args=(publisher, status("a", style=style), said, stopped))
    thread.start()
    result = CliRunner().invoke(listen, ["--events", f"ipc://{tmp_path}/events", "--once", *options])
    thread.join()
    assert result.stdout == f"{shown}\n"


@pytest.mark.parametrize(
    ("options", "said"), [([], ["Ich habe 23 i."]), (["--language", "en"], ["Ich habe dreiundzwanzig I."])]
)
def test_the_language_is_the_model_s_unless_another_is_given(
    publisher: "zmq.Socket[bytes]", tmp_path: Path, options: list[str], said: list[str]
) -> None:
    heard = status("a", language="deu"), final("a", "ich habe dreiundzwanzig i", 1), events.Stopped(reason="end", seq=2)
    thread = Thread(target=publish, args=(publisher, *(replace(event, daemon="d") for event in heard)))
    thread.start()
    always = ["--events", f"ipc://{tmp_path}/events", "--once", "--sentence-pause", "1", "--numbers"]
    result = CliRunner().invoke(listen, [*always, *options])
    thread.join()
    assert result.stdout.splitlines() == said


@pytest.mark.parametrize(
    ("there", "chosen", "said"),
    [("a", "", "Hi."), ("ab", "", "a: Hi."), ("ab", "a", "Hi."), ("abc", "ab", "a: Hi.")],
)
def test_lines_of_several_streams_are_told_apart(
    publisher: "zmq.Socket[bytes]", tmp_path: Path, there: str, chosen: str, said: str
) -> None:
    stopped = events.Stopped(reason="end", seq=2, daemon="d")
    thread = Thread(target=publish, args=(publisher, status(there), final("a", "HI", 1), stopped))
    thread.start()
    options = [option for name in chosen for option in ("--stream", name)]
    result = CliRunner().invoke(listen, ["--events", f"ipc://{tmp_path}/events", "--once", *options])
    thread.join()
    assert result.stdout == f"{said}\n"


def test_subtitles_go_on_by_the_wall_clock_when_the_daemon_is_started_anew(
    publisher: "zmq.Socket[bytes]", tmp_path: Path
) -> None:
    """The second daemon hears its first word an hour after the first one's; then the wall clock is set back."""

    def said(daemon: str, later: int, time: float) -> events.Final:
        early = final("desk", "WORD", 0)
        moved = {name: getattr(early, name) + later * 16_000 for name in ("start", "end", "speech_end")}
        words = tuple(
            replace(word, start=word.start + later * 16_000, end=word.end + later * 16_000) for word in early.words
        )
        return replace(early, daemon=daemon, words=words, time=time, seq=int(later > 0), **moved)

    finals = said("a", 0, 0.0), said("b", 0, 3_600.0), said("b", 10, 3_610.0), said("c", 0, 7.0)
    thread = Thread(target=publish, args=(publisher, *finals, events.Stopped(reason="end", seq=2, daemon="c")))
    thread.start()
    result = CliRunner().invoke(listen, ["--events", f"ipc://{tmp_path}/events", "--once", "--format", "vtt"])
    thread.join()
    starts = [line.split(" --> ")[0] for line in result.stdout.splitlines() if "-->" in line]
    assert starts == ["00:00:01.000", "01:00:01.000", "01:00:11.000", "01:00:14.000"]


@pytest.mark.parametrize("then", [events.Heartbeat(uptime=0, daemon="another"), Hole("d", 2, 9)], ids=["anew", "hole"])
def test_what_may_never_have_its_final_does_not_stay_on_the_screen(then: events.AnyEvent | Hole) -> None:
    said = {"text": "HI", "stable": 0, "words": (events.WireWord("HI", 0, 9, 1.0),), "backend": "fp16"}
    stages = events.Timestamps(heard=0, cut=0, started=0, recognized=0)
    live, drawn = Live(), []
    live._region.update = lambda shown, **_: drawn.append(len(shown.renderables))  # type: ignore[method-assign]
    live.show(events.Partial(stream="desk", daemon="d", seq=1, utterance=0, start=0, end=9, stages=stages, **said))
    live.show(then)
    live.close()
    assert drawn[-2:] == [1, 0]


def test_a_stream_that_is_not_there_is_told_with_those_that_are(publisher: "zmq.Socket[bytes]", tmp_path: Path) -> None:
    thread = Thread(target=publish, args=(publisher, status(["desk", "call"], seq=1)))
    thread.start()
    result = CliRunner().invoke(listen, ["--events", f"ipc://{tmp_path}/events", "--stream", "dekc"])
    thread.join()
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "no stream is called 'dekc' there; there are: desk, call"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_cursor_back(
    publisher: "zmq.Socket[bytes]", tmp_path: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "asrd.cli.main", "listen", "--events", f"ipc://{tmp_path}/events"]
    with subprocess.Popen(command, env=environment | {"TERM": "xterm"}, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while HIDE_CURSOR not in seen:
            seen += os.read(ours, 4096)
        publisher.poll(10_000)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
    while SHOW_CURSOR not in seen:
        seen += os.read(ours, 4096)  # raises OSError at the end
    os.close(ours)
    assert seen.rindex(SHOW_CURSOR) > seen.rindex(HIDE_CURSOR)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("17", 17),
        ("0:30", datetime(2026, 5, 4, 0, 30)),
        ("09:59:30", datetime(2026, 5, 4, 9, 59, 30)),
        ("23:30", datetime(2026, 5, 3, 23, 30)),  # yesterday's
        ("2026-01-02T03:04", datetime(2026, 1, 2, 3, 4)),
    ],
)
def test_since_takes_a_time_or_a_number(given: str, meant: datetime | int) -> None:
    now = datetime(2026, 5, 4, 10, 0).astimezone()
    assert moment(given, now) == (meant if isinstance(meant, int) else meant.astimezone())


def test_since_refuses_anything_else() -> None:
    for given in ("yesterday", "25:00", "-1"):
        with pytest.raises(UsageError, match="--since takes a time such as 10:30"):
            moment(given, datetime.now().astimezone())


def test_since_last_goes_on_where_it_was_left_over_a_restart(tmp_path: Path, spawn: Spawn) -> None:
    """And `--since` shows again what was shown. The status comes after what was missing."""
    shown = []
    for turn, since in enumerate(["last", "last", "0"]):
        with serving(tmp_path) as service:
            service.publish(f"said {turn}")
            listening = spawn("listen", "--events", service.events, "--format", "json", "--since", since)
            assert listening.stdout
            lines = list(takewhile(lambda line: '"type":"status"' not in line, listening.stdout))
            shown.append([number for number in range(3) if f'"said {number}"' in "".join(lines)])
            listening.terminate()
            listening.wait(10)
    assert shown == [[0], [1], [0, 1, 2]]
