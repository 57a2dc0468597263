"""`asrd type` types what is said into a real window."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from asrd.models.speech import bundled
from tests.desktop import Window, x_server

from ..clients.said import final, partial, spoken
from ..clients.service import Service, serving
from .conftest import Run, Spawn


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x_server() as display:
        yield display


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path, journal=False) as service:
        yield service


def test_it_types_what_a_running_daemon_hears(display: str, service: Service, spawn: Spawn) -> None:
    typing = spawn("type", "--language", "en", "--early", DISPLAY=display, WAYLAND_DISPLAY="")
    assert typing.stderr
    assert "Typing with xdotool: " in typing.stderr.readline()
    with Window(display) as window:
        service.publish(final(spoken("hello comma new line")))
        window.shows("Hello,\n")
        words = spoken("wie heißt du მე question mark")
        service.publish(partial(words, 12))
        window.shows("Hello,\nWie heißt")
        service.publish(final(words))
        window.shows("Hello,\nWie heißt du მე?")
        service.publish(final(spoken("scratch that")))
        window.shows("Hello,\n")
        service.publish(final(spoken("scratch that ça va")))
        window.shows("Ça va")
    typing.send_signal(signal.SIGINT)
    assert typing.communicate(timeout=20) == ("", "")
    assert typing.returncode == 0


@pytest.mark.slow
def test_a_daemon_of_its_own_hears_real_speech(display: str, run: Run, spawn: Spawn, tmp_path: Path) -> None:
    """The table makes other text of two words of the recording, "He was not an ill disposed young man"."""
    table = tmp_path / "config" / "asrd" / "dictation.toml"
    table.parent.mkdir(parents=True)
    table.write_text('[en]\n"was" = ": "\n"not" = " éა中!\\n"\n', encoding="utf-8")
    clip = bundled("real")[1].audio
    tiny = ("--model", "asrd-tiny-en", "--decoder", "greedy")
    he, was, no, *rest = run("transcribe", clip, "--raw", *tiny).stdout.split()
    assert (he, was, no) == ("HE", "WAS", "NOT")
    with Window(display) as window:
        typing = spawn(
            "type", "-s", clip, "--pace", "fast", *tiny, DISPLAY=display, WAYLAND_DISPLAY="", TMPDIR=str(tmp_path)
        )
        window.shows(f"He: éა中!\n{' '.join(rest).capitalize()}")
        assert typing.communicate(timeout=20)[0] == ""
        assert typing.returncode == 0
    assert not list(tmp_path.glob("asrd-type-*"))


def test_a_dry_run_prints_what_would_be_typed(service: Service, spawn: Spawn) -> None:
    typing = spawn("type", "-n", "--language", "en", DISPLAY="", WAYLAND_DISPLAY="")
    assert typing.stdout
    assert typing.stderr
    typing.stderr.readline()
    service.publish(*(final(spoken(said)) for said in ("a new line", "é \x1b b", "scratch that")))
    assert [typing.stdout.readline() for _ in range(3)] == ['type "A\\n"\n', 'type "É \\\\u001b b"\n', "delete 10\n"]
    typing.send_signal(signal.SIGTERM)
    assert typing.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "more", "code", "complaint"),
    [
        ([], {}, 1, "no desktop is here: neither WAYLAND_DISPLAY nor DISPLAY is set"),
        (["--with", "wtype"], {"PATH": "/nonexistent"}, 1, "wtype is not installed; install it"),
        (["--with", "pen"], {}, 2, "'pen' is not one of 'wtype', 'xdotool', 'ydotool', 'clipboard'"),
        (["--backend", "int8"], {}, 2, "--backend is for a daemon of its own; name a source for it with -s"),
        (["--stream", "desk", "-s", "mic"], {}, 2, "--stream chooses of a running daemon's streams; leave it out"),
        (["-n", "-s", "pcm:-", "--model", "nosuch"], {}, 2, "there is no model 'nosuch'"),
        (["-n", "--wait", "0"], {}, 1, "start one with 'asrd start'"),
    ],
)
def test_what_keeps_it_from_typing_is_one_line(
    run: Run, arguments: list[str], more: dict[str, str], code: int, complaint: str
) -> None:
    result = run("type", *arguments, **{"DISPLAY": "", "WAYLAND_DISPLAY": ""} | more)
    assert complaint in result.stderr
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (code, "", 1)


def test_a_tool_that_fails_ends_it_with_one_line(service: Service, spawn: Spawn, tmp_path: Path) -> None:
    tool = tmp_path / "xdotool"
    tool.write_text('#!/bin/sh\n[ "$1" = getmouselocation ] || { echo "it broke" >&2; exit 3; }\n', encoding="utf-8")
    tool.chmod(0o755)
    typing = spawn("type", DISPLAY=":0", WAYLAND_DISPLAY="", PATH=str(tmp_path))
    assert typing.stderr
    typing.stderr.readline()
    service.publish(final(spoken("hello")))
    assert typing.communicate(timeout=20)[1].startswith("asrd: xdotool cannot type here: it broke; choose another way")
    assert typing.returncode == 1


def test_the_table_is_shown_with_its_place(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "config" / "asrd" / "dictation.toml"
    assert run("type", "--table").stdout.startswith(f"Your table: {table} (not there yet: make it to add phrases)\n")
    table.parent.mkdir(parents=True)
    table.write_text('smiley = ":-)"\n[en]\nperiod = false\n', encoding="utf-8")
    lines = [line.split() for line in run("type", "--table").stdout.splitlines()]
    assert lines[0] == ["Your", "table:", str(table)]
    assert ["en", "comma", '",', '"'] in lines
    assert ["en", "scratch", "that", "(scratch)"] in lines
    assert ["en", "period", "(no", "phrase)", "yours"] in lines
    assert ["any", "smiley", '":-)"', "yours"] in lines
    table.write_text("[en]\nperiod = 3\n", encoding="utf-8")
    broken = run("type", "--table")
    assert (broken.returncode, broken.stderr.count("\n")) == (2, 1)
    assert "'period' must be printable text to type" in broken.stderr
