"""What models, peers and files say does not control the terminal of those who read it, nor forge lines of a log."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.table import Table

from asrd.cli.errors import tell
from asrd.cli.logs import Lines
from asrd.cli.plain import print_table
from asrd.cli.say import echo
from asrd.cli.views import view
from asrd.clients import Reader
from asrd.core import events
from asrd.core.errors import AsrdError

ROOT = Path(__file__).parents[2]
EVIL = "\x1b]0;title\x07\x1b[2J\x9b1m\u202eevil\r\nasrd: forged\u2028x"
STAGES = events.Timestamps(heard=0.0, cut=0.0, started=0.0, recognized=0.0)
WORD = events.WireWord(EVIL, 0, 8_000, 0.5)
SPOKEN = {"stream": EVIL, "utterance": 0, "start": 0, "end": 16_000, "words": (WORD,), "backend": "", "stages": STAGES}
ITEMS = [
    events.Partial(text=EVIL, stable=0, **SPOKEN),
    events.Final(text=EVIL, speech_end=8_000, confidence=0.5, reason="silence", **SPOKEN),
    events.Gap(stream=EVIL, start=0, end=16_000, reason=EVIL),
    events.Error(stream=EVIL, message=EVIL),
]
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Everything that a test has printed, once it has ended; it holds no control characters."""
    yield []
    written = capsys.readouterr()
    assert "forged" in written.out + written.err
    assert not CONTROLS.search(written.out + written.err)
    assert not re.search("^asrd: forged", written.out + written.err, re.MULTILINE)


@pytest.mark.parametrize("format_", ["text", "srt", "vtt", "json"])
@pytest.mark.usefixtures("printed")
def test_events(format_: str) -> None:
    shown = view(format_, Reader(), [EVIL, "b"])
    for item in ITEMS:
        shown.show(item)
    shown.close()


@pytest.mark.usefixtures("printed")
def test_tables_and_errors() -> None:
    table = Table("name")
    table.add_row(EVIL.replace("\n", " "))
    print_table(table)
    tell(AsrdError(EVIL))


def test_json_holds_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    shown = view("json", Reader())
    for item in ITEMS:
        shown.show(item)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["stream"] for line in lines] == [EVIL] * len(ITEMS)
    assert json.loads(lines[1])["text"] == EVIL
    assert not CONTROLS.search(json.loads(lines[1])["display"])


def test_log_lines() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("asrd: %(message)s"))
    logger = logging.Logger("evil")
    logger.addHandler(handler)
    logger.warning("receiving from %s", EVIL)
    assert stream.getvalue().count("\n") == 1
    try:
        raise ValueError(EVIL.replace("\n", " "))
    except ValueError:
        logger.exception("failed")
    assert not CONTROLS.search(stream.getvalue())


@pytest.mark.usefixtures("printed")
def test_whatever_is_printed() -> None:
    echo(EVIL.replace("\n", " "), fg="red")


def test_nothing_is_printed_another_way() -> None:
    """`asrd send` overwrites a line, and shows the text in it by itself."""
    direct = re.compile(r"click\.s?echo\(|(?<![.\w])print\(|rich\.console import Console\b")
    found = [path.name for path in (ROOT / "cli").rglob("*.py") if direct.search(path.read_text(encoding="utf-8"))]
    assert sorted(found) == ["say.py", "send.py"]
