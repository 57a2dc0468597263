"""What a recording holds is of one format; anything else is refused in one line that says what to do."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.core.errors import AsrdError
from asrd.daemon.recorder import blocks
from asrd.daemon.recorder.records import FORMAT, Begin, Closed

BEGIN = Begin("1", "d0", "a", True, 0, 1e9, {}, {}, "", {}, {})


def plain(*records: Any) -> list[Any]:
    """Records as they are before they are packed."""
    found: list[Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(records))
    return found


def write(path: Path, magic: bytes, records: list[Any]) -> Path:
    """A file that begins with `magic`, and holds one block of these records."""
    said = zlib.compress(msgspec.msgpack.encode(records))
    path.write_bytes(magic + blocks.HEAD.pack(len(said), 0, zlib.crc32(said)) + said)
    return path


def refusal(path: Path) -> str:
    """What `asrd replay` refuses a file with, however it is asked."""
    told = set()
    for more in ([], ["--list"], ["--text"], ["--export", f"{path}.new", "--utterance", "0"]):
        error = CliRunner().invoke(asrd, ["replay", str(path), *more]).exception
        assert isinstance(error, AsrdError), error
        assert error.exit_code == 1
        told.add(str(error))
    [message] = told
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (1, "replay it with the asrd that made it"),
        (FORMAT + 1, "upgrade asrd to replay it"),
        (10 * FORMAT, "upgrade asrd to replay it"),
    ],
)
def test_a_recording_of_another_format_is_refused(tmp_path: Path, version: int, remedy: str) -> None:
    path = write(tmp_path / "x.asrd", b"asrd recording %d\n" % version, plain(BEGIN, Closed()))
    assert refusal(path) == f"{path} has format {version}, this asrd reads format {FORMAT}; {remedy}"


def test_one_file_of_another_format_has_the_whole_directory_refused(tmp_path: Path) -> None:
    name = "20260101T00000000{}Z-d0-a-00000{}.asrd"
    old = write(tmp_path / name.format(0, 0), b"asrd recording 1\n", plain(BEGIN, Closed()))
    write(tmp_path / name.format(1, 1), blocks.MAGIC, plain(BEGIN, Closed()))
    error = CliRunner().invoke(asrd, ["replay", str(tmp_path)]).exception
    assert str(error).startswith(f"{old} has format 1, ")


def too_much(begin: list[Any]) -> None:
    begin.append("more")


def too_little(begin: list[Any]) -> None:
    begin.pop()


def another_tag(begin: list[Any]) -> None:
    begin[0] = "Begin"


@pytest.mark.parametrize("change", [too_much, too_little, another_tag])
def test_a_recording_that_holds_something_else_is_refused(tmp_path: Path, change: Callable[[list[Any]], None]) -> None:
    records = plain(BEGIN, Closed())
    change(records[0])
    path = write(tmp_path / "x.asrd", blocks.MAGIC, records)
    message = refusal(path)
    assert message.startswith(f"{path} does not hold what format {FORMAT} does (")
    assert message.endswith("); replay it with the asrd that made it")
