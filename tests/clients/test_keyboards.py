"""What is typed arrives: in a real window on X11; what is passed to other tools is what they take."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from asrd.clients.dictation.choice import NAMES, TOOLS, choose
from asrd.clients.dictation.keyboards import Keyboard
from asrd.core.errors import AsrdError
from tests.desktop import Window, sway, x_server

STRANGE = "É é ß ა 中 – “€” Ж\nx\ty ñ'\"$`\\;|%s {~^ абвгдежзийклмнопрстуфхцчшщъыьэюя"
"""Letters that no keyboard has all of, more than there are spare keys, and what a shell would read."""

PASTE = "29:1 47:1 47:0 29:0"
"""Ctrl and V, by their numbers, pressed and let go."""

DELETE = "-s 50 -k BackSpace -k BackSpace"


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x_server() as display:
        yield display


@pytest.fixture
def on_x11(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The desktop of X11, and a locale without any of its letters."""
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("LC_ALL", "C")


@pytest.mark.usefixtures("on_x11")
@pytest.mark.parametrize("name", ["", "clipboard"])
def test_all_letters_arrive_and_are_deleted_again(display: str, name: str) -> None:
    keyboard = choose(name)
    assert keyboard.name == (name or "xdotool")
    with Window(display) as window:
        keyboard.type("before ")
        window.shows("before ")
        keyboard.type(STRANGE)
        window.shows(f"before {STRANGE}")
        keyboard.delete(len(STRANGE))
        window.shows("before ")


def test_all_letters_arrive_on_wayland(monkeypatch: pytest.MonkeyPatch) -> None:
    with sway() as terminal:
        monkeypatch.setenv("WAYLAND_DISPLAY", terminal.display)
        monkeypatch.setenv("LC_ALL", "C")
        keyboard = choose()
        assert keyboard.name == "wtype"
        keyboard.type(STRANGE)
        terminal.gets(STRANGE.replace("\n", "\r"))
        keyboard.delete(3)
        terminal.gets("\x7f" * 3)


class Desk:
    """Tools on the PATH that note what they are given, and fail if they are told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._notes = folder, folder / "notes"

    def put(self, name: str, *, fails: str = "", to: str = " >&2") -> None:
        end = f"echo '{fails}'{to}; exit 1" if fails else "exit 0"
        lines = ["#!/bin/sh", f'echo "{name} $*" >> "{self._notes}"', f'/bin/cat >> "{self._notes}"', end, ""]
        (self.folder / name).write_text("\n".join(lines), encoding="utf-8")
        (self.folder / name).chmod(0o755)

    @property
    def notes(self) -> list[str]:
        return self._notes.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.delenv("DISPLAY", raising=False)
    return Desk(tmp_path)


def use(keyboard: Keyboard) -> None:
    keyboard.type("héllo\n")
    keyboard.delete(2)


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("wtype", ["wtype ", "wtype -s 50 -", "héllo", f"wtype {DELETE}"]),
        (
            "ydotool",
            ["ydotool key 14:0", "wl-copy ", "héllo", f"ydotool key {PASTE}", "ydotool key 14:1 14:0 14:1 14:0"],
        ),
        ("clipboard", ["wtype ", "wl-copy ", "héllo", "wtype -s 50 -M ctrl v -m ctrl", f"wtype {DELETE}"]),
    ],
)
def test_what_tools_of_wayland_are_given(desk: Desk, name: str, calls: list[str]) -> None:
    for tool in ("wtype", "ydotool", "wl-copy", "xclip"):
        desk.put(tool)
    use(choose(name))
    assert desk.notes == calls


def test_ydotool_types_what_a_keyboard_has(desk: Desk) -> None:
    desk.put("ydotool")
    choose("ydotool").type("Hello, (1-2)")
    assert desk.notes[1:] == ["ydotool type --file /dev/stdin", "Hello, (1-2)"]
    for other in ("é", "[", "a_b"):
        with pytest.raises(AsrdError, match="install wl-clipboard"):
            choose("ydotool").type(other)


@pytest.mark.parametrize(
    ("wayland", "tools", "chosen"),
    [
        (True, ["wtype", "ydotool", "xdotool"], "wtype"),
        (True, ["ydotool", "xdotool"], "ydotool"),
        (False, ["wtype", "ydotool", "xdotool"], "xdotool"),
        (False, ["wtype", "ydotool"], "ydotool"),
    ],
)
def test_the_desktop_and_what_is_installed_choose(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wayland: bool, tools: list[str], chosen: str
) -> None:
    if not wayland:
        monkeypatch.delenv("WAYLAND_DISPLAY")
        monkeypatch.setenv("DISPLAY", ":0")
    for tool in tools:
        desk.put(tool)
    assert choose().name == chosen


def test_what_does_not_work_here_is_passed_over(desk: Desk) -> None:
    """GNOME has a compositor that refuses `wtype`."""
    desk.put("wtype", fails="Compositor does not support the virtual keyboard protocol")
    with pytest.raises(AsrdError, match=r"^wtype cannot type here: Compositor does not support the [a-z ]+; "):
        choose()
    desk.put("ydotool", fails="failed to connect socket", to="")
    with pytest.raises(AsrdError, match=r"^wtype cannot .* and ydotool cannot type here: failed to connect socket; "):
        choose()
    desk.put("ydotool")
    assert choose().name == "ydotool"


@pytest.mark.parametrize("session", ["WAYLAND_DISPLAY", "DISPLAY", ""])
@pytest.mark.parametrize("name", ["", *NAMES])
def test_what_is_missing_is_told_in_one_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, session: str, name: str
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY")
    if session:
        monkeypatch.setenv(session, ":7")
    with pytest.raises(AsrdError) as caught:
        choose(name)
    expected = {
        "WAYLAND_DISPLAY": "install wtype, or ydotool",
        "DISPLAY": "install xdotool",
        "": "use a terminal of one",
    }
    message = str(caught.value)
    assert (f"{name} is not installed; install it" if name in TOOLS else expected[session]) in message
    assert "\n" not in message


def test_a_tool_that_hangs_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asrd.clients.dictation.tools.BASE", 0.1)
    (desk.folder / "wtype").write_text("#!/bin/sh\nexec /bin/sleep 60\n", encoding="utf-8")
    (desk.folder / "wtype").chmod(0o755)
    with pytest.raises(AsrdError, match="wtype does not come to an end; "):
        choose("wtype")


@pytest.mark.usefixtures("on_x11")
def test_a_display_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":65535")
    for name in ("", "xdotool", "clipboard"):
        with pytest.raises(AsrdError, match=r"^xdotool cannot type here: .*display"):
            choose(name)
    assert os.environ["LC_ALL"] == "C"
